//! What the instance answers with when it is not success, and how it writes a time.

use axum::{
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde_json::{Value, json};

/// An answer other than success.
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) error: String,
}

/// As `RateLimitHeaders` writes it, with microseconds.
pub(super) fn iso8601(at: Timestamp) -> String {
    format!("{at:.6}")
}

pub(super) fn json_response(body: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json; charset=utf-8")], body.to_string()).into_response()
}

pub(super) fn page(status: StatusCode, title: &str) -> Response {
    let page = format!("<!doctype html><title>{title}</title><p>{title}</p>\n");
    (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

pub(super) fn internal_error() -> Response {
    let page = "<!doctype html><title>We're sorry, but something went wrong (500)</title>\n";
    let content_type = [(CONTENT_TYPE, "text/html; charset=utf-8")];
    (StatusCode::INTERNAL_SERVER_ERROR, content_type, page).into_response()
}

pub(super) fn too_many(limit: usize, reset: Option<Timestamp>) -> Response {
    let refusal = refusal(StatusCode::TOO_MANY_REQUESTS, "Too many requests");
    let mut response = refusal.into_response();
    if let Some(reset) = reset {
        let headers = response.headers_mut();
        headers.insert("x-ratelimit-limit", limit.into());
        headers.insert("x-ratelimit-remaining", 0.into());
        headers.insert("x-ratelimit-reset", iso8601(reset).try_into().expect("it is ASCII"));
    }
    response
}

pub(super) fn refusal(status: StatusCode, error: &str) -> Refusal {
    Refusal { status, error: error.to_owned() }
}

pub(super) fn not_found() -> Refusal {
    refusal(StatusCode::NOT_FOUND, "Record not found")
}

pub(super) fn unprocessable(error: &str) -> Refusal {
    refusal(StatusCode::UNPROCESSABLE_ENTITY, error)
}

pub(super) fn disabled() -> Refusal {
    refusal(StatusCode::FORBIDDEN, "Your login is currently disabled")
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, json_response(&json!({ "error": self.error }))).into_response()
    }
}
