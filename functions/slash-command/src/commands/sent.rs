//! `sent <sheep> <number>`: a post nobody was sure of is there.

use flock_core::{NotUnknown, Sheep, Usage};
use flock_slack::escape;
use flock_store::{Post, PostState, Recorded};

use crate::{
    call::{Answer, Call, announce},
    command::{Command, Effect, Group, Run, SHEPHERD},
    commands::{goes_on, occurrence},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("sent <sheep> <number>")],
    group: Group::Flock,
    need: SHEPHERD,
    effect: Effect::Changes,
    help: "Say that a post nobody was sure of is on its network",
    example: "sent apollo 12",
    run: Run(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    let sheep = call.store().find_sheep(None, call.argument(0)).await?;
    let occurrence = occurrence(call, 1)?;
    let mut taken = None;
    let unknown = sheep.unknown(call.now).filter(|intent| intent.occurrence == occurrence);
    if let Some(intent) = unknown {
        let post = Post {
            sheep: sheep.id.clone(),
            occurrence,
            account: sheep.config.account.clone(),
            at: intent.errand.due,
            text: intent.errand.work.act.to_string(),
            state: PostState::Posted,
            remote_id: None,
        };
        // As the tick does: recorded first, so that a crash in between loses nothing.
        if let Recorded::Taken(by) = call.store().put_post(&post, sheep.version).await? {
            taken =
                Some((by.free, format!("{} is recorded as {}", by.by.occurrence, by.by.named())));
        }
    }
    let change = |sheep: &Sheep| {
        let sheep = sheep.was_sent(occurrence, call.now)?;
        Ok::<_, NotUnknown>(match &taken {
            Some((free, _)) => sheep.numbered_from(*free),
            None => sheep,
        })
    };
    let sheep = call.change_sheep(sheep, change).await?;
    if let Some((free, other)) = taken {
        tracing::error!(sheep = %sheep.id, occurrence = occurrence.0, "not recorded: {other}");
        return announce(format!(
            "Post {occurrence} of *{}* counts as sent, but it is not in the list of posts, where {}. Its next \
             number is {free}, and the sheep {}.",
            sheep.id,
            escape(&other),
            goes_on(&sheep)
        ));
    }
    announce(format!(
        "Post {occurrence} of *{}* counts as sent, and the sheep {}.",
        sheep.id,
        goes_on(&sheep)
    ))
}
