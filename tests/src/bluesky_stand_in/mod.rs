//! A Bluesky PDS as `@atproto/pds` 0.4.217 answers (walked 2026-11-21), with state and with bad days.
//!
//! A record's key is chosen by who writes it, so a request that arrives twice is one post, if it asks for
//! that: `swapRecord: null` writes only where nothing is. Tokens have the form of JWTs and are compared,
//! not verified.

mod answers;
mod api;
mod faults;
mod pictures;
mod records;
mod sessions;
#[cfg(test)]
mod tests;

pub use self::{
    faults::{BlueskyMisbehave, BlueskyStatus},
    records::BlueskyRecord,
    sessions::TOKENS_BEGIN as BLUESKY_TOKENS_BEGIN,
};

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::DefaultBodyLimit, routing::any};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use self::{
    api::handle,
    sessions::{Session, Token},
};
use crate::{clock::Clock, server::Server};

/// A Bluesky PDS.
#[derive(Debug)]
pub struct Bluesky {
    /// Where it is asked, if that is a port.
    server: Option<Server>,
    router: Router,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<Pds>,
}

#[derive(Debug)]
struct Pds {
    clock: Clock,
    accounts: Vec<Account>,
    /// All tokens ever given out.
    tokens: HashMap<String, Token>,
    /// What may still be refreshed, by `jti`.
    sessions: HashMap<String, Session>,
    /// By collection and key, which sort by time, of each account.
    records: BTreeMap<(String, String, String), (String, Value)>,
    blobs: HashMap<String, Bytes>,
    misbehave: VecDeque<(String, BlueskyMisbehave)>,
    /// The methods that were asked for, oldest first.
    requests: Vec<String>,
    /// How far its clock is ahead of ours.
    ahead: SignedDuration,
    access_lifetime: SignedDuration,
    refresh_grace: SignedDuration,
    /// Where identity documents say that accounts live.
    endpoint: Option<String>,
    number: u64,
}

#[derive(Debug)]
struct Account {
    did: String,
    handle: String,
    app_password: Option<String>,
    /// Its own password, with which a code by mail is wanted.
    own_password: Option<String>,
    status: BlueskyStatus,
    /// When it logged in, or tried to.
    logins: Vec<Timestamp>,
    refreshes: usize,
    /// When it wrote.
    writes: Vec<Timestamp>,
}

impl Bluesky {
    /// Starts a PDS without accounts, on a port.
    pub async fn start() -> Self {
        let bluesky = Self::within(Clock::Wall);
        Self { server: Some(Server::start(bluesky.router()).await), ..bluesky }
    }

    /// The same for whoever asks its router.
    pub fn within(clock: Clock) -> Self {
        let pds = Pds {
            clock,
            accounts: Vec::new(),
            tokens: HashMap::new(),
            sessions: HashMap::new(),
            records: BTreeMap::new(),
            blobs: HashMap::new(),
            misbehave: VecDeque::new(),
            requests: Vec::new(),
            ahead: SignedDuration::ZERO,
            access_lifetime: SignedDuration::from_hours(2),
            refresh_grace: SignedDuration::from_hours(2),
            endpoint: None,
            number: 0,
        };
        let shared = Arc::new(Shared { state: Mutex::new(pds) });
        let router = Router::new()
            .route("/xrpc/{method}", any(handle))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&shared));
        Self { server: None, router, shared }
    }

    /// What answers for it.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Its address, in place of `https://bsky.social`.
    pub fn url(&self) -> String {
        self.server.as_ref().expect("it was started, not made within a process").url()
    }

    /// Makes an account, in the place of whoever had its handle or its DID. Its profile does not say that it is a bot.
    pub fn account(&self, handle: &str, did: &str, app_password: &str) {
        let mut state = self.shared.state();
        state.accounts.retain(|known| known.did != did && known.handle != handle);
        state.accounts.push(Account {
            did: did.to_owned(),
            handle: handle.to_owned(),
            app_password: Some(app_password.to_owned()),
            own_password: None,
            status: BlueskyStatus::Active,
            logins: Vec::new(),
            refreshes: 0,
            writes: Vec::new(),
        });
    }

    /// Gives the account a profile that says of itself what `labels` say, such as `bot`.
    pub fn profile(&self, did: &str, labels: &[&str]) {
        let values: Vec<_> = labels.iter().map(|label| json!({ "val": label })).collect();
        let record = json!({
            "$type": "app.bsky.actor.profile",
            "displayName": "A sheep",
            "labels": { "$type": "com.atproto.label.defs#selfLabels", "values": values },
        });
        self.write(did, "app.bsky.actor.profile", "self", record);
    }
}

impl Pds {
    fn now(&self) -> Timestamp {
        self.clock.now().saturating_add(self.ahead).expect("a duration without days or months")
    }

    #[track_caller]
    fn owner(&mut self, did: &str) -> &mut Account {
        let owner = self.accounts.iter_mut().find(|account| account.did == did);
        owner.unwrap_or_else(|| panic!("no account {did} was made"))
    }

    /// The id of an account that lives here.
    fn did(&self, repo: &str) -> Option<String> {
        let known = |account: &&Account| account.did == repo || account.handle == repo;
        self.accounts.iter().find(known).map(|account| account.did.clone())
    }

    fn number(&mut self, of: &str) -> String {
        self.number += 1;
        format!("{of}{:03}", self.number)
    }
}
