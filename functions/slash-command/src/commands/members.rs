//! `members`: who has a level.

use std::cmp::Reverse;

use flock_core::{LevelName, Usage, UserId};
use flock_slack::mention;

use crate::{
    call::{Answer, Call, tell},
    command::{Command, EVERYBODY, Group, Run},
    page::List,
};

pub(super) const COMMAND: Command = Command {
    usages: &[
        Usage::new("members"),
        Usage::new("members <page>"),
        Usage::new("membership"),
        Usage::new("privileged"),
        Usage::new("listprivileged"),
    ],
    group: Group::Rooms,
    need: EVERYBODY,
    help: "Who has a level in this room",
    example: "members",
    run: Run::Reads(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    let room = call.room;
    let mut members: Vec<_> = room.members().collect();
    if members.is_empty() {
        return tell("Nobody has a level in this room: the deployment has no FirstOwner.");
    }
    members.sort_by_key(|(user, _)| (Reverse(room.rank(user)), (*user).clone()));
    let line = |(user, level): &(&UserId, &LevelName)| {
        let first = if room.is_first_owner(user) { ", the first owner" } else { "" };
        format!("{}: `{level}` (rank {}){first}", mention(user), room.rank(user))
    };
    Ok(List::new("members", call.page(0)?).of(&members, line))
}
