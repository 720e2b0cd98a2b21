//! How fast one tick posts to a network that takes its time: the real `sheep-tick` binary, beside an asyncio
//! program that does the same in Python with the same table and the same X: `cargo bench --bench networks`.
//!
//! X here answers every post after 200 ms, so that 64 posts in flight are 320 a second at most. What is in the
//! table and on X afterwards is checked, sheep by sheep. No TLS: bytes are those of HTTP.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops on failure"
)]

mod lambda;
mod measure;
mod python;

use std::{
    collections::{HashMap, HashSet},
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use flock_aws::Keyring;
use flock_core::{
    AccountFacts, AccountId, BehaviourKind, Charge, Corpus, Cursor, Flock, FlockName, Month,
    Network, Occurrence, Rhythm, RhythmFields, Sheep, SheepConfig, SheepId, State, Tier,
};
use flock_store::{AccountItem, Post, PostState};
use jiff::{SignedDuration, Timestamp};
use local_cloud::runtime_api::{Answer, RuntimeApi};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    runtime,
};

use lambda::{Deployment, LENGTH, resident_mb};
use measure::{build, quantile};

/// Ticks of each program, taken in turn so that both meet the same machine.
const ROUNDS: usize = 3;

/// Sheep that are due in a tick, each with an account and a text of its own.
const SHEEP: usize = 1_000;

/// Posts each program has in flight at most.
const CONCURRENCY: u32 = 64;

const ANSWER_AFTER: Duration = Duration::from_millis(200);

const KEYRING: &str = r#"{"current":"k1","k1":"0123456789abcdef0123456789abcdef"}"#;
const CONSUMER_KEY: &str = "consumer-of-the-bench";
/// As long as X's.
const TOKEN_SECRET: &str = "hush-hush-hush-hush-hush-hush-hush-hush-hush";

/// What the Python program is made of.
const PYTHON_PACKAGES: [&str; 5] = [
    "awslambdaric==4.2.2",
    "aiobotocore==3.10.0",
    "aiohttp==3.14.5",
    "cryptography==50.0.2",
    "oauthlib==4.0.1",
];

#[tokio::main]
async fn main() {
    let release = build(&["-p", "sheep-tick", "--bin", "sheep-tick"]);
    let peer = python::function("networks_peer", &PYTHON_PACKAGES, &release);
    let programs = [("tick", release.join("sheep-tick")), ("peer", peer)];
    let x_app = json!({ "consumer_key": CONSUMER_KEY, "consumer_secret": "hush" });
    let secrets =
        [("Keyring".to_owned(), KEYRING.to_owned()), ("XApp".to_owned(), x_app.to_string())];
    let bench =
        Bench { deployment: Deployment::start(HashMap::from(secrets)).await, x: X::start() };

    let mut rounds = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        for ((name, program), rounds) in programs.iter().zip(&mut rounds) {
            rounds.push(bench.round(&format!("{name}-{round}").parse().unwrap(), program).await);
        }
    }

    let ceiling = f64::from(CONCURRENCY) / ANSWER_AFTER.as_secs_f64();
    println!(
        "one tick: {SHEEP} posts to an X that answers after {ANSWER_AFTER:?}, {CONCURRENCY} in flight: at most \
         {ceiling:.0} posts/s\nmedians of {ROUNDS} rounds in turn, every post and sheep checked"
    );
    println!("{:<40} {:>12} {:>12} {:>9}", "", "sheep-tick", "Python", "ratio");
    for (what, of) in [
        ("posts per second", |round: &Round| round.per_second()),
        ("posts in flight at X, mean", |round| round.per_second() * ANSWER_AFTER.as_secs_f64()),
        ("posts in flight at X, most", |round| round.most_in_flight),
        ("CPU seconds of the tick", |round| round.cpu_seconds),
        ("CPU milliseconds per post", |round| round.each(round.cpu_seconds * 1_000.0)),
        ("  of the table and X", |round| round.each(round.cpu_seconds_around * 1_000.0)),
        ("resident after it, MB", |round| round.resident_mb),
        ("write units per post", |round| round.each(round.write_units)),
        ("read units per post", |round| round.each(round.read_units)),
        ("requests to X per post", |round| round.each(round.requests)),
        ("  bytes sent per post", |round| round.each(round.received)),
        ("  bytes received per post", |round| round.each(round.sent)),
        ("connections to X", |round| round.connections),
    ] as [(&str, fn(&Round) -> f64); 13]
    {
        let [ours, peer] = rounds
            .each_ref()
            .map(|rounds| quantile(&mut rounds.iter().map(of).collect::<Vec<_>>(), 0.5));
        println!("{what:<40} {ours:>12.2} {peer:>12.2} {:>8.2}x", ours / peer);
    }
    for ((name, _), rounds) in programs.iter().zip(&rounds) {
        let rates: Vec<_> =
            rounds.iter().map(|round| format!("{:.1}", round.per_second())).collect();
        println!("posts per second of {name}, each round: {}", rates.join(", "));
    }
}

struct Bench {
    deployment: Deployment,
    x: X,
}

/// What one tick of one program took.
#[derive(Debug, Default)]
struct Round {
    posts: f64,
    seconds: f64,
    cpu_seconds: f64,
    /// Of the table and X, which share the machine.
    cpu_seconds_around: f64,
    resident_mb: f64,
    write_units: f64,
    read_units: f64,
    most_in_flight: f64,
    connections: f64,
    requests: f64,
    received: f64,
    sent: f64,
}

impl Round {
    fn per_second(&self) -> f64 {
        self.posts / self.seconds
    }

    fn each(&self, of_all: f64) -> f64 {
        of_all / self.posts
    }
}

impl Bench {
    /// One tick in a fresh process that has had an event without work.
    async fn round(&self, flock: &FlockName, program: &Path) -> Round {
        let runtime = RuntimeApi::start().await.unwrap();
        let x_url = self.x.url();
        let env = [("X_URL", x_url.as_str()), ("AWS_DEFAULT_REGION", "us-east-1")];
        let mut process = self.deployment.spawn(&runtime, program, &env);
        invoke(&runtime).await;
        let before = self.sheep(flock).await;

        let cpu_before = (cpu_seconds_of_child(), cpu_seconds_of_this());
        let started = Instant::now();
        let report = invoke(&runtime).await;
        let seconds = started.elapsed().as_secs_f64();
        let cpu_seconds = cpu_seconds_of_child() - cpu_before.0;
        let cpu_seconds_around = cpu_seconds_of_this() - cpu_before.1;
        let resident_mb = resident_mb(&process);
        process.kill().await;

        let seen = self.x.take();
        self.check(&before, &report, &seen).await;
        let number = |name: &str| report[name].as_f64().unwrap();
        Round {
            posts: number("posted"),
            seconds,
            cpu_seconds,
            cpu_seconds_around,
            resident_mb,
            write_units: number("write_units"),
            read_units: number("read_units"),
            most_in_flight: f64::from(seen.most_in_flight),
            connections: f64::from(seen.connections),
            requests: f64::from(seen.requests),
            received: f64::from(seen.received_bytes),
            sent: f64::from(seen.sent_bytes),
        }
    }

    /// Sheep that are due now, and not again for a day.
    async fn sheep(&self, flock: &FlockName) -> Vec<Sheep> {
        let store = &self.deployment.store;
        let cap = Some("1000".parse().unwrap());
        store.put_flock(&Flock { monthly_cap: cap, ..Flock::new(flock.clone()) }).await.unwrap();
        let lines: Vec<_> = (0..SHEEP).map(|number| line(flock, number)).collect();
        let corpus = Corpus::parse(lines.join("\n").as_bytes()).unwrap();
        store.put_corpus(flock, &corpus, |_| {}).await.unwrap();
        let keyring = Keyring::parse(&SecretString::from(KEYRING)).unwrap();
        let fields = RhythmFields { line: Some("1d".to_owned()), ..RhythmFields::default() };
        let born = now() - SignedDuration::from_secs(30);
        let mut all = Vec::new();
        for number in 0..SHEEP {
            let handle = format!("{}_{number}", flock.as_str().replace('-', "_"));
            let account = AccountId { network: Network::X, handle: handle.parse().unwrap() };
            let key = json!({ "token": token(flock, number), "token_secret": TOKEN_SECRET });
            let item = AccountItem {
                remote_user: number.to_string(),
                url: None,
                facts: AccountFacts {
                    tier: Tier::Standard,
                    labelled: true,
                    text_limit: None,
                    picture_bytes: None,
                },
                asked_at: None,
                signed_in: None,
                sealed_key: keyring.seal(&account, &SecretString::from(key.to_string())),
                sealed_session: None,
            };
            store.put_account(&account, item).await.unwrap();
            let behaviour = BehaviourKind::Poem.with_text(&corpus);
            let config = SheepConfig::new(account, behaviour, Rhythm::parse(&fields).unwrap());
            let name = format!("sheep-{number:04}").parse().unwrap();
            let id = SheepId { flock: flock.clone(), name };
            let mut sheep = Sheep::create(id, config, Occurrence(1), born).unwrap();
            sheep.progress.cursor = Cursor::at(u32::try_from(number).unwrap());
            store.create_sheep(&sheep).await.unwrap();
            all.push(sheep);
        }
        all
    }

    /// Everything is on X once and as it should be, and the table says so.
    async fn check(&self, before: &[Sheep], report: &Value, seen: &SeenByX) {
        assert_eq!(report["posted"], SHEEP, "{report}");
        let store = &self.deployment.store;
        let flock = &before[0].id.flock;
        assert_eq!(seen.refused, Vec::<String>::new());
        let ids: HashSet<_> = seen.posts.values().collect();
        assert_eq!((seen.posts.len(), ids.len()), (SHEEP, SHEEP), "posts and ids");

        let after = store.sheep_of_flock(flock).await.unwrap();
        assert_eq!(after.len(), SHEEP);
        for (number, (before, after)) in before.iter().zip(&after).enumerate() {
            let text = line(flock, number);
            let posted = &seen.posts[&(token(flock, number), text.clone())];
            let mut expected = before.clone();
            expected.version += 2;
            expected.progress.occurrence = Occurrence(2);
            expected.progress.slot += SignedDuration::from_hours(24);
            expected.progress.cursor = Cursor::at(u32::try_from((number + 1) % SHEEP).unwrap());
            expected.progress.last_remote = Some(posted.parse().unwrap());
            assert_eq!(*after, expected);
            assert_eq!(after.state, State::Active);
            let post = Post {
                made: None,
                sheep: after.id.clone(),
                occurrence: Occurrence(1),
                account: after.config.account.clone(),
                at: before.progress.slot,
                text,
                state: PostState::Posted,
                remote_id: Some(posted.parse().unwrap()),
                answers: None,
            };
            assert_eq!(store.newest_posts(&after.id, 2).await.unwrap(), [post]);
        }
        let ledger = store.ledger(flock, Month::of(now())).await.unwrap();
        let price = (Network::X.facts().price)(Charge::Post { link: false });
        assert_eq!(ledger.spent, price.times(u64::try_from(SHEEP).unwrap()));
    }
}

fn line(flock: &FlockName, number: usize) -> String {
    format!("{flock} says line {number}, {}", "of a poem ".repeat(8).trim_end())
}

fn token(flock: &FlockName, number: usize) -> String {
    format!("1234567890123456789-token-of-{flock}-{number}")
}

async fn invoke(runtime: &RuntimeApi) -> Value {
    let event = json!({ "detail-type": "Scheduled Event", "source": "flockwork.schedule" });
    match runtime.invoke(event, LENGTH).await.answer {
        Answer::Response(response) => response,
        other => panic!("{other:?}"),
    }
}

/// Processor time of the one child of this process that runs.
fn cpu_seconds_of_child() -> f64 {
    let me = std::process::id().to_string();
    // Processes come and go meanwhile.
    let mut children = fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let fields = stat(&entry.ok()?.path())?;
        (fields[1] == me).then(|| cpu_seconds(&fields))
    });
    let child = children.next().unwrap();
    assert_eq!(children.next(), None, "one child");
    child
}

fn cpu_seconds_of_this() -> f64 {
    cpu_seconds(&stat(Path::new("/proc/self")).unwrap())
}

/// The fields of a process's `stat` from its state on.
fn stat(process: &Path) -> Option<Vec<String>> {
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    Some(stat.rsplit_once(") ")?.1.split(' ').map(str::to_owned).collect())
}

fn cpu_seconds(stat: &[String]) -> f64 {
    /// `USER_HZ`, the same on every Linux (`proc_pid_stat(5)`).
    const TICKS_PER_SECOND: f64 = 100.0;
    let ticks = |field: usize| stat[field].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / TICKS_PER_SECOND
}

#[expect(clippy::disallowed_methods, reason = "the processes have the clock on the wall")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// X, as far as posting goes. It has a thread of its own, so that its answers are not late when the table is busy.
struct X {
    address: SocketAddr,
    seen: Arc<Mutex<SeenByX>>,
}

/// What X has seen.
#[derive(Debug, Default)]
struct SeenByX {
    connections: u32,
    requests: u32,
    received_bytes: u32,
    sent_bytes: u32,
    in_flight: u32,
    most_in_flight: u32,
    /// The ids of posts, by token and text.
    posts: HashMap<(String, String), String>,
    /// What was no new post.
    refused: Vec<String>,
}

impl X {
    fn start() -> Self {
        let seen = Arc::<Mutex<SeenByX>>::default();
        let (address, known) = std::sync::mpsc::channel();
        let shared = Arc::clone(&seen);
        // Ends with the process.
        thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
                address.send(listener.local_addr().unwrap()).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    tokio::spawn(serve(stream, Arc::clone(&shared)));
                }
            });
        });
        Self { address: known.recv().unwrap(), seen }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was seen since it was last taken.
    fn take(&self) -> SeenByX {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

/// Answers one connection's requests, one after the other.
async fn serve(mut stream: TcpStream, seen: Arc<Mutex<SeenByX>>) {
    stream.set_nodelay(true).unwrap();
    seen.lock().unwrap().connections += 1;
    let mut bytes = Vec::new();
    loop {
        let Some((head, body)) = request(&bytes) else {
            match stream.read_buf(&mut bytes).await {
                Ok(1..) => continue,
                _ => return,
            }
        };
        let answer_at = tokio::time::Instant::now() + ANSWER_AFTER;
        let answer = seen.lock().unwrap().post(head, body);
        bytes.clear();
        tokio::time::sleep_until(answer_at).await;
        seen.lock().unwrap().in_flight -= 1;
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The head and the body of a request, if all of it is there.
fn request(bytes: &[u8]) -> Option<(&str, &str)> {
    let (head, body) = str::from_utf8(bytes).unwrap().split_once("\r\n\r\n")?;
    let length: usize = header(head, "content-length").unwrap_or("0").parse().unwrap();
    (length <= body.len()).then_some((head, body))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    headers.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

impl SeenByX {
    /// What is said to a request, after a while.
    fn post(&mut self, head: &str, body: &str) -> String {
        self.requests += 1;
        self.in_flight += 1;
        self.most_in_flight = self.most_in_flight.max(self.in_flight);
        self.received_bytes += u32::try_from(head.len() + 4 + body.len()).unwrap();
        let (status, body) = match read(head, body) {
            Some(post) if !self.posts.contains_key(&post) => {
                let id = (2_000_000_000_000_000_000 + u64::from(self.requests)).to_string();
                let body = json!({ "data": { "id": id, "text": post.1 } });
                self.posts.insert(post, id);
                ("201 Created", body)
            }
            _ => {
                self.refused.push(format!("{head}\n\n{body}"));
                let detail = "You are not allowed to create a Tweet with duplicate content.";
                ("403 Forbidden", json!({ "detail": detail, "status": 403 }))
            }
        };
        let body = body.to_string();
        // The headers a client of X reads.
        let reset = now().as_second() + 900;
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: {}\r\n\
             x-rate-limit-limit: 100\r\nx-rate-limit-remaining: 99\r\nx-rate-limit-reset: {reset}\r\n\r\n{body}",
            body.len()
        );
        self.sent_bytes += u32::try_from(answer.len()).unwrap();
        answer
    }
}

/// The token and the text of a post that is signed and well formed.
fn read(head: &str, body: &str) -> Option<(String, String)> {
    let is_post = head.starts_with("POST /2/tweets HTTP/1.1\r\n")
        && header(head, "content-type")? == "application/json";
    let signed: HashMap<_, _> = header(head, "authorization")?
        .strip_prefix("OAuth ")?
        .split(',')
        .filter_map(|parameter| {
            let (name, value) = parameter.trim().split_once('=')?;
            Some((name, value.strip_prefix('"')?.strip_suffix('"')?))
        })
        .collect();
    let is_signed = signed.get("oauth_consumer_key") == Some(&CONSUMER_KEY)
        && signed.get("oauth_signature_method") == Some(&"HMAC-SHA1")
        && ["oauth_nonce", "oauth_timestamp", "oauth_signature"]
            .iter()
            .all(|name| signed.get(name).is_some_and(|value| !value.is_empty()));
    let body: Value = serde_json::from_str(body).ok()?;
    let text = body["text"].as_str().filter(|_| is_post && is_signed)?;
    Some((signed.get("oauth_token")?.to_string(), text.to_owned()))
}
