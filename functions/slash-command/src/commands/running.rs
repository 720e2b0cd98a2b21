//! `running`: what is in flight, and what waits.

use std::collections::BTreeMap;

use flock_core::{Intent, Sheep, Usage, View};
use flock_slack::{escape, mention, typed};

use crate::{
    call::{Answer, Call, NOT_ALL, code, tell},
    command::{Command, EVERYBODY, Group, Run},
    commands::{Parsed, parse},
    dispatch::room_link,
    jobs,
    page::List,
};

pub(super) const COMMAND: Command = Command {
    usages: &[
        Usage::new("running"),
        Usage::new("rc"),
        Usage::new("running commands"),
        Usage::new("running <page>"),
    ],
    group: Group::System,
    need: EVERYBODY,
    help: "Jobs, posts and commands that are under way",
    example: "running",
    run: Run::Reads(|call| Box::pin(run(call))),
};

/// Due sheep that are looked at: those in flight are the longest due.
const DUE: u16 = 100;

async fn run(call: &Call<'_>) -> Answer {
    let deferred = call.store().all_deferred(call.now).await?;
    let due = call.store().due_now(call.now, DUE).await?;
    // What waits is not due.
    let (some, is_all) = call.some_sheep().await?;
    let sheep: BTreeMap<_, _> =
        some.into_iter().chain(due.sheep).map(|sheep| (sheep.id.clone(), sheep)).collect();
    let mut open: Vec<_> =
        sheep.values().filter_map(|sheep| Some((sheep, sheep.intent.as_ref()?))).collect();
    open.sort_by_key(|(_, intent)| intent.errand.due);
    let view = call.view(open.iter().map(|(sheep, _)| *sheep));
    let mut lines = Vec::new();
    for asked in deferred {
        // In which words, is the business of the room where it was asked.
        let line = typed(&asked.line);
        let line = match parse(&line) {
            Parsed::Run(command, _) if asked.room != call.asked.room => command.name(),
            Parsed::Run(..) | Parsed::Usage(_) | Parsed::Unknown(_) => line,
        };
        lines.push(format!(
            "`{}`, asked by {} in {} at {}",
            code(&line),
            mention(&asked.user),
            room_link(&asked.room),
            view.clock(asked.since)
        ));
    }
    lines.extend(due.jobs.iter().map(|job| jobs::progress(job, &view)));
    lines.extend(open.iter().map(|(sheep, intent)| post(sheep, intent, call, &view)));
    let not_all = (!is_all).then(|| NOT_ALL.to_owned());
    if lines.is_empty() {
        let nothing = ["Nothing is in flight.".to_owned()].into_iter().chain(not_all);
        return tell(nothing.collect::<Vec<_>>().join("\n"));
    }
    let list = List::new("running", call.page(0)?).above(not_all).times(&view);
    Ok(list.of(&lines, Clone::clone))
}

/// How far a post is that a sheep has begun.
fn post(sheep: &Sheep, intent: &Intent, call: &Call<'_>, view: &View) -> String {
    let (id, number, errand) = (&sheep.id, intent.occurrence, &intent.errand);
    let due = view.clock(errand.due);
    if let Some(until) = errand.lease_until.filter(|_| errand.is_leased(call.now)) {
        let until = view.to_come(until);
        return format!(
            "*{id}* is making its post {number}, due since {due}; its lease ends at {until}"
        );
    }
    let why = errand.problem.as_ref().map(|why| format!(": {}", escape(why))).unwrap_or_default();
    let next = match sheep.next_at() {
        Some(at) => format!("the next try is at {}", view.to_come(at)),
        None => format!("it is {}", sheep.state.name()),
    };
    let how = if errand.is_unknown(call.now) {
        "nobody knows whether it was made"
    } else if errand.attempts == 0 {
        "it is about to be made"
    } else {
        "it waits"
    };
    format!("*{id}* has its post {number} open, due since {due}: {how}{why}; {next}")
}
