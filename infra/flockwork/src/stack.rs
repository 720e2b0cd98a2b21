//! What `CloudFormation` says of a stack: the settings it was deployed with, and what its parts are called.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::{Client, types};
use flock_aws::SdkConfig;

use crate::deployed::Failure;

/// A stack that is deployed.
#[derive(Debug)]
pub(crate) struct Stack {
    pub(crate) name: String,
    /// Such as `ROLLBACK_COMPLETE`.
    pub(crate) status: String,
    parameters: BTreeMap<String, String>,
    outputs: BTreeMap<String, String>,
}

impl Stack {
    /// The right that it takes to look at one.
    pub(crate) const RIGHT: &str = "cloudformation:DescribeStacks";

    /// The stack that has made the table called `table`, by that name: `CloudFormation` calls what has none of its own
    /// `STACK-RESOURCE-RANDOM` (AWS, "Name type", 2026-11).
    pub(crate) fn of_table(table: &str) -> Option<&str> {
        table.rsplit_once("-Table-").map(|(stack, _)| stack).filter(|stack| !stack.is_empty())
    }

    /// The stack called `name`.
    pub(crate) async fn find(aws: &SdkConfig, name: &str) -> Result<Self, Failure> {
        let asked = Client::new(aws).describe_stacks().stack_name(name).send().await;
        let stacks = asked.map_err(|err| Failure::of(&err))?.stacks.unwrap_or_default();
        stacks.into_iter().next().map(Self::read).ok_or(Failure::Missing)
    }

    fn read(stack: types::Stack) -> Self {
        let parameters = stack.parameters.unwrap_or_default().into_iter().filter_map(|parameter| {
            Some((parameter.parameter_key?, parameter.parameter_value.unwrap_or_default()))
        });
        let outputs = stack.outputs.unwrap_or_default().into_iter();
        let outputs = outputs.filter_map(|output| Some((output.output_key?, output.output_value?)));
        Self {
            name: stack.stack_name.unwrap_or_default(),
            status: stack.stack_status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
            parameters: parameters.collect(),
            outputs: outputs.collect(),
        }
    }

    /// What it was deployed with; none where that is empty.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// What a part of it is called.
    pub(crate) fn output(&self, name: &str) -> Option<&str> {
        self.outputs.get(name).map(String::as_str)
    }
}
