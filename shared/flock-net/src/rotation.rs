//! Seals the keys of accounts anew, with the current key of the keyring.

use flock_aws::{Keyring, KeyringError};
use flock_core::{AccountId, Resealed};
use flock_store::{AccountItem, Store, StoreError, Write};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

/// Accounts of one step: few enough to be written within the time that a tick keeps for what it has begun.
const STEP: u16 = 50;

/// A renewal that says it lasts longer is of a clock that is far from ours.
const LONGEST_RENEWAL: SignedDuration = SignedDuration::from_mins(5);

/// What a step came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stride {
    /// These are done.
    Done {
        /// They.
        step: Resealed,
        /// Whether no account came after them.
        is_last: bool,
    },
    /// Somebody is renewing what was got with the key of this account, and must find it as they left it: in some seconds they
    /// have done.
    Busy(AccountId),
    /// No account is left.
    Nothing,
}

/// What became of one account.
enum Sealed {
    Current,
    Unopened,
    Busy,
    Removed,
}

/// Seals the accounts after this one anew, as many as a step has, and each in one write over what was read of it.
pub async fn reseal(
    store: &Store,
    keyring: &Keyring,
    after: Option<&AccountId>,
    now: Timestamp,
) -> Result<Stride, StoreError> {
    let accounts = store.some_accounts(after, STEP).await?;
    let mut is_last = accounts.len() < STEP.into();
    let (mut cursor, mut sealed, mut unopened) = (None, 0, Vec::new());
    for id in accounts {
        match reseal_one(store, keyring, &id, now).await? {
            Sealed::Current => sealed += 1,
            Sealed::Unopened => unopened.push(id.clone()),
            Sealed::Removed => {}
            Sealed::Busy if cursor.is_none() => return Ok(Stride::Busy(id)),
            Sealed::Busy => {
                is_last = false;
                break;
            }
        }
        cursor = Some(id);
    }
    let Some(cursor) = cursor else { return Ok(Stride::Nothing) };
    Ok(Stride::Done { step: Resealed { cursor, sealed, unopened }, is_last })
}

async fn reseal_one(
    store: &Store,
    keyring: &Keyring,
    id: &AccountId,
    now: Timestamp,
) -> Result<Sealed, StoreError> {
    loop {
        let Some(item) = store.newest_account(id).await? else { return Ok(Sealed::Removed) };
        let sealed = [Some(&item.sealed_key), item.sealed_session.as_ref()];
        if sealed.into_iter().flatten().any(|sealed| is_being_renewed(keyring, id, sealed, now)) {
            return Ok(Sealed::Busy);
        }
        let Ok((key, session)) = again(keyring, id, &item) else { return Ok(Sealed::Unopened) };
        if key.is_none() && session.is_none() {
            return Ok(Sealed::Current);
        }
        let key = key.as_ref().unwrap_or(&item.sealed_key);
        // Somebody may have changed it meanwhile.
        if store.put_sealed_again(id, &item, key, session.as_deref()).await? == Write::Done {
            return Ok(Sealed::Current);
        }
    }
}

/// Key and session sealed with the current key; none of what is already.
fn again(
    keyring: &Keyring,
    id: &AccountId,
    item: &AccountItem,
) -> Result<(Option<String>, Option<String>), KeyringError> {
    let key = keyring.seal_again(id, &item.sealed_key)?;
    let session = item.sealed_session.as_deref();
    Ok((key, session.map(|sealed| keyring.seal_again(id, sealed)).transpose()?.flatten()))
}

/// What all that is renewed by one at a time says while somebody is at it.
#[derive(Deserialize)]
struct Renewed {
    renewing_until: Option<Timestamp>,
}

fn is_being_renewed(keyring: &Keyring, id: &AccountId, sealed: &str, now: Timestamp) -> bool {
    let renewed = |text: SecretString| serde_json::from_str::<Renewed>(text.expose_secret()).ok();
    let until = keyring.open(id, sealed).ok().and_then(renewed).and_then(|it| it.renewing_until);
    until.is_some_and(|until| now < until && until.duration_since(now) <= LONGEST_RENEWAL)
}
