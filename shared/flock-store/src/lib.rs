//! The DynamoDB table. Nobody else spells a key.
//!
//! One table, because its items are read together, and one sparse index, `due`, which holds the keys of
//! the sheep that will post. Both are defined in `template.yaml` and nowhere else.
//!
//! | item | `pk` | `sk` | written by | read by |
//! |---|---|---|---|---|
//! | flock | `FLOCKS` | `<flock>` | apply | list of flocks: query by `pk`; one by key before a post that costs |
//! | sheep | `FLOCK#<flock>` | `SHEEP#<sheep>` | apply, tick, pause | one by key; a flock's by `pk` |
//! | removed sheep | `FLOCK#<flock>` | `SHEEP#<sheep>` | apply and remove, in the sheep's place | apply, when it makes a sheep of that name again |
//! | corpus piece | `CORPUS#<flock>#<corpus>` | `LINE#<8 digits>` | apply | the piece with line n: the last `sk` up to `LINE#n` |
//! | corpus head | `CORPUS#<flock>#<corpus>` | `HEAD` | apply, after all pieces | is the corpus there, whole and to stay |
//! | post | `POSTS#<flock>#<sheep>` | `POST#<12 digits>` | tick, by occurrence | a sheep's newest: `pk`, descending |
//! | account | `ACCOUNT#<network>#<handle>` | `ACCOUNT` | account add; a renewed session | one by key |
//! | roster | the account's | `SHEEP#<flock>/<sheep>` | apply, move; a look, where it is missing | a look for a post |
//! | taken post | the account's | `TAKEN#<the network's id>` | a look that found its post | the next look |
//! | spending | `SPEND#<flock>` | `<month>` | every request that is charged, by addition | `spend` |
//! | first said | `SAID#<network>#<fingerprint>` | `SAID` | the first account that says it | the next |
//! | shards, table id | `SYSTEM` | `SHARDS` | tick, when its configuration changes; the first claim ever | start-up of the tick and the CLI |
//! | clock | `SYSTEM` | `CLOCK` | the local run | the local run and the CLI |
//! | control | `SYSTEM` | `CONTROL` | stop, start, reboot | every function at every event |
//! | room | `ROOM#<room>` | `ROOM` | level, grant, revoke | every command given there |
//! | delivery | `DELIVERY#<id>` | `DELIVERY` | the first time Slack delivers it | nobody: the condition is the answer |
//! | question | `QUESTION#<id>` | `QUESTION` | a command that asks first | its button, in the same room |
//! | deferred command | `DEFERRED` | `<id>` | a command that takes longer | its event; `running` |
//! | audit entry | `AUDIT#<month>` | `<15 digits>#<id>` | a command in Slack, a waiver or a move, before it changes anything | `audit`: months, descending |
//! | process | `INSTANCES` | `<function>#<id>` | each process, every few minutes | `instances` |
//!
//! The index `due` has `due` (the shard, as text) and `next_at` (seconds) as its key. Only active sheep
//! have these attributes, so there is no second list of due things to lose.
//!
//! A post on the meadow *is* its post item: the put that publishes it is the put that records it.
//!
//! Every sheep is written as a whole, under the condition that its `version` is the one that was read.
//! `ttl` is the expiry in seconds; posts are kept for [`POST_RETENTION_DAYS`], and a corpus for a day after
//! the last sheep that pointed to it.

mod account;
mod audit;
mod corpus;
mod delivery;
mod find;
mod flock;
mod key;
mod post;
mod room;
mod roster;
mod said;
mod sheep;
mod spend;
mod system;
mod units;
mod upcoming;

use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::put_item::builders::PutItemFluentBuilder,
    types::{AttributeValue, ReturnConsumedCapacity},
};
use flock_core::{Shards, TableId};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{collections::HashMap, sync::Arc};
use tokio::sync::OnceCell;

pub use account::AccountItem;
pub use audit::{AuditEntry, By};
pub use delivery::{Answered, Asked, CONFIRM_FOR, Seen};
pub use find::{Found, NotFound};
pub use post::{POST_RETENTION_DAYS, Post, PostState, Recorded, Taken};
pub use sheep::{Birth, ChangeError, DueCursor, DuePage, Read};
pub use spend::{Bill, Ledger, Reserved};
pub use system::{Control, Instance, Presence, Stop};
pub use units::Units;
pub use upcoming::UpcomingPost;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// It was done.
    Done,
    /// The item is not as it was read, or exists already: nothing was written.
    Conflict,
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

/// An item with its key.
#[derive(Debug, Serialize, Deserialize)]
struct Keyed<T> {
    #[serde(flatten)]
    key: Key,
    #[serde(flatten)]
    value: T,
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
        let keyed: Option<Keyed<T>> = output.item.map(|item| from_item(item, what)).transpose()?;
        Ok(keyed.map(|keyed| keyed.value))
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
            let keyed: Keyed<T> = from_item(item, what)?;
            values.push(keyed.value);
        }
        Ok(values)
    }

    /// A put of `value` at `key`, to which a condition can be added.
    fn put_one(
        &self,
        what: &str,
        key: Key,
        value: impl Serialize,
    ) -> Result<PutItemFluentBuilder, StoreError> {
        let item = to_item(Keyed { key, value }, what)?;
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item));
        Ok(put.return_consumed_capacity(ReturnConsumedCapacity::Total))
    }

    /// Writes `value` at `key`, whatever is there.
    async fn put(&self, what: &str, key: Key, value: impl Serialize) -> Result<(), StoreError> {
        let put = self.put_one(what, key, value)?;
        self.write(put, what).await.map(|_| ())
    }

    /// Sends a put. `Conflict`: its condition does not hold.
    async fn write(&self, put: PutItemFluentBuilder, what: &str) -> Result<Write, StoreError> {
        let Some(output) = conditional(put.send().await, "write", what)? else {
            return Ok(Write::Conflict);
        };
        self.meter.write(output.consumed_capacity());
        Ok(Write::Done)
    }

    async fn delete_one(&self, what: &str, key: Key) -> Result<(), StoreError> {
        let delete = self.client.delete_item().table_name(&self.table);
        let output = delete.set_key(Some(key.attributes())).send().await;
        output.map(|_| ()).map_err(|err| request_error("remove", what, err))
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
