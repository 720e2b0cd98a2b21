//! What asks whether keys work, in words.

use flock_core::{KeyCheck, count};
use flock_slack::escape;

use super::Words;

pub(super) fn words(work: &KeyCheck) -> Words {
    let whose = match &work.only {
        Some(id) => format!("whether the key of `{}` works", escape(&id.to_string())),
        None => "whether the keys of all accounts work".to_owned(),
    };
    let done = count(work.done(), "account");
    let over = match (&work.only, work.failing, work.unknown) {
        (Some(_), ..) => String::new(),
        (None, 0, 0) => format!("All keys work, those of {done}."),
        (None, failing, unknown) => {
            let works = if work.working == 1 { "works" } else { "work" };
            let works = format!("{} {works}", work.working);
            let not = if failing == 1 { "does not" } else { "do not" };
            match (failing, unknown) {
                (0, _) => format!("Of the keys of {done}, {works}, and of {unknown} nobody knows."),
                (_, 0) => format!("Of the keys of {done}, {works} and {failing} {not}."),
                _ => format!(
                    "Of the keys of {done}, {works}, {failing} {not}, and of {unknown} nobody knows."
                ),
            }
        }
    };
    Words {
        does: format!("asks {whose}"),
        doing: format!("asking {whose}"),
        done,
        over,
        first: "account",
        besides: lines(work),
    }
}

/// What is said of the keys: those that do not work come first, and those that do last.
fn lines(work: &KeyCheck) -> String {
    let KeyCheck { working, failing, unknown, works, fails, unsure, .. } = work;
    let more = |all: u64, lines: &[String], what: fn(u64) -> &'static str| {
        let left = all.saturating_sub(u64::try_from(lines.len()).unwrap_or(u64::MAX));
        (0 < left).then(|| {
            format!(
                "... and {left} more {}; at the command line `account check` shows all.",
                what(left)
            )
        })
    };
    let escaped = |lines: &[String]| lines.iter().map(|line| escape(line)).collect::<Vec<_>>();
    let mut said = escaped(fails);
    said.extend(more(*failing, fails, |_| "that cannot be posted through"));
    said.extend(escaped(unsure));
    said.extend(more(*unknown, unsure, |_| "that nobody knows of"));
    said.extend(escaped(works));
    said.extend(more(*working, works, |left| if left == 1 { "that works" } else { "that work" }));
    if said.is_empty() {
        return String::new();
    }
    match work.only {
        Some(_) => said.join("\n"),
        None => format!("\n{}", said.join("\n")),
    }
}
