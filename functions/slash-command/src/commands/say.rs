//! `say <sheep> <text...>`: a text of one's own through a sheep.

use flock_core::{Sheep, Usage};
use flock_slack::{escape, typed};

use crate::{
    call::{Answer, Call, announce},
    command::{Command, Effect, Group, Run, SHEPHERD},
    commands::not_now,
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
    let table = call.store().table_id().await?;
    let change = |sheep: &Sheep| {
        sheep.say(text.clone(), table, call.now).map_err(|why| not_now(sheep, &why))
    };
    let sheep = call.change_sheep(sheep, change).await?;
    call.hurry(&sheep).await;
    let quoted: Vec<_> = text.lines().map(|line| format!("> {}", escape(line))).collect();
    announce(format!("*{}* is going to say:\n{}", sheep.id, quoted.join("\n")))
}
