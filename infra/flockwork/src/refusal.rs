//! A refusal: something the person can put right, and after which nothing has changed. Exit code 2.

use flock_core::{Objection, Remedy};
use flock_ops::{Error, Refusal};

/// A refusal as an error.
pub fn refuse(what: impl Into<String>) -> anyhow::Error {
    Error::refused(Objection::from(what.into())).into()
}

/// What is refused, with the commands that do what is to be done. `None`: it is no refusal.
pub fn refused(err: &anyhow::Error) -> Option<String> {
    let refusal = match err.downcast_ref() {
        Some(Error::Refused(refusal)) => Some(refusal),
        Some(Error::Failed(_)) | None => err.downcast_ref::<Refusal>(),
    };
    refusal.map(|refusal| refusal.worded(command))
}

/// How something is done at the command line: a part of a sentence.
pub fn command(remedy: &Remedy) -> Option<String> {
    Some(match remedy {
        Remedy::AddAccount(account) => format!("`flockwork account add {account} --key FILE`"),
        Remedy::ListSheep => "`flockwork sheep list` shows them".to_owned(),
        Remedy::ShowSheep(sheep) => format!("`flockwork sheep show {sheep}`"),
        Remedy::ResumeSheep(sheep) => format!("`flockwork sheep resume {sheep}`"),
        Remedy::SayWhetherSent(sheep, number) => {
            format!(
                "in Slack: `/flock sent {sheep} {number}` or `/flock send-again {sheep} {number}`"
            )
        }
    })
}
