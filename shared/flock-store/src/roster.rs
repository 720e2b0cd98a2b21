//! Which sheep post through an account, and which of its posts somebody has taken for theirs.
//!
//! Only who looks for a post on a network, or deletes all of an account, reads this. A row is written when a sheep is given the account, and stays
//! when it is taken away again or removed: what it said there is still to be seen there.

use std::collections::HashSet;

use aws_sdk_dynamodb::types::AttributeValue;
use flock_core::{AccountId, Occurrence, RemoteId, SheepId};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    Keyed, POST_RETENTION_DAYS, Read, Store, StoreError, Write,
    key::{Key, ON_ACCOUNT, posts_of},
    request_error,
    sheep::Seconds,
};

/// Requests at once.
const CONCURRENCY: usize = 16;

#[derive(Debug, Serialize, Deserialize)]
struct Row {}

/// Whose post it is.
#[derive(Debug, Serialize, Deserialize)]
struct TakenItem {
    sheep: String,
    occurrence: Occurrence,
    ttl: Seconds,
}

/// What of a recorded post says which one it is on its network, and since when.
#[derive(Debug, Deserialize)]
struct RecordedItem {
    at: Seconds,
    #[serde(default)]
    remote_id: Option<RemoteId>,
}

impl Store {
    /// Notes which account each sheep posts through, where that is not noted yet.
    pub async fn enlist(&self, sheep: &[(SheepId, AccountId)]) -> Result<(), StoreError> {
        let mut accounts: Vec<(&AccountId, Vec<&SheepId>)> = Vec::new();
        let mut sheep: Vec<_> = sheep.iter().collect();
        sheep.sort_by(|(_, a), (_, b)| a.cmp(b));
        for (id, account) in sheep {
            match accounts.last_mut() {
                Some((last, ids)) if *last == account => ids.push(id),
                _ => accounts.push((account, vec![id])),
            }
        }
        let accounts: Vec<_> =
            accounts.into_iter().map(|(account, ids)| self.enlist_on(account, ids)).collect();
        stream::iter(accounts).buffer_unordered(CONCURRENCY).try_collect().await
    }

    async fn enlist_on(&self, account: &AccountId, ids: Vec<&SheepId>) -> Result<(), StoreError> {
        let known: HashSet<_> = self.sheep_on(account).await?.into_iter().collect();
        let new = ids.into_iter().filter(|id| !known.contains(*id)).map(Ok);
        stream::iter(new)
            .try_for_each_concurrent(CONCURRENCY, |id| async move {
                self.put(&format!("{id} on {account}"), Key::on_account(account, id), Row {}).await
            })
            .await
    }

    /// The sheep that post through `account`, or did once.
    pub async fn sheep_on(&self, account: &AccountId) -> Result<Vec<SheepId>, StoreError> {
        let what = format!("the sheep of {account}");
        let mut rows = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :account AND begins_with(sk, :sheep)")
            .expression_attribute_values(":account", AttributeValue::S(Key::account(account).pk))
            .expression_attribute_values(":sheep", AttributeValue::S(ON_ACCOUNT.to_owned()))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut sheep = Vec::new();
        while let Some(row) = rows.next().await {
            let row = row.map_err(|err| request_error("list", what.clone(), err))?;
            sheep.extend(Keyed::<Row>::read(row, &what)?.key.as_sheep_on_account());
        }
        Ok(sheep)
    }

    /// What the newest posts of `sheep` are called on their network: of those that were due at `from` or
    /// later, and of the one before them, which may have waited until then.
    pub async fn recorded_since(
        &self,
        sheep: &SheepId,
        from: Timestamp,
    ) -> Result<Vec<RemoteId>, StoreError> {
        const PAGE: i32 = 50;
        let what = format!("posts of {sheep}");
        let mut items = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk")
            .filter_expression("attribute_not_exists(held_from)")
            .expression_attribute_values(":pk", AttributeValue::S(posts_of(sheep)))
            .scan_index_forward(false)
            .consistent_read(true)
            .limit(PAGE)
            .into_paginator()
            .items()
            .send();
        let from = from.as_second();
        let mut recorded = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(|err| request_error("read the", what.clone(), err))?;
            let RecordedItem { at, remote_id, .. } = Keyed::read(item, &what)?.value;
            recorded.extend(remote_id);
            if at.seconds() < from {
                break;
            }
        }
        Ok(recorded)
    }

    /// Takes the post that `account`'s network calls `remote` for the one of `sheep` with that number, unless it
    /// is taken for another. Taking it again changes nothing.
    pub async fn take(
        &self,
        account: &AccountId,
        remote: &RemoteId,
        (sheep, occurrence): (&SheepId, Occurrence),
        now: Timestamp,
    ) -> Result<Write, StoreError> {
        let what = format!("whose post {remote} is");
        let expiry = SignedDuration::from_hours(24 * POST_RETENTION_DAYS);
        let ttl = now.saturating_add(expiry).unwrap_or(Timestamp::MAX).into();
        let item = TakenItem { sheep: sheep.to_string(), occurrence, ttl };
        let written = self.put_if(&what, Key::taken(account, remote), &item, |put| {
            let number = AttributeValue::N(occurrence.0.to_string());
            put.condition_expression(
                "attribute_not_exists(pk) OR (sheep = :sheep AND occurrence = :occurrence)",
            )
            .expression_attribute_values(":sheep", AttributeValue::S(item.sheep.clone()))
            .expression_attribute_values(":occurrence", number)
        });
        Ok(written.await?.forget())
    }

    /// Whose post it is that `account`'s network calls `remote`, if somebody has taken it.
    pub async fn taken(
        &self,
        account: &AccountId,
        remote: &RemoteId,
    ) -> Result<Option<(String, Occurrence)>, StoreError> {
        let what = format!("whose post {remote} is");
        let item: Option<TakenItem> =
            self.one(&what, Key::taken(account, remote), Read::Consistent).await?;
        Ok(item.map(|item| (item.sheep, item.occurrence)))
    }
}
