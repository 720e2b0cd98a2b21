//! Accounts: who posts where, what is known of them, and the sealed key.

use aws_sdk_dynamodb::types::AttributeValue;
use flock_core::{AccountFacts, AccountId, TokenDigest};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Keyed, Read, Store, StoreError, Write, key::Key, request_error};

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
    /// When its server was last asked what it takes, where servers differ in that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
    /// The sign-in that the key came of, where somebody signed in: it tells a key from the one before, however it is sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_in: Option<TokenDigest>,
    /// The sealed key, as text.
    pub sealed_key: String,
    /// What was got by logging in with the key, sealed like it, on networks where one logs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_session: Option<String>,
}

impl AccountItem {
    /// The attribute with the sealed key. Nothing else in the table has one.
    pub const SEALED_KEY: &str = "sealed_key";

    /// The account whose item is in the partition `pk`.
    pub fn of_key(pk: &str) -> Option<AccountId> {
        Key::as_account(pk)
    }
}

/// An account in the list of accounts.
#[derive(Debug, Serialize, Deserialize)]
struct ListedItem {
    account: String,
}

impl ListedItem {
    fn account(self) -> Result<AccountId, StoreError> {
        self.account.parse().map_err(|err| StoreError::Corrupt {
            what: format!("account {} in the list of accounts", self.account),
            source: Box::new(err),
        })
    }
}

impl Store {
    /// The accounts that were added and not removed, in order. One that was just being added or removed when something died may be
    /// here without being there.
    pub async fn accounts(&self) -> Result<Vec<AccountId>, StoreError> {
        let items: Vec<ListedItem> = self.all("the accounts", Key::ACCOUNTS).await?;
        items.into_iter().map(ListedItem::account).collect()
    }

    /// At most `limit` of the accounts, in the order of the table: from the first on, or after one.
    pub async fn some_accounts(
        &self,
        after: Option<&AccountId>,
        limit: u16,
    ) -> Result<Vec<AccountId>, StoreError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :accounts")
            .expression_attribute_values(":accounts", AttributeValue::S(Key::ACCOUNTS.to_owned()))
            .consistent_read(true)
            .set_exclusive_start_key(after.map(|id| Key::listed_account(id).attributes()))
            .limit(limit.into())
            .into_paginator()
            .send();
        let mut accounts = Vec::new();
        while accounts.len() < limit.into()
            && let Some(page) = pages.next().await
        {
            let page = page.map_err(|err| request_error("list", "the accounts", err))?;
            for item in page.items.unwrap_or_default() {
                let listed: Keyed<ListedItem> = Keyed::read(item, "the accounts")?;
                accounts.push(listed.value.account()?);
            }
        }
        Ok(accounts)
    }

    /// Writes the key and the session of an account sealed anew, over those that were read.
    pub async fn put_sealed_again(
        &self,
        id: &AccountId,
        read: &AccountItem,
        sealed_key: &str,
        sealed_session: Option<&str>,
    ) -> Result<Write, StoreError> {
        let what = format!("account {id}");
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let change = match sealed_session {
            Some(_) => "SET sealed_key = :new_key, sealed_session = :new_session",
            None => "SET sealed_key = :new_key",
        };
        let written = self.update_if(&what, Key::account(id), change, |update| {
            let update = update
                .expression_attribute_values(":new_key", text(sealed_key))
                .expression_attribute_values(":key", text(&read.sealed_key));
            let update = match sealed_session {
                Some(session) => update.expression_attribute_values(":new_session", text(session)),
                None => update,
            };
            match &read.sealed_session {
                Some(session) => update
                    .condition_expression("sealed_key = :key AND sealed_session = :session")
                    .expression_attribute_values(":session", text(session)),
                None => update.condition_expression(
                    "sealed_key = :key AND attribute_not_exists(sealed_session)",
                ),
            }
        });
        Ok(written.await?.forget())
    }

    /// The account, if it was added.
    pub async fn account(&self, id: &AccountId) -> Result<Option<AccountItem>, StoreError> {
        self.read_account(id, Read::Eventual).await
    }

    /// The account as it was last written.
    pub async fn newest_account(&self, id: &AccountId) -> Result<Option<AccountItem>, StoreError> {
        self.read_account(id, Read::Consistent).await
    }

    async fn read_account(
        &self,
        id: &AccountId,
        read: Read,
    ) -> Result<Option<AccountItem>, StoreError> {
        let what = format!("account {id}");
        self.one(&what, Key::account(id), read).await
    }

    /// Writes a session of the key `sealed_key` over the one it was made from, or where there was none. A
    /// sealed text is never the same twice, so who writes first is the only one to do so.
    pub async fn put_session(
        &self,
        id: &AccountId,
        sealed_key: &str,
        over: Option<&str>,
        session: &str,
    ) -> Result<Write, StoreError> {
        let what = format!("session of {id}");
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let change = "SET sealed_session = :session";
        let written = self.update_if(&what, Key::account(id), change, |update| {
            let update = update
                .expression_attribute_values(":session", text(session))
                .expression_attribute_values(":key", text(sealed_key));
            match over {
                Some(over) => update
                    .condition_expression("sealed_key = :key AND sealed_session = :over")
                    .expression_attribute_values(":over", text(over)),
                None => update.condition_expression(
                    "sealed_key = :key AND attribute_not_exists(sealed_session)",
                ),
            }
        });
        Ok(written.await?.forget())
    }

    /// Notes that the account says now that it is a bot's.
    pub async fn label_account(&self, id: &AccountId) -> Result<(), StoreError> {
        let what = format!("account {id}");
        let there = self.update_if(&what, Key::account(id), "SET labelled = :yes", |update| {
            update
                .condition_expression("attribute_exists(pk)")
                .expression_attribute_values(":yes", AttributeValue::Bool(true))
        });
        // Where it was removed meanwhile there is nothing to note.
        there.await.map(|_| ())
    }

    /// Notes that the account's server is asked at `now` what it takes, by who knows of the last time, `over`.
    pub async fn note_asked(
        &self,
        id: &AccountId,
        over: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Write, StoreError> {
        let what = format!("account {id}");
        let at = |at: Timestamp| AttributeValue::S(at.to_string());
        let noted = self.update_if(&what, Key::account(id), "SET asked_at = :now", |update| {
            let update = update.expression_attribute_values(":now", at(now));
            match over {
                Some(over) => update
                    .condition_expression("asked_at = :over")
                    .expression_attribute_values(":over", at(over)),
                None => update.condition_expression(
                    "attribute_exists(sealed_key) AND attribute_not_exists(asked_at)",
                ),
            }
        });
        Ok(noted.await?.forget())
    }

    /// Writes down what the account's server takes, by who noted at `asked_at` that it is asked.
    pub async fn put_limits(
        &self,
        id: &AccountId,
        facts: &AccountFacts,
        asked_at: Timestamp,
    ) -> Result<(), StoreError> {
        let what = format!("account {id}");
        // `null` is read as nothing.
        let number = |most: Option<usize>| {
            most.map_or(AttributeValue::Null(true), |most| AttributeValue::N(most.to_string()))
        };
        let change = "SET text_limit = :text, picture_bytes = :picture";
        let there = self.update_if(&what, Key::account(id), change, |update| {
            update
                .condition_expression("asked_at = :asked")
                .expression_attribute_values(":text", number(facts.text_limit))
                .expression_attribute_values(":picture", number(facts.picture_bytes))
                .expression_attribute_values(":asked", AttributeValue::S(asked_at.to_string()))
        });
        // Where it was removed or added again meanwhile there is nothing to note.
        there.await.map(|_| ())
    }

    /// Adds an account or replaces its key.
    pub async fn put_account(
        &self,
        id: &AccountId,
        account: AccountItem,
    ) -> Result<(), StoreError> {
        let what = format!("account {id}");
        // First, so that no key is anywhere without being listed.
        self.put(&what, Key::listed_account(id), ListedItem { account: id.to_string() }).await?;
        self.put(&what, Key::account(id), account).await
    }

    /// Adds an account, unless it is there.
    pub async fn create_account(
        &self,
        id: &AccountId,
        account: AccountItem,
    ) -> Result<Write, StoreError> {
        let what = format!("account {id}");
        self.put(&what, Key::listed_account(id), ListedItem { account: id.to_string() }).await?;
        let written = self.put_if(&what, Key::account(id), account, |put| {
            put.condition_expression("attribute_not_exists(pk)")
        });
        Ok(written.await?.forget())
    }

    /// Replaces the account's key, unless it is another than `sealed_key` by now.
    pub async fn renew_account(
        &self,
        id: &AccountId,
        sealed_key: &str,
        account: AccountItem,
    ) -> Result<Write, StoreError> {
        let what = format!("account {id}");
        let written = self.put_if(&what, Key::account(id), account, |put| {
            put.condition_expression("sealed_key = :key")
                .expression_attribute_values(":key", AttributeValue::S(sealed_key.to_owned()))
        });
        Ok(written.await?.forget())
    }

    /// Removes an account with its key. What was posted through it, and by which sheep, stays known. Removing it again changes
    /// nothing.
    pub async fn remove_account(&self, id: &AccountId) -> Result<(), StoreError> {
        let what = format!("account {id}");
        self.delete_one(&what, Key::account(id)).await?;
        self.delete_one(&what, Key::listed_account(id)).await
    }
}
