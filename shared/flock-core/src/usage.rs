//! How a command is written: splitting a line into words, and matching the words with a usage.

use std::{fmt, ops::Range};

/// A word of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word without its quotes.
    pub text: String,
    /// Where it stands in the line, with its quotes.
    pub span: Range<usize>,
}

/// Splits a line at blanks. What stands in quotes (straight or curly, single or double) is one word, and so is what stands
/// between `<` and `>`. A quote without its partner is an ordinary character.
pub fn words(line: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut from = 0;
    loop {
        let rest = line.get(from..).unwrap_or_default();
        let Some(start) = rest.find(|c: char| !c.is_whitespace()).map(|at| from + at) else {
            return words;
        };
        let rest = line.get(start..).unwrap_or_default();
        let word = quoted(rest).or_else(|| bracketed(rest)).unwrap_or_else(|| {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            (rest.get(..end).unwrap_or_default(), end)
        });
        let (text, length) = word;
        words.push(Word { text: text.to_owned(), span: start..start + length });
        from = start + length;
    }
}

/// What is in quotes at the start of `rest`, and its length with the quotes.
fn quoted(rest: &str) -> Option<(&str, usize)> {
    let open = rest.chars().next()?;
    let closes: fn(char) -> bool = match open {
        '"' | '“' | '”' | '„' | '«' => |c| matches!(c, '"' | '“' | '”' | '»'),
        '\'' | '‘' | '’' | '‚' | '‹' => |c| matches!(c, '\'' | '‘' | '’' | '›'),
        _ => return None,
    };
    let inner = rest.get(open.len_utf8()..)?;
    // A closing quote ends its word, so that the apostrophe of 'it's here' closes nothing.
    let (at, close) = inner.char_indices().find(|(at, c)| {
        let next = inner.get(at + c.len_utf8()..).and_then(|rest| rest.chars().next());
        closes(*c) && next.is_none_or(char::is_whitespace)
    })?;
    Some((inner.get(..at)?, open.len_utf8() + at + close.len_utf8()))
}

/// `<...>` at the start of `rest`, up to the end of its word.
fn bracketed(rest: &str) -> Option<(&str, usize)> {
    let end = rest.starts_with('<').then(|| rest.find('>'))?? + 1;
    let more = rest.get(end..)?;
    let end = end + more.find(char::is_whitespace).unwrap_or(more.len());
    Some((rest.get(..end)?, end))
}

/// One way to write a command, such as `rhythm <sheep> <line>` or `test * ...`.
///
/// `<name>` or `*` is one word, `<name...>` one word or more, `...` any number of words; both of the last
/// stand at the end. Everything else is a word to be written as it is, in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage(&'static str);

/// The words a person gave for the arguments of a usage.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Arguments {
    words: Vec<String>,
    rest: Option<String>,
}

enum Part<'a> {
    Literal(&'a str),
    One,
    Some,
    Any,
}

impl Usage {
    /// The usage written as `text`.
    pub const fn new(text: &'static str) -> Self {
        Self(text)
    }

    fn parts(self) -> impl Iterator<Item = Part<'static>> {
        self.0.split_whitespace().map(|part| match part {
            "*" => Part::One,
            "..." => Part::Any,
            _ if part.starts_with('<') && part.ends_with("...>") => Part::Some,
            _ if part.starts_with('<') && part.ends_with('>') => Part::One,
            literal => Part::Literal(literal),
        })
    }

    /// The words before the first argument.
    pub fn name(self) -> String {
        let literals = self.parts().map_while(|part| match part {
            Part::Literal(literal) => Some(literal),
            Part::One | Part::Some | Part::Any => None,
        });
        literals.collect::<Vec<_>>().join(" ")
    }

    /// The arguments when `words`, which stand in `line`, are exactly what the usage asks for: none fewer,
    /// none more.
    pub fn matches(self, line: &str, words: &[Word]) -> Option<Arguments> {
        let mut arguments = Arguments::default();
        let mut words = words;
        for part in self.parts() {
            if let Part::Any | Part::Some = part {
                if words.is_empty() && matches!(part, Part::Some) {
                    return None;
                }
                arguments.rest = Some(rest_of(line, words));
                arguments.words.extend(words.iter().map(|word| word.text.clone()));
                return Some(arguments);
            }
            let (word, later) = words.split_first()?;
            words = later;
            match part {
                Part::Literal(literal) if !literal.eq_ignore_ascii_case(&word.text) => return None,
                Part::Literal(_) => {}
                Part::One | Part::Some | Part::Any => arguments.words.push(word.text.clone()),
            }
        }
        words.is_empty().then_some(arguments)
    }

    /// How many of its first words, all literal, are those of `words`.
    pub fn begins_like(self, words: &[Word]) -> usize {
        let same = |(part, word): &(Part<'_>, &Word)| match part {
            Part::Literal(literal) => literal.eq_ignore_ascii_case(&word.text),
            Part::One | Part::Some | Part::Any => false,
        };
        self.parts().zip(words).take_while(same).count()
    }
}

/// The words as they were typed. Quotes belong to them: a text may be a quotation.
fn rest_of(line: &str, words: &[Word]) -> String {
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return String::new() };
    line.get(first.span.start..last.span.end).unwrap_or_default().to_owned()
}

impl Arguments {
    /// The word given for the argument with this number, counted from 0.
    pub fn get(&self, number: usize) -> Option<&str> {
        self.words.get(number).map(String::as_str)
    }

    /// All of them, one word each.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// What was typed for `<name...>` or `...`, blanks and all.
    pub fn rest(&self) -> Option<&str> {
        self.rest.as_deref()
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_words(line: &str, expected: &[&str]) {
        let words: Vec<_> = words(line).into_iter().map(|word| word.text).collect();
        assert_eq!(words, expected, "{line:?}");
    }

    #[test]
    fn lines_are_split_into_words() {
        check_words("", &[]);
        check_words(" \u{a0}\t", &[]);
        check_words("  pause   moon/apollo ", &["pause", "moon/apollo"]);
        check_words(r#"say a "two words" c"#, &["say", "a", "two words", "c"]);
        check_words("say “two words” ‘x", &["say", "two words", "‘x"]);
        check_words("say 'it's here' don't", &["say", "it's here", "don't"]);
        check_words("say ‘it’s here’ don’t", &["say", "it’s here", "don’t"]);
        check_words("„two words“ ‚a b‘ «c d» ‹e f›", &["two words", "a b", "c d", "e f"]);
        check_words(r#"5" disk "open"#, &["5\"", "disk", "\"open"]);
        check_words(r#""""#, &[""]);
        check_words("grant <@U1|Ada L> owner", &["grant", "<@U1|Ada L>", "owner"]);
        check_words("a <b", &["a", "<b"]);
        check_words("<@U1>, hello", &["<@U1>,", "hello"]);
    }

    #[track_caller]
    fn check(usages: &[&'static str], line: &str, expected: Option<(usize, &[&str])>) {
        let words = words(line);
        let matched = usages
            .iter()
            .enumerate()
            .find_map(|(number, usage)| Some((number, Usage::new(usage).matches(line, &words)?)));
        let matched = matched.as_ref().map(|(number, arguments)| (*number, arguments.words()));
        let expected =
            expected.map(|(number, words)| (number, words.iter().map(ToString::to_string)));
        let expected = expected.map(|(number, words)| (number, words.collect::<Vec<_>>()));
        assert_eq!(matched.map(|(n, w)| (n, w.to_vec())), expected, "{usages:?} {line:?}");
    }

    /// What Botpy documents (docs/commands.rst), also where its code did something else.
    #[test]
    fn usages_match_as_botpy_documents() {
        check(&["test", "demo"], "test", Some((0, &[])));
        check(&["test", "demo"], "demo", Some((1, &[])));
        check(&["test *", "demo *"], "demo abcd", Some((1, &["abcd"])));
        check(&["test *", "demo *"], "demo", None);
        check(&["test *", "demo *"], "demo a b", None);
        check(&["test * * *", "demo * * *"], "test a b c", Some((0, &["a", "b", "c"])));
        check(&["test * * *", "demo * * *"], "test a b", None);
        check(&["test * * *", "demo * * *"], "test a b c d", None);
        check(&["test ...", "demo ..."], "test", Some((0, &[])));
        check(&["test ...", "demo ..."], "test a", Some((0, &["a"])));
        check(&["test ...", "demo ..."], "demo a b c d e", Some((1, &["a", "b", "c", "d", "e"])));
        check(&["test * ...", "demo * ..."], "test", None);
        check(&["test * ...", "demo * ..."], "test a", Some((0, &["a"])));
        check(&["test * ...", "demo * ..."], "test a b c", Some((0, &["a", "b", "c"])));
        check(&["test **"], "test x", None);
        check(&["test **"], "test **", Some((0, &[])));
        check(&["test**"], "test**", Some((0, &[])));
        check(&["alive"], "alive and kicking", None);
        check(&["alive"], "", None);
    }

    #[test]
    fn case_does_not_matter_in_words_and_is_kept_in_arguments() {
        check(&["grant <user> <level>"], "GRANT @Ada Owner", Some((0, &["@Ada", "Owner"])));
    }

    #[track_caller]
    fn check_rest(line: &str, expected: Option<&str>) {
        let arguments = Usage::new("say <sheep> <text...>").matches(line, &words(line));
        let rest = arguments.as_ref().and_then(Arguments::rest);
        assert_eq!(rest, expected, "{line:?}");
    }

    #[test]
    fn the_rest_is_kept_as_typed() {
        check_rest("say apollo", None);
        check_rest("say apollo  a  b ", Some("a  b"));
        check_rest(r#"say apollo "a  b""#, Some(r#""a  b""#));
        check_rest("say apollo “Stay.”", Some("“Stay.”"));
        check_rest("say ‘apollo’ 'a'", Some("'a'"));
        check_rest(r#"say apollo "a" and "b""#, Some(r#""a" and "b""#));
    }

    #[test]
    fn usages_know_their_name() {
        assert_eq!(Usage::new("level add <name> <rank>").name(), "level add");
        assert_eq!(Usage::new("level add <name> <rank>").begins_like(&words("LEVEL remove")), 1);
    }
}
