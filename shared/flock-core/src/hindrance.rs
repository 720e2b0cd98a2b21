//! What keeps sheep from posting, each thing once, however many sheep it keeps.

use std::collections::BTreeMap;

use crate::{Sheep, SheepId, State, named};

/// Sheep that the same keeps from posting.
#[derive(Debug)]
pub struct Hindrance<'a> {
    /// Whether they stopped, until somebody acts.
    pub is_stopped: bool,
    /// What it is, without what is to be done about one of the sheep then.
    pub why: &'a str,
    /// Whom; at least one.
    pub sheep: Vec<&'a Sheep>,
}

impl<'a> Hindrance<'a> {
    /// Those of `sheep`.
    pub fn of(sheep: &'a [Sheep]) -> Vec<Self> {
        let mut found: BTreeMap<(bool, &str), Vec<&Sheep>> = BTreeMap::new();
        for sheep in sheep {
            if let Some(why) = sheep.problem() {
                let is_stopped = matches!(sheep.state, State::Stopped { .. });
                found.entry((is_stopped, reason(&sheep.id, why))).or_default().push(sheep);
            }
        }
        let hindrance = |((is_stopped, why), sheep)| Self { is_stopped, why, sheep };
        found.into_iter().rev().map(hindrance).collect()
    }

    /// Some of the sheep, and how many more there are.
    pub fn who(&self) -> String {
        named(self.sheep.iter().map(|sheep| &sheep.id))
    }
}

/// Why a sheep has stopped, without what is to be done about that sheep then.
pub fn reason<'a>(sheep: &SheepId, why: &'a str) -> &'a str {
    why.strip_suffix(&format!(", then resume {sheep}")).unwrap_or(why)
}
