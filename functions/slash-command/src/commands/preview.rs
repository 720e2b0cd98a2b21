//! `preview <sheep|flock>`: what will be posted.

use flock_core::{Hindrance, Usage, capital};
use flock_ops::{Budgets, silent, waits_for_cap};
use flock_slack::{Line, Span, escape};
use flock_store::{Found, UpcomingPost};
use jiff::Timestamp;

use crate::{
    call::{Answer, Call},
    command::{Command, EVERYBODY, Group, Run},
    commands::alive::overdue,
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
    let view = call.view(&sheep);
    let mut budgets = Budgets::of(call.store(), &sheep, call.now).await?;
    let posts: Vec<_> = posts.into_iter().map(|post| (budgets.waits(&post), post)).collect();
    let line = |(waits, post): &(Option<Timestamp>, UpcomingPost)| -> Line {
        // When it is due, and not when it is made.
        let (at, waits) = match waits {
            None => (view.to_come(post.at), String::new()),
            Some(until) => {
                (view.clock(post.at), format!("({}) ", waits_for_cap(&view.clock(*until))))
            }
        };
        vec![
            Span::Text(format!("{at} ")),
            Span::Bold(post.sheep.to_string()),
            Span::Text(format!(" {waits}{}", post.quoted())),
        ]
    };
    let hindrances = Hindrance::of(&sheep).into_iter().filter(|hindrance| !hindrance.is_stopped);
    let hindrances = hindrances.map(|hindrance| hindrance.to_string());
    // Why not everything is posted as it is shown.
    let but = silent(&sheep).into_iter().chain(hindrances).map(|line| escape(&line));
    // That everything is stopped is said with every answer.
    let overdue = if call.control.stopped.is_none() { overdue(call, &sheep, &view) } else { None };
    let but = but.chain(overdue.map(|said| capital(&said)));
    let command = format!("preview {} {count}", call.argument(0));
    Ok(List::new(command, call.page(2)?).above(but).times(&view).of(&posts, line))
}
