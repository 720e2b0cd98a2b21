//! What deletes the posts of accounts, in words.

use flock_core::{Whom, Wipe, count};
use flock_ops::lists_newest;
use flock_slack::escape;

use super::Words;

/// More is not kept of what stayed in a message.
const SHOWN: usize = 15;

pub(super) fn words(work: &Wipe) -> Words {
    let of = match &work.of {
        Whom::Account(account) => format!("`{}`", escape(&account.to_string())),
        Whom::Flock(flock) => format!("the flock *{flock}*"),
    };
    let done = format!("{} deleted", count(work.deleted, "post"));
    let stayed = if work.stayed == 0 { String::new() } else { format!(", {} stayed", work.stayed) };
    let done = format!("{done}{stayed}");
    let resume = match &work.of {
        Whom::Account(_) => "`/flock resume <sheep>`".to_owned(),
        Whom::Flock(flock) => format!("`/flock resume {flock}`"),
    };
    let resume = escape(&resume);
    Words {
        does: format!("wipes {of}"),
        doing: format!("wiping {of}"),
        over: format!(
            "Wiped {of}: {done}. Its sheep are paused, and begin at line 1 when somebody resumes them: {resume}."
        ),
        done,
        first: "account",
        besides: besides(work),
    }
}

/// What stayed, and what it waits for.
fn besides(work: &Wipe) -> String {
    let shown = work.stays.iter().take(SHOWN).map(|line| format!("\n{}", escape(line)));
    let mut said: String = shown.collect();
    let all = usize::try_from(work.stayed).unwrap_or(usize::MAX);
    let left = all.saturating_sub(work.stays.len().min(SHOWN));
    if 0 < left {
        said.extend([format!("\n... and {left} more that stayed.")]);
    }
    if work.everything
        && let Some(network) = work.cursor.as_ref().map(|account| account.network)
    {
        said.extend(
            lists_newest([network].into_iter()).into_iter().map(|line| format!("\n{line}")),
        );
    }
    said
}

/// What it waits for, where it waits: a part of a sentence.
pub(super) fn waits(work: &Wipe) -> Option<String> {
    let why = work.under_way.iter().find_map(|account| account.why.as_ref())?;
    Some(escape(why))
}
