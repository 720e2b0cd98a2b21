//! `do <who> <act...>`: one act for an account, or for each account of a flock.

use flock_core::{Usage, Usd, Wish};
use flock_ops::{ActFor, Begun, Noted, WouldDo, begin_acts, whom, would_do};
use flock_slack::{escape, nameless_mention, trim, typed};

use crate::{
    call::{Answer, Call, Obstacle, Stage, Step, Sure, announce, code, refuse, tell},
    command::{Command, Group, Run, SHEPHERD},
    commands::wipe::{PAY, payer},
    jobs::how_to_end,
};

/// So many lines of a dry run are shown.
const LINES: usize = 20;

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("do <who> <act...>")],
    group: Group::Flock,
    // As for all that changes what the world sees.
    need: SHEPHERD,
    help: "Follow, repost and more for each account; `pay FLOCK` before the act says who pays; asks first where that costs",
    example: "do moon follow each-other",
    run: Run::Changes(|call, noted| Box::pin(run(call, noted))),
};

pub(super) const DRY_RUN: Command = Command {
    usages: &[Usage::new("do dry-run <who> <act...>")],
    group: Group::Flock,
    need: SHEPHERD,
    help: "What that would do and cost",
    example: "do dry-run moon follow each-other",
    run: Run::Reads(|call| Box::pin(dry_run(call))),
};

async fn run(call: &Call<'_>, noted: &Noted) -> Answer {
    wish_for(call, noted, call.arguments.rest().unwrap_or_default()).await
}

async fn dry_run(call: &Call<'_>) -> Answer {
    let asked = asked(call, call.arguments.rest().unwrap_or_default()).await?;
    let would = would_do(call.store(), &asked, call.now).await?;
    tell(dry(&would, &what(&asked)))
}

/// What `words` say, for whom the first argument names.
async fn asked(call: &Call<'_>, words: &str) -> Result<ActFor, Obstacle> {
    if let Some(id) = nameless_mention(words) {
        return Err(Obstacle::Refused(format!(
            "Slack has told me {id} and not the name that was typed, so nothing is done. Give it as `/flock ...`, or write the \
             name without @ or #."
        )));
    }
    let words = typed(words);
    let mut words = trim(&words);
    let mut named = None;
    if let Some((PAY, rest)) = words.split_once(char::is_whitespace) {
        let rest = rest.trim_start();
        let (name, act) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        (named, words) = (Some(payer(name)?), act.trim_start());
    }
    let wish = match words.parse::<Wish>() {
        Ok(wish) => wish,
        Err(err) => return refuse(format!("{}.", escape(&flock_core::capital(&err.to_string())))),
    };
    let whom = whom(call.store(), call.argument(0)).await?;
    Ok(ActFor { wish, whom, payer: named, one_by_one: false })
}

fn what(ActFor { wish, whom, .. }: &ActFor) -> String {
    format!("`{}` for `{}`", code(&wish.to_string()), escape(&whom.to_string()))
}

/// Does what `words` say for whom the first argument names. Asks first where that costs, or cannot be taken back.
pub(super) async fn wish_for(call: &Call<'_>, noted: &Noted, words: &str) -> Answer {
    call.not_while_stopped()?;
    let asked = asked(call, words).await?;
    let would = would_do(call.store(), &asked, call.now).await?;
    let what = what(&asked);
    let hurts = matches!(asked.wish, Wish::Delete(_));
    if (would.price != Usd::ZERO || hurts) && call.stage == Stage::Given {
        let cost = would.cost().map(|cost| format!(" {}.", escape(&flock_core::capital(&cost))));
        let text = format!("This does {what}.{}", cost.unwrap_or_default());
        return Ok(Step::Sure(Sure { text, quoted: String::new(), label: "Do it", command: None }));
    }
    let job = match begin_acts(call.store(), noted, call.asker(), asked, call.now).await? {
        Begun::New(job) => job,
        Begun::UnderWay(job) => {
            return refuse(format!(
                "The job `{}` does the like for the same right now; {}.",
                job.id,
                how_to_end(&job.id)
            ));
        }
    };
    call.hurry_job(&job.id).await;
    announce(format!(
        "Doing {what}, as job `{}`. I tell you here what came of it; {}.",
        job.id,
        how_to_end(&job.id)
    ))
}

fn dry(would: &WouldDo, what: &str) -> String {
    let (done, refused) = would.counts();
    let mut lines =
        vec![format!("{what} would be done {done} times, and refused {refused} times.")];
    lines.extend(would.cost().map(|cost| format!("{}.", escape(&flock_core::capital(&cost)))));
    lines.extend(would.lines.iter().take(LINES).map(|line| escape(&line.line())));
    if LINES < would.lines.len() {
        let more = would.lines.len() - LINES;
        lines.push(format!(
            "... and {more} more; at the command line `flock do` with `--dry-run` shows all."
        ));
    }
    lines.join("\n")
}
