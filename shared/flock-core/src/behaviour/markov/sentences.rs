//! Where in a text sentences end, and what of them is learned.
//!
//! A word is what stands between white space, with its punctuation. No sentence goes beyond a line; one ends within it after a word
//! with a full stop, a question or exclamation mark or an ellipsis, where the next begins as sentences do. Whether it does is said by
//! these two words alone: so no text that is made of pairs of words has an end within it, and none goes on over an end of the source.

use crate::{Network, says_nothing};

/// What of a word matters to the sentence it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Traits {
    /// A sentence may end with it.
    pub(super) ends: bool,
    /// A sentence may begin with it.
    pub(super) begins: bool,
    /// It has a mark that stands in pairs.
    pub(super) has_marks: bool,
}

impl Traits {
    pub(super) fn of(word: &str) -> Self {
        Self { ends: ends(word), begins: begins(word), has_marks: word.contains(is_mark) }
    }
}

/// Whether a word is never said. Mentions: automated accounts mention nobody who did not ask for it (help.x.com, "X's automation
/// development rules", 2026-08); whatever has an `@` before a letter, a digit or a `_` may be one, or an address. Links: a sentence that nobody wrote says nothing about the page behind one, and X charges 13 times as much for
/// a post with one (docs.x.com, "Pricing", 2026-08); what X takes for a link is left out. And what nobody sees.
pub(super) fn is_left_out(word: &str) -> bool {
    is_mention(word) || is_link(word) || says_nothing(word)
}

pub(super) fn is_mention(word: &str) -> bool {
    let mut after = word.split(['@', '＠']).skip(1);
    after.any(|name| name.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}

pub(super) fn is_link(word: &str) -> bool {
    let has_dot_within = || {
        let mut after = word.split('.').skip(1);
        after.any(|rest| rest.starts_with(char::is_alphanumeric))
    };
    word.contains("://") || (has_dot_within() && 0 < (Network::X.facts().measure)(word).links)
}

/// What may stand before the first letter of a sentence.
fn is_opening(c: char) -> bool {
    matches!(
        c,
        '"' | '\''
            | '“'
            | '”'
            | '„'
            | '‟'
            | '‘'
            | '‚'
            | '«'
            | '»'
            | '‹'
            | '›'
            | '('
            | '['
            | '{'
            | '¿'
            | '¡'
    )
}

/// What may stand after its last mark.
fn is_closing(c: char) -> bool {
    matches!(c, '"' | '\'' | '“' | '”' | '‟' | '‘' | '’' | '«' | '»' | '‹' | '›' | ')' | ']' | '}')
}

fn ends(word: &str) -> bool {
    let word = word.trim_end_matches(is_closing);
    match word.strip_suffix('.') {
        Some(before) => !is_abbreviation(before.trim_start_matches(is_opening)),
        None => word.ends_with(['!', '?', '…']),
    }
}

fn begins(word: &str) -> bool {
    let first = word.trim_start_matches(is_opening).chars().next();
    // A smiley or a dash belongs to what was said before it.
    first.is_some_and(|c| {
        (c.is_alphanumeric() && !c.is_lowercase()) || matches!(c, '#' | '$' | '£' | '€')
    })
}

/// Whether a word, whose full stop is not in it any more, is cut short and not the end: an initial, letters with full stops between
/// them, or one of those after which a name follows.
fn is_abbreviation(word: &str) -> bool {
    const KNOWN: [&str; 33] = [
        "adm", "bros", "bzw", "capt", "cf", "cmdr", "col", "dr", "ed", "fr", "gen", "gov", "hon",
        "hr", "jr", "lt", "maj", "messrs", "mr", "mrs", "ms", "mt", "nr", "prof", "rep", "rev",
        "sen", "sgt", "sr", "st", "viz", "vol", "vs",
    ];
    let mut letters = word.chars();
    let is_initial = letters.next().is_some_and(char::is_uppercase) && letters.next().is_none();
    let is_dotted = word.contains('.')
        && word.split('.').all(|part| {
            (1..=2).contains(&part.chars().count()) && part.chars().all(char::is_alphanumeric)
        });
    is_initial || is_dotted || KNOWN.iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// The marks of which one stands at the beginning of something and one at its end.
fn is_mark(c: char) -> bool {
    is_opening(c) && !matches!(c, '¿' | '¡') || is_closing(c)
}

/// Whether every quotation mark and bracket of a text has its other half, in order. Sentences that have not are not learned, as
/// with markovify (which drops all that have any, to the same end), and texts that have not are not said.
///
/// Which of two quotation marks opens is another one in English, German and Swedish: any of a kind opens, and the next closes. A
/// single one opens before a letter; where none is open it is an apostrophe. So `'tis` opens, and its sentence is not learned.
pub(super) fn is_balanced<'a>(words: impl Iterator<Item = &'a str>) -> bool {
    let mut open: Vec<char> = Vec::new();
    for word in words.filter(|word| !is_smiley(word)) {
        let mut rest = word.chars();
        let mut is_before = true;
        while let Some(c) = rest.next() {
            let closes = match c {
                '(' => {
                    open.push(')');
                    continue;
                }
                '[' => {
                    open.push(']');
                    continue;
                }
                '{' => {
                    open.push('}');
                    continue;
                }
                ')' | ']' | '}' => c,
                '"' | '“' | '”' | '„' | '‟' => '"',
                '«' | '»' => '«',
                '‹' | '›' => '‹',
                '\'' | '‘' | '‚' | '’' => {
                    let is_letter_next = rest.clone().next().is_some_and(char::is_alphabetic);
                    let is_last = !rest.clone().any(char::is_alphanumeric);
                    if is_before && is_letter_next && c != '’' {
                        open.push('\'');
                    } else if is_last && open.last() == Some(&'\'') {
                        open.pop();
                    }
                    continue;
                }
                _ => {
                    is_before &= !c.is_alphanumeric();
                    continue;
                }
            };
            if open.last() == Some(&closes) {
                open.pop();
            } else if matches!(closes, ')' | ']' | '}') || open.contains(&closes) {
                return false;
            } else {
                open.push(closes);
            }
        }
    }
    open.is_empty()
}

/// `:-)` is no bracket.
fn is_smiley(word: &str) -> bool {
    word.contains([':', ';', '=']) && !word.contains(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_end(word: &str, next: &str, expected: bool) {
        let is_end = Traits::of(word).ends && Traits::of(next).begins;
        assert_eq!(is_end, expected, "{word} | {next}");
    }

    #[test]
    fn a_sentence_ends_between_two_words() {
        for (word, next) in [
            ("rose.", "The"),
            ("rose!", "3"),
            ("rose?\"", "\"Did"),
            ("rose.)", "(It"),
            ("rose…", "Élan"),
            ("no.", "¿Qué"),
            ("rose...", "#moon"),
        ] {
            check_end(word, next, true);
        }
        for (word, next) in [
            ("rose", "The"),
            ("rose.", "the"),
            ("rose,", "The"),
            ("Dr.", "Moon"),
            ("(mrs.", "Moon"),
            ("J.", "Moon"),
            ("U.S.", "Moon"),
            ("z.B.", "Mond"),
            ("rose!", "—"),
            ("rose!", "🐑"),
            ("rose!", ":-)"),
            ("rose.", "\""),
        ] {
            check_end(word, next, false);
        }
    }

    #[test]
    fn what_would_mention_or_link_is_left_out() {
        for word in [
            "@moon",
            "(@moon)",
            ".@moon:",
            "@moon@rose.example",
            "moon@rose.example",
            "＠moon",
            "@_",
            "https://rose.example/a",
            "(http://rose.example)",
            "rose.com",
            "www.rose.com,",
            "\u{200b}",
        ] {
            assert!(is_left_out(word), "{word}");
        }
        for word in ["moon", "@", "a@", "@.", "rose.", "...moon", "3.5", "e.g.", "#moon", "1:2"] {
            assert!(!is_left_out(word), "{word}");
        }
    }

    #[test]
    fn every_mark_has_its_other_half() {
        let check = |text: &str, expected| {
            assert_eq!(is_balanced(text.split_whitespace()), expected, "{text}");
            assert!(expected || text.split(' ').any(|word| Traits::of(word).has_marks), "{text}");
        };
        for text in [
            "the moon",
            "\"the moon\" rose (and [it] set)",
            "“the ‘old’ moon” rose",
            "„der Mond“ »ging« auf",
            "'the moon's' dogs' day, rock 'n' roll in '90",
            "nice :-) ;) =( (: moon",
            "don’t",
        ] {
            check(text, true);
        }
        for text in [
            "\"the moon",
            "the moon)",
            "(the [moon)]",
            "(the \"moon) rose\"",
            "'tis the moon",
            "“the moon",
            "1) moon",
            "{moon",
        ] {
            check(text, false);
        }
    }
}
