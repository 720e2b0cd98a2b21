//! X's API v2 as its document and its answers of 2026 show it, with state and with bad days.
//!
//! It has no idempotency key, like X: a request that arrives twice is two posts, unless X's own check for
//! duplicates notices. Signatures are not verified, only that there is one by the right app and account.

use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, Query, State},
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use futures_util::stream;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};

use crate::{clock, server::Server};

/// X.
#[derive(Debug)]
pub struct X {
    server: Server,
    shared: Arc<Shared>,
}

/// What X does to a `POST /2/tweets`, other than its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misbehave {
    /// The post is made; the answer is 500. A post X would refuse is refused.
    AcceptThen500,
    /// The post is made; no answer comes. A post X would refuse is refused.
    AcceptThenSilence,
    /// No post is made; the answer is 500.
    Refuse500,
    /// 429.
    RateLimited {
        /// When requests are welcome again, to the second.
        reset: Timestamp,
    },
    /// 403 with this detail.
    Forbidden(String),
    /// 401.
    Unauthorized,
    /// No post is made; the answer is 200 with a page of HTML.
    Html,
    /// No post is made; the answer is 201 with a body that never ends.
    Endless,
}

/// A post as the account sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XPost {
    /// Its id.
    pub id: String,
    /// Its text, before X escaped and shortened anything.
    pub text: String,
}

#[derive(Debug)]
struct Shared {
    consumer_key: String,
    state: Mutex<Accounts>,
}

#[derive(Debug)]
struct Accounts {
    /// User ids by token.
    users: HashMap<String, String>,
    /// Oldest first, of all accounts.
    posts: Vec<Post>,
    misbehave: VecDeque<Misbehave>,
    duplicate_check: bool,
    /// How far X's clock is ahead of ours.
    ahead: SignedDuration,
    last_id: u64,
    link_count: usize,
}

#[derive(Debug)]
struct Post {
    id: u64,
    user_id: String,
    at: Timestamp,
    text: String,
    /// The text as X shows it.
    shown: String,
    /// The entities of its links.
    links: Vec<Value>,
}

/// What may be in a new post. X knows more fields; we send none of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPost {
    text: String,
    #[serde(rename = "reply")]
    _reply: Option<IgnoredAny>,
    #[serde(rename = "media")]
    _media: Option<IgnoredAny>,
}

/// An answer other than success.
struct Refusal {
    status: StatusCode,
    body: Value,
    /// When there may be requests again.
    reset: Option<Timestamp>,
}

/// What a listing asks for.
struct Listing {
    max_results: usize,
    since_id: Option<u64>,
    start_time: Option<Timestamp>,
    /// Only posts older than this one: what a pagination token stands for.
    before_id: Option<u64>,
    fields: Vec<String>,
}

impl X {
    /// How long X remembers a text as a duplicate.
    const DUPLICATE_WINDOW: SignedDuration = SignedDuration::from_mins(15);

    /// Starts X for the app with this key, with no accounts.
    pub async fn start(consumer_key: &str) -> Self {
        assert_is_plain(consumer_key);
        let accounts = Accounts {
            users: HashMap::new(),
            posts: Vec::new(),
            misbehave: VecDeque::new(),
            duplicate_check: true,
            ahead: SignedDuration::ZERO,
            last_id: 0,
            link_count: 0,
        };
        let consumer_key = consumer_key.to_owned();
        let shared = Arc::new(Shared { consumer_key, state: Mutex::new(accounts) });
        let router = Router::new()
            .route("/2/tweets", post(create))
            .route("/2/tweets/{id}", delete(remove))
            .route("/2/users/{id}/tweets", get(list))
            .with_state(Arc::clone(&shared));
        Self { server: Server::start(router).await, shared }
    }

    /// Its address, in place of `https://api.x.com`.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Gives the user `user_id` (digits) the token `token` (letters, digits and `-`, as X's are).
    pub fn account(&self, token: &str, user_id: &str) {
        assert_is_plain(token);
        assert!(user_id.parse::<u64>().is_ok(), "user ids are digits: {user_id:?}");
        self.shared.state().users.insert(token.to_owned(), user_id.to_owned());
    }

    /// Has the next `POST /2/tweets` that is not spoken for misbehave.
    pub fn misbehave(&self, misbehave: Misbehave) {
        self.shared.state().misbehave.push_back(misbehave);
    }

    /// What no request has met yet: none, when a test ends.
    pub fn unspent(&self) -> Vec<Misbehave> {
        self.shared.state().misbehave.iter().cloned().collect()
    }

    /// Whether X refuses a text the account posted in the last 15 minutes; it does unless told otherwise.
    pub fn duplicate_check(&self, on: bool) {
        self.shared.state().duplicate_check = on;
    }

    /// Sets X's clock forward.
    pub fn advance(&self, by: SignedDuration) {
        let mut state = self.shared.state();
        state.ahead = state.ahead.checked_add(by).expect("a test stays within a few centuries");
    }

    /// The account's posts, oldest first.
    pub fn posts(&self, user_id: &str) -> Vec<XPost> {
        let state = self.shared.state();
        let own = state.posts.iter().filter(|post| post.user_id == user_id);
        own.map(|post| XPost { id: post.id.to_string(), text: post.text.clone() }).collect()
    }
}

/// Such values look the same in an `Authorization` header, where others are percent-encoded.
#[track_caller]
fn assert_is_plain(value: &str) {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || character == '-';
    assert!(!value.is_empty() && value.chars().all(is_plain), "not a key or token of X: {value:?}");
}

async fn create(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let misbehave = shared.state().misbehave.pop_front();
    let Some(misbehave) = misbehave else { return shared.create(&headers, &body) };
    match misbehave {
        Misbehave::AcceptThen500 => {
            shared.create(&headers, &body)?;
            Err(internal_error())
        }
        Misbehave::AcceptThenSilence => {
            shared.create(&headers, &body)?;
            pending().await
        }
        Misbehave::Refuse500 => Err(internal_error()),
        Misbehave::RateLimited { reset } => {
            let refusal = problem(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
            Err(Refusal { reset: Some(reset), ..refusal })
        }
        Misbehave::Forbidden(detail) => Err(problem(StatusCode::FORBIDDEN, &detail)),
        Misbehave::Unauthorized => Err(unauthorized()),
        Misbehave::Html => {
            let page = "<!doctype html><title>X</title><p>Something went wrong.</p>\n";
            Ok(([(CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response())
        }
        Misbehave::Endless => {
            let chunk = Bytes::from_static(&[b' '; 16 * 1024]);
            let body = stream::repeat(Ok::<_, Infallible>(chunk));
            let content_type = [(CONTENT_TYPE, "application/json")];
            Ok((StatusCode::CREATED, content_type, Body::from_stream(body)).into_response())
        }
    }
}

async fn list(
    State(shared): State<Arc<Shared>>,
    Path(user_id): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    shared.authenticate(&headers)?;
    id("id", &user_id)?;
    let listing = Listing::read(&query)?;
    let state = shared.state();
    if !state.users.values().any(|known| *known == user_id) {
        // X answers 200 to this.
        return Ok(json_response(
            StatusCode::OK,
            &json!({ "errors": [no_such("user", &user_id)] }),
        ));
    }
    let mut found = state.posts.iter().rev().filter(|post| {
        post.user_id == user_id
            && listing.since_id.is_none_or(|since| since < post.id)
            && listing.start_time.is_none_or(|start| start <= post.at)
            && listing.before_id.is_none_or(|before| post.id < before)
    });
    let page: Vec<_> = found.by_ref().take(listing.max_results).collect();
    let mut meta = json!({ "result_count": page.len() });
    let (Some(newest), Some(oldest)) = (page.first(), page.last()) else {
        return Ok(json_response(StatusCode::OK, &json!({ "meta": meta })));
    };
    meta["newest_id"] = newest.id.to_string().into();
    meta["oldest_id"] = oldest.id.to_string().into();
    if found.next().is_some() {
        meta["next_token"] = format!("before{}", oldest.id).into();
    }
    let data: Vec<_> = page.iter().map(|post| post.show(&listing.fields)).collect();
    Ok(json_response(StatusCode::OK, &json!({ "data": data, "meta": meta })))
}

/// Deletes an own post. What X says to a second time is not documented; this is the stricter guess.
async fn remove(
    State(shared): State<Arc<Shared>>,
    Path(post_id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let user_id = shared.authenticate(&headers)?;
    let id = id("id", &post_id)?;
    let mut state = shared.state();
    let Some(index) = state.posts.iter().position(|post| post.id == id) else {
        return Err(Refusal::new(StatusCode::NOT_FOUND, no_such("tweet", &post_id)));
    };
    if state.posts[index].user_id != user_id {
        return Err(problem(StatusCode::FORBIDDEN, "You are not authorized to delete this Tweet."));
    }
    state.posts.remove(index);
    Ok(json_response(StatusCode::OK, &json!({ "data": { "deleted": true } })))
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, Accounts> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The id of the user who signed a request.
    fn authenticate(&self, headers: &HeaderMap) -> Result<String, Refusal> {
        let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let parameters = authorization.and_then(|value| value.strip_prefix("OAuth "));
        let parameters: HashMap<_, _> = parameters
            .unwrap_or_default()
            .split(',')
            .filter_map(|parameter| {
                let (name, value) = parameter.trim().split_once('=')?;
                Some((name, value.strip_prefix('"')?.strip_suffix('"')?))
            })
            .collect();
        let parameter = |name| parameters.get(name).copied().unwrap_or_default();
        let is_signed = parameter("oauth_consumer_key") == self.consumer_key
            && parameter("oauth_signature_method") == "HMAC-SHA1"
            && ["oauth_nonce", "oauth_timestamp", "oauth_signature"]
                .iter()
                .all(|name| !parameter(name).is_empty());
        let user_id = self.state().users.get(parameter("oauth_token")).cloned();
        user_id.filter(|_| is_signed).ok_or_else(unauthorized)
    }

    fn create(&self, headers: &HeaderMap, body: &[u8]) -> Result<Response, Refusal> {
        let user_id = self.authenticate(headers)?;
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !content_type.is_some_and(|value| value.starts_with("application/json")) {
            return Err(invalid("the content type is not application/json"));
        }
        let NewPost { text, .. } =
            serde_json::from_slice(body).map_err(|err| invalid(&err.to_string()))?;
        if text.trim().is_empty() {
            return Err(invalid("the text is empty"));
        }
        let mut state = self.state();
        let at = state.now();
        let is_duplicate = |post: &Post| {
            post.user_id == user_id
                && post.text == text
                && at.duration_since(post.at) < X::DUPLICATE_WINDOW
        };
        if state.duplicate_check && state.posts.iter().any(is_duplicate) {
            let detail = "You are not allowed to create a Tweet with duplicate content.";
            return Err(problem(StatusCode::FORBIDDEN, detail));
        }
        let post = state.add(user_id, at, text);
        let data = json!({ "id": post.id.to_string(), "text": post.shown });
        Ok(json_response(StatusCode::CREATED, &json!({ "data": data })))
    }
}

impl Accounts {
    fn now(&self) -> Timestamp {
        clock::now().saturating_add(self.ahead).expect("a duration without days or months")
    }

    fn add(&mut self, user_id: String, at: Timestamp, text: String) -> &Post {
        /// When X's ids begin: they are milliseconds since then, and 22 bits to tell posts apart.
        const IDS_FROM_MS: i64 = 1_288_834_974_657;
        let age_ms = u64::try_from(at.as_millisecond() - IDS_FROM_MS).expect("it is after 2010");
        let id = (age_ms << 22).max(self.last_id + 1);
        self.last_id = id;
        let (shown, links) = self.shown(&text);
        self.posts.push(Post { id, user_id, at, text, shown, links });
        self.posts.last().expect("one was just pushed")
    }

    /// The text as X shows it: `&`, `<` and `>` escaped, links behind `t.co`; and the links' entities.
    fn shown(&mut self, text: &str) -> (String, Vec<Value>) {
        let (mut shown, mut links) = (String::new(), Vec::new());
        let mut rest = text;
        while let Some(start) = rest.find("https://").into_iter().chain(rest.find("http://")).min()
        {
            let (before, from_link) = rest.split_at(start);
            let end = from_link.find(|end: char| end.is_whitespace() || "<>\"".contains(end));
            let link = from_link[..end.unwrap_or(from_link.len())]
                .trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '\'']);
            push_escaped(&mut shown, before);
            let display = link.split_once("://").map(|(_, display)| display).unwrap_or_default();
            if display.is_empty() {
                // A scheme alone is no link.
                let scheme = from_link.find("//").map_or(from_link.len(), |slashes| slashes + 2);
                shown.push_str(&from_link[..scheme]);
                rest = &from_link[scheme..];
                continue;
            }
            self.link_count += 1;
            let start = shown.chars().count();
            // X's are ten characters long too, so none begins another.
            let short = format!("https://t.co/{:010}", self.link_count);
            shown.push_str(&short);
            links.push(json!({
                "start": start,
                "end": start + short.len(),
                "url": short,
                "expanded_url": link,
                "display_url": display,
            }));
            rest = &from_link[link.len()..];
        }
        push_escaped(&mut shown, rest);
        (shown, links)
    }
}

fn push_escaped(shown: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            other => shown.push(other),
        }
    }
}

impl Post {
    /// The post as a listing has it: id and text, and of the rest what was asked for.
    fn show(&self, fields: &[String]) -> Value {
        let mut shown = json!({ "id": self.id.to_string(), "text": self.shown });
        for field in fields {
            match field.as_str() {
                "author_id" => shown["author_id"] = self.user_id.clone().into(),
                "created_at" => shown["created_at"] = format!("{:.3}", self.at).into(),
                // X leaves out what is empty.
                "entities" if !self.links.is_empty() => {
                    shown["entities"] = json!({ "urls": self.links });
                }
                _ => {}
            }
        }
        shown
    }
}

impl Refusal {
    fn new(status: StatusCode, body: Value) -> Self {
        Self { status, body, reset: None }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let content_type = [(CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.status, content_type, self.body.to_string()).into_response();
        if let Some(reset) = self.reset {
            let headers = response.headers_mut();
            // Posts per account and quarter of an hour.
            headers.insert("x-rate-limit-limit", 100.into());
            headers.insert("x-rate-limit-remaining", 0.into());
            headers.insert("x-rate-limit-reset", reset.as_second().into());
        }
        response
    }
}

impl Listing {
    fn read(query: &[(String, String)]) -> Result<Self, Refusal> {
        let mut listing = Self {
            max_results: 10,
            since_id: None,
            start_time: None,
            before_id: None,
            fields: Vec::new(),
        };
        for (name, value) in query {
            match name.as_str() {
                "max_results" => {
                    let count = value.parse().ok().filter(|count| (5..=100).contains(count));
                    listing.max_results =
                        count.ok_or_else(|| invalid("max_results is not from 5 to 100"))?;
                }
                "since_id" => listing.since_id = Some(id(name, value)?),
                "start_time" => {
                    let start: Option<Timestamp> = value.parse().ok();
                    // 2010-11-06: X has no posts by time from before.
                    let start = start.filter(|start| start.as_second() >= 1_289_001_600);
                    listing.start_time = Some(start.ok_or_else(|| {
                        invalid("start_time is not an RFC 3339 time on or after 2010-11-06")
                    })?);
                }
                "pagination_token" => {
                    let before = value.strip_prefix("before").and_then(|id| id.parse().ok());
                    listing.before_id =
                        Some(before.ok_or_else(|| invalid("pagination_token is not one of ours"))?);
                }
                // The document's name of 2026, and the one before.
                "post.fields" | "tweet.fields" => {
                    listing.fields = value.split(',').map(ToOwned::to_owned).collect();
                }
                _ => {
                    return Err(invalid(&format!("the query parameter [{name}] is not one of []")));
                }
            }
        }
        Ok(listing)
    }
}

/// An id in a request.
fn id(name: &str, value: &str) -> Result<u64, Refusal> {
    let is_id = (1..=19).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
    let id = value.parse().ok().filter(|_| is_id);
    id.ok_or_else(|| invalid(&format!("{name} is not an id: [{value}]")))
}

fn json_response(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json; charset=utf-8")], body.to_string()).into_response()
}

fn problem(status: StatusCode, detail: &str) -> Refusal {
    let title = status.canonical_reason().unwrap_or_default();
    let body = json!({
        "detail": detail,
        "type": "about:blank",
        "title": title,
        "status": status.as_u16(),
    });
    Refusal::new(status, body)
}

fn unauthorized() -> Refusal {
    problem(StatusCode::UNAUTHORIZED, "Unauthorized")
}

fn internal_error() -> Refusal {
    problem(StatusCode::INTERNAL_SERVER_ERROR, "Something is broken. This is usually temporary.")
}

fn invalid(message: &str) -> Refusal {
    let body = json!({
        "errors": [{ "parameters": {}, "message": message }],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": "https://api.x.com/2/problems/invalid-request",
    });
    Refusal::new(StatusCode::BAD_REQUEST, body)
}

fn no_such(what: &str, id: &str) -> Value {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const GOOD: &str = r#"OAuth oauth_consumer_key="ck", oauth_nonce="1", oauth_signature="c2lnbmVk", oauth_signature_method="HMAC-SHA1", oauth_timestamp="1", oauth_token="7-abc", oauth_version="1.0""#;

    async fn x() -> X {
        let x = X::start("ck").await;
        x.account("7-abc", "7");
        x.account("8-abc", "8");
        x
    }

    fn tweet(x: &X, body: &Value) -> reqwest::RequestBuilder {
        let request = reqwest::Client::new().post(format!("{}/2/tweets", x.url()));
        request.header("authorization", GOOD).json(body)
    }

    async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn say(x: &X, text: &str) -> u16 {
        answer(tweet(x, &json!({ "text": text }))).await.0
    }

    async fn get(x: &X, path: &str) -> (u16, Value) {
        let request = reqwest::Client::new().get(format!("{}{path}", x.url()));
        answer(request.header("authorization", GOOD)).await
    }

    fn texts(page: &Value) -> Vec<&str> {
        page["data"].as_array().unwrap().iter().map(|post| post["text"].as_str().unwrap()).collect()
    }

    #[tokio::test]
    async fn a_post_is_made_once_per_text_and_quarter_of_an_hour() {
        let x = x().await;
        let (status, body) = answer(tweet(&x, &json!({ "text": "Baa" }))).await;
        let first = x.posts("7").remove(0);
        assert_eq!((status, body), (201, json!({ "data": { "id": first.id, "text": "Baa" } })));
        let (status, body) = answer(tweet(&x, &json!({ "text": "Baa" }))).await;
        let detail = "You are not allowed to create a Tweet with duplicate content.";
        let refusal = json!(
            {"detail": detail, "type": "about:blank", "title": "Forbidden", "status": 403}
        );
        assert_eq!((status, body), (403, refusal));
        x.advance(SignedDuration::from_mins(15));
        assert_eq!(say(&x, "Baa").await, 201);
        x.duplicate_check(false);
        assert_eq!(say(&x, "Baa").await, 201);
        let ids: Vec<_> = x.posts("7").into_iter().map(|post| post.id.parse::<u64>()).collect();
        assert!(ids.len() == 3 && ids.is_sorted_by(|a, b| a.as_ref().ok() < b.as_ref().ok()));
        assert_eq!(x.posts("8"), []);
    }

    #[tokio::test]
    async fn what_x_would_not_take_is_refused() {
        let x = x().await;
        for wrong in [
            GOOD.replace("ck", "other"),
            GOOD.replace("7-abc", "9-abc"),
            GOOD.replace("c2lnbmVk", ""),
            GOOD.replace("OAuth ", "Bearer "),
        ] {
            let request = reqwest::Client::new().post(format!("{}/2/tweets", x.url()));
            let request = request.header("authorization", &wrong).json(&json!({ "text": "Baa" }));
            assert_eq!(answer(request).await.0, 401, "{wrong}");
        }
        for wrong in [json!({}), json!({ "text": "" }), json!({ "text": "a", "poll": {} })] {
            assert_eq!(answer(tweet(&x, &wrong)).await.0, 400, "{wrong}");
        }
        assert_eq!(answer(tweet(&x, &json!({ "text": "a", "reply": {} }))).await.0, 201);
        for wrong in ["max_results=4", "since_id=x", "start_time=soon", "pagination_token=1", "a=b"]
        {
            assert_eq!(get(&x, &format!("/2/users/7/tweets?{wrong}")).await.0, 400, "{wrong}");
        }
    }

    #[tokio::test]
    async fn lists_newest_first_in_pages() {
        let x = x().await;
        for number in 0..7 {
            say(&x, &format!("Baa {number}")).await;
        }
        let (_, first) = get(&x, "/2/users/7/tweets?max_results=5").await;
        assert_eq!(texts(&first), ["Baa 6", "Baa 5", "Baa 4", "Baa 3", "Baa 2"]);
        assert_eq!(first["meta"]["result_count"], 5);
        let token = first["meta"]["next_token"].as_str().unwrap();
        let path = format!("/2/users/7/tweets?max_results=5&pagination_token={token}");
        let (_, second) = get(&x, &path).await;
        assert_eq!(texts(&second), ["Baa 1", "Baa 0"]);
        assert_eq!(second["meta"]["next_token"], Value::Null);
        let since = &x.posts("7")[5].id;
        let (_, newer) = get(&x, &format!("/2/users/7/tweets?since_id={since}")).await;
        assert_eq!(texts(&newer), ["Baa 6"]);
        let after_all = clock::now() + SignedDuration::from_mins(1);
        let (_, none) = get(&x, &format!("/2/users/7/tweets?start_time={after_all}")).await;
        assert_eq!(none, json!({ "meta": { "result_count": 0 } }));
        let (status, unknown) = get(&x, "/2/users/99/tweets").await;
        assert_eq!((status, &unknown["data"]), (200, &Value::Null));
        assert_eq!(unknown["errors"][0]["detail"], "Could not find user with id: [99].");
    }

    #[tokio::test]
    async fn texts_are_shown_escaped_and_links_shortened() {
        let x = x().await;
        say(&x, "é <b> & https://a.example/?x=1&y=2, http:// https://b.example.").await;
        let (_, page) = get(&x, "/2/users/7/tweets?tweet.fields=entities,created_at").await;
        let post = &page["data"][0];
        let (first, second) = ("https://t.co/0000000001", "https://t.co/0000000002");
        assert_eq!(post["text"], format!("é &lt;b&gt; &amp; {first}, http:// {second}."));
        let urls = &post["entities"]["urls"];
        assert_eq!(
            urls[0],
            json!({
                "start": 18,
                "end": 41,
                "url": first,
                "expanded_url": "https://a.example/?x=1&y=2",
                "display_url": "a.example/?x=1&y=2",
            })
        );
        assert_eq!(urls[1]["expanded_url"], "https://b.example");
        assert!(post["created_at"].as_str().unwrap().parse::<Timestamp>().is_ok());
    }

    #[tokio::test]
    async fn deletes_own_posts() {
        let x = x().await;
        say(&x, "Baa").await;
        let url = format!("{}/2/tweets/{}", x.url(), x.posts("7")[0].id);
        let request = |authorization: &str| {
            reqwest::Client::new().delete(&url).header("authorization", authorization)
        };
        assert_eq!(answer(request(&GOOD.replace("7-abc", "8-abc"))).await.0, 403);
        let deleted = json!({ "data": { "deleted": true } });
        assert_eq!(answer(request(GOOD)).await, (200, deleted));
        assert_eq!(answer(request(GOOD)).await.0, 404);
        // Its text is free again.
        assert_eq!(say(&x, "Baa").await, 201);
    }

    #[tokio::test]
    async fn misbehaves_in_turn() {
        let x = x().await;
        let reset: Timestamp = "2026-11-01T12:00:00Z".parse().unwrap();
        for misbehave in [
            Misbehave::AcceptThen500,
            Misbehave::Refuse500,
            Misbehave::Forbidden("Too long.".to_owned()),
            Misbehave::Unauthorized,
            Misbehave::RateLimited { reset },
            Misbehave::Html,
            Misbehave::Endless,
            Misbehave::AcceptThenSilence,
        ] {
            x.misbehave(misbehave);
        }
        assert_eq!(say(&x, "accepted").await, 500);
        assert_eq!(say(&x, "refused").await, 500);
        let (status, forbidden) = answer(tweet(&x, &json!({ "text": "a" }))).await;
        assert_eq!((status, &forbidden["detail"]), (403, &json!("Too long.")));
        assert_eq!(say(&x, "b").await, 401);
        let limited = tweet(&x, &json!({ "text": "c" })).send().await.unwrap();
        assert_eq!(limited.status(), 429);
        let reset = reset.as_second().to_string();
        assert_eq!(limited.headers()["x-rate-limit-reset"].to_str().unwrap(), reset);
        let page = tweet(&x, &json!({ "text": "d" })).send().await.unwrap();
        assert_eq!(page.status(), 200);
        assert!(page.text().await.unwrap().starts_with("<!doctype html>"));
        let mut endless = tweet(&x, &json!({ "text": "e" })).send().await.unwrap();
        assert_eq!(endless.status(), 201);
        let mut read_bytes = 0;
        while read_bytes < 1 << 21 {
            read_bytes += endless.chunk().await.unwrap().unwrap().len();
        }
        drop(endless);
        let silent = tweet(&x, &json!({ "text": "silent" })).timeout(Duration::from_millis(300));
        assert!(silent.send().await.unwrap_err().is_timeout());
        assert_eq!(x.unspent(), []);
        assert_eq!(say(&x, "good").await, 201);
        let texts: Vec<_> = x.posts("7").into_iter().map(|post| post.text).collect();
        assert_eq!(texts, ["accepted", "silent", "good"]);
    }
}
