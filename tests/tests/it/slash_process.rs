//! The real binary of the control room, driven through the Lambda Runtime API: requests as API Gateway hands
//! them over, and events of the bus.

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::to_bytes,
    extract::{Request, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use dynoxide::Database;
use flock_aws::Clock;
use flock_core::Network;
use flock_slack::{sign, verify};
use flock_tests::{CrashPlan, CrashProxy, Cut, RefusingBus};
use flockwork::connect::{LOCAL_NAME, STRANGERS};
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use local_cloud::{
    runtime_api::{Answer, FunctionProcess, RuntimeApi},
    services::LocalCloud,
};
use local_slack::{sender::SlackSender, workspace::LocalSlack};
use loopback::Token;
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use crate::{
    slack::{room, slash_body, user},
    world::{SIGNING_SECRET, TOKEN, World},
};

/// The function, built as a binary of this package from the same main.rs.
const BINARY: &str = env!("CARGO_BIN_EXE_slash-command-process");

/// Nobody waits for it: it is as long as the slowest machine needs.
const LENGTH: Duration = Duration::from_mins(5);

/// A deployment whose first owner is U1, on the wall clock, because the process has no other.
pub(crate) struct Deployment {
    pub(crate) world: World,
    slack: LocalSlack,
}

/// The function's process under its Runtime API.
pub(crate) struct Function {
    runtime: Arc<RuntimeApi>,
    process: FunctionProcess,
}

impl Deployment {
    pub(crate) async fn start() -> Self {
        let mut world = World::start().await;
        world.clock = Clock::wall();
        let slack = LocalSlack::start(world.clock.clone()).await.unwrap();
        Self { world, slack }
    }

    async fn function(&self) -> Function {
        self.function_at(self.world.cloud.dynamodb_url()).await
    }

    /// The function with its table at this address.
    pub(crate) async fn function_at(&self, dynamodb: String) -> Function {
        let services = self.world.cloud.services_url();
        Function::start(&[dynamodb, services, self.slack.api_url()]).await
    }

    /// What `who` sees in C1.
    fn texts(&self, who: &str) -> Vec<String> {
        let seen = self.slack.messages(&room("C1"), &user(who));
        seen.into_iter().map(|message| message.text).collect()
    }

    /// The function with a proxy before everything it asks.
    async fn cut_function(&self, plan: &Arc<CrashPlan>) -> (Function, [CrashProxy; 3]) {
        let slack = self.slack.api_url();
        let proxies = [
            CrashProxy::start("dynamodb", &self.world.cloud.dynamodb_url(), plan).await,
            CrashProxy::start("services", &self.world.cloud.services_url(), plan).await,
            CrashProxy::start("slack", slack.trim_end_matches("/api"), plan).await,
        ];
        let [dynamodb, services, slack] = proxies.each_ref().map(CrashProxy::url);
        (Function::start(&[dynamodb, services, format!("{slack}/api")]).await, proxies)
    }
}

impl Function {
    /// Starts the process, with DynamoDB, the other services of AWS, and Slack at these addresses.
    async fn start(urls: &[String; 3]) -> Self {
        Self::start_with(urls, &[]).await
    }

    /// The same, with more variables.
    async fn start_with(urls: &[String; 3], more: &[(&str, &str)]) -> Self {
        let [dynamodb, services, slack] = urls;
        let mut env = vec![
            ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.as_str()),
            ("AWS_ENDPOINT_URL", services),
            ("AWS_SESSION_TOKEN", TOKEN),
            ("TABLE_NAME", LOCAL_NAME),
            ("BUS_NAME", LOCAL_NAME),
            ("SLACK_SECRET", "Slack"),
            ("SLACK_URL", slack),
            ("FIRST_OWNER", "U1"),
            ("RUST_LOG", "info"),
        ];
        env.extend(more);
        let runtime = Arc::new(RuntimeApi::start().await.unwrap());
        let process = FunctionProcess::spawn(&runtime, Path::new(BINARY), &env).unwrap();
        Self { runtime, process }
    }

    /// What it returns to an event.
    async fn ask(&self, event: Value) -> Value {
        match self.runtime.invoke(event, LENGTH).await.answer {
            Answer::Response(response) => response,
            answer => panic!("{answer:?}\n{}", self.process.output()),
        }
    }

    /// The status and the body of its answer to a request.
    async fn answer(&self, request: Value) -> (u64, String) {
        let response = self.ask(request).await;
        assert_ne!(response["isBase64Encoded"], true, "{response}");
        let body = response["body"].as_str().unwrap_or_default().to_owned();
        (response["statusCode"].as_u64().unwrap(), body)
    }

    /// What `who` is told in C1 about `/flock <line>`.
    pub(crate) async fn flock(&self, who: &str, line: &str) -> String {
        let (status, body) = self.answer(command(who, line)).await;
        assert_eq!(status, 200, "{line}: {body}");
        let body: Value = serde_json::from_str(&body).unwrap();
        body["text"].as_str().unwrap().to_owned()
    }
}

/// What is in `infra/events`, for whoever tries the function by hand.
fn sample(name: &str) -> Value {
    let text = std::fs::read(format!("../infra/events/{name}.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// The sample with another body that is signed now.
fn request(body: &str) -> Value {
    let now = Clock::wall().now();
    let mut event = sample("slash-command-http");
    event["headers"]["x-slack-request-timestamp"] = json!(now.as_second().to_string());
    event["headers"]["x-slack-signature"] = json!(sign(&secret(), now, body.as_bytes()));
    event["headers"]["content-length"] = json!(body.len().to_string());
    event["body"] = json!(body);
    event["isBase64Encoded"] = json!(false);
    event
}

/// `/flock <line>` as `who` gives it in C1, now and not before.
fn command(who: &str, line: &str) -> Value {
    static TRIGGER: AtomicU32 = AtomicU32::new(0);
    let trigger = TRIGGER.fetch_add(1, Ordering::Relaxed);
    request(&slash_body(who, "C1", line, &trigger.to_string()))
}

fn secret() -> SecretString {
    SecretString::from(SIGNING_SECRET)
}

/// Whoever can send a request can send as many as the throttle lets in.
#[tokio::test]
async fn strangers_write_nothing_into_the_log() {
    let deployment = Deployment::start().await;
    for (level, logged) in [("info", 0), ("debug", 3)] {
        let urls = [
            deployment.world.cloud.dynamodb_url(),
            deployment.world.cloud.services_url(),
            deployment.slack.api_url(),
        ];
        let function = Function::start_with(&urls, &[("RUST_LOG", level)]).await;
        let mut forged = command("U1", "alive");
        forged["headers"]["x-slack-signature"] = json!("v0=12");
        let mut unsigned = forged.clone();
        unsigned["headers"].as_object_mut().unwrap().remove("x-slack-signature");
        let mut old = command("U1", "alive");
        old["headers"]["x-slack-request-timestamp"] = json!("1");
        let before = function.process.output();
        for request in [forged, unsigned, old] {
            assert_eq!(function.answer(request).await.0, 401);
        }
        let output = function.process.output();
        let said = &output[before.len()..];
        assert_eq!(said.matches("refused a request: ").count(), logged, "{said}");
        assert!(level != "info" || said.is_empty(), "{said}");
    }
}

/// By the field alarms count, whoever caused the event.
#[tokio::test]
async fn what_could_not_be_published_is_a_field_of_its_log_line() {
    let deployment = Deployment::start().await;
    deployment.world.sheep("apollo", Network::Meadow, 40).await;
    let denied = |_: usize, _: &Value| Some("AccessDeniedException");
    let bus = RefusingBus::start(&deployment.world.cloud.services_url(), denied).await;
    let urls = [deployment.world.cloud.dynamodb_url(), bus.url(), deployment.slack.api_url()];
    let function = Function::start_with(&urls, &[("AWS_LAMBDA_LOG_FORMAT", "JSON")]).await;
    let said = function.flock("U1", "say flock/apollo good morning").await;
    assert_eq!(bus.requests().len(), 1, "{said}");
    let lines = function.process.output();
    let lines = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let lines: Vec<_> = lines.filter(|line| line["fields"]["unpublished"] == 1).collect();
    assert_eq!(lines.len(), 1, "{}", function.process.output());
}

/// Slack's user sees that the app failed; whoever runs it finds why in the log.
#[tokio::test]
async fn a_secret_that_is_not_filled_in_is_named_in_the_log() {
    const HUSH: &str = "hush-hush-0123456789";
    let deployment = Deployment::start().await;
    for (content, why) in [
        (String::new(), "is empty"),
        ("null".to_owned(), "is no JSON object with signing_secret and bot_token"),
        (HUSH.to_owned(), "is no JSON object with signing_secret and bot_token"),
        ("{}".to_owned(), "lacks signing_secret and bot_token"),
        (json!({ "signing_secret": "", "bot_token": HUSH }).to_string(), "lacks signing_secret"),
        (json!({ "signing_secret": HUSH }).to_string(), "lacks bot_token"),
        (
            json!({ "signing_secret": [HUSH], "bot_token": 1 }).to_string(),
            "lacks signing_secret and bot_token",
        ),
    ] {
        let secrets = HashMap::from([("Slack".to_owned(), content)]);
        let token = Token::from(TOKEN.to_owned());
        let (services, _) =
            LocalCloud::start(Database::memory().unwrap(), secrets, token, STRANGERS)
                .await
                .unwrap();
        let dynamodb = deployment.world.cloud.dynamodb_url();
        let slack = deployment.slack.api_url();
        let mut function = Function::start(&[dynamodb, services.services_url(), slack]).await;
        let (status, body) = function.answer(command("U1", "alive")).await;
        assert_eq!((status, body.as_str()), (500, ""), "{why}");
        function.process.kill().await;
        let log = function.process.output();
        let line = log.lines().find(|line| line.contains("no request can be let in"));
        let line = line.unwrap_or_else(|| panic!("it is an error of its own: {log}"));
        assert!(
            line.contains("ERROR") && line.contains(&format!("secret Slack {why}\"")),
            "{line}"
        );
        assert!(!log.contains(HUSH), "{log}");
    }
}

#[track_caller]
fn is_yes((status, body): &(u64, String)) {
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!((*status, &body["text"]), (200, &json!("Yes.")), "{body}");
}

#[tokio::test]
async fn a_request_of_api_gateway_is_answered_once() {
    let deployment = Deployment::start().await;
    let function = deployment.function().await;
    let nothing = |status| (status, String::new());

    // The sample, which is encoded and has its own time, now.
    let old = sample("slash-command-http");
    let body = BASE64.decode(old["body"].as_str().unwrap()).unwrap();
    let header = |name: &str| old["headers"][name].as_str();
    let (time, signature) = (header("x-slack-request-timestamp"), header("x-slack-signature"));
    let then = Timestamp::from_second(time.unwrap().parse().unwrap()).unwrap();
    verify(&secret(), time, signature, &body, then).expect("the sample is signed");
    let mut encoded = request(str::from_utf8(&body).unwrap());
    encoded["body"] = old["body"].clone();
    encoded["isBase64Encoded"] = json!(true);
    is_yes(&function.answer(encoded.clone()).await);
    assert_eq!(function.answer(encoded.clone()).await, nothing(200), "the same once more");
    encoded["isBase64Encoded"] = json!(false);
    assert_eq!(function.answer(encoded).await, nothing(401), "these bytes nobody has signed");

    let plain = command("U3", "alive");
    is_yes(&function.answer(plain.clone()).await);
    assert_eq!(function.answer(plain).await, nothing(200), "the same once more");

    let cases: [fn(&str) -> String; 2] = [str::to_uppercase, |name| {
        name.split('-')
            .map(|part| format!("{}{}", part[..1].to_uppercase(), &part[1..]))
            .collect::<Vec<_>>()
            .join("-")
    }];
    for case in cases {
        let mut request = command("U3", "alive");
        let headers = request["headers"].as_object().unwrap();
        let headers: Map<_, _> =
            headers.iter().map(|(name, value)| (case(name), value.clone())).collect();
        request["headers"] = headers.into();
        is_yes(&function.answer(request).await);
    }

    for (header, value) in [
        ("x-slack-signature", json!(sign(&"other".into(), Clock::wall().now(), b"x"))),
        ("x-slack-request-timestamp", json!("1531420618")),
    ] {
        let mut forged = command("U1", "level add forged 1");
        forged["headers"][header] = value;
        assert_eq!(function.answer(forged.clone()).await, nothing(401), "{header}");
        forged["headers"].as_object_mut().unwrap().remove(header);
        assert_eq!(function.answer(forged).await, nothing(401), "without {header}");
    }
    assert!(!function.flock("U1", "levels").await.contains("forged"));

    let mut elsewhere = command("U1", "alive");
    for path in ["/slack/command", "/slack/commands/more", "/"] {
        elsewhere["rawPath"] = json!(path);
        elsewhere["requestContext"]["http"]["path"] = json!(path);
        assert_eq!(function.answer(elsewhere.clone()).await, nothing(404), "{path}");
    }
}

/// API Gateway: hands what Slack sends to the function.
async fn hand_over(State(runtime): State<Arc<RuntimeApi>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let headers = head.headers.iter();
    let headers: Map<_, _> =
        headers.map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap()))).collect();
    let mut event = sample("slash-command-http");
    event["rawPath"] = json!(head.uri.path());
    event["requestContext"]["http"]["path"] = json!(head.uri.path());
    event["headers"] = headers.into();
    event["body"] = json!(BASE64.encode(&body));
    let Answer::Response(answer) = runtime.invoke(event, LENGTH).await.answer else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let status = u16::try_from(answer["statusCode"].as_u64().unwrap()).unwrap();
    let kind = answer["headers"]["content-type"].as_str().unwrap_or("text/plain").to_owned();
    let body = answer["body"].as_str().unwrap_or_default().to_owned();
    (StatusCode::from_u16(status).unwrap(), [(CONTENT_TYPE, kind)], body).into_response()
}

/// Lets U1 grant U2 a level by name, in C1 of Slack itself, and gives the event with which that goes on.
async fn deferred(deployment: &mut Deployment) -> Value {
    let mut function = deployment.function().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let gateway = Router::new().fallback(hand_over).with_state(Arc::clone(&function.runtime));
    let gateway = tokio::spawn(async move { axum::serve(listener, gateway).await.unwrap() });
    // A name that is not one of Slack's marks has to be looked up.
    let sender = SlackSender::new(deployment.slack.clone(), url, secret());
    sender.enter(&user("U1"), &room("C1"), None, "/flock grant ben shepherd").await;
    assert_eq!(
        deployment.texts("U1"),
        ["/flock grant ben shepherd", "I am asking Slack who `ben` is."],
        "{}",
        function.process.output()
    );
    gateway.abort();
    function.process.kill().await;

    let published = deployment.world.events.try_recv().unwrap();
    let mut event = sample("slash-command-deferred");
    assert_eq!(event["detail-type"], published.detail_type.as_str());
    assert_eq!(event["source"], published.source.as_str());
    let fields = |detail: &Value| detail.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(fields(&event["detail"]), fields(&published.detail));
    event["detail"] = published.detail;
    event
}

#[tokio::test]
async fn a_deferred_command_goes_on_with_its_event_and_only_once() {
    let mut deployment = Deployment::start().await;
    let event = deferred(&mut deployment).await;
    let function = deployment.function().await;
    // The sample as it is goes on with what nobody has given.
    let gone = json!({ "done": "before, or it is too late to answer" });
    assert_eq!(function.ask(sample("slash-command-deferred")).await, gone);
    assert_eq!(deployment.texts("U1").len(), 2);

    assert_eq!(function.ask(event.clone()).await, json!({ "done": "grant ben shepherd" }));
    assert_eq!(deployment.texts("U3"), ["<@U2> is `shepherd` in this room now."]);
    assert_eq!(deployment.texts("U1").len(), 3);
    let store = &deployment.world.store;
    let table = || async {
        let audit = store.newest_audit(Clock::wall().now(), 100).await.unwrap();
        (store.room(&room("C1"), Some(&user("U1"))).await.unwrap(), audit)
    };
    let (then, audit) = table().await;
    assert_eq!(audit.len(), 1);
    assert_eq!(audit[0].outcome.as_deref(), Some("done"));

    assert_eq!(function.ask(event).await, gone);
    assert_eq!(deployment.texts("U1").len(), 3);
    assert_eq!(table().await, (then, audit));
    assert!(deployment.world.events.try_recv().is_err());
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_with_a_name() {
    let deployment = Deployment::start().await;
    let function = deployment.function().await;
    for event in [
        json!({ "detail-type": "nonsense", "detail": {} }),
        json!({ "detail-type": "command.deferred", "detail": { "id": 5 } }),
        json!({ "detail-type": "sheep.stopped" }),
        json!({ "Records": [] }),
    ] {
        let answer = function.runtime.invoke(event.clone(), LENGTH).await.answer;
        let Answer::Error { error_type, message } = answer else { panic!("{event}: {answer:?}") };
        assert_eq!(error_type, "UnreadableEvent", "{event}: {message}");
        assert!(message.starts_with("unreadable event: "), "{event}: {message}");
    }
    // And goes on.
    assert_eq!(function.flock("U3", "alive").await, "Yes.");
}

#[tokio::test]
async fn a_bad_configuration_is_an_error_at_start_that_names_every_key() {
    let runtime = RuntimeApi::start().await.unwrap();
    let env = [("FIRST_OWNER", "ada"), ("SLACK_ROOM", "#general")];
    let mut process = FunctionProcess::spawn(&runtime, Path::new(BINARY), &env).unwrap();
    assert!(!process.wait().await.success());
    let output = process.output();
    for key in [
        "TABLE_NAME is not set",
        "BUS_NAME is not set",
        "SLACK_SECRET is not set",
        "FIRST_OWNER is wrong",
        "SLACK_ROOM is wrong",
    ] {
        assert!(output.contains(key), "{key} in {output}");
    }
}

/// Cells at once; each is mostly a process that starts.
const SIDE_BY_SIDE: usize = 4;

/// A command that changes something, and how to see whether it did.
#[derive(Clone, Copy)]
struct Change {
    line: &'static str,
    /// Who asks what to see it.
    question: (&'static str, &'static str),
    before: &'static str,
    after: &'static str,
    /// What the first to give it is told, and the second.
    told: [&'static str; 2],
}

const GRANT: Change = Change {
    line: "grant U2 shepherd",
    question: ("U2", "whoami"),
    before: "<@U2>, you have no level in this room.",
    after: "<@U2>, you are `shepherd` here (rank 1).",
    told: [
        "<@U2> is `shepherd` in this room now.",
        "<@U2> has the level `shepherd` in this room already.",
    ],
};

const PAUSE: Change = Change {
    line: "pause apollo",
    question: ("U3", "show apollo"),
    before: "\nstate: active\n",
    after: "\nstate: paused\n",
    told: ["Paused *flock/apollo*.", "*flock/apollo* is paused already."],
};

/// What is left of a command whose process died.
struct Left {
    /// The request it died at.
    at: String,
    made: bool,
    /// What the audit log says of it, if it has it.
    logged: Option<String>,
}

/// One cell: the process dies at `cut`, and people ask another. `None` when there are fewer requests.
async fn cell(change: Change, cut: Cut) -> Option<Left> {
    let deployment = Deployment::start().await;
    deployment.world.sheep("apollo", Network::Meadow, 3).await;
    let plan = CrashPlan::new(cut);
    let (mut function, _proxies) = deployment.cut_function(&plan).await;
    let died = tokio::select! {
        () = plan.reached() => true,
        told = function.flock("U1", change.line) => {
            assert_eq!(told, change.told[0]);
            false
        }
    };
    function.process.kill().await;
    if !died {
        return None;
    }
    let at = plan.cut_at().expect("the plan was reached");

    let mut function = deployment.function().await;
    let (who, question) = change.question;
    let seen = function.flock(who, question).await;
    let made = seen.contains(change.after);
    assert_ne!(made, seen.contains(change.before), "{at}: {seen}");
    let logged = entries(&function.flock("U1", "audit").await, change.line);
    assert!(logged.len() <= 1, "{at}: {logged:?}");

    // By hand once more.
    assert_eq!(function.flock("U1", change.line).await, change.told[usize::from(made)], "{at}");
    let seen = function.flock(who, question).await;
    assert!(seen.contains(change.after), "{at}: {seen}");
    let again = entries(&function.flock("U1", "audit").await, change.line);
    assert_eq!(again.len(), logged.len() + 1, "{at}: {again:?}");
    function.process.kill().await;
    Some(Left { at, made, logged: logged.into_iter().next() })
}

/// What the audit log says came of `line`, newest first.
fn entries(audit: &str, line: &str) -> Vec<String> {
    let wanted = format!("`{line}` - ");
    audit.lines().filter_map(|entry| Some(entry.split_once(&wanted)?.1.to_owned())).collect()
}

#[derive(Debug, Default, PartialEq)]
struct Matrix {
    cells: usize,
    /// Changes nobody can find in the audit log.
    unlogged: usize,
    /// Entries that say `done` or a refusal of what was not made.
    untrue: usize,
}

/// All cells of a command, as a table.
#[expect(clippy::print_stdout, reason = "the table is there to be read: `-- --nocapture`")]
async fn matrix(change: Change, requests: usize) {
    let cuts = (0..=requests).flat_map(|k| [Cut::Before(k), Cut::After(k)]);
    let cells: Vec<_> = stream::iter(cuts)
        .map(|cut| async move { (cut, cell(change, cut).await) })
        .buffered(SIDE_BY_SIDE)
        .collect()
        .await;
    let mut matrix = Matrix::default();
    for (cut, cell) in cells {
        let Some(Left { at, made, logged }) = cell else { continue };
        let change_is = if made { "made" } else { "not made" };
        let log = logged.as_deref().unwrap_or("-");
        println!("{:<18} {:<10} {change_is:<9} {log:<34} {at}", change.line, format!("{cut:?}"));
        matrix.cells += 1;
        matrix.unlogged += usize::from(made && logged.is_none());
        let cut_off = logged.as_deref().is_none_or(|log| log.starts_with("cut off"));
        matrix.untrue += usize::from(!made && !cut_off);
    }
    println!("{}: {matrix:?}", change.line);
    // Before and after each.
    assert_eq!(matrix, Matrix { cells: 2 * requests, unlogged: 0, untrue: 0 });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_that_dies_anywhere_is_made_or_not_and_can_be_given_again() {
    // Shards, control, secret; delivery, room and control, process; audit, user, room, its change, audit.
    matrix(GRANT, 11).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_that_dies_anywhere_is_made_or_not_and_can_be_given_again() {
    // Shards, control, secret; delivery, room and control, process; audit, flocks, sheep, its change, audit.
    matrix(PAUSE, 11).await;
}

/// One cell: the process that goes on with a deferred command dies at `cut`, and the event comes again, as
/// the bus sees to. Gives the request it died at and how often the room was told.
async fn deferred_cell(cut: Cut) -> Option<(String, usize)> {
    let mut deployment = Deployment::start().await;
    let event = deferred(&mut deployment).await;
    let plan = CrashPlan::new(cut);
    let cloud = &deployment.world.cloud;
    // Not before Slack: response URLs are where Slack is.
    let dynamodb = CrashProxy::start("dynamodb", &cloud.dynamodb_url(), &plan).await;
    let services = CrashProxy::start("services", &cloud.services_url(), &plan).await;
    let urls = [dynamodb.url(), services.url(), deployment.slack.api_url()];
    let mut function = Function::start(&urls).await;
    let died = tokio::select! {
        () = plan.reached() => true,
        _ = function.ask(event.clone()) => false,
    };
    function.process.kill().await;
    if !died {
        return None;
    }
    let at = plan.cut_at().expect("the plan was reached");

    let mut function = deployment.function().await;
    function.ask(event).await;
    assert_eq!(function.flock(GRANT.question.0, GRANT.question.1).await, GRANT.after, "{at}");
    assert_eq!(function.flock("U1", "running").await, "Nothing is in flight.", "{at}");
    let logged = entries(&function.flock("U1", "audit").await, "grant ben shepherd");
    assert_eq!(logged, ["done"], "{at}");
    function.process.kill().await;
    let told = deployment.texts("U3");
    assert!(told.iter().all(|text| GRANT.told.contains(&text.as_str())), "{at}: {told:?}");
    Some((at, told.len()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::print_stdout, reason = "the table is there to be read: `-- --nocapture`")]
async fn a_deferred_command_that_dies_anywhere_is_carried_out_and_answered() {
    // Shards, secret, command; room, control, process; audit, room twice, audit, command.
    const REQUESTS: usize = 11;
    let cuts = (0..=REQUESTS).flat_map(|k| [Cut::Before(k), Cut::After(k)]);
    let cells: Vec<_> = stream::iter(cuts)
        .map(|cut| async move { (cut, deferred_cell(cut).await) })
        .buffered(SIDE_BY_SIDE)
        .collect()
        .await;
    let mut died = 0;
    for (cut, cell) in cells {
        let Some((at, told)) = cell else { continue };
        println!("{:<18} {:<10} answered {told}x {at}", "grant ben shepherd", format!("{cut:?}"));
        died += 1;
        assert!((1..=2).contains(&told), "{at}: {told}");
    }
    assert_eq!(died, 2 * REQUESTS);
}
