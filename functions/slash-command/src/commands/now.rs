//! `now <sheep>`: the next line at once.

use flock_core::Usage;

use crate::{
    call::{Answer, Call, announce},
    command::{Command, Effect, Group, Run, SHEPHERD},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("now <sheep>")],
    group: Group::Flock,
    need: SHEPHERD,
    effect: Effect::Changes,
    help: "Post the next line at once; planned times stay",
    example: "now apollo",
    run: Run(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    call.not_while_stopped()?;
    let sheep = call.store().find_sheep(None, call.argument(0)).await?;
    let sheep = call.change_sheep(sheep, |sheep| sheep.post_now(call.now)).await?;
    call.hurry(&sheep).await;
    announce(format!("*{}* posts its next line now.", sheep.id))
}
