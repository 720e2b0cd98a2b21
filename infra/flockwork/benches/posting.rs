//! What a post costs: units, time and memory of the real `sheep-tick` binary, beside a bare
//! `lambda_runtime` function in the same run. One command: `cargo bench`.
//!
//! Both run as release builds under a stand-in of Lambda's Runtime API; the table is the embedded
//! DynamoDB, in memory, in this process. Times are the machine's, not AWS's.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops on failure"
)]

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use aws_sdk_dynamodb::Client;
use dynoxide::Database;
use flock_core::{
    AccountId, Behaviour, Corpus, Flock, FlockName, Network, Occurrence, Rhythm, RhythmFields,
    Sheep, SheepConfig, SheepId,
};
use flock_store::Store;
use flockwork::{
    connect::{LOCAL_NAME, ensure_table},
    local_cloud::LocalCloud,
    runtime_api::{Answer, FunctionProcess, RuntimeApi},
    template::Template,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// Starts of each binary, taken in turn so that both meet the same machine.
const STARTS: usize = 30;

/// Events without work.
const IDLE_TICKS: usize = 500;

/// Sheep that are due at once.
const SHEEP: usize = 2_000;

const LENGTH: Duration = Duration::from_mins(2);

#[tokio::main]
async fn main() {
    let (function, bare) = build();
    let (cloud, _) = LocalCloud::start(Database::memory().unwrap(), HashMap::new()).await.unwrap();
    let client = Client::new(&cloud.aws());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let template = std::fs::read_to_string(root.join("template.yaml")).unwrap();
    let template = Template::parse(&template).unwrap();
    ensure_table(&client, LOCAL_NAME, &template.table).await.unwrap();
    let store = Store::new(client, LOCAL_NAME.to_owned());
    let bench = Bench { cloud, store };

    println!("{:<46} {:>14} {:>14} {:>9}", "", "sheep-tick", "bare", "ratio");
    let mut starts = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        starts.0.push(bench.start(&function).await);
        starts.1.push(bench.start(&bare).await);
    }
    row(
        "start to first request for an event, median, ms",
        median(&mut starts.0),
        median(&mut starts.1),
    );
    row("  the fastest, ms", starts.0[0], starts.1[0]);

    let (runtime, bare_runtime) =
        (RuntimeApi::start().await.unwrap(), RuntimeApi::start().await.unwrap());
    let process = bench.spawn(&runtime, &function);
    let bare_process = bench.spawn(&bare_runtime, &bare);
    invoke(&runtime).await;
    invoke(&bare_runtime).await;
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let mb = |kb: u64| kb as f64 / 1024.0;
    row(
        "resident after the first event, MB",
        mb(process.resident_kb()),
        mb(bare_process.resident_kb()),
    );
    let idle = per_second(IDLE_TICKS, || invoke(&runtime)).await;
    let bare_idle = per_second(IDLE_TICKS, || invoke(&bare_runtime)).await;
    row("events without work, per second", idle, bare_idle);

    bench.sheep(SHEEP).await;
    let started = Instant::now();
    let report = invoke(&runtime).await;
    let took = started.elapsed().as_secs_f64();
    let number = |name: &str| report.get(name).and_then(Value::as_f64).unwrap();
    let posts = number("posted");
    assert!((posts - f64::from(u32::try_from(SHEEP).unwrap())).abs() < 0.5, "{report}");
    alone("posts per second, one tick", posts / took);
    alone("write units per post", number("write_units") / posts);
    alone("read units per post", number("read_units") / posts);
    alone("resident after that, MB", mb(process.resident_kb()));
    let size = |path: &Path| mb(path.metadata().unwrap().len() / 1024);
    row("binary, MB", size(&function), size(&bare));
}

struct Bench {
    cloud: LocalCloud,
    store: Store,
}

impl Bench {
    fn spawn(&self, runtime: &RuntimeApi, binary: &Path) -> FunctionProcess {
        let (dynamodb, services) = (self.cloud.dynamodb_url(), self.cloud.services_url());
        FunctionProcess::spawn(
            runtime,
            binary,
            &[
                ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb),
                ("AWS_ENDPOINT_URL", &services),
                ("TABLE_NAME", LOCAL_NAME),
                ("BUS_NAME", LOCAL_NAME),
                ("DUE_SHARDS", "1"),
                ("KEYRING_SECRET", "Keyring"),
                ("X_SECRET", "XApp"),
                ("SLACK_SECRET", "Slack"),
                ("RUST_LOG", "warn"),
            ],
        )
        .unwrap()
    }

    /// Milliseconds from starting the process to its first request for an event.
    async fn start(&self, binary: &Path) -> f64 {
        let runtime = RuntimeApi::start().await.unwrap();
        let started = Instant::now();
        let mut process = self.spawn(&runtime, binary);
        runtime.waiting().await;
        let took = started.elapsed().as_secs_f64() * 1_000.0;
        process.kill().await;
        took
    }

    /// Sheep that are due now, and not again for a day.
    async fn sheep(&self, count: usize) {
        let flock: FlockName = "bench".parse().unwrap();
        let lines: Vec<_> =
            (0..40).map(|line| format!("line {line} {}", "of a poem ".repeat(8))).collect();
        let corpus = Corpus::parse(lines.join("\n").as_bytes()).unwrap();
        self.store.put_flock(&Flock::new(flock.clone())).await.unwrap();
        self.store.put_corpus(&flock, &corpus, |_| {}).await.unwrap();
        let fields = RhythmFields {
            line: Some("1d".to_owned()),
            time_zone: Some("Europe/London".to_owned()),
            ..RhythmFields::default()
        };
        #[expect(clippy::disallowed_methods, reason = "the process has the clock on the wall")]
        let now = Timestamp::now() - SignedDuration::from_secs(30);
        for number in 0..count {
            let id =
                SheepId { flock: flock.clone(), name: format!("sheep-{number}").parse().unwrap() };
            let handle = id.name.as_str().parse().unwrap();
            let account = AccountId { network: Network::Meadow, handle };
            let behaviour = Behaviour::Poem { corpus: corpus.id(), lines: corpus.len() };
            let config = SheepConfig::new(account, behaviour, Rhythm::parse(&fields).unwrap());
            let sheep = Sheep::create(id, config, Occurrence(1), now).unwrap();
            self.store.create_sheep(&sheep).await.unwrap();
        }
    }
}

/// Builds both binaries as they are deployed, but for the processor.
fn build() -> (PathBuf, PathBuf) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let status = Command::new(env!("CARGO"))
        .current_dir(&root)
        .args([
            "build",
            "--release",
            "-p",
            "sheep-tick",
            "--bin",
            "sheep-tick",
            "--example",
            "bare",
        ])
        .status()
        .unwrap();
    assert!(status.success(), "the functions do not build");
    // This program is in target/release/deps.
    let program = std::env::current_exe().unwrap();
    let release = program.ancestors().nth(2).unwrap();
    (release.join("sheep-tick"), release.join("examples/bare"))
}

async fn invoke(runtime: &RuntimeApi) -> Value {
    let event = json!({ "detail-type": "Scheduled Event", "source": "flockwork.schedule" });
    match runtime.invoke(event, LENGTH).await.answer {
        Answer::Response(response) => response,
        other => panic!("{other:?}"),
    }
}

async fn per_second<F: Future>(count: usize, mut once: impl FnMut() -> F) -> f64 {
    let started = Instant::now();
    for _ in 0..count {
        once().await;
    }
    f64::from(u32::try_from(count).unwrap()) / started.elapsed().as_secs_f64()
}

/// The middle one; sorts.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn row(what: &str, ours: f64, bare: f64) {
    println!("{what:<46} {ours:>14.2} {bare:>14.2} {:>8.2}x", ours / bare);
}

fn alone(what: &str, ours: f64) {
    println!("{what:<46} {ours:>14.2}");
}
