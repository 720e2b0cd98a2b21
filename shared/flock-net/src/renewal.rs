//! Renews what the requests of accounts are made with, where that ends: one process does it, and the others wait for it.
//!
//! Who renews writes down first that they do, over the very session that they read. What it gives is kept, sealed, beside the
//! account's key before anybody uses it.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use flock_aws::Keyring;
use flock_core::{AccountId, Errand, Renewal, Renewer};
use flock_store::{Store, Write};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::{Failure, failure::NotDone, http::Http};

/// What is kept of an account's renewals.
pub(crate) trait Session: Clone + Default + fmt::Debug {
    /// How long a renewal may be under way.
    const LONGEST: SignedDuration;
    /// How long one may seem to last that somebody else has begun, whose clock may differ from ours.
    const BELIEVED: SignedDuration;

    /// Reads it as it was kept.
    fn read(text: &SecretString) -> Option<Self>;

    /// It, to be kept.
    fn text(&self) -> SecretString;

    /// How far its renewal is.
    fn renewal(&self) -> Errand<Renewal>;

    /// It, with a renewal that is so far.
    #[must_use]
    fn with(self, renewal: &Errand<Renewal>) -> Self;
}

/// What stands beside a key, opened, and what seals it. A key that was not in the table has nothing to seal with.
#[derive(Debug)]
pub(crate) struct Beside<S> {
    keyring: Option<Keyring>,
    session: Option<S>,
    /// The session that was stored, where the keyring does not have its key.
    lost: Option<String>,
}

/// Renews sessions.
#[derive(Debug)]
pub(crate) struct Renewals {
    store: Store,
    renewing: Mutex<HashMap<AccountId, Weak<tokio::sync::Mutex<()>>>>,
}

/// Where a session is kept, and what seals it.
pub(crate) struct Place<'a, S> {
    account: &'a AccountId,
    beside: &'a Beside<S>,
    sealed_key: String,
}

/// What somebody comes to who wants to renew a session.
pub(crate) enum Claimed<'a, S, A> {
    /// It is good.
    Good(A),
    /// It is to be renewed by them alone.
    Ours {
        /// Where it is kept.
        place: Place<'a, S>,
        /// It, as it was before.
        before: S,
        /// It, claimed.
        session: S,
        /// How that is stored.
        over: String,
    },
}

impl<S> Default for Beside<S> {
    fn default() -> Self {
        Self { keyring: None, session: None, lost: None }
    }
}

impl<S: Session> Beside<S> {
    /// The session that was stored with a key, and what seals the next one.
    pub(crate) fn stored(keyring: Keyring, account: &AccountId, sealed: Option<&str>) -> Self {
        let lost = sealed.filter(|sealed| !has_key_of(&keyring, sealed)).map(ToOwned::to_owned);
        let beside = Self { keyring: Some(keyring), session: None, lost };
        let session = Some(beside.open(account, sealed));
        Self { session, ..beside }
    }

    /// The session of a key that is not stored yet.
    pub(crate) fn given(session: Option<&SecretString>) -> Self {
        Self { keyring: None, session: session.and_then(S::read), lost: None }
    }

    pub(crate) fn session(&self) -> Option<&S> {
        self.session.as_ref()
    }

    /// Refuses a session that was sealed with a key which came to the keyring after that was read: whoever took it for none would
    /// begin another in its place.
    fn refuse_newer(&self, account: &AccountId, sealed: Option<&str>) -> Result<(), Failure> {
        let is_newer = sealed.zip(self.keyring.as_ref()).is_some_and(|(sealed, keyring)| {
            !has_key_of(keyring, sealed) && self.lost.as_deref() != Some(sealed)
        });
        if is_newer {
            let why = format!("{account} was sealed with a new key of the keyring meanwhile");
            return Err(Failure::try_again(NotDone::NOT_ASKED, why));
        }
        Ok(())
    }

    /// The session that was sealed; one that cannot be opened is as good as none.
    fn open(&self, account: &AccountId, sealed: Option<&str>) -> S {
        let text = sealed.zip(self.keyring.as_ref());
        let text = text.and_then(|(sealed, keyring)| keyring.open(account, sealed).ok());
        text.and_then(|text| S::read(&text)).unwrap_or_default()
    }

    fn seal(&self, account: &AccountId, session: &S) -> Result<String, Failure> {
        let keyring = self.keyring.as_ref().ok_or_else(|| {
            Failure::cannot(format!("{account} is not in the table; add it first"))
        })?;
        Ok(keyring.seal(account, &session.text()))
    }
}

impl Renewals {
    /// How long a renewal that somebody else has begun is waited for.
    const PATIENCE: Duration = Duration::from_secs(6);
    const LOOK_AGAIN: Duration = Duration::from_millis(200);

    pub(crate) fn new(store: Store) -> Self {
        Self { store, renewing: Mutex::default() }
    }

    /// Claims the renewal of a session, unless it `is_good` at a time, and then this comes of it.
    pub(crate) async fn claim<'a, S: Session, A>(
        &self,
        account: &'a AccountId,
        beside: &'a Beside<S>,
        http: &Http,
        is_good: impl Fn(&S, Timestamp) -> Option<A>,
    ) -> Result<Claimed<'a, S, A>, Failure> {
        let patience = tokio::time::Instant::now() + Self::PATIENCE;
        loop {
            let now = http.now();
            let (sealed_key, sealed) = self.newest(account).await?;
            beside.refuse_newer(account, sealed.as_deref())?;
            let before = beside.open(account, sealed.as_deref());
            if let Some(good) = is_good(&before, now) {
                return Ok(Claimed::Good(good));
            }
            if let Renewer::Others(until) = before.renewal().renewer(S::BELIEVED, now) {
                if patience <= tokio::time::Instant::now() {
                    let why = format!("another process is renewing the session of {account}");
                    return Err(Failure::not_before(NotDone::NOT_ASKED, until, why));
                }
                tokio::time::sleep(Self::LOOK_AGAIN).await;
                continue;
            }
            let until = now.saturating_add(S::LONGEST).unwrap_or(Timestamp::MAX);
            let session = before.clone().with(&before.renewal().claim(until));
            let place = Place { account, beside, sealed_key };
            if let Some(over) = self.put(&place, sealed.as_deref(), &session).await? {
                return Ok(Claimed::Ours { place, before, session, over });
            }
        }
    }

    /// The sealed key of an account, and its session, as they were last written.
    async fn newest(&self, account: &AccountId) -> Result<(String, Option<String>), Failure> {
        let item = self.store.newest_account(account).await.map_err(|err| stored(&err))?;
        let item = item
            .ok_or_else(|| Failure::cannot(format!("{account} was removed; connect it again")))?;
        Ok((item.sealed_key, item.sealed_session))
    }

    /// The session as it was last written, and how it is stored. `None`: the account has another key now.
    pub(crate) async fn look<S: Session>(
        &self,
        place: &Place<'_, S>,
    ) -> Result<Option<(S, Option<String>)>, Failure> {
        let (sealed_key, sealed) = self.newest(place.account).await?;
        place.beside.refuse_newer(place.account, sealed.as_deref())?;
        let session = place.beside.open(place.account, sealed.as_deref());
        Ok((sealed_key == place.sealed_key).then_some((session, sealed)))
    }

    /// Writes a session over the one it was made from, and says how it is stored. `None`: that is not there
    /// any more.
    pub(crate) async fn put<S: Session>(
        &self,
        place: &Place<'_, S>,
        over: Option<&str>,
        session: &S,
    ) -> Result<Option<String>, Failure> {
        let Place { account, beside, sealed_key } = place;
        let sealed = beside.seal(account, session)?;
        let written = self.store.put_session(account, sealed_key, over, &sealed).await;
        Ok(match written.map_err(|err| stored(&err))? {
            Write::Done => Some(sealed),
            Write::Conflict(()) => None,
        })
    }

    /// The lock of an account, which is gone when nobody holds it: everybody in this process waits for the one who has it, and
    /// finds it done.
    pub(crate) fn lock(&self, account: &AccountId) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.renewing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = locks.get(account).and_then(Weak::upgrade) {
            return lock;
        }
        locks.retain(|_, lock| 0 < lock.strong_count());
        let lock = Arc::default();
        locks.insert(account.clone(), Arc::downgrade(&lock));
        lock
    }
}

fn has_key_of(keyring: &Keyring, sealed: &str) -> bool {
    Keyring::key_of(sealed).is_none_or(|name| keyring.has(name))
}

fn stored(err: &flock_store::StoreError) -> Failure {
    Failure::try_again(NotDone::HARMLESS, format!("the session could not be kept: {err}"))
}
