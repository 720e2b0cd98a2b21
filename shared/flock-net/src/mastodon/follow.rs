//! Following and liking on Mastodon (docs.joinmastodon.org, methods/accounts, methods/search, methods/statuses and
//! entities/Relationship, 2026-11).

use flock_core::{AccountId, RemoteId};
use reqwest::{Method, StatusCode};
use serde::Deserialize;

use super::{
    FOLLOWING, Instance, LIKING, Made, Mastodon, MastodonKey, SEARCHING, host, lacks, segment,
};
use crate::{
    Account, Failure, Stands,
    answer::{Answer, DONE},
    failure::NotDone,
    lenient,
};

/// How the account stands to somebody.
#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct Relationship {
    #[serde(deserialize_with = "lenient::flag")]
    following: bool,
    /// They have been asked whether they may be followed.
    #[serde(deserialize_with = "lenient::flag")]
    requested: bool,
}

/// Somebody the instance knows.
#[derive(Debug, Deserialize)]
struct Known {
    #[serde(deserialize_with = "lenient::id")]
    id: String,
    #[serde(default, deserialize_with = "lenient::text")]
    acct: String,
}

/// What a search has found.
#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct Found {
    #[serde(deserialize_with = "lenient::nullable")]
    accounts: Vec<Known>,
}

impl Mastodon {
    /// Asked again, an instance answers the same.
    pub(crate) async fn follow(
        &self,
        who: &RemoteId,
        account: &Account,
        key: &MastodonKey,
    ) -> Result<Stands, Failure> {
        let instance = self.instance(account, key);
        let Relationship { following, requested } = instance.relate(who, "follow").await?;
        match (following, requested) {
            (true, _) => Ok(Stands::Now),
            (false, true) => Ok(Stands::Requested),
            (false, false) => {
                let why = format!("{} took the wish to follow and does not follow", instance.name);
                Err(Failure::refused(NotDone::LOOKED, why))
            }
        }
    }

    pub(crate) async fn unfollow(
        &self,
        who: &RemoteId,
        account: &Account,
        key: &MastodonKey,
    ) -> Result<Stands, Failure> {
        let instance = self.instance(account, key);
        let related = match instance.relate(who, "unfollow").await {
            // That nobody is followed and that there is no such request look the same (snac).
            Err(failure) if failure.not_done().is_none() => {
                let there = instance.relationship(who).await?;
                let there = there.filter(|there| !there.following && !there.requested);
                return there.map(|_| Stands::Already).ok_or(failure);
            }
            related => related?,
        };
        let Relationship { following, requested } = related;
        if following || requested {
            let why = format!("{} took the wish to unfollow and still follows", instance.name);
            return Err(Failure::refused(NotDone::LOOKED, why));
        }
        Ok(Stands::Now)
    }

    /// Asked again, an instance answers with the post as it is.
    pub(crate) async fn like(
        &self,
        of: &RemoteId,
        account: &Account,
        key: &MastodonKey,
    ) -> Result<(RemoteId, Stands), Failure> {
        let instance = self.instance(account, key);
        let path = format!("/api/v1/statuses/{}/favourite", segment(of.as_str()));
        let answer = instance.send(instance.request(Method::POST, &path)?).await?;
        match (answer.status, answer.proof()) {
            (status, _) if DONE.contains(&status) => {
                let made: Made = answer.json(&instance.name)?;
                Ok((made.id.parse().map_err(|_| instance.nameless())?, Stands::Now))
            }
            (StatusCode::NOT_FOUND, Some(proof)) => Err(Failure::refused(
                proof,
                format!(
                    "{} does not find the post to like{}; it may have been deleted",
                    instance.name,
                    answer.said()
                ),
            )),
            _ => Err(instance.why_not(&answer, LIKING).await),
        }
    }

    /// Whom the instance knows is found without a right; somebody elsewhere it may have to ask for, which it does for whoever may
    /// search.
    pub(crate) async fn find_user(
        &self,
        who: &AccountId,
        account: &Account,
        key: &MastodonKey,
    ) -> Result<RemoteId, Failure> {
        let instance = self.instance(account, key);
        let handle = who.handle.as_str();
        let user = handle.split_once('@').map_or(handle, |(user, _)| user);
        let is_here = host(who) == host(&account.id);
        let acct = if is_here { user } else { handle };
        let path = format!("/api/v1/accounts/lookup?acct={}", segment(acct));
        let answer = instance.send(instance.request(Method::GET, &path)?).await?;
        let nobody = || {
            let why = format!("{} finds nobody called {handle}; look at the name", instance.name);
            Failure::refused(NotDone::HARMLESS, why)
        };
        match answer.status {
            StatusCode::OK => {
                let Known { id, .. } = answer.json(&instance.name)?;
                return id.parse().map_err(|_| nobody());
            }
            StatusCode::NOT_FOUND if is_here && answer.proof().is_some() => return Err(nobody()),
            StatusCode::NOT_FOUND => {}
            _ => return Err(instance.reading_failure(&answer)),
        }
        let query = segment(&format!("@{handle}"));
        let path = format!("/api/v2/search?q={query}&type=accounts&resolve=true&limit=5");
        let answer = instance.send(instance.request(Method::GET, &path)?).await?;
        if answer.status != StatusCode::OK {
            return Err(instance.why_not(&answer, SEARCHING).await.posts_nothing());
        }
        let Found { accounts } = answer.json(&instance.name)?;
        let is_meant = |known: &&Known| known.acct.eq_ignore_ascii_case(acct);
        let found = accounts.iter().find(is_meant).ok_or_else(nobody)?;
        found.id.parse().map_err(|_| nobody())
    }
}

impl Instance<'_> {
    /// Asks for a change of how the account stands to `who`, and gives how it stands then.
    async fn relate(&self, who: &RemoteId, how: &str) -> Result<Relationship, Failure> {
        let path = format!("/api/v1/accounts/{}/{how}", segment(who.as_str()));
        let answer = self.send(self.request(Method::POST, &path)?).await?;
        match (answer.status, answer.proof()) {
            (StatusCode::OK, _) => answer.json(&self.name),
            (StatusCode::NOT_FOUND, Some(proof)) => {
                let (name, said) = (&self.name, answer.said());
                let why = format!(
                    "{name} does not know whom to {how}{said}; look whether they are there"
                );
                Err(Failure::refused(proof, why))
            }
            _ => Err(self.why_not(&answer, FOLLOWING).await),
        }
    }

    /// How the account stands to `who` now, where the instance says so.
    async fn relationship(&self, who: &RemoteId) -> Result<Option<Relationship>, Failure> {
        let path = format!("/api/v1/accounts/relationships?id%5B%5D={}", segment(who.as_str()));
        let answer = self.send(self.request(Method::GET, &path)?).await?;
        if answer.status != StatusCode::OK {
            return Ok(None);
        }
        let all: Vec<Relationship> = answer.json(&self.name)?;
        Ok(all.into_iter().next())
    }

    /// What any answer but success means to what needs the right `scope`, which keys from before may lack.
    async fn why_not(&self, answer: &Answer, scope: &str) -> Failure {
        let (StatusCode::FORBIDDEN, Some(proof)) = (answer.status, answer.proof()) else {
            return self.failure(answer);
        };
        let (name, said) = (&self.name, answer.said());
        let why = if lacks(&self.scopes().await, scope) {
            format!(
                "the key of {name} lacks `{scope}`; renew the account's key, and it is asked for"
            )
        } else {
            format!(
                "{name} does not let the account do that{said}; look whether it is shut out there or by whom it is about, or \
                 renew its key, which then has `{scope}`"
            )
        };
        Failure::refused(proof, why)
    }
}
