//! The tick on healthy days, after outages, and what it costs.

use flock_core::{Network, RhythmFields, Shards};

use crate::world::{World, far_deadline, ts};

/// DESIGN: each occurrence is posted once, whoever gets there first. On X, which would take a second post.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_ticks_at_once_post_each_of_1000_due_sheep_once() {
    let world = World::start().await;
    world.x.duplicate_check(false);
    let mut sheep = Vec::new();
    for number in 0..1_000 {
        let network = if number % 2 == 0 { Network::X } else { Network::Meadow };
        sheep.push(world.sheep(&format!("sheep-{number}"), network, 3).await);
    }
    let (one, other) = (world.app().await, world.app().await);
    let (one, other) = tokio::join!(world.tick(&one), world.tick(&other));
    assert_eq!(one.posted + other.posted, 1_000, "{one:?} {other:?}");
    assert_eq!((one.failed, other.failed), (0, 0));
    for id in &sheep {
        assert_eq!(world.seen(id).await, [format!("{} line 0", id.name)]);
        assert_eq!(world.posts(id).await.len(), 1, "{id} is recorded once");
    }
}

/// The first post in time, then six hours without a tick, then a tick a minute.
async fn outage(catch_up: &str) -> (Vec<String>, u64) {
    let world = World::start().await;
    let rhythm = RhythmFields { catch_up: Some(catch_up.to_owned()), ..RhythmFields::default() };
    let id = world.sheep_with("apollo", Network::Meadow, 500, &rhythm).await;
    let app = world.app().await;
    assert_eq!(world.tick_at(&app, 0).await.posted, 1);
    let mut posts = Vec::new();
    for minute in 361..366 {
        let before = world.seen(&id).await.len();
        world.tick_at(&app, minute).await;
        let after = world.seen(&id).await;
        posts.extend(after[before..].iter().map(|text| format!("{minute}: {text}")));
    }
    (posts, world.read(&id).await.progress.missed)
}

#[tokio::test]
async fn six_hours_of_outage_with_skip() {
    let (posts, missed) = outage("skip").await;
    assert_eq!(posts, ["361: apollo line 1", "363: apollo line 2"]);
    assert_eq!(missed, 119);
}

#[tokio::test]
async fn six_hours_of_outage_with_latest() {
    let (posts, missed) = outage("latest").await;
    assert_eq!(posts, ["361: apollo line 120", "363: apollo line 121"]);
    assert_eq!(missed, 119);
}

#[tokio::test]
async fn six_hours_of_outage_with_all_3() {
    let (posts, missed) = outage("all(3)").await;
    let expected =
        ["361: apollo line 1", "362: apollo line 2", "363: apollo line 3", "364: apollo line 4"];
    assert_eq!(posts, expected);
    assert_eq!(missed, 117);
}

/// DESIGN: at most 4 write units and 2 read units per post, by DynamoDB's own figures.
#[tokio::test]
async fn a_post_costs_at_most_4_write_and_2_read_units() {
    let world = World::start().await;
    for number in 0..100 {
        world.sheep(&format!("sheep-{number}"), Network::Meadow, 40).await;
    }
    let app = world.app().await;
    for minute in [0, 3, 6] {
        let report = world.tick_at(&app, minute).await;
        assert_eq!(report.posted, 100);
        let posts = 100.0;
        let (write, read) = (report.write_units / posts, report.read_units / posts);
        assert!(write <= 4.0, "{write} write units per post");
        assert!(read <= 2.0, "{read} read units per post");
        assert!(3.0 <= write && 1.0 <= read, "units are counted: {write} {read}");
    }
    // Alone, a sheep also pays for the look at the index.
    let world = World::start().await;
    world.sheep("alone", Network::Meadow, 40).await;
    let app = world.app().await;
    let report = world.tick_at(&app, 0).await;
    assert!(report.write_units <= 4.0 && report.read_units <= 2.0, "{report:?}");
    let idle = world.tick_at(&app, 1).await;
    assert_eq!((idle.posted, idle.write_units, idle.read_units), (0, 0.0, 1.0));
}

/// Where a network charges and forbids, the reservation, its end and who said it first cost a unit each.
#[tokio::test]
async fn a_post_on_x_costs_8_write_and_at_most_3_read_units() {
    let world = World::start().await;
    for number in 0..40 {
        world.sheep(&format!("sheep-{number}"), Network::X, 40).await;
    }
    let app = world.app().await;
    let report = world.tick_at(&app, 0).await;
    assert_eq!(report.posted, 40);
    let (write, read) = (report.write_units / 40.0, report.read_units / 40.0);
    assert!(write <= 8.0, "{write} write units per post");
    assert!(read <= 3.0, "{read} read units per post");
}

#[tokio::test]
async fn a_long_poem_goes_round_in_order() {
    let world = World::start().await;
    let rhythm = RhythmFields { stanza: Some("1h".to_owned()), ..RhythmFields::default() };
    let id = world.sheep_with("milton", Network::Meadow, 7, &rhythm).await;
    let app = world.app().await;
    for minute in 0..100 {
        world.tick_at(&app, minute).await;
    }
    let lines: Vec<_> = [0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5, 6]
        .iter()
        .take(world.seen(&id).await.len())
        .map(|line| format!("milton line {line}"))
        .collect();
    assert_eq!(world.seen(&id).await, lines);
    // 18 minutes for the lines, an hour of pause, and again.
    assert_eq!(lines.len(), 14);
    let posts = world.posts(&id).await;
    assert_eq!(posts[6].at, ts("2026-03-02T12:18:00Z"));
    assert_eq!(posts[7].at, ts("2026-03-02T13:18:00Z"));
}

/// A corpus of 5 MB: one piece is read per post, not the book.
#[tokio::test]
async fn a_book_of_5_mb_costs_no_more_to_read() {
    let world = World::start().await;
    let id = world.sheep(&"l".repeat(40), Network::Meadow, 100_000).await;
    let app = world.app().await;
    let report = world.tick_at(&app, 0).await;
    assert!(report.read_units <= 2.0, "{report:?}");
    let mut sheep = world.read(&id).await;
    sheep.progress.cursor = flock_core::Cursor::at(99_999);
    sheep.version += 1;
    world.store.put_sheep(&sheep).await.unwrap();
    let report = world.tick_at(&app, 3).await;
    assert!(report.read_units <= 2.0, "{report:?}");
    assert!(world.seen(&id).await[1].ends_with("line 99999"));
}

#[tokio::test]
async fn a_tick_that_runs_out_of_time_leaves_the_rest_to_the_next() {
    let world = World::start().await;
    for number in 0..600 {
        world.sheep(&format!("sheep-{number}"), Network::Meadow, 3).await;
    }
    let app = world.app().await;
    #[expect(clippy::disallowed_methods, reason = "the deadline is on the wall clock")]
    let deadline = std::time::SystemTime::now() + std::time::Duration::from_millis(40);
    let first = app.handle(&crate::world::tick(), deadline).await.unwrap();
    assert!(first.cut_short && first.posted < 600, "{first:?}");
    let second = world.tick(&app).await;
    assert!(!second.cut_short);
    assert_eq!(first.posted + second.posted, 600);
}

/// With shards the schedule's tick hands each shard on, and nobody is forgotten when their number changes.
#[tokio::test]
async fn every_shard_is_worked_through_even_after_their_number_went_down() {
    let mut world = World::start().await;
    for number in 0..40 {
        world.sheep(&format!("sheep-{number}"), Network::Meadow, 40).await;
    }
    let mut minute = 0;
    for shards in [8, 2, 1, 4] {
        let app =
            sheep_tick::App::start(world.settings(shards), &world.cloud.aws(), world.clock.clone())
                .await
                .unwrap();
        for _ in 0..2 {
            let handed_on = world.tick_at(&app, minute).await.handed_on;
            let mut posted = 0;
            for _ in 0..handed_on {
                let event = world.events.recv().await.unwrap();
                assert_eq!((&*event.source, &*event.detail_type), ("flockwork", "shard.due"));
                let event = serde_json::json!({
                    "source": event.source, "detail-type": event.detail_type, "detail": event.detail,
                });
                posted += app.handle(&event, far_deadline()).await.unwrap().posted;
            }
            assert_eq!(posted, 40, "{shards} shards, minute {minute}");
            minute += 3;
        }
    }
    let (_, shards) = world.store.clone().with_shards(Shards::ONE).await.unwrap();
    assert_eq!(shards, Shards::try_from(8).unwrap());
}

/// Nothing is to be seen of it there, and nothing keeps it from being posted.
#[tokio::test]
async fn what_is_made_with_ai_is_posted_on_the_meadow() {
    let world = World::start().await;
    let id = world.sheep("apollo", Network::Meadow, 3).await;
    let mut sheep = world.read(&id).await;
    sheep.config.made_with_ai = true;
    sheep.version += 1;
    assert_eq!(world.store.put_sheep(&sheep).await.unwrap(), flock_store::Write::Done);
    let app = world.app().await;
    assert_eq!(world.tick(&app).await.posted, 1);
}
