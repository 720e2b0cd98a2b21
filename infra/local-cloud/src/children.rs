//! The programs that this process has started, which are to end with it, however it ends.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rustix::process::{Pid, Signal, kill_process};

/// The programs that were started and have not been waited for, by their ids.
static PROGRAMS: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// A program that dies with this process, also when it is ended in the middle of something.
#[derive(Debug)]
pub(crate) struct DiesWithUs(Option<u32>);

impl DiesWithUs {
    /// The program with this id, until it has been waited for; then the id can be another's.
    pub(crate) fn new(id: Option<u32>) -> Self {
        programs().extend(id);
        Self(id)
    }
}

impl Drop for DiesWithUs {
    fn drop(&mut self) {
        if let Some(id) = self.0 {
            programs().remove(&id);
        }
    }
}

fn programs() -> MutexGuard<'static, BTreeSet<u32>> {
    PROGRAMS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends all programs that are still there, at once; for who ends this process without letting go of anything.
pub fn kill_programs() {
    for id in programs().iter() {
        if let Some(id) = i32::try_from(*id).ok().and_then(Pid::from_raw) {
            // It may have ended by itself.
            let _ = kill_process(id, Signal::KILL);
        }
    }
}
