//! What a behaviour needs to say something: read, or drawn where it is drawn and not kept yet.

use std::sync::PoisonError;

use flock_core::{Corpus, Cursor, Material, Sheep};
use flock_store::StoreError;
use tracing::warn;

use crate::{App, tick::Tick};

impl App {
    /// What the behaviour of `sheep` needs for what comes at `cursor`. `None`: its text is not there.
    pub(crate) async fn material(
        &self,
        sheep: &Sheep,
        cursor: Cursor,
    ) -> Result<Option<Material>, StoreError> {
        let needs = sheep.config.behaviour.needs(cursor);
        let kept = self.store.material(&sheep.id.flock, &needs).await?;
        if kept.is_some() || !sheep.config.behaviour.draws() {
            return Ok(kept);
        }
        let drawn = Box::pin(self.draw(sheep, cursor)).await?;
        Ok(drawn.and_then(|drawn| drawn.material(&needs)))
    }

    /// Draws the batch with the text at `cursor`, and keeps it for those that come.
    async fn draw(&self, sheep: &Sheep, cursor: Cursor) -> Result<Option<Corpus>, StoreError> {
        // One at a time, because what is drawn from may be many times as large as its file.
        let _alone = self.drawing.lock().await;
        let drawn = self.store.draw(sheep, cursor).await?;
        if let Some(drawn) = &drawn {
            self.store.keep_drawn(&sheep.id.flock, drawn, self.clock.now()).await?;
        }
        Ok(drawn)
    }

    /// Draws for the sheep that soon need it, so that no post waits for that. What is left is drawn when it is needed.
    pub(crate) async fn draw_ahead(&self, tick: &Tick, in_time: impl Fn() -> bool) {
        let ahead = std::mem::take(&mut *tick.ahead.lock().unwrap_or_else(PoisonError::into_inner));
        for (sheep, cursor) in ahead {
            if !in_time() {
                return;
            }
            if let Err(err) = self.draw(&sheep, cursor).await {
                warn!(sheep = %sheep.id, error = %err, "nothing is drawn ahead");
            }
        }
    }
}
