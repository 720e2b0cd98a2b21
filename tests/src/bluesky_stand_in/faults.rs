//! What a test can have go wrong, the settings of the PDS, and what it was asked.

use jiff::{SignedDuration, Timestamp};

use super::Bluesky;
use crate::foreign::Foreign;

/// What the PDS does to a request, other than its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlueskyMisbehave {
    /// The work is done; the answer is 500. What it would refuse is refused.
    AcceptThen500,
    /// The work is done; no answer comes. What it would refuse is refused.
    AcceptThenSilence,
    /// The work is done; somebody else answers. What it would refuse is refused.
    AcceptThen(Foreign),
    /// The work is not done; the answer is 500.
    Refuse500,
    /// 429.
    RateLimited {
        /// When requests are welcome again, to the second; `None`: it does not say.
        reset: Option<Timestamp>,
    },
    /// 401 without a word that is known.
    Unauthorized,
    /// The work is not done; the answer is 200 with a page of HTML.
    Html,
    /// The work is not done; the answer is 200 with a body that never ends.
    Endless,
    /// The work is not done; the answer sends the client elsewhere.
    Redirect(String),
}

/// What the people who run the PDS think of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlueskyStatus {
    /// Nothing special.
    Active,
    /// It broke the rules.
    TakenDown,
    /// It broke the rules, and may come back.
    Suspended,
    /// Its owner put it to sleep.
    Deactivated,
}

impl Bluesky {
    /// Has the next request for `method` (such as `putRecord`) that is not spoken for misbehave.
    pub fn misbehave(&self, method: &str, misbehave: BlueskyMisbehave) {
        self.shared.state().misbehave.push_back((method.to_owned(), misbehave));
    }

    /// What no request has met yet: none, when a test ends.
    pub fn unspent(&self) -> Vec<BlueskyMisbehave> {
        self.shared.state().misbehave.iter().map(|(_, misbehave)| misbehave.clone()).collect()
    }

    /// Sets its clock forward, or back.
    pub fn advance(&self, by: SignedDuration) {
        let mut state = self.shared.state();
        state.ahead = state.ahead.checked_add(by).expect("a test stays within a few centuries");
    }

    /// How long access tokens live from now on; two hours unless told otherwise.
    pub fn access_lifetime(&self, lifetime: SignedDuration) {
        self.shared.state().access_lifetime = lifetime;
    }

    /// How long a refresh token is good after it was used; two hours unless told otherwise.
    pub fn refresh_grace(&self, grace: SignedDuration) {
        self.shared.state().refresh_grace = grace;
    }

    /// Where the identity documents in its answers say that accounts live.
    pub fn endpoint(&self, url: &str) {
        self.shared.state().endpoint = Some(url.to_owned());
    }

    /// Ends the life of all access tokens given out so far, without telling anybody.
    pub fn expire_access(&self) {
        let mut state = self.shared.state();
        let now = state.now();
        let access = state.tokens.values_mut().filter(|token| token.jti.is_none());
        access.for_each(|token| token.expires = now);
    }

    /// Ends all sessions: nothing can be refreshed any more.
    pub fn end_sessions(&self) {
        self.shared.state().sessions.clear();
    }

    /// Takes the app password away. Access tokens live on, as they do on the real one.
    pub fn revoke_app_password(&self, did: &str) {
        let mut state = self.shared.state();
        state.sessions.retain(|_, session| session.did != did);
        state.owner(did).app_password = None;
    }

    /// Gives the account a password of its own besides, with which it is asked for a code by mail.
    pub fn own_password(&self, did: &str, password: &str) {
        self.shared.state().owner(did).own_password = Some(password.to_owned());
    }

    /// Changes what is thought of the account.
    pub fn status(&self, did: &str, status: BlueskyStatus) {
        self.shared.state().owner(did).status = status;
    }

    /// How often the account logged in, or tried to.
    pub fn logins(&self, did: &str) -> usize {
        self.shared.state().owner(did).logins.len()
    }

    /// How often its session was refreshed.
    pub fn refreshes(&self, did: &str) -> usize {
        self.shared.state().owner(did).refreshes
    }

    /// What was asked for since the last time this was, oldest first, such as `putRecord`.
    pub fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.state().requests)
    }
}
