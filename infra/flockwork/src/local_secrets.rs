//! The secrets of the local run: those template.yaml defines, made as it says, kept in the data directory.

use std::collections::HashMap;

use serde_json::Value;

use crate::{
    data_dir::DataDir,
    template::{SecretDefinition, SecretValue},
};

/// The keyring's logical name in template.yaml.
pub const KEYRING: &str = "Keyring";

/// The logical name of the X app's secret in template.yaml.
pub const X_APP: &str = "XApp";

/// The logical name of the Slack app's secret in template.yaml.
pub const SLACK_APP: &str = "Slack";

/// All secrets by logical name; those that are not there yet are made.
pub fn all(
    data_dir: &DataDir,
    definitions: &[SecretDefinition],
) -> anyhow::Result<HashMap<String, String>> {
    let mut secrets = HashMap::new();
    for SecretDefinition { logical_id, value, .. } in definitions {
        let text = data_dir.secret(logical_id, || match value {
            SecretValue::Empty => String::new(),
            SecretValue::Literal(text) => text.clone(),
            SecretValue::Password { length } => random_text(*length),
            SecretValue::Generated { template, key, length } => {
                let mut secret = template.clone();
                secret.insert(key.clone(), Value::String(random_text(*length)));
                Value::Object(secret).to_string()
            }
        })?;
        secrets.insert(logical_id.clone(), text);
    }
    Ok(secrets)
}

/// Random hexadecimal digits.
fn random_text(length: usize) -> String {
    let mut bytes = vec![0; length.div_ceil(2)];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system has randomness");
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).take(length).collect()
}
