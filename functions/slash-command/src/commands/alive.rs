//! `alive`: whether anybody is there, and whether anything is at work.

use flock_core::{Overdue, Sheep, State, Usage, View, listed};

use crate::{
    call::{Answer, Call, NOT_ALL, tell, who},
    command::{Command, EVERYBODY, Group, Run},
    event::NAMED,
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("alive"), Usage::new("status")],
    group: Group::About,
    need: EVERYBODY,
    help: "Whether I am there, or all is stopped",
    example: "alive",
    run: Run::Reads(|call| Box::pin(run(call))),
};

/// Due sheep that are looked at; the longest due come first, after jobs.
const DUE: u16 = 10;

async fn run(call: &Call<'_>) -> Answer {
    let mut but = Vec::new();
    let (sheep, is_all) = call.some_sheep().await?;
    let view = call.view(&sheep);
    match &call.control.stopped {
        Some(stop) => but.push(format!(
            "everything is stopped: {} did that at {}. `/flock start` lets it go on.",
            who(&stop.by),
            view.alone(stop.at)
        )),
        None => but.extend(overdue(call, &call.store().due_now(call.now, DUE).await?.sheep, &view)),
    }
    but.extend(silent(&sheep, is_all));
    let mut told = match but.as_slice() {
        [] => "Yes.".to_owned(),
        [but] => format!("Yes, but {but}"),
        several => format!("Yes, but\n• {}", several.join("\n• ")),
    };
    if !is_all {
        told = format!("{told}\n{NOT_ALL}");
    }
    tell(told)
}

/// That nothing sees to what is due: then its schedule is off, or every tick fails.
pub(super) fn overdue(call: &Call<'_>, sheep: &[Sheep], view: &View) -> Option<String> {
    let overdue = Overdue::of(sheep, call.now)?;
    let said = overdue.said(format!("*{}*", overdue.sheep.id), view.alone(overdue.since));
    Some(format!(
        "{said}. The schedule of `sheep-tick` may be off, or it fails; its log says why. That is for {} to see to.",
        call.operator()
    ))
}

/// The sheep that have stopped, and whether any other posts.
fn silent(sheep: &[Sheep], is_all: bool) -> Option<String> {
    let stopped = sheep.iter().filter(|sheep| matches!(sheep.state, State::Stopped { .. }));
    let stopped: Vec<_> = stopped.map(|sheep| sheep.id.to_string()).collect();
    // Of the others nobody knows.
    let posts = !is_all || sheep.iter().any(|sheep| sheep.next_at().is_some());
    let stopped = match stopped.as_slice() {
        [] => None,
        [one] => Some(format!("*{one}* has stopped; `/flock show {one}` tells why")),
        several => {
            let names: Vec<_> = several.iter().map(|id| format!("*{id}*")).collect();
            Some(format!("{} have stopped; `/flock sheep` tells why", listed(names, NAMED)))
        }
    };
    match stopped {
        Some(stopped) if posts => Some(format!("{stopped}.")),
        Some(stopped) => Some(format!("no sheep posts: {stopped}.")),
        None if posts || sheep.is_empty() => None,
        None => Some("no sheep posts: all are paused or have finished.".to_owned()),
    }
}
