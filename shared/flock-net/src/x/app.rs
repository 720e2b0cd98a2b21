//! What is in the secret of the X app: what its accounts sign with, what they are signed in with by OAuth 2.0, or both.

use flock_core::Way;
use secrecy::SecretString;

use crate::{KeyProblem, key_file::KeyFile};

/// The credentials of the app on X, as its developer console names them under "Keys and tokens".
#[derive(Debug, Clone)]
pub struct XApp {
    consumer: Option<Consumer>,
    client: Option<Client>,
}

/// What every request is signed with by OAuth 1.0a ("API Key and Secret").
#[derive(Debug, Clone)]
pub(super) struct Consumer {
    pub(super) key: SecretString,
    pub(super) secret: SecretString,
}

/// Who the app is by OAuth 2.0 ("Client ID and Client Secret").
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) id: SecretString,
    /// None of an app that is a public client: a native or a single-page app.
    pub(super) secret: Option<SecretString>,
}

const FORM: &str = "`consumer_key` and `consumer_secret`, or `client_id` and `client_secret`";

impl XApp {
    /// Every field that the secret may have.
    pub const FIELDS: [&str; 4] = ["consumer_key", "consumer_secret", "client_id", "client_secret"];

    /// Reads the secret of the app, which people write by hand where it is deployed. Other fields may be there. Refused is what
    /// has no way of signing in in full, or one in part.
    pub fn read(text: &SecretString) -> Result<Self, KeyProblem> {
        Self::of(text)
            .map_err(|KeyProblem(why)| KeyProblem(format!("the secret of the X app: {why}")))
    }

    fn of(text: &SecretString) -> Result<Self, KeyProblem> {
        let file = KeyFile::read_any(text, FORM)?.without_empty();
        if let Some(lacks) = Self::lacks(|name| file.has(name)) {
            return Err(KeyProblem(format!("`{lacks}` is missing; it has {FORM}")));
        }
        let consumer = file.some_tokens(["consumer_key", "consumer_secret"])?;
        let client = if file.has("client_id") {
            let secret = file.has("client_secret").then(|| file.token("client_secret"));
            Some(Client { id: file.token("client_id")?, secret: secret.transpose()? })
        } else {
            None
        };
        Ok(Self { consumer: consumer.map(|[key, secret]| Consumer { key, secret }), client })
    }

    /// Which field is missing of what the secret has to have, if it has the fields that `has` says.
    pub fn lacks(has: impl Fn(&str) -> bool) -> Option<&'static str> {
        match ["consumer_key", "consumer_secret", "client_id", "client_secret"].map(has) {
            [true, false, ..] => Some("consumer_secret"),
            [false, true, ..] | [false, false, false, false] => Some("consumer_key"),
            [.., false, true] => Some("client_id"),
            [true, true, ..] | [_, _, true, _] => None,
        }
    }

    /// Whether accounts can be signed in to with it in this way.
    pub fn has(&self, way: Way) -> bool {
        match way {
            Way::OAuth1 => self.consumer.is_some(),
            Way::OAuth2 => self.client.is_some(),
            Way::AppPassword => false,
        }
    }

    pub(super) fn consumer(&self) -> Result<&Consumer, KeyProblem> {
        self.consumer.as_ref().ok_or_else(|| {
            lacks(Way::OAuth1, "`consumer_key` and `consumer_secret` (API Key and Secret)")
        })
    }

    pub(super) fn client(&self) -> Result<&Client, KeyProblem> {
        self.client.as_ref().ok_or_else(|| {
            lacks(Way::OAuth2, "`client_id` and `client_secret` (Client ID and Client Secret)")
        })
    }
}

fn lacks(way: Way, what: &str) -> KeyProblem {
    KeyProblem(format!(
        "the secret of the X app lacks {what}, which {way} needs; they are in X's developer console \
         (console.x.com), under \"Keys and tokens\""
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let read = XApp::read(&SecretString::from(text));
        let said = match read {
            Ok(app) => format!(
                "{} {} {}",
                app.has(Way::OAuth1),
                app.has(Way::OAuth2),
                app.client.is_some_and(|client| client.secret.is_some())
            ),
            Err(KeyProblem(why)) => why,
        };
        assert_eq!(said, expected, "{text}");
    }

    #[test]
    fn one_pair_is_enough_and_half_a_pair_is_not() {
        check(r#"{"consumer_key":"k","consumer_secret":"s"}"#, "true false false");
        check(r#"{"client_id":"i","client_secret":"s"}"#, "false true true");
        check(r#"{"client_id":"i"}"#, "false true false");
        check(
            r#"{"consumer_key":"k","consumer_secret":"s","client_id":"","client_secret":null}"#,
            "true false false",
        );
        check(
            r#"{"consumer_key":"k","consumer_secret":"s","client_id":"i","client_secret":"t"}"#,
            "true true true",
        );
        let lacks =
            |field: &str| format!("the secret of the X app: `{field}` is missing; it has {FORM}");
        check(r#"{"consumer_key":"k"}"#, &lacks("consumer_secret"));
        check(r#"{"consumer_secret":"s","client_id":"i"}"#, &lacks("consumer_key"));
        check(r#"{"client_secret":"t"}"#, &lacks("client_id"));
        check(r#"{"consumer_key":"","consumer_secret":""}"#, &lacks("consumer_key"));
        check("{}", &lacks("consumer_key"));
    }

    #[test]
    fn what_a_way_lacks_is_said() {
        let app = XApp::read(&SecretString::from(r#"{"client_id":"i"}"#)).unwrap();
        assert_eq!(
            app.consumer().unwrap_err().to_string(),
            "the secret of the X app lacks `consumer_key` and `consumer_secret` (API Key and Secret), which OAuth 1.0a \
             needs; they are in X's developer console (console.x.com), under \"Keys and tokens\""
        );
        assert!(app.client().is_ok());
        let text = r#"{"consumer_key":"k","consumer_secret":"s"}"#;
        let app = XApp::read(&SecretString::from(text)).unwrap();
        assert!(app.client().unwrap_err().to_string().contains("which OAuth 2.0 needs"));
        assert!(!format!("{app:?}").contains("\"k\""), "secrets do not print");
    }
}
