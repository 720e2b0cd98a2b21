//! Holds: only what was signed verifies; any body is what Slack sends or refused in a few words; any text is shown whole,
//! within Slack's limits.
//!
//! The first line is the timestamp, the second the signature, the rest the body, which is shown as text, too.
#![no_main]

use flock_slack::{
    BLOCKS_PER_MESSAGE, Callback, Interaction, Reply, SECTION_CHARACTERS, SlashCommand,
    is_ssl_check, sign, verify,
};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use secrecy::SecretString;

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(3, |byte| *byte == b'\n');
    let mut header = || parts.next().and_then(|line| str::from_utf8(line).ok());
    let (timestamp, signature) = (header(), header());
    let body = parts.next().unwrap_or_default();
    check_signature(timestamp, signature, body);
    // What a person types is not taken for it.
    let typed = body.iter().map(|byte| format!("%{byte:02x}")).collect::<String>();
    assert!(!is_ssl_check(format!("text={typed}").as_bytes()));
    is_ssl_check(body);
    let errors = [
        SlashCommand::parse(body).err(),
        Interaction::parse(body).err(),
        Callback::parse(body).err(),
    ];
    // They are logged, and the text in them is not ours.
    for err in errors.into_iter().flatten() {
        assert!(err.to_string().chars().count() < 500, "{err}");
    }
    check_reply(&String::from_utf8_lossy(body));
});

fn check_signature(timestamp: Option<&str>, signature: Option<&str>, body: &[u8]) {
    let secret = SecretString::from("8f742231b10e8888abcd99yyyzzz85a5");
    let second = 1_531_420_618;
    let now = Timestamp::from_second(second).expect("a time");
    let right = sign(&secret, now, body);
    let now_text = second.to_string();
    verify(&secret, Some(&now_text), Some(&right), body, now).expect("it was signed here");
    match verify(&secret, timestamp, signature, body, now) {
        // The time may be another within the window.
        Ok(()) => {
            let second: i64 = timestamp.and_then(|text| text.parse().ok()).expect("a number");
            assert!((second - now.as_second()).abs() <= 300);
            let signed = Timestamp::from_second(second).expect("a time");
            assert_eq!(signature, Some(sign(&secret, signed, body).as_str()));
        }
        Err(err) => assert!(err.to_string().chars().count() < 200, "{err}"),
    }
}

fn check_reply(text: &str) {
    let mut shown = Vec::new();
    for message in Reply::everybody(text).responses() {
        let blocks = message["blocks"].as_array().expect("blocks");
        assert!((1..=BLOCKS_PER_MESSAGE).contains(&blocks.len()));
        let fallback = message["text"].as_str().expect("a text");
        assert!((1..=SECTION_CHARACTERS).contains(&fallback.chars().count()));
        for block in blocks {
            let section = block["text"]["text"].as_str().expect("a section");
            assert!((1..=SECTION_CHARACTERS).contains(&section.chars().count()));
            shown.push(section.to_owned());
        }
    }
    assert_eq!(bare(&shown.join("\n")), bare(text));
}

/// Without what cutting may change.
fn bare(text: &str) -> String {
    text.replace("```", "").split_whitespace().collect()
}
