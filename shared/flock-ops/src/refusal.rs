//! Why an operation was not carried out.

use std::fmt;

use flock_core::{NotNow, NotUnknown, Objection, Remedy, Sheep};
use flock_store::{ChangeError, NotFound, StoreError};

use crate::Result;

/// Why an operation was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A person can put it right; nothing has changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// They cannot, or part of it is done.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

/// What stands in the way. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(Vec<Objection>);

impl Refusal {
    /// Refuses if there are objections. Each thing is said once, with everything that it is said of.
    pub fn unless_fit(objections: Vec<Objection>) -> Result<(), Self> {
        if objections.is_empty() { Ok(()) } else { Err(Self::of(objections)) }
    }

    /// Refuses for these reasons, at least one. Each thing is said once, with everything that it is said of.
    pub(crate) fn of(objections: Vec<Objection>) -> Self {
        Self(Objection::grouped(objections))
    }

    /// What stands in the way.
    pub fn objections(&self) -> &[Objection] {
        &self.0
    }

    /// The text for a place where people can be told how to do what is to be done: `how` says it, if there is a way.
    pub fn worded(&self, how: impl Fn(&Remedy) -> Option<String>) -> String {
        let lines = self.0.iter().map(|objection| match each(objection.remedies(), &how) {
            Some(how) => format!("{objection} ({how})"),
            None => objection.to_string(),
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// How each of these is done, told by the first: `how` says it, if there is a way.
pub fn each(remedies: &[Remedy], how: impl Fn(&Remedy) -> Option<String>) -> Option<String> {
    let first = how(remedies.first()?)?;
    Some(if remedies.len() == 1 { first } else { format!("{first}, and so for each") })
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.worded(|_| None))
    }
}

impl std::error::Error for Refusal {}

impl<T: Into<Objection>> From<T> for Refusal {
    fn from(objection: T) -> Self {
        Self(vec![objection.into()])
    }
}

impl Error {
    /// A refusal.
    pub fn refused(objection: impl Into<Objection>) -> Self {
        Self::Refused(Refusal::from(objection))
    }
}

impl From<StoreError> for Error {
    fn from(err: StoreError) -> Self {
        Self::Failed(err.into())
    }
}

impl From<NotFound> for Error {
    fn from(err: NotFound) -> Self {
        let said = Objection::from(err.to_string());
        match err {
            NotFound::Store(err) => err.into(),
            NotFound::Sheep { .. } | NotFound::Neither { .. } => {
                Self::refused(said.with(Remedy::ListSheep))
            }
            NotFound::Flock { .. }
            | NotFound::IsFlock { .. }
            | NotFound::Several { .. }
            | NotFound::OtherFlock(..)
            | NotFound::Invalid(_) => Self::refused(said),
        }
    }
}

impl From<ChangeError> for Error {
    fn from(err: ChangeError) -> Self {
        match err {
            ChangeError::Store(err) => err.into(),
            err @ (ChangeError::Removed(_) | ChangeError::Busy(_)) => {
                Self::refused(err.to_string())
            }
        }
    }
}

impl From<NotUnknown> for Error {
    fn from(err: NotUnknown) -> Self {
        Self::refused(err.to_string())
    }
}

/// Why a sheep does not do what it was asked for.
pub(crate) fn not_now(sheep: &Sheep, why: &NotNow) -> Refusal {
    let objection = Objection::from(format!("{} does not: {why}", sheep.id));
    Refusal::from(match why {
        NotNow::Inactive(_) => objection.with(Remedy::ResumeSheep(sheep.id.clone())),
        NotNow::Finished(_)
        | NotNow::Busy
        | NotNow::Waiting { .. }
        | NotNow::Past { .. }
        | NotNow::Ahead { .. }
        | NotNow::Resting { .. }
        | NotNow::Thread(_)
        | NotNow::Text(_)
        | NotNow::Odd(_) => objection,
    })
}
