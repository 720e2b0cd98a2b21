//! What a post and an idle tick cost, in DynamoDB's own figures: measured, held, and printed as one table, of which the README's
//! dollars are made.

use std::fmt::Write as _;

use flock_core::{Network, RhythmFields};
use jiff::SignedDuration;
use sheep_tick::App;

use crate::world::{START, World, far_deadline, ts};

/// What one thing costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cost {
    /// What.
    pub(crate) of: &'static str,
    /// Write request units, those of the index included.
    pub(crate) write: f64,
    /// Read request units.
    pub(crate) read: f64,
}

/// What a post costs besides the tick that makes it, which would cost as much as an idle one without it. Of a sheep that posts every half
/// hour and is alone in its tick and its flock, so that nothing is read for several; with all that its days ask for besides.
pub(crate) const POSTS: [(Network, Cost); 4] = [
    (Network::Meadow, Cost { of: "a post on the meadow", write: 4.0, read: 1.0 }),
    // Once a day its server is asked what it takes.
    (Network::Mastodon, Cost { of: "a post on Mastodon", write: 5.02, read: 2.5 }),
    // Every 108 minutes its session is renewed: two writes of an item of more than 1 KB, and a read.
    (Network::Bluesky, Cost { of: "a post on Bluesky", write: 5.96, read: 2.74 }),
    (Network::X, Cost { of: "a post on X", write: 8.0, read: 2.5 }),
];

/// A tick that finds nothing to do.
pub(crate) const IDLE_TICK: Cost = Cost { of: "an idle tick", write: 0.0, read: 1.0 };

/// So many sheep of one flock post in each tick where a million posts are made in a month of 43,200 ticks.
const TOGETHER: u8 = 23;

/// Ticks when `sheep` are due, `times` times, and gives what they cost more than idle ones, for each post.
async fn measured(network: Network, sheep: u8, times: u8) -> (f64, f64) {
    let world = World::start().await;
    // Sessions end by the clock of their server.
    #[expect(clippy::disallowed_methods, reason = "the stand-in's clock is the wall's")]
    let wall = jiff::Timestamp::now();
    world.bluesky.advance(ts(START).duration_since(wall));
    let rhythm = RhythmFields { line: Some("30m".to_owned()), ..RhythmFields::default() };
    for number in 0..sheep {
        world.sheep_with(&format!("sheep-{number}"), network, 100, &rhythm).await;
    }
    let app = world.app().await;
    let (mut write, mut read) = (0.0, 0.0);
    for time in 0..times {
        let report = world.tick_at(&app, i64::from(time) * 30).await;
        assert_eq!(report.posted, u64::from(sheep), "{network}: {report:?}");
        write += report.write_units - IDLE_TICK.write;
        read += report.read_units - IDLE_TICK.read;
        world.bluesky.advance(SignedDuration::from_mins(30));
    }
    let posts = f64::from(sheep) * f64::from(times);
    (write / posts, read / posts)
}

/// What is printed is what was measured, and neither more nor less than the table has.
#[expect(clippy::print_stdout, reason = "the table is for who runs it with --nocapture")]
#[tokio::test]
async fn a_post_and_an_idle_tick_cost_what_the_table_says() {
    let mut table = String::new();
    let mut line = |of: &str, (write, read): (f64, f64)| {
        writeln!(table, "{of:<44} {write:>6.2} write units {read:>6.2} read units").unwrap();
    };
    for (network, cost) in POSTS {
        // Two days, so that what is asked once a day is in them.
        let (write, read) = measured(network, 1, 96).await;
        line(cost.of, (write, read));
        let near = |said: f64, is: f64| (said - 0.02..=said).contains(&is);
        assert!(near(cost.write, write), "{network}: {write} write units");
        assert!(near(cost.read, read), "{network}: {read} read units");
        let together = measured(network, TOGETHER, 12).await;
        line(&format!("  of {TOGETHER} in one tick and flock"), together);
        // The ledger of a flock on X holds who pays at the moment, and grows with them.
        let more = if network == Network::X { 1.5 } else { 0.0 };
        assert!(
            together.0 <= cost.write + more && together.1 <= cost.read,
            "{network}: {together:?}"
        );
    }
    let world = World::start().await;
    let app = world.app().await;
    for minute in 0..3 {
        let idle = world.tick_at(&app, minute).await;
        let cost = (idle.write_units, idle.read_units);
        assert_eq!(cost, (IDLE_TICK.write, IDLE_TICK.read), "{idle:?}");
    }
    line(IDLE_TICK.of, (IDLE_TICK.write, IDLE_TICK.read));
    // With shards, there is one more of each: the one that hands them on reads no index.
    let app = App::start(world.settings(2), &world.cloud.aws(), world.clock.clone()).await.unwrap();
    let handed_on = app.handle(&crate::world::tick(), far_deadline()).await.unwrap();
    assert_eq!((handed_on.write_units, handed_on.read_units), (0.0, 0.5));
    assert_eq!(handed_on.handed_on, 2);
    println!("{table}");
}
