//! Answers of somebody else: what stands before a network, lets a request through, and answers in its place.

use axum::{
    body::Body,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, LOCATION},
    },
    response::{IntoResponse as _, Response},
};

/// An answer that is not the network's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Foreign {
    /// Its status.
    pub status: u16,
    /// What comes with it.
    pub body: ForeignBody,
}

/// What a foreign answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignBody {
    /// A page of HTML.
    Page,
    /// JSON that is not the network's.
    Json,
    /// Nothing.
    Empty,
}

impl Foreign {
    /// Every habit that was met: each status with each body that it can have.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for status in [202, 204, 302, 307, 308, 404, 408, 409, 422, 425, 429] {
            for body in [ForeignBody::Page, ForeignBody::Json, ForeignBody::Empty] {
                if status != 204 || body == ForeignBody::Empty {
                    all.push(Self { status, body });
                }
            }
        }
        all
    }

    pub(crate) fn response(self) -> Response {
        let status = StatusCode::from_u16(self.status).expect("a test names a status");
        let (content_type, body) = match self.body {
            ForeignBody::Page => {
                ("text/html; charset=utf-8", "<!doctype html><title>Proxy</title><p>Hm.</p>\n")
            }
            ForeignBody::Json => {
                ("application/json", r#"{"message":"no Route matched with those values"}"#)
            }
            ForeignBody::Empty => return self.moved((status, Body::empty()).into_response()),
        };
        self.moved((status, [(CONTENT_TYPE, content_type)], body).into_response())
    }

    /// A redirect says where to.
    fn moved(self, mut response: Response) -> Response {
        if (300..400).contains(&self.status) {
            let place = axum::http::HeaderValue::from_static("https://moved.example/");
            response.headers_mut().insert(LOCATION, place);
        }
        response
    }
}
