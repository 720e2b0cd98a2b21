//! `jobs cancel <id>`: ends a job between two steps.

use flock_core::{Job, Usage};
use flock_ops::Noted;
use flock_slack::mention;

use crate::{
    call::{Answer, Call, announce, code, refuse},
    command::{Command, Group, Run, SHEPHERD},
    jobs,
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("jobs cancel <id>")],
    group: Group::System,
    need: SHEPHERD,
    help: "End a job, as of a large flock",
    example: "jobs cancel 3f2a9c01",
    run: Run::Changes(|call, noted| Box::pin(run(call, noted))),
};

async fn run(call: &Call<'_>, noted: &Noted) -> Answer {
    let text = call.argument(0);
    let found = match text.to_lowercase().parse() {
        Ok(id) => call.store().job(&id).await?,
        Err(_) => None,
    };
    let Some(job) = found.filter(Job::is_running) else {
        return refuse(format!("No job `{}` is running; `/flock running` lists them.", code(text)));
    };
    let job = call.cancel_job(noted, job).await?;
    announce(format!(
        "{} ends the job `{}` ({} so far): it stops after the step it is at.",
        mention(call.user()),
        job.id,
        jobs::done(&job.work)
    ))
}
