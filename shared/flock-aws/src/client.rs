//! The SDK's shared configuration.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig, timeout::TimeoutConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use secrecy::{ExposeSecret as _, SecretString};

use crate::https::SdkHttp;

/// The ambient configuration, from which every client is made.
pub async fn load() -> SdkConfig {
    // A request that hangs must leave time for another try before the invocation ends.
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(4))
        .operation_timeout(Duration::from_secs(10))
        .build();
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(SdkHttp::new())
        .timeout_config(timeouts)
        .load()
        .await
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
