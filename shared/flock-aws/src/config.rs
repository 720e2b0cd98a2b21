//! Settings of the functions, read once at start.

use std::str::FromStr;

use flock_core::{InvalidId, RoomId, Shards, UserId};

/// Settings of one function. Which of them it needs is in template.yaml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `TABLE_NAME`: the DynamoDB table.
    pub table: String,
    /// `BUS_NAME`: the event bus.
    pub bus: String,
    /// `DUE_SHARDS`: into how many parts the due index is cut, 1 to 64.
    pub shards: Shards,
    /// `KEYRING_SECRET`: the secret that holds the keys the accounts' keys are sealed with.
    pub keyring_secret: String,
    /// `X_SECRET`: the secret that holds the X app's credentials.
    pub x_secret: String,
    /// `X_URL`: where X's API is, if not at its own address.
    pub x_url: Option<String>,
    /// `NETWORKS_ON_LOOPBACK`: whether servers of Mastodon and Bluesky may be on this machine and without TLS;
    /// for trying things out and for tests.
    pub networks_on_loopback: bool,
    /// `SLACK_SECRET`: the secret that holds Slack's signing secret and the bot's token.
    pub slack_secret: String,
    /// `SLACK_URL`: where Slack's Web API is, if not at its own address.
    pub slack_url: Option<String>,
    /// `SLACK_ROOM`: the channel that is told when a sheep stops or nobody knows whether it posted.
    pub slack_room: Option<RoomId>,
    /// `FIRST_OWNER`: the Slack user who has the highest level in every room.
    pub first_owner: Option<UserId>,
}

/// The environment does not describe a usable configuration.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("bad configuration: {}", problems.join("; "))]
pub struct ConfigError {
    problems: Vec<String>,
}

impl Config {
    /// Reads the process environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
        Self::from_lookup(|key| std::env::var(key).ok())
    }

    /// Reads settings through `lookup` and reports every problem at once.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let mut required = |key: &str| {
            let value = lookup(key).unwrap_or_default();
            if value.is_empty() {
                problems.push(format!("{key} is not set"));
            }
            value
        };
        let table = required("TABLE_NAME");
        let bus = required("BUS_NAME");
        let keyring_secret = required("KEYRING_SECRET");
        let x_secret = required("X_SECRET");
        let slack_secret = required("SLACK_SECRET");
        let shards = required("DUE_SHARDS");
        let shards = match shards.parse::<u16>().map(Shards::try_from) {
            Ok(Ok(shards)) => shards,
            _ if shards.is_empty() => Shards::ONE,
            _ => {
                problems.push(format!("DUE_SHARDS is `{shards}`, not a number from 1 to 64"));
                Shards::ONE
            }
        };
        let networks_on_loopback = match lookup("NETWORKS_ON_LOOPBACK").as_deref() {
            None | Some("" | "false") => false,
            Some("true") => true,
            Some(other) => {
                problems.push(format!("NETWORKS_ON_LOOPBACK is `{other}`, not true or false"));
                false
            }
        };
        let given = |key: &str| lookup(key).filter(|value| !value.is_empty());
        let first_owner = optional("FIRST_OWNER", given("FIRST_OWNER"), &mut problems);
        let slack_room = optional("SLACK_ROOM", given("SLACK_ROOM"), &mut problems);
        if problems.is_empty() {
            Ok(Self {
                table,
                bus,
                shards,
                keyring_secret,
                x_secret,
                x_url: given("X_URL"),
                networks_on_loopback,
                slack_secret,
                slack_url: given("SLACK_URL"),
                slack_room,
                first_owner,
            })
        } else {
            Err(ConfigError { problems })
        }
    }
}

/// An id that need not be given, but must be one.
fn optional<T: FromStr<Err = InvalidId>>(
    key: &str,
    value: Option<String>,
    problems: &mut Vec<String>,
) -> Option<T> {
    let parsed = value.map(|value| value.parse()).transpose();
    parsed.unwrap_or_else(|err| {
        problems.push(format!("{key} is wrong: {err}"));
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_wrong_is_reported_at_once() {
        let lookup = |key: &str| match key {
            "BUS_NAME" => Some("bus".to_owned()),
            "DUE_SHARDS" => Some("0".to_owned()),
            _ => None,
        };
        assert_eq!(
            Config::from_lookup(lookup).unwrap_err().to_string(),
            "bad configuration: TABLE_NAME is not set; KEYRING_SECRET is not set; X_SECRET is not \
             set; SLACK_SECRET is not set; DUE_SHARDS is `0`, not a number from 1 to 64"
        );
    }
}
