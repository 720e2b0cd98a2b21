//! What happened, step by step, as sentences.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;

/// How many steps are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// The last fifty.
    Last,
    /// All that say this, such as the name of a sheep.
    About(String),
}

/// The steps of one run.
#[derive(Debug)]
pub(crate) struct Steps {
    keep: Keep,
    kept: Mutex<VecDeque<String>>,
}

impl Steps {
    const LAST: usize = 50;

    pub(crate) fn new(keep: Keep) -> Self {
        Self { keep, kept: Mutex::default() }
    }

    /// Notes a step. `what` is asked only where it is kept.
    pub(crate) fn note(&self, at: Timestamp, what: impl FnOnce() -> String) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let what = what();
        match &self.keep {
            Keep::Last => {
                if kept.len() == Self::LAST {
                    kept.pop_front();
                }
            }
            Keep::About(whom) if !what.contains(whom) => return,
            Keep::About(_) => {}
        }
        kept.push_back(format!("{at:.3} {what}"));
    }

    /// What was kept, oldest first.
    pub(crate) fn kept(&self) -> Vec<String> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
