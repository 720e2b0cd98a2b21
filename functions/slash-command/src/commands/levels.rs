//! `levels`: the levels of the room.

use flock_core::{LevelName, Rank, Usage, count};

use crate::{
    call::{Answer, Call},
    command::{Command, EVERYBODY, Group, Run},
    page::List,
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("levels"), Usage::new("levels <page>")],
    group: Group::Rooms,
    need: EVERYBODY,
    help: "The levels of this room",
    example: "levels",
    run: Run::Reads(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    let mut levels: Vec<_> = call.room.levels().iter().collect();
    levels.sort_by_key(|(_, rank)| **rank);
    let line = |(level, rank): &(&LevelName, &Rank)| {
        let members = call.room.members().filter(|(_, held)| held == level).count();
        let members = count(u64::try_from(members).unwrap_or(u64::MAX), "member");
        format!("`{level}`: rank {rank}, {members}")
    };
    Ok(List::new("levels", call.page(0)?).of(&levels, line))
}
