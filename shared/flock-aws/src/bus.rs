//! The event bus, over which functions reach each other.

use std::sync::OnceLock;

use aws_config::SdkConfig;
use aws_sdk_eventbridge::{Client, types::PutEventsRequestEntry};
use flock_core::Event;
use serde_json::json;

/// The `source` of every event Flockwork publishes.
const SOURCE: &str = "flockwork";

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
    #[error("could not publish {kind}")]
    Request {
        /// What kind of event, the first of them.
        kind: &'static str,
        /// What the SDK says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The bus took the request but not every event.
    #[error("the event bus refused {count} events {kind}: {reason}")]
    Refused {
        /// What kind of event, the first of them.
        kind: &'static str,
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

    /// Publishes events.
    pub async fn publish(&self, events: &[Event]) -> Result<(), BusError> {
        let client = self.client.get_or_init(|| Client::new(&self.config));
        for batch in events.chunks(BATCH) {
            let Some(kind) = batch.first().map(Event::kind) else { continue };
            let entries = batch.iter().map(|event| {
                PutEventsRequestEntry::builder()
                    .event_bus_name(&self.name)
                    .source(SOURCE)
                    .detail_type(event.kind())
                    .detail(json!(event)["detail"].to_string())
                    .build()
            });
            let output = client
                .put_events()
                .set_entries(Some(entries.collect()))
                .send()
                .await
                .map_err(|err| BusError::Request { kind, source: Box::new(err) })?;
            if 0 < output.failed_entry_count() {
                let reason = output.entries().iter().find_map(|entry| entry.error_message());
                let reason = reason.unwrap_or("no reason given").to_owned();
                let count = output.failed_entry_count();
                return Err(BusError::Refused { kind, count, reason });
            }
        }
        Ok(())
    }
}
