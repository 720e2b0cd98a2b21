//! `pause <sheep|flock>`: a sheep or a flock.

use flock_core::Usage;

use crate::{
    call::{Answer, Call},
    command::{Command, Effect, Group, Run, SHEPHERD},
    commands::change_all,
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("pause <sheep|flock>")],
    group: Group::Flock,
    need: SHEPHERD,
    effect: Effect::Changes,
    help: "Stop a sheep or a whole flock from posting",
    example: "pause moon/apollo",
    run: Run(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    change_all(call, "Pausing", "Paused", |sheep| sheep.pause(call.now)).await
}
