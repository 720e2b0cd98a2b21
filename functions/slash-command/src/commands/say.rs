//! `say <sheep> <text...>`: a text of one's own through a sheep.

use flock_core::Usage;
use flock_slack::{escape, typed};

use crate::{
    call::{Answer, Call, announce},
    command::{Command, Effect, Group, Run, SHEPHERD},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("say <sheep> <text...>")],
    group: Group::Flock,
    need: SHEPHERD,
    effect: Effect::Changes,
    help: "Post a text through a sheep at once",
    example: "say apollo Good evening.",
    run: Run(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    call.not_while_stopped()?;
    let sheep = call.store().find_sheep(None, call.argument(0)).await?;
    let text = typed(call.arguments.rest().unwrap_or_default());
    let sheep = call.change_sheep(sheep, |sheep| sheep.say(text.clone(), call.now)).await?;
    call.hurry(&sheep).await;
    announce(format!("*{}* says: {}", sheep.id, escape(&text)))
}
