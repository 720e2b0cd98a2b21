//! Who pays for what is done through an account outside its sheep.

use std::collections::BTreeSet;

use flock_core::{AccountId, FlockName, named};
use flock_store::Store;

use crate::{Error, Result};

/// The flock that pays for what is done through `account`: the one that is `named`, or the only one that has sheep there. Where its
/// network charges nothing, that is a name alone.
pub async fn payer_of(
    store: &Store,
    account: &AccountId,
    named_flock: Option<&FlockName>,
) -> Result<FlockName> {
    if let Some(name) = named_flock {
        return match store.flock(name).await? {
            Some(flock) => Ok(flock.name),
            None => Err(Error::refused(format!("there is no flock {name} that could pay"))),
        };
    }
    let sheep = store.sheep_of(None).await?;
    let here = sheep.into_iter().filter(|sheep| sheep.config.account == *account);
    let flocks: BTreeSet<_> = here.map(|sheep| sheep.id.flock).collect();
    let flocks: Vec<_> = flocks.into_iter().collect();
    match &*flocks {
        [] => Err(Error::refused(format!(
            "no flock has a sheep on {account}: say which flock pays for it"
        ))),
        [only] => Ok(only.clone()),
        all => Err(Error::refused(format!(
            "{} have sheep on {account}: say which flock pays for it",
            named(all)
        ))),
    }
}
