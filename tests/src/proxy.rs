//! A proxy that cuts a flow at its k-th request, before or after the other side has it.
//!
//! A process can only be watched from outside, and between two requests it has nothing but memory: dying
//! at each request, before and after, is dying everywhere. Several proxies count together.

use std::{
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, Method, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use futures_util::stream;
use tokio::sync::watch;

use crate::server::Server;

/// Where a flow is cut. Requests count from 0, over all proxies of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// This request is not forwarded.
    Before(usize),
    /// This request is forwarded, and its answer is read and lost.
    After(usize),
    /// This request is held until [`CrashPlan::release`]; all others pass.
    Hold(usize),
    /// This request is forwarded, and answered with an error of the proxy's; all others pass.
    Garble(usize),
    /// All requests pass.
    Never,
}

/// One run of a flow: where it is cut, and what it sent until then.
#[derive(Debug)]
pub struct CrashPlan {
    cut: Cut,
    traffic: Mutex<Traffic>,
    reached: watch::Sender<bool>,
    released: watch::Sender<bool>,
}

/// A proxy before one server, which follows a plan.
///
/// Bodies and headers pass as they are, `Host` too; an upstream that cannot be reached is a 502.
#[derive(Debug)]
pub struct CrashProxy {
    server: Server,
    upstream: Arc<Upstream>,
}

#[derive(Debug, Default)]
struct Traffic {
    /// All requests, also those after the cut.
    count: usize,
    /// The names of those forwarded.
    forwarded: Vec<String>,
    cut_at: Option<String>,
}

/// What happens to a request.
enum Fate {
    Passes,
    LosesItsAnswer,
    IsGarbled,
    IsCut,
    IsHeld,
    /// It comes after the cut, from a process that is about to die.
    IsTooLate,
}

#[derive(Debug)]
struct Upstream {
    name: String,
    base: String,
    http: reqwest::Client,
    plan: Mutex<Arc<CrashPlan>>,
}

impl CrashPlan {
    /// A plan for one run of a flow.
    pub fn new(cut: Cut) -> Arc<Self> {
        Arc::new(Self {
            cut,
            traffic: Mutex::default(),
            reached: watch::Sender::new(false),
            released: watch::Sender::new(false),
        })
    }

    /// Resolves when the cut has been reached: now kill the process.
    ///
    /// After the cut no request of any proxy is forwarded or answered. With [`Cut::After`] the other side
    /// has answered the request of the cut by now.
    pub async fn reached(&self) {
        let mut reached = self.reached.subscribe();
        reached.wait_for(|reached| *reached).await.expect("we hold the sender");
    }

    /// Lets a request that is held pass.
    pub fn release(&self) {
        self.released.send_replace(true);
    }

    /// The request the flow was cut at, or `None` if the flow was over before.
    pub fn cut_at(&self) -> Option<String> {
        self.traffic().cut_at.clone()
    }

    /// The requests that were forwarded, oldest first, such as `dynamodb UpdateItem`.
    pub fn requests(&self) -> Vec<String> {
        self.traffic().forwarded.clone()
    }

    /// Counts a request and says what happens to it.
    fn admit(&self, name: String) -> Fate {
        let mut traffic = self.traffic();
        let number = traffic.count;
        traffic.count += 1;
        match self.cut {
            Cut::Before(cut) if number == cut => {
                traffic.cut_at = Some(name);
                Fate::IsCut
            }
            Cut::After(cut) if number == cut => {
                traffic.cut_at = Some(name.clone());
                traffic.forwarded.push(name);
                Fate::LosesItsAnswer
            }
            Cut::Hold(cut) if number == cut => {
                traffic.cut_at = Some(name.clone());
                traffic.forwarded.push(name);
                Fate::IsHeld
            }
            Cut::Garble(cut) if number == cut => {
                traffic.cut_at = Some(name.clone());
                traffic.forwarded.push(name);
                Fate::IsGarbled
            }
            Cut::Before(cut) | Cut::After(cut) if number > cut => Fate::IsTooLate,
            Cut::Before(_) | Cut::After(_) | Cut::Hold(_) | Cut::Garble(_) | Cut::Never => {
                traffic.forwarded.push(name);
                Fate::Passes
            }
        }
    }

    fn traffic(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CrashProxy {
    /// Starts a proxy before `upstream` (`http://host:port`), named `name` in the plan's requests.
    pub async fn start(name: &str, upstream: &str, plan: &Arc<CrashPlan>) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            // A request that arrives once is forwarded once.
            .retry(reqwest::retry::never())
            // Nothing here speaks TLS, and reading the system's certificates takes time.
            .tls_certs_only([])
            .build()
            .expect("the settings are constant");
        let upstream = Upstream {
            name: name.to_owned(),
            base: upstream.trim_end_matches('/').to_owned(),
            http,
            plan: Mutex::new(Arc::clone(plan)),
        };
        let upstream = Arc::new(upstream);
        let router = Router::new().fallback(handle).with_state(Arc::clone(&upstream));
        Self { server: Server::start(router).await, upstream }
    }

    /// Follows another plan from the next request on: whom accounts know by its address stays where it is.
    pub fn follow(&self, plan: &Arc<CrashPlan>) {
        *self.upstream.plan.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(plan);
    }

    /// Its address, to use in place of the upstream's.
    pub fn url(&self) -> String {
        self.server.url()
    }
}

async fn handle(State(upstream): State<Arc<Upstream>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        // The client is gone, and half a request is none.
        return StatusCode::BAD_REQUEST.into_response();
    };
    let plan = Arc::clone(&upstream.plan.lock().unwrap_or_else(PoisonError::into_inner));
    match plan.admit(upstream.name_of(&head)) {
        Fate::Passes => upstream.forward(head, body).await,
        Fate::IsCut => {
            plan.reached.send_replace(true);
            pending().await
        }
        Fate::IsHeld => {
            let mut released = plan.released.subscribe();
            plan.reached.send_replace(true);
            released.wait_for(|released| *released).await.expect("the plan holds the sender");
            upstream.forward(head, body).await
        }
        Fate::IsGarbled => {
            let answer = upstream.forward(head, body).await;
            // Whether it could be read to its end or not, it is lost.
            let _ = to_bytes(answer.into_body(), usize::MAX).await;
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
        Fate::LosesItsAnswer => {
            // A task of its own, because this one ends when the client goes away.
            tokio::spawn(async move {
                let answer = upstream.forward(head, body).await;
                // Whether it could be read to its end or not, it is lost.
                let _ = to_bytes(answer.into_body(), usize::MAX).await;
                plan.reached.send_replace(true);
            });
            pending().await
        }
        Fate::IsTooLate => pending().await,
    }
}

impl Upstream {
    /// `dynamodb UpdateItem` for AWS, `x POST /2/tweets` for others.
    fn name_of(&self, head: &Parts) -> String {
        let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        match target {
            Some(target) => {
                format!("{} {}", self.name, target.rsplit('.').next().unwrap_or(target))
            }
            None => format!("{} {} {}", self.name, head.method, head.uri.path()),
        }
    }

    async fn forward(&self, head: Parts, body: Bytes) -> Response {
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut headers = without_hop_by_hop(head.headers);
        headers.remove(header::CONTENT_LENGTH);
        let mut request = self.http.request(head.method.clone(), format!("{}{path}", self.base));
        if !body.is_empty() || !matches!(head.method, Method::GET | Method::HEAD | Method::DELETE) {
            request = request.body(body);
        }
        match request.headers(headers).send().await {
            Ok(answer) => {
                let (status, headers) = (answer.status(), answer.headers().clone());
                // Passed on as it comes: some answers have no end.
                let chunks = stream::unfold(Some(answer), |answer| async {
                    let mut answer = answer?;
                    match answer.chunk().await {
                        Ok(None) => None,
                        Ok(Some(chunk)) => Some((Ok(chunk), Some(answer))),
                        Err(err) => Some((Err(err), None)),
                    }
                });
                (status, without_hop_by_hop(headers), Body::from_stream(chunks)).into_response()
            }
            Err(err) => (StatusCode::BAD_GATEWAY, format!("{} is not there: {err}", self.name))
                .into_response(),
        }
    }
}

/// The headers that are not about one connection.
fn without_hop_by_hop(mut headers: HeaderMap) -> HeaderMap {
    const HOP_BY_HOP: [HeaderName; 8] = [
        header::CONNECTION,
        HeaderName::from_static("keep-alive"),
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
    ];
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    headers
}

#[cfg(test)]
mod tests {
    use axum::{http::HeaderValue, routing::any};

    use super::*;
    use crate::server::unanswered;

    /// A server that notes what it gets and says it back.
    async fn echo() -> (Server, Arc<Mutex<Vec<String>>>) {
        let log = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&log);
        let handler = async move |request: Request| {
            let (head, body) = request.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            let note = format!(
                "{} {} auth={:?} length={:?} te={:?} {body:?}",
                head.method,
                head.uri,
                head.headers.get("authorization"),
                head.headers.get("content-length"),
                head.headers.get("te"),
            );
            noted.lock().unwrap().push(note);
            let kept = HeaderValue::from_static("kept");
            (StatusCode::ACCEPTED, [(HeaderName::from_static("x-answer"), kept)], body)
        };
        (Server::start(Router::new().fallback(any(handler))).await, log)
    }

    fn post(proxy: &CrashProxy, target: &str, body: &'static [u8]) -> reqwest::RequestBuilder {
        let request = reqwest::Client::new().post(format!("{}/?a=b%20c", proxy.url()));
        request.header("x-amz-target", format!("Some_2012.{target}")).body(body)
    }

    #[tokio::test]
    async fn passes_requests_and_answers_as_they_are() {
        let (server, log) = echo().await;
        let plan = CrashPlan::new(Cut::Never);
        let proxy = CrashProxy::start("dynamodb", &server.url(), &plan).await;
        let request = post(&proxy, "PutItem", b"\0\xffbytes");
        let answer = request.header("authorization", "AWS4 x").header("te", "trailers");
        let answer = answer.send().await.unwrap();
        assert_eq!(answer.status(), 202);
        assert_eq!(answer.headers()["x-answer"], "kept");
        assert_eq!(answer.headers()["content-length"], "7");
        assert_eq!(answer.bytes().await.unwrap().as_ref(), b"\0\xffbytes");
        reqwest::get(format!("{}/2/users/7/tweets?since_id=1", proxy.url())).await.unwrap();
        assert_eq!(plan.requests(), ["dynamodb PutItem", "dynamodb GET /2/users/7/tweets"]);
        assert_eq!(
            *log.lock().unwrap(),
            [
                r#"POST /?a=b%20c auth=Some("AWS4 x") length=Some("7") te=None b"\0\xffbytes""#,
                r#"GET /2/users/7/tweets?since_id=1 auth=None length=None te=None b"""#,
            ]
        );
        assert_eq!(plan.cut_at(), None);
    }

    #[tokio::test]
    async fn a_cut_before_keeps_the_request_and_all_later_ones() {
        let (server, log) = echo().await;
        let plan = CrashPlan::new(Cut::Before(1));
        let table = CrashProxy::start("dynamodb", &server.url(), &plan).await;
        let bus = CrashProxy::start("bus", &server.url(), &plan).await;
        assert!(post(&table, "GetItem", b"").send().await.is_ok());
        unanswered(post(&bus, "PutEvents", b""), plan.reached()).await;
        unanswered(post(&table, "PutItem", b""), plan.reached()).await;
        assert_eq!(plan.requests(), ["dynamodb GetItem"]);
        assert_eq!(plan.cut_at().as_deref(), Some("bus PutEvents"));
        assert_eq!(log.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_cut_after_loses_the_answer_and_keeps_all_later_ones() {
        let (server, log) = echo().await;
        let plan = CrashPlan::new(Cut::After(0));
        let proxy = CrashProxy::start("bus", &server.url(), &plan).await;
        let noted = async {
            plan.reached().await;
            log.lock().unwrap().len()
        };
        let noted = async { assert_eq!(noted.await, 1) };
        unanswered(post(&proxy, "PutEvents", b"{}"), noted).await;
        unanswered(post(&proxy, "PutEvents", b"{}"), plan.reached()).await;
        assert_eq!(plan.requests(), ["bus PutEvents"]);
        assert_eq!(log.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_request_that_is_held_passes_when_it_is_released() {
        let (server, log) = echo().await;
        let plan = CrashPlan::new(Cut::Hold(1));
        let proxy = CrashProxy::start("bus", &server.url(), &plan).await;
        assert!(post(&proxy, "GetItem", b"").send().await.is_ok());
        let held = tokio::spawn(post(&proxy, "PutEvents", b"held").send());
        plan.reached().await;
        assert!(post(&proxy, "PutItem", b"").send().await.is_ok());
        assert_eq!(log.lock().unwrap().len(), 2);
        plan.release();
        assert_eq!(held.await.unwrap().unwrap().status(), 202);
        assert_eq!(plan.requests(), ["bus GetItem", "bus PutEvents", "bus PutItem"]);
    }

    #[tokio::test]
    async fn a_garbled_answer_is_an_error_and_its_request_was_forwarded() {
        let (server, log) = echo().await;
        let plan = CrashPlan::new(Cut::Garble(1));
        let proxy = CrashProxy::start("bus", &server.url(), &plan).await;
        for status in [202, 500, 202] {
            assert_eq!(post(&proxy, "PutEvents", b"").send().await.unwrap().status(), status);
        }
        assert_eq!(log.lock().unwrap().len(), 3);
        assert_eq!(plan.cut_at().as_deref(), Some("bus PutEvents"));
    }

    #[tokio::test]
    async fn an_upstream_that_is_gone_is_a_502_and_a_cut_there_is_reached() {
        let (server, _) = echo().await;
        let upstream = server.url();
        let plan = CrashPlan::new(Cut::After(1));
        let proxy = CrashProxy::start("bus", &upstream, &plan).await;
        assert_eq!(post(&proxy, "PutEvents", b"").send().await.unwrap().status(), 202);
        drop(server);
        // Its connections go with it, which the proxy's client may be told a moment later.
        while reqwest::get(&upstream).await.is_ok() {}
        unanswered(post(&proxy, "PutEvents", b""), plan.reached()).await;
        let plan = CrashPlan::new(Cut::Never);
        let proxy = CrashProxy::start("bus", &upstream, &plan).await;
        assert_eq!(post(&proxy, "PutEvents", b"").send().await.unwrap().status(), 502);
    }
}
