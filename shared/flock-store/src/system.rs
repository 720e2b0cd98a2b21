//! What belongs to the deployment as a whole.

use std::sync::atomic::{AtomicI64, Ordering};

use aws_sdk_dynamodb::{
    operation::update_item::builders::UpdateItemFluentBuilder,
    types::{AttributeValue, ReturnValue},
};
use flock_core::{Job, RoomId, Shards, Sheep, TableId, UserId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    By, DueEntry, Keyed, Read, Store, StoreError, Write, if_readable, key::Key, request_error,
    sheep::Seconds,
};

/// How the due index is cut. Sheep move to their new shard with their next post, so readers look at
/// every shard that was ever used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct ShardsItem {
    current: Shards,
    highest: Shards,
}

/// How the due index is cut, and which table this is: one item, because both are read at start-up.
#[derive(Debug, Deserialize)]
struct TableItem {
    #[serde(flatten)]
    shards: ShardsItem,
    /// Not there before the first post that was decided with it.
    #[serde(default)]
    table: Option<TableId>,
}

const TABLE: &str = "the number of shards";

const CONTROL: &str = "the control item";

/// How long after its last event a process is shown.
const INSTANCE_SHOWN: SignedDuration = SignedDuration::from_mins(30);

/// What people have told the whole system to do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// Nothing acts while this is there.
    #[serde(default)]
    pub stopped: Option<Stop>,
    /// What was read of secrets before this is to be read again.
    #[serde(default, with = "jiff::fmt::serde::timestamp::second::optional")]
    pub rebooted_at: Option<Timestamp>,
}

/// Who stopped everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StopItem", into = "StopItem")]
pub struct Stop {
    /// Who, and where.
    pub by: By,
    /// When.
    pub at: Timestamp,
}

/// A stop as stored. The names are a schema: there is either `by` and `room`, of Slack, or `operator`, at a command line.
#[derive(Debug, Serialize, Deserialize)]
struct StopItem {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    room: Option<RoomId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operator: Option<String>,
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    at: Timestamp,
}

impl From<Stop> for StopItem {
    fn from(Stop { by, at }: Stop) -> Self {
        let (by, room, operator) = match by {
            By::Slack { user, room } => (Some(user), Some(room), None),
            By::CommandLine { user, arn: _ } => (None, None, Some(user)),
        };
        Self { by, room, operator, at }
    }
}

impl TryFrom<StopItem> for Stop {
    type Error = &'static str;

    fn try_from(item: StopItem) -> Result<Self, Self::Error> {
        let by = match (item.by, item.room, item.operator) {
            (Some(user), Some(room), None) => By::Slack { user, room },
            (None, None, Some(user)) => By::CommandLine { user, arn: None },
            _ => return Err("it does not say who has stopped everything, and where"),
        };
        Ok(Self { by, at: item.at })
    }
}

/// What is due.
#[derive(Debug, Clone, Default)]
pub struct DueNow {
    /// The sheep.
    pub sheep: Vec<Sheep>,
    /// The jobs.
    pub jobs: Vec<Job>,
}

/// A process of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// The function.
    pub function: String,
    /// Tells it from the others of that function.
    pub id: String,
    /// Its version of Flockwork.
    pub version: String,
    /// When it was started.
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    pub since: Timestamp,
    /// When it was last seen at work.
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    pub seen: Timestamp,
}

/// What a process knows of itself.
#[derive(Debug)]
pub struct Presence {
    instance: Instance,
    // Seconds since the epoch; 0 before the first time.
    noted: AtomicI64,
}

impl Presence {
    /// How often a process is noted. Each time costs a write unit.
    const EVERY: SignedDuration = SignedDuration::from_mins(10);

    /// A process of `function` called `id` that has just been started.
    pub fn new(function: &str, id: String, now: Timestamp) -> Self {
        let instance = Instance {
            function: function.to_owned(),
            id,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            since: now,
            seen: now,
        };
        Self { instance, noted: AtomicI64::new(0) }
    }

    /// What to write now, if anything.
    fn due(&self, now: Timestamp) -> Option<Instance> {
        let noted = self.noted.load(Ordering::Relaxed);
        if now.as_second() - noted < Self::EVERY.as_secs() {
            return None;
        }
        self.noted.store(now.as_second(), Ordering::Relaxed);
        Some(Instance { seen: now, ..self.instance.clone() })
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct InstanceItem {
    #[serde(flatten)]
    instance: Instance,
    ttl: Seconds,
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
            let update =
                self.update_table_item(item, "SET #current = :current, #highest = :highest");
            update.send().await.map_err(|err| request_error("write", TABLE, err))?;
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

    /// Which table this is. Drawn by whoever asks first; known from start-up where it was drawn before.
    pub async fn table_id(&self) -> Result<&TableId, StoreError> {
        self.id.get_or_try_init(|| self.draw_table_id()).await
    }

    async fn draw_table_id(&self) -> Result<TableId, StoreError> {
        let mut bytes = [0; 16];
        aws_lc_rs::rand::fill(&mut bytes).expect("the system has randomness");
        let drawn = AttributeValue::S(TableId::from_random(bytes).into());
        let one = ShardsItem { current: Shards::ONE, highest: Shards::ONE };
        let update = self
            .update_table_item(
                one,
                "SET #current = if_not_exists(#current, :current), \
                 #highest = if_not_exists(#highest, :highest), \
                 #table = if_not_exists(#table, :drawn)",
            )
            .expression_attribute_names("#table", "table")
            .expression_attribute_values(":drawn", drawn)
            .return_values(ReturnValue::AllNew);
        let output =
            update.send().await.map_err(|err| request_error("write", "the table's id", err))?;
        self.meter.write(output.consumed_capacity());
        let item = Keyed::<TableItem>::read(output.attributes.unwrap_or_default(), TABLE)?;
        item.value.table.ok_or_else(|| StoreError::Corrupt {
            what: TABLE.to_owned(),
            source: "it has no id of the table".into(),
        })
    }

    fn update_table_item(&self, item: ShardsItem, change: &str) -> UpdateItemFluentBuilder {
        let number = |shards| AttributeValue::N(u16::from(shards).to_string());
        self.update(Key::shards(), change)
            .expression_attribute_names("#current", "current")
            .expression_attribute_names("#highest", "highest")
            .expression_attribute_values(":current", number(item.current))
            .expression_attribute_values(":highest", number(item.highest))
    }

    /// By how much the local run's time is ahead of the clock on the wall.
    pub async fn clock_ahead(&self) -> Result<SignedDuration, StoreError> {
        let what = "the local clock";
        let clock: Option<ClockItem> = self.one(what, Key::clock(), Read::Consistent).await?;
        Ok(SignedDuration::from_secs(clock.map_or(0, |clock| clock.ahead_s)))
    }

    /// Remembers by how much the local run's time is ahead.
    pub async fn put_clock_ahead(&self, ahead: SignedDuration) -> Result<(), StoreError> {
        // Rounded up: time must not go back, not by a part of a second.
        let ahead_s = ahead.as_secs() + i64::from(0 < ahead.subsec_nanos());
        let clock = ClockItem { ahead_s };
        self.put("the local clock", Key::clock(), clock).await
    }

    /// What is due at `now`, in any shard, at most `limit` of each. Among it is all that is in flight, because a claim
    /// leaves the time a sheep or a job was due at.
    pub async fn due_now(&self, now: Timestamp, limit: u16) -> Result<DueNow, StoreError> {
        let shards = self.shards_item().await?.map_or(Shards::ONE, |known| known.highest);
        let mut due = DueNow::default();
        for shard in shards.numbers() {
            for entry in self.due(shard, now, limit.into(), None).await?.entries {
                match entry {
                    DueEntry::Sheep(id) => {
                        due.sheep.extend(if_readable(self.sheep(&id, Read::Eventual).await)?);
                    }
                    DueEntry::Job(id) => {
                        due.jobs.extend(if_readable(self.job(&id).await)?.filter(Job::is_running));
                    }
                    DueEntry::Unknown(_) => {}
                }
            }
        }
        Ok(due)
    }

    async fn shards_item(&self) -> Result<Option<ShardsItem>, StoreError> {
        let item: Option<TableItem> = self.one(TABLE, Key::shards(), Read::Consistent).await?;
        Ok(item.map(|item| {
            if let Some(table) = item.table {
                // Known already: it never changes.
                let _ = self.id.set(table);
            }
            item.shards
        }))
    }

    /// What people have told the whole system to do. May be half a second old.
    pub async fn control(&self) -> Result<Control, StoreError> {
        let control = self.one(CONTROL, Key::control(), Read::Eventual).await?;
        Ok(control.unwrap_or_default())
    }

    /// Stops everything. `Conflict`: it is stopped already.
    pub async fn stop_all(&self, stop: &Stop) -> Result<Write, StoreError> {
        let value = serde_dynamo::to_attribute_value(stop).map_err(|err| StoreError::Corrupt {
            what: CONTROL.to_owned(),
            source: Box::new(err),
        })?;
        let written = self.update_if(CONTROL, Key::control(), "SET stopped = :stop", |update| {
            update
                .condition_expression("attribute_not_exists(stopped)")
                .expression_attribute_values(":stop", value)
        });
        Ok(written.await?.forget())
    }

    /// Lets everything go on. `Conflict`: it is not stopped.
    pub async fn start_all(&self) -> Result<Write, StoreError> {
        let written = self.update_if(CONTROL, Key::control(), "REMOVE stopped", |update| {
            update.condition_expression("attribute_exists(stopped)")
        });
        Ok(written.await?.forget())
    }

    /// Has every process drop what it keeps of secrets at its next event.
    pub async fn reboot_all(&self, now: Timestamp) -> Result<(), StoreError> {
        let update = self
            .update(Key::control(), "SET rebooted_at = :now")
            .expression_attribute_values(":now", AttributeValue::N(now.as_second().to_string()));
        update.send().await.map(|_| ()).map_err(|err| request_error("change", CONTROL, err))
    }

    /// Notes that a process is at work, if that was not noted in the last minutes.
    pub async fn note(&self, presence: &Presence, now: Timestamp) -> Result<(), StoreError> {
        let Some(instance) = presence.due(now) else { return Ok(()) };
        let what = "a process";
        let ttl = instance.seen.saturating_add(INSTANCE_SHOWN).unwrap_or(Timestamp::MAX);
        let item = InstanceItem { instance, ttl: ttl.into() };
        let key = Key::instance(&item.instance.function, &item.instance.id);
        self.put(what, key, item).await
    }

    /// The processes that were at work within the last half hour, by function.
    pub async fn instances(&self, now: Timestamp) -> Result<Vec<Instance>, StoreError> {
        let items: Vec<InstanceItem> = self.all("the processes", Key::INSTANCES).await?;
        let fresh = |item: &InstanceItem| Timestamp::try_from(item.ttl).is_ok_and(|end| now < end);
        Ok(items.into_iter().filter(fresh).map(|item| item.instance).collect())
    }
}
