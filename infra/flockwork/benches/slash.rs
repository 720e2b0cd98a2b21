//! How fast Slack is answered: the real `slash-command` binary, beside the same command served by Slack's
//! own framework for Python and a bare `lambda_runtime` function, in one run: `cargo bench --bench slash`.
//!
//! One event at a time is given to one process, as Lambda does to one environment.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops on failure"
)]

mod lambda;
mod measure;
mod python;

use std::{
    collections::HashMap,
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flock_core::{Room, RoomId, UserId};
use flock_store::Store;
use jiff::Timestamp;
use local_cloud::runtime_api::{Answer, FunctionProcess, RuntimeApi};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::{sync::mpsc, task::JoinSet};

use lambda::{Deployment, LENGTH, resident_mb};
use measure::{build, quantile};

/// Starts of each program, taken in turn so that all meet the same machine.
const STARTS: usize = 30;

/// Requests to each program that is up, in rounds taken in turn.
const ROUNDS: usize = 2;
const ROUND_REQUESTS: u32 = 500;

/// 50 requests a second: far more than people type, and a lively workspace's events.
const GAP: Duration = Duration::from_millis(20);

const OWNER: &str = "U0OWNER";
const ROOM: &str = "C0ROOM";
const SIGNING_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";

/// What the Python program is made of.
const PYTHON_PACKAGES: [&str; 3] = ["awslambdaric==4.2.2", "boto3==1.43.102", "slack_bolt==1.30.0"];

#[tokio::main]
async fn main() {
    let release = build(&[
        "-p",
        "slash-command",
        "--bin",
        "slash-command",
        "-p",
        "sheep-tick",
        "--example",
        "bare",
    ]);
    let (ours, bare) = (release.join("slash-command"), release.join("examples/bare"));
    let bolt = python::function("slash_bolt", &PYTHON_PACKAGES, &release);
    let slack = json!({ "signing_secret": SIGNING_SECRET, "bot_token": "xoxb-not-used" });
    let secrets = HashMap::from([("Slack".to_owned(), slack.to_string())]);
    let deployment = Deployment::start(secrets).await;
    prepare(&deployment.store).await;
    let mut bench = Bench { deployment, requests: 0, reply: String::new() };

    // The Python program says what ours does. This also reads all files once.
    bench.reply = bench.our_reply(&ours).await;
    println!("the answer: {:?}\n", bench.reply);
    bench.start(&bolt, Kind::Slack).await;
    bench.start(&bare, Kind::Bare).await;

    cold(&mut bench, &ours, &bolt, &bare).await;
    warm(&mut bench, &ours, &bolt).await;
}

/// From starting the process to its answer, which is looked at.
async fn cold(bench: &mut Bench, ours: &Path, bolt: &Path, bare: &Path) {
    let mut starts = [(); 3].map(|()| Vec::new());
    for _ in 0..STARTS {
        starts[0].push(bench.start(ours, Kind::Slack).await);
        starts[1].push(bench.start(bolt, Kind::Slack).await);
        starts[2].push(bench.start(bare, Kind::Bare).await);
    }
    println!("cold: process start to verified answer, {STARTS} starts each in turn");
    println!("{:<16} {:>14} {:>14} {:>14}", "", "slash-command", "slack_bolt", "bare");
    let mut row = |what: &str, part| {
        let [ours, bolt, bare] = starts.each_mut().map(|times| quantile(times, part));
        println!("{what:<16} {ours:>14.2} {bolt:>14.2} {bare:>14.2}");
        [ours, bolt, bare]
    };
    let [ours, bolt, bare] = row("  median, ms", 0.5);
    row("  fastest, ms", 0.0);
    goal("slash-command to slack_bolt, medians", ours / bolt, 0.08);
    goal("slash-command to bare, medians", ours / bare, 4.0);
    println!();
}

/// Requests that come when they come, whether those before are answered or not.
async fn warm(bench: &mut Bench, ours: &Path, bolt: &Path) {
    let runtimes = [
        Arc::new(RuntimeApi::start().await.unwrap()),
        Arc::new(RuntimeApi::start().await.unwrap()),
    ];
    let processes = [bench.spawn(&runtimes[0], ours), bench.spawn(&runtimes[1], bolt)];
    for runtime in &runtimes {
        let event = bench.event(bench.now());
        bench.check(&runtime.invoke(event, LENGTH).await.answer, Kind::Slack);
    }
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (runtime, times) in runtimes.iter().zip(&mut times) {
            times.extend(bench.open_loop(runtime).await);
        }
    }
    let rate = Duration::from_secs(1).div_duration_f64(GAP);
    let requests = times[0].len();
    println!(
        "warm: {rate:.0} requests/s to one process, from the planned arrival to the verified answer,\n\
         {requests} requests each, in {ROUNDS} rounds in turn"
    );
    println!("{:<16} {:>14} {:>14} {:>9}", "", "slash-command", "slack_bolt", "ratio");
    for (what, part) in
        [("  p50, ms", 0.5), ("  p90, ms", 0.9), ("  p99, ms", 0.99), ("  max, ms", 1.0)]
    {
        let [ours, bolt] = times.each_mut().map(|times| quantile(times, part));
        println!("{what:<16} {ours:>14.2} {bolt:>14.2} {:>8.2}x", ours / bolt);
    }
    let [ours, bolt] = processes.each_ref().map(resident_mb);
    println!("{:<16} {ours:>14.1} {bolt:>14.1} {:>8.2}x", "  resident, MB", ours / bolt);
    let [ours, bolt] = times.each_mut().map(|times| quantile(times, 0.99));
    goal("slash-command to slack_bolt, p99", ours / bolt, 0.25);
}

struct Bench {
    deployment: Deployment,
    /// How many requests were made; each is a delivery of its own.
    requests: usize,
    /// What is answered.
    reply: String,
}

#[derive(Clone, Copy)]
enum Kind {
    Slack,
    Bare,
}

impl Bench {
    fn spawn(&self, runtime: &RuntimeApi, binary: &Path) -> FunctionProcess {
        let python = [("REPLY", self.reply.as_str()), ("AWS_DEFAULT_REGION", "us-east-1")];
        self.deployment.spawn(runtime, binary, &[&[("FIRST_OWNER", OWNER)], &python[..]].concat())
    }

    /// The text that `/flock alive` is answered with.
    async fn our_reply(&mut self, ours: &Path) -> String {
        let runtime = RuntimeApi::start().await.unwrap();
        let _process = self.spawn(&runtime, ours);
        let event = self.event(self.now());
        let answer = runtime.invoke(event, LENGTH).await.answer;
        let message = message(&answer).unwrap_or_else(|| panic!("{answer:?}"));
        message["text"].as_str().unwrap().to_owned()
    }

    /// Milliseconds from starting the process to its answer.
    async fn start(&mut self, binary: &Path, kind: Kind) -> f64 {
        let runtime = RuntimeApi::start().await.unwrap();
        let event = match kind {
            Kind::Slack => self.event(self.now()),
            Kind::Bare => json!({}),
        };
        let started = Instant::now();
        let mut process = self.spawn(&runtime, binary);
        let answer = runtime.invoke(event, LENGTH).await.answer;
        let took = started.elapsed();
        self.check(&answer, kind);
        process.kill().await;
        milliseconds(took)
    }

    /// Milliseconds from the planned arrival to the answer, of every request.
    async fn open_loop(&mut self, runtime: &Arc<RuntimeApi>) -> Vec<f64> {
        // All is ready before the first arrival: nothing but sending is left to do then.
        let begin = Instant::now() + Duration::from_millis(500);
        let signed_at = self.now();
        let events: Vec<_> = (0..ROUND_REQUESTS)
            .map(|number| {
                let after = GAP * number;
                (begin + after, self.event(signed_at + after))
            })
            .collect();
        let (due, mut arrivals) = mpsc::unbounded_channel();
        // A thread, because the runtime's timers are only good to a millisecond.
        let clock = thread::spawn(move || {
            for (planned, event) in events {
                thread::sleep(planned.saturating_duration_since(Instant::now()));
                due.send((planned, event)).unwrap();
            }
        });
        let mut requests = JoinSet::new();
        while let Some((planned, event)) = arrivals.recv().await {
            let runtime = Arc::clone(runtime);
            requests.spawn(async move {
                let answer = runtime.invoke(event, LENGTH).await.answer;
                (planned.elapsed(), answer)
            });
        }
        clock.join().unwrap();
        let mut times = Vec::new();
        for (took, answer) in requests.join_all().await {
            self.check(&answer, Kind::Slack);
            times.push(milliseconds(took));
        }
        times
    }

    /// `/flock alive` as API Gateway hands it to a function; every one another delivery.
    fn event(&mut self, now: Timestamp) -> Value {
        self.requests += 1;
        let number = self.requests;
        let body = format!(
            "token=not-used&team_id=T0FLOCK&team_domain=flock&channel_id={ROOM}&channel_name=control-room\
             &user_id={OWNER}&user_name=somebody&command=%2Fflock&text=alive&api_app_id=A0FLOCK\
             &is_enterprise_install=false\
             &response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT0FLOCK%2F{number}%2Fsecret\
             &trigger_id={number}.1.bench"
        );
        let signature =
            flock_slack::sign(&SecretString::from(SIGNING_SECRET), now, body.as_bytes());
        json!({
            "version": "2.0",
            "routeKey": "POST /slack/commands",
            "rawPath": "/slack/commands",
            "rawQueryString": "",
            "headers": {
                "content-type": "application/x-www-form-urlencoded",
                "host": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
                "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
                "x-slack-request-timestamp": now.as_second().to_string(),
                "x-slack-signature": signature,
            },
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "a1b2c3d4e5",
                "domainName": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com",
                "domainPrefix": "a1b2c3d4e5",
                "http": {
                    "method": "POST",
                    "path": "/slack/commands",
                    "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.10",
                    "userAgent": "Slackbot 1.0 (+https://api.slack.com/robots)",
                },
                "requestId": format!("bench-{number}"),
                "routeKey": "POST /slack/commands",
                "stage": "$default",
                "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
                "timeEpoch": now.as_millisecond(),
            },
            "body": STANDARD.encode(body),
            "isBase64Encoded": true,
        })
    }

    /// The answer is the one that was verified and allowed, and no error.
    #[track_caller]
    fn check(&self, answer: &Answer, kind: Kind) {
        let is_good = match kind {
            Kind::Slack => message(answer).is_some_and(|message| {
                message["text"] == *self.reply
                    && message["blocks"][0]["text"]["text"] == *self.reply
                    && message["response_type"] == "ephemeral"
            }),
            Kind::Bare => *answer == Answer::Response(json!("hello")),
        };
        assert!(is_good, "{answer:?}, not {:?}", self.reply);
    }

    #[expect(
        clippy::disallowed_methods,
        clippy::unused_self,
        reason = "the processes have the clock on the wall"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// The Slack message in a 200.
fn message(answer: &Answer) -> Option<Value> {
    let Answer::Response(response) = answer else { return None };
    let is_ok = response["statusCode"] == 200;
    let body = response["body"].as_str().filter(|_| is_ok)?;
    let body = match response["isBase64Encoded"] {
        Value::Bool(true) => String::from_utf8(STANDARD.decode(body).ok()?).ok()?,
        _ => body.to_owned(),
    };
    serde_json::from_str(&body).ok()
}

/// A room with an owner, and a system that was told something once: both are there to be read.
async fn prepare(store: &Store) {
    let (room, owner): (RoomId, UserId) = (ROOM.parse().unwrap(), OWNER.parse().unwrap());
    let new = Room::new(room, Some(&owner));
    let granted = new.grant(&owner, &owner, &"owner".parse().unwrap()).unwrap();
    store.put_room(&granted.room).await.unwrap();
    store.reboot_all("2026-01-01T00:00:00Z".parse().unwrap()).await.unwrap();
}

fn milliseconds(took: Duration) -> f64 {
    took.as_secs_f64() * 1_000.0
}

fn goal(what: &str, found: f64, at_most: f64) {
    let verdict = if found <= at_most { "met" } else { "MISSED" };
    println!("  {what}: {found:.3}x, goal at most {at_most}x: {verdict}");
}
