//! The audit log: who changed what, where and when.

use aws_sdk_dynamodb::types::AttributeValue;
use flock_core::{DeliveryId, RoomId, UserId};
use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{Store, StoreError, from_item, key::Key, request_error, sheep::Seconds};

/// How long entries are kept, in days.
const RETENTION_DAYS: i64 = 400;

/// One change, or an attempt at one. Written before the change is made, so that none is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Names it: derived from its delivery.
    pub id: DeliveryId,
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub at: Timestamp,
    /// Who.
    pub user: UserId,
    /// Where.
    pub room: RoomId,
    /// The words, without `/flock`.
    pub line: String,
    /// What came of it. `None`: it was cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct AuditItem {
    #[serde(flatten)]
    entry: AuditEntry,
    ttl: Seconds,
}

impl Store {
    /// Writes an entry, or writes it again with its outcome.
    pub async fn put_audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let what = "the audit log";
        let expiry = SignedDuration::from_hours(24 * RETENTION_DAYS);
        let ttl = entry.at.saturating_add(expiry).unwrap_or(Timestamp::MAX).into();
        let item = AuditItem { entry: entry.clone(), ttl };
        self.put(what, Key::audit(entry.at, &entry.id), item).await
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
            let item: AuditItem = from_item(item, what)?;
            entries.push(item.entry);
        }
        Ok(())
    }
}

/// The first day of the month.
fn month(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date().first_of_month()
}
