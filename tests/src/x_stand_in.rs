//! X's API v2 as its document (2.167, 2026-08) and its answers of 2026 show it, with state and with bad days.
//!
//! It has no idempotency key, like X: a request that arrives twice is two posts, unless X's own check for
//! duplicates notices. Signatures, clocks and limits are checked, and every account gets a bill. All secrets
//! are [`X::SECRET`].

mod exchanges;
mod oauth;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    convert::Infallible,
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{
        HeaderName, HeaderValue, Method, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, LOCATION},
        request::Parts,
    },
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp, fmt::rfc2822::DateTimePrinter};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use self::{exchanges::Exchanges, oauth::Authorization};
use crate::{clock, foreign::Foreign, server::Server};

/// X.
#[derive(Debug)]
pub struct X {
    server: Server,
    shared: Arc<Shared>,
}

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
    /// `POST /2/media/upload`
    Upload,
    /// `POST /2/media/metadata`
    AltText,
}

/// What X does to a request, other than its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misbehave {
    /// The work is done; the answer is 500. What X would refuse is refused.
    AcceptThen500,
    /// The work is done; no answer comes. What X would refuse is refused.
    AcceptThenSilence,
    /// The work is done; somebody else answers. What X would refuse is refused.
    AcceptThen(Foreign),
    /// The work is done at once; the answer comes after this time.
    AcceptLate(Duration),
    /// Nothing is done; the answer is 500.
    Refuse500,
    /// 429 as a problem, with the headers of a limit.
    RateLimited {
        /// When requests are welcome again, to the second.
        reset: Timestamp,
    },
    /// 429 as a problem, and no word of when to come back.
    RateLimitedForHowLong,
    /// 429 with `{"errors":[{"code":88}]}`, the other of its two bodies.
    Code88 {
        /// When requests are welcome again, to the second, where X says so.
        reset: Option<Timestamp>,
    },
    /// 403 with this detail.
    Forbidden(String),
    /// 401.
    Unauthorized,
    /// Nothing is done; the answer is 200 with a page of HTML.
    Html,
    /// Nothing is done; the answer is 201 with a body that never ends.
    Endless,
    /// Nothing is done; the answer is 201 with a body of 100 MB, as its length says.
    Huge,
    /// Nothing is done; the answer sends the client to another address.
    Redirect(String),
}

/// What is wrong between an account and X, until [`X::well`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The account has taken the app's permission back.
    Revoked,
    /// The account is suspended.
    Suspended,
    /// The app is suspended.
    AppSuspended,
    /// The app's tier does not have the request.
    Tier,
    /// The app has used up what was paid for.
    OutOfCredits,
}

/// What X charges for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Billed {
    /// A post without a link.
    Post,
    /// A post with a link.
    PostWithLink,
    /// A reply to somebody who asked for it.
    SummonedReply,
    /// A repost.
    Repost,
    /// A deletion.
    Delete,
    /// One own post, read.
    OwnPost,
    /// One user, looked up.
    User,
    /// The description of a picture.
    AltText,
}

/// A post as the account sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XPost {
    /// Its id.
    pub id: String,
    /// Its text, before X escaped and shortened anything.
    pub text: String,
    /// The post it answers.
    pub reply_to: Option<String>,
    /// The post it repeats.
    pub repost_of: Option<String>,
    /// Whether it says that it was made with artificial intelligence.
    pub made_with_ai: bool,
    /// Its pictures.
    pub pictures: Vec<XPicture>,
}

/// A picture as the account sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XPicture {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its description.
    pub alt: Option<String>,
}

#[derive(Debug)]
struct Shared {
    consumer_key: String,
    exchanges: Exchanges,
    state: Mutex<Accounts>,
}

#[derive(Debug)]
struct Accounts {
    /// User ids by token.
    users: HashMap<String, String>,
    /// Oldest first, of all accounts.
    posts: Vec<Post>,
    media: Vec<Media>,
    bill: Vec<(String, Billed)>,
    /// How often what was asked for.
    asked: HashMap<Operation, usize>,
    misbehave: VecDeque<(Operation, Misbehave)>,
    trouble: Option<Trouble>,
    /// Who answers every request to post that is done.
    proxy: Option<Foreign>,
    oldest_first: bool,
    duplicate_check: bool,
    /// How many listings do not have a new post yet.
    lag: u32,
    /// Limits other than X's own.
    limits: HashMap<Operation, u32>,
    /// Requests by account, since the window of 15 minutes began.
    windows: HashMap<(String, Operation), Window>,
    app_limit: u32,
    /// Posts of all accounts, since the day began.
    app_window: Option<Window>,
    /// How far X's time is ahead of the wall clock's.
    ahead: SignedDuration,
    /// How far the clients' clocks are behind X's.
    clients_behind: SignedDuration,
    last_id: u64,
    link_count: usize,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    from: Timestamp,
    requests: u32,
}

#[derive(Debug)]
struct Post {
    id: u64,
    user_id: String,
    at: Timestamp,
    text: String,
    /// The text as X shows it.
    shown: String,
    /// The entities of its links, its pictures' too.
    links: Vec<Value>,
    /// How many of them are in the text.
    text_links: usize,
    reply_to: Option<u64>,
    repost_of: Option<u64>,
    made_with_ai: bool,
    media_ids: Vec<u64>,
    /// How many listings will not have it yet.
    unlisted: u32,
}

#[derive(Debug)]
struct Media {
    id: u64,
    user_id: String,
    bytes: Vec<u8>,
    alt: Option<String>,
}

/// What may be in a new post. X knows more fields; we send none of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPost {
    #[serde(default)]
    text: String,
    reply: Option<NewReply>,
    media: Option<NewMedia>,
    #[serde(default)]
    made_with_ai: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewReply {
    in_reply_to_tweet_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMedia {
    media_ids: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRepost {
    tweet_id: String,
}

/// X takes multipart bodies too; we send none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewUpload {
    media: String,
    media_category: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMetadata {
    id: String,
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    alt_text: AltText,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AltText {
    text: String,
}

/// A request, and who sent it.
struct Call<'a> {
    head: &'a Parts,
    body: &'a [u8],
    /// The id in its path, or nothing.
    id: &'a str,
    user_id: String,
}

/// An answer.
struct Answer {
    status: StatusCode,
    content_type: &'static str,
    body: Value,
    headers: Vec<(&'static str, String)>,
}

/// An answer other than success.
struct Refusal(Answer);

/// What a listing asks for.
struct Listing {
    max_results: usize,
    since_id: Option<u64>,
    start_time: Option<Timestamp>,
    /// Only posts older than this one: what a pagination token stands for.
    before_id: Option<u64>,
    /// Only posts newer than this one: the same where the oldest come first.
    after_id: Option<u64>,
    reposts: bool,
    replies: bool,
    fields: Vec<String>,
}

impl X {
    /// The secret of the app and of every account.
    pub const SECRET: &'static str = "hush";

    /// How long X remembers a text as a duplicate.
    const DUPLICATE_WINDOW: SignedDuration = SignedDuration::from_mins(15);

    /// How far a client's clock may be off.
    const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

    /// Starts X for the app with this key, with no accounts.
    pub async fn start(consumer_key: &str) -> Self {
        assert_is_plain(consumer_key);
        let accounts = Accounts {
            users: HashMap::new(),
            posts: Vec::new(),
            media: Vec::new(),
            bill: Vec::new(),
            asked: HashMap::new(),
            misbehave: VecDeque::new(),
            trouble: None,
            proxy: None,
            oldest_first: false,
            duplicate_check: true,
            lag: 0,
            limits: HashMap::new(),
            windows: HashMap::new(),
            // Of the whole app, per day (docs.x.com, "Rate limits", 2026-08).
            app_limit: 10_000,
            app_window: None,
            ahead: SignedDuration::ZERO,
            clients_behind: SignedDuration::ZERO,
            last_id: 0,
            link_count: 0,
        };
        let shared = Arc::new(Shared {
            consumer_key: consumer_key.to_owned(),
            exchanges: Exchanges::from_env(),
            state: Mutex::new(accounts),
        });
        let router = Router::new().fallback(handle).with_state(Arc::clone(&shared));
        Self { server: Server::start(router).await, shared }
    }

    /// Its address, in place of `https://api.x.com`.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Gives the user `user_id` (digits) the token `token` (letters, digits and `-`, as X's are). Its
    /// username is `user` and the id.
    pub fn account(&self, token: &str, user_id: &str) {
        assert_is_plain(token);
        assert!(user_id.parse::<u64>().is_ok(), "user ids are digits: {user_id:?}");
        self.shared.state().users.insert(token.to_owned(), user_id.to_owned());
    }

    /// A post that the user `user_id` made elsewhere; returns its id.
    pub fn made_elsewhere(&self, user_id: &str, text: &str) -> String {
        let mut state = self.shared.state();
        let new = NewPost { text: text.to_owned(), reply: None, media: None, made_with_ai: false };
        state.add(user_id, new, None, Vec::new(), None).id.to_string()
    }

    /// Has the next `POST /2/tweets` that is not spoken for misbehave.
    pub fn misbehave(&self, misbehave: Misbehave) {
        self.misbehave_at(Operation::Post, misbehave);
    }

    /// Has the next such request that is not spoken for misbehave.
    pub fn misbehave_at(&self, operation: Operation, misbehave: Misbehave) {
        self.shared.state().misbehave.push_back((operation, misbehave));
    }

    /// What no request has met yet: none, when a test ends.
    pub fn unspent(&self) -> Vec<Misbehave> {
        let state = self.shared.state();
        state.misbehave.iter().map(|(_, misbehave)| misbehave.clone()).collect()
    }

    /// How often something was asked for, whatever came of it.
    pub fn asked(&self, operation: Operation) -> usize {
        self.shared.state().asked.get(&operation).copied().unwrap_or_default()
    }

    /// Every request is refused for this, until [`X::well`].
    pub fn trouble(&self, trouble: Trouble) {
        self.shared.state().trouble = Some(trouble);
    }

    /// Ends the trouble.
    pub fn well(&self) {
        self.shared.state().trouble = None;
    }

    /// Has somebody else answer every request to post, after it is done, until told otherwise.
    pub fn proxy(&self, proxy: Option<Foreign>) {
        self.shared.state().proxy = proxy;
    }

    /// Whether posts are listed from the oldest on; X lists the newest first.
    pub fn oldest_first(&self, on: bool) {
        self.shared.state().oldest_first = on;
    }

    /// Whether X refuses a text the account posted in the last 15 minutes; it does unless told otherwise.
    pub fn duplicate_check(&self, on: bool) {
        self.shared.state().duplicate_check = on;
    }

    /// How many listings after it do not show a post that is made from now on; none, unless told otherwise.
    pub fn lag(&self, listings: u32) {
        self.shared.state().lag = listings;
    }

    /// How many such requests an account has in 15 minutes, other than X's own number.
    pub fn limit(&self, operation: Operation, requests: u32) {
        self.shared.state().limits.insert(operation, requests);
    }

    /// How many posts the app has in a day, other than X's own number.
    pub fn app_limit(&self, posts: u32) {
        self.shared.state().app_limit = posts;
    }

    /// Sets X's time forward: its windows, and what is new. Clients' clocks are taken to go along.
    pub fn advance(&self, by: SignedDuration) {
        let mut state = self.shared.state();
        state.ahead = state.ahead.checked_add(by).expect("a test stays within a few centuries");
    }

    /// X's clock says so much more than its clients'.
    pub fn clients_behind(&self, by: SignedDuration) {
        self.shared.state().clients_behind = by;
    }

    /// The account's posts, oldest first.
    pub fn posts(&self, user_id: &str) -> Vec<XPost> {
        let state = self.shared.state();
        let own = state.posts.iter().filter(|post| post.user_id == user_id);
        let picture = |id: &u64| {
            let media = state.media.iter().find(|media| media.id == *id);
            let media = media.expect("a post's pictures are there");
            XPicture { bytes: media.bytes.clone(), alt: media.alt.clone() }
        };
        own.map(|post| XPost {
            id: post.id.to_string(),
            text: post.text.clone(),
            reply_to: post.reply_to.map(|id| id.to_string()),
            repost_of: post.repost_of.map(|id| id.to_string()),
            made_with_ai: post.made_with_ai,
            pictures: post.media_ids.iter().map(picture).collect(),
        })
        .collect()
    }

    /// How often the account was charged for what.
    pub fn bill(&self, user_id: &str) -> BTreeMap<Billed, u64> {
        let mut bill = BTreeMap::new();
        for (_, billed) in self.shared.state().bill.iter().filter(|(user, _)| user == user_id) {
            *bill.entry(*billed).or_default() += 1;
        }
        bill
    }

    /// What the account was charged, in millionths of a dollar.
    pub fn billed_micros(&self, user_id: &str) -> u64 {
        self.bill(user_id).into_iter().map(|(billed, count)| billed.micros() * count).sum()
    }
}

impl Billed {
    /// X's price, in millionths of a dollar (docs.x.com, "Pricing", 2026-08, pay per use).
    pub fn micros(self) -> u64 {
        match self {
            Self::Post | Self::Repost => 15_000,
            Self::PostWithLink => 200_000,
            Self::SummonedReply | Self::Delete | Self::User => 10_000,
            Self::OwnPost => 1_000,
            Self::AltText => 5_000,
        }
    }
}

impl Operation {
    /// What a request asks for, and the id in its path.
    fn of<'a>(method: &Method, path: &'a str) -> Option<(Self, &'a str)> {
        let parts: Vec<_> = path.strip_prefix("/2/")?.split('/').collect();
        match (method.as_str(), parts.as_slice()) {
            ("POST", ["tweets"]) => Some((Self::Post, "")),
            ("DELETE", ["tweets", id]) => Some((Self::Delete, id)),
            ("POST", ["users", id, "retweets"]) => Some((Self::Repost, id)),
            ("GET", ["users", "me"]) => Some((Self::Me, "")),
            ("GET", ["users", id, "tweets"]) => Some((Self::Timeline, id)),
            ("POST", ["media", "upload"]) => Some((Self::Upload, "")),
            ("POST", ["media", "metadata"]) => Some((Self::AltText, "")),
            _ => None,
        }
    }

    /// Requests per account and 15 minutes (docs.x.com, "Rate limits", 2026-08).
    fn limit(self) -> u32 {
        match self {
            Self::Post => 100,
            Self::Delete | Self::Repost => 50,
            Self::Timeline => 900,
            Self::Me => 75,
            Self::Upload | Self::AltText => 500,
        }
    }
}

/// Such values look the same in an `Authorization` header, where others are percent-encoded.
#[track_caller]
fn assert_is_plain(value: &str) {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || character == '-';
    assert!(!value.is_empty() && value.chars().all(is_plain), "not a key or token of X: {value:?}");
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        // The client is gone, and half a request is none.
        return StatusCode::BAD_REQUEST.into_response();
    };
    let mut note = shared.exchanges.begin(&head, &body);
    let Some((operation, id)) = Operation::of(&head.method, head.uri.path()) else {
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
    fn state(&self) -> MutexGuard<'_, Accounts> {
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
        let user_id = self.authenticate(&state, head)?;
        let limits = state.count(&user_id, operation)?;
        if let Some(trouble) = state.trouble {
            return Err(trouble.refusal());
        }
        let call = Call { head, body, id, user_id };
        let answer = match operation {
            Operation::Post => state.create(&call),
            Operation::Delete => state.delete(&call),
            Operation::Repost => state.repost(&call),
            Operation::Timeline => state.list(&call),
            Operation::Me => state.me(&call),
            Operation::Upload => state.upload(&call),
            Operation::AltText => state.describe(&call),
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

    /// The id of the user who signed a request.
    fn authenticate(&self, state: &Accounts, head: &Parts) -> Result<String, Refusal> {
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
        let signed_at = authorization
            .timestamp()
            .and_then(|second| Timestamp::from_second(i64::try_from(second.get()).ok()?).ok());
        let signed_at = signed_at.ok_or_else(unauthorized)?;
        if X::CLOCK_SKEW < state.clock().duration_since(signed_at).abs() {
            return Err(coded(StatusCode::UNAUTHORIZED, 135, "Timestamp out of bounds."));
        }
        Ok(user_id.clone())
    }
}

impl Call<'_> {
    fn read<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let content_type =
            self.head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !content_type.is_some_and(|value| value.starts_with("application/json")) {
            return Err(invalid("the content type is not application/json"));
        }
        serde_json::from_slice(self.body).map_err(|err| invalid(&err.to_string()))
    }
}

impl Accounts {
    fn now(&self) -> Timestamp {
        clock::now().saturating_add(self.ahead).expect("a duration without days or months")
    }

    /// What X's clock says, next to which clients' clocks are seen.
    fn clock(&self) -> Timestamp {
        clock::now().saturating_add(self.clients_behind).expect("a duration without days or months")
    }

    fn date(&self) -> String {
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&self.clock());
        date.expect("the present has a date")
    }

    fn misbehaviour(&mut self, operation: Operation) -> Option<Misbehave> {
        *self.asked.entry(operation).or_default() += 1;
        let index = self.misbehave.iter().position(|(of, _)| *of == operation);
        let next = index.and_then(|index| self.misbehave.remove(index));
        let proxy = self.proxy.filter(|_| operation == Operation::Post);
        next.map(|(_, misbehave)| misbehave).or(proxy.map(Misbehave::AcceptThen))
    }

    fn charge(&mut self, user_id: &str, billed: Billed) {
        self.bill.push((user_id.to_owned(), billed));
    }

    /// Counts a request. Returns the headers that say what is left.
    fn count(
        &mut self,
        user_id: &str,
        operation: Operation,
    ) -> Result<Vec<(&'static str, String)>, Refusal> {
        const WINDOW: SignedDuration = SignedDuration::from_mins(15);
        const DAY: SignedDuration = SignedDuration::from_hours(24);
        let now = self.now();
        let limit = self.limits.get(&operation).copied().unwrap_or_else(|| operation.limit());
        let window = self.windows.get(&(user_id.to_owned(), operation)).copied();
        let window = Window::of(window, now, WINDOW);
        let mut headers = limit_headers(limit, window.left(limit), window.from + WINDOW).to_vec();
        let app_window = Window::of(self.app_window, now, DAY);
        if operation == Operation::Post {
            headers.extend([
                ("x-app-limit-24hour-limit", self.app_limit.to_string()),
                ("x-app-limit-24hour-remaining", app_window.left(self.app_limit).to_string()),
                ("x-app-limit-24hour-reset", (app_window.from + DAY).as_second().to_string()),
            ]);
            if self.app_limit < app_window.requests {
                let Refusal(mut answer) =
                    problem(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
                answer.headers = headers;
                return Err(Refusal(answer));
            }
        }
        if limit < window.requests {
            return Err(too_many(limit, Some(window.from + WINDOW)));
        }
        self.windows.insert((user_id.to_owned(), operation), window);
        if operation == Operation::Post {
            self.app_window = Some(app_window);
        }
        Ok(headers)
    }

    fn create(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let new: NewPost = call.read()?;
        let user_id = &call.user_id;
        if new.text.trim().is_empty() && new.media.is_none() {
            return Err(invalid("the text is empty"));
        }
        let reply_to = match &new.reply {
            Some(reply) => Some(self.may_reply(user_id, &reply.in_reply_to_tweet_id)?),
            None => None,
        };
        let mut media_ids = Vec::new();
        if let Some(media) = &new.media {
            if !(1..=4).contains(&media.media_ids.len()) {
                return Err(invalid("media_ids are not 1 to 4"));
            }
            for media_id in &media.media_ids {
                let id = id("media_ids", media_id)?;
                if !self.media.iter().any(|media| media.id == id && media.user_id == *user_id) {
                    return Err(invalid("Your media IDs are invalid."));
                }
                media_ids.push(id);
            }
        }
        let at = self.now();
        let is_duplicate = |post: &Post| {
            post.user_id == *user_id
                && post.text == new.text
                && at.duration_since(post.at) < X::DUPLICATE_WINDOW
        };
        if self.duplicate_check && self.posts.iter().any(is_duplicate) {
            let detail = "You are not allowed to create a Tweet with duplicate content.";
            return Err(problem(StatusCode::FORBIDDEN, detail));
        }
        let summoned = reply_to.is_some_and(|id| self.author(id) != Some(user_id));
        let post = self.add(user_id, new, reply_to, media_ids, None);
        let data = json!({ "id": post.id.to_string(), "text": post.shown });
        let billed = match post.text_links {
            _ if summoned => Billed::SummonedReply,
            0 => Billed::Post,
            _ => Billed::PostWithLink,
        };
        self.charge(user_id, billed);
        Ok(Answer::new(StatusCode::CREATED, json!({ "data": data })))
    }

    /// Whose post that is.
    fn author(&self, post_id: u64) -> Option<&String> {
        self.posts.iter().find(|post| post.id == post_id).map(|post| &post.user_id)
    }

    /// The post to reply to, where X lets the account: the account's own, or one whose author mentions it
    /// (X's announcement of 2026-02-23; the detail is X's).
    fn may_reply(&self, user_id: &str, to: &str) -> Result<u64, Refusal> {
        let to = id("in_reply_to_tweet_id", to)?;
        let Some(post) = self.posts.iter().find(|post| post.id == to) else {
            let detail = "You attempted to reply to a Tweet that is deleted or not visible to you.";
            return Err(problem(StatusCode::FORBIDDEN, detail));
        };
        if post.user_id != user_id && !mentions(&post.text, user_id) {
            let detail = "Reply to this conversation is not allowed because you have not been \
                          mentioned or otherwise engaged by the author of the post you are replying to.";
            return Err(problem(StatusCode::FORBIDDEN, detail));
        }
        Ok(to)
    }

    /// Deletes an own post. What X says to a second time is not documented; this is the stricter guess.
    fn delete(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let id = id("id", call.id)?;
        let Some(index) = self.posts.iter().position(|post| post.id == id) else {
            return Err(Refusal(Answer::problem(StatusCode::NOT_FOUND, no_such("tweet", call.id))));
        };
        if self.posts[index].user_id != call.user_id {
            let detail = "You are not authorized to delete this Tweet.";
            return Err(problem(StatusCode::FORBIDDEN, detail));
        }
        self.posts.remove(index);
        self.charge(&call.user_id, Billed::Delete);
        Ok(Answer::new(StatusCode::OK, json!({ "data": { "deleted": true } })))
    }

    /// Reposts. What X says to a second time is what v1.1 said.
    fn repost(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let new: NewRepost = call.read()?;
        let of = id("tweet_id", &new.tweet_id)?;
        if call.id != call.user_id {
            let detail = "The authenticated user is not the one in the path.";
            return Err(problem(StatusCode::FORBIDDEN, detail));
        }
        let Some(original) = self.posts.iter().find(|post| post.id == of) else {
            let missing = no_such("tweet", &new.tweet_id);
            return Err(Refusal(Answer::problem(StatusCode::NOT_FOUND, missing)));
        };
        let is_repeat = |post: &Post| post.user_id == call.user_id && post.repost_of == Some(of);
        if self.posts.iter().any(is_repeat) {
            let words = "You have already retweeted this Tweet.";
            return Err(coded(StatusCode::FORBIDDEN, 327, words));
        }
        let text = format!("RT @user{}: {}", original.user_id, original.text);
        let repeat = NewPost { text, reply: None, media: None, made_with_ai: false };
        self.add(&call.user_id, repeat, None, Vec::new(), Some(of));
        self.charge(&call.user_id, Billed::Repost);
        let data = json!({ "retweeted": true, "rest_id": new.tweet_id });
        Ok(Answer::new(StatusCode::OK, json!({ "data": data })))
    }

    fn list(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        id("id", call.id)?;
        let listing = Listing::read(&oauth::query(&call.head.uri))?;
        if !self.users.values().any(|known| *known == call.id) {
            // X answers 200 to this.
            let body = json!({ "errors": [no_such("user", call.id)] });
            return Ok(Answer::new(StatusCode::OK, body));
        }
        let mut found = Vec::new();
        for post in self.posts.iter_mut().rev().filter(|post| {
            post.user_id == call.id
                && listing.since_id.is_none_or(|since| since < post.id)
                && listing.start_time.is_none_or(|start| start <= post.at)
                && listing.before_id.is_none_or(|before| post.id < before)
                && (listing.reposts || post.repost_of.is_none())
                && (listing.replies || post.reply_to.is_none())
        }) {
            match post.unlisted.checked_sub(1) {
                Some(left) => post.unlisted = left,
                None => found.push(&*post),
            }
        }
        if self.oldest_first {
            found.reverse();
            found.retain(|post| listing.after_id.is_none_or(|after| after < post.id));
        }
        let more = listing.max_results < found.len();
        found.truncate(listing.max_results);
        let mut meta = json!({ "result_count": found.len() });
        let (Some(newest), Some(oldest)) = (found.first(), found.last()) else {
            return Ok(Answer::new(StatusCode::OK, json!({ "meta": meta })));
        };
        meta["newest_id"] = newest.id.to_string().into();
        meta["oldest_id"] = oldest.id.to_string().into();
        if more {
            // After the last that is listed, whichever way.
            let way = if self.oldest_first { "after" } else { "before" };
            meta["next_token"] = format!("{way}{}", oldest.id).into();
        }
        let data: Vec<_> = found.iter().map(|post| post.show(&listing.fields)).collect();
        for _ in 0..data.len() {
            self.charge(&call.user_id, Billed::OwnPost);
        }
        Ok(Answer::new(StatusCode::OK, json!({ "data": data, "meta": meta })))
    }

    fn me(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        for (name, _) in oauth::query(&call.head.uri) {
            if name != "user.fields" {
                return Err(unknown_parameter(&name));
            }
        }
        self.charge(&call.user_id, Billed::User);
        let username = format!("user{}", call.user_id);
        let data = json!({ "id": call.user_id, "name": "A sheep", "username": username });
        Ok(Answer::new(StatusCode::OK, json!({ "data": data })))
    }

    fn upload(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        /// docs.x.com, "Media upload: best practices", 2026-08.
        const MOST_BYTES: usize = 5_000_000;
        let new: NewUpload = call.read()?;
        if new.media_category != "tweet_image" {
            return Err(invalid("media_category is not tweet_image"));
        }
        let bytes = BASE64_STANDARD.decode(new.media);
        let bytes = bytes.map_err(|_| invalid("media is not base64"))?;
        if MOST_BYTES < bytes.len() {
            return Err(invalid("File size exceeds 5242880 bytes."));
        }
        let Some(image_type) = image_type(&bytes) else {
            return Err(invalid("media type unrecognized."));
        };
        let id = self.new_id();
        let data = json!({
            "id": id.to_string(),
            "media_key": format!("3_{id}"),
            "size": bytes.len(),
            "expires_after_secs": 86_400,
            "image": { "image_type": image_type },
        });
        self.media.push(Media { id, user_id: call.user_id.clone(), bytes, alt: None });
        Ok(Answer::new(StatusCode::OK, json!({ "data": data })))
    }

    fn describe(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let new: NewMetadata = call.read()?;
        let id = id("id", &new.id)?;
        let text = new.metadata.alt_text.text;
        if 1_000 < text.chars().count() {
            return Err(invalid("alt_text is longer than 1000 characters"));
        }
        let own = |media: &&mut Media| media.id == id && media.user_id == call.user_id;
        let Some(media) = self.media.iter_mut().find(own) else {
            return Err(invalid("Your media IDs are invalid."));
        };
        let metadata = json!({ "alt_text": { "text": text } });
        media.alt = Some(text);
        self.charge(&call.user_id, Billed::AltText);
        let data = json!({ "id": new.id, "associated_metadata": metadata });
        Ok(Answer::new(StatusCode::OK, json!({ "data": data })))
    }

    fn new_id(&mut self) -> u64 {
        /// When X's ids begin: they are milliseconds since then, and 22 bits to tell posts apart.
        const IDS_FROM_MS: i64 = 1_288_834_974_657;
        let now_ms = self.now().as_millisecond();
        let age_ms = u64::try_from(now_ms - IDS_FROM_MS).expect("it is after 2010");
        self.last_id = (age_ms << 22).max(self.last_id + 1);
        self.last_id
    }

    fn add(
        &mut self,
        user_id: &str,
        new: NewPost,
        reply_to: Option<u64>,
        media_ids: Vec<u64>,
        repost_of: Option<u64>,
    ) -> &Post {
        let (at, id) = (self.now(), self.new_id());
        let (mut shown, mut links) = self.shown(&new.text);
        if let Some(author) = reply_to.and_then(|id| self.author(id)).filter(|id| *id != user_id) {
            shown = format!("@user{author} {shown}");
        }
        let text_links = links.len();
        if !media_ids.is_empty() {
            // The pictures stand behind a link of their own at the end.
            let expanded = format!("https://x.com/user{user_id}/status/{id}/photo/1");
            let start = if shown.is_empty() { 0 } else { shown.chars().count() + 1 };
            let mut link = self.short(&expanded, "pic.x.com", start);
            link["media_key"] = format!("3_{}", media_ids[0]).into();
            let short = link["url"].as_str().unwrap_or_default();
            if !shown.is_empty() {
                shown.push(' ');
            }
            shown.push_str(short);
            links.push(link);
        }
        self.posts.push(Post {
            id,
            user_id: user_id.to_owned(),
            at,
            text: new.text,
            shown,
            links,
            text_links,
            reply_to,
            repost_of,
            made_with_ai: new.made_with_ai,
            media_ids,
            unlisted: self.lag,
        });
        self.posts.last().expect("one was just pushed")
    }

    /// The text as X shows it: `&`, `<` and `>` escaped, links behind `t.co`; and the links' entities.
    fn shown(&mut self, text: &str) -> (String, Vec<Value>) {
        let (mut shown, mut links) = (String::new(), Vec::new());
        let (mut rest, mut before) = (text, None);
        while let Some(character) = rest.chars().next() {
            let Some(link) = link_at(rest, before) else {
                push_escaped(&mut shown, character);
                (rest, before) = (&rest[character.len_utf8()..], Some(character));
                continue;
            };
            let display = link.split_once("://").map_or(link, |(_, display)| display);
            let expanded = if display == link { format!("http://{link}") } else { link.to_owned() };
            let entity = self.short(&expanded, display, shown.chars().count());
            shown.push_str(entity["url"].as_str().unwrap_or_default());
            links.push(entity);
            (rest, before) = (&rest[link.len()..], link.chars().next_back());
        }
        (shown, links)
    }

    /// The entity of a link behind `t.co`.
    fn short(&mut self, expanded: &str, display: &str, start: usize) -> Value {
        self.link_count += 1;
        // X's are ten characters long too, so none begins another.
        let short = format!("https://t.co/{:010}", self.link_count);
        json!({
            "start": start,
            "end": start + short.len(),
            "url": short,
            "expanded_url": expanded,
            "display_url": display,
        })
    }
}

/// The link a text begins with, after the character before it.
fn link_at(text: &str, before: Option<char>) -> Option<&str> {
    /// Of all there are, those the tests use.
    const TOP_LEVEL: [&str; 4] = ["com", "org", "net", "example"];
    let path_end = |from: &str| {
        let end = from.find(|end: char| end.is_whitespace() || "<>\"".contains(end));
        let path = &from[..end.unwrap_or(from.len())];
        path.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '\'']).len()
    };
    if let Some(scheme) = ["https://", "http://"].into_iter().find(|s| text.starts_with(s)) {
        let end = path_end(text);
        // A scheme alone is no link.
        return (scheme.len() < end).then(|| &text[..end]);
    }
    if before.is_some_and(|before| before.is_alphanumeric() || "@#$._-/".contains(before)) {
        return None;
    }
    let is_host = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let host = text.split(|c| !is_host(c)).next()?.trim_end_matches('.');
    let (name, top_level) = host.rsplit_once('.')?;
    let after = &text[host.len()..];
    if name.split('.').any(str::is_empty)
        || !TOP_LEVEL.contains(&top_level)
        || after.starts_with(|c: char| c.is_alphanumeric() || c == '@')
    {
        return None;
    }
    let path = if after.starts_with('/') { path_end(after) } else { 0 };
    Some(&text[..host.len() + path])
}

fn push_escaped(shown: &mut String, character: char) {
    match character {
        '&' => shown.push_str("&amp;"),
        '<' => shown.push_str("&lt;"),
        '>' => shown.push_str("&gt;"),
        other => shown.push(other),
    }
}

/// Whether a text mentions the user.
fn mentions(text: &str, user_id: &str) -> bool {
    let name = format!("@user{user_id}");
    text.split(|c: char| !c.is_alphanumeric() && c != '@' && c != '_').any(|word| word == name)
}

/// The type of a picture, by its first bytes.
fn image_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

impl Post {
    /// The post as a listing has it: id and text, and of the rest what was asked for.
    fn show(&self, fields: &[String]) -> Value {
        let mut shown = json!({
            "id": self.id.to_string(),
            "text": self.shown,
            "edit_history_post_ids": [self.id.to_string()],
        });
        for field in fields {
            match field.as_str() {
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

impl Window {
    /// The window a request at `now` falls into, and it counted.
    fn of(window: Option<Self>, now: Timestamp, length: SignedDuration) -> Self {
        let open = window.filter(|window| now < window.from + length);
        let Self { from, requests } = open.unwrap_or(Self { from: now, requests: 0 });
        Self { from, requests: requests + 1 }
    }

    fn left(&self, limit: u32) -> u32 {
        limit.saturating_sub(self.requests)
    }
}

impl Trouble {
    /// What X says to it. The bodies are as people have shown them in 2023 to 2026.
    fn refusal(self) -> Refusal {
        match self {
            Self::Revoked => coded(StatusCode::UNAUTHORIZED, 89, "Invalid or expired token."),
            Self::Suspended => {
                let words =
                    "Your account is suspended and is not permitted to access this feature.";
                coded(StatusCode::FORBIDDEN, 64, words)
            }
            Self::AppSuspended => {
                coded(StatusCode::UNAUTHORIZED, 416, "Invalid / suspended application")
            }
            Self::Tier => {
                let words = "You currently have access to a subset of X API V2 endpoints and limited \
                             v1.1 endpoints (e.g. media post, oauth) only. If you need access to this \
                             endpoint, you may need a different access level.";
                coded(StatusCode::FORBIDDEN, 453, words)
            }
            Self::OutOfCredits => Refusal(Answer::problem(
                StatusCode::PAYMENT_REQUIRED,
                json!({
                    "account_id": 1_234_567_890,
                    "title": "CreditsDepleted",
                    "detail": "Your enrolled account [1234567890] does not have any credits to fulfill this request.",
                    "type": "https://api.x.com/2/problems/credits",
                }),
            )),
        }
    }
}

impl Answer {
    fn new(status: StatusCode, body: Value) -> Self {
        let content_type = "application/json; charset=utf-8";
        Self { status, content_type, body, headers: Vec::new() }
    }

    fn problem(status: StatusCode, body: Value) -> Self {
        Self { content_type: "application/problem+json", ..Self::new(status, body) }
    }

    fn response(&self) -> Response {
        let content_type = [(CONTENT_TYPE, self.content_type)];
        let mut response = (self.status, content_type, self.body.to_string()).into_response();
        for (name, value) in &self.headers {
            let value = HeaderValue::from_str(value).expect("a number is ASCII");
            response.headers_mut().insert(HeaderName::from_static(name), value);
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
            after_id: None,
            reposts: true,
            replies: true,
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
                    let number = |way| value.strip_prefix(way).and_then(|id| id.parse().ok());
                    listing.before_id = number("before");
                    listing.after_id = number("after");
                    if listing.before_id.or(listing.after_id).is_none() {
                        return Err(invalid("pagination_token is not one of ours"));
                    }
                }
                "exclude" => {
                    for kind in value.split(',') {
                        match kind {
                            "retweets" => listing.reposts = false,
                            "replies" => listing.replies = false,
                            _ => return Err(invalid("exclude is neither retweets nor replies")),
                        }
                    }
                }
                "post.fields" => {
                    listing.fields = value.split(',').map(ToOwned::to_owned).collect();
                }
                _ => return Err(unknown_parameter(name)),
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

fn limit_headers(limit: u32, left: u32, reset: Timestamp) -> [(&'static str, String); 3] {
    [
        ("x-rate-limit-limit", limit.to_string()),
        ("x-rate-limit-remaining", left.to_string()),
        ("x-rate-limit-reset", reset.as_second().to_string()),
    ]
}

fn problem(status: StatusCode, detail: &str) -> Refusal {
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
fn coded(status: StatusCode, code: u16, message: &str) -> Refusal {
    let body = json!({ "errors": [{ "code": code, "message": message }] });
    Refusal(Answer::new(status, body))
}

fn too_many(limit: u32, reset: Option<Timestamp>) -> Refusal {
    let Refusal(mut answer) = problem(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
    answer.headers.extend(reset.into_iter().flat_map(|reset| limit_headers(limit, 0, reset)));
    Refusal(answer)
}

fn code_88(limit: u32, reset: Option<Timestamp>) -> Refusal {
    let Refusal(mut answer) = coded(StatusCode::TOO_MANY_REQUESTS, 88, "Rate limit exceeded");
    answer.headers.extend(reset.into_iter().flat_map(|reset| limit_headers(limit, 0, reset)));
    Refusal(answer)
}

fn unauthorized() -> Refusal {
    problem(StatusCode::UNAUTHORIZED, "Unauthorized")
}

fn internal_error() -> Answer {
    let detail = "Something is broken. This is usually temporary.";
    let Refusal(answer) = problem(StatusCode::INTERNAL_SERVER_ERROR, detail);
    answer
}

fn invalid(message: &str) -> Refusal {
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

fn unknown_parameter(name: &str) -> Refusal {
    invalid(&format!("the query parameter [{name}] is not one of those there are"))
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
    use std::num::NonZeroU64;

    use oauth1_request as oauth;

    use super::*;
    use crate::server::{unanswered, until};

    /// A client of the app `ck`.
    struct Client<'a> {
        x: &'a X,
        consumer_key: &'a str,
        token: &'a str,
        token_secret: &'a str,
        /// How far its clock is off.
        seconds_off: i64,
    }

    impl<'a> Client<'a> {
        fn of(x: &'a X) -> Self {
            Self { x, consumer_key: "ck", token: "7-abc", token_secret: X::SECRET, seconds_off: 0 }
        }

        fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
            let url: reqwest::Url = format!("{}{path}", self.x.url()).parse().unwrap();
            let parameters: std::collections::BTreeSet<_> = url.query_pairs().collect();
            let parameters = oauth::request::ParameterList::new(Vec::from_iter(parameters));
            let client = oauth::Credentials::new(self.consumer_key, X::SECRET);
            let mut builder = oauth::Builder::new(client, oauth::HmacSha1::new());
            let second = u64::try_from(clock::now().as_second() + self.seconds_off).unwrap();
            builder.token(oauth::Credentials::new(self.token, self.token_secret));
            builder.timestamp(NonZeroU64::new(second));
            let mut endpoint = url.clone();
            endpoint.set_query(None);
            let header = builder.authorize(method, endpoint.as_str(), &parameters);
            let request = reqwest::Client::new().request(method.parse().unwrap(), url);
            request.header("authorization", header)
        }

        async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
            let request = self.request(method, path);
            answer(match body {
                Some(body) => request.json(&body),
                None => request,
            })
            .await
        }

        async fn say(&self, text: &str) -> u16 {
            self.ask("POST", "/2/tweets", Some(json!({ "text": text }))).await.0
        }

        async fn get(&self, path: &str) -> (u16, Value) {
            self.ask("GET", path, None).await
        }
    }

    async fn x() -> X {
        let x = X::start("ck").await;
        x.account("7-abc", "7");
        x.account("8-abc", "8");
        x
    }

    fn tweet(x: &X, text: &str) -> reqwest::RequestBuilder {
        Client::of(x).request("POST", "/2/tweets").json(&json!({ "text": text }))
    }

    async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    fn texts(page: &Value) -> Vec<&str> {
        page["data"].as_array().unwrap().iter().map(|post| post["text"].as_str().unwrap()).collect()
    }

    #[tokio::test]
    async fn a_post_is_made_once_per_text_and_quarter_of_an_hour() {
        let x = x().await;
        let client = Client::of(&x);
        let baa = || Some(json!({ "text": "Baa", "made_with_ai": true }));
        let (status, body) = client.ask("POST", "/2/tweets", baa()).await;
        let first = x.posts("7").remove(0);
        assert!(first.made_with_ai);
        assert_eq!((status, body), (201, json!({ "data": { "id": first.id, "text": "Baa" } })));
        let (status, body) = client.ask("POST", "/2/tweets", baa()).await;
        let detail = "You are not allowed to create a Tweet with duplicate content.";
        let refusal = json!(
            {"detail": detail, "type": "about:blank", "title": "Forbidden", "status": 403}
        );
        assert_eq!((status, body), (403, refusal));
        x.advance(SignedDuration::from_mins(15));
        assert_eq!(client.say("Baa").await, 201);
        x.duplicate_check(false);
        assert_eq!(client.say("Baa").await, 201);
        let ids: Vec<_> = x.posts("7").into_iter().map(|post| post.id.parse::<u64>()).collect();
        assert!(ids.len() == 3 && ids.is_sorted_by(|a, b| a.as_ref().ok() < b.as_ref().ok()));
        assert_eq!(x.posts("8"), []);
        assert_eq!(x.bill("7"), BTreeMap::from([(Billed::Post, 3)]));
    }

    #[tokio::test]
    async fn what_x_would_not_take_is_refused() {
        let x = x().await;
        let good = || Client::of(&x);
        for (wrong, status) in [
            (Client { consumer_key: "other", ..good() }, 401),
            (Client { token: "9-abc", ..good() }, 401),
            (Client { token_secret: "other", ..good() }, 401),
            (Client { seconds_off: 301, ..good() }, 401),
            (Client { seconds_off: -301, ..good() }, 401),
            (Client { seconds_off: -298, ..good() }, 200),
        ] {
            assert_eq!(wrong.get("/2/users/7/tweets?max_results=5").await.0, status);
        }
        let unsigned = reqwest::Client::new().get(format!("{}/2/users/me", x.url()));
        assert_eq!(answer(unsigned).await.0, 401);
        for wrong in [
            json!({}),
            json!({ "text": "" }),
            json!({ "text": "a", "poll": {} }),
            json!({ "text": "a", "reply": {} }),
            json!({ "text": "a", "media": { "media_ids": [] } }),
            json!({ "text": "a", "media": { "media_ids": ["1"] } }),
        ] {
            assert_eq!(
                good().ask("POST", "/2/tweets", Some(wrong.clone())).await.0,
                400,
                "{wrong}"
            );
        }
        for wrong in [
            "max_results=4",
            "since_id=x",
            "start_time=soon",
            "pagination_token=1",
            "tweet.fields=entities",
            "exclude=everything",
        ] {
            let path = format!("/2/users/7/tweets?{wrong}");
            assert_eq!(good().get(&path).await.0, 400, "{wrong}");
        }
        assert_eq!(good().get("/2/tweets").await.0, 404);
    }

    #[tokio::test]
    async fn a_clock_that_is_off_is_told_so_and_when_it_is() {
        let x = x().await;
        x.clients_behind(SignedDuration::from_mins(6));
        let response = tweet(&x, "a").send().await.unwrap();
        assert_eq!(response.status(), 401);
        let date = response.headers()["date"].to_str().unwrap();
        let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).unwrap();
        let off = date.duration_since(clock::now());
        assert!((350..=361).contains(&off.as_secs()), "{off}");
        let body: Value = response.json().await.unwrap();
        let said = json!({ "code": 135, "message": "Timestamp out of bounds." });
        assert_eq!(body, json!({ "errors": [said] }));
    }

    #[tokio::test]
    async fn lists_newest_first_in_pages_and_charges_for_each() {
        let x = x().await;
        let client = Client::of(&x);
        for number in 0..7 {
            client.say(&format!("Baa {number}")).await;
        }
        let (_, first) = client.get("/2/users/7/tweets?max_results=5").await;
        assert_eq!(texts(&first), ["Baa 6", "Baa 5", "Baa 4", "Baa 3", "Baa 2"]);
        assert_eq!(first["meta"]["result_count"], 5);
        let token = first["meta"]["next_token"].as_str().unwrap();
        let path = format!("/2/users/7/tweets?max_results=5&pagination_token={token}");
        let (_, second) = client.get(&path).await;
        assert_eq!(texts(&second), ["Baa 1", "Baa 0"]);
        assert_eq!(second["meta"]["next_token"], Value::Null);
        let since = &x.posts("7")[5].id;
        let (_, newer) = client.get(&format!("/2/users/7/tweets?since_id={since}")).await;
        assert_eq!(texts(&newer), ["Baa 6"]);
        let after_all = clock::now() + SignedDuration::from_mins(1);
        let (_, none) = client.get(&format!("/2/users/7/tweets?start_time={after_all}")).await;
        assert_eq!(none, json!({ "meta": { "result_count": 0 } }));
        let (status, unknown) = client.get("/2/users/99/tweets").await;
        assert_eq!((status, &unknown["data"]), (200, &Value::Null));
        assert_eq!(unknown["errors"][0]["detail"], "Could not find user with id: [99].");
        assert_eq!(x.bill("7"), BTreeMap::from([(Billed::Post, 7), (Billed::OwnPost, 8)]));
        assert_eq!(x.billed_micros("7"), 7 * 15_000 + 8 * 1_000);
    }

    #[tokio::test]
    async fn a_new_post_is_listed_late_when_told_so() {
        let x = x().await;
        let client = Client::of(&x);
        x.lag(2);
        client.say("Baa").await;
        for expected in [0, 0, 1, 1] {
            let (_, page) = client.get("/2/users/7/tweets").await;
            assert_eq!(page["meta"]["result_count"], expected);
        }
    }

    #[tokio::test]
    async fn texts_are_shown_escaped_and_links_shortened() {
        let x = x().await;
        let client = Client::of(&x);
        client.say("é <b> & https://a.example/?x=1&y=2, http:// see b.example.").await;
        let (_, page) = client.get("/2/users/7/tweets?post.fields=entities,created_at").await;
        let post = &page["data"][0];
        let (first, second) = ("https://t.co/0000000001", "https://t.co/0000000002");
        assert_eq!(post["text"], format!("é &lt;b&gt; &amp; {first}, http:// see {second}."));
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
        assert_eq!(urls[1]["expanded_url"], "http://b.example");
        assert!(post["created_at"].as_str().unwrap().parse::<Timestamp>().is_ok());
        client.say("to me@b.example about v1.2.com2 and e.g.this").await;
        let billed = [(Billed::Post, 1), (Billed::PostWithLink, 1), (Billed::OwnPost, 1)];
        assert_eq!(x.bill("7"), BTreeMap::from(billed));
    }

    #[tokio::test]
    async fn only_those_who_were_mentioned_may_reply() {
        let x = x().await;
        let client = Client::of(&x);
        let reply = |text: &str, to: &str| {
            Some(json!({ "text": text, "reply": { "in_reply_to_tweet_id": to } }))
        };
        let other = x.made_elsewhere("8", "Nice, @user77!");
        let (status, body) = client.ask("POST", "/2/tweets", reply("a", &other)).await;
        assert_eq!(status, 403);
        assert!(body["detail"].as_str().unwrap().starts_with("Reply to this conversation is not"));
        let asked = x.made_elsewhere("8", "What say you, @user7?");
        assert_eq!(client.ask("POST", "/2/tweets", reply("b", &asked)).await.0, 201);
        let own = x.posts("7")[0].id.clone();
        assert_eq!(client.ask("POST", "/2/tweets", reply("c", &own)).await.0, 201);
        assert_eq!(client.ask("POST", "/2/tweets", reply("d", "1")).await.0, 403);
        assert_eq!(x.posts("7")[1].reply_to.as_ref(), Some(&own));
        let (_, page) = client.get("/2/users/7/tweets").await;
        assert_eq!(texts(&page), ["c", "@user8 b"]);
        let billed = [(Billed::Post, 1), (Billed::SummonedReply, 1), (Billed::OwnPost, 2)];
        assert_eq!(x.bill("7"), BTreeMap::from(billed));
    }

    #[tokio::test]
    async fn pictures_are_uploaded_described_and_posted() {
        let x = x().await;
        let client = Client::of(&x);
        let png = b"\x89PNG and so on";
        let upload = |bytes: &[u8]| {
            let media = BASE64_STANDARD.encode(bytes);
            Some(json!({ "media": media, "media_category": "tweet_image" }))
        };
        for wrong in [upload(b"text"), upload(&vec![0x89; 5_000_001]), Some(json!({ "media": "" }))]
        {
            assert_eq!(client.ask("POST", "/2/media/upload", wrong).await.0, 400);
        }
        let (status, body) = client.ask("POST", "/2/media/upload", upload(png)).await;
        assert_eq!(status, 200);
        let media_id = body["data"]["id"].as_str().unwrap();
        let alt = |id: &str, text: &str| {
            Some(json!({ "id": id, "metadata": { "alt_text": { "text": text } } }))
        };
        let path = "/2/media/metadata";
        assert_eq!(client.ask("POST", path, alt(media_id, "A sheep")).await.0, 200);
        assert_eq!(client.ask("POST", path, alt(media_id, &"a".repeat(1_001))).await.0, 400);
        assert_eq!(client.ask("POST", path, alt("1", "A sheep")).await.0, 400);
        let post = json!({ "text": "Look", "media": { "media_ids": [media_id] } });
        assert_eq!(client.ask("POST", "/2/tweets", Some(post)).await.0, 201);
        let picture = XPicture { bytes: png.to_vec(), alt: Some("A sheep".to_owned()) };
        assert_eq!(x.posts("7")[0].pictures, [picture]);
        let (_, page) = client.get("/2/users/7/tweets?post.fields=entities").await;
        assert_eq!(texts(&page), ["Look https://t.co/0000000001"]);
        let key = &page["data"][0]["entities"]["urls"][0]["media_key"];
        assert_eq!(*key, format!("3_{media_id}"));
        let billed = [(Billed::Post, 1), (Billed::OwnPost, 1), (Billed::AltText, 1)];
        assert_eq!(x.bill("7"), BTreeMap::from(billed));
    }

    #[tokio::test]
    async fn reposts_once_and_says_who_is_asking() {
        let x = x().await;
        let client = Client::of(&x);
        let of = x.made_elsewhere("8", "Baa");
        let repost = |of: &str| Some(json!({ "tweet_id": of }));
        let (status, body) = client.ask("POST", "/2/users/7/retweets", repost(&of)).await;
        assert_eq!(status, 200);
        assert_eq!(body, json!({ "data": { "retweeted": true, "rest_id": of } }));
        assert_eq!(client.ask("POST", "/2/users/7/retweets", repost(&of)).await.0, 403);
        assert_eq!(client.ask("POST", "/2/users/8/retweets", repost(&of)).await.0, 403);
        assert_eq!(client.ask("POST", "/2/users/7/retweets", repost("1")).await.0, 404);
        assert_eq!(x.posts("7")[0].repost_of.as_ref(), Some(&of));
        let (_, page) = client.get("/2/users/7/tweets").await;
        assert_eq!(texts(&page), ["RT @user8: Baa"]);
        let (_, page) = client.get("/2/users/7/tweets?exclude=retweets").await;
        assert_eq!(page["meta"]["result_count"], 0);
        let (_, me) = client.get("/2/users/me").await;
        let me = &me["data"];
        assert_eq!((&me["id"], &me["username"]), (&json!("7"), &json!("user7")));
        let billed = [(Billed::Repost, 1), (Billed::OwnPost, 1), (Billed::User, 1)];
        assert_eq!(x.bill("7"), BTreeMap::from(billed));
    }

    #[tokio::test]
    async fn deletes_own_posts() {
        let x = x().await;
        let client = Client::of(&x);
        client.say("Baa").await;
        let path = format!("/2/tweets/{}", x.posts("7")[0].id);
        let other = Client { token: "8-abc", ..Client::of(&x) };
        assert_eq!(other.ask("DELETE", &path, None).await.0, 403);
        let deleted = json!({ "data": { "deleted": true } });
        assert_eq!(client.ask("DELETE", &path, None).await, (200, deleted));
        assert_eq!(client.ask("DELETE", &path, None).await.0, 404);
        // Its text is free again.
        assert_eq!(client.say("Baa").await, 201);
        let billed = [(Billed::Post, 2), (Billed::Delete, 1)];
        assert_eq!(x.bill("7"), BTreeMap::from(billed));
    }

    #[tokio::test]
    async fn limits_are_counted_and_kept() {
        let x = x().await;
        x.limit(Operation::Post, 2);
        x.app_limit(3);
        let header = |response: &reqwest::Response, name: &str| {
            response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
        };
        for left in ["1", "0"] {
            let response = tweet(&x, left).send().await.unwrap();
            assert_eq!(header(&response, "x-rate-limit-limit").as_deref(), Some("2"));
            assert_eq!(header(&response, "x-rate-limit-remaining").as_deref(), Some(left));
        }
        let over = tweet(&x, "over").send().await.unwrap();
        assert_eq!(over.status(), 429);
        let reset = header(&over, "x-rate-limit-reset").unwrap().parse::<i64>().unwrap();
        assert!((890..=900).contains(&(reset - clock::now().as_second())));
        x.advance(SignedDuration::from_mins(15));
        let third = tweet(&x, "third").send().await.unwrap();
        assert_eq!(third.status(), 201);
        assert_eq!(header(&third, "x-app-limit-24hour-remaining").as_deref(), Some("0"));
        let over = tweet(&x, "fourth").send().await.unwrap();
        assert_eq!(over.status(), 429);
        assert_eq!(header(&over, "x-rate-limit-remaining").as_deref(), Some("0"));
        assert_eq!(header(&over, "x-app-limit-24hour-remaining").as_deref(), Some("0"));
        // Listings have a window of their own.
        assert_eq!(Client::of(&x).get("/2/users/7/tweets").await.0, 200);
    }

    #[tokio::test]
    async fn trouble_lasts_until_it_is_over() {
        let x = x().await;
        let client = Client::of(&x);
        for (trouble, status) in [
            (Trouble::Revoked, 401),
            (Trouble::Suspended, 403),
            (Trouble::AppSuspended, 401),
            (Trouble::Tier, 403),
            (Trouble::OutOfCredits, 402),
        ] {
            x.trouble(trouble);
            assert_eq!(client.say("a").await, status);
            assert_eq!(client.get("/2/users/7/tweets").await.0, status);
        }
        x.well();
        assert_eq!(client.say("a").await, 201);
    }

    #[tokio::test]
    async fn misbehaves_in_turn() {
        let x = x().await;
        let client = Client::of(&x);
        let reset: Timestamp = "2026-11-01T12:00:00Z".parse().unwrap();
        for misbehave in [
            Misbehave::AcceptThen500,
            Misbehave::Refuse500,
            Misbehave::Forbidden("Too long.".to_owned()),
            Misbehave::Unauthorized,
            Misbehave::RateLimited { reset },
            Misbehave::RateLimitedForHowLong,
            Misbehave::Code88 { reset: Some(reset) },
            Misbehave::Html,
            Misbehave::Endless,
            Misbehave::Huge,
            Misbehave::Redirect("http://169.254.169.254/".to_owned()),
            Misbehave::AcceptThenSilence,
            Misbehave::AcceptLate(Duration::from_hours(1)),
        ] {
            x.misbehave(misbehave);
        }
        x.misbehave_at(Operation::Timeline, Misbehave::Refuse500);
        assert_eq!(client.say("accepted").await, 500);
        assert_eq!(client.say("refused").await, 500);
        let a = Some(json!({ "text": "a" }));
        let (status, forbidden) = client.ask("POST", "/2/tweets", a).await;
        assert_eq!((status, &forbidden["detail"]), (403, &json!("Too long.")));
        assert_eq!(client.say("b").await, 401);
        let limited = tweet(&x, "c").send().await.unwrap();
        assert_eq!(limited.status(), 429);
        let reset = reset.as_second().to_string();
        assert_eq!(limited.headers()["x-rate-limit-reset"].to_str().unwrap(), reset);
        let limited = tweet(&x, "c").send().await.unwrap();
        assert_eq!(limited.status(), 429);
        assert!(!limited.headers().contains_key("x-rate-limit-reset"));
        let c = Some(json!({ "text": "c" }));
        let (status, limited) = client.ask("POST", "/2/tweets", c).await;
        assert_eq!((status, &limited["errors"][0]["code"]), (429, &json!(88)));
        let page = tweet(&x, "d").send().await.unwrap();
        assert_eq!(page.status(), 200);
        assert!(page.text().await.unwrap().starts_with("<!doctype html>"));
        let mut endless = tweet(&x, "e").send().await.unwrap();
        assert_eq!(endless.status(), 201);
        let mut read_bytes = 0;
        while read_bytes < 1 << 21 {
            read_bytes += endless.chunk().await.unwrap().unwrap().len();
        }
        drop(endless);
        let huge = tweet(&x, "f").send().await.unwrap();
        assert_eq!(huge.content_length(), Some(100_000_000));
        assert_eq!(huge.bytes().await.unwrap().len(), 100_000_000);
        let straight = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let (http, redirected) = tweet(&x, "g").build_split();
        drop(http);
        let redirected = straight.build().unwrap().execute(redirected.unwrap()).await.unwrap();
        assert_eq!(redirected.status(), 307);
        assert_eq!(redirected.headers()["location"], "http://169.254.169.254/");
        let has = |text: &'static str| {
            let x = &x;
            until(move || x.posts("7").iter().any(|post| post.text == text))
        };
        unanswered(tweet(&x, "silent"), has("silent")).await;
        unanswered(tweet(&x, "late"), has("late")).await;
        assert_eq!(client.get("/2/users/7/tweets").await.0, 500);
        assert_eq!(x.unspent(), []);
        assert_eq!(client.say("good").await, 201);
        assert_eq!((x.asked(Operation::Post), x.asked(Operation::Timeline)), (14, 1));
        let texts: Vec<_> = x.posts("7").into_iter().map(|post| post.text).collect();
        assert_eq!(texts, ["accepted", "silent", "late", "good"]);
        assert_eq!(x.bill("7"), BTreeMap::from([(Billed::Post, 4)]));
    }
}
