//! Jobs as people meet them: asked for, shown, and told of when they are over.

use anyhow::Context as _;
use flock_core::{AnswerTo, DeliveryId, FlockName, Job, JobId, JobKind, Notice, View, count};
use flock_ops::Noted;
use flock_slack::{Reply, SlackError, mention};
use flock_store::Write;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    app::App,
    call::{Call, Obstacle, refuse},
    dispatch::room_link,
    http,
};

/// How long a response URL can be used (Slack, "Handling user interaction", 2026-11).
const URL_WORKS_FOR: SignedDuration = SignedDuration::from_mins(30);

impl Call<'_> {
    /// Begins a job for who asked. One that pauses ends those that resume the same flock.
    pub(crate) async fn begin_job(
        &self,
        noted: &Noted,
        what: JobKind,
        flock: &FlockName,
    ) -> Result<Job, Obstacle> {
        let mut resuming = Vec::new();
        for running in self.store().running_jobs().await? {
            if running.flock != *flock {
                continue;
            }
            if (what, running.what) == (JobKind::Pause, JobKind::Resume) {
                resuming.push(running);
            } else {
                return refuse(format!(
                    "The job `{}` {} the flock *{flock}* right now; {}.",
                    running.id,
                    does(&running),
                    how_to_end(&running.id)
                ));
            }
        }
        for running in resuming {
            self.cancel_job(noted, running).await?;
        }
        let asked = self.asked;
        let job = Job::new(
            JobId::of(&asked.id),
            (what, flock.clone()),
            (asked.user.clone(), asked.room.clone(), AnswerTo(asked.answer_to.clone())),
            self.now,
        );
        match self.store().put_job(&job).await? {
            Write::Done => {}
            // A job of the last days has its name, which is short: the next has another.
            Write::Conflict(_) => return refuse("That came to nothing; give the command again."),
        }
        self.hurry_job(&job.id).await;
        Ok(job)
    }

    /// Has a job make no further step.
    pub(crate) async fn cancel_job(&self, _: &Noted, job: Job) -> Result<Job, Obstacle> {
        let job = self.store().change_job(job, |job| job.cancel(self.user())).await?;
        if job.is_running() {
            self.hurry_job(&job.id).await;
        }
        Ok(job)
    }
}

impl App {
    /// Tells who asked for a job that it is over: in the room where they asked, or, where we are not in it, where the answer
    /// to their command goes, or else in the control room.
    pub(crate) async fn tell_of_job(
        &self,
        id: &JobId,
        cancelled: bool,
        lease_until: Timestamp,
    ) -> anyhow::Result<Value> {
        let Some(job) = self.store.job(id).await? else {
            return Ok(json!({ "told": "nobody: the job is forgotten" }));
        };
        let reply =
            Reply::everybody(format!("{}: {}", mention(&job.asked_by), over(&job, cancelled)));
        let notice = |room| Notice { id: notice_id(&job), room };
        let told = Box::pin(self.tell(notice(job.room.clone()), &reply, lease_until)).await;
        let Err(err) = told else { return told };
        if !matches!(err.downcast_ref(), Some(SlackError::NotInRoom(_))) {
            return Err(err);
        }
        let now = self.clock.now();
        let to: http::AnswerTo = serde_json::from_str(&job.answer_to.0)
            .context("a job does not say where its answer goes")?;
        if let (http::AnswerTo::Url(_), true) = (&to, now.duration_since(job.since) < URL_WORKS_FOR)
        {
            match Box::pin(self.send(&reply, &to, &job.room, &job.asked_by)).await {
                Ok(()) => return Ok(json!({ "told": "by response URL" })),
                Err(err) => {
                    tracing::warn!(job = %job.id, error = format!("{err:#}"), "not answered");
                }
            }
        }
        let Some(room) = self.control_room.clone().filter(|room| *room != job.room) else {
            return Err(err);
        };
        let notice =
            Notice { id: DeliveryId::of(&[notice_id(&job).as_str(), "control room"]), room };
        Box::pin(self.tell(notice, &reply, lease_until)).await
    }
}

/// Ids of jobs are short, and come again.
fn notice_id(job: &Job) -> DeliveryId {
    DeliveryId::of(&["job.ended", job.id.as_str(), &job.since.as_second().to_string()])
}

fn does(job: &Job) -> &'static str {
    match job.what {
        JobKind::Pause => "pauses",
        JobKind::Resume => "resumes",
    }
}

/// How far a job has come, with who asked for it.
pub(crate) fn progress(job: &Job, view: &View) -> String {
    let at = match &job.cursor {
        Some(cursor) => format!("{} so far, now at {}/{cursor}", sheep(job), job.flock),
        None => "not begun yet".to_owned(),
    };
    let end = job.cancelled_by.as_ref().map(|by| format!("; cancelled by {}", mention(by)));
    format!(
        "job `{}` {} the flock *{}*: {at}{}; asked by {} in {} at {}",
        job.id,
        does(job),
        job.flock,
        end.unwrap_or_default(),
        mention(&job.asked_by),
        room_link(&job.room),
        view.clock(job.since)
    )
}

/// How to end a job: a part of a sentence.
pub(crate) fn how_to_end(id: &JobId) -> String {
    format!("`/flock jobs cancel {id}` ends it, and `/flock running` shows how far it is")
}

/// What came of a job.
fn over(job: &Job, cancelled: bool) -> String {
    let flock = format!("the flock *{}*", job.flock);
    let (done, doing) = match job.what {
        JobKind::Pause => ("Paused", "pausing"),
        JobKind::Resume => ("Resumed", "resuming"),
    };
    if !cancelled {
        return format!("{done} {flock}, {}.", sheep(job));
    }
    let by = job.cancelled_by.as_ref().map(|by| format!("{} has ended", mention(by)));
    let by = by.unwrap_or_else(|| "Ended:".to_owned());
    let far = match &job.cursor {
        Some(cursor) => format!("{}, up to {}/{cursor}", sheep(job), job.flock),
        None => "before its first sheep".to_owned(),
    };
    format!("{by} job `{}`, which was {doing} {flock}: {far}. The rest is as it was.", job.id)
}

/// How many sheep are done, and how many of them are not as was wanted.
pub(crate) fn sheep(job: &Job) -> String {
    let others = job.counts.iter().filter(|(state, _)| *state != job.what.becomes());
    let others: Vec<_> = others.map(|(state, number)| format!("{number} {state}")).collect();
    let but = if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
    format!("{}{but}", count(job.done(), "sheep"))
}
