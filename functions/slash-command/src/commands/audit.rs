//! `audit`: who changed what.

use flock_core::{Usage, View};
use flock_slack::{escape, typed};
use flock_store::{AuditEntry, By};

use crate::{
    call::{Answer, Call, code, tell, who},
    command::{Command, Group, Run, SHEPHERD},
    commands::{Parsed, parse},
    page::{LINES, List},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("audit"), Usage::new("audit <count>"), Usage::new("audit <count> <page>")],
    group: Group::Audit,
    need: SHEPHERD,
    help: "Who changed what, where and when",
    example: "audit 50",
    run: Run::Reads(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    /// How many entries are looked at for each that is shown.
    const LOOKED_AT: usize = 10;
    /// As many as may be asked for.
    const ALL: usize = 100;
    let (count, page) = (call.count(0, ALL)?, call.page(1)?);
    // What comes on later pages is read when they are asked for.
    let shown = count.min(page.saturating_mul(LINES).saturating_add(1));
    let mut entries = call.store().newest_audit(call.now, LOOKED_AT * shown).await?;
    // What another room does about its members is that room's business.
    let here = |entry: &AuditEntry| match (&entry.by, parse(&entry.line)) {
        (By::Slack { room, .. }, Parsed::Run(command, _)) if command.group == Group::Rooms => {
            *room == call.asked.room
        }
        (By::Slack { .. } | By::CommandLine { .. }, _) => true,
    };
    entries.retain(here);
    entries.truncate(shown);
    if entries.is_empty() {
        return tell("Nobody has changed anything yet that is this room's business.");
    }
    let view = View::utc(call.now);
    let line = |entry: &AuditEntry| {
        let outcome = entry.outcome.as_deref().unwrap_or("cut off; part of it may be done");
        let who = who(&entry.by);
        // What was said elsewhere is in no form of Slack's.
        let outcome = match &entry.by {
            By::Slack { .. } => outcome.to_owned(),
            By::CommandLine { .. } => escape(outcome),
        };
        format!(
            "{} {who}: `{}` - {}",
            view.clock(entry.at),
            code(&typed(&entry.line)),
            outcome.replace(char::is_control, " ")
        )
    };
    let list = List::new(format!("audit {count}"), page).times(&view);
    Ok(list.newest(&entries, line))
}
