//! Flocks.

use flock_core::{Flock, FlockName, Usd, Waivers};
use serde::{Deserialize, Serialize};

use crate::{Keyed, Read, Store, StoreError, key::Key, request_error};
use aws_sdk_dynamodb::types::AttributeValue;

#[derive(Debug, Default, Serialize, Deserialize)]
struct FlockItem {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    monthly_cap: Option<Usd>,
    #[serde(default, skip_serializing_if = "Waivers::is_empty")]
    waivers: Waivers,
}

impl Store {
    /// The names of all flocks, in order.
    pub async fn flocks(&self) -> Result<Vec<FlockName>, StoreError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :flocks")
            .expression_attribute_values(":flocks", AttributeValue::S(Key::FLOCKS.to_owned()))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut flocks = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|err| request_error("list", "the flocks", err))?;
            let key = Keyed::<FlockItem>::read(item, "a flock")?.key;
            flocks.push(key.sk.parse().map_err(|err| StoreError::Corrupt {
                what: format!("flock {}", key.sk),
                source: Box::new(err),
            })?);
        }
        // The table has them by their letters.
        flocks.sort();
        Ok(flocks)
    }

    /// The flock called `name`, if it is there.
    pub async fn flock(&self, name: &FlockName) -> Result<Option<Flock>, StoreError> {
        let what = format!("flock {name}");
        let item: Option<FlockItem> = self.one(&what, Key::flock(name), Read::Consistent).await?;
        Ok(item.map(|FlockItem { monthly_cap, waivers }| Flock {
            name: name.clone(),
            monthly_cap,
            waivers,
        }))
    }

    /// Enters a flock in the list of flocks, or changes what holds for all its sheep.
    pub async fn put_flock(&self, flock: &Flock) -> Result<(), StoreError> {
        let Flock { name, monthly_cap, waivers } = flock;
        let item = FlockItem { monthly_cap: *monthly_cap, waivers: waivers.clone() };
        self.put(&format!("flock {name}"), Key::flock(name), item).await
    }

    /// Takes a flock off the list of flocks. Its sheep are removed one by one, before.
    pub async fn delete_flock(&self, flock: &FlockName) -> Result<(), StoreError> {
        self.delete_one(&format!("flock {flock}"), Key::flock(flock)).await
    }
}
