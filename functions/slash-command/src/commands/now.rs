//! `now <sheep>`: the next line at once.

use flock_core::Usage;
use flock_ops::{Noted, post_now};

use crate::{
    call::{Answer, Call, announce},
    command::{Command, Group, Run, SHEPHERD},
    commands::occurrence,
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("now <sheep>"), Usage::new("now <sheep> <number>")],
    group: Group::Flock,
    need: SHEPHERD,
    help: "Post the next line at once; planned times stay",
    example: "now apollo",
    run: Run::Changes(|call, noted| Box::pin(run(call, noted))),
};

async fn run(call: &Call<'_>, noted: &Noted) -> Answer {
    call.not_while_stopped()?;
    let sheep = call.store().find_sheep(None, call.argument(0)).await?;
    // A button stands for one post: pressed again, it is not another.
    let number = call.arguments.get(1).map(|_| occurrence(call, 1)).transpose()?;
    let sheep = post_now(call.store(), noted, sheep, number, call.now).await?;
    call.hurry(&sheep).await;
    announce(format!("*{}* posts its next line now.", sheep.id))
}
