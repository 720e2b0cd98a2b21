//! Queues: posts that people wrote, from their file to the network.

use flock_core::{Network, SheepId};
use flock_tests::Misbehave;
use flockwork::flock_file;
use jiff::SignedDuration;

use crate::{
    flocks,
    slack::Slack,
    world::{START, World, ts},
};

/// Applies a flock of one sheep, `apollo`, with this stanza and this `queue.csv`.
async fn apply(world: &World, stanza: &str, queue: &str) -> SheepId {
    let dir = tempfile::tempdir().unwrap();
    let toml = format!(
        "name = \"flock\"\nmonthly_cap = \"1000\"\n[[sheep]]\nname = \"apollo\"\nbehaviour = \"queue\"\n\
         corpus = \"queue.csv\"\n{stanza}\n"
    );
    std::fs::write(dir.path().join("flock.toml"), toml).unwrap();
    std::fs::write(dir.path().join("queue.csv"), queue).unwrap();
    let file = flock_file::read(dir.path()).unwrap();
    flocks::apply_file(&world.store, file, world.clock.now()).await.unwrap();
    "flock/apollo".parse().unwrap()
}

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

/// The posts with the minutes after the start in which they were due.
async fn made(world: &World, id: &SheepId) -> Vec<String> {
    let posts = world.posts(id).await.into_iter();
    let at = |at: jiff::Timestamp| at.duration_since(ts(START));
    posts.map(|post| format!("{:#} {:?}", at(post.at), post.text)).collect()
}

const QUEUE: &str = "text,at\nfirst,\n\"two\nlines\",\ntimed,2026-03-02 12:50\nafter,\n";

#[tokio::test]
async fn a_queue_is_posted_ends_and_goes_on_when_it_has_more() {
    let mut slack = Slack::start().await;
    slack.world.clock.step_to(ts(START));
    let id = apply(&slack.world, "line = \"30m\"", QUEUE).await;
    let app = slack.world.app().await;
    let mut told = vec![slack.flock("preview apollo").await, slack.flock("show apollo").await];
    for minute in 0..=90 {
        slack.world.tick_at(&app, minute).await;
    }
    told.extend([slack.flock("show apollo").await, slack.flock("resume apollo").await]);
    told.push(slack.flock("rhythm apollo 1h 2h").await);
    insta::assert_snapshot!(told.join("\n\n"), @"
    *Times are in UTC.
    12:00:00, now *flock/apollo* first
    12:30:00, in 29 min *flock/apollo* two / lines
    12:50:00, in 49 min *flock/apollo* timed
    13:20:00, in 1 h *flock/apollo* after

    **flock/apollo*
    account: meadow:apollo
    behaviour: queue of 4 posts
    rhythm: every 30m
    state: active
    next post: 12:00:00, now
    next item: 1 of 4, as post 1
    Times are in UTC. [Post now] [Pause]

    **flock/apollo*
    account: meadow:apollo
    behaviour: queue of 4 posts
    rhythm: every 30m
    state: finished
    next item: 5, which is not written yet, as post 5

    **flock/apollo* has finished, because its queue is empty; add posts to it, or to its file and apply its flock, to let it go on.

    *That is no rhythm: stanza: a queue does not start over, so there is no pause before that; leave it out.
    ");
    insta::assert_snapshot!(made(&slack.world, &id).await.join("\n"), @r#"
    0s "first"
    30m "two\nlines"
    50m "timed"
    1h 20m "after"
    "#);
    let world = &slack.world;
    // What is made is mended, which makes nothing again; and there is more.
    let more = QUEUE.replace("after", "mended") + "more,\nmuch later,2026-03-03 12:00\n";
    apply(world, "line = \"30m\"", &more).await;
    for minute in 91..=150 {
        world.tick_at(&app, minute).await;
    }
    assert_eq!(world.read(&id).await.next_at(), Some(ts("2026-03-03T12:00:00Z")));
    world.tick_at(&app, 24 * 60).await;
    insta::assert_snapshot!(made(world, &id).await[4..].join("\n"), @r#"
    1h 50m "more"
    24h "much later"
    "#);
    assert_eq!(world.read(&id).await.state.name(), "finished");
}

#[tokio::test]
async fn an_outage_leaves_no_post_out_and_ends_in_no_burst() {
    let world = World::start().await;
    world.clock.step_to(ts(START));
    let queue = "text,at\na,2026-03-02 13:00\nb,2026-03-02 13:00\nc,2026-03-02 14:00\nd,\ne,\n";
    let id = apply(&world, "line = \"1h\"\njitter = \"10m\"\ndaily_cap = 1", queue).await;
    assert_eq!(world.read(&id).await.next_at(), Some(ts(START) + minutes(60)));
    let app = world.app().await;
    let mut told = Vec::new();
    for minute in 360..365 {
        let report = world.tick_at(&app, minute).await;
        told.push(format!("{minute}: {}", report.posted));
    }
    insta::assert_snapshot!(told.join("\n"), @"
    360: 1
    361: 1
    362: 1
    363: 0
    364: 0
    ");
    insta::assert_snapshot!(made(&world, &id).await.join("\n"), @r#"
    6h "a"
    6h 50s "b"
    6h 1m 50s "c"
    "#);
    let sheep = world.read(&id).await;
    assert_eq!((sheep.progress.missed, sheep.progress.cursor.index()), (0, 3));
    // The cap is for what has no time of its own.
    let next = sheep.next_at().unwrap();
    assert!((ts("2026-03-03T00:00:00Z")..ts("2026-03-03T00:10:00Z")).contains(&next), "{next}");
}

/// Where its pieces end, too, the queue knows when the next post comes; and a post costs what one of a poem does.
#[tokio::test]
async fn a_long_queue_is_read_piece_by_piece() {
    let world = World::start().await;
    world.clock.step_to(ts(START));
    let row = |nth: i64| {
        let at = ts(START) + minutes(7 * nth);
        format!("{at},{nth} {}\n", "long ".repeat(90))
    };
    let queue = format!("at,text\n{}", (1..=20).map(row).collect::<String>());
    let id = apply(&world, "line = \"1m\"", &queue).await;
    let app = world.app().await;
    for minute in 0..=141 {
        let report = world.tick_at(&app, minute).await;
        let is_due = minute % 7 == 0 && (7..=140).contains(&minute);
        assert_eq!(report.posted, u64::from(is_due), "{minute}");
        if is_due {
            // As in ARCHITECTURE.md, and the list of processes.
            assert!(report.write_units <= 6.0, "{report:?}");
        }
    }
    assert_eq!(world.posts(&id).await.len(), 20);
    assert_eq!(world.read(&id).await.state.name(), "finished");
}

#[tokio::test]
async fn a_post_whose_answer_is_lost_keeps_the_time_of_the_next() {
    for trouble in [Misbehave::Refuse500, Misbehave::AcceptThen500] {
        let world = World::start().await;
        // The sheep was a poem before, of which nothing is left.
        let id = world.sheep("apollo", Network::X, 2).await;
        let app = world.app().await;
        world.tick_at(&app, 0).await;
        let queue = "text,at\na,\nb,2026-03-02 12:50\nc,\n";
        apply(&world, "network = \"x\"\nline = \"10m\"", queue).await;
        world.x.misbehave(trouble);
        let due = world.read(&id).await.next_at().unwrap();
        world.clock.step_to(due);
        world.tick(&app).await;
        assert!(world.read(&id).await.intent.is_some());
        for minute in 11..49 {
            world.tick_at(&app, minute).await;
        }
        assert_eq!(world.seen(&id).await, ["apollo line 0", "a"]);
        for minute in 49..70 {
            world.tick_at(&app, minute).await;
        }
        assert_eq!(world.seen(&id).await, ["apollo line 0", "a", "b", "c"]);
        let made = made(&world, &id).await[2..].join("\n");
        insta::allow_duplicates! { insta::assert_snapshot!(made, @r#"
        50m "b"
        1h "c"
        "#); }
    }
}
