//! `send-again <sheep> <number>`: a post nobody was sure of is not there.

use flock_core::{Occurrence, Sheep, Usage, View};
use flock_ops::Noted;

use crate::{
    call::{Answer, Call, Stage, Sure, announce},
    command::{Command, Group, Run, SHEPHERD},
    commands::{goes_on, occurrence},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("send-again <sheep> <number>")],
    group: Group::Flock,
    need: SHEPHERD,
    help: "Have such a post sent again; asks first",
    example: "send-again apollo 12",
    run: Run::Changes(|call, noted| Box::pin(run(call, noted))),
};

async fn run(call: &Call<'_>, noted: &Noted) -> Answer {
    let sheep = call.store().find_sheep(None, call.argument(0)).await?;
    let occurrence = occurrence(call, 1)?;
    if call.stage == Stage::Given {
        sheep.was_not_sent(occurrence, call.now)?;
        let view = call.view([&sheep]);
        return Sure::ask(risk(&sheep, occurrence, &view), "Send it again");
    }
    let sheep = flock_ops::send_again(call.store(), noted, sheep, occurrence, call.now).await?;
    call.hurry(&sheep).await;
    if sheep.next_at().is_some() {
        return announce(format!("Post {occurrence} of *{}* is sent again.", sheep.id));
    }
    let goes_on = goes_on(&sheep);
    announce(format!(
        "Post {occurrence} of *{}* is to be sent again. The sheep {goes_on}.",
        sheep.id
    ))
}

/// What may come of it. Whatever is not known is still looked for, or would be if the sheep went on.
fn risk(sheep: &Sheep, occurrence: Occurrence, view: &View) -> String {
    let looks = match sheep.next_at() {
        Some(next) => format!(
            "The look for it has not come to an end: the next one is at {}{}, and if the post is not there, \
             it is sent again by itself.",
            view.alone(next),
            view.until(next).map(|until| format!(" ({until})")).unwrap_or_default()
        ),
        None => format!("It is not looked for while the sheep is {}.", sheep.state.name()),
    };
    format!(
        "The network may have post {occurrence} of *{}* all the same, and then it is there twice. {looks}",
        sheep.id
    )
}
