//! A refusal: something the person can put right, and after which nothing has changed. Exit code 2.

use flock_core::{Objection, Remedy};
use flock_ops::{Error, Refusal, each};

use crate::cli::Place;

/// A refusal as an error.
pub fn refuse(what: impl Into<String>) -> anyhow::Error {
    Error::refused(Objection::from(what.into())).into()
}

/// What is refused, with the commands that do what is to be done at `place`. `None`: it is no refusal.
pub fn refused(err: &anyhow::Error, place: &Place) -> Option<String> {
    let refusal = match err.downcast_ref() {
        Some(Error::Refused(refusal)) => Some(refusal),
        Some(Error::Failed(_)) | None => err.downcast_ref::<Refusal>(),
    };
    refusal.map(|refusal| refusal.worded(|remedy| Some(command(remedy, place))))
}

/// What has to be there before a plan can be applied, a line for each kind, with the command that does it.
pub fn missing(objections: &[Objection], place: &Place) -> Vec<String> {
    let line = |objection: &Objection| {
        let what = objection.missing()?;
        let how = each(objection.remedies(), |remedy| Some(command(remedy, place)));
        let how = how.map(|how| format!("; {how}")).unwrap_or_default();
        Some(format!("missing before it can be applied: {what}{how}"))
    };
    objections.iter().filter_map(line).collect()
}

/// How something is done at the command line: a part of a sentence.
fn command(remedy: &Remedy, place: &Place) -> String {
    let program = place.command();
    match remedy {
        Remedy::AddAccount(account) => {
            let has_app = account.network.facts().has_app;
            format!("`{}`", place.connect_account(&account.to_string(), has_app))
        }
        Remedy::RenewAccount(account) => {
            format!("`{program} account renew {account}` gives it a new key")
        }
        Remedy::ListSheep => format!("`{program} sheep list` shows them"),
        Remedy::ShowSheep(sheep) => format!("`{program} sheep show {sheep}`"),
        Remedy::ResumeSheep(sheep) => format!("`{program} sheep resume {sheep}`"),
        Remedy::SayWhetherSent(sheep, number) => {
            format!(
                "in Slack: `/flock sent {sheep} {number}` or `/flock send-again {sheep} {number}`"
            )
        }
    }
}
