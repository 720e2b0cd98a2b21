//! A flock as somebody has written it, whole and read: what is planned and applied.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use flock_core::{AccountId, Corpus, Flock, Objection, Sheep, SheepConfig, SheepName};

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
    /// The name and account it has by the other spelling of its file's name, under which it may be there.
    pub spelled: Option<(SheepName, AccountId)>,
    /// What was chosen for it, defaults filled in.
    pub config: SheepConfig,
    /// The text its behaviour draws from; each line fits the sheep's network, unless only its account can tell.
    pub corpus: Arc<Corpus>,
    /// The file of the text, as people know it.
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
        for sheep in self.sheep.iter_mut().filter(|sheep| !there.contains_key(&sheep.name)) {
            let Some((name, account)) = sheep.spelled.take() else { continue };
            let Some(old) = there.get(&name) else { continue };
            match files.get(&name) {
                None => {
                    sheep.name = name;
                    sheep.config.account = account;
                }
                // It has the text of the file that is called like it, so it is that one's.
                Some((_, text)) if text == old.config.behaviour.text() => {}
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
        (self, words)
    }
}
