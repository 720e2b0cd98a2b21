//! `sheep`: the sheep there are.

use std::cmp::Reverse;

use flock_core::{Hindrance, Sheep, State, Usage, View, count, reason};
use flock_slack::escape;
use flock_store::Found;

use crate::{
    call::{Answer, Call, tell},
    command::{Command, EVERYBODY, Group, Run},
    commands::flock_or_page,
    page::List,
};

pub(super) const COMMAND: Command = Command {
    usages: &[
        Usage::new("sheep"),
        Usage::new("sheep <flock>"),
        Usage::new("sheep <page>"),
        Usage::new("sheep <flock> <page>"),
    ],
    group: Group::Flock,
    need: EVERYBODY,
    help: "The sheep: when each posts next, or why it does not",
    example: "sheep milton 2",
    run: Run::Reads(|call| Box::pin(run(call))),
};

/// As many as can be read while somebody waits.
const MOST: usize = 5_000;

/// Things that keep several sheep from posting, which are said above the list.
const HINDRANCES: usize = 5;

async fn run(call: &Call<'_>) -> Answer {
    let (flock, page) = flock_or_page(call)?;
    let mut sheep = match &flock {
        None => call.store().some_sheep(MOST + 1).await?,
        Some(flock) => match call.store().find_some(&format!("{flock}/*"), Some(MOST + 1)).await? {
            Found::Flock(_, sheep) => sheep,
            Found::Sheep(sheep) => vec![*sheep],
        },
    };
    let not_all = MOST < sheep.len();
    sheep.truncate(MOST);
    if sheep.is_empty() {
        return tell("There are no sheep.");
    }
    let mut shared: Vec<_> =
        Hindrance::of(&sheep).into_iter().filter(|same| 1 < same.sheep.len()).collect();
    // What keeps most of them comes first.
    shared.sort_by_key(|same| (!same.is_stopped, Reverse(same.sheep.len())));
    shared.truncate(HINDRANCES);
    let said: Vec<_> = shared.iter().map(|same| same.why).collect();
    let view = call.view(&sheep);
    let line = |sheep: &Sheep| line(sheep, &view, &said);
    let command = flock.map_or_else(|| "sheep".to_owned(), |flock| format!("sheep {flock}"));
    let list = List::new(command, page).above(silence(&sheep)).above(shared.iter().map(hindrance));
    let has_times = sheep.iter().any(|sheep| sheep.next_at().is_some());
    let not_all = not_all.then(|| format!("There are more: these are the first {MOST} by name."));
    let list = list.above(not_all);
    let list = if has_times { list.times(&view) } else { list };
    Ok(list.of(&sheep, line))
}

/// That none of the sheep posts, and why.
fn silence(sheep: &[Sheep]) -> Option<String> {
    if sheep.iter().any(|sheep| sheep.next_at().is_some()) {
        return None;
    }
    let states = ["stopped", "paused", "finished"].into_iter().filter_map(|state| {
        match sheep.iter().filter(|sheep| sheep.state.name() == state).count() {
            0 => None,
            number => Some(format!("{number} {state}")),
        }
    });
    Some(format!("None of them posts: {}.", states.collect::<Vec<_>>().join(", ")))
}

/// What keeps several sheep from posting.
fn hindrance(same: &Hindrance<'_>) -> String {
    let sheep = count(u64::try_from(same.sheep.len()).unwrap_or(u64::MAX), "sheep");
    let how = if same.is_stopped { "have stopped" } else { "cannot post, and keep trying" };
    format!("{sheep} {how} ({}): {}", same.who(), escape(same.why))
}

fn line(sheep: &Sheep, view: &View, said: &[&str]) -> String {
    let state = match (&sheep.state, sheep.next_at()) {
        (State::Active, Some(at)) => format!("next {}", view.to_come(at)),
        (state, _) => state.name().to_owned(),
    };
    let problem = match sheep.problem() {
        Some(why) if !said.contains(&reason(&sheep.id, why)) => format!(": {}", escape(why)),
        Some(_) if sheep.next_at().is_some() => ", cannot post".to_owned(),
        Some(_) | None => String::new(),
    };
    format!("*{}* on {}, {state}{problem}", sheep.id, escape(&sheep.config.account.to_string()))
}
