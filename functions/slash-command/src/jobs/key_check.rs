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
    let over = match (&work.only, work.failing) {
        (Some(_), _) => String::new(),
        (None, 0) => format!("All keys work, those of {done}."),
        (None, failing) => {
            let work = if work.working == 1 {
                "1 works".to_owned()
            } else {
                format!("{} work", work.working)
            };
            let not = if failing == 1 { "does not" } else { "do not" };
            format!("Of the keys of {done}, {work} and {failing} {not}.")
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

/// What is said of the keys: those that do not work come first.
fn lines(work: &KeyCheck) -> String {
    let KeyCheck { working, failing, works, fails, .. } = work;
    let more = |all: u64, lines: &[String], what: &str| {
        let left = all.saturating_sub(u64::try_from(lines.len()).unwrap_or(u64::MAX));
        (0 < left).then(|| {
            let (count, which) = (left, if left == 1 { "works" } else { "work" });
            let which = if what.is_empty() { which } else { what };
            format!(
                "... and {count} more that {which}; at the command line `account check` shows all."
            )
        })
    };
    let escaped = |lines: &[String]| lines.iter().map(|line| escape(line)).collect::<Vec<_>>();
    let mut said = escaped(fails);
    said.extend(more(*failing, fails, "cannot be posted through"));
    said.extend(escaped(works));
    said.extend(more(*working, works, ""));
    if said.is_empty() {
        return String::new();
    }
    match work.only {
        Some(_) => said.join("\n"),
        None => format!("\n{}", said.join("\n")),
    }
}
