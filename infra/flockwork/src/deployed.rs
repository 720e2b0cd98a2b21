//! A table that is deployed, and why it cannot be used.

use aws_sdk_dynamodb::{
    Client,
    config::{ProvideCredentials as _, http::HttpResponse},
    error::{ProvideErrorMetadata as _, SdkError},
    operation::get_item::GetItemError,
};
use flock_aws::SdkConfig;
use flock_store::{Store, StoreError};

use crate::refusal::refuse;

/// The table called `table`, with the credentials of this shell. What is missing is refused in words.
pub(crate) async fn table(aws: &SdkConfig, table: &str) -> anyhow::Result<Store> {
    let Some(region) = aws.region() else {
        return Err(refuse(
            "AWS has many regions, and this shell says none: set AWS_REGION to that of the stack, or `region` in the \
             profile in ~/.aws/config",
        ));
    };
    check_login(aws).await?;
    let store = Store::new(Client::new(aws), table.to_owned()).with_current_shards().await;
    store.map_err(|err| match reason(&err) {
        Some(Reason::NoTable) => refuse(format!(
            "there is no table {table} in {region} of this AWS account; its name is the output `TableName` of the stack, and \
             AWS_REGION and AWS_PROFILE say where is looked"
        )),
        Some(Reason::NoLogin) => refuse(
            "AWS does not take the credentials of this shell (any more); log in again, such as with `aws sso login`, or \
             set AWS_PROFILE",
        ),
        Some(Reason::NotAllowed(said)) => refuse(format!(
            "whoever you are at AWS may not use the table {table}: {said}; ask for it, or set AWS_PROFILE to another"
        )),
        None => anyhow::Error::new(err).context(format!("cannot use table {table}")),
    })
}

/// Refuses a shell without credentials, before a request says so in the words of a program.
async fn check_login(aws: &SdkConfig) -> anyhow::Result<()> {
    const LOG_IN: &str =
        "log in, such as with `aws configure` or `aws sso login`, or set AWS_PROFILE";
    let Some(provider) = aws.credentials_provider() else {
        return Err(refuse(format!("this shell has no AWS credentials; {LOG_IN}")));
    };
    match provider.provide_credentials().await {
        Ok(_) => Ok(()),
        Err(err) => {
            let why = format!("{:#}", anyhow::Error::new(err));
            // Then comes a list of all the places that were looked at.
            let why = why.lines().next().unwrap_or_default();
            let why = why.strip_suffix(" Attempted:").unwrap_or(why).trim_end_matches('.');
            Err(refuse(format!(
                "this shell has no AWS credentials that can be used ({why}); {LOG_IN}"
            )))
        }
    }
}

/// Why a table does not answer, where a person can do something about it.
enum Reason {
    NoTable,
    NoLogin,
    /// With what AWS says.
    NotAllowed(String),
}

fn reason(err: &StoreError) -> Option<Reason> {
    let StoreError::Request { source, .. } = err else { return None };
    let err: &SdkError<GetItemError, HttpResponse> = source.downcast_ref()?;
    match err.code()? {
        "ResourceNotFoundException" => Some(Reason::NoTable),
        // AWS, "Common error types" of `DynamoDB`, 2026-11.
        "ExpiredTokenException"
        | "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "MissingAuthenticationToken"
        | "IncompleteSignature" => Some(Reason::NoLogin),
        "AccessDeniedException" => {
            Some(Reason::NotAllowed(err.message().unwrap_or("no reason is given").to_owned()))
        }
        _ => None,
    }
}
