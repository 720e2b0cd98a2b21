//! A flock as somebody has written it, whole and read: what is planned and applied.

use std::{path::PathBuf, sync::Arc};

use flock_core::{Corpus, Flock, SheepConfig, SheepName};

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
    /// What was chosen for it, defaults filled in.
    pub config: SheepConfig,
    /// The text its behaviour draws from; each line fits the sheep's network, unless only its account can tell.
    pub corpus: Arc<Corpus>,
    /// The file of the text, as people know it.
    pub file: PathBuf,
}
