//! Begins a job of which there is one at a time.

use flock_core::Job;
use flock_store::{Store, Write};

use crate::{Noted, Result};

/// What came of wanting a job.
#[derive(Debug)]
pub enum Begun {
    /// This one begins.
    New(Job),
    /// This one is under way, whoever wanted it.
    UnderWay(Job),
}

/// Begins `job`, unless one of its name is under way. One that is over makes room for it.
pub async fn begin_job(store: &Store, _: &Noted, job: Job) -> Result<Begun> {
    let mut there = store.job(&job.id).await?;
    loop {
        let new = match there {
            Some(job) if job.is_running() => return Ok(Begun::UnderWay(job)),
            Some(over) => job.clone().after(&over),
            None => job.clone(),
        };
        match store.put_job(&new).await? {
            Write::Done => return Ok(Begun::New(new)),
            Write::Conflict(newer) => there = newer,
        }
    }
}
