//! Accounts: who posts where, and the sealed key.

use flock_core::AccountId;
use serde::{Deserialize, Serialize};

use crate::{Read, Store, StoreError, key::Key};

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
    v: u8,
    #[serde(flatten)]
    account: AccountItem,
}

impl Store {
    /// The account, if it was added.
    pub async fn account(&self, id: &AccountId) -> Result<Option<AccountItem>, StoreError> {
        let what = format!("account {id}");
        let stored: Option<Stored> = self.one(&what, Key::account(id), Read::Eventual).await?;
        Ok(stored.map(|stored| stored.account))
    }

    /// Adds an account or replaces its key.
    pub async fn put_account(
        &self,
        id: &AccountId,
        account: AccountItem,
    ) -> Result<(), StoreError> {
        let what = format!("account {id}");
        self.put(&what, Key::account(id), Stored { v: 1, account }).await
    }
}
