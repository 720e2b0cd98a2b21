//! Key bundles of rainbow-mind-machine: one JSON file for each account of X, which its keymaker wrote (rainbowmindmachine
//! v23, `TwitterKeymaker.py`; the first of 2015 has the same fields). Each goes with the app it was made with.

use flock_core::{AccountId, Handle, Network};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::{KeyProblem, NewKey, key_file::KeyFile, x::XKey};

/// What a bundle holds. Its other fields were for its sheep.
const FORM: &str = "`consumer_token`, `consumer_token_secret`, `oauth_token`, `oauth_token_secret` and `screen_name`";

/// A bundle that could be read.
#[derive(Debug)]
pub struct Bundle {
    /// The account it is of, by the name it had when it was made.
    pub account: AccountId,
    /// Its key, with the app that it was made with.
    pub key: NewKey,
}

impl Bundle {
    /// Reads a bundle. What is said of one that cannot be read repeats nothing of it.
    pub fn read(text: &SecretString) -> Result<Self, KeyProblem> {
        let file = KeyFile::read_any(text, FORM)?;
        let (consumer_key, consumer_secret) =
            (file.token("consumer_token")?, file.token("consumer_token_secret")?);
        let (token, token_secret) = (file.token("oauth_token")?, file.token("oauth_token_secret")?);
        let handle: Option<Handle> = file.text("screen_name")?.parse().ok();
        let handle = handle.filter(|handle| Network::X.check_handle(handle).is_ok());
        let handle = handle.ok_or_else(|| {
            let why =
                "`screen_name` is no name that an account of X can have; write it without the @";
            KeyProblem(why.to_owned())
        })?;
        // The library wrote bundles without the number, too. Tokens begin with it.
        let number = |token: &str| token.split_once('-').map(|(number, _)| number.to_owned());
        let user_id = file.some_text("user_id")?.or_else(|| number(token.expose_secret()));
        let user_id = user_id.ok_or_else(|| {
            KeyProblem("`user_id` is missing, and `oauth_token` does not begin with it".to_owned())
        })?;
        let key = json!({
            "token": token.expose_secret(),
            "token_secret": token_secret.expose_secret(),
            "user_id": user_id,
            "consumer_key": consumer_key.expose_secret(),
            "consumer_secret": consumer_secret.expose_secret(),
        });
        let key = XKey::read_file(&SecretString::from(key.to_string()))?;
        Ok(Self { account: AccountId { network: Network::X, handle }, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{
        "consumer_token": "hush1", "consumer_token_secret": "hush2",
        "oauth_token": "42-hush3", "oauth_token_secret": "hush4",
        "user_id": 42, "screen_name": "milton_book1", "file": "text/book1.txt"
    }"#;

    #[track_caller]
    fn refused(text: &str) -> String {
        let said = Bundle::read(&SecretString::from(text)).unwrap_err().to_string();
        assert!(!said.contains("hush"), "{said}");
        said
    }

    #[test]
    fn a_bundle_is_a_key_with_its_app() {
        // As of old, with the number as a number; and as the library wrote it without.
        for text in [GOOD, &GOOD.replace("\"user_id\": 42,", "\"image\": null,")] {
            let Bundle { account, key } = Bundle::read(&SecretString::from(text)).unwrap();
            assert_eq!(account.to_string(), "x:milton_book1");
            assert_eq!(key.remote_user, "42");
            let secret = key.key.expose_secret();
            assert!(secret.contains("42-hush3") && secret.contains("hush4"), "{secret}");
            let app = key.app.unwrap();
            let app = app.expose_secret();
            assert!(app.contains("hush1") && app.contains("hush2"), "{app}");
        }
    }

    #[test]
    fn each_mistake_has_a_sentence() {
        let mut said = Vec::new();
        for (good, bad) in [
            ("\"oauth_token\": \"42-hush3\", ", ""),
            ("\"hush2\"", "null"),
            ("milton_book1", "@milton"),
            ("milton_book1", "hush with a blank"),
            ("42,", "\"hush\","),
            ("42-hush3", "hush 3"),
            ("\"42-hush3", "\"hush3"),
        ] {
            let text = GOOD.replace(good, bad);
            // Where the number is not at the beginning of the token, the field has it.
            let text = if bad == "\"hush3" { text.replace("\"user_id\": 42,", "") } else { text };
            said.push(refused(&text));
        }
        insta::assert_snapshot!(said.join("\n"), @"
        `oauth_token` is missing; a key file has `consumer_token`, `consumer_token_secret`, `oauth_token`, `oauth_token_secret` and `screen_name`
        `consumer_token_secret` is missing; a key file has `consumer_token`, `consumer_token_secret`, `oauth_token`, `oauth_token_secret` and `screen_name`
        `screen_name` is no name that an account of X can have; write it without the @
        `screen_name` is no name that an account of X can have; write it without the @
        `user_id` is the account's number, digits only
        `oauth_token` has a space, a line break or a letter in it that no key has; copy it once more
        `user_id` is missing, and `oauth_token` does not begin with it
        ");
    }
}
