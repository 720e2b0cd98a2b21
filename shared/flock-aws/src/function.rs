//! What a function is to whoever runs it: its Lambda, or the local run that has it linked in.

use std::{error::Error, fmt::Debug, future::Future, time::SystemTime};

use aws_config::SdkConfig;
use serde_json::Value;

use crate::{Clock, Reader};

/// A function, between its events.
pub trait Function: Debug + Send + Sync + Sized + 'static {
    /// What its folder, its package and its program are called.
    const NAME: &'static str;

    /// What it reads of its environment.
    type Settings: Send + 'static;

    /// It cannot start, or has not handled an event.
    type Error: Into<Box<dyn Error + Send + Sync>>;

    /// Reads its settings.
    fn settings(reader: &mut Reader<'_>) -> Self::Settings;

    /// Starts it, which may open the connections its first event will use.
    fn start(
        settings: Self::Settings,
        aws: &SdkConfig,
        clock: Clock,
    ) -> impl Future<Output = Result<Self, Self::Error>> + Send;

    /// Handles whatever Lambda hands it, a request through API Gateway, too; `deadline` is when the platform ends the
    /// invocation.
    fn handle(
        &self,
        event: Value,
        deadline: SystemTime,
    ) -> impl Future<Output = Result<Value, Self::Error>> + Send;
}
