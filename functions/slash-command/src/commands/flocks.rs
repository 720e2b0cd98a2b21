//! `flocks`: the flocks there are.

use flock_core::Usage;
use flock_ops::{FlockLine, flocks};

use crate::{
    call::{Answer, Call, tell},
    command::{Command, EVERYBODY, Group, Run},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("flocks")],
    group: Group::Flock,
    need: EVERYBODY,
    help: "The flocks, and how many of their sheep post",
    example: "flocks",
    run: Run::Reads(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    let line = |FlockLine { flock, sheep, active }: &FlockLine| {
        let silent = match sheep.saturating_sub(*active) {
            0 => String::new(),
            silent => format!(", {silent} of them paused, stopped or finished"),
        };
        format!("*{flock}*: {sheep} sheep{silent}")
    };
    let lines: Vec<_> = flocks(call.store()).await?.iter().map(line).collect();
    if lines.is_empty() {
        return tell("There is no flock yet. One comes with the first files that are applied.");
    }
    tell(lines.join("\n"))
}
