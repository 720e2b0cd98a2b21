//! `spend`: what flocks have spent this month, and what it will be.

use flock_core::Usage;
use flock_slack::escape;

use crate::{
    call::{Answer, Call, tell},
    command::{Command, EVERYBODY, Group, Run},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("spend"), Usage::new("spend <flock>")],
    group: Group::Flock,
    need: EVERYBODY,
    help: "What flocks have spent this month, and what it will be",
    example: "spend moon",
    run: Run::Reads(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    let flock = call.arguments.get(0).map(|_| call.flock(0)).transpose()?;
    let standings = flock_ops::spend(call.store(), flock.as_ref(), call.now).await?;
    if standings.is_empty() {
        return tell("No flock pays for anything.");
    }
    let pages: Vec<_> = standings.iter().map(ToString::to_string).collect();
    tell(format!("```\n{}\n```", escape(&pages.join("\n\n"))))
}
