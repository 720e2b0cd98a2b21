//! The rows of X, which has no idempotency key and charges: on good days and on bad ones. In every cell what
//! we count as spent is held against X's bill.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use flock_core::{Charge, Month, Network, SheepId, State};
use flock_tests::{Billed, CrashProxy, Cut, Misbehave, X};
use jiff::Timestamp;

use super::{Begins, Cell, Matrix, assert_recorded_once, die, live, table, world};
use crate::world::{START, World, ts, user_id};

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
    /// It posts and answers; the account's key is one of OAuth 2.0, whose token has ended.
    KeyOver,
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
            Self::Usual | Self::KeyOver => {}
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
    matrix_of_keys(day, before).await.0
}

/// The same, and how many cells have lost a key.
pub(super) async fn matrix_of_keys(day: Day, before: Before) -> (Matrix, usize) {
    let (name, lost) = (format!("x {day:?}"), AtomicUsize::new(0));
    let matrix = table(&name, async |cut| cell(day, before, cut, &lost).await).await;
    (matrix, lost.into_inner())
}

async fn cell(day: Day, before: Before, cut: Cut, lost: &AtomicUsize) -> Cell {
    let (world, id, servers) = world(Network::X, Begins::Well).await;
    day.begin(&world.x);
    if matches!(day, Day::KeyOver) {
        let account = world.read(&id).await.config.account;
        world.x_bearer(&account, ts(START)).await;
    }
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
    if matches!(day, Day::KeyOver) && key_is_lost(&world, &id, &servers, &at).await {
        lost.fetch_add(1, Ordering::Relaxed);
    }
    assert_recorded_once(&world, &id, &at).await;
    assert_paid(&world, deaths, &at).await;
    assert_eq!(world.x.unspent(), [], "{at}");
    Some((at, world.seen(&id).await))
}

/// Whether a token was lost: then the sheep says so, and goes on with another key.
async fn key_is_lost(world: &World, id: &SheepId, servers: &[CrashProxy], at: &str) -> bool {
    let (renewed, refused) = world.x.renewals();
    assert_eq!(renewed, 1, "{at}: {refused} refused");
    if refused == 0 {
        return false;
    }
    // X is asked once more, and never again.
    assert_eq!((refused, world.seen(id).await.len()), (1, 0), "{at}");
    let sheep = world.read(id).await;
    // The process may have died over a post, as far as anybody can tell without looking for it: that waits for a key.
    let why = match (&sheep.state, &sheep.intent) {
        (State::Stopped { why, .. }, None) => why.clone(),
        (State::Active, Some(intent)) => intent.errand.problem.clone().unwrap(),
        other => panic!("{at}: {other:?}"),
    };
    assert!(why.contains("was lost, and so its key is no longer good; connect it again"), "{why}");
    world.x_bearer(&sheep.config.account, Timestamp::MAX).await;
    live(world, servers, 2, async || retry_now(world, id).await).await;
    true
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
