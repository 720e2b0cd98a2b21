//! Sheep, as programs read them.

use flock_core::Sheep;
use jiff::Timestamp;
use serde::Serialize;

/// A sheep as one JSON line.
#[derive(Debug, Serialize)]
pub struct SheepLine<'a> {
    flock: &'a str,
    sheep: &'a str,
    network: &'a str,
    account: &'a str,
    state: &'static str,
    why: Option<&'a str>,
    next_at: Option<Timestamp>,
    occurrence: u64,
    missed: u64,
}

impl<'a> SheepLine<'a> {
    /// The line for `sheep`.
    pub fn new(sheep: &'a Sheep) -> Self {
        Self {
            flock: sheep.id.flock.as_str(),
            sheep: sheep.id.name.as_str(),
            network: sheep.config.account.network.name(),
            account: sheep.config.account.handle.as_str(),
            state: sheep.state.name(),
            why: sheep.problem(),
            next_at: sheep.next_at(),
            occurrence: sheep.progress.occurrence.0,
            missed: sheep.progress.missed,
        }
    }
}
