//! `level remove <name>`: one level less.

use flock_core::{Need, Room, Usage};

use crate::{
    call::{Answer, Call, announce},
    command::{Command, Effect, Group, Run},
    commands::level,
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("level remove <name>")],
    group: Group::Rooms,
    need: Need::Top,
    effect: Effect::Changes,
    help: "Remove a level nobody has from this room",
    example: "level remove elder",
    run: Run(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    let level = level(call, 0)?;
    let change = |room: &Room| Ok((room.remove_level(call.user(), &level)?, ()));
    call.app.change_room(&call.asked.room, change).await?;
    announce(format!("This room has no level `{level}` any more."))
}
