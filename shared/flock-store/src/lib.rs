//! The DynamoDB table. Nobody else spells a key.
//!
//! One table, because its items are read together, and one sparse index, `due`, which holds the keys of
//! the sheep that will post. Both are defined in `template.yaml` and nowhere else.
//!
//! | item | `pk` | `sk` | written by | read by |
//! |---|---|---|---|---|
//! | flock | `FLOCKS` | `<flock>` | apply | list of flocks: query by `pk` |
//! | sheep | `FLOCK#<flock>` | `SHEEP#<sheep>` | apply, tick, pause | one by key; a flock's by `pk` |
//! | corpus piece | `CORPUS#<flock>#<corpus>` | `LINE#<8 digits>` | apply | the piece with line n: the last `sk` up to `LINE#n` |
//! | corpus head | `CORPUS#<flock>#<corpus>` | `HEAD` | apply, after all pieces | is the corpus there and whole |
//! | post | `POSTS#<flock>#<sheep>` | `POST#<12 digits>` | tick, by occurrence | a sheep's newest: `pk`, descending |
//! | account | `ACCOUNT#<network>#<handle>` | `ACCOUNT` | account add | one by key |
//! | shards | `SYSTEM` | `SHARDS` | tick, when its configuration changes | start-up of the tick and the CLI |
//! | clock | `SYSTEM` | `CLOCK` | the local run | the local run and the CLI |
//!
//! The index `due` has `due` (the shard, as text) and `next_at` (seconds) as its key. Only active sheep
//! have these attributes, so there is no second list of due things to lose.
//!
//! A post on the meadow *is* its post item: the put that publishes it is the put that records it.
//!
//! Every sheep is written as a whole, under the condition that its `version` is the one that was read.
//! `ttl` is the expiry in seconds; posts are kept for [`POST_RETENTION_DAYS`].

mod account;
mod corpus;
mod key;
mod post;
mod sheep;
mod system;
mod units;

use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::AttributeValue,
};
use flock_core::Shards;
use serde::{Serialize, de::DeserializeOwned};
use std::{collections::HashMap, sync::Arc};

pub use account::AccountItem;
pub use post::{POST_RETENTION_DAYS, Post, PostState};
pub use sheep::{DueCursor, DuePage, Read};
pub use units::Units;

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
    meter: Arc<Meter>,
}

impl Store {
    /// The table called `table`, whose sheep are spread over as many index shards as the table says.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table, shards: Shards::ONE, meter: Arc::default() }
    }

    /// The read and write units of all requests so far, as DynamoDB counted them.
    pub fn units(&self) -> Units {
        self.meter.units()
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
