//! The texts of sheep, and what of them matters before something is changed.

use std::{collections::BTreeMap, sync::Arc};

use flock_core::{FlockName, Member, Origin, Sheep, Timed};
use flock_store::Store;

use crate::Result;

/// The sheep of every flock but this one.
pub(crate) async fn other_flocks(store: &Store, flock: &FlockName) -> Result<Vec<Timed<Sheep>>> {
    let mut sheep = Vec::new();
    for other in store.flocks().await?.into_iter().filter(|other| other != flock) {
        sheep.extend(with_times(store, store.sheep_of_flock(&other).await?).await?);
    }
    Ok(sheep)
}

/// The sheep with the times that lines of their texts have of their own.
pub(crate) async fn with_times(store: &Store, sheep: Vec<Sheep>) -> Result<Vec<Timed<Sheep>>> {
    let mut with_times = Vec::new();
    for sheep in sheep {
        let times = Box::pin(store.times(&sheep)).await?;
        with_times.push((sheep, times));
    }
    Ok(with_times)
}

/// The sheep with their texts, each text read once. A sheep whose text is lost posts nothing.
pub(crate) async fn with_texts(store: &Store, sheep: Vec<Sheep>) -> Result<Vec<Member>> {
    let mut texts = BTreeMap::new();
    let mut members = Vec::new();
    for sheep in sheep {
        let id = sheep.config.behaviour.text();
        let key = (sheep.id.flock.clone(), id.as_str().to_owned());
        if !texts.contains_key(&key) {
            let corpus = store.corpus(&sheep.id.flock, id).await?.map(Arc::new);
            texts.insert(key.clone(), corpus);
        }
        if let Some(Some(corpus)) = texts.get(&key) {
            let (text, corpus) = (Origin::Of(sheep.id.clone()), Arc::clone(corpus));
            members.push(Member { sheep, text, corpus });
        }
    }
    Ok(members)
}
