//! Holds: any HTML has a text and any text a length on Mastodon, both bounded; a text is known again in the HTML that
//! Mastodon makes of it, and in what a typographer makes of that; any answer of an
//! instance is read or is not, and paging through it ends.
//!
//! What comes before the first line break is a text, the rest HTML and an answer.
#![no_main]

use flock_core::Network;
use flock_net::{check_mastodon_answer, html_says, html_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (text, rest) = bytes.split_at(end);
    check_mastodon_answer(rest);
    let html = String::from_utf8_lossy(rest);
    // Two characters that one name stands for are longer than it, and so is what stands for no character.
    assert!(html_text(&html).len() <= 3 * html.len());
    for text in [&String::from_utf8_lossy(text), &html] {
        let _ = html_says(&html, text);
        assert!(html_says(&shown(text), text), "{text:?}");
        let set = text.replace('\'', "\u{2019}").replace("...", "\u{2026}").replace(' ', "\u{a0} ");
        assert!(html_says(&shown(&set), text), "{text:?} as {set:?}");
        let measured = (Network::Mastodon.facts().measure)(text);
        assert!(measured.length <= text.chars().count() + 23 * measured.links, "{text:?}");
    }
});

/// What Mastodon shows of a text without links, mentions and hashtags.
fn shown(text: &str) -> String {
    let mut shown = String::from("<p>");
    for character in text.chars() {
        match character {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            '\n' => shown.push_str("<br />"),
            other => shown.push(other),
        }
    }
    shown + "</p>"
}
