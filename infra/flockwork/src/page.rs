//! The page that shows the feed.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io,
    net::SocketAddr,
    sync::Arc,
};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use flock_aws::Clock;
use flock_core::{CONTINUES, Hindrance, Overdue, Sheep, View, named};
use flock_store::{Post, PostState, Store};
use local_cloud::gateway::{self, Routes};
use local_slack::{
    sender::SlackSender,
    try_page::{self, Words},
};
use loopback::{
    Token,
    serve::{Limits, serve},
};
use maud::{DOCTYPE, Markup, html};
use tokio::{net::TcpListener, sync::Mutex, task::JoinHandle};

use crate::{
    feed::Feed,
    machine::reachable,
    show::{self, stopped},
    silence::{self, WHY_NO_TICK},
};

/// Sheep named as the next to post.
const NEXT: usize = 8;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// How people find the local Slack.
const WORDS: Words = Words { run: "flockwork run", link: "flockwork slack link" };

/// The time of the run, which may not be the wall's, with every answer.
const NOW: HeaderName = HeaderName::from_static("flockwork-now");

struct Page {
    store: Store,
    clock: Clock,
    /// Read by one request at a time: whoever else asks meanwhile finds it fresh.
    feed: Mutex<Feed>,
}

/// The feed as it is shown, and what tells whether it is another by now.
struct Shown {
    inner: Markup,
    tag: String,
    /// The time it is.
    now: String,
}

/// The paths of the local run's own pages.
pub const PATHS: [&str; 9] = [
    "/",
    "/feed",
    "/page.css",
    "/page.js",
    "/try",
    "/try/{proxy+}",
    "/try.css",
    "/try.js",
    "/try_door.js",
];

/// Serves the page on `listener`, and the routes of the functions beside it.
pub fn open(
    listener: TcpListener,
    store: Store,
    clock: Clock,
    sender: SlackSender,
    routes: Routes,
    try_token: Token,
) -> io::Result<JoinHandle<()>> {
    let listens = listener.local_addr()?;
    let pages = Router::new()
        .route("/", get(whole))
        .route("/feed", get(inner))
        .route("/page.css", get(async || css(STYLE)))
        .route("/page.js", get(async || js(SCRIPT)))
        .with_state(Arc::new(Page { store, clock, feed: Mutex::default() }))
        .merge(try_page::router(sender, try_token, WORDS, gateway::not_found))
        .layer(middleware::from_fn_with_state(listens, own_pages_alone))
        .layer(middleware::map_response(with_policy))
        .fallback(async move |request| routes.answer(request).await);
    Ok(tokio::spawn(async move {
        serve(listener, pages, Limits::GATEWAY).await;
    }))
}

/// No other page asks for these, and where they are for this machine alone, none that was pointed here by a name
/// of its own.
async fn own_pages_alone(
    State(listens): State<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let host = loopback::own_host(headers);
    let is_named = !listens.ip().is_loopback() || host.is_some_and(loopback::is_loopback_name);
    if is_named && loopback::is_own_origin(headers) {
        return next.run(request).await;
    }
    let what =
        format!("This page is for this machine: open http://{} itself.\n", reachable(listens));
    (StatusCode::FORBIDDEN, what).into_response()
}

fn css(text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css")], text)
}

fn js(text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript")], text)
}

async fn whole(State(page): State<Arc<Page>>) -> Response {
    let Shown { inner, tag, now } = match page.show().await {
        Ok(shown) => shown,
        Err(response) => return response,
    };
    let whole = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "The meadow" }
                link rel="stylesheet" href="/page.css";
            }
            body {
                header {
                    h1 { "The meadow" }
                    p { "What the bots on this machine have posted, newest first. " a href="/try" { "Try Slack commands" } }
                    p { "It is " time id="clock" { (now) } }
                    p id="stale" hidden { "What is shown is old: the run does not answer. Its terminal says why." }
                }
                main id="feed" aria-live="polite" data-tag=(tag) { (inner) }
                script src="/page.js" {}
            }
        }
    };
    Html(whole.into_string()).into_response()
}

/// What people wrote is escaped; should that ever fail, the browser still runs none of it.
async fn with_policy(mut response: Response) -> Response {
    let policy = HeaderValue::from_static(
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
         frame-ancestors 'none'; form-action 'self'; base-uri 'none'",
    );
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Not stricter: without a referrer at all, browsers do not say that a form is our own.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}

async fn inner(State(page): State<Arc<Page>>, headers: HeaderMap) -> Response {
    let Shown { inner, tag, now } = match page.show().await {
        Ok(shown) => shown,
        Err(response) => return response,
    };
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known == tag.as_str());
    let head = [(header::ETAG, tag), (NOW, now)];
    if is_known {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    (head, Html(inner.into_string())).into_response()
}

impl Page {
    async fn show(&self) -> Result<Shown, Response> {
        let mut feed = self.feed.lock().await;
        if let Err(err) = feed.refresh(&self.store).await {
            let error = format!("{:#}", anyhow::Error::new(err));
            tracing::error!(error, "the page could not be shown");
            let text = "The table does not answer. See the terminal of flockwork run.";
            return Err((StatusCode::INTERNAL_SERVER_ERROR, text).into_response());
        }
        let now = self.clock.now();
        let overdue = Overdue::of(&feed.sheep, now).filter(|_| feed.stop.is_none());
        let is_still = feed.stop.is_some() || overdue.is_some();
        let view = View::of(&feed.sheep, now).still(is_still);
        let inner = markup(&feed, overdue.as_ref(), &view);
        let mut hasher = DefaultHasher::new();
        inner.0.hash(&mut hasher);
        let now = view.whole(now);
        Ok(Shown { inner, tag: format!("\"{:x}\"", hasher.finish()), now })
    }
}

fn markup(feed: &Feed, overdue: Option<&Overdue<'_>>, view: &View) -> Markup {
    let posts = feed.posts();
    html! {
        section.next { (next(feed, overdue, view)) }
        section.posts {
            @if feed.is_behind { p id="behind" { "Not all posts were read yet; the others come in a moment." } }
            @if posts.is_empty() && !feed.sheep.is_empty() && !feed.is_behind { p { "Nothing has been posted yet." } }
            @if feed.sheep.is_empty() { p { "No sheep is here. What earlier ones posted, " code { "flockwork posts --sheep FLOCK/SHEEP" } " lists." } }
            @for post in posts.iter().rev() { (article(post, view)) }
        }
    }
}

/// What comes next, and what keeps it from coming.
fn next(feed: &Feed, overdue: Option<&Overdue<'_>>, view: &View) -> Markup {
    let mut next: Vec<_> =
        feed.sheep.iter().filter_map(|sheep| Some((sheep.next_at()?, &sheep.id))).collect();
    next.sort();
    let (mut seen, mut shared) = (HashSet::new(), HashSet::new());
    shared.extend(feed.sheep.iter().map(|sheep| &sheep.id.name).filter(|name| !seen.insert(*name)));
    html! {
        h2 { "Next" }
        @if let Some(stop) = &feed.stop { p.trouble { (with_code(&stopped(stop))) } }
        @if let Some(overdue) = overdue {
            p.trouble { (silence::said(overdue, view.clock(overdue.since), WHY_NO_TICK)) }
        }
        @for hindrance in Hindrance::of(&feed.sheep) {
            p.trouble {
                strong { (hindrance.who()) } @if hindrance.is_stopped { " stopped" } ": " (hindrance.why)
            }
        }
        @if next.is_empty() {
            p { "Nobody is going to post. Apply a flock: " code { "flockwork flock apply DIR" } }
        }
        ol {
            @for (at, sheep) in next.iter().take(NEXT) {
                li {
                    strong { (sheep.name) } " "
                    // Where that could be another.
                    @if shared.contains(&sheep.name) { "of " (sheep.flock) " " }
                    time datetime=(at) {
                        (view.clock(*at))
                        @if let Some(until) = view.until(*at) { span.until { ", " (until) } }
                    }
                }
            }
        }
        @if NEXT < next.len() { p { "and " (next.len() - NEXT) " more" } }
        @for line in silent(&feed.sheep) { p { (line) } }
        p { (view.times()) }
    }
}

fn article(post: &Post, view: &View) -> Markup {
    let state = show::post_state(post.state);
    html! {
        article.open[post.state != PostState::Posted] {
            p.who {
                strong { (post.sheep.name) } " "
                span { (post.sheep.flock) " on " (post.account.network) }
                " "
                time datetime=(post.at) { (view.clock(post.at)) }
            }
            p.text { @if post.answers.is_some() { (CONTINUES) } (post.text) }
            @if let Some(state) = state { p.state { (state) } }
        }
    }
}

/// Which sheep are silent, and why.
fn silent(sheep: &[Sheep]) -> Vec<String> {
    let lines = ["stopped", "paused", "finished"].into_iter().filter_map(|state| {
        let ids =
            || sheep.iter().filter(|sheep| sheep.state.name() == state).map(|sheep| &sheep.id);
        ids().next().map(|_| format!("{state}: {}", named(ids())))
    });
    lines.collect()
}

/// A sentence with commands in it, which stand between backticks.
fn with_code(text: &str) -> Markup {
    html! {
        @for (number, part) in text.split('`').enumerate() {
            @if number % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_is_not_whole_says_so_and_is_asked_for_again() {
        let shown = |is_behind| {
            let mut feed = Feed::default();
            feed.is_behind = is_behind;
            markup(&feed, None, &View::utc("2026-11-27T12:00:00Z".parse().unwrap())).into_string()
        };
        let said = "<p id=\"behind\">Not all posts were read yet; the others come in a moment.</p>";
        assert!(shown(true).contains(said), "{}", shown(true));
        assert!(!shown(false).contains("behind"), "{}", shown(false));
        // The script looks for it by that name.
        assert!(SCRIPT.contains("document.getElementById(\"behind\") ? 0 : PAUSE"));
    }
}
