//! Which calls of AWS a program can make, read from the program itself.
//!
//! The linker leaves out what nothing in a program leads to, so the code of a call of the SDK is there where some way leads to it, and
//! nowhere else: by whatever function, crate or macro it is made, on whatever path, a test's or none's. Nobody has to list calls, and
//! none can be forgotten.

use std::{collections::BTreeSet, path::Path, process::Command};

/// How IAM calls what each client of the SDK speaks to (AWS, "Service Authorization Reference", 2026-11). `None`: whoever calls it has no
/// credentials yet, and needs no right.
const SERVICES: &[(&str, Option<&str>)] = &[
    ("aws_sdk_cloudformation", Some("cloudformation")),
    ("aws_sdk_dynamodb", Some("dynamodb")),
    ("aws_sdk_eventbridge", Some("events")),
    ("aws_sdk_secretsmanager", Some("secretsmanager")),
    ("aws_sdk_signin", None),
    ("aws_sdk_sns", Some("sns")),
    ("aws_sdk_sso", None),
    ("aws_sdk_ssooidc", None),
    ("aws_sdk_sts", Some("sts")),
];

/// What a program can ask of AWS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calls {
    /// As actions of IAM, such as `dynamodb:GetItem`: in these services each has the name of its operation.
    pub actions: BTreeSet<String>,
    /// Whether a query may name an index, which is a right of its own.
    pub queries_index: bool,
}

/// How each operation of the SDK's clients is known to whatever carries it out: by a table of functions that nothing can do without.
const CARRIED_OUT: &str =
    " as aws_smithy_runtime_api::client::runtime_plugin::RuntimePlugin>::config";

impl Calls {
    /// Those of the program at `path`, which has its symbols.
    ///
    /// # Panics
    ///
    /// Where they cannot be read, or a client of the SDK is in it that is in no line above.
    pub fn of(path: &Path) -> Self {
        // It comes with the linker.
        let nm = Command::new("nm").arg("--demangle").arg(path).output();
        let nm = nm.expect("nm comes with a C compiler");
        let said = String::from_utf8_lossy(&nm.stderr);
        assert!(nm.status.success(), "nm {}: {said}", path.display());
        let symbols = String::from_utf8_lossy(&nm.stdout);
        let mut calls = Self::default();
        for symbol in symbols.lines() {
            calls.queries_index |= symbol.contains("::QueryFluentBuilder::index_name");
            // `<aws_sdk_dynamodb::operation::get_item::GetItem as ...>::config`
            let Some((before, _)) = symbol.split_once(CARRIED_OUT) else { continue };
            let path: Vec<_> = before.rsplit('<').next().unwrap_or_default().split("::").collect();
            let [client, "operation", _, operation] = *path else { continue };
            let service = SERVICES.iter().find(|(known, _)| *known == client);
            let (_, service) =
                service.unwrap_or_else(|| panic!("{client} is new: how does IAM call it?"));
            // What is in it is wanted (AWS, "Using IAM with DynamoDB transactions", 2026-11): puts; and who removes accounts with it
            // removes other things, too.
            let operation = if operation == "TransactWriteItems" { "PutItem" } else { operation };
            calls.actions.extend(service.map(|service| format!("{service}:{operation}")));
        }
        assert!(!calls.actions.is_empty(), "{} has no symbols", path.display());
        calls
    }
}
