//! A bus that does not take every event: what it did not take is sent again, alone, and counted where that does not help.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use flock_core::{Network, State};
use flock_tests::RefusingBus;
use serde_json::Value;
use sheep_tick::{App, Report};

use crate::world::{World, far_deadline, tick};

/// More than two requests take at once.
const SHARDS: u16 = 25;

/// sheep-tick with this bus.
async fn app(world: &World, bus: &RefusingBus, shards: u16) -> App {
    let token = world.cloud.token().secret();
    let aws = flock_aws::local(world.cloud.dynamodb_url(), bus.url(), token);
    App::start(world.settings(shards), &aws, world.clock.clone()).await.unwrap()
}

/// Hands shards on over `bus`, in an invocation that ends at `deadline`.
async fn hand_on(world: &World, bus: &RefusingBus, deadline: SystemTime) -> Report {
    app(world, bus, SHARDS).await.handle(&tick(), deadline).await.unwrap()
}

/// The shards that were put on the bus in the end, and how often.
fn taken(world: &mut World) -> Vec<u64> {
    let mut taken = Vec::new();
    while let Ok(event) = world.events.try_recv() {
        taken.push(event.detail["shard"].as_u64().unwrap());
    }
    taken.sort_unstable();
    taken
}

fn soon(seconds: u64) -> SystemTime {
    #[expect(clippy::disallowed_methods, reason = "the deadline is on the wall clock")]
    let now = SystemTime::now();
    now + Duration::from_secs(seconds)
}

#[tokio::test]
async fn what_was_not_taken_is_sent_again_without_the_rest() {
    let mut world = World::start().await;
    // So often it says no to these.
    let mut refusals = HashMap::from([(2, 1), (5, 2), (11, 1), (24, 3)]);
    let refuse = move |_: usize, detail: &Value| {
        let left = refusals.get_mut(&detail["shard"].as_u64()?).filter(|left| 0 < **left)?;
        *left -= 1;
        Some(if *left % 2 == 0 { "ThrottlingException" } else { "InternalFailure" })
    };
    let bus = RefusingBus::start(&world.cloud.services_url(), refuse).await;
    let report = hand_on(&world, &bus, far_deadline()).await;
    assert_eq!((report.handed_on, report.unpublished), (25, 0), "{report:?}");
    let sizes: Vec<_> = bus.requests().iter().map(Vec::len).collect();
    assert_eq!(sizes, [10, 2, 1, 10, 1, 5, 1, 1, 1]);
    assert_eq!(taken(&mut world), (0..25).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_never_taken_is_counted_and_the_rest_goes_on() {
    // Whether trying again can help, and how often it is tried.
    for (code, seconds, tries) in [
        ("ThrottlingException", 60, 6),
        ("AccessDeniedException", 60, 1),
        // Three seconds are kept for what is to be written down, and half a second is left.
        ("InternalFailure", 3, 1),
        ("InternalFailure", 4, 4),
    ] {
        let mut world = World::start().await;
        let refuse = move |_: usize, detail: &Value| (detail["shard"] == 7).then_some(code);
        let bus = RefusingBus::start(&world.cloud.services_url(), refuse).await;
        let report = hand_on(&world, &bus, soon(seconds)).await;
        assert_eq!((report.handed_on, report.unpublished), (24, 1), "{code}: {report:?}");
        let asked = bus.requests().iter().flatten().filter(|detail| detail["shard"] == 7).count();
        // A slow machine may have less time than that.
        let most = if seconds == 60 { tries..=tries } else { 1..=tries };
        assert!(most.contains(&asked), "{code} within {seconds} s: asked {asked} times");
        assert_eq!(taken(&mut world), (0..25).filter(|shard| *shard != 7).collect::<Vec<_>>());
    }
}

/// Nobody can be asked: no shard is handed on, and the report says so.
#[tokio::test]
async fn a_bus_that_is_away_takes_nothing_and_each_event_counts() {
    let world = World::start().await;
    let nowhere = "http://127.0.0.1:9".to_owned();
    let aws = flock_aws::local(world.cloud.dynamodb_url(), nowhere, world.cloud.token().secret());
    let app = App::start(world.settings(SHARDS), &aws, world.clock.clone()).await.unwrap();
    let report = world.tick(&app).await;
    assert_eq!((report.handed_on, report.unpublished), (0, u64::from(SHARDS)));
    // Of the next tick its own alone.
    assert_eq!(world.tick(&app).await.unpublished, u64::from(SHARDS));
}

/// People are told first, then the sheep is stopped, though it takes a moment until the bus takes what they are told.
#[tokio::test]
async fn a_sheep_is_stopped_when_the_bus_has_taken_why() {
    let mut world = World::start().await;
    let id = world.sheep("apollo", Network::Meadow, 3).await;
    let corpus = world.read(&id).await.config.behaviour.text().clone();
    world.lose_corpus(&corpus).await;
    let mut refusals = 2;
    let refuse = move |_: usize, _: &Value| {
        refusals -= 1;
        (0 <= refusals).then_some("InternalFailure")
    };
    let bus = RefusingBus::start(&world.cloud.services_url(), refuse).await;
    let report = world.tick(&app(&world, &bus, 1).await).await;
    assert_eq!((report.stopped, report.unpublished), (1, 0), "{report:?}");
    assert_eq!(world.events.try_recv().unwrap().detail_type, "sheep.stopped");
    assert_eq!(bus.requests().len(), 3);

    let id = world.sheep("echo", Network::Meadow, 3).await;
    let corpus = world.read(&id).await.config.behaviour.text().clone();
    world.lose_corpus(&corpus).await;
    let denied = |_: usize, _: &Value| Some("AccessDeniedException");
    let bus = RefusingBus::start(&world.cloud.services_url(), denied).await;
    let app = app(&world, &bus, 1).await;
    for tried in 1..3 {
        let report = world.tick(&app).await;
        assert_eq!((report.put_off, report.stopped, report.unpublished), (1, 0, 1), "{report:?}");
        assert_eq!(bus.requests().len(), tried);
        assert_eq!(world.read(&id).await.state, State::Active);
    }
}
