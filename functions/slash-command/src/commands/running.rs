//! `running`: what is in flight.

use flock_core::Usage;
use flock_slack::{mention, typed};

use crate::{
    call::{Answer, Call, code, tell},
    command::{Command, EVERYBODY, Group, Run},
    commands::{Parsed, parse, time},
    dispatch::room_link,
    jobs,
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("running"), Usage::new("rc"), Usage::new("running commands")],
    group: Group::System,
    need: EVERYBODY,
    help: "What is in flight: jobs and how far they are, posts being made, commands that take longer",
    example: "running",
    run: Run::Reads(|call| Box::pin(run(call))),
};

/// Due sheep that are looked at: those in flight are the longest due.
const SHEEP: u16 = 100;

async fn run(call: &Call<'_>) -> Answer {
    let mut lines = Vec::new();
    for asked in call.store().all_deferred(call.now).await? {
        // In which words, is the business of the room where it was asked.
        let line = typed(&asked.line);
        let line = match parse(&line) {
            Parsed::Run(command, _) if asked.room != call.asked.room => command.name(),
            Parsed::Run(..) | Parsed::Usage(_) | Parsed::Unknown(_) => line,
        };
        lines.push(format!(
            "`{}`, asked by {} in {} at {}",
            code(&line),
            mention(&asked.user),
            room_link(&asked.room),
            time(asked.since)
        ));
    }
    let due = call.store().due_now(call.now, SHEEP).await?;
    lines.extend(due.jobs.iter().map(jobs::progress));
    for sheep in due.sheep {
        let leased = sheep.intent.as_ref().filter(|intent| intent.errand.is_leased(call.now));
        let lease = leased.and_then(|intent| intent.errand.lease_until);
        if let (Some(until), Some(intent)) = (lease, leased) {
            lines.push(format!(
                "*{}* is making its post {}, due since {}; its lease ends at {}",
                sheep.id,
                intent.occurrence,
                time(intent.errand.due),
                time(until)
            ));
        }
    }
    if lines.is_empty() {
        return tell("Nothing is in flight.");
    }
    tell(lines.join("\n"))
}
