//! A Mastodon instance as docs.joinmastodon.org and Mastodon's source describe it (read 2026-11), with state and
//! with bad days.
//!
//! `Idempotency-Key` works as Mastodon's: scoped to the account, kept an hour, and it returns the earlier post
//! even if the body differs. Two of three servers that speak this API ignore it, so it can be switched off.

mod about;
mod accounts;
mod answers;
mod api;
mod bodies;
mod faults;
mod follows;
mod listing;
mod oauth;
mod pictures;
mod posts;
#[cfg(test)]
mod tests;
mod text;

pub use self::{
    accounts::MastodonProfile,
    api::Endpoint,
    faults::{Listed, Misbehave},
    pictures::MastodonPicture,
    posts::MastodonPost,
};

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::from_fn_with_state,
    routing::{get, patch, post},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use self::{
    about::{instance_v1, instance_v2},
    accounts::{Account, update, verify},
    api::mood,
    follows::{favourite, follow, lookup, search, unfollow},
    listing::list,
    oauth::{App, Code, ask, decide, exchange, register, verify_app},
    pictures::{Media, attachment, upload},
    posts::{Post, create, reblog, remove, view},
};
use crate::{clock::Clock, foreign::Foreign, server::Server};

/// A Mastodon instance.
#[derive(Debug)]
pub struct Mastodon {
    /// Where it is asked, if that is a port.
    server: Option<Server>,
    router: Router,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<Instance>,
}

#[derive(Debug)]
struct Instance {
    clock: Clock,
    accounts: Vec<Account>,
    /// Account ids by token.
    tokens: HashMap<String, u64>,
    /// What a token allows, if it was got by signing in.
    scopes: HashMap<String, String>,
    /// What strangers are told who want an app; nothing where they may have one.
    no_apps: Option<&'static str>,
    apps: Vec<App>,
    codes: Vec<Code>,
    /// What new keys allow instead of what was asked for; where that is empty, nothing is said of it.
    gives_only: Option<String>,
    /// What is in scopes that no app may ask for.
    no_scopes_with: Option<char>,
    /// Accounts elsewhere that can be mentioned, as `user@domain`.
    known: Vec<String>,
    /// Oldest first, of all accounts.
    posts: Vec<Post>,
    media: Vec<Media>,
    /// Who follows whom, who asked to, and who likes which post.
    follows: BTreeSet<(u64, u64)>,
    asked: BTreeSet<(u64, u64)>,
    likes: BTreeSet<(u64, u64)>,
    /// Those who are asked before they are followed.
    locked: BTreeSet<u64>,
    /// Accounts elsewhere that are known by an id, as `user@domain`.
    strangers: Vec<(u64, String)>,
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
    about_v2: Option<Value>,
    about_v1: Option<Value>,
    about_me: Option<Value>,
    most_characters: usize,
    /// How often a new picture is still being processed when it is asked for.
    processing: usize,
    /// Requests in 5 minutes for each account.
    rate_limit: usize,
    /// How far the instance's clock is ahead of ours.
    ahead: SignedDuration,
    last_id: u64,
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

    /// Starts an instance without accounts, on a port.
    pub async fn start() -> Self {
        let mastodon = Self::within(Clock::Wall);
        Self { server: Some(Server::start(mastodon.router()).await), ..mastodon }
    }

    /// The same for whoever asks its router.
    pub fn within(clock: Clock) -> Self {
        let state = Instance {
            clock,
            accounts: Vec::new(),
            tokens: HashMap::new(),
            scopes: HashMap::new(),
            apps: Vec::new(),
            codes: Vec::new(),
            no_apps: None,
            gives_only: None,
            no_scopes_with: None,
            known: Vec::new(),
            posts: Vec::new(),
            media: Vec::new(),
            follows: BTreeSet::new(),
            asked: BTreeSet::new(),
            likes: BTreeSet::new(),
            locked: BTreeSet::new(),
            strangers: Vec::new(),
            keys: HashMap::new(),
            misbehave: HashMap::new(),
            requests: HashMap::new(),
            idempotency: true,
            proxy: None,
            listed: Listed::NewestFirst,
            typographs: false,
            tells_v2: true,
            about_v2: None,
            about_v1: None,
            about_me: None,
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
            .route("/api/v1/accounts/lookup", get(lookup))
            .route("/api/v1/accounts/{id}/follow", post(follow))
            .route("/api/v1/accounts/{id}/unfollow", post(unfollow))
            .route("/api/v1/statuses/{id}/favourite", post(favourite))
            .route("/api/v2/search", get(search))
            .route("/api/v2/media", post(upload))
            .route("/api/v1/media/{id}", get(attachment))
            .route("/api/v1/apps", post(register))
            .route("/api/v1/apps/verify_credentials", get(verify_app))
            .route("/oauth/authorize", get(ask).post(decide))
            .route("/oauth/token", post(exchange))
            .route("/api/v2/instance", get(instance_v2))
            .route("/api/v1/instance", get(instance_v1))
            .layer(from_fn_with_state(Arc::clone(&shared), mood))
            // A picture that is too large is refused by us, in Mastodon's words.
            .layer(DefaultBodyLimit::max(2 * Self::PICTURE_BYTES))
            .with_state(Arc::clone(&shared));
        Self { server: None, router, shared }
    }

    /// What answers for it.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Its address, in place of `https://` and the instance's name.
    pub fn url(&self) -> String {
        self.server.as_ref().expect("it was started, not made within a process").url()
    }
}

/// The name in its links; nobody follows them.
const HOST: &str = "stand-in.example";

impl Instance {
    fn now(&self) -> Timestamp {
        self.clock.now().saturating_add(self.ahead).expect("a duration without days or months")
    }

    /// Milliseconds, and 16 bits to tell apart (`Mastodon::Snowflake`).
    fn next_id(&mut self) -> u64 {
        let age_ms = u64::try_from(self.now().as_millisecond()).expect("it is after 1970");
        self.last_id = (age_ms << 16).max(self.last_id + 1);
        self.last_id
    }
}
