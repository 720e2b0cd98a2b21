//! What belongs to the deployment as a whole.

use flock_core::Shards;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::{Store, StoreError, from_item, key::Key, request_error, to_item};

/// How the due index is cut. Sheep move to their new shard with their next post, so readers look at
/// every shard that was ever used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct ShardsItem {
    current: Shards,
    highest: Shards,
}

#[derive(Debug, Serialize, Deserialize)]
struct Stored<T> {
    #[serde(flatten)]
    key: Key,
    #[serde(flatten)]
    value: T,
}

#[derive(Debug, Serialize, Deserialize)]
struct ClockItem {
    ahead_s: i64,
}

impl Store {
    /// The store with its sheep spread over `configured` shards, and the shards to look for due sheep
    /// in. Writes only when the configuration has changed.
    pub async fn with_shards(mut self, configured: Shards) -> Result<(Self, Shards), StoreError> {
        let known = self.shards_item().await?;
        let highest = known.map_or(configured, |known| known.highest.max(configured));
        let item = ShardsItem { current: configured, highest };
        // A table without the item has never had more than one shard.
        if known.unwrap_or(ShardsItem { current: Shards::ONE, highest: Shards::ONE }) != item {
            self.put_system("the number of shards", Key::shards(), item).await?;
        }
        self.shards = configured;
        Ok((self, highest))
    }

    /// The store with its sheep spread over as many shards as the tick is configured for.
    pub async fn with_current_shards(mut self) -> Result<Self, StoreError> {
        if let Some(known) = self.shards_item().await? {
            self.shards = known.current;
        }
        Ok(self)
    }

    /// By how much the local run's time is ahead of the clock on the wall.
    pub async fn clock_ahead(&self) -> Result<SignedDuration, StoreError> {
        let what = "the local clock";
        let clock: Option<ClockItem> = self.system(what, Key::clock()).await?;
        Ok(SignedDuration::from_secs(clock.map_or(0, |clock| clock.ahead_s)))
    }

    /// Remembers by how much the local run's time is ahead.
    pub async fn put_clock_ahead(&self, ahead: SignedDuration) -> Result<(), StoreError> {
        let clock = ClockItem { ahead_s: ahead.as_secs() };
        self.put_system("the local clock", Key::clock(), clock).await
    }

    async fn shards_item(&self) -> Result<Option<ShardsItem>, StoreError> {
        self.system("the number of shards", Key::shards()).await
    }

    async fn system<T: serde::de::DeserializeOwned>(
        &self,
        what: &'static str,
        key: Key,
    ) -> Result<Option<T>, StoreError> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key.attributes()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|err| request_error("read", what, err))?;
        let stored: Option<Stored<T>> =
            output.item.map(|item| from_item(item, what)).transpose()?;
        Ok(stored.map(|stored| stored.value))
    }

    async fn put_system(
        &self,
        what: &'static str,
        key: Key,
        value: impl Serialize,
    ) -> Result<(), StoreError> {
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(to_item(Stored { key, value }, what)?))
            .send()
            .await
            .map_err(|err| request_error("write", what, err))?;
        Ok(())
    }
}
