//! A job: long work on a flock that goes on over many ticks, step by step.
//!
//! It is claimed (a lease, as an errand has one), makes steps, and ends. A step is written in one put with how far it came, so
//! that one which is made again after a crash counts nothing twice.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{FlockName, JobId, RoomId, Sheep, SheepName, State, UserId, errand::whole_seconds};

/// Long work on a flock, and how far it has come. Every change is one version on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its name, for people to type.
    pub id: JobId,
    /// What is done to each sheep.
    pub what: JobKind,
    /// Of which flock.
    pub flock: FlockName,
    /// Who asked for it.
    pub asked_by: UserId,
    /// In which room.
    pub room: RoomId,
    /// Where an answer goes if that room cannot be told.
    pub answer_to: AnswerTo,
    /// When.
    pub since: Timestamp,
    /// The last sheep that is done, in the order of their names.
    pub cursor: Option<SheepName>,
    /// How many of those done are in which state now.
    pub counts: BTreeMap<String, u64>,
    /// Until when a tick has it for itself.
    pub lease_until: Option<Timestamp>,
    /// Who does not want it to go on.
    pub cancelled_by: Option<UserId>,
    /// When it was over.
    pub ended: Option<Timestamp>,
    /// The version of its item.
    pub version: u64,
}

/// What a job does to each sheep of its flock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobKind {
    /// Pauses it.
    Pause,
    /// Resumes it.
    Resume,
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

impl JobKind {
    /// The state it brings sheep to.
    pub fn becomes(self) -> &'static str {
        match self {
            Self::Pause => "paused",
            Self::Resume => "active",
        }
    }

    /// What it makes of a sheep; one that is so already stays as it is.
    #[must_use]
    pub fn change(self, sheep: &Sheep, now: Timestamp) -> Sheep {
        match self {
            Self::Pause => sheep.pause(now),
            Self::Resume => sheep.resume(now),
        }
    }
}

impl Job {
    /// A job that nobody has begun; `asked` is who wants it, in which room, and where else an answer goes.
    pub fn new(
        id: JobId,
        (what, flock): (JobKind, FlockName),
        (asked_by, room, answer_to): (UserId, RoomId, AnswerTo),
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            what,
            flock,
            asked_by,
            room,
            answer_to,
            since: whole_seconds(now),
            cursor: None,
            counts: BTreeMap::new(),
            lease_until: None,
            cancelled_by: None,
            ended: None,
            version: 1,
        }
    }

    /// What it makes of a sheep; one that is so already stays as it is.
    #[must_use]
    pub fn change(&self, sheep: &Sheep, now: Timestamp) -> Sheep {
        match (self.what, &sheep.state) {
            // Somebody wanted that after they wanted this: a pause wins over what resumes.
            (JobKind::Resume, State::Paused { since }) if self.since < *since => sheep.clone(),
            (what, _) => what.change(sheep, now),
        }
    }

    /// How many sheep are done.
    pub fn done(&self) -> u64 {
        self.counts.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Whether it goes on by itself.
    pub fn is_running(&self) -> bool {
        self.ended.is_none()
    }

    /// The job in the hands of a tick until `lease_until`. `None`: another has it, or it is over.
    #[must_use]
    pub fn claim(&self, now: Timestamp, lease_until: Timestamp) -> Option<Self> {
        let is_free = self.is_running() && self.lease_until.is_none_or(|until| until <= now);
        is_free.then(|| Self { lease_until: Some(whole_seconds(lease_until)), ..self.changed() })
    }

    /// The job after a step whose last sheep is `cursor` and whose sheep are in these states now.
    #[must_use]
    pub fn step<'s>(&self, cursor: SheepName, states: impl IntoIterator<Item = &'s State>) -> Self {
        let mut job = Self { cursor: Some(cursor), ..self.changed() };
        for state in states {
            *job.counts.entry(state.name().to_owned()).or_default() += 1;
        }
        job
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
    use jiff::SignedDuration;

    use super::*;
    use crate::{
        AccountId, Behaviour, Network, Occurrence, Poem, Rhythm, RhythmFields, SheepConfig,
    };

    fn at(second: i64) -> Timestamp {
        "2026-11-21T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(second)
    }

    fn job(what: JobKind) -> Job {
        let asked = ("U1".parse().unwrap(), "C1".parse().unwrap(), AnswerTo("hush".to_owned()));
        Job::new("0123abcd".parse().unwrap(), (what, "moon".parse().unwrap()), asked, at(0))
    }

    fn sheep() -> Sheep {
        let fields = RhythmFields { line: Some("3m".to_owned()), ..RhythmFields::default() };
        let account = AccountId { network: Network::Meadow, handle: "apollo".parse().unwrap() };
        let corpus = "00112233445566778899aabbccddeeff".parse().unwrap();
        let behaviour = Behaviour::Poem(Poem::of_lines(corpus, 3));
        let config = SheepConfig::new(account, behaviour, Rhythm::parse(&fields).unwrap());
        Sheep::create("moon/apollo".parse().unwrap(), config, Occurrence(1), at(-90)).unwrap()
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
    fn a_step_that_is_made_again_counts_the_same() {
        let job = job(JobKind::Pause).claim(at(0), at(55)).unwrap();
        let (paused, now) = (job.change(&sheep(), at(1)), at(9));
        let again = job.change(&paused, now);
        assert_eq!(again, paused);
        let end: SheepName = "apollo".parse().unwrap();
        let step = job.step(end.clone(), [&paused.state, &State::Finished { since: now }]);
        assert_eq!(step, job.step(end, [&again.state, &State::Finished { since: now }]));
        assert_eq!((step.done(), step.counts["paused"], step.version), (2, 1, 3));
    }

    #[test]
    fn a_later_pause_wins_over_what_resumes() {
        let resume = job(JobKind::Resume);
        let before = sheep().pause(at(-60));
        assert_eq!(resume.change(&before, at(5)).state, State::Active);
        let after = sheep().pause(at(1));
        assert_eq!(resume.change(&after, at(5)), after);
        let stopped = sheep().stop("x answered 403".to_owned(), at(1));
        assert_eq!(resume.change(&stopped, at(5)).state, State::Active);
    }
}
