//! Signing in: what somebody does at a network so that a key of an account is made without anybody touching one.
//!
//! A sign-in is an errand: a link is made (open), somebody presses its button (begun), they come back from the network
//! (the errand is claimed, because what they bring can be used once), and there is a key or there is none. Every change is
//! a function from a sign-in to a sign-in; who owns it writes the result under the condition that it is as it was read.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{AccountId, Errand, Network, Sent, TokenDigest};

/// How a network is shown that an account is one's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// OAuth 1.0a: a key that does not expire.
    OAuth1,
    /// OAuth 2.0, on X with a key that is exchanged every two hours.
    OAuth2,
    /// A password for programs, which is made in the account's settings.
    AppPassword,
}

/// What somebody signs in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// The account is to be here.
    Connect,
    /// It is here, and its key works no more.
    Renew,
}

/// What is to be done: one account is signed in to, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// The digest of its link's token, which names it.
    pub id: TokenDigest,
    /// Which account.
    pub account: AccountId,
    /// What for.
    pub purpose: Purpose,
    /// The address of the account's server, where that does not follow from its name.
    pub server: Option<String>,
}

/// A sign-in and how far it has come. Every change is one version on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningIn {
    /// The sign-in on its way. That it may be done is that what somebody brought may be used up.
    pub errand: Errand<SignIn>,
    /// How far it has come.
    pub stage: SignInStage,
    /// The browser that has begun it, also when it is over: who loads the last page again is told the same again. `None`: none was
    /// sent to the network.
    pub bound: Option<Bound>,
    /// Until when it goes on.
    pub until: Timestamp,
    /// The version of its item.
    pub version: u64,
}

/// How far a sign-in has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInStage {
    /// Nobody has begun it.
    Open,
    /// Somebody is at the network.
    Begun(SentOff),
    /// There is a key.
    Done,
    /// There is none, and there will be none by this link.
    Failed {
        /// Why, for a person.
        why: String,
    },
}

/// Somebody who was sent to the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentOff {
    /// How they sign in.
    pub way: Way,
    /// What the end needs, sealed.
    pub kept: String,
    /// Whether they say of the account that it is labelled as a bot's, or want it to be.
    pub labelled: bool,
}

/// What a sign-in is known by when somebody comes back for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The digest of what their browser shows.
    pub browser: TokenDigest,
    /// The digest of what the network brings back: it tells apart what one browser has begun.
    pub back: TokenDigest,
}

/// Why a sign-in does not go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSignIn {
    /// It has taken too long.
    #[error("the link has expired")]
    Expired,
    /// It was begun, or is over.
    #[error("the link was used")]
    Used,
    /// It is over, and this is why it failed.
    #[error("the link was used: {0}")]
    Failed(String),
    /// There is a key by it.
    #[error("the account is connected by it")]
    Done,
    /// Somebody is at it right now.
    #[error("somebody is at it")]
    Busy,
    /// It was begun elsewhere, or was not begun.
    #[error("it was begun in another browser")]
    OtherBrowser,
    /// Who finished it has died, so that nobody knows what the network did.
    #[error("nobody knows what came of it")]
    Unknown,
}

impl SigningIn {
    /// How long a link lives, and then how long somebody may be at the network.
    pub const LIVES: SignedDuration = SignedDuration::from_mins(10);

    /// A new sign-in that nobody has begun.
    pub fn new(work: SignIn, now: Timestamp) -> Self {
        let errand = Errand::new(work, now);
        let until = errand.due.saturating_add(Self::LIVES).unwrap_or(errand.due);
        Self { errand, stage: SignInStage::Open, bound: None, until, version: 1 }
    }

    /// Refuses to show the link's page where its button does nothing any more.
    pub fn is_open(&self, now: Timestamp) -> Result<(), NoSignIn> {
        match &self.stage {
            SignInStage::Done => Err(NoSignIn::Done),
            SignInStage::Failed { why } => Err(NoSignIn::Failed(why.clone())),
            SignInStage::Begun(_) => Err(NoSignIn::Used),
            SignInStage::Open if self.until <= now => Err(NoSignIn::Expired),
            SignInStage::Open => Ok(()),
        }
    }

    /// The sign-in in the hands of who has pressed the button, until `lease_until`. Nothing can be used up by that: who dies
    /// then leaves the link as it was.
    pub fn press(&self, now: Timestamp, lease_until: Timestamp) -> Result<Self, NoSignIn> {
        self.is_open(now)?;
        if self.errand.is_leased(now) {
            return Err(NoSignIn::Busy);
        }
        let errand = Errand { lease_until: Some(lease_until), ..self.errand.clone() };
        Ok(Self { errand, ..self.next() })
    }

    /// The sign-in whose button was pressed, with somebody on their way to the network.
    #[must_use]
    pub fn begun(&self, sent_off: SentOff, bound: Bound, now: Timestamp) -> Self {
        let until = now.saturating_add(Self::LIVES).unwrap_or(now);
        let errand = Errand { lease_until: None, ..self.errand.clone() };
        let (stage, bound) = (SignInStage::Begun(sent_off), Some(bound));
        Self { errand, stage, bound, until, ..self.next() }
    }

    /// The sign-in claimed by whoever came back with `browser`, and how they were sent off. What they bring may be used up
    /// from then on.
    pub fn come_back(
        &self,
        browser: &TokenDigest,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<(Self, SentOff), NoSignIn> {
        if self.bound.as_ref().is_none_or(|bound| bound.browser != *browser) {
            return Err(NoSignIn::OtherBrowser);
        }
        let sent_off = match &self.stage {
            SignInStage::Begun(sent_off) => sent_off.clone(),
            SignInStage::Open => return Err(NoSignIn::OtherBrowser),
            SignInStage::Done => return Err(NoSignIn::Done),
            SignInStage::Failed { why } => return Err(NoSignIn::Failed(why.clone())),
        };
        if self.errand.is_leased(now) {
            return Err(NoSignIn::Busy);
        }
        if self.errand.sent == Sent::Maybe {
            return Err(NoSignIn::Unknown);
        }
        if self.until <= now {
            return Err(NoSignIn::Expired);
        }
        let errand = self.errand.clone().claim(lease_until);
        Ok((Self { errand, ..self.next() }, sent_off))
    }

    /// The sign-in claimed by who types on its page what the network made: that is not used up, and can be typed again
    /// where somebody has died over it.
    pub fn type_in(&self, now: Timestamp, lease_until: Timestamp) -> Result<Self, NoSignIn> {
        let pressed = self.press(now, lease_until)?;
        Ok(Self { errand: pressed.errand.claim(lease_until), ..pressed })
    }

    /// The sign-in out of the hands of who had it: certainly nothing was used up.
    #[must_use]
    pub fn given_back(&self) -> Self {
        let errand = Errand { sent: Sent::No, lease_until: None, ..self.errand.clone() };
        Self { errand, ..self.next() }
    }

    /// The sign-in out of the hands of who had it, with what they brought perhaps used up.
    #[must_use]
    pub fn let_go(&self) -> Self {
        self.over(self.stage.clone())
    }

    /// The sign-in whose key is stored.
    #[must_use]
    pub fn done(&self) -> Self {
        self.over(SignInStage::Done)
    }

    /// The sign-in that gave no key.
    #[must_use]
    pub fn failed(&self, why: String) -> Self {
        self.over(SignInStage::Failed { why })
    }

    /// Whether who was storing its key may have died over it.
    pub fn may_be_done(&self, now: Timestamp) -> bool {
        let is_under_way = match &self.stage {
            SignInStage::Open | SignInStage::Begun(_) => true,
            SignInStage::Done | SignInStage::Failed { .. } => false,
        };
        is_under_way && self.errand.sent == Sent::Maybe && !self.errand.is_leased(now)
    }

    fn over(&self, stage: SignInStage) -> Self {
        let errand = Errand { lease_until: None, ..self.errand.clone() };
        Self { errand, stage, ..self.next() }
    }

    fn next(&self) -> Self {
        Self { version: self.version + 1, ..self.clone() }
    }
}

impl Network {
    /// How its accounts are signed in to, what is best first; none where accounts have no key.
    pub fn ways(self) -> &'static [Way] {
        match self {
            Self::Meadow => &[],
            Self::X => &[Way::OAuth1, Way::OAuth2],
            Self::Mastodon => &[Way::OAuth2],
            Self::Bluesky => &[Way::AppPassword],
        }
    }
}

impl AccountId {
    /// Whether its network means it by `name`.
    pub fn is_called(&self, name: &str) -> bool {
        let handle = self.handle.as_str();
        let own = match self.network {
            // A server calls its own by what stands before its address.
            Network::Mastodon => handle.split('@').next().unwrap_or_default(),
            Network::Meadow | Network::X | Network::Bluesky => handle,
        };
        own.eq_ignore_ascii_case(name)
    }

    /// The server whose own the ids of users are that one hears of at `server`, the address of the account's server where one was
    /// given; written in one way, however it was. `None`: they are the same on all servers of the network.
    pub fn server_of_ids(&self, server: Option<&str>) -> Option<String> {
        if !self.network.facts().ids_are_servers_own {
            return None;
        }
        let host = self.handle.as_str().rsplit('@').next().unwrap_or_default();
        let server = server.map_or_else(|| format!("https://{host}"), ToOwned::to_owned);
        let (scheme, rest) = server.split_once("://").unwrap_or(("https", server.as_str()));
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (scheme, host) = (scheme.to_ascii_lowercase(), host.to_ascii_lowercase());
        let port = if scheme == "http" { ":80" } else { ":443" };
        let host = host.strip_suffix(port).unwrap_or(&host);
        Some(format!("{scheme}://{host}/{path}").trim_end_matches('/').to_owned())
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::OAuth1 => "OAuth 1.0a",
            Self::OAuth2 => "OAuth 2.0",
            Self::AppPassword => "app password",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        "2026-11-21T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(second)
    }

    fn open() -> SigningIn {
        let work = SignIn {
            id: TokenDigest::of("token"),
            account: "x:milton".parse().unwrap(),
            purpose: Purpose::Connect,
            server: None,
        };
        SigningIn::new(work, at(0))
    }

    fn sent_off() -> SentOff {
        SentOff { way: Way::OAuth1, kept: "k1.sealed".to_owned(), labelled: false }
    }

    fn bound() -> Bound {
        Bound { browser: TokenDigest::of("cookie"), back: TokenDigest::of("state") }
    }

    #[test]
    fn a_link_is_pressed_once_within_ten_minutes() {
        assert_eq!(open().press(at(600), at(630)), Err(NoSignIn::Expired));
        let pressed = open().press(at(599), at(630)).unwrap();
        assert_eq!(pressed.press(at(600), at(660)), Err(NoSignIn::Expired));
        let pressed = open().press(at(1), at(31)).unwrap();
        assert_eq!(pressed.press(at(2), at(32)), Err(NoSignIn::Busy));
        // Who pressed it has died, or the network was away.
        assert!(pressed.press(at(31), at(61)).is_ok());
        assert!(pressed.given_back().press(at(3), at(33)).is_ok());
        let begun = pressed.begun(sent_off(), bound(), at(2));
        assert_eq!(begun.press(at(3), at(33)), Err(NoSignIn::Used));
        assert_eq!((begun.version, begun.until), (3, at(602)));
    }

    #[test]
    fn what_somebody_comes_back_with_is_used_once() {
        let begun = open().press(at(1), at(31)).unwrap().begun(sent_off(), bound(), at(2));
        let own = TokenDigest::of("cookie");
        let back = |sign_in: &SigningIn, browser: &str, second: i64| {
            sign_in.come_back(&TokenDigest::of(browser), at(second), at(second + 30))
        };
        assert_eq!(back(&open(), "cookie", 5), Err(NoSignIn::OtherBrowser));
        assert_eq!(back(&begun, "another", 5), Err(NoSignIn::OtherBrowser));
        assert_eq!(back(&begun, "cookie", 602), Err(NoSignIn::Expired));
        let (claimed, by) = begun.come_back(&own, at(5), at(35)).unwrap();
        assert_eq!(by, sent_off());
        assert_eq!(back(&claimed, "cookie", 6), Err(NoSignIn::Busy));
        assert_eq!(back(&claimed, "cookie", 35), Err(NoSignIn::Unknown));
        assert!(claimed.may_be_done(at(35)) && !claimed.may_be_done(at(34)));
        // It was a forged one, and nobody was asked.
        assert!(back(&claimed.given_back(), "cookie", 7).is_ok());
        assert_eq!(back(&claimed.done(), "cookie", 7), Err(NoSignIn::Done));
        assert_eq!(back(&claimed.done(), "another", 7), Err(NoSignIn::OtherBrowser));
        let failed = claimed.failed("it was cancelled".to_owned());
        let why = NoSignIn::Failed("it was cancelled".to_owned());
        assert_eq!(back(&failed, "cookie", 7), Err(why.clone()));
        assert_eq!(failed.is_open(at(7)), Err(why));
        assert!(!failed.may_be_done(at(99)));
    }

    #[test]
    fn what_is_typed_can_be_typed_again() {
        let typed = open().type_in(at(1), at(31)).unwrap();
        assert_eq!(typed.errand.sent, Sent::Maybe);
        assert_eq!(typed.type_in(at(2), at(32)), Err(NoSignIn::Busy));
        assert!(typed.type_in(at(31), at(61)).is_ok());
        assert!(typed.given_back().type_in(at(2), at(32)).is_ok());
        assert_eq!(typed.done().type_in(at(2), at(32)), Err(NoSignIn::Done));
    }

    #[test]
    fn an_account_is_known_by_what_its_network_calls_it() {
        for (account, name, is) in [
            ("x:Milton_book1", "milton_BOOK1", true),
            ("x:milton", "milton_book1", false),
            ("mastodon:iris@example.social", "iris", true),
            ("mastodon:iris@example.social", "iris@example.social", false),
            ("bluesky:a.example", "A.example", true),
        ] {
            let account: AccountId = account.parse().unwrap();
            assert_eq!(account.is_called(name), is, "{account} {name}");
        }
    }

    #[test]
    fn ids_are_those_of_a_server_where_servers_give_their_own() {
        for (account, server, of) in [
            ("x:milton", None, None),
            ("bluesky:a.example", Some("https://pds.example"), None),
            ("mastodon:iris@Example.social", None, Some("https://example.social")),
            (
                "mastodon:iris@e.social",
                Some("HTTPS://Example.social/"),
                Some("https://example.social"),
            ),
            ("mastodon:iris@e.social", Some("https://e.social:443//"), Some("https://e.social")),
            (
                "mastodon:iris@e.social",
                Some("http://[::1]:8080/Snac/"),
                Some("http://[::1]:8080/Snac"),
            ),
        ] {
            let account: AccountId = account.parse().unwrap();
            assert_eq!(account.server_of_ids(server).as_deref(), of, "{account} {server:?}");
        }
    }
}
