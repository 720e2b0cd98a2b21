//! Which sheep a person means.

use flock_core::{FlockName, Sheep, SheepId, SheepName};
use flock_store::{Read, Store};

use crate::refusal::refuse;

/// All sheep of `flock`, or of every flock.
pub async fn all(store: &Store, flock: Option<&FlockName>) -> anyhow::Result<Vec<Sheep>> {
    let flocks = store.flocks().await?;
    let Some(flock) = flock else {
        let mut sheep = Vec::new();
        for flock in &flocks {
            sheep.extend(store.sheep_of_flock(flock).await?);
        }
        return Ok(sheep);
    };
    if !flocks.contains(flock) {
        let known: Vec<_> = flocks.iter().map(FlockName::as_str).collect();
        return Err(refuse(match known.as_slice() {
            [] => format!("there is no flock `{flock}`; there is none at all yet"),
            known => format!("there is no flock `{flock}`; there are: {}", known.join(", ")),
        }));
    }
    Ok(store.sheep_of_flock(flock).await?)
}

/// The sheep called `text`: `flock/sheep`, or a name only one flock has.
pub async fn find(store: &Store, flock: Option<&FlockName>, text: &str) -> anyhow::Result<Sheep> {
    let none = || refuse(format!("there is no sheep `{text}`; `flockwork sheep list` shows them"));
    if text.contains('/') {
        let id: SheepId = text.parse().map_err(|err| refuse(format!("{err}")))?;
        if flock.is_some_and(|flock| *flock != id.flock) {
            return Err(refuse(format!("{id} is not a sheep of the flock that --flock names")));
        }
        return store.sheep(&id, Read::Consistent).await?.ok_or_else(none);
    }
    let name: SheepName = text.parse().map_err(|err| refuse(format!("{err}")))?;
    let mut named = all(store, flock).await?;
    named.retain(|sheep| sheep.id.name == name);
    match named.as_slice() {
        [] => Err(none()),
        [_] => Ok(named.swap_remove(0)),
        several => {
            let ids: Vec<_> = several.iter().map(|sheep| sheep.id.to_string()).collect();
            Err(refuse(format!("several sheep are called `{text}`; say which: {}", ids.join(", "))))
        }
    }
}
