//! A flock as somebody has written it, whole and read: what is planned and applied.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use flock_core::{
    AccountId, BehaviourKind, Corpus, Flock, Objection, Sheep, SheepConfig, SheepName,
};

/// A flock that can be stored as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlockFile {
    /// What holds for all its sheep.
    pub flock: Flock,
    /// Its sheep, sorted by name; at least one.
    pub sheep: Vec<SheepFile>,
}

/// A sheep of a flock file, with its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheepFile {
    /// Its name, which no other sheep of the flock has.
    pub name: SheepName,
    /// The names and accounts it has by other spellings of its file's name, under which it may be there.
    pub spelled: Vec<(SheepName, AccountId)>,
    /// What was chosen for it, defaults filled in.
    pub config: SheepConfig,
    /// The text its behaviour draws from; each line fits the sheep's network, unless only its account can tell, or what does not
    /// is split.
    pub corpus: Arc<Corpus>,
    /// Whether what is too long for its account becomes a thread.
    pub split: bool,
    /// The file of the text, as people know it.
    pub file: PathBuf,
    /// The texts that it is made of, where these are several.
    pub parts: Vec<Part>,
}

/// One of several texts of a sheep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What says it.
    pub kind: BehaviourKind,
    /// The text.
    pub corpus: Arc<Corpus>,
    /// Its file, as people know it.
    pub file: PathBuf,
}

impl FlockFile {
    /// The same, with the names that sheep have already, and what is to be said of them: `there` is who is there.
    #[must_use]
    pub(crate) fn with_known_names(
        mut self,
        there: &BTreeMap<SheepName, Sheep>,
    ) -> (Self, Vec<Objection>) {
        let files: BTreeMap<_, _> = self
            .sheep
            .iter()
            .map(|sheep| (sheep.name.clone(), (sheep.file.clone(), sheep.corpus.id())))
            .collect();
        let mut words = Vec::new();
        let mut found: BTreeSet<SheepName> = BTreeSet::new();
        // Where several may be the one that is there, it is the one with its text.
        for by_text in [true, false] {
            for sheep in self.sheep.iter_mut().filter(|sheep| !there.contains_key(&sheep.name)) {
                let text = sheep.config.behaviour.text().clone();
                let known = sheep.spelled.iter().find_map(|(name, account)| {
                    let old = there.get(name).filter(|_| !found.contains(name))?;
                    let is_it = !by_text || *old.config.behaviour.text() == text;
                    is_it.then_some((old, account))
                });
                let Some((old, account)) = known else { continue };
                match files.get(&old.id.name) {
                    None => {
                        found.insert(old.id.name.clone());
                        sheep.config.account = account.clone();
                        sheep.name = old.id.name.clone();
                    }
                    // It has the text of the file that is called like it, so it is that one's.
                    Some((_, text)) if text == old.config.behaviour.text() => {}
                    // Each is looked at once without its text.
                    Some(_) if by_text => {}
                    Some((other, _)) => {
                        let (own, other) = (sheep.file.display(), other.display());
                        words.push(Objection::of(
                            [&old.id],
                            format!(
                                "{other} takes the place of {own}, which it may be of, and {own} becomes the new sheep {}; \
                                 if that is not meant, give {other} another name",
                                sheep.name
                            ),
                        ));
                    }
                }
            }
        }
        // Their names may stand elsewhere in the order.
        self.sheep.sort_by(|a, b| a.name.cmp(&b.name));
        (self, words)
    }
}
