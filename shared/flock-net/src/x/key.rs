//! The key of an account on X: a token that every request is signed with, or one that is shown and renewed.

use flock_aws::Keyring;
use flock_core::{AccountFacts, AccountId, Tier, Way};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::{
    app::{Client, Consumer, XApp},
    tokens::Session,
};
use crate::{KeyProblem, NewKey, key_file::KeyFile, renewal::Beside, sealed_json};

/// What is needed to post as one account.
#[derive(Debug)]
pub struct XKey {
    pub(super) with: With,
}

/// How its requests say whose they are.
#[derive(Debug)]
pub(super) enum With {
    /// OAuth 1.0a, whose tokens do not expire.
    Signature {
        /// The app.
        consumer: Consumer,
        /// The account.
        token: Token,
    },
    /// OAuth 2.0, whose tokens are exchanged every two hours.
    Bearer {
        /// The app.
        client: Client,
        /// The tokens, as they were when the account was opened.
        beside: Beside<Session>,
    },
}

/// A token and the secret that belongs to it.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) token: SecretString,
    pub(super) secret: SecretString,
}

/// What is sealed of an account.
#[derive(Deserialize)]
struct Sealed {
    way: Option<Way>,
    token: Option<SecretString>,
    token_secret: Option<SecretString>,
}

/// What a key file holds, and every field it may have.
const FORM: &str = "`token`, `token_secret` and `user_id`";
const FIELDS: [&str; 7] = [
    "token",
    "token_secret",
    "user_id",
    "consumer_key",
    "consumer_secret",
    "tier",
    "automated_label",
];

impl XKey {
    pub(crate) fn read(key: &SecretString, app: Option<&SecretString>) -> Result<Self, KeyProblem> {
        let app =
            app.ok_or_else(|| KeyProblem("the X app's credentials are missing".to_owned()))?;
        let app = XApp::read(app)?;
        let sealed: Sealed = sealed_json(key)?;
        let with = match (sealed.way, sealed.token, sealed.token_secret) {
            (Some(Way::OAuth2), ..) => {
                With::Bearer { client: app.client()?.clone(), beside: Beside::default() }
            }
            (None | Some(Way::OAuth1), Some(token), Some(secret)) => With::Signature {
                consumer: app.consumer()?.clone(),
                token: Token { token, secret },
            },
            (None | Some(Way::OAuth1 | Way::AppPassword), ..) => {
                return Err(KeyProblem("it does not have the form of a sealed key".to_owned()));
            }
        };
        Ok(Self { with })
    }

    pub(crate) fn read_file(text: &SecretString) -> Result<NewKey, KeyProblem> {
        let file = KeyFile::read(text, FORM, &FIELDS)?;
        let token = Token { token: file.token("token")?, secret: file.token("token_secret")? };
        let user_id = file.text("user_id")?;
        if !user_id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(KeyProblem("`user_id` is the account's number, digits only".to_owned()));
        }
        let app = file.some_tokens(["consumer_key", "consumer_secret"])?.map(|[key, secret]| {
            let app = json!({
                "consumer_key": key.expose_secret(),
                "consumer_secret": secret.expose_secret(),
            });
            SecretString::from(app.to_string())
        });
        let facts = AccountFacts {
            tier: file.tier("tier")?,
            labelled: file.flag("automated_label")?,
            text_limit: None,
            picture_bytes: None,
        };
        Ok(NewKey { facts, app, ..Self::signed(&token, user_id) })
    }

    /// A key that every request is signed with, of the user with this id.
    pub(super) fn signed(Token { token, secret }: &Token, user_id: String) -> NewKey {
        let key = json!({
            "token": token.expose_secret(),
            "token_secret": secret.expose_secret(),
        });
        Self::of_user(SecretString::from(key.to_string()), user_id)
    }

    /// A key whose tokens, `session`, may do what `scopes` say.
    pub(super) fn bearer(session: SecretString, scopes: &[&str], user_id: String) -> NewKey {
        let key = json!({ "way": Way::OAuth2, "scopes": scopes });
        let new = Self::of_user(SecretString::from(key.to_string()), user_id);
        NewKey { session: Some(session), ..new }
    }

    fn of_user(key: SecretString, remote_user: String) -> NewKey {
        NewKey {
            key,
            session: None,
            handle: None,
            url: None,
            remote_user,
            facts: AccountFacts {
                tier: Tier::default(),
                labelled: false,
                text_limit: None,
                picture_bytes: None,
            },
            app: None,
        }
    }

    /// Has the key keep the session that was stored with it, and what seals the next one.
    pub(crate) fn keep(&mut self, keyring: Keyring, account: &AccountId, sealed: Option<&str>) {
        match &mut self.with {
            With::Signature { .. } => {}
            With::Bearer { beside, .. } => *beside = Beside::stored(keyring, account, sealed),
        }
    }

    /// Has the key use the session that it came with, before it is stored.
    pub(crate) fn begin(&mut self, session: Option<&SecretString>) {
        match &mut self.with {
            With::Signature { .. } => {}
            With::Bearer { beside, .. } => *beside = Beside::given(session),
        }
    }
}
