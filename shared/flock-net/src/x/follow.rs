//! Following and liking on X (OpenAPI document 2.167, `followUser`, `unfollowUser`, `likePost` and `getUsersByUsername`, 2026-08).
//!
//! Both are for Enterprise customers, whose contracts say what they cost: no price is known, and nothing is paid from a purse. Looking
//! somebody up is charged to all.

use flock_core::{AccountId, Charge, Network, RemoteId};
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::{X, XKey, answers::XError, failure, id, read};
use crate::{Account, Failure, Purse, Stands, answer::Answer, failure::NotDone, lenient};

#[derive(Deserialize)]
struct Followed {
    data: FollowedData,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct FollowedData {
    #[serde(deserialize_with = "lenient::flag")]
    following: bool,
    #[serde(deserialize_with = "lenient::flag")]
    pending_follow: bool,
}

#[derive(Deserialize)]
struct Liked {
    data: LikedData,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct LikedData {
    #[serde(deserialize_with = "lenient::flag")]
    liked: bool,
}

#[derive(Deserialize)]
struct Found {
    data: FoundData,
}

#[derive(Deserialize)]
struct FoundData {
    #[serde(deserialize_with = "lenient::id")]
    id: String,
}

impl X {
    pub(crate) async fn follow(
        &self,
        who: &RemoteId,
        account: &Account,
        key: &XKey,
    ) -> Result<Stands, Failure> {
        let body = json!({ "target_user_id": user(who)? });
        let path = format!("/2/users/{}/following", account.remote_user);
        self.may_ask(account)?;
        let body = Some(super::Body::Json(&body));
        let answer = self.ask_as(Method::POST, &path, &[], body, account, key).await?;
        // They have been asked before (v1.1's code, which v2 still answers with here and there).
        if answer.proof().is_some() && XError::of(&answer).has(160, "already requested to follow") {
            return Ok(Stands::Requested);
        }
        match read::<Followed>(&answer)?.data {
            FollowedData { following: true, .. } => Ok(Stands::Now),
            FollowedData { pending_follow: true, .. } => Ok(Stands::Requested),
            FollowedData { .. } => Err(Failure::refused(
                NotDone::LOOKED,
                "X took the wish to follow and does not follow",
            )),
        }
    }

    pub(crate) async fn unfollow(
        &self,
        who: &RemoteId,
        account: &Account,
        key: &XKey,
    ) -> Result<Stands, Failure> {
        let path = format!("/2/users/{}/following/{}", account.remote_user, user(who)?);
        self.may_ask(account)?;
        let answer = self.ask_as(Method::DELETE, &path, &[], None, account, key).await?;
        if read::<Followed>(&answer)?.data.following {
            let why = "X took the wish to unfollow and still follows";
            return Err(Failure::refused(NotDone::LOOKED, why));
        }
        Ok(Stands::Now)
    }

    pub(crate) async fn like(
        &self,
        of: &RemoteId,
        account: &Account,
        key: &XKey,
    ) -> Result<(RemoteId, Stands), Failure> {
        let body = json!({ "tweet_id": id(of)? });
        let path = format!("/2/users/{}/likes", account.remote_user);
        self.may_ask(account)?;
        let body = Some(super::Body::Json(&body));
        let answer = self.ask_as(Method::POST, &path, &[], body, account, key).await?;
        if answer.proof().is_some() && XError::of(&answer).has(139, "already favorited") {
            return Ok((of.clone(), Stands::Already));
        }
        if !read::<Liked>(&answer)?.data.liked {
            let why = "X took the wish to like the post and does not like it";
            return Err(Failure::refused(NotDone::LOOKED, why));
        }
        Ok((of.clone(), Stands::Now))
    }

    /// Charged however often it is asked.
    pub(crate) async fn find_user(
        &self,
        who: &AccountId,
        account: &Account,
        key: &XKey,
        purse: &Purse<'_>,
    ) -> Result<RemoteId, Failure> {
        self.may_ask(account)?;
        let bill = purse.pay_each(Network::X, "user", Charge::Users(1)).await?;
        let path = format!("/2/users/by/username/{}", who.handle);
        let answer = self.ask_as(Method::GET, &path, &[], None, account, key).await;
        let found = answer.and_then(|answer| found(who, &answer));
        match found.as_ref().err().and_then(Failure::not_done) {
            Some(proof) => purse.give_back(&bill, proof).await?,
            None => purse.settle_at(&bill, Charge::Users(1)).await?,
        }
        found
    }
}

/// Whom a look-up has found. For a name it does not know X answers with errors and success.
fn found(who: &AccountId, answer: &Answer) -> Result<RemoteId, Failure> {
    if XError::of(answer).has(50, "could not find user") {
        let why = format!("X finds nobody called {}; look at the name", who.handle);
        return Err(Failure::refused(NotDone::HARMLESS, why));
    }
    if answer.status != reqwest::StatusCode::OK {
        return Err(failure(answer));
    }
    let Found { data } = read(answer)?;
    data.id.parse().map_err(|_| Failure::unknown("X found somebody and did not say their id"))
}

/// The number of a person.
fn user(who: &RemoteId) -> Result<&str, Failure> {
    let is_id =
        |text: &str| (1..=19).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let text = who.as_str();
    is_id(text)
        .then_some(text)
        .ok_or_else(|| Failure::cannot(format!("`{who}` is nobody's number on X")))
}
