//! `version`: which Flockwork this is.

use flock_core::Usage;

use crate::{
    call::{Answer, Call, tell},
    command::{Command, EVERYBODY, Group, Run},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("version")],
    group: Group::About,
    need: EVERYBODY,
    help: "Which version this is",
    example: "version",
    run: Run::Reads(|call| Box::pin(run(call))),
};

async fn run(_: &Call<'_>) -> Answer {
    tell(format!("Flockwork {}.", env!("CARGO_PKG_VERSION")))
}
