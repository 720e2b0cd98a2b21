//! `redraw <sheep>`: other texts than those to come.

use flock_core::Usage;
use flock_ops::Noted;

use crate::{
    call::{Answer, Call, announce},
    command::{Command, Group, Run, SHEPHERD},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("redraw <sheep>")],
    group: Group::Flock,
    need: SHEPHERD,
    help: "Say others than the texts drawn",
    example: "redraw harbour-master",
    run: Run::Changes(|call, noted| Box::pin(run(call, noted))),
};

async fn run(call: &Call<'_>, noted: &Noted) -> Answer {
    let sheep = call.store().find_sheep(None, call.argument(0)).await?;
    let sheep = flock_ops::redraw(call.store(), noted, sheep).await?;
    announce(format!(
        "*{}* draws its texts anew; `preview {}` shows what comes.",
        sheep.id, sheep.id
    ))
}
