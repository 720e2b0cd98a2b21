//! Secrets, as they are created.

use std::ops::RangeInclusive;

use serde_json::Value as Json;

use super::{Reading, none_of};
use crate::yaml::Value;

/// A secret, as it is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretDefinition {
    /// Its name in the template.
    pub logical_id: String,
    /// What it holds at first.
    pub value: SecretValue,
}

/// What a secret holds at first. A password is random letters and digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretValue {
    /// Nothing.
    Empty,
    /// This text.
    Literal(String),
    /// A password of this many characters.
    Password {
        /// Characters.
        length: usize,
    },
    /// A JSON object with one more key, whose value is a password.
    Generated {
        /// The object without the key.
        template: serde_json::Map<String, Json>,
        /// The key.
        key: String,
        /// Characters of the password.
        length: usize,
    },
}

/// Letters and digits are within what all others ask for.
const NOT_DONE_OF_GENERATED: &str =
    "ExcludeCharacters ExcludeLowercase ExcludeNumbers ExcludeUppercase";

/// Secrets Manager's own, when a template says nothing.
const DEFAULT_PASSWORD_LENGTH: u64 = 32;

const PASSWORD_LENGTHS: RangeInclusive<u64> = 1..=4096;

impl<'n> Reading<'n> {
    pub(super) fn secret(&self, fields: &Value<'n>) -> Option<SecretValue> {
        match (fields.get("SecretString"), fields.get("GenerateSecretString")) {
            (None, None) => Some(SecretValue::Empty),
            (Some(text), None) => self.text(&text).map(SecretValue::Literal),
            (None, Some(generate)) => self.generated_secret(&generate),
            (Some(_), Some(generate)) => {
                let text = "has both `SecretString` and `GenerateSecretString`; remove one";
                generate.finding(format!("{} {text}", fields.what));
                None
            }
        }
    }

    fn generated_secret(&self, value: &Value<'n>) -> Option<SecretValue> {
        let fields = value.mapping()?;
        none_of(NOT_DONE_OF_GENERATED, &fields);
        let length = match fields.get("PasswordLength") {
            Some(length) => self.number(&length, PASSWORD_LENGTHS, "characters")?,
            None => DEFAULT_PASSWORD_LENGTH,
        };
        let length = usize::try_from(length).ok()?;
        match (fields.get("SecretStringTemplate"), fields.get("GenerateStringKey")) {
            (None, None) => Some(SecretValue::Password { length }),
            (Some(template), Some(key)) => {
                let parsed = serde_json::from_str(&self.text(&template)?);
                let what = &template.what;
                let parsed =
                    parsed.map_err(|error| format!("{what} must be a JSON object: {error}"));
                let (template, key) = (template.accept(parsed)?, self.text(&key)?);
                Some(SecretValue::Generated { template, key, length })
            }
            _ => {
                let text = "needs `SecretStringTemplate` and `GenerateStringKey`, or neither";
                fields.finding(format!("{} {text}", fields.what));
                None
            }
        }
    }
}
