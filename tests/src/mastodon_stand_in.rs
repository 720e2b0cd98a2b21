//! A Mastodon instance as docs.joinmastodon.org and Mastodon's source describe it (read 2026-11), with state and
//! with bad days.
//!
//! `Idempotency-Key` works as Mastodon's: scoped to the account, kept an hour, and it returns the earlier post
//! even if the body differs. Two of three servers that speak this API ignore it, so it can be switched off.

use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Path, Query, Request, State},
    http::{
        HeaderMap, Method, StatusCode,
        header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, DATE, LINK, LOCATION},
    },
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, patch, post},
};
use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use serde_json::{Map, Value, json};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::{clock, foreign::Foreign, server::Server};

/// A Mastodon instance.
#[derive(Debug)]
pub struct Mastodon {
    server: Server,
    shared: Arc<Shared>,
}

/// What the instance does to a request, other than its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misbehave {
    /// The work is done; the answer is 500. What would be refused is refused.
    AcceptThen500,
    /// The work is done; no answer comes. What would be refused is refused.
    AcceptThenSilence,
    /// The work is done; somebody else answers. What would be refused is refused.
    AcceptThen(Foreign),
    /// Nothing is done; the answer is 500.
    Refuse500,
    /// 429.
    RateLimited {
        /// When requests are welcome again; some proxies before instances do not say.
        reset: Option<Timestamp>,
    },
    /// 429, in other words: how long to wait is this.
    RetryAfter(String),
    /// 425: it is too early.
    TooEarly,
    /// 401: the token was revoked.
    Unauthorized,
    /// 403: the account is suspended.
    Suspended,
    /// 422 with this sentence.
    Unprocessable(String),
    /// 410: the instance has closed.
    Gone,
    /// Nothing is done; the answer is 404, with a page.
    NotFound,
    /// Nothing is done; the answer is 200 with a page of HTML.
    Html,
    /// Nothing is done; the answer is 200 with a body that never ends.
    Endless,
    /// Nothing is done; the answer is 200 with a body of 100 MB, and says so.
    Huge,
    /// Nothing is done; the answer is a redirect to this address.
    Redirect(String),
}

/// How an instance lists an account's posts. Not all follow Mastodon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// The newest, newest first.
    NewestFirst,
    /// Those that are asked for from the oldest on, oldest first.
    OldestFirst,
    /// The newest, but each page from back to front.
    BackToFront,
    /// The newest, in no order.
    Shuffled,
    /// Oldest first, whatever is asked for, and never more than so many.
    Everything(usize),
}

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
    /// `GET /api/v2/instance` and its predecessor.
    Instance,
}

/// A post as the account sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MastodonPost {
    /// Its id.
    pub id: String,
    /// Its text, before Mastodon made HTML of it.
    pub text: String,
    /// The post it answers.
    pub in_reply_to: Option<String>,
    /// The post it repeats.
    pub reblog_of: Option<String>,
    /// Its pictures.
    pub pictures: Vec<MastodonPicture>,
    /// Who may see it.
    pub visibility: String,
}

/// A picture of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MastodonPicture {
    /// The type it came with.
    pub mime: String,
    /// Its alternative text.
    pub alt: String,
    /// The file.
    pub bytes: Bytes,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<Instance>,
}

#[derive(Debug)]
struct Instance {
    accounts: Vec<Account>,
    /// Account ids by token.
    tokens: HashMap<String, u64>,
    /// Accounts elsewhere that can be mentioned, as `user@domain`.
    known: Vec<String>,
    /// Oldest first, of all accounts.
    posts: Vec<Post>,
    media: Vec<Media>,
    /// What was posted under a key, and when.
    keys: HashMap<(u64, String), (u64, Timestamp)>,
    misbehave: HashMap<Endpoint, VecDeque<Misbehave>>,
    /// How many requests reached each endpoint.
    requests: HashMap<Endpoint, usize>,
    idempotency: bool,
    /// Who answers every request to post that is done.
    proxy: Option<Foreign>,
    listed: Listed,
    /// Whether texts are shown as a typographer sets them, and links shortened.
    typographs: bool,
    tells_v2: bool,
    most_characters: usize,
    /// How often a new picture is still being processed when it is asked for.
    processing: usize,
    /// Requests in 5 minutes for each account.
    rate_limit: usize,
    /// How far the instance's clock is ahead of ours.
    ahead: SignedDuration,
    last_id: u64,
}

#[derive(Debug)]
struct Account {
    id: u64,
    username: String,
    bot: bool,
    display_name: String,
    note: String,
    suspended: bool,
    /// When the present window of the rate limit began, and the requests since.
    window: (i64, usize),
}

#[derive(Debug)]
struct Post {
    id: u64,
    account: u64,
    at: Timestamp,
    text: String,
    content: String,
    in_reply_to: Option<u64>,
    reblog_of: Option<u64>,
    media: Vec<u64>,
    visibility: String,
    language: Option<String>,
}

#[derive(Debug)]
struct Media {
    id: u64,
    account: u64,
    picture: MastodonPicture,
    /// How often it is still unfinished when asked for.
    processing: usize,
    /// It is part of this post.
    post: Option<u64>,
}

/// An answer other than success.
struct Refusal {
    status: StatusCode,
    error: String,
}

/// What a listing asks for.
#[derive(Debug, Clone)]
struct Listing {
    limit: usize,
    max_id: Option<u64>,
    since_id: Option<u64>,
    min_id: Option<u64>,
    exclude_reblogs: bool,
    exclude_replies: bool,
}

impl Mastodon {
    /// How long a key is kept ("Post a new status": up to 1 hour).
    const KEY_KEPT: SignedDuration = SignedDuration::from_hours(1);
    /// How long a window of the rate limit is ("Rate limits").
    const RATE_WINDOW_SECONDS: i64 = 300;
    /// The most bytes of a picture (`MediaAttachment::IMAGE_LIMIT`).
    const PICTURE_BYTES: usize = 16 * 1024 * 1024;
    /// The most characters of an alternative text (`MediaAttachment::MAX_DESCRIPTION_LENGTH`).
    const ALT_CHARACTERS: usize = 1_500;

    /// Starts an instance without accounts.
    pub async fn start() -> Self {
        let state = Instance {
            accounts: Vec::new(),
            tokens: HashMap::new(),
            known: Vec::new(),
            posts: Vec::new(),
            media: Vec::new(),
            keys: HashMap::new(),
            misbehave: HashMap::new(),
            requests: HashMap::new(),
            idempotency: true,
            proxy: None,
            listed: Listed::NewestFirst,
            typographs: false,
            tells_v2: true,
            most_characters: 500,
            processing: 0,
            rate_limit: 300,
            ahead: SignedDuration::ZERO,
            last_id: 0,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state) });
        let router = Router::new()
            .route("/api/v1/statuses", post(create))
            .route("/api/v1/statuses/{id}", get(view).delete(remove))
            .route("/api/v1/statuses/{id}/reblog", post(reblog))
            .route("/api/v1/accounts/verify_credentials", get(verify))
            .route("/api/v1/accounts/update_credentials", patch(update))
            .route("/api/v1/accounts/{id}/statuses", get(list))
            .route("/api/v2/media", post(upload))
            .route("/api/v1/media/{id}", get(attachment))
            .route("/api/v2/instance", get(instance_v2))
            .route("/api/v1/instance", get(instance_v1))
            .layer(from_fn_with_state(Arc::clone(&shared), mood))
            // A picture that is too large is refused by us, in Mastodon's words.
            .layer(DefaultBodyLimit::max(2 * Self::PICTURE_BYTES))
            .with_state(Arc::clone(&shared));
        Self { server: Server::start(router).await, shared }
    }

    /// Its address, in place of `https://` and the instance's name.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Makes the account `username`, marked as a bot, with the token `token`; returns its id.
    pub fn account(&self, token: &str, username: &str) -> String {
        let mut state = self.shared.state();
        // Mastodon's own begin like this; they are not those of posts.
        let id = 109_000_000_000_000_000 + state.accounts.len() as u64;
        state.accounts.push(Account {
            id,
            username: username.to_owned(),
            bot: true,
            display_name: username.to_owned(),
            note: String::new(),
            suspended: false,
            window: (0, 0),
        });
        state.tokens.insert(token.to_owned(), id);
        id.to_string()
    }

    /// Whether the account is marked as a bot.
    pub fn bot(&self, username: &str, bot: bool) {
        self.shared.state().account_named(username).bot = bot;
    }

    /// Whether the account is suspended.
    pub fn suspend(&self, username: &str, suspended: bool) {
        self.shared.state().account_named(username).suspended = suspended;
    }

    /// Gives the account another token.
    pub fn token(&self, token: &str, username: &str) {
        let mut state = self.shared.state();
        let id = state.account_named(username).id;
        state.tokens.insert(token.to_owned(), id);
    }

    /// Makes all posts of the account private, as those of accounts with that setting are.
    pub fn hide(&self, username: &str) {
        let mut state = self.shared.state();
        let id = state.account_named(username).id;
        for post in state.posts.iter_mut().filter(|post| post.account == id) {
            "private".clone_into(&mut post.visibility);
        }
    }

    /// The token is worth nothing from now on.
    pub fn revoke(&self, token: &str) {
        self.shared.state().tokens.remove(token);
    }

    /// Makes `user@domain` somebody the instance knows, so that mentions of them become links.
    pub fn knows(&self, account: &str) {
        self.shared.state().known.push(account.to_owned());
    }

    /// Whether `Idempotency-Key` is heeded; it is unless told otherwise.
    pub fn idempotency(&self, on: bool) {
        self.shared.state().idempotency = on;
    }

    /// Has somebody else answer every request to post, after it is done, until told otherwise.
    pub fn proxy(&self, proxy: Option<Foreign>) {
        self.shared.state().proxy = proxy;
    }

    /// How posts are listed from now on.
    pub fn listed(&self, listed: Listed) {
        self.shared.state().listed = listed;
    }

    /// Whether quotes are curled, dashes and dots drawn together, other entities written and links shortened
    /// in what is posted from now on.
    pub fn typographs(&self, on: bool) {
        self.shared.state().typographs = on;
    }

    /// A post that the account made elsewhere; returns its id.
    pub fn made_elsewhere(&self, username: &str, text: &str) -> String {
        let mut state = self.shared.state();
        let (account, now) = (state.account_named(username).id, state.now());
        let new = NewPost { text: text.to_owned(), ..NewPost::default() };
        let made =
            state.create(account, now, new).unwrap_or_else(|refusal| panic!("{}", refusal.error));
        made.to_string()
    }

    /// Whether there is `GET /api/v2/instance`, which came with 4.0 and which others lack.
    pub fn v2_instance(&self, on: bool) {
        self.shared.state().tells_v2 = on;
    }

    /// The most characters of a post.
    pub fn most_characters(&self, most: usize) {
        self.shared.state().most_characters = most;
    }

    /// How often a picture uploaded from now on is still being processed when it is asked for.
    pub fn processing(&self, times: usize) {
        self.shared.state().processing = times;
    }

    /// How many requests an account has in 5 minutes.
    pub fn rate_limit(&self, requests: usize) {
        self.shared.state().rate_limit = requests;
    }

    /// Has the next `POST /api/v1/statuses` that is not spoken for misbehave.
    pub fn misbehave(&self, misbehave: Misbehave) {
        self.misbehave_at(Endpoint::Post, misbehave);
    }

    /// Has the next request to `endpoint` that is not spoken for misbehave.
    pub fn misbehave_at(&self, endpoint: Endpoint, misbehave: Misbehave) {
        self.shared.state().misbehave.entry(endpoint).or_default().push_back(misbehave);
    }

    /// What no request has met yet: none, when a test ends.
    pub fn unspent(&self) -> Vec<Misbehave> {
        self.shared.state().misbehave.values().flatten().cloned().collect()
    }

    /// How many requests reached `endpoint`.
    pub fn requests(&self, endpoint: Endpoint) -> usize {
        self.shared.state().requests.get(&endpoint).copied().unwrap_or_default()
    }

    /// Sets the instance's clock forward.
    pub fn advance(&self, by: SignedDuration) {
        let mut state = self.shared.state();
        state.ahead = state.ahead.checked_add(by).expect("a test stays within a few centuries");
    }

    /// The account's posts, oldest first.
    pub fn posts(&self, username: &str) -> Vec<MastodonPost> {
        let mut state = self.shared.state();
        let account = state.account_named(username).id;
        let own = state.posts.iter().filter(|post| post.account == account);
        own.map(|post| MastodonPost {
            id: post.id.to_string(),
            text: post.text.clone(),
            in_reply_to: post.in_reply_to.map(|id| id.to_string()),
            reblog_of: post.reblog_of.map(|id| id.to_string()),
            pictures: post.media.iter().map(|id| state.media_by(*id).picture.clone()).collect(),
            visibility: post.visibility.clone(),
        })
        .collect()
    }
}

/// Answers, by the instance's clock.
async fn mood(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
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

fn endpoint(method: &Method, path: &str) -> Option<Endpoint> {
    let segments: Vec<_> = path.split('/').skip(2).collect();
    Some(match (method, segments.as_slice()) {
        (&Method::POST, ["v1", "statuses"]) => Endpoint::Post,
        (&Method::GET, ["v1", "statuses", _]) => Endpoint::View,
        (&Method::DELETE, ["v1", "statuses", _]) => Endpoint::Delete,
        (&Method::POST, ["v1", "statuses", _, "reblog"]) => Endpoint::Reblog,
        (&Method::GET, ["v1", "accounts", "verify_credentials"]) => Endpoint::Verify,
        (&Method::GET, ["v1", "accounts", _, "statuses"]) => Endpoint::List,
        (_, ["v2", "media"] | ["v1", "media", _]) => Endpoint::Media,
        (_, [_, "instance"]) => Endpoint::Instance,
        _ => return None,
    })
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

async fn create(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let mut state = shared.state();
    let account = state.authenticate(&headers)?;
    let new = NewPost::read(&headers, &body)?;
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    let key = key.filter(|key| state.idempotency && !key.is_empty());
    let now = state.now();
    if let Some(key) = key
        && let Some((id, at)) = state.keys.get(&(account, key.to_owned()))
        && now.duration_since(*at) < Mastodon::KEY_KEPT
    {
        let id = *id;
        // A deleted one is "not found", as Status.find says.
        return Ok(json_response(&state.show(state.find(id)?)));
    }
    let id = state.create(account, now, new)?;
    if let Some(key) = key {
        state.keys.insert((account, key.to_owned()), (id, now));
    }
    Ok(json_response(&state.show(state.find(id)?)))
}

async fn view(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let state = shared.state();
    let reader = bearer(&headers).and_then(|token| state.tokens.get(token)).copied();
    let post = state.find(number(&id)?)?;
    if !post.is_public() && reader != Some(post.account) {
        return Err(not_found());
    }
    Ok(json_response(&state.show(post)))
}

async fn remove(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let mut state = shared.state();
    let account = state.authenticate(&headers)?;
    let id = number(&id)?;
    let post = state.find(id)?;
    if post.account != account {
        return Err(not_found());
    }
    let mut shown = state.show(post);
    shown["text"] = post.text.clone().into();
    // What repeats it goes with it.
    state.posts.retain(|post| post.id != id && post.reblog_of != Some(id));
    Ok(json_response(&shown))
}

async fn reblog(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let mut state = shared.state();
    let account = state.authenticate(&headers)?;
    let original = state.find(number(&id)?)?;
    let original = original.reblog_of.unwrap_or(original.id);
    if !state.find(original)?.is_public() {
        return Err(refusal(StatusCode::FORBIDDEN, "This action is not allowed"));
    }
    let made = |post: &&Post| post.account == account && post.reblog_of == Some(original);
    // ReblogService returns the one there is.
    let id = if let Some(post) = state.posts.iter().find(made) {
        post.id
    } else {
        let at = state.now();
        state.push(Post {
            id: 0,
            account,
            at,
            text: String::new(),
            content: String::new(),
            in_reply_to: None,
            reblog_of: Some(original),
            media: Vec::new(),
            visibility: "public".to_owned(),
            language: None,
        })
    };
    Ok(json_response(&state.show(state.find(id)?)))
}

async fn list(
    State(shared): State<Arc<Shared>>,
    Path(account): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let state = shared.state();
    let account = number(&account)?;
    let account = state.accounts.iter().find(|known| known.id == account).ok_or_else(not_found)?;
    let reader = bearer(&headers).and_then(|token| state.tokens.get(token)).copied();
    let listing = Listing::read(&query)?;
    if state.listed != Listed::NewestFirst {
        return Ok(json_response(&state.list_otherwise(account.id, reader, &listing).into()));
    }
    let mut found: Vec<_> = state
        .posts
        .iter()
        .filter(|post| {
            post.account == account.id
                && !account.suspended
                && (post.is_public() || reader == Some(account.id))
                && listing.max_id.is_none_or(|max| post.id < max)
                && listing.since_id.is_none_or(|since| since < post.id)
                && listing.min_id.is_none_or(|min| min < post.id)
                && !(listing.exclude_reblogs && post.reblog_of.is_some())
                && !(listing.exclude_replies && state.is_reply_to_another(post))
        })
        .collect();
    // With min_id the page begins there; otherwise it ends with the newest.
    if listing.min_id.is_some() {
        found.truncate(listing.limit);
    } else if let Some(older) = found.len().checked_sub(listing.limit) {
        found.drain(..older);
    }
    found.reverse();
    let mut links = Vec::new();
    let here = format!("https://{}/api/v1/accounts/{}/statuses", HOST, account.id);
    let limit = listing.limit;
    if let (Some(newest), Some(oldest)) = (found.first(), found.last()) {
        if found.len() == limit {
            links.push(format!("<{here}?limit={limit}&max_id={}>; rel=\"next\"", oldest.id));
        }
        links.push(format!("<{here}?limit={limit}&min_id={}>; rel=\"prev\"", newest.id));
    }
    let page: Vec<_> = found.iter().map(|post| state.show(post)).collect();
    let mut response = json_response(&page.into());
    if !links.is_empty() {
        let links = links.join(", ").try_into().expect("a link is visible ASCII");
        response.headers_mut().insert(LINK, links);
    }
    Ok(response)
}

async fn verify(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let mut state = shared.state();
    let account = state.authenticate(&headers)?;
    Ok(json_response(&state.show_account(account)))
}

async fn update(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let mut state = shared.state();
    let id = state.authenticate(&headers)?;
    let fields = fields(&headers, &body)?;
    let account = state.account_by(id);
    for (name, value) in fields {
        let text = value.as_str().map(ToOwned::to_owned);
        match name.as_str() {
            "display_name" => account.display_name = text.unwrap_or_default(),
            "note" => account.note = text.unwrap_or_default(),
            "bot" => account.bot = value == json!(true) || text.as_deref() == Some("true"),
            _ => return Err(unprocessable(&format!("unknown parameter {name}"))),
        }
    }
    Ok(json_response(&state.show_account(id)))
}

async fn upload(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let mut state = shared.state();
    let account = state.authenticate(&headers)?;
    let mut picture = None;
    let mut alt = String::new();
    for part in multipart(&headers, &body)? {
        match part.name.as_str() {
            "file" => picture = Some((part.mime, part.bytes)),
            "description" => alt = String::from_utf8_lossy(&part.bytes).into_owned(),
            name => return Err(unprocessable(&format!("unknown parameter {name}"))),
        }
    }
    let Some((mime, bytes)) = picture else {
        return Err(unprocessable("Validation failed: File can't be blank"));
    };
    let mime = mime.unwrap_or_default();
    if !is_picture(&mime, &bytes) {
        return Err(unprocessable(
            "Validation failed: File content type is invalid, File is invalid",
        ));
    }
    if Mastodon::PICTURE_BYTES <= bytes.len() {
        return Err(unprocessable("Validation failed: File file size must be less than 16 MB"));
    }
    if Mastodon::ALT_CHARACTERS < alt.chars().count() {
        return Err(unprocessable(
            "Validation failed: Description is too long (maximum is 1500 characters)",
        ));
    }
    let id = state.next_id();
    let processing = state.processing;
    let picture = MastodonPicture { mime, alt, bytes };
    state.media.push(Media { id, account, picture, processing, post: None });
    let shown = state.media_by(id).show();
    // Since 4.0.0 small pictures are processed at once.
    let status = if processing == 0 { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, json_response(&shown)).into_response())
}

async fn attachment(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let mut state = shared.state();
    let account = state.authenticate(&headers)?;
    let id = number(&id)?;
    let own = |media: &&mut Media| media.id == id && media.account == account;
    let media = state.media.iter_mut().find(own).ok_or_else(not_found)?;
    let status = if media.processing == 0 { StatusCode::OK } else { StatusCode::PARTIAL_CONTENT };
    media.processing = media.processing.saturating_sub(1);
    let mut shown = media.show();
    if status == StatusCode::PARTIAL_CONTENT {
        shown["url"] = Value::Null;
    }
    Ok((status, json_response(&shown)).into_response())
}

async fn instance_v2(State(shared): State<Arc<Shared>>) -> Response {
    let state = shared.state();
    if !state.tells_v2 {
        return page(StatusCode::NOT_FOUND, "404 Not Found");
    }
    let configuration = state.configuration();
    json_response(&json!({
        "domain": HOST,
        "title": "A stand-in",
        "version": "4.5.0",
        "configuration": configuration,
        "api_versions": { "mastodon": 7 },
    }))
}

/// Deprecated, and all that some servers have.
async fn instance_v1(State(shared): State<Arc<Shared>>) -> Response {
    let configuration = shared.state().configuration();
    json_response(&json!({
        "uri": HOST,
        "title": "A stand-in",
        "version": "4.5.0",
        "configuration": configuration,
    }))
}

/// The name in its links; nobody follows them.
const HOST: &str = "stand-in.example";

/// What is asked for in `POST /api/v1/statuses`.
#[derive(Debug, Default)]
struct NewPost {
    text: String,
    in_reply_to: Option<String>,
    media: Vec<String>,
    visibility: Option<String>,
    language: Option<String>,
}

impl NewPost {
    /// Mastodon ignores what it does not know; here it is an error, because it is a mistake of ours.
    fn read(headers: &HeaderMap, body: &Bytes) -> Result<Self, Refusal> {
        let mut new = Self::default();
        for (name, value) in fields(headers, body)? {
            let text = match &value {
                Value::String(text) => Some(text.clone()),
                _ => None,
            };
            match (name.as_str(), value) {
                (_, Value::Null) => {}
                ("status", Value::String(text)) => new.text = text,
                ("in_reply_to_id", Value::String(id)) => new.in_reply_to = Some(id),
                ("visibility", Value::String(visibility)) => new.visibility = Some(visibility),
                ("language", Value::String(language)) => new.language = Some(language),
                ("media_ids[]", _) => new.media.extend(text),
                ("media_ids", Value::Array(ids)) => {
                    for id in ids {
                        let id = id.as_str().ok_or_else(|| unprocessable("media_ids"))?;
                        new.media.push(id.to_owned());
                    }
                }
                _ => return Err(unprocessable(&format!("unknown or wrong parameter {name}"))),
            }
        }
        Ok(new)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, Instance> {
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

/// As `RateLimitHeaders` writes it, with microseconds.
fn iso8601(at: Timestamp) -> String {
    format!("{at:.6}")
}

impl Instance {
    fn now(&self) -> Timestamp {
        clock::now().saturating_add(self.ahead).expect("a duration without days or months")
    }

    fn account_named(&mut self, username: &str) -> &mut Account {
        let found = self.accounts.iter_mut().find(|account| account.username == username);
        found.expect("the test made the account")
    }

    fn account_by(&mut self, id: u64) -> &mut Account {
        let found = self.accounts.iter_mut().find(|account| account.id == id);
        found.expect("tokens and posts are those of accounts")
    }

    fn media_by(&self, id: u64) -> &Media {
        self.media.iter().find(|media| media.id == id).expect("media are kept")
    }

    fn find(&self, id: u64) -> Result<&Post, Refusal> {
        self.posts.iter().find(|post| post.id == id).ok_or_else(not_found)
    }

    fn authenticate(&mut self, headers: &HeaderMap) -> Result<u64, Refusal> {
        let id = bearer(headers).and_then(|token| self.tokens.get(token)).copied();
        let id =
            id.ok_or_else(|| refusal(StatusCode::UNAUTHORIZED, "The access token is invalid"))?;
        if self.account_by(id).suspended {
            return Err(disabled());
        }
        Ok(id)
    }

    /// Milliseconds, and 16 bits to tell apart (`Mastodon::Snowflake`).
    fn next_id(&mut self) -> u64 {
        let age_ms = u64::try_from(self.now().as_millisecond()).expect("it is after 1970");
        self.last_id = (age_ms << 16).max(self.last_id + 1);
        self.last_id
    }

    fn push(&mut self, post: Post) -> u64 {
        let id = self.next_id();
        self.posts.push(Post { id, ..post });
        id
    }

    fn create(&mut self, account: u64, at: Timestamp, new: NewPost) -> Result<u64, Refusal> {
        let in_reply_to = match &new.in_reply_to {
            None => None,
            Some(id) => {
                let known = number(id).ok().filter(|id| self.find(*id).is_ok());
                let gone = "The post you are trying to reply to does not appear to exist.";
                Some(known.ok_or_else(|| refusal(StatusCode::NOT_FOUND, gone))?)
            }
        };
        if 4 < new.media.len() {
            return Err(unprocessable("Validation failed: Cannot attach more than 4 files"));
        }
        let mut media = Vec::new();
        for id in &new.media {
            let own = |media: &&Media| {
                media.id.to_string() == *id && media.account == account && media.post.is_none()
            };
            let found = self.media.iter().find(own).ok_or_else(|| {
                let error = format!("Media {id} not found or already attached to another post");
                unprocessable(&format!("Validation failed: {error}"))
            })?;
            if found.processing != 0 {
                return Err(unprocessable(
                    "Cannot attach files that have not finished processing. Try again in a moment!",
                ));
            }
            media.push(found.id);
        }
        let text = new.text.trim().to_owned();
        if text.is_empty() && media.is_empty() {
            return Err(unprocessable("Validation failed: Text can't be blank"));
        }
        let entities = self.entities(&text);
        if self.most_characters < counted(&text, &entities) {
            return Err(unprocessable(&format!(
                "Validation failed: Text character limit of {} exceeded",
                self.most_characters
            )));
        }
        let visibility = new.visibility.unwrap_or_else(|| "public".to_owned());
        if !["public", "unlisted", "private", "direct"].contains(&visibility.as_str()) {
            return Err(unprocessable("'visibility' is not a valid visibility"));
        }
        let content = if self.typographs {
            let set = typographed(&text);
            // Quotes and the like by number, as some write them.
            let content = html(&set, &self.entities(&set)).replace('\u{2019}', "&#8217;");
            content.replace('\u{2026}', "&hellip;")
        } else {
            html(&text, &entities)
        };
        let (language, reblog_of) = (new.language, None);
        let id = self.push(Post {
            id: 0,
            account,
            at,
            text,
            content,
            in_reply_to,
            reblog_of,
            media: media.clone(),
            visibility,
            language,
        });
        for attached in self.media.iter_mut().filter(|known| media.contains(&known.id)) {
            attached.post = Some(id);
        }
        Ok(id)
    }

    /// A page in another order than Mastodon's, and without links to the next.
    fn list_otherwise(&self, account: u64, reader: Option<u64>, listing: &Listing) -> Vec<Value> {
        let mut found: Vec<_> = self
            .posts
            .iter()
            .filter(|post| {
                post.account == account
                    && (post.is_public() || reader == Some(account))
                    && !(listing.exclude_reblogs && post.reblog_of.is_some())
            })
            .collect();
        if let Listed::Everything(most) = self.listed {
            found.truncate(most);
            return found.into_iter().map(|post| self.show(post)).collect();
        }
        found.retain(|post| {
            listing.max_id.is_none_or(|max| post.id < max)
                && listing.since_id.is_none_or(|since| since < post.id)
                && listing.min_id.is_none_or(|min| min < post.id)
        });
        if self.listed == Listed::OldestFirst || listing.min_id.is_some() {
            found.truncate(listing.limit);
        } else if let Some(older) = found.len().checked_sub(listing.limit) {
            found.drain(..older);
        }
        if self.listed == Listed::Shuffled {
            // No order, and the same each time.
            found.sort_by_key(|post| post.id.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17));
        }
        found.into_iter().map(|post| self.show(post)).collect()
    }

    fn is_reply_to_another(&self, post: &Post) -> bool {
        let to = post.in_reply_to.and_then(|id| self.find(id).ok());
        to.is_some_and(|to| to.account != post.account)
    }

    fn show(&self, post: &Post) -> Value {
        let reblog = post.reblog_of.and_then(|id| self.find(id).ok()).map(|post| self.show(post));
        // A boost shows the content of what it boosts.
        let content = match &reblog {
            Some(original) => original["content"].clone(),
            None => post.content.clone().into(),
        };
        let to = post.in_reply_to.and_then(|id| self.find(id).ok());
        let media: Vec<_> = post.media.iter().map(|id| self.media_by(*id).show()).collect();
        json!({
            "id": post.id.to_string(),
            "created_at": format!("{:.3}", post.at),
            "in_reply_to_id": post.in_reply_to.map(|id| id.to_string()),
            "in_reply_to_account_id": to.map(|to| to.account.to_string()),
            "sensitive": false,
            "spoiler_text": "",
            "visibility": post.visibility,
            "language": post.language,
            "uri": format!("https://{HOST}/statuses/{}", post.id),
            "url": format!("https://{HOST}/statuses/{}", post.id),
            "replies_count": 0,
            "reblogs_count": 0,
            "favourites_count": 0,
            "content": content,
            "reblog": reblog,
            "account": self.show_account(post.account),
            "media_attachments": media,
            "mentions": [],
            "tags": [],
            "emojis": [],
            "card": null,
            "poll": null,
        })
    }

    fn show_account(&self, id: u64) -> Value {
        let account = self.accounts.iter().find(|account| account.id == id);
        let account = account.expect("tokens and posts are those of accounts");
        json!({
            "id": id.to_string(),
            "username": account.username,
            "acct": account.username,
            "display_name": account.display_name,
            "locked": false,
            "bot": account.bot,
            "note": format!("<p>{}</p>", escaped(&account.note)),
            "url": format!("https://{HOST}/@{}", account.username),
        })
    }

    fn configuration(&self) -> Value {
        json!({
            "statuses": {
                "max_characters": self.most_characters,
                "max_media_attachments": 4,
                "characters_reserved_per_url": 23,
            },
            "media_attachments": {
                "description_limit": Mastodon::ALT_CHARACTERS,
                "image_matrix_limit": 33_177_600,
                "image_size_limit": Mastodon::PICTURE_BYTES,
                "supported_mime_types": [
                    "image/jpeg", "image/png", "image/gif", "image/heic", "image/heif",
                    "image/webp", "image/avif", "video/webm", "video/mp4", "audio/mpeg",
                ],
            },
        })
    }
}

impl Post {
    fn is_public(&self) -> bool {
        matches!(self.visibility.as_str(), "public" | "unlisted")
    }
}

impl Media {
    fn show(&self) -> Value {
        let url = format!("https://{HOST}/media/{}", self.id);
        json!({
            "id": self.id.to_string(),
            "type": "image",
            "url": (self.processing == 0).then_some(&url),
            "preview_url": url,
            "remote_url": null,
            "description": (!self.picture.alt.is_empty()).then_some(&self.picture.alt),
            "meta": {},
            "blurhash": null,
        })
    }
}

impl Listing {
    /// Mastodon ignores what it does not know; here it is an error, because it is a mistake of ours.
    fn read(query: &[(String, String)]) -> Result<Self, Refusal> {
        let mut listing = Self {
            limit: 20,
            max_id: None,
            since_id: None,
            min_id: None,
            exclude_reblogs: false,
            exclude_replies: false,
        };
        for (name, value) in query {
            let number = || value.parse::<u64>().map_err(|_| unprocessable(name));
            match name.as_str() {
                "limit" => {
                    let limit: usize = value.parse().map_err(|_| unprocessable(name))?;
                    listing.limit = limit.min(40);
                }
                "max_id" => listing.max_id = Some(number()?),
                "since_id" => listing.since_id = Some(number()?),
                "min_id" => listing.min_id = Some(number()?),
                "exclude_reblogs" => listing.exclude_reblogs = value == "true",
                "exclude_replies" => listing.exclude_replies = value == "true",
                _ => return Err(unprocessable(&format!("unknown parameter {name}"))),
            }
        }
        Ok(listing)
    }
}

/// Something in a text that is more than text: bytes from and to, and what it is.
#[derive(Debug)]
struct Entity {
    from: usize,
    to: usize,
    kind: EntityKind,
}

#[derive(Debug)]
enum EntityKind {
    Link,
    Hashtag,
    /// Somebody, and whether the instance knows them.
    Mention {
        known: bool,
    },
}

impl Instance {
    /// What `Extractor` finds, in outline: links with a scheme, hashtags, mentions.
    fn entities(&self, text: &str) -> Vec<Entity> {
        let mut entities: Vec<Entity> = Vec::new();
        let mut from = 0;
        while let Some(character) = text[from..].chars().next() {
            let before = text[..from].chars().next_back();
            let rest = &text[from..];
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let found = match character {
                'h' if !before.is_some_and(|c| is_word(c) || "@$#".contains(c)) => {
                    link(rest).map(|length| (length, EntityKind::Link))
                }
                '#' if !before.is_some_and(|c| is_word(c) || c == '/' || c == '&') => {
                    let length = rest[1..].find(|c| !is_word(c)).unwrap_or(rest.len() - 1);
                    let is_tag = rest[1..=length].chars().any(char::is_alphabetic);
                    is_tag.then_some((1 + length, EntityKind::Hashtag))
                }
                '@' if !before.is_some_and(|c| is_word(c) || c == '/' || c == '=') => mention(rest)
                    .map(|length| {
                        let name = &rest[1..length];
                        let known = self.known.iter().any(|known| known == name)
                            || self.accounts.iter().any(|account| account.username == name);
                        (length, EntityKind::Mention { known })
                    }),
                _ => None,
            };
            match found {
                Some((length, kind)) => {
                    entities.push(Entity { from, to: from + length, kind });
                    from += length;
                }
                None => from += character.len_utf8(),
            }
        }
        entities
    }
}

/// The length of the link that `text` begins with.
fn link(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let scheme = text.len() - rest.len();
    let end = rest.find(|c: char| c.is_whitespace() || "<>\"".contains(c)).unwrap_or(rest.len());
    let link = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '\'', '*', '|']);
    let host = link.split(['/', '?', '#', ':']).next().unwrap_or_default();
    // Names have a dot, and end with letters.
    let (_, top) = host.rsplit_once('.')?;
    let is_name = 1 < top.len() && top.chars().all(char::is_alphabetic);
    is_name.then_some(scheme + link.len())
}

/// The length of the mention that `text` begins with (`Account::MENTION_RE`).
fn mention(text: &str) -> Option<usize> {
    let user = words(&text[1..], |c| c.is_ascii_alphanumeric() || c == '_')?;
    let rest = &text[1 + user..];
    let Some(domain) = rest.strip_prefix('@') else { return Some(1 + user) };
    let domain = words(domain, |c| c.is_alphanumeric() || c == '_');
    Some(1 + user + domain.map_or(0, |domain| 1 + domain))
}

/// The length of words with dots and hyphens between them.
fn words(text: &str, is_word: fn(char) -> bool) -> Option<usize> {
    let end = text.find(|c| !is_word(c) && c != '.' && c != '-').unwrap_or(text.len());
    let words = text[..end].trim_end_matches(['.', '-']);
    words.starts_with(is_word).then_some(words.len())
}

/// The length as `StatusLengthValidator` counts it: a link is 23, a mention has no domain.
fn counted(text: &str, entities: &[Entity]) -> usize {
    let mut counted = String::new();
    let mut from = 0;
    for entity in entities {
        let what = &text[entity.from..entity.to];
        let shown = match entity.kind {
            EntityKind::Link => "x".repeat(23),
            EntityKind::Mention { .. } => {
                format!("@{}", what[1..].split('@').next().unwrap_or_default())
            }
            EntityKind::Hashtag => what.to_owned(),
        };
        counted.push_str(&text[from..entity.from]);
        counted.push_str(&shown);
        from = entity.to;
    }
    counted.push_str(&text[from..]);
    counted.graphemes(true).count()
}

/// What a typographer makes of a text, and a shortener of its links.
fn typographed(text: &str) -> String {
    let mut opens = true;
    let mut set = String::with_capacity(text.len());
    for word in text.replace("...", "\u{2026}").replace("--", "\u{2013}").split_inclusive(' ') {
        if word.starts_with("https://") {
            set.push_str("https://sho.rt/aB3 ");
            continue;
        }
        for character in word.chars() {
            match character {
                '\'' => set.push('\u{2019}'),
                '"' => {
                    set.push(if opens { '\u{201c}' } else { '\u{201d}' });
                    opens = !opens;
                }
                other => set.push(other),
            }
        }
    }
    set.trim_end().to_owned()
}

/// The text as Mastodon shows it (`TextFormatter`, and Rails' `simple_format`).
fn html(text: &str, entities: &[Entity]) -> String {
    let mut html = String::new();
    let mut from = 0;
    for entity in entities {
        html.push_str(&escaped(&text[from..entity.from]));
        let what = &text[entity.from..entity.to];
        let shown = match entity.kind {
            EntityKind::Link => link_html(what),
            EntityKind::Hashtag => {
                let tag = &what[1..];
                format!(
                    "<a href=\"https://{HOST}/tags/{tag}\" class=\"mention hashtag\" \
                     rel=\"tag\">#<span>{tag}</span></a>"
                )
            }
            EntityKind::Mention { known: false } => escaped(what),
            EntityKind::Mention { known: true } => {
                let name = &what[1..];
                let (user, domain) = name.split_once('@').unwrap_or((name, HOST));
                format!(
                    "<span class=\"h-card\" translate=\"no\"><a href=\"https://{domain}/@{user}\" \
                     class=\"u-url mention\">@<span>{user}</span></a></span>"
                )
            }
        };
        html.push_str(&shown);
        from = entity.to;
    }
    html.push_str(&escaped(&text[from..]));
    let html = html.replace("\r\n", "\n");
    let mut paragraphs = Vec::new();
    let mut rest = html.as_str();
    while let Some(end) = rest.find("\n\n") {
        paragraphs.push(&rest[..end]);
        rest = rest[end..].trim_start_matches('\n');
    }
    paragraphs.push(rest);
    let paragraphs = paragraphs.into_iter().map(|paragraph| paragraph.replace('\n', "<br />"));
    let paragraphs: Vec<_> = paragraphs.map(|paragraph| format!("<p>{paragraph}</p>")).collect();
    paragraphs.concat()
}

fn link_html(url: &str) -> String {
    let bare = url.split_once("://").map_or(url, |(_, bare)| bare);
    let bare = bare.strip_prefix("www.").unwrap_or(bare);
    let prefix = &url[..url.len() - bare.len()];
    let cut = bare.char_indices().nth(30).map_or(bare.len(), |(index, _)| index);
    let (shown, hidden) = bare.split_at(cut);
    let class = if hidden.is_empty() { "" } else { "ellipsis" };
    let [url, prefix, shown, hidden] = [url, prefix, shown, hidden].map(escaped);
    format!(
        "<a href=\"{url}\" target=\"_blank\" rel=\"nofollow noopener\" translate=\"no\">\
         <span class=\"invisible\">{prefix}</span><span class=\"{class}\">{shown}</span>\
         <span class=\"invisible\">{hidden}</span></a>"
    )
}

/// As `ERB::Util.h` does it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The parameters of a body, in JSON or as a form.
fn fields(headers: &HeaderMap, body: &Bytes) -> Result<Vec<(String, Value)>, Refusal> {
    let content_type = content_type(headers);
    if content_type.starts_with("application/json") {
        let fields: Map<String, Value> = serde_json::from_slice(body).map_err(|_| {
            refusal(StatusCode::BAD_REQUEST, "Error occurred while parsing request")
        })?;
        return Ok(fields.into_iter().collect());
    }
    if content_type.starts_with("multipart/form-data") {
        let text = |part: Part| String::from_utf8_lossy(&part.bytes).into_owned();
        let parts = multipart(headers, body)?;
        return Ok(parts.into_iter().map(|part| (part.name.clone(), text(part).into())).collect());
    }
    let pairs = form_urlencoded::parse(body);
    Ok(pairs.map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect())
}

struct Part {
    name: String,
    mime: Option<String>,
    bytes: Bytes,
}

/// The parts of a `multipart/form-data` body.
fn multipart(headers: &HeaderMap, body: &Bytes) -> Result<Vec<Part>, Refusal> {
    let broken = || refusal(StatusCode::BAD_REQUEST, "Invalid multipart body");
    let content_type = content_type(headers);
    let (_, boundary) = content_type.split_once("boundary=").ok_or_else(broken)?;
    let boundary = format!("--{}", boundary.trim_matches('"'));
    let line = format!("\r\n{boundary}");
    let mut parts = Vec::new();
    let mut rest = body.strip_prefix(boundary.as_bytes()).ok_or_else(broken)?;
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let end = position(part, line.as_bytes()).ok_or_else(broken)?;
        let head = position(part, b"\r\n\r\n").filter(|head| *head < end).ok_or_else(broken)?;
        let text = String::from_utf8_lossy(&part[..head]).into_owned();
        let quoted = |name: &str| {
            let (_, from) = text.split_once(&format!("{name}=\""))?;
            Some(from.split('"').next().unwrap_or_default().to_owned())
        };
        let mime = text.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-type").then(|| value.to_owned())
        });
        let bytes = Bytes::copy_from_slice(&part[head + 4..end]);
        parts.push(Part { name: quoted(" name").ok_or_else(broken)?, mime, bytes });
        rest = &part[end + line.len()..];
    }
    Ok(parts)
}

fn position(bytes: &[u8], sought: &[u8]) -> Option<usize> {
    bytes.windows(sought.len()).position(|window| window == sought)
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Whether a file is what its type says, by its first bytes.
fn is_picture(mime: &str, bytes: &[u8]) -> bool {
    match mime {
        "image/png" => bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
        "image/jpeg" => bytes.starts_with(b"\xff\xd8\xff"),
        "image/gif" => bytes.starts_with(b"GIF8"),
        "image/webp" => bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"),
        _ => false,
    }
}

/// An id in a path; what is none is nowhere to be found.
fn number(id: &str) -> Result<u64, Refusal> {
    id.parse().map_err(|_| not_found())
}

fn json_response(body: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json; charset=utf-8")], body.to_string()).into_response()
}

fn page(status: StatusCode, title: &str) -> Response {
    let page = format!("<!doctype html><title>{title}</title><p>{title}</p>\n");
    (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

fn internal_error() -> Response {
    let page = "<!doctype html><title>We're sorry, but something went wrong (500)</title>\n";
    let content_type = [(CONTENT_TYPE, "text/html; charset=utf-8")];
    (StatusCode::INTERNAL_SERVER_ERROR, content_type, page).into_response()
}

fn too_many(limit: usize, reset: Option<Timestamp>) -> Response {
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

fn refusal(status: StatusCode, error: &str) -> Refusal {
    Refusal { status, error: error.to_owned() }
}

fn not_found() -> Refusal {
    refusal(StatusCode::NOT_FOUND, "Record not found")
}

fn unprocessable(error: &str) -> Refusal {
    refusal(StatusCode::UNPROCESSABLE_ENTITY, error)
}

fn disabled() -> Refusal {
    refusal(StatusCode::FORBIDDEN, "Your login is currently disabled")
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, json_response(&json!({ "error": self.error }))).into_response()
    }
}

#[cfg(test)]
mod tests {
    use reqwest::RequestBuilder;

    use super::*;
    use crate::server::{unanswered, until};

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\nthe rest";

    async fn mastodon() -> Mastodon {
        let mastodon = Mastodon::start().await;
        mastodon.account("token-a", "apollo");
        mastodon.account("token-b", "bacchus");
        mastodon
    }

    fn call(mastodon: &Mastodon, method: Method, path: &str) -> RequestBuilder {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let url = format!("{}{path}", mastodon.url());
        http.build().unwrap().request(method, url).bearer_auth("token-a")
    }

    fn status(mastodon: &Mastodon, body: &Value) -> RequestBuilder {
        call(mastodon, Method::POST, "/api/v1/statuses").json(body)
    }

    async fn answer(request: RequestBuilder) -> (u16, Value) {
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }

    async fn say(mastodon: &Mastodon, text: &str) -> (u16, Value) {
        answer(status(mastodon, &json!({ "status": text }))).await
    }

    async fn get(mastodon: &Mastodon, path: &str) -> (u16, Value) {
        answer(call(mastodon, Method::GET, path)).await
    }

    fn texts(mastodon: &Mastodon) -> Vec<String> {
        mastodon.posts("apollo").into_iter().map(|post| post.text).collect()
    }

    fn ids(page: &Value) -> Vec<String> {
        let ids = page.as_array().unwrap().iter().map(|post| post["id"].as_str().unwrap());
        ids.map(ToOwned::to_owned).collect()
    }

    #[tokio::test]
    async fn a_key_makes_one_post_an_hour_for_each_account() {
        let mastodon = mastodon().await;
        let keyed = |text: &str| {
            let request = status(&mastodon, &json!({ "status": text }));
            request.header("Idempotency-Key", "post-1")
        };
        let (code, first) = answer(keyed("Baa")).await;
        assert_eq!((code, &first["content"]), (200, &json!("<p>Baa</p>")));
        // The text of the second does not matter.
        assert_eq!(answer(keyed("Boo")).await, (200, first.clone()));
        let other = reqwest::Client::new().post(format!("{}/api/v1/statuses", mastodon.url()));
        let other = other.bearer_auth("token-b").header("Idempotency-Key", "post-1");
        let form = [("status", "Baa"), ("visibility", "unlisted")];
        let encoded = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let other = other.header("content-type", "application/x-www-form-urlencoded");
        let (code, other) = answer(other.body(encoded)).await;
        assert_eq!((code, &other["visibility"]), (200, &json!("unlisted")));
        mastodon.advance(SignedDuration::from_hours(1));
        assert_ne!(answer(keyed("Baa")).await.1["id"], first["id"]);
        mastodon.idempotency(false);
        answer(keyed("Baa")).await;
        assert_eq!(texts(&mastodon), ["Baa", "Baa", "Baa"]);
        assert_eq!(mastodon.posts("bacchus").len(), 1);
    }

    #[tokio::test]
    async fn what_mastodon_would_not_take_is_refused() {
        let mastodon = mastodon().await;
        let blank = json!({ "error": "Validation failed: Text can't be blank" });
        assert_eq!(say(&mastodon, " \n").await, (422, blank));
        let too_long = "Validation failed: Text character limit of 500 exceeded";
        assert_eq!(say(&mastodon, &"猫".repeat(501)).await, (422, json!({ "error": too_long })));
        // Graphemes are counted, a link is 23 and a mention has no domain.
        assert_eq!(say(&mastodon, &"👩‍👩‍👧".repeat(500)).await.0, 200);
        let link = format!("https://a.example/{}", "x".repeat(600));
        assert_eq!(say(&mastodon, &format!("{} {link}", "a".repeat(476))).await.0, 200);
        assert_eq!(say(&mastodon, &format!("{} {link}", "a".repeat(477))).await.0, 422);
        let mention = "@somebody@a.very.long.example";
        assert_eq!(say(&mastodon, &format!("{} {mention}", "a".repeat(490))).await.0, 200);
        assert_eq!(say(&mastodon, &format!("{} {mention}", "a".repeat(491))).await.0, 422);
        for (wrong, code) in [
            (json!({ "status": "a", "in_reply_to_id": "7" }), 404),
            (json!({ "status": "a", "media_ids": ["7"] }), 422),
            (json!({ "status": "a", "visibility": "secret" }), 422),
            (json!({ "status": "a", "text": "b" }), 422),
        ] {
            assert_eq!(answer(status(&mastodon, &wrong)).await.0, code, "{wrong}");
        }
        mastodon.suspend("apollo", true);
        let disabled = json!({ "error": "Your login is currently disabled" });
        assert_eq!(say(&mastodon, "a").await, (403, disabled));
        mastodon.revoke("token-a");
        let invalid = json!({ "error": "The access token is invalid" });
        assert_eq!(say(&mastodon, "a").await, (401, invalid));
    }

    #[tokio::test]
    async fn lists_newest_first_in_pages() {
        let mastodon = mastodon().await;
        for number in 0..5 {
            say(&mastodon, &format!("Baa {number}")).await;
        }
        let (_, me) = get(&mastodon, "/api/v1/accounts/verify_credentials").await;
        assert_eq!((&me["username"], &me["bot"]), (&json!("apollo"), &json!(true)));
        let path = format!("/api/v1/accounts/{}/statuses", me["id"].as_str().unwrap());
        let all: Vec<_> = mastodon.posts("apollo").into_iter().map(|post| post.id).rev().collect();
        assert_eq!(ids(&get(&mastodon, &path).await.1), all);
        let page = call(&mastodon, Method::GET, &format!("{path}?limit=2")).send().await.unwrap();
        let link = page.headers()["link"].to_str().unwrap().to_owned();
        assert_eq!(ids(&page.json().await.unwrap()), all[..2]);
        assert!(link.contains(&format!("?limit=2&max_id={}>; rel=\"next\"", all[1])), "{link}");
        let older = get(&mastodon, &format!("{path}?limit=2&max_id={}", all[1])).await.1;
        assert_eq!(ids(&older), all[2..4]);
        let since = get(&mastodon, &format!("{path}?limit=2&since_id={}", all[3])).await.1;
        assert_eq!(ids(&since), all[..2]);
        let min = get(&mastodon, &format!("{path}?limit=2&min_id={}", all[3])).await.1;
        assert_eq!(ids(&min), all[1..3]);
        assert_eq!(get(&mastodon, "/api/v1/accounts/7/statuses").await.0, 404);
        // A revoked token is no token, and public posts are public.
        mastodon.revoke("token-a");
        assert_eq!(ids(&get(&mastodon, &path).await.1), all);
        mastodon.suspend("apollo", true);
        assert_eq!(get(&mastodon, &path).await.1, json!([]));
    }

    #[tokio::test]
    async fn texts_are_shown_as_html() {
        let mastodon = mastodon().await;
        mastodon.knows("friend@away.example");
        let long = "https://www.a.example/a/path?that=goes&on=beyond+what+is+shown";
        let text =
            format!("one & <two>\nthree\n\n@bacchus @friend@away.example @no@b.c #Tag {long}.");
        let (_, post) = say(&mastodon, &text).await;
        let expected = concat!(
            "<p>one &amp; &lt;two&gt;<br />three</p><p>",
            r#"<span class="h-card" translate="no"><a href="https://stand-in.example/@bacchus" "#,
            r#"class="u-url mention">@<span>bacchus</span></a></span> "#,
            r#"<span class="h-card" translate="no"><a href="https://away.example/@friend" "#,
            r#"class="u-url mention">@<span>friend</span></a></span> @no@b.c "#,
            r#"<a href="https://stand-in.example/tags/Tag" class="mention hashtag" "#,
            r##"rel="tag">#<span>Tag</span></a> "##,
            r#"<a href="https://www.a.example/a/path?that=goes&amp;on=beyond+what+is+shown" "#,
            r#"target="_blank" rel="nofollow noopener" translate="no">"#,
            r#"<span class="invisible">https://www.</span>"#,
            r#"<span class="ellipsis">a.example/a/path?that=goes&amp;on=</span>"#,
            r#"<span class="invisible">beyond+what+is+shown</span></a>.</p>"#,
        );
        assert_eq!(post["content"], expected);
    }

    #[tokio::test]
    async fn pictures_are_uploaded_processed_and_attached_once() {
        let mastodon = mastodon().await;
        mastodon.processing(1);
        let body = |mime: &str, bytes: &[u8]| {
            let head = "--b\r\nContent-Disposition: form-data; name=\"description\"\r\n\r\na \"sheep\"\r\n\
                        --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n";
            let mut body = format!("{head}Content-Type: {mime}\r\n\r\n").into_bytes();
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n--b--\r\n");
            let request = call(&mastodon, Method::POST, "/api/v2/media");
            request.header("content-type", "multipart/form-data; boundary=b").body(body)
        };
        assert_eq!(answer(body("image/png", b"no picture")).await.0, 422);
        assert_eq!(answer(body("image/tiff", PNG)).await.0, 422);
        let large = [PNG, &vec![0; Mastodon::PICTURE_BYTES]].concat();
        assert_eq!(answer(body("image/png", &large)).await.0, 422);
        let (code, media) = answer(body("image/png", PNG)).await;
        assert_eq!(
            (code, &media["url"], &media["description"]),
            (202, &Value::Null, &json!("a \"sheep\""))
        );
        let id = media["id"].as_str().unwrap();
        let post = json!({ "status": "look", "media_ids": [id] });
        assert_eq!(answer(status(&mastodon, &post)).await.0, 422, "it is not ready");
        let path = format!("/api/v1/media/{id}");
        assert_eq!(get(&mastodon, &path).await.0, 206);
        assert_eq!(get(&mastodon, &path).await.0, 200);
        assert_eq!(answer(status(&mastodon, &post)).await.0, 200);
        assert_eq!(answer(status(&mastodon, &post)).await.0, 422, "it is attached already");
        let picture = MastodonPicture {
            mime: "image/png".to_owned(),
            alt: "a \"sheep\"".to_owned(),
            bytes: Bytes::from_static(PNG),
        };
        assert_eq!(mastodon.posts("apollo")[0].pictures, [picture]);
    }

    #[tokio::test]
    async fn reblogs_once_and_deletes() {
        let mastodon = mastodon().await;
        let (_, original) = say(&mastodon, "Baa").await;
        let path = format!("/api/v1/statuses/{}", original["id"].as_str().unwrap());
        let (_, reblog) = answer(call(&mastodon, Method::POST, &format!("{path}/reblog"))).await;
        assert_eq!(reblog["reblog"]["id"], original["id"]);
        let again = answer(call(&mastodon, Method::POST, &format!("{path}/reblog"))).await;
        assert_eq!(again, (200, reblog));
        assert_eq!(get(&mastodon, &path).await.0, 200);
        let (code, deleted) = answer(call(&mastodon, Method::DELETE, &path)).await;
        assert_eq!((code, &deleted["text"]), (200, &json!("Baa")));
        assert_eq!(answer(call(&mastodon, Method::DELETE, &path)).await.0, 404);
        assert_eq!(get(&mastodon, &path).await.0, 404);
        assert_eq!(mastodon.posts("apollo"), []);
    }

    #[tokio::test]
    async fn tells_of_itself_and_of_its_limits() {
        let mastodon = mastodon().await;
        mastodon.most_characters(1000);
        let (_, instance) = get(&mastodon, "/api/v2/instance").await;
        assert_eq!(instance["configuration"]["statuses"]["max_characters"], 1000);
        mastodon.v2_instance(false);
        assert_eq!(get(&mastodon, "/api/v2/instance").await.0, 404);
        assert_eq!(
            get(&mastodon, "/api/v1/instance").await.1["configuration"],
            instance["configuration"]
        );
        let update = call(&mastodon, Method::PATCH, "/api/v1/accounts/update_credentials");
        let (_, me) = answer(update.json(&json!({ "bot": false, "note": "<3" }))).await;
        assert_eq!((&me["bot"], &me["note"]), (&json!(false), &json!("<p>&lt;3</p>")));
        let so_far = mastodon.shared.state().accounts[0].window.1;
        mastodon.rate_limit(so_far + 1);
        let verify = || call(&mastodon, Method::GET, "/api/v1/accounts/verify_credentials").send();
        let last = verify().await.unwrap();
        assert_eq!(
            (last.status().as_u16(), &last.headers()["x-ratelimit-remaining"]),
            (200, &"0".parse().unwrap())
        );
        let reset: Timestamp =
            last.headers()["x-ratelimit-reset"].to_str().unwrap().parse().unwrap();
        assert_eq!(reset.as_second() % 300, 0);
        assert_eq!(verify().await.unwrap().status(), 429);
    }

    #[tokio::test]
    async fn misbehaves_in_turn() {
        let mastodon = mastodon().await;
        let reset: Timestamp = "2026-11-01T12:00:00Z".parse().unwrap();
        for misbehave in [
            Misbehave::AcceptThen500,
            Misbehave::Refuse500,
            Misbehave::RateLimited { reset: Some(reset) },
            Misbehave::RateLimited { reset: None },
            Misbehave::Unauthorized,
            Misbehave::Suspended,
            Misbehave::Unprocessable("No.".to_owned()),
            Misbehave::Gone,
            Misbehave::NotFound,
            Misbehave::Html,
            Misbehave::Redirect("http://169.254.169.254/latest".to_owned()),
            Misbehave::Huge,
            Misbehave::Endless,
            Misbehave::AcceptThenSilence,
        ] {
            mastodon.misbehave(misbehave);
        }
        mastodon.misbehave_at(Endpoint::Verify, Misbehave::Html);
        assert_eq!(get(&mastodon, "/api/v1/accounts/verify_credentials").await.0, 200);
        assert_eq!(say(&mastodon, "accepted").await.0, 500);
        assert_eq!(say(&mastodon, "refused").await.0, 500);
        let send = || status(&mastodon, &json!({ "status": "a" })).send();
        let limited = send().await.unwrap();
        assert_eq!(limited.status(), 429);
        assert_eq!(limited.headers()["x-ratelimit-reset"], "2026-11-01T12:00:00.000000Z");
        let limited = send().await.unwrap();
        assert_eq!(limited.status(), 429);
        assert!(!limited.headers().contains_key("x-ratelimit-reset"));
        assert_eq!(say(&mastodon, "b").await.0, 401);
        assert_eq!(say(&mastodon, "c").await.0, 403);
        assert_eq!(say(&mastodon, "d").await, (422, json!({ "error": "No." })));
        assert_eq!(say(&mastodon, "e").await.0, 410);
        assert_eq!(say(&mastodon, "f").await.0, 404);
        assert!(send().await.unwrap().text().await.unwrap().starts_with("<!doctype html>"));
        let redirect = send().await.unwrap();
        assert_eq!(redirect.status(), 302);
        assert_eq!(redirect.headers()["location"], "http://169.254.169.254/latest");
        assert_eq!(send().await.unwrap().content_length(), Some(104_857_600));
        let mut endless = send().await.unwrap();
        let mut read_bytes = 0;
        while read_bytes < 1 << 21 {
            read_bytes += endless.chunk().await.unwrap().unwrap().len();
        }
        drop(endless);
        let silent = status(&mastodon, &json!({ "status": "silent" }));
        unanswered(silent, until(|| texts(&mastodon).contains(&"silent".to_owned()))).await;
        assert_eq!(mastodon.unspent(), []);
        assert_eq!(say(&mastodon, "good").await.0, 200);
        assert_eq!(texts(&mastodon), ["accepted", "silent", "good"]);
        assert_eq!(mastodon.requests(Endpoint::Post), 15);
    }
}
