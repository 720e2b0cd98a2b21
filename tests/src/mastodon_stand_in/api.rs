//! How a request becomes an answer: by what a test has told the instance to do, within its limits, or by its work.

use std::{
    convert::Infallible,
    future::pending,
    sync::{Arc, MutexGuard, PoisonError},
};

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{
        HeaderMap, Method, StatusCode,
        header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, LOCATION},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt as _, stream};
use jiff::{Timestamp, fmt::rfc2822};

use super::{
    Instance, Mastodon, Shared,
    answers::{disabled, internal_error, iso8601, page, refusal, too_many, unprocessable},
    faults::Misbehave,
};

/// Which requests misbehaviour is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `POST /api/v1/statuses`
    Post,
    /// `GET /api/v1/accounts/:id/statuses`
    List,
    /// `GET /api/v1/statuses/:id`
    View,
    /// `DELETE /api/v1/statuses/:id`
    Delete,
    /// `POST /api/v1/statuses/:id/reblog`
    Reblog,
    /// `POST /api/v2/media` and what asks how far it is.
    Media,
    /// `GET /api/v1/accounts/verify_credentials`
    Verify,
    /// `PATCH /api/v1/accounts/update_credentials`
    Update,
    /// `GET /api/v2/instance` and its predecessor.
    Instance,
    /// `POST /api/v1/accounts/:id/follow` and `unfollow`
    Follow,
    /// `GET /api/v1/accounts/lookup` and `GET /api/v2/search`
    Lookup,
    /// `POST /api/v1/statuses/:id/favourite`
    Favourite,
}

/// Answers, by the instance's clock.
pub(super) async fn mood(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let mut answer = serve(&shared, request, next).await;
    let now = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&shared.state().now());
    let now = now.expect("it is not before the year 0");
    answer.headers_mut().insert(DATE, now.try_into().expect("it is ASCII"));
    answer
}

/// Serves a request, or does to it what is next.
async fn serve(shared: &Arc<Shared>, request: Request, next: Next) -> Response {
    let endpoint = endpoint(request.method(), request.uri().path());
    let token = bearer(request.headers()).map(ToOwned::to_owned);
    let misbehave = {
        let mut state = shared.state();
        if let Some(endpoint) = endpoint {
            *state.requests.entry(endpoint).or_default() += 1;
        }
        let next = endpoint.and_then(|endpoint| state.misbehave.get_mut(&endpoint)?.pop_front());
        let proxy = state.proxy.filter(|_| endpoint == Some(Endpoint::Post));
        next.or(proxy.map(Misbehave::AcceptThen))
    };
    let Some(misbehave) = misbehave else {
        return shared.within_limit(token.as_deref(), next.run(request)).await;
    };
    match misbehave {
        Misbehave::AcceptThen500 => {
            let answer = next.run(request).await;
            if answer.status().is_success() { internal_error() } else { answer }
        }
        Misbehave::AcceptThenSilence => {
            let answer = next.run(request).await;
            if answer.status().is_success() { pending().await } else { answer }
        }
        Misbehave::AcceptThen(foreign) => {
            let answer = next.run(request).await;
            if answer.status().is_success() { foreign.response() } else { answer }
        }
        Misbehave::Refuse500 => internal_error(),
        Misbehave::RateLimited { reset } => too_many(300, reset),
        Misbehave::RetryAfter(wait) => {
            let refusal = refusal(StatusCode::TOO_MANY_REQUESTS, "Too many requests");
            ([("retry-after", wait)], refusal).into_response()
        }
        Misbehave::TooEarly => {
            refusal(StatusCode::TOO_EARLY, "Come back in a moment").into_response()
        }
        Misbehave::Unauthorized => {
            refusal(StatusCode::UNAUTHORIZED, "The access token was revoked").into_response()
        }
        Misbehave::Suspended => disabled().into_response(),
        Misbehave::Unprocessable(error) => unprocessable(&error).into_response(),
        Misbehave::Gone => page(StatusCode::GONE, "This instance has closed."),
        Misbehave::NotFound => page(StatusCode::NOT_FOUND, "404 Not Found"),
        Misbehave::Html => page(StatusCode::OK, "Mastodon"),
        Misbehave::Endless => {
            let content_type = [(CONTENT_TYPE, "application/json")];
            (content_type, Body::from_stream(spaces())).into_response()
        }
        Misbehave::Huge => {
            let length = 100 * 1024 * 1024;
            let body = Body::from_stream(spaces().take(length / CHUNK));
            let headers = [
                (CONTENT_TYPE, "application/json".to_owned()),
                (CONTENT_LENGTH, length.to_string()),
            ];
            (headers, body).into_response()
        }
        Misbehave::Redirect(to) => (StatusCode::FOUND, [(LOCATION, to)]).into_response(),
    }
}

const CHUNK: usize = 16 * 1024;

fn spaces() -> impl futures_util::Stream<Item = Result<Bytes, Infallible>> {
    stream::repeat(Ok(Bytes::from_static(&[b' '; CHUNK])))
}

pub(super) fn endpoint(method: &Method, path: &str) -> Option<Endpoint> {
    let segments: Vec<_> = path.split('/').skip(2).collect();
    Some(match (method, segments.as_slice()) {
        (&Method::POST, ["v1", "statuses"]) => Endpoint::Post,
        (&Method::GET, ["v1", "statuses", _]) => Endpoint::View,
        (&Method::DELETE, ["v1", "statuses", _]) => Endpoint::Delete,
        (&Method::POST, ["v1", "statuses", _, "reblog"]) => Endpoint::Reblog,
        (&Method::GET, ["v1", "accounts", "verify_credentials"]) => Endpoint::Verify,
        (&Method::PATCH, ["v1", "accounts", "update_credentials"]) => Endpoint::Update,
        (&Method::GET, ["v1", "accounts", _, "statuses"]) => Endpoint::List,
        (&Method::POST, ["v1", "accounts", _, "follow" | "unfollow"]) => Endpoint::Follow,
        (&Method::GET, ["v1", "accounts", "lookup"] | ["v2", "search"]) => Endpoint::Lookup,
        (&Method::POST, ["v1", "statuses", _, "favourite"]) => Endpoint::Favourite,
        (_, ["v2", "media"] | ["v1", "media", _]) => Endpoint::Media,
        (_, [_, "instance"]) => Endpoint::Instance,
        _ => return None,
    })
}

pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, Instance> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers within the rate limit, and says in the headers how much is left of it.
    async fn within_limit(
        &self,
        token: Option<&str>,
        answer: impl Future<Output = Response>,
    ) -> Response {
        let left = {
            let mut state = self.state();
            let (limit, now) = (state.rate_limit, state.now().as_second());
            let begin = now - now.rem_euclid(Mastodon::RATE_WINDOW_SECONDS);
            let reset = Timestamp::from_second(begin + Mastodon::RATE_WINDOW_SECONDS);
            let reset = reset.expect("it is soon");
            let id = token.and_then(|token| state.tokens.get(token)).copied();
            id.map(|id| {
                let window = &mut state.account_by(id).window;
                if window.0 != begin {
                    *window = (begin, 0);
                }
                window.1 += 1;
                (limit, limit.checked_sub(window.1), reset)
            })
        };
        let Some((limit, left, reset)) = left else { return answer.await };
        let Some(left) = left else { return too_many(limit, Some(reset)) };
        let mut answer = answer.await;
        let headers = answer.headers_mut();
        headers.insert("x-ratelimit-limit", limit.into());
        headers.insert("x-ratelimit-remaining", left.into());
        headers.insert("x-ratelimit-reset", iso8601(reset).try_into().expect("it is ASCII"));
        answer
    }
}
