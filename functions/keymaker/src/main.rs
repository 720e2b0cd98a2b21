//! The pages on which somebody signs in, as a Lambda.

use std::sync::Arc;

use flock_aws::{Clock, Function as _};
use keymaker::Keymaker;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let settings = flock_aws::from_env(Keymaker::settings)?;
    let aws = flock_aws::of_environment();
    let function = Arc::new(Keymaker::start(settings, &aws, Clock::wall()).await?);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let function = Arc::clone(&function);
        async move {
            let answer = function.handle(event.payload, event.context.deadline()).await;
            answer.map_err(|err| Diagnostic {
                error_type: "UnreadableRequest".to_owned(),
                error_message: format!("{err:#}"),
            })
        }
    }))
    .await
}
