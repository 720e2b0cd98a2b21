//! What went wrong with a request to a network, for the code that decides and for the person who reads.
//!
//! Two things hang on it that cannot be taken back: a sheep that stops forgets its post, and money that is given
//! back is spent again. Both want a [`NotDone`], and there are few ways to one.

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
        /// How that is known.
        proof: NotDone,
        /// Not before this time, if the network or the cap says so.
        not_before: Option<Timestamp>,
    },
    /// Nothing was done, and trying again cannot help, because of what was to be said; another text can be.
    NotThisText(NotDone),
    /// Nothing was done, and trying again cannot help.
    Refused(NotDone),
    /// The request may have been carried out.
    Unknown,
}

/// Proof that a request changed nothing on its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotDone(());

impl NotDone {
    /// No request for it went out.
    pub(crate) const NOT_ASKED: Self = Self(());
    /// What was asked for changes nothing that anybody sees, however often it is done.
    pub(crate) const HARMLESS: Self = Self(());
    /// We have looked, and it is not done.
    pub(crate) const LOOKED: Self = Self(());
    /// The network answered in its own words that it did not do it; [`crate::answer::Answer::proof`] knows them.
    pub(crate) const ANSWERED: Self = Self(());
}

impl Failure {
    pub(crate) fn try_again(proof: NotDone, why: impl Into<String>) -> Self {
        Self { kind: FailureKind::TryAgain { proof, not_before: None }, why: why.into() }
    }

    pub(crate) fn not_before(proof: NotDone, at: Timestamp, why: impl Into<String>) -> Self {
        Self { kind: FailureKind::TryAgain { proof, not_before: Some(at) }, why: why.into() }
    }

    pub(crate) fn refused(proof: NotDone, why: impl Into<String>) -> Self {
        Self { kind: FailureKind::Refused(proof), why: why.into() }
    }

    /// The network does not take the text, and may well take another.
    pub(crate) fn not_this_text(proof: NotDone, why: impl Into<String>) -> Self {
        Self { kind: FailureKind::NotThisText(proof), why: why.into() }
    }

    /// What was never asked for, because it cannot be.
    pub(crate) fn cannot(why: impl Into<String>) -> Self {
        Self::refused(NotDone::NOT_ASKED, why)
    }

    pub(crate) fn unknown(why: impl Into<String>) -> Self {
        Self { kind: FailureKind::Unknown, why: why.into() }
    }

    /// The proof that nothing was done, if there is one.
    pub(crate) fn not_done(&self) -> Option<NotDone> {
        match self.kind {
            FailureKind::TryAgain { proof, .. }
            | FailureKind::NotThisText(proof)
            | FailureKind::Refused(proof) => Some(proof),
            FailureKind::Unknown => None,
        }
    }

    /// The same failure of a request that posts nothing: whatever came of it, it can be sent again.
    pub(crate) fn posts_nothing(self) -> Self {
        match self.kind {
            FailureKind::Unknown => Self::try_again(NotDone::HARMLESS, self.why),
            FailureKind::TryAgain { .. }
            | FailureKind::NotThisText(_)
            | FailureKind::Refused(_) => self,
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
            FailureKind::TryAgain { not_before, .. } => Self::TryAgain { why, not_before },
            FailureKind::NotThisText(_) => Self::SetAside { why },
            FailureKind::Refused(_) => Self::Refused { why },
            FailureKind::Unknown => Self::Unknown { why },
        }
    }
}
