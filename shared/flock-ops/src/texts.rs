//! The texts of sheep, and what of them matters before something is changed.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use flock_core::{Behaviour, Corpus, CorpusId, FlockName, Member, Origin, Sheep, Timed, Well};
use flock_store::Store;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{Error, Result, at_once::AT_ONCE};

/// The sheep of every flock but this one.
pub(crate) async fn other_flocks(store: &Store, flock: &FlockName) -> Result<Vec<Timed<Sheep>>> {
    let mut sheep = Vec::new();
    for other in store.flocks().await?.into_iter().filter(|other| other != flock) {
        sheep.extend(with_marks(store, store.sheep_of_flock(&other).await?).await?);
    }
    Ok(sheep)
}

/// The sheep with the marks of the lines of their texts, where they say when lines come.
pub(crate) async fn with_marks(store: &Store, sheep: Vec<Sheep>) -> Result<Vec<Timed<Sheep>>> {
    let mut with_marks = Vec::new();
    for sheep in sheep {
        let marks = Box::pin(store.marks(&sheep)).await?;
        with_marks.push((sheep, marks));
    }
    Ok(with_marks)
}

/// The sheep with their texts, each text read once. A sheep whose text is lost posts nothing.
pub(crate) async fn with_texts(store: &Store, sheep: Vec<Sheep>) -> Result<Vec<Member>> {
    let texts = Texts::of(store, sheep.iter()).await?;
    let mut wells = Wells::default();
    let member = |sheep: Sheep| {
        let corpus = wells.said_by(&sheep, &texts.get(&sheep)?, Wells::BATCHES)?;
        Some(Member { text: Origin::Of(sheep.id.clone()), sheep, corpus })
    };
    Ok(sheep.into_iter().filter_map(member).collect())
}

/// Texts of sheep, each of a flock once.
#[derive(Debug, Default)]
pub(crate) struct Texts(BTreeMap<(FlockName, CorpusId), Arc<Corpus>>);

impl Texts {
    /// Reads the texts of `sheep`, many at once.
    pub(crate) async fn of(store: &Store, sheep: impl Iterator<Item = &Sheep>) -> Result<Self> {
        let keys: BTreeSet<_> = sheep.map(key).collect();
        let reads = keys.into_iter().map(|(flock, id)| async move {
            let corpus = store.corpus(&flock, &id).await?;
            Ok::<_, Error>(corpus.map(|corpus| ((flock, id), Arc::new(corpus))))
        });
        let reads: Vec<_> = reads.collect();
        let texts: Vec<_> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
        Ok(Self(texts.into_iter().flatten().collect()))
    }

    /// The text of `sheep`. `None`: it is not there, or was not read.
    pub(crate) fn get(&self, sheep: &Sheep) -> Option<Arc<Corpus>> {
        self.0.get(&key(sheep)).cloned()
    }

    /// These and those.
    pub(crate) fn plus(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }
}

/// What texts are drawn from, each read once.
#[derive(Debug, Default)]
pub(crate) struct Wells(HashMap<Behaviour, Option<Well>>);

impl Wells {
    /// So many batches are looked at where nobody says how many.
    pub(crate) const BATCHES: u32 = 2;

    /// What `sheep`, whose text this is, says: its lines, or what is drawn from it next. `None`: hardly anything that is drawn can be
    /// posted.
    pub(crate) fn said_by(
        &mut self,
        sheep: &Sheep,
        text: &Arc<Corpus>,
        batches: u32,
    ) -> Option<Arc<Corpus>> {
        let behaviour = &sheep.config.behaviour;
        if !behaviour.draws() {
            return Some(Arc::clone(text));
        }
        let well =
            self.0.entry(behaviour.alike()).or_insert_with(|| behaviour.well(text)).as_ref()?;
        let drawn = behaviour.draw(well, sheep.next_place().cursor, batches)?;
        Some(Arc::new(drawn))
    }
}

fn key(sheep: &Sheep) -> (FlockName, CorpusId) {
    (sheep.id.flock.clone(), sheep.config.behaviour.text().clone())
}
