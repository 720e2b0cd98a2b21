//! Slack is the control room: slash commands, mentions and buttons.

use std::{sync::Arc, time::SystemTime};

use axum::Router;
use flock_aws::{Clock, Config, SdkConfig};
use serde_json::Value;

/// What the function keeps between invocations.
#[derive(Debug)]
pub struct App {
    clock: Clock,
}

impl App {
    /// Connects to the table and reads the signing secret.
    pub async fn start(_config: Config, _aws: &SdkConfig, clock: Clock) -> anyhow::Result<Self> {
        Ok(Self { clock })
    }

    /// Answers `POST /slack/commands`, `/slack/interactivity` and `/slack/events`.
    pub fn router(self: Arc<Self>) -> Router {
        Router::new()
    }

    /// Handles an event from the bus; `deadline` is when the platform ends the invocation.
    pub async fn handle(&self, _event: &Value, _deadline: SystemTime) -> anyhow::Result<Value> {
        Ok(Value::String(self.clock.now().to_string()))
    }
}
