//! `pause <sheep|flock>`: a sheep or a flock.

use flock_core::{JobKind, Sheep, Usage};

use crate::{
    call::{Answer, Call},
    command::{Command, Effect, Group, Run, SHEPHERD},
    commands::{Hurts, Words, change_all},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("pause <sheep|flock>")],
    group: Group::Flock,
    need: SHEPHERD,
    effect: Effect::Changes,
    help: "Stop a sheep from posting, or a whole flock, which asks first",
    example: "pause moon/apollo",
    run: Run(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    let words = Words {
        change: Sheep::pause,
        job: JobKind::Pause,
        doing: "Pausing",
        done: "Paused",
        hurts: Some(Hurts {
            happens: "This pauses",
            comes_to: "none of them posts until somebody resumes it.",
            label: "Pause the flock",
        }),
    };
    change_all(call, words).await
}
