//! Whom something is done for that is not a sheep's own.

use std::fmt;

use crate::{AccountId, FlockName};

/// One account, or all of a flock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// Each account that a sheep of the flock posts through.
    Flock(FlockName),
    /// One account.
    Account(AccountId),
}

impl Whom {
    /// The same within a sentence.
    pub fn named(&self) -> String {
        match self {
            Self::Flock(flock) => format!("flock {flock}"),
            Self::Account(account) => account.to_string(),
        }
    }
}

/// As people write it: an account has its network before it.
impl fmt::Display for Whom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flock(flock) => flock.fmt(f),
            Self::Account(account) => account.fmt(f),
        }
    }
}
