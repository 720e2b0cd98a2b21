//! `spend`: what flocks have spent this month, and what it will be.

use flock_core::Usage;
use flock_ops::Standing;
use flock_slack::escape;

use crate::{
    call::{Answer, Call, tell},
    command::{Command, EVERYBODY, Group, Run},
    commands::flock_or_page,
    page::List,
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("spend"), Usage::new("spend <flock>"), Usage::new("spend <page>")],
    group: Group::Flock,
    need: EVERYBODY,
    help: "What flocks spend this month",
    example: "spend moon",
    run: Run::Reads(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    /// Flocks on a page.
    const FLOCKS: usize = 5;
    let (flock, page) = flock_or_page(call)?;
    let standings = flock_ops::spend(call.store(), flock.as_ref(), call.now).await?;
    if standings.is_empty() {
        return tell("No flock pays for anything.");
    }
    let line = |standing: &Standing| format!("```\n{}\n```", escape(&standing.to_string()));
    Ok(List::new("spend", page).a_page_of(FLOCKS).of(&standings, line))
}
