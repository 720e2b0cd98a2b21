//! A table that is deployed, and why it cannot be used.

use std::{error::Error, time::Duration};

use aws_sdk_dynamodb::{
    Client,
    config::{ProvideCredentials as _, http::HttpResponse},
    error::{ConnectorError, ProvideErrorMetadata, SdkError},
    operation::{batch_get_item::BatchGetItemError, get_item::GetItemError, query::QueryError},
};
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use flock_aws::{SdkConfig, SecretError};
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

/// What the SDK puts before the words of a `credential_process` that fails.
const OWN_WORDS: &str = ". Stderr:";

/// For as long as somebody may look for a password or a token that a `credential_process` asks for.
const LONGEST_LOGIN: Duration = Duration::from_mins(2);

/// The right to read a secret.
pub(crate) const READ_SECRET: &str = "secretsmanager:GetSecretValue";

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
    let asked = tokio::time::timeout(LONGEST_LOGIN, provider.provide_credentials());
    let Ok(asked) = asked.await else {
        let how = how_to_log_in().await;
        return Err(refuse(format!("no AWS credentials came within two minutes; {how}")));
    };
    match asked {
        Ok(_) => Ok(()),
        Err(err) => {
            let err = anyhow::Error::new(err);
            if let Some(why) = not_reached(&err) {
                return Err(refuse(unreachable(aws, &why)));
            }
            let why = format!("{err:#}");
            // Then comes a list of all the places that were looked at.
            let why = why.lines().next().unwrap_or_default();
            let why = why.strip_suffix(" Attempted:").unwrap_or(why).trim_end_matches('.');
            // Each place that hands it on says so.
            let why = why.rsplit(HANDED_ON).next().unwrap_or(why);
            // What a `credential_process` says for itself may be as long as it likes, and may have its secret in it.
            let why = why.split(OWN_WORDS).next().unwrap_or(why);
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
        Some(Reason::NotReached(why)) => refuse(unreachable(aws, &why)),
        None => err.context(format!("cannot use table {table}")),
    }
}

/// Why the secret called `name`, which has to be the stack's output `output`, cannot be had, as a refusal where a person can do
/// something about it.
pub(crate) fn no_secret(
    aws: &SdkConfig,
    name: &str,
    output: &str,
    err: SecretError,
) -> anyhow::Error {
    match Failure::of_secret(&err) {
        Failure::Missing => refuse(format!(
            "there is no secret {name} in {} of this AWS account, or nothing is in it; its name is the output `{output}` of the \
             stack",
            region(aws)
        )),
        // Whoever may read some secrets is told the same of one that is not there.
        Failure::Denied => refuse(format!(
            "whoever you are at AWS may not read a secret {name}: if it is the output `{output}` of the stack, you lack the right \
             {READ_SECRET}, which the policy has that is its output `OperatorPolicyArn`"
        )),
        Failure::Other(_) => {
            let err = anyhow::Error::new(err);
            match not_reached(&err) {
                Some(why) => refuse(unreachable(aws, &why)),
                None => err,
            }
        }
    }
}

/// That AWS was not reached, and what to do.
fn unreachable(aws: &SdkConfig, why: &str) -> String {
    let region = region(aws);
    let elsewhere = match aws.endpoint_url() {
        Some(url) => format!(
            "AWS_ENDPOINT_URL of this shell or its profile leads to {url}; unset it if that is not meant"
        ),
        None => "AWS_ENDPOINT_URL and its like may lead elsewhere".to_owned(),
    };
    format!(
        "AWS does not answer ({why}); look at the network, whether the region {region} is right, which AWS_REGION or the profile in \
         ~/.aws/config says, and where requests go: {elsewhere}"
    )
}

/// Why nothing was reached, if that is what went wrong.
fn not_reached(err: &anyhow::Error) -> Option<String> {
    let connector = err.chain().find_map(|err| err.downcast_ref::<ConnectorError>())?;
    // What a user of the SDK does wrong is something else, such as unusable certificates.
    (!connector.is_user()).then(|| err.root_cause().to_string())
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

/// What is said of a table that has other keys than ours.
pub(crate) fn other_keys(table: &str) -> String {
    format!(
        "the table {table} has other keys than Flockwork's, so it is another program's; name the one that the stack's output \
         `TableName` has, with --table"
    )
}

/// Whether the table has other keys than ours, so that what was asked for cannot be in it.
pub(crate) fn has_other_keys(err: &anyhow::Error) -> bool {
    fn is_about_keys<E>(err: &(dyn Error + 'static)) -> bool
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let err = err.downcast_ref::<SdkError<E, HttpResponse>>();
        // The same code is for all that is out of bounds, such as a number of items.
        err.is_some_and(|err| {
            let said = err.message().unwrap_or_default();
            err.code() == Some("ValidationException")
                && (said.contains("key") || said.contains("schema"))
        })
    }
    err.chain().any(|err| is_about_keys::<GetItemError>(err) || is_about_keys::<QueryError>(err))
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
    /// With why.
    NotReached(String),
}

fn reason(err: &anyhow::Error) -> Option<Reason> {
    if let Some(why) = not_reached(err) {
        return Some(Reason::NotReached(why));
    }
    let cause = err.root_cause().to_string();
    let mut causes = err.chain();
    let err = causes.find_map(|err| err.downcast_ref::<SdkError<GetItemError, HttpResponse>>())?;
    match err {
        SdkError::TimeoutError(_) => {
            return Some(Reason::NotReached("nothing comes in time".to_owned()));
        }
        // A region or an address that there cannot be.
        SdkError::ConstructionFailure(_) => return Some(Reason::NotReached(cause)),
        // AWS has a code for everything.
        SdkError::ServiceError(answer) if err.code().is_none() => {
            let status = answer.raw().status();
            return Some(Reason::NotReached(format!(
                "what answers, with HTTP status {status}, is not AWS"
            )));
        }
        _ => {}
    }
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
    pub(crate) fn of_secret(err: &SecretError) -> Self {
        match err {
            SecretError::Request { source, .. } => {
                match source.downcast_ref::<SdkError<GetSecretValueError, HttpResponse>>() {
                    Some(err) => Self::of(err),
                    None => Self::Other(source.to_string()),
                }
            }
            SecretError::NoText(_) | SecretError::Write { .. } => Self::Other(err.to_string()),
        }
    }

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
