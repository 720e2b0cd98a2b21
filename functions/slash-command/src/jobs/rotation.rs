//! What seals the keys of all accounts anew, in words.

use flock_core::{Rotation, count};

use super::Words;

pub(super) fn words(work: &Rotation) -> Words {
    let done = count(work.done(), "account");
    Words {
        does: "seals the keys of all accounts anew".to_owned(),
        doing: "sealing the keys of all accounts anew".to_owned(),
        over: format!("All keys are sealed anew: {done}."),
        done,
        first: "account",
        besides: unopened(work),
    }
}

/// Which keys could not be opened, and what to do.
fn unopened(Rotation { unopened, named, .. }: &Rotation) -> String {
    if named.is_empty() {
        return String::new();
    }
    let names: Vec<_> = named.iter().map(|account| format!("*{account}*")).collect();
    let all = usize::try_from(*unopened).unwrap_or(usize::MAX);
    let more = if names.len() < all { " and others" } else { "" };
    format!(
        " What was stored of {}{more} could not be opened, and is as it was: put the key of the keyring back that it was sealed \
         with, or have the accounts added again.",
        names.join(", ")
    )
}
