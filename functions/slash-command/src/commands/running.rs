//! `running`: what is in flight.

use flock_core::Usage;
use flock_slack::{mention, typed};

use crate::{
    call::{Answer, Call, code, tell},
    command::{Command, EVERYBODY, Effect, Group, Run},
    commands::time,
    dispatch::room_link,
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("running"), Usage::new("rc"), Usage::new("running commands")],
    group: Group::System,
    need: EVERYBODY,
    effect: Effect::Reads,
    help: "What is in flight: posts being made, commands that take longer",
    example: "running",
    run: Run(|call| Box::pin(run(call))),
};

/// Due sheep that are looked at: those in flight are the longest due.
const SHEEP: u16 = 100;

async fn run(call: &Call<'_>) -> Answer {
    let mut lines = Vec::new();
    for asked in call.store().all_deferred(call.now).await? {
        lines.push(format!(
            "`{}`, asked by {} in {} at {}",
            code(&typed(&asked.line)),
            mention(&asked.user),
            room_link(&asked.room),
            time(asked.since)
        ));
    }
    for sheep in call.store().due_now(call.now, SHEEP).await? {
        let leased = sheep.lease_until.filter(|until| call.now < *until);
        if let (Some(until), Some(intent)) = (leased, &sheep.intent) {
            lines.push(format!(
                "*{}* is making its post {}, due since {}; its lease ends at {}",
                sheep.id,
                intent.occurrence,
                time(intent.at),
                time(until)
            ));
        }
    }
    if lines.is_empty() {
        return tell("Nothing is in flight.");
    }
    tell(lines.join("\n"))
}
