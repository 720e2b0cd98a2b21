//! `revoke <user>`: nobody special any more.

use flock_core::{Room, Usage};
use flock_ops::Noted;
use flock_slack::mention;

use crate::{
    call::{Answer, Call, Named, announce},
    command::{Command, Group, Run, SHEPHERD},
    commands::look_up,
};

pub(super) const COMMAND: Command = Command {
    usages: &[
        Usage::new("revoke <user>"),
        Usage::new("unprivilege <user>"),
        Usage::new("unprivilege user <user>"),
        Usage::new("remove privileges <user>"),
    ],
    group: Group::Rooms,
    need: SHEPHERD,
    help: "Take a level that you could give",
    example: "revoke @ada",
    run: Run::Changes(|call, noted| Box::pin(run(call, noted))),
};

async fn run(call: &Call<'_>, noted: &Noted) -> Answer {
    let user = match call.user_named(0).await? {
        Named::User(user) => user,
        Named::LookedUpLater => return look_up(call),
    };
    let change = |room: &Room| {
        let revoked = room.revoke(call.user(), &user)?;
        Ok((revoked.room, revoked.before))
    };
    let before = call.app.change_room(noted, &call.asked.room, change).await?;
    let before = before.map_or_else(String::new, |before| format!(", and was `{before}`"));
    announce(format!("{} has no level in this room any more{before}.", mention(&user)))
}
