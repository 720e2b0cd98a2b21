//! API Gateway's HTTP API in front of any function: which one answers a request, the event it is handed, and what is made
//! of its answer (AWS, "Create AWS Lambda proxy integrations for HTTP APIs", payload format 2.0, read 2026-11).
//!
//! Knows no function from another: what is linked in and what is a program get the same event.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, anyhow, bail, ensure};
use axum::{
    Json,
    body::{Body, Bytes},
    extract::{ConnectInfo, Request},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{
            CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, SET_COOKIE, TRANSFER_ENCODING,
            UPGRADE, USER_AGENT,
        },
        request::Parts,
        uri::Authority,
    },
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use flock_aws::Clock;
use jiff::Timestamp;
use loopback::unheard;
use serde_json::{Map, Value, json};
use tokio::{
    sync::{mpsc::UnboundedSender, oneshot},
    task::JoinSet,
};

use crate::{
    dispatch::Invoked,
    functions::LocalFunction,
    template::{Method, Route},
};

/// API Gateway's longest integration and largest request, and what Lambda takes and returns (AWS, "Quotas for HTTP
/// APIs" and "Lambda quotas", 2026-11).
const LONGEST: Duration = Duration::from_secs(30);
const LARGEST_REQUEST: usize = 10 * 1024 * 1024;
const LARGEST_PAYLOAD: usize = 6 * 1024 * 1024;

/// Requests that are under way at once, with what was given up by who asked; more are turned away, as where an account
/// has no more concurrency. Fewer than a port has connections, so that the page beside them has some left.
const MOST_UNDER_WAY: usize = 32;

/// What is text to API Gateway, besides `text/...`; the body of anything else, and of what says nothing, is handed on as
/// Base64. AWS documents no list: this is what was seen there (github.com/ministackorg/ministack/pull/766, 2026-06), and
/// a form of Slack's comes as Base64, too (`infra/events/slash-command-http.json`).
const TEXTS: [&str; 3] = ["application/json", "application/javascript", "application/xml"];

/// All routes of the template, and what answers them.
#[derive(Debug, Clone)]
pub struct Routes {
    answering: Vec<(Route, Arc<LocalFunction>)>,
    failures: UnboundedSender<Invoked>,
    longest: Duration,
    // What whoever asked has not waited for goes on, as on AWS, and ends with the last of these.
    under_way: Arc<Mutex<JoinSet<()>>>,
}

/// How well a route fits a request; the greatest wins.
type Fit = (usize, usize, bool);

impl Routes {
    /// The routes of `functions`; what becomes of requests that are not handled goes to `failures`, too.
    pub(crate) fn new(
        functions: &[Arc<LocalFunction>],
        failures: UnboundedSender<Invoked>,
    ) -> Self {
        let answering = functions.iter().flat_map(|function| {
            let routes = function.definition.routes.iter();
            routes.map(|route| (route.clone(), Arc::clone(function)))
        });
        Self {
            answering: answering.collect(),
            failures,
            longest: LONGEST,
            under_way: Arc::default(),
        }
    }

    /// Answers a request as the function does that has the route, or as API Gateway does.
    pub async fn answer(self, request: Request) -> Response {
        // Hosts are whom API Gateway finds an API by, so that no function sees what cannot be one.
        let host = request.headers().get(HOST);
        if host.is_some_and(|host| !is_host(host.as_bytes())) {
            return gateway(StatusCode::BAD_REQUEST, "Bad Request");
        }
        let (method, path) = (request.method().as_str(), request.uri().path());
        let fitting = self
            .answering
            .iter()
            .filter_map(|(route, function)| Some((fit(route, method, path)?, route, function)));
        let Some((_, route, function)) = fitting.max_by_key(|(fit, ..)| *fit) else {
            return not_found();
        };
        let (parts, body) = request.into_parts();
        let too_large = || gateway(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        let Ok(body) = axum::body::to_bytes(body, LARGEST_REQUEST).await else {
            return too_large();
        };
        let event = event(route, &parts, &body, Clock::wall().now());
        if LARGEST_PAYLOAD < event.to_string().len() {
            return too_large();
        }
        let Some(answered) = self.invoke(Arc::clone(function), event) else {
            return gateway(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable");
        };
        match tokio::time::timeout(self.longest, answered).await {
            Ok(Ok(response)) => response,
            // It has failed, and said why elsewhere.
            Ok(Err(_)) => gateway(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
            Err(_) => gateway(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        }
    }

    /// Hands the event to the function, whether or not anybody waits for the answer. `None`: too many are under way.
    fn invoke(
        &self,
        function: Arc<LocalFunction>,
        event: Value,
    ) -> Option<oneshot::Receiver<Response>> {
        let (sender, receiver) = oneshot::channel();
        let failures = self.failures.clone();
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        while under_way.try_join_next().is_some() {}
        if MOST_UNDER_WAY <= under_way.len() {
            return None;
        }
        under_way.spawn(async move {
            let handled = function.handle(event).await;
            let answer = handled.and_then(|answer| response(&answer).context(NO_ANSWER));
            match answer {
                // Whoever asked may have gone.
                Ok(response) => drop(sender.send(response)),
                Err(err) => {
                    drop(sender);
                    let function = function.definition.logical_id.clone();
                    // Nobody listens any more only when the run is ending.
                    let invoked = Invoked { function, schedule: None, answer: Err(err) };
                    let _ = failures.send(invoked);
                }
            }
        });
        Some(receiver)
    }
}

/// Whether a request can be to that, with or without a port.
fn is_host(text: &[u8]) -> bool {
    let Ok(authority) = Authority::try_from(text) else { return false };
    let (host, whole) = (authority.host(), authority.as_str());
    !host.is_empty() && (host == whole || authority.port_u16().is_some()) && !whole.contains('@')
}

const NO_ANSWER: &str = "what it returned is no answer to a request";

/// What a function is handed for a request.
fn event(route: &Route, parts: &Parts, body: &Bytes, now: Timestamp) -> Value {
    let Parts { method, uri, headers, version, extensions, .. } = parts;
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
    let source_ip = peer.map_or_else(|| "127.0.0.1".to_owned(), |peer| peer.ip().to_string());
    let host = text(headers, &HOST).unwrap_or_default();
    let route_key = format!("{} {}", route.method, route.path);
    let path = decoded(uri.path());
    let mut event = json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": uri.query().unwrap_or_default(),
        "headers": passed_on(headers, &source_ip),
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "domainName": host,
            "domainPrefix": host.split(['.', ':']).next(),
            "http": {
                "method": method.as_str(),
                "path": path,
                "protocol": format!("{version:?}"),
                "sourceIp": source_ip,
                "userAgent": text(headers, &USER_AGENT).unwrap_or_default(),
            },
            "requestId": unheard(),
            "routeKey": route_key,
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": now.as_millisecond(),
        },
        "isBase64Encoded": false,
    });
    let mut cookies = Vec::new();
    for line in headers.get_all(COOKIE) {
        let line = String::from_utf8_lossy(line.as_bytes());
        let line = line.split(';').map(str::trim).filter(|cookie| !cookie.is_empty());
        cookies.extend(line.map(str::to_owned));
    }
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    let mut query: BTreeMap<String, String> = BTreeMap::new();
    for (key, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        join(&mut query, key.into_owned(), &value);
    }
    if !query.is_empty() {
        event["queryStringParameters"] = json!(query);
    }
    let parameters = parameters(route, uri.path());
    if !parameters.is_empty() {
        event["pathParameters"] = json!(parameters);
    }
    if !body.is_empty() {
        let kind = text(headers, &CONTENT_TYPE).unwrap_or_default();
        // What claims to be text and is none keeps its bytes.
        if let Some(text) = std::str::from_utf8(body).ok().filter(|_| is_text(&kind)) {
            event["body"] = json!(text);
        } else {
            event["body"] = json!(BASE64_STANDARD.encode(body));
            event["isBase64Encoded"] = json!(true);
        }
    }
    event
}

/// The headers a function sees, in lower case, those of one name joined.
fn passed_on(headers: &HeaderMap, source_ip: &str) -> BTreeMap<String, String> {
    let mut passed_on = BTreeMap::new();
    // What is between two connections alone; and cookies have a field of their own.
    let kept =
        |name: &&HeaderName| ![&CONNECTION, &TRANSFER_ENCODING, &UPGRADE, &COOKIE].contains(name);
    for name in headers.keys().filter(kept) {
        for value in headers.get_all(name) {
            join(&mut passed_on, name.to_string(), &String::from_utf8_lossy(value.as_bytes()));
        }
    }
    join(&mut passed_on, "x-forwarded-for".to_owned(), source_ip);
    passed_on.insert("x-forwarded-proto".to_owned(), "http".to_owned());
    let port = passed_on.get("host").and_then(|host| host.rsplit_once(':'));
    let port = port.map_or_else(|| "80".to_owned(), |(_, port)| port.to_owned());
    passed_on.insert("x-forwarded-port".to_owned(), port);
    let trace = unheard();
    let (begun, id) = trace.split_at(8);
    passed_on.entry("x-amzn-trace-id".to_owned()).or_insert_with(|| format!("Root=1-{begun}-{id}"));
    passed_on
}

fn join(values: &mut BTreeMap<String, String>, key: String, value: &str) {
    values
        .entry(key)
        .and_modify(|values| *values = format!("{values},{value}"))
        .or_insert_with(|| value.to_owned());
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    Some(String::from_utf8_lossy(headers.get(name)?.as_bytes()).into_owned())
}

fn is_text(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.starts_with("text/") || TEXTS.contains(&kind.as_str())
}

/// API Gateway hands paths on without their percent signs
/// (github.com/middleapi/standard-server/pull/93, read 2026-11).
fn decoded(path: &str) -> String {
    // A plus is a plus in a path.
    let pair = format!("={}", path.replace('+', "%2B").replace('&', "%26"));
    let mut parsed = form_urlencoded::parse(pair.as_bytes());
    parsed.next().map_or_else(String::new, |(_, path)| path.into_owned())
}

/// What stands in a path where the route has names.
fn parameters(route: &Route, path: &str) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::new();
    let mut rest = path;
    for wanted in route.path.split('/') {
        let name = wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
        if let Some(name) = name.and_then(|name| name.strip_suffix('+')) {
            parameters.insert(name.to_owned(), decoded(rest));
            break;
        }
        let (part, after) = rest.split_once('/').unwrap_or((rest, ""));
        if let Some(name) = name {
            parameters.insert(name.to_owned(), decoded(part));
        }
        rest = after;
    }
    parameters
}

/// What whoever asked is told of a function's answer. One without `statusCode` is the body itself.
fn response(answer: &Value) -> anyhow::Result<Response> {
    let length = answer.to_string().len();
    ensure!(length <= LARGEST_PAYLOAD, "it has {length} bytes, more than the 6 MB Lambda takes");
    let body = match answer {
        Value::Object(answer) if answer.contains_key("statusCode") => return formed(answer),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
}

fn formed(answer: &Map<String, Value>) -> anyhow::Result<Response> {
    let status = match &answer["statusCode"] {
        Value::String(text) => text.parse().ok(),
        status => status.as_u64().and_then(|status| u16::try_from(status).ok()),
    };
    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
    let status = status.filter(|status| 200 <= status.as_u16());
    let status = status.ok_or_else(|| anyhow!("`statusCode` is {}", answer["statusCode"]))?;
    let nothing = Value::Null;
    let field = |name: &str| answer.get(name).unwrap_or(&nothing);
    let body = match field("body") {
        Value::Null => Bytes::new(),
        Value::String(text) if *field("isBase64Encoded") == Value::Bool(true) => {
            BASE64_STANDARD.decode(text).context("`body` is not Base64")?.into()
        }
        Value::String(text) => text.clone().into(),
        _ => bail!("`body` is not text"),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let given = field("headers");
    ensure!(given.is_null() || given.is_object(), "`headers` is not an object");
    for (name, value) in given.as_object().into_iter().flatten() {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => bail!("the header {name} is not text"),
        };
        let name: HeaderName = name.parse().with_context(|| format!("the header {name}"))?;
        let value = HeaderValue::from_str(&value).with_context(|| format!("the header {name}"))?;
        // How it is sent is the connection's affair.
        if ![CONNECTION, TRANSFER_ENCODING, CONTENT_LENGTH, UPGRADE].contains(&name) {
            headers.append(name, value);
        }
    }
    let cookies = field("cookies");
    ensure!(cookies.is_null() || cookies.is_array(), "`cookies` is not a list");
    for cookie in cookies.as_array().into_iter().flatten() {
        let cookie = cookie.as_str().context("a cookie is not text")?;
        headers.append(SET_COOKIE, HeaderValue::from_str(cookie).context("a cookie")?);
    }
    headers
        .entry(CONTENT_TYPE)
        .or_insert_with(|| HeaderValue::from_static("text/plain;charset=UTF-8"));
    Ok(response)
}

/// What API Gateway says where there is nothing.
pub fn not_found() -> Response {
    gateway(StatusCode::NOT_FOUND, "Not Found")
}

fn gateway(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}

/// Whether `route` is for such a request: parts that are written out, then parts with a name count most, then
/// a method of its own.
fn fit(route: &Route, method: &str, path: &str) -> Option<Fit> {
    if route.method != Method::Any && route.method.as_str() != method {
        return None;
    }
    let (mut exact, mut named) = (0, 0);
    let mut parts = path.split('/');
    for wanted in route.path.split('/') {
        if wanted.ends_with("+}") {
            // It takes at least one part.
            parts.next()?;
            return Some((exact, named, route.method != Method::Any));
        }
        let part = parts.next()?;
        if wanted.starts_with('{') && !part.is_empty() {
            named += 1;
        } else if wanted == part {
            exact += 1;
        } else {
            return None;
        }
    }
    // What is written to its end beats what takes the rest.
    parts.next().is_none().then_some((exact, named + 1, route.method != Method::Any))
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, time::SystemTime};

    use flock_aws::{Function, Reader, SdkConfig};
    use loopback::Token;
    use proptest::prelude::*;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::{
        dispatch::Dispatcher,
        functions::{Around, Linked, Variables},
        services::LocalCloud,
        template::Template,
    };

    #[track_caller]
    fn check(routes: &[&str], request: &str, expected: Option<&str>) {
        let (method, path) = request.split_once(' ').expect("a method and a path");
        let routes = routes.iter().map(|key| {
            let (method, path) = key.split_once(' ').expect("a method and a path");
            let method = Method::parse(method).expect("a method");
            (Route { method, path: path.to_owned(), line: 1 }, *key)
        });
        let found = routes.filter_map(|(route, key)| Some((fit(&route, method, path)?, key)));
        assert_eq!(found.max().map(|(_, key)| key), expected, "{request}");
    }

    fn get(path: &str) -> Request {
        Request::get(path).header("host", "127.0.0.1:4280").body(Body::empty()).unwrap()
    }

    /// What a function is handed, without what is different each time.
    async fn handed(key: &str, request: Request) -> Value {
        let (method, path) = key.split_once(' ').unwrap();
        let route = Route { method: Method::parse(method).unwrap(), path: path.into(), line: 1 };
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        let now = "2026-11-21T10:10:06Z".parse().unwrap();
        let mut event = event(&route, &parts, &body, now);
        for id in ["/requestContext/requestId", "/headers/x-amzn-trace-id"] {
            let id = event.pointer_mut(id).unwrap();
            assert!(32 <= id.as_str().unwrap().len(), "{id}");
            *id = json!("ID");
        }
        event
    }

    #[tokio::test]
    async fn a_request_is_handed_on_as_api_gateway_does() {
        let request = Request::post("/rooms/c%C3%B4te%20d/a/b?x=1&y=a%20b&x=2")
            .header("host", "127.0.0.1:4280")
            .header("X-Twice", "one")
            .header("x-twice", "two")
            .header("cookie", "a=1; b=2")
            .header("cookie", "c=3")
            .header("connection", "keep-alive")
            .header("user-agent", "curl")
            .header("content-type", "text/plain; charset=utf-8")
            .body(Body::from("a body"))
            .unwrap();
        let event = handed("ANY /rooms/{room}/{rest+}", request).await;
        insta::assert_snapshot!(serde_json::to_string_pretty(&event).unwrap(), @r#"
        {
          "body": "a body",
          "cookies": [
            "a=1",
            "b=2",
            "c=3"
          ],
          "headers": {
            "content-type": "text/plain; charset=utf-8",
            "host": "127.0.0.1:4280",
            "user-agent": "curl",
            "x-amzn-trace-id": "ID",
            "x-forwarded-for": "127.0.0.1",
            "x-forwarded-port": "4280",
            "x-forwarded-proto": "http",
            "x-twice": "one,two"
          },
          "isBase64Encoded": false,
          "pathParameters": {
            "rest": "a/b",
            "room": "côte d"
          },
          "queryStringParameters": {
            "x": "1,2",
            "y": "a b"
          },
          "rawPath": "/rooms/côte d/a/b",
          "rawQueryString": "x=1&y=a%20b&x=2",
          "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "domainName": "127.0.0.1:4280",
            "domainPrefix": "127",
            "http": {
              "method": "POST",
              "path": "/rooms/côte d/a/b",
              "protocol": "HTTP/1.1",
              "sourceIp": "127.0.0.1",
              "userAgent": "curl"
            },
            "requestId": "ID",
            "routeKey": "ANY /rooms/{room}/{rest+}",
            "stage": "$default",
            "time": "21/Nov/2026:10:10:06 +0000",
            "timeEpoch": 1795255806000
          },
          "routeKey": "ANY /rooms/{room}/{rest+}",
          "version": "2.0"
        }
        "#);
        let event = handed("GET /", get("/")).await;
        for absent in ["body", "cookies", "queryStringParameters", "pathParameters"] {
            assert_eq!(event.get(absent), None);
        }
        assert_eq!(
            (&event["isBase64Encoded"], &event["rawQueryString"]),
            (&json!(false), &json!(""))
        );
    }

    /// The body of a request whose content is of this kind, and whether it is Base64.
    async fn body(kind: &str, body: &[u8]) -> (String, bool) {
        let mut request = Request::post("/");
        if !kind.is_empty() {
            request = request.header("content-type", kind);
        }
        let event = handed("POST /", request.body(Body::from(body.to_vec())).unwrap()).await;
        let is_base64 = event["isBase64Encoded"].as_bool().unwrap();
        (event["body"].as_str().unwrap_or_default().to_owned(), is_base64)
    }

    #[tokio::test]
    async fn text_is_what_api_gateway_takes_for_text() {
        for kind in
            ["text/plain", "Text/HTML", "application/json; charset=utf-8", "application/xml"]
        {
            assert_eq!(body(kind, b"{}").await, ("{}".to_owned(), false), "{kind}");
        }
        for kind in
            ["", "application/x-www-form-urlencoded", "image/png", "application/ld+json", "text"]
        {
            assert_eq!(body(kind, b"{}").await, ("e30=".to_owned(), true), "{kind}");
        }
        assert_eq!(body("text/plain", b"\xff").await, ("/w==".to_owned(), true));
    }

    proptest! {
        /// What Slack has signed can be checked.
        #[test]
        fn no_byte_of_a_body_is_lost(
            sent in prop::collection::vec(any::<u8>(), 0..200),
            kind in prop::sample::select(vec!["text/plain", "application/json", "application/x-www-form-urlencoded", ""]),
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (text, is_base64) = runtime.block_on(body(kind, &sent));
            let had = if is_base64 { BASE64_STANDARD.decode(text).unwrap() } else { text.into_bytes() };
            prop_assert_eq!(had, sent);
        }

        /// Whatever a function returns, whoever asked is answered, or it is said what is wrong with it.
        #[test]
        fn any_answer_is_one_or_is_refused(
            status in prop::sample::select(vec!["200", "\"404\"", "7", "1000", "null", "\"ok\"", "-1", "2.5"]),
            header in "[ -~]{0,12}",
            value in any::<String>(),
            coded in any::<bool>(),
        ) {
            let status: Value = serde_json::from_str(status).unwrap();
            let answer = json!({
                "statusCode": status, "headers": { header: &value }, "cookies": [&value], "body": &value,
                "isBase64Encoded": coded,
            });
            if let Err(err) = response(&answer) {
                let why = format!("{err:#}");
                prop_assert!(!why.is_empty());
            }
        }
    }

    #[tokio::test]
    async fn an_answer_becomes_a_response() {
        let told = async |answer: Value| match response(&answer) {
            Err(err) => format!("{err:#}"),
            Ok(response) => {
                let (parts, body) = response.into_parts();
                let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
                let headers =
                    parts.headers.iter().map(|(name, value)| format!("{name}: {value:?}; "));
                let headers: String = headers.collect();
                format!("{} {headers}{}", parts.status.as_u16(), String::from_utf8_lossy(&body))
            }
        };
        let mut lines = Vec::new();
        for answer in [
            json!({ "flocks": 2 }),
            json!("hello"),
            json!(null),
            json!({ "statusCode": 204 }),
            json!({ "statusCode": "404", "body": "no" }),
            json!({ "statusCode": 200, "headers": { "Content-Type": "image/png", "X-Count": 3, "content-length": "99" }, "body": "aGk=", "isBase64Encoded": true }),
            json!({ "statusCode": 302, "headers": { "location": "/" }, "cookies": ["a=1; Secure", "b=2"] }),
            json!({ "statusCode": 200, "body": { "a": 1 } }),
            json!({ "statusCode": 200, "body": "?", "isBase64Encoded": true }),
            json!({ "statusCode": 99 }),
            json!({ "statusCode": null }),
            json!({ "statusCode": 200, "headers": ["a"] }),
            json!({ "statusCode": 200, "headers": { "a b": "c" } }),
            json!({ "statusCode": 200, "headers": { "a": "b\nc: d" } }),
            json!({ "statusCode": 200, "cookies": "a=1" }),
            json!({ "statusCode": 200, "body": "x".repeat(LARGEST_PAYLOAD) }),
        ] {
            lines.push(told(answer).await);
        }
        insta::assert_snapshot!(lines.join("\n"), @r#"
        200 content-type: "application/json"; {"flocks":2}
        200 content-type: "application/json"; hello
        200 content-type: "application/json"; null
        204 content-type: "text/plain;charset=UTF-8"; 
        404 content-type: "text/plain;charset=UTF-8"; no
        200 content-type: "image/png"; x-count: "3"; hi
        302 location: "/"; set-cookie: "a=1; Secure"; set-cookie: "b=2"; content-type: "text/plain;charset=UTF-8"; 
        `body` is not text
        `body` is not Base64: Invalid symbol 63, offset 0.
        `statusCode` is 99
        `statusCode` is null
        `headers` is not an object
        the header a b: invalid HTTP header name
        the header a: failed to parse header value
        `cookies` is not a list
        it has 6291484 bytes, more than the 6 MB Lambda takes
        "#);
    }

    /// Does what its requests say.
    #[derive(Debug)]
    struct Obedient;

    /// Lets one that waits go on, and tells that it did.
    static MAY_GO_ON: Semaphore = Semaphore::const_new(0);
    static WENT_ON: Semaphore = Semaphore::const_new(0);

    impl Function for Obedient {
        const NAME: &'static str = "obedient";

        type Settings = String;
        type Error = anyhow::Error;

        fn settings(reader: &mut Reader<'_>) -> String {
            reader.required("TABLE_NAME")
        }

        async fn start(_: String, _: &SdkConfig, _: Clock) -> anyhow::Result<Self> {
            Ok(Self)
        }

        async fn handle(&self, event: Value, _: SystemTime) -> anyhow::Result<Value> {
            match event["pathParameters"]["what"].as_str() {
                Some("fail") => Err(anyhow!("as I was told")),
                Some("panic") => panic!("as I was told"),
                Some("garble") => Ok(json!({ "statusCode": "what" })),
                Some("wait") => {
                    MAY_GO_ON.acquire().await?.forget();
                    WENT_ON.add_permits(1);
                    Ok(json!("late"))
                }
                what => Ok(json!({ "statusCode": 200, "body": what })),
            }
        }
    }

    const TEMPLATE: &str = "
Transform: AWS::Serverless-2016-10-31
Resources:
  Bus: { Type: AWS::Events::EventBus }
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{ AttributeName: pk, AttributeType: S }]
      KeySchema: [{ AttributeName: pk, KeyType: HASH }]
  Obedient:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: rust-cargolambda, BuildProperties: { Binary: obedient } }
    Properties:
      CodeUri: functions/obedient
      Timeout: 60
      Environment: { Variables: { TABLE_NAME: !Ref Table } }
  Api: { Type: AWS::ApiGatewayV2::Api, Properties: { Name: a, ProtocolType: HTTP } }
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties: { ApiId: !Ref Api, IntegrationType: AWS_PROXY, IntegrationUri: !GetAtt Obedient.Arn, PayloadFormatVersion: '2.0' }
  Route:
    Type: AWS::ApiGatewayV2::Route
    Properties: { ApiId: !Ref Api, RouteKey: 'ANY /{what}', Target: !Sub 'integrations/${Integration}' }
";

    async fn dispatcher() -> (Dispatcher, LocalCloud) {
        let database = dynoxide::Database::memory().unwrap();
        let (cloud, events) =
            LocalCloud::start(database, HashMap::new(), Token::new(), "no").await.unwrap();
        let around = Around {
            linked: &[Linked::of::<Obedient>()],
            cloud: &cloud,
            clock: &Clock::wall(),
            variables: Variables { name: "local", ..Variables::default() },
            log: None,
        };
        let mut started = Vec::new();
        for function in Template::parse(TEMPLATE).unwrap().functions {
            started.push(LocalFunction::start(function, None, &around).await.unwrap());
        }
        (Dispatcher::new(started, events), cloud)
    }

    async fn asked(routes: &Routes, path: &str) -> (u16, String) {
        let response = routes.clone().answer(get(path)).await;
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn failures_are_told_to_both_sides() {
        let (mut dispatcher, _cloud) = dispatcher().await;
        let routes = dispatcher.routes();
        assert_eq!(asked(&routes, "/sing").await, (200, "sing".to_owned()));
        for (what, why) in [
            ("fail", "as I was told"),
            ("panic", "it panicked; standard error says where"),
            ("garble", "what it returned is no answer to a request: `statusCode` is \"what\""),
        ] {
            let said = r#"{"message":"Internal Server Error"}"#.to_owned();
            assert_eq!(asked(&routes, &format!("/{what}")).await, (500, said), "{what}");
            let Invoked { function, schedule, answer } = dispatcher.next().await;
            assert_eq!((function.as_str(), schedule), ("Obedient", None));
            assert_eq!(format!("{:#}", answer.unwrap_err()), why);
        }
        let large = Request::post("/sing").body(Body::from(vec![b'x'; LARGEST_REQUEST + 1]));
        let large = routes.clone().answer(large.unwrap()).await;
        assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
        // Base64 is a third longer.
        let large = Request::post("/sing").body(Body::from(vec![b'x'; LARGEST_PAYLOAD - 1_000]));
        let large = routes.clone().answer(large.unwrap()).await;
        assert_eq!(large.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test]
    async fn who_waits_too_long_is_told_so_and_the_function_goes_on() {
        let (dispatcher, _cloud) = dispatcher().await;
        let routes = Routes { longest: Duration::from_millis(1), ..dispatcher.routes() };
        let said = r#"{"message":"Service Unavailable"}"#.to_owned();
        assert_eq!(asked(&routes, "/wait").await, (503, said));
        MAY_GO_ON.add_permits(1);
        WENT_ON.acquire().await.unwrap().forget();
    }

    #[test]
    fn the_closest_route_answers() {
        let routes = [
            "POST /slack/commands",
            "ANY /slack/commands",
            "GET /{room}",
            "GET /a/{proxy+}",
            "GET /a/{id}",
            "GET /a/b",
            "ANY /{proxy+}",
        ];
        check(&routes, "POST /slack/commands", Some("POST /slack/commands"));
        check(&routes, "PUT /slack/commands", Some("ANY /slack/commands"));
        check(&routes, "GET /a/b", Some("GET /a/b"));
        check(&routes, "GET /a/c", Some("GET /a/{id}"));
        check(&routes, "GET /a/c/d", Some("GET /a/{proxy+}"));
        check(&routes, "GET /x", Some("GET /{room}"));
        check(&routes, "POST /x", Some("ANY /{proxy+}"));
        check(&routes[..6], "GET /", None);
        check(&routes[..6], "POST /slack/commands/", None);
        check(&routes[..6], "POST /Slack/commands", None);
        check(&routes[..1], "GET /slack/commands", None);
        check(&routes[3..4], "GET /a", None);
    }
}
