//! The rows of X, which has no idempotency key and charges: on good days and on bad ones. In every cell what
//! we count as spent is held against X's bill.

use std::time::Duration;

use flock_core::{Charge, Month, Network, SheepId};
use flock_tests::{Billed, Cut, Misbehave, X};

use super::{Begins, Cell, Matrix, assert_recorded_once, die, live, table, world};
use crate::world::{World, user_id};

/// What X does to the first request to post.
#[derive(Debug, Clone, Copy)]
pub(super) enum Day {
    /// It posts and answers.
    Usual,
    /// It posts, and answers a second later.
    Late,
    /// It posts, and answers 500.
    AcceptThen500,
    /// It posts, answers 500, does not list the post in the look that follows, and says "duplicate" to the
    /// second request.
    Duplicate,
}

/// What happened to the sheep before the tick whose process dies.
#[derive(Debug, Clone, Copy)]
pub(super) enum Before {
    Nothing,
    /// A process died there.
    Death(Cut),
    /// A tick, to its end.
    Tick,
}

impl Day {
    fn begin(self, x: &X) {
        match self {
            Self::Usual => {}
            Self::Late => x.misbehave(Misbehave::AcceptLate(Duration::from_secs(1))),
            Self::AcceptThen500 => x.misbehave(Misbehave::AcceptThen500),
            Self::Duplicate => {
                x.duplicate_check(true);
                x.lag(1);
                x.misbehave(Misbehave::AcceptThen500);
            }
        }
    }
}

pub(super) async fn matrix(day: Day, before: Before) -> Matrix {
    let name = format!("x {day:?}");
    table(&name, async |cut| cell(day, before, cut).await).await
}

async fn cell(day: Day, before: Before, cut: Cut) -> Cell {
    let (world, id, servers) = world(Network::X, Begins::Well).await;
    day.begin(&world.x);
    let mut at = Vec::new();
    match before {
        Before::Nothing => {}
        Before::Death(cut) => at.extend(die(&world, &id, &servers, cut).await),
        Before::Tick => live(&world, &servers, 1, async || {}).await,
    }
    retry_now(&world, &id).await;
    at.push(die(&world, &id, &servers, cut).await?);
    // An unknown, a duplicate that is not listed, the look that finds it, and once more than needed.
    live(&world, &servers, 4, async || retry_now(&world, &id).await).await;
    let deaths = u64::try_from(at.len()).unwrap();
    let at = at.join(", then ");
    assert_recorded_once(&world, &id, &at).await;
    assert_paid(&world, deaths, &at).await;
    assert_eq!(world.x.unspent(), [], "{at}");
    Some((at, world.seen(&id).await))
}

/// Its next try is due, as if the time until then had passed.
pub(super) async fn retry_now(world: &World, id: &SheepId) {
    let mut sheep = world.read(id).await;
    let now = world.clock.now();
    if let Some(intent) = &mut sheep.intent
        && intent.errand.retry_at.is_some_and(|at| now < at)
    {
        intent.errand.retry_at = Some(now);
        sheep.version += 1;
        world.store.put_sheep(&sheep).await.unwrap();
    }
}

/// What is spent is what X has charged; of posts it read, each death may leave a page that nobody heard of.
pub(super) async fn assert_paid(world: &World, deaths: u64, at: &str) {
    const PAGE: u64 = 10;
    let month = Month::of(world.clock.now());
    let ledger = world.store.ledger(&"flock".parse().unwrap(), month).await.unwrap();
    let bill = world.x.bill(&user_id("apollo"));
    let counted = |charge: Charge| ledger.counts.get(charge.kind()).copied().unwrap_or_default();
    let billed = |what: Billed| bill.get(&what).copied().unwrap_or_default();
    let posts = counted(Charge::Post { link: false });
    assert_eq!(posts, billed(Billed::Post), "{at}");
    let (read, charged) = (counted(Charge::OwnPosts(0)), billed(Billed::OwnPost));
    assert!((charged..=charged + PAGE * deaths).contains(&read), "{at}: {read}, X: {charged}");
    let spent = posts * Billed::Post.micros() + read * Billed::OwnPost.micros();
    assert_eq!(ledger.spent.micros(), spent, "{at}");
}
