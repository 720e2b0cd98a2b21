//! A text of somebody's own, through a sheep.

use flock_core::Sheep;
use flock_store::Store;
use jiff::Timestamp;

use crate::{Noted, Result, refusal::not_now};

/// Has the sheep post `text` at once, and then go on where it was.
pub async fn say(
    store: &Store,
    _: &Noted,
    sheep: Sheep,
    text: &str,
    now: Timestamp,
) -> Result<Sheep> {
    let table = store.table_id().await?;
    let change =
        |sheep: &Sheep| sheep.say(text.to_owned(), table, now).map_err(|why| not_now(sheep, &why));
    Ok(store.change_sheep(sheep, change).await??)
}
