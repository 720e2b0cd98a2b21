//! `level remove <name>`: one level less.

use flock_core::{LevelName, Need, Removed, Room, Usage, UserId};
use flock_ops::Noted;
use flock_slack::mention;

use crate::{
    call::{Answer, Call, Stage, Sure, announce},
    command::{Command, Group, Run},
    commands::level,
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("level remove <name>")],
    group: Group::Rooms,
    need: Need::Top,
    help: "Remove a level nobody has from this room, or the highest; asks first",
    example: "level remove elder",
    run: Run::Changes(|call, noted| Box::pin(run(call, noted))),
};

async fn run(call: &Call<'_>, noted: &Noted) -> Answer {
    let level = level(call, 0)?;
    if call.stage == Stage::Given {
        let removed = call.room.remove_level(call.user(), &level)?;
        let rank = call.room.levels().get(&level).copied().unwrap_or_default();
        let text = format!(
            "This removes the level `{level}` (rank {rank}) from this room. {}",
            falls(&removed).unwrap_or_else(|| "Nobody has it.".to_owned())
        );
        return Sure::ask(text, "Remove the level");
    }
    let change = |room: &Room| {
        let removed = room.remove_level(call.user(), &level)?;
        let falls = falls(&removed);
        Ok((removed.room, falls))
    };
    let falls = call.app.change_room(noted, &call.asked.room, change).await?;
    let falls = falls.map_or_else(String::new, |falls| format!(" {falls}"));
    announce(format!("This room has no level `{level}` any more.{falls}"))
}

/// Who falls to which level, if anybody does.
fn falls(removed: &Removed) -> Option<String> {
    /// More would hide the button.
    const MOST: usize = 20;
    let Removed { room, fallen } = removed;
    let falls = |(user, now): &(UserId, LevelName)| {
        format!("{} falls to `{now}` (rank {}).", mention(user), room.rank(user))
    };
    let more = fallen.len().saturating_sub(MOST);
    let more = (0 < more).then(|| format!("So do {more} more."));
    let falls: Vec<_> = fallen.iter().take(MOST).map(falls).chain(more).collect();
    (!falls.is_empty()).then(|| falls.join(" "))
}
