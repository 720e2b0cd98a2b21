//! What stands in the way of something, and what a person can do about it.
//!
//! The act is named here; how it is done is known to whoever shows it: the command line has a command for it, Slack
//! another, or a button.

use std::fmt;

use crate::{AccountId, Occurrence, SheepId};

/// Something that stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// What, of which of a person's things, and what to do.
    pub what: String,
    /// What to do, where it is an act that people can be told how to do.
    pub remedy: Option<Remedy>,
}

/// What a person can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// Add the account with its key.
    AddAccount(AccountId),
    /// List the sheep.
    ListSheep,
    /// Look at everything about the sheep.
    ShowSheep(SheepId),
    /// Let the sheep go on.
    ResumeSheep(SheepId),
    /// Say whether the network has the post or not.
    SayWhetherSent(SheepId, Occurrence),
}

impl Objection {
    /// The same, with what to do about it.
    #[must_use]
    pub fn with(self, remedy: Remedy) -> Self {
        Self { remedy: Some(remedy), ..self }
    }

    /// `who` is to post through an account that nobody has added.
    pub fn never_added(who: &str, account: &AccountId) -> Self {
        Self::from(format!("{who}: the account {account} was never added; add it with its key"))
            .with(Remedy::AddAccount(account.clone()))
    }
}

impl From<String> for Objection {
    fn from(what: String) -> Self {
        Self { what, remedy: None }
    }
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.what.fmt(f)
    }
}
