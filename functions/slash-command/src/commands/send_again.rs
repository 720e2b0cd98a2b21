//! `send-again <sheep> <number>`: a post nobody was sure of is not there.

use flock_core::Usage;

use crate::{
    call::{Answer, Call, announce},
    command::{Command, Effect, Group, Run, SHEPHERD},
    commands::occurrence,
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("send-again <sheep> <number>")],
    group: Group::Flock,
    need: SHEPHERD,
    effect: Effect::Changes,
    help: "Say that a post nobody was sure of is not there: it is sent again",
    example: "send-again apollo 12",
    run: Run(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    let sheep = call.store().find_sheep(None, call.argument(0)).await?;
    let occurrence = occurrence(call, 1)?;
    let sheep = call.change_sheep(sheep, |sheep| sheep.was_not_sent(occurrence, call.now)).await?;
    call.hurry(&sheep).await;
    announce(format!("Post {occurrence} of *{}* is sent again.", sheep.id))
}
