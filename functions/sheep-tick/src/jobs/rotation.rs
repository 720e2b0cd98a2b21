//! A step that seals the keys of accounts anew.

use flock_core::{Rotation, Work};
use flock_net::{Stride, reseal};
use tracing::info;

use super::Step;
use crate::App;

impl App {
    pub(super) async fn step_of_rotation(&self, work: &Rotation) -> anyhow::Result<Step> {
        let keyring = self.carrier.accounts().newest_keyring(work.under.as_deref()).await?;
        let stride = reseal(&self.store, &keyring, work.cursor.as_ref(), self.clock.now()).await?;
        Ok(match stride {
            Stride::Done { step, is_last } => {
                Step::Made { work: Work::Rotation(work.step(&step)), is_last }
            }
            Stride::Busy(account) => {
                info!(account = %account, "sealed anew when its session is renewed");
                Step::Waits
            }
            Stride::Nothing => Step::Nothing,
        })
    }
}
