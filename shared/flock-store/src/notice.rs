//! Notices: messages to rooms of Slack, and how far they have come.

use flock_core::{DeliveryId, Errand, Notice, RemoteId, RoomId, Sent, Telling};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Item, Read, Store, StoreError, Write, key::Key, sheep::Seconds};

/// How long a notice is remembered, as other deliveries are: what happens again on another day is told again.
const TOLD_FOR: SignedDuration = SignedDuration::from_hours(24);

const WHAT: &str = "a notice";

/// A notice as stored. The names are a schema; absent means none or zero.
#[derive(Debug, Serialize, Deserialize)]
struct NoticeItem {
    version: u64,
    room: RoomId,
    since: Seconds,
    sent: Sent,
    #[serde(default, skip_serializing_if = "is_zero")]
    attempts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_at: Option<Seconds>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lease_until: Option<Seconds>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told: Option<RemoteId>,
    ttl: Seconds,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Store {
    /// Begins a notice, unless somebody has: then the conflict gives it as it is. One that is too old to count is begun
    /// anew.
    pub async fn begin_notice(
        &self,
        telling: &Telling,
        now: Timestamp,
    ) -> Result<Write<Telling>, StoreError> {
        let id = &telling.errand.work.id;
        let written = self
            .put_if(WHAT, Key::notice(id), NoticeItem::new(telling), |put| {
                crate::unless_unexpired(put, now)
            })
            .await?;
        Ok(match there(written, id)? {
            Write::Done => Write::Done,
            Write::Conflict(Some(there)) => Write::Conflict(there),
            // It has just expired; the event comes again.
            Write::Conflict(None) => Write::Conflict(telling.clone()),
        })
    }

    /// Writes a changed notice if it is still at the version before. A conflict gives it as it is now.
    pub async fn put_notice(
        &self,
        telling: &Telling,
    ) -> Result<Write<Option<Telling>>, StoreError> {
        let id = &telling.errand.work.id;
        let read = telling.version - 1;
        let item = NoticeItem::new(telling);
        there(self.put_version(WHAT, Key::notice(id), item, read).await?, id)
    }

    /// Forgets a notice: what it told of is over, and is told again if it happens again.
    pub async fn forget_notice(&self, id: &DeliveryId) -> Result<(), StoreError> {
        self.delete_one(WHAT, Key::notice(id)).await
    }

    /// A notice, if somebody has begun it.
    pub async fn notice(&self, id: &DeliveryId) -> Result<Option<Telling>, StoreError> {
        let item: Option<NoticeItem> = self.one(WHAT, Key::notice(id), Read::Consistent).await?;
        item.map(|item| item.into_telling(id)).transpose()
    }
}

fn there(
    written: Write<Option<Item>>,
    id: &DeliveryId,
) -> Result<Write<Option<Telling>>, StoreError> {
    Ok(match written.read::<NoticeItem>(WHAT)? {
        Write::Done => Write::Done,
        Write::Conflict(there) => {
            Write::Conflict(there.map(|item| item.into_telling(id)).transpose()?)
        }
    })
}

impl NoticeItem {
    fn new(telling: &Telling) -> Self {
        let Telling { errand, told, version } = telling;
        let Errand { work, due, sent, attempts, retry_at, problem, lease_until } = errand;
        let ttl = due.saturating_add(TOLD_FOR).unwrap_or(Timestamp::MAX);
        Self {
            version: *version,
            room: work.room.clone(),
            since: (*due).into(),
            sent: *sent,
            attempts: *attempts,
            retry_at: retry_at.map(Seconds::from),
            problem: problem.clone(),
            lease_until: lease_until.map(Seconds::from),
            told: told.clone(),
            ttl: ttl.into(),
        }
    }

    fn into_telling(self, id: &DeliveryId) -> Result<Telling, StoreError> {
        let corrupt = |source: jiff::Error| StoreError::Corrupt {
            what: WHAT.to_owned(),
            source: Box::new(source),
        };
        let instant = |seconds: Option<Seconds>| seconds.map(Timestamp::try_from).transpose();
        let errand = Errand {
            work: Notice { id: id.clone(), room: self.room },
            due: self.since.try_into().map_err(corrupt)?,
            sent: self.sent,
            attempts: self.attempts,
            retry_at: instant(self.retry_at).map_err(corrupt)?,
            problem: self.problem,
            lease_until: instant(self.lease_until).map_err(corrupt)?,
        };
        Ok(Telling { errand, told: self.told, version: self.version })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Keyed;

    #[test]
    fn the_item_is_a_schema() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let id: DeliveryId = "ffeeddccbbaa99887766554433221100".parse().unwrap();
        let notice = Notice { id: id.clone(), room: "C1".parse().unwrap() };
        let (now, lease) = (at("2026-11-21T12:00:00Z"), at("2026-11-21T12:00:35Z"));
        let begun = Telling::begin(notice, now, lease);
        let unsure = begun.clone().put_off("no answer", Sent::Maybe, now);
        let told = begun.clone().done("1795262400.000100".parse().unwrap());
        let mut forms = Vec::new();
        for telling in [begun, unsure, told] {
            let item = Keyed::new(Key::notice(&id), NoticeItem::new(&telling));
            let item: Item = serde_dynamo::to_item(item).unwrap();
            let read: NoticeItem = Keyed::read(item.clone(), WHAT).unwrap().value;
            assert_eq!(read.into_telling(&id).unwrap(), telling);
            let value: serde_json::Value = serde_dynamo::from_item(item).unwrap();
            forms.push(value.to_string());
        }
        insta::assert_snapshot!(forms.join("\n"), @r#"
        {"lease_until":1795262435,"pk":"NOTICE#ffeeddccbbaa99887766554433221100","room":"C1","sent":"maybe","since":1795262400,"sk":"NOTICE","ttl":1795348800,"v":1,"version":1}
        {"attempts":1,"pk":"NOTICE#ffeeddccbbaa99887766554433221100","problem":"no answer","retry_at":1795262460,"room":"C1","sent":"maybe","since":1795262400,"sk":"NOTICE","ttl":1795348800,"v":1,"version":2}
        {"pk":"NOTICE#ffeeddccbbaa99887766554433221100","room":"C1","sent":"maybe","since":1795262400,"sk":"NOTICE","told":"1795262400.000100","ttl":1795348800,"v":1,"version":2}
        "#);
    }
}
