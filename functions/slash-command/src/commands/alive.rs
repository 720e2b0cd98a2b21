//! `alive`: whether anybody is there.

use flock_core::Usage;
use flock_slack::mention;

use crate::{
    call::{Answer, Call, tell},
    command::{Command, EVERYBODY, Group, Run},
    commands::time,
    dispatch::room_link,
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("alive"), Usage::new("status")],
    group: Group::About,
    need: EVERYBODY,
    help: "Whether I am there, and whether anything is stopped",
    example: "alive",
    run: Run::Reads(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    match &call.control.stopped {
        None => tell("Yes."),
        Some(stop) => tell(format!(
            "Yes, but everything is stopped: {} did that in {} at {}. `/flock start` lets it go on.",
            mention(&stop.by),
            room_link(&stop.room),
            time(stop.at)
        )),
    }
}
