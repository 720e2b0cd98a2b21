//! Goes on with jobs: long work, step by step, as far as the time of the tick goes.

mod acts;
mod key_check;
mod over_sheep;
mod rotation;
mod wipe;

use flock_core::{Acts, Event, Job, JobId, KeyCheck, Rotation, Work};
use flock_store::Write;
use tracing::{info, warn};

use crate::{App, tick::Tick};

/// What came of a step.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one at a time, and it is taken apart at once"
)]
enum Step {
    /// The work is there now; `is_last` says whether nothing comes after it.
    Made { work: Work, is_last: bool },
    /// Somebody else has to be done first.
    Waits,
    /// Nothing was left.
    Nothing,
}

/// When a tick goes on with jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Round {
    /// Before it sees to the sheep that are due.
    BeforeSheep,
    /// When they are seen to, or where there are none.
    AfterSheep,
}

/// Jobs that go on beside each other, so that a long one does not hold up the rest.
pub(crate) const AT_ONCE: usize = 4;

impl App {
    /// Goes on with a job while there is time; one step is always made, except that what asks networks makes none in the `first`
    /// round. Says how many; `None` where another tick has it.
    pub(crate) async fn go_on(
        &self,
        id: &JobId,
        tick: &Tick,
        (round, in_time): (Round, impl Fn() -> bool),
    ) -> anyhow::Result<Option<u64>> {
        let Some(job) = self.store.job(id).await? else { return Ok(None) };
        if round == Round::BeforeSheep && job.work.asks_networks() {
            return Ok(Some(0));
        }
        // Nothing is written for it until then.
        let waits = job.work.waits_until(self.clock.now()).is_some();
        if waits && job.cancelled_by.is_none() {
            return Ok(Some(0));
        }
        let Some(claimed) = job.claim(self.clock.now(), tick.lease_until) else { return Ok(None) };
        if self.store.put_job(&claimed).await? != Write::Done {
            return Ok(None);
        }
        let (mut job, mut steps) = (claimed, 0);
        loop {
            if job.cancelled_by.is_some() {
                self.end(job, true, tick).await?;
                return Ok(Some(steps));
            }
            match self.step_of(&job, tick).await {
                Ok(Step::Made { work, is_last }) => {
                    let Some(next) = self.write_step(&job, work).await? else {
                        return Ok(Some(steps));
                    };
                    (job, steps) = (next, steps + 1);
                    if is_last {
                        let cancelled = job.cancelled_by.is_some();
                        self.end(job, cancelled, tick).await?;
                        return Ok(Some(steps));
                    }
                }
                Ok(Step::Nothing) => {
                    self.end(job, false, tick).await?;
                    return Ok(Some(steps));
                }
                Ok(Step::Waits) => {
                    self.release(job).await;
                    return Ok(Some(steps));
                }
                Err(err) => {
                    self.release(job).await;
                    return Err(err);
                }
            }
            if !in_time() {
                self.release(job).await;
                return Ok(Some(steps));
            }
        }
    }

    /// Sees to what is next.
    async fn step_of(&self, job: &Job, tick: &Tick) -> anyhow::Result<Step> {
        match &job.work {
            Work::Sheep(work) => Ok(self.step_of_sheep(work, job).await?),
            Work::Rotation(work) => self.step_of_rotation(work).await,
            Work::Check(work) => self.step_of_check(work).await,
            Work::Acts(work) => Box::pin(self.step_of_acts(work, job, tick)).await,
            Work::Wipe(work) => Box::pin(self.step_of_wipe(work, job, tick)).await,
        }
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
            Work::Rotation(Rotation { sealed, unopened, .. }) => {
                info!(job = %job.id, sealed, unopened, cancelled, "rotation ended");
            }
            Work::Check(KeyCheck { working, failing, unknown, .. }) => {
                info!(job = %job.id, working, failing, unknown, cancelled, "keys checked");
            }
            Work::Acts(Acts { wish, done, already, refused, unknown, .. }) => {
                let (act, job) = (wish.name(), &job.id);
                info!(job = %job, act, done, already, refused, unknown, cancelled, "acts done");
            }
            Work::Wipe(work) => {
                let (deleted, stayed) = (work.deleted, work.stayed);
                info!(job = %job.id, of = %work.of, deleted, stayed, cancelled, "wipe ended");
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
