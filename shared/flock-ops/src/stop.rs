//! Everything at once: stops and starts, and has what is kept read anew.

use flock_store::{Stop, Store, Write};
use jiff::Timestamp;

use crate::{Noted, Result, Who};

/// Stops everything within a minute. `false`: it is stopped already.
pub async fn stop(store: &Store, noted: &Noted) -> Result<bool> {
    let Who { by, at, .. } = noted.who().clone();
    Ok(store.stop_all(&Stop { by, at }).await? == Write::Done)
}

/// Lets everything go on. `false`: nothing was stopped.
pub async fn start(store: &Store, _: &Noted) -> Result<bool> {
    Ok(store.start_all().await? == Write::Done)
}

/// Has every function drop what it keeps, and read secrets anew.
pub async fn reboot(store: &Store, _: &Noted, now: Timestamp) -> Result<()> {
    Ok(store.reboot_all(now).await?)
}
