//! The SDK's shared configuration.

use std::time::Duration;

use aws_config::{
    BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider,
    retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use secrecy::{ExposeSecret as _, SecretString};

use crate::https::SdkHttp;

/// The configuration of whoever works on a deployment from a shell: wherever AWS's own programs look for it.
pub async fn load() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(SdkHttp::new())
        .timeout_config(timeouts())
        .load()
        .await
}

/// The configuration of a function, all of which Lambda puts into its environment (AWS, "Defined runtime environment
/// variables", 2026-11). Files and services that AWS's own programs would look through besides are not linked in.
pub fn of_environment() -> SdkConfig {
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(SharedHttpClient::new(SdkHttp::new()))
        .timeout_config(timeouts())
        .retry_config(RetryConfig::standard())
        .credentials_provider(SharedCredentialsProvider::new(
            EnvironmentVariableCredentialsProvider::new(),
        ))
        .use_fips(flag("AWS_USE_FIPS_ENDPOINT"))
        .use_dual_stack(flag("AWS_USE_DUALSTACK_ENDPOINT"))
        .service_config(Environment);
    sdk.region(variable("AWS_REGION").map(Region::new)).build()
}

/// A request that hangs must leave time for another try before the invocation ends.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(4))
        .operation_timeout(Duration::from_secs(10))
        .build()
}

/// Answers the SDK's questions from the environment.
#[derive(Debug)]
struct Environment;

impl LoadServiceConfig for Environment {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().replace(' ', "_").to_uppercase();
        variable(&format!("{}_{service}", key.env())).or_else(|| variable(key.env()))
    }
}

fn flag(name: &str) -> bool {
    variable(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

#[expect(clippy::disallowed_methods, reason = "these are the SDK's settings, and not ours")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The configuration of a deployment on this machine: `DynamoDB` at one address, every other service at
/// another. Of the credentials only `session_token` is checked there; the SDK does not print it.
pub fn local(
    dynamodb_url: String,
    services_url: String,
    session_token: &SecretString,
) -> SdkConfig {
    // A machine that is busy takes longer than AWS; one that has stopped would be waited for for ever.
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(10))
        .operation_attempt_timeout(Duration::from_secs(30))
        .operation_timeout(Duration::from_mins(1))
        .build();
    let session_token = Some(session_token.expose_secret().to_owned());
    let provider = "flockwork on this machine";
    let credentials = Credentials::new("local", "local", session_token, None, provider);
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(SharedHttpClient::new(SdkHttp::new()))
        .timeout_config(timeouts)
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .service_config(LocalServices { dynamodb_url, services_url })
        .build()
}

/// Answers the SDK's question where a service is, as `AWS_ENDPOINT_URL_<SERVICE>` would.
#[derive(Debug)]
struct LocalServices {
    dynamodb_url: String,
    services_url: String,
}

impl LoadServiceConfig for LocalServices {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        (key.env() == "AWS_ENDPOINT_URL").then(|| match key.service_id() {
            "DynamoDB" => self.dynamodb_url.clone(),
            _ => self.services_url.clone(),
        })
    }
}
