//! Slack's names of emoji: what its clients send in the place of the characters that people typed.
//!
//! The table is made by `.ci/slack_shortcodes.cjs` from npm `emoji-datasource` 16.0.0 (MIT), which has Slack's own names.
//! It is searched as the text it is, so that a function that starts does nothing for it.

use std::{collections::HashMap, sync::LazyLock};

/// A name in each line, sorted by name: `.ci/slack_shortcodes.cjs` says what is in a line.
static TABLE: &str = include_str!("shortcodes.txt");

/// Characters of the longest emoji of the table, with tones.
const LONGEST: usize = 10;

/// What stands before the numbers of a tone, which follows the colon of a name.
const TONE: &str = ":skin-tone-";

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Emoji {
    characters: &'static str,
    people: People,
}

/// Whose skin has a tone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum People {
    None,
    One,
    /// The form in which each of two has one, and whether one character shows both in the same.
    Two {
        apart: &'static str,
        have_one_form: bool,
    },
}

/// The tones of one or two people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tones(char, char);

/// `text` with the characters that its shortcodes stand for, as in `:wave::skin-tone-3:`. What is no name that Slack has
/// of itself stays.
pub fn with_characters(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(':') {
        plain.push_str(before);
        if let Some((characters, after)) = shortcode(after) {
            plain.push_str(&characters);
            rest = after;
        } else {
            plain.push(':');
            rest = after;
        }
    }
    plain.push_str(rest);
    plain
}

/// `text` with the names that Slack's clients send for its emoji: the other way round.
pub fn with_shortcodes(text: &str) -> String {
    static NAMES: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
        let mut names = HashMap::new();
        for (name, emoji) in lines().filter_map(|(name, what)| Some((name, Emoji::read(what)?))) {
            for tones in Tones::all() {
                if let Some(toned) = emoji.with(tones) {
                    // Where both have one, it is written once.
                    names.entry(toned).or_insert_with(|| format!(":{name}:{tones}"));
                }
            }
            names.insert(emoji.characters.to_owned(), format!(":{name}:"));
        }
        names
    });
    let mut sent = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8()).take(LONGEST);
        let ends = if c.is_ascii_alphabetic() { Vec::new() } else { ends.collect() };
        let named = ends.into_iter().rev().find_map(|end| {
            let (emoji, after) = rest.split_at_checked(end)?;
            Some((NAMES.get(emoji)?, after))
        });
        if let Some((name, after)) = named {
            sent.push_str(name);
            rest = after;
        } else {
            sent.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
    sent
}

/// What a shortcode stands for of which the first colon is read, and what follows it.
fn shortcode(text: &str) -> Option<(String, &str)> {
    let name_ends = |c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || "_+-".contains(c));
    let (name, after) = text.split_at_checked(text.find(name_ends)?)?;
    let after = after.strip_prefix(':')?;
    let emoji = Emoji::named(name)?;
    let toned = Tones::read(after).and_then(|(tones, after)| Some((emoji.with(tones)?, after)));
    Some(toned.unwrap_or_else(|| (emoji.characters.to_owned(), after)))
}

fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.lines().filter_map(|line| line.split_once(' '))
}

/// What stands behind `name` in the table.
fn find(name: &str) -> Option<&'static str> {
    let (mut from, mut to) = (0, TABLE.len());
    while from < to {
        let middle = from + (to - from) / 2;
        // In bytes, because the middle may be within a character.
        let before = TABLE.as_bytes().get(from..middle)?;
        let start = before.iter().rposition(|b| *b == b'\n').map_or(from, |at| from + at + 1);
        let (line, _) = TABLE.get(start..)?.split_once('\n')?;
        let (found, what) = line.split_once(' ')?;
        match found.cmp(name) {
            std::cmp::Ordering::Equal => return Some(what),
            std::cmp::Ordering::Less => from = start + line.len() + 1,
            std::cmp::Ordering::Greater => to = start,
        }
    }
    None
}

impl Emoji {
    fn named(name: &str) -> Option<Self> {
        let what = find(name)?;
        Self::read(what.strip_prefix('=').map_or(Some(what), find)?)
    }

    /// What stands behind a name; `None` for another name.
    fn read(what: &'static str) -> Option<Self> {
        let mut words = what.split(' ');
        let characters = words.next().filter(|first| !first.starts_with('='))?;
        let people = match (words.next(), words.next()) {
            (Some("1"), None) => People::One,
            (Some("1"), Some(apart)) => People::Two { apart, have_one_form: true },
            (Some("2"), _) => People::Two { apart: characters, have_one_form: false },
            (Some(_) | None, _) => People::None,
        };
        Some(Self { characters, people })
    }

    /// The emoji in these tones, if it takes them.
    fn with(self, Tones(one, other): Tones) -> Option<String> {
        let is_one = one == other;
        match self.people {
            People::One | People::Two { have_one_form: true, .. } if is_one => {
                Some(first_in(self.characters, one))
            }
            People::Two { apart, .. } => {
                let mut toned = first_in(apart, one);
                toned.push(other);
                Some(toned)
            }
            People::None | People::One => None,
        }
    }
}

/// The emoji with its first character in a tone, which also makes a picture of it.
fn first_in(emoji: &str, tone: char) -> String {
    let mut characters = emoji.chars();
    let first = characters.next();
    let rest = characters.as_str();
    let rest = rest.strip_prefix('\u{fe0f}').unwrap_or(rest);
    first.into_iter().chain([tone]).chain(rest.chars()).collect()
}

impl Tones {
    /// From light to dark, as 2 to 6.
    const ALL: [char; 5] = ['\u{1f3fb}', '\u{1f3fc}', '\u{1f3fd}', '\u{1f3fe}', '\u{1f3ff}'];

    fn all() -> impl Iterator<Item = Self> {
        Self::ALL
            .into_iter()
            .flat_map(|one| Self::ALL.into_iter().map(move |other| Self(one, other)))
    }

    /// The tones at the start of `text`, `:skin-tone-3:` or, of two people, `:skin-tone-3-5:`; and what follows.
    fn read(text: &str) -> Option<(Self, &str)> {
        let (one, after) = Self::number(text.strip_prefix(TONE)?)?;
        let (other, after) = match after.strip_prefix('-') {
            Some(after) => Self::number(after)?,
            None => (one, after),
        };
        Some((Self(one, other), after.strip_prefix(':')?))
    }

    fn number(text: &str) -> Option<(char, &str)> {
        let number = text.chars().next()?.to_digit(10)?;
        let tone = Self::ALL.get(usize::try_from(number).ok()?.checked_sub(2)?)?;
        Some((*tone, text.get(1..)?))
    }
}

impl std::fmt::Display for Tones {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let number =
            |tone| Self::ALL.iter().position(|known| *known == tone).unwrap_or_default() + 2;
        write!(f, "{TONE}{}", number(self.0))?;
        if self.0 != self.1 {
            write!(f, "-{}", number(self.1))?;
        }
        f.write_str(":")
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use aws_lc_rs::digest;
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(with_characters(text), expected, "{text:?}");
    }

    #[test]
    fn shortcodes_become_characters() {
        check("hi :wave:!", "hi 👋!");
        check(":wave::skin-tone-3: :+1: :thumbsup::skin-tone-6:", "👋🏼 👍 👍🏿");
        check("hi:wave::tada:", "hi👋🎉");
        check(":flag-de: :de: :keycap_ten: :hash:", "🇩🇪 🇩🇪 🔟 #️⃣");
        check(":v::skin-tone-2:", "✌🏻");
        check(":handshake::skin-tone-4: :handshake::skin-tone-2-6:", "🤝🏽 🫱🏻‍🫲🏿");
        check(":couple::skin-tone-2-3:", "👩🏻‍🤝‍👨🏼");
        check(":man-heart-man::skin-tone-3: :man-heart-man::skin-tone-3-3:", "👨🏼‍❤️‍👨🏼 👨🏼‍❤️‍👨🏼");
        // Its swatch, as Slack shows it.
        check(":zap::skin-tone-3:", "⚡🏼");
        check(":wave::skin-tone-7:", "👋:skin-tone-7:");
        check(":wave::skin-tone-2-3:", "👋:skin-tone-2-3:");
    }

    #[test]
    fn what_is_no_name_stays() {
        for text in [
            "",
            ":",
            "::",
            ":::",
            ":wave",
            "wave:",
            ":Wave:",
            ":wäve:",
            ":partyparrot:",
            ": wave :",
            "10:15:30",
            "a::b",
        ] {
            check(text, text);
        }
        check(":no-such:wave:", ":no-such👋");
        check("::wave::", ":👋:");
    }

    #[test]
    fn the_table_is_sorted_and_every_name_is_found() {
        let names: Vec<_> = lines().map(|(name, _)| name).collect();
        assert!(names.is_sorted_by(|one, other| one < other));
        assert_eq!((names.len(), TABLE.lines().count()), (1972, 1972));
        for name in names {
            let emoji = Emoji::named(name).unwrap();
            let longest = Tones::all().filter_map(|tones| emoji.with(tones));
            let longest =
                longest.chain([emoji.characters.to_owned()]).map(|text| text.chars().count()).max();
            assert!(longest <= Some(LONGEST), "{name}");
            assert!(emoji.characters.chars().count() <= name.len() + 2, "{name}");
        }
        for no in ["", "+", "a\n", "zzzz", "wave ", "wav", "waves"] {
            assert_eq!(find(no), None, "{no:?}");
        }
    }

    /// The digest is what `.ci/slack_shortcodes.cjs` says of the data alone, which lists all tones.
    #[test]
    fn all_names_in_all_tones_are_what_the_data_says() {
        let mut all = String::new();
        for (name, _) in lines() {
            let emoji = Emoji::named(name).unwrap();
            writeln!(all, ":{name}: {}", emoji.characters).unwrap();
            for (one, two) in (2..=6).flat_map(|one| {
                std::iter::once((one, None)).chain((2..=6).map(move |two| (one, Some(two))))
            }) {
                let tones = two
                    .map_or(format!(":skin-tone-{one}:"), |two| format!(":skin-tone-{one}-{two}:"));
                let is_two = matches!(emoji.people, People::Two { .. });
                let (read, _) = Tones::read(&tones).unwrap();
                if let Some(toned) = emoji.with(read).filter(|_| two.is_none() || is_two) {
                    let code = format!(":{name}:{tones}");
                    assert_eq!(with_characters(&code), toned);
                    writeln!(all, "{code} {toned}").unwrap();
                }
            }
        }
        let digest = digest::digest(&digest::SHA256, all.as_bytes());
        let digest = digest.as_ref().iter().fold(String::new(), |mut text, b| {
            write!(text, "{b:02x}").unwrap();
            text
        });
        assert_eq!(digest, "fa2f4899a4241a89e51e75bd7332fb5befbe3c1c05c75da604a03186db813ad7");
    }

    #[test]
    fn characters_become_shortcodes() {
        let check = |text: &str, sent: &str| assert_eq!(with_shortcodes(text), sent, "{text:?}");
        check("hi 👋🏼, 👍🎉 ok 5", "hi :wave::skin-tone-3:, :+1::tada: ok 5");
        check(
            "❤️ 1️⃣ 🤝🏽 🫱🏻‍🫲🏿 👨🏼‍❤️‍👨🏼",
            ":heart: :one: :handshake::skin-tone-4: :handshake::skin-tone-2-6: :man-heart-man::skin-tone-3:",
        );
        check("é ü – “a”", "é ü – “a”");
    }

    proptest! {
        #[test]
        fn what_slack_makes_of_a_text_is_undone(
            text in "([^:]|👋|👋🏼|❤️|🫱🏻‍🫲🏿|🤝🏽|👩🏻‍🤝‍👨🏼|🇩🇪|1️⃣| ){0,20}",
        ) {
            prop_assert_eq!(with_characters(&with_shortcodes(&text)), text);
        }

        #[test]
        fn any_text_keeps_what_is_no_shortcode(text in "(:wave|:skin-tone-3|:skin-tone-2-6|:handshake|:|-|[a-z]|é|\\PC){0,30}") {
            let plain = with_characters(&text);
            prop_assert!(plain.chars().count() <= text.chars().count());
            let outside: String = text.split(':').filter(|part| !part.is_ascii()).collect();
            prop_assert!(outside.chars().all(|c| plain.contains(c)));
        }
    }
}
