//! Accounts, opened: the item and the key that was sealed in it.

use anyhow::Context as _;
use flock_aws::{Keyring, SdkConfig, Secrets};
use flock_core::{AccountFacts, AccountId, Network};
use flock_store::{AccountItem, Store};
use jiff::Timestamp;
use secrecy::SecretString;

use crate::{Key, NewKey, Settings};

/// Opens accounts, and seals new ones.
#[derive(Debug)]
pub struct Accounts {
    store: Store,
    secrets: Secrets,
    keyring_secret: String,
    x_secret: String,
}

/// An account that can be posted through.
#[derive(Debug)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// What is known of it.
    pub facts: AccountFacts,
    /// The address of its server, where its network has many.
    pub url: Option<String>,
    /// Its id on its network, where that differs from the handle.
    pub remote_user: String,
    /// Its key.
    pub key: Key,
}

impl Accounts {
    /// The accounts in `store`, sealed with the keyring that `settings` name.
    pub fn new(aws: &SdkConfig, store: Store, settings: &Settings) -> Self {
        Self {
            store,
            secrets: Secrets::new(aws),
            keyring_secret: settings.keyring_secret.clone(),
            x_secret: settings.x_secret.clone(),
        }
    }

    /// Drops what was read before somebody ordered it at `ordered_at`.
    pub fn drop_older(&self, ordered_at: Option<Timestamp>) {
        self.secrets.drop_older(ordered_at);
    }

    /// The account called `id`. `None`: it was never added. On the meadow every account is there.
    pub async fn open(&self, id: &AccountId) -> anyhow::Result<Option<Account>> {
        if id.network == Network::Meadow {
            return Ok(Some(Account {
                id: id.clone(),
                facts: AccountFacts::MEADOW,
                url: None,
                remote_user: String::new(),
                key: Key::Meadow,
            }));
        }
        let Some(item) = self.store.account(id).await? else { return Ok(None) };
        let keyring = Keyring::parse(&self.secrets.get(&self.keyring_secret).await?)?;
        let app = if id.network.facts().has_app {
            Some(self.secrets.get(&self.x_secret).await?)
        } else {
            None
        };
        Account::from_item(id, item, keyring, app.as_ref()).map(Some)
    }
}

impl Account {
    /// An account as it is stored; `app` is what X needs besides.
    pub fn from_item(
        id: &AccountId,
        item: AccountItem,
        keyring: Keyring,
        app: Option<&SecretString>,
    ) -> anyhow::Result<Self> {
        let AccountItem { remote_user, url, facts, sealed_key, sealed_session } = item;
        let key = keyring.open(id, &sealed_key)?;
        let mut key =
            Key::read(id.network, &key, app).with_context(|| format!("the key of {id}"))?;
        if let Key::Bluesky(key) = &mut key {
            key.keep(keyring, id, sealed_session.as_deref());
        }
        Ok(Self { id: id.clone(), facts, url, remote_user, key })
    }

    /// An account that is being added, before it is stored.
    pub fn from_key_file(
        id: AccountId,
        new: &NewKey,
        app: Option<&SecretString>,
    ) -> anyhow::Result<Self> {
        let key = Key::read(id.network, &new.key, app)?;
        Ok(Self {
            id,
            facts: new.facts.clone(),
            url: new.url.clone(),
            remote_user: new.remote_user.clone(),
            key,
        })
    }
}
