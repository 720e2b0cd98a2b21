//! The function to whoever runs it.

use std::{fmt, sync::Arc, time::SystemTime};

use axum::{Extension, Router};
use flock_aws::{Clock, Function, Reader, SdkConfig};
use lambda_http::{Adapter, Context, LambdaEvent, Service as _};
use serde_json::Value;

use crate::{App, Settings};

/// The function, between its requests.
pub struct Keymaker {
    app: Arc<App>,
    router: Router,
}

impl fmt::Debug for Keymaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keymaker").field(&self.app).finish()
    }
}

/// What came as a request, or the answer to one, is not what API Gateway hands to and fro.
#[derive(Debug, thiserror::Error)]
#[error("unreadable request")]
struct UnreadableRequest;

impl Function for Keymaker {
    const NAME: &'static str = "keymaker";

    type Settings = Settings;
    type Error = anyhow::Error;

    fn settings(reader: &mut Reader<'_>) -> Settings {
        Settings::read(reader)
    }

    async fn start(settings: Settings, aws: &SdkConfig, clock: Clock) -> anyhow::Result<Self> {
        let app = Arc::new(App::start(settings, aws, clock).await?);
        Ok(Self { router: Arc::clone(&app).router(), app })
    }

    /// The parser's own words could quote what is secret in a request: they are dropped.
    async fn handle(&self, event: Value, deadline: SystemTime) -> anyhow::Result<Value> {
        let time = self.app.time(deadline);
        let request = serde_json::from_value(event).map_err(|_| UnreadableRequest)?;
        let request = LambdaEvent::new(request, Context::default());
        let answer = Adapter::from(self.router.clone().layer(Extension(time))).call(request);
        let Ok(response) = answer.await;
        Ok(serde_json::to_value(response).map_err(|_| UnreadableRequest)?)
    }
}
