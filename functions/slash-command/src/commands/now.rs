//! `now <sheep>`: the next line at once.

use flock_core::{Sheep, Usage};

use crate::{
    call::{Answer, Call, announce},
    command::{Command, Effect, Group, Run, SHEPHERD},
    commands::{not_now, occurrence},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("now <sheep>"), Usage::new("now <sheep> <number>")],
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
    // A button stands for one post: pressed again, it is not another.
    let number = call.arguments.get(1).map(|_| occurrence(call, 1)).transpose()?;
    let change =
        |sheep: &Sheep| sheep.post_now(number, call.now).map_err(|why| not_now(sheep, &why));
    let sheep = call.change_sheep(sheep, change).await?;
    call.hurry(&sheep).await;
    announce(format!("*{}* posts its next line now.", sheep.id))
}
