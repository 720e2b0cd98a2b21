//! Posts what is due, as a Lambda.

use std::sync::Arc;

use flock_aws::{Clock, Config};
use flock_core::UnreadableEvent;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde_json::Value;
use sheep_tick::App;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let config = Config::from_env()?;
    let aws = flock_aws::load().await;
    let app = Arc::new(App::start(config, &aws, Clock::wall()).await?);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let app = Arc::clone(&app);
        async move {
            let report = app.handle(&event.payload, event.context.deadline()).await;
            report.map_err(|err| {
                let unreadable = err.is::<UnreadableEvent>();
                Diagnostic {
                    error_type: if unreadable { "UnreadableEvent" } else { "TickFailed" }
                        .to_owned(),
                    error_message: format!("{err:#}"),
                }
            })
        }
    }))
    .await
}
