//! Holds: whatever a network answers, nothing but a 4xx in the API's own words proves that nothing was done, and a doubtful
//! one proves nothing; nobody is told to wait longer than a day. Tokens that X gives can be kept, and do not print.
//!
//! Two bytes are the status, what comes up to the first line break is `Retry-After`, the rest is the body.
#![no_main]

use flock_core::Network;
use flock_net::{check_answer, check_x_answer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(([high, low], rest)) = bytes.split_first_chunk() else { return };
    let status = 100 + u16::from_be_bytes([*high, *low]) % 500;
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let (wait, body) = rest.split_at(end);
    check_x_answer(body.trim_ascii_start());
    for network in [Network::X, Network::Mastodon, Network::Bluesky] {
        check_answer(network, status, &String::from_utf8_lossy(wait), body);
    }
});
