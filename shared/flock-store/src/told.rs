//! What the newest posts of a flock are like, on each network, so that none says nearly the same.
//!
//! Kept in items of [`FULL`] each, so that each addition is one write unit and all of them are few read units.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use flock_core::{FlockName, Network, Told};
use jiff::{SignedDuration, Timestamp};

use crate::{Store, StoreError, conditional, key::Key, request_error};

/// So many are in one item at most, which is below 1 KB then: a number of 29 digits takes 16 bytes, and its place one (AWS, "DynamoDB
/// item sizes", 2026-11).
const FULL: usize = 48;

/// How long they are kept after the newest of them.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

/// What the newest posts are like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Newest {
    /// Each, oldest first.
    pub told: Vec<Told>,
    /// The number of the item that the next is put into.
    item: u32,
}

impl Store {
    /// What the newest posts of a flock on one network are like, `last` of them at least where there are so many.
    pub async fn newest_told(
        &self,
        flock: &FlockName,
        network: Network,
        last: u16,
    ) -> Result<Newest, StoreError> {
        let what = format!("what posts of {flock} are like");
        let items = usize::from(last).div_ceil(FULL).saturating_add(1);
        let output = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(Key::told(flock, network, 0).pk))
            .scan_index_forward(false)
            .limit(i32::try_from(items).unwrap_or(i32::MAX))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|err| request_error("read", what.clone(), err))?;
        self.meter.read(output.consumed_capacity());
        let mut newest = Newest::default();
        for (nth, item) in output.items.unwrap_or_default().into_iter().enumerate() {
            let number =
                item.get("sk").and_then(|sk| sk.as_s().ok()?.strip_prefix("TOLD#")?.parse().ok());
            if nth == 0 {
                newest.item = number.unwrap_or(0);
            }
            let told = item.get("told").and_then(|told| told.as_l().ok());
            let told = told.into_iter().flatten().rev();
            let told = told.filter_map(|one| Told::from_number(one.as_n().ok()?.parse().ok()?));
            newest.told.extend(told);
        }
        newest.told.reverse();
        Ok(newest)
    }

    /// Forgets what the posts of a flock on one network are like, where they are there no more.
    pub async fn forget_told(&self, flock: &FlockName, network: Network) -> Result<(), StoreError> {
        let newest = self.newest_told(flock, network, u16::MAX).await?;
        // Each is emptied and stays, so that who adds to the newest one finds it.
        let oldest = newest.told.len().div_ceil(FULL);
        let oldest = newest.item.saturating_sub(u32::try_from(oldest).unwrap_or(u32::MAX));
        for item in (oldest..=newest.item).filter(|_| !newest.told.is_empty()) {
            let key = Key::told(flock, network, item);
            let update = self
                .update(key, "SET told = :none")
                .condition_expression("attribute_exists(told)")
                .expression_attribute_values(":none", AttributeValue::L(Vec::new()));
            conditional(update.send().await, "empty", format!("what posts of {flock} are like"))?;
        }
        Ok(())
    }

    /// Adds what a post is like that is about to be made, behind those of `newest`.
    pub async fn note_likeness(
        &self,
        (flock, network): (&FlockName, Network),
        newest: &mut Newest,
        told: Told,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let ttl = now.saturating_add(KEPT_FOR).unwrap_or(Timestamp::MAX).as_second().to_string();
        loop {
            let change = "SET told = list_append(if_not_exists(told, :none), :told), #ttl = :ttl";
            let one = AttributeValue::N(told.number().to_string());
            let update = self
                .update(Key::told(flock, network, newest.item), change)
                .condition_expression("attribute_not_exists(told) OR size(told) < :full")
                .expression_attribute_names("#ttl", "ttl")
                .expression_attribute_values(":none", AttributeValue::L(Vec::new()))
                .expression_attribute_values(":told", AttributeValue::L(vec![one]))
                .expression_attribute_values(":ttl", AttributeValue::N(ttl.clone()))
                .expression_attribute_values(":full", AttributeValue::N(FULL.to_string()));
            let what = format!("what a post of {flock} is like");
            let output = conditional(update.send().await, "note", what)?;
            if let Some(output) = output {
                self.meter.write(output.consumed_capacity());
                return Ok(());
            }
            newest.item = newest.item.saturating_add(1);
        }
    }
}
