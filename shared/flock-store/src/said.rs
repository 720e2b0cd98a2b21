//! Who said what first, on networks that forbid several accounts to say the same.

use aws_sdk_dynamodb::types::AttributeValue;
use flock_core::{AccountId, Fingerprint, Handle};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{POST_RETENTION_DAYS, Store, StoreError, Write, key::Key, sheep::Seconds};

#[derive(Debug, Serialize, Deserialize)]
struct SaidItem {
    handle: Handle,
    ttl: Seconds,
}

impl Store {
    /// Notes that `account` is about to say something, unless another account of its network has. Gives that
    /// other account.
    pub async fn say_first(
        &self,
        account: &AccountId,
        fingerprint: &Fingerprint,
        now: Timestamp,
    ) -> Result<Option<AccountId>, StoreError> {
        let what = format!("who said first what {account} says");
        let expiry = SignedDuration::from_hours(24 * POST_RETENTION_DAYS);
        let ttl = now.saturating_add(expiry).unwrap_or(Timestamp::MAX);
        let item = SaidItem { handle: account.handle.clone(), ttl: ttl.into() };
        let handle = AttributeValue::S(account.handle.to_string());
        let written = self
            .put_if(&what, Key::said(account.network, fingerprint), &item, |put| {
                // Items are deleted some time after they expire.
                put.condition_expression(
                    "attribute_not_exists(pk) OR handle = :handle OR #ttl < :now",
                )
                .expression_attribute_names("#ttl", "ttl")
                .expression_attribute_values(":now", AttributeValue::N(now.as_second().to_string()))
                .expression_attribute_values(":handle", handle)
            })
            .await?;
        Ok(match written.read(&what)? {
            Write::Conflict(Some(SaidItem { handle, .. })) => {
                Some(AccountId { network: account.network, handle })
            }
            Write::Done | Write::Conflict(None) => None,
        })
    }
}
