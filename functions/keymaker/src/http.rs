//! The door: what a browser sends, and what it is answered.

use std::sync::Arc;

use axum::{
    Extension, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, RawQuery, Request, State, rejection::BytesRejection},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, LOCATION, ORIGIN, REFERRER_POLICY,
            SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use flock_net::brought_back;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    App,
    app::Time,
    browser::{Bearer, SENT_FORM_BYTES, SentForm},
    pages::{self, Page},
};

/// What the browser says of whose page has sent a form (W3C, "Fetch Metadata Request Headers").
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What comes of a request that went well.
pub(crate) enum Answer {
    /// A page.
    Page(Page),
    /// The browser is sent to the network, and is bound by this cookie.
    Away {
        /// The network's page.
        to: String,
        /// The header `Set-Cookie`.
        cookie: String,
    },
}

impl App {
    /// Answers `GET` and `POST /keys/connect/<token>` and `GET /keys/callback`. Each request brings its [`Time`] as an extension.
    pub(crate) fn router(self: Arc<Self>) -> Router {
        // Otherwise axum would answer HEAD by the handlers of GET.
        let link = get(show).post(press).head(no_method);
        Router::new()
            .route("/keys/connect/{token}", link)
            .route("/keys/callback", get(come_back).head(no_method))
            .fallback(async || pages::not_found())
            .method_not_allowed_fallback(no_method)
            .layer(DefaultBodyLimit::max(SENT_FORM_BYTES))
            .layer(middleware::from_fn(with_headers))
            .with_state(self)
    }

    /// Whether no page of somebody else has sent this form. The link's token, which it was sent to, says so, too.
    fn is_own_form(&self, headers: &HeaderMap) -> bool {
        let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().ok());
        // A page that sends no referrer has the origin `null`.
        let origin = match text(ORIGIN) {
            None => true,
            Some(origin) => {
                origin.is_some_and(|origin| origin == "null" || origin == self.keys_url.origin())
            }
        };
        let site = match text(SEC_FETCH_SITE) {
            None => true,
            Some(site) => site.is_some_and(|site| site == "same-origin" || site == "none"),
        };
        origin && site
    }
}

fn respond(answer: Answer) -> Response {
    match answer {
        Answer::Page(page) => page.into_response(),
        Answer::Away { to, cookie } => {
            let mut response = StatusCode::SEE_OTHER.into_response();
            set(&mut response, LOCATION, &to);
            set(&mut response, SET_COOKIE, &cookie);
            response
        }
    }
}

/// Sets a header; what cannot be one is left out.
fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

async fn show(State(app): State<Arc<App>>, Path(token): Path<String>) -> Response {
    let page = Box::pin(app.show(&SecretString::from(token))).await;
    page.unwrap_or_else(|err| pages::failed(&err)).into_response()
}

async fn press(
    State(app): State<Arc<App>>,
    Extension(time): Extension<Time>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    if !app.is_own_form(&headers) {
        return pages::foreign().into_response();
    }
    let Ok(body) = body else { return pages::too_long().into_response() };
    let form = SentForm::read(&body);
    let answer = Box::pin(app.press(&SecretString::from(token), form, time)).await;
    respond(answer.unwrap_or_else(|err| Answer::Page(pages::failed(&err))))
}

async fn come_back(
    State(app): State<Arc<App>>,
    Extension(time): Extension<Time>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let cookies = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let query = SecretString::from(query.unwrap_or_default());
    let pairs: Vec<_> = form_urlencoded::parse(query.expose_secret().as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let bearers = Bearer::read(cookies, brought_back(&pairs), &app.keys_url);
    let answer = Box::pin(app.come_back(bearers, &pairs, time)).await;
    respond(answer.unwrap_or_else(|err| Answer::Page(pages::failed(&err))))
}

async fn no_method() -> Page {
    pages::no_method()
}

/// Nobody keeps a page, frames it, or hears by it where somebody was.
async fn with_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        set(&mut response, name, value);
    }
    response
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let policy = self.policy();
        let status = self.status;
        let mut response = (status, Html(self.html().into_string())).into_response();
        set(&mut response, CONTENT_SECURITY_POLICY, &policy);
        response
    }
}
