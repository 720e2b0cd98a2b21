//! Accounts, opened: the item and the key that was sealed in it.

use std::time::Duration;

use anyhow::{Context as _, bail};
use flock_aws::{Keyring, SdkConfig, Secrets};
use flock_core::{AccountFacts, AccountId, Network};
use flock_store::{AccountItem, Store, Write};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::{Key, Networks, NewKey, Settings};

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
    /// When its server was last asked what it takes, where servers differ in that.
    pub asked_at: Option<Timestamp>,
    /// The address of its server, where its network has many.
    pub url: Option<String>,
    /// Its id on its network, where that differs from the handle.
    pub remote_user: String,
    /// Its key.
    pub key: Key,
}

impl Accounts {
    /// How long what a server said of its limits is believed.
    const ASK_AGAIN: SignedDuration = SignedDuration::from_hours(24);
    /// How long a post waits for that.
    const PATIENCE: Duration = Duration::from_secs(3);

    /// The accounts in `store`, sealed with the keyring that `settings` name.
    pub fn new(aws: &SdkConfig, store: Store, settings: &Settings) -> Self {
        Self {
            store,
            secrets: Secrets::new(aws),
            keyring_secret: settings.keyring_secret.clone(),
            x_secret: settings.x_secret.clone(),
        }
    }

    /// Asks the server of `account` what it takes, where servers differ in that and it was not asked for a day. Only who
    /// notes it first asks, so it is asked once a day, whatever comes of it.
    pub async fn ask_daily(
        &self,
        account: &mut Account,
        networks: &Networks,
        now: Timestamp,
    ) -> anyhow::Result<()> {
        let is_fresh = |at: Timestamp| now.duration_since(at).abs() < Self::ASK_AGAIN;
        if !account.id.network.facts().limits_vary || account.asked_at.is_some_and(is_fresh) {
            return Ok(());
        }
        if self.store.note_asked(&account.id, account.asked_at, now).await? != Write::Done {
            return Ok(());
        }
        let asked = tokio::time::timeout(Self::PATIENCE, networks.facts(account)).await;
        let facts = match asked {
            Ok(None) => return Ok(()),
            Ok(Some(facts)) => facts?,
            Err(_) => bail!("{} does not say in time what it takes", account.id),
        };
        if facts != account.facts {
            self.store.put_limits(&account.id, &facts, now).await?;
        }
        account.facts = facts;
        Ok(())
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
                asked_at: None,
                url: None,
                remote_user: String::new(),
                key: Key::Meadow,
            }));
        }
        let Some(item) = self.store.account(id).await? else { return Ok(None) };
        let mut keyring = self.keyring().await?;
        let sealed = [Some(item.sealed_key.as_str()), item.sealed_session.as_deref()];
        let has = |keyring: &Keyring, sealed: &str| {
            Keyring::key_of(sealed).is_none_or(|name| keyring.has(name))
        };
        // Somebody has given the keyring another key since it was read.
        if !sealed.into_iter().flatten().all(|sealed| has(&keyring, sealed)) && self.read_anew() {
            keyring = self.keyring().await?;
        }
        let app = if id.network.facts().has_app {
            Some(self.secrets.get(&self.x_secret).await?)
        } else {
            None
        };
        Account::from_item(id, item, keyring, app.as_ref()).map(Some)
    }
}

impl Accounts {
    /// How long a keyring that lacks something is not read again: all accounts may be sealed with what it lacks.
    const READ_AGAIN: Duration = Duration::from_secs(10);

    /// The keyring, as it was in the last minutes.
    async fn keyring(&self) -> anyhow::Result<Keyring> {
        Ok(Keyring::parse(&self.secrets.get(&self.keyring_secret).await?)?)
    }

    /// Has the keyring read anew. Whether it was read long enough ago for that.
    fn read_anew(&self) -> bool {
        self.secrets.drop_if_older(&self.keyring_secret, Self::READ_AGAIN)
    }

    /// The keyring as it is now, or was some seconds ago. Refused where it has no key `under`: somebody has added that, and it is
    /// not to be seen yet.
    pub async fn newest_keyring(&self, under: Option<&str>) -> anyhow::Result<Keyring> {
        self.read_anew();
        let mut keyring = self.keyring().await?;
        if under.is_some_and(|name| !keyring.has(name)) {
            self.secrets.drop_if_older(&self.keyring_secret, Duration::ZERO);
            keyring = self.keyring().await?;
        }
        match under.filter(|name| !keyring.has(name)) {
            None => Ok(keyring),
            Some(name) => bail!(
                "the keyring {} has no key `{name}`, which was added to it; put it back, or wait until it is to be                  seen everywhere",
                self.keyring_secret
            ),
        }
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
        let AccountItem {
            remote_user,
            url,
            facts,
            asked_at,
            signed_in: _,
            sealed_key,
            sealed_session,
        } = item;
        let key = keyring.open(id, &sealed_key)?;
        let mut key =
            Key::read(id.network, &key, app).with_context(|| format!("the key of {id}"))?;
        match &mut key {
            Key::Meadow | Key::Mastodon(_) => {}
            Key::X(key) => key.keep(keyring, id, sealed_session.as_deref()),
            Key::Bluesky(key) => key.keep(keyring, id, sealed_session.as_deref()),
        }
        Ok(Self { id: id.clone(), facts, asked_at, url, remote_user, key })
    }

    /// An account that is being added, before it is stored.
    pub fn from_key_file(
        id: AccountId,
        new: &NewKey,
        app: Option<&SecretString>,
    ) -> anyhow::Result<Self> {
        let mut key = Key::read(id.network, &new.key, app)?;
        if let Key::X(key) = &mut key {
            key.begin(new.session.as_ref());
        }
        Ok(Self {
            id,
            facts: new.facts.clone(),
            asked_at: None,
            url: new.url.clone(),
            remote_user: new.remote_user.clone(),
            key,
        })
    }
}
