//! X's API v2 as its document (2.167, 2026-08) and its answers of 2026 show it, with state and with bad days.
//!
//! It has no idempotency key, like X: a request that arrives twice is two posts, unless X's own check for
//! duplicates notices. Signatures, clocks and limits are checked, and every account gets a bill. All secrets
//! are [`X::SECRET`].

mod answers;
mod api;
mod bill;
mod exchanges;
mod faults;
mod follows;
mod limits;
mod listing;
mod oauth;
mod pictures;
mod posts;
mod profiles;
mod sign_in;
#[cfg(test)]
mod tests;
mod text;

pub use self::{
    api::Operation,
    bill::Billed,
    faults::{Misbehave, Trouble},
    pictures::XPicture,
    posts::XPost,
    profiles::XProfile,
    sign_in::{Person, Shown, Tokens},
};

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::{Arc, Mutex},
};

use axum::{Router, http::StatusCode};
use jiff::{SignedDuration, Timestamp, fmt::rfc2822::DateTimePrinter};
use serde_json::json;

use self::{
    answers::{Answer, Refusal, unknown_parameter},
    api::{Call, handle},
    exchanges::Exchanges,
    limits::Window,
    pictures::Media,
    posts::Post,
    profiles::Profiles,
    sign_in::SignIns,
};
use crate::{clock::Clock, foreign::Foreign, server::Server};

/// X.
#[derive(Debug)]
pub struct X {
    /// Where it is asked, if that is a port.
    server: Option<Server>,
    router: Router,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    consumer_key: String,
    exchanges: Exchanges,
    state: Mutex<Platform>,
}

#[derive(Debug)]
struct Platform {
    clock: Clock,
    /// User ids by token.
    users: HashMap<String, String>,
    sign_ins: SignIns,
    profiles: Profiles,
    /// Oldest first, of all accounts.
    posts: Vec<Post>,
    media: Vec<Media>,
    /// Who follows whom, by their ids, and who likes which post.
    follows: BTreeSet<(String, String)>,
    likes: BTreeSet<(String, u64)>,
    /// Those who are asked before they are followed, and who has asked.
    locked: BTreeMap<String, BTreeSet<String>>,
    bill: Vec<(String, Billed)>,
    /// How often what was asked for.
    asked: HashMap<Operation, usize>,
    misbehave: VecDeque<(Operation, Misbehave)>,
    trouble: Option<Trouble>,
    /// Who answers every request to post that is done.
    proxy: Option<Foreign>,
    oldest_first: bool,
    duplicate_check: bool,
    /// Whether the app may only read.
    only_reads: bool,
    /// How many listings do not have a new post yet.
    lag: u32,
    /// Limits other than X's own.
    limits: HashMap<Operation, u32>,
    /// Requests by account, since the window of 15 minutes began.
    windows: HashMap<(String, Operation), Window>,
    app_limit: u32,
    /// Posts of all accounts, since the day began.
    app_window: Option<Window>,
    /// How many posts an account has in a day, where X says it.
    user_limit: Option<u32>,
    user_windows: HashMap<String, Window>,
    /// How far X's time is ahead of the wall clock's.
    ahead: SignedDuration,
    /// How far the clients' clocks are behind X's.
    clients_behind: SignedDuration,
    last_id: u64,
    link_count: usize,
}

impl X {
    /// The secret of the app and of every account.
    pub const SECRET: &'static str = "hush";

    /// How long X remembers a text as a duplicate.
    const DUPLICATE_WINDOW: SignedDuration = SignedDuration::from_mins(15);

    /// After this a post is listed, however many listings were to lack it: X lists what it has long before it takes the same again.
    const LISTED_WITHIN: SignedDuration = SignedDuration::from_mins(5);

    /// How far a client's clock may be off.
    const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

    /// Starts X on a port, for the app with this key, with no accounts.
    pub async fn start(consumer_key: &str) -> Self {
        let x = Self::within(consumer_key, Clock::Wall);
        Self { server: Some(Server::start(x.router()).await), ..x }
    }

    /// The same for whoever asks its router.
    pub fn within(consumer_key: &str, clock: Clock) -> Self {
        assert_is_plain(consumer_key);
        let accounts = Platform {
            clock,
            users: HashMap::new(),
            sign_ins: SignIns::default(),
            profiles: Profiles::default(),
            posts: Vec::new(),
            media: Vec::new(),
            follows: BTreeSet::new(),
            likes: BTreeSet::new(),
            locked: BTreeMap::new(),
            bill: Vec::new(),
            asked: HashMap::new(),
            misbehave: VecDeque::new(),
            trouble: None,
            proxy: None,
            oldest_first: false,
            duplicate_check: true,
            only_reads: false,
            lag: 0,
            limits: HashMap::new(),
            windows: HashMap::new(),
            // Of the whole app, per day (docs.x.com, "Rate limits", 2026-08).
            app_limit: 10_000,
            app_window: None,
            user_limit: None,
            user_windows: HashMap::new(),
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
        Self { server: None, router, shared }
    }

    /// What answers for it.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Its address, in place of `https://api.x.com`.
    pub fn url(&self) -> String {
        self.server.as_ref().expect("it was started, not made within a process").url()
    }

    /// Gives the user `user_id` (digits) the token `token` (letters, digits and `-`, as X's are). Its
    /// username is `user` and the id.
    pub fn account(&self, token: &str, user_id: &str) {
        assert_is_plain(token);
        assert!(user_id.parse::<u64>().is_ok(), "user ids are digits: {user_id:?}");
        self.shared.state().users.insert(token.to_owned(), user_id.to_owned());
    }

    /// How often something was asked for, whatever came of it.
    pub fn asked(&self, operation: Operation) -> usize {
        self.shared.state().asked.get(&operation).copied().unwrap_or_default()
    }
}

/// Such values look the same in an `Authorization` header, where others are percent-encoded.
#[track_caller]
fn assert_is_plain(value: &str) {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || character == '-';
    assert!(!value.is_empty() && value.chars().all(is_plain), "not a key or token of X: {value:?}");
}

impl Platform {
    fn now(&self) -> Timestamp {
        self.clock.now().saturating_add(self.ahead).expect("a duration without days or months")
    }

    /// What X's clock says, next to which clients' clocks are seen.
    fn clock_of_clients(&self) -> Timestamp {
        self.clock
            .now()
            .saturating_add(self.clients_behind)
            .expect("a duration without days or months")
    }

    fn date(&self) -> String {
        let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&self.clock_of_clients());
        date.expect("the present has a date")
    }

    fn me(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        for (name, _) in oauth::query(&call.head.uri) {
            if name != "user.fields" {
                return Err(unknown_parameter(&name));
            }
        }
        self.charge(&call.user_id, Billed::User);
        let username = self.sign_ins.username(&call.user_id);
        let data = json!({ "id": call.user_id, "name": "A sheep", "username": username });
        Ok(Answer::new(StatusCode::OK, json!({ "data": data })))
    }
}
