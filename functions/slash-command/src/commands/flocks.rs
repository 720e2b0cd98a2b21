//! `flocks`: the flocks there are.

use flock_core::Usage;
use flock_ops::{FlockLine, flocks};

use crate::{
    call::{Answer, Call, tell},
    command::{Command, EVERYBODY, Group, Run},
    page::List,
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("flocks"), Usage::new("flocks <page>")],
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
    let flocks = flocks(call.store()).await?;
    if flocks.is_empty() {
        return tell(format!(
            "There is no flock yet. One comes with the first files that {} applies.",
            call.operator()
        ));
    }
    Ok(List::new("flocks", call.page(0)?).of(&flocks, line))
}
