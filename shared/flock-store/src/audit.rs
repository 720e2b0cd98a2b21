//! The audit log: who changed what, where and when.

use aws_sdk_dynamodb::types::AttributeValue;
use flock_core::{DeliveryId, RoomId, UserId};
use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{Keyed, Store, StoreError, key::Key, request_error, sheep::Seconds};

/// How long entries are kept, in days.
const RETENTION_DAYS: i64 = 400;

/// One change, or an attempt at one. Written before the change is made, so that none is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Names it: derived from its delivery.
    pub id: DeliveryId,
    /// When.
    pub at: Timestamp,
    /// Who, and where.
    pub by: By,
    /// The words, without `/flock`.
    pub line: String,
    /// What came of it. `None`: it was cut off.
    pub outcome: Option<String>,
}

/// Who changed something, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// Somebody in Slack.
    Slack {
        /// Who.
        user: UserId,
        /// In which room.
        room: RoomId,
    },
    /// Whoever may use the `flockwork` command.
    CommandLine {
        /// What the operating system calls them.
        user: String,
        /// As whom AWS knows them, where they work on a deployed table.
        arn: Option<String>,
    },
}

/// An entry as stored. The names are a schema: there is either `user` and `room`, or `operator`,
/// and `arn` if it was on a deployed table.
#[derive(Debug, Serialize, Deserialize)]
struct AuditItem {
    id: DeliveryId,
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    room: Option<RoomId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    operator: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    arn: Option<String>,
    line: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
    ttl: Seconds,
}

impl AuditItem {
    fn new(entry: &AuditEntry) -> Self {
        let AuditEntry { id, at, by, line, outcome } = entry.clone();
        let expiry = SignedDuration::from_hours(24 * RETENTION_DAYS);
        let ttl = at.saturating_add(expiry).unwrap_or(Timestamp::MAX).into();
        let (user, room, operator, arn) = match by {
            By::Slack { user, room } => (Some(user), Some(room), None, None),
            By::CommandLine { user, arn } => (None, None, Some(user), arn),
        };
        Self { id, at, user, room, operator, arn, line, outcome, ttl }
    }

    fn into_entry(self) -> Result<AuditEntry, StoreError> {
        let Self { id, at, user, room, operator, arn, line, outcome, ttl: _ } = self;
        let by = match (user, room, operator) {
            (Some(user), Some(room), None) => By::Slack { user, room },
            (None, None, Some(user)) => By::CommandLine { user, arn },
            _ => {
                let source = "it does not say who and where".into();
                return Err(StoreError::Corrupt { what: format!("audit entry {id}"), source });
            }
        };
        Ok(AuditEntry { id, at, by, line, outcome })
    }
}

impl Store {
    /// Writes an entry, or writes it again with its outcome.
    pub async fn put_audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let what = "the audit log";
        self.put(what, Key::audit(entry.at, &entry.id), AuditItem::new(entry)).await
    }

    /// The newest entries, newest first, at most `limit`.
    pub async fn newest_audit(
        &self,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, StoreError> {
        let mut entries = Vec::new();
        let oldest = now.saturating_sub(SignedDuration::from_hours(24 * RETENTION_DAYS));
        let oldest = month(oldest.unwrap_or(Timestamp::MIN));
        // A month per partition; a year of silence costs thirteen empty queries.
        let mut first = month(now);
        while oldest <= first && entries.len() < limit {
            self.audit_of(first, limit, &mut entries).await?;
            first = first.saturating_sub(1.month());
        }
        Ok(entries)
    }

    async fn audit_of(
        &self,
        month: Date,
        limit: usize,
        entries: &mut Vec<AuditEntry>,
    ) -> Result<(), StoreError> {
        let what = "the audit log";
        let mut items = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :month")
            .expression_attribute_values(":month", AttributeValue::S(Key::audit_of(month)))
            .scan_index_forward(false)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .into_paginator()
            .items()
            .send();
        while entries.len() < limit {
            let Some(item) = items.next().await else { return Ok(()) };
            let item = item.map_err(|err| request_error("read", what, err))?;
            let item: AuditItem = Keyed::read(item, what)?.value;
            entries.push(item.into_entry()?);
        }
        Ok(())
    }
}

/// The first day of the month.
fn month(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date().first_of_month()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(by: By) -> AuditEntry {
        AuditEntry {
            id: "ffeeddccbbaa99887766554433221100".parse().unwrap(),
            at: "2026-11-21T12:00:00.5Z".parse().unwrap(),
            by,
            line: "pause apollo".to_owned(),
            outcome: Some("done".to_owned()),
        }
    }

    /// Entries are kept for more than a year: whoever wrote them, they must still be read.
    #[test]
    fn the_item_is_a_schema() {
        let slack = By::Slack { user: "U1".parse().unwrap(), room: "C1".parse().unwrap() };
        let user = "ada".to_owned();
        let operator = By::CommandLine { user: user.clone(), arn: None };
        let arn = Some("arn:aws:sts::1:assumed-role/shepherds/ada".to_owned());
        let deployed = By::CommandLine { user, arn };
        let items = [slack, operator, deployed].map(|by| {
            let entry = entry(by);
            let item: crate::Item = serde_dynamo::to_item(AuditItem::new(&entry)).unwrap();
            let read: AuditItem = serde_dynamo::from_item(item.clone()).unwrap();
            assert_eq!(read.into_entry().unwrap(), entry);
            serde_dynamo::from_item::<_, serde_json::Value>(item).unwrap().to_string()
        });
        insta::assert_snapshot!(items.join("\n"), @r#"
        {"at":1795262400500,"id":"ffeeddccbbaa99887766554433221100","line":"pause apollo","outcome":"done","room":"C1","ttl":1829822400,"user":"U1"}
        {"at":1795262400500,"id":"ffeeddccbbaa99887766554433221100","line":"pause apollo","operator":"ada","outcome":"done","ttl":1829822400}
        {"arn":"arn:aws:sts::1:assumed-role/shepherds/ada","at":1795262400500,"id":"ffeeddccbbaa99887766554433221100","line":"pause apollo","operator":"ada","outcome":"done","ttl":1829822400}
        "#);
    }

    #[test]
    fn nobody_is_not_a_person() {
        let by = By::CommandLine { user: "ada".to_owned(), arn: None };
        let item = AuditItem { operator: None, ..AuditItem::new(&entry(by)) };
        let err = item.into_entry().unwrap_err();
        let expected =
            "audit entry ffeeddccbbaa99887766554433221100 does not have the expected form";
        assert_eq!(err.to_string(), expected);
    }
}
