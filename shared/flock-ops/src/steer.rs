//! Pauses and resumes sheep.

use std::convert::Infallible;

use flock_core::{JobKind, Sheep};
use flock_store::Store;
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
    let before = sheep.version;
    let change = |sheep: &Sheep| Ok::<_, Infallible>(what.change(sheep, now));
    let Ok(sheep) = store.change_sheep(sheep, change).await?;
    Ok(Steered { is_changed: sheep.version != before, sheep })
}
