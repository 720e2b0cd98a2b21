//! Posts on the meadow are made without a claim: the number of a post is its key. A tick that has read a sheep may come to
//! its post long after that. Whatever others do to the sheep meanwhile, every line is said once, and none is left out.

use std::sync::Arc;

use flock_core::{Network, RhythmFields, SheepId};
use flock_tests::{CrashPlan, CrashProxy, Cut};

use crate::{edits::edit, world::World};

/// What happens while a tick is held.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Deed {
    /// The line it is about to post is corrected, and one is put before it.
    Edit,
    /// The line it is about to post is taken out.
    Shorten,
    /// Somebody has something said.
    Say,
    /// Another tick comes after an outage.
    CatchUp,
    /// The same, and it goes on where it would be without one.
    CatchUpLatest,
    /// Somebody pauses it and lets it go on.
    Pause,
    /// Another tick comes at the same time.
    Tick,
    /// The sheep is removed and another made under its name.
    Replace,
}

const LINES: [&str; 4] = ["apollo line 0", "apollo line 1", "apollo line 2", "apollo line 3"];

impl Deed {
    async fn carry_out(self, world: &World, id: &SheepId) {
        let now = world.clock.now();
        let change = async |change: &dyn Fn(&flock_core::Sheep) -> flock_core::Sheep| {
            let changed = world.store.change_sheep(world.read(id).await, |sheep| {
                Ok::<_, std::convert::Infallible>(change(sheep))
            });
            let Ok(_) = changed.await.unwrap();
        };
        match self {
            Self::Edit => {
                let lines =
                    ["apollo line 0", "new", "apollo line 1!", "apollo line 2", "apollo line 3"];
                edit(world, id, &lines).await;
            }
            Self::Shorten => {
                edit(world, id, &["apollo line 0", "apollo line 2", "apollo line 3"]).await;
            }
            Self::Say => {
                let table = world.store.table_id().await.unwrap();
                let say = |sheep: &flock_core::Sheep| sheep.say("hello", table, now);
                let said = world.store.change_sheep(world.read(id).await, say).await.unwrap();
                said.unwrap();
            }
            Self::CatchUp | Self::CatchUpLatest => {
                let app = world.app().await;
                world.tick_at(&app, 63).await;
            }
            Self::Pause => {
                change(&|sheep| sheep.pause(now)).await;
                change(&|sheep| sheep.resume(now)).await;
            }
            Self::Tick => {
                let app = world.app().await;
                world.tick(&app).await;
            }
            Self::Replace => {
                let sheep = world.read(id).await;
                let mut gone = sheep.clone();
                while let flock_store::Write::Conflict(newest) =
                    world.store.remove_sheep(&gone, now).await.unwrap()
                {
                    gone = newest.unwrap();
                }
                let birth = world.store.birth(id).await.unwrap();
                let born = flock_core::Sheep::create(
                    id.clone(),
                    sheep.config.clone(),
                    birth.occurrence,
                    now,
                );
                let born = flock_core::Sheep { version: birth.version, ..born.unwrap() };
                world.store.create_sheep(&born).await.unwrap();
            }
        }
    }
}

/// The second tick of a sheep is held at its request `k` while the deed is done. What was said by the end; `None`: it has
/// fewer requests.
async fn said(deed: Deed, k: usize) -> Option<Vec<String>> {
    let mut world = World::start().await;
    let catch_up = if deed == Deed::CatchUpLatest { "latest" } else { "skip" };
    let rhythm = RhythmFields {
        stanza: Some("100h".to_owned()),
        catch_up: Some(catch_up.to_owned()),
        ..RhythmFields::default()
    };
    let id = world.sheep_with("apollo", Network::Meadow, 4, &rhythm).await;
    let app = Arc::new(world.app().await);
    world.tick_at(&app, 0).await;
    let plan = CrashPlan::new(Cut::Never);
    let proxy = CrashProxy::start("dynamodb", &world.cloud.dynamodb_url(), &plan).await;
    let aws =
        flock_aws::local(proxy.url(), world.cloud.services_url(), world.cloud.token().secret());
    let held = world.app_on(&aws).await;
    let plan = CrashPlan::new(Cut::Hold(k));
    proxy.follow(&plan);
    world.clock.step_to(crate::world::ts(crate::world::START) + jiff::SignedDuration::from_mins(3));
    let mut tick = tokio::spawn(async move {
        let event = crate::world::tick();
        Box::pin(held.handle(&event, crate::world::far_deadline())).await
    });
    tokio::select! {
        () = plan.reached() => {}
        report = &mut tick => {
            report.unwrap().unwrap();
            return None;
        }
    }
    Box::pin(deed.carry_out(&world, &id)).await;
    plan.release();
    let report = tick.await.unwrap().unwrap();
    assert_eq!((report.stopped, report.unknown), (0, 0), "{deed:?} at {k}");
    let from = if matches!(deed, Deed::CatchUp | Deed::CatchUpLatest) { 64 } else { 4 };
    for minute in from..from + 20 {
        let report = world.tick_at(&app, minute).await;
        assert_eq!((report.stopped, report.unknown, report.failed), (0, 0, 0), "{deed:?} at {k}");
    }
    let told = world.events.try_recv();
    assert!(told.is_err(), "somebody is told {told:?}: {deed:?} at {k}");
    let sheep = world.read(&id).await;
    assert_eq!(sheep.intent, None, "{deed:?} at {k}");
    let posts = world.posts(&id).await;
    let last = posts.last().unwrap();
    assert_eq!(sheep.progress.occurrence, last.occurrence.plus(1), "{deed:?} at {k}");
    Some(posts.into_iter().map(|post| post.text).collect())
}

/// Every way it can come out, however long the tick was held.
async fn ways(deed: Deed) -> Vec<Vec<String>> {
    let mut ways = Vec::new();
    for k in 0.. {
        let Some(said) = said(deed, k).await else {
            // Control, index, sheep, line, post, record.
            assert!(5 < k, "{deed:?}: the tick has {k} requests");
            return ways;
        };
        if !ways.contains(&said) {
            ways.push(said);
        }
    }
    ways
}

#[track_caller]
fn are(ways: &[Vec<String>], expected: &[&[&str]]) {
    let mut ways: Vec<Vec<&str>> =
        ways.iter().map(|way| way.iter().map(String::as_str).collect()).collect();
    ways.sort();
    let mut expected: Vec<Vec<&str>> = expected.iter().map(|way| way.to_vec()).collect();
    expected.sort();
    assert_eq!(ways, expected);
}

#[tokio::test]
async fn an_edit_while_a_post_is_made() {
    let [zero, one, two, three] = LINES;
    // Made as it was, or not begun when the edit was written.
    are(
        &ways(Deed::Edit).await,
        &[&[zero, one, two, three], &[zero, "new", "apollo line 1!", two, three]],
    );
    are(&ways(Deed::Shorten).await, &[&[zero, one, two, three], &[zero, two, three]]);
}

#[tokio::test]
async fn something_said_while_a_post_is_made() {
    let [zero, one, two, three] = LINES;
    are(
        &ways(Deed::Say).await,
        &[&[zero, one, "hello", two, three], &[zero, "hello", one, two, three]],
    );
}

#[tokio::test]
async fn a_tick_after_an_outage_while_a_post_is_made() {
    are(&ways(Deed::CatchUp).await, &[&LINES]);
    for way in ways(Deed::CatchUpLatest).await {
        let mut once = way.clone();
        once.dedup();
        assert_eq!(way, once);
    }
}

#[tokio::test]
async fn a_pause_another_tick_and_another_sheep_while_a_post_is_made() {
    for deed in [Deed::Pause, Deed::Tick] {
        are(&ways(deed).await, &[&LINES]);
    }
    let [zero, one, two, three] = LINES;
    are(
        &ways(Deed::Replace).await,
        &[&[zero, zero, one, two, three], &[zero, one, zero, one, two, three]],
    );
}

/// Three come between each other: who edits from an old sheep, who edits from a newer one, and a tick that has read the sheep
/// between the two.
#[tokio::test]
async fn who_holds_a_number_late_lets_nobody_in_again() {
    let mut late = 0;
    for k in 0..2 {
        let world = World::start().await;
        let id = world.sheep("apollo", Network::Meadow, 4).await;
        let app = world.app().await;
        world.tick_at(&app, 0).await;
        let old = world.read(&id).await;
        let change = |sheep: &flock_core::Sheep, cursor| {
            let mut changed = sheep.clone();
            changed.progress.cursor = flock_core::Cursor::at(cursor);
            changed.version += 1;
            changed
        };
        let plan = CrashPlan::new(Cut::Hold(k));
        let (slow, _proxy) = crate::flocks::proxied(&world, &plan).await;
        let first = tokio::spawn({
            let (old, changed) = (old.clone(), change(&old, 2));
            async move { slow.replace_sheep(&old, &changed).await.unwrap() }
        });
        plan.reached().await;
        let now = world.clock.now();
        for again in [flock_core::Sheep::pause, flock_core::Sheep::resume] {
            let sheep = world.read(&id).await;
            let changed = again(&sheep, now);
            let written = world.store.put_sheep(&changed).await.unwrap();
            assert_eq!(written, flock_store::Write::Done);
        }
        // What a tick would post that has read it now, and comes to it later.
        let read = world.read(&id).await;
        let post = flock_store::Post {
            made: None,
            sheep: id.clone(),
            occurrence: read.progress.occurrence,
            account: read.config.account.clone(),
            at: now,
            text: LINES[1].to_owned(),
            state: flock_store::PostState::Posted,
            remote_id: Some("1".parse().unwrap()),
            answers: None,
        };
        let written = world.store.replace_sheep(&read, &change(&read, 3)).await.unwrap();
        assert_eq!(written, flock_store::Write::Done);
        plan.release();
        late += usize::from(first.await.unwrap() != flock_store::Write::Done);
        let recorded = world.store.put_post(&post, read.version).await.unwrap();
        assert_eq!(recorded, flock_store::Recorded::Held, "held at {k}");
        world.tick_at(&app, 3).await;
        assert_eq!(world.seen(&id).await, [LINES[0], LINES[3]]);
    }
    assert_eq!(late, 2);
}
