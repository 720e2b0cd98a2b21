//! Each sheep of a flock is paused or resumed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{FlockName, Sheep, SheepName, State};

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

/// What a job does to each sheep of its flock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobKind {
    /// Pauses it.
    Pause,
    /// Resumes it.
    Resume,
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
    fn a_step_that_is_made_again_counts_the_same() {
        let work = over_sheep(JobKind::Pause);
        let (paused, now) = (work.change(&sheep(), at(0), at(1)), at(9));
        let again = work.change(&paused, at(0), now);
        assert_eq!(again, paused);
        let end: SheepName = "apollo".parse().unwrap();
        let step = work.step(end.clone(), [&paused.state, &State::Finished { since: now }]);
        assert_eq!(step, work.step(end, [&again.state, &State::Finished { since: now }]));
        assert_eq!((step.done(), step.counts["paused"]), (2, 1));
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
}
