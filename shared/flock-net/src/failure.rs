//! What went wrong with a request to a network, for the code that decides and for the person who reads.

use flock_core::Outcome;
use jiff::Timestamp;

/// A request came to nothing, or nobody knows what it came to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Failure {
    /// What it means.
    pub kind: FailureKind,
    /// What happened, for a person; without a full stop, and without secrets.
    pub why: String,
}

/// What a failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// Nothing was done, and trying again can help.
    TryAgain {
        /// Not before this time, if the network or the cap says so.
        not_before: Option<Timestamp>,
    },
    /// Nothing was done, and trying again cannot help.
    Refused,
    /// The request may have been carried out.
    Unknown,
}

impl Failure {
    pub(crate) fn try_again(why: impl Into<String>) -> Self {
        Self { kind: FailureKind::TryAgain { not_before: None }, why: why.into() }
    }

    pub(crate) fn not_before(at: Timestamp, why: impl Into<String>) -> Self {
        Self { kind: FailureKind::TryAgain { not_before: Some(at) }, why: why.into() }
    }

    pub(crate) fn refused(why: impl Into<String>) -> Self {
        Self { kind: FailureKind::Refused, why: why.into() }
    }

    pub(crate) fn unknown(why: impl Into<String>) -> Self {
        Self { kind: FailureKind::Unknown, why: why.into() }
    }

    /// The same failure of a request that posts nothing: whatever came of it, it can be sent again.
    pub(crate) fn posts_nothing(self) -> Self {
        match self.kind {
            FailureKind::Unknown => Self::try_again(self.why),
            FailureKind::TryAgain { .. } | FailureKind::Refused => self,
        }
    }

    /// The same failure where an earlier request may have arrived: it says nothing of what was sent, neither
    /// that it may be sent again nor that the sheep may forget it.
    pub(crate) fn leaves_unknown(self) -> Self {
        Self { kind: FailureKind::Unknown, ..self }
    }
}

impl From<Failure> for Outcome {
    fn from(Failure { kind, why }: Failure) -> Self {
        match kind {
            FailureKind::TryAgain { not_before } => Self::TryAgain { why, not_before },
            FailureKind::Refused => Self::Refused { why },
            FailureKind::Unknown => Self::Unknown { why },
        }
    }
}
