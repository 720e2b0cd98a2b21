//! `reboot`: everything that is kept is read anew.

use flock_core::Usage;
use flock_ops::Noted;

use crate::{
    call::{Answer, Call, announce},
    command::{Command, Group, Run, SHEPHERD},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("reboot"), Usage::new("restart")],
    group: Group::System,
    need: SHEPHERD,
    help: "Drop what is kept, and read secrets anew",
    example: "reboot",
    run: Run::Changes(|call, noted| Box::pin(run(call, noted))),
};

async fn run(call: &Call<'_>, noted: &Noted) -> Answer {
    flock_ops::reboot(call.store(), noted, call.now).await?;
    // Others do it with their next event; this process has just had one.
    call.app.forget_slack_secret();
    announce(
        "Every function drops what it keeps and reads secrets anew with its next event. Settings of the \
          deployment change with a deployment alone.",
    )
}
