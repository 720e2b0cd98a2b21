//! Removes an account with its key.

use flock_core::{AccountId, Objection, Remedy};
use flock_store::Store;

use crate::{Error, Noted, Result, accounts::sheep_on};

/// Refuses to remove an account that was never added, or that sheep post through.
pub async fn refuse_to_remove_account(store: &Store, id: &AccountId) -> Result<()> {
    if store.newest_account(id).await?.is_none() {
        return Err(Error::refused(format!("the account {id} was never added")));
    }
    let sheep = sheep_on(store, id).await?;
    let Some(first) = sheep.first() else { return Ok(()) };
    let others = match sheep.len() {
        1 => String::new(),
        2 => " and another".to_owned(),
        many => format!(" and {} others", many - 1),
    };
    let what = format!("{first}{others} would have no account; move or remove them first");
    Err(Error::refused(Objection::from(what).with(Remedy::ListSheep)))
}

/// Removes the account and its sealed key. What was posted through it stays, there and here.
pub async fn remove_account(store: &Store, _: &Noted, id: &AccountId) -> Result<()> {
    refuse_to_remove_account(store, id).await?;
    Ok(store.remove_account(id).await?)
}
