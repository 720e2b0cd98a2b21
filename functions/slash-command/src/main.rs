//! Slack is the control room, as a Lambda.

use std::sync::Arc;

use flock_aws::{Clock, Function as _};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde_json::Value;
use slash_command::{SlashCommand, error_type};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let settings = flock_aws::from_env(SlashCommand::settings)?;
    let aws = flock_aws::of_environment();
    let function = Arc::new(SlashCommand::start(settings, &aws, Clock::wall()).await?);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let function = Arc::clone(&function);
        async move {
            let answer = function.handle(event.payload, event.context.deadline()).await;
            answer.map_err(|err| Diagnostic {
                error_type: error_type(&err).to_owned(),
                error_message: format!("{err:#}"),
            })
        }
    }))
    .await
}
