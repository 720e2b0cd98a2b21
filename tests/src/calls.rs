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

impl Calls {
    /// Those of the program at `path`, which has its symbols.
    ///
    /// # Panics
    ///
    /// Where they cannot be read, or a client of the SDK is in it that is in no line above.
    pub fn of(path: &Path) -> Self {
        // It comes with the linker.
        let nm = Command::new("nm").arg(path).output().expect("nm comes with a C compiler");
        assert!(
            nm.status.success(),
            "nm {}: {}",
            path.display(),
            String::from_utf8_lossy(&nm.stderr)
        );
        let symbols = String::from_utf8_lossy(&nm.stdout).into_owned();
        let mut calls = Self::default();
        for symbol in symbols.lines().filter_map(|line| line.split_whitespace().last()) {
            let Some(client) = words(symbol).find(|word| word.starts_with("aws_sdk_")) else {
                continue;
            };
            let has = |name: &str| words(symbol).any(|word| word == name);
            // `operation::get_item::GetItem::orchestrate` is where a call begins.
            let before = words(symbol).zip(words(symbol).skip(1));
            let mut before = before.filter(|(_, word)| *word == "orchestrate");
            if let (true, Some((operation, _))) = (has("operation"), before.next()) {
                let service = SERVICES.iter().find(|(known, _)| *known == client);
                let (_, service) =
                    service.unwrap_or_else(|| panic!("{client} is new: how does IAM call it?"));
                calls.actions.extend(service.map(|service| format!("{service}:{operation}")));
            }
            calls.queries_index |= has("QueryFluentBuilder") && has("index_name");
        }
        assert!(!calls.actions.is_empty(), "{} has no symbols", path.display());
        calls
    }
}

/// The names in a mangled symbol: each has its length before it, in both of Rust's ways.
fn words(symbol: &str) -> impl Iterator<Item = &str> {
    let mut rest = symbol;
    std::iter::from_fn(move || {
        loop {
            let start = rest.find(|c: char| c.is_ascii_digit())?;
            let from = &rest[start..];
            let digits = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
            let (length, after) = from.split_at(digits);
            // A name that begins with a digit or an underscore has another underscore before it.
            let after = after
                .strip_prefix('_')
                .filter(|name| name.starts_with(|c: char| c == '_' || c.is_ascii_digit()))
                .unwrap_or(after);
            let word =
                length.parse::<usize>().ok().and_then(|length| after.split_at_checked(length));
            match word {
                Some((word, behind)) if !word.is_empty() => {
                    rest = behind;
                    return Some(word);
                }
                _ => rest = &from[digits..],
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_mangling_are_read() {
        let legacy = "_ZN16aws_sdk_dynamodb9operation8get_item7GetItem11orchestrate28_$u7b$$u7b$closure$u7d$$u7d$17h0E";
        let new = "_RNvMNtNtCs5I2_16aws_sdk_dynamodb9operation8get_itemNtB2_7GetItem11orchestrate";
        for symbol in [legacy, new] {
            let words: Vec<_> = words(symbol).collect();
            let found = words.windows(2).find(|pair| pair[1] == "orchestrate");
            assert_eq!(found.map(|pair| pair[0]), Some("GetItem"), "{words:?}");
            assert!(
                words.contains(&"aws_sdk_dynamodb") && words.contains(&"operation"),
                "{words:?}"
            );
        }
    }
}
