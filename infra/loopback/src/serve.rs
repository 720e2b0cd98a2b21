//! Serves a router on a port, so that nobody who connects can keep others out: every connection has so long to ask
//! something and to take the answer, every request a size and a time, and there are only so many connections.
//!
//! Where all are taken, the one makes room that has asked nothing for the longest time: a thousand connections that
//! are opened and left half-open keep nobody out.

use std::{
    collections::HashMap,
    convert::Infallible,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, StatusCode},
    response::{IntoResponse as _, Response},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::{AbortHandle, Id, JoinSet},
    time::Instant,
};
use tower::ServiceExt as _;

use crate::access::{self, Key};

/// What those who connect may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at once.
    pub connections: usize,
    /// The largest body of a request, in bytes.
    pub body: usize,
    /// How long a new connection may take until it has asked something, with all of its body.
    pub first: Duration,
    /// How long one may take until it has had its answer and asks the next thing.
    pub between: Duration,
    /// How long an answer may take to be made; none where it waits for what may come in days.
    pub answer: Option<Duration>,
}

impl Limits {
    /// For people and for the few requests of Slack. A body is what Lambda takes (AWS, "Lambda quotas", 2026-11);
    /// no answer takes as long as two minutes, and a client keeps its connections for 90 s.
    pub const USUAL: Self = Self {
        connections: 64,
        body: 6 * 1024 * 1024,
        first: Duration::from_secs(30),
        between: Duration::from_mins(2),
        answer: Some(Duration::from_mins(2)),
    };

    /// For requests to functions, and for people beside them: more than API Gateway takes (10 MB; AWS, "Quotas for HTTP
    /// APIs", 2026-11), so that it can say so itself.
    pub const GATEWAY: Self = Self { body: 11 * 1024 * 1024, ..Self::USUAL };

    /// For AWS, which every function asks, each for 64 sheep at once, and other commands: so many that none of theirs
    /// is closed for another. A body is what `DynamoDB` takes (AWS, "`BatchWriteItem`", 2026-11).
    pub const AWS: Self = Self { connections: 2048, body: 16 * 1024 * 1024, ..Self::USUAL };

    /// For a function's process, which waits for its next event. What it says is read beyond what Lambda takes, so that
    /// whoever gets it can say how much that is.
    pub const RUNTIME_API: Self =
        Self { connections: 16, body: 16 * 1024 * 1024, answer: None, ..Self::USUAL };
}

/// What a connection is at.
#[derive(Debug, Clone, Copy)]
struct Phase {
    doing: Doing,
    since: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// It has asked nothing yet.
    New,
    /// It has had an answer, which it may still be taking.
    Between,
    /// It is being answered.
    Answered,
}

/// A connection as it is seen from outside.
struct Open {
    phase: Arc<Mutex<Phase>>,
    task: AbortHandle,
}

/// What all connections of a port share.
#[derive(Clone)]
struct Port {
    key: Option<Key>,
    router: Router,
    limits: Limits,
    /// Told when an answer is made.
    answered: Arc<Notify>,
}

/// Serves `router` on `listener` until it is dropped, and its connections with it. Requests carry who asks as
/// [`ConnectInfo`].
pub async fn serve(listener: TcpListener, router: Router, limits: Limits) {
    serve_to(listener, Port { key: None, router, limits, answered: Arc::default() }).await;
}

/// The same for those alone who show the `key`. Of a request without it nothing but its head is read.
pub async fn serve_guarded(listener: TcpListener, key: Key, router: Router, limits: Limits) {
    serve_to(listener, Port { key: Some(key), router, limits, answered: Arc::default() }).await;
}

async fn serve_to(listener: TcpListener, port: Port) {
    let limits = port.limits;
    let mut tasks = JoinSet::new();
    let mut open: HashMap<Id, Open> = HashMap::new();
    loop {
        let is_room = open.len() < limits.connections || quietest(&open).is_some();
        tokio::select! {
            accepted = listener.accept(), if is_room => {
                if accepted.is_err() || limits.connections <= open.len() {
                    make_room(&mut open);
                }
                if let Ok((stream, peer)) = accepted {
                    let phase = Arc::new(Mutex::new(Phase::now(Doing::New)));
                    let task = tasks.spawn(converse(stream, peer, port.clone(), Arc::clone(&phase)));
                    open.insert(task.id(), Open { phase, task });
                } else {
                    // It is gone again, or the process has too many open files.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
            Some(ended) = tasks.join_next_with_id() => {
                let id = match ended {
                    Ok((id, ())) => id,
                    Err(err) => err.id(),
                };
                open.remove(&id);
            }
            () = port.answered.notified(), if !is_room => {}
        }
    }
}

/// Closes the connection that has been doing nothing for the longest time, if there is one.
fn make_room(open: &mut HashMap<Id, Open>) {
    if let Some(quietest) = quietest(open).and_then(|id| open.remove(&id)) {
        quietest.task.abort();
    }
}

/// The connection that has been doing nothing for the longest time; those first that never asked anything.
fn quietest(open: &HashMap<Id, Open>) -> Option<Id> {
    let phases = open.iter().map(|(id, open)| (*lock(&open.phase), *id));
    let quiet = phases.filter(|(phase, _)| phase.doing != Doing::Answered);
    let quietest = quiet.min_by_key(|(phase, _)| (phase.doing == Doing::Between, phase.since));
    quietest.map(|(_, id)| id)
}

/// Whether a body was longer than it may be, and not one that is none: the type that says so is not axum's own.
fn is_too_long(err: &axum::Error) -> bool {
    err.to_string() == "length limit exceeded"
}

fn lock(phase: &Mutex<Phase>) -> MutexGuard<'_, Phase> {
    phase.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Phase {
    fn now(doing: Doing) -> Self {
        Self { doing, since: Instant::now() }
    }

    /// When it has been at it for too long.
    fn ends(self, limits: &Limits) -> Option<Instant> {
        let longest = match self.doing {
            Doing::New => Some(limits.first),
            Doing::Between => Some(limits.between),
            // The answer itself ends then; this is for what did not.
            Doing::Answered => limits.answer.map(|longest| 2 * longest),
        };
        Some(self.since + longest?)
    }
}

/// Answers what comes over one connection, until it has been quiet for too long.
async fn converse(stream: TcpStream, peer: SocketAddr, port: Port, phase: Arc<Mutex<Phase>>) {
    // Small answers must not wait for an acknowledgement; without it they are late, and right.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| async {
        Ok::<_, Infallible>(port.answer(request, peer, &phase).await)
    });
    let mut connection =
        pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    loop {
        let ends = lock(&phase).ends(&port.limits);
        // What has no end of its own is looked at again when it has another.
        let wake = ends.unwrap_or_else(|| Instant::now() + port.limits.between);
        tokio::select! {
            // How it ends is the client's affair.
            _ = &mut connection => return,
            () = tokio::time::sleep_until(wake) => {
                if lock(&phase).ends(&port.limits).is_some_and(|ends| ends <= Instant::now()) {
                    return;
                }
            }
        }
    }
}

impl Port {
    async fn answer(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
        phase: &Mutex<Phase>,
    ) -> Response {
        let (parts, body) = request.into_parts();
        let Some(parts) = access::aimed(parts) else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        let admitted = match &self.key {
            Some(key) => key.admit(Request::from_parts(parts, Body::empty())),
            None => Ok(Request::from_parts(parts, Body::empty())),
        };
        let mut parts = match admitted {
            Ok(request) => request.into_parts().0,
            Err(refusal) => return *refusal,
        };
        // Whole before it counts as asked: a body that comes byte by byte is a connection that asks nothing.
        let body = match axum::body::to_bytes(Body::new(body), self.limits.body).await {
            Ok(body) => body,
            Err(err) if is_too_long(&err) => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
            Err(_) => return StatusCode::BAD_REQUEST.into_response(),
        };
        *lock(phase) = Phase::now(Doing::Answered);
        parts.extensions.insert(ConnectInfo(peer));
        let answer = self.router.clone().oneshot(Request::from_parts(parts, Body::from(body)));
        let answer = match self.limits.answer {
            Some(longest) => tokio::time::timeout(longest, answer).await,
            None => Ok(answer.await),
        };
        *lock(phase) = Phase::now(Doing::Between);
        self.answered.notify_one();
        match answer {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::{get, post};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        sync::Semaphore,
    };

    use super::*;

    /// How long a test waits for what must come: only a test that fails takes as long.
    const PATIENCE: Duration = Duration::from_mins(1);

    /// A port, and a permit for each who waits there for ever.
    async fn start(limits: Limits) -> (SocketAddr, Arc<Semaphore>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let entered = Arc::new(Semaphore::new(0));
        let waits = Arc::clone(&entered);
        let router = Router::new()
            .route("/", get(async || "here"))
            .route(
                "/for-ever",
                get(async move || {
                    waits.add_permits(1);
                    std::future::pending::<()>().await;
                }),
            )
            .route("/large", get(async || "x".repeat(64 * 1024 * 1024)))
            .route("/", post(async |body: String| body));
        tokio::spawn(serve(listener, router, limits));
        (address, entered)
    }

    /// Sends `request` and reads until the connection is closed.
    async fn say(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        heard(&mut stream).await
    }

    async fn heard(stream: &mut TcpStream) -> String {
        let mut answer = Vec::new();
        // One that was closed with something unread is reset, which is an end, too.
        let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        let _ = read.expect("the connection is closed");
        String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
    }

    const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

    #[tokio::test]
    async fn half_open_connections_keep_nobody_out() {
        let (address, _) = start(Limits { connections: 8, ..Limits::USUAL }).await;
        let mut half_open = Vec::new();
        for number in 0..100 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let begun = [
                "",
                "GET / HTTP/1.1\r\nHo",
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1",
            ];
            stream.write_all(begun[number % 3].as_bytes()).await.unwrap();
            half_open.push(stream);
        }
        assert_eq!(say(address, GET).await, "HTTP/1.1 200 OK");
        // The first made room.
        assert_eq!(heard(&mut half_open[0]).await, "");
    }

    #[tokio::test]
    async fn whoever_is_being_answered_is_not_closed_for_others() {
        let answer = Some(Duration::from_millis(300));
        let (address, entered) = start(Limits { connections: 2, answer, ..Limits::USUAL }).await;
        let waits = "GET /for-ever HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let third = async {
            for _ in 0..2 {
                entered.acquire().await.unwrap().forget();
            }
            say(address, GET).await
        };
        let (first, second, third) = tokio::join!(say(address, waits), say(address, waits), third);
        assert_eq!([&*first, &second], ["HTTP/1.1 503 Service Unavailable"; 2]);
        assert_eq!(third, "HTTP/1.1 200 OK");
    }

    #[tokio::test]
    async fn every_wait_ends() {
        let short = Duration::from_millis(50);
        let (address, _) = start(Limits { first: short, between: short, ..Limits::USUAL }).await;
        assert_eq!(say(address, "").await, "", "it asks nothing");
        assert_eq!(say(address, "GET / HTTP/1.1\r\n").await, "", "it asks half of it");
        let body = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1";
        assert_eq!(say(address, body).await, "", "its body does not come");
        let kept = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        assert_eq!(say(address, kept).await, "HTTP/1.1 200 OK", "it asks nothing more");
        // It never takes the answer: then there is less of it than was said.
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        tokio::time::timeout(PATIENCE, async {
            while stream.write_all(b"\r\n").await.is_ok() {
                tokio::task::yield_now().await;
            }
        })
        .await
        .expect("the connection is closed");
    }

    /// A hundred thousand of them would fill the memory otherwise.
    #[tokio::test]
    async fn who_does_not_show_the_key_is_refused_before_there_is_a_body() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", post(async |body: String| body));
        let key = Key::Bearer("secret".to_owned().into());
        tokio::spawn(serve_guarded(listener, key, router, Limits::USUAL));
        let asks = |token: &str| {
            format!(
                "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nConnection: \
                 close\r\nContent-Length: 9\r\n\r\n"
            )
        };
        // The body never comes.
        assert_eq!(say(address, &asks("guess")).await, "HTTP/1.1 403 Forbidden");
        assert_eq!(say(address, &(asks("secret") + "body here")).await, "HTTP/1.1 200 OK");
    }

    #[tokio::test]
    async fn a_body_has_a_size() {
        let (address, _) = start(Limits { body: 8, ..Limits::USUAL }).await;
        let post = |body: &str| {
            let length = body.len();
            format!(
                "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
            )
        };
        assert_eq!(say(address, &post("12345678")).await, "HTTP/1.1 200 OK");
        assert_eq!(say(address, &post("123456789")).await, "HTTP/1.1 413 Payload Too Large");
    }
}
