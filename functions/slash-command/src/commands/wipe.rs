//! `wipe ...`: all posts of an account or a flock are deleted.

use flock_core::{Need, Usage, Whom};
use flock_ops::{Begun, Noted, WipeCount, begin_wipe, count_wipe, whom};
use flock_slack::escape;

use crate::{
    call::{Answer, Call, Obstacle, Stage, Step, Sure, announce, code, refuse},
    command::{Command, Group, Run},
    jobs::how_to_end,
};

/// The word for what is not recorded, too.
const EVERYTHING: &str = "everything";

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("wipe <account|flock> ...")],
    group: Group::Flock,
    need: Need::Top,
    help: "Delete all posts; asks first",
    example: "wipe x:milton everything",
    run: Run::Changes(|call, noted| Box::pin(run(call, noted))),
};

async fn run(call: &Call<'_>, noted: &Noted) -> Answer {
    call.not_while_stopped()?;
    let of = whom(call.store(), call.argument(0)).await?;
    let (everything, posts) = asked_for(call)?;
    if call.stage == Stage::Given {
        // The record of a large flock is read for some seconds.
        return Ok(Step::Later("I am counting what is there.".to_owned()));
    }
    let count = count_wipe(call.store(), of.clone(), everything, None, call.now).await?;
    count.refuse_unpaid()?;
    // What a button was about is what is done: where there is more by now, or less, it is asked again.
    if call.stage != Stage::Confirmed || posts != Some(button(&count)) {
        return Ok(Step::Sure(ask(&of, &count)));
    }
    let job = match begin_wipe(call.store(), noted, call.asker(), &count, call.now).await? {
        Begun::New(job) => job,
        Begun::UnderWay(job) => {
            return refuse(format!(
                "The job `{}` does that right now; {}.",
                job.id,
                how_to_end(&job.id)
            ));
        }
    };
    call.hurry_job(&job.id).await;
    announce(format!(
        "Wiping {} as job `{}`. {} I tell you here when it is over; {}.",
        escape(&of.named()),
        job.id,
        count.duration(),
        how_to_end(&job.id)
    ))
}

/// What a button says of what was counted: how many posts, and what they cost in millionths of a dollar.
fn button(count: &WipeCount) -> String {
    format!("{}-{}", count.posts(), count.price.micros())
}

fn ask(of: &Whom, count: &WipeCount) -> Sure {
    let everything = if count.everything { " everything" } else { "" };
    Sure {
        text: escape(&count.consequence()),
        quoted: String::new(),
        label: "Delete them all",
        command: Some(format!("wipe {of}{everything} {}", button(count))),
    }
}

/// Whether also what is not recorded is deleted, and what the button said that was pressed.
fn asked_for(call: &Call<'_>) -> Result<(bool, Option<String>), Obstacle> {
    let (mut everything, mut posts) = (false, None);
    for word in call.arguments.rest().unwrap_or_default().split_whitespace() {
        if word.eq_ignore_ascii_case(EVERYTHING) {
            everything = true;
        } else if word.split('-').all(|part| part.parse::<u64>().is_ok()) {
            posts = Some(word.to_owned());
        } else {
            return refuse(format!(
                "I do not know what `{}` is to mean here: nothing, or `{EVERYTHING}`.",
                code(word)
            ));
        }
    }
    Ok((everything, posts))
}
