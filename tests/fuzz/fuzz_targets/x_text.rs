//! Holds: a text has a length that its characters and links explain, and lines without a link add up.
#![no_main]

use flock_core::{Measured, Network};
use libfuzzer_sys::fuzz_target;

fn x(text: &str) -> Measured {
    (Network::X.facts().measure)(text)
}

fuzz_target!(|text: &str| {
    let measured = x(text);
    let characters = text.chars().count();
    assert!(measured.length <= 2 * characters + 23 * measured.links);
    assert!(measured.links <= text.matches('.').count());
    if text.is_ascii() && measured.links == 0 {
        assert_eq!(measured.length, characters);
    }

    let mut lines = 0;
    let mut length = 0;
    let text = text.replace('.', "");
    for line in text.split('\n') {
        lines += 1;
        length += x(line).length;
    }
    assert_eq!(x(&text).length, length + lines - 1);
});
