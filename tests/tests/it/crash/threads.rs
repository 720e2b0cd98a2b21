//! The rows of threads: whoever dies within one leaves no gap in it, no part twice, and none that answers another.

use flock_core::Network;

use super::{Begins, Cell, Matrix, die, live, table, world, x::retry_now};
use crate::threads::{chain, in_threads, shown};

pub(super) async fn matrix(network: Network) -> Matrix {
    table(&format!("{network} thread"), async |cut| cell(network, cut).await).await
}

async fn cell(network: Network, cut: flock_tests::Cut) -> Cell {
    let (world, id, servers) = world(network, Begins::Well).await;
    in_threads(&world, &id, "one\ntwo\nthree\n\nof tomorrow\n").await;
    let at = die(&world, &id, &servers, cut).await?;
    // One finishes what was left, which on X takes a look, and goes on; and once more than needed.
    live(&world, &servers, 3, async || retry_now(&world, &id).await).await;
    assert_eq!(shown(&world, &id).await, chain(&["one", "two", "three"]), "{at}");
    let recorded = world.posts(&id).await;
    let numbers: Vec<_> = recorded.iter().map(|post| post.occurrence.0).collect();
    assert_eq!(numbers, [1, 2, 3], "{at}");
    let sheep = world.read(&id).await;
    assert_eq!((sheep.intent, sheep.progress.follows), (None, 0), "{at}");
    Some((at, vec!["the thread".to_owned()]))
}
