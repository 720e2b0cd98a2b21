//! A job: long work that goes on over many ticks, step by step.
//!
//! It is claimed (a lease, as an errand has one), makes steps, and ends. A step is written in one put with how far it came, so
//! that one which is made again after a crash counts nothing twice.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    AccountId, DeliveryId, FlockName, JobId, RoomId, Sheep, SheepName, State, UserId,
    errand::whole_seconds,
};

/// Long work, and how far it has come. Every change is one version on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its name, for people to type.
    pub id: JobId,
    /// What is done to what, and how far.
    pub work: Work,
    /// Who wants it.
    pub asker: Asker,
    /// When they said so.
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

/// What a job works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// The sheep of a flock.
    Sheep(OverSheep),
    /// The keys of all accounts.
    Accounts(Rotation),
}

/// A change of each sheep of a flock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverSheep {
    /// What is done to each.
    pub what: JobKind,
    /// Of which flock.
    pub flock: FlockName,
    /// The last sheep that is done, in the order of their names.
    pub cursor: Option<SheepName>,
    /// How many of those done are in which state now.
    pub counts: BTreeMap<String, u64>,
}

/// The keys of all accounts, and what was got with them, sealed with the current key of the keyring.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rotation {
    /// A key that the keyring has, or else it is not read newly enough; none where whatever is current will do.
    pub under: Option<String>,
    /// The last account that is done, in the order of their names.
    pub cursor: Option<AccountId>,
    /// How many of those done are sealed with that key, by this job or before.
    pub sealed: u64,
    /// How many could not be opened, and so are as they were.
    pub unopened: u64,
    /// Those, as far as [`Rotation::NAMED`] goes.
    pub named: Vec<AccountId>,
}

/// What a step of a rotation has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resealed {
    /// The last of its accounts.
    pub cursor: AccountId,
    /// How many are sealed with the current key now.
    pub sealed: u64,
    /// Those that could not be opened.
    pub unopened: Vec<AccountId>,
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

impl OverSheep {
    /// None of them is done yet.
    pub fn new(what: JobKind, flock: FlockName) -> Self {
        Self { what, flock, cursor: None, counts: BTreeMap::new() }
    }

    /// What is made of a sheep, where that was wanted at `since`; one that is so already stays as it is.
    #[must_use]
    pub fn change(&self, sheep: &Sheep, since: Timestamp, now: Timestamp) -> Sheep {
        match (self.what, &sheep.state) {
            // Somebody wanted that after they wanted this: a pause wins over what resumes.
            (JobKind::Resume, State::Paused { since: paused }) if since < *paused => sheep.clone(),
            (what, _) => what.change(sheep, now),
        }
    }

    /// How many sheep are done.
    pub fn done(&self) -> u64 {
        self.counts.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// How far it is after a step whose last sheep is `cursor` and whose sheep are in these states now.
    #[must_use]
    pub fn step<'s>(&self, cursor: SheepName, states: impl IntoIterator<Item = &'s State>) -> Self {
        let mut work = Self { cursor: Some(cursor), ..self.clone() };
        for state in states {
            *work.counts.entry(state.name().to_owned()).or_default() += 1;
        }
        work
    }
}

impl Rotation {
    /// So many accounts are named that could not be opened.
    pub const NAMED: usize = 20;

    /// The one job of this kind that there is: no two rotate at once.
    pub fn job() -> JobId {
        JobId::of(&DeliveryId::of(&["account rotate"]))
    }

    /// How many accounts are done.
    pub fn done(&self) -> u64 {
        self.sealed.saturating_add(self.unopened)
    }

    /// How far it is after a step.
    #[must_use]
    pub fn step(&self, step: &Resealed) -> Self {
        let Resealed { cursor, sealed, unopened } = step;
        let named = self.named.iter().chain(unopened).take(Self::NAMED).cloned().collect();
        let number = u64::try_from(unopened.len()).unwrap_or(u64::MAX);
        Self {
            under: self.under.clone(),
            cursor: Some(cursor.clone()),
            sealed: self.sealed.saturating_add(*sealed),
            unopened: self.unopened.saturating_add(number),
            named,
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

    /// The same job in the place of one of its name that is over.
    #[must_use]
    pub fn after(self, over: &Self) -> Self {
        Self { version: over.version + 1, ..self }
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
    use jiff::SignedDuration;

    use super::*;
    use crate::{
        AccountId, Behaviour, Network, Occurrence, Poem, Rhythm, RhythmFields, SheepConfig,
    };

    fn at(second: i64) -> Timestamp {
        "2026-11-21T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(second)
    }

    fn job(what: JobKind) -> Job {
        let asker = Asker::Slack {
            user: "U1".parse().unwrap(),
            room: "C1".parse().unwrap(),
            answer_to: AnswerTo("hush".to_owned()),
        };
        let work = Work::Sheep(over_sheep(what));
        Job::new("0123abcd".parse().unwrap(), work, asker, at(0))
    }

    fn over_sheep(what: JobKind) -> OverSheep {
        OverSheep::new(what, "moon".parse().unwrap())
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
        let work = over_sheep(JobKind::Pause);
        let (paused, now) = (work.change(&sheep(), at(0), at(1)), at(9));
        let again = work.change(&paused, at(0), now);
        assert_eq!(again, paused);
        let end: SheepName = "apollo".parse().unwrap();
        let step = work.step(end.clone(), [&paused.state, &State::Finished { since: now }]);
        assert_eq!(step, work.step(end, [&again.state, &State::Finished { since: now }]));
        assert_eq!((step.done(), step.counts["paused"]), (2, 1));
        assert_eq!(job.step(Work::Sheep(step)).version, 3);
    }

    #[test]
    fn a_later_pause_wins_over_what_resumes() {
        let resume = over_sheep(JobKind::Resume);
        let before = sheep().pause(at(-60));
        assert_eq!(resume.change(&before, at(0), at(5)).state, State::Active);
        let after = sheep().pause(at(1));
        assert_eq!(resume.change(&after, at(0), at(5)), after);
        let stopped = sheep().stop("x answered 403".to_owned(), at(1));
        assert_eq!(resume.change(&stopped, at(0), at(5)).state, State::Active);
    }

    #[test]
    fn a_rotation_counts_all_that_it_cannot_open_and_names_some() {
        let account = |number: u64| format!("x:a{number}").parse::<AccountId>().unwrap();
        let begun = Rotation { under: Some("k2".to_owned()), ..Rotation::default() };
        let step = |first: u64| Resealed {
            cursor: account(first + 14),
            sealed: 5,
            unopened: (first..first + 15).map(account).collect(),
        };
        let twice = begun.step(&step(0)).step(&step(15));
        assert_eq!((twice.done(), twice.sealed, twice.unopened), (40, 10, 30));
        assert_eq!((twice.named.len(), &twice.named[19]), (20, &account(19)));
        assert_eq!((twice.cursor, twice.under.as_deref()), (Some(account(29)), Some("k2")));
    }

    #[test]
    fn a_job_takes_the_place_of_one_of_its_name() {
        let over = job(JobKind::Pause).end(at(9));
        assert_eq!(job(JobKind::Pause).after(&over).version, over.version + 1);
    }
}
