//! The crash matrix: before and after every request of posting, the process is killed. It is complete,
//! because between two requests there is nothing but memory.

use std::time::Duration;

use flock_core::{Network, RhythmFields, SheepId};
use flock_tests::{Answer, CrashPlan, CrashProxy, Cut, FunctionProcess, RuntimeApi};

use crate::world::{World, spawn, tick};

/// Requests pass through proxies that share a plan.
struct Proxies {
    dynamodb: CrashProxy,
    services: CrashProxy,
    x: CrashProxy,
}

impl Proxies {
    async fn start(world: &World, plan: &std::sync::Arc<CrashPlan>) -> Self {
        Self {
            dynamodb: CrashProxy::start("dynamodb", &world.cloud.dynamodb_url(), plan).await,
            services: CrashProxy::start("services", &world.cloud.services_url(), plan).await,
            x: CrashProxy::start("x", &world.x.url(), plan).await,
        }
    }

    fn process(&self, runtime: &RuntimeApi, shards: &str) -> FunctionProcess {
        spawn(runtime, &[self.dynamodb.url(), self.services.url(), self.x.url()], shards)
    }
}

/// A world on the wall clock, because the process has no other.
async fn world(network: Network) -> (World, SheepId) {
    let mut world = World::start().await;
    world.clock = flock_aws::Clock::wall();
    // X would hide a double behind its own check.
    world.x.duplicate_check(false);
    let rhythm = RhythmFields { line: Some("1d".to_owned()), ..RhythmFields::default() };
    let id = world.sheep_with("apollo", network, 3, &rhythm).await;
    (world, id)
}

/// How long an invocation may last, and so, with its margin, the lease a dead process leaves.
const LENGTH: Duration = Duration::from_secs(2);

/// One cell: the process dies at `cut`; then others run until nothing is to be done. Returns the posts
/// to be seen on the network, or `None` when the flow has fewer requests.
async fn cell(network: Network, cut: Cut) -> Option<(String, Vec<String>)> {
    let (world, id) = world(network).await;
    let plan = CrashPlan::new(cut);
    let proxies = Proxies::start(&world, &plan).await;
    let runtime = RuntimeApi::start().await;
    let mut process = proxies.process(&runtime, "1");
    let died = tokio::select! {
        () = plan.reached() => true,
        invocation = runtime.invoke(tick(), LENGTH) => {
            assert!(matches!(invocation.answer, Answer::Response(_)), "{}", process.output());
            false
        }
    };
    process.kill().await;
    if !died {
        return None;
    }
    let at = plan.cut_at().expect("the plan was reached");

    // The dead process's lease is over when nobody can hold it any more.
    let quiet = CrashPlan::new(Cut::Never);
    let proxies = Proxies::start(&world, &quiet).await;
    let runtime = RuntimeApi::start().await;
    let mut process = proxies.process(&runtime, "1");
    let deadline = tokio::time::Instant::now() + Duration::from_mins(1);
    loop {
        let invocation = runtime.invoke(tick(), Duration::from_secs(20)).await;
        let Answer::Response(_) = invocation.answer else {
            panic!("{:?}\n{}", invocation.answer, process.output())
        };
        let sheep = world.read(&id).await;
        if sheep.intent.is_none() && sheep.progress.occurrence.0 == 2 {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "{at}: {sheep:?}\n{}", process.output());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // Once more changes nothing.
    runtime.invoke(tick(), Duration::from_secs(20)).await;
    process.kill().await;
    let recorded = world.posts(&id).await;
    assert_eq!(recorded.len(), 1, "{at}: recorded once");
    assert!(recorded[0].remote_id.is_some());
    Some((at, world.seen(&id).await))
}

/// All cells of one network, as a table. At most `SIDE_BY_SIDE` run at once.
#[expect(clippy::print_stdout, reason = "the table is there to be read: `-- --nocapture`")]
async fn matrix(network: Network) -> Matrix {
    const SIDE_BY_SIDE: usize = 8;
    const REQUESTS: usize = 16;
    use futures_util::{StreamExt as _, stream};
    let cuts = (0..REQUESTS).flat_map(|k| [Cut::Before(k), Cut::After(k)]);
    let cells: Vec<_> = stream::iter(cuts)
        .map(|cut| async move { (cut, cell(network, cut).await) })
        .buffered(SIDE_BY_SIDE)
        .collect()
        .await;
    let mut matrix = Matrix::default();
    for (cut, cell) in cells {
        let Some((request, seen)) = cell else { continue };
        let verdict = match seen.len() {
            0 => "LOST",
            1 => "once",
            _ => "DOUBLED",
        };
        println!("{network:<7} {:<10} {request:<28} {verdict}", format!("{cut:?}"));
        matrix.cells += 1;
        matrix.lost += usize::from(seen.is_empty());
        matrix.doubled += usize::from(1 < seen.len());
    }
    println!("{network}: {matrix:?}");
    matrix
}

#[derive(Debug, Default, PartialEq)]
struct Matrix {
    cells: usize,
    lost: usize,
    doubled: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_meadow_no_crash_loses_or_doubles_a_post() {
    let matrix = matrix(Network::Meadow).await;
    // Shards, index, sheep, line, claim, post, record: before and after each.
    assert_eq!(matrix, Matrix { cells: 14, lost: 0, doubled: 0 });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_x_without_idempotency_no_crash_loses_or_doubles_a_post() {
    let matrix = matrix(Network::X).await;
    // As on the meadow, with account, two secrets, X itself and the recorded post.
    assert_eq!(matrix, Matrix { cells: 22, lost: 0, doubled: 0 });
}

/// The same for the tick that only hands shards on.
#[tokio::test]
async fn handing_shards_on_can_die_anywhere() {
    let mut requests = 0;
    for k in 0..8 {
        for cut in [Cut::Before(k), Cut::After(k)] {
            let (mut world, _) = world(Network::Meadow).await;
            let plan = CrashPlan::new(cut);
            let proxies = Proxies::start(&world, &plan).await;
            let runtime = RuntimeApi::start().await;
            let mut process = proxies.process(&runtime, "4");
            let died = tokio::select! {
                () = plan.reached() => true,
                _ = runtime.invoke(tick(), Duration::from_secs(5)) => false,
            };
            process.kill().await;
            if !died {
                continue;
            }
            requests += 1;
            while world.events.try_recv().is_ok() {}
            let proxies = Proxies::start(&world, &CrashPlan::new(Cut::Never)).await;
            let runtime = RuntimeApi::start().await;
            let mut process = proxies.process(&runtime, "4");
            let invocation = runtime.invoke(tick(), Duration::from_secs(5)).await;
            assert!(matches!(invocation.answer, Answer::Response(_)), "{}", process.output());
            let mut handed_on = 0;
            while world.events.try_recv().is_ok() {
                handed_on += 1;
            }
            assert_eq!(handed_on, 4, "{cut:?}");
            process.kill().await;
        }
    }
    // Shards read, shards written, events published.
    assert_eq!(requests, 6);
}
