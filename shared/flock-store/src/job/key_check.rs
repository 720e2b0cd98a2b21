//! What asks whether keys work, as stored.

use flock_core::{AccountId, KeyCheck};

use super::{BoxError, What, WorkItem, counts};

/// What is under which name in `counts`.
const WORKING: &str = "working";
const FAILING: &str = "failing";
const UNKNOWN: &str = "unknown";

pub(super) fn to_item(work: &KeyCheck) -> WorkItem {
    let KeyCheck { only, cursor, working, failing, unknown, works, fails, unsure } = work;
    WorkItem {
        only: only.as_ref().map(ToString::to_string),
        cursor: cursor.as_ref().map(ToString::to_string),
        counts: counts([(WORKING, *working), (FAILING, *failing), (UNKNOWN, *unknown)]),
        works: works.clone(),
        fails: fails.clone(),
        unsure: unsure.clone(),
        ..WorkItem::of(What::Check)
    }
}

pub(super) fn of_item(item: WorkItem) -> Result<KeyCheck, BoxError> {
    let account = |account: &String| account.parse::<AccountId>();
    Ok(KeyCheck {
        only: item.only.as_ref().map(account).transpose()?,
        cursor: item.cursor.as_ref().map(account).transpose()?,
        working: item.count(WORKING),
        failing: item.count(FAILING),
        unknown: item.count(UNKNOWN),
        works: item.works,
        fails: item.fails,
        unsure: item.unsure,
    })
}
