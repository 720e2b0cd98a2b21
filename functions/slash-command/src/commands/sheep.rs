//! `sheep`: the sheep there are.

use flock_core::{Sheep, State, Usage};
use flock_slack::escape;

use crate::{
    call::{Answer, Call, tell},
    command::{Command, EVERYBODY, Group, Run},
    commands::local,
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("sheep"), Usage::new("sheep <flock>")],
    group: Group::Flock,
    need: EVERYBODY,
    help: "The sheep, and when each posts next",
    example: "sheep milton",
    run: Run::Reads(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    /// A screen or twenty; whoever wants more names a flock, or uses the terminal.
    const MOST: usize = 500;
    let sheep = match call.arguments.get(0) {
        None => call.store().sheep_of(None).await?,
        Some(_) => call.store().sheep_of(Some(&call.flock(0)?)).await?,
    };
    if sheep.is_empty() {
        return tell("There are no sheep.");
    }
    let mut lines: Vec<_> = sheep.iter().take(MOST).map(line).collect();
    if let Some(more @ 1..) = sheep.len().checked_sub(MOST) {
        lines.push(format!("and {more} more: name a flock; the command line lists all."));
    }
    tell(lines.join("\n"))
}

fn line(sheep: &Sheep) -> String {
    let zone = sheep.config.rhythm.zone();
    let state = match (&sheep.state, sheep.next_at()) {
        (State::Active, Some(next)) => format!("next {}", local(next, zone)),
        (state, _) => state.name().to_owned(),
    };
    let problem = sheep.problem().map(|why| format!(": {}", escape(why))).unwrap_or_default();
    format!("*{}* on {}, {state}{problem}", sheep.id, escape(&sheep.config.account.to_string()))
}
