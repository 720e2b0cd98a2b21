//! The words of a text: each once, by number, and its sentences in these numbers.

use std::collections::{BTreeSet, HashMap};

use icu_normalizer::ComposingNormalizerBorrowed;

use super::{
    runs::{BREAK, index},
    sentences::{Traits, is_balanced, is_left_out},
};
use crate::{Corpus, nearest};

/// The words of a text by their numbers, from 1 on.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    text: String,
    /// Where in `text` each ends.
    ends: Vec<u32>,
}

impl Words {
    /// How many numbers there are, with that of the [`BREAK`].
    pub(super) fn count(&self) -> usize {
        self.ends.len().saturating_add(1)
    }

    /// The word with a number; nothing for the [`BREAK`].
    pub(super) fn get(&self, number: u32) -> &str {
        let last = index(number).checked_sub(1);
        let from = last.and_then(|last| last.checked_sub(1)).and_then(|at| self.ends.get(at));
        let to = last.and_then(|last| self.ends.get(last));
        let from = from.map_or(0, |from| index(*from));
        to.and_then(|to| self.text.get(from..index(*to))).unwrap_or_default()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &str)> {
        (1..).zip(&self.ends).map(|(number, _)| (number, self.get(number)))
    }

    fn add(&mut self, word: &str) -> Option<u32> {
        self.text.push_str(word);
        self.ends.push(u32::try_from(self.text.len()).ok()?);
        u32::try_from(self.ends.len()).ok()
    }

    /// Whether what stands in pairs does, in these words.
    pub(super) fn are_balanced(&self, numbers: &[u32]) -> bool {
        is_balanced(numbers.iter().map(|number| self.get(*number)))
    }

    /// For each of the names, the numbers of the words that it stands for, in order.
    pub(super) fn like(&self, names: &[String]) -> Vec<Vec<u32>> {
        let mut like = vec![Vec::new(); names.len()];
        let mut indices: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, name) in names.iter().enumerate() {
            indices.entry(folded(name)).or_default().push(at);
        }
        if names.is_empty() {
            return like;
        }
        for (number, word) in self.iter() {
            for at in indices.get(&folded(word)).into_iter().flatten() {
                if let Some(words) = like.get_mut(*at) {
                    words.push(number);
                }
            }
        }
        like
    }

    /// The word that somebody most likely meant by a name that stands for none.
    pub(super) fn nearest(&self, name: &str) -> Option<String> {
        let name = folded(name);
        // To compare two takes the time that to fold one does, and more.
        let is_near = |word: &str| word.len() <= 2 * name.len() && name.len() <= 2 * word.len();
        let words: BTreeSet<_> =
            self.iter().filter(|(_, word)| is_near(word)).map(|(_, word)| folded(word)).collect();
        nearest(&name, words.iter().map(String::as_str)).map(str::to_owned)
    }
}

/// What is there to learn from a text.
#[derive(Debug)]
pub(super) struct Lesson {
    pub(super) words: Words,
    /// Its sentences, with a [`BREAK`] before each and after the last.
    pub(super) learned: Vec<u32>,
    /// Those in which a mark has no other half, likewise.
    pub(super) set_aside: Vec<u32>,
}

impl Lesson {
    /// `None`: there are more words than can be counted.
    pub(super) fn of(text: &Corpus) -> Option<Self> {
        let lesson = Self { words: Words::default(), learned: vec![BREAK], set_aside: vec![BREAK] };
        let mut reading =
            Reading { lesson, numbers: HashMap::new(), traits: Vec::new(), sentence: Vec::new() };
        for (_, line) in text.lines() {
            reading.read(line)?;
        }
        let mut lesson = reading.lesson;
        // Chains are kept while texts are drawn.
        lesson.words.text.shrink_to_fit();
        lesson.words.ends.shrink_to_fit();
        lesson.learned.shrink_to_fit();
        lesson.set_aside.shrink_to_fit();
        Some(lesson)
    }
}

/// A text as far as it is read.
struct Reading<'a> {
    lesson: Lesson,
    /// The number of each word that was met; that of a [`BREAK`] is left out.
    numbers: HashMap<&'a str, u32>,
    /// By number less one.
    traits: Vec<Traits>,
    /// The sentence that has not ended yet.
    sentence: Vec<u32>,
}

impl<'a> Reading<'a> {
    fn read(&mut self, line: &'a str) -> Option<()> {
        let (mut ends, mut has_marks) = (false, false);
        for word in line.split_whitespace() {
            let number = self.number(word)?;
            let traits = index(number).checked_sub(1).and_then(|at| self.traits.get(at).copied());
            // What is left out has none.
            let Some(traits) = traits else { continue };
            if ends && traits.begins {
                self.close(std::mem::take(&mut has_marks));
            }
            self.sentence.push(number);
            ends = traits.ends;
            has_marks |= traits.has_marks;
        }
        self.close(has_marks);
        Some(())
    }

    fn number(&mut self, word: &'a str) -> Option<u32> {
        if let Some(number) = self.numbers.get(word) {
            return Some(*number);
        }
        let mut number = BREAK;
        if !is_left_out(word) {
            number = self.lesson.words.add(word)?;
            self.traits.push(Traits::of(word));
        }
        self.numbers.insert(word, number);
        Some(number)
    }

    /// Puts the sentence to its like.
    fn close(&mut self, has_marks: bool) {
        let is_aside = has_marks && !self.lesson.words.are_balanced(&self.sentence);
        let sentences =
            if is_aside { &mut self.lesson.set_aside } else { &mut self.lesson.learned };
        if !self.sentence.is_empty() {
            sentences.append(&mut self.sentence);
            sentences.push(BREAK);
        }
    }
}

/// A word as it is compared with those that people name in rules: whatever its case, its punctuation and how its accents are written.
pub(super) fn folded(word: &str) -> String {
    let word = ComposingNormalizerBorrowed::new_nfc().normalize(word);
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '#');
    if bare.is_empty() { word.to_lowercase() } else { bare.to_lowercase() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let lesson = Lesson::of(&Corpus::parse(text.as_bytes()).unwrap()).unwrap();
        let show = |sentences: &[u32]| {
            let sentences = sentences.split(|number| *number == BREAK);
            let said = sentences.filter(|sentence| !sentence.is_empty()).map(|sentence| {
                let words: Vec<_> =
                    sentence.iter().map(|number| lesson.words.get(*number)).collect();
                words.join(" ")
            });
            said.collect::<Vec<_>>().join("\n")
        };
        format!("{}\n-\n{}", show(&lesson.learned), show(&lesson.set_aside))
    }

    #[test]
    fn sentences_are_lines_divided_at_their_ends() {
        let text = "The  moon rose. It set\nover Dr. Moon!  \"It did.\" It (did.\nSo\u{a0}did @rose https://a.example. It is.";
        insta::assert_snapshot!(shown(text), @r#"
        The moon rose.
        It set
        over Dr. Moon!
        "It did."
        So did It is.
        -
        It (did.
        "#);
        assert_eq!(shown("@moon a@rose.example\nhttps://moon.example"), "\n-\n");
    }

    #[test]
    fn a_name_stands_for_every_form_of_a_word() {
        let text = Corpus::parse("Moon, moon moons \"Cafe\u{301}!\" #moon -- C# 🐑".as_bytes());
        let words = Lesson::of(&text.unwrap()).unwrap().words;
        let like = |name: &str| {
            let numbers = words.like(&[name.to_owned()]).concat();
            numbers.iter().map(|number| words.get(*number)).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(like("MOON"), "Moon, moon");
        assert_eq!(like("café"), "\"Cafe\u{301}!\"");
        assert_eq!(like("#Moon"), "#moon");
        assert_eq!(like("c#"), "C#");
        assert_eq!(like("--"), "--");
        assert_eq!(like("🐑"), "🐑");
        assert_eq!(like("rose"), "");
        assert_eq!(words.nearest("mooon").as_deref(), Some("moon"));
        assert_eq!(words.nearest("rose"), None);
    }
}
