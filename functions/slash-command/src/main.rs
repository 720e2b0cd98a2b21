//! Slack is the control room, as a Lambda.

use std::sync::Arc;

use flock_aws::{Clock, Config};
use lambda_runtime::{Error, LambdaEvent, Service as _, service_fn};
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
            // Events of the bus have one; requests through API Gateway do not.
            if event.payload.get("detail-type").is_some() {
                return Ok(app.handle(&event.payload, event.context.deadline()).await?);
            }
            let request = serde_json::from_value(event.payload)?;
            let response = http.call(LambdaEvent::new(request, event.context)).await?;
            Ok::<_, Error>(serde_json::to_value(response)?)
        }
    }))
    .await
}
