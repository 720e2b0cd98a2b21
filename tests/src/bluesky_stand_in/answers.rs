//! What the PDS answers with, and which of its limits it tells of.

use axum::{
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// An answer, and how much of which limit is left.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Value,
    pub(super) limit: Option<Limit>,
}

/// `most` requests in `window`, of which `left` are left until `reset`.
pub(super) struct Limit {
    pub(super) most: usize,
    pub(super) window: SignedDuration,
    pub(super) left: usize,
    pub(super) reset: Timestamp,
}

impl Answer {
    pub(super) fn into_response(self) -> Response {
        let content_type = [(CONTENT_TYPE, "application/json; charset=utf-8")];
        let mut response = (self.status, content_type, self.body.to_string()).into_response();
        if let Some(limit) = self.limit {
            let headers = response.headers_mut();
            let policy = format!("{};w={}", limit.most, limit.window.as_secs());
            headers.insert("ratelimit-limit", limit.most.into());
            headers.insert("ratelimit-remaining", limit.left.into());
            headers.insert("ratelimit-reset", limit.reset.as_second().into());
            headers.insert("ratelimit-policy", policy.parse().expect("digits and letters"));
        }
        response
    }
}

/// The limit of which least is left; each is a number of requests and of minutes.
pub(super) fn narrowest(times: &[Timestamp], now: Timestamp, limits: &[(usize, i64)]) -> Limit {
    let limits = limits.iter().map(|(most, minutes)| {
        let window = SignedDuration::from_mins(*minutes);
        let recent = times.iter().filter(|time| now.duration_since(**time) < window);
        let left = most.saturating_sub(recent.clone().count());
        let from = recent.min().copied().unwrap_or(now);
        let reset = from.saturating_add(window).expect("a duration of minutes");
        Limit { most: *most, window, left, reset }
    });
    limits.min_by_key(|limit| limit.left).expect("there is a limit")
}

pub(super) fn text(input: &Value, name: &str) -> Result<String, Answer> {
    let value = input[name].as_str().map(ToOwned::to_owned);
    value.ok_or_else(|| {
        bad_request("InvalidRequest", &format!("Input must have the property \"{name}\""))
    })
}

pub(super) fn ok(body: Value) -> Answer {
    Answer { status: StatusCode::OK, body, limit: None }
}

pub(super) fn error(status: StatusCode, name: &str, message: &str) -> Answer {
    Answer { status, body: json!({ "error": name, "message": message }), limit: None }
}

pub(super) fn bad_request(name: &str, message: &str) -> Answer {
    error(StatusCode::BAD_REQUEST, name, message)
}

pub(super) fn too_many() -> Answer {
    error(StatusCode::TOO_MANY_REQUESTS, "RateLimitExceeded", "Rate Limit Exceeded")
}

pub(super) fn internal_error() -> Answer {
    let message = "Internal Server Error";
    error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", message)
}
