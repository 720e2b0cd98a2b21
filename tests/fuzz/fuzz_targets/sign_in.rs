//! Holds: whatever a browser sends as a form or as cookies is read or left out, and nothing of it prints.
#![no_main]

use keymaker::{Bearer, KeysUrl, SentForm};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let form = SentForm::read(bytes);
    if form.password.is_some() {
        assert!(format!("{form:?}").contains("[REDACTED]"), "a password prints");
    }
    let Ok(header) = std::str::from_utf8(bytes) else { return };
    for url in ["https://keys.example/keys", "http://127.0.0.1:1/keys"] {
        let url: KeysUrl = url.parse().expect("it is written so");
        for Bearer { id, .. } in Bearer::read([header], Some(header), &url) {
            assert!(header.contains(id.as_str()), "{id}");
        }
    }
    if let Ok(url) = header.parse::<KeysUrl>() {
        assert_eq!(url.callback(), format!("{}/keys/callback", url.origin()));
        assert!(header.is_ascii() && !header.contains([';', ' ']), "{header}");
    }
});
