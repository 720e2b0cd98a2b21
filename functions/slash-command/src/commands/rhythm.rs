//! `rhythm <sheep> <line>`: another rhythm for a sheep.

use flock_core::{Usage, local};
use flock_ops::{Changed, Noted, change_rhythm, rhythm_of, rhythm_takes_long};
use flock_slack::escape;

use crate::{
    call::{Answer, Call, Stage, Step, announce},
    command::{Command, Group, Run, SHEPHERD},
    commands::goes_on,
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("rhythm <sheep> <line>"), Usage::new("rhythm <sheep> <line> <stanza>")],
    group: Group::Flock,
    need: SHEPHERD,
    help: "Post every so often, with a pause before starting over",
    example: "rhythm apollo 3h 2d",
    run: Run::Changes(|call, noted| Box::pin(run(call, noted))),
};

async fn run(call: &Call<'_>, noted: &Noted) -> Answer {
    let sheep = call.store().find_sheep(None, call.argument(0)).await?;
    let rhythm = rhythm_of(&sheep, call.argument(1), call.arguments.get(2))?;
    let network = sheep.config.account.network;
    if call.stage == Stage::Given && rhythm_takes_long(network) {
        return Ok(Step::Later(format!(
            "I am looking whether {} takes that.",
            network.facts().title
        )));
    }
    let Changed { sheep, outlook } =
        change_rhythm(call.store(), noted, sheep, rhythm, call.now).await?;
    let next = match sheep.next_at() {
        Some(next) => format!(", next {}", local(next, sheep.config.rhythm.zone())),
        None => format!("; it {}", goes_on(&sheep)),
    };
    let costs = outlook.map(|outlook| format!("\n{}", escape(&outlook.to_string())));
    announce(format!(
        "*{}* posts {}{next}. When its files are applied again, they put back what they say.{}",
        sheep.id,
        escape(&sheep.config.rhythm.to_string()),
        costs.unwrap_or_default()
    ))
}
