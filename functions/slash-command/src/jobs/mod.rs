//! Jobs as people meet them: asked for, shown, and told of when they are over.

mod acts;
mod key_check;
mod over_sheep;
mod rotation;
mod wipe;

use anyhow::Context as _;
use flock_core::{
    AnswerTo, Asker, DeliveryId, FlockName, Job, JobId, JobKind, Notice, OverSheep, View, Work,
};
use flock_ops::Noted;
use flock_slack::{Reply, SlackError, escape, mention};
use flock_store::{Asked, Write};
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
            let Work::Sheep(work) = &running.work else { continue };
            if work.flock != *flock {
                continue;
            }
            if (what, work.what) == (JobKind::Pause, JobKind::Resume) {
                resuming.push(running);
            } else {
                return refuse(format!(
                    "The job `{}` {} right now; {}.",
                    running.id,
                    words(&running.work).does,
                    how_to_end(&running.id)
                ));
            }
        }
        for running in resuming {
            self.cancel_job(noted, running).await?;
        }
        let work = Work::Sheep(OverSheep::new(what, flock.clone()));
        let job = Job::new(JobId::of(&self.asked.id), work, self.asker(), self.now);
        match self.store().put_job(&job).await? {
            Write::Done => {}
            // A job of the last days has its name, which is short: the next has another.
            Write::Conflict(_) => return refuse("That came to nothing; give the command again."),
        }
        self.hurry_job(&job.id).await;
        Ok(job)
    }

    /// Whoever gives this command, as who wants a job.
    pub(crate) fn asker(&self) -> Asker {
        let Asked { user, room, answer_to, .. } = self.asked.clone();
        Asker::Slack { user, room, answer_to: AnswerTo(answer_to) }
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
        let Asker::Slack { user, room, answer_to } = &job.asker else {
            return Ok(json!({ "told": "nobody: who asked for it is at the command line" }));
        };
        let reply = Reply::everybody(format!("{}: {}", mention(user), over(&job, cancelled)));
        let notice = Notice { id: notice_id(&job), room: room.clone() };
        let told = Box::pin(self.tell(notice, &reply, lease_until)).await;
        let Err(err) = told else { return told };
        if !matches!(err.downcast_ref(), Some(SlackError::NotInRoom(_))) {
            return Err(err);
        }
        let now = self.clock.now();
        let to: http::AnswerTo = serde_json::from_str(&answer_to.0)
            .context("a job does not say where its answer goes")?;
        if let (http::AnswerTo::Url(_), true) = (&to, now.duration_since(job.since) < URL_WORKS_FOR)
        {
            match Box::pin(self.send(&reply, &to, room, user)).await {
                Ok(()) => return Ok(json!({ "told": "by response URL" })),
                Err(err) => {
                    tracing::warn!(job = %job.id, error = format!("{err:#}"), "not answered");
                }
            }
        }
        let Some(room) = self.control_room.clone().filter(|control| control != room) else {
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

/// How a kind of work is spoken of.
struct Words {
    /// What it is doing, to what: "pauses the flock".
    does: String,
    /// The same of one that has ended before: "pausing the flock".
    doing: String,
    /// How much of it is done.
    done: String,
    /// What is said of all of it, once it is done: sentences.
    over: String,
    /// What it is made of: "sheep".
    first: &'static str,
    /// What else there is to know of what is done, however it ended: sentences, with what stands before them, or nothing.
    besides: String,
}

fn words(work: &Work) -> Words {
    match work {
        Work::Sheep(work) => over_sheep::words(work),
        Work::Rotation(work) => rotation::words(work),
        Work::Check(work) => key_check::words(work),
        Work::Acts(work) => acts::words(work),
        Work::Wipe(work) => wipe::words(work),
    }
}

/// How far a job has come, with who asked for it.
pub(crate) fn progress(job: &Job, view: &View) -> String {
    let Words { does, done, first, .. } = words(&job.work);
    let at = match job.work.cursor() {
        Some(cursor) => format!("{done} so far, now at {cursor}{}", waits(&job.work, view)),
        // Whoever has it for themselves makes a step.
        None if job.lease_until.is_some() => format!("at its first {first}"),
        None => "not begun yet".to_owned(),
    };
    let end = job.cancelled_by.as_ref().map(|by| format!("; cancelled by {}", mention(by)));
    let asker = match &job.asker {
        Asker::Slack { user, room, .. } => format!("{} in {}", mention(user), room_link(room)),
        Asker::CommandLine(user) => {
            escape(&format!("{user} at the command line").replace(char::is_control, " "))
        }
    };
    format!(
        "job `{}` {does}: {at}{}; asked by {asker} at {}",
        job.id,
        end.unwrap_or_default(),
        view.clock(job.since)
    )
}

/// Until when nothing is done of it, where that is known, and why: the end of a sentence.
fn waits(work: &Work, view: &View) -> String {
    let Work::Wipe(wipe) = work else { return String::new() };
    let until = wipe.under_way.iter().map(|account| account.not_before).min().flatten();
    let why = wipe::waits(wipe).map(|why| format!(" ({why})")).unwrap_or_default();
    until.map(|at| format!(", goes on at {}{why}", view.clock(at))).unwrap_or_default()
}

/// How to end a job: a part of a sentence.
pub(crate) fn how_to_end(id: &JobId) -> String {
    format!("`/flock jobs cancel {id}` ends it, and `/flock running` shows how far it is")
}

/// What came of a job.
fn over(job: &Job, cancelled: bool) -> String {
    let Words { doing, done, over, first, besides, .. } = words(&job.work);
    if !cancelled {
        return format!("{over}{besides}");
    }
    let by = job.cancelled_by.as_ref().map(|by| format!("{} has ended", mention(by)));
    let by = by.unwrap_or_else(|| "Ended:".to_owned());
    let far = match job.work.cursor() {
        Some(cursor) => format!("{done}, up to {cursor}"),
        None => format!("before its first {first}"),
    };
    format!("{by} job `{}`, which was {doing}: {far}. The rest is as it was.{besides}", job.id)
}

/// How much of its work is done.
pub(crate) fn done(work: &Work) -> String {
    words(work).done
}
