//! Carries a plan out.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    mem,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::anyhow;
use flock_core::{CorpusId, FlockName, Objection, Sheep, SheepId};
use flock_store::{Store, Write};
use futures_util::future::BoxFuture;
use jiff::Timestamp;

use crate::{
    Error, Noted, Refusal, Result, SheepFile,
    at_once::all,
    plan::{Plan, cannot_move},
    remove_flock::{changed_meanwhile, remove_all},
    wipe::wake_wipes,
};

/// What was done of what a plan or a removal does, which may be all. Many pieces of it note it at once.
#[derive(Debug, Default)]
pub(crate) struct Done(Mutex<Noticed>);

#[derive(Debug, Default)]
struct Noticed {
    /// How many things are not as they were.
    changes: usize,
    /// Every corpus that sheep were seen with before.
    unused: BTreeSet<CorpusId>,
}

impl Done {
    /// Something is not as it was.
    pub(crate) fn changed(&self) {
        self.noticed().changes += 1;
    }

    /// How many things are not as they were.
    pub(crate) fn changes(&self) -> usize {
        self.noticed().changes
    }

    /// Sheep were seen with these corpora before.
    pub(crate) fn seen_with(&self, corpora: impl IntoIterator<Item = CorpusId>) {
        self.noticed().unused.extend(corpora);
    }

    /// Every corpus that sheep were seen with before.
    pub(crate) fn into_unused(self) -> BTreeSet<CorpusId> {
        mem::take(&mut self.noticed().unused)
    }

    fn noticed(&self) -> MutexGuard<'_, Noticed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hears what is being done, and how much of it of how much.
pub type Progress<'a> = &'a (dyn Fn(&'static str, u64, u64) + Sync);

impl Plan {
    /// Carries the plan out. When it is cut off, applying again finishes it.
    pub async fn apply(
        self,
        store: &Store,
        noted: &Noted,
        now: Timestamp,
        progress: Progress<'_>,
    ) -> Result<()> {
        self.refuse_missing()?;
        let done = Done::default();
        let result = self.carry_out(store, (noted, progress), &done, now).await;
        let changes = 0 < done.changes();
        let gone = store.let_unused_corpora_go(&self.flock.name, done.into_unused(), now).await;
        match result {
            Ok(()) => Ok(gone?),
            Err(Error::Refused(why)) if changes => Err(Error::Failed(anyhow!(
                "{why}; part of the plan is carried out, and applying again does the rest"
            ))),
            Err(err) => Err(err),
        }
    }

    async fn carry_out(
        &self,
        store: &Store,
        (noted, progress): (&Noted, Progress<'_>),
        done: &Done,
        now: Timestamp,
    ) -> Result<()> {
        let flock = &self.flock.name;
        // First, because it can be refused: then nothing has changed.
        remove_all(store, &self.remove, done, now).await?;
        let mut waivers = Vec::new();
        for line in self.waivers() {
            waivers.push(noted.part(store, line).await?);
        }
        store.put_flock(&self.flock).await?;
        if self.before != self.flock {
            done.changed();
        }
        store.enlist(&self.roster).await?;
        self.put_corpora(store, progress).await?;
        self.keep_drawn(store, now).await?;
        let raises_cap = self.raises_cap();
        let wakes = raises_cap || !self.wake.is_empty();
        let written = self.write_sheep(store, (done, progress), now).await;
        if !self.create.is_empty() || !self.change.is_empty() {
            // Somebody may have found a text unused before a sheep pointed to it. Whoever does so from now on
            // sees the sheep. Also where not all were written: some may have been.
            self.put_corpora(store, progress).await?;
            done.seen_with(self.texts.keys().cloned());
        }
        written?;
        if wakes {
            wake(store, flock, now).await?;
        }
        if raises_cap || !self.wake_jobs.is_empty() {
            wake_wipes(store, flock, now).await?;
        }
        for noted in waivers {
            noted.end(store, Noted::DONE.to_owned()).await?;
        }
        Ok(())
    }

    /// Makes and changes sheep.
    async fn write_sheep(
        &self,
        store: &Store,
        (done, progress): (&Done, Progress<'_>),
        now: Timestamp,
    ) -> Result<()> {
        let (written, of) = (AtomicU64::new(0), self.create.len() + self.change.len());
        let tell = || {
            done.changed();
            let written = written.fetch_add(1, Ordering::Relaxed) + 1;
            progress("writing sheep", written, u64::try_from(of).unwrap_or(u64::MAX));
        };
        let tell = &tell;
        let create = self.create.iter().map(|sheep| -> BoxFuture<'_, _> {
            Box::pin(async move {
                self.create(store, sheep, now).await?;
                tell();
                Ok(())
            })
        });
        all(create.collect()).await?;
        let change = self.change.iter().map(|change| -> BoxFuture<'_, _> {
            Box::pin(async move {
                self.change(store, change, done, now).await?;
                tell();
                Ok(())
            })
        });
        all(change.collect()).await
    }

    async fn create(&self, store: &Store, sheep: &SheepFile, now: Timestamp) -> Result<()> {
        let id = SheepId { flock: self.flock.name.clone(), name: sheep.name.clone() };
        let birth = store.birth(&id).await?;
        let created = Sheep::create(id.clone(), sheep.config.clone(), birth.occurrence, now)
            .ok_or_else(|| {
                let why = sheep.config.rhythm.why_over(now);
                Error::refused(format!("{id}: {why}; give it a later one"))
            })?;
        let created = Sheep { version: birth.version, ..created };
        // Made by another apply in the same moment: that one's files win.
        if store.create_sheep(&created).await? != Write::Done {
            return Err(Error::refused(changed_meanwhile(&id)));
        }
        Ok(())
    }

    async fn change(
        &self,
        store: &Store,
        (old, sheep): &(Sheep, SheepFile),
        done: &Done,
        now: Timestamp,
    ) -> Result<()> {
        // Of every sheep that was seen in its place: another apply may have given it another text.
        let texts = Mutex::new(Vec::new());
        let transition = |old: &Sheep| {
            texts
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(old.config.behaviour.text().clone());
            if let Some(why) = cannot_move(old, &sheep.config.account) {
                return Err(Refusal::from(why));
            }
            let changed = self.edits.reconfigure(old, sheep.config.clone(), now);
            let changed = changed.map_err(|err| {
                Refusal::from(Objection::from(format!("{}: {err}; try again", old.id)))
            })?;
            // It may have come further since it was planned.
            Refusal::unless_fit(self.edits.slips(old, sheep, &changed))?;
            Ok(changed)
        };
        let changed = store.change_sheep(old.clone(), transition).await?;
        changed?;
        done.seen_with(texts.into_inner().unwrap_or_else(PoisonError::into_inner));
        Ok(())
    }

    /// Stores what new and changed sheep say first, where that is drawn: no post waits for it.
    async fn keep_drawn(&self, store: &Store, now: Timestamp) -> Result<()> {
        let new = self
            .members
            .iter()
            .filter(|(member, is_new)| *is_new && member.sheep.config.behaviour.draws());
        let keep = new.map(|(member, _)| -> BoxFuture<'_, _> {
            Box::pin(
                async move { Ok(store.keep_drawn(&self.flock.name, &member.corpus, now).await?) },
            )
        });
        all(keep.collect()).await
    }

    /// Stores the texts that are not there, or not to stay.
    async fn put_corpora(&self, store: &Store, progress: Progress<'_>) -> Result<()> {
        let flock = &self.flock.name;
        let missing = store.missing_corpora(flock, &self.texts.keys().cloned().collect()).await?;
        let missing: Vec<_> = missing.iter().filter_map(|corpus| self.texts.get(corpus)).collect();
        let lines = missing.iter().map(|corpus| u64::from(corpus.len())).sum();
        let stored = AtomicU64::new(0);
        let tell = |more: u32| {
            let stored = stored.fetch_add(more.into(), Ordering::Relaxed) + u64::from(more);
            progress("storing lines of text", stored, lines);
        };
        let tell = &tell;
        let store = missing.into_iter().map(|corpus| -> BoxFuture<'_, _> {
            Box::pin(async move { Ok(store.put_corpus(flock, corpus, tell).await?) })
        });
        all(store.collect()).await
    }
}

/// Has everything tried again that waits for the cap of the flock.
async fn wake(store: &Store, flock: &FlockName, now: Timestamp) -> Result<()> {
    for sheep in store.sheep_of_flock(flock).await? {
        let transition = |sheep: &Sheep| Ok::<_, Infallible>(sheep.retry_for_cap(now));
        if sheep.waits_for_cap(now).is_some() {
            let Ok(_) = store.change_sheep(sheep, transition).await?;
        }
    }
    Ok(())
}
