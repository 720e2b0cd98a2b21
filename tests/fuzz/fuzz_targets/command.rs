//! Holds: words are what stands between blanks, in order, and nothing is left out; a command is run only if the table has a
//! usage that fits, the first one; only our name makes a text ours.
//!
//! The text is a command line and, with and without our name before it, a message in a room.
#![no_main]

use flock_core::{Arguments, UserId, Word, words};
use flock_slack::{bare_line, bare_name, trim};
use libfuzzer_sys::fuzz_target;
use slash_command::{Parsed, TABLE, parse, read};

// Nobody else needs it, so the crate keeps it.
#[path = "../../../functions/slash-command/src/addressed.rs"]
mod addressed;

fuzz_target!(|text: &str| {
    check_words(text, &words(text));
    check_read(text);
    check_addressed(text);
});

/// What is read of a line is in it, without what is around it; and reading that again reads the same.
fn check_read(text: &str) {
    let (line, words) = read(text);
    assert!(bare_line(text).ends_with(line), "{text:?}: {line:?}");
    for word in &words {
        let written = line.get(word.span.clone()).expect("on the boundaries of characters");
        assert!(!written.is_empty() && !written.starts_with(char::is_whitespace), "{text:?}");
    }
    check_parsed(text, line, &words);
}

fn check_words(line: &str, words: &[Word]) {
    let mut end = 0;
    for Word { text, span } in words {
        assert!(end <= span.start && span.start < span.end, "{line:?}: {words:?}");
        let between = line.get(end..span.start).expect("on the boundaries of characters");
        assert_eq!(between.trim(), "", "{line:?}: {words:?}");
        let written = line.get(span.clone()).expect("on the boundaries of characters");
        let open = ['"', '\'', '“', '”', '„', '«', '‘', '’', '‚', '‹'];
        let close = ['"', '\'', '“', '”', '»', '‘', '’', '›'];
        let unquoted = written.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
        assert!(written == text || unquoted == Some(text), "{line:?}: {words:?}");
        assert!(!written.starts_with(char::is_whitespace), "{line:?}: {words:?}");
        let after = line.get(span.end..).expect("on the boundaries of characters");
        assert!(after.is_empty() || after.starts_with(char::is_whitespace), "{line:?}: {words:?}");
        end = span.end;
    }
    assert_eq!(line.get(end..).map(str::trim), Some(""), "{line:?}: {words:?}");
}

fn check_parsed(text: &str, line: &str, words: &[Word]) {
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let mut usages = TABLE
        .iter()
        .flat_map(|command| command.usages.iter().map(move |usage| (command, usage.to_string())));
    let expected = usages.find(|(_, usage)| fits(usage, &texts));
    match (parse(text), expected) {
        (Parsed::Run(command, arguments), Some((expected, usage))) => {
            assert_eq!(command.name(), expected.name(), "{line:?}");
            check_arguments(line, &texts, &usage, &arguments);
        }
        (Parsed::Run(command, _), None) => panic!("{line:?} runs {}", command.name()),
        (Parsed::Usage(named), None) => assert!(!named.is_empty(), "{line:?}"),
        (Parsed::Unknown(None), None) => {}
        (Parsed::Unknown(Some(name)), None) => {
            let mut usages = TABLE.iter().flat_map(|command| command.usages);
            assert!(usages.any(|usage| usage.name() == name), "{line:?}: {name}");
        }
        (Parsed::Usage(_) | Parsed::Unknown(_), Some((_, usage))) => {
            panic!("{line:?} is {usage}, and is not run")
        }
    }
}

/// Whether `words` are what `usage` says, told in another way than the product does.
fn fits(usage: &str, words: &[&str]) -> bool {
    let parts: Vec<&str> = usage.split(' ').collect();
    let (fixed, most) = match parts.split_last() {
        Some((&"...", fixed)) => (fixed, usize::MAX),
        Some((last, _)) if last.ends_with("...>") => (parts.as_slice(), usize::MAX),
        _ => (parts.as_slice(), parts.len()),
    };
    (fixed.len()..=most).contains(&words.len())
        && fixed.iter().zip(words).all(|(part, word)| {
            *part == "*" || part.starts_with('<') || part.eq_ignore_ascii_case(word)
        })
}

fn check_arguments(line: &str, words: &[&str], usage: &str, arguments: &Arguments) {
    let literal = |part: &&str| !part.starts_with(['<', '*', '.']);
    let name = usage.split(' ').take_while(literal).count();
    // No usage has a word of its own behind an argument.
    assert_eq!(arguments.words(), &words[name..], "{line:?}: {usage}");
    if let Some(rest) = arguments.rest() {
        assert!(line.contains(rest), "{line:?}: {usage}: {rest:?}");
    }
}

fn check_addressed(text: &str) {
    let us: UserId = "U0FLOCK".parse().expect("an id");
    for name in
        ["@flo", "@flockwork,", "@flock?!", "*@FLOCKWORK*:", "<@U0FLOCK>", "\u{200b}<@U0FLOCK|flockwork>:"]
    {
        let message = format!(" {name} {text}");
        let line = addressed::addressed(&message, Some(&us));
        assert_eq!(line.map(trim), Some(trim(text)), "{message:?}");
    }
    let Some(line) = addressed::addressed(text, Some(&us)) else { return };
    let called = trim(text).strip_suffix(line).expect("its end");
    let called = bare_name(called).to_ascii_lowercase();
    let is_name = called.len() >= 4 && "@flockwork".starts_with(&called);
    let is_mention = called == "<@u0flock>" || called.starts_with("<@u0flock|");
    assert!(is_name || is_mention, "{text:?}: {called:?}");
    assert_eq!(addressed::addressed(text, None).is_some(), is_name, "{text:?}");
}
