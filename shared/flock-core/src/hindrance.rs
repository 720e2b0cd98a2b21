//! What keeps sheep from posting, each thing once, however many sheep it keeps; and that nothing sees to them at all.

use std::{collections::BTreeMap, fmt};

use jiff::{SignedDuration, Timestamp};

use crate::{Sheep, State};

/// Sheep that the same keeps from posting.
#[derive(Debug)]
pub struct Hindrance<'a> {
    /// Whether they stopped, until somebody acts.
    pub is_stopped: bool,
    /// What it is.
    pub why: &'a str,
    /// Whom; at least one.
    pub sheep: Vec<&'a Sheep>,
}

impl<'a> Hindrance<'a> {
    /// Those of `sheep`.
    pub fn of(sheep: impl IntoIterator<Item = &'a Sheep>) -> Vec<Self> {
        let mut found: BTreeMap<(bool, &str), Vec<&Sheep>> = BTreeMap::new();
        for sheep in sheep {
            if let Some(why) = sheep.problem() {
                let is_stopped = matches!(sheep.state, State::Stopped { .. });
                found.entry((is_stopped, why)).or_default().push(sheep);
            }
        }
        let hindrance = |((is_stopped, why), sheep)| Self { is_stopped, why, sheep };
        found.into_iter().rev().map(hindrance).collect()
    }

    /// One of the sheep, and how many more there are.
    pub fn who(&self) -> String {
        let first = self.sheep.first().map(|sheep| sheep.id.to_string()).unwrap_or_default();
        match self.sheep.len() {
            0 | 1 => first,
            many => format!("{first} and {} more", many - 1),
        }
    }
}

/// A sheep that is due and that no tick has seen to: then the schedule is off, or every tick fails.
#[derive(Debug, Clone, Copy)]
pub struct Overdue<'a> {
    /// The one that waits for the longest time.
    pub sheep: &'a Sheep,
    /// Since when.
    pub since: Timestamp,
}

impl<'a> Overdue<'a> {
    /// Ticks come once a minute, at any second of it, and one may wait for another that is at the same sheep.
    const LATE: SignedDuration = SignedDuration::from_mins(5);

    /// The one of `sheep`, if there is one. Where everything is stopped, there is no wonder.
    pub fn of(sheep: impl IntoIterator<Item = &'a Sheep>, now: Timestamp) -> Option<Self> {
        let due = sheep.into_iter().filter(|sheep| !sheep.is_leased(now));
        let due = due.filter_map(|sheep| Some(Self { sheep, since: sheep.next_at()? }));
        let first = due.min_by_key(|due| due.since)?;
        (Self::LATE < now.duration_since(first.since)).then_some(first)
    }

    /// What is said of it, with the sheep and the time as people of a door read them.
    pub fn said(&self, sheep: impl fmt::Display, since: impl fmt::Display) -> String {
        format!("nothing is at work: {sheep} is due since {since}, and no tick has seen to it")
    }
}
