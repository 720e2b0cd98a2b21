//! Removes an account with its key.

use flock_core::{AccountId, Objection, Remedy, named};
use flock_store::Store;

use crate::{Error, Noted, Result, spelling::refuse_other_spelling};

/// Refuses to remove an account that was never added, or that sheep post through.
pub async fn refuse_to_remove_account(store: &Store, id: &AccountId) -> Result<()> {
    if store.newest_account(id).await?.is_none() {
        refuse_other_spelling(store, id).await?;
        return Err(Error::refused(format!("the account {id} was never added")));
    }
    let sheep = store.sheep_of(None).await?;
    let on = sheep.iter().filter(|sheep| sheep.config.account == *id).map(|sheep| &sheep.id);
    let on = named(on);
    if on.is_empty() {
        return Ok(());
    }
    let what = format!("{on} would have no account; move or remove them first");
    Err(Error::refused(Objection::from(what).with(Remedy::ListSheep)))
}

/// Removes the account and its sealed key. What was posted through it stays, there and here.
pub async fn remove_account(store: &Store, _: &Noted, id: &AccountId) -> Result<()> {
    refuse_to_remove_account(store, id).await?;
    Ok(store.remove_account(id).await?)
}
