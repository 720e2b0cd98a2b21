//! Accounts: who posts where, and the sealed key.

use flock_core::AccountId;
use serde::{Deserialize, Serialize};

use crate::{Store, StoreError, from_item, key::Key, request_error, to_item};

/// An account as stored. The key is sealed; only `flock-aws` can open it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountItem {
    /// The account's id on its network, where it differs from the handle.
    pub remote_user: String,
    /// The sealed key, as text.
    pub sealed_key: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    #[serde(flatten)]
    key: Key,
    v: u8,
    #[serde(flatten)]
    account: AccountItem,
}

impl Store {
    /// The account, if it was added.
    pub async fn account(&self, id: &AccountId) -> Result<Option<AccountItem>, StoreError> {
        use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
        let what = format!("account {id}");
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(Key::account(id).attributes()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|err| request_error("read", what.clone(), err))?;
        self.meter.read(output.consumed_capacity());
        let stored: Option<Stored> = output.item.map(|item| from_item(item, what)).transpose()?;
        Ok(stored.map(|stored| stored.account))
    }

    /// Adds an account or replaces its key.
    pub async fn put_account(
        &self,
        id: &AccountId,
        account: AccountItem,
    ) -> Result<(), StoreError> {
        let what = format!("account {id}");
        let item = to_item(Stored { key: Key::account(id), v: 1, account }, what.clone())?;
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .send()
            .await
            .map_err(|err| request_error("write", what, err))?;
        Ok(())
    }
}
