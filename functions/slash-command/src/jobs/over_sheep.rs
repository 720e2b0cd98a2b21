//! What pauses or resumes a flock, in words.

use flock_core::{JobKind, OverSheep, count};

use super::Words;

pub(super) fn words(work: &OverSheep) -> Words {
    let flock = format!("the flock *{}*", work.flock);
    let (did, does, doing) = match work.what {
        JobKind::Pause => ("Paused", "pauses", "pausing"),
        JobKind::Resume => ("Resumed", "resumes", "resuming"),
    };
    let done = done(work);
    Words {
        does: format!("{does} {flock}"),
        doing: format!("{doing} {flock}"),
        over: format!("{did} {flock}, {done}."),
        done,
        first: "sheep",
        besides: String::new(),
    }
}

/// How many sheep are done, and how many of them are not as was wanted.
fn done(work: &OverSheep) -> String {
    let others = work.counts.iter().filter(|(state, _)| *state != work.what.becomes());
    let others: Vec<_> = others.map(|(state, number)| format!("{number} {state}")).collect();
    let but = if others.is_empty() { String::new() } else { format!(" ({})", others.join(", ")) };
    format!("{}{but}", count(work.done(), "sheep"))
}
