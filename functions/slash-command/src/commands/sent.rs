//! `sent <sheep> <number>`: a post nobody was sure of is there.

use flock_core::Usage;
use flock_store::{Post, PostState};

use crate::{
    call::{Answer, Call, announce},
    command::{Command, Effect, Group, Run, SHEPHERD},
    commands::occurrence,
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
    let unknown = sheep.unknown(call.now).filter(|intent| intent.occurrence == occurrence);
    if let Some(intent) = unknown {
        let post = Post {
            sheep: sheep.id.clone(),
            occurrence,
            account: sheep.config.account.clone(),
            at: intent.at,
            text: intent.text.clone(),
            state: PostState::Posted,
            remote_id: None,
        };
        // As the tick does: recorded first, so that a crash in between loses nothing.
        call.store().put_post(&post).await?;
    }
    let sheep = call.change_sheep(sheep, |sheep| sheep.was_sent(occurrence, call.now)).await?;
    announce(format!("Post {occurrence} of *{}* counts as sent, and the sheep goes on.", sheep.id))
}
