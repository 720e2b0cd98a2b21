//! `show <sheep>`: everything about one sheep.

use flock_core::{State, Usage, count, one_line, quoted};
use flock_slack::{Button, Reply, Span};
use flock_store::Aside;

use crate::{
    call::{Answer, Call, Step},
    command::{Command, EVERYBODY, Group, Run},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("show <sheep>")],
    group: Group::Flock,
    need: EVERYBODY,
    help: "Everything about a sheep, with buttons",
    example: "show apollo",
    run: Run::Reads(|call| Box::pin(run(call))),
};

/// So many texts that were set aside are shown.
const ASIDES: usize = 5;

async fn run(call: &Call<'_>) -> Answer {
    let sheep = call.store().find_sheep(None, call.argument(0)).await?;
    let view = call.view([&sheep]);
    let behaviour = &sheep.config.behaviour;
    let mut rows = vec![
        ("account", sheep.config.account.to_string()),
        ("behaviour", behaviour.describe()),
        ("rhythm", sheep.config.rhythm.to_string()),
        ("state", sheep.state.name().to_owned()),
    ];
    rows.extend(sheep.problem().map(|why| ("problem", one_line(why))));
    rows.extend(sheep.next_at().map(|at| ("next post", view.to_come(at))));
    let next = behaviour.position(sheep.progress.cursor);
    let next = format!("{next}, as post {}", sheep.progress.occurrence);
    let unit = format!("next {}", behaviour.unit());
    rows.push((&unit, next));
    if 0 < sheep.progress.missed {
        rows.push(("missed", format!("{}, in outages", count(sheep.progress.missed, "post"))));
    }
    if let Some(intent) = &sheep.intent {
        let act = quoted(&intent.errand.work.act.to_string());
        rows.push(("being posted", format!("{}: {act}", intent.occurrence)));
    }
    let asides = call.store().newest_asides(&sheep.id, ASIDES + 1).await?;
    for Aside { occurrence, text, why, .. } in asides.iter().take(ASIDES) {
        rows.push(("set aside", format!("{occurrence}, \"{}\": {}", quoted(text), one_line(why))));
    }
    if ASIDES < asides.len() {
        rows.push(("set aside", "and older ones".to_owned()));
    }
    let mut lines: Vec<_> = rows
        .into_iter()
        .map(|(name, value)| vec![Span::Text(format!("{name}: {value}"))])
        .collect();
    lines.extend(sheep.next_at().map(|_| vec![Span::Text(view.times())]));
    let id = sheep.id.to_string();
    let mut reply = Reply::only_you(format!("*{id}*")).lines(lines);
    match &sheep.state {
        State::Active => {
            reply = reply
                .button(Button::new(
                    "Post now",
                    "now",
                    format!("{id} {}", sheep.progress.occurrence),
                ))
                .button(Button::new("Pause", "pause", id.clone()));
        }
        State::Paused { .. } | State::Stopped { .. } => {
            reply = reply.button(Button::new("Resume", "resume", id.clone()));
        }
        State::Finished { .. } => {}
    }
    if let Some(intent) = sheep.unknown(call.now) {
        let value = format!("{id} {}", intent.occurrence);
        reply = reply.button(Button::new("Sent", "sent", value.clone())).button(Button::new(
            "Send again",
            "send-again",
            value,
        ));
    }
    Ok(Step::Done(reply))
}
