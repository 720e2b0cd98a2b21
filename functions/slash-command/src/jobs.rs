//! Jobs as people meet them: asked for, shown, and told of when they are over.

use anyhow::Context as _;
use flock_core::{
    AnswerTo, Asker, DeliveryId, FlockName, Job, JobId, JobKind, Notice, OverSheep, Rotation, View,
    Work, count,
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
                    does(&running.work),
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

/// What a job is doing, to what.
fn does(work: &Work) -> String {
    match work {
        Work::Sheep(OverSheep { what: JobKind::Pause, flock, .. }) => {
            format!("pauses the flock *{flock}*")
        }
        Work::Sheep(OverSheep { what: JobKind::Resume, flock, .. }) => {
            format!("resumes the flock *{flock}*")
        }
        Work::Accounts(_) => "seals the keys of all accounts anew".to_owned(),
    }
}

/// How far a job has come, with who asked for it.
pub(crate) fn progress(job: &Job, view: &View) -> String {
    let cursor = match &job.work {
        Work::Sheep(work) => work.cursor.as_ref().map(|cursor| format!("{}/{cursor}", work.flock)),
        Work::Accounts(work) => work.cursor.as_ref().map(ToString::to_string),
    };
    let at = match cursor {
        Some(cursor) => format!("{} so far, now at {cursor}", done(&job.work)),
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
        "job `{}` {}: {at}{}; asked by {asker} at {}",
        job.id,
        does(&job.work),
        end.unwrap_or_default(),
        view.clock(job.since)
    )
}

/// How to end a job: a part of a sentence.
pub(crate) fn how_to_end(id: &JobId) -> String {
    format!("`/flock jobs cancel {id}` ends it, and `/flock running` shows how far it is")
}

/// What came of a job.
fn over(job: &Job, cancelled: bool) -> String {
    let (did, was_doing, far, first) = match &job.work {
        Work::Sheep(work) => {
            let flock = format!("the flock *{}*", work.flock);
            let (did, doing) = match work.what {
                JobKind::Pause => ("Paused", "pausing"),
                JobKind::Resume => ("Resumed", "resuming"),
            };
            let far = work.cursor.as_ref().map(|cursor| format!("{}/{cursor}", work.flock));
            (
                format!("{did} {flock}, {}", done(&job.work)),
                format!("{doing} {flock}"),
                far,
                "sheep",
            )
        }
        Work::Accounts(work) => {
            let far = work.cursor.as_ref().map(ToString::to_string);
            let did = format!("All keys are sealed anew: {}", done(&job.work));
            (did, "sealing the keys of all accounts anew".to_owned(), far, "account")
        }
    };
    if !cancelled {
        return format!("{did}.{}", unopened(&job.work));
    }
    let by = job.cancelled_by.as_ref().map(|by| format!("{} has ended", mention(by)));
    let by = by.unwrap_or_else(|| "Ended:".to_owned());
    let far = match far {
        Some(cursor) => format!("{}, up to {cursor}", done(&job.work)),
        None => format!("before its first {first}"),
    };
    format!(
        "{by} job `{}`, which was {was_doing}: {far}. The rest is as it was.{}",
        job.id,
        unopened(&job.work)
    )
}

/// Which keys could not be opened, and what to do: a sentence of its own.
fn unopened(work: &Work) -> String {
    let Work::Accounts(Rotation { unopened, named, .. }) = work else { return String::new() };
    if named.is_empty() {
        return String::new();
    }
    let names: Vec<_> = named.iter().map(|account| format!("*{account}*")).collect();
    let all = usize::try_from(*unopened).unwrap_or(usize::MAX);
    let more = if names.len() < all { " and others" } else { "" };
    format!(
        " What was stored of {}{more} could not be opened, and is as it was: put the key of the keyring back that it was sealed \
         with, or have the accounts added again.",
        names.join(", ")
    )
}

/// How much of its work is done.
pub(crate) fn done(work: &Work) -> String {
    match work {
        Work::Sheep(work) => sheep(work),
        Work::Accounts(work) => count(work.done(), "account"),
    }
}

/// How many sheep are done, and how many of them are not as was wanted.
fn sheep(work: &OverSheep) -> String {
    let others = work.counts.iter().filter(|(state, _)| *state != work.what.becomes());
    let others: Vec<_> = others.map(|(state, number)| format!("{number} {state}")).collect();
    let but = if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
    format!("{}{but}", count(work.done(), "sheep"))
}
