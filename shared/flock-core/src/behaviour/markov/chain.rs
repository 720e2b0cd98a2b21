//! A trained chain, and how a text is drawn from it.

use std::ops::Range;

use super::{
    ChainRules,
    runs::{BREAK, Runs},
    words::{Lesson, Words},
};
use crate::{Corpus, Dice};

/// What follows what in a text.
#[derive(Debug, Clone)]
pub struct Chain {
    order: usize,
    most: usize,
    pub(super) words: Words,
    /// The sentences that texts are drawn from.
    pub(super) learned: Runs,
    /// Those that are not, of which a text repeats no more all the same.
    pub(super) set_aside: Runs,
    /// How a text may begin: which of the sorted places of `learned`.
    starts: Vec<Range<usize>>,
    /// Where a word stands of which each text has one, there; none where no word has to be in it.
    musts: Vec<Range<usize>>,
    /// The numbers of those words, and of those that a text may begin with, in order. Empty: any.
    must: Vec<u32>,
    start: Vec<u32>,
}

/// When a shorter context is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Where a longer one does not go on.
    AsItGoes,
    /// And where it goes on in one way only.
    Freely,
}

impl Chain {
    /// How many words are drawn for one text at most, those of attempts that came to nothing included: what one attempt in some
    /// hundred finds is found, and where there is nothing, 0.1 s is spent at most (5 MB, 2026-11).
    const WORDS: usize = 12_000;

    /// So many of them are left when shorter contexts are asked more often: in a small text the way of a longer one ends where its
    /// source goes on.
    const FREELY: usize = 10_000;

    /// How often a word is drawn in one context before a shorter one is asked: all that follow may be one too many.
    const TRIES: usize = 16;

    /// Trains one: reads the text once and sorts its words, in memory of about 12 bytes a word. `None`: there is no sentence in the text
    /// to learn, or the rules are out of range.
    ///
    /// Its sentences are the lines, divided at their ends. Left out are mentions and links, and sentences in which a quotation mark or
    /// a bracket has no other half.
    pub fn of(text: &Corpus, rules: &ChainRules) -> Option<Self> {
        let chain = Self::trained(text, rules)?;
        (0 < chain.learned.sentences()).then_some(chain)
    }

    /// The same, of which there may be nothing to learn.
    pub(super) fn trained(text: &Corpus, rules: &ChainRules) -> Option<Self> {
        let (order, most) = rules.in_range()?;
        let Lesson { words, learned, set_aside } = Lesson::of(text)?;
        // A run that is one too long has a word more than `most`, a whole sentence that is not the breaks around it.
        let (count, depth) = (words.count(), most + 2);
        let learned = Runs::of(learned, count, depth)?;
        let set_aside = Runs::of(set_aside, count, depth)?;
        let [start, wanted] =
            [&rules.start_words, &rules.must_words].map(|names| sorted(&words.like(names)));
        let starts = if rules.start_words.is_empty() {
            vec![learned.find(&[BREAK])]
        } else {
            start.iter().map(|word| learned.find(&[BREAK, *word])).collect()
        };
        let musts = wanted.iter().map(|word| learned.find(&[*word])).collect();
        let mut chain =
            Self { order, most, words, learned, set_aside, starts, musts, must: wanted, start };
        chain.starts.retain(|places| !places.is_empty());
        // None of them is in the text: then it is in no text.
        if chain.must.is_empty() && !rules.must_words.is_empty() {
            chain.starts.clear();
        }
        Some(chain)
    }

    /// One text, the same from the same dice. `None`: none was found in bounded time that keeps the rules: no run of more than `most`
    /// words of a sentence of the source, words compared as they stand, case and punctuation included; no sentence of it whole; every
    /// quotation mark and bracket with its other half; with a `must_words` word, beginning with a `start_words` word, if there are any;
    /// not longer than 3,700 bytes.
    ///
    /// A word is drawn by the last `order` words, as often as it follows them in the source; by fewer where nothing follows these, or
    /// nothing that does not make a run too long. Where no text comes of it so, they are fewer also where only one word follows.
    pub fn draw(&self, dice: &mut Dice) -> Option<String> {
        let mut left = Self::WORDS;
        // By turns from the beginning and from a word that must be in it, so that neither has to be met by chance alone.
        let mut from_start = self.must.is_empty();
        while 0 < left && !self.starts.is_empty() {
            let way = if left < Self::FREELY { Way::Freely } else { Way::AsItGoes };
            let words =
                if from_start { self.onward(dice) } else { self.around(way, dice, &mut left) };
            let walked = words.and_then(|words| self.walked(words, way, dice, &mut left));
            // A walk that was none has been one word long.
            left = left.saturating_sub(1);
            if let Some(text) = walked.and_then(|words| self.text(&words)) {
                return Some(text);
            }
            from_start = self.must.is_empty() || (!self.start.is_empty() && !from_start);
        }
        None
    }

    /// Whether all its words are the same.
    pub(super) fn is_of_one_word(&self) -> bool {
        self.words.iter().nth(1).is_none()
    }

    /// Whether no sentence has two words.
    pub(super) fn is_of_single_words(&self) -> bool {
        let mut begins = self.learned.find(&[BREAK]);
        begins.all(|place| self.learned.after(place, 2) == Some(BREAK))
    }

    /// The beginning of a text: a break and a word.
    fn onward(&self, dice: &mut Dice) -> Option<Vec<u32>> {
        let place = drawn(&self.starts, dice)?;
        Some(vec![BREAK, self.learned.after(place, 1)?])
    }

    /// A word that must be in a text, and what is before it.
    fn around(&self, way: Way, dice: &mut Dice, left: &mut usize) -> Option<Vec<u32>> {
        let place = drawn(&self.musts, dice)?;
        let mut words = vec![self.learned.after(place, 0)?];
        let mut bytes = 0;
        while words.first() != Some(&BREAK) {
            if let Some(start) = self.begun(&words, dice) {
                words.splice(0..0, [BREAK, start]);
                break;
            }
            let before = self.before(&words, way, dice)?;
            bytes += self.words.get(before).len() + 1;
            *left = left.checked_sub(1).filter(|_| bytes <= Corpus::LINE_BYTES)?;
            words.insert(0, before);
        }
        Some(words)
    }

    /// Goes on until the break.
    fn walked(
        &self,
        mut words: Vec<u32>,
        way: Way,
        dice: &mut Dice,
        left: &mut usize,
    ) -> Option<Vec<u32>> {
        let mut bytes: usize = words.iter().map(|word| self.words.get(*word).len() + 1).sum();
        while bytes <= Corpus::LINE_BYTES + 2 && 0 < *left {
            *left -= 1;
            let after = self.after(&words, way, dice)?;
            words.push(after);
            if after == BREAK {
                return Some(words);
            }
            bytes += self.words.get(after).len() + 1;
        }
        None
    }

    /// A word, or the break, after these, which begin with a break.
    fn after(&self, words: &[u32], way: Way, dice: &mut Dice) -> Option<u32> {
        let last = |length: usize| words.get(words.len().checked_sub(length)?..);
        let run = last(self.most).filter(|run| !run.contains(&BREAK));
        let [mut copied, mut copied_aside] = [0..0, 0..0];
        if let Some(run) = run {
            copied = self.learned.find(run);
            copied_aside = self.set_aside.find(run);
        }
        let is_too_long = |word: u32| {
            let has = |runs: &Runs, range: &Range<usize>| {
                !range.is_empty() && !runs.narrowed(range.clone(), self.most, word).is_empty()
            };
            word != BREAK && (has(&self.learned, &copied) || has(&self.set_aside, &copied_aside))
        };
        for length in (1..=self.order).rev() {
            let Some(context) = last(length) else { continue };
            let places = self.learned.find(context);
            // They are in the order of what follows.
            let ends = [places.start, places.end.saturating_sub(1)];
            let [first, other] = ends.map(|place| self.learned.after(place, length));
            if way == Way::Freely && 1 < length && first == other {
                continue;
            }
            for _ in 0..Self::TRIES {
                let Some(place) = drawn_of(&places, dice) else { break };
                let word = self.learned.after(place, length)?;
                if !is_too_long(word) {
                    return Some(word);
                }
            }
        }
        None
    }

    /// A word, or the break, before these, in which there is no break.
    fn before(&self, words: &[u32], way: Way, dice: &mut Dice) -> Option<u32> {
        for length in (1..=self.order).rev() {
            let Some(context) = words.get(..length) else { continue };
            let places = self.learned.find(context);
            // They are not in the order of what is before, and where so many of them are alike, it may be that all are.
            let mut few = places.clone().take(Self::TRIES).map(|place| self.learned.before(place));
            let first = few.next();
            if way == Way::Freely && 1 < length && few.all(|other| Some(other) == first) {
                continue;
            }
            for _ in 0..Self::TRIES {
                let Some(place) = drawn_of(&places, dice) else { break };
                let word = self.learned.before(place)?;
                if !self.is_too_long(word, words) {
                    return Some(word);
                }
            }
        }
        None
    }

    /// Whether a word before these makes a run too long.
    fn is_too_long(&self, word: u32, words: &[u32]) -> bool {
        let Some(run) = words.get(..self.most).filter(|_| word != BREAK) else { return false };
        let longer: Vec<_> = std::iter::once(word).chain(run.iter().copied()).collect();
        self.learned.has(&longer) || self.set_aside.has(&longer)
    }

    /// One of the words that texts begin with, if a sentence begins with it and the first of these words: by chance alone, few of
    /// the ways back from a word would come to it.
    fn begun(&self, words: &[u32], dice: &mut Dice) -> Option<u32> {
        let start = *self.start.get(dice.below(self.start.len()))?;
        let goes_on = self.learned.has(&[BREAK, start, *words.first()?]);
        (goes_on && !self.is_too_long(start, words)).then_some(start)
    }

    /// The text of words between two breaks, if it keeps the rules that can be seen at the end only.
    fn text(&self, words: &[u32]) -> Option<String> {
        let [BREAK, said @ .., BREAK] = words else { return None };
        let first = said.first()?;
        let has_must = self.must.is_empty() || said.iter().any(|word| is_in(&self.must, *word));
        let has_start = self.start.is_empty() || is_in(&self.start, *first);
        // A longer one has a run that is too long.
        let may_be_whole = said.len() <= self.most;
        let is_whole = may_be_whole && (self.learned.has(words) || self.set_aside.has(words));
        if !has_must || !has_start || is_whole || !self.words.are_balanced(said) {
            return None;
        }
        let said: Vec<_> = said.iter().map(|word| self.words.get(*word)).collect();
        Some(said.join(" ")).filter(|text| text.len() <= Corpus::LINE_BYTES)
    }
}

/// The numbers of all names, in order.
fn sorted(like: &[Vec<u32>]) -> Vec<u32> {
    let mut words = like.concat();
    words.sort_unstable();
    words.dedup();
    words
}

/// A place of those in these ranges, each as likely as another.
fn drawn(ranges: &[Range<usize>], dice: &mut Dice) -> Option<usize> {
    let mut at = dice.below(ranges.iter().map(Range::len).sum());
    for range in ranges {
        if at < range.len() {
            return Some(range.start + at);
        }
        at -= range.len();
    }
    None
}

/// The same, of one range.
fn drawn_of(range: &Range<usize>, dice: &mut Dice) -> Option<usize> {
    (!range.is_empty()).then(|| range.start + dice.below(range.len()))
}

fn is_in(sorted: &[u32], word: u32) -> bool {
    sorted.binary_search(&word).is_ok()
}
