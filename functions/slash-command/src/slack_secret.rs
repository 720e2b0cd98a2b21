//! What Slack's secret holds.

use anyhow::anyhow;
use flock_aws::Secrets;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

/// The app's credentials, from "Basic Information" and "OAuth & Permissions" of its settings on Slack.
#[derive(Debug)]
pub struct SlackSecret {
    /// Signs what Slack sends.
    pub signing_secret: SecretString,
    /// Lets the app post and look people up.
    pub bot_token: SecretString,
}

/// A text that is not what Slack's secret holds. Follows the name of the secret, and says nothing of what is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSlackSecret {
    /// There is nothing in it.
    #[error("is empty")]
    Empty,
    /// It is something else.
    #[error("is no JSON object with signing_secret and bot_token")]
    NotAnObject,
    /// These are not in it, or are no text.
    #[error("lacks {0}")]
    Lacks(String),
}

impl SlackSecret {
    /// The secret called `name`.
    pub(crate) async fn read(secrets: &Secrets, name: &str) -> anyhow::Result<Self> {
        let text = secrets.get(name).await?;
        Self::parse(&text).map_err(|err| anyhow!("secret {name} {err}"))
    }

    /// Reads the text of the secret.
    pub fn parse(text: &SecretString) -> Result<Self, NoSlackSecret> {
        let text = text.expose_secret();
        if text.trim().is_empty() {
            return Err(NoSlackSecret::Empty);
        }
        let Ok(Value::Object(object)) = serde_json::from_str(text) else {
            return Err(NoSlackSecret::NotAnObject);
        };
        let part = |name: &str| object.get(name).and_then(Value::as_str);
        // Anybody could sign with an empty secret; an empty token is Slack's to refuse, where one is needed.
        let signing_secret = part("signing_secret").filter(|secret| !secret.is_empty());
        let signing_secret = signing_secret.map(SecretString::from);
        match (signing_secret, part("bot_token").map(SecretString::from)) {
            (Some(signing_secret), Some(bot_token)) => Ok(Self { signing_secret, bot_token }),
            (signing_secret, bot_token) => {
                let parts = [("signing_secret", signing_secret), ("bot_token", bot_token)];
                let lacking =
                    parts.iter().filter(|(_, part)| part.is_none()).map(|(name, _)| *name);
                Err(NoSlackSecret::Lacks(lacking.collect::<Vec<_>>().join(" and ")))
            }
        }
    }
}
