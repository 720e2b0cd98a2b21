//! Goes on with jobs: long work, step by step, as far as the time of the tick goes.

use std::convert::Infallible;

use flock_core::{Event, Job, JobId, OverSheep, Rotation, Work};
use flock_net::{Stride, reseal};
use flock_store::{ChangeError, Write};
use futures_util::{StreamExt as _, stream};
use tracing::{info, warn};

use crate::{App, tick::Tick};

/// Sheep of one step: few enough to be written within the time that a tick keeps for what it has begun.
const STEP: usize = 200;

/// What came of a step.
enum Step {
    /// The work is there now; `is_last` says whether nothing comes after it.
    Made { work: Work, is_last: bool },
    /// Somebody else has to be done first.
    Waits,
    /// Nothing was left.
    Nothing,
}

/// Writes at a time.
const CONCURRENCY: usize = 32;

/// Jobs that go on beside each other, so that a long one does not hold up the rest.
pub(crate) const AT_ONCE: usize = 4;

impl App {
    /// Goes on with a job while there is time; one step is always made. Says how many; none where another tick has it.
    pub(crate) async fn go_on(
        &self,
        id: &JobId,
        tick: &Tick,
        in_time: impl Fn() -> bool,
    ) -> anyhow::Result<u64> {
        let Some(job) = self.store.job(id).await? else { return Ok(0) };
        let Some(claimed) = job.claim(self.clock.now(), tick.lease_until) else { return Ok(0) };
        if self.store.put_job(&claimed).await? != Write::Done {
            return Ok(0);
        }
        let (mut job, mut steps) = (claimed, 0);
        loop {
            if job.cancelled_by.is_some() {
                self.end(job, true, tick).await?;
                return Ok(steps);
            }
            match self.step_of(&job).await {
                Ok(Step::Made { work, is_last }) => {
                    let Some(next) = self.write_step(&job, work).await? else { return Ok(steps) };
                    (job, steps) = (next, steps + 1);
                    if is_last {
                        let cancelled = job.cancelled_by.is_some();
                        self.end(job, cancelled, tick).await?;
                        return Ok(steps);
                    }
                }
                Ok(Step::Nothing) => {
                    self.end(job, false, tick).await?;
                    return Ok(steps);
                }
                Ok(Step::Waits) => {
                    self.release(job).await;
                    return Ok(steps);
                }
                Err(err) => {
                    self.release(job).await;
                    return Err(err);
                }
            }
            if !in_time() {
                self.release(job).await;
                return Ok(steps);
            }
        }
    }

    /// Sees to what is next.
    async fn step_of(&self, job: &Job) -> anyhow::Result<Step> {
        match &job.work {
            Work::Sheep(work) => Ok(self.step_of_sheep(work, job).await?),
            Work::Accounts(work) => self.step_of_accounts(work).await,
        }
    }

    async fn step_of_sheep(&self, work: &OverSheep, job: &Job) -> Result<Step, ChangeError> {
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

    async fn step_of_accounts(&self, work: &Rotation) -> anyhow::Result<Step> {
        let keyring = self.carrier.accounts().newest_keyring(work.under.as_deref()).await?;
        let stride = reseal(&self.store, &keyring, work.cursor.as_ref(), self.clock.now()).await?;
        Ok(match stride {
            Stride::Done { step, is_last } => {
                Step::Made { work: Work::Accounts(work.step(&step)), is_last }
            }
            Stride::Busy(account) => {
                info!(account = %account, "sealed anew when its session is renewed");
                Step::Waits
            }
            Stride::Nothing => Step::Nothing,
        })
    }

    /// Writes down how far a job has come. Nothing: it is another tick's by now.
    async fn write_step(&self, job: &Job, work: Work) -> anyhow::Result<Option<Job>> {
        let mut current = job.clone();
        loop {
            let next = current.step(work.clone());
            match self.store.put_job(&next).await? {
                Write::Done => return Ok(Some(next)),
                // Somebody has cancelled it meanwhile.
                Write::Conflict(Some(newest))
                    if newest.is_running()
                        && (newest.lease_until, &newest.work) == (job.lease_until, &job.work) =>
                {
                    current = newest;
                }
                Write::Conflict(_) => return Ok(None),
            }
        }
    }

    /// Ends a job. People are told first: told twice can be told apart, told never cannot.
    async fn end(&self, job: Job, cancelled: bool, tick: &Tick) -> anyhow::Result<()> {
        let ended = Event::JobEnded { id: job.id.clone(), cancelled };
        let told = self.bus.publish(&[ended], tick.publish_until).await;
        if let Err(err) = told {
            self.release(job).await;
            return Err(err.into());
        }
        let now = self.clock.now();
        let ended = |job: &Job| if job.is_running() { job.end(now) } else { job.clone() };
        let job = self.store.change_job(job, ended).await?;
        match &job.work {
            Work::Sheep(work) => {
                let (flock, sheep) = (&work.flock, work.done());
                info!(job = %job.id, flock = %flock, sheep, cancelled, "job ended");
            }
            Work::Accounts(Rotation { sealed, unopened, .. }) => {
                info!(job = %job.id, sealed, unopened, cancelled, "rotation ended");
            }
        }
        Ok(())
    }

    /// Leaves a job to the next tick.
    async fn release(&self, job: Job) {
        let (id, lease_until) = (job.id.clone(), job.lease_until);
        let released = |job: &Job| {
            let is_ours = job.is_running() && job.lease_until == lease_until;
            if is_ours { job.release() } else { job.clone() }
        };
        if let Err(err) = self.store.change_job(job, released).await {
            warn!(job = %id, error = %err, "a job keeps its lease until it ends");
        }
    }
}
