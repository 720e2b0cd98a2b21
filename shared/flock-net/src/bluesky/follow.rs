//! Following and liking on Bluesky: each is a record of one's own (lexicons app.bsky.graph.follow, app.bsky.feed.like and
//! com.atproto.identity.resolveHandle, 2026-11).
//!
//! Whom an account follows is read from its own repository: a PDS alone knows no more, and whoever collects the records of all is asked nothing.

use flock_core::{AccountId, RemoteId};
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Bluesky, BlueskyKey, Listed, NAME, error_name, reading_failure,
    record::{self, AtUri, FOLLOW, LIKE, Record},
    repo,
};
use crate::{Account, Deleted, Failure, Stands, failure::NotDone};

/// Whose a handle is.
#[derive(Deserialize)]
struct Resolved {
    did: String,
}

/// So many pages of follows are read: 10,000 follows. Whoever follows more is looked up by a person.
const PAGES: usize = 100;

impl Bluesky {
    /// Follows whom the account does not follow yet. The record is named by both, so that of two that ask at once both write the same.
    pub(crate) async fn follow(
        &self,
        who: &RemoteId,
        account: &Account,
        key: &BlueskyKey,
    ) -> Result<(RemoteId, Stands), Failure> {
        let who = did(who)?;
        let there = self.follows(who, account, key).await.map_err(Failure::posts_nothing)?;
        if let Some(there) = there.into_iter().next() {
            return Ok((there, Stands::Already));
        }
        let follow = record::follow(who, self.http.now());
        let is_ours = |there: &Value| there["subject"] == follow["subject"];
        let rkey = record::pair_key(FOLLOW, repo(account), who);
        let id = self.put(account, key, (FOLLOW, &rkey), &follow, is_ours).await?;
        Ok((id, Stands::Now))
    }

    /// Takes away each record by which the account follows `who`, whoever made it.
    pub(crate) async fn unfollow(
        &self,
        who: &RemoteId,
        account: &Account,
        key: &BlueskyKey,
    ) -> Result<Stands, Failure> {
        let there = self.follows(did(who)?, account, key).await.map_err(Failure::posts_nothing)?;
        let mut stands = Stands::Already;
        for follow in there {
            if self.remove(&follow, account, key).await? == Deleted::Now {
                stands = Stands::Now;
            }
        }
        Ok(stands)
    }

    pub(crate) async fn like(
        &self,
        of: &RemoteId,
        account: &Account,
        key: &BlueskyKey,
    ) -> Result<(RemoteId, Stands), Failure> {
        let post = self.record(account, key, of).await.map_err(Failure::posts_nothing)?;
        let post = post
            .filter(Record::is_named)
            .ok_or_else(|| Failure::cannot("the post to like is not there; like another"))?;
        let like = record::like(&post, self.http.now());
        let is_ours = |there: &Value| there["subject"]["uri"] == like["subject"]["uri"];
        let rkey = record::pair_key(LIKE, repo(account), of.as_str());
        Ok((self.put(account, key, (LIKE, &rkey), &like, is_ours).await?, Stands::Now))
    }

    pub(crate) async fn find_user(
        &self,
        who: &AccountId,
        account: &Account,
        key: &BlueskyKey,
    ) -> Result<RemoteId, Failure> {
        let query = [("handle", who.handle.as_str())];
        let method = "com.atproto.identity.resolveHandle";
        let answer = self.read(account, key, method, &query).await?;
        if answer.status == StatusCode::OK {
            let Resolved { did } = answer.json(NAME)?;
            let id = did.parse().ok().filter(|id| self::did(id).is_ok());
            return id.ok_or_else(|| Failure::unknown("Bluesky did not say whose the handle is"));
        }
        if answer.proof().is_some() && error_name(&answer) == "InvalidRequest" {
            let why = format!(
                "Bluesky finds nobody called {}{}; look at the name",
                who.handle,
                answer.said()
            );
            return Err(Failure::refused(NotDone::HARMLESS, why));
        }
        Err(reading_failure(&answer))
    }

    /// The records by which the account follows `who`: none or one, unless somebody made more.
    async fn follows(
        &self,
        who: &str,
        account: &Account,
        key: &BlueskyKey,
    ) -> Result<Vec<RemoteId>, Failure> {
        let (mut found, mut cursor) = (Vec::new(), None::<String>);
        let limit = Self::PAGE.to_string();
        for _ in 0..PAGES {
            let mut query =
                vec![("repo", repo(account)), ("collection", FOLLOW), ("limit", limit.as_str())];
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let answer = self.read(account, key, "com.atproto.repo.listRecords", &query).await?;
            if answer.status != StatusCode::OK {
                return Err(reading_failure(&answer));
            }
            let listed: Listed = answer.json(NAME)?;
            let number = listed.records.len();
            let of = listed.records.into_iter().filter(|record| record.value["subject"] == who);
            for record in of {
                let id = record.uri.parse().ok().filter(|_| AtUri::parse(&record.uri).is_some());
                found.push(id.ok_or_else(|| {
                    Failure::unknown("Bluesky lists a follow without its address")
                })?);
            }
            cursor = listed.cursor.filter(|_| Self::PAGE <= number);
            if cursor.is_none() {
                return Ok(found);
            }
        }
        let why = format!(
            "{} follows more than {} people, and nobody here knows whether {who} is among them; see to it on Bluesky",
            account.id,
            PAGES * Self::PAGE
        );
        Err(Failure::refused(NotDone::HARMLESS, why))
    }
}

/// The id of a person, which is a DID.
fn did(who: &RemoteId) -> Result<&str, Failure> {
    let text = who.as_str();
    if text.starts_with("did:") && !text.contains('/') {
        return Ok(text);
    }
    Err(Failure::cannot(format!("{who} is nobody's id on Bluesky, such as did:plc:...")))
}
