//! What a test can have go wrong, and the instance's settings.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Mastodon, api::Endpoint};
use crate::foreign::Foreign;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
    /// As many of the newest as are asked for, newest first, whatever they should be older or newer than: snac.
    Unpaged,
}

impl Mastodon {
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

    /// Whether there is `GET /api/v2/instance`, which came with 4.0 and which others lack.
    pub fn v2_instance(&self, on: bool) {
        self.shared.state().tells_v2 = on;
    }

    /// What `GET /api/v2/instance` and `GET /api/v1/instance` say from now on, on servers that say it elsewhere.
    pub fn about(&self, v2: Option<Value>, v1: Option<Value>) {
        let mut state = self.shared.state();
        (state.about_v2, state.about_v1) = (v2, v1);
    }

    /// What the instance says from now on of whoever's key is good.
    pub fn about_me(&self, me: Option<Value>) {
        self.shared.state().about_me = me;
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
}
