//! What deletes the posts of accounts, as stored.

use flock_core::{AccountId, AccountWipe, FlockName, Whom, Wipe};
use serde::{Deserialize, Serialize};

use super::{BoxError, What, WorkItem, counts};

/// What is under which name in `counts`.
const FINISHED: &str = "finished";
const DELETED: &str = "deleted";
const STAYED: &str = "stayed";

/// What no other kind of work has. Whose posts they are is in `only` where that is an account, and in `flock` where it is a flock.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WipeItem {
    payer: FlockName,
    accounts: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    everything: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    all_begun: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    under_way: Vec<AccountWipe>,
}

pub(super) fn to_item(work: &Wipe) -> WorkItem {
    let (only, flock) = match &work.of {
        Whom::Account(account) => (Some(account.to_string()), None),
        Whom::Flock(flock) => (None, Some(flock.clone())),
    };
    WorkItem {
        only,
        flock,
        cursor: work.cursor.as_ref().map(ToString::to_string),
        counts: counts([(FINISHED, work.finished), (DELETED, work.deleted), (STAYED, work.stayed)]),
        fails: work.stays.clone(),
        wipe: Some(WipeItem {
            payer: work.payer.clone(),
            accounts: work.accounts.clone(),
            everything: work.everything,
            all_begun: work.all_begun,
            under_way: work.under_way.clone(),
        }),
        ..WorkItem::of(What::Wipe)
    }
}

pub(super) fn of_item(item: WorkItem) -> Result<Wipe, BoxError> {
    let account = |account: &String| account.parse::<AccountId>();
    let (finished, deleted, stayed) =
        (item.count(FINISHED), item.count(DELETED), item.count(STAYED));
    let of = match (&item.only, item.flock) {
        (Some(only), _) => Whom::Account(account(only)?),
        (None, Some(flock)) => Whom::Flock(flock),
        (None, None) => return Err("it says of nobody whose posts go".into()),
    };
    let wipe = item.wipe.ok_or("`wipe` is missing")?;
    Ok(Wipe {
        of,
        everything: wipe.everything,
        payer: wipe.payer,
        accounts: wipe.accounts,
        cursor: item.cursor.as_ref().map(account).transpose()?,
        all_begun: wipe.all_begun,
        under_way: wipe.under_way,
        finished,
        deleted,
        stayed,
        stays: item.fails,
    })
}
