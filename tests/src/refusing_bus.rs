//! A bus that does not take every event of a request: it says so of each, with status 200, as EventBridge does (AWS, "Sending events
//! with `PutEvents`", 2026-11).

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Json, Router,
    body::{Bytes, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use crate::server::Server;

/// Why an event of this number in its request is not taken, if it is not.
type Refuse = dyn FnMut(usize, &Value) -> Option<&'static str> + Send;

/// A server before the services of AWS: it refuses events as it is told, and hands on everything else.
#[derive(Debug)]
pub struct RefusingBus {
    server: Server,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: String,
    http: reqwest::Client,
    refuse: Mutex<Box<Refuse>>,
    requests: Mutex<Vec<Vec<Value>>>,
}

impl RefusingBus {
    /// Starts it before `upstream` (`http://host:port`); of each event that is asked for, `refuse` says what is said of it.
    pub async fn start(
        upstream: &str,
        refuse: impl FnMut(usize, &Value) -> Option<&'static str> + Send + 'static,
    ) -> Self {
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build();
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            http: http.expect("the settings are constant"),
            refuse: Mutex::new(Box::new(refuse)),
            requests: Mutex::default(),
        });
        let router = Router::new().fallback(handle).with_state(Arc::clone(&shared));
        Self { server: Server::start(router).await, shared }
    }

    /// Its address, to use in place of the upstream's.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The details of the events of each request so far, whether they were taken or not.
    pub fn requests(&self) -> Vec<Vec<Value>> {
        self.shared.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("upstream", &self.upstream).finish_non_exhaustive()
    }
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let asks = head.headers.get("x-amz-target").is_some_and(|asks| asks == "AWSEvents.PutEvents");
    let mut headers = head.headers;
    headers.remove(header::CONTENT_LENGTH);
    let forward = async |body: Bytes| {
        let request = shared.http.post(&shared.upstream).headers(headers.clone()).body(body);
        let answer = request.send().await.expect("the services are there");
        (answer.status(), answer.bytes().await.expect("they answer"))
    };
    if !asks {
        return forward(body).await.into_response();
    }
    let asked: Value = serde_json::from_slice(&body).expect("the SDK writes JSON");
    let entries = asked["Entries"].as_array().cloned().unwrap_or_default();
    let details = entries.iter().map(|entry| {
        serde_json::from_str(entry["Detail"].as_str().unwrap_or("{}")).expect("details are JSON")
    });
    let details: Vec<Value> = details.collect();
    let codes: Vec<_> = {
        let mut refuse = shared.refuse.lock().unwrap_or_else(PoisonError::into_inner);
        details.iter().enumerate().map(|(number, detail)| refuse(number, detail)).collect()
    };
    shared.requests.lock().unwrap_or_else(PoisonError::into_inner).push(details);
    let taken = entries.iter().zip(&codes).filter(|(_, code)| code.is_none());
    let taken: Vec<_> = taken.map(|(entry, _)| entry).collect();
    if !taken.is_empty() {
        let (status, _) = forward(Bytes::from(json!({ "Entries": taken }).to_string())).await;
        assert_eq!(status, StatusCode::OK, "the bus takes them");
    }
    let results = codes.iter().map(|code| match code {
        Some(code) => json!({ "ErrorCode": code, "ErrorMessage": "not now" }),
        None => json!({ "EventId": "1" }),
    });
    let results: Vec<_> = results.collect();
    let failed = codes.iter().flatten().count();
    Json(json!({ "FailedEntryCount": failed, "Entries": results })).into_response()
}
