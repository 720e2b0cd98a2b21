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
    of(&variable)
}

fn of(variable: &dyn Fn(&str) -> Option<String>) -> SdkConfig {
    let flag = |name| variable(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(SharedHttpClient::new(SdkHttp::new()))
        .timeout_config(timeouts())
        .retry_config(retries(variable))
        .credentials_provider(SharedCredentialsProvider::new(
            EnvironmentVariableCredentialsProvider::new(),
        ))
        .use_fips(flag("AWS_USE_FIPS_ENDPOINT"))
        .use_dual_stack(flag("AWS_USE_DUALSTACK_ENDPOINT"))
        .service_config(Environment);
    sdk.region(variable("AWS_REGION").map(Region::new)).build()
}

/// How requests are repeated: what cannot be read is as if it was not there (AWS, "AWS SDKs and Tools Reference Guide: Retry behavior",
/// 2026-11).
fn retries(variable: &dyn Fn(&str) -> Option<String>) -> RetryConfig {
    let is_adaptive =
        variable("AWS_RETRY_MODE").is_some_and(|mode| mode.eq_ignore_ascii_case("adaptive"));
    let retries = if is_adaptive { RetryConfig::adaptive() } else { RetryConfig::standard() };
    let attempts = variable("AWS_MAX_ATTEMPTS").and_then(|attempts| attempts.trim().parse().ok());
    match attempts.filter(|attempts| 0 < *attempts) {
        Some(attempts) => retries.with_max_attempts(attempts),
        None => retries,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What of the configuration follows from these variables.
    fn read(variables: &[(&str, &str)]) -> String {
        let config = of(&|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        let retries = config.retry_config().unwrap();
        let is_on = |flag: Option<bool>| flag == Some(true);
        format!(
            "{:?}, {} attempts, fips {}, dual stack {}, {}",
            retries.mode(),
            retries.max_attempts(),
            is_on(config.use_fips()),
            is_on(config.use_dual_stack()),
            config.region().map_or("nowhere", |region| region.as_ref()),
        )
    }

    #[test]
    fn settings_of_the_sdk_are_read() {
        let usual = "Standard, 3 attempts, fips false, dual stack false, nowhere";
        assert_eq!(read(&[]), usual);
        assert_eq!(
            read(&[
                ("AWS_REGION", "eu-central-1"),
                ("AWS_MAX_ATTEMPTS", "5"),
                ("AWS_RETRY_MODE", "Adaptive"),
                ("AWS_USE_FIPS_ENDPOINT", "true"),
                ("AWS_USE_DUALSTACK_ENDPOINT", "TRUE"),
            ]),
            "Adaptive, 5 attempts, fips true, dual stack true, eu-central-1"
        );
        assert_eq!(
            read(&[("AWS_MAX_ATTEMPTS", "1"), ("AWS_RETRY_MODE", "standard")]),
            usual.replace('3', "1")
        );
        for (name, value) in [
            ("AWS_MAX_ATTEMPTS", "0"),
            ("AWS_MAX_ATTEMPTS", "-1"),
            ("AWS_MAX_ATTEMPTS", "many"),
            ("AWS_RETRY_MODE", "legacy"),
            ("AWS_USE_FIPS_ENDPOINT", "no"),
            ("AWS_USE_DUALSTACK_ENDPOINT", "1"),
        ] {
            assert_eq!(read(&[(name, value)]), usual, "{name}={value}");
        }
    }
}
