//! What X answers with when it is not success, in each of its shapes.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};
use jiff::Timestamp;
use serde_json::{Value, json};

/// An answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) content_type: &'static str,
    pub(super) body: Value,
    pub(super) headers: Vec<(&'static str, String)>,
}

/// An answer other than success.
pub(super) struct Refusal(pub(super) Answer);

impl Answer {
    pub(super) fn new(status: StatusCode, body: Value) -> Self {
        let content_type = "application/json; charset=utf-8";
        Self { status, content_type, body, headers: Vec::new() }
    }

    pub(super) fn problem(status: StatusCode, body: Value) -> Self {
        Self { content_type: "application/problem+json", ..Self::new(status, body) }
    }

    pub(super) fn response(&self) -> Response {
        let content_type = [(CONTENT_TYPE, self.content_type)];
        // What is no JSON is text.
        let body = self.body.as_str().map_or_else(|| self.body.to_string(), ToOwned::to_owned);
        let mut response = (self.status, content_type, body).into_response();
        for (name, value) in &self.headers {
            let value = HeaderValue::from_str(value).expect("a number is ASCII");
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
        response
    }
}

/// An id in a request.
pub(super) fn id(name: &str, value: &str) -> Result<u64, Refusal> {
    let is_id = (1..=19).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
    let id = value.parse().ok().filter(|_| is_id);
    id.ok_or_else(|| invalid(&format!("{name} is not an id: [{value}]")))
}

pub(super) fn limit_headers(
    limit: u32,
    left: u32,
    reset: Timestamp,
) -> [(&'static str, String); 3] {
    [
        ("x-rate-limit-limit", limit.to_string()),
        ("x-rate-limit-remaining", left.to_string()),
        ("x-rate-limit-reset", reset.as_second().to_string()),
    ]
}

pub(super) fn problem(status: StatusCode, detail: &str) -> Refusal {
    let title = status.canonical_reason().unwrap_or_default();
    Refusal(Answer::problem(
        status,
        json!({
            "detail": detail,
            "type": "about:blank",
            "title": title,
            "status": status.as_u16(),
        }),
    ))
}

/// The shape of v1.1, which v2 still answers with here and there.
pub(super) fn coded(status: StatusCode, code: u16, message: &str) -> Refusal {
    let body = json!({ "errors": [{ "code": code, "message": message }] });
    Refusal(Answer::new(status, body))
}

pub(super) fn too_many(limit: u32, reset: Option<Timestamp>) -> Refusal {
    let Refusal(mut answer) = problem(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
    answer.headers.extend(reset.into_iter().flat_map(|reset| limit_headers(limit, 0, reset)));
    Refusal(answer)
}

pub(super) fn code_88(limit: u32, reset: Option<Timestamp>) -> Refusal {
    let Refusal(mut answer) = coded(StatusCode::TOO_MANY_REQUESTS, 88, "Rate limit exceeded");
    answer.headers.extend(reset.into_iter().flat_map(|reset| limit_headers(limit, 0, reset)));
    Refusal(answer)
}

pub(super) fn unauthorized() -> Refusal {
    problem(StatusCode::UNAUTHORIZED, "Unauthorized")
}

pub(super) fn internal_error() -> Answer {
    let detail = "Something is broken. This is usually temporary.";
    let Refusal(answer) = problem(StatusCode::INTERNAL_SERVER_ERROR, detail);
    answer
}

pub(super) fn invalid(message: &str) -> Refusal {
    Refusal(Answer::problem(
        StatusCode::BAD_REQUEST,
        json!({
            "errors": [{ "parameters": {}, "message": message }],
            "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": "https://api.x.com/2/problems/invalid-request",
        }),
    ))
}

pub(super) fn unknown_parameter(name: &str) -> Refusal {
    invalid(&format!("the query parameter [{name}] is not one of those there are"))
}

pub(super) fn no_such(what: &str, id: &str) -> Value {
    json!({
        "value": id,
        "detail": format!("Could not find {what} with id: [{id}]."),
        "title": "Not Found Error",
        "resource_type": what,
        "parameter": "id",
        "resource_id": id,
        "type": "https://api.x.com/2/problems/resource-not-found",
    })
}
