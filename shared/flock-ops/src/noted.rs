//! Who does what, written down before it is done.

use flock_core::DeliveryId;
use flock_store::{AuditEntry, By, Store, StoreError};
use jiff::Timestamp;

use crate::Error;

/// Who does something, and in which words.
#[derive(Debug, Clone)]
pub struct Who {
    /// Who, and where.
    pub by: By,
    /// When they said so.
    pub at: Timestamp,
    /// Names what they have said: what has arrived twice is one entry.
    pub id: DeliveryId,
}

/// A change that is in the audit log, so that it may be made.
#[derive(Debug)]
pub struct Noted {
    who: Who,
    line: String,
}

impl Noted {
    /// Writes down what is about to be done.
    pub async fn begin(store: &Store, who: Who, line: String) -> Result<Self, StoreError> {
        let noted = Self { who, line };
        store.put_audit(&noted.entry(None)).await?;
        Ok(noted)
    }

    /// Writes down what came of it.
    pub async fn end(self, store: &Store, outcome: String) -> Result<(), StoreError> {
        store.put_audit(&self.entry(Some(outcome))).await
    }

    /// Writes down what is about to be done, does it, and adds what came of it.
    pub async fn around<T>(
        store: &Store,
        who: Who,
        line: String,
        work: impl AsyncFnOnce(&Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let noted = Self::begin(store, who, line).await?;
        let result = work(&noted).await;
        let outcome = match &result {
            Ok(_) => Self::DONE.to_owned(),
            Err(err) => Self::outcome(err),
        };
        match (result, noted.end(store, outcome).await) {
            (result, Ok(())) => result,
            (Ok(_), Err(err)) => Err(Error::Failed(
                anyhow::Error::new(err)
                    .context("what was asked for is done, but its outcome is not noted"),
            )),
            // What went wrong is what they have to know; the entry without outcome stands.
            (Err(err), Err(_)) => Err(err),
        }
    }

    /// Who does it.
    pub(crate) fn who(&self) -> &Who {
        &self.who
    }

    /// What is said of what went well.
    pub const DONE: &str = "done";

    /// What is said of what did not.
    pub fn outcome(err: &Error) -> String {
        match err {
            Error::Refused(refusal) => {
                format!("refused: {}", refusal.to_string().lines().next().unwrap_or_default())
            }
            Error::Failed(_) => "failed; part of it may be done".to_owned(),
        }
    }

    /// Writes an entry of its own for a part of it that people look for by its words.
    pub(crate) async fn part(&self, store: &Store, line: String) -> Result<Self, StoreError> {
        let Who { by, at, id } = self.who.clone();
        let id = DeliveryId::of(&[id.as_str(), &line]);
        Self::begin(store, Who { by, at, id }, line).await
    }

    fn entry(&self, outcome: Option<String>) -> AuditEntry {
        let Who { by, at, id } = self.who.clone();
        AuditEntry { id, at, by, line: self.line.clone(), outcome }
    }
}
