//! A wish: what is to be done through each account of a list, as somebody writes it.
//!
//! It names people and posts as people do; what is an [`Act`] of one account is made of it when it is that account's turn.

use std::{collections::BTreeMap, fmt, str::FromStr};

use crate::{
    AccountId, Act, Action, Cause, Charge, FlockName, Network, ProfilePart, ProfileRefusal,
    RemoteId, Unfilled, Wanted, fill,
};

/// What is to be done through each account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Somebody is followed.
    Follow(Whose),
    /// Somebody is followed no more.
    Unfollow(Whose),
    /// A post is shown to the followers of each.
    Repost(PostOn),
    /// A post is liked.
    Like(PostOn),
    /// A post is deleted, which is that of one account.
    Delete(PostOn),
    /// A part of the profile is changed, which is a text.
    Profile {
        /// Which.
        part: ProfilePart,
        /// What it is to be, with placeholders; nothing takes away what is there.
        text: String,
    },
    /// The profile says that it is a bot's.
    Bot,
}

/// Who is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// Each account of the list, for each other on the same network.
    EachOther,
    /// Somebody, whether we have their key or not.
    Somebody(AccountId),
}

/// A post on a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostOn {
    /// Where.
    pub network: Network,
    /// What it is called there.
    pub id: RemoteId,
}

/// One thing to be done of a wish. They are in the order in which they are done.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unit {
    /// Through which account.
    pub account: AccountId,
    /// Whom it is about.
    pub other: Option<AccountId>,
}

/// What placeholders stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Which one it is of all accounts, from 1.
    pub n: usize,
    /// How many there are.
    pub count: usize,
    /// Whose they are.
    pub flock: FlockName,
}

/// What nobody can make a wish of.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum NoWish {
    /// None of the words there are.
    #[error(
        "`{0}` is nothing that can be done: there are follow WHO, follow each-other, unfollow WHO, unfollow each-other, repost POST, \
         like POST, delete POST, profile name|bio|url|location TEXT and profile bot yes"
    )]
    Unknown(String),
    /// Nobody's name.
    #[error(
        "`{0}` is nobody: write network:handle, such as mastodon:apollo@example.social, or each-other"
    )]
    Who(String),
    /// No post.
    #[error(
        "`{0}` is no post: write network:id, such as x:2124182926852620288, or an address that begins with at:// for Bluesky"
    )]
    Post(String),
    /// Not one of the parts that are texts.
    #[error(
        "`{0}` is no part of a profile that is a text: there are name, bio, url, location and bot"
    )]
    Part(String),
    /// A label that would be taken away.
    #[error(
        "write `profile bot yes`: a bot that does not say what it is must not post on most networks, so the label is taken off on \
         their pages alone"
    )]
    BotOnly,
}

/// Why an account cannot have what is wished.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum Unwishable {
    /// A placeholder is nothing.
    #[error(transparent)]
    Unfilled(#[from] Unfilled),
    /// Its network does not take the profile.
    #[error(transparent)]
    Profile(#[from] ProfileRefusal),
}

/// More accounts than this do not follow each other: it is 9,900 follows.
pub const MOST_OF_EACH_OTHER: usize = 100;

impl Wish {
    /// What it is called.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Follow(_) => "follow",
            Self::Unfollow(_) => "unfollow",
            Self::Repost(_) => "repost",
            Self::Like(_) => "like",
            Self::Delete(_) => "delete",
            Self::Profile { .. } | Self::Bot => "profile",
        }
    }

    /// The one network that it is about, where it is.
    pub fn network(&self) -> Option<Network> {
        match self {
            Self::Follow(Whose::Somebody(who)) | Self::Unfollow(Whose::Somebody(who)) => {
                Some(who.network)
            }
            Self::Repost(post) | Self::Like(post) | Self::Delete(post) => Some(post.network),
            Self::Follow(Whose::EachOther)
            | Self::Unfollow(Whose::EachOther)
            | Self::Profile { .. }
            | Self::Bot => None,
        }
    }

    /// What an account has to be able to do for it.
    pub fn action(&self) -> Action {
        match self {
            Self::Follow(_) | Self::Unfollow(_) => Action::Follow,
            Self::Repost(_) => Action::Repost,
            Self::Like(_) => Action::Like,
            Self::Delete(_) => Action::Delete,
            Self::Profile { .. } | Self::Bot => Action::Profile,
        }
    }

    /// All that is to be done for these accounts, in order. Bots of the meadow only post.
    pub fn units(&self, accounts: &[AccountId]) -> Vec<Unit> {
        let is_meant = |account: &&AccountId| {
            account.network != Network::Meadow
                && self.network().is_none_or(|network| network == account.network)
        };
        let accounts: Vec<_> = accounts.iter().filter(is_meant).cloned().collect();
        let others = |account: &AccountId| -> Vec<Option<AccountId>> {
            match self {
                Self::Follow(Whose::EachOther) | Self::Unfollow(Whose::EachOther) => {
                    let others = accounts.iter();
                    let others = others.filter(|other| other.network == account.network);
                    others.map(|other| Some(other.clone())).collect()
                }
                Self::Follow(Whose::Somebody(who)) | Self::Unfollow(Whose::Somebody(who)) => {
                    vec![Some(who.clone())]
                }
                _ => vec![None],
            }
        };
        let of = |account: &AccountId| {
            let account = account.clone();
            let others = others(&account).into_iter();
            others.map(move |other| Unit { account: account.clone(), other })
        };
        let mut units: Vec<_> = accounts.iter().flat_map(of).collect();
        // Nobody follows themselves.
        units.retain(|unit| unit.other.as_ref() != Some(&unit.account));
        units.sort();
        units
    }

    /// What makes an account do it, where it is done for so many.
    pub fn cause(&self, accounts: usize) -> Cause {
        match self {
            // Whoever owns the other has asked for it.
            Self::Follow(Whose::EachOther) | Self::Unfollow(Whose::EachOther) => Cause::Asked,
            _ if accounts <= 1 => Cause::Person,
            _ => Cause::Many,
        }
    }

    /// The act of one account. Whom it is about is named as people do: who asks the network, puts the id in its place.
    pub fn act(&self, unit: &Unit, standing: &Standing) -> Result<Act, Vec<Unwishable>> {
        let of = |post: &PostOn| post.id.clone();
        let who = || {
            let who = unit.other.as_ref().map(ToString::to_string).unwrap_or_default();
            who.parse::<RemoteId>().map_err(|_| Vec::new())
        };
        Ok(match self {
            Self::Follow(_) => Act::Follow { who: who()? },
            Self::Unfollow(_) => Act::Unfollow { who: who()? },
            Self::Repost(post) => Act::Repost { of: of(post) },
            Self::Like(post) => Act::Like { of: of(post) },
            Self::Delete(post) => Act::Delete { of: of(post) },
            Self::Profile { part, text } => {
                let known = BTreeMap::from([
                    ("handle", unit.account.handle.to_string()),
                    ("n", standing.n.to_string()),
                    ("count", standing.count.to_string()),
                    ("flock", standing.flock.to_string()),
                ]);
                let text = fill(text, &known).map_err(|why| vec![why.into()])?;
                fit(unit, BTreeMap::from([(*part, text)]), None)?
            }
            Self::Bot => fit(unit, BTreeMap::new(), Some(true))?,
        })
    }

    /// What its network charges for one of it, where looking somebody up `is_found_out`.
    pub fn charges(&self, is_found_out: bool) -> Vec<Charge> {
        match self {
            Self::Follow(_) | Self::Unfollow(_) if is_found_out => vec![Charge::Users(1)],
            Self::Repost(_) => vec![Charge::Repost],
            Self::Delete(_) => vec![Charge::Delete],
            Self::Follow(_)
            | Self::Unfollow(_)
            | Self::Like(_)
            | Self::Profile { .. }
            | Self::Bot => Vec::new(),
        }
    }
}

/// A change of the profile, if the network of its account takes it.
fn fit(
    unit: &Unit,
    texts: BTreeMap<ProfilePart, String>,
    bot: Option<bool>,
) -> Result<Act, Vec<Unwishable>> {
    let wanted = Wanted { texts: texts.clone(), bot, ..Wanted::default() };
    let refusals = wanted.check(&unit.account);
    if refusals.is_empty() {
        return Ok(Act::Profile { texts, bot });
    }
    Err(refusals.into_iter().map(Unwishable::from).collect())
}

impl FromStr for Wish {
    type Err = NoWish;

    fn from_str(text: &str) -> Result<Self, NoWish> {
        let (name, about) = head(text);
        let unknown = || NoWish::Unknown(text.trim().to_owned());
        if about.is_empty() {
            return Err(unknown());
        }
        Ok(match name.to_lowercase().as_str() {
            "follow" => Self::Follow(about.parse()?),
            "unfollow" => Self::Unfollow(about.parse()?),
            "repost" => Self::Repost(about.parse()?),
            "like" => Self::Like(about.parse()?),
            "delete" => Self::Delete(about.parse()?),
            "profile" => {
                let (part, text) = head(about);
                let part = match part.to_lowercase().as_str() {
                    "name" => ProfilePart::Name,
                    "bio" => ProfilePart::Bio,
                    "url" => ProfilePart::Url,
                    "location" => ProfilePart::Location,
                    "bot" if text.eq_ignore_ascii_case("yes") => return Ok(Self::Bot),
                    "bot" => return Err(NoWish::BotOnly),
                    other => return Err(NoWish::Part(other.to_owned())),
                };
                if text.is_empty() {
                    return Err(unknown());
                }
                // Nothing is written as two quotes: what is left out may be forgotten.
                let text = if matches!(text, "\"\"" | "“”") { "" } else { text };
                Self::Profile { part, text: text.to_owned() }
            }
            _ => return Err(unknown()),
        })
    }
}

/// The first word of a text, and what comes after it.
fn head(text: &str) -> (&str, &str) {
    let text = text.trim();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim())
}

impl FromStr for Whose {
    type Err = NoWish;

    fn from_str(text: &str) -> Result<Self, NoWish> {
        if text.eq_ignore_ascii_case("each-other") {
            return Ok(Self::EachOther);
        }
        text.parse().map(Self::Somebody).map_err(|_| NoWish::Who(text.to_owned()))
    }
}

impl FromStr for PostOn {
    type Err = NoWish;

    fn from_str(text: &str) -> Result<Self, NoWish> {
        let none = || NoWish::Post(text.to_owned());
        let (network, id) = match text.split_once(':').ok_or_else(none)? {
            ("at", _) => (Network::Bluesky, text),
            (network, id) => (network.parse().map_err(|_| none())?, id),
        };
        Ok(Self { network, id: id.parse().map_err(|_| none())? })
    }
}

impl FromStr for Unit {
    type Err = crate::InvalidAccount;

    /// As [`Unit`] is stored, with an arrow.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (account, other) = match text.split_once(ARROW) {
            Some((account, other)) => (account, Some(other.parse()?)),
            None => (text, None),
        };
        Ok(Self { account: account.parse()?, other })
    }
}

/// Between an account and whom it is about.
const ARROW: &str = " → ";

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.other {
            Some(other) => write!(f, "{}{ARROW}{other}", self.account),
            None => self.account.fmt(f),
        }
    }
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EachOther => f.write_str("each-other"),
            Self::Somebody(who) => who.fmt(f),
        }
    }
}

impl fmt::Display for PostOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.network, self.id)
    }
}

/// As it is read.
impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        match self {
            Self::Follow(whose) | Self::Unfollow(whose) => write!(f, "{name} {whose}"),
            Self::Repost(post) | Self::Like(post) | Self::Delete(post) => {
                write!(f, "{name} {post}")
            }
            Self::Profile { part, text } => {
                let text = if text.is_empty() { "\"\"" } else { text };
                write!(f, "{name} {} {text}", word(*part))
            }
            Self::Bot => write!(f, "{name} bot yes"),
        }
    }
}

/// How a part is written.
fn word(part: ProfilePart) -> &'static str {
    match part {
        ProfilePart::Name => "name",
        ProfilePart::Bio => "bio",
        ProfilePart::Url => "url",
        ProfilePart::Location => "location",
        ProfilePart::Picture => "picture",
        ProfilePart::Banner => "banner",
        ProfilePart::Bot => "bot",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_read_as_they_are_written() {
        for (text, written) in [
            ("follow x:milton", "follow x:milton"),
            ("Follow  EACH-OTHER ", "follow each-other"),
            ("unfollow mastodon:a@b.example", "unfollow mastodon:a@b.example"),
            ("repost x:123", "repost x:123"),
            (
                "like at://did:plc:a/app.bsky.feed.post/3k",
                "like bluesky:at://did:plc:a/app.bsky.feed.post/3k",
            ),
            (
                "like bluesky:at://did:plc:a/app.bsky.feed.post/3k",
                "like bluesky:at://did:plc:a/app.bsky.feed.post/3k",
            ),
            ("delete mastodon:115", "delete mastodon:115"),
            ("profile bio  Book {n}  of {count}\nby me", "profile bio Book {n}  of {count}\nby me"),
            ("profile url \"\"", "profile url \"\""),
            ("profile bot YES", "profile bot yes"),
        ] {
            let wish: Wish = text.parse().unwrap();
            assert_eq!(wish.to_string(), written, "{text}");
            assert_eq!(written.parse::<Wish>().unwrap(), wish, "{text}");
        }
    }

    #[test]
    fn what_is_no_wish_is_said() {
        let said = [
            "",
            "dance all night",
            "follow",
            "follow milton",
            "repost 123",
            "profile",
            "profile bio",
            "profile hat x",
            "profile bot no",
        ]
        .map(|text| text.parse::<Wish>().unwrap_err().to_string());
        insta::assert_snapshot!(said.join("\n"), @"
        `` is nothing that can be done: there are follow WHO, follow each-other, unfollow WHO, unfollow each-other, repost POST, like POST, delete POST, profile name|bio|url|location TEXT and profile bot yes
        `dance all night` is nothing that can be done: there are follow WHO, follow each-other, unfollow WHO, unfollow each-other, repost POST, like POST, delete POST, profile name|bio|url|location TEXT and profile bot yes
        `follow` is nothing that can be done: there are follow WHO, follow each-other, unfollow WHO, unfollow each-other, repost POST, like POST, delete POST, profile name|bio|url|location TEXT and profile bot yes
        `milton` is nobody: write network:handle, such as mastodon:apollo@example.social, or each-other
        `123` is no post: write network:id, such as x:2124182926852620288, or an address that begins with at:// for Bluesky
        `profile` is nothing that can be done: there are follow WHO, follow each-other, unfollow WHO, unfollow each-other, repost POST, like POST, delete POST, profile name|bio|url|location TEXT and profile bot yes
        `profile bio` is nothing that can be done: there are follow WHO, follow each-other, unfollow WHO, unfollow each-other, repost POST, like POST, delete POST, profile name|bio|url|location TEXT and profile bot yes
        `hat` is no part of a profile that is a text: there are name, bio, url, location and bot
        write `profile bot yes`: a bot that does not say what it is must not post on most networks, so the label is taken off on their pages alone
        ");
    }

    fn accounts(names: &[&str]) -> Vec<AccountId> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[track_caller]
    fn check(wish: &str, names: &[&str], expected: &str) {
        let units = wish.parse::<Wish>().unwrap().units(&accounts(names));
        let said: Vec<_> = units.iter().map(ToString::to_string).collect();
        assert_eq!(said.join("; "), expected, "{wish}");
        for unit in units {
            assert_eq!(unit.to_string().parse::<Unit>().unwrap(), unit);
        }
    }

    #[test]
    fn each_account_has_what_is_its_own() {
        let all = ["x:a10", "x:a9", "bluesky:b.example", "meadow:c", "bluesky:d.example"];
        check("profile name N", &all, "x:a9; x:a10; bluesky:b.example; bluesky:d.example");
        check("follow x:a9", &all, "x:a10 → x:a9");
        check(
            "follow each-other",
            &all,
            "x:a9 → x:a10; x:a10 → x:a9; bluesky:b.example → bluesky:d.example; bluesky:d.example → bluesky:b.example",
        );
        check("like bluesky:at://a/b/c", &all, "bluesky:b.example; bluesky:d.example");
    }

    #[test]
    fn placeholders_and_limits_are_each_account_s_own() {
        let standing = Standing { n: 2, count: 12, flock: "milton".parse().unwrap() };
        let act = |wish: &str, account: &str| {
            let unit = account.parse().unwrap();
            let act = wish.parse::<Wish>().unwrap().act(&unit, &standing);
            act.map_err(|whys| whys.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        };
        let texts = BTreeMap::from([(ProfilePart::Bio, "milton 2/12: a".to_owned())]);
        let wanted = Act::Profile { texts, bot: None };
        assert_eq!(act("profile bio {flock} {n}/{count}: {handle}", "x:a"), Ok(wanted));
        let refused = [
            act("profile location Eden", "bluesky:a.example"),
            act("profile bot yes", "x:a"),
            act("profile bio {hat}", "x:a"),
        ];
        insta::assert_snapshot!(refused.map(Result::unwrap_err).join("\n"), @"
        Bluesky has no location in profiles: leave it out for bluesky:a.example
        X has no bot label in profiles: leave it out for x:a
        `{hat}` is nothing that is known here: there are `{count}`, `{flock}`, `{handle}`, `{n}`; a brace of its own is written twice
        ");
    }
}
