//! `now <sheep>`: the next line at once.

use flock_core::{Usage, Usd};
use flock_ops::{Noted, post_now, price_of_posting_now};

use crate::{
    call::{Answer, Call, Stage, Step, Sure, announce},
    command::{Command, Group, Run, SHEPHERD},
    commands::{occurrence, paid_post},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("now <sheep>"), Usage::new("now <sheep> <number>")],
    group: Group::Flock,
    need: SHEPHERD,
    help: "Post the next line at once; asks first where that costs",
    example: "now apollo",
    run: Run::Changes(|call, noted| Box::pin(run(call, noted))),
};

async fn run(call: &Call<'_>, noted: &Noted) -> Answer {
    call.not_while_stopped()?;
    let sheep = call.store().find_sheep(None, call.argument(0)).await?;
    // A button stands for one post: pressed again, it is not another.
    let number = call.arguments.get(1).map(|_| occurrence(call, 1)).transpose()?;
    let priced = price_of_posting_now(call.store(), &sheep, number, call.now).await?;
    let priced = priced.filter(|(_, price)| price.price != Usd::ZERO);
    if let (Stage::Given, Some((next, price))) = (call.stage, &priced) {
        // What was asked about is what is posted: not the line after it, where that was made meanwhile.
        return Ok(Step::Sure(Sure {
            text: paid_post(&sheep, price),
            quoted: next.text.clone(),
            label: "Post it",
            command: Some(format!("now {} {}", sheep.id, next.occurrence)),
        }));
    }
    let sheep = post_now(call.store(), noted, sheep, number, call.now).await?;
    call.hurry(&sheep).await;
    let price = priced.map(|(_, price)| format!(", for {}", price.price)).unwrap_or_default();
    announce(format!("*{}* posts its next line now{price}.", sheep.id))
}
