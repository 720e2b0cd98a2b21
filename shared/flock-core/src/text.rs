//! How people write numbers, times and lists. Every door says them alike.

use std::{cmp::Ordering, collections::HashMap, hash::Hash};

use jiff::{Timestamp, tz::TimeZone};

/// A number of things.
pub fn count(number: impl Into<u64>, thing: &str) -> String {
    let number = number.into();
    format!("{number} {thing}{}", if number == 1 || thing == "sheep" { "" } else { "s" })
}

/// How far `word` is from `known`, if somebody may have meant that: no more than a third of its letters is wrong, because more would
/// be another word. Where that is one of three, they are swapped, doubled or left out: with another one, `how` would be `now`.
pub fn slip(word: &str, known: &str) -> Option<usize> {
    // So long is no slip, and to compare takes the one length times the other.
    if 3 * known.len() < word.len() {
        return None;
    }
    let distance = strsim::damerau_levenshtein(known, word);
    let letters = |text: &str| {
        let mut letters: Vec<_> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    let (meant, typed) = (letters(known), letters(word));
    let has_another = meant.len() == typed.len() && meant != typed;
    (3 * distance <= meant.len() && !(meant.len() == 3 && has_another)).then_some(distance)
}

/// The one of `known` that somebody most likely meant by `word`.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.filter_map(|known| Some((slip(word, known)?, known)));
    near.min().map(|(_, known)| known)
}

/// What is said, as a sentence begins.
pub fn capital(said: &str) -> String {
    let (first, rest) = said.split_at(said.chars().next().map_or(0, char::len_utf8));
    format!("{}{rest}", first.to_uppercase())
}

/// The order in which people look for names: what is a number in them counts as one. Never equal where the names are not.
pub fn natural(one: &str, other: &str) -> Ordering {
    let (mut a, mut b) = (one.as_bytes(), other.as_bytes());
    loop {
        (a, b) = match (a, b) {
            ([b'0'..=b'9', ..], [b'0'..=b'9', ..]) => {
                let ((m, a), (n, b)) = (number(a), number(b));
                // Without zeros before it the longer one is the larger.
                match (m.len(), m).cmp(&(n.len(), n)) {
                    Ordering::Equal => (a, b),
                    order => return order,
                }
            }
            ([x, a @ ..], [y, b @ ..]) if x == y => (a, b),
            _ => return a.cmp(b).then_with(|| one.cmp(other)),
        }
    }
}

/// The digits that a text begins with, but for zeros before them, and what is behind them.
fn number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    (&digits[zeros..], rest)
}

/// An instant as people of a zone read it.
pub fn local(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// What somebody wrote, within one line: a line feed in it must not look like the next thing that is said, and nothing in it
/// turns around what stands beside it.
pub fn one_line(text: &str) -> String {
    let moves = |c| matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().fold(String::new(), |mut line, c| {
        if c.is_control() || moves(c) {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
        line
    })
}

/// The text of a post, as [quoted], in a list of posts: with a sign before it where it goes on with a thread.
pub fn quoted_part(text: &str, continues_thread: bool) -> String {
    let sign = if continues_thread { CONTINUES } else { "" };
    sign.to_owned() + &quoted(text)
}

/// What stands before a post that answers the one before it, as in a list.
pub const CONTINUES: &str = "\u{21b3} ";

/// The text of a post, within one line as poems are quoted: a stroke between its lines, two between its stanzas.
pub fn quoted(text: &str) -> String {
    let (mut line, mut is_blank) = (String::new(), false);
    for next in text.split('\n').map(str::trim) {
        if next.is_empty() {
            is_blank = true;
            continue;
        }
        if !line.is_empty() {
            line.push_str(if is_blank { " // " } else { " / " });
        }
        line.push_str(&one_line(next));
        is_blank = false;
    }
    line
}

/// The things, those of one key as one, where the first of them stands: `unite` adds each other to it. What has no key stays by
/// itself.
pub fn united<T, K: Eq + Hash>(
    things: Vec<T>,
    key: impl Fn(&T) -> Option<K>,
    unite: impl Fn(&mut T, T),
) -> Vec<T> {
    let mut united: Vec<T> = Vec::new();
    let mut places = HashMap::new();
    for thing in things {
        let place = key(&thing).map(|key| *places.entry(key).or_insert(united.len()));
        match place.and_then(|place| united.get_mut(place)) {
            Some(first) => unite(first, thing),
            None => united.push(thing),
        }
    }
    united
}

/// The same, where more than `few` have one key: fewer are left as they are.
pub fn united_if_many<T, K: Eq + Hash + Clone>(
    things: Vec<T>,
    few: usize,
    key: impl Fn(&T) -> Option<K>,
    unite: impl Fn(&mut T, T),
) -> Vec<T> {
    let mut counts: HashMap<K, usize> = HashMap::new();
    for key in things.iter().filter_map(&key) {
        *counts.entry(key).or_default() += 1;
    }
    let is_of_many = |key: &K| counts.get(key).is_some_and(|count| few < *count);
    united(things, |thing| key(thing).filter(is_of_many), unite)
}

/// So many things that are wrong in like ways are said one by one: who sees them sees their numbers and names, too.
pub const FEW: usize = 5;

/// So many names are enough to know what is meant.
const SHOWN: usize = 3;

/// Some sheep by name, or other things that have one.
pub fn named<T: ToString>(things: impl IntoIterator<Item = T>) -> String {
    listed(things, SHOWN)
}

/// The same, of things of which so many more are not among them.
pub(crate) fn named_of<T: ToString>(things: impl IntoIterator<Item = T>, more: usize) -> String {
    listed_of(things, SHOWN, more)
}

/// Things by their names: the first so many of them, and how many more there are, unless that is one.
pub fn listed<T: ToString>(things: impl IntoIterator<Item = T>, shown: usize) -> String {
    listed_of(things, shown, 0)
}

fn listed_of<T: ToString>(
    things: impl IntoIterator<Item = T>,
    shown: usize,
    more: usize,
) -> String {
    let names: Vec<_> = things.into_iter().map(|thing| thing.to_string()).collect();
    match (names.len() + more).checked_sub(shown).filter(|more| 1 < *more) {
        Some(more) => {
            format!("{} and {more} more", names.get(..shown).unwrap_or_default().join(", "))
        }
        None => and(&names),
    }
}

/// Several words, as people list them.
pub(crate) fn and(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [word] => word.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(quoted(text), expected, "{text:?}");
    }

    #[test]
    fn a_text_is_quoted_in_one_line() {
        check("one", "one");
        check("one\n  two\r\nthree", "one / two / three");
        check("one\n\n \n\ttwo\n", "one // two");
        check("\n*one*\u{1b}[2J a / b", "*one*\\u{1b}[2J a / b");
        check("", "");
    }

    #[track_caller]
    fn check_natural(names: &str) {
        let mut sorted: Vec<_> = names.split(' ').rev().collect();
        sorted.sort_by(|a, b| natural(a, b));
        assert_eq!(sorted.join(" "), names);
    }

    #[test]
    fn a_number_in_a_name_counts_as_one() {
        check_natural("poem poem-1 poem-2 poem-10 poem-10-a poem-10a poem-11 poems");
        check_natural("1 2 10 a a1b2 a1b10 a2b1 b");
        check_natural("x0 x00 x01 x1 x001a x1b x02");
        check_natural("n99999999999999999999 n100000000000000000000");
    }

    proptest! {
        /// What is sorted or kept in order needs that.
        #[test]
        fn the_order_of_names_is_one(
            names in prop::collection::vec("[a0-2_-]{0,6}", 3),
        ) {
            let [a, b, c] = &*names else { unreachable!() };
            prop_assert_eq!(natural(a, b), natural(b, a).reverse());
            prop_assert_eq!(natural(a, b) == Ordering::Equal, a == b);
            if natural(a, b).is_le() && natural(b, c).is_le() {
                prop_assert!(natural(a, c).is_le());
            }
        }
    }

    #[test]
    fn a_slip_is_near_for_its_length() {
        let check = |word: &str, known: &str, expected| {
            assert_eq!(slip(word, known), expected, "{word} for {known}");
        };
        check("now", "now", Some(0));
        for typo in ["nwo", "noow", "no"] {
            check(typo, "now", Some(1));
        }
        check("how", "now", None);
        check("new", "now", None);
        check("b", "a", None);
        check("ab", "a", None);
        check("say", "stay", Some(1));
        check("shwo", "show", Some(1));
        check("shop", "show", Some(1));
        check("shy", "show", None);
        check("apolo", "apollo", Some(1));
        check("orpheus", "apollo", None);
        check("previw", "preview", Some(1));
        check("", "now", None);
        check("known to nobody", "now", None);
    }
}
