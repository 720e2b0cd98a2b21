//! What networks charge: counted to the millionth, kept to the cap, told in time.

use flock_core::{Charge, Flock, FlockName, Month, Network, RhythmFields, SheepId, State, Usd};
use flock_store::Bill;
use flock_tests::Misbehave;
use jiff::{SignedDuration, Timestamp};

use crate::world::{START, World, ts};

const POST: u64 = 15_000;

fn flock() -> FlockName {
    "flock".parse().unwrap()
}

impl World {
    async fn cap(&self, cap: Option<&str>) {
        let monthly_cap = cap.map(|cap| cap.parse().unwrap());
        self.store.put_flock(&Flock { monthly_cap, ..Flock::new(flock()) }).await.unwrap();
    }

    /// What the flock has spent in the month of the clock, in millionths.
    async fn spent(&self) -> u64 {
        self.spent_at(self.clock.now()).await
    }

    async fn spent_at(&self, at: Timestamp) -> u64 {
        self.store.ledger(&flock(), Month::of(at)).await.unwrap().spent.micros()
    }

    /// What people were told of the spending.
    fn told(&mut self) -> Vec<String> {
        let mut told = Vec::new();
        while let Ok(event) = self.events.try_recv() {
            if event.detail_type == "flock.spending" {
                told.push(event.detail["what"].as_str().unwrap().to_owned());
            }
        }
        told
    }

    async fn posts_on_x(&self, sheep: &[SheepId]) -> usize {
        let mut posts = 0;
        for id in sheep {
            posts += self.seen(id).await.len();
        }
        posts
    }
}

/// The cap is never passed, not by one post, whoever posts at the same moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_two_ticks_at_once_stop_at_the_cap() {
    let world = World::start().await;
    let mut sheep = Vec::new();
    for number in 0..32 {
        sheep.push(world.sheep(&format!("sheep-{number}"), Network::X, 3).await);
    }
    // For 10 posts, and a third of one more.
    world.cap(Some("0.155")).await;
    let mut apps = Vec::new();
    for _ in 0..32 {
        apps.push(world.app().await);
    }
    let reports = futures_util::future::join_all(apps.iter().map(|app| world.tick(app))).await;
    let sum = |count: fn(&sheep_tick::Report) -> u64| reports.iter().map(count).sum::<u64>();
    let (posted, unknown) = (sum(|report| report.posted), sum(|report| report.unknown));
    assert!(posted + unknown <= 10, "{reports:?}");
    assert_eq!(world.spent().await, (posted + unknown) * POST);
    // Whom a busy machine kept waiting comes to its turn now; an hour later nothing has changed.
    world.tick_at(&apps[0], 1).await;
    world.tick_at(&apps[0], 60).await;
    let posts = world.posts_on_x(&sheep).await;
    assert!(posts == 10 || 0 < unknown && posts < 10, "{posts} {reports:?}");
    assert_eq!(world.spent().await, 10 * POST);
    // In the next month there is money again, for ten more.
    world.clock.step_to(ts("2026-04-01T00:00:00Z"));
    world.tick(&apps[0]).await;
    assert!(world.posts_on_x(&sheep).await <= 20);
    assert_eq!(world.spent_at(ts(START)).await, 10 * POST);
    assert!(world.spent().await <= 155_000);
}

#[tokio::test]
async fn people_are_told_at_80_percent_and_at_the_cap_once() {
    let mut world = World::start().await;
    let id = world.sheep("apollo", Network::X, 40).await;
    world.cap(Some("0.15")).await;
    let app = world.app().await;
    let mut told = Vec::new();
    for minute in 0..60 {
        let tick = world.tick_at(&app, minute).await;
        told.extend(world.told().into_iter().map(|what| format!("{minute}: {what}")));
        assert_eq!(tick.failed, 0);
    }
    assert_eq!(world.seen(&id).await.len(), 10);
    insta::assert_snapshot!(told.join("\n"), @"
    21: flock flock has spent $0.12 of the $0.15 it may spend in 2026-03
    30: flock flock has spent $0.15 of the $0.15 it may spend in 2026-03: what costs waits until the month is over, or until `monthly_cap` is raised and applied
    ");
    let sheep = world.read(&id).await;
    insta::assert_snapshot!(sheep.problem().unwrap(), @"flock flock has spent $0.15 of the $0.15 it may spend in 2026-03, and this costs $0.015; raise `monthly_cap` in its flock.toml and apply it, or wait");
    assert_eq!(sheep.next_at(), Some(ts("2026-04-01T00:00:00Z")));
    assert_eq!(sheep.state, State::Active);
}

#[tokio::test]
async fn a_flock_without_a_cap_spends_nothing() {
    let world = World::start().await;
    let id = world.sheep("apollo", Network::X, 3).await;
    world.cap(None).await;
    let app = world.app().await;
    assert_eq!(world.tick(&app).await.put_off, 1);
    assert!(world.seen(&id).await.is_empty());
    assert_eq!(world.spent().await, 0);
    insta::assert_snapshot!(world.read(&id).await.problem().unwrap(), @"this costs $0.015 on X, and flock flock has no `monthly_cap`; write one in its flock.toml and apply it");
}

#[tokio::test]
async fn what_is_free_is_not_counted() {
    let world = World::start().await;
    let id = world.sheep("apollo", Network::Meadow, 3).await;
    world.cap(None).await;
    let app = world.app().await;
    assert_eq!(world.tick(&app).await.posted, 1);
    assert_eq!(world.seen(&id).await.len(), 1);
    assert_eq!(world.store.ledger(&flock(), Month::of(ts(START))).await.unwrap().spent, Usd::ZERO);
}

/// X does `days` to the first posts; what is spent afterwards is what X has.
#[track_caller]
fn check_refund(days: &'static [Misbehave], minutes: i64) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let world = World::start().await;
        let id = world.sheep("apollo", Network::X, 3).await;
        for day in days {
            world.x.misbehave(day.clone());
        }
        let app = world.app().await;
        for minute in 0..minutes {
            world.tick_at(&app, minute).await;
            let sheep = world.read(&id).await;
            if matches!(sheep.state, State::Stopped { .. }) {
                world.store.put_sheep(&sheep.resume(world.clock.now())).await.unwrap();
            }
        }
        let posts = u64::try_from(world.seen(&id).await.len()).unwrap();
        let ledger = world.store.ledger(&flock(), Month::of(ts(START))).await.unwrap();
        assert_ne!(posts, 0, "{days:?}");
        assert_eq!(ledger.counts.get("posts"), Some(&posts), "{days:?}");
        let reads = ledger.counts.get("own posts read").copied().unwrap_or_default();
        assert_eq!(ledger.spent.micros(), posts * POST + reads * 1_000, "{days:?}");
        assert!(world.x.unspent().is_empty());
    });
}

#[test]
fn what_x_did_not_do_is_given_back() {
    check_refund(&[Misbehave::Refuse500, Misbehave::Refuse500], 12);
    check_refund(&[Misbehave::AcceptThen500], 8);
    check_refund(&[Misbehave::Unauthorized], 8);
    check_refund(&[Misbehave::Html], 8);
}

/// Reserved in one month, found out in the next: it is paid once.
#[tokio::test]
async fn a_post_nobody_was_sure_of_at_the_end_of_a_month_is_paid_once() {
    let world = World::start().await;
    let rhythm = RhythmFields { line: Some("1d".to_owned()), ..RhythmFields::default() };
    let id = world.sheep_with("apollo", Network::X, 60, &rhythm).await;
    let app = world.app().await;
    let last = ts("2026-03-31T23:59:30Z");
    let mut sheep = world.read(&id).await;
    sheep.progress.slot = last;
    sheep.version += 1;
    world.store.put_sheep(&sheep).await.unwrap();
    world.x.misbehave(Misbehave::Refuse500);
    world.clock.step_to(last);
    assert_eq!(world.tick(&app).await.unknown, 1);
    assert_eq!(world.spent_at(last).await, POST);
    for minute in 1..5 {
        world.clock.step_to(last + SignedDuration::from_mins(minute));
        world.tick(&app).await;
    }
    assert_eq!(world.seen(&id).await, ["apollo line 0"]);
    let reads = world.store.ledger(&flock(), Month::of(world.clock.now())).await.unwrap();
    assert_eq!(world.spent_at(last).await, POST);
    assert_eq!(reads.counts.get("posts"), None, "{reads:?}");
}

/// The SDK sends a request again that is slow; the first may arrive when all is over.
#[tokio::test]
async fn a_request_that_arrives_after_its_bill_is_settled_reserves_nothing() {
    let world = World::start().await;
    let bill = |act: &str, asked: &str| Bill {
        flock: flock(),
        month: Month::of(world.clock.now()),
        slot: "post#flock/apollo".to_owned(),
        id: act.to_owned(),
        asked: asked.to_owned(),
        charge: Charge::Post { link: false },
        price: Usd::from_micros(POST),
    };
    let cap: Usd = "1".parse().unwrap();
    let reserve = async |bill: &Bill| {
        world.store.reserve(bill, cap).await.unwrap();
        world.spent().await
    };
    let first = bill("first", "1");
    assert_eq!(reserve(&first).await, POST);
    world.store.settle_bill(&first, Some((first.charge, first.price))).await.unwrap();
    assert_eq!(reserve(&first).await, POST, "it is settled");
    // What was given back may be asked for again, and what comes late of the time before is not.
    let second = bill("second", "2");
    assert_eq!(reserve(&second).await, 2 * POST);
    world.store.settle_bill(&second, None).await.unwrap();
    assert_eq!(reserve(&second).await, POST, "it was given back");
    assert_eq!(reserve(&bill("second", "3")).await, 2 * POST);
}
