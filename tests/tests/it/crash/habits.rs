//! The rows of networks with habits: something before X answers 202 or 204 to what X has done, something before
//! Mastodon 308 or 404, and both list own posts from the oldest on. In every cell what we count as spent is held
//! against X's bill.

use flock_core::Network;
use flock_tests::{Cut, Foreign, ForeignBody, Listed};

use super::{
    Begins, Cell, Matrix, assert_recorded_once, die, live, none_lost_or_doubled, table, world,
    x::{assert_paid, retry_now},
};

/// What happened to the sheep before the tick whose process dies.
#[derive(Debug, Clone, Copy)]
enum Before {
    Nothing,
    /// A tick, to its end: nobody knows what came of its post.
    Tick,
}

/// All cells of a network whose every post is answered so.
async fn matrix(network: Network, foreign: Foreign, before: Before) -> Matrix {
    let name = format!("{network} {}", foreign.status);
    table(&name, async |cut| cell(network, foreign, before, cut).await).await
}

async fn cell(network: Network, foreign: Foreign, before: Before, cut: Cut) -> Cell {
    // Neither heeds a key.
    let (world, id, servers) = world(network, Begins::WithoutKey).await;
    world.x.proxy(Some(foreign));
    world.x.oldest_first(true);
    world.mastodon.proxy(Some(foreign));
    world.mastodon.listed(Listed::OldestFirst);
    if matches!(before, Before::Tick) {
        live(&world, &servers, 1, async || {}).await;
    }
    retry_now(&world, &id).await;
    let request = die(&world, &id, &servers, cut).await?;
    // An unknown, the look that finds it, and once more than needed.
    live(&world, &servers, 4, async || retry_now(&world, &id).await).await;
    assert_recorded_once(&world, &id, &request).await;
    if network == Network::X {
        assert_paid(&world, 1, &request).await;
    }
    Some((request, world.seen(&id).await))
}

/// Both flows: the one whose post is answered so, which tells somebody and records nothing, and the one that
/// looks for it, with so many requests.
async fn both(network: Network, status: u16, body: ForeignBody, requests: [usize; 2]) {
    let foreign = Foreign { status, body };
    let [posting, looking] = requests;
    none_lost_or_doubled(&matrix(network, foreign, Before::Nothing).await, posting);
    none_lost_or_doubled(&matrix(network, foreign, Before::Tick).await, looking);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_x_behind_202_no_crash_loses_or_doubles_a_post() {
    both(Network::X, 202, ForeignBody::Json, [16, 20]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_x_behind_204_no_crash_loses_or_doubles_a_post() {
    both(Network::X, 204, ForeignBody::Empty, [16, 20]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_mastodon_behind_308_no_crash_loses_or_doubles_a_post() {
    both(Network::Mastodon, 308, ForeignBody::Empty, [13, 17]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_mastodon_behind_404_no_crash_loses_or_doubles_a_post() {
    both(Network::Mastodon, 404, ForeignBody::Page, [13, 17]).await;
}
