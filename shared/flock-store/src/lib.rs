//! The DynamoDB table. Nobody else spells a key.
//!
//! One table, because its items are read together, and one sparse index, `due`, which holds the keys of
//! the sheep that will post and of the jobs that run. Both are defined in `template.yaml` and nowhere else.
//!
#![doc = include_str!("../KINDS.md")]
//!
//! The index `due` has `due` (the shard, as text) and `next_at` (seconds) as its key. Only active sheep
//! and running jobs have these attributes, so there is no second list of due things to lose.
//!
//! A post on the meadow *is* its post item: the put that publishes it is the put that records it.
//!
//! Every item has `v`, the version of its schema, which is not in what was written before all had it; `w` is random for
//! each conditional write, so that one which the SDK sent again knows itself. Sheep and rooms are written as a whole,
//! under the condition that their `version` is the one that was read. `ttl` is the expiry in seconds; posts are kept for
//! [`POST_RETENTION_DAYS`], and a corpus for a day after the last sheep that pointed to it.

mod account;
mod aside;
mod audit;
mod corpus;
mod delivery;
mod find;
mod flock;
mod job;
mod key;
mod kind;
mod notice;
mod post;
mod room;
mod roster;
mod said;
mod sheep;
mod sign_in;
mod spend;
mod system;
mod told;
mod units;
mod upcoming;

use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        put_item::{PutItemError, builders::PutItemFluentBuilder},
        transact_write_items::TransactWriteItemsError,
        update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    },
    types::{
        AttributeValue, Delete, KeysAndAttributes, Put, ReturnConsumedCapacity,
        ReturnValuesOnConditionCheckFailure, TransactWriteItem,
        builders::{DeleteBuilder, PutBuilder},
    },
};
use flock_core::{Shards, TableId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::sync::OnceCell;

pub use account::{AccountItem, Stored};
pub use aside::Aside;
pub use audit::{AuditEntry, By};
pub use delivery::{Answered, Arrival, Asked, CONFIRM_FOR};
pub use find::{Found, NotFound};
pub use kind::{KINDS, Kind};
pub use post::{OnRecord, POST_RETENTION_DAYS, Post, PostState, Recorded, Taken};
pub use sheep::{Birth, ChangeError, DueCursor, DueEntry, DuePage, Read};
pub use sign_in::AskedSignIn;
pub use spend::{Bill, Ledger, Reserved};
pub use system::{Control, DueNow, Instance, Presence, Stop};
pub use told::Newest;
pub use units::Units;
pub use upcoming::{UpcomingPost, needs_of};

use key::Key;
use units::Meter;

/// An item as DynamoDB has it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// A request to the table failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The table did not do what it was asked.
    #[error("could not {action} {what}")]
    Request {
        /// What was attempted.
        action: &'static str,
        /// On which item.
        what: String,
        /// What the SDK says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An item was written by another version of Flockwork, or by hand.
    #[error("{what} does not have the expected form")]
    Corrupt {
        /// Which item.
        what: String,
        /// What does not fit.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What became of a conditional write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write<T = ()> {
    /// It was done.
    Done,
    /// The item is not as it was read, or exists already: nothing was written. With what is there now.
    Conflict(T),
}

/// The table. Cheap to clone; clones share the connection and the count of units.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    table: String,
    shards: Shards,
    /// Which table this is, once it was asked for.
    id: Arc<OnceCell<TableId>>,
    meter: Arc<Meter>,
}

impl Store {
    /// The table called `table`, whose sheep are spread over as many index shards as the table says.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table, shards: Shards::ONE, id: Arc::default(), meter: Arc::default() }
    }

    /// The read and write units of all requests so far, as DynamoDB counted them.
    pub fn units(&self) -> Units {
        self.meter.units()
    }
}

impl Write<Option<Item>> {
    /// For those whom it does not help to know what is there.
    fn forget(self) -> Write {
        match self {
            Self::Done => Write::Done,
            Self::Conflict(_) => Write::Conflict(()),
        }
    }

    /// With what is there as a value.
    fn read<T: DeserializeOwned>(self, what: &str) -> Result<Write<Option<T>>, StoreError> {
        Ok(match self {
            Self::Done => Write::Done,
            Self::Conflict(there) => {
                let there = there.map(|item| Keyed::read(item, what)).transpose()?;
                Write::Conflict(there.map(|keyed| keyed.value))
            }
        })
    }
}

/// `BatchGetItem` gives this many (AWS, "`BatchGetItem`", 2026-11).
const BATCH_GET: usize = 100;

/// How long to wait for a table without capacity, at first and at most.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The version of all schemas.
const SCHEMA: u8 = 1;

/// The attribute by which a conditional write knows itself.
const MARK: &str = "w";

/// An item with its key and the version of its schema.
#[derive(Debug, Serialize, Deserialize)]
struct Keyed<T> {
    #[serde(flatten)]
    key: Key,
    #[serde(default = "first_schema")]
    v: u8,
    #[serde(flatten)]
    value: T,
}

/// Of what was written before all kinds had a version.
fn first_schema() -> u8 {
    1
}

impl<T> Keyed<T> {
    fn new(key: Key, value: T) -> Self {
        Self { key, v: SCHEMA, value }
    }
}

impl<T: DeserializeOwned> Keyed<T> {
    fn read(item: Item, what: &str) -> Result<Self, StoreError> {
        let keyed: Self = from_item(item, what)?;
        if keyed.v == SCHEMA {
            return Ok(keyed);
        }
        let why = format!("it has schema version {}, this program knows {SCHEMA}", keyed.v);
        Err(StoreError::Corrupt { what: what.to_owned(), source: why.into() })
    }
}

/// What most items need.
impl Store {
    /// The item at `key`, if there is one.
    async fn one<T: DeserializeOwned>(
        &self,
        what: &str,
        key: Key,
        read: Read,
    ) -> Result<Option<T>, StoreError> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key.attributes()))
            .consistent_read(read == Read::Consistent)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|err| request_error("read", what, err))?;
        self.meter.read(output.consumed_capacity());
        let keyed = output.item.map(|item| Keyed::read(item, what)).transpose()?;
        Ok(keyed.map(|keyed| keyed.value))
    }

    /// The items at these keys, in no order; `action` and `what` say what for.
    async fn several(
        &self,
        (action, what): (&'static str, &str),
        keys: impl IntoIterator<Item = Key>,
    ) -> Result<Vec<Item>, StoreError> {
        let keys: Vec<_> = keys.into_iter().map(Key::attributes).collect();
        let mut items = Vec::new();
        for batch in keys.chunks(BATCH_GET) {
            let mut left = batch.to_vec();
            let mut wait = FIRST_WAIT;
            while !left.is_empty() {
                let keys = KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(true);
                let output = self
                    .client
                    .batch_get_item()
                    .request_items(&self.table, keys.build().expect("the keys were given"))
                    .send()
                    .await
                    .map_err(|err| request_error(action, what, err))?;
                let found = output.responses.and_then(|mut items| items.remove(&self.table));
                items.extend(found.unwrap_or_default());
                // What the table had no capacity for is handed back, to be asked again after a while.
                let again = output.unprocessed_keys.and_then(|mut keys| keys.remove(&self.table));
                left = again.map(|keys| keys.keys).unwrap_or_default();
                if !left.is_empty() {
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
            }
        }
        Ok(items)
    }

    /// All items of a partition, in order.
    async fn all<T: DeserializeOwned>(&self, what: &str, pk: &str) -> Result<Vec<T>, StoreError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
            .into_paginator()
            .items()
            .send();
        let mut values = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|err| request_error("list", what, err))?;
            values.push(Keyed::read(item, what)?.value);
        }
        Ok(values)
    }

    /// Writes `value` at `key`, whatever is there.
    async fn put(&self, what: &str, key: Key, value: impl Serialize) -> Result<(), StoreError> {
        let item = to_item(Keyed::new(key, value), what)?;
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        let put = put.return_consumed_capacity(ReturnConsumedCapacity::Total);
        let output = put.send().await.map_err(|err| request_error("write", what, err))?;
        self.meter.write(output.consumed_capacity());
        Ok(())
    }

    /// Writes `value` at `key` where the condition holds that `condition` adds.
    async fn put_if(
        &self,
        what: &str,
        key: Key,
        value: impl Serialize,
        condition: impl FnOnce(PutItemFluentBuilder) -> PutItemFluentBuilder,
    ) -> Result<Write<Option<Item>>, StoreError> {
        let mark = random_text();
        let mut item = to_item(Keyed::new(key, value), what)?;
        item.insert(MARK.to_owned(), AttributeValue::S(mark.clone()));
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        // What waits for the SDK is large, and so would be all that waits for it.
        match Box::pin(condition(put).send()).await {
            Ok(output) => {
                self.meter.write(output.consumed_capacity());
                Ok(Write::Done)
            }
            Err(err) => match err.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                    Ok(unless_ours(failed.item.clone(), &mark))
                }
                _ => Err(request_error("write", what, err)),
            },
        }
    }

    /// Writes all of `items`, or none: each where the condition holds that `condition` adds to it, by its place. Gives the places of
    /// those that did not hold, each with what is there; nothing, where somebody else was at it in that moment.
    async fn put_together(
        &self,
        what: &str,
        items: Vec<Item>,
        condition: impl Fn(usize, PutBuilder) -> PutBuilder,
    ) -> Result<Write<Vec<(usize, Option<Item>)>>, StoreError> {
        let mark = random_text();
        let mut puts = Vec::new();
        for (place, mut item) in items.into_iter().enumerate() {
            item.insert(MARK.to_owned(), AttributeValue::S(mark.clone()));
            let put = Put::builder()
                .table_name(&self.table)
                .set_item(Some(item))
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                );
            let put = condition(place, put).build();
            let put = put.map_err(|err| StoreError::Request {
                action: "write",
                what: what.to_owned(),
                source: Box::new(err),
            })?;
            puts.push(TransactWriteItem::builder().put(put).build());
        }
        let failed = match self.together("write", what, puts).await? {
            Write::Done => return Ok(Write::Done),
            Write::Conflict(failed) => failed,
        };
        let mut theirs = Vec::new();
        for (place, there) in failed {
            match unless_ours(there, &mark) {
                Write::Done => return Ok(Write::Done),
                Write::Conflict(there) => theirs.push((place, there)),
            }
        }
        Ok(Write::Conflict(theirs))
    }

    /// Does all of these, or none where one of their conditions does not hold: then with those, and what is there, where they ask for
    /// it. Nothing is in the list where somebody else is at one of them.
    async fn together(
        &self,
        action: &'static str,
        what: &str,
        items: Vec<TransactWriteItem>,
    ) -> Result<Write<Vec<(usize, Option<Item>)>>, StoreError> {
        let all = self
            .client
            .transact_write_items()
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .set_transact_items(Some(items));
        let err = match Box::pin(all.send()).await {
            Ok(output) => {
                self.meter.write(output.consumed_capacity());
                return Ok(Write::Done);
            }
            Err(err) => err,
        };
        let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
            err.as_service_error()
        else {
            return Err(request_error(action, what, err));
        };
        let mut failed = Vec::new();
        for (place, reason) in cancelled.cancellation_reasons().iter().enumerate() {
            match reason.code() {
                None | Some("None" | "TransactionConflict") => {}
                Some("ConditionalCheckFailed") => failed.push((place, reason.item().cloned())),
                Some(_) => return Err(request_error(action, what, err)),
            }
        }
        Ok(Write::Conflict(failed))
    }

    /// Writes a `value` whose version is one more than `read`, over the one that was read; where `read` is 0, over none.
    async fn put_version(
        &self,
        what: &str,
        key: Key,
        value: impl Serialize,
        read: u64,
    ) -> Result<Write<Option<Item>>, StoreError> {
        self.put_if(what, key, value, |put| match read {
            0 => put.condition_expression("attribute_not_exists(pk)"),
            read => put
                .condition_expression("version = :read")
                .expression_attribute_values(":read", AttributeValue::N(read.to_string())),
        })
        .await
    }

    /// Changes the item at `key` where the condition holds that `condition` adds. `change` is an update expression with
    /// what it sets first.
    async fn update_if(
        &self,
        what: &str,
        key: Key,
        change: &str,
        condition: impl FnOnce(UpdateItemFluentBuilder) -> UpdateItemFluentBuilder,
    ) -> Result<Write<Option<Item>>, StoreError> {
        let mark = random_text();
        let update = self
            .update(key, &format!("SET {MARK} = :mark{}", after_set(change)))
            .expression_attribute_values(":mark", AttributeValue::S(mark.clone()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match condition(update).send().await {
            Ok(output) => {
                self.meter.write(output.consumed_capacity());
                Ok(Write::Done)
            }
            Err(err) => match err.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    Ok(unless_ours(failed.item.clone(), &mark))
                }
                _ => Err(request_error("change", what, err)),
            },
        }
    }

    /// A change of the item at `key`, which may not be there yet, by an update expression with what it sets first.
    fn update(&self, key: Key, change: &str) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key.attributes()))
            .update_expression(format!("SET v = if_not_exists(v, :v){}", after_set(change)))
            .expression_attribute_values(":v", AttributeValue::N(SCHEMA.to_string()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
    }

    /// A removal that is one of several, of what is as `condition` says.
    fn delete(
        &self,
        what: &str,
        key: &Key,
        condition: impl FnOnce(DeleteBuilder) -> DeleteBuilder,
    ) -> Result<TransactWriteItem, StoreError> {
        let delete =
            Delete::builder().table_name(&self.table).set_key(Some(key.clone().attributes()));
        let delete = condition(delete).build().map_err(|err| StoreError::Request {
            action: "remove",
            what: what.to_owned(),
            source: Box::new(err),
        })?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    async fn delete_one(&self, what: &str, key: Key) -> Result<(), StoreError> {
        let delete = self.client.delete_item().table_name(&self.table);
        let output = delete.set_key(Some(key.attributes())).send().await;
        output.map(|_| ()).map_err(|err| request_error("remove", what, err))
    }
}

/// The condition that nothing is there, or what has expired: that may stay for a while (AWS, "Using time to live", 2026-11).
fn unless_unexpired(put: PutItemFluentBuilder, now: Timestamp) -> PutItemFluentBuilder {
    put.condition_expression("attribute_not_exists(pk) OR #ttl < :now")
        .expression_attribute_names("#ttl", "ttl")
        .expression_attribute_values(":now", AttributeValue::N(now.as_second().to_string()))
}

/// An update expression as it goes on after something that is set.
fn after_set(change: &str) -> String {
    change.strip_prefix("SET ").map_or_else(|| format!(" {change}"), |sets| format!(", {sets}"))
}

/// A conditional write that failed, unless it did so because it was done before: the SDK sends a request again when it
/// hears no answer, and the second meets the first.
fn unless_ours(there: Option<Item>, mark: &str) -> Write<Option<Item>> {
    let found = there.as_ref().and_then(|item| item.get(MARK)?.as_s().ok());
    if found.is_some_and(|found| found == mark) { Write::Done } else { Write::Conflict(there) }
}

/// A text nobody else has.
fn random_text() -> String {
    let mut bytes = [0; 8];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system has randomness");
    format!("{:016x}", u64::from_be_bytes(bytes))
}

/// What was read, where somebody can read it: in a list of what is due, one item that nobody can read is not to hide the
/// others. The tick meets it, too, and says what is wrong with it.
fn if_readable<T>(read: Result<Option<T>, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Err(StoreError::Corrupt { .. }) => Ok(None),
        read => read,
    }
}

/// A failed request, named for its reader.
fn request_error<E, R>(
    action: &'static str,
    what: impl Into<String>,
    source: SdkError<E, R>,
) -> StoreError
where
    E: std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    StoreError::Request { action, what: what.into(), source: Box::new(source) }
}

/// A write whose failed condition is an answer and not an error.
fn conditional<T, E, R>(
    result: Result<T, SdkError<E, R>>,
    action: &'static str,
    what: impl Into<String>,
) -> Result<Option<T>, StoreError>
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match result {
        Ok(output) => Ok(Some(output)),
        Err(SdkError::ServiceError(err))
            if err.err().code() == Some("ConditionalCheckFailedException") =>
        {
            Ok(None)
        }
        Err(err) => Err(request_error(action, what, err)),
    }
}

fn to_item(value: impl Serialize, what: impl Into<String>) -> Result<Item, StoreError> {
    serde_dynamo::to_item(value)
        .map_err(|err| StoreError::Corrupt { what: what.into(), source: Box::new(err) })
}

fn from_item<T: DeserializeOwned>(item: Item, what: impl Into<String>) -> Result<T, StoreError> {
    serde_dynamo::from_item(item)
        .map_err(|err| StoreError::Corrupt { what: what.into(), source: Box::new(err) })
}
