//! `say <sheep> <text...>`: a text of one's own through a sheep.

use flock_core::{Usage, Usd};
use flock_ops::{Noted, price_of_saying};
use flock_slack::{Reply, nameless_mention, trim, typed};

use crate::{
    call::{Answer, Call, Obstacle, Stage, Step, Sure},
    command::{Command, Group, Run, SHEPHERD},
    commands::{account, paid_post},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("say <sheep> <text...>")],
    group: Group::Flock,
    need: SHEPHERD,
    help: "Post a text through a sheep at once; asks first where that costs",
    example: "say apollo Good evening.",
    run: Run::Changes(|call, noted| Box::pin(run(call, noted))),
};

async fn run(call: &Call<'_>, noted: &Noted) -> Answer {
    call.not_while_stopped()?;
    let sheep = call.store().find_sheep(None, call.argument(0)).await?;
    let said = call.arguments.rest().unwrap_or_default();
    if let Some(id) = nameless_mention(said) {
        return Err(Obstacle::Refused(format!(
            "Slack has told me {id} and not the name that was typed, so nothing is posted. Give it as `/flock say ...`, or write \
             the name without @ or #."
        )));
    }
    let text = typed(said);
    let text = trim(&text);
    let price = price_of_saying(call.store(), &sheep, text, call.now).await?;
    let costs = price.price != Usd::ZERO;
    if costs && call.stage == Stage::Given {
        return Ok(Step::Sure(Sure {
            text: paid_post(&sheep, &price),
            quoted: text.to_owned(),
            label: "Post it",
            command: None,
        }));
    }
    let sheep = flock_ops::say(call.store(), noted, sheep, text, call.now).await?;
    call.hurry(&sheep).await;
    let price = if costs { format!(", for {}", price.price) } else { String::new() };
    let told = format!("*{}* is going to say as {}{price}:", sheep.id, account(&sheep));
    Ok(Step::Done(Reply::everybody(told).quote(text)))
}
