//! Sheep.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use flock_core::{
    AccountId, Act, Behaviour, Cause, CorpusId, Cursor, DayCount, Errand, FlockName, Handle,
    Intent, JobId, LastSaid, NearDuplicates, Network, Occurrence, Outcome, Place, PostId, Progress,
    RemoteId, Rhythm, Sent, Sheep, SheepConfig, SheepId, SheepName, State, Task,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Item, Keyed, Store, StoreError, Write, from_item,
    key::{Key, sheep_of},
    post::Held,
    request_error,
};

/// How fresh a read has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// May miss the latest write; half the price. Right where a conditional write follows.
    Eventual,
    /// Sees every write.
    Consistent,
}

/// A sheep was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// It is gone.
    #[error("{0} was removed meanwhile")]
    Removed(SheepId),
    /// Others changed it all the time.
    #[error("{0} is being changed by somebody else; try again")]
    Busy(SheepId),
    /// The table did not do what it was asked.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What waits in the index `due`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DueEntry {
    /// A sheep.
    Sheep(SheepId),
    /// A job.
    Job(JobId),
    /// What only another version of Flockwork knows, by its key. It is that one's to see to.
    Unknown(String),
}

/// Some of what is due, the longest due first.
#[derive(Debug)]
pub struct DuePage {
    /// What it is.
    pub entries: Vec<DueEntry>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<DueCursor>,
}

/// What a new sheep begins with, so that it takes nothing of an earlier one of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Birth {
    /// The number of its first post: none that the earlier one used or may have used.
    pub occurrence: Occurrence,
    /// Its version, which goes on, so that who still knows the earlier one cannot write over the new.
    pub version: u64,
}

/// Where a page of the index starts.
#[derive(Debug)]
pub struct DueCursor(Item);

impl Store {
    /// What is due of `shard` at `now`, one page of at most `limit`.
    pub async fn due(
        &self,
        shard: u16,
        now: Timestamp,
        limit: i32,
        from: Option<DueCursor>,
    ) -> Result<DuePage, StoreError> {
        let output = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("due")
            .key_condition_expression("due = :shard AND next_at <= :now")
            .expression_attribute_values(":shard", AttributeValue::S(shard.to_string()))
            .expression_attribute_values(":now", AttributeValue::N(now.as_second().to_string()))
            .set_exclusive_start_key(from.map(|cursor| cursor.0))
            .limit(limit)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|err| request_error("find what is due of", format!("shard {shard}"), err))?;
        self.meter.read(output.consumed_capacity());
        let mut entries = Vec::new();
        for item in output.items.unwrap_or_default() {
            let key: Key = from_item(item, format!("an entry of due shard {shard}"))?;
            let sheep = key.as_sheep().map(DueEntry::Sheep);
            let known = sheep.or_else(|| key.as_job().map(DueEntry::Job));
            let unknown = || DueEntry::Unknown(format!("{} {}", key.pk, key.sk));
            entries.push(known.unwrap_or_else(unknown));
        }
        Ok(DuePage { entries, next: output.last_evaluated_key.map(DueCursor) })
    }

    /// The sheep called `id`.
    pub async fn sheep(&self, id: &SheepId, read: Read) -> Result<Option<Sheep>, StoreError> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(Key::sheep(id).attributes()))
            .consistent_read(read == Read::Consistent)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|err| request_error("read sheep", id.to_string(), err))?;
        self.meter.read(output.consumed_capacity());
        Ok(output.item.map(sheep_from_item).transpose()?.flatten())
    }

    /// All sheep of a flock, by name.
    pub async fn sheep_of_flock(&self, flock: &FlockName) -> Result<Vec<Sheep>, StoreError> {
        self.first_sheep_of_flock(flock, None).await
    }

    /// The sheep of a flock that come first in the table, all, or at most `limit`, by name.
    pub(crate) async fn first_sheep_of_flock(
        &self,
        flock: &FlockName,
        limit: Option<usize>,
    ) -> Result<Vec<Sheep>, StoreError> {
        let mut sheep = self.some_sheep_of_flock(flock, None, limit).await?;
        // The table has them by their letters.
        sheep.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(sheep)
    }

    /// Sheep of a flock, in the order of the table: from the first on, or after one, all, or at most `limit`.
    pub async fn some_sheep_of_flock(
        &self,
        flock: &FlockName,
        after: Option<&SheepName>,
        limit: Option<usize>,
    ) -> Result<Vec<Sheep>, StoreError> {
        let most = limit.unwrap_or(usize::MAX);
        let after = after.map(|name| SheepId { flock: flock.clone(), name: name.clone() });
        let after = after.map(|id| Key::sheep(&id).attributes());
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :flock AND begins_with(sk, :sheep)")
            .expression_attribute_values(":flock", AttributeValue::S(sheep_of(flock)))
            .expression_attribute_values(":sheep", AttributeValue::S("SHEEP#".to_owned()))
            .consistent_read(true)
            .set_exclusive_start_key(after)
            .set_limit(limit.map(|limit| i32::try_from(limit).unwrap_or(i32::MAX)))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .into_paginator()
            .send();
        let mut sheep = Vec::new();
        while sheep.len() < most
            && let Some(page) = pages.next().await
        {
            let page =
                page.map_err(|err| request_error("list the sheep of", flock.to_string(), err))?;
            self.meter.read(page.consumed_capacity());
            for item in page.items.unwrap_or_default() {
                sheep.extend(sheep_from_item(item)?);
            }
        }
        sheep.truncate(most);
        Ok(sheep)
    }

    /// Writes a changed sheep if it is still at the version before. A conflict gives the sheep as it is now, if it is
    /// still there.
    pub async fn put_sheep(&self, sheep: &Sheep) -> Result<Write<Option<Sheep>>, StoreError> {
        let (what, item) = (format!("sheep {}", sheep.id), self.sheep_item(sheep));
        let read = sheep.version - 1;
        let written = self.put_version(&what, Key::sheep(&sheep.id), item, read).await?;
        sheep_instead(written)
    }

    /// Writes `changed` in the place of `sheep`. Where that makes something else of its next number, under which it may
    /// be posting at the moment, the number is held first; and where the post is made, the sheep goes on behind
    /// it, which is a conflict as any other.
    pub async fn replace_sheep(
        &self,
        sheep: &Sheep,
        changed: &Sheep,
    ) -> Result<Write<Option<Sheep>>, StoreError> {
        if sheep.posts_by_number() && !sheep.keeps_its_word(changed) {
            return match Box::pin(self.hold_number(sheep, changed.version)).await? {
                Write::Done => self.put_sheep(changed).await,
                conflict @ Write::Conflict(_) => Ok(conflict),
            };
        }
        self.put_sheep(changed).await
    }

    /// Holds the next number of a sheep for who reads it at version `from` or later.
    async fn hold_number(
        &self,
        sheep: &Sheep,
        from: u64,
    ) -> Result<Write<Option<Sheep>>, StoreError> {
        let Held::Made(post) = self.hold(sheep, from).await? else { return Ok(Write::Done) };
        let Some(remote_id) = post.remote_id else { return Ok(Write::Done) };
        // Its tick has died, or comes to it in a moment.
        let behind = sheep.settle(&Outcome::Done(remote_id), post.at);
        Ok(match self.put_sheep(&behind).await? {
            Write::Done => Write::Conflict(Some(behind)),
            conflict @ Write::Conflict(_) => conflict,
        })
    }

    /// What a new sheep called `id` begins with: after what an earlier one left, and after what is recorded.
    pub async fn birth(&self, id: &SheepId) -> Result<Birth, StoreError> {
        let left: Option<Left> =
            self.one("a removed sheep", Key::sheep(id), Read::Consistent).await?;
        let newest = self.newest_posts(id, 1).await?.pop();
        let recorded = newest.map_or(Occurrence(1), |post| post.occurrence.plus(1));
        let (next, version) = left.map_or((None, 0), |left| (left.next, left.version));
        let occurrence = recorded.max(next.unwrap_or_default());
        Ok(Birth { occurrence, version: version.saturating_add(1) })
    }

    /// Writes a new sheep, unless there is one of that name, or there was one since its [`Birth`] was read.
    pub async fn create_sheep(&self, sheep: &Sheep) -> Result<Write<Option<Sheep>>, StoreError> {
        let (what, item) = (format!("sheep {}", sheep.id), self.sheep_item(sheep));
        let read = AttributeValue::N((sheep.version - 1).to_string());
        let written = self.put_if(&what, Key::sheep(&sheep.id), item, |put| {
            put.condition_expression(
                "attribute_not_exists(pk) OR (attribute_exists(removed) AND version = :read)",
            )
            .expression_attribute_values(":read", read)
        });
        sheep_instead(written.await?)
    }

    /// Writes a change of a sheep that a tick may be busy with, and gives the sheep as it is then. A
    /// `transition` that refuses, or changes nothing, writes nothing.
    pub async fn change_sheep<R>(
        &self,
        sheep: Sheep,
        transition: impl Fn(&Sheep) -> Result<Sheep, R>,
    ) -> Result<Result<Sheep, R>, ChangeError> {
        // A tick writes a sheep twice per post, so a few tries always suffice.
        const TRIES: usize = 20;
        let id = sheep.id.clone();
        let mut sheep = sheep;
        for _ in 0..TRIES {
            let changed = match transition(&sheep) {
                Ok(changed) => changed,
                Err(refusal) => return Ok(Err(refusal)),
            };
            if changed == sheep {
                return Ok(Ok(changed));
            }
            match self.replace_sheep(&sheep, &changed).await? {
                Write::Done => return Ok(Ok(changed)),
                Write::Conflict(newest) => {
                    sheep = newest.ok_or_else(|| ChangeError::Removed(id.clone()))?;
                }
            }
        }
        Err(ChangeError::Busy(id))
    }

    /// Removes a sheep if it is still as it was read. Its posts stay, and so does where its numbers go on. A conflict
    /// gives the sheep as it is now, if it is still there.
    pub async fn remove_sheep(
        &self,
        sheep: &Sheep,
        now: Timestamp,
    ) -> Result<Write<Option<Sheep>>, StoreError> {
        if sheep.posts_by_number()
            && let conflict @ Write::Conflict(_) =
                Box::pin(self.hold_number(sheep, sheep.version.saturating_add(1))).await?
        {
            return Ok(conflict);
        }
        let left = Left {
            version: sheep.version.saturating_add(1),
            next: Some(sheep.next_free()),
            removed: Some(now.into()),
        };
        let what = format!("sheep {}", sheep.id);
        let read = AttributeValue::N(sheep.version.to_string());
        let written = self.put_if(&what, Key::sheep(&sheep.id), left, |put| {
            put.condition_expression("version = :read AND attribute_not_exists(removed)")
                .expression_attribute_values(":read", read)
        });
        sheep_instead(written.await?)
    }

    fn sheep_item(&self, sheep: &Sheep) -> SheepItem {
        let next_at = sheep.next_at();
        let due = next_at.map(|_| sheep.id.shard(self.shards).to_string());
        SheepItem::new(sheep, due, next_at)
    }
}

/// The sheep that is there instead of what was to be written.
fn sheep_instead(written: Write<Option<Item>>) -> Result<Write<Option<Sheep>>, StoreError> {
    Ok(match written {
        Write::Done => Write::Done,
        Write::Conflict(there) => {
            Write::Conflict(there.map(sheep_from_item).transpose()?.flatten())
        }
    })
}

/// The sheep of an item. `None`: it was removed.
fn sheep_from_item(item: Item) -> Result<Option<Sheep>, StoreError> {
    let key: Key = from_item(item.clone(), "a sheep")?;
    let what = key.as_sheep().map_or_else(|| format!("{} {}", key.pk, key.sk), |id| id.to_string());
    if item.contains_key("removed") {
        return Keyed::<Left>::read(item, &what).map(|_| None);
    }
    let corrupt = |source| StoreError::Corrupt { what: what.clone(), source };
    let id = key.as_sheep().ok_or_else(|| corrupt("its key is not a sheep's".into()))?;
    let item: SheepItem = Keyed::read(item, &what)?.value;
    item.into_sheep(id).map(Some).map_err(corrupt)
}

/// What stays in the place of a removed sheep: without it, numbers would begin anew once posts have expired,
/// and an answer that comes late could be taken for the new sheep's.
#[derive(Debug, Serialize, Deserialize)]
struct Left {
    version: u64,
    /// Not there, like `removed`, while the sheep is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<Occurrence>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    removed: Option<Seconds>,
}

/// A sheep as stored. The names are a schema; absent means none or zero. Kept under 1 KB with a text of
/// usual length, because a write costs a unit for each started KB.
#[derive(Debug, Serialize, Deserialize)]
struct SheepItem {
    version: u64,
    network: Network,
    handle: Handle,
    /// Where it is not what the network usually takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text_limit: Option<usize>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    made_with_ai: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    near_duplicates: Option<NearDuplicates>,
    behaviour: BehaviourItem,
    /// As they were written before behaviours were maps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    corpus: Option<CorpusId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lines: Option<u32>,
    rhythm: Rhythm,
    state: StateName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<Seconds>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// Not there in what stopped before it was noted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    for_account: bool,
    occurrence: Occurrence,
    slot: Seconds,
    cursor: Cursor,
    /// The own time of what comes there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    own_at: Option<Seconds>,
    /// How many lines from there on are parts of the thread it is in.
    #[serde(default, skip_serializing_if = "is_zero")]
    follows: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    owed: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_before: Option<Seconds>,
    #[serde(default, skip_serializing_if = "is_zero")]
    missed: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    day: Option<DayCount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_remote: Option<RemoteId>,
    #[serde(default, skip_serializing_if = "is_zero")]
    set_aside: u64,
    /// In minutes, when the posts of a pool were made last: at most 33 numbers, so that the item stays within its unit.
    #[serde(default, skip_serializing_if = "LastSaid::is_empty")]
    last_said: LastSaid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    intent: Option<IntentItem>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lease_until: Option<Seconds>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_at: Option<Seconds>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum BehaviourItem {
    /// As it is written.
    Map(Behaviour),
    /// The kind alone, as it was written before.
    Name(String),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StateName {
    Active,
    Paused,
    Stopped,
    Finished,
}

#[derive(Debug, Serialize, Deserialize)]
struct IntentItem {
    occurrence: Occurrence,
    /// Not there in what was decided while tables had no id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    post: Option<PostId>,
    at: Seconds,
    /// Not there in what was decided while nothing but texts was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    act: Option<Act>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    sent: Sent,
    #[serde(default, skip_serializing_if = "is_zero")]
    attempts: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_at: Option<Seconds>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    said: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    then: Option<Place>,
}

/// An instant as whole seconds since the epoch.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Seconds(i64);

impl Seconds {
    pub(crate) fn seconds(self) -> i64 {
        self.0
    }
}

impl From<Timestamp> for Seconds {
    fn from(at: Timestamp) -> Self {
        Self(at.as_second())
    }
}

impl TryFrom<Seconds> for Timestamp {
    type Error = jiff::Error;

    fn try_from(seconds: Seconds) -> Result<Self, jiff::Error> {
        Self::from_second(seconds.0)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl SheepItem {
    fn new(sheep: &Sheep, due: Option<String>, next_at: Option<Timestamp>) -> Self {
        let Sheep { id: _, config, state, progress, intent, version } = sheep;
        let lease_until = intent.as_ref().and_then(|intent| intent.errand.lease_until);
        let for_account = matches!(state, State::Stopped { for_account: true, .. });
        let (state, since, why) = match state {
            State::Active => (StateName::Active, None, None),
            State::Paused { since } => (StateName::Paused, Some(*since), None),
            State::Stopped { since, why, .. } => {
                (StateName::Stopped, Some(*since), Some(why.clone()))
            }
            State::Finished { since } => (StateName::Finished, Some(*since), None),
        };
        Self {
            version: *version,
            network: config.account.network,
            handle: config.account.handle.clone(),
            text_limit: Some(config.text_limit)
                .filter(|limit| *limit != config.account.network.facts().text_limit),
            made_with_ai: config.made_with_ai,
            near_duplicates: config.near_duplicates,
            behaviour: BehaviourItem::Map(config.behaviour.clone()),
            corpus: None,
            lines: None,
            rhythm: config.rhythm.clone(),
            state,
            since: since.map(Seconds::from),
            why,
            for_account,
            occurrence: progress.occurrence,
            slot: progress.slot.into(),
            cursor: progress.cursor,
            own_at: progress.at.map(Seconds::from),
            follows: progress.follows.into(),
            owed: progress.owed.into(),
            not_before: progress.not_before.map(Seconds::from),
            missed: progress.missed,
            day: progress.day,
            last_remote: progress.last_remote.clone(),
            set_aside: progress.set_aside.into(),
            last_said: progress.last_said.clone(),
            intent: intent.as_ref().map(IntentItem::new),
            lease_until: lease_until.map(Seconds::from),
            due,
            next_at: next_at.map(Seconds::from),
        }
    }

    fn into_sheep(self, id: SheepId) -> Result<Sheep, Box<dyn std::error::Error + Send + Sync>> {
        let instant = |seconds: Option<Seconds>| seconds.map(Timestamp::try_from).transpose();
        let since = || -> Result<Timestamp, Box<dyn std::error::Error + Send + Sync>> {
            Ok(self.since.ok_or("`since` is missing")?.try_into()?)
        };
        let state = match self.state {
            StateName::Active => State::Active,
            StateName::Paused => State::Paused { since: since()? },
            StateName::Stopped => State::Stopped {
                since: since()?,
                why: self.why.unwrap_or_default(),
                for_account: self.for_account,
            },
            StateName::Finished => State::Finished { since: since()? },
        };
        let behaviour = match (self.behaviour, self.corpus, self.lines) {
            (BehaviourItem::Map(behaviour), _, _) => behaviour,
            (BehaviourItem::Name(name), corpus, lines) => corpus
                .zip(lines)
                .and_then(|(corpus, lines)| Behaviour::from_before(&name, corpus, lines))
                .ok_or_else(|| format!("its behaviour `{name}` is not known"))?,
        };
        let config = SheepConfig {
            text_limit: self.text_limit.unwrap_or(self.network.facts().text_limit),
            account: AccountId { network: self.network, handle: self.handle },
            made_with_ai: self.made_with_ai,
            near_duplicates: self.near_duplicates,
            behaviour,
            rhythm: self.rhythm,
        };
        let lease_until = instant(self.lease_until)?;
        let intent = self.intent.map(|intent| intent.into_intent(&id, &config, lease_until));
        Ok(Sheep {
            id,
            config,
            state,
            progress: Progress {
                occurrence: self.occurrence,
                slot: self.slot.try_into()?,
                cursor: self.cursor,
                at: instant(self.own_at)?,
                follows: self.follows.try_into()?,
                owed: self.owed.try_into()?,
                not_before: instant(self.not_before)?,
                missed: self.missed,
                day: self.day,
                last_remote: self.last_remote,
                set_aside: self.set_aside.try_into()?,
                last_said: self.last_said,
            },
            intent: intent.transpose()?,
            version: self.version,
        })
    }
}

impl IntentItem {
    fn new(intent: &Intent) -> Self {
        // The account and who pays are the sheep's, and so is the lease.
        let Intent { occurrence, errand, then } = intent;
        let Errand { work, due, sent, attempts, retry_at, problem, lease_until: _ } = errand;
        Self {
            occurrence: *occurrence,
            post: Some(work.id.clone()),
            at: (*due).into(),
            act: Some(work.act.clone()),
            text: None,
            sent: *sent,
            attempts: (*attempts).into(),
            retry_at: retry_at.map(Seconds::from),
            problem: problem.clone(),
            said: intent.is_said(),
            then: *then,
        }
    }

    fn into_intent(
        self,
        sheep: &SheepId,
        config: &SheepConfig,
        lease_until: Option<Timestamp>,
    ) -> Result<Intent, Box<dyn std::error::Error + Send + Sync>> {
        let act = self.act.or_else(|| self.text.map(|text| config.post(Act::post(text))));
        let work = Task {
            id: self.post.unwrap_or_else(|| self.occurrence.post_id(sheep)),
            account: config.account.clone(),
            act: act.ok_or("`act` is missing")?,
            cause: if self.said { Cause::Person } else { Cause::Rhythm },
            payer: sheep.flock.clone(),
        };
        let errand = Errand {
            work,
            due: self.at.try_into()?,
            sent: self.sent,
            attempts: self.attempts.try_into()?,
            retry_at: self.retry_at.map(Timestamp::try_from).transpose()?,
            problem: self.problem,
            lease_until,
        };
        Ok(Intent { occurrence: self.occurrence, errand, then: self.then })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flock_core::{Again, BehaviourKind, Corpus, Due, Edit, Poem, RhythmFields, TableId};

    fn sheep() -> Sheep {
        let fields = RhythmFields {
            line: Some("3m".to_owned()),
            stanza: Some("2h".to_owned()),
            window: Some("06:00-23:00".to_owned()),
            time_zone: Some("Europe/London".to_owned()),
            jitter: Some("30s".to_owned()),
            daily_cap: Some(20),
            catch_up: Some("all(3)".to_owned()),
            ..RhythmFields::default()
        };
        let account = AccountId { network: Network::Meadow, handle: "apollo".parse().unwrap() };
        let corpus = "00112233445566778899aabbccddeeff".parse().unwrap();
        let behaviour = Behaviour::Poem(Poem::of_lines(corpus, 3));
        let config = SheepConfig::new(account, behaviour, Rhythm::parse(&fields).unwrap());
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        Sheep::create("moon/apollo".parse().unwrap(), config, Occurrence(7), now).unwrap()
    }

    #[track_caller]
    fn round_trip(sheep: &Sheep) -> Item {
        let next_at = sheep.next_at();
        let value = SheepItem::new(sheep, next_at.map(|_| "0".to_owned()), next_at);
        let mut item: Item =
            serde_dynamo::to_item(Keyed::new(Key::sheep(&sheep.id), value)).unwrap();
        assert_eq!(sheep_from_item(item.clone()).unwrap().as_ref(), Some(sheep));
        item.insert(crate::MARK.to_owned(), AttributeValue::S(crate::random_text()));
        assert_eq!(sheep_from_item(item.clone()).unwrap().as_ref(), Some(sheep));
        item
    }

    /// The size DynamoDB charges: names and values, numbers two digits a byte.
    fn size(value: &AttributeValue) -> usize {
        match value {
            AttributeValue::S(text) => text.len(),
            AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
            AttributeValue::M(map) => 3 + item_size(map),
            AttributeValue::L(list) => 3 + list.iter().map(|value| 1 + size(value)).sum::<usize>(),
            _ => 1,
        }
    }

    fn item_size(item: &Item) -> usize {
        item.iter().map(|(name, value)| name.len() + size(value) + 1).sum()
    }

    #[test]
    fn every_state_round_trips_and_stays_within_one_unit() {
        let sheep = sheep();
        let now = "2026-11-21T12:01:00Z".parse().unwrap();
        let Due::Post(next) = sheep.due(now) else { panic!("it is due") };
        let table = TableId::from_random([0xab; 16]);
        let claimed = sheep.claim(next, Act::post("a".repeat(280)), &table, now);
        let why = "x answered 503".to_owned();
        let tried = claimed.settle(&Outcome::Unknown { why: why.clone() }, now);
        let done = claimed.settle(&Outcome::Done("1234567890123456789".parse().unwrap()), now);
        for sheep in [&sheep, &claimed, &tried, &done, &sheep.pause(now), &done.stop(why, now)] {
            let item = round_trip(sheep);
            assert!(item_size(&item) < 1024, "{} bytes: {item:?}", item_size(&item));
            assert_eq!(item.contains_key("due"), sheep.next_at().is_some());
        }
    }

    #[test]
    fn a_pool_of_many_posts_stays_within_one_unit() {
        let text = (0..200).map(|number| format!("{number}: {}", "a".repeat(190)));
        let text = Corpus::parse(text.collect::<Vec<_>>().join("\n").as_bytes()).unwrap();
        let again = Again::parse(Some("60d"), Some(5)).unwrap();
        let behaviour = BehaviourKind::Queue.with_text(&text).returning(again);
        let mut sheep = sheep();
        sheep.config.behaviour = behaviour;
        let table = TableId::from_random([0xab; 16]);
        for _ in 0..250 {
            let now = sheep.next_at().unwrap();
            let Due::Post(next) = sheep.due(now) else { panic!("it is due") };
            let index = next.progress.cursor.index() % 200;
            let act = Act::post(text.line(index).unwrap());
            let claimed = sheep.claim(next, act, &table, now);
            for sheep in [&sheep, &claimed] {
                let item = round_trip(sheep);
                assert!(item_size(&item) < 1024, "{} bytes: {item:?}", item_size(&item));
            }
            let id = "1234567890123456789".parse().unwrap();
            sheep = claimed.settle(&Outcome::Done(id), now);
        }
        let item = round_trip(&sheep);
        let AttributeValue::L(times) = &item["last_said"] else { panic!("{item:?}") };
        assert_eq!(times.len(), 30);
    }

    #[test]
    fn where_a_sheep_goes_on_after_an_edit_is_a_schema() {
        let corpus = |text: &str| Corpus::parse(text.as_bytes()).unwrap();
        let (old, new) = (corpus("a\nb\nc"), corpus("b\nc"));
        let with = |corpus: &Corpus| SheepConfig {
            behaviour: BehaviourKind::Poem.with_text(corpus),
            ..sheep().config
        };
        let sheep = Sheep { config: with(&old), ..sheep() };
        let now = "2026-11-21T12:01:00Z".parse().unwrap();
        let Due::Post(next) = sheep.due(now) else { panic!("it is due") };
        let table = TableId::from_random([0xab; 16]);
        let claimed = sheep.claim(next, Act::post("a"), &table, now);
        let edited = claimed.edit(with(&new), &Edit::between(&old, &new), now).unwrap();
        let item = round_trip(&edited);
        let value: serde_json::Value = serde_dynamo::from_item(item).unwrap();
        insta::assert_snapshot!(value["intent"]["then"], @r#"{"cursor":0}"#);
        insta::assert_snapshot!(serde_json::to_string(&Place::OVER).unwrap(), @r#"{"cursor":0,"starts_over":true}"#);
        let own = Place { at: Some(now), ..Place::at(Cursor::at(2)) };
        let written = serde_json::to_string(&own).unwrap();
        insta::assert_snapshot!(written, @r#"{"cursor":2,"at":1795262460}"#);
        assert_eq!(serde_json::from_str::<Place>(&written).unwrap(), own);
        let timed = Sheep {
            progress: Progress { at: Some(now), slot: now, ..sheep.progress.clone() },
            ..sheep
        };
        assert_eq!(round_trip(&timed)["own_at"], AttributeValue::N("1795262460".to_owned()));
    }

    #[test]
    fn the_item_is_a_schema() {
        let mut item = round_trip(&sheep());
        item.remove(crate::MARK);
        let value: serde_json::Value = serde_dynamo::from_item(item).unwrap();
        insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap(), @r#"
        {
          "behaviour": {
            "corpus": "00112233445566778899aabbccddeeff",
            "kind": "poem",
            "lines": 3
          },
          "cursor": 0,
          "due": "0",
          "handle": "apollo",
          "network": "meadow",
          "next_at": 1795262410,
          "occurrence": 7,
          "pk": "FLOCK#moon",
          "rhythm": {
            "catch_up": "all(3)",
            "daily_cap": 20,
            "jitter": "30s",
            "line": "3m",
            "stanza": "2h",
            "time_zone": "Europe/London",
            "window": "06:00-23:00"
          },
          "sk": "SHEEP#apollo",
          "slot": 1795262400,
          "state": "active",
          "v": 1,
          "version": 1
        }
        "#);
    }

    /// As it was written before tables had an id: what is open keeps the id its network may know.
    #[test]
    fn an_intent_from_before_keeps_its_post_id() {
        let old = serde_json::json!({
            "behaviour": "poem", "corpus": "00112233445566778899aabbccddeeff", "cursor": 0, "due": "0",
            "handle": "book-1", "lines": 3, "network": "meadow", "next_at": 1_795_262_411,
            "occurrence": 1, "pk": "FLOCK#milton", "rhythm": { "line": "3m" }, "sk": "SHEEP#book-1",
            "slot": 1_795_262_400, "state": "active", "v": 1, "version": 2, "lease_until": 1_795_262_466,
            "intent": { "occurrence": 1, "at": 1_795_262_400, "text": "a line", "sent": "maybe" },
        });
        let item: Item = serde_dynamo::to_item(old).unwrap();
        let sheep = sheep_from_item(item).unwrap().unwrap();
        let id = |sheep: &Sheep| sheep.intent.as_ref().unwrap().post_id().to_string();
        assert_eq!(id(&sheep), "9538037431755ee4785756900514ca01");
        let again = sheep.claim_again("2026-11-21T12:05:00Z".parse().unwrap());
        let stored = round_trip(&again);
        assert_eq!(id(&sheep_from_item(stored).unwrap().unwrap()), id(&sheep));
    }

    #[test]
    fn what_a_removed_sheep_leaves_is_a_schema() {
        let removed = Some("2026-11-21T12:00:00Z".parse::<Timestamp>().unwrap().into());
        let value = Left { version: 8, next: Some(Occurrence(43)), removed };
        let item: Item = serde_dynamo::to_item(Keyed::new(Key::sheep(&sheep().id), value)).unwrap();
        let value: serde_json::Value = serde_dynamo::from_item(item.clone()).unwrap();
        insta::assert_snapshot!(value, @r#"{"next":43,"pk":"FLOCK#moon","removed":1795262400,"sk":"SHEEP#apollo","v":1,"version":8}"#);
        assert_eq!(sheep_from_item(item).unwrap(), None);
    }

    #[test]
    fn another_schema_version_is_refused_by_name() {
        let mut item = round_trip(&sheep());
        item.insert("v".to_owned(), AttributeValue::N("2".to_owned()));
        let err = sheep_from_item(item).unwrap_err();
        assert_eq!(err.to_string(), "moon/apollo does not have the expected form");
    }
}
