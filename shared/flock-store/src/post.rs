//! Recorded posts.

use std::{
    cmp::{Ordering, Reverse},
    collections::{HashMap, HashSet},
};

use aws_sdk_dynamodb::types::AttributeValue;
use flock_core::{
    AccountId, Handle, Intent, Made, Network, Occurrence, RemoteId, Sent, Sheep, SheepId,
    quoted_part,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    BATCH_GET, Item, Keyed, Read, Store, StoreError, Write, key::Key, request_error, sheep::Seconds,
};

/// How long posts are kept, in days. The networks keep theirs.
pub const POST_RETENTION_DAYS: i64 = 400;

/// The highest number that fits a key.
const LAST: Occurrence = Occurrence(999_999_999_999);

/// Queries at once.
const CONCURRENCY: usize = 16;

/// A post that was made, or may have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Whose post it is.
    pub sheep: SheepId,
    /// Its number among the sheep's posts.
    pub occurrence: Occurrence,
    /// The account it was made through.
    pub account: AccountId,
    /// When it was due.
    pub at: Timestamp,
    /// What it says.
    pub text: String,
    /// What is known of it.
    pub state: PostState,
    /// The network's id for it.
    pub remote_id: Option<RemoteId>,
    /// What it was made of. `None`: somebody wrote it, or it is of before this was kept.
    pub made: Option<Made>,
    /// The post that it answers, as its network calls that. None of what was recorded before this was kept.
    pub answers: Option<RemoteId>,
}

/// What is known of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PostState {
    /// It is on its network.
    Posted,
    /// Decided, and being posted or waiting for another try.
    Pending,
    /// The network was asked and nobody knows whether it has it; being found out.
    Unknown,
    /// It was made, and is there no more, because we have deleted it.
    Deleted,
}

/// What became of recording a post.
#[must_use = "a post that is not recorded is lost from sight"]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// It is recorded, now or by an earlier request.
    Done,
    /// Its sheep was changed since it was read, and the number may stand for another post now: nothing was changed.
    Held,
    /// Another post has its number: nothing was changed.
    Taken(Box<Taken>),
}

/// The post that has another's number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// What is recorded under the number.
    pub by: Post,
    /// The first number nobody has.
    pub free: Occurrence,
}

/// Whether a number was held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Held {
    /// It was: who has read an older sheep makes no post under it any more.
    Done,
    /// The post is there.
    Made(Box<Post>),
}

/// In a post's place until it is made: by whom it may be.
#[derive(Debug, Serialize, Deserialize)]
struct HoldItem {
    /// The lowest version of its sheep that whoever makes it must have read.
    held_from: u64,
    ttl: Seconds,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum PostOrHold {
    Hold(HoldItem),
    Post(PostItem),
}

#[derive(Debug, Serialize, Deserialize)]
struct PostItem {
    network: Network,
    handle: Handle,
    at: Seconds,
    text: String,
    state: PostState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remote_id: Option<RemoteId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    made: Option<Made>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answers: Option<RemoteId>,
    /// When it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deleted_at: Option<Seconds>,
    ttl: Seconds,
}

/// A post of a sheep's record, and when it was deleted, where it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnRecord {
    /// The post.
    pub post: Post,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}

impl Store {
    /// What `post` is called on its network, if it is recorded already.
    pub async fn recorded_as(&self, post: &Post) -> Result<Option<RemoteId>, StoreError> {
        let what = format!("post {} of {}", post.occurrence, post.sheep);
        let key = Key::post(&post.sheep, post.occurrence);
        let Some(PostOrHold::Post(there)) = self.one(&what, key, Read::Consistent).await? else {
            return Ok(None);
        };
        let there = there.into_post(&post.sheep, post.occurrence)?;
        let is_it = there.text == post.text && there.account == post.account;
        Ok(there.remote_id.filter(|_| is_it))
    }

    /// Records a post that was decided by the sheep as it was at version `read`. Once more changes nothing, and
    /// nothing is ever written over another post.
    pub async fn put_post(&self, post: &Post, read: u64) -> Result<Recorded, StoreError> {
        let what = format!("post {} of {}", post.occurrence, post.sheep);
        let item = PostItem {
            network: post.account.network,
            handle: post.account.handle.clone(),
            at: post.at.into(),
            text: post.text.clone(),
            state: post.state,
            remote_id: post.remote_id.clone(),
            made: post.made.clone(),
            answers: post.answers.clone(),
            deleted_at: None,
            ttl: kept_until(post.at),
        };
        let key = Key::post(&post.sheep, post.occurrence);
        let written = self.put_if(&what, key, &item, |put| {
            put.condition_expression("attribute_not_exists(pk) OR held_from <= :read")
                .expression_attribute_values(":read", AttributeValue::N(read.to_string()))
        });
        let there = match written.await?.read::<PostOrHold>(&what)? {
            Write::Done | Write::Conflict(None) => return Ok(Recorded::Done),
            Write::Conflict(Some(PostOrHold::Hold(_))) => return Ok(Recorded::Held),
            Write::Conflict(Some(PostOrHold::Post(there))) => there,
        };
        let by = there.into_post(&post.sheep, post.occurrence)?;
        if by.is(post) {
            return Ok(Recorded::Done);
        }
        let newest = self.newest_posts(&post.sheep, 1).await?.pop();
        let last = newest.map_or(by.occurrence, |post| post.occurrence.max(by.occurrence));
        Ok(Recorded::Taken(Box::new(Taken { by, free: last.plus(1) })))
    }

    /// Marks a post as deleted; again changes nothing. On the meadow, where the record is the post, its text goes with it, and its
    /// number stays taken.
    pub async fn mark_deleted(&self, post: &Post, now: Timestamp) -> Result<(), StoreError> {
        let what = format!("post {} of {}", post.occurrence, post.sheep);
        let seconds = AttributeValue::N(now.as_second().to_string());
        let is_meadow = post.account.network == Network::Meadow;
        let change = if is_meadow {
            "SET #state = :deleted, deleted_at = :at, #text = :none REMOVE made"
        } else {
            "SET #state = :deleted, deleted_at = :at"
        };
        let written =
            self.update_if(&what, Key::post(&post.sheep, post.occurrence), change, |update| {
                let update = update
                    .condition_expression("#state <> :deleted AND attribute_not_exists(held_from)")
                    .expression_attribute_names("#state", "state")
                    .expression_attribute_values(
                        ":deleted",
                        AttributeValue::S("deleted".to_owned()),
                    )
                    .expression_attribute_values(":at", seconds);
                if is_meadow {
                    let none = AttributeValue::S(String::new());
                    update
                        .expression_attribute_names("#text", "text")
                        .expression_attribute_values(":none", none)
                } else {
                    update
                }
            });
        // It is marked already, or has expired meanwhile.
        written.await.map(|_| ())
    }

    /// The posts of a sheep's record with numbers above `after`, lowest first, at most `limit`.
    pub async fn posts_after(
        &self,
        sheep: &SheepId,
        after: Occurrence,
        limit: usize,
    ) -> Result<Vec<OnRecord>, StoreError> {
        let Key { pk, sk } = Key::post(sheep, after);
        let what = format!("posts of {sheep}");
        let mut items = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk > :after")
            .filter_expression("attribute_not_exists(held_from)")
            .expression_attribute_values(":pk", AttributeValue::S(pk))
            .expression_attribute_values(":after", AttributeValue::S(sk))
            .consistent_read(true)
            .limit(i32::try_from(limit.max(1)).unwrap_or(i32::MAX))
            .into_paginator()
            .items()
            .send();
        let mut posts = Vec::new();
        while posts.len() < limit
            && let Some(item) = items.next().await
        {
            let item = item.map_err(|err| request_error("read the", what.clone(), err))?;
            let Keyed { key, value, .. } = Keyed::<PostItem>::read(item, &what)?;
            let corrupt = |source| StoreError::Corrupt { what: what.clone(), source };
            let number =
                key.as_occurrence().ok_or_else(|| corrupt("its key has no number".into()))?;
            let deleted_at = value.deleted_at.map(Timestamp::try_from).transpose();
            let deleted_at = deleted_at.map_err(|err| corrupt(err.into()))?;
            posts.push(OnRecord { post: value.into_post(sheep, number)?, deleted_at });
        }
        Ok(posts)
    }

    /// Keeps whoever has read a sheep before this version from making its next post, unless it is made already. Who comes
    /// late with an older version changes nothing of what a newer one keeps out: their sheep is not written either.
    pub(crate) async fn hold(&self, sheep: &Sheep, from: u64) -> Result<Held, StoreError> {
        let occurrence = sheep.progress.occurrence;
        let what = format!("the number of post {occurrence} of {}", sheep.id);
        let item = HoldItem { held_from: from, ttl: kept_until(sheep.progress.slot) };
        let written = self.put_if(&what, Key::post(&sheep.id, occurrence), item, |put| {
            put.condition_expression("attribute_not_exists(pk) OR held_from < :from")
                .expression_attribute_values(":from", AttributeValue::N(from.to_string()))
        });
        match written.await?.read::<PostOrHold>(&what)? {
            Write::Conflict(Some(PostOrHold::Post(there))) => {
                Ok(Held::Made(Box::new(there.into_post(&sheep.id, occurrence)?)))
            }
            Write::Done | Write::Conflict(None | Some(PostOrHold::Hold(_))) => Ok(Held::Done),
        }
    }

    /// The newest `limit` posts of `sheep`, oldest first, with those being made right now.
    pub async fn newest_posts_of(
        &self,
        sheep: &[Sheep],
        limit: usize,
    ) -> Result<Vec<Post>, StoreError> {
        // Of many sheep each has few of the newest: more is asked only of those that may have more.
        let few = (2 * limit / sheep.len().max(1)).clamp(1, limit.max(1));
        let mut posts = self.newest_of_each(sheep.iter().map(|sheep| &sheep.id), few).await?;
        posts.sort_by_key(|post| Reverse(post.at));
        let oldest = posts.get(limit).map(|post| post.at);
        let mut shown: HashMap<&SheepId, usize> = HashMap::new();
        for post in posts.iter().filter(|post| oldest.is_none_or(|oldest| oldest <= post.at)) {
            *shown.entry(&post.sheep).or_default() += 1;
        }
        let more: HashSet<_> = shown
            .into_iter()
            .filter(|(_, shown)| *shown == few && few < limit)
            .map(|(sheep, _)| sheep.clone())
            .collect();
        posts.retain(|post| !more.contains(&post.sheep));
        posts.extend(self.newest_of_each(more.iter(), limit).await?);
        posts.extend(sheep.iter().filter_map(Post::intended));
        posts.sort_by(Post::by_time);
        // A meadow post is there before its sheep says so.
        posts.dedup_by(|b, a| a.sheep == b.sheep && a.occurrence == b.occurrence);
        let older = posts.len().saturating_sub(limit);
        Ok(posts.split_off(older))
    }

    /// Those of these posts that are recorded, in no order.
    pub async fn posts_numbered(
        &self,
        numbers: &[(SheepId, Occurrence)],
    ) -> Result<Vec<Post>, StoreError> {
        let by_key: HashMap<_, _> = numbers
            .iter()
            .map(|(sheep, number)| (Key::post(sheep, *number), (sheep, *number)))
            .collect();
        let keys: Vec<_> = by_key.keys().cloned().collect();
        let about = ("read", "posts by their numbers");
        let batches: Vec<_> =
            keys.chunks(BATCH_GET).map(|keys| self.several(about, keys.to_vec())).collect();
        let items: Vec<Item> =
            stream::iter(batches).buffer_unordered(CONCURRENCY).try_concat().await?;
        let mut posts = Vec::new();
        for item in items {
            let keyed = Keyed::<PostOrHold>::read(item, about.1)?;
            if let (PostOrHold::Post(post), Some((sheep, number))) =
                (keyed.value, by_key.get(&keyed.key))
            {
                posts.push(post.into_post(sheep, *number)?);
            }
        }
        Ok(posts)
    }

    async fn newest_of_each(
        &self,
        sheep: impl Iterator<Item = &SheepId>,
        limit: usize,
    ) -> Result<Vec<Post>, StoreError> {
        let queries: Vec<_> = sheep.map(|sheep| self.newest_posts(sheep, limit)).collect();
        stream::iter(queries).buffer_unordered(CONCURRENCY).try_concat().await
    }

    /// The newest posts of a sheep, newest first, at most `limit`.
    pub async fn newest_posts(
        &self,
        sheep: &SheepId,
        limit: usize,
    ) -> Result<Vec<Post>, StoreError> {
        self.newest_before((sheep, LAST), limit).await
    }

    /// The newest posts of each of these sheep with numbers below the one beside it, at most `limit` of each.
    pub async fn newest_posts_before(
        &self,
        sheep: &[(SheepId, Occurrence)],
        limit: usize,
    ) -> Result<Vec<Post>, StoreError> {
        let sheep = sheep.iter().map(|(sheep, before)| (sheep, *before));
        let queries: Vec<_> = sheep.map(|before| self.newest_before(before, limit)).collect();
        stream::iter(queries).buffer_unordered(CONCURRENCY).try_concat().await
    }

    async fn newest_before(
        &self,
        (sheep, before): (&SheepId, Occurrence),
        limit: usize,
    ) -> Result<Vec<Post>, StoreError> {
        // DynamoDB refuses a limit of nothing.
        if limit == 0 {
            return Ok(Vec::new());
        }
        let Key { pk, sk } = Key::post(sheep, before);
        let mut items = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk < :before")
            .filter_expression("attribute_not_exists(held_from)")
            .expression_attribute_values(":pk", AttributeValue::S(pk))
            .expression_attribute_values(":before", AttributeValue::S(sk))
            .scan_index_forward(false)
            .consistent_read(true)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .into_paginator()
            .items()
            .send();
        let mut posts = Vec::new();
        while posts.len() < limit
            && let Some(item) = items.next().await
        {
            let what = format!("posts of {sheep}");
            let item = item.map_err(|err| request_error("read the", what.clone(), err))?;
            let Keyed { key, value, .. } = Keyed::<PostItem>::read(item, &what)?;
            let number = key.as_occurrence().ok_or_else(|| StoreError::Corrupt {
                what: format!("post {} of {sheep}", key.sk),
                source: "its key has no number".into(),
            })?;
            posts.push(value.into_post(sheep, number)?);
        }
        Ok(posts)
    }
}

/// When what belongs to a post at `at` expires.
pub(crate) fn kept_until(at: Timestamp) -> Seconds {
    let kept = SignedDuration::from_hours(24 * POST_RETENTION_DAYS);
    at.saturating_add(kept).unwrap_or(Timestamp::MAX).into()
}

impl Post {
    /// The order of posts in lists: by time, and always the same.
    pub fn by_time(&self, other: &Self) -> Ordering {
        (self.at, &self.sheep, self.occurrence).cmp(&(other.at, &other.sheep, other.occurrence))
    }

    /// The post a sheep is making, or trying to.
    pub fn intended(sheep: &Sheep) -> Option<Self> {
        let Intent { occurrence, errand, .. } = sheep.intent.as_ref()?;
        let unknown = errand.sent == Sent::Maybe && 0 < errand.attempts;
        Some(Self {
            sheep: sheep.id.clone(),
            occurrence: *occurrence,
            account: sheep.config.account.clone(),
            at: errand.due,
            text: errand.work.act.to_string(),
            state: if unknown { PostState::Unknown } else { PostState::Pending },
            remote_id: None,
            made: sheep.made(),
            answers: errand.work.act.answers(sheep.progress.last_remote.as_ref()).cloned(),
        })
    }

    /// What it says, in a list of posts.
    pub fn quoted(&self) -> String {
        quoted_part(&self.text, self.answers.is_some())
    }

    /// Whether both are the same post: who recorded it may not have known its id.
    fn is(&self, other: &Self) -> bool {
        let ids = self.remote_id.as_ref().zip(other.remote_id.as_ref());
        self.account == other.account
            && self.text == other.text
            && ids.is_none_or(|(one, another)| one == another)
    }

    /// The post with what is known of where it is, for a person.
    pub fn named(&self) -> String {
        let id = self.remote_id.as_ref().map(|id| format!(", {id}")).unwrap_or_default();
        format!("{:?} ({}{id})", self.text, self.account)
    }
}

impl Taken {
    /// What its network calls `post`, which could not be recorded. `None`: it is not there. An answer with the
    /// id of the post that has the number speaks of that one.
    pub fn posted(&self, post: &Post) -> Option<RemoteId> {
        let is_other = self.by.account != post.account || self.by.remote_id != post.remote_id;
        post.remote_id.clone().filter(|_| is_other)
    }

    /// What to tell about `post`, which could not be recorded.
    pub fn why(&self, post: &Post, posted: bool) -> String {
        let Self { by, free } = self;
        let Post { occurrence, sheep, .. } = post;
        let (made, what) = if posted {
            let what = format!(
                "look whether both are there, then resume {sheep}: it goes on with number {free}"
            );
            ("made, but cannot be recorded", what)
        } else {
            ("not made", format!("resume {sheep}, and it is made under number {free}"))
        };
        format!(
            "post {occurrence}, {}, was {made}: number {occurrence} is recorded as {}; {what}",
            post.named(),
            by.named()
        )
    }
}

impl PostItem {
    fn into_post(self, sheep: &SheepId, occurrence: Occurrence) -> Result<Post, StoreError> {
        let corrupt = |source: jiff::Error| StoreError::Corrupt {
            what: format!("post {occurrence} of {sheep}"),
            source: Box::new(source),
        };
        Ok(Post {
            sheep: sheep.clone(),
            occurrence,
            account: AccountId { network: self.network, handle: self.handle },
            at: self.at.try_into().map_err(corrupt)?,
            text: self.text,
            state: self.state,
            remote_id: self.remote_id,
            made: self.made,
            answers: self.answers,
        })
    }
}
