//! The flocks there are.

use flock_store::Store;
use serde::Serialize;

use crate::Result;

/// A flock in a list, and as one JSON line.
#[derive(Debug, Serialize)]
pub struct FlockLine {
    /// Its name.
    pub flock: String,
    /// How many sheep it has.
    pub sheep: usize,
    /// How many of them post.
    pub active: usize,
}

/// All flocks.
pub async fn flocks(store: &Store) -> Result<Vec<FlockLine>> {
    let mut lines = Vec::new();
    for flock in store.flocks().await? {
        let sheep = store.sheep_of_flock(&flock).await?;
        let active = sheep.iter().filter(|sheep| sheep.next_at().is_some()).count();
        lines.push(FlockLine { flock: flock.to_string(), sheep: sheep.len(), active });
    }
    Ok(lines)
}
