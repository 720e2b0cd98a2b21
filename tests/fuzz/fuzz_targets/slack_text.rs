//! Holds: what Slack's clients make of a text is undone to the letter; nothing is invented, and a name is found in whatever
//! stands around it.
#![no_main]

use flock_slack::{
    bare_line, bare_word, escape, trim, typed, unescape, with_characters, with_shortcodes,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let escaped = escape(text);
    assert_eq!(unescape(&escaped), text);
    // Nothing in it is a mark; names of emoji may have been typed.
    assert_eq!(typed(&escaped), with_characters(text));
    if !text.contains(':') {
        assert_eq!(typed(&escape(&with_shortcodes(text))), text);
    }

    // Names have more characters than what they stand for, and nothing else changes.
    let shown = with_characters(text);
    assert!(shown.chars().count() <= text.chars().count(), "{text:?}: {shown:?}");
    let mut rest = shown.as_str();
    for part in text.split(':').filter(|part| !part.is_ascii()) {
        let at = rest.find(part).unwrap_or_else(|| panic!("{text:?}: {shown:?} has no {part:?}"));
        rest = &rest[at + part.len()..];
    }

    // A link that is marked as Slack does it is what was typed.
    if text.chars().all(|c| !c.is_control() && !"<>|&:%".contains(c)) && !text.is_empty() {
        assert_eq!(typed(&format!("<http://{text}|{text}>")), text);
        assert_eq!(typed(&format!("<!date^1^{{date}}|{text}>")), text);
    }
    // What it says of any other text is for people to judge.
    let _ = typed(text);

    let line = bare_line(text);
    assert!(text.contains(line), "{text:?}: {line:?}");
    assert_eq!(trim(line), line, "{text:?}");
    let word = bare_word(text);
    assert!(
        !word.starts_with(char::is_whitespace) && !word.ends_with(char::is_whitespace),
        "{text:?}: {word:?}"
    );
});
