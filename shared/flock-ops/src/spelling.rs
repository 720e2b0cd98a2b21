//! How accounts are spelled. Networks do not tell capitals apart in names, and what is stored keeps the spelling it was added with: keys
//! are sealed to it. So an account is there once, and whoever writes its name otherwise is told how it is written.

use flock_core::AccountId;
use flock_store::Store;

use crate::{Error, Result};

/// The account among `added` that differs from `id` in capitals alone.
pub(crate) fn spelled_otherwise<'a>(
    id: &AccountId,
    added: impl IntoIterator<Item = &'a AccountId>,
) -> Option<&'a AccountId> {
    let (network, name) = (id.network, id.handle.as_str().to_lowercase());
    added.into_iter().find(|other| {
        *other != id && other.network == network && other.handle.as_str().to_lowercase() == name
    })
}

/// The same among all that are there.
pub(crate) async fn is_there_as(store: &Store, id: &AccountId) -> Result<Option<AccountId>> {
    let added = store.accounts().await?;
    let Some(other) = spelled_otherwise(id, &added) else { return Ok(None) };
    // One that was just being added or removed when something died is nobody's.
    let is_there = store.newest_account(other).await?.is_some();
    Ok(is_there.then(|| other.clone()))
}

/// Refuses `id`, which was never added, where it was under another spelling.
pub(crate) async fn refuse_other_spelling(store: &Store, id: &AccountId) -> Result<()> {
    match is_there_as(store, id).await? {
        Some(other) => Err(Error::refused(format!(
            "the account {id} was never added; {other} is: write it so"
        ))),
        None => Ok(()),
    }
}
