//! `rhythm <sheep> <line>`: another rhythm for a sheep.

use std::convert::Infallible;

use flock_core::{Rhythm, RhythmFields, Sheep, SheepConfig, Usage};
use flock_slack::escape;

use crate::{
    call::{Answer, Call, announce, refuse},
    command::{Command, Effect, Group, Run, SHEPHERD},
    commands::{goes_on, local},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("rhythm <sheep> <line>"), Usage::new("rhythm <sheep> <line> <stanza>")],
    group: Group::Flock,
    need: SHEPHERD,
    effect: Effect::Changes,
    help: "Post every so often, with a pause before starting over",
    example: "rhythm apollo 3h 2d",
    run: Run(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    let sheep = call.store().find_sheep(None, call.argument(0)).await?;
    let now = sheep.config.rhythm.fields();
    let fields = RhythmFields {
        line: Some(call.argument(1).to_owned()),
        stanza: call.arguments.get(2).map(str::to_owned).or_else(|| now.stanza.clone()),
        at: Vec::new(),
        days: Vec::new(),
        ..now
    };
    let fits = match sheep.config.behaviour.kind().check(&fields) {
        problems if problems.is_empty() => Rhythm::parse(&fields),
        problems => Err(problems),
    };
    let rhythm = match fits {
        Ok(rhythm) => rhythm,
        Err(problems) => {
            let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
            return refuse(escape(&format!("That is no rhythm: {}.", problems.join("; "))));
        }
    };
    let change = |sheep: &Sheep| {
        let config = SheepConfig { rhythm: rhythm.clone(), ..sheep.config.clone() };
        Ok::<_, Infallible>(sheep.reconfigure(config, call.now))
    };
    let sheep = call.change_sheep(sheep, change).await?;
    let next = match sheep.next_at() {
        Some(next) => format!(", next {}", local(next, sheep.config.rhythm.zone())),
        None => format!("; it {}", goes_on(&sheep)),
    };
    announce(format!(
        "*{}* posts {}{next}. The next `flockwork flock apply` puts back what its files say.",
        sheep.id,
        escape(&sheep.config.rhythm.to_string()),
    ))
}
