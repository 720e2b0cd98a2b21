//! The accounts' keys, opened.

use anyhow::Context as _;
use flock_aws::{Config, Keyring, SdkConfig, Secrets};
use flock_core::{AccountId, Network};
use flock_net::{Key, XApp, XKey};
use flock_store::Store;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

/// Opens the key of an account.
#[derive(Debug)]
pub(crate) struct Keys {
    secrets: Secrets,
    keyring_secret: String,
    x_secret: String,
}

/// The key of an X account, as sealed.
#[derive(Deserialize)]
struct XToken {
    token: SecretString,
    token_secret: SecretString,
}

impl Keys {
    pub(crate) fn new(aws: &SdkConfig, config: &Config) -> Self {
        Self {
            secrets: Secrets::new(aws),
            keyring_secret: config.keyring_secret.clone(),
            x_secret: config.x_secret.clone(),
        }
    }

    /// Drops what was read before somebody ordered it at `ordered_at`.
    pub(crate) fn drop_older(&self, ordered_at: Option<Timestamp>) {
        self.secrets.drop_older(ordered_at);
    }

    /// The key to post with. `None`: the account was never added.
    pub(crate) async fn open(
        &self,
        store: &Store,
        account: &AccountId,
    ) -> anyhow::Result<Option<Key>> {
        match account.network {
            Network::Meadow => Ok(Some(Key::Meadow)),
            Network::X => self.x(store, account).await,
        }
    }

    async fn x(&self, store: &Store, account: &AccountId) -> anyhow::Result<Option<Key>> {
        let Some(item) = store.account(account).await? else { return Ok(None) };
        let keyring = Keyring::parse(&self.secrets.get(&self.keyring_secret).await?)?;
        let sealed = keyring.open(account, &item.sealed_key)?;
        let XToken { token, token_secret } = serde_json::from_str(sealed.expose_secret())
            .ok()
            .with_context(|| format!("the key of {account} is not an X key; add it again"))?;
        let app = self.secrets.get(&self.x_secret).await?;
        let app: XApp = serde_json::from_str(app.expose_secret()).ok().with_context(|| {
            format!("secret {} lacks consumer_key or consumer_secret", self.x_secret)
        })?;
        Ok(Some(Key::X(Box::new(XKey { app, token, token_secret, user_id: item.remote_user }))))
    }
}
