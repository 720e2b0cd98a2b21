//! `whoami`: the level of who asks.

use flock_core::Usage;
use flock_slack::mention;

use crate::{
    call::{Answer, Call, tell},
    command::{Command, EVERYBODY, Group, Run},
};

pub(super) const COMMAND: Command = Command {
    usages: &[
        Usage::new("whoami"),
        Usage::new("amiprivileged"),
        Usage::new("doihaveprivs"),
        Usage::new("privileges"),
    ],
    group: Group::About,
    need: EVERYBODY,
    help: "Your level in this room",
    example: "whoami",
    run: Run::Reads(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    let (user, room) = (call.user(), call.room);
    tell(match room.level(user) {
        Some(level) => {
            let first =
                if room.is_first_owner(user) { ", as the first owner of every room" } else { "" };
            format!("{}, you are `{level}` here (rank {}){first}.", mention(user), room.rank(user))
        }
        None => format!("{}, you have no level in this room.", mention(user)),
    })
}
