//! `level add <name> <rank>`: another level for the room.

use flock_core::{Need, Rank, Room, Usage};
use flock_ops::Noted;

use crate::{
    call::{Answer, Call, announce, code, refuse},
    command::{Command, Group, Run},
    commands::level,
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("level add <name> <rank>")],
    group: Group::Rooms,
    need: Need::Top,
    help: "Add a level to this room",
    example: "level add elder 5",
    run: Run::Changes(|call, noted| Box::pin(run(call, noted))),
};

async fn run(call: &Call<'_>, noted: &Noted) -> Answer {
    let level = level(call, 0)?;
    let Ok(rank) = call.argument(1).parse().map(Rank) else {
        return refuse(format!(
            "`{}` is not a rank: use a number from 1 to {}.",
            code(call.argument(1)),
            Rank::HIGHEST
        ));
    };
    let change = |room: &Room| {
        let added = room.add_level(call.user(), &level, rank)?;
        Ok((added, room.top().1 < rank))
    };
    let is_highest = call.app.change_room(noted, &call.asked.room, change).await?;
    let highest =
        if is_highest { " It is the highest, so those who had the highest have it." } else { "" };
    announce(format!("This room has a level `{level}` now, with rank {rank}.{highest}"))
}
