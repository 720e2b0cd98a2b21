//! Mastodon.

use flock_core::{AccountFacts, AccountId, RemoteId, Tier};
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
struct MastodonKeyFile {
    access_token: SecretString,
    url: Option<String>,
}

/// What is needed to post as one account.
#[derive(Debug, Deserialize)]
pub struct MastodonKey {
    access_token: SecretString,
}

/// Mastodon's API.
#[derive(Debug)]
pub(crate) struct Mastodon {
    http: Http,
}

impl MastodonKey {
    pub(crate) fn read(key: &SecretString) -> Result<Self, KeyProblem> {
        secret_json(key, "`access_token`")
    }

    pub(crate) fn read_file(_id: &AccountId, text: &SecretString) -> Result<NewKey, KeyProblem> {
        let file: MastodonKeyFile = secret_json(text, "`access_token`")?;
        let key = json!({ "access_token": file.access_token.expose_secret() });
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

impl Mastodon {
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
        key: &MastodonKey,
    ) -> Result<RemoteId, Failure> {
        let _ = &key.access_token;
        Err(Failure::refused("Mastodon is not asked for this yet"))
    }

    pub(crate) async fn repost(
        &self,
        _of: &RemoteId,
        _account: &Account,
        _key: &MastodonKey,
    ) -> Result<RemoteId, Failure> {
        Err(Failure::refused("Mastodon is not asked for this yet"))
    }

    pub(crate) async fn delete(
        &self,
        _post: &RemoteId,
        _account: &Account,
        _key: &MastodonKey,
    ) -> Result<Deleted, Failure> {
        Err(Failure::refused("Mastodon is not asked for this yet"))
    }

    pub(crate) async fn timeline(
        &self,
        _account: &Account,
        _key: &MastodonKey,
        _page: Option<&str>,
    ) -> Result<Timeline, Failure> {
        Err(Failure::refused("Mastodon is not asked for this yet"))
    }

    pub(crate) async fn check(
        &self,
        _account: &Account,
        _key: &MastodonKey,
    ) -> Result<Checked, Failure> {
        Err(Failure::refused("Mastodon is not asked for this yet"))
    }
}
