//! What can be asked of X, and how a request becomes an answer: by what a test has told it to do, or by its work.

use std::{
    convert::Infallible,
    future::pending,
    sync::{Arc, MutexGuard, PoisonError},
};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{
        Method, StatusCode,
        header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, LOCATION},
        request::Parts,
    },
    response::{Html, IntoResponse as _, Response},
};
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::{
    Platform, Shared, X,
    answers::{
        Answer, Refusal, code_88, coded, internal_error, invalid, problem, too_many, unauthorized,
    },
    faults::Misbehave,
    oauth::{self, Authorization},
    sign_in::Shown,
};

/// What can be asked of X.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `POST /2/tweets`
    Post,
    /// `DELETE /2/tweets/{id}`
    Delete,
    /// `POST /2/users/{id}/retweets`
    Repost,
    /// `GET /2/users/{id}/tweets`
    Timeline,
    /// `GET /2/users/me`
    Me,
    /// `GET /2/users/{id}`
    User,
    /// `POST /1.1/account/update_profile.json`
    Profile,
    /// `POST /1.1/account/update_profile_image.json`
    ProfileImage,
    /// `POST /1.1/account/update_profile_banner.json`
    ProfileBanner,
    /// `GET /2/users/by/username/{username}`
    UserByName,
    /// `POST /2/users/{id}/following`
    Follow,
    /// `DELETE /2/users/{source_user_id}/following/{target_user_id}`
    Unfollow,
    /// `POST /2/users/{id}/likes`
    Like,
    /// `POST /2/media/upload`
    Upload,
    /// `POST /2/media/metadata`
    AltText,
    /// `POST /oauth/request_token`
    RequestToken,
    /// `POST /oauth/access_token`
    AccessToken,
    /// `POST /2/oauth2/token`
    OAuth2Token,
}

/// A request, and who sent it.
pub(super) struct Call<'a> {
    pub(super) head: &'a Parts,
    pub(super) body: &'a [u8],
    /// The id in its path, or nothing.
    pub(super) id: &'a str,
    pub(super) user_id: String,
}

impl Operation {
    /// What a request asks for, and the id in its path.
    pub(super) fn of<'a>(method: &Method, path: &'a str) -> Option<(Self, &'a str)> {
        match (method.as_str(), path) {
            ("POST", "/oauth/request_token") => return Some((Self::RequestToken, "")),
            ("POST", "/oauth/access_token") => return Some((Self::AccessToken, "")),
            ("POST", "/2/oauth2/token") => return Some((Self::OAuth2Token, "")),
            ("POST", "/1.1/account/update_profile.json") => return Some((Self::Profile, "")),
            ("POST", "/1.1/account/update_profile_image.json") => {
                return Some((Self::ProfileImage, ""));
            }
            ("POST", "/1.1/account/update_profile_banner.json") => {
                return Some((Self::ProfileBanner, ""));
            }
            _ => {}
        }
        let parts: Vec<_> = path.strip_prefix("/2/")?.split('/').collect();
        match (method.as_str(), parts.as_slice()) {
            ("POST", ["tweets"]) => Some((Self::Post, "")),
            ("DELETE", ["tweets", id]) => Some((Self::Delete, id)),
            ("POST", ["users", id, "retweets"]) => Some((Self::Repost, id)),
            ("GET", ["users", "me"]) => Some((Self::Me, "")),
            ("GET", ["users", id]) => Some((Self::User, id)),
            ("GET", ["users", "by", "username", name]) => Some((Self::UserByName, name)),
            ("POST", ["users", id, "following"]) => Some((Self::Follow, id)),
            ("DELETE", ["users", _, "following", id]) => Some((Self::Unfollow, id)),
            ("POST", ["users", id, "likes"]) => Some((Self::Like, id)),
            ("GET", ["users", id, "tweets"]) => Some((Self::Timeline, id)),
            ("POST", ["media", "upload"]) => Some((Self::Upload, "")),
            ("POST", ["media", "metadata"]) => Some((Self::AltText, "")),
            _ => None,
        }
    }

    /// Requests per account and 15 minutes (docs.x.com, "Rate limits", 2026-08).
    pub(super) fn limit(self) -> u32 {
        match self {
            Self::Post => 100,
            Self::Delete | Self::Repost | Self::Follow | Self::Unfollow | Self::Like => 50,
            Self::Timeline | Self::User | Self::UserByName => 900,
            Self::Me => 75,
            Self::Upload | Self::AltText => 500,
            // It names none.
            Self::RequestToken
            | Self::AccessToken
            | Self::OAuth2Token
            | Self::Profile
            | Self::ProfileImage
            | Self::ProfileBanner => u32::MAX,
        }
    }

    /// Whether it is asked for by somebody who signs in, which X's document knows nothing of.
    fn is_sign_in(self) -> bool {
        matches!(self, Self::RequestToken | Self::AccessToken | Self::OAuth2Token)
    }

    /// Whether it is one of v1.1, which X's document knows nothing of either.
    pub(super) fn is_old(self) -> bool {
        matches!(self, Self::Profile | Self::ProfileImage | Self::ProfileBanner)
    }
}

pub(super) async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        // The client is gone, and half a request is none.
        return StatusCode::BAD_REQUEST.into_response();
    };
    if head.method == Method::GET
        && ["/oauth/authorize", "/i/oauth2/authorize"].contains(&head.uri.path())
    {
        return page(shared.state().show(head.uri.path(), &oauth::query(&head.uri)));
    }
    let asked = Operation::of(&head.method, head.uri.path());
    let is_sign_in = asked.is_some_and(|(operation, _)| operation.is_sign_in());
    let is_old = asked.is_some_and(|(operation, _)| operation.is_old());
    let mut note = shared.exchanges.begin(&head, &body, !is_sign_in && !is_old);
    let Some((operation, id)) = asked else {
        let Refusal(answer) = problem(StatusCode::NOT_FOUND, "Not Found");
        let response = answer.response();
        note.answered(response.status().as_u16(), response.headers(), answer.body);
        return response;
    };
    let misbehave = shared.state().misbehaviour(operation);
    if misbehave.is_some() {
        note.misbehaved();
    }
    let work = || shared.answer(operation, id, &head, &body);
    let answer = match misbehave {
        None => work(),
        Some(Misbehave::AcceptThen500) => work().map(|_| internal_error()),
        Some(Misbehave::AcceptThenSilence) => match work() {
            Ok(_) => pending().await,
            refused => refused,
        },
        Some(Misbehave::AcceptThen(foreign)) => match work() {
            Ok(_) => return foreign.response(),
            refused => refused,
        },
        Some(Misbehave::AcceptLate(after)) => {
            let answer = work();
            tokio::time::sleep(after).await;
            answer
        }
        Some(Misbehave::Refuse500) => Ok(internal_error()),
        Some(Misbehave::RateLimited { reset }) => Err(too_many(operation.limit(), Some(reset))),
        Some(Misbehave::RateLimitedForHowLong) => Err(too_many(operation.limit(), None)),
        Some(Misbehave::Code88 { reset }) => Err(code_88(operation.limit(), reset)),
        Some(Misbehave::Forbidden(detail)) => Err(problem(StatusCode::FORBIDDEN, &detail)),
        Some(Misbehave::Unauthorized) => Err(unauthorized()),
        Some(Misbehave::Html) => {
            let page = "<!doctype html><title>X</title><p>Something went wrong.</p>\n";
            return ([(CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response();
        }
        Some(Misbehave::Endless) => return padding(None),
        Some(Misbehave::Huge) => return padding(Some(100_000_000)),
        Some(Misbehave::Redirect(to)) => {
            return (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, to)]).into_response();
        }
    };
    let answer = answer.unwrap_or_else(|Refusal(answer)| answer);
    let mut response = answer.response();
    let date = shared.state().date();
    response.headers_mut().insert(DATE, date.parse().expect("a date is ASCII"));
    note.answered(response.status().as_u16(), response.headers(), answer.body);
    response
}

/// A page as a browser gets it.
fn page(shown: Shown) -> Response {
    match shown {
        Shown::Elsewhere(to) => (StatusCode::FOUND, [(LOCATION, to)]).into_response(),
        Shown::Pin(pin) => {
            Html(format!("<!doctype html><title>X</title><code>{pin}</code>\n")).into_response()
        }
        Shown::Error(what) => {
            let page = Html(format!("<!doctype html><title>X</title><p>{what}</p>\n"));
            (StatusCode::FORBIDDEN, page).into_response()
        }
    }
}

/// A good answer, but for its size.
fn padding(length: Option<usize>) -> Response {
    const CHUNK: usize = 10_000;
    let chunk = Bytes::from_static(&[b' '; CHUNK]);
    let chunks = stream::repeat(Ok::<_, Infallible>(chunk));
    let body = match length {
        Some(length) => Body::from_stream(chunks.take(length / CHUNK)),
        None => Body::from_stream(chunks),
    };
    let content_type = [(CONTENT_TYPE, "application/json")];
    let mut response = (StatusCode::CREATED, content_type, body).into_response();
    if let Some(length) = length {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    response
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, Platform> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what is asked for.
    fn answer(
        &self,
        operation: Operation,
        id: &str,
        head: &Parts,
        body: &[u8],
    ) -> Result<Answer, Refusal> {
        let mut state = self.state();
        if operation.is_sign_in() {
            return state.sign_in(operation, &self.consumer_key, head, body);
        }
        let user_id = self.authenticate(&state, operation, head)?;
        let limits = state.count(&user_id, operation)?;
        if let Some(trouble) = state.trouble {
            return Err(trouble.refusal());
        }
        let (level, may) = match (operation, state.only_reads) {
            (_, false) => ("read-write", true),
            (
                Operation::Timeline | Operation::Me | Operation::User | Operation::UserByName,
                true,
            ) => ("read", true),
            (_, true) => ("read", false),
        };
        let says_level = Authorization::read(&head.headers).is_some();
        let limits =
            limits.into_iter().chain(says_level.then(|| ("x-access-level", level.to_owned())));
        if !may {
            // docs.x.com, "Response codes and errors", 2026-08.
            return Err(problem(
                StatusCode::FORBIDDEN,
                "Your client app is not configured with the appropriate oauth1 app permissions for this endpoint.",
            ));
        }
        let call = Call { head, body, id, user_id };
        let answer = match operation {
            Operation::Post => state.create(&call),
            Operation::Delete => state.delete(&call),
            Operation::Repost => state.repost(&call),
            Operation::Timeline => state.list(&call),
            Operation::Me => state.me(&call),
            Operation::User => state.look_up(&call),
            Operation::Profile => state.change_texts(&call),
            Operation::ProfileImage | Operation::ProfileBanner => {
                state.change_picture(operation, &call)
            }
            Operation::UserByName => state.user(&call),
            Operation::Follow => state.follow(&call),
            Operation::Unfollow => state.unfollow(&call),
            Operation::Like => state.like(&call),
            Operation::Upload => state.upload(&call),
            Operation::AltText => state.describe(&call),
            Operation::RequestToken | Operation::AccessToken | Operation::OAuth2Token => {
                unreachable!("they are answered above")
            }
        };
        match answer {
            Ok(mut answer) => {
                answer.headers.extend(limits);
                Ok(answer)
            }
            Err(Refusal(mut answer)) => {
                answer.headers.extend(limits);
                Err(Refusal(answer))
            }
        }
    }

    /// The id of the user who signed a request, or whose token is shown with it.
    fn authenticate(
        &self,
        state: &Platform,
        operation: Operation,
        head: &Parts,
    ) -> Result<String, Refusal> {
        let shown = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        if let Some(token) = shown.and_then(|shown| shown.strip_prefix("Bearer ")) {
            let known = state.sign_ins.authenticate(token, operation, state.now());
            return known.unwrap_or_else(|| Err(unauthorized()));
        }
        let authorization = Authorization::read(&head.headers).ok_or_else(unauthorized)?;
        let user_id = state.users.get(authorization.parameter("oauth_token"));
        let user_id = user_id.ok_or_else(unauthorized)?;
        if authorization.parameter("oauth_consumer_key") != self.consumer_key
            || !authorization.is_signed_by(
                X::SECRET,
                X::SECRET,
                head.method.as_str(),
                &oauth::endpoint(&head.headers, &head.uri),
                &oauth::query(&head.uri),
            )
        {
            return Err(unauthorized());
        }
        state.check_clock(&authorization)?;
        Ok(user_id.clone())
    }
}

impl Platform {
    pub(super) fn check_clock(&self, authorization: &Authorization) -> Result<(), Refusal> {
        let signed_at = authorization
            .timestamp()
            .and_then(|second| Timestamp::from_second(i64::try_from(second.get()).ok()?).ok());
        let signed_at = signed_at.ok_or_else(unauthorized)?;
        if X::CLOCK_SKEW < self.clock_of_clients().duration_since(signed_at).abs() {
            return Err(coded(StatusCode::UNAUTHORIZED, 135, "Timestamp out of bounds."));
        }
        Ok(())
    }
}

impl Call<'_> {
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let content_type =
            self.head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !content_type.is_some_and(|value| value.starts_with("application/json")) {
            return Err(invalid("the content type is not application/json"));
        }
        serde_json::from_slice(self.body).map_err(|err| invalid(&err.to_string()))
    }
}
