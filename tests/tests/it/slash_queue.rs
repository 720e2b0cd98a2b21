//! Posts that people add to a queue in Slack: what each command answers, what stays when files are applied, and two at once.

use std::collections::BTreeSet;

use flock_core::{DeliveryId, QueueChange, SheepId, quoted};
use flock_ops::{Noted, Who, change_queue};
use flock_store::{By, Read};
use flockwork::flock_file;
use futures_util::future::join_all;

use crate::{
    flocks,
    slack::Slack,
    world::{START, World, ts},
};

const STANZA: &str = "behaviour = \"queue\"\nline = \"30m\"";

/// Applies a flock of one sheep, `apollo`, with this stanza and this `queue.csv`; the plan, or why not.
async fn apply(world: &World, stanza: &str, queue: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let toml = format!(
        "name = \"flock\"\n[[sheep]]\nname = \"apollo\"\ncorpus = \"queue.csv\"\n{stanza}\n"
    );
    std::fs::write(dir.path().join("flock.toml"), toml).unwrap();
    std::fs::write(dir.path().join("queue.csv"), queue).unwrap();
    let file = flock_file::read(dir.path()).unwrap();
    let applied = flocks::apply_file(&world.store, file, world.clock.now()).await;
    let said = applied.unwrap_or_else(|err| format!("refused: {err}"));
    said.replace(&dir.path().display().to_string(), "DIR")
}

fn apollo() -> SheepId {
    "flock/apollo".parse().unwrap()
}

async fn said(world: &World) -> Vec<String> {
    world.posts(&apollo()).await.into_iter().map(|post| quoted(&post.text)).collect()
}

/// The whole number of the post in the list that says `text`.
async fn number(slack: &mut Slack, text: &str) -> String {
    let list = slack.flock("queue list apollo").await;
    let line = list.lines().find(|line| line.ends_with(text)).unwrap_or_default().to_owned();
    let number = line.trim_start_matches(['*', '`']);
    number.split(['`', ' ']).next().unwrap_or_default().to_owned()
}

const QUEUE: &str = "text\nfirst\nsecond\nthird\n";

#[tokio::test]
async fn people_add_posts_and_change_those_that_they_added() {
    let mut slack = Slack::start().await;
    slack.world.clock.step_to(ts(START));
    apply(&slack.world, STANZA, QUEUE).await;
    let app = slack.world.app().await;
    slack.world.tick_at(&app, 0).await;
    let mut told = Vec::new();
    for line in [
        "queue add apollo One & two: it’s “so”.",
        "queue at 2026-03-02T12:45 apollo timed",
        "queue at \"2026-03-03 09:00\" apollo tomorrow",
        "queue add apollo last",
        "queue list apollo",
    ] {
        told.push(slack.flock(line).await);
    }
    let last = number(&mut slack, "last").await;
    told.push(slack.flock(&format!("queue next apollo {last}")).await);
    let last = number(&mut slack, "last").await;
    told.push(slack.flock(&format!("queue edit apollo {last} the *very* first")).await);
    let first = number(&mut slack, "first").await;
    told.push(slack.flock(&format!("queue move apollo {first} 3")).await);
    let tomorrow = number(&mut slack, "tomorrow").await;
    told.push(slack.flock(&format!("queue remove apollo {tomorrow}")).await);
    // A number alone is asked about.
    let first = number(&mut slack, "first").await;
    let (alone, _) = first.split_once('-').unwrap();
    told.push(slack.flock(&format!("queue next apollo {alone}")).await);
    told.push(slack.press("U1", "C1", "Put it first").await);
    told.push(slack.flock("queue list apollo").await);
    insta::assert_snapshot!(told.join("\n\n"));
    for minute in 1..=200 {
        slack.world.tick_at(&app, minute).await;
    }
    insta::assert_snapshot!(said(&slack.world).await.join("\n"));
    // It is empty, and goes on with what comes.
    let told = [
        slack.flock("show apollo").await,
        slack.flock("queue list apollo").await,
        slack.flock("queue add apollo more").await,
    ];
    insta::assert_snapshot!(told.join("\n\n"));
    for minute in 201..=260 {
        slack.world.tick_at(&app, minute).await;
    }
    assert_eq!(said(&slack.world).await.last().map(String::as_str), Some("more"));
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_words() {
    let mut slack = Slack::start().await;
    slack.world.clock.step_to(ts(START));
    let stanza = format!("{STANZA}\nend = 2026-03-05");
    apply(&slack.world, &stanza, QUEUE).await;
    let poem = slack.world.sheep("moon", flock_core::Network::Meadow, 3).await;
    slack.flock("queue add apollo mine").await;
    slack.flock("queue at 2026-03-04T09:00 apollo timed").await;
    let (second, mine, timed) = (
        number(&mut slack, "second").await,
        number(&mut slack, "mine").await,
        number(&mut slack, "timed").await,
    );
    let lines = [
        format!("queue add {poem} text"),
        format!("queue list {poem}"),
        format!("queue add apollo {}", "x".repeat(501)),
        "queue add apollo mine".to_owned(),
        "queue add apollo \u{200b}".to_owned(),
        "queue add apollo a\u{7}b".to_owned(),
        "queue add apollo <@U2> hello".to_owned(),
        "queue at soon apollo text".to_owned(),
        "queue at 2026-03-02T11:00 apollo text".to_owned(),
        "queue at 2026-03-06T00:00 apollo text".to_owned(),
        format!("queue remove apollo {second}"),
        format!("queue edit apollo {second} text"),
        format!("queue next apollo {second}"),
        "queue move apollo 1 2".to_owned(),
        format!("queue next apollo {timed}"),
        format!("queue move apollo {mine} 9"),
        format!("queue move apollo {mine} {mine}"),
        "queue remove apollo x".to_owned(),
        "queue remove apollo 99".to_owned(),
        "queue remove apollo 4-0000".to_owned(),
        format!("queue edit apollo {} text", mine.split('-').next().unwrap()),
        "queue".to_owned(),
    ];
    let mut told = Vec::new();
    for line in lines {
        told.push(slack.flock(&line).await);
    }
    insta::assert_snapshot!(told.join("\n\n"));
    let told = slack.enter("U2", "C1", "/flock queue add apollo text").await;
    assert!(told.contains("`queue add` needs at least `shepherd`"), "{told}");
    let told = slack.enter("U2", "C1", "/flock queue list apollo").await;
    assert!(told.contains("mine"), "{told}");
    let audit = slack.flock("audit 3").await;
    assert!(audit.contains("queue edit apollo"), "{audit}");
}

#[tokio::test]
async fn what_was_added_stays_when_files_are_applied() {
    let mut slack = Slack::start().await;
    slack.world.clock.step_to(ts(START));
    apply(&slack.world, STANZA, QUEUE).await;
    let app = slack.world.app().await;
    for line in
        ["queue add apollo a", "queue add apollo b", "queue at 2026-03-04T09:00 apollo timed"]
    {
        slack.flock(line).await;
    }
    let a = number(&mut slack, "a").await;
    slack.flock(&format!("queue next apollo {a}")).await;
    let mut told = vec![apply(&slack.world, STANZA, QUEUE).await];
    slack.world.tick_at(&app, 0).await;
    // Also where some of it is said.
    told.push(apply(&slack.world, STANZA, QUEUE).await);
    let more = "text,at\nfirst,\nthird,\nmore,2026-03-03 09:00\nlast,2026-03-05 09:00\n";
    told.push(apply(&slack.world, STANZA, more).await);
    told.push(slack.flock("queue list apollo").await);
    // What network it is to go to does not take what waits; it may not be a queue any more.
    let long = "y".repeat(400);
    slack.flock(&format!("queue add apollo {long}")).await;
    let x = format!("{STANZA}\nnetwork = \"x\"");
    told.push(apply(&slack.world, &x, more).await.replace(&long, "yyy"));
    told.push(apply(&slack.world, "behaviour = \"poem\"\nline = \"30m\"", "text\n").await);
    insta::assert_snapshot!(told.join("\n\n"));
    assert_eq!(said(&slack.world).await, ["a"]);
}

/// Many people and a tick at once: no post is lost, none is doubled, and nobody takes out another than they saw.
#[tokio::test]
async fn many_at_once_lose_and_double_nothing() {
    let mut slack = Slack::start().await;
    slack.world.clock.step_to(ts(START));
    let lines = (0..20).map(|nth| format!("file {nth}")).collect::<Vec<_>>().join("\n");
    apply(&slack.world, "behaviour = \"queue\"\nline = \"1m\"", &format!("text\n{lines}")).await;
    let world = &slack.world;
    let (store, now) = (&world.store, ts(START));
    let app = world.app().await;
    let sheep = store.sheep(&apollo(), Read::Consistent).await.unwrap().unwrap();
    let noted = async |line: String| {
        let by = By::CommandLine { user: "ada".to_owned(), arn: None };
        let who = Who { by, at: now, id: DeliveryId::of(&[&line]) };
        Noted::begin(store, who, line).await.unwrap()
    };
    let adds = (0..6).map(|nth| {
        let (sheep, noted) = (sheep.clone(), &noted);
        async move {
            let change = QueueChange::Add { text: format!("added {nth}") };
            change_queue(store, &noted(format!("add {nth}")).await, sheep, &change, now).await
        }
    });
    let (added, _) = tokio::join!(join_all(adds), world.tick_at(&app, 0));
    assert!(added.iter().all(Result::is_ok), "{added:?}");
    // All take out the same.
    let sheep = store.sheep(&apollo(), Read::Consistent).await.unwrap().unwrap();
    let posts = flock_ops::queue(store, &sheep, now).await.unwrap();
    let post = posts.iter().find(|post| post.text == "added 3").unwrap().number.clone();
    let removes = (0..4).map(|nth| {
        let (sheep, noted, post) = (sheep.clone(), &noted, post.clone());
        async move {
            let change = QueueChange::Remove { post };
            change_queue(store, &noted(format!("remove {nth}")).await, sheep, &change, now).await
        }
    });
    let (taken, _) = tokio::join!(join_all(removes), world.tick_at(&app, 1));
    assert_eq!(taken.iter().filter(|taken| taken.is_ok()).count(), 1, "{taken:?}");
    for minute in 2..60 {
        world.tick_at(&app, minute).await;
    }
    let said = said(world).await;
    let of_file: Vec<_> = said.iter().filter(|text| text.starts_with("file")).cloned().collect();
    assert_eq!(of_file, (0..20).map(|nth| format!("file {nth}")).collect::<Vec<_>>());
    let added: BTreeSet<_> =
        said.iter().filter(|text| text.starts_with("added")).cloned().collect();
    let expected = [0, 1, 2, 4, 5].map(|nth| format!("added {nth}"));
    assert_eq!((said.len(), added), (25, BTreeSet::from(expected)));
    let show = slack.flock("show apollo").await;
    assert!(show.contains("finished"), "{show}");
}

/// What is added between a plan and its apply is not lost: the plan is of another text.
#[tokio::test]
async fn a_plan_of_another_text_is_not_carried_out() {
    let mut slack = Slack::start().await;
    slack.world.clock.step_to(ts(START));
    apply(&slack.world, STANZA, QUEUE).await;
    let dir = tempfile::tempdir().unwrap();
    let toml = format!(
        "name = \"flock\"\n[[sheep]]\nname = \"apollo\"\ncorpus = \"queue.csv\"\n{STANZA}\n"
    );
    std::fs::write(dir.path().join("flock.toml"), toml).unwrap();
    std::fs::write(dir.path().join("queue.csv"), format!("{QUEUE}fourth\n")).unwrap();
    let file = flock_file::read(dir.path()).unwrap();
    let now = slack.world.clock.now();
    let plan = flock_ops::plan(&slack.world.store, file.clone(), now).await.unwrap();
    slack.flock("queue add apollo mine").await;
    let refused = flocks::apply_plan(&slack.world.store, plan, now).await.unwrap_err().to_string();
    insta::assert_snapshot!(refused, @"flock/apollo: its text was changed by somebody else meanwhile; try again");
    flocks::apply_file(&slack.world.store, file, now).await.unwrap();
    let list = slack.flock("queue list apollo").await;
    assert!(list.contains("fourth") && list.contains("mine"), "{list}");
}

/// A queue of 5 MB is changed through the bus, because Slack does not wait so long.
#[tokio::test]
async fn a_long_queue_is_changed_later() {
    let mut slack = Slack::start().await;
    slack.world.clock.step_to(ts(START));
    let line = "a long post of a long queue ".repeat(15);
    let queue: Vec<_> = (0..12_000).map(|nth| format!("{nth} {line}")).collect();
    let queue = queue.join("\n");
    assert!(5_000_000 < queue.len());
    apply(&slack.world, STANZA, &format!("text\n{queue}")).await;
    let mut told = vec![slack.flock("queue add apollo mine").await];
    slack.events().await;
    told.push(slack.flock("queue list apollo 601").await);
    insta::assert_snapshot!(told.join("\n\n"));
}
