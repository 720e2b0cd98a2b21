//! What does one wish for each account, as stored.

use flock_core::{Acts, Unit, Waiting, Whom};
use jiff::Timestamp;

use super::{BoxError, What, WorkItem, counts};

/// What is under which name in `counts`.
const DONE: &str = "done";
const ALREADY: &str = "already";
const REFUSED: &str = "refused";
const UNKNOWN: &str = "unknown";

pub(super) fn to_item(work: &Acts) -> WorkItem {
    let (flock, only) = match &work.whom {
        Whom::Flock(flock) => (Some(flock.clone()), None),
        Whom::Account(account) => (None, Some(account.to_string())),
    };
    let Acts { done, already, refused, unknown, .. } = *work;
    let counted = [(DONE, done), (ALREADY, already), (REFUSED, refused), (UNKNOWN, unknown)];
    let waiting = work.waiting.iter();
    WorkItem {
        flock,
        only,
        act: Some(work.wish.to_string()),
        payer: Some(work.payer.clone()),
        one_by_one: work.one_by_one,
        cursor: work.cursor.as_ref().map(ToString::to_string),
        waiting: waiting.map(|one| (one.tries, one.at.as_second(), one.unit.to_string())).collect(),
        counts: counts(counted),
        works: work.works.clone(),
        fails: work.fails.clone(),
        unsure: work.unsure.clone(),
        ..WorkItem::of(What::Acts)
    }
}

pub(super) fn of_item(item: WorkItem) -> Result<Acts, BoxError> {
    let counted = [DONE, ALREADY, REFUSED, UNKNOWN].map(|name| item.count(name));
    let [done, already, refused, unknown] = counted;
    let whom = match (item.flock, item.only) {
        (Some(flock), _) => Whom::Flock(flock),
        (None, Some(account)) => Whom::Account(account.parse()?),
        (None, None) => return Err("it is for nobody".into()),
    };
    let waiting = item.waiting.into_iter().map(|(tries, at, unit)| {
        let (unit, at) = (unit.parse::<Unit>()?, Timestamp::from_second(at)?);
        Ok::<_, BoxError>(Waiting { unit, tries, at })
    });
    Ok(Acts {
        wish: item.act.ok_or("it does not say what is done")?.parse()?,
        whom,
        payer: item.payer.ok_or("it does not say who pays")?,
        one_by_one: item.one_by_one,
        cursor: item.cursor.as_deref().map(str::parse::<Unit>).transpose()?,
        waiting: waiting.collect::<Result<_, _>>()?,
        done,
        already,
        refused,
        unknown,
        works: item.works,
        fails: item.fails,
        unsure: item.unsure,
    })
}
