//! `start`: everything again.

use flock_core::Usage;
use flock_slack::mention;
use flock_store::Write;

use crate::{
    call::{Answer, Call, announce, refuse},
    command::{Command, Effect, Group, Run, SHEPHERD},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("start")],
    group: Group::System,
    need: SHEPHERD,
    effect: Effect::Changes,
    help: "Let everything go on after a stop",
    example: "start",
    run: Run(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    match call.store().start_all().await? {
        Write::Conflict(()) => refuse("Nothing was stopped."),
        Write::Done => announce(format!(
            "{} lets everything go on. What was missed is caught up as each sheep\u{2019}s rhythm says.",
            mention(call.user())
        )),
    }
}
