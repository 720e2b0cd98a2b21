//! Posts what is due, as a Lambda.

use std::sync::Arc;

use flock_aws::{Clock, Function as _};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde_json::Value;
use sheep_tick::{App, error_type};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let settings = flock_aws::from_env(App::settings)?;
    let aws = flock_aws::of_environment();
    let app = Arc::new(App::start(settings, &aws, Clock::wall()).await?);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let app = Arc::clone(&app);
        async move {
            let report = app.handle(&event.payload, event.context.deadline()).await;
            report.map_err(|err| Diagnostic {
                error_type: error_type(&err).to_owned(),
                error_message: format!("{err:#}"),
            })
        }
    }))
    .await
}
