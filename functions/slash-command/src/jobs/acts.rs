//! What does one wish for each account, in words.

use flock_core::{Acts, Whom, count};
use flock_slack::escape;

use super::Words;
use crate::call::code;

pub(super) fn words(work: &Acts) -> Words {
    let what = what(work);
    let Acts { done, already, refused, unknown, .. } = *work;
    let counts = [
        (done, "done"),
        (already, "so already"),
        (refused, "refused"),
        (unknown, "open, because nobody knows or it was tried too often"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| 0 < *count);
    let counts: Vec<_> = counts.map(|(count, how)| format!("{count} {how}")).collect();
    let counts = if counts.is_empty() { "nothing to do".to_owned() } else { counts.join(", ") };
    Words {
        does: format!("does {what}"),
        doing: format!("doing {what}"),
        done: count(work.done(), "time"),
        over: format!("{}: {counts}.", flock_core::capital(&what)),
        first: "account",
        besides: lines(work),
    }
}

fn what(work: &Acts) -> String {
    let whom = match &work.whom {
        Whom::Flock(flock) => format!("for the flock *{flock}*"),
        Whom::Account(account) => format!("for `{}`", escape(&account.to_string())),
    };
    format!("`{}` {whom}", code(&work.wish.to_string()))
}

/// What is said of each: those that were refused come first, and those that are so last.
fn lines(work: &Acts) -> String {
    let Acts { done, already, refused, unknown, works, fails, unsure, .. } = work;
    let more = |all: u64, lines: &[String], what: &str| {
        let left = all.saturating_sub(u64::try_from(lines.len()).unwrap_or(u64::MAX));
        (0 < left).then(|| format!("... and {left} more {what}"))
    };
    let mut said: Vec<_> = fails.iter().map(|line| escape(line)).collect();
    said.extend(more(*refused, fails, "that were refused"));
    said.extend(unsure.iter().map(|line| escape(line)));
    said.extend(more(*unknown, unsure, "that are open"));
    said.extend(works.iter().map(|line| escape(line)));
    said.extend(more(done.saturating_add(*already), works, "that are so"));
    if said.is_empty() { String::new() } else { format!("\n{}", said.join("\n")) }
}
