//! Accounts: who posts where, what is known of them, and the sealed key.

use aws_sdk_dynamodb::types::{AttributeValue, builders::PutBuilder};
use flock_core::{AccountFacts, AccountId, TokenDigest};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Keyed, MARK, Read, Store, StoreError, Write, key::Key, request_error, to_item};

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

/// What became of writing an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// It was written.
    Done,
    /// It is there already, or not as it was read. Nothing was written.
    Changed,
    /// The user whose it is has another name here. Nothing was written.
    TakenBy(AccountId),
}

/// How often an account is written where somebody else is at it.
const TRIES: usize = 8;

/// That a user of a network is connected, and as which account. It counts as long as that account is there and is this user's: whoever
/// dies while an account is removed leaves nothing that keeps the user out. Accounts that are older than this kind have none until
/// they are given a new key; they are found one by one.
#[derive(Debug, Serialize, Deserialize)]
struct UserItem {
    account: String,
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

    /// Writes down whether the account says that it is a bot's, where it is there.
    pub async fn put_label(&self, id: &AccountId, labelled: bool) -> Result<(), StoreError> {
        let what = format!("account {id}");
        let there = self.update_if(&what, Key::account(id), "SET labelled = :labelled", |update| {
            update
                .condition_expression("attribute_exists(pk)")
                .expression_attribute_values(":labelled", AttributeValue::Bool(labelled))
        });
        // Where it was removed meanwhile there is nothing to write.
        there.await.map(|_| ())
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

    /// Writes an account as it is, whatever is there, and notes nothing of whose it is: for tests.
    #[cfg(feature = "test-util")]
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

    /// Adds an account, unless it is there, or the user whose it is has another name here.
    pub async fn create_account(
        &self,
        id: &AccountId,
        account: AccountItem,
    ) -> Result<Stored, StoreError> {
        self.put_account_of_user(id, &account, |put| {
            put.condition_expression("attribute_not_exists(pk)")
        })
        .await
    }

    /// Replaces the account's key, unless it is another than `sealed_key` by now, or is of a user that has another name here.
    pub async fn renew_account(
        &self,
        id: &AccountId,
        sealed_key: &str,
        account: AccountItem,
    ) -> Result<Stored, StoreError> {
        self.put_account_of_user(id, &account, |put| {
            put.condition_expression("sealed_key = :key")
                .expression_attribute_values(":key", AttributeValue::S(sealed_key.to_owned()))
        })
        .await
    }

    /// Writes an account where the condition holds that `condition` adds, together with its line in the list and with whose it is.
    async fn put_account_of_user(
        &self,
        id: &AccountId,
        account: &AccountItem,
        condition: impl Fn(PutBuilder) -> PutBuilder,
    ) -> Result<Stored, StoreError> {
        let what = format!("account {id}");
        let user = Key::user(id, account.url.as_deref(), &account.remote_user);
        // Where nobody says whose it is, there is nothing to note.
        let noted = (!account.remote_user.is_empty()).then_some(&user);
        let mut over = None;
        // Twice is enough where nobody else is at it: once over what an account has left that is gone.
        for _ in 0..TRIES {
            let named = || ListedItem { account: id.to_string() };
            let mut items = vec![
                to_item(Keyed::new(Key::account(id), account), &what)?,
                to_item(Keyed::new(Key::listed_account(id), named()), &what)?,
            ];
            if let Some(user) = noted {
                let item = UserItem { account: id.to_string() };
                items.push(to_item(Keyed::new(user.clone(), item), &what)?);
            }
            let written = self.put_together(&what, items, |place, put| match (place, &over) {
                (0, _) => condition(put),
                (1, _) => put,
                (_, None) => put
                    .condition_expression("attribute_not_exists(pk) OR account = :account")
                    .expression_attribute_values(":account", AttributeValue::S(id.to_string())),
                (_, Some(mark)) => put
                    .condition_expression(format!("{MARK} = :over"))
                    .expression_attribute_values(":over", AttributeValue::S(String::clone(mark))),
            });
            let failed = match written.await? {
                Write::Done => return Ok(Stored::Done),
                Write::Conflict(failed) => failed,
            };
            if failed.iter().any(|(place, _)| *place == 0) {
                return Ok(Stored::Changed);
            }
            // Without an item, somebody else was at one of them in this moment.
            let Some((_, Some(there))) = failed.into_iter().next() else { continue };
            let mark = there.get(MARK).and_then(|mark| mark.as_s().ok()).cloned();
            let taken: Keyed<UserItem> = Keyed::read(there, &what)?;
            let other: AccountId = taken.value.account.parse().map_err(|err| {
                let what = format!("the user {} of {id}", account.remote_user);
                StoreError::Corrupt { what, source: Box::new(err) }
            })?;
            let holder = self.newest_account(&other).await?;
            let is_held = holder.is_some_and(|holder| {
                Key::user(&other, holder.url.as_deref(), &holder.remote_user) == user
            });
            if is_held && other != *id {
                return Ok(Stored::TakenBy(other));
            }
            // It was removed, or is of another user by now.
            over = mark;
        }
        Ok(Stored::Changed)
    }

    /// Removes an account with its key, its line in the list and whose it is, together, so that nobody who adds it at the same time is
    /// left with a part of it. What was posted through it, and by which sheep, stays known. Removing it again changes nothing.
    pub async fn remove_account(&self, id: &AccountId) -> Result<(), StoreError> {
        let what = format!("account {id}");
        for _ in 0..TRIES {
            let there = self.newest_account(id).await?;
            let text = |value: &str| AttributeValue::S(value.to_owned());
            let mut deletes = vec![
                self.delete(&what, &Key::account(id), |delete| match &there {
                    Some(there) => delete
                        .condition_expression("sealed_key = :key")
                        .expression_attribute_values(":key", text(&there.sealed_key)),
                    None => delete.condition_expression("attribute_not_exists(pk)"),
                })?,
                self.delete(&what, &Key::listed_account(id), |delete| delete)?,
            ];
            if let Some(there) = there.filter(|there| !there.remote_user.is_empty()) {
                let user = Key::user(id, there.url.as_deref(), &there.remote_user);
                // Where it is somebody else's, it says nothing of this account.
                let noted: Option<UserItem> =
                    self.one(&what, user.clone(), Read::Consistent).await?;
                if noted.is_some_and(|noted| noted.account == id.to_string()) {
                    deletes.push(self.delete(&what, &user, |delete| {
                        delete
                            .condition_expression("account = :account")
                            .expression_attribute_values(":account", text(&id.to_string()))
                    })?);
                }
            }
            match self.together("remove", &what, deletes).await? {
                Write::Done => return Ok(()),
                // Somebody else was at it, or the answer to the same was lost: it is looked at anew.
                Write::Conflict(_) => {}
            }
        }
        let source = "somebody else changes it all the time; try again".into();
        Err(StoreError::Request { action: "remove", what, source })
    }
}
