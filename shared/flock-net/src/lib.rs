//! The networks: each posts a draft and says what came of it.
//!
//! How a network is spoken to is one file, with a line in [`Key`] and an arm in each function of
//! [`Networks`]; what is known of it is one file in `flock-core`. What differs is honest: who has no
//! idempotency key looks at its own newest posts when an earlier request may have arrived.

mod accounts;
mod address;
mod alike;
mod answer;
mod bluesky;
mod bundle;
mod failure;
mod form;
mod html;
mod http;
mod key_file;
mod lenient;
mod look;
mod mastodon;
mod meadow;
mod purse;
mod renewal;
mod rotation;
mod settings;
mod sign_in;
mod x;

use flock_aws::Clock;
use flock_core::{
    AccountFacts, AccountId, Act, Action, Lacking, Network, Outcome, Picture, PostId, RemoteId,
    Sent, SheepId, Shown, Tier, Wanted,
};
use flock_store::{Post, Store};
use jiff::Timestamp;
use secrecy::SecretString;

pub use accounts::{Account, Accounts};
pub use answer::Left;
pub use bundle::Bundle;
pub use failure::{Failure, FailureKind, NotDone};
pub use purse::{Purse, SpendingNews};
pub use rotation::{Stride, reseal};
pub use settings::Settings;
pub use sign_in::{Back, Begun, NotSignedIn, Proof, SignInTo, brought_back};
pub use x::XApp;

#[cfg(feature = "test-util")]
pub use {
    answer::check_answer,
    bluesky::check_answer as check_bluesky_answer,
    html::{plain as html_text, says as html_says},
    key_file::check_key_file,
    mastodon::check_answer as check_mastodon_answer,
    x::check_answer as check_x_answer,
};

use address::Reach;
use bluesky::{Bluesky, BlueskyKey};
use http::Http;
use look::Looks;
use mastodon::{Mastodon, MastodonKey};
use meadow::Meadow;
use x::{X, XKey};

/// A post about to be made.
#[derive(Debug)]
pub struct Draft<'a> {
    /// Its id, the idempotency key wherever the network has one.
    pub id: PostId,
    /// The post as it will be recorded, without the network's id.
    pub post: Post,
    /// Whether the network may have it already.
    pub sent: Sent,
    /// How often it was tried before.
    pub attempts: u32,
    /// The version of the sheep that it was decided from.
    pub read: u64,
    /// The sheep's newest post before this one, as the network calls it.
    pub last_remote: Option<&'a RemoteId>,
    /// The post it answers.
    pub reply_to: Option<&'a RemoteId>,
    /// The post that is shown in it.
    pub quotes: Option<&'a RemoteId>,
    /// What is to be seen with it.
    pub picture: Option<&'a Picture>,
    /// Whether its text was made with artificial intelligence.
    pub made_with_ai: bool,
}

/// The key of an account, opened. Keys do not print.
#[derive(Debug)]
pub enum Key {
    /// The meadow is ours and needs none.
    Meadow,
    /// X.
    X(Box<XKey>),
    /// Mastodon.
    Mastodon(Box<MastodonKey>),
    /// Bluesky.
    Bluesky(Box<BlueskyKey>),
}

/// A key from a file or from a sign-in, ready to be sealed.
#[derive(Debug)]
pub struct NewKey {
    /// What is sealed.
    pub key: SecretString,
    /// What is to be sealed beside it: what it was exchanged for, where it has to be.
    pub session: Option<SecretString>,
    /// What its network calls the account, as far as that came along.
    pub handle: Option<String>,
    /// The address of the account's server, where its network has many.
    pub url: Option<String>,
    /// The account's id on its network, as far as that came along.
    pub remote_user: String,
    /// What is declared of the account.
    pub facts: AccountFacts,
    /// The app's credentials, where they were given along.
    pub app: Option<SecretString>,
}

/// A key or a key file that cannot be used; says nothing of what is in it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct KeyProblem(String);

/// What a network says of an account whose key we have.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The account's id on its network.
    pub remote_user: String,
    /// Whether the network or the key itself says so; else it is what was known before.
    pub is_proven: bool,
    /// What its network calls it, where it says so.
    pub handle: Option<String>,
    /// What is known of it.
    pub facts: AccountFacts,
    /// When its server was asked what it takes, where servers differ in that.
    pub asked_at: Option<Timestamp>,
    /// What is to be sealed beside the key, where one logs in.
    pub session: Option<SecretString>,
    /// What the key allows, in the network's words, where it says so.
    pub scopes: Vec<String>,
    /// What it does not allow that posting a text does not need, and what cannot be done then; empty where nothing is said of it.
    pub lacks: Vec<String>,
    /// What is left of limits, where it says so.
    pub limits: Vec<Left>,
}

/// An account is asked for what cannot be done with it.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum Cannot {
    /// Its network lacks it.
    #[error(transparent)]
    Lacking(#[from] Lacking),
    /// We have no request for it.
    #[error("Flockwork cannot {action} on {}", network.title_within())]
    NotByUs {
        /// Where.
        network: Network,
        /// What.
        action: Action,
    },
}

/// Refuses what an account of `network` on `tier` cannot be asked for.
pub fn check_action(network: Network, tier: Tier, action: Action) -> Result<(), Cannot> {
    network.check_action(tier, action)?;
    match action {
        Action::Quote | Action::DirectMessage => Err(Cannot::NotByUs { network, action }),
        Action::Post
        | Action::Reply
        | Action::Repost
        | Action::Like
        | Action::Follow
        | Action::Delete
        | Action::Picture
        | Action::Profile
        | Action::Search
        | Action::Timeline
        | Action::AiMark => Ok(()),
    }
}

/// An act that was asked for, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acted {
    /// What came of it.
    pub outcome: Outcome,
    /// How it stands where it is done.
    pub stands: Stands,
}

/// How something stands that is so now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// It is so, and was not seen to be so before.
    Now,
    /// It was so already.
    Already,
    /// Somebody else has to agree first, who was asked.
    Requested,
}

/// What came of deleting a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// It is gone.
    Now,
    /// It was not there any more.
    Before,
}

/// Own posts, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    /// Some of them.
    pub posts: Vec<ShownPost>,
    /// Where the next page begins. `None`: there is none.
    pub next: Option<String>,
}

/// A post as its network shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownPost {
    /// Its id.
    pub id: RemoteId,
    /// What it says, as plain text.
    pub text: String,
    /// When it was made.
    pub at: Timestamp,
}

/// All networks, each ready to post.
#[derive(Debug)]
pub struct Networks {
    meadow: Meadow,
    x: X,
    mastodon: Mastodon,
    bluesky: Bluesky,
}

impl Networks {
    /// The networks as `config` says, with the meadow in `store`.
    pub fn new(store: Store, settings: &Settings, clock: &Clock) -> Self {
        let reach = if settings.on_loopback { Reach::PublicAndLoopback } else { Reach::Public };
        let http = |reach| Http::new(reach, settings.wire.clone(), clock.clone());
        let looks = || Looks::new(store.clone(), clock.clone());
        Self {
            meadow: Meadow::new(store.clone(), clock.clone()),
            x: {
                let (http, exchanges) = (http(Reach::Anywhere), http(Reach::Anywhere));
                X::new(http, exchanges, looks(), store.clone(), settings.x_url.clone())
            },
            mastodon: Mastodon::new(http(reach), looks()),
            bluesky: Bluesky::new(http(reach), http(reach), store),
        }
    }

    /// When `account` may be asked again, if its network said not to now.
    pub fn limited_until(&self, account: &AccountId) -> Option<Timestamp> {
        match account.network {
            Network::Meadow => None,
            Network::X => self.x.limited_until(account),
            Network::Mastodon => self.mastodon.limited_until(account),
            Network::Bluesky => self.bluesky.limited_until(account),
        }
    }

    /// Posts `draft` through `account`, at most once.
    pub async fn post(&self, draft: &Draft<'_>, account: &Account, purse: &Purse<'_>) -> Outcome {
        let posted = match draft.check(account) {
            Err(failure) if draft.sent == Sent::Maybe => Err(failure.leaves_unknown()),
            Err(failure) => Err(failure),
            Ok(()) => match &account.key {
                Key::Meadow => return self.meadow.post(draft).await,
                Key::X(key) => self.x.post(draft, account, key, purse).await,
                Key::Mastodon(key) => self.mastodon.post(draft, account, key).await,
                Key::Bluesky(key) => self.bluesky.post(draft, account, key).await,
            },
        };
        posted.map_or_else(
            |failure| refusal_for(failure, &account.id, Some(&draft.post.sheep)).into(),
            Outcome::Done,
        )
    }

    /// Does anything but posting through `account`, which changes nothing where it is done already. `id` names it; where it is a
    /// sheep's, a refusal says which one stops.
    pub async fn act(
        &self,
        id: &PostId,
        act: &Act,
        sheep: Option<&SheepId>,
        account: &Account,
        purse: &Purse<'_>,
    ) -> Acted {
        match self.try_act(id, act, account, purse).await {
            Ok((remote_id, stands)) => Acted { outcome: Outcome::Done(remote_id), stands },
            Err(failure) => Acted {
                outcome: refusal_for(failure.posts_nothing(), &account.id, sheep).into(),
                stands: Stands::Now,
            },
        }
    }

    async fn try_act(
        &self,
        id: &PostId,
        act: &Act,
        account: &Account,
        purse: &Purse<'_>,
    ) -> Result<(RemoteId, Stands), Failure> {
        match act {
            Act::Post(_) => {
                let why = "a post is made as one, and not as an act that can be done again";
                Err(Failure::cannot(why))
            }
            Act::Repost { of } => {
                self.repost(id, of, account, purse).await.map(|id| (id, Stands::Now))
            }
            Act::Delete { of } => {
                let stands = match self.delete(of, account, purse).await? {
                    Deleted::Now => Stands::Now,
                    Deleted::Before => Stands::Already,
                };
                Ok((of.clone(), stands))
            }
            Act::Like { of } => self.like(of, account).await,
            Act::Follow { who } => self.follow(who, account).await,
            Act::Unfollow { who } => {
                self.unfollow(who, account).await.map(|stands| (who.clone(), stands))
            }
            Act::Profile { texts, bot } => {
                let wanted = Wanted { texts: texts.clone(), bot: *bot, ..Wanted::default() };
                self.change_profile(account, &wanted).await?;
                Ok((RemoteId::from(id), Stands::Now))
            }
        }
    }

    /// Likes the post `of`. Done again it changes nothing.
    async fn like(&self, of: &RemoteId, account: &Account) -> Result<(RemoteId, Stands), Failure> {
        can(account, Action::Like)?;
        match &account.key {
            Key::Meadow => Err(self.meadow.lacks("like")),
            Key::X(key) => self.x.like(of, account, key).await,
            Key::Mastodon(key) => self.mastodon.like(of, account, key).await,
            Key::Bluesky(key) => self.bluesky.like(of, account, key).await,
        }
    }

    /// Follows `who`, by the network's id, and gives what the network calls that. Done again it changes nothing.
    pub async fn follow(
        &self,
        who: &RemoteId,
        account: &Account,
    ) -> Result<(RemoteId, Stands), Failure> {
        can(account, Action::Follow)?;
        match &account.key {
            Key::Meadow => Err(self.meadow.lacks("follow")),
            Key::X(key) => {
                self.x.follow(who, account, key).await.map(|stands| (who.clone(), stands))
            }
            Key::Mastodon(key) => {
                self.mastodon.follow(who, account, key).await.map(|stands| (who.clone(), stands))
            }
            Key::Bluesky(key) => self.bluesky.follow(who, account, key).await,
        }
    }

    /// Follows `who` no more. Done again it changes nothing.
    pub async fn unfollow(&self, who: &RemoteId, account: &Account) -> Result<Stands, Failure> {
        can(account, Action::Follow)?;
        match &account.key {
            Key::Meadow => Err(self.meadow.lacks("unfollow")),
            Key::X(key) => self.x.unfollow(who, account, key).await,
            Key::Mastodon(key) => self.mastodon.unfollow(who, account, key).await,
            Key::Bluesky(key) => self.bluesky.unfollow(who, account, key).await,
        }
    }

    /// Whom `who` names, by the id that the network of `account` - on Mastodon its server - has for them. X charges for that.
    pub async fn find_user(
        &self,
        account: &Account,
        who: &AccountId,
        purse: &Purse<'_>,
    ) -> Result<RemoteId, Failure> {
        if who.network != account.id.network {
            let why = format!("{who} is on another network than {}", account.id);
            return Err(Failure::cannot(why));
        }
        let found = match &account.key {
            Key::Meadow => return Err(self.meadow.lacks("look people up")),
            Key::X(key) => self.x.find_user(who, account, key, purse).await,
            Key::Mastodon(key) => self.mastodon.find_user(who, account, key).await,
            Key::Bluesky(key) => self.bluesky.find_user(who, account, key).await,
        };
        found.map_err(Failure::posts_nothing)
    }

    /// Shows the post `of` to the account's followers. `id` names the act: done again it changes nothing.
    pub async fn repost(
        &self,
        id: &PostId,
        of: &RemoteId,
        account: &Account,
        purse: &Purse<'_>,
    ) -> Result<RemoteId, Failure> {
        match &account.key {
            Key::Meadow => Err(self.meadow.lacks("repost")),
            Key::X(key) => self.x.repost(of, account, key, purse).await,
            Key::Mastodon(key) => self.mastodon.repost(of, account, key).await,
            Key::Bluesky(key) => self.bluesky.repost(id, of, account, key).await,
        }
    }

    /// Deletes an own post.
    pub async fn delete(
        &self,
        post: &RemoteId,
        account: &Account,
        purse: &Purse<'_>,
    ) -> Result<Deleted, Failure> {
        match &account.key {
            Key::Meadow => self.meadow.delete(post, account).await,
            Key::X(key) => self.x.delete(post, account, key, purse).await,
            Key::Mastodon(key) => self.mastodon.delete(post, account, key).await,
            Key::Bluesky(key) => self.bluesky.delete(post, account, key).await,
        }
    }

    /// The account's own posts, newest first; `page` is the `next` of the page before.
    pub async fn timeline(
        &self,
        account: &Account,
        page: Option<&str>,
        purse: &Purse<'_>,
    ) -> Result<Timeline, Failure> {
        match &account.key {
            Key::Meadow => self.meadow.timeline(account).await,
            Key::X(key) => self.x.timeline(account, key, page, purse).await,
            Key::Mastodon(key) => self.mastodon.timeline(account, key, page).await,
            Key::Bluesky(key) => self.bluesky.timeline(account, key, page).await,
        }
    }

    /// Asks the network whose key this is, and what it says of the account.
    pub async fn check(&self, account: &Account) -> Result<Checked, Failure> {
        match &account.key {
            Key::Meadow => Err(self.meadow.lacks("be given keys")),
            Key::X(key) => self.x.check(account, key).await,
            Key::Mastodon(key) => self.mastodon.check(account, key).await,
            Key::Bluesky(key) => self.bluesky.check(account, key).await,
        }
    }

    /// The same, where the name of whoever has the key matters so much that it may be charged for. X alone does.
    pub async fn check_whose(&self, account: &Account) -> Result<Checked, Failure> {
        match &account.key {
            Key::X(key) => self.x.check_whose(account, key).await,
            Key::Meadow | Key::Mastodon(_) | Key::Bluesky(_) => self.check(account).await,
        }
    }

    /// Asks the same of an account that is stored. Where one logs in, what was got by that is asked with, and is renewed and stored if
    /// it is over. No network charges for it.
    pub async fn check_again(&self, account: &Account) -> Result<Checked, Failure> {
        match &account.key {
            Key::Meadow => Err(self.meadow.lacks("be given keys")),
            Key::X(key) => self.x.check(account, key).await,
            Key::Mastodon(key) => self.mastodon.check(account, key).await,
            Key::Bluesky(key) => self.bluesky.check_again(account, key).await,
        }
    }

    /// What is known of the account, with what its server takes now. `None`: all servers of its network take the same.
    pub async fn facts(&self, account: &Account) -> Option<Result<AccountFacts, Failure>> {
        match &account.key {
            Key::Meadow | Key::X(_) | Key::Bluesky(_) => None,
            Key::Mastodon(key) => Some(self.mastodon.facts(account, key).await),
        }
    }

    /// What the network shows of the account.
    pub async fn profile(&self, account: &Account, purse: &Purse<'_>) -> Result<Shown, Failure> {
        match &account.key {
            Key::Meadow => Err(self.meadow.lacks("change profiles")),
            Key::X(key) => self.x.profile(account, key, purse).await,
            Key::Mastodon(key) => self.mastodon.profile(account, key).await,
            Key::Bluesky(key) => self.bluesky.profile(account, key).await,
        }
    }

    /// Changes what is wanted of the account's profile, in as few requests as its network allows. Done again it changes nothing; where
    /// nobody knows whether it is changed, a look tells.
    pub async fn change_profile(&self, account: &Account, wanted: &Wanted) -> Result<(), Failure> {
        match &account.key {
            Key::Meadow => Err(self.meadow.lacks("change profiles")),
            Key::X(key) => self.x.change_profile(account, key, wanted).await,
            Key::Mastodon(key) => self.mastodon.change_profile(account, key, wanted).await,
            Key::Bluesky(key) => self.bluesky.change_profile(account, key, wanted).await,
        }
    }

    /// Has the network show that the account is a bot's.
    pub async fn mark_as_bot(&self, account: &Account) -> Result<(), Failure> {
        match &account.key {
            Key::Meadow => Err(self.meadow.lacks("be told who is a bot: everybody there is")),
            Key::X(_) => Err(Failure::cannot(
                "X has no request for that; set the label in the account's settings, then say so in the \
                 key file: \"automated_label\": true",
            )),
            Key::Mastodon(_) | Key::Bluesky(_) => {
                let wanted = Wanted { bot: Some(true), ..Wanted::default() };
                self.change_profile(account, &wanted).await.map_err(Failure::posts_nothing)
            }
        }
    }
}

impl Draft<'_> {
    /// Refuses what the account's network cannot do, before it is asked.
    fn check(&self, account: &Account) -> Result<(), Failure> {
        let network = account.id.network;
        let asked = [
            (true, Action::Post),
            (self.reply_to.is_some(), Action::Reply),
            (self.quotes.is_some(), Action::Quote),
            (self.picture.is_some(), Action::Picture),
            (self.made_with_ai, Action::AiMark),
        ];
        for (_, action) in asked.into_iter().filter(|(is_asked, _)| *is_asked) {
            check_action(network, account.facts.tier, action)
                .map_err(|cannot| Failure::cannot(cannot.to_string()))?;
        }
        if let Some(picture) = self.picture {
            let rules = account.facts.picture_rules(network);
            rules.check(picture).map_err(|refusal| Failure::cannot(refusal.to_string()))?;
        }
        Ok(())
    }
}

impl Key {
    /// Reads a key as it was sealed; `app` is what X needs besides.
    fn read(
        network: Network,
        key: &SecretString,
        app: Option<&SecretString>,
    ) -> Result<Self, KeyProblem> {
        Ok(match network {
            Network::Meadow => Self::Meadow,
            Network::X => Self::X(Box::new(XKey::read(key, app)?)),
            Network::Mastodon => Self::Mastodon(Box::new(MastodonKey::read(key)?)),
            Network::Bluesky => Self::Bluesky(Box::new(BlueskyKey::read(key)?)),
        })
    }

    /// Reads the key file of the account `id`, as a person wrote it.
    pub fn read_file(id: &AccountId, text: &SecretString) -> Result<NewKey, KeyProblem> {
        match id.network {
            Network::Meadow => {
                Err(KeyProblem("accounts of the meadow need no key: just name them".to_owned()))
            }
            Network::X => XKey::read_file(text),
            Network::Mastodon => MastodonKey::read_file(id, text),
            Network::Bluesky => BlueskyKey::read_file(id, text),
        }
    }
}

/// Refuses what the account cannot be asked for, before anybody is asked.
fn can(account: &Account, action: Action) -> Result<(), Failure> {
    check_action(account.id.network, account.facts.tier, action)
        .map_err(|cannot| Failure::cannot(cannot.to_string()))
}

/// A refusal stops the sheep: whoever reads it needs to know which, and how to go on.
fn refusal_for(failure: Failure, account: &AccountId, sheep: Option<&SheepId>) -> Failure {
    match (&failure.kind, sheep) {
        (FailureKind::Refused(_), Some(sheep)) => {
            Failure { why: format!("{account}: {}, then resume {sheep}", failure.why), ..failure }
        }
        (FailureKind::Refused(_) | FailureKind::NotThisText(_), _) => {
            Failure { why: format!("{account}: {}", failure.why), ..failure }
        }
        (FailureKind::TryAgain { .. } | FailureKind::Unknown, _) => failure,
    }
}

/// Reads a key as it was sealed. The parser's own words could quote a secret.
fn sealed_json<T: serde::de::DeserializeOwned>(text: &SecretString) -> Result<T, KeyProblem> {
    use secrecy::ExposeSecret as _;
    serde_json::from_str(text.expose_secret())
        .map_err(|_| KeyProblem("it does not have the form of a sealed key".to_owned()))
}
