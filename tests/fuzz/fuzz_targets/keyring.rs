//! Holds: any text is a keyring or refused; any text opens or is refused; what is sealed opens for its account alone.
//!
//! The first line is the keyring, the rest is what it is to open.
#![no_main]

use std::sync::LazyLock;

use flock_aws::Keyring;
use flock_core::{AccountId, Network};
use libfuzzer_sys::fuzz_target;
use secrecy::{ExposeSecret as _, SecretString};

static KEYRING: LazyLock<Keyring> = LazyLock::new(|| {
    let text = r#"{"current":"k1","k1":"0123456789abcdef0123456789abcdef"}"#;
    Keyring::parse(&SecretString::from(text)).expect("a keyring")
});

fuzz_target!(|text: &str| {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let account =
        |handle: &str| AccountId { network: Network::X, handle: handle.parse().expect("a handle") };
    let (owner, other) = (account("a"), account("b"));
    let parsed = Keyring::parse(&SecretString::from(first));
    for sealed in [first, rest] {
        let _ = KEYRING.open(&owner, sealed).map_err(|err| err.to_string());
    }
    let Ok(ring) = parsed else { return };
    let _ = ring.open(&owner, rest).map_err(|err| err.to_string());
    let sealed = ring.seal(&owner, &SecretString::from(rest));
    assert_eq!(ring.open(&owner, &sealed).expect("it was sealed here").expose_secret(), rest);
    assert!(ring.open(&other, &sealed).is_err());
});
