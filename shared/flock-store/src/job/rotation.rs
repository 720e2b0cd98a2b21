//! What seals the keys of all accounts anew, as stored.

use flock_core::{AccountId, Rotation};

use super::{BoxError, What, WorkItem, counts};

/// What is under which name in `counts`.
const SEALED: &str = "sealed";
const UNOPENED: &str = "unopened";

pub(super) fn to_item(work: &Rotation) -> WorkItem {
    let Rotation { under, cursor, sealed, unopened, named } = work;
    WorkItem {
        cursor: cursor.as_ref().map(ToString::to_string),
        counts: counts([(SEALED, *sealed), (UNOPENED, *unopened)]),
        under: under.clone(),
        named: named.iter().map(ToString::to_string).collect(),
        ..WorkItem::of(What::Rotate)
    }
}

pub(super) fn of_item(item: WorkItem) -> Result<Rotation, BoxError> {
    let account = |account: &String| account.parse::<AccountId>();
    Ok(Rotation {
        cursor: item.cursor.as_ref().map(account).transpose()?,
        sealed: item.count(SEALED),
        unopened: item.count(UNOPENED),
        named: item.named.iter().map(account).collect::<Result<_, _>>()?,
        under: item.under,
    })
}
