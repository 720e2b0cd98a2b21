//! What people added to queues, where files are applied: it stays.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use flock_core::{
    BehaviourKind, Carried, CorpusProblem, Cursor, Objection, Sheep, SheepConfig, SheepName, carry,
    check_added, quoted,
};
use flock_store::Store;

use crate::{Error, Result, SheepFile};

/// What is carried over, by sheep.
#[derive(Debug, Default)]
pub(crate) struct Carry(BTreeMap<SheepName, Carried>);

impl Carry {
    /// The sheep of `files` with what people added to those that are `there`.
    pub(crate) async fn over(
        store: &Store,
        files: Vec<SheepFile>,
        there: &BTreeMap<SheepName, Sheep>,
    ) -> Result<(Vec<SheepFile>, Self)> {
        let mut carry = Self::default();
        let mut sheep = Vec::with_capacity(files.len());
        for file in files {
            let carried = match there.get(&file.name) {
                Some(old) => carried(store, old, &file).await?,
                None => None,
            };
            sheep.push(match carried {
                None => file,
                Some(carried) => {
                    let behaviour = BehaviourKind::Queue.with_text(&carried.text);
                    let config = SheepConfig { behaviour, ..file.config };
                    let corpus = Arc::new(carried.text.clone());
                    carry.0.insert(file.name.clone(), carried);
                    SheepFile { config, corpus, ..file }
                }
            });
        }
        Ok((sheep, carry))
    }

    /// What is carried over to a sheep.
    pub(crate) fn of(&self, sheep: &SheepName) -> Option<&Carried> {
        self.0.get(sheep)
    }

    /// What `sheep` could not post of that, once it is as in `config`.
    pub(crate) fn objections(&self, sheep: &Sheep, config: &SheepConfig) -> Vec<Objection> {
        let Some(Carried { text, before, .. }) = self.of(&sheep.id.name) else {
            return Vec::new();
        };
        let known: BTreeSet<_> = before.lines().map(|(_, text)| text).collect();
        let is_added = |index: u32| text.marks().of(Cursor::at(index)).added;
        let new: BTreeSet<_> = (0..text.len())
            .filter(|index| !is_added(*index))
            .filter_map(|index| text.line(index))
            .filter(|text| !known.contains(text))
            .collect();
        let added = (0..text.len()).filter_map(|index| {
            let mark = text.marks().of(Cursor::at(index));
            let text = text.line(index).filter(|_| mark.added)?;
            if new.contains(text) {
                let what = format!(
                    "the post \"{}\", which was added to its queue, stands in its file now, too, and would be posted twice; remove it \
                     there",
                    quoted(text)
                );
                return Some(Objection::of([&sheep.id], what));
            }
            let why = check_added(config, text, mark.at).err()?;
            let what = format!(
                "the post \"{}\", which was added to its queue: {why}; edit or remove it there",
                quoted(text)
            );
            Some(Objection::of([&sheep.id], what))
        });
        added.collect()
    }
}

/// What is carried over to a sheep, where people added something to its queue and it stays one.
async fn carried(store: &Store, old: &Sheep, file: &SheepFile) -> Result<Option<Carried>> {
    let (Ok(queue), Ok(_)) =
        (old.config.behaviour.open_queue(), file.config.behaviour.open_queue())
    else {
        return Ok(None);
    };
    if queue.added == 0 {
        return Ok(None);
    }
    let Some(stored) = store.corpus(&old.id.flock, &queue.corpus).await? else { return Ok(None) };
    carry(old, &stored, &file.corpus).map_err(|problems: Vec<CorpusProblem>| {
        let what = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        Error::refused(format!("{} with what was added to its queue: {what}", old.id))
    })
}
