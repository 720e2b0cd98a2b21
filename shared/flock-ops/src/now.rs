//! The next line of a sheep at once.

use flock_core::{Occurrence, Sheep};
use flock_store::{Store, UpcomingPost};
use jiff::Timestamp;

use crate::{Noted, Price, Result, refusal::not_now, say::price};

/// The post that [`post_now`] would have the sheep make, and what it would pay for that. Refuses what it could not do.
pub async fn price_of_posting_now(
    store: &Store,
    sheep: &Sheep,
    asked: Option<Occurrence>,
    now: Timestamp,
) -> Result<Option<(UpcomingPost, Price)>> {
    let sheep = sheep.post_now(asked, now).map_err(|why| not_now(sheep, &why))?;
    price_of_next(store, &sheep, now).await
}

/// The next post of the sheep, and what it pays for that. `None`: there is none, or its network charges for nothing.
pub async fn price_of_next(
    store: &Store,
    sheep: &Sheep,
    now: Timestamp,
) -> Result<Option<(UpcomingPost, Price)>> {
    if !sheep.config.account.network.bills() {
        return Ok(None);
    }
    let next = store.upcoming(std::slice::from_ref(sheep), now, 1).await?.pop();
    let Some(next) = next else { return Ok(None) };
    let price = price(store, sheep, &next.text, now).await?;
    Ok(Some((next, price)))
}

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
