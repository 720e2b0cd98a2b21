//! The rows of a refrain on X, which takes no text twice: it is set aside once, and the sheep goes on.

use flock_core::{Network, RhythmFields, State};
use flock_tests::Cut;

use super::{
    Cell, die, live, none_lost_or_doubled, table,
    x::{assert_paid, retry_now},
};
use crate::world::World;

async fn cell(cut: Cut) -> Cell {
    let mut world = World::start().await;
    world.clock = flock_aws::Clock::wall();
    let rhythm = RhythmFields { line: Some("1d".to_owned()), ..RhythmFields::default() };
    let text = ["row your boat".to_owned(), "row your boat".to_owned(), "gently".to_owned()];
    let id = world.sheep_that_says("apollo", Network::X, &text, &rhythm).await;
    live(&world, &[], 1, async || {}).await;
    let now = world.clock.now();
    let asked = world.store.change_sheep(world.read(&id).await, |sheep| sheep.post_now(None, now));
    asked.await.unwrap().unwrap();
    let at = die(&world, &id, &[], cut).await?;
    // X says "duplicate" until it would surely list what it has; and once more than needed.
    live(&world, &[], 6, async || retry_now(&world, &id).await).await;
    let sheep = world.read(&id).await;
    assert_eq!((&sheep.intent, sheep.progress.occurrence.0), (&None, 3), "{at}");
    assert!(matches!(sheep.state, State::Active), "{at}");
    assert_eq!(world.posts(&id).await.len(), 1, "{at}");
    let asides = world.store.newest_asides(&id, 5).await.unwrap();
    let numbers: Vec<_> = asides.iter().map(|aside| aside.occurrence.0).collect();
    assert_eq!(numbers, [2], "{at}");
    assert_paid(&world, 1, &at).await;
    Some((at, world.seen(&id).await))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_x_a_refrain_is_set_aside_once_whatever_dies() {
    // Shards, control, index, sheep, line, flock, account, two secrets, rules, claim, payment, X itself, its refund, the
    // note, somebody to tell, record, process.
    none_lost_or_doubled(&table("refrain", cell).await, 18);
}
