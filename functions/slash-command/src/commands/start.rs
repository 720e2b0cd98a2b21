//! `start`: everything again.

use flock_core::{Usage, WHILE_STOPPED};
use flock_ops::Noted;
use flock_slack::mention;

use crate::{
    call::{Answer, Call, announce, refuse},
    command::{Command, Group, Run, SHEPHERD},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("start")],
    group: Group::System,
    need: SHEPHERD,
    help: "Let everything go on after a stop",
    example: "start",
    run: Run::Changes(|call, noted| Box::pin(run(call, noted))),
};

async fn run(call: &Call<'_>, noted: &Noted) -> Answer {
    if !flock_ops::start(call.store(), noted).await? {
        return refuse("Nothing was stopped.");
    }
    announce(format!("{} lets everything go on. {WHILE_STOPPED}", mention(call.user())))
}
