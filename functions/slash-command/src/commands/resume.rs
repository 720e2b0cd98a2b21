//! `resume <sheep|flock>`: a sheep or a flock.

use flock_core::{JobKind, Sheep, Usage};

use crate::{
    call::{Answer, Call},
    command::{Command, Effect, Group, Run, SHEPHERD},
    commands::{Words, change_all},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("resume <sheep|flock>")],
    group: Group::Flock,
    need: SHEPHERD,
    effect: Effect::Changes,
    help: "Let a paused or stopped sheep or flock go on where it was",
    example: "resume moon/apollo",
    run: Run(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    let words = Words {
        change: Sheep::resume,
        job: JobKind::Resume,
        doing: "Resuming",
        done: "Resumed",
        hurts: None,
    };
    change_all(call, words).await
}
