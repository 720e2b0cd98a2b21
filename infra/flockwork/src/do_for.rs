//! `flockwork flock do` and `flockwork account do`: one act for each account. It is a job: where something is at work it goes on
//! there, and is only looked at here.

use anyhow::anyhow;
use flock_core::{Acts, Asker, Whom, Wish, Work, count, one_line};
use flock_ops::{self as ops, ActFor, Begun, WouldDo};

use crate::{
    ask,
    cli::{DoFor, Place},
    command::as_json,
    connect::{Connection, connect, look},
    job::see_through,
    operator::{self, noted},
    refusal::refuse,
    screen::{Said, Screen},
};

/// Does it for `whom`, and says a line for each. An error where one of them came to nothing, behind what is shown.
pub(crate) async fn do_for(
    place: &Place,
    screen: &Screen,
    whom: Whom,
    options: &DoFor,
) -> anyhow::Result<()> {
    let DoFor { act, dry_run, json, one_by_one, pay, yes, .. } = options;
    let wish: Wish =
        act.join(" ").parse().map_err(|err: flock_core::NoWish| refuse(err.to_string()))?;
    let wanted = ActFor { wish, whom, payer: pay.clone(), one_by_one: *one_by_one };
    let line = line(&wanted);
    let (would, name) = {
        let Connection { store, clock, .. } = &look(place).await?;
        // Says what there is where that is not there.
        let name = ops::whom(store, &wanted.whom.to_string()).await?;
        (ops::would_do(store, &wanted, clock.now()).await?, name)
    };
    let wanted = ActFor { whom: name, ..wanted };
    if *dry_run {
        let lines = if *json { as_json(&would.lines)? } else { dry(&would) };
        return screen.page(lines.into());
    }
    let is_final = matches!(wanted.wish, Wish::Delete(_));
    if !yes && (is_final || would.cost().is_some()) {
        let what = would.cost().unwrap_or_else(|| "it cannot be taken back".to_owned());
        let deed = format!("{line}: {what}");
        ask::consent(&deed, || screen.say(dry(&would).into()), &format!("{deed}. Do it?"))?;
    }
    let job = {
        let connection = &connect(place).await?;
        let asker = Asker::CommandLine(operator::name());
        let begun = noted(connection, line, async |noted| {
            let now = connection.clock.now();
            match ops::begin_acts(&connection.store, noted, asker, wanted, now).await? {
                Begun::New(job) => Ok(job),
                Begun::UnderWay(job) => Err(ops::Error::refused(format!(
                    "the job {} does the like for the same since {:.0}: wait for its end, or end it in Slack (/flock jobs cancel {})",
                    job.id, job.since, job.id
                ))),
            }
        });
        let job = Box::pin(begun).await?;
        if options.detach && connection.is_at_work {
            let done = format!(
                "The job {} goes on by itself; `/flock running` in Slack shows how far it is.",
                job.id
            );
            return screen.say(Said { done: Some(done), ..Said::default() });
        }
        let of = u64::try_from(would.lines.len()).ok();
        let job = (job, options.networks_on_loopback);
        Box::pin(see_through(place, connection, screen, job, ("acts", of))).await?
    };
    let Work::Acts(work) = &job.work else {
        return Err(anyhow!("the job {} is another", job.id));
    };
    screen.page(came(work).into())?;
    if job.is_running() {
        return Err(anyhow!(
            "the job {} is not over: where something is at work, it goes on there",
            job.id
        ));
    }
    let all = count(u64::try_from(would.lines.len()).unwrap_or(u64::MAX), "act");
    match (&job.cancelled_by, work.refused, work.unknown) {
        (Some(by), ..) => {
            Err(anyhow!("{by} has ended it in Slack, with {} of {all} tried", work.done()))
        }
        (None, 0, 0) => Ok(()),
        (None, refused, 0) => Err(anyhow!("{refused} of {all} refused")),
        (None, 0, unknown) => {
            Err(anyhow!("{unknown} of {all} open: tried too often, or nobody knows"))
        }
        (None, refused, unknown) => Err(anyhow!(
            "{refused} of {all} refused, and {unknown} open: tried too often, or nobody knows"
        )),
    }
}

/// How it is written in the audit log.
fn line(ActFor { wish, whom, payer, one_by_one }: &ActFor) -> String {
    let what = match whom {
        Whom::Flock(_) => "flock do",
        Whom::Account(_) => "account do",
    };
    let one_by_one = if *one_by_one { " --one-by-one" } else { "" };
    let payer = payer.as_ref().map(|payer| format!(" --pay {payer}")).unwrap_or_default();
    one_line(&format!("{what} {whom} {wish}{one_by_one}{payer}"))
}

/// What would be done, for people.
fn dry(would: &WouldDo) -> Vec<String> {
    let mut lines: Vec<_> = would.lines.iter().map(ops::ActLine::line).collect();
    let (done, refused) = would.counts();
    lines.push(format!("{done} would be done, and {refused} refused"));
    lines.extend(would.cost());
    lines
}

/// What came of each, as far as it is kept.
fn came(work: &Acts) -> Vec<String> {
    let Acts { done, already, refused, unknown, works, fails, unsure, .. } = work;
    let more = |all: u64, lines: &[String], what: &str| {
        let left = all.saturating_sub(u64::try_from(lines.len()).unwrap_or(u64::MAX));
        (0 < left).then(|| format!("... and {left} more {what}"))
    };
    let mut said = works.clone();
    said.extend(more(done.saturating_add(*already), works, "that are so"));
    said.extend(unsure.iter().cloned());
    said.extend(more(*unknown, unsure, "that are open"));
    said.extend(fails.iter().cloned());
    said.extend(more(*refused, fails, "that were refused"));
    said
}
