//! The secrets of the local run: those template.yaml defines, made as it says, kept in the data directory. What is
//! damaged is refused, and so is to make anew what accounts in the table cannot do without.

use std::collections::HashMap;

use anyhow::Context as _;
use dynoxide::{AttributeValue, Database, DynoxideError, actions::scan::ScanRequest};
use flock_aws::Keyring;
use flock_core::{AccountId, count};
use flock_net::XApp;
use flock_store::AccountItem;
use local_cloud::template::{SecretDefinition, SecretValue, Template};
use secrecy::SecretString;
use serde_json::Value;
use slash_command::SlackSecret;

use crate::{connect::LOCAL_NAME, data_dir::DataDir, refusal::refuse};

/// The keyring's logical name in template.yaml.
pub const KEYRING: &str = "Keyring";

/// The logical name of the X app's secret in template.yaml.
pub const X_APP: &str = "XApp";

/// The logical name of the Slack app's secret in template.yaml.
pub const SLACK_APP: &str = "Slack";

/// So many accounts are named that cannot do without a secret.
const NAMED: usize = 10;

/// Whether a new keyring may take the place of one that is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// Refused while there are accounts whose keys it sealed.
    Refused,
    /// It is known to be lost, with the keys.
    Known,
}

/// All secrets by logical name; those that are not there yet are made. Refused, before anything is written, is what
/// is damaged, and what is missing and the accounts in `database` cannot do without.
pub fn all(
    data_dir: &DataDir,
    template: &Template,
    database: &Database,
    keyring: Lost,
) -> anyhow::Result<HashMap<String, String>> {
    let mut secrets = HashMap::new();
    for definition in &template.secrets {
        let name = &definition.logical_id;
        if let Some(text) = data_dir.secret(name)? {
            check(data_dir, definition, &text)?;
            secrets.insert(name.clone(), text);
        }
    }
    if keyring == Lost::Known && secrets.contains_key(KEYRING) {
        return Err(refuse(format!(
            "the keyring {} is there; --new-keyring is for one that is lost: leave it out, or move the keyring away",
            data_dir.secret_path(KEYRING).display()
        )));
    }
    let is_missing = |definition: &&SecretDefinition| !secrets.contains_key(&definition.logical_id);
    let missing: Vec<_> = template.secrets.iter().filter(is_missing).collect();
    let is_needed = |definition: &&SecretDefinition| match &*definition.logical_id {
        KEYRING => keyring == Lost::Refused,
        X_APP => true,
        _ => false,
    };
    if missing.iter().any(is_needed) {
        let accounts = accounts(database, template)?;
        for definition in missing.iter().copied().filter(is_needed) {
            refuse_to_lose(data_dir, &definition.logical_id, &accounts)?;
        }
    }
    let mut made = Vec::new();
    for definition in missing {
        let name = &definition.logical_id;
        let text = begin(&definition.value);
        // It would be refused the next time.
        usable(definition, &text).map_err(|why| {
            refuse(format!("what the template puts into the secret {name} at first {why}"))
        })?;
        made.push((name, text));
    }
    for (name, text) in made {
        data_dir.put_secret(name, &text)?;
        secrets.insert(name.clone(), text);
    }
    Ok(secrets)
}

/// What a secret holds at first.
fn begin(value: &SecretValue) -> String {
    match value {
        SecretValue::Empty => String::new(),
        SecretValue::Literal(text) => text.clone(),
        SecretValue::Password { length } => random_text(*length),
        SecretValue::Generated { template, key, length } => {
            let mut secret = template.clone();
            secret.insert(key.clone(), Value::String(random_text(*length)));
            Value::Object(secret).to_string()
        }
    }
}

/// Refuses a secret that is not what it was, with nothing of what is in it.
fn check(data_dir: &DataDir, definition: &SecretDefinition, text: &str) -> anyhow::Result<()> {
    let name = &*definition.logical_id;
    let away = if [KEYRING, X_APP].contains(&name) {
        "or move it away to see how to go on without it"
    } else {
        "or move it away, and a new one is made"
    };
    let path = data_dir.secret_path(name);
    usable(definition, text).map_err(|why| {
        refuse(format!("the secret {} {why}; put back a copy of it, {away}", path.display()))
    })
}

/// Whether this can be what the secret holds; if not, why. Follows the name of the secret.
fn usable(
    SecretDefinition { logical_id, value }: &SecretDefinition,
    text: &str,
) -> Result<(), String> {
    let object = || {
        let value = serde_json::from_str::<Value>(text).ok();
        let object = value.and_then(|value| value.as_object().cloned());
        object.ok_or_else(|| "is not a JSON object".to_owned())
    };
    match (&**logical_id, value) {
        // What nobody has filled in yet.
        (_, SecretValue::Empty) if text.is_empty() => Ok(()),
        (_, SecretValue::Literal(first)) if text == first => Ok(()),
        _ if text.trim().is_empty() => Err("is empty".to_owned()),
        (KEYRING, _) => Keyring::parse(&SecretString::from(text)).map(drop).map_err(|_| {
            "is no keyring, which is JSON such as {\"current\":\"k1\",\"k1\":\"at least 32 random characters\"}"
                .to_owned()
        }),
        (SLACK_APP, _) => {
            SlackSecret::parse(&SecretString::from(text)).map(drop).map_err(|err| err.to_string())
        }
        (X_APP, _) => {
            let app = object()?;
            let has = |key: &str| app.get(key).and_then(Value::as_str).is_some_and(|key| !key.is_empty());
            match XApp::lacks(has) {
                // Until there is an app it has nothing.
                Some(key) if !app.is_empty() => Err(format!("lacks {key}")),
                _ => Ok(()),
            }
        }
        (_, SecretValue::Generated { .. }) => object().map(drop),
        (_, SecretValue::Empty | SecretValue::Literal(_) | SecretValue::Password { .. }) => Ok(()),
    }
}

/// Refuses to make the secret called `name` anew where `accounts` cannot do without the one that is lost.
fn refuse_to_lose(data_dir: &DataDir, name: &str, accounts: &[AccountId]) -> anyhow::Result<()> {
    let path = data_dir.secret_path(name);
    let path = path.display();
    let of_apps: Vec<_> =
        accounts.iter().filter(|account| account.network.facts().has_app).cloned().collect();
    match (name, accounts, &*of_apps) {
        (KEYRING, [_, ..], _) => Err(refuse(format!(
            "the keyring {path} is missing, and the keys of {} are sealed with it; put back a copy of it. To go on \
             without those keys instead, start once with `flockwork run --new-keyring`: flocks and posts stay, and the \
             accounts need new keys (`flockwork account renew`)",
            listed(accounts)
        ))),
        (X_APP, _, [_, ..]) => Err(refuse(format!(
            "the secret of the X app {path} is missing, and {} cannot post without it; put back a copy of it, or \
             write it anew, with the app's keys: {{\"consumer_key\":\"...\",\"consumer_secret\":\"...\"}}",
            listed(&of_apps)
        ))),
        _ => Ok(()),
    }
}

fn listed(accounts: &[AccountId]) -> String {
    let names: Vec<_> = accounts.iter().take(NAMED).map(AccountId::to_string).collect();
    let more = if names.len() < accounts.len() { ", ..." } else { "" };
    let number = u64::try_from(accounts.len()).unwrap_or(u64::MAX);
    format!("{} ({}{more})", count(number, "account"), names.join(", "))
}

/// The accounts in the table that have a sealed key. Nobody keeps a list of them, and so all of it is looked through:
/// only where a secret is lost.
fn accounts(database: &Database, template: &Template) -> anyhow::Result<Vec<AccountId>> {
    let key = &template.table.key.hash.name;
    let mut accounts = Vec::new();
    let mut from = None;
    loop {
        let request = ScanRequest {
            table_name: LOCAL_NAME.to_owned(),
            filter_expression: Some("attribute_exists(#sealed)".to_owned()),
            expression_attribute_names: Some(HashMap::from([(
                "#sealed".to_owned(),
                AccountItem::SEALED_KEY.to_owned(),
            )])),
            exclusive_start_key: from,
            ..ScanRequest::default()
        };
        let page = match database.scan(request) {
            // It is not made yet.
            Err(DynoxideError::ResourceNotFoundException(_)) => return Ok(accounts),
            page => page.context("cannot look for accounts in the database")?,
        };
        accounts.extend(page.items.into_iter().flatten().filter_map(|item| match item.get(key)? {
            AttributeValue::S(key) => AccountItem::of_key(key),
            _ => None,
        }));
        match page.last_evaluated_key {
            None => break,
            next => from = next,
        }
    }
    accounts.sort();
    Ok(accounts)
}

/// Random hexadecimal digits.
fn random_text(length: usize) -> String {
    let mut bytes = vec![0; length.div_ceil(2)];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system has randomness");
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).take(length).collect()
}
