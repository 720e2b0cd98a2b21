//! `say <sheep> <text...>`: a text of one's own through a sheep.

use flock_core::{Sheep, Usage, Usd};
use flock_ops::{Noted, Price, price_of_saying};
use flock_slack::{escape, nameless_mention, trim, typed};

use crate::{
    call::{Answer, Call, Obstacle, Stage, Step, announce},
    command::{Command, Group, Run, SHEPHERD},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("say <sheep> <text...>")],
    group: Group::Flock,
    need: SHEPHERD,
    help: "Post a text through a sheep at once; asks first where that costs something",
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
        return Ok(Step::Sure { text: question(&sheep, text, &price), label: "Post it" });
    }
    let sheep = flock_ops::say(call.store(), noted, sheep, text, call.now).await?;
    call.hurry(&sheep).await;
    let price = if costs { format!(", for {}", price.price) } else { String::new() };
    announce(format!(
        "*{}* is going to say as {}{price}:\n{}",
        sheep.id,
        account(&sheep),
        quoted(text)
    ))
}

/// What is posted, where, and at which price.
fn question(sheep: &Sheep, text: &str, price: &Price) -> String {
    let Price { price, link, budget } = price;
    let link = if *link { ", because it has a link" } else { "" };
    let budget = budget.as_ref().map(|budget| {
        let waits = if budget.is_passed_by(*price) {
            ", so the post would wait until the month is over, or until `monthly_cap` is raised and applied"
        } else {
            ""
        };
        let (spent, cap, month) = (budget.spent, budget.cap, budget.month);
        let flock = &sheep.id.flock;
        format!("\nThe flock *{flock}* has spent {spent} of the {cap} it may spend in {month}{waits}.")
    });
    format!(
        "This posts through *{}* as {}, for {price}{link}:\n{}{}",
        sheep.id,
        account(sheep),
        quoted(text),
        budget.unwrap_or_default()
    )
}

fn account(sheep: &Sheep) -> String {
    // As code, because `meadow:moon:` would be shown with an emoji in it.
    format!("`{}`", escape(&sheep.config.account.to_string()))
}

fn quoted(text: &str) -> String {
    text.lines().map(|line| format!("> {}", escape(line))).collect::<Vec<_>>().join("\n")
}
