//! Jobs of the command line: long work that goes on by itself where something is at work, and in this process otherwise.

use std::time::Duration;

use anyhow::Context as _;
use flock_core::{Asker, Job};

use crate::{
    cli::Place,
    connect::{Connection, read_template},
    functions,
    refusal::refuse,
    screen::Screen,
};

/// How often is looked how far it is.
const LOOK: Duration = Duration::from_secs(1);

/// How much time an invocation in this process is given: long enough for what it begins to be ended in it, and so short that
/// nobody waits long who presses Ctrl-C.
const INVOCATION: Duration = Duration::from_secs(20);

/// Looks on at `job` where something is at work, and otherwise goes on with it here, until it is over or Ctrl-C is pressed; gives
/// the job as it is then. `of` is how many of what `unit` names there are, where that is known.
pub(crate) async fn see_through(
    place: &Place,
    connection: &Connection,
    screen: &Screen,
    (job, networks_on_loopback): (Job, bool),
    (unit, of): (&'static str, Option<u64>),
) -> anyhow::Result<Job> {
    if job.work.asks_networks() && connection.store.control().await?.stopped.is_some() {
        let program = &connection.program;
        return Err(refuse(format!(
            "everything is stopped, and so the job {} waits until `{program} start`",
            job.id
        )));
    }
    let bar = screen.progress().with_message(unit);
    if let Some(of) = of {
        bar.set_length(of);
    }
    let show = |job: &Job| bar.set_position(job.work.done());
    let seen = if connection.is_at_work {
        look_on(connection, job, show).await
    } else {
        Box::pin(go_on_here(place, connection, (job, networks_on_loopback), show)).await
    };
    bar.finish_and_clear();
    seen
}

async fn look_on(
    connection: &Connection,
    mut job: Job,
    show: impl Fn(&Job),
) -> anyhow::Result<Job> {
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    while job.is_running() {
        show(&job);
        tokio::select! {
            heard = &mut interrupted => {
                heard.context("cannot listen for Ctrl-C")?;
                return Ok(job);
            }
            () = tokio::time::sleep(LOOK) => {}
        }
        job = newest(connection, &job).await?;
    }
    Ok(job)
}

/// Has the function that goes on with jobs do so in this process, as its Lambda would.
async fn go_on_here(
    place: &Place,
    connection: &Connection,
    (mut job, networks_on_loopback): (Job, bool),
    show: impl Fn(&Job),
) -> anyhow::Result<Job> {
    // Who asked for it there is told by a function that nobody runs here.
    if let Asker::Slack { .. } = job.asker {
        return Err(refuse(format!(
            "the job {} was asked for in Slack and goes on with `{} run`",
            job.id, connection.program
        )));
    }
    let template = read_template(place)?;
    let settings = functions::tick_settings(&template, networks_on_loopback)?;
    let tick = sheep_tick::App::start(settings, &connection.aws, connection.clock.clone()).await?;
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    let mut is_interrupted = false;
    while job.is_running() && !is_interrupted {
        show(&job);
        let before = job.clone();
        let step = async {
            tick.go_on_with_job(&before.id, INVOCATION).await?;
            let newest = newest(connection, &before).await?;
            // It waits for something: a network's next window, or a lease that somebody left.
            if newest.is_running() && newest.work == before.work {
                tokio::time::sleep(LOOK).await;
            }
            anyhow::Ok(newest)
        };
        tokio::pin!(step);
        let next = tokio::select! {
            next = &mut step => next?,
            heard = &mut interrupted => {
                heard.context("cannot listen for Ctrl-C")?;
                is_interrupted = true;
                // What it has begun is not left in the middle.
                step.await?
            }
        };
        job = next;
    }
    Ok(job)
}

async fn newest(connection: &Connection, job: &Job) -> anyhow::Result<Job> {
    connection.store.job(&job.id).await?.context("the job is forgotten")
}
