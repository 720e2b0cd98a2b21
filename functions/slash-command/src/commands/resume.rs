//! `resume <sheep|flock>`: a sheep or a flock.

use flock_core::{JobKind, Usage};
use flock_ops::Noted;

use crate::{
    call::{Answer, Call},
    command::{Command, Group, Run, SHEPHERD},
    commands::{Words, change_all},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("resume <sheep|flock>")],
    group: Group::Flock,
    need: SHEPHERD,
    help: "Let a paused or stopped sheep or flock go on where it was",
    example: "resume moon/apollo",
    run: Run::Changes(|call, noted| Box::pin(run(call, noted))),
};

async fn run(call: &Call<'_>, noted: &Noted) -> Answer {
    let words = Words { job: JobKind::Resume, doing: "Resuming", done: "Resumed", hurts: None };
    change_all(call, noted, words).await
}
