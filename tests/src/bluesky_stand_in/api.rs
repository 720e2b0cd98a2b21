//! How a request becomes an answer: by what a test has told the PDS to do, or by its work.

use std::{
    collections::HashMap,
    convert::Infallible,
    future::pending,
    sync::{Arc, MutexGuard, PoisonError},
};

use axum::{
    body::{Body, Bytes},
    extract::{Path, Query, State},
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_TYPE, LOCATION},
    },
    response::{IntoResponse as _, Response},
};
use futures_util::stream;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{
    Pds, Shared,
    answers::{Answer, Limit, bad_request, error, internal_error, ok, too_many},
    faults::BlueskyMisbehave,
};

/// A request without what makes it HTTP.
pub(super) struct Call<'a> {
    pub(super) method: &'a str,
    pub(super) query: &'a HashMap<String, String>,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a Bytes,
}

pub(super) async fn handle(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let method = name.rsplit('.').next().unwrap_or_default();
    let misbehave = {
        let mut state = shared.state();
        state.requests.push(method.to_owned());
        let next = state.misbehave.iter().position(|(of, _)| of == method);
        next.and_then(|index| state.misbehave.remove(index)).map(|(_, misbehave)| misbehave)
    };
    let call = Call { method, query: &query, headers: &headers, body: &body };
    let work = || shared.answer(&call);
    match misbehave {
        None => work().into_response(),
        Some(BlueskyMisbehave::AcceptThen500) => match work() {
            Answer { status, .. } if status.is_success() => internal_error().into_response(),
            refused => refused.into_response(),
        },
        Some(BlueskyMisbehave::AcceptThenSilence) => match work() {
            Answer { status, .. } if status.is_success() => pending().await,
            refused => refused.into_response(),
        },
        Some(BlueskyMisbehave::AcceptThen(foreign)) => match work() {
            Answer { status, .. } if status.is_success() => foreign.response(),
            refused => refused.into_response(),
        },
        Some(BlueskyMisbehave::Refuse500) => internal_error().into_response(),
        Some(BlueskyMisbehave::RateLimited { reset }) => {
            let limit = reset.map(|reset| Limit {
                most: 5_000,
                window: SignedDuration::from_hours(1),
                left: 0,
                reset,
            });
            Answer { limit, ..too_many() }.into_response()
        }
        Some(BlueskyMisbehave::Unauthorized) => {
            error(StatusCode::UNAUTHORIZED, "AuthMissing", "Authentication Required")
                .into_response()
        }
        Some(BlueskyMisbehave::Html) => {
            let page = "<!doctype html><title>Bluesky</title><p>Something went wrong.</p>\n";
            ([(CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
        }
        Some(BlueskyMisbehave::Endless) => {
            let chunk = Bytes::from_static(&[b' '; 16 * 1024]);
            let body = stream::repeat(Ok::<_, Infallible>(chunk));
            ([(CONTENT_TYPE, "application/json")], Body::from_stream(body)).into_response()
        }
        Some(BlueskyMisbehave::Redirect(to)) => {
            (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, to)]).into_response()
        }
    }
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, Pds> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, call: &Call<'_>) -> Answer {
        let mut state = self.state();
        let result = match call.method {
            "describeServer" => Ok(ok(json!({
                "did": "did:web:pds.test",
                "availableUserDomains": [".test"],
                "inviteCodeRequired": false,
                "links": {},
                "contact": {},
            }))),
            "createSession" => state.create_session(call),
            "refreshSession" => state.refresh_session(call),
            "getSession" => state.get_session(call),
            "createRecord" | "putRecord" => state.write_record(call),
            "deleteRecord" => state.delete_record(call),
            "getRecord" => state.get_record(call),
            "listRecords" => state.list_records(call),
            "uploadBlob" => state.upload_blob(call),
            "resolveHandle" => state.resolve_handle(call),
            _ => Err(error(StatusCode::NOT_IMPLEMENTED, "MethodNotImplemented", "Not Found")),
        };
        result.unwrap_or_else(|refusal| refusal)
    }
}

impl Call<'_> {
    pub(super) fn input(&self) -> Result<Value, Answer> {
        let content_type = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !content_type.is_some_and(|value| value.starts_with("application/json")) {
            let message = "Wrong request encoding (Content-Type)";
            return Err(bad_request("InvalidRequest", message));
        }
        serde_json::from_slice(self.body)
            .map_err(|err| bad_request("InvalidRequest", &err.to_string()))
    }

    pub(super) fn parameter(&self, name: &str) -> Result<&str, Answer> {
        let value = self.query.get(name).map(String::as_str);
        value.ok_or_else(|| {
            bad_request(
                "InvalidRequest",
                &format!("Error: Params must have the property \"{name}\""),
            )
        })
    }
}
