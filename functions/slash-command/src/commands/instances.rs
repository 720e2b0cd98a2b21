//! `instances`: the processes at work.

use flock_core::Usage;
use flock_slack::escape;

use crate::{
    call::{Answer, Call, tell},
    command::{Command, EVERYBODY, Group, Run},
    commands::time,
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("instances")],
    group: Group::System,
    need: EVERYBODY,
    help: "The processes that were at work in the last half hour",
    example: "instances",
    run: Run::Reads(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    let instances = call.store().instances(call.now).await?;
    let lines: Vec<_> = instances
        .iter()
        .map(|instance| {
            format!(
                "*{}* {} (version {}), started {}, last noted {}",
                escape(&instance.function),
                escape(&instance.id),
                escape(&instance.version),
                time(instance.since),
                time(instance.seen)
            )
        })
        .collect();
    if lines.is_empty() {
        return tell("None has noted itself yet.");
    }
    tell(lines.join("\n"))
}
