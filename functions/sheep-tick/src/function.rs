//! The function to whoever runs it.

use std::time::SystemTime;

use flock_aws::{Clock, Function, Reader, SdkConfig};
use flock_core::UnreadableEvent;
use serde_json::Value;

use crate::{App, Settings};

impl Function for App {
    const NAME: &'static str = "sheep-tick";

    type Settings = Settings;
    type Error = anyhow::Error;

    fn settings(reader: &mut Reader<'_>) -> Settings {
        Settings::read(reader)
    }

    async fn start(settings: Settings, aws: &SdkConfig, clock: Clock) -> anyhow::Result<Self> {
        Self::start(settings, aws, clock).await
    }

    async fn handle(&self, event: Value, deadline: SystemTime) -> anyhow::Result<Value> {
        Ok(serde_json::to_value(self.handle(&event, deadline).await?)?)
    }
}

/// What Lambda calls a failure.
pub fn error_type(err: &anyhow::Error) -> &'static str {
    if err.is::<UnreadableEvent>() { "UnreadableEvent" } else { "TickFailed" }
}
