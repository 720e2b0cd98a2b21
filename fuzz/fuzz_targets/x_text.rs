//! Holds: a text has a length that its characters and links explain, and lines without a link add up.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let measured = flock_core::measure(text);
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
        length += flock_core::measure(line).length;
    }
    assert_eq!(flock_core::measure(&text).length, length + lines - 1);
});
