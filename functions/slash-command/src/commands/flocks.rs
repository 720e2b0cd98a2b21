//! `flocks`: the flocks there are.

use flock_core::Usage;

use crate::{
    call::{Answer, Call, tell},
    command::{Command, EVERYBODY, Effect, Group, Run},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("flocks")],
    group: Group::Flock,
    need: EVERYBODY,
    effect: Effect::Reads,
    help: "The flocks, and how many of their sheep post",
    example: "flocks",
    run: Run(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    let mut lines = Vec::new();
    for flock in call.store().flocks().await? {
        let sheep = call.store().sheep_of_flock(&flock).await?;
        let silent = sheep.iter().filter(|sheep| sheep.next_at().is_none()).count();
        let silent = match silent {
            0 => String::new(),
            silent => format!(", {silent} of them paused, stopped or finished"),
        };
        lines.push(format!("*{flock}*: {} sheep{silent}", sheep.len()));
    }
    if lines.is_empty() {
        return tell("There is no flock yet. `flockwork flock apply` makes one.");
    }
    tell(lines.join("\n"))
}
