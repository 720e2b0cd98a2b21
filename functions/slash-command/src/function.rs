//! The function to whoever runs it: requests and events come in the same way.

use std::{fmt, sync::Arc, time::SystemTime};

use axum::Router;
use flock_aws::{Clock, Function, Reader, SdkConfig};
use flock_core::UnreadableEvent;
use lambda_http::{Adapter, Context, LambdaEvent, Service as _};
use serde_json::Value;

use crate::{App, Settings};

/// The function, between its events.
pub struct SlashCommand {
    app: Arc<App>,
    /// What answers requests.
    front_door: Router,
}

/// What came as a request, or the answer to one, is not what API Gateway hands to and fro.
#[derive(Debug, thiserror::Error)]
#[error("unreadable request: {0}")]
struct UnreadableRequest(#[from] serde_json::Error);

impl fmt::Debug for SlashCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SlashCommand").field(&self.app).finish()
    }
}

impl Function for SlashCommand {
    const NAME: &'static str = "slash-command";

    type Settings = Settings;
    type Error = anyhow::Error;

    fn settings(reader: &mut Reader<'_>) -> Settings {
        Settings::read(reader)
    }

    async fn start(settings: Settings, aws: &SdkConfig, clock: Clock) -> anyhow::Result<Self> {
        let app = Arc::new(App::start(settings, aws, clock).await?);
        Ok(Self { front_door: Arc::clone(&app).router(), app })
    }

    async fn handle(&self, event: Value, deadline: SystemTime) -> anyhow::Result<Value> {
        // Requests through API Gateway have one; events of the bus do not.
        if event.get("requestContext").is_none() {
            return self.app.handle(&event, deadline).await;
        }
        let request = serde_json::from_value(event).map_err(UnreadableRequest)?;
        let request = LambdaEvent::new(request, Context::default());
        let answer = Adapter::from(self.front_door.clone()).call(request);
        let Ok(response) = answer.await;
        Ok(serde_json::to_value(response).map_err(UnreadableRequest)?)
    }
}

/// What Lambda calls a failure.
pub fn error_type(err: &anyhow::Error) -> &'static str {
    match err {
        err if err.is::<UnreadableEvent>() => "UnreadableEvent",
        err if err.is::<UnreadableRequest>() => "UnreadableRequest",
        _ => "EventFailed",
    }
}
