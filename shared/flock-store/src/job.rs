//! Jobs: long work that goes on over many ticks.

use std::collections::BTreeMap;

use flock_core::{AnswerTo, FlockName, Job, JobId, JobKind, RoomId, SheepName, UserId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{DueEntry, Read, Store, StoreError, Write, if_readable, key::Key, sheep::Seconds};

/// How long a job is kept after it was over.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Jobs are in one shard, which every table has.
const SHARD: u16 = 0;

/// A job is due before every sheep, so that whoever looks for jobs reads nothing else.
const NEXT_AT: Timestamp = Timestamp::UNIX_EPOCH;

/// More jobs do not run at once.
const MOST: i32 = 100;

/// A job as stored. The names are a schema; absent means none.
#[derive(Debug, Serialize, Deserialize)]
struct JobItem {
    version: u64,
    what: JobKind,
    flock: FlockName,
    asked_by: UserId,
    room: RoomId,
    answer_to: AnswerTo,
    since: Seconds,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cursor: Option<SheepName>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    counts: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lease_until: Option<Seconds>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cancelled_by: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended: Option<Seconds>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next_at: Option<Seconds>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ttl: Option<Seconds>,
}

impl Store {
    /// The job called `id`, running or not.
    pub async fn job(&self, id: &JobId) -> Result<Option<Job>, StoreError> {
        let item: Option<JobItem> = self.one(&what(id), Key::job(id), Read::Consistent).await?;
        item.map(|item| item.into_job(id)).transpose()
    }

    /// Writes a changed job if it is still at the version before; a new one, if there is none of its name. A conflict
    /// gives the job that is there.
    pub async fn put_job(&self, job: &Job) -> Result<Write<Option<Job>>, StoreError> {
        let (key, read) = (Key::job(&job.id), job.version - 1);
        let written = self.put_version(&what(&job.id), key, JobItem::new(job), read).await?;
        Ok(match written.read::<JobItem>(&what(&job.id))? {
            Write::Done => Write::Done,
            Write::Conflict(there) => {
                Write::Conflict(there.map(|item| item.into_job(&job.id)).transpose()?)
            }
        })
    }

    /// Writes a change of a job that a tick may be at, and gives the job as it is then. A change to the same writes nothing.
    pub async fn change_job(
        &self,
        job: Job,
        change: impl Fn(&Job) -> Job,
    ) -> Result<Job, StoreError> {
        let mut job = job;
        loop {
            let changed = change(&job);
            if changed == job {
                return Ok(job);
            }
            match self.put_job(&changed).await? {
                Write::Done => return Ok(changed),
                Write::Conflict(Some(newest)) => job = newest,
                // It has expired.
                Write::Conflict(None) => return Ok(job),
            }
        }
    }

    /// The jobs that run. One that has just begun may be missing.
    pub async fn running_jobs(&self) -> Result<Vec<Job>, StoreError> {
        let mut jobs = Vec::new();
        for entry in self.due(SHARD, NEXT_AT, MOST, None).await?.entries {
            if let DueEntry::Job(id) = entry {
                jobs.extend(if_readable(self.job(&id).await)?.filter(Job::is_running));
            }
        }
        jobs.sort_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
        Ok(jobs)
    }
}

fn what(id: &JobId) -> String {
    format!("job {id}")
}

impl JobItem {
    fn new(job: &Job) -> Self {
        let runs = job.is_running();
        let kept = |at: Timestamp| at.saturating_add(KEPT_FOR).unwrap_or(Timestamp::MAX).into();
        Self {
            version: job.version,
            what: job.what,
            flock: job.flock.clone(),
            asked_by: job.asked_by.clone(),
            room: job.room.clone(),
            answer_to: job.answer_to.clone(),
            since: job.since.into(),
            cursor: job.cursor.clone(),
            counts: job.counts.clone(),
            lease_until: job.lease_until.map(Seconds::from),
            cancelled_by: job.cancelled_by.clone(),
            ended: job.ended.map(Seconds::from),
            due: runs.then(|| SHARD.to_string()),
            next_at: runs.then(|| NEXT_AT.into()),
            ttl: job.ended.map(kept),
        }
    }

    fn into_job(self, id: &JobId) -> Result<Job, StoreError> {
        let corrupt =
            |source: jiff::Error| StoreError::Corrupt { what: what(id), source: Box::new(source) };
        let instant = |seconds: Option<Seconds>| seconds.map(Timestamp::try_from).transpose();
        Ok(Job {
            id: id.clone(),
            what: self.what,
            flock: self.flock,
            asked_by: self.asked_by,
            room: self.room,
            answer_to: self.answer_to,
            since: self.since.try_into().map_err(corrupt)?,
            cursor: self.cursor,
            counts: self.counts,
            lease_until: instant(self.lease_until).map_err(corrupt)?,
            cancelled_by: self.cancelled_by,
            ended: instant(self.ended).map_err(corrupt)?,
            version: self.version,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Item, Keyed};

    #[test]
    fn the_item_is_a_schema() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let job = Job::new(
            "0123abcd".parse().unwrap(),
            (JobKind::Pause, "moon".parse().unwrap()),
            ("U1".parse().unwrap(), "C1".parse().unwrap(), AnswerTo("{}".to_owned())),
            at("2026-11-21T12:00:00Z"),
        );
        let claimed = job.claim(at("2026-11-21T12:00:01Z"), at("2026-11-21T12:00:56Z")).unwrap();
        let stepped = claimed.step("apollo".parse().unwrap(), [&flock_core::State::Active]);
        let over = stepped.cancel(&"U2".parse().unwrap()).end(at("2026-11-21T12:00:09Z"));
        let mut forms = Vec::new();
        for job in [job, stepped, over] {
            let item: Item =
                serde_dynamo::to_item(Keyed::new(Key::job(&job.id), JobItem::new(&job))).unwrap();
            let read: JobItem = Keyed::read(item.clone(), "a job").unwrap().value;
            assert_eq!(read.into_job(&job.id).unwrap(), job);
            let value: serde_json::Value = serde_dynamo::from_item(item).unwrap();
            forms.push(value.to_string());
        }
        insta::assert_snapshot!(forms.join("\n"), @r#"
        {"answer_to":"{}","asked_by":"U1","due":"0","flock":"moon","next_at":0,"pk":"JOB#0123abcd","room":"C1","since":1795262400,"sk":"JOB","v":1,"version":1,"what":"pause"}
        {"answer_to":"{}","asked_by":"U1","counts":{"active":1},"cursor":"apollo","due":"0","flock":"moon","lease_until":1795262456,"next_at":0,"pk":"JOB#0123abcd","room":"C1","since":1795262400,"sk":"JOB","v":1,"version":3,"what":"pause"}
        {"answer_to":"{}","asked_by":"U1","cancelled_by":"U2","counts":{"active":1},"cursor":"apollo","ended":1795262409,"flock":"moon","pk":"JOB#0123abcd","room":"C1","since":1795262400,"sk":"JOB","ttl":1795867209,"v":1,"version":5,"what":"pause"}
        "#);
    }
}
