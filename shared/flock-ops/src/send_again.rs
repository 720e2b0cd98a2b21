//! Somebody has seen that a post of which nobody was sure is not on its network.

use flock_core::{Occurrence, Sheep};
use flock_store::Store;
use jiff::Timestamp;

use crate::{Noted, Result};

/// Has the sheep send the post again.
pub async fn send_again(
    store: &Store,
    _: &Noted,
    sheep: Sheep,
    occurrence: Occurrence,
    now: Timestamp,
) -> Result<Sheep> {
    let change = |sheep: &Sheep| sheep.was_not_sent(occurrence, now);
    Ok(store.change_sheep(sheep, change).await??)
}
