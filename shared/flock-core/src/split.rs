//! Texts that are longer than their network takes, divided into the parts of a thread.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation as _;

use crate::{Corpus, CorpusProblem, Item, Mark, Network, foreign::says_nothing};

/// Parts of up to so many are made as even as they can be; whoever reads more of them does not see it.
const EVEN: usize = 100;

/// What a network takes from an account.
#[derive(Debug, Clone, Copy)]
struct Limit {
    network: Network,
    length: usize,
}

/// What is not divided where that can be helped: a sentence, a word of a long one, or what fits of a long word. Where it begins
/// and ends in the text.
type Atom = (usize, usize);

impl Corpus {
    /// The corpus, where every line that is longer than `network` takes from an account whose limit is `length` is as many lines as
    /// it needs, each of which follows the one before and says at its end which part it is. As far as there is one, and what is
    /// wrong with it; a line that holds a word which cannot be cut, as links cannot, stays as it is.
    pub fn split(&self, network: Network, length: usize) -> (Option<Self>, Vec<CorpusProblem>) {
        let limit = Limit { network, length };
        let items: Vec<_> = (0..)
            .zip(self.lines())
            .flat_map(|(index, (number, text))| {
                let mark = self.marks().of(crate::Cursor::at(index));
                let part = move |(nth, text)| {
                    let follows = mark.follows || 0 < nth;
                    let mark = if nth == 0 { mark } else { Mark { at: None, follows, ..mark } };
                    Item { number, text, mark }
                };
                let parts = if limit.fits(text) { None } else { limit.parts(text) };
                let parts = parts.map_or_else(
                    || vec![Cow::Borrowed(text)],
                    |parts| parts.into_iter().map(Cow::Owned).collect(),
                );
                parts.into_iter().enumerate().map(part)
            })
            .collect();
        Self::of(items.iter().cloned())
    }

    /// Whether a line is longer than `network` takes from an account whose limit is `length`, so that there is something to
    /// [split](Self::split).
    pub fn has_longer(&self, network: Network, length: usize) -> bool {
        let limit = Limit { network, length };
        self.lines().any(|(_, text)| !limit.fits(text))
    }
}

impl Limit {
    fn fits(self, text: &str) -> bool {
        self.is_within(text, self.length)
    }

    fn is_within(self, text: &str, length: usize) -> bool {
        Corpus::holds(text) && (self.network.facts().measure)(text).length <= length
    }

    /// The parts of a text, in order. `None`: a word is too long and cannot be cut.
    fn parts(self, text: &str) -> Option<Vec<String>> {
        // The numbers take more room where there are more parts.
        (1..=7).find_map(|digits| {
            let most = 10_usize.pow(digits) - 1;
            let room = Room { limit: self, mark: format!(" ({most}/{most})") };
            let atoms = room.atoms(text)?;
            let parts = room.evenly(text, &atoms);
            let count = parts.len();
            let numbered = (1..).zip(parts).map(|(nth, part)| format!("{part} ({nth}/{count})"));
            (count <= most).then(|| numbered.collect())
        })
    }
}

/// What a part has room for, beside the mark that says which it is.
#[derive(Debug)]
struct Room {
    limit: Limit,
    /// The longest there may be.
    mark: String,
}

impl Room {
    /// Whether there is room for `part` where a part may be so long.
    fn takes(&self, part: &str, length: usize) -> bool {
        self.limit.is_within(&format!("{part}{}", self.mark), length)
    }

    fn has(&self, part: &str) -> bool {
        self.takes(part.trim(), self.limit.length)
    }

    /// What the text is made of, in order. `None`: some of it is too long and cannot be cut.
    fn atoms(&self, text: &str) -> Option<Vec<Atom>> {
        let mut atoms = Vec::new();
        for (start, sentence) in text.split_sentence_bound_indices() {
            if self.has(sentence) {
                atoms.push((start, start + sentence.len()));
                continue;
            }
            let mut start = start;
            for word in sentence.split_inclusive(char::is_whitespace) {
                if self.has(word) {
                    atoms.push((start, start + word.len()));
                } else {
                    self.cut(word, start, &mut atoms)?;
                }
                start += word.len();
            }
        }
        Some(atoms)
    }

    /// Cuts a word that begins at `start` into as much at a time as there is room for.
    fn cut(&self, word: &str, start: usize, atoms: &mut Vec<Atom>) -> Option<()> {
        if is_link(word) {
            return None;
        }
        let mut rest = word;
        let mut start = start;
        while !rest.is_empty() {
            // More than a line holds is in no part.
            let ends = rest.grapheme_indices(true).map(|(at, cluster)| at + cluster.len());
            let ends: Vec<_> = ends.take_while(|end| *end <= Corpus::LINE_BYTES).collect();
            let fit = |end: &usize| rest.get(..*end).is_some_and(|part| self.has(part));
            let end = ends.partition_point(fit).checked_sub(1).and_then(|last| ends.get(last))?;
            atoms.push((start, start + end));
            start += end;
            rest = rest.get(*end..)?;
        }
        Some(())
    }

    /// As few parts as there can be, of about the same length.
    fn evenly<'a>(&self, text: &'a str, atoms: &[Atom]) -> Vec<&'a str> {
        let mut parts = self.packed(text, atoms, self.limit.length);
        if EVEN < parts.len() {
            return parts;
        }
        let (mut low, mut high) = (0, self.limit.length);
        while low < high {
            let middle = usize::midpoint(low, high);
            let tried = self.packed(text, atoms, middle);
            if tried.len() <= parts.len() {
                parts = tried;
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        parts
    }

    /// The text in parts that hold as many atoms as go into `length`, and one at least. What nobody would see is none.
    fn packed<'a>(&self, text: &'a str, atoms: &[Atom], length: usize) -> Vec<&'a str> {
        let mut parts = Vec::new();
        let mut left = atoms;
        while let Some((start, _)) = left.first() {
            let part = |atom: &Atom| text.get(*start..atom.1).unwrap_or_default().trim();
            // So far that more atoms have no room.
            let mut most = 1;
            while left.get(most - 1).is_some_and(|atom| self.takes(part(atom), length)) {
                most *= 2;
            }
            let near = left.get(..most.min(left.len())).unwrap_or(left);
            let fit = near.partition_point(|atom| self.takes(part(atom), length)).max(1);
            let part = left.get(fit - 1).map(part).unwrap_or_default();
            parts.extend(Some(part).filter(|part| !says_nothing(part)));
            left = left.get(fit..).unwrap_or_default();
        }
        parts
    }
}

/// Whether a word is a link, or a part of X would make one of it: cut, it would lead elsewhere.
fn is_link(word: &str) -> bool {
    word.contains("://") || 0 < (Network::X.facts().measure)(word).links
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Cursor;

    fn parts(text: &str, network: Network, length: usize) -> Option<Vec<String>> {
        Limit { network, length }.parts(text)
    }

    #[track_caller]
    fn check(text: &str, length: usize, expected: &str) {
        let parts = parts(text, Network::Meadow, length);
        let parts = parts.map_or_else(|| "not cut".to_owned(), |parts| parts.join(" | "));
        assert_eq!(parts, expected);
    }

    #[test]
    fn a_text_is_cut_at_sentences_then_at_words_then_at_characters() {
        check(
            "The moon rose. It was late. Nobody saw. The sea did.",
            40,
            "The moon rose. It was late. (1/2) | Nobody saw. The sea did. (2/2)",
        );
        // As even as whole sentences are.
        check(
            "One. Two. Three. Four. Five. Six.",
            30,
            "One. Two. Three. (1/2) | Four. Five. Six. (2/2)",
        );
        // Lines of verse are as good as sentences.
        check(
            "the moon came\nover the sea\nand nobody\nsaw it come",
            34,
            "the moon came\nover the sea (1/2) | and nobody\nsaw it come (2/2)",
        );
        check(
            "a sentence that is too long for one part of it",
            30,
            "a sentence that is too (1/2) | long for one part of it (2/2)",
        );
        check(
            "abcdefghijklmnopqrstuvwxyz",
            16,
            "abcdefghij (1/3) | klmnopqrst (2/3) | uvwxyz (3/3)",
        );
        // What is seen as one sign stays one.
        check(
            "👩\u{200d}🚀👩\u{200d}🚀👩\u{200d}🚀👩\u{200d}🚀",
            12,
            "👩\u{200d}🚀👩\u{200d}🚀 (1/2) | 👩\u{200d}🚀👩\u{200d}🚀 (2/2)",
        );
        check("see https://example.com/a/long/link now", 30, "not cut");
        check(
            "see https://example.com/a now, or later on",
            32,
            "see https://example.com/a (1/2) | now, or later on (2/2)",
        );
        check("words are too long", 6, "not cut");
        // With more parts their numbers take more room.
        let many = "aaaa ".repeat(20);
        let told = parts(&many, Network::Meadow, 13).unwrap();
        assert_eq!((told.len(), told[0].as_str()), (20, "aaaa (1/20)"));
    }

    #[test]
    fn what_is_long_becomes_lines_that_follow() {
        let text = Corpus::parse(b"short\n\nOne is long. Two is long.\nlast").unwrap();
        let shown = |text: &Corpus| {
            let marks = (0..).map(|index| text.marks().of(Cursor::at(index)).follows);
            let line = |((number, line), follows): ((usize, &str), bool)| {
                format!("{number}{} {line}", if follows { "&" } else { "" })
            };
            text.lines().zip(marks).map(line).collect::<Vec<_>>().join("\n")
        };
        let (split, problems) = text.split(Network::Meadow, 20);
        assert_eq!(problems, []);
        insta::assert_snapshot!(shown(&split.unwrap()), @"
        1 short
        3 One is long. (1/2)
        3& Two is long. (2/2)
        4 last
        ");
        assert!(text.has_longer(Network::Meadow, 20) && !text.has_longer(Network::Meadow, 25));
        // What is split for none is the same.
        assert_eq!(text.split(Network::Meadow, 25).0, Some(text));
    }

    proptest! {
        #[test]
        fn parts_are_the_text_and_fit(
            text in "([a-zA-Zäé猫👍。.?! ]{0,12}[ \n]|https://a\\.example/[a-z]{1,9} |[a-z]{30,90}|\\PC{0,9}){1,40}",
            length in 20_usize..120,
            network in prop::sample::select(Network::ALL.to_vec()),
        ) {
            let text = text.trim();
            prop_assume!(!says_nothing(text));
            let limit = Limit { network, length };
            prop_assume!(!limit.fits(text));
            let Some(parts) = limit.parts(text) else { return Ok(()) };
            let count = parts.len();
            let mut said = String::new();
            for (nth, part) in (1..).zip(&parts) {
                prop_assert!(network.check_text(part, length).is_ok(), "{:?}", part);
                let own = part.strip_suffix(&format!(" ({nth}/{count})"));
                prop_assert!(own.is_some_and(|own| !says_nothing(own)), "{:?}", part);
                said += own.unwrap_or_default();
            }
            let seen = |text: &str| -> String {
                let is_seen = |c: &char| !c.is_whitespace() && !crate::foreign::is_invisible(*c);
                text.chars().filter(is_seen).collect()
            };
            prop_assert_eq!(seen(&said), seen(text));
        }
    }
}
