//! What a post costs: units, time and memory of the real `sheep-tick` binary, beside a bare
//! `lambda_runtime` function in the same run. One command: `cargo bench`.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops on failure"
)]

mod lambda;
mod measure;

use std::{collections::HashMap, path::Path, time::Instant};

use flock_core::{
    AccountId, BehaviourKind, Corpus, Flock, FlockName, Network, Occurrence, Rhythm, RhythmFields,
    Sheep, SheepConfig, SheepId, Source,
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use local_cloud::runtime_api::{Answer, RuntimeApi};
use serde_json::{Value, json};

use lambda::{Deployment, LENGTH, mb, resident_mb};
use measure::{build, quantile};

/// Starts of each binary, taken in turn so that both meet the same machine.
const STARTS: usize = 30;

/// Events without work.
const IDLE_TICKS: usize = 500;

/// Sheep that are due at once.
const SHEEP: usize = 2_000;

/// Sheep of all kinds that are due at once, none of which has a text drawn yet.
const OF_ALL_KINDS: usize = 1_000;

#[tokio::main]
async fn main() {
    let release = build(&["-p", "sheep-tick", "--bin", "sheep-tick", "--example", "bare"]);
    let (function, bare) = (release.join("sheep-tick"), release.join("examples/bare"));
    let bench = Bench { deployment: Deployment::start(HashMap::new()).await };

    println!("{:<46} {:>14} {:>14} {:>9}", "", "sheep-tick", "bare", "ratio");
    let mut starts = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        starts.0.push(bench.start(&function).await);
        starts.1.push(bench.start(&bare).await);
    }
    row(
        "start to first request for an event, median, ms",
        quantile(&mut starts.0, 0.5),
        quantile(&mut starts.1, 0.5),
    );
    row("  the fastest, ms", quantile(&mut starts.0, 0.0), quantile(&mut starts.1, 0.0));

    let (runtime, bare_runtime) =
        (RuntimeApi::start().await.unwrap(), RuntimeApi::start().await.unwrap());
    let process = bench.deployment.spawn(&runtime, &function, &[]);
    let bare_process = bench.deployment.spawn(&bare_runtime, &bare, &[]);
    invoke(&runtime).await;
    invoke(&bare_runtime).await;
    row("resident after the first event, MB", resident_mb(&process), resident_mb(&bare_process));
    let idle = per_second(IDLE_TICKS, || invoke(&runtime)).await;
    let bare_idle = per_second(IDLE_TICKS, || invoke(&bare_runtime)).await;
    row("events without work, per second", idle, bare_idle);

    bench.sheep("bench", SHEEP, |_| (BehaviourKind::Poem, poem())).await;
    let started = Instant::now();
    let report = invoke(&runtime).await;
    let took = started.elapsed().as_secs_f64();
    let number = |name: &str| report.get(name).and_then(Value::as_f64).unwrap();
    let posts = number("posted");
    assert!((posts - f64::from(u32::try_from(SHEEP).unwrap())).abs() < 0.5, "{report}");
    alone("posts per second, one tick", posts / took);
    alone("write units per post", number("write_units") / posts);
    alone("read units per post", number("read_units") / posts);
    alone("resident after that, MB", resident_mb(&process));

    for (what, text) in
        [("all kinds", kinds_of_text as fn(usize) -> _), ("all kinds, 5 MB a text", large_texts)]
    {
        // A process of its own, because memory that was needed once is not given back.
        let runtime = RuntimeApi::start().await.unwrap();
        let process = bench.deployment.spawn(&runtime, &function, &[]);
        invoke(&runtime).await;
        let (flock, sheep) = match what {
            "all kinds" => ("kinds", OF_ALL_KINDS),
            _ => ("large", KINDS.len()),
        };
        bench.sheep(flock, sheep, text).await;
        let mut posted = 0.0;
        // What is too much for one tick, the next goes on with.
        while posted + 0.5 < f64::from(u32::try_from(sheep).unwrap()) {
            posted += invoke(&runtime).await["posted"].as_f64().unwrap();
        }
        alone(
            &format!("{sheep} sheep of {what}: most resident, MB"),
            mb(process.most_resident_kb()),
        );
    }
    #[expect(clippy::cast_precision_loss, reason = "a few million")]
    let size = |path: &Path| path.metadata().unwrap().len() as f64 / 1024.0 / 1024.0;
    row("binary, MB", size(&function), size(&bare));
}

struct Bench {
    deployment: Deployment,
}

impl Bench {
    /// Milliseconds from starting the process to its first request for an event.
    async fn start(&self, binary: &Path) -> f64 {
        let runtime = RuntimeApi::start().await.unwrap();
        let started = Instant::now();
        let mut process = self.deployment.spawn(&runtime, binary, &[]);
        runtime.waiting().await;
        let took = started.elapsed().as_secs_f64() * 1_000.0;
        process.kill().await;
        took
    }

    /// Sheep that are due now, and not again for a day.
    async fn sheep(
        &self,
        flock: &str,
        count: usize,
        says: impl Fn(usize) -> (BehaviourKind, String),
    ) {
        let flock: FlockName = flock.parse().unwrap();
        self.deployment.store.put_flock(&Flock::new(flock.clone())).await.unwrap();
        let mut texts: HashMap<String, Corpus> = HashMap::new();
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
            let (kind, file) = says(number);
            if !texts.contains_key(&file) {
                let zone = TimeZone::UTC;
                let source = Source::plain("text", file.as_bytes(), &zone);
                let corpus = kind.read(&source).0.unwrap();
                self.deployment.store.put_corpus(&flock, &corpus, |_| {}).await.unwrap();
                texts.insert(file.clone(), corpus);
            }
            let behaviour = kind.with_text(&texts[&file]).drawn_for(&id, account.network);
            let config = SheepConfig::new(account, behaviour, Rhythm::parse(&fields).unwrap());
            let sheep = Sheep::create(id, config, Occurrence(1), now).unwrap();
            self.deployment.store.create_sheep(&sheep).await.unwrap();
        }
    }
}

const KINDS: [BehaviourKind; 4] =
    [BehaviourKind::Poem, BehaviourKind::Queue, BehaviourKind::Grammar, BehaviourKind::Markov];

fn poem() -> String {
    text(40, " of a poem")
}

/// So many sentences, no two of which are the same.
fn text(lines: usize, end: &str) -> String {
    let word =
        |line: usize, nth: usize| format!("w{}", (line * 31 + nth * line * 7 + nth * nth) % 997);
    let line = |line| (0..12).map(|nth| word(line, nth)).collect::<Vec<_>>().join(" ") + end;
    (0..lines).map(line).collect::<Vec<_>>().join("\n")
}

/// One of each kind in turn.
fn kinds_of_text(number: usize) -> (BehaviourKind, String) {
    of_kind(number, 400)
}

/// The same, each text of about 5 MB.
fn large_texts(number: usize) -> (BehaviourKind, String) {
    of_kind(number, 100_000)
}

fn of_kind(number: usize, lines: usize) -> (BehaviourKind, String) {
    let kind = KINDS[number % KINDS.len()];
    let file = match kind {
        BehaviourKind::Queue => text(lines, " once").replace('\n', "\n---\n"),
        BehaviourKind::Grammar => {
            let rules: Vec<_> = text(lines, " #n#").lines().map(ToOwned::to_owned).collect();
            json!({ "origin": rules, "n": ["so", "thus", "and so on"] }).to_string()
        }
        _ => text(lines, "."),
    };
    (kind, file)
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

fn row(what: &str, ours: f64, bare: f64) {
    println!("{what:<46} {ours:>14.2} {bare:>14.2} {:>8.2}x", ours / bare);
}

fn alone(what: &str, ours: f64) {
    println!("{what:<46} {ours:>14.2}");
}
