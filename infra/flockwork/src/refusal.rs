//! A refusal: something the person can put right, and after which nothing has changed. Exit code 2.

use flock_store::{ChangeError, NotFound};

/// What was wrong and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

/// A refusal as an error.
pub fn refuse(what: impl Into<String>) -> anyhow::Error {
    anyhow::Error::new(Refusal(what.into()))
}

/// Tells that nobody knows what was meant, or that the table failed.
pub fn not_found(err: NotFound) -> anyhow::Error {
    match err {
        NotFound::Store(err) => err.into(),
        NotFound::Sheep(_) => refuse(format!("{err}; `flockwork sheep list` shows them")),
        err => refuse(err.to_string()),
    }
}

/// Tells that a sheep was not changed.
pub fn not_changed(err: ChangeError) -> anyhow::Error {
    match err {
        ChangeError::Store(err) => err.into(),
        err => refuse(err.to_string()),
    }
}
