//! The networks posts go to: what each can do, how it counts, what it charges and what it forbids.
//!
//! What is known of a network is one file here, its [`Facts`]; how it is spoken to is one file in
//! `flock-net`. Nothing else tells networks apart, but for the meadow, which is ours.

mod bluesky;
mod mastodon;
mod meadow;
mod x;
mod x_text;

use std::{fmt, str::FromStr};

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::{Handle, PictureRules, ProfileRules, Rule, Usd, says_nothing};

/// Where posts go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// The bots' own network, built in.
    Meadow,
    /// X, formerly Twitter.
    X,
    /// Mastodon and servers that speak as it does; each account lives on one instance.
    Mastodon,
    /// Bluesky.
    Bluesky,
}

/// Everything that is known of a network.
#[derive(Debug)]
pub struct Facts {
    /// Its name in files, tables and commands.
    pub name: &'static str,
    /// Its name in sentences.
    pub title: &'static str,
    /// How an account is written there, as an example.
    pub account_example: &'static str,
    /// Whether an account can be called so there.
    pub is_handle: fn(&str) -> bool,
    /// The most a post may be, in `unit`, unless the account says otherwise.
    pub text_limit: usize,
    /// Whether accounts have limits of their own, because their servers do.
    pub limits_vary: bool,
    /// What is counted.
    pub unit: &'static str,
    /// Counts a text as the network does.
    pub measure: fn(&str) -> Measured,
    /// The tiers an account can be on, the usual one first.
    pub tiers: &'static [Tier],
    /// What an account on a tier can do.
    pub can: fn(Tier, Action) -> Can,
    /// Whether its users' ids are each server's own, so that the same id on two servers is that of two users.
    pub ids_are_servers_own: bool,
    /// Whether its requests are made in the name of an app, which has credentials of its own.
    pub has_app: bool,
    /// What keeps a post from being made twice.
    pub idempotency: Idempotency,
    /// How many posts it takes.
    pub limits: &'static [Limit],
    /// How many posts it deletes, the shortest time first.
    pub deletions: &'static [Limit],
    /// How many of an account's posts it lists, the newest. `None`: all.
    pub lists: Option<usize>,
    /// For how long it refuses a text that the same account has posted. `None`: it takes it.
    pub remembers: Option<SignedDuration>,
    /// What it charges.
    pub price: fn(Charge) -> Usd,
    /// Which pictures it takes.
    pub pictures: PictureRules,
    /// What an account can show of itself.
    pub profile: ProfileRules,
    /// What it forbids bots.
    pub rules: &'static [Rule],
    /// The month in which all of this was read, as 2026-11.
    pub as_of: &'static str,
}

/// A text as a network counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// Its length.
    pub length: usize,
    /// How many links are in it.
    pub links: usize,
}

/// What an account pays its network for, or has been granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// What everybody gets.
    #[default]
    Standard,
    /// A contract with the network.
    Enterprise,
}

/// Something an account can do on its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Post a text.
    Post,
    /// Answer a post.
    Reply,
    /// Post with another post shown in it.
    Quote,
    /// Show another's post to one's followers.
    Repost,
    /// Like a post.
    Like,
    /// Follow somebody.
    Follow,
    /// Delete an own post.
    Delete,
    /// Post pictures with alternative text.
    Picture,
    /// Change name, description and pictures of the profile.
    Profile,
    /// Find posts by words.
    Search,
    /// List own posts.
    Timeline,
    /// Send a message to one person.
    DirectMessage,
    /// Mark a post as made with artificial intelligence.
    AiMark,
}

/// Whether an account can do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Can {
    /// It can.
    Yes,
    /// It can, but only so.
    If(&'static str),
    /// It cannot, and why.
    No(&'static str),
}

/// What keeps a post from being made twice when nobody knows whether a request arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Idempotency {
    /// We name the post; a second of that name is refused.
    OwnName,
    /// The request carries a key, which not every server heeds: own posts are looked at, too.
    KeyAndLook,
    /// Nothing but looking at own posts.
    Look,
}

/// How many posts a network takes, or deletes, in some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// So many.
    pub posts: usize,
    /// In this time.
    pub per: SignedDuration,
    /// Counted for what.
    pub of: LimitOf,
}

/// What a limit counts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitOf {
    /// The posts of one account.
    Account,
    /// The posts of all accounts of one app, or of all that ask from one place.
    App,
}

/// Something a network may charge for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Charge {
    /// A post, with or without a link.
    Post {
        /// Whether it has one.
        link: bool,
    },
    /// A reply to somebody who asked for it.
    Reply,
    /// A repost.
    Repost,
    /// A deletion.
    Delete,
    /// Own posts that are read, one by one.
    OwnPosts(u32),
    /// People that are looked up.
    Users(u32),
    /// The alternative text of a picture.
    AltText,
}

/// A name that is no network's.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a network: use one of {names}", names = Network::names())]
pub struct UnknownNetwork(String);

/// A text a network would not take, or that nobody should be sent.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum TextRefusal {
    /// Nothing that anybody sees.
    #[error("the text is empty")]
    Empty,
    /// Longer than the network allows, by the network's own counting.
    #[error(
        "the text is {length} {unit} long by {network}'s counting; {network} takes {limit}",
        unit = network.facts().unit
    )]
    TooLong {
        /// The network that counts.
        network: Network,
        /// What it counts.
        length: usize,
        /// What it takes.
        limit: usize,
    },
}

/// An account is asked for what its network lacks.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("{} cannot {action}: {why}", network.facts().title)]
pub struct Lacking {
    network: Network,
    action: Action,
    why: &'static str,
}

/// A handle that no account of its network can have.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{handle}` is not an account of {}: they are written like `{}`",
    network.title_within(),
    network.facts().account_example
)]
pub struct UnfitHandle {
    network: Network,
    handle: Handle,
}

impl Network {
    /// All networks.
    pub const ALL: [Self; 4] = [Self::Meadow, Self::X, Self::Mastodon, Self::Bluesky];

    /// What is known of it.
    pub fn facts(self) -> &'static Facts {
        match self {
            Self::Meadow => &meadow::FACTS,
            Self::X => &x::FACTS,
            Self::Mastodon => &mastodon::FACTS,
            Self::Bluesky => &bluesky::FACTS,
        }
    }

    /// The name in files, tables and messages.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// Its name within a sentence.
    pub fn title_within(self) -> String {
        self.facts().title.replacen("The", "the", 1)
    }

    fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// Refuses what the network would not take from an account whose limit is `limit`.
    pub fn check_text(self, text: &str, limit: usize) -> Result<(), TextRefusal> {
        if says_nothing(text) {
            return Err(TextRefusal::Empty);
        }
        let length = (self.facts().measure)(text).length;
        if limit < length {
            return Err(TextRefusal::TooLong { network: self, length, limit });
        }
        Ok(())
    }

    /// Refuses what an account on `tier` cannot do.
    pub fn check_action(self, tier: Tier, action: Action) -> Result<(), Lacking> {
        match (self.facts().can)(tier, action) {
            Can::Yes | Can::If(_) => Ok(()),
            Can::No(why) => Err(Lacking { network: self, action, why }),
        }
    }

    /// Refuses a handle no account of the network can have.
    pub fn check_handle(self, handle: &Handle) -> Result<(), UnfitHandle> {
        if (self.facts().is_handle)(handle.as_str()) {
            Ok(())
        } else {
            Err(UnfitHandle { network: self, handle: handle.clone() })
        }
    }

    /// What a post of `text` costs.
    pub fn post_price(self, text: &str) -> Usd {
        let Facts { measure, price, .. } = self.facts();
        price(Charge::Post { link: 0 < measure(text).links })
    }

    /// Whether it charges for posts.
    pub fn bills(self) -> bool {
        (self.facts().price)(Charge::Post { link: false }) != Usd::ZERO
    }
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Post,
        Self::Reply,
        Self::Quote,
        Self::Repost,
        Self::Like,
        Self::Follow,
        Self::Delete,
        Self::Picture,
        Self::Profile,
        Self::Search,
        Self::Timeline,
        Self::DirectMessage,
        Self::AiMark,
    ];
}

impl fmt::Display for Action {
    /// What one does, as in "X cannot ...".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Post => "post",
            Self::Reply => "reply",
            Self::Quote => "quote",
            Self::Repost => "repost",
            Self::Like => "like",
            Self::Follow => "follow",
            Self::Delete => "delete posts",
            Self::Picture => "post pictures",
            Self::Profile => "change profiles",
            Self::Search => "search",
            Self::Timeline => "list own posts",
            Self::DirectMessage => "send direct messages",
            Self::AiMark => "mark posts as made with AI",
        })
    }
}

impl Tier {
    /// The name in key files and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Enterprise => "enterprise",
        }
    }
}

impl Charge {
    /// What is counted under this name.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Post { link: false } => "posts",
            Self::Post { link: true } => "posts with a link",
            Self::Reply => "replies",
            Self::Repost => "reposts",
            Self::Delete => "deletions",
            Self::OwnPosts(_) => "own posts read",
            Self::Users(_) => "people looked up",
            Self::AltText => "alternative texts",
        }
    }

    /// How many of its kind it is.
    pub fn count(self) -> u32 {
        match self {
            Self::Post { .. } | Self::Reply | Self::Repost | Self::Delete | Self::AltText => 1,
            Self::OwnPosts(count) | Self::Users(count) => count,
        }
    }
}

/// Whether `name` is a name in the Internet's Domain Name System, in lower case.
fn is_domain(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    name.split('.').all(is_label)
}

/// Where nothing is charged.
fn free(_: Charge) -> Usd {
    Usd::ZERO
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Network {
    type Err = UnknownNetwork;

    fn from_str(name: &str) -> Result<Self, UnknownNetwork> {
        Self::ALL
            .into_iter()
            .find(|network| network.name().eq_ignore_ascii_case(name.trim()))
            .ok_or_else(|| UnknownNetwork(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(network: Network, text: &str, expected: &str) {
        let got = network.check_text(text, network.facts().text_limit);
        assert_eq!(got.map_or_else(|err| err.to_string(), |()| "ok".to_owned()), expected);
    }

    #[test]
    fn texts_are_checked_as_the_network_counts() {
        check(Network::Meadow, "a line", "ok");
        check(Network::Meadow, " \t", "the text is empty");
        check(Network::Meadow, "\u{200b}\u{2800}", "the text is empty");
        check(Network::Meadow, &"é".repeat(500), "ok");
        check(
            Network::Meadow,
            &"a".repeat(501),
            "the text is 501 characters long by meadow's counting; meadow takes 500",
        );
        check(Network::X, &"a".repeat(280), "ok");
        check(
            Network::X,
            &"猫".repeat(141),
            "the text is 282 characters long by x's counting; x takes 280",
        );
    }

    #[test]
    fn an_unknown_network_is_answered_with_the_known_ones() {
        assert_eq!(
            "myspace".parse::<Network>().unwrap_err().to_string(),
            "`myspace` is not a network: use one of meadow, x, mastodon, bluesky"
        );
    }

    #[test]
    fn what_a_network_lacks_is_said() {
        let lacks = |network: Network, action| {
            network.check_action(Tier::Standard, action).map_err(|err| err.to_string())
        };
        assert_eq!(
            lacks(Network::X, Action::Quote).unwrap_err(),
            "X cannot quote: since 2026-04-20 for Enterprise customers only"
        );
        assert_eq!(Network::X.check_action(Tier::Enterprise, Action::Quote), Ok(()));
        assert!(lacks(Network::Bluesky, Action::AiMark).is_err());
    }

    #[test]
    fn handles_fit_their_network() {
        let check = |network: Network, good: &[&str], bad: &[&str]| {
            for (handles, ok) in [(good, true), (bad, false)] {
                for text in handles {
                    let handle = text.parse().unwrap();
                    assert_eq!(network.check_handle(&handle).is_ok(), ok, "{network}:{text}");
                }
            }
        };
        check(Network::Meadow, &["apollo", "book-1", "a@b"], &[]);
        check(Network::X, &["a", "Apollo_Bot", "123456789012345"], &["book-1", "a.b", "a@b.c"]);
        check(Network::X, &[], &["1234567890123456"]);
        check(
            Network::Mastodon,
            &["apollo@example.social", "A.b-c_1@xn--bcher-kva.example", "apollo@localhost"],
            &[
                "apollo",
                "apollo@",
                "a@b@c",
                "a@B.example",
                "a@-b.example",
                "a@b..c",
                ".a@b.c",
                "a-@b",
            ],
        );
        check(
            Network::Bluesky,
            &["apollo.bsky.social", "a.b", "4ever.example"],
            &["apollo", "Apollo.bsky.social", "a_b.example", "a@b.example", "127.0.0.1", "a.b."],
        );
        for network in Network::ALL {
            let example = network.facts().account_example.parse().unwrap();
            assert_eq!(network.check_handle(&example), Ok(()), "{network}");
        }
        assert_eq!(
            Network::X.check_handle(&"book-1".parse().unwrap()).unwrap_err().to_string(),
            "`book-1` is not an account of X: they are written like `apollo_bot`"
        );
    }

    /// A file or a table with a network's name in it outlives the program that wrote it.
    #[test]
    fn names_are_a_schema() {
        let stored = serde_json::to_string(&Network::ALL).unwrap();
        assert_eq!(stored, r#"["meadow","x","mastodon","bluesky"]"#);
        for network in Network::ALL {
            assert_eq!(network.name().parse(), Ok(network));
            assert_eq!(serde_json::to_string(&network).unwrap(), format!("\"{}\"", network.name()));
        }
    }
}
