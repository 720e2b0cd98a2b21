//! Accounts: who posts where, what is known of them, and the sealed key.

use flock_core::{AccountFacts, AccountId};
use serde::{Deserialize, Serialize};

use crate::{Read, Store, StoreError, key::Key};

/// An account as stored. What is sealed, only `flock-aws` can open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountItem {
    /// The account's id on its network, where it differs from the handle.
    pub remote_user: String,
    /// The address of its server, where its network has many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What is known of it.
    #[serde(flatten)]
    pub facts: AccountFacts,
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
