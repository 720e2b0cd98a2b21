//! A refusal: something the person can put right, and after which nothing has changed. Exit code 2.

/// What was wrong and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

/// A refusal as an error.
pub fn refuse(what: impl Into<String>) -> anyhow::Error {
    anyhow::Error::new(Refusal(what.into()))
}
