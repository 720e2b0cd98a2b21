//! Networks with habits that no document names: answers of somebody else after the work is done, listings in other
//! orders, texts that come back set by a typographer, waits of ten years, and several sheep that say the same
//! through one account. Nothing is said twice, nothing is lost, nothing is paid that was not charged.

use std::collections::BTreeSet;

use flock_aws::Clock;
use flock_core::{
    BehaviourKind, Corpus, FlockName, Month, Network, Occurrence, RemoteId, Sent, Sheep, SheepId,
    State,
};
use flock_ops::Noted;
use flock_store::Write;
use flock_tests::{
    BlueskyMisbehave, Endpoint, Foreign, ForeignBody, Listed, MastodonMisbehave, Misbehave,
    Operation,
};
use jiff::SignedDuration;
use sheep_tick::{App, Report};

use crate::{
    flocks,
    world::{START, World, did, mastodon_account, ts, user_id},
};

/// Lets time pass for everybody, and ticks.
async fn after(world: &World, app: &App, minutes: i64) -> Report {
    let by = SignedDuration::from_mins(minutes);
    world.mastodon.advance(by);
    world.clock.step_to(world.clock.now() + by);
    world.tick(app).await
}

async fn problem(world: &World, id: &SheepId) -> String {
    world.read(id).await.intent.and_then(|intent| intent.errand.problem).expect("it has a problem")
}

async fn change(world: &World, id: &SheepId, change: impl FnOnce(&mut Sheep)) {
    let mut sheep = world.read(id).await;
    change(&mut sheep);
    sheep.version += 1;
    world.store.put_sheep(&sheep).await.unwrap();
}

/// Gives a sheep a text of its own.
async fn give_lines(world: &World, id: &SheepId, lines: &[&str]) {
    let corpus = Corpus::parse(lines.join("\n").as_bytes()).unwrap();
    world.store.put_corpus(&id.flock, &corpus, |_| {}).await.unwrap();
    change(world, id, |sheep| {
        sheep.config.behaviour = BehaviourKind::Poem.with_text(&corpus);
    })
    .await;
}

/// What the flock counts as spent is what X has charged, whoever said it.
async fn assert_paid(world: &World, names: &[&str], what: &str) {
    let flock: FlockName = "flock".parse().unwrap();
    let ledger = world.store.ledger(&flock, Month::of(world.clock.now())).await.unwrap();
    let billed: u64 = names.iter().map(|name| world.x.billed_micros(&user_id(name))).sum();
    assert_eq!(ledger.spent.micros(), billed, "{what}: {:?}", ledger.counts);
}

/// Each line was said once, in order, and each post is recorded under its own id.
async fn assert_once(world: &World, id: &SheepId, seen: &[String], what: &str) {
    let lines: Vec<_> = (0..seen.len()).map(|n| format!("{} line {n}", id.name)).collect();
    assert_eq!(seen, lines, "{what}");
    let ids: BTreeSet<_> = world
        .posts(id)
        .await
        .into_iter()
        .map(|post| post.remote_id.expect("it is recorded").to_string())
        .collect();
    assert_eq!(ids.len(), seen.len(), "{what}: each is recorded");
}

#[tokio::test]
async fn whatever_answers_in_xs_place_a_post_is_made_and_paid_once() {
    for foreign in Foreign::all() {
        let what = format!("{foreign:?}");
        let world = World::start().await;
        world.x.duplicate_check(false);
        let id = world.sheep("apollo", Network::X, 40).await;
        world.x.proxy(Some(foreign));
        world.x.oldest_first(true);
        let app = world.app().await;
        assert_eq!(world.tick(&app).await.unknown, 1, "{what}");
        assert_eq!(world.read(&id).await.state, State::Active);
        assert_paid(&world, &["apollo"], &what).await;
        for minute in [2, 4, 6, 8] {
            world.tick_at(&app, minute).await;
        }
        let seen = world.seen(&id).await;
        assert!(2 <= seen.len(), "{what}: it goes on");
        world.x.proxy(None);
        world.tick_at(&app, 10).await;
        world.tick_at(&app, 11).await;
        assert_once(&world, &id, &world.seen(&id).await, &what).await;
        assert_paid(&world, &["apollo"], &what).await;
    }
}

/// None of these says that nothing was charged: the cap holds.
#[tokio::test]
async fn a_cap_holds_whatever_answers_in_xs_place() {
    for status in [202, 204, 308, 404] {
        let world = World::start().await;
        world.x.duplicate_check(false);
        let id = world.sheep("apollo", Network::X, 40).await;
        let cap = Some("0.05".parse().unwrap());
        let flock = flock_core::Flock::new("flock".parse().unwrap());
        world.store.put_flock(&flock_core::Flock { monthly_cap: cap, ..flock }).await.unwrap();
        let body = ForeignBody::Empty;
        world.x.proxy(Some(Foreign { status, body }));
        let app = world.app().await;
        for minute in 0..60 {
            world.tick_at(&app, minute).await;
            let resumed = world.read(&id).await.resume(world.clock.now());
            let _ = world.store.put_sheep(&resumed).await.unwrap();
        }
        let billed = world.x.billed_micros(&user_id("apollo"));
        assert!(billed <= 50_000, "{status}: {billed}");
        // What is left is less than a look costs at most, so the last one stays open.
        assert_once_of(&world.seen(&id).await, &status.to_string());
        assert_paid(&world, &["apollo"], &status.to_string()).await;
    }
}

#[tokio::test]
async fn whatever_answers_in_mastodons_place_a_post_is_made_once() {
    for foreign in Foreign::all() {
        let what = format!("{foreign:?}");
        let world = World::start().await;
        world.mastodon.idempotency(false);
        let id = world.sheep("apollo", Network::Mastodon, 40).await;
        world.mastodon.proxy(Some(foreign));
        world.mastodon.listed(Listed::OldestFirst);
        let app = world.app().await;
        assert_eq!(world.tick(&app).await.unknown, 1, "{what}");
        assert_eq!(world.read(&id).await.state, State::Active);
        for _ in 0..6 {
            after(&world, &app, 2).await;
        }
        let seen = world.seen(&id).await;
        assert!(2 <= seen.len(), "{what}: it goes on");
        world.mastodon.proxy(None);
        after(&world, &app, 3).await;
        after(&world, &app, 1).await;
        assert_once(&world, &id, &world.seen(&id).await, &what).await;
    }
}

#[tokio::test]
async fn whatever_answers_in_blueskys_place_a_post_is_made_once() {
    for foreign in Foreign::all() {
        let what = format!("{foreign:?}");
        let world = World::start().await;
        let id = world.sheep("apollo", Network::Bluesky, 40).await;
        world.bluesky.misbehave("putRecord", BlueskyMisbehave::AcceptThen(foreign));
        let app = world.app().await;
        assert_eq!(world.tick(&app).await.unknown, 1, "{what}");
        assert_eq!(world.read(&id).await.state, State::Active);
        world.tick_at(&app, 2).await;
        assert_eq!(world.posts(&id).await.len(), 1, "{what}");
        assert_once(&world, &id, &world.seen(&id).await, &what).await;
    }
}

/// A session ends in the moment in which something before the server answers 401 to what it has done, and the
/// account's password is gone as well: a sheep that stopped would say it again under another name.
#[tokio::test]
async fn a_401_of_somebody_else_proves_nothing_on_bluesky() {
    let world = World::start().await;
    let id = world.sheep("apollo", Network::Bluesky, 40).await;
    let foreign = Foreign { status: 401, body: ForeignBody::Page };
    world.bluesky.misbehave("putRecord", BlueskyMisbehave::AcceptThen(foreign));
    world.bluesky.end_sessions();
    world.bluesky.revoke_app_password(&did("apollo"));
    let app = world.app().await;
    assert_eq!(world.tick(&app).await.unknown, 1);
    assert_eq!(world.read(&id).await.state, State::Active);
    assert_eq!(world.seen(&id).await, ["apollo line 0"]);
}

/// A server that heeds no key and lists so, with so many posts from an hour before the sheep's.
async fn lists(listed: Listed, before: usize) -> (World, SheepId) {
    let world = World::start().await;
    world.mastodon.idempotency(false);
    let id = world.sheep("apollo", Network::Mastodon, 40).await;
    for number in 0..before {
        world.mastodon.made_elsewhere("apollo", &format!("before {number}"));
    }
    world.mastodon.advance(SignedDuration::from_hours(1));
    world.mastodon.listed(listed);
    (world, id)
}

/// What a look finds depends on no order. Where the server does not show the end of its list it is left open,
/// and not said again.
#[tokio::test]
async fn a_look_depends_on_no_order() {
    // How many posts the account has from before, and whether all of its posts can be seen.
    let ways = [
        (Listed::NewestFirst, 0, true),
        (Listed::NewestFirst, 45, true),
        (Listed::NewestFirst, 250, true),
        (Listed::OldestFirst, 0, true),
        (Listed::OldestFirst, 19, true),
        (Listed::OldestFirst, 20, true),
        (Listed::OldestFirst, 45, true),
        (Listed::OldestFirst, 250, true),
        (Listed::BackToFront, 0, true),
        (Listed::BackToFront, 45, true),
        (Listed::Shuffled, 7, true),
        (Listed::Shuffled, 45, true),
        (Listed::Shuffled, 250, true),
        (Listed::Everything(500), 3, true),
        (Listed::Everything(500), 45, false),
        (Listed::Everything(20), 19, false),
        (Listed::Everything(20), 45, false),
    ];
    for (listed, before, ends) in ways {
        for accepted in [true, false] {
            let what = format!("{listed:?} after {before}, accepted: {accepted}");
            let (world, id) = lists(listed, before).await;
            let app = world.app().await;
            assert_eq!(world.tick(&app).await.posted, 1, "{what}");
            world.mastodon.misbehave(if accepted {
                MastodonMisbehave::AcceptThen500
            } else {
                MastodonMisbehave::Refuse500
            });
            assert_eq!(after(&world, &app, 3).await.unknown, 1, "{what}");
            let report = after(&world, &app, 2).await;
            let own = |world: &World| {
                let posts = world.mastodon.posts("apollo").into_iter().map(|post| post.text);
                posts.filter(|text| text.starts_with("apollo")).collect::<Vec<_>>()
            };
            // What is seen is found, even where the end is not.
            if report.unknown == 1 {
                assert!(!ends, "{what}: {}", problem(&world, &id).await);
            } else {
                assert!(ends || accepted, "{what}");
                assert_eq!(report.posted, 1, "{what}");
                after(&world, &app, 1).await;
            }
            assert_once_of(&own(&world), &what);
        }
    }
}

#[track_caller]
fn assert_once_of(seen: &[String], what: &str) {
    let lines: Vec<_> = (0..seen.len()).map(|n| format!("apollo line {n}")).collect();
    assert_eq!(seen, lines, "{what}");
}

/// The first post of a sheep, on an account that said much before: there is no post of its own to go by.
#[tokio::test]
async fn a_first_post_is_looked_for_in_any_order() {
    for listed in [Listed::NewestFirst, Listed::OldestFirst, Listed::BackToFront, Listed::Shuffled]
    {
        for (before, accepted) in [(0, true), (0, false), (45, true), (45, false)] {
            let what = format!("{listed:?} after {before}, accepted: {accepted}");
            let (world, id) = lists(listed, before).await;
            world.mastodon.misbehave(if accepted {
                MastodonMisbehave::AcceptThen500
            } else {
                MastodonMisbehave::Refuse500
            });
            let app = world.app().await;
            assert_eq!(world.tick(&app).await.unknown, 1, "{what}");
            let report = after(&world, &app, 2).await;
            assert_eq!(report.posted, 1, "{what}: {:?}", world.read(&id).await.intent);
            let texts = world.mastodon.posts("apollo").into_iter().map(|post| post.text);
            assert_eq!(texts.filter(|text| text == "apollo line 0").count(), 1, "{what}");
        }
    }
}

/// A listing on X costs by the post: where X lists as it does, a look reads no more than before.
#[tokio::test]
async fn a_look_on_x_finds_its_post_in_any_order() {
    for oldest_first in [false, true] {
        let world = World::start().await;
        world.x.duplicate_check(false);
        let id = world.sheep("apollo", Network::X, 40).await;
        let app = world.app().await;
        // An hour before the second line is due: older than what came of it can be.
        world
            .x
            .advance(ts(START).duration_since(Clock::wall().now()) - SignedDuration::from_hours(1));
        world.tick(&app).await;
        let elsewhere = |texts: std::ops::Range<usize>| {
            for number in texts {
                world.x.made_elsewhere(&user_id("apollo"), &format!("another {number}"));
            }
        };
        elsewhere(0..12);
        world.x.advance(SignedDuration::from_hours(1));
        world.x.oldest_first(oldest_first);
        world.x.misbehave(Misbehave::AcceptThen500);
        assert_eq!(world.tick_at(&app, 3).await.unknown, 1);
        elsewhere(12..26);
        assert_eq!(world.tick_at(&app, 5).await.posted, 1);
        assert_eq!(world.x.asked(Operation::Timeline), 2);
        let own = world.x.posts(&user_id("apollo")).into_iter().map(|post| post.text);
        let own: Vec<_> = own.filter(|text| text.starts_with("apollo")).collect();
        assert_once_of(&own, "in any order");
        assert_eq!(world.posts(&id).await.len(), 2);
        assert_paid(&world, &["apollo"], "in any order").await;
    }
}

/// Notes who posts through the account, as apply and move do.
async fn enlist(world: &World, sheep: &[SheepId; 2]) {
    let account = world.read(&sheep[0]).await.config.account;
    let rows = sheep.clone().map(|id| (id, account.clone()));
    world.store.enlist(&rows).await.unwrap();
}

/// Sheep that say the same lines through the account of the first.
async fn choir(world: &World, network: Network, names: [&str; 2]) -> [SheepId; 2] {
    let first = world.sheep(names[0], network, 40).await;
    let second = world.sheep(names[1], network, 40).await;
    let config = world.read(&first).await.config;
    change(world, &second, |sheep| sheep.config = config).await;
    [first, second]
}

fn texts(world: &World, network: Network, name: &str) -> Vec<String> {
    match network {
        Network::Mastodon => world.mastodon.posts(name).into_iter().map(|post| post.text).collect(),
        _ => world.x.posts(&user_id(name)).into_iter().map(|post| post.text).collect(),
    }
}

fn fails(world: &World, network: Network, accepted: &[bool]) {
    for accepted in accepted {
        match (network, accepted) {
            (Network::Mastodon, true) => world.mastodon.misbehave(MastodonMisbehave::AcceptThen500),
            (Network::Mastodon, false) => world.mastodon.misbehave(MastodonMisbehave::Refuse500),
            (_, true) => world.x.misbehave(Misbehave::AcceptThen500),
            (_, false) => world.x.misbehave(Misbehave::Refuse500),
        }
    }
}

/// Both sheep have said their first line, each under its own id, and nothing else.
async fn assert_both(world: &World, network: Network, sheep: &[SheepId; 2], what: &str) {
    let name = sheep[0].name.as_str();
    let line = format!("{name} line 0");
    let made = texts(world, network, name);
    assert_eq!(made.iter().filter(|text| **text == line).count(), 2, "{what}: {made:?}");
    let mut ids = BTreeSet::new();
    for id in sheep {
        let posts = world.posts(id).await;
        assert_eq!(posts[0].text, line, "{what}");
        ids.insert(posts[0].remote_id.clone().expect("it is recorded").to_string());
    }
    assert_eq!(ids.len(), 2, "{what}: each has its own");
}

/// Whatever becomes of the two requests, and however often they are looked for at the same moment.
#[tokio::test]
async fn two_sheep_with_the_same_line_on_one_account_each_have_their_post() {
    for network in [Network::Mastodon, Network::X] {
        for accepted in
            [&[true, false][..], &[false, true], &[true, true], &[false, false], &[false]]
        {
            let what = format!("{network} {accepted:?}");
            let world = World::start().await;
            world.mastodon.idempotency(false);
            world.x.duplicate_check(false);
            let sheep = choir(&world, network, ["apollo", "artemis"]).await;
            enlist(&world, &sheep).await;
            fails(&world, network, accepted);
            let app = world.app().await;
            let lost = world.tick(&app).await.unknown;
            assert_eq!(lost, u64::try_from(accepted.len()).unwrap(), "{what}");
            for _ in 0..12 {
                after(&world, &app, 1).await;
            }
            assert_both(&world, network, &sheep, &what).await;
        }
    }
}

/// Only what apply has noted tells one flock of another's sheep, which has never looked for a post.
#[tokio::test]
async fn two_flocks_with_the_same_line_on_one_account_each_have_their_post() {
    let world = World::start().await;
    world.mastodon.idempotency(false);
    let account = mastodon_account("apollo");
    world.mastodon.account("token-of-apollo", "apollo");
    world.add_mastodon(&account, "token-of-apollo").await.unwrap();
    let sheep = ["choir/apollo", "band/apollo"].map(|id| id.parse::<SheepId>().unwrap());
    let lines = ["apollo line 0", "apollo line 1", "apollo line 2"].join("\n");
    for id in &sheep {
        let mut file = flocks::file(id.flock.as_str(), &[("apollo", &lines)]);
        file.sheep[0].config.account = account.clone();
        let now = world.clock.now();
        flocks::apply_file(&world.store, file, now).await.unwrap();
    }
    change(&world, &sheep[1], |sheep| sheep.progress.slot += SignedDuration::from_mins(1)).await;
    let app = world.app().await;
    assert_eq!(world.tick(&app).await.posted, 1);
    fails(&world, Network::Mastodon, &[false]);
    assert_eq!(after(&world, &app, 1).await.unknown, 1);
    for _ in 0..4 {
        after(&world, &app, 1).await;
    }
    assert_both(&world, Network::Mastodon, &sheep, "of two flocks").await;
}

/// A number is held while its sheep moves away from the meadow: no post is there, and none is in the way.
#[tokio::test]
async fn a_first_post_after_a_move_is_found_when_its_answer_is_lost() {
    for network in [Network::Mastodon, Network::X] {
        let world = World::start().await;
        world.mastodon.idempotency(false);
        let [id, other] = [
            world.sheep("apollo", Network::Meadow, 3).await,
            world.sheep("echo", network, 3).await,
        ];
        let now = world.clock.now();
        let paused = world.read(&other).await.pause(now);
        assert_eq!(world.store.put_sheep(&paused).await.unwrap(), Write::Done);
        let (sheep, account) = (world.read(&id).await, paused.config.account);
        let who = flocks::who("sheep move", now);
        let moved = Noted::around(&world.store, who, "sheep move".to_owned(), async |noted| {
            Box::pin(flock_ops::move_sheep(&world.store, noted, sheep, account, now)).await
        });
        assert!(moved.await.unwrap().is_some());
        fails(&world, network, &[true]);
        let app = world.app().await;
        assert_eq!(world.tick(&app).await.unknown, 1, "{network}");
        for _ in 0..3 {
            after(&world, &app, 1).await;
        }
        let made = texts(&world, network, "echo");
        assert_eq!(made.iter().filter(|text| **text == "apollo line 0").count(), 1, "{made:?}");
        assert!(world.posts(&id).await[0].remote_id.is_some(), "{network}: it is found");
    }
}

/// Who looks notes its flock's sheep, where an older version has not.
#[tokio::test]
async fn a_look_notes_who_is_not_noted_yet() {
    let world = World::start().await;
    world.mastodon.idempotency(false);
    let [first, second] = choir(&world, Network::Mastodon, ["apollo", "artemis"]).await;
    let account = world.read(&first).await.config.account;
    assert_eq!(world.store.sheep_on(&account).await.unwrap(), std::slice::from_ref(&first));
    change(&world, &second, |sheep| sheep.progress.slot += SignedDuration::from_mins(1)).await;
    let app = world.app().await;
    assert_eq!(world.tick(&app).await.posted, 1);
    fails(&world, Network::Mastodon, &[false]);
    assert_eq!(after(&world, &app, 1).await.unknown, 1);
    after(&world, &app, 2).await;
    assert_both(&world, Network::Mastodon, &[first.clone(), second.clone()], "noted").await;
    assert_eq!(world.store.sheep_on(&account).await.unwrap(), [first, second]);
}

/// One has said it and is removed; the other's request never arrived.
#[tokio::test]
async fn a_removed_sheeps_post_is_not_taken_for_anothers() {
    for network in [Network::Mastodon, Network::X] {
        let world = World::start().await;
        world.mastodon.idempotency(false);
        world.x.duplicate_check(false);
        let [first, second] = choir(&world, network, ["apollo", "artemis"]).await;
        change(&world, &second, |sheep| sheep.progress.slot += SignedDuration::from_mins(1)).await;
        let app = world.app().await;
        assert_eq!(world.tick(&app).await.posted, 1);
        let posted = world.posts(&first).await;
        let removed = world.read(&first).await;
        let written = world.store.remove_sheep(&removed, world.clock.now()).await;
        assert_eq!(written.unwrap(), flock_store::Write::Done);
        fails(&world, network, &[false]);
        assert_eq!(after(&world, &app, 1).await.unknown, 1);
        assert_eq!(after(&world, &app, 2).await.posted, 1);
        let other = world.posts(&second).await.remove(0).remote_id;
        assert_ne!(posted[0].remote_id, other);
        assert_eq!(texts(&world, network, "apollo").len(), 2);
    }
}

/// It may have been made by the other, and not be recorded yet.
#[tokio::test]
async fn a_look_waits_for_who_is_posting_the_same_at_the_moment() {
    let world = World::start().await;
    world.mastodon.idempotency(false);
    let [second, first] = choir(&world, Network::Mastodon, ["apollo", "artemis"]).await;
    enlist(&world, &[second.clone(), first.clone()]).await;
    change(&world, &first, |sheep| sheep.progress.slot += SignedDuration::from_hours(1)).await;
    fails(&world, Network::Mastodon, &[false]);
    let app = world.app().await;
    assert_eq!(world.tick(&app).await.unknown, 1);
    // The other is in the middle of it: its post is there, and its record is not.
    let theirs: RemoteId =
        world.mastodon.made_elsewhere("apollo", "apollo line 0").parse().unwrap();
    let lease = world.clock.now() + SignedDuration::from_mins(3);
    let table = world.store.table_id().await.unwrap();
    change(&world, &first, |sheep| {
        let flock_core::Due::Post(next) = sheep.due(sheep.progress.slot) else {
            panic!("it is due")
        };
        *sheep = sheep.claim(next, flock_core::Act::post("apollo line 0"), table, lease);
        sheep.version -= 1;
    })
    .await;
    assert_eq!(after(&world, &app, 2).await.unknown, 1);
    let said = problem(&world, &second).await;
    insta::assert_snapshot!(said, @"flock/artemis is posting the same line through mastodon:apollo@stand-in.example at this moment, so nobody knows yet whose post is there; it is looked at again");
    // It has recorded it.
    change(&world, &first, |sheep| {
        *sheep = sheep.settle(&flock_core::Outcome::Done(theirs.clone()), world.clock.now());
        sheep.version -= 1;
    })
    .await;
    let post = flock_store::Post {
        made: None,
        sheep: first.clone(),
        occurrence: Occurrence(1),
        account: world.read(&first).await.config.account,
        at: world.clock.now(),
        text: "apollo line 0".to_owned(),
        state: flock_store::PostState::Posted,
        remote_id: Some(theirs.clone()),
        answers: None,
    };
    assert_eq!(world.store.put_post(&post, 1).await.unwrap(), flock_store::Recorded::Done);
    assert_eq!(after(&world, &app, 4).await.posted, 1);
    assert_ne!(world.posts(&second).await[0].remote_id, Some(theirs));
    assert_eq!(texts(&world, Network::Mastodon, "apollo").len(), 2);
}

/// The look compares as people would.
#[tokio::test]
async fn a_text_that_comes_back_in_another_dress_is_known_again() {
    let lines = [
        "Don't say \"maybe\" -- ever...",
        "\"'Tis the fe\u{301}te,\" he said",
        "see https://www.example.com/a/long/path?with=a&query=1 now",
        "  'spaces'   around...  ",
        "***",
        "**",
        "--",
    ];
    let world = World::start().await;
    world.mastodon.idempotency(false);
    world.mastodon.typographs(true);
    let id = world.sheep("apollo", Network::Mastodon, 40).await;
    give_lines(&world, &id, &lines).await;
    let app = world.app().await;
    for (number, line) in lines.iter().enumerate() {
        world.mastodon.misbehave(MastodonMisbehave::AcceptThen500);
        let report =
            if number == 0 { world.tick(&app).await } else { after(&world, &app, 1).await };
        assert_eq!(report.unknown, 1, "{line:?}");
        assert_eq!(after(&world, &app, 2).await.posted, 1, "{line:?}");
        assert_eq!(world.mastodon.posts("apollo").len(), number + 1, "{line:?} is found");
    }
    assert_eq!(world.posts(&id).await.len(), lines.len());
    assert_eq!(world.mastodon.requests(Endpoint::Post), lines.len());
}

#[tokio::test]
async fn a_wait_of_ten_years_is_a_day_and_nonsense_is_none() {
    for (asked, longest) in [
        ("315360000", 24),
        ("2088000000", 24),
        ("Wed, 05 Mar 2036 12:00:00 GMT", 24),
        ("99999999999999999999999", 24),
        ("-5", 0),
        ("soon", 0),
        ("", 0),
    ] {
        let world = World::start().await;
        let id = world.sheep("apollo", Network::Mastodon, 40).await;
        world.mastodon.misbehave(MastodonMisbehave::RetryAfter(asked.to_owned()));
        let app = world.app().await;
        assert_eq!(world.tick(&app).await.put_off, 1, "{asked}");
        let wait = world.read(&id).await.next_at().unwrap().duration_since(world.clock.now());
        let said = problem(&world, &id).await;
        if longest == 0 {
            assert!(wait < SignedDuration::from_mins(2), "{asked}: {wait}");
            continue;
        }
        let longest = SignedDuration::from_hours(longest);
        // In whole seconds, and a moment has passed.
        let moment = SignedDuration::from_mins(2);
        assert!(wait <= longest && longest - moment < wait, "{asked}: {wait}");
        assert!(said.contains("nobody waits longer than a day"), "{said}");
        assert!(said.contains("so it is tried again at 2026-03-03T12:0"), "{said}");
        after(&world, &app, 24 * 60 + 2).await;
        assert_eq!(world.seen(&id).await[0], "apollo line 0");
    }
}

#[tokio::test]
async fn too_early_is_tried_again() {
    let world = World::start().await;
    let id = world.sheep("apollo", Network::Mastodon, 40).await;
    world.mastodon.misbehave(MastodonMisbehave::TooEarly);
    let app = world.app().await;
    assert_eq!(world.tick(&app).await.put_off, 1);
    assert_eq!(world.read(&id).await.intent.map(|intent| intent.errand.sent), Some(Sent::No));
    let said = problem(&world, &id).await;
    assert_eq!(said, "Mastodon at stand-in.example takes it later: \"Come back in a moment\"");
    after(&world, &app, 2).await;
    assert_eq!(world.seen(&id).await, ["apollo line 0"]);
}
