//! `say <sheep> <text...>`: a text of one's own through a sheep.

use flock_core::Usage;
use flock_ops::Noted;
use flock_slack::{escape, typed};

use crate::{
    call::{Answer, Call, announce},
    command::{Command, Group, Run, SHEPHERD},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("say <sheep> <text...>")],
    group: Group::Flock,
    need: SHEPHERD,
    help: "Post a text through a sheep at once",
    example: "say apollo Good evening.",
    run: Run::Changes(|call, noted| Box::pin(run(call, noted))),
};

async fn run(call: &Call<'_>, noted: &Noted) -> Answer {
    call.not_while_stopped()?;
    let sheep = call.store().find_sheep(None, call.argument(0)).await?;
    let text = typed(call.arguments.rest().unwrap_or_default());
    let sheep = flock_ops::say(call.store(), noted, sheep, &text, call.now).await?;
    call.hurry(&sheep).await;
    let quoted: Vec<_> = text.lines().map(|line| format!("> {}", escape(line))).collect();
    announce(format!("*{}* is going to say:\n{}", sheep.id, quoted.join("\n")))
}
