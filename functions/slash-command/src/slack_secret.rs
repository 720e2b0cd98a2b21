//! What Slack's secret holds.

use anyhow::Context as _;
use flock_aws::Secrets;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

/// The app's credentials, from "Basic Information" and "OAuth & Permissions" of its settings on Slack.
#[derive(Debug, Deserialize)]
pub(crate) struct SlackSecret {
    /// Signs what Slack sends.
    pub(crate) signing_secret: SecretString,
    /// Lets the app post and look people up.
    pub(crate) bot_token: SecretString,
}

impl SlackSecret {
    /// The secret called `name`.
    pub(crate) async fn read(secrets: &Secrets, name: &str) -> anyhow::Result<Self> {
        let text = secrets.get(name).await?;
        // serde's error would quote what is in it.
        serde_json::from_str(text.expose_secret())
            .ok()
            .with_context(|| format!("secret {name} lacks signing_secret or bot_token"))
    }
}
