//! What pauses or resumes a flock, as stored.

use flock_core::{JobKind, OverSheep};

use super::{BoxError, What, WorkItem};

pub(super) fn to_item(work: &OverSheep) -> WorkItem {
    let OverSheep { what, flock, cursor, counts } = work.clone();
    let what = match what {
        JobKind::Pause => What::Pause,
        JobKind::Resume => What::Resume,
    };
    let cursor = cursor.map(|name| name.to_string());
    WorkItem { flock: Some(flock), cursor, counts, ..WorkItem::of(what) }
}

pub(super) fn of_item(item: WorkItem, what: JobKind) -> Result<OverSheep, BoxError> {
    let WorkItem { flock, cursor, counts, .. } = item;
    let flock = flock.ok_or("it is of no flock")?;
    let cursor = cursor.map(|cursor| cursor.parse()).transpose()?;
    Ok(OverSheep { what, flock, cursor, counts })
}
