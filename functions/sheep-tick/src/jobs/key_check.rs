//! A step that asks the networks whether keys work.

use flock_core::{KeyCheck, View, Work};
use flock_ops::{CheckStride, check_stride};

use super::Step;
use crate::App;

impl App {
    pub(super) async fn step_of_check(&self, work: &KeyCheck) -> anyhow::Result<Step> {
        let with = (self.carrier.accounts(), self.carrier.networks());
        let view = View::utc(self.clock.now());
        let stride = Box::pin(check_stride(&self.store, with, work, &view)).await?;
        Ok(match stride {
            CheckStride::Done { step, is_last } => {
                Step::Made { work: Work::Check(work.step(&step)), is_last }
            }
            CheckStride::Nothing => Step::Nothing,
        })
    }
}
