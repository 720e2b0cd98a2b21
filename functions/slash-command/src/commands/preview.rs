//! `preview <sheep|flock>`: what will be posted.

use flock_core::Usage;
use flock_slack::escape;
use flock_store::{Found, UpcomingPost};

use crate::{
    call::{Answer, Call},
    command::{Command, EVERYBODY, Group, Run},
    commands::local,
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
    let silent = sheep.iter().filter(|sheep| sheep.next_at().is_none());
    let silent: Vec<_> =
        silent.map(|sheep| format!("*{}* is {}", sheep.id, sheep.state.name())).collect();
    lines.extend(silent);
    let command = format!("preview {} {count}", call.argument(0));
    Ok(List::new(command, call.page(2)?).of(&lines, Clone::clone))
}
