//! Adds an account, once its network has said whose the key is.

use anyhow::anyhow;
use flock_aws::Keyring;
use flock_core::{AccountId, Purpose, broken_by_account};
use flock_net::{Account, Checked, Failure, FailureKind, Networks, NewKey};
use flock_store::{AccountItem, Store, Stored};
use secrecy::SecretString;

use crate::{
    Error, Noted, Result,
    connect_account::{refuse_no_server, refuse_twice, renew, taken},
};

/// An account whose key somebody has, with what else is needed to ask its network about it.
#[derive(Debug)]
pub struct NewAccount<'a> {
    /// Which account it is to be.
    pub id: AccountId,
    /// Its key.
    pub key: NewKey,
    /// The credentials of the app, on a network that has apps.
    pub app: Option<SecretString>,
    /// Where the networks are.
    pub networks: &'a Networks,
}

/// Where a key came from: what is not right with it is put right there.
#[derive(Debug, Clone, Copy)]
pub enum KeyFrom<'a> {
    /// A file, as people call it.
    File(&'a str),
    /// A bundle, which says itself whose it is: the network is asked by which name it knows them, whatever that costs.
    Bundle,
    /// Somebody has signed in, and what for.
    SignIn(Purpose),
}

impl KeyFrom<'_> {
    /// What is not so when the key is refused, after the account's name.
    fn not_done(self) -> &'static str {
        match self {
            Self::File(_) | Self::Bundle | Self::SignIn(Purpose::Connect) => "is not added",
            Self::SignIn(Purpose::Renew) => "has no new key",
        }
    }

    /// What said which user's the key is.
    fn file(&self) -> Option<&str> {
        match self {
            Self::File(file) => Some(file),
            Self::Bundle => Some("the bundle"),
            Self::SignIn(_) => None,
        }
    }
}

/// The longest id of a user that is noted: those of networks have some dozens, and a key of the table has 1,024 bytes (AWS,
/// "Quotas in Amazon DynamoDB", 2026-11).
const LONGEST_USER: usize = 512;

/// An account of which its network has said that the key is its own.
#[derive(Debug)]
pub struct VouchedFor<'a> {
    new: NewAccount<'a>,
    checked: Checked,
}

impl<'a> NewAccount<'a> {
    /// Asks the network whose the key is.
    pub async fn check(self, from: KeyFrom<'_>) -> Result<VouchedFor<'a>> {
        let Self { id, key, app, networks } = &self;
        let not_done = from.not_done();
        if let Some(server) = &key.url {
            refuse_no_server(id, server)?;
        }
        let account =
            Account::from_key_file(id.clone(), key, app.as_ref()).map_err(|err| match from {
                KeyFrom::File(file) => Error::refused(format!("{file}: {err:#}")),
                KeyFrom::Bundle | KeyFrom::SignIn(_) => {
                    Error::refused(format!("{id} {not_done}: {err:#}"))
                }
            })?;
        let failed = |failure: Failure| {
            let again = match failure.kind {
                FailureKind::NotThisText(_) | FailureKind::Refused(_) => "",
                FailureKind::TryAgain { .. } | FailureKind::Unknown => "; try again later",
            };
            Error::refused(format!("{id} {not_done}: {failure}{again}"))
        };
        let checked = match from {
            KeyFrom::Bundle => networks.check_whose(&account).await,
            KeyFrom::File(_) | KeyFrom::SignIn(_) => networks.check(&account).await,
        };
        let checked = checked.map_err(failed)?;
        if LONGEST_USER < checked.remote_user.len() {
            let length = checked.remote_user.len();
            return Err(Error::refused(format!(
                "{id} {not_done}: its server gives it an id of {length} letters, which is none; ask who runs it"
            )));
        }
        let handle = checked.handle.as_ref().or(key.handle.as_ref());
        if let Some(theirs) = handle.filter(|theirs| !id.is_called(theirs)) {
            let instead = match from {
                KeyFrom::File(_) => "give the right key, or the right name",
                KeyFrom::Bundle => {
                    "if the account is called so by now, write that as the bundle's `screen_name`; else \
                                    it is the key of another"
                }
                KeyFrom::SignIn(Purpose::Connect) => {
                    "sign out there, or open the page in a private window, and sign in as the account that \
                     is to be added"
                }
                KeyFrom::SignIn(Purpose::Renew) => {
                    "sign out there, or open the page in a private window, and sign in as the account that \
                     is to have it"
                }
            };
            let why = format!("the key is that of {theirs}, not of {}", id.handle);
            return Err(Error::refused(format!("{id} {not_done}: {why}; {instead}")));
        }
        if !key.remote_user.is_empty()
            && key.remote_user != checked.remote_user
            && let Some(file) = from.file()
        {
            return Err(Error::refused(format!(
                "{id} is not added: the key is that of the user {}, but {file} says {}; correct its user_id, or \
                 take the key of that user",
                checked.remote_user, key.remote_user
            )));
        }
        Ok(VouchedFor { new: self, checked })
    }
}

impl VouchedFor<'_> {
    /// The credentials of the app that came with the key, if any.
    pub fn app(&self) -> Option<&SecretString> {
        self.new.key.app.as_ref()
    }

    /// As whom its network knows it.
    pub(crate) fn remote_user(&self) -> &str {
        &self.checked.remote_user
    }

    /// The address of its server, where its network has many.
    pub(crate) fn url(&self) -> Option<&str> {
        self.new.key.url.as_deref()
    }

    /// As it is stored.
    pub(crate) fn sealed(&self, keyring: &Keyring) -> AccountItem {
        let (NewAccount { id, key, .. }, checked) = (&self.new, &self.checked);
        let session = checked.session.as_ref().or(key.session.as_ref());
        AccountItem {
            remote_user: checked.remote_user.clone(),
            url: key.url.clone(),
            facts: checked.facts.clone(),
            asked_at: checked.asked_at,
            signed_in: None,
            sealed_key: keyring.seal(id, &key.key),
            sealed_session: session.map(|session| keyring.seal(id, session)),
        }
    }

    /// Stores the account with its sealed key, and has the network show that it is a bot's, if that is wanted. The rules that it
    /// breaks with every post all the same.
    pub async fn add(
        self,
        store: &Store,
        _: &Noted,
        keyring: Keyring,
        mark_as_bot: bool,
    ) -> Result<Vec<String>> {
        let there = store.newest_account(&self.new.id).await?;
        if there.is_none() {
            refuse_twice(store, &self.new.id, &self).await?;
        }
        let mut item = self.sealed(&keyring);
        let NewAccount { id, key: _, app, networks } = self.new;
        let stored = match &there {
            Some(there) => renew(store, &id, there, &item).await?,
            None => store.create_account(&id, item.clone()).await?,
        };
        match stored {
            Stored::Done => {}
            Stored::TakenBy(other) => return Err(taken(&id, &other)),
            Stored::Changed => {
                let why = format!("{id} was added, removed or given another key meanwhile");
                return Err(Error::refused(format!("{why}; look at it, and try again")));
            }
        }
        if mark_as_bot && !item.facts.labelled {
            let account = Account::from_item(&id, item.clone(), keyring, app.as_ref())?;
            networks.mark_as_bot(&account).await.map_err(|failure| {
                // No refusal: something has changed.
                anyhow!(
                    "{id} is added, but could not be marked as a bot: {failure}; mark it in its settings on the \
                     network, then renew its key"
                )
            })?;
            item.facts.labelled = true;
            store.put_label(&id, true).await?;
        }
        Ok(broken_by_account(id.network, &item.facts))
    }
}
