//! `resume <sheep|flock|account>`: let it go on.

use flock_core::{AccountId, JobKind, State, Usage, listed};
use flock_ops::{Noted, steer};
use flock_slack::escape;

use crate::{
    call::{Answer, Call, announce, code, refuse},
    command::{Command, Group, Run, SHEPHERD},
    commands::{Words, change_all, paid_at_once},
    event::{NAMED, sheep_on},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("resume <sheep|flock|account>")],
    group: Group::Flock,
    need: SHEPHERD,
    help: "Let it go on where it was",
    example: "resume moon/apollo",
    run: Run::Changes(|call, noted| Box::pin(run(call, noted))),
};

async fn run(call: &Call<'_>, noted: &Noted) -> Answer {
    // No name has a colon, and every account.
    if call.argument(0).contains(':') {
        return resume_account(call, noted).await;
    }
    let words = Words { job: JobKind::Resume, doing: "Resuming", done: "Resumed", hurts: None };
    change_all(call, noted, words).await
}

/// Resumes what has stopped on an account, which may accept its key by now. What somebody paused stays so.
async fn resume_account(call: &Call<'_>, noted: &Noted) -> Answer {
    /// More would take longer than Slack waits.
    const MOST: usize = 50;
    let account: AccountId = match call.argument(0).parse() {
        Ok(account) => account,
        Err(err) => return refuse(format!("{}.", escape(&err.to_string()))),
    };
    let mut stopped = sheep_on(call.store(), &account).await?;
    stopped.retain(|sheep| matches!(sheep.state, State::Stopped { .. }));
    if stopped.is_empty() {
        return refuse(format!("No sheep has stopped on `{}`.", code(&account.to_string())));
    }
    let more = stopped.len().saturating_sub(MOST);
    stopped.truncate(MOST);
    let mut resumed = Vec::new();
    for sheep in stopped {
        let steered = steer(call.store(), noted, JobKind::Resume, sheep, call.now).await?;
        if steered.is_changed && steered.sheep.next_at().is_some() {
            resumed.push(steered.sheep);
        }
    }
    if resumed.is_empty() {
        return refuse(format!("No sheep on `{}` could be resumed.", code(&account.to_string())));
    }
    let more = match more {
        0 => String::new(),
        more => format!(" {more} more have stopped there: try again for them."),
    };
    let price = paid_at_once(call, &resumed).await?;
    let names = resumed.iter().map(|sheep| format!("*{}*", sheep.id));
    announce(format!(
        "Resumed {}, on {}.{price}{more} What stops again is told in the control room.",
        listed(names, NAMED),
        escape(&account.to_string())
    ))
}
