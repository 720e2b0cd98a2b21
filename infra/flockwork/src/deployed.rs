//! A table that is deployed, and why it cannot be used.

use std::error::Error;

use aws_sdk_dynamodb::{
    Client,
    config::{ProvideCredentials as _, http::HttpResponse},
    error::{ProvideErrorMetadata, SdkError},
    operation::{batch_get_item::BatchGetItemError, get_item::GetItemError, query::QueryError},
};
use flock_aws::SdkConfig;
use flock_store::{Store, StoreError};

use crate::{login::how_to_log_in, refusal::refuse};

/// The table called `table`, with the credentials of this shell. What is missing is refused in words.
pub(crate) async fn table(aws: &SdkConfig, table: &str) -> anyhow::Result<Store> {
    check_login(aws).await?;
    match open(aws, table).await {
        Ok(store) => Ok(store),
        Err(err) => Err(unusable(aws, table, err.into()).await),
    }
}

/// The same, for whoever has seen that there are credentials.
pub(crate) async fn open(aws: &SdkConfig, table: &str) -> Result<Store, StoreError> {
    Store::new(Client::new(aws), table.to_owned()).with_current_shards().await
}

/// What the SDK puts before the reason, once for each place that it went through.
const HANDED_ON: &str = "an error occurred while loading credentials: ";

/// Refuses a shell without a region or without credentials, before a request says so in the words of a program.
pub(crate) async fn check_login(aws: &SdkConfig) -> anyhow::Result<()> {
    if region(aws).is_empty() {
        return Err(refuse(
            "AWS has many regions, and this shell says none: set that of the stack, such as with \
             `export AWS_REGION=eu-west-1`, or as `region` in the profile in ~/.aws/config",
        ));
    }
    let Some(provider) = aws.credentials_provider() else {
        let how = how_to_log_in().await;
        return Err(refuse(format!("this shell has no AWS credentials; {how}")));
    };
    match provider.provide_credentials().await {
        Ok(_) => Ok(()),
        Err(err) => {
            let why = format!("{:#}", anyhow::Error::new(err));
            // Then comes a list of all the places that were looked at.
            let why = why.lines().next().unwrap_or_default();
            let why = why.strip_suffix(" Attempted:").unwrap_or(why).trim_end_matches('.');
            // Each place that hands it on says so.
            let why = why.rsplit(HANDED_ON).next().unwrap_or(why);
            let how = how_to_log_in().await;
            Err(refuse(format!(
                "this shell has no AWS credentials that can be used ({why}); {how}"
            )))
        }
    }
}

/// Why the table called `table` does not let itself be opened, as a refusal where a person can do something about it.
pub(crate) async fn unusable(aws: &SdkConfig, table: &str, err: anyhow::Error) -> anyhow::Error {
    match reason(&err) {
        Some(Reason::NoTable) => refuse(format!(
            "there is no table {table} in {} of this AWS account; its name is the output `TableName` of the stack, and \
             AWS_REGION and AWS_PROFILE say where is looked",
            region(aws)
        )),
        Some(Reason::NoLogin) => refuse(format!(
            "AWS does not take the credentials of this shell (any more); {}",
            how_to_log_in().await
        )),
        Some(Reason::NotAllowed(said)) => refuse(format!(
            "whoever you are at AWS may not use the table {table}: {said}; the policy that the stack has as output \
             `OperatorPolicyArn` allows it: ask for it, or set AWS_PROFILE to another"
        )),
        None => err.context(format!("cannot use table {table}")),
    }
}

/// The right to read the table that whoever asked lacks, if it failed for that.
pub(crate) fn lacking(err: &anyhow::Error) -> Option<&'static str> {
    err.chain().find_map(|err| {
        let get = lacks::<GetItemError>(err).then_some("dynamodb:GetItem");
        let get =
            get.or_else(|| lacks::<BatchGetItemError>(err).then_some("dynamodb:BatchGetItem"));
        get.or_else(|| lacks::<QueryError>(err).then_some("dynamodb:Query"))
    })
}

/// Whether the table has other keys than ours, so that what was asked for cannot be in it.
pub(crate) fn has_other_keys(err: &anyhow::Error) -> bool {
    fn code<'a, E>(err: &'a (dyn Error + 'static)) -> Option<&'a str>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        err.downcast_ref::<SdkError<E, HttpResponse>>()?.code()
    }
    let mut causes = err.chain();
    let code = causes.find_map(|err| code::<GetItemError>(err).or_else(|| code::<QueryError>(err)));
    code == Some("ValidationException")
}

fn lacks<E>(err: &(dyn Error + 'static)) -> bool
where
    E: ProvideErrorMetadata + Error + 'static,
{
    err.downcast_ref::<SdkError<E, HttpResponse>>().is_some_and(is_denied)
}

/// The region, where there is one.
pub(crate) fn region(aws: &SdkConfig) -> String {
    aws.region().map(ToString::to_string).unwrap_or_default()
}

/// Why a table does not answer, where a person can do something about it.
enum Reason {
    NoTable,
    NoLogin,
    /// With what AWS says.
    NotAllowed(String),
}

fn reason(err: &anyhow::Error) -> Option<Reason> {
    let mut causes = err.chain();
    let err = causes.find_map(|err| err.downcast_ref::<SdkError<GetItemError, HttpResponse>>())?;
    if is_denied(err) {
        return Some(Reason::NotAllowed(err.message().unwrap_or("no reason is given").to_owned()));
    }
    match err.code()? {
        "ResourceNotFoundException" => Some(Reason::NoTable),
        // AWS, "Common error types" of `DynamoDB`, 2026-11.
        "ExpiredTokenException"
        | "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "MissingAuthenticationToken"
        | "IncompleteSignature" => Some(Reason::NoLogin),
        _ => None,
    }
}

/// Whether whoever asks lacks the right to. `DynamoDB` and Secrets Manager have the first word for it, `CloudFormation` the second,
/// SNS the third (AWS, "Common error types" of each, 2026-11).
pub(crate) fn is_denied(err: &impl ProvideErrorMetadata) -> bool {
    let denied = ["AccessDeniedException", "AccessDenied", "AuthorizationError"];
    err.code().is_some_and(|code| denied.contains(&code))
}

/// Why AWS did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Whoever asked lacks the right to.
    #[error("AWS does not allow it")]
    Denied,
    /// What was asked about is not there.
    #[error("AWS knows none")]
    Missing,
    /// Anything else, in AWS's words.
    #[error("{0}")]
    Other(String),
}

impl Failure {
    pub(crate) fn of<E>(err: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        if is_denied(err) {
            return Self::Denied;
        }
        match (err.code(), err.message()) {
            (Some("ResourceNotFoundException" | "NotFound"), _) => Self::Missing,
            // `CloudFormation` has no word of its own for it (AWS, "`DescribeStacks`", 2026-11).
            (Some("ValidationError"), Some(said)) if said.ends_with("does not exist") => {
                Self::Missing
            }
            (_, Some(said)) => Self::Other(said.to_owned()),
            (Some(code), None) => Self::Other(code.to_owned()),
            (None, None) => {
                let first: &(dyn Error + 'static) = err;
                let causes = std::iter::successors(Some(first), |err| (*err).source());
                Self::Other(causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
            }
        }
    }
}
