//! Which sheep or flock a person means.

use std::slice;

use flock_core::{FlockName, InvalidId, Sheep, SheepId, SheepName, listed, nearest};
use futures_util::{StreamExt as _, stream};

use crate::{Read, Store, StoreError};

/// Reads at once.
const CONCURRENCY: usize = 16;

/// What a person means by a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// One sheep.
    Sheep(Box<Sheep>),
    /// The sheep of a flock.
    Flock(FlockName, Vec<Sheep>),
}

/// Nobody can know what a person means. Says it to them.
#[derive(Debug, thiserror::Error)]
pub enum NotFound {
    /// There is no such sheep.
    #[error("there is no sheep `{name}`{}", meant(near.as_ref()))]
    Sheep {
        /// What was asked for.
        name: String,
        /// What may be meant.
        near: Option<String>,
    },
    /// It is a flock, and a sheep was asked for.
    #[error("`{flock}` is a flock, no sheep; {}", its_sheep(sheep))]
    IsFlock {
        /// Which flock.
        flock: FlockName,
        /// Its sheep.
        sheep: Vec<SheepId>,
    },
    /// There is neither a sheep nor a flock of that name.
    #[error("there is no sheep and no flock `{name}`{}", meant(near.as_ref()))]
    Neither {
        /// What was asked for.
        name: String,
        /// What may be meant.
        near: Option<String>,
    },
    /// There is no such flock.
    #[error("there is no flock `{name}`; {}", instead(name, known))]
    Flock {
        /// What was asked for.
        name: FlockName,
        /// What there is.
        known: Vec<FlockName>,
    },
    /// The name has several bearers.
    #[error("several are called `{name}`; say which: {}", ids.join(", "))]
    Several {
        /// What was asked for.
        name: String,
        /// What there is.
        ids: Vec<String>,
    },
    /// The sheep is another flock's.
    #[error("{0} is not a sheep of the flock {1}")]
    OtherFlock(SheepId, FlockName),
    /// It is no name at all.
    #[error(transparent)]
    Invalid(#[from] InvalidId),
    /// The table did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Sheep that are looked through for one that may be meant.
const LOOKED_THROUGH: usize = 1_000;

fn its_sheep(sheep: &[SheepId]) -> String {
    /// More is no sentence.
    const SHOWN: usize = 5;
    match sheep {
        [] => "there is none in it".to_owned(),
        [one] => format!("its only sheep is {one}"),
        several => format!("its sheep are {}", listed(several, SHOWN)),
    }
}

fn meant(near: Option<&String>) -> String {
    near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

/// The flock that may be meant, or else those there are.
fn instead(name: &FlockName, flocks: &[FlockName]) -> String {
    /// More are not read.
    const SHOWN: usize = 20;
    if let Some(near) = nearest(name.as_str(), flocks.iter().map(FlockName::as_str)) {
        return format!("did you mean `{near}`?");
    }
    if flocks.is_empty() {
        return "there is none at all yet".to_owned();
    }
    let names: Vec<_> = flocks.iter().take(SHOWN).map(FlockName::as_str).collect();
    let more = match flocks.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("there are: {}{more}", names.join(", "))
}

/// A name as names are: no two differ in case alone, and people write them as the beginning of a sentence.
fn in_small_letters(text: &str) -> String {
    text.to_ascii_lowercase()
}

impl Store {
    /// All sheep of `flock`, or of every flock.
    pub async fn sheep_of(&self, flock: Option<&FlockName>) -> Result<Vec<Sheep>, NotFound> {
        let flocks = self.flocks().await?;
        let Some(name) = flock else {
            let mut sheep = Vec::new();
            for flock in &flocks {
                sheep.extend(self.sheep_of_flock(flock).await?);
            }
            return Ok(sheep);
        };
        if !flocks.contains(name) {
            return Err(NotFound::Flock { name: name.clone(), known: flocks });
        }
        Ok(self.sheep_of_flock(name).await?)
    }

    /// Sheep of whatever flocks, at most `limit`.
    pub async fn some_sheep(&self, limit: usize) -> Result<Vec<Sheep>, StoreError> {
        let mut sheep = Vec::new();
        for flock in self.flocks().await? {
            let left = limit.saturating_sub(sheep.len());
            if left == 0 {
                break;
            }
            sheep.extend(self.first_sheep_of_flock(&flock, Some(left)).await?);
        }
        Ok(sheep)
    }

    /// The sheep called `text`, of `flock` if one is given: `flock/sheep`, or a name only one flock has.
    pub async fn find_sheep(
        &self,
        flock: Option<&FlockName>,
        text: &str,
    ) -> Result<Sheep, NotFound> {
        if text.contains('/') {
            let id: SheepId = in_small_letters(text).parse()?;
            if let Some(flock) = flock.filter(|flock| **flock != id.flock) {
                return Err(NotFound::OtherFlock(id, flock.clone()));
            }
            if let Some(sheep) = self.sheep(&id, Read::Consistent).await? {
                return Ok(sheep);
            }
            let near = self.meant(text, (slice::from_ref(&id.flock), &id.name)).await?;
            return Err(NotFound::Sheep { name: text.to_owned(), near });
        }
        let flocks = match flock {
            Some(flock) => vec![flock.clone()],
            None => self.flocks().await?,
        };
        let name: SheepName = in_small_letters(text).parse()?;
        if let Some(sheep) = self.sheep_named(&flocks, &name).await? {
            return Ok(sheep);
        }
        if let Some(flock) = flocks.iter().find(|flock| flock.as_str() == name.as_str()) {
            let sheep = self.some_sheep_of_flock(flock, None, Some(LOOKED_THROUGH)).await?;
            let sheep = sheep.into_iter().map(|sheep| sheep.id).collect();
            return Err(NotFound::IsFlock { flock: flock.clone(), sheep });
        }
        let near = self.meant(text, (&flocks, &name)).await?;
        Err(NotFound::Sheep { name: text.to_owned(), near })
    }

    /// The sheep of `flocks` that may be meant by `name`, as people wrote it in `text`.
    async fn meant(
        &self,
        text: &str,
        (flocks, name): (&[FlockName], &SheepName),
    ) -> Result<Option<String>, StoreError> {
        let mut known = Vec::new();
        for flock in flocks {
            let left = LOOKED_THROUGH.saturating_sub(known.len());
            known.extend(self.first_sheep_of_flock(flock, Some(left.max(1))).await?);
        }
        let names = known.iter().map(|sheep| sheep.id.name.as_str());
        Ok(nearest(name.as_str(), names).map(|near| match text.split_once('/') {
            Some((flock, _)) => format!("{}/{near}", in_small_letters(flock)),
            None => near.to_owned(),
        }))
    }

    /// The only sheep of `flocks` that is called so, if there is one.
    async fn sheep_named(
        &self,
        flocks: &[FlockName],
        name: &SheepName,
    ) -> Result<Option<Sheep>, NotFound> {
        // One by its key in each flock, because a flock can be large.
        let ids = flocks.iter().map(|flock| SheepId { flock: flock.clone(), name: name.clone() });
        let ids: Vec<_> = ids.collect();
        let reads: Vec<_> = ids.iter().map(|id| self.sheep(id, Read::Consistent)).collect();
        let mut reads = stream::iter(reads).buffered(CONCURRENCY);
        let mut named = Vec::new();
        while let Some(sheep) = reads.next().await {
            named.extend(sheep?);
        }
        match named.as_slice() {
            [] | [_] => Ok(named.pop()),
            several => {
                let ids = several.iter().map(|sheep| sheep.id.to_string()).collect();
                Err(NotFound::Several { name: name.to_string(), ids })
            }
        }
    }

    /// The sheep or the flock called `text`; `flock/*` is the flock where a sheep has its name.
    pub async fn find(&self, text: &str) -> Result<Found, NotFound> {
        self.find_some(text, None).await
    }

    /// The same, with at most `limit` sheep of a flock.
    pub async fn find_some(&self, text: &str, limit: Option<usize>) -> Result<Found, NotFound> {
        if let Some(flock) = text.strip_suffix("/*") {
            let flock: FlockName = in_small_letters(flock).parse()?;
            let known = self.flocks().await?;
            if !known.contains(&flock) {
                return Err(NotFound::Flock { name: flock, known });
            }
            let sheep = self.first_sheep_of_flock(&flock, limit).await?;
            return Ok(Found::Flock(flock, sheep));
        }
        if text.contains('/') {
            return match self.find_sheep(None, text).await {
                Ok(sheep) => Ok(Found::Sheep(Box::new(sheep))),
                Err(NotFound::Sheep { name, near }) => Err(NotFound::Neither { name, near }),
                Err(err) => Err(err),
            };
        }
        let flocks = self.flocks().await?;
        let name: SheepName = in_small_letters(text).parse()?;
        let sheep = self.sheep_named(&flocks, &name).await?;
        let flock = flocks.iter().find(|flock| flock.as_str() == name.as_str());
        match (sheep, flock) {
            (Some(sheep), None) => Ok(Found::Sheep(Box::new(sheep))),
            (Some(sheep), Some(flock)) => {
                let ids =
                    vec![format!("{} (the sheep)", sheep.id), format!("{flock}/* (the flock)")];
                Err(NotFound::Several { name: text.to_owned(), ids })
            }
            (None, Some(flock)) => {
                let sheep = self.first_sheep_of_flock(flock, limit).await?;
                Ok(Found::Flock(flock.clone(), sheep))
            }
            (None, None) => {
                let sheep = self.meant(text, (&flocks, &name)).await?;
                let flocks = flocks.iter().map(FlockName::as_str);
                let near = sheep.or_else(|| nearest(name.as_str(), flocks).map(ToOwned::to_owned));
                Err(NotFound::Neither { name: text.to_owned(), near })
            }
        }
    }
}
