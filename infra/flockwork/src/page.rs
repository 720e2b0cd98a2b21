//! The page that shows the feed.

use std::{io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use flock_aws::Clock;
use flock_core::{Sheep, local};
use flock_store::{Post, Stop, Store};
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
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{machine::reachable, show::stopped};

/// Posts on the page.
const POSTS: usize = 100;

/// Sheep named as the next to post.
const NEXT: usize = 8;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// How people find the local Slack.
const WORDS: Words = Words { run: "flockwork run", link: "flockwork slack link" };

struct Page {
    store: Store,
    clock: Clock,
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
        .with_state(Arc::new(Page { store, clock }))
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
    let inner = match page.render().await {
        Ok(inner) => inner,
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
                header { h1 { "The meadow" } p { "What the bots on this machine have posted, newest first. " a href="/try" { "Try Slack commands" } } }
                main id="feed" aria-live="polite" { (inner) }
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

async fn inner(State(page): State<Arc<Page>>) -> Response {
    match page.render().await {
        Ok(inner) => Html(inner.into_string()).into_response(),
        Err(response) => response,
    }
}

impl Page {
    async fn render(&self) -> Result<Markup, Response> {
        let load = async {
            let sheep = self.store.sheep_of(None).await?;
            let posts = self.store.newest_posts_of(&sheep, POSTS).await?;
            let stop = self.store.control().await?.stopped;
            Ok::<_, anyhow::Error>((sheep, posts, stop))
        };
        match load.await {
            Ok((sheep, posts, stop)) => Ok(self.markup(sheep, &posts, stop.as_ref())),
            Err(err) => {
                tracing::error!(error = format!("{err:#}"), "the page could not be shown");
                let text = "The table does not answer. See the terminal of flockwork run.";
                Err((StatusCode::INTERNAL_SERVER_ERROR, text).into_response())
            }
        }
    }

    fn markup(&self, mut sheep: Vec<Sheep>, posts: &[Post], stop: Option<&Stop>) -> Markup {
        let zones: std::collections::HashMap<_, _> = sheep
            .iter()
            .map(|sheep| (sheep.id.clone(), sheep.config.rhythm.zone().clone()))
            .collect();
        let silent = sheep.iter().filter(|sheep| sheep.next_at().is_none()).count();
        sheep.retain(|sheep| sheep.next_at().is_some());
        sheep.sort_by_key(|sheep| (sheep.next_at(), sheep.id.clone()));
        let now = self.clock.now();
        html! {
            section.next {
                h2 { "Next" }
                @if let Some(stop) = stop { p { (stopped(stop)) } }
                @if sheep.is_empty() {
                    p { "Nobody is going to post. Apply a flock: " code { "flockwork flock apply DIR" } }
                }
                ol {
                    @for sheep in sheep.iter().take(NEXT) {
                        @if let Some(next) = sheep.next_at() {
                            li {
                                strong { (sheep.id.name) } " "
                                time datetime=(next) { (local(next, sheep.config.rhythm.zone())) }
                            }
                        }
                    }
                }
                @if NEXT < sheep.len() { p { "and " (sheep.len() - NEXT) " more" } }
                @if 0 < silent { p { (silent) " paused, stopped or finished" } }
                p.now { "It is " time datetime=(now) { (local(now, &jiff::tz::TimeZone::UTC)) } }
            }
            section.posts {
                @if posts.is_empty() { p { "Nothing has been posted yet." } }
                @for post in posts.iter().rev() {
                    article {
                        p.who {
                            strong { (post.sheep.name) } " "
                            span { (post.sheep.flock) " on " (post.account.network) }
                            " "
                            time datetime=(post.at) {
                                @if let Some(zone) = zones.get(&post.sheep) { (local(post.at, zone)) }
                            }
                        }
                        p.text { (post.text) }
                    }
                }
            }
        }
    }
}
