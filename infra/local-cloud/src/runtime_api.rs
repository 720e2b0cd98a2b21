//! Lambda around one function: its Runtime API, and the process that asks it for events.
//!
//! Knows nothing of templates, schedules or our own functions: any program that speaks the API will do.

use std::{
    collections::{HashMap, VecDeque},
    io,
    net::Ipv4Addr,
    path::Path,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::{self, DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use flock_aws::Clock;
use serde::Deserialize;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    net::TcpListener,
    process::{Child, Command},
    sync::{oneshot, watch},
    task::JoinHandle,
};

use loopback::{
    Key, Token,
    serve::{Limits, serve_guarded},
};

use crate::children::DiesWithUs;

/// Who gets what processes write, besides those who ask for it; must not wait for anybody.
pub type Listener = fn(&[u8]);

/// What a function said to an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It returned this.
    Response(Value),
    /// It returned this, which is not JSON.
    NotJson(String),
    /// It failed.
    Error {
        /// Lambda's `errorType`.
        error_type: String,
        /// Lambda's `errorMessage`.
        message: String,
    },
    /// Its process could not start and said so.
    InitError {
        /// Lambda's `errorType`.
        error_type: String,
        /// Lambda's `errorMessage`.
        message: String,
    },
    /// It said nothing in time, or no process took the event within 30 seconds. Lambda would kill the
    /// process now; here the caller does.
    TimedOut,
}

/// An invocation that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Invocation {
    /// The id Lambda gave it.
    pub request_id: String,
    /// What came of it.
    pub answer: Answer,
    /// From the process taking the event to the answer: what Lambda calls its duration.
    pub took: Duration,
}

/// The Lambda Runtime API of one function, which has one process at a time.
#[derive(Debug)]
pub struct RuntimeApi {
    address: String,
    server: JoinHandle<()>,
    shared: Arc<Shared>,
}

/// A function's process, with only the environment Lambda would give it.
///
/// It is killed on drop.
#[derive(Debug)]
pub struct FunctionProcess {
    child: Child,
    // Dropped as soon as it has been waited for.
    dies_with_us: Option<DiesWithUs>,
    output: Arc<Output>,
    readers: Vec<JoinHandle<()>>,
    shared: Arc<Shared>,
}

/// What a process has written, the newest of it.
#[derive(Debug, Default)]
struct Output {
    kept: Mutex<Vec<u8>>,
    // Who gets it, too.
    listener: OnceLock<Listener>,
}

/// The state, and who waits for it to change.
#[derive(Debug)]
struct Shared(watch::Sender<Invocations>);

#[derive(Debug, Default)]
struct Invocations {
    /// Events no process has taken, oldest first.
    queued: VecDeque<Event>,
    /// Who waits for the answer, by request id.
    awaited: HashMap<String, oneshot::Sender<Answer>>,
    /// How many invocations there have been.
    count: u64,
    /// The newest request for an event. Older ones get none: their process is gone, though its connection
    /// may not have been seen to close.
    newest_poll: u64,
    /// Whether that request is still unanswered.
    waiting: bool,
    /// Why the process could not start, until an invocation has been told.
    init_error: Option<Answer>,
}

#[derive(Debug)]
struct Event {
    request_id: String,
    payload: Value,
    timeout: Duration,
    /// Told when a process takes it.
    taken: oneshot::Sender<Instant>,
}

/// An invocation somebody waits for; nobody does once it is dropped.
struct Awaited<'a> {
    shared: &'a Shared,
    request_id: String,
}

/// Lambda's error body.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Failure {
    error_type: String,
    error_message: String,
}

impl RuntimeApi {
    /// How long a start may take; Lambda gives it 10 seconds, on a machine that does nothing else.
    const START: Duration = Duration::from_secs(30);
    const FUNCTION_ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:flockwork-local";

    /// Starts it on a free loopback port, with no process and no event.
    pub async fn start() -> io::Result<Self> {
        let shared = Arc::new(Shared(watch::Sender::new(Invocations::default())));
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            // The port has its own limit.
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&shared));
        // Lambda's client shows no credentials, but asks at whatever address it is told.
        let token = Token::new();
        let prefix = token.expose().to_owned();
        let key = Key::Path(token);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = format!("http://{}/{prefix}", listener.local_addr()?);
        let server = tokio::spawn(async move {
            serve_guarded(listener, key, router, Limits::RUNTIME_API).await;
        });
        Ok(Self { address, server, shared })
    }

    /// For `AWS_LAMBDA_RUNTIME_API`: a URL that nobody guesses. Lambda's own is `host:port`; clients in Rust take
    /// both.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Queues an event and waits for what the function says to it.
    ///
    /// The time starts when a process takes the event, because a start has a limit of its own. Dropping the
    /// future withdraws the event; an answer that comes later is refused. So a function that dies is started
    /// again and invoked again.
    pub async fn invoke(&self, payload: Value, timeout: Duration) -> Invocation {
        let mut started = Instant::now();
        let (sender, receiver) = oneshot::channel();
        let (taken, is_taken) = oneshot::channel();
        let mut request_id = String::new();
        self.shared.0.send_modify(|invocations| {
            invocations.count += 1;
            request_id = format!("00000000-0000-4000-8000-{:012}", invocations.count);
            if let Some(answer) = invocations.init_error.take() {
                // The receiver is right here.
                let _ = sender.send(answer);
                return;
            }
            invocations.awaited.insert(request_id.clone(), sender);
            let request_id = request_id.clone();
            invocations.queued.push_back(Event { request_id, payload, timeout, taken });
        });
        let awaited = Awaited { shared: &self.shared, request_id };
        let answer = async {
            // An error here is an event that was answered without being taken: the start failed.
            if let Ok(at) = tokio::time::timeout(Self::START, is_taken).await? {
                started = at;
            }
            tokio::time::timeout_at((started + timeout).into(), receiver).await
        };
        let answer = match answer.await {
            Ok(answer) => answer.expect("who is answered is not dropped before"),
            Err(_) => Answer::TimedOut,
        };
        Invocation { request_id: awaited.request_id.clone(), answer, took: started.elapsed() }
    }

    /// Resolves when a process waits for an event: at first when it has started.
    pub async fn waiting(&self) {
        let mut changes = self.shared.0.subscribe();
        changes.wait_for(|invocations| invocations.waiting).await.expect("we hold the sender");
    }
}

impl FunctionProcess {
    /// Enough to see why it died.
    const OUTPUT_BYTES: usize = 1 << 20;

    /// Starts `binary` to serve `runtime_api`, with `env` on top of what Lambda sets.
    pub fn spawn(
        runtime_api: &RuntimeApi,
        binary: &Path,
        env: &[(&str, &str)],
    ) -> io::Result<Self> {
        let name = binary.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
        let mut command = Command::new(binary);
        command.env_clear();
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api.address())
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "local")
            .env("AWS_SECRET_ACCESS_KEY", "local")
            .env("AWS_SESSION_TOKEN", "local")
            // A mistake must not end in a search for real credentials.
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("TZ", ":UTC")
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        let dies_with_us = Some(DiesWithUs::new(child.id()));
        let output = Arc::new(Output::default());
        let stdout = child.stdout.take().expect("it was piped");
        let stderr = child.stderr.take().expect("it was piped");
        let readers = vec![
            tokio::spawn(capture(stdout, Arc::clone(&output))),
            tokio::spawn(capture(stderr, Arc::clone(&output))),
        ];
        Ok(Self { child, dies_with_us, output, readers, shared: Arc::clone(&runtime_api.shared) })
    }

    /// From now on what it writes goes to `listener`, too.
    pub fn speak_up(&self, listener: Listener) {
        // Who listens first, listens.
        let _ = self.output.listener.set(listener);
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        // An error would say that it is no child of ours.
        let ended = self.child.try_wait().ok().flatten();
        if ended.is_some() {
            self.dies_with_us = None;
        }
        ended
    }

    /// Kills it with SIGKILL, as a crash would, and waits until it is gone.
    pub async fn kill(&mut self) {
        // It may be gone already.
        let _ = self.child.start_kill();
        self.wait().await;
    }

    /// Waits until it exits by itself.
    pub async fn wait(&mut self) -> ExitStatus {
        let status = self.child.wait().await.expect("a child of ours can be waited for");
        self.dies_with_us = None;
        self.shared.forget_process();
        for reader in self.readers.drain(..) {
            // What a child of the process still writes is not waited for.
            let _ = tokio::time::timeout(Duration::from_secs(1), reader).await;
        }
        status
    }

    /// Its resident memory now, in kB (`VmRSS`).
    pub fn resident_kb(&self) -> u64 {
        self.status_kb("VmRSS:")
    }

    /// The most resident memory that it ever had, in kB (`VmHWM`).
    pub fn most_resident_kb(&self) -> u64 {
        self.status_kb("VmHWM:")
    }

    fn status_kb(&self, name: &str) -> u64 {
        let pid = self.child.id().expect("the process runs");
        let status =
            std::fs::read_to_string(format!("/proc/{pid}/status")).expect("/proc is there");
        let resident = status.lines().find_map(|line| line.strip_prefix(name));
        resident
            .and_then(|value| value.trim().strip_suffix(" kB")?.parse().ok())
            .expect("a running process has its memory in kB")
    }

    /// What it has written to stdout and stderr, at least the last megabyte.
    pub fn output(&self) -> String {
        let kept = self.output.kept.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).into_owned()
    }
}

impl Drop for FunctionProcess {
    fn drop(&mut self) {
        self.shared.forget_process();
    }
}

/// Copies what a process writes into `output`, and forgets the oldest of it, so that the process never waits
/// for us.
async fn capture(mut pipe: impl AsyncRead + Unpin, output: Arc<Output>) {
    let mut chunk = [0; 4096];
    while let Ok(length @ 1..) = pipe.read(&mut chunk).await {
        let chunk = &chunk[..length];
        if let Some(listener) = output.listener.get() {
            listener(chunk);
        }
        let mut kept = output.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(chunk);
        if 2 * FunctionProcess::OUTPUT_BYTES < kept.len() {
            let surplus = kept.len() - FunctionProcess::OUTPUT_BYTES;
            let line = kept[..surplus].iter().rposition(|byte| *byte == b'\n');
            kept.drain(..line.map_or(surplus, |end| end + 1));
        }
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    /// The process is gone: no request for an event is its any more.
    fn forget_process(&self) {
        self.0.send_modify(|invocations| {
            invocations.newest_poll += 1;
            invocations.waiting = false;
            invocations.init_error = None;
        });
    }

    /// Tells who waits for `request_id`, if anybody does.
    fn answer(&self, request_id: &str, answer: Answer) -> Response {
        let mut awaiting = None;
        self.0.send_modify(|invocations| awaiting = invocations.awaited.remove(request_id));
        if let Some(Ok(())) = awaiting.map(|awaiting| awaiting.send(answer)) {
            (StatusCode::ACCEPTED, r#"{"status":"OK"}"#).into_response()
        } else {
            let body = r#"{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}"#;
            (StatusCode::BAD_REQUEST, body).into_response()
        }
    }
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.shared.0.send_modify(|invocations| {
            invocations.awaited.remove(&self.request_id);
            invocations.queued.retain(|event| event.request_id != self.request_id);
        });
    }
}

async fn next(State(shared): State<Arc<Shared>>) -> Response {
    let mut changes = shared.0.subscribe();
    let mut poll = 0;
    shared.0.send_modify(|invocations| {
        invocations.newest_poll += 1;
        poll = invocations.newest_poll;
        invocations.waiting = true;
        invocations.init_error = None;
    });
    loop {
        let event_for_us = |invocations: &Invocations| {
            invocations.newest_poll == poll && !invocations.queued.is_empty()
        };
        // The result holds the lock that taking the event needs.
        drop(changes.wait_for(event_for_us).await.expect("we hold the sender"));
        // Taken only here, where nothing is awaited before the answer: an event that is taken is sent.
        let mut event = None;
        shared.0.send_if_modified(|invocations| {
            if invocations.newest_poll == poll {
                event = invocations.queued.pop_front();
                invocations.waiting = event.is_none();
            }
            event.is_some()
        });
        if let Some(event) = event {
            // Whoever no longer waits has withdrawn the event, unless that is happening just now.
            let _ = event.taken.send(Instant::now());
            let timeout_ms = i64::try_from(event.timeout.as_millis());
            let deadline_ms = Clock::wall().now().as_millisecond()
                + timeout_ms.expect("a timeout is minutes at most");
            let headers = [
                ("Lambda-Runtime-Aws-Request-Id", event.request_id),
                ("Lambda-Runtime-Deadline-Ms", deadline_ms.to_string()),
                ("Lambda-Runtime-Invoked-Function-Arn", RuntimeApi::FUNCTION_ARN.to_owned()),
                (CONTENT_TYPE.as_str(), "application/json".to_owned()),
            ];
            return (headers, event.payload.to_string()).into_response();
        }
    }
}

async fn response(
    State(shared): State<Arc<Shared>>,
    extract::Path(request_id): extract::Path<String>,
    body: Bytes,
) -> Response {
    let answer = serde_json::from_slice(&body).map_or_else(
        |_| Answer::NotJson(String::from_utf8_lossy(&body).into_owned()),
        Answer::Response,
    );
    shared.answer(&request_id, answer)
}

async fn error(
    State(shared): State<Arc<Shared>>,
    extract::Path(request_id): extract::Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Failure { error_type, error_message } = Failure::read(&headers, &body);
    shared.answer(&request_id, Answer::Error { error_type, message: error_message })
}

async fn init_error(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let Failure { error_type, error_message } = Failure::read(&headers, &body);
    let answer = Answer::InitError { error_type, message: error_message };
    shared.0.send_modify(|invocations| {
        if invocations.queued.is_empty() {
            invocations.init_error = Some(answer);
            return;
        }
        for event in std::mem::take(&mut invocations.queued) {
            if let Some(awaiting) = invocations.awaited.remove(&event.request_id) {
                // Whoever no longer waits needs no answer.
                let _ = awaiting.send(answer.clone());
            }
        }
    });
    StatusCode::ACCEPTED
}

impl Failure {
    /// The body says it; the header, when the body does not.
    fn read(headers: &HeaderMap, body: &[u8]) -> Self {
        let mut failure: Self = serde_json::from_slice(body).unwrap_or_default();
        if failure.error_type.is_empty()
            && let Some(header) = headers.get("Lambda-Runtime-Function-Error-Type")
        {
            failure.error_type = String::from_utf8_lossy(header.as_bytes()).into_owned();
        }
        failure
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    fn url(api: &RuntimeApi, path: &str) -> String {
        format!("{}/2018-06-01/runtime/{path}", api.address())
    }

    /// Asks for an event as a function does, and returns its request id and payload.
    async fn next_event(api: &RuntimeApi) -> (String, Value) {
        let response = reqwest::get(url(api, "invocation/next")).await.unwrap();
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        let request_id = header("lambda-runtime-aws-request-id");
        let left_ms = header("lambda-runtime-deadline-ms").parse::<i64>().unwrap()
            - Clock::wall().now().as_millisecond();
        assert!((1..=20_000).contains(&left_ms), "{left_ms}");
        assert!(header("lambda-runtime-invoked-function-arn").starts_with("arn:aws:lambda:"));
        (request_id, response.json().await.unwrap())
    }

    async fn post(url: String, body: &Value) -> u16 {
        reqwest::Client::new().post(url).json(body).send().await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn an_event_is_answered() {
        let api = RuntimeApi::start().await.unwrap();
        let function = async {
            let (request_id, payload) = next_event(&api).await;
            assert_eq!(payload, json!({"now": 1}));
            let answer = url(&api, &format!("invocation/{request_id}/response"));
            assert_eq!(post(answer.clone(), &json!({"done": true})).await, 202);
            // Nobody waits for a second answer.
            assert_eq!(post(answer, &json!({"done": true})).await, 400);
        };
        let (invocation, ()) = tokio::join!(api.invoke(json!({"now": 1}), LONG), function);
        assert_eq!(invocation.answer, Answer::Response(json!({"done": true})));
    }

    /// Lambda takes 6 MB, more than servers usually read.
    #[tokio::test]
    async fn a_large_answer_arrives() {
        let api = RuntimeApi::start().await.unwrap();
        let large = json!("x".repeat(7 * 1024 * 1024));
        let function = async {
            let (request_id, _) = next_event(&api).await;
            post(url(&api, &format!("invocation/{request_id}/response")), &large).await
        };
        let (invocation, status) = tokio::join!(api.invoke(json!({}), LONG), function);
        assert_eq!((invocation.answer, status), (Answer::Response(large.clone()), 202));
    }

    #[tokio::test]
    async fn who_was_not_told_the_address_gets_no_event() {
        let api = RuntimeApi::start().await.unwrap();
        let (host, _) = api.address().strip_prefix("http://").unwrap().split_once('/').unwrap();
        for path in ["2018-06-01/runtime/invocation/next", "x/2018-06-01/runtime/invocation/next"] {
            let status = reqwest::get(format!("http://{host}/{path}")).await.unwrap().status();
            assert_eq!(status, 403, "{path}");
        }
    }

    #[tokio::test]
    async fn a_failure_is_told() {
        let api = RuntimeApi::start().await.unwrap();
        let failure = json!({"errorType": "Boom", "errorMessage": "it broke", "stackTrace": []});
        let function = async {
            let (request_id, _) = next_event(&api).await;
            post(url(&api, &format!("invocation/{request_id}/error")), &failure).await
        };
        let (invocation, status) = tokio::join!(api.invoke(json!({}), LONG), function);
        assert_eq!(status, 202);
        let (error_type, message) = ("Boom".to_owned(), "it broke".to_owned());
        assert_eq!(invocation.answer, Answer::Error { error_type, message });
    }

    #[tokio::test]
    async fn a_failed_start_is_told_before_and_after_the_event() {
        let api = RuntimeApi::start().await.unwrap();
        let failure = json!({"errorType": "Init", "errorMessage": "no table"});
        let (error_type, message) = ("Init".to_owned(), "no table".to_owned());
        let expected = Answer::InitError { error_type, message };
        post(url(&api, "init/error"), &failure).await;
        assert_eq!(api.invoke(json!({}), LONG).await.answer, expected);
        let (invocation, _) =
            tokio::join!(api.invoke(json!({}), LONG), post(url(&api, "init/error"), &failure));
        assert_eq!(invocation.answer, expected);
    }

    #[tokio::test]
    async fn silence_is_a_timeout_and_the_next_event_is_served() {
        let api = RuntimeApi::start().await.unwrap();
        let (invocation, _) =
            tokio::join!(api.invoke(json!(1), Duration::from_millis(200)), next_event(&api));
        assert_eq!(invocation.answer, Answer::TimedOut);
        // Nobody took this one: it is withdrawn.
        tokio::time::timeout(Duration::from_millis(1), api.invoke(json!(2), LONG))
            .await
            .unwrap_err();
        let (invocation, (request_id, payload)) =
            tokio::join!(api.invoke(json!(3), Duration::from_millis(200)), next_event(&api));
        assert_eq!((invocation.request_id, payload), (request_id, json!(3)));
    }

    #[tokio::test]
    async fn an_event_goes_to_the_newest_process() {
        let api = RuntimeApi::start().await.unwrap();
        let mut first = std::pin::pin!(next_event(&api));
        let old_process = async {
            tokio::select! {
                _ = &mut first => panic!("the old process got the event"),
                () = api.waiting() => {}
            }
        };
        old_process.await;
        // As after a kill: the old connection is still open.
        api.shared.forget_process();
        let new_process = async {
            tokio::select! {
                _ = &mut first => panic!("the old process got the event"),
                event = next_event(&api) => event,
            }
        };
        let timeout = Duration::from_millis(500);
        let (_, (_, payload)) = tokio::join!(api.invoke(json!("new"), timeout), new_process);
        assert_eq!(payload, json!("new"));
    }

    #[tokio::test]
    async fn a_process_has_only_lambdas_environment() {
        let api = RuntimeApi::start().await.unwrap();
        let env = [("TABLE", "flockwork"), ("AWS_REGION", "eu-north-1")];
        let mut process = FunctionProcess::spawn(&api, Path::new("/usr/bin/env"), &env).unwrap();
        assert!(process.wait().await.success());
        let output = process.output();
        let mut keys: Vec<_> = output.lines().map(|line| line.split('=').next().unwrap()).collect();
        keys.sort_unstable();
        assert_eq!(
            keys.join(" "),
            "AWS_ACCESS_KEY_ID AWS_EC2_METADATA_DISABLED AWS_LAMBDA_FUNCTION_MEMORY_SIZE \
             AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_FUNCTION_VERSION AWS_LAMBDA_INITIALIZATION_TYPE \
             AWS_LAMBDA_RUNTIME_API AWS_REGION AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN PATH TABLE TZ"
        );
        assert!(output.contains("AWS_REGION=eu-north-1\n"), "{output}");
        assert!(
            output.contains(&format!("AWS_LAMBDA_RUNTIME_API={}\n", api.address())),
            "{output}"
        );
    }

    #[tokio::test]
    async fn a_process_is_measured_and_killed() {
        let api = RuntimeApi::start().await.unwrap();
        let mut process = FunctionProcess::spawn(&api, Path::new("/usr/bin/yes"), &[]).unwrap();
        assert!(process.resident_kb() > 0);
        while process.output().is_empty() {
            tokio::task::yield_now().await;
        }
        process.kill().await;
        assert!(process.output().starts_with("y\ny\n"));
        // Killing what is gone is no mistake.
        process.kill().await;
    }
}
