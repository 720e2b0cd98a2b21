//! Slack is the control room, as a Lambda.

use std::sync::Arc;

use flock_aws::{Clock, Config};
use flock_core::UnreadableEvent;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, Service as _, service_fn};
use serde_json::Value;
use slash_command::App;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let config = Config::from_env()?;
    let aws = flock_aws::load().await;
    let app = Arc::new(App::start(config, &aws, Clock::wall()).await?);
    let http = lambda_http::Adapter::from(Arc::clone(&app).router());
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let (app, mut http) = (Arc::clone(&app), http.clone());
        async move {
            // Requests through API Gateway have one; events of the bus do not.
            if event.payload.get("requestContext").is_none() {
                let result = app.handle(&event.payload, event.context.deadline()).await;
                return result.map_err(|err| {
                    let unreadable = err.is::<UnreadableEvent>();
                    let kind = if unreadable { "UnreadableEvent" } else { "EventFailed" };
                    failed(kind, format!("{err:#}"))
                });
            }
            let not_http = |err: serde_json::Error| failed("UnreadableRequest", err.to_string());
            let request = serde_json::from_value(event.payload).map_err(not_http)?;
            let Ok(response) = http.call(LambdaEvent::new(request, event.context)).await;
            serde_json::to_value(response).map_err(not_http)
        }
    }))
    .await
}

fn failed(kind: &str, error_message: String) -> Diagnostic {
    Diagnostic { error_type: kind.to_owned(), error_message }
}
