//! `account check`: whether the keys of accounts work.

use flock_core::{AccountId, Need, Usage};
use flock_ops::{Begun, Noted, begin_check};

use crate::{
    call::{Answer, Call, announce, code, refuse},
    command::{Command, Group, Run},
    commands::account::account,
    jobs::how_to_end,
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("account check"), Usage::new("account check <account>")],
    group: Group::Flock,
    need: Need::Top,
    help: "Ask the networks whether keys work, as whom, and what is left of limits; posts nothing",
    example: "account check x:milton",
    run: Run::Changes(|call, noted| Box::pin(run(call, noted))),
};

async fn run(call: &Call<'_>, noted: &Noted) -> Answer {
    let only = match call.arguments.get(0) {
        Some(_) => Some(account(call)?),
        None => None,
    };
    let whose = |id: &AccountId| format!("of `{}`", code(&id.to_string()));
    let whose = only.as_ref().map_or_else(|| "of all accounts".to_owned(), whose);
    let job = match begin_check(call.store(), noted, call.asker(), only, call.now).await? {
        Begun::New(job) => job,
        Begun::UnderWay(job) => {
            return refuse(format!(
                "The job `{}` checks the same right now; {}.",
                job.id,
                how_to_end(&job.id)
            ));
        }
    };
    call.hurry_job(&job.id).await;
    announce(format!(
        "Asking the networks about the keys {whose}, as job `{}`; it costs nothing. I tell you here what they say; {}.",
        job.id,
        how_to_end(&job.id)
    ))
}
