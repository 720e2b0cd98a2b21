//! Pauses and resumes sheep.

use std::{collections::HashSet, convert::Infallible};

use flock_core::{JobKind, Notice, Sheep, State, reason};
use flock_store::{Store, StoreError};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;

use crate::{Noted, Result};

/// A sheep that was told to pause or to go on.
#[derive(Debug)]
pub struct Steered {
    /// As it is then.
    pub sheep: Sheep,
    /// Whether that is another than before.
    pub is_changed: bool,
}

/// Pauses the sheep, or lets it go on; one that is so already stays as it is.
pub async fn steer(
    store: &Store,
    _: &Noted,
    what: JobKind,
    sheep: Sheep,
    now: Timestamp,
) -> Result<Steered> {
    if what == JobKind::Resume {
        forget_notices(store, std::slice::from_ref(&sheep)).await?;
    }
    let before = sheep.version;
    let change = |sheep: &Sheep| Ok::<_, Infallible>(what.change(sheep, now));
    let Ok(sheep) = store.change_sheep(sheep, change).await?;
    Ok(Steered { is_changed: sheep.version != before, sheep })
}

/// Sheep that are resumed may be stopped by the same again, and then people are to hear of it.
pub async fn forget_notices(store: &Store, resumed: &[Sheep]) -> Result<(), StoreError> {
    /// Writes at once.
    const CONCURRENCY: usize = 32;
    let stopped = resumed.iter().filter_map(|sheep| match &sheep.state {
        State::Stopped { why, .. } => Some((sheep, why)),
        State::Active | State::Paused { .. } | State::Finished { .. } => None,
    });
    let ids: HashSet<_> = stopped
        .flat_map(|(sheep, why)| {
            let number = sheep.progress.occurrence;
            let own = Notice::of_sheep("sheep.stopped", &sheep.id, number, why);
            [own, Notice::of_account(&sheep.config.account, reason(&sheep.id, why))]
        })
        .collect();
    let forgotten: Vec<_> = ids.iter().map(|id| store.forget_notice(id)).collect();
    stream::iter(forgotten).buffer_unordered(CONCURRENCY).try_collect().await
}
