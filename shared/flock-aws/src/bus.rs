//! The event bus, over which functions reach each other.

use std::sync::OnceLock;

use aws_config::SdkConfig;
use aws_sdk_eventbridge::{Client, types::PutEventsRequestEntry};

/// The `source` of every event Flockwork publishes.
const SOURCE: &str = "flockwork";

/// The kind of event that has one sheep seen to at once: `flock` and `sheep` in its detail.
pub const SHEEP_DUE: &str = "sheep.due";

/// The kind of event that says a sheep has stopped: `sheep`, `occurrence` and `why` in its detail.
pub const SHEEP_STOPPED: &str = "sheep.stopped";

/// The kind of event that says nobody knows whether a sheep has posted: its detail is as above.
pub const SHEEP_UNKNOWN: &str = "sheep.unknown";

/// The kind of event that says a sheep has failed to post for hours: its detail is as above.
pub const SHEEP_FAILING: &str = "sheep.failing";

/// The kind of event that says a flock nears or has reached its monthly cap: `flock`, `month`, `cap`, `stands`
/// (near, full) and `what`, a sentence, in its detail.
pub const FLOCK_SPENDING: &str = "flock.spending";

/// PutEvents takes this many at once (AWS, "PutEvents", 2026-11).
const BATCH: usize = 10;

/// The event bus.
#[derive(Debug)]
pub struct EventBus {
    config: SdkConfig,
    // Built when first needed: with one shard nothing is published.
    client: OnceLock<Client>,
    name: String,
}

/// Events were not published.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The request failed.
    #[error("could not publish {detail_type}")]
    Request {
        /// What kind of event.
        detail_type: &'static str,
        /// What the SDK says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The bus took the request but not every event.
    #[error("the event bus refused {count} events {detail_type}: {reason}")]
    Refused {
        /// What kind of event.
        detail_type: &'static str,
        /// How many.
        count: i32,
        /// Why, as the bus says for the first.
        reason: String,
    },
}

impl EventBus {
    /// The bus called `name`.
    pub fn new(config: &SdkConfig, name: String) -> Self {
        Self { config: config.clone(), client: OnceLock::new(), name }
    }

    /// Publishes events of one kind.
    pub async fn publish(
        &self,
        detail_type: &'static str,
        details: &[serde_json::Value],
    ) -> Result<(), BusError> {
        let client = self.client.get_or_init(|| Client::new(&self.config));
        for batch in details.chunks(BATCH) {
            let entries = batch.iter().map(|detail| {
                PutEventsRequestEntry::builder()
                    .event_bus_name(&self.name)
                    .source(SOURCE)
                    .detail_type(detail_type)
                    .detail(detail.to_string())
                    .build()
            });
            let output = client
                .put_events()
                .set_entries(Some(entries.collect()))
                .send()
                .await
                .map_err(|err| BusError::Request { detail_type, source: Box::new(err) })?;
            if 0 < output.failed_entry_count() {
                let reason = output.entries().iter().find_map(|entry| entry.error_message());
                let reason = reason.unwrap_or("no reason given").to_owned();
                let count = output.failed_entry_count();
                return Err(BusError::Refused { detail_type, count, reason });
            }
        }
        Ok(())
    }
}
