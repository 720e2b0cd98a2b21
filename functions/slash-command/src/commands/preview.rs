//! `preview <sheep|flock>`: what will be posted.

use flock_core::{Hindrance, Usage, View};
use flock_ops::silent;
use flock_slack::escape;
use flock_store::{Found, UpcomingPost};

use crate::{
    call::{Answer, Call},
    command::{Command, EVERYBODY, Group, Run},
    commands::{alive::overdue, local},
    page::List,
};

pub(super) const COMMAND: Command = Command {
    usages: &[
        Usage::new("preview <sheep|flock>"),
        Usage::new("preview <sheep|flock> <count>"),
        Usage::new("preview <sheep|flock> <count> <page>"),
    ],
    group: Group::Flock,
    need: EVERYBODY,
    help: "The next posts, before they are made",
    example: "preview apollo 5",
    run: Run::Reads(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    let count = call.count(1, 10)?;
    let sheep = match call.store().find(call.argument(0)).await? {
        Found::Sheep(sheep) => vec![*sheep],
        Found::Flock(_, sheep) => sheep,
    };
    let posts = call.store().upcoming(&sheep, call.now, count).await?;
    let line = |post: &UpcomingPost| {
        format!(
            "{} *{}* {}",
            local(post.at, &post.zone),
            post.sheep,
            escape(&post.text.replace('\n', " ↵ "))
        )
    };
    let mut lines: Vec<_> = posts.iter().map(line).collect();
    let hindrances = Hindrance::of(&sheep).into_iter().filter(|hindrance| !hindrance.is_stopped);
    let hindrances = hindrances.map(|hindrance| hindrance.to_string());
    lines.extend(silent(&sheep).into_iter().chain(hindrances).map(|line| escape(&line)));
    // That everything is stopped is said with every answer.
    if call.control.stopped.is_none() {
        let overdue = overdue(call, &sheep, &View::of(&sheep, call.now));
        lines.extend(overdue.map(|said| said.replacen('n', "N", 1)));
    }
    let command = format!("preview {} {count}", call.argument(0));
    Ok(List::new(command, call.page(2)?).of(&lines, Clone::clone))
}
