//! `audit`: who changed what.

use flock_core::Usage;
use flock_slack::{mention, typed};

use crate::{
    call::{Answer, Call, code, tell},
    command::{Command, Effect, Group, Run, SHEPHERD},
    commands::time,
    dispatch::room_link,
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("audit"), Usage::new("audit <count>")],
    group: Group::Audit,
    need: SHEPHERD,
    effect: Effect::Reads,
    help: "Who changed what, where and when",
    example: "audit 50",
    run: Run(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    let entries = call.store().newest_audit(call.now, call.count(0, 20)?).await?;
    if entries.is_empty() {
        return tell("Nobody has changed anything from Slack yet.");
    }
    let lines: Vec<_> = entries
        .iter()
        .map(|entry| {
            let outcome = entry.outcome.as_deref().unwrap_or("cut off; part of it may be done");
            format!(
                "{} {} in {}: `{}` - {outcome}",
                time(entry.at),
                mention(&entry.user),
                room_link(&entry.room),
                code(&typed(&entry.line))
            )
        })
        .collect();
    tell(lines.join("\n"))
}
