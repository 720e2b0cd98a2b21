//! A job: long work that goes on over many ticks, step by step.
//!
//! It is claimed (a lease, as an errand has one), makes steps, and ends. A step is written in one put with how far it came, so
//! that one which is made again after a crash counts nothing twice.

mod acts;
mod key_check;
mod over_sheep;
mod rotation;
mod wipe;

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use self::{
    acts::{Acts, Came, Turn as ActsTurn, Waiting},
    key_check::{CheckedKeys, KeyCheck},
    over_sheep::{JobKind, OverSheep},
    rotation::{Resealed, Rotation},
    wipe::{AccountWipe, Counted, Wipe, WipePhase, WipeTally},
};
use crate::{JobId, RoomId, UserId, errand::whole_seconds};

/// Long work, and how far it has come. Every change is one version on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its name, for people to type.
    pub id: JobId,
    /// What is done to what, and how far.
    pub work: Work,
    /// Who wants it.
    pub asker: Asker,
    /// When they said so, in whole seconds; of two jobs of one name never the same.
    pub since: Timestamp,
    /// Until when somebody has it for themselves.
    pub lease_until: Option<Timestamp>,
    /// Who does not want it to go on.
    pub cancelled_by: Option<UserId>,
    /// When it was over.
    pub ended: Option<Timestamp>,
    /// The version of its item.
    pub version: u64,
}

/// What a job works on. Each kind is a file beside this one, and so it is wherever work is done, written down or told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// The sheep of a flock.
    Sheep(OverSheep),
    /// The keys of all accounts, which are sealed anew.
    Rotation(Rotation),
    /// The keys of accounts, which their networks are asked about.
    Check(KeyCheck),
    /// Accounts, each of which does the same.
    Acts(Acts),
    /// The posts of accounts, which are deleted.
    Wipe(Box<Wipe>),
}

/// Who wants a job, and hears of its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asker {
    /// Somebody in Slack.
    Slack {
        /// Who.
        user: UserId,
        /// In which room.
        room: RoomId,
        /// Where an answer goes if that room cannot be told.
        answer_to: AnswerTo,
    },
    /// Somebody at the command line, as their system calls them. They see for themselves.
    CommandLine(String),
}

/// Where an answer goes, as the Slack function spells it. Whoever knows a response URL can write there, so it does not print.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AnswerTo(pub String);

impl fmt::Debug for AnswerTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnswerTo")
    }
}

/// As much of a line as fits, without what would end it.
fn kept(line: &str, most_bytes: usize) -> String {
    let fits = |(at, c): &(usize, char)| at.saturating_add(c.len_utf8()) <= most_bytes;
    let printed = |c: char| if c.is_control() { ' ' } else { c };
    let mut kept: String = line.char_indices().take_while(fits).map(|(_, c)| printed(c)).collect();
    if kept.len() < line.len() {
        kept.push('…');
    }
    kept
}

impl Work {
    /// How many sheep, accounts or posts are done.
    pub fn done(&self) -> u64 {
        match self {
            Self::Sheep(work) => work.done(),
            Self::Rotation(work) => work.done(),
            Self::Check(work) => work.done(),
            Self::Acts(work) => work.done(),
            Self::Wipe(work) => work.done(),
        }
    }

    /// Whether it asks networks, which can take long: sheep that are due come before even its first step.
    pub fn asks_networks(&self) -> bool {
        match self {
            Self::Sheep(_) | Self::Rotation(_) => false,
            Self::Check(_) | Self::Acts(_) | Self::Wipe(_) => true,
        }
    }

    /// Until when nothing can be done, where that is known: nobody takes it in hand before.
    pub fn waits_until(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Sheep(_) | Self::Rotation(_) | Self::Check(_) | Self::Acts(_) => None,
            Self::Wipe(work) => work.waits_until(now),
        }
    }

    /// The last sheep or account that is done, by its whole name.
    pub fn cursor(&self) -> Option<String> {
        match self {
            Self::Sheep(work) => work.cursor.as_ref().map(|name| format!("{}/{name}", work.flock)),
            Self::Rotation(Rotation { cursor, .. }) | Self::Check(KeyCheck { cursor, .. }) => {
                cursor.as_ref().map(ToString::to_string)
            }
            Self::Acts(work) => work.cursor.as_ref().map(ToString::to_string),
            Self::Wipe(work) => work.cursor.as_ref().map(ToString::to_string),
        }
    }
}

impl Job {
    /// A job that nobody has begun.
    pub fn new(id: JobId, work: Work, asker: Asker, now: Timestamp) -> Self {
        Self {
            id,
            work,
            asker,
            since: whole_seconds(now),
            lease_until: None,
            cancelled_by: None,
            ended: None,
            version: 1,
        }
    }

    /// The same job in the place of one of its name that is over. Where it is asked for in the second in which that was asked for, or
    /// has ended, it is known by the next: who is told of jobs tells them apart by that, and what either did.
    #[must_use]
    pub fn after(self, over: &Self) -> Self {
        let last = over.ended.map_or(over.since, |ended| ended.max(over.since));
        let next = last.saturating_add(SignedDuration::from_secs(1));
        let since = self.since.max(next.unwrap_or(last));
        Self { since, version: over.version + 1, ..self }
    }

    /// Whether it goes on by itself.
    pub fn is_running(&self) -> bool {
        self.ended.is_none()
    }

    /// The job in the hands of somebody until `lease_until`. `None`: another has it, or it is over.
    #[must_use]
    pub fn claim(&self, now: Timestamp, lease_until: Timestamp) -> Option<Self> {
        let is_free = self.is_running() && self.lease_until.is_none_or(|until| until <= now);
        is_free.then(|| Self { lease_until: Some(whole_seconds(lease_until)), ..self.changed() })
    }

    /// The job after a step that brought its work there.
    #[must_use]
    pub fn step(&self, work: Work) -> Self {
        Self { work, ..self.changed() }
    }

    /// The job that a tick has no more time for; the next goes on.
    #[must_use]
    pub fn release(&self) -> Self {
        Self { lease_until: None, ..self.changed() }
    }

    /// The job that makes no further step. One that is over stays as it is.
    #[must_use]
    pub fn cancel(&self, by: &UserId) -> Self {
        if self.cancelled_by.is_some() || !self.is_running() {
            return self.clone();
        }
        Self { cancelled_by: Some(by.clone()), ..self.changed() }
    }

    /// The job that is over.
    #[must_use]
    pub fn end(&self, now: Timestamp) -> Self {
        Self { ended: Some(whole_seconds(now)), ..self.release() }
    }

    fn changed(&self) -> Self {
        Self { version: self.version + 1, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        "2026-11-21T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(second)
    }

    fn job(what: JobKind) -> Job {
        let asker = Asker::Slack {
            user: "U1".parse().unwrap(),
            room: "C1".parse().unwrap(),
            answer_to: AnswerTo("hush".to_owned()),
        };
        let work = Work::Sheep(OverSheep::new(what, "moon".parse().unwrap()));
        Job::new("0123abcd".parse().unwrap(), work, asker, at(0))
    }

    #[test]
    fn one_has_it_at_a_time_and_nobody_when_it_is_over() {
        let job = job(JobKind::Pause);
        let claimed = job.claim(at(0), at(55)).unwrap();
        assert_eq!((claimed.version, claimed.lease_until), (2, Some(at(55))));
        assert_eq!(claimed.claim(at(54), at(100)), None);
        assert!(claimed.claim(at(55), at(100)).is_some(), "its tick has died");
        assert!(claimed.release().claim(at(1), at(100)).is_some());
        assert_eq!(claimed.end(at(3)).claim(at(1_000), at(1_100)), None);
        let cancelled = claimed.cancel(&"U2".parse().unwrap());
        assert_eq!(cancelled.version, 3);
        assert_eq!(cancelled.cancel(&"U3".parse().unwrap()), cancelled, "by the first");
        assert!(!format!("{job:?}").contains("hush"));
    }

    #[test]
    fn a_job_takes_the_place_of_one_of_its_name() {
        let over = job(JobKind::Pause).end(at(0));
        let again = job(JobKind::Pause).after(&over);
        assert_eq!((again.version, again.since), (over.version + 1, at(1)), "in the same second");
        let long = job(JobKind::Pause).end(at(40));
        let at_its_end = Job { since: at(40), ..job(JobKind::Pause) };
        assert_eq!(at_its_end.after(&long).since, at(41));
        let later = Job { since: at(60), ..job(JobKind::Pause) };
        assert_eq!(later.after(&over).since, at(60));
    }
}
