//! `why <sheep> <number>`: why a post was made.

use flock_core::Usage;
use flock_slack::{Reply, Span};

use crate::{
    call::{Answer, Call, Step, tell},
    command::{Command, EVERYBODY, Group, Run},
    commands::occurrence,
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("why <sheep> <number>"), Usage::new("why <sheep>")],
    group: Group::Flock,
    need: EVERYBODY,
    help: "Why a post says what it says",
    example: "why apollo 12",
    run: Run::Reads(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    let number = match call.arguments.get(1) {
        Some(_) => Some(occurrence(call, 1)?),
        None => None,
    };
    let why = flock_ops::why(call.store(), call.argument(0), number).await?;
    let Some(why) = why else { return tell("It has posted nothing so far.") };
    let mut rows = why.rows().into_iter();
    let (_, post) = rows.next().unwrap_or_default();
    let lines =
        rows.map(|(name, value)| vec![Span::Text(format!("{name}: {value}"))]).collect::<Vec<_>>();
    Ok(Step::Done(Reply::only_you(format!("*Post {post}*")).lines(lines)))
}
