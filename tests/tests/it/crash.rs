//! The crash matrix: before and after every request of posting, the process is killed. It is complete,
//! because between two requests there is nothing but memory.

mod aside;
mod habits;
mod threads;
mod x;

use std::time::Duration;

use flock_aws::Keyring;
use flock_core::{
    BehaviourKind, Network, Occurrence, RhythmFields, Sheep, SheepConfig, SheepId, Source,
};
use flock_store::Write;
use flock_tests::{CrashPlan, CrashProxy, Cut};
use jiff::Timestamp;
use local_cloud::runtime_api::{Answer, FunctionProcess, RuntimeApi};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use self::x::{Before, Day};
use crate::world::{KEYRING, START, World, bluesky_account, spawn, tick, ts};

/// Requests pass through proxies that share a plan.
struct Proxies {
    dynamodb: CrashProxy,
    services: CrashProxy,
    x: CrashProxy,
}

/// What a flow begins with.
#[derive(Debug, Clone, Copy)]
enum Begins {
    /// All is well.
    Well,
    /// The session is over by our own clock.
    SessionOver,
    /// The session is over, and only the server knows.
    SessionEnded,
    /// The session is over, and so is what would renew it.
    LoggedOut,
    /// The server ignores idempotency keys.
    WithoutKey,
    /// There was an outage.
    Late,
    /// It is a queue whose posts have times of their own.
    Queue,
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

/// A world on the wall clock, because the process has no other; and the proxies before the servers whose
/// address accounts keep.
async fn world(network: Network, begins: Begins) -> (World, SheepId, [CrashProxy; 2]) {
    let mut world = World::start().await;
    world.clock = flock_aws::Clock::wall();
    // X would hide a double behind its own check.
    world.x.duplicate_check(false);
    let never = CrashPlan::new(Cut::Never);
    let bluesky = CrashProxy::start("bluesky", &world.bluesky.url(), &never).await;
    world.bluesky_url = bluesky.url();
    let mastodon = CrashProxy::start("mastodon", &world.mastodon.url(), &never).await;
    world.mastodon_url = mastodon.url();
    let rhythm = RhythmFields { line: Some("1d".to_owned()), ..RhythmFields::default() };
    let id = world.sheep_with("apollo", network, 3, &rhythm).await;
    match begins {
        Begins::Well => {}
        Begins::SessionOver => {
            let long_ago = flock_aws::Clock::stepped(ts(START));
            world.add_bluesky(&bluesky_account("apollo"), &long_ago).await.unwrap();
        }
        Begins::SessionEnded => world.bluesky.expire_access(),
        Begins::LoggedOut => {
            world.bluesky.expire_access();
            world.bluesky.end_sessions();
        }
        Begins::WithoutKey => world.mastodon.idempotency(false),
        Begins::Queue => queue(&world, &id).await,
        Begins::Late => {
            let mut sheep = world.read(&id).await;
            sheep.progress.slot -= jiff::SignedDuration::from_hours(60);
            sheep.version += 1;
            assert_eq!(world.store.put_sheep(&sheep).await.unwrap(), Write::Done);
        }
    }
    (world, id, [bluesky, mastodon])
}

/// Has the sheep post what people wrote, of which the first is due and the second will be in years.
async fn queue(world: &World, id: &SheepId) {
    let table = b"at,text\n2026-03-02 12:00,apollo line 0\n2126-03-02 12:00,apollo line 1\n";
    let zone = jiff::tz::TimeZone::UTC;
    let source = Source::plain("queue.csv", table, &zone);
    let (Some(text), problems) = BehaviourKind::Queue.read(&source) else { panic!("it is one") };
    assert_eq!(problems, []);
    world.store.put_corpus(&id.flock, &text, |_| {}).await.unwrap();
    let sheep = world.read(id).await;
    let behaviour = BehaviourKind::Queue.with_text(&text);
    let config = SheepConfig { behaviour, ..sheep.config };
    let created = Sheep::create(id.clone(), config, Occurrence(1), world.clock.now()).unwrap();
    let changed = Sheep { version: sheep.version + 1, ..created };
    assert_eq!(world.store.put_sheep(&changed).await.unwrap(), Write::Done);
}

fn follow(servers: &[CrashProxy], plan: &std::sync::Arc<CrashPlan>) {
    for server in servers {
        server.follow(plan);
    }
}

/// How long an invocation may last. Nobody waits for that: it is as long as the slowest machine needs.
const LENGTH: Duration = Duration::from_mins(5);

/// One cell: the request a process died at and the posts to be seen on the network, or `None` when the flow
/// has fewer requests.
type Cell = Option<(String, Vec<String>)>;

/// A process dies at `cut`. Returns at which request, or `None` when its flow has fewer; what the dead held
/// is over.
async fn die(world: &World, id: &SheepId, servers: &[CrashProxy], cut: Cut) -> Option<String> {
    let plan = CrashPlan::new(cut);
    let proxies = Proxies::start(world, &plan).await;
    follow(servers, &plan);
    let runtime = RuntimeApi::start().await.unwrap();
    let mut process = proxies.process(&runtime, "1");
    let died = tokio::select! {
        () = plan.reached() => true,
        invocation = runtime.invoke(tick(), LENGTH) => match invocation.answer {
            Answer::Response(_) => false,
            other => panic!("{other:?}: {}", process.output()),
        },
    };
    process.kill().await;
    if !died {
        return None;
    }
    let now = world.clock.now();
    end_lease(world, id, now).await;
    end_renewal(world, id, now).await;
    plan.cut_at()
}

/// The lease that a dead process left is over, as if the time until then had passed.
async fn end_lease(world: &World, id: &SheepId, now: Timestamp) {
    // What it had sent may still be written: then the sheep is read again.
    loop {
        let sheep = world.read(id).await;
        if !sheep.is_leased(now) {
            return;
        }
        let sheep = sheep.lease_at_most(now);
        if world.store.put_sheep(&sheep).await.unwrap() == Write::Done {
            return;
        }
    }
}

/// And so is the time in which nobody else renews the session that it was renewing.
async fn end_renewal(world: &World, id: &SheepId, now: Timestamp) {
    let account = world.read(id).await.config.account;
    let Some(item) = world.store.newest_account(&account).await.unwrap() else { return };
    let Some(sealed) = item.sealed_session else { return };
    let keyring = Keyring::parse(&SecretString::from(KEYRING)).unwrap();
    let session = keyring.open(&account, &sealed).unwrap();
    let mut session: Value = serde_json::from_str(session.expose_secret()).unwrap();
    if session["renewing_until"].is_null() {
        return;
    }
    session["renewing_until"] = json!(now);
    let over = keyring.seal(&account, &SecretString::from(session.to_string()));
    let written = world.store.put_session(&account, &item.sealed_key, Some(&sealed), &over).await;
    assert_eq!(written.unwrap(), Write::Done);
}

/// Another process ticks so often; `before` each, time passes.
async fn live(world: &World, servers: &[CrashProxy], ticks: u32, before: impl AsyncFn()) {
    let plan = CrashPlan::new(Cut::Never);
    let proxies = Proxies::start(world, &plan).await;
    follow(servers, &plan);
    let runtime = RuntimeApi::start().await.unwrap();
    let mut process = proxies.process(&runtime, "1");
    for _ in 0..ticks {
        before().await;
        let invocation = runtime.invoke(tick(), LENGTH).await;
        assert!(matches!(invocation.answer, Answer::Response(_)), "{}", process.output());
    }
    process.kill().await;
}

async fn assert_recorded_once(world: &World, id: &SheepId, at: &str) {
    let sheep = world.read(id).await;
    let recorded = world.posts(id).await;
    assert_eq!(recorded.len(), 1, "{at}: recorded once");
    assert!(recorded[0].remote_id.is_some());
    let next = recorded[0].occurrence.plus(1);
    assert_eq!((sheep.intent, sheep.progress.occurrence), (None, next), "{at}");
}

/// Processes die at `cuts`, one after the other; then another runs until nothing is to be done.
async fn cell(network: Network, begins: Begins, cuts: &[Cut]) -> Cell {
    let (world, id, servers) = world(network, begins).await;
    let mut at = Vec::new();
    for cut in cuts {
        at.push(die(&world, &id, &servers, *cut).await?);
    }
    // Once more than needed: that changes nothing.
    live(&world, &servers, 2, async || {}).await;
    let at = at.join(", then ");
    assert_recorded_once(&world, &id, &at).await;
    if matches!(begins, Begins::Queue) {
        let next_at = world.read(&id).await.next_at();
        assert_eq!(next_at, Some(ts("2126-03-02T12:00:00Z")), "{at}");
    }
    Some((at, world.seen(&id).await))
}

/// All cells of one network, as a table: the flow that begins with a healthy sheep, or, with `first`, the
/// one that finishes what a process left that died there.
async fn matrix(network: Network, first: Option<Cut>) -> Matrix {
    matrix_from(network, Begins::Well, first).await
}

/// The same for a flow that begins otherwise.
async fn matrix_from(network: Network, begins: Begins, first: Option<Cut>) -> Matrix {
    let cuts = |cut| first.into_iter().chain([cut]).collect::<Vec<_>>();
    table(network.name(), async |cut| cell(network, begins, &cuts(cut)).await).await
}

/// All cells of one flow, printed.
#[expect(clippy::print_stdout, reason = "the table is there to be read: `-- --nocapture`")]
async fn table(name: &str, cell: impl AsyncFn(Cut) -> Cell) -> Matrix {
    // Processes of their own: a few more than there are processors are never all waiting.
    const SIDE_BY_SIDE: usize = 4;
    const REQUESTS: usize = 64;
    use futures_util::{StreamExt as _, future::ready, stream};
    let cuts = (0..REQUESTS).flat_map(|k| [Cut::Before(k), Cut::After(k)]);
    let cell = &cell;
    let cells: Vec<_> = stream::iter(cuts)
        .map(|cut| async move { (cut, cell(cut).await) })
        .buffered(SIDE_BY_SIDE)
        // The first request that the flow does not have is its end.
        .take_while(|(_, cell)| ready(cell.is_some()))
        .filter_map(|(cut, cell)| ready(cell.map(|cell| (cut, cell))))
        .collect()
        .await;
    let mut matrix = Matrix::default();
    for (cut, (request, seen)) in cells {
        let verdict = match seen.len() {
            0 => "LOST",
            1 => "once",
            _ => "DOUBLED",
        };
        println!("{name:<7} {:<10} {verdict:<8} {request}", format!("{cut:?}"));
        matrix.cells += 1;
        matrix.lost += usize::from(seen.is_empty());
        matrix.doubled += usize::from(1 < seen.len());
    }
    println!("{name}: {matrix:?}");
    matrix
}

#[derive(Debug, Default, PartialEq)]
struct Matrix {
    cells: usize,
    lost: usize,
    doubled: usize,
}

#[track_caller]
fn none_lost_or_doubled(matrix: &Matrix, requests: usize) {
    // Before and after each.
    assert_eq!(*matrix, Matrix { cells: 2 * requests, lost: 0, doubled: 0 });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_meadow_no_crash_loses_or_doubles_a_post() {
    // Shards, control, index, sheep, line, post, record, process.
    none_lost_or_doubled(&matrix(Network::Meadow, None).await, 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_meadow_making_what_a_death_left_can_die_anywhere() {
    // The same; the post is there already, or is not.
    none_lost_or_doubled(&matrix(Network::Meadow, Some(Cut::After(5))).await, 8);
    none_lost_or_doubled(&matrix(Network::Meadow, Some(Cut::Before(5))).await, 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_meadow_after_an_outage_no_crash_loses_or_doubles_a_post() {
    // With the number that was missed, which is held, and the claim.
    let late = matrix_from(Network::Meadow, Begins::Late, None).await;
    none_lost_or_doubled(&late, 10);
    // Shards, control, index, sheep, claim, what was set aside, post, record, process.
    let left = matrix_from(Network::Meadow, Begins::Late, Some(Cut::After(7))).await;
    none_lost_or_doubled(&left, 9);
    let left = matrix_from(Network::Meadow, Begins::Late, Some(Cut::Before(7))).await;
    none_lost_or_doubled(&left, 9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_with_times_can_die_anywhere() {
    // On the meadow with a claim, which knows when the next one is due.
    let queue = matrix_from(Network::Meadow, Begins::Queue, None).await;
    none_lost_or_doubled(&queue, 9);
    // Who finishes it asks what is set aside, and not for the text.
    let left = matrix_from(Network::Meadow, Begins::Queue, Some(Cut::After(6))).await;
    none_lost_or_doubled(&left, 9);
    let queue = matrix_from(Network::Bluesky, Begins::Queue, None).await;
    none_lost_or_doubled(&queue, 13);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thread_can_die_anywhere() {
    // For each part after the first a line, a claim, the post and its record; what else a network wants with a post.
    none_lost_or_doubled(&threads::matrix(Network::Meadow).await, 17);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thread_can_die_anywhere_on_bluesky() {
    none_lost_or_doubled(&threads::matrix(Network::Bluesky).await, 27);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thread_can_die_anywhere_on_mastodon() {
    none_lost_or_doubled(&threads::matrix(Network::Mastodon).await, 25);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thread_can_die_anywhere_on_x() {
    none_lost_or_doubled(&threads::matrix(Network::X).await, 35);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_x_without_idempotency_no_crash_loses_or_doubles_a_post() {
    // As on the meadow, with flock, account, two secrets, rules, payment, X itself, the recorded post and the
    // end of the payment.
    none_lost_or_doubled(&x::matrix(Day::Usual, Before::Nothing).await, 17);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_x_finishing_an_intent_can_die_anywhere() {
    // Without line and rules; with what was set aside, a look, after one at what is recorded, its payment, before
    // and after, and whose post it is: the account's sheep, their posts, and that it is taken.
    none_lost_or_doubled(&x::matrix(Day::Usual, Before::Death(Cut::After(12))).await, 20);
    // The look finds nothing, so X is asked again.
    none_lost_or_doubled(&x::matrix(Day::Usual, Before::Death(Cut::Before(12))).await, 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_x_that_answers_late_no_crash_loses_or_doubles_a_post() {
    none_lost_or_doubled(&x::matrix(Day::Late, Before::Nothing).await, 17);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_x_that_fails_after_accepting_no_crash_loses_or_doubles_a_post() {
    // Nothing to record, and somebody to tell.
    none_lost_or_doubled(&x::matrix(Day::AcceptThen500, Before::Nothing).await, 16);
    none_lost_or_doubled(&x::matrix(Day::AcceptThen500, Before::Tick).await, 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_x_that_says_duplicate_no_crash_loses_or_doubles_a_post() {
    none_lost_or_doubled(&x::matrix(Day::Duplicate, Before::Nothing).await, 16);
    // A look, a post that is refused, another look.
    none_lost_or_doubled(&x::matrix(Day::Duplicate, Before::Tick).await, 27);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_x_renewing_a_key_can_die_anywhere() {
    // As usual; besides the account as it is now, the claim of its tokens, the exchange, the new tokens.
    let (matrix, lost) = x::matrix_of_keys(Day::KeyOver, Before::Nothing).await;
    none_lost_or_doubled(&matrix, 21);
    // After the exchange and before its answer is stored, which is the same time.
    assert_eq!(lost, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_bluesky_no_crash_loses_or_doubles_a_post() {
    // Shards, control, index, sheep, line, flock, claim, account, secret, Bluesky itself, the recorded post,
    // record, process.
    none_lost_or_doubled(&matrix(Network::Bluesky, None).await, 13);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_bluesky_finishing_an_intent_can_die_anywhere() {
    // The same without the line, with what was set aside; Bluesky has the post already, or has not.
    none_lost_or_doubled(&matrix(Network::Bluesky, Some(Cut::After(9))).await, 13);
    none_lost_or_doubled(&matrix(Network::Bluesky, Some(Cut::Before(9))).await, 13);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_bluesky_renewing_a_session_can_die_anywhere() {
    // Besides: the account as it is now, the claim of its session, the exchange, the new session.
    let over = matrix_from(Network::Bluesky, Begins::SessionOver, None).await;
    none_lost_or_doubled(&over, 17);
    // And the post that was refused.
    let ended = matrix_from(Network::Bluesky, Begins::SessionEnded, None).await;
    none_lost_or_doubled(&ended, 18);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_bluesky_logging_in_can_die_anywhere() {
    // And the login, with the note before it.
    let out = matrix_from(Network::Bluesky, Begins::LoggedOut, None).await;
    none_lost_or_doubled(&out, 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_mastodon_no_crash_loses_or_doubles_a_post() {
    // Shards, control, index, sheep, line, flock, claim, account, secret, Mastodon itself, the recorded post,
    // record, process; whether or not the server heeds the key.
    none_lost_or_doubled(&matrix(Network::Mastodon, None).await, 13);
    let without_key = matrix_from(Network::Mastodon, Begins::WithoutKey, None).await;
    none_lost_or_doubled(&without_key, 13);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_mastodon_finishing_an_intent_can_die_anywhere() {
    // The same without the line, with what was set aside; after a look at what is recorded, the look finds the post
    // and takes it, in three requests, or finds nothing and Mastodon is asked again.
    none_lost_or_doubled(&matrix(Network::Mastodon, Some(Cut::After(9))).await, 17);
    none_lost_or_doubled(&matrix(Network::Mastodon, Some(Cut::Before(9))).await, 15);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_mastodon_without_keys_finishing_an_intent_can_die_anywhere() {
    let there = matrix_from(Network::Mastodon, Begins::WithoutKey, Some(Cut::After(9))).await;
    none_lost_or_doubled(&there, 17);
    let not_there = matrix_from(Network::Mastodon, Begins::WithoutKey, Some(Cut::Before(9))).await;
    none_lost_or_doubled(&not_there, 15);
}

/// The same for the tick that only hands shards on.
#[tokio::test]
async fn handing_shards_on_can_die_anywhere() {
    let mut requests = 0;
    for k in 0..8 {
        for cut in [Cut::Before(k), Cut::After(k)] {
            let (mut world, _, _) = world(Network::Meadow, Begins::Well).await;
            let plan = CrashPlan::new(cut);
            let proxies = Proxies::start(&world, &plan).await;
            let runtime = RuntimeApi::start().await.unwrap();
            let mut process = proxies.process(&runtime, "4");
            let died = tokio::select! {
                () = plan.reached() => true,
                _ = runtime.invoke(tick(), LENGTH) => false,
            };
            process.kill().await;
            if !died {
                continue;
            }
            requests += 1;
            while world.events.try_recv().is_ok() {}
            let proxies = Proxies::start(&world, &CrashPlan::new(Cut::Never)).await;
            let runtime = RuntimeApi::start().await.unwrap();
            let mut process = proxies.process(&runtime, "4");
            let invocation = runtime.invoke(tick(), LENGTH).await;
            assert!(matches!(invocation.answer, Answer::Response(_)), "{}", process.output());
            let mut handed_on = 0;
            while world.events.try_recv().is_ok() {
                handed_on += 1;
            }
            assert_eq!(handed_on, 4, "{cut:?}");
            process.kill().await;
        }
    }
    // Shards read, shards written, control, events published, process.
    assert_eq!(requests, 10);
}
