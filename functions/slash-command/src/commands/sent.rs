//! `sent <sheep> <number>`: a post nobody was sure of is there.

use flock_core::Usage;
use flock_ops::{CountsAsSent, Noted};
use flock_slack::escape;

use crate::{
    call::{Answer, Call, announce},
    command::{Command, Group, Run, SHEPHERD},
    commands::{goes_on, occurrence},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("sent <sheep> <number>")],
    group: Group::Flock,
    need: SHEPHERD,
    help: "Say that a post nobody was sure of is on its network",
    example: "sent apollo 12",
    run: Run::Changes(|call, noted| Box::pin(run(call, noted))),
};

async fn run(call: &Call<'_>, noted: &Noted) -> Answer {
    let sheep = call.store().find_sheep(None, call.argument(0)).await?;
    let occurrence = occurrence(call, 1)?;
    let CountsAsSent { sheep, instead } =
        flock_ops::sent(call.store(), noted, sheep, occurrence, call.now).await?;
    if let Some((free, other)) = instead {
        tracing::error!(sheep = %sheep.id, occurrence = occurrence.0, "not recorded: {other}");
        return announce(format!(
            "Post {occurrence} of *{}* counts as sent, but it is not in the list of posts, where {}. Its next \
             number is {free}, and the sheep {}.",
            sheep.id,
            escape(&other),
            goes_on(&sheep)
        ));
    }
    announce(format!(
        "Post {occurrence} of *{}* counts as sent, and the sheep {}.",
        sheep.id,
        goes_on(&sheep)
    ))
}
