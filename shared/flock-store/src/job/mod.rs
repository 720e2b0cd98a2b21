//! Jobs: long work that goes on over many ticks.

mod acts;
mod key_check;
mod over_sheep;
mod rotation;
mod wipe;

use std::collections::BTreeMap;

use flock_core::{AnswerTo, Asker, FlockName, Job, JobId, JobKind, RoomId, UserId, Work};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use self::wipe::WipeItem;
use crate::{DueEntry, Read, Store, StoreError, Write, if_readable, key::Key, sheep::Seconds};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

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
    #[serde(flatten)]
    work: WorkItem,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked_by: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    room: Option<RoomId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer_to: Option<AnswerTo>,
    // Who asked for it at the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operator: Option<String>,
    since: Seconds,
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

/// What a job does, as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum What {
    Pause,
    Resume,
    Rotate,
    Check,
    Acts,
    Wipe,
}

/// What a job works on, and how far it is: the part of its item that each kind of work has its own of. Absent means none.
#[derive(Debug, Serialize, Deserialize)]
struct WorkItem {
    what: What,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    flock: Option<FlockName>,
    // A sheep of the flock, or an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    counts: BTreeMap<String, u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    under: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    named: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    only: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    works: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    fails: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unsure: Vec<String>,
    // What is done for each account, as people write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    act: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payer: Option<FlockName>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    one_by_one: bool,
    // Those that are tried again: how often they were, from when on, and which.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    waiting: Vec<(u32, i64, String)>,
    // Whose posts are deleted, and how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wipe: Option<WipeItem>,
}

impl WorkItem {
    fn of(what: What) -> Self {
        let (flock, cursor, under, only) = (None, None, None, None);
        let (counts, named) = (BTreeMap::new(), Vec::new());
        let (works, fails, unsure) = (Vec::new(), Vec::new(), Vec::new());
        let (act, payer, one_by_one, waiting) = (None, None, false, Vec::new());
        Self {
            what,
            flock,
            cursor,
            counts,
            under,
            named,
            only,
            works,
            fails,
            unsure,
            act,
            payer,
            one_by_one,
            waiting,
            wipe: None,
        }
    }

    fn count(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or_default()
    }

    fn into_work(self) -> Result<Work, BoxError> {
        Ok(match self.what {
            What::Pause => Work::Sheep(over_sheep::of_item(self, JobKind::Pause)?),
            What::Resume => Work::Sheep(over_sheep::of_item(self, JobKind::Resume)?),
            What::Rotate => Work::Rotation(rotation::of_item(self)?),
            What::Check => Work::Check(key_check::of_item(self)?),
            What::Acts => Work::Acts(acts::of_item(self)?),
            What::Wipe => Work::Wipe(Box::new(wipe::of_item(self)?)),
        })
    }
}

/// As `counts` has them: none that is nothing.
fn counts<const N: usize>(counts: [(&str, u64); N]) -> BTreeMap<String, u64> {
    let counts = counts.into_iter().filter(|(_, count)| 0 < *count);
    counts.map(|(name, count)| (name.to_owned(), count)).collect()
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
        let (asked_by, room, answer_to, operator) = match job.asker.clone() {
            Asker::Slack { user, room, answer_to } => {
                (Some(user), Some(room), Some(answer_to), None)
            }
            Asker::CommandLine(operator) => (None, None, None, Some(operator)),
        };
        Self {
            version: job.version,
            work: match &job.work {
                Work::Sheep(work) => over_sheep::to_item(work),
                Work::Rotation(work) => rotation::to_item(work),
                Work::Check(work) => key_check::to_item(work),
                Work::Acts(work) => acts::to_item(work),
                Work::Wipe(work) => wipe::to_item(work),
            },
            asked_by,
            room,
            answer_to,
            operator,
            since: job.since.into(),
            lease_until: job.lease_until.map(Seconds::from),
            cancelled_by: job.cancelled_by.clone(),
            ended: job.ended.map(Seconds::from),
            due: runs.then(|| SHARD.to_string()),
            next_at: runs.then(|| NEXT_AT.into()),
            ttl: job.ended.map(kept),
        }
    }

    fn into_job(self, id: &JobId) -> Result<Job, StoreError> {
        let corrupt = |source: BoxError| StoreError::Corrupt { what: what(id), source };
        let instant = |seconds: Option<Seconds>| {
            let instant = seconds.map(Timestamp::try_from).transpose();
            instant.map_err(|err| corrupt(err.into()))
        };
        Ok(Job {
            id: id.clone(),
            since: self.since.try_into().map_err(|err: jiff::Error| corrupt(err.into()))?,
            lease_until: instant(self.lease_until)?,
            ended: instant(self.ended)?,
            cancelled_by: self.cancelled_by.clone(),
            version: self.version,
            asker: self.asker().map_err(corrupt)?,
            work: self.work.into_work().map_err(corrupt)?,
        })
    }

    fn asker(&self) -> Result<Asker, BoxError> {
        if let Some(operator) = &self.operator {
            return Ok(Asker::CommandLine(operator.clone()));
        }
        match (self.asked_by.clone(), self.room.clone(), self.answer_to.clone()) {
            (Some(user), Some(room), Some(answer_to)) => Ok(Asker::Slack { user, room, answer_to }),
            _ => Err("nobody has asked for it".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use flock_core::{
        Acts, Came, CheckedKeys, KeyCheck, OverSheep, Rotation, Whom, Wipe, WipePhase, WipeTally,
    };

    use super::*;
    use crate::{Item, Keyed};

    fn wipe() -> Job {
        let account = "x:milton".parse().unwrap();
        let of = Whom::Account("x:milton".parse().unwrap());
        let work = Wipe::new(of, false, "moon".parse().unwrap(), &[account]);
        let work = Work::Wipe(Box::new(work));
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        Job::new("0123abd1".parse().unwrap(), work, Asker::CommandLine("ada".to_owned()), now)
    }

    /// One that is in the middle of all that can be told of it.
    fn wiped() -> Job {
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        let accounts: Vec<flock_core::AccountId> =
            ["x:a", "x:b"].map(|account| account.parse().unwrap()).to_vec();
        let of = Whom::Flock("moon".parse().unwrap());
        let work = Wipe::new(of, true, "sun".parse().unwrap(), &accounts)
            .begin(&accounts, &BTreeMap::new());
        let mut account = work.under_way.first().unwrap().clone();
        account.enter(WipePhase::Listed);
        account.page = Some("p1".to_owned());
        assert!(account.list(vec!["17".parse().unwrap()], Some("p2".to_owned())));
        account.cut = Some(3);
        account.count(now);
        account.is_refused("no");
        account.wait(now, Some("it is away"));
        account.attempts = 2;
        account.sheep = Some("moon/apollo".parse().unwrap());
        account.number = flock_core::Occurrence(4);
        let mut tally = WipeTally { deleted: 7, ..WipeTally::default() };
        tally.stay("x:a: post 3 of moon/apollo: no".to_owned());
        let work = work.step(vec![(account, tally)]);
        let asker = Asker::CommandLine("ada".to_owned());
        let job = Job::new("0123abd2".parse().unwrap(), wipe().work, asker, now);
        job.step(Work::Wipe(Box::new(work)))
    }

    #[test]
    fn the_item_is_a_schema() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let slack = Asker::Slack {
            user: "U1".parse().unwrap(),
            room: "C1".parse().unwrap(),
            answer_to: AnswerTo("{}".to_owned()),
        };
        let now = at("2026-11-21T12:00:00Z");
        let work = OverSheep::new(JobKind::Pause, "moon".parse().unwrap());
        let job = Job::new("0123abcd".parse().unwrap(), Work::Sheep(work.clone()), slack, now);
        let claimed = job.claim(at("2026-11-21T12:00:01Z"), at("2026-11-21T12:00:56Z")).unwrap();
        let stepped = work.step("apollo".parse().unwrap(), [&flock_core::State::Active]);
        let stepped = claimed.step(Work::Sheep(stepped));
        let over = stepped.cancel(&"U2".parse().unwrap()).end(at("2026-11-21T12:00:09Z"));
        let rotation = Rotation { under: Some("k2".to_owned()), ..Rotation::default() };
        let rotated = rotation.step(&flock_core::Resealed {
            cursor: "x:milton".parse().unwrap(),
            sealed: 2,
            unopened: vec!["bluesky:a.example".parse().unwrap()],
        });
        let asker = Asker::CommandLine("ada".to_owned());
        let rotation = Job::new("0123abce".parse().unwrap(), Work::Rotation(rotation), asker, now);
        let rotated = rotation.step(Work::Rotation(rotated));
        let check = KeyCheck { only: Some("x:milton".parse().unwrap()), ..KeyCheck::default() };
        let checked = check.step(&CheckedKeys {
            cursor: "x:milton".parse().unwrap(),
            lines: [
                (Some(true), "x:milton works"),
                (Some(false), "it does not"),
                (None, "who knows"),
            ]
            .map(|(key_works, line)| (key_works, line.to_owned()))
            .to_vec(),
        });
        let asker = Asker::CommandLine("ada".to_owned());
        let checked = Job::new("0123abcf".parse().unwrap(), Work::Check(checked), asker, now);
        let asker = Asker::CommandLine("ada".to_owned());
        let whom = Whom::Flock("moon".parse().unwrap());
        let wish = "follow each-other".parse().unwrap();
        let acts = Acts::new(wish, whom, "sun".parse().unwrap(), true);
        let acts = acts.step(
            &[
                ("x:a → x:b".parse().unwrap(), Came::Already),
                (
                    "x:b → x:a".parse().unwrap(),
                    Came::Later { why: "away".to_owned(), not_before: None },
                ),
            ],
            now,
        );
        let acts = Job::new("0123abd0".parse().unwrap(), Work::Acts(acts), asker, now);
        let mut forms = Vec::new();
        for job in [job, stepped, over, rotation, rotated, checked, acts, wipe(), wiped()] {
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
        {"due":"0","next_at":0,"operator":"ada","pk":"JOB#0123abce","since":1795262400,"sk":"JOB","under":"k2","v":1,"version":1,"what":"rotate"}
        {"counts":{"sealed":2,"unopened":1},"cursor":"x:milton","due":"0","named":["bluesky:a.example"],"next_at":0,"operator":"ada","pk":"JOB#0123abce","since":1795262400,"sk":"JOB","under":"k2","v":1,"version":2,"what":"rotate"}
        {"counts":{"failing":1,"unknown":1,"working":1},"cursor":"x:milton","due":"0","fails":["it does not"],"next_at":0,"only":"x:milton","operator":"ada","pk":"JOB#0123abcf","since":1795262400,"sk":"JOB","unsure":["who knows"],"v":1,"version":1,"what":"check","works":["x:milton works"]}
        {"act":"follow each-other","counts":{"already":1},"cursor":"x:b → x:a","due":"0","flock":"moon","next_at":0,"one_by_one":true,"operator":"ada","payer":"sun","pk":"JOB#0123abd0","since":1795262400,"sk":"JOB","v":1,"version":1,"waiting":[[1,1795262460,"x:b → x:a"]],"what":"acts","works":["x:a → x:b: was so already"]}
        {"due":"0","next_at":0,"only":"x:milton","operator":"ada","pk":"JOB#0123abd1","since":1795262400,"sk":"JOB","v":1,"version":1,"what":"wipe","wipe":{"accounts":"17ca0919","payer":"moon"}}
        {"counts":{"deleted":7,"stayed":1},"cursor":"x:b","due":"0","fails":["x:a: post 3 of moon/apollo: no"],"flock":"moon","next_at":0,"operator":"ada","pk":"JOB#0123abd2","since":1795262400,"sk":"JOB","v":1,"version":2,"what":"wipe","wipe":{"accounts":"ee858585","all_begun":true,"everything":true,"payer":"sun","under_way":[{"account":"x:a","alike":1,"attempts":2,"counted":[{"done":1,"last":"2026-11-21T12:00:01Z"}],"cut":3,"lags":0,"listed":["17"],"next_page":"p2","not_before":"2026-11-21T12:00:00Z","number":4,"page":"p1","pages":0,"phase":"listed","refused":"no","sheep":"moon/apollo","why":"it is away"},{"account":"x:b","alike":0,"attempts":0,"lags":0,"number":0,"pages":0,"phase":"quiet"}]}}
        "#);
    }
}
