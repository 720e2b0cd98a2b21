//! Flocks that are applied and removed: numbers that are used once, texts that stay, tables that are told apart.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use flock_core::{
    AccountId, BehaviourKind, Corpus, DeliveryId, Flock, FlockName, Network, Occurrence, PostId,
    Rhythm, RhythmFields, Sheep, SheepConfig, SheepId, State,
};
use flock_ops::{Error, FlockFile, Noted, Plan, SheepFile, Who};
use flock_store::{By, Post, PostState, Read, Recorded, Store, Write};
use flock_tests::{CrashPlan, CrashProxy, Cut, Misbehave};
use flockwork::connect::LOCAL_NAME;
use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};

use crate::{
    slack::Slack,
    world::{START, World, did, ts},
};

/// The files of a flock, with the names and texts of its sheep.
pub(crate) fn file(flock: &str, sheep: &[(&str, &str)]) -> FlockFile {
    let sheep = sheep.iter().map(|(name, text)| {
        let corpus = Corpus::parse(text.as_bytes()).unwrap();
        let account = AccountId { network: Network::Meadow, handle: name.parse().unwrap() };
        let behaviour = BehaviourKind::Poem.with_text(&corpus);
        let fields = RhythmFields { line: Some("3m".to_owned()), ..RhythmFields::default() };
        SheepFile {
            name: name.parse().unwrap(),
            spelled: Vec::new(),
            config: SheepConfig::new(account, behaviour, Rhythm::parse(&fields).unwrap()),
            corpus: Arc::new(corpus),
            split: false,
            file: PathBuf::from(format!("{name}.txt")),
            parts: Vec::new(),
        }
    });
    FlockFile { flock: Flock::new(flock.parse().unwrap()), sheep: sheep.collect() }
}

/// What somebody does with the flock.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Apply(&'static [(&'static str, &'static str)]),
    Remove,
}

/// Whoever runs the tests, at their command line.
pub(crate) fn who(line: &str, at: Timestamp) -> Who {
    let by = By::CommandLine { user: "tester".to_owned(), arn: None };
    Who { by, at, id: DeliveryId::of(&[line, &at.to_string()]) }
}

/// Plans what `file` says and applies it; the plan.
pub(crate) async fn apply_file(
    store: &Store,
    file: FlockFile,
    now: Timestamp,
) -> flock_ops::Result<String> {
    let plan = flock_ops::plan(store, file, now).await?;
    let text = plan.to_string();
    apply_plan(store, plan, now).await.map(|()| text)
}

pub(crate) async fn apply_plan(store: &Store, plan: Plan, now: Timestamp) -> flock_ops::Result<()> {
    let line = format!("flock apply {}", plan.flock());
    let who = who(&line, now);
    Noted::around(store, who, line, async |noted| {
        Box::pin(plan.apply(store, noted, now, &|_, _, _| {})).await
    })
    .await
}

pub(crate) async fn remove(
    store: &Store,
    flock: &str,
    sheep: &[Sheep],
    now: Timestamp,
) -> flock_ops::Result<usize> {
    let line = format!("flock remove {flock}");
    let flock = flock.parse().unwrap();
    Noted::around(store, who(&line, now), line, async |noted| {
        flock_ops::remove_flock(store, noted, &flock, sheep, now).await
    })
    .await
}

async fn carry_out(store: &Store, flock: &str, deed: Deed) -> flock_ops::Result<String> {
    let now = ts(START);
    match deed {
        Deed::Apply(sheep) => apply_file(store, file(flock, sheep), now).await,
        Deed::Remove => {
            let sheep = store.sheep_of_flock(&flock.parse().unwrap()).await?;
            let count = remove(store, flock, &sheep, now).await?;
            Ok(format!("{count} removed"))
        }
    }
}

async fn apply(world: &World, sheep: &'static [(&'static str, &'static str)]) -> String {
    carry_out(&world.store, "flock", Deed::Apply(sheep)).await.unwrap()
}

#[track_caller]
fn refusal(result: flock_ops::Result<String>) -> String {
    let err = result.unwrap_err();
    assert!(matches!(err, Error::Refused(_)), "{err:#}");
    err.to_string()
}

/// The world's table through a proxy.
pub(crate) async fn proxied(world: &World, plan: &Arc<CrashPlan>) -> (Store, CrashProxy) {
    let proxy = CrashProxy::start("dynamodb", &world.cloud.dynamodb_url(), plan).await;
    let aws =
        flock_aws::local(proxy.url(), world.cloud.services_url(), world.cloud.token().secret());
    (Store::new(Client::new(&aws), LOCAL_NAME.to_owned()), proxy)
}

/// Every sheep has its text, whole, and nothing of it will go.
pub(crate) async fn assert_sound(world: &World, flock: &str, what: &str) {
    let flock: FlockName = flock.parse().unwrap();
    let client = Client::new(&world.cloud.aws());
    for sheep in world.store.sheep_of_flock(&flock).await.unwrap() {
        let corpus = sheep.config.behaviour.text();
        let whole = world.store.corpus(&flock, corpus).await.unwrap();
        assert!(whole.is_some(), "{what}: {} has no text", sheep.id);
        let missing = BTreeSet::from([corpus.clone()]);
        let missing = world.store.missing_corpora(&flock, &missing).await.unwrap();
        assert!(missing.is_empty(), "{what}: the text of {} is marked", sheep.id);
        let pk = format!("CORPUS#{flock}#{corpus}");
        let items = client.query().table_name(LOCAL_NAME).key_condition_expression("pk = :pk");
        let items = items.expression_attribute_values(":pk", AttributeValue::S(pk));
        let items = items.send().await.unwrap().items.unwrap();
        let going = items.iter().filter(|item| item.contains_key("ttl")).count();
        assert_eq!(going, 0, "{what}: some of the text of {} will go", sheep.id);
    }
}

/// `one` is held at each of its requests, `other` goes on until it is held at one of its own; then one ends and
/// the other after it, or the other way round.
async fn interleave(start: Deed, one: Deed, other: Deed) {
    let world = World::start().await;
    let never = CrashPlan::new(Cut::Never);
    let (store_one, proxy_one) = proxied(&world, &never).await;
    let (store_other, proxy_other) = proxied(&world, &never).await;
    for k in 0.. {
        let mut one_has_more = false;
        // Every third request of the other, and another third with the next of the one.
        for j in (k % 3..).step_by(3) {
            let mut other_has_more = false;
            // Where the other ends first, it does not matter where it was held.
            let orders: &[bool] = if j < 3 { &[true, false] } else { &[true] };
            for &one_ends_first in orders {
                let flock = format!("flock-{k}-{j}-{one_ends_first}");
                carry_out(&world.store, &flock, start).await.unwrap();
                let begin = async |proxy: &CrashProxy, store: &Store, deed, at| {
                    let plan = CrashPlan::new(Cut::Hold(at));
                    proxy.follow(&plan);
                    let (store, flock) = (store.clone(), flock.clone());
                    let mut task =
                        tokio::spawn(async move { carry_out(&store, &flock, deed).await });
                    let ended = tokio::select! {
                        () = plan.reached() => None,
                        ended = &mut task => Some(ended.unwrap()),
                    };
                    (plan, task, ended)
                };
                let first = begin(&proxy_one, &store_one, one, k).await;
                let second = begin(&proxy_other, &store_other, other, j).await;
                one_has_more |= first.2.is_none();
                other_has_more |= second.2.is_none();
                let ends = if one_ends_first { [first, second] } else { [second, first] };
                for (plan, task, ended) in ends {
                    plan.release();
                    let ended = match ended {
                        Some(ended) => ended,
                        None => task.await.unwrap(),
                    };
                    if let Err(err) = ended {
                        let is_said =
                            matches!(err, Error::Refused(_)) || err.to_string().contains(PARTLY);
                        assert!(is_said, "{k}, {j}: {err:#}");
                    }
                }
                let what = format!("{one:?} at {k}, {other:?} at {j}, {one_ends_first}");
                assert_sound(&world, &flock, &what).await;
            }
            if !other_has_more {
                break;
            }
        }
        if !one_has_more {
            assert!(4 < k, "{one:?} makes {k} requests");
            break;
        }
    }
}

/// What is said where an apply is refused and something has changed.
const PARTLY: &str = "part of the plan is carried out, and applying again does the rest";

const MOON: &str = "the moon\nrose\n";
const SUN: &str = "the sun\nset\n";
const STAR: &str = "a star\nfell\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_applies_at_once_leave_every_sheep_its_text() {
    // One gives up the text the other begins to use.
    Box::pin(interleave(
        Deed::Apply(&[("apollo", MOON), ("echo", SUN)]),
        Deed::Apply(&[("apollo", MOON), ("echo", STAR)]),
        Deed::Apply(&[("apollo", SUN), ("echo", SUN)]),
    ))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removal_and_an_apply_at_once_leave_every_sheep_its_text() {
    Box::pin(interleave(
        Deed::Apply(&[("apollo", MOON)]),
        Deed::Remove,
        Deed::Apply(&[("apollo", MOON), ("echo", MOON)]),
    ))
    .await;
}

#[tokio::test]
async fn a_text_goes_a_day_after_the_last_sheep_that_had_it_and_comes_back_before() {
    let world = World::start().await;
    apply(&world, &[("apollo", MOON), ("echo", SUN)]).await;
    let ttl = async |text: &str| -> Vec<Option<String>> {
        let id = Corpus::parse(text.as_bytes()).unwrap().id();
        let items = world.items().await;
        let items = items.iter().filter(|item| item["pk"].as_s().unwrap().ends_with(id.as_str()));
        items.map(|item| Some(item.get("ttl")?.as_n().unwrap().clone())).collect()
    };
    let tomorrow = ts(START) + SignedDuration::from_hours(24);
    let goes = vec![Some(tomorrow.as_second().to_string()); 2];
    assert_eq!((ttl(MOON).await, ttl(SUN).await), (vec![None; 2], vec![None; 2]));
    apply(&world, &[("apollo", MOON), ("echo", MOON)]).await;
    assert_eq!((ttl(MOON).await, ttl(SUN).await), (vec![None; 2], goes.clone()));
    apply(&world, &[("apollo", MOON), ("echo", SUN)]).await;
    assert_eq!((ttl(MOON).await, ttl(SUN).await), (vec![None; 2], vec![None; 2]));
    carry_out(&world.store, "flock", Deed::Remove).await.unwrap();
    assert_eq!((ttl(MOON).await, ttl(SUN).await), (goes.clone(), goes));
    apply(&world, &[("apollo", MOON)]).await;
    assert_sound(&world, "flock", "made again").await;
}

#[tokio::test]
async fn what_is_missing_of_a_text_is_restored_by_the_next_apply_and_the_sheep_resumes() {
    const SHEEP: &[(&str, &str)] = &[("apollo", MOON), ("echo", SUN)];
    for lost in ["HEAD", "LINE#00000000", ""] {
        let world = World::start().await;
        apply(&world, SHEEP).await;
        let corpus = Corpus::parse(MOON.as_bytes()).unwrap().id();
        world.lose(|pk, sk| pk.ends_with(corpus.as_str()) && sk.contains(lost)).await;
        let app = world.app().await;
        let id: SheepId = "flock/apollo".parse().unwrap();
        let stops = u64::from(lost != "HEAD");
        assert_eq!(world.tick_at(&app, 0).await.stopped, stops, "{lost}");
        if let State::Stopped { why, .. } = &world.read(&id).await.state {
            assert_eq!(
                why,
                "its text is not in the table; apply its flock's files again, which restores it, \
                 then resume flock/apollo"
            );
        }
        assert_eq!(
            apply(&world, SHEEP).await,
            "flock flock:\n  ~ restore apollo: its text is not in the table\n0 to create, 0 to change, 0 to \
             remove, 2 unchanged"
        );
        assert_eq!(apply(&world, SHEEP).await, "flock flock: nothing to change (2 sheep)");
        assert_sound(&world, "flock", lost).await;
        let resumed = world.read(&id).await.resume(world.clock.now());
        let _ = world.store.put_sheep(&resumed).await.unwrap();
        world.tick_at(&app, 9).await;
        let expected: &[&str] = if stops == 1 { &["the moon"] } else { &["the moon", "rose"] };
        assert_eq!(world.seen(&id).await, expected, "{lost}");
    }
}

#[tokio::test]
async fn numbers_go_on_after_what_was_posted_long_ago_and_what_was_only_decided() {
    let world = World::start().await;
    apply(&world, &[("apollo", MOON)]).await;
    let id: SheepId = "flock/apollo".parse().unwrap();
    let app = world.app().await;
    for minute in [0, 3] {
        assert_eq!(world.tick_at(&app, minute).await.posted, 1);
    }
    // Posts expire.
    world.lose(|pk, _| pk == "POSTS#flock#apollo").await;
    carry_out(&world.store, "flock", Deed::Remove).await.unwrap();
    assert_eq!(world.store.sheep(&id, Read::Consistent).await.unwrap(), None);
    assert_eq!(world.store.sheep_of_flock(&id.flock).await.unwrap(), []);
    apply(&world, &[("apollo", SUN)]).await;
    assert_eq!(world.read(&id).await.progress.occurrence, Occurrence(3));
    // Somebody has asked for a text, and it was not made yet.
    let (sheep, table) = (world.read(&id).await, world.store.table_id().await.unwrap());
    let asked = sheep.say("hello", table, world.clock.now()).unwrap();
    assert_eq!(world.store.put_sheep(&asked).await.unwrap(), Write::Done);
    carry_out(&world.store, "flock", Deed::Remove).await.unwrap();
    apply(&world, &[("apollo", STAR)]).await;
    assert_eq!(world.read(&id).await.progress.occurrence, Occurrence(4));
    // Nothing that knows the earlier sheep can write over the new one.
    for old in [asked, sheep] {
        let stale = old.claim_again(ts(START));
        assert_ne!(world.store.put_sheep(&stale).await.unwrap(), Write::Done);
    }
    world.tick_at(&app, 9).await;
    assert_eq!(world.seen(&id).await, ["a star"]);
}

/// A tick claims a post between the plan and the removal.
#[tokio::test]
async fn a_post_that_is_begun_while_its_sheep_is_removed_keeps_the_sheep() {
    let mut refused = 0;
    for deed in [Deed::Remove, Deed::Apply(&[("echo", SUN)])] {
        for k in 0.. {
            let world = World::start().await;
            apply(&world, &[("apollo", MOON)]).await;
            let plan = CrashPlan::new(Cut::Hold(k));
            let (store, _proxy) = proxied(&world, &plan).await;
            let mut removal = tokio::spawn(async move { carry_out(&store, "flock", deed).await });
            tokio::select! {
                () = plan.reached() => {}
                _ = &mut removal => break,
            }
            // The claim of a tick that is not heard of any more.
            let id: SheepId = "flock/apollo".parse().unwrap();
            let claimed = match world.store.sheep(&id, Read::Consistent).await.unwrap() {
                None => None,
                Some(sheep) => {
                    let now = ts(START);
                    let flock_core::Due::Post(next) = sheep.due(now) else { panic!("it is due") };
                    let table = world.store.table_id().await.unwrap();
                    let claimed = sheep.claim(next, flock_core::Act::post("the moon"), table, now);
                    assert_eq!(world.store.put_sheep(&claimed).await.unwrap(), Write::Done);
                    Some(claimed)
                }
            };
            plan.release();
            let result = removal.await.unwrap();
            if let Some(claimed) = claimed {
                assert_eq!(
                    refusal(result),
                    "flock/apollo: its post 1 is just being made on meadow:apollo; remove it in a minute"
                );
                assert_eq!(world.read(&id).await, claimed, "{deed:?} at {k}");
                refused += 1;
            }
        }
    }
    assert!(4 < refused, "{refused}");
}

/// A plan is carried out after the table has changed, at its second sheep.
#[tokio::test]
async fn an_apply_that_is_refused_with_something_changed_is_no_refusal() {
    const SHEEP: &[(&str, &str)] = &[("apollo", MOON), ("echo", SUN)];
    let world = World::start().await;
    let planned = async |sheep: &[(&str, &str)]| {
        flock_ops::plan(&world.store, file("flock", sheep), ts(START)).await.unwrap()
    };
    apply(&world, SHEEP).await;
    let late = planned(&[("apollo", STAR), ("echo", STAR)]).await;
    apply(&world, &[("apollo", MOON)]).await;
    let err = apply_plan(&world.store, late, ts(START)).await.unwrap_err();
    assert!(matches!(err, Error::Failed(_)));
    assert_snapshot!(err, @"flock/echo was removed meanwhile; part of the plan is carried out, and applying again does the rest");
    assert_sound(&world, "flock", "half a change").await;

    // A sheep whose text nobody else has is gone, and the next one has begun a post.
    apply(&world, SHEEP).await;
    let late = planned(&[("zoe", STAR)]).await;
    let echo = world.read(&"flock/echo".parse().unwrap()).await;
    let flock_core::Due::Post(next) = echo.due(ts(START)) else { panic!("it is due") };
    let table = world.store.table_id().await.unwrap();
    let claimed = echo.claim(next, flock_core::Act::post("the sun"), table, ts(START));
    assert_eq!(world.store.put_sheep(&claimed).await.unwrap(), Write::Done);
    let err = apply_plan(&world.store, late, ts(START)).await.unwrap_err();
    assert!(matches!(err, Error::Failed(_)));
    assert_snapshot!(err, @"flock/echo: its post 1 is just being made on meadow:echo; remove it in a minute; 1 sheep of the flock went before that, and the others stay");
    assert_sound(&world, "flock", "half a removal").await;
    let moon = Corpus::parse(MOON.as_bytes()).unwrap().id();
    let missing = BTreeSet::from([moon]);
    let flock = "flock".parse().unwrap();
    assert_eq!(world.store.missing_corpora(&flock, &missing).await.unwrap(), missing, "it goes");
}

#[tokio::test]
async fn a_post_nobody_is_sure_of_keeps_its_sheep_until_somebody_says_what_became_of_it() {
    let mut slack = Slack::start().await;
    let world = &slack.world;
    let id = world.sheep("apollo", Network::X, 3).await;
    world.x.misbehave(Misbehave::AcceptThen500);
    let app = world.app().await;
    assert_eq!(world.tick_at(&app, 0).await.unknown, 1);
    let before = world.items().await;
    let said = refusal(carry_out(&world.store, "flock", Deed::Remove).await);
    assert_snapshot!(said, @"flock/apollo: nobody knows whether its post 1 is on x:apollo; look there and say whether it is, or wait until it is found out; then remove it");
    assert_eq!(
        refusal(carry_out(&world.store, "flock", Deed::Apply(&[("echo", SUN)])).await),
        said
    );
    // What was tried is in the audit log, and nothing else has changed.
    assert_eq!(world.items().await.len(), before.len() + 1);
    slack.flock("pause apollo").await;
    assert_eq!(refusal(carry_out(&slack.world.store, "flock", Deed::Remove).await), said);
    let told = slack.flock("sent flock/apollo 1").await;
    assert_eq!(
        told,
        "Post 1 of *flock/apollo* counts as sent, and the sheep goes on once it is resumed: it is paused."
    );
    carry_out(&slack.world.store, "flock", Deed::Remove).await.unwrap();
    // What is made again says its own first line, under a number of its own.
    apply(&slack.world, &[("apollo", SUN)]).await;
    assert_eq!(slack.world.read(&id).await.progress.occurrence, Occurrence(2));
    assert_eq!(slack.world.tick_at(&app, 9).await.posted, 1);
    let posts = slack.world.posts(&id).await;
    let texts: Vec<_> = posts.iter().map(|post| post.text.as_str()).collect();
    assert_eq!(texts, ["apollo line 0", "the sun"]);
}

/// Somebody says that a post was made whose number another has.
#[tokio::test]
async fn a_post_that_counts_as_sent_and_cannot_be_recorded_is_said_so() {
    let mut slack = Slack::start().await;
    let id = slack.world.sheep("apollo", Network::X, 3).await;
    slack.world.x.misbehave(Misbehave::AcceptThen500);
    let app = slack.world.app().await;
    assert_eq!(slack.world.tick_at(&app, 0).await.unknown, 1);
    let other = of_another_life(&slack.world, &id).await;
    let told = slack.flock("sent flock/apollo 1").await;
    assert_snapshot!(told, @r#"Post 1 of *flock/apollo* counts as sent, but it is not in the list of posts, where 1 is recorded as "of another life" (x:apollo, 17). Its next number is 2, and the sheep goes on."#);
    assert_eq!(slack.world.posts(&id).await, [other]);
    assert_eq!(slack.world.read(&id).await.progress.occurrence, Occurrence(2));
}

/// A paused sheep whose tick died is not looked after.
#[tokio::test]
async fn a_paused_sheep_with_an_open_post_says_how_to_go_on() {
    let world = World::start().await;
    apply(&world, &[("apollo", MOON)]).await;
    let sheep = world.read(&"flock/apollo".parse().unwrap()).await;
    let (now, table) = (world.clock.now(), world.store.table_id().await.unwrap());
    let flock_core::Due::Post(next) = sheep.due(now) else { panic!("it is due") };
    let claimed = sheep.claim(next, flock_core::Act::post("the moon"), table, now);
    assert_eq!(world.store.put_sheep(&claimed).await.unwrap(), Write::Done);
    assert_eq!(world.store.put_sheep(&claimed.pause(now)).await.unwrap(), Write::Done);
    let said = refusal(carry_out(&world.store, "flock", Deed::Remove).await);
    assert_snapshot!(said, @"flock/apollo: its post 1 may be on meadow:apollo, and nobody looks while it is paused; resume it, and remove it in a minute");
}

/// A post of another text that has the sheep's number 1, as in a table from before numbers went on.
async fn of_another_life(world: &World, id: &SheepId) -> Post {
    let other = Post {
        made: None,
        sheep: id.clone(),
        occurrence: Occurrence(1),
        account: world.read(id).await.config.account,
        at: ts(START),
        text: "of another life".to_owned(),
        state: PostState::Posted,
        remote_id: Some("17".parse().unwrap()),
        answers: None,
    };
    assert_eq!(world.store.put_post(&other, 1).await.unwrap(), Recorded::Done);
    assert_eq!(world.store.put_post(&other, 1).await.unwrap(), Recorded::Done, "it is the same");
    other
}

async fn number_is_taken(network: Network) -> (World, SheepId, String) {
    let mut world = World::start().await;
    let id = world.sheep("apollo", network, 3).await;
    let other = of_another_life(&world, &id).await;
    let app = world.app().await;
    assert_eq!(world.tick_at(&app, 0).await.stopped, 1);
    assert_eq!(world.posts(&id).await, [other], "nothing is written over");
    let sheep = world.read(&id).await;
    let State::Stopped { why, .. } = &sheep.state else { panic!("it has stopped") };
    let mut told = Vec::new();
    while let Ok(event) = world.events.try_recv() {
        told.push((event.detail_type.clone(), event.detail["why"].as_str().unwrap().to_owned()));
    }
    assert_eq!(told, [("sheep.stopped".to_owned(), why.clone())]);
    let resumed = sheep.resume(world.clock.now());
    let _ = world.store.put_sheep(&resumed).await.unwrap();
    assert_eq!(world.tick_at(&app, 6).await.posted, 1);
    let why = why.clone();
    (world, id, why)
}

#[tokio::test]
async fn a_number_that_is_taken_stops_a_sheep_of_the_meadow_and_its_line_is_made_under_the_next() {
    let (world, id, why) = Box::pin(number_is_taken(Network::Meadow)).await;
    let own = PostId::new(world.store.table_id().await.unwrap(), &id, Occurrence(1));
    let why = why.replace(own.as_str(), "ID");
    assert_snapshot!(why, @r#"post 1, "apollo line 0" (meadow:apollo, ID), was not made: number 1 is recorded as "of another life" (meadow:apollo, 17); resume flock/apollo, and it is made under number 2"#);
    assert_eq!(world.seen(&id).await, ["of another life", "apollo line 0"]);
}

#[tokio::test]
async fn a_number_that_is_taken_stops_a_sheep_of_a_network_and_its_post_is_named() {
    let (world, id, why) = Box::pin(number_is_taken(Network::X)).await;
    let remote = &world.x.posts(&crate::world::user_id("apollo"))[0].id.clone();
    let why = why.replace(remote, "ID");
    assert_snapshot!(why, @r#"post 1, "apollo line 0" (x:apollo, ID), was made, but cannot be recorded: number 1 is recorded as "of another life" (x:apollo, 17); look whether both are there, then resume flock/apollo: it goes on with number 2"#);
    assert_eq!(world.seen(&id).await, ["apollo line 0", "apollo line 1"]);
    let texts: Vec<_> = world.posts(&id).await.into_iter().map(|post| post.text).collect();
    assert_eq!(texts, ["of another life", "apollo line 1"]);
}

/// Same flock, sheep, number, time and text; one account.
#[tokio::test]
async fn two_tables_never_meet_in_one_post() {
    let (one, mut other) = (World::start().await, World::start().await);
    other.bluesky_url = one.bluesky.url();
    for world in [&one, &other] {
        let id = world.sheep("apollo", Network::Bluesky, 3).await;
        let app = world.app().await;
        assert_eq!(world.tick_at(&app, 0).await.posted, 1);
        assert_eq!(world.posts(&id).await[0].occurrence, Occurrence(1));
    }
    let records = one.bluesky.posts(&did("apollo"));
    assert_eq!(records.len(), 2, "each table has its own record");
    for world in [&one, &other] {
        let id = world.sheep("echo", Network::Meadow, 3).await;
        let app = world.app().await;
        world.tick_at(&app, 0).await;
        let own = PostId::new(world.store.table_id().await.unwrap(), &id, Occurrence(1));
        let remote = world.posts(&id).await[0].remote_id.clone();
        assert_eq!(remote.as_ref().map(flock_core::RemoteId::as_str), Some(own.as_str()));
    }
    assert_ne!(one.store.table_id().await.unwrap(), other.store.table_id().await.unwrap());
}

#[tokio::test]
async fn a_table_is_given_its_id_once_by_whoever_comes_first() {
    let world = World::start().await;
    world.lose(|pk, sk| pk == "SYSTEM" && sk == "SHARDS").await;
    let ids: BTreeSet<_> = {
        let stores: Vec<_> = (0..8)
            .map(|_| Store::new(Client::new(&world.cloud.aws()), LOCAL_NAME.to_owned()))
            .collect();
        let drawn = stores.iter().map(|store| async { store.table_id().await.unwrap().clone() });
        futures_util::future::join_all(drawn).await.into_iter().collect()
    };
    assert_eq!(ids.len(), 1, "{ids:?}");

    // A table from before: the start asks no more than it did, and the first claims ask once.
    world.lose(|pk, sk| pk == "SYSTEM" && sk == "SHARDS").await;
    for name in ["apollo", "echo"] {
        world.sheep(name, Network::Meadow, 3).await;
    }
    for drawn in [1, 0] {
        let plan = CrashPlan::new(Cut::Never);
        let (_, proxy) = proxied(&world, &plan).await;
        let aws =
            flock_aws::local(proxy.url(), world.cloud.services_url(), world.cloud.token().secret());
        let app = world.app_on(&aws).await;
        assert_eq!(plan.requests(), ["dynamodb GetItem"]);
        assert_eq!(world.tick_at(&app, 3 * (1 - drawn)).await.posted, 2);
        let updates = plan.requests().iter().filter(|name| name.ends_with("UpdateItem")).count();
        assert_eq!(i64::try_from(updates), Ok(drawn));
    }
    // It is not lost when the number of shards changes.
    let id = async || {
        let store = Store::new(Client::new(&world.cloud.aws()), LOCAL_NAME.to_owned());
        store.table_id().await.unwrap().clone()
    };
    let before = id().await;
    let eight = flock_core::Shards::try_from(8).unwrap();
    let store = Store::new(Client::new(&world.cloud.aws()), LOCAL_NAME.to_owned());
    let (store, shards) = store.with_shards(eight).await.unwrap();
    assert_eq!((shards, store.table_id().await.unwrap()), (eight, &before));
    assert_eq!(id().await, before);
}
