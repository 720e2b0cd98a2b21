//! Secrets: read once per process, kept five minutes, never printed; and the keyring that seals the
//! accounts' keys.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use aws_config::SdkConfig;
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, Salt},
};
use aws_sdk_secretsmanager::Client;
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use flock_core::AccountId;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;

/// Secrets Manager, with a cache.
#[derive(Debug)]
pub struct Secrets {
    config: SdkConfig,
    // Built when first needed: the meadow needs no secret.
    client: OnceLock<Client>,
    cache: Mutex<HashMap<String, (Instant, SecretString)>>,
    // The newest order to read everything anew.
    ordered: Mutex<Ordered>,
}

/// What is known of orders to read everything anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Ordered {
    /// Nobody has asked yet.
    #[default]
    Unasked,
    /// The newest was given then, if there was one.
    At(Option<Timestamp>),
}

/// A secret could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The request failed.
    #[error("could not read secret {name}")]
    Request {
        /// The secret's name.
        name: String,
        /// What the SDK says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It holds bytes, not text.
    #[error("secret {0} has no text")]
    NoText(String),
    /// The request to write it failed. It may be written all the same.
    #[error("could not write secret {name}")]
    Write {
        /// The secret's name.
        name: String,
        /// What the SDK says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A text that nobody can guess: 32 random bytes as 43 characters of base64url.
pub fn random_token() -> SecretString {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system has randomness");
    SecretString::from(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// The keys that account keys are sealed with. A sealed text names its key, so that keys rotate without a
/// pause: add one, make it current, remove the old one when nothing is sealed with it any more.
///
/// As text: `{"current":"k1","k1":"at least 32 random characters"}`.
#[derive(Clone)]
pub struct Keyring {
    current: String,
    keys: Arc<HashMap<String, LessSafeKey>>,
}

/// The keyring is unusable, or does not fit what it is to open. Says nothing of any key.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeyringError {
    /// The secret is not a keyring.
    #[error(
        "the keyring is not readable: it must be JSON such as {{\"current\":\"k1\",\"k1\":\"at \
         least 32 random characters\"}}"
    )]
    Unreadable,
    /// The sealed text names a key the keyring does not have.
    #[error("the keyring has no key `{0}`; put it back, or renew the account's key")]
    UnknownKey(String),
    /// The sealed text is damaged, or was sealed for another account.
    #[error("the stored key of {0} cannot be opened; renew the account's key")]
    CannotOpen(AccountId),
}

impl Secrets {
    const KEPT: Duration = Duration::from_mins(5);

    /// The secrets of this deployment.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            config: config.clone(),
            client: OnceLock::new(),
            cache: Mutex::default(),
            ordered: Mutex::default(),
        }
    }

    /// Drops what was read before somebody ordered it at `ordered_at`. The first time it is asked, nothing is old.
    pub fn drop_older(&self, ordered_at: Option<Timestamp>) {
        let mut known = self.ordered.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *known, Ordered::At(ordered_at));
        if !matches!(before, Ordered::Unasked) && before != Ordered::At(ordered_at) {
            self.cache.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    /// Drops the secret called `name` if it was read longer ago than `age`. Whether that was so.
    pub fn drop_if_older(&self, name: &str, age: Duration) -> bool {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let is_older = cache.get(name).is_some_and(|(read, _)| age <= read.elapsed());
        if is_older {
            cache.remove(name);
        }
        is_older
    }

    /// The text of the secret called `name`, at most five minutes old.
    pub async fn get(&self, name: &str) -> Result<SecretString, SecretError> {
        let cached = {
            let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
            cache.get(name).filter(|(read, _)| read.elapsed() < Self::KEPT).cloned()
        };
        if let Some((_, secret)) = cached {
            return Ok(secret);
        }
        let output = self.client().get_secret_value().secret_id(name).send().await;
        let output = output
            .map_err(|err| SecretError::Request { name: name.to_owned(), source: Box::new(err) })?;
        let secret = output.secret_string.ok_or_else(|| SecretError::NoText(name.to_owned()))?;
        let secret = SecretString::from(secret);
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.insert(name.to_owned(), (Instant::now(), secret.clone()));
        Ok(secret)
    }

    /// Gives the secret called `name` another text, whatever it is now. What was read of it is dropped, and so is what may have
    /// been written where the request failed.
    pub async fn put(&self, name: &str, text: &SecretString) -> Result<(), SecretError> {
        let put = self.client().put_secret_value().secret_id(name);
        let output = put.secret_string(text.expose_secret()).send().await;
        self.drop_if_older(name, Duration::ZERO);
        output
            .map(drop)
            .map_err(|err| SecretError::Write { name: name.to_owned(), source: Box::new(err) })
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| Client::new(&self.config))
    }
}

impl Keyring {
    /// Shorter keys could be guessed.
    const SHORTEST: usize = 32;

    /// Reads a keyring.
    pub fn parse(text: &SecretString) -> Result<Self, KeyringError> {
        let mut texts: HashMap<String, SecretString> =
            serde_json::from_str(text.expose_secret()).map_err(|_| KeyringError::Unreadable)?;
        let current = texts.remove("current").ok_or(KeyringError::Unreadable)?;
        let current = current.expose_secret().to_owned();
        let mut keys = HashMap::new();
        for (name, text) in texts {
            // A dot separates the name from what is sealed.
            if text.expose_secret().len() < Self::SHORTEST || name.contains('.') {
                return Err(KeyringError::Unreadable);
            }
            keys.insert(name, derive(&text).ok_or(KeyringError::Unreadable)?);
        }
        if !keys.contains_key(&current) {
            return Err(KeyringError::Unreadable);
        }
        Ok(Self { current, keys: Arc::new(keys) })
    }

    /// The text of a keyring with one key more, which is current; and how it is called: `k2`, `k3` and so on, as nothing in `used`
    /// is. The others stay.
    pub fn with_new_key<'a>(
        text: &SecretString,
        used: impl IntoIterator<Item = &'a str>,
    ) -> Result<(SecretString, String), KeyringError> {
        let known = Self::parse(text)?;
        let mut keyring: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(text.expose_secret()).map_err(|_| KeyringError::Unreadable)?;
        let number = |name: &str| name.strip_prefix('k').and_then(|number| number.parse().ok());
        let used = used.into_iter().filter_map(number).max();
        let newest: Option<u32> = known.names().filter_map(number).max().max(used);
        let name = format!("k{}", newest.unwrap_or_default().saturating_add(1));
        keyring.insert(name.clone(), serde_json::Value::String(new_key()));
        keyring.insert("current".to_owned(), serde_json::Value::String(name.clone()));
        let text = serde_json::Value::Object(keyring).to_string();
        Ok((SecretString::from(text), name))
    }

    /// How the key is called that it seals with.
    pub fn current(&self) -> &str {
        &self.current
    }

    /// How all its keys are called, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let mut names: Vec<_> = self.keys.keys().map(String::as_str).collect();
        names.sort_unstable();
        names.into_iter()
    }

    /// Whether it has the key called `name`.
    pub fn has(&self, name: &str) -> bool {
        self.keys.contains_key(name)
    }

    /// How the key is called that a text was sealed with. `None`: it is no sealed text.
    pub fn key_of(sealed: &str) -> Option<&str> {
        sealed.split_once('.').map(|(name, _)| name)
    }

    /// The same text sealed with the current key. `None`: it is already.
    pub fn seal_again(
        &self,
        account: &AccountId,
        sealed: &str,
    ) -> Result<Option<String>, KeyringError> {
        let text = self.open(account, sealed)?;
        let is_current = Self::key_of(sealed) == Some(self.current.as_str());
        Ok((!is_current).then(|| self.seal(account, &text)))
    }

    /// Seals a text for one account, as `<key name>.<base64 of nonce and ciphertext>`.
    pub fn seal(&self, account: &AccountId, text: &SecretString) -> String {
        let key = self.keys.get(&self.current).expect("parse checks that the current key is there");
        let mut nonce = [0; NONCE_LEN];
        aws_lc_rs::rand::fill(&mut nonce).expect("the system has randomness");
        let mut sealed = text.expose_secret().as_bytes().to_vec();
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(account.to_string()),
            &mut sealed,
        )
        .expect("an account key is far shorter than the cipher's limit");
        let bytes = [nonce.as_slice(), &sealed].concat();
        format!("{}.{}", self.current, BASE64_STANDARD.encode(bytes))
    }

    /// Opens what was sealed for `account`.
    pub fn open(&self, account: &AccountId, sealed: &str) -> Result<SecretString, KeyringError> {
        let cannot_open = || KeyringError::CannotOpen(account.clone());
        let (name, rest) = sealed.split_once('.').ok_or_else(cannot_open)?;
        let key = self.keys.get(name).ok_or_else(|| KeyringError::UnknownKey(name.to_owned()))?;
        let bytes = BASE64_STANDARD.decode(rest).map_err(|_| cannot_open())?;
        let (nonce, rest) = bytes.split_at_checked(NONCE_LEN).ok_or_else(cannot_open)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| cannot_open())?;
        let mut rest = rest.to_vec();
        let text = key
            .open_in_place(nonce, Aad::from(account.to_string()), &mut rest)
            .map_err(|_| cannot_open())?;
        let text = str::from_utf8(text).map_err(|_| cannot_open())?;
        Ok(SecretString::from(text))
    }
}

/// A fresh key of a keyring: 64 hexadecimal digits.
fn new_key() -> String {
    let mut bytes = [0_u8; 32];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system has randomness");
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// The AES key that a keyring's text stands for.
fn derive(text: &SecretString) -> Option<LessSafeKey> {
    let pseudorandom = Salt::new(HKDF_SHA256, &[]).extract(text.expose_secret().as_bytes());
    let key = pseudorandom.expand(&[b"flockwork account key v1"], &AES_256_GCM).ok()?;
    Some(LessSafeKey::new(UnboundKey::from(key)))
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyring").field("current", &self.current).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flock_core::Network;

    const OLD: &str = r#"{"current":"k1","k1":"0123456789abcdef0123456789abcdef"}"#;
    const NEW: &str = r#"{"current":"k2","k2":"fedcba9876543210fedcba9876543210",
                          "k1":"0123456789abcdef0123456789abcdef"}"#;

    fn keyring(text: &str) -> Keyring {
        Keyring::parse(&SecretString::from(text)).unwrap()
    }

    fn account(handle: &str) -> AccountId {
        AccountId { network: Network::X, handle: handle.parse().unwrap() }
    }

    #[test]
    fn what_is_sealed_opens_for_its_account_alone() {
        let (ring, text) = (keyring(OLD), SecretString::from("token"));
        let sealed = ring.seal(&account("a"), &text);
        assert_ne!(sealed, ring.seal(&account("a"), &text), "each nonce is new");
        assert_eq!(ring.open(&account("a"), &sealed).unwrap().expose_secret(), "token");
        let err = ring.open(&account("b"), &sealed).unwrap_err();
        assert_eq!(err, KeyringError::CannotOpen(account("b")));
        for damaged in ["", "k1", "k1.", "k1.AAAA", "k1.!!", &sealed[..sealed.len() - 4]] {
            assert!(ring.open(&account("a"), damaged).is_err(), "{damaged:?}");
        }
    }

    #[test]
    fn keys_rotate_without_a_pause() {
        let sealed = keyring(OLD).seal(&account("a"), &SecretString::from("token"));
        let rotated = keyring(NEW);
        assert_eq!(rotated.open(&account("a"), &sealed).unwrap().expose_secret(), "token");
        assert!(rotated.seal(&account("a"), &SecretString::from("token")).starts_with("k2."));
        let gone = keyring(r#"{"current":"k2","k2":"fedcba9876543210fedcba9876543210"}"#);
        let err = gone.open(&account("a"), &sealed).unwrap_err();
        assert_eq!(err, KeyringError::UnknownKey("k1".to_owned()));
    }

    #[test]
    fn a_new_key_is_added_and_takes_none_away() {
        let text = SecretString::from(OLD);
        let (added, name) = Keyring::with_new_key(&text, ["k1"]).unwrap();
        let (again, next) = Keyring::with_new_key(&added, ["k7", "odd", "k"]).unwrap();
        assert_eq!((name.as_str(), next.as_str()), ("k2", "k8"));
        let (added, again) = (Keyring::parse(&added).unwrap(), Keyring::parse(&again).unwrap());
        assert_eq!((added.current(), again.current()), ("k2", "k8"));
        assert_eq!(again.names().collect::<Vec<_>>(), ["k1", "k2", "k8"]);
        let sealed = keyring(OLD).seal(&account("a"), &SecretString::from("token"));
        let resealed = added.seal_again(&account("a"), &sealed).unwrap().unwrap();
        assert_eq!(Keyring::key_of(&resealed), Some("k2"));
        assert_eq!(again.open(&account("a"), &resealed).unwrap().expose_secret(), "token");
        assert_eq!(added.seal_again(&account("a"), &resealed).unwrap(), None);
        assert!(added.seal_again(&account("b"), &resealed).is_err());
    }

    #[test]
    fn a_bad_keyring_is_refused_and_nothing_is_printed() {
        for text in ["", "{}", r#"{"current":"k1"}"#, r#"{"current":"k1","k1":"short"}"#] {
            assert!(Keyring::parse(&SecretString::from(text)).is_err(), "{text:?}");
        }
        assert!(!format!("{:?}", keyring(OLD)).contains("0123456789"));
    }
}
