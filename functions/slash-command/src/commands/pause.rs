//! `pause <sheep|flock>`: a sheep or a flock.

use flock_core::{JobKind, Usage, WHILE_PAUSED};
use flock_ops::Noted;

use crate::{
    call::{Answer, Call},
    command::{Command, Group, Run, SHEPHERD},
    commands::{Hurts, Words, change_all},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("pause <sheep|flock>")],
    group: Group::Flock,
    need: SHEPHERD,
    help: "Stop posting; for a flock it asks first",
    example: "pause moon/apollo",
    run: Run::Changes(|call, noted| Box::pin(run(call, noted))),
};

async fn run(call: &Call<'_>, noted: &Noted) -> Answer {
    let words = Words {
        job: JobKind::Pause,
        doing: "Pausing",
        done: "Paused",
        hurts: Some(Hurts {
            happens: "This pauses",
            comes_to: WHILE_PAUSED,
            label: "Pause the flock",
        }),
    };
    change_all(call, noted, words).await
}
