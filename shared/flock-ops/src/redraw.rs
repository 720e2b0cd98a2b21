//! Other texts than those that are drawn.

use flock_core::Sheep;
use flock_store::Store;

use crate::{Error, Noted, Result};

/// Has the sheep say other texts than those that it would say next. Refuses where its texts are not drawn.
pub async fn redraw(store: &Store, _: &Noted, sheep: Sheep) -> Result<Sheep> {
    let change = |sheep: &Sheep| {
        sheep.redraw().ok_or_else(|| {
            let what = sheep.config.behaviour.describe();
            Error::refused(format!(
                "{} says what is in its file ({what}), and nothing that is drawn; edit the file and apply its flock",
                sheep.id
            ))
        })
    };
    store.change_sheep(sheep, change).await?
}
