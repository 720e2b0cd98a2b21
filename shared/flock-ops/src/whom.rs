//! Whom something is done for outside sheep: an account, or those of a flock; and who pays for it.

use std::collections::BTreeSet;

use flock_core::{AccountId, Charge, FlockName, InvalidAccount, Network, Sheep, Usd, Whom, named};
use flock_store::Store;

use crate::{Error, Result, connect_account::not_there};

/// Whom a name means: an account that is connected, or a flock, which may be written as its folder is.
pub async fn whom(store: &Store, name: &str) -> Result<Whom> {
    if name.contains(':') {
        let account: AccountId =
            name.parse().map_err(|err: InvalidAccount| Error::refused(err.to_string()))?;
        if account.network != Network::Meadow && store.newest_account(&account).await?.is_none() {
            return Err(not_there(store, &account).await);
        }
        return Ok(Whom::Account(account));
    }
    let name = name.strip_suffix("/*").or(name.strip_suffix('/')).unwrap_or(name);
    let flock = name.to_ascii_lowercase().parse::<FlockName>();
    let flock = flock.map_err(|err| Error::refused(err.to_string()))?;
    // Says which flocks there are when this one is not.
    store.sheep_of(Some(&flock)).await?;
    Ok(Whom::Flock(flock))
}

/// Its accounts, in their order: that one, or those that the sheep of the flock post through.
pub async fn accounts_of(store: &Store, whom: &Whom) -> Result<Vec<AccountId>> {
    Ok(match whom {
        Whom::Account(account) => vec![account.clone()],
        Whom::Flock(flock) => accounts_of_sheep(&store.sheep_of_flock(flock).await?),
    })
}

/// The accounts that these sheep post through, each once, in their order.
pub(crate) fn accounts_of_sheep<'a>(sheep: impl IntoIterator<Item = &'a Sheep>) -> Vec<AccountId> {
    let accounts: BTreeSet<_> =
        sheep.into_iter().map(|sheep| sheep.config.account.clone()).collect();
    accounts.into_iter().collect()
}

/// How to name who pays.
const WHO_PAYS: &str = "say which flock pays for it, with `--pay FLOCK`, in Slack with `pay FLOCK`";

/// The flock that pays: the one that is named, or a flock for its own accounts, and for an account the only one that has sheep there.
/// Where its network charges nothing, that is a name alone, and any flock with sheep there, now or once, is taken.
pub async fn payer_of(
    store: &Store,
    whom: &Whom,
    named_flock: Option<&FlockName>,
) -> Result<FlockName> {
    if let Some(name) = named_flock {
        return match store.flock(name).await? {
            Some(flock) => Ok(flock.name),
            None => Err(Error::refused(format!("there is no flock {name} that could pay"))),
        };
    }
    let account = match whom {
        Whom::Flock(flock) => return Ok(flock.clone()),
        Whom::Account(account) => account,
    };
    let sheep = store.sheep_of(None).await?;
    let here = sheep.into_iter().filter(|sheep| sheep.config.account == *account);
    let mut flocks: BTreeSet<_> = here.map(|sheep| sheep.id.flock).collect();
    let price = account.network.facts().price;
    let is_free = [Charge::Delete, Charge::Users(1)].iter().all(|one| price(*one) == Usd::ZERO);
    if is_free && flocks.is_empty() {
        flocks.extend(store.sheep_on(account).await?.into_iter().map(|sheep| sheep.flock));
    }
    let flocks: Vec<_> = flocks.into_iter().collect();
    match &*flocks {
        [] => Err(Error::refused(format!("no flock has a sheep on {account}: {WHO_PAYS}"))),
        [first, rest @ ..] if is_free || rest.is_empty() => Ok(first.clone()),
        all => Err(Error::refused(format!("{} have sheep on {account}: {WHO_PAYS}", named(all)))),
    }
}
