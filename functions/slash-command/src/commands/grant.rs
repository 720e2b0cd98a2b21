//! `grant <user> <level>`: a level for somebody.

use flock_core::{Room, Usage};
use flock_ops::Noted;
use flock_slack::mention;

use crate::{
    call::{Answer, Call, Named, announce},
    command::{Command, Group, Run, SHEPHERD},
    commands::{level, look_up},
};

pub(super) const COMMAND: Command = Command {
    usages: &[
        Usage::new("grant <user> <level>"),
        Usage::new("privilege <user> <level>"),
        Usage::new("addpriv <user> <level>"),
    ],
    group: Group::Rooms,
    need: SHEPHERD,
    help: "Give somebody a level below your own, or any if yours is the highest",
    example: "grant @ada shepherd",
    run: Run::Changes(|call, noted| Box::pin(run(call, noted))),
};

async fn run(call: &Call<'_>, noted: &Noted) -> Answer {
    let level = level(call, 1)?;
    let user = match call.user_named(0).await? {
        Named::User(user) => user,
        Named::LookedUpLater => return look_up(call),
    };
    let change = |room: &Room| {
        let granted = room.grant(call.user(), &user, &level)?;
        Ok((granted.room, granted.before))
    };
    let before = call.app.change_room(noted, &call.asked.room, change).await?;
    announce(match before {
        Some(before) if before == level => {
            format!("{} has the level `{level}` in this room already.", mention(&user))
        }
        Some(before) => {
            format!("{} was `{before}` in this room and is `{level}` now.", mention(&user))
        }
        None => format!("{} is `{level}` in this room now.", mention(&user)),
    })
}
