//! A flock as somebody has written it, whole and read: what is planned and applied.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use flock_core::{AccountId, Corpus, Flock, SheepConfig, SheepName};

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
    /// The same, with the names that sheep have already, of which `is_there` knows.
    #[must_use]
    pub(crate) fn with_known_names(mut self, is_there: impl Fn(&SheepName) -> bool) -> Self {
        let names: BTreeSet<_> = self.sheep.iter().map(|sheep| sheep.name.clone()).collect();
        for sheep in self.sheep.iter_mut().filter(|sheep| !is_there(&sheep.name)) {
            let spelled = sheep.spelled.take();
            if let Some((name, account)) =
                spelled.filter(|(name, _)| is_there(name) && !names.contains(name))
            {
                sheep.name = name;
                sheep.config.account = account;
            }
        }
        self
    }
}
