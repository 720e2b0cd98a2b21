//! Somebody has seen a post on its network of which nobody was sure.

use flock_core::{NotUnknown, Occurrence, Sheep};
use flock_store::{Post, PostState, Recorded, Store};
use jiff::Timestamp;

use crate::{Noted, Result};

/// A sheep of which a post counts as sent.
#[derive(Debug)]
pub struct CountsAsSent {
    /// As it is now.
    pub sheep: Sheep,
    /// Where the list of posts has another one under that number, which stays there: the first number that is free, and what is
    /// recorded.
    pub instead: Option<(Occurrence, String)>,
}

/// Says that the post is on its network.
pub async fn sent(
    store: &Store,
    _: &Noted,
    sheep: Sheep,
    occurrence: Occurrence,
    now: Timestamp,
) -> Result<CountsAsSent> {
    let mut instead = None;
    let unknown = sheep.unknown(now).filter(|intent| intent.occurrence == occurrence);
    if let Some(intent) = unknown {
        let post = Post {
            sheep: sheep.id.clone(),
            occurrence,
            account: sheep.config.account.clone(),
            at: intent.errand.due,
            text: intent.errand.work.act.to_string(),
            state: PostState::Posted,
            remote_id: None,
            made: sheep.made(),
            answers: intent.errand.work.act.answers(sheep.progress.last_remote.as_ref()).cloned(),
        };
        // As the tick does: recorded first, so that a crash in between loses nothing.
        if let Recorded::Taken(by) = store.put_post(&post, sheep.version).await? {
            let recorded = format!("{} is recorded as {}", by.by.occurrence, by.by.named());
            instead = Some((by.free, recorded));
        }
    }
    let change = |sheep: &Sheep| {
        let sheep = sheep.was_sent(occurrence, now)?;
        Ok::<_, NotUnknown>(match &instead {
            Some((free, _)) => sheep.numbered_from(*free),
            None => sheep,
        })
    };
    let sheep = store.change_sheep(sheep, change).await??;
    Ok(CountsAsSent { sheep, instead })
}
