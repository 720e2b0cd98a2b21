//! `wipe ...`: all posts of an account or a flock are deleted.

use flock_core::{FlockName, Need, Usage, Whom};
use flock_ops::{Begun, Noted, WipeCount, begin_wipe, count_wipe, whom};
use flock_slack::escape;

use crate::{
    call::{Answer, Call, Obstacle, Stage, Step, Sure, announce, code, refuse},
    command::{Command, Group, Run},
    jobs::how_to_end,
};

/// The word for what is not recorded, too.
const EVERYTHING: &str = "everything";

/// The word before the flock that pays.
pub(super) const PAY: &str = "pay";

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("wipe <account|flock> ...")],
    group: Group::Flock,
    need: Need::Top,
    help: "Delete all posts; asks first",
    example: "wipe x:milton everything pay moon",
    run: Run::Changes(|call, noted| Box::pin(run(call, noted))),
};

async fn run(call: &Call<'_>, noted: &Noted) -> Answer {
    call.not_while_stopped()?;
    let of = whom(call.store(), call.argument(0)).await?;
    let Words { everything, payer, button: shown } = asked_for(call)?;
    if call.stage == Stage::Given {
        // The record of a large flock is read for some seconds.
        return Ok(Step::Later("I am counting what is there.".to_owned()));
    }
    let count = count_wipe(call.store(), of.clone(), everything, payer.as_ref(), call.now).await?;
    count.refuse_unpaid()?;
    // What a button was about is what is done: where there is more by now, or less, it is asked again.
    if call.stage != Stage::Confirmed || shown != Some(button(&count)) {
        return Ok(Step::Sure(ask(&of, &count, payer.as_ref())));
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

fn ask(of: &Whom, count: &WipeCount, payer: Option<&FlockName>) -> Sure {
    let everything = if count.everything { format!(" {EVERYTHING}") } else { String::new() };
    let payer = payer.map(|payer| format!(" {PAY} {payer}")).unwrap_or_default();
    Sure {
        text: escape(&count.consequence()),
        quoted: String::new(),
        label: "Delete them all",
        command: Some(format!("wipe {of}{everything}{payer} {}", button(count))),
    }
}

/// What is said behind the target.
#[derive(Default)]
struct Words {
    /// Whether also what is not recorded is deleted.
    everything: bool,
    /// Who pays, where that is said.
    payer: Option<FlockName>,
    /// What the button said that was pressed.
    button: Option<String>,
}

fn asked_for(call: &Call<'_>) -> Result<Words, Obstacle> {
    let mut asked = Words::default();
    let mut words = call.arguments.rest().unwrap_or_default().split_whitespace();
    while let Some(word) = words.next() {
        if word.eq_ignore_ascii_case(EVERYTHING) {
            asked.everything = true;
        } else if word.eq_ignore_ascii_case(PAY) {
            asked.payer = Some(payer(words.next().unwrap_or_default())?);
        } else if word.split('-').all(|part| part.parse::<u64>().is_ok()) {
            asked.button = Some(word.to_owned());
        } else {
            return refuse(format!(
                "I do not know what `{}` is to mean here: nothing, `{EVERYTHING}`, or `{PAY} FLOCK`.",
                code(word)
            ));
        }
    }
    Ok(asked)
}

/// The flock that is named behind [`PAY`].
pub(super) fn payer(name: &str) -> Result<FlockName, Obstacle> {
    match name.to_ascii_lowercase().parse() {
        Ok(flock) => Ok(flock),
        Err(_) if name.is_empty() => refuse(format!("Say which flock pays: `{PAY} FLOCK`.")),
        Err(_) => refuse(format!("`{}` is not the name of a flock that could pay.", code(name))),
    }
}
