//! A text of somebody's own, through a sheep.

use flock_core::{Charge, Month, Sheep, Usd};
use flock_store::Store;
use jiff::Timestamp;

use crate::{Noted, Result, refusal::not_now};

/// What a post costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// What the network charges.
    pub price: Usd,
    /// Whether that is for a link, too.
    pub link: bool,
    /// What the flock has spent this month and may spend, where it has a cap.
    pub budget: Option<Budget>,
}

/// A flock's money of a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Which month.
    pub month: Month,
    /// What is spent.
    pub spent: Usd,
    /// The most that may be.
    pub cap: Usd,
}

/// What the sheep would pay for saying `text` at once. Refuses what it could not say.
pub async fn price_of_saying(
    store: &Store,
    sheep: &Sheep,
    text: &str,
    now: Timestamp,
) -> Result<Price> {
    sheep.can_say(text).map_err(|why| not_now(sheep, &why))?;
    price(store, sheep, text, now).await
}

/// What the sheep would pay for a post of `text`.
pub(crate) async fn price(
    store: &Store,
    sheep: &Sheep,
    text: &str,
    now: Timestamp,
) -> Result<Price> {
    let facts = sheep.config.account.network.facts();
    let link = 0 < (facts.measure)(text).links;
    let price = (facts.price)(Charge::Post { link });
    let mut budget = None;
    if price != Usd::ZERO {
        let (flock, month) = (&sheep.id.flock, Month::of(now));
        if let Some(cap) = store.flock(flock).await?.and_then(|flock| flock.monthly_cap) {
            let spent = store.ledger(flock, month).await?.spent;
            budget = Some(Budget { month, spent, cap });
        }
    }
    Ok(Price { price, link, budget })
}

impl Budget {
    /// Whether `price` is more than what is left.
    pub fn is_passed_by(&self, price: Usd) -> bool {
        self.cap < self.spent.plus(price)
    }
}

/// Has the sheep post `text` at once, and then go on where it was.
pub async fn say(
    store: &Store,
    _: &Noted,
    sheep: Sheep,
    text: &str,
    now: Timestamp,
) -> Result<Sheep> {
    let table = store.table_id().await?;
    let change = |sheep: &Sheep| sheep.say(text, table, now).map_err(|why| not_now(sheep, &why));
    Ok(store.change_sheep(sheep, change).await??)
}
