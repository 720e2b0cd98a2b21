//! `audit`: who changed what.

use flock_core::Usage;
use flock_slack::{escape, mention, typed};
use flock_store::{AuditEntry, By};

use crate::{
    call::{Answer, Call, code, tell},
    command::{Command, Group, Run, SHEPHERD},
    commands::{Parsed, parse, time},
    dispatch::room_link,
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("audit"), Usage::new("audit <count>")],
    group: Group::Audit,
    need: SHEPHERD,
    help: "Who changed what, where and when",
    example: "audit 50",
    run: Run::Reads(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    /// How many entries are looked at for each that is shown.
    const LOOKED_AT: usize = 10;
    let count = call.count(0, 20)?;
    let mut entries = call.store().newest_audit(call.now, LOOKED_AT * count).await?;
    // What another room does about its members is that room's business.
    let here = |entry: &AuditEntry| match (&entry.by, parse(&entry.line)) {
        (By::Slack { room, .. }, Parsed::Run(command, _)) if command.group == Group::Rooms => {
            *room == call.asked.room
        }
        (By::Slack { .. } | By::CommandLine { .. }, _) => true,
    };
    entries.retain(here);
    entries.truncate(count);
    if entries.is_empty() {
        return tell("Nobody has changed anything yet that is this room's business.");
    }
    let lines: Vec<_> = entries
        .iter()
        .map(|entry| {
            let outcome = entry.outcome.as_deref().unwrap_or("cut off; part of it may be done");
            let who = match &entry.by {
                By::Slack { user, room } => format!("{} in {}", mention(user), room_link(room)),
                By::CommandLine { user, arn } => {
                    let arn = arn.as_ref().map(|arn| format!(" ({arn})")).unwrap_or_default();
                    let who = format!("{user} at the command line{arn}");
                    escape(&who.replace(char::is_control, " "))
                }
            };
            // What was said elsewhere is in no form of Slack's.
            let outcome = match &entry.by {
                By::Slack { .. } => outcome.to_owned(),
                By::CommandLine { .. } => escape(outcome),
            };
            format!(
                "{} {who}: `{}` - {}",
                time(entry.at),
                code(&typed(&entry.line)),
                outcome.replace(char::is_control, " ")
            )
        })
        .collect();
    tell(lines.join("\n"))
}
