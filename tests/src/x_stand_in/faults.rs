//! What a test can have go wrong, and X's settings.

use std::time::Duration;

use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{
    Platform, X,
    answers::{Answer, Refusal, coded},
    api::Operation,
};
use crate::foreign::Foreign;

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

impl X {
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

    /// Lets the app only read, or read and write.
    pub fn only_reads(&self, on: bool) {
        self.shared.state().only_reads = on;
    }

    /// How many listings of the minutes after it do not show a post that is made from now on; none, unless told otherwise.
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

    /// How many posts each account has in 24 hours, which X then says with every post.
    pub fn user_limit(&self, posts: u32) {
        self.shared.state().user_limit = Some(posts);
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
}

impl Platform {
    pub(super) fn misbehaviour(&mut self, operation: Operation) -> Option<Misbehave> {
        *self.asked.entry(operation).or_default() += 1;
        let index = self.misbehave.iter().position(|(of, _)| *of == operation);
        let next = index.and_then(|index| self.misbehave.remove(index));
        let proxy = self.proxy.filter(|_| operation == Operation::Post);
        next.map(|(_, misbehave)| misbehave).or(proxy.map(Misbehave::AcceptThen))
    }
}

impl Trouble {
    /// What X says to it. The bodies are as people have shown them in 2023 to 2026.
    pub(super) fn refusal(self) -> Refusal {
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
