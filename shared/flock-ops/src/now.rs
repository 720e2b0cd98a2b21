//! The next line of a sheep at once.

use flock_core::{Occurrence, Sheep};
use flock_store::Store;
use jiff::Timestamp;

use crate::{Noted, Result, refusal::not_now};

/// Has the sheep post its next line at once, if that is the one with the number `asked`. Planned times stay.
pub async fn post_now(
    store: &Store,
    _: &Noted,
    sheep: Sheep,
    asked: Option<Occurrence>,
    now: Timestamp,
) -> Result<Sheep> {
    let change = |sheep: &Sheep| sheep.post_now(asked, now).map_err(|why| not_now(sheep, &why));
    Ok(store.change_sheep(sheep, change).await??)
}
