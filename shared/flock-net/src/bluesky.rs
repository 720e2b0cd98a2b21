//! Bluesky.

use flock_core::{AccountFacts, AccountId, PostId, RemoteId, Tier};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;

use crate::{
    Account, Checked, Deleted, Draft, Failure, KeyProblem, NewKey, Timeline, http::Http,
    secret_json,
};

/// A key file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BlueskyKeyFile {
    app_password: SecretString,
    url: Option<String>,
}

/// What is needed to post as one account.
#[derive(Debug, Deserialize)]
pub struct BlueskyKey {
    app_password: SecretString,
}

/// Bluesky's API.
#[derive(Debug)]
pub(crate) struct Bluesky {
    http: Http,
}

impl BlueskyKey {
    pub(crate) fn read(key: &SecretString) -> Result<Self, KeyProblem> {
        secret_json(key, "`app_password`")
    }

    pub(crate) fn read_file(_id: &AccountId, text: &SecretString) -> Result<NewKey, KeyProblem> {
        let file: BlueskyKeyFile = secret_json(text, "`app_password`")?;
        let key = json!({ "app_password": file.app_password.expose_secret() });
        Ok(NewKey {
            key: SecretString::from(key.to_string()),
            url: file.url,
            remote_user: String::new(),
            facts: AccountFacts {
                tier: Tier::Standard,
                labelled: false,
                text_limit: None,
                picture_bytes: None,
            },
            app: None,
        })
    }
}

impl Bluesky {
    pub(crate) fn new(http: Http) -> Self {
        Self { http }
    }

    pub(crate) fn limited_until(&self, account: &AccountId) -> Option<Timestamp> {
        self.http.limited_until(account)
    }

    pub(crate) async fn post(
        &self,
        _draft: &Draft<'_>,
        _account: &Account,
        key: &BlueskyKey,
    ) -> Result<RemoteId, Failure> {
        let _ = &key.app_password;
        Err(Failure::refused("Bluesky is not asked for this yet"))
    }

    pub(crate) async fn repost(
        &self,
        _id: &PostId,
        _of: &RemoteId,
        _account: &Account,
        _key: &BlueskyKey,
    ) -> Result<RemoteId, Failure> {
        Err(Failure::refused("Bluesky is not asked for this yet"))
    }

    pub(crate) async fn delete(
        &self,
        _post: &RemoteId,
        _account: &Account,
        _key: &BlueskyKey,
    ) -> Result<Deleted, Failure> {
        Err(Failure::refused("Bluesky is not asked for this yet"))
    }

    pub(crate) async fn timeline(
        &self,
        _account: &Account,
        _key: &BlueskyKey,
        _page: Option<&str>,
    ) -> Result<Timeline, Failure> {
        Err(Failure::refused("Bluesky is not asked for this yet"))
    }

    pub(crate) async fn check(
        &self,
        _account: &Account,
        _key: &BlueskyKey,
    ) -> Result<Checked, Failure> {
        Err(Failure::refused("Bluesky is not asked for this yet"))
    }
}
