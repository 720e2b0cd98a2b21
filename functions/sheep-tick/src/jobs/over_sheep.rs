//! A step that pauses or resumes sheep.

use std::convert::Infallible;

use flock_core::{Job, OverSheep, Work};
use flock_store::ChangeError;
use futures_util::{StreamExt as _, stream};

use super::Step;
use crate::App;

/// Sheep of one step: few enough to be written within the time that a tick keeps for what it has begun.
const STEP: usize = 200;

/// Writes at a time.
const CONCURRENCY: usize = 32;

impl App {
    pub(super) async fn step_of_sheep(
        &self,
        work: &OverSheep,
        job: &Job,
    ) -> Result<Step, ChangeError> {
        let after = work.cursor.as_ref();
        let sheep = self.store.some_sheep_of_flock(&work.flock, after, Some(STEP)).await?;
        let Some(cursor) = sheep.last().map(|sheep| sheep.id.name.clone()) else {
            return Ok(Step::Nothing);
        };
        let is_last = sheep.len() < STEP;
        let now = self.clock.now();
        let edits = sheep.into_iter().map(|sheep| {
            let change = |sheep: &_| Ok::<_, Infallible>(work.change(sheep, job.since, now));
            self.store.change_sheep(sheep, change)
        });
        let edits: Vec<_> = edits.collect();
        let mut edits = stream::iter(edits).buffer_unordered(CONCURRENCY);
        let mut states = Vec::new();
        while let Some(edit) = edits.next().await {
            match edit {
                Ok(Ok(sheep)) => states.push(sheep.state),
                Err(ChangeError::Removed(_)) => {}
                Err(err) => return Err(err),
            }
        }
        Ok(Step::Made { work: Work::Sheep(work.step(cursor, &states)), is_last })
    }
}
