//! Runs of words, and where in a text they stand. Knows words as numbers.

use std::ops::Range;

/// What stands before the first sentence, between two and after the last. No word has this number.
pub(super) const BREAK: u32 = 0;

/// The words of sentences, and the places in them in the order of the words that stand there (a suffix array, sorted no deeper than
/// is asked for): all places of a run are next to each other, and so are those at which the same word follows it. That is four bytes
/// a word, where a table of what follows what has a row for every run.
#[derive(Debug, Clone)]
pub(super) struct Runs {
    words: Vec<u32>,
    places: Vec<u32>,
    /// By word: where in `places` those begin that begin with it; and at the end, how many there are.
    firsts: Vec<u32>,
}

impl Runs {
    /// The runs of so many words and breaks at most (`depth`) of `words`, which are sentences with a [`BREAK`] before each and
    /// after the last, in numbers below `count`. `None`: there are more words than can be counted.
    ///
    /// Sorts by the last word of the runs first and by the first last, and keeps in order what was: each time by counting, so that
    /// the time grows with the words alone, however alike they are. Places of the same run stay in the order of the text.
    pub(super) fn of(words: Vec<u32>, count: usize, depth: usize) -> Option<Self> {
        // Nothing follows the last break.
        let total = u32::try_from(words.len()).ok()?.saturating_sub(1);
        let mut places: Vec<u32> = (0..total).collect();
        let mut sorted = places.clone();
        // What is behind the end comes before all words.
        let mut firsts = vec![0_u32; count.checked_add(2)?];
        for distance in (0..depth).rev() {
            let key = |place: u32| {
                let word = words.get(index(place).saturating_add(distance));
                word.map_or(0, |word| index(*word).saturating_add(1))
            };
            firsts.fill(0);
            for place in &places {
                *firsts.get_mut(key(*place).checked_add(1)?)? += 1;
            }
            let mut sum = 0;
            for first in &mut firsts {
                sum += *first;
                *first = sum;
            }
            for place in &places {
                let next = firsts.get_mut(key(*place))?;
                *sorted.get_mut(index(*next))? = *place;
                *next += 1;
            }
            std::mem::swap(&mut places, &mut sorted);
        }
        // Every key has been moved to where the next begins, and a word's is one more than its number.
        firsts.pop();
        Some(Self { words, places, firsts })
    }

    /// The words from `from` until before `to` of the run at a place.
    fn run(&self, place: u32, from: usize, to: usize) -> &[u32] {
        let place = index(place);
        let to = place.saturating_add(to).min(self.words.len());
        self.words.get(place.saturating_add(from).min(to)..to).unwrap_or_default()
    }

    /// Which of the sorted places begin with `run`.
    pub(super) fn find(&self, run: &[u32]) -> Range<usize> {
        let Some((first, rest)) = run.split_first() else { return 0..self.places.len() };
        let bound = |word: usize| self.firsts.get(word).map_or(0, |bound| index(*bound));
        let (from, to) = (bound(index(*first)), bound(index(*first).saturating_add(1)));
        self.within(from..to, |place| self.run(place, 1, run.len()).cmp(rest))
    }

    /// Which of the sorted places in `range`, all of the same run of `length` words, have `word` after it.
    pub(super) fn narrowed(&self, range: Range<usize>, length: usize, word: u32) -> Range<usize> {
        self.within(range, |place| {
            self.run(place, length, length.saturating_add(1)).cmp([word].as_slice())
        })
    }

    fn within(
        &self,
        range: Range<usize>,
        order: impl Fn(u32) -> std::cmp::Ordering,
    ) -> Range<usize> {
        let start = range.start;
        let places = self.places.get(range).unwrap_or_default();
        let from = places.partition_point(|place| order(*place).is_lt());
        let same = places.get(from..).unwrap_or_default();
        let length = same.partition_point(|place| order(*place).is_eq());
        start + from..start + from + length
    }

    /// The word so many words after the beginning of a sorted place.
    pub(super) fn after(&self, sorted: usize, distance: usize) -> Option<u32> {
        let place = index(*self.places.get(sorted)?);
        self.words.get(place.checked_add(distance)?).copied()
    }

    /// The word before a sorted place.
    pub(super) fn before(&self, sorted: usize) -> Option<u32> {
        let place = index(*self.places.get(sorted)?);
        self.words.get(place.checked_sub(1)?).copied()
    }

    /// Whether the run is anywhere.
    pub(super) fn has(&self, run: &[u32]) -> bool {
        !self.find(run).is_empty()
    }

    /// How many sentences there are.
    pub(super) fn sentences(&self) -> usize {
        self.find(&[BREAK]).len()
    }
}

/// A number of 32 bits as one that counts places in memory.
pub(super) fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_run_is_found_where_it_is_and_nowhere_else(
            sentences in prop::collection::vec(prop::collection::vec(1_u32..5, 1..9), 0..12),
            run in prop::collection::vec(0_u32..6, 1..5),
        ) {
            let mut words = vec![BREAK];
            for sentence in &sentences {
                words.extend(sentence);
                words.push(BREAK);
            }
            let runs = Runs::of(words.clone(), 5, 5).unwrap();
            prop_assert_eq!(runs.sentences(), sentences.len());
            let stands = |run: &[u32]| {
                let begins = 0..words.len() - 1;
                begins.filter(|at| words[*at..].starts_with(run)).collect::<Vec<_>>()
            };
            let found = runs.find(&run);
            let mut places: Vec<_> = found.clone().map(|at| index(runs.places[at])).collect();
            places.sort_unstable();
            prop_assert_eq!(&places, &stands(&run));
            for word in 0..5 {
                let longer: Vec<_> = run.iter().copied().chain([word]).collect();
                let narrowed = runs.narrowed(found.clone(), run.len(), word);
                prop_assert_eq!(narrowed.len(), stands(&longer).len());
                for sorted in narrowed {
                    prop_assert_eq!(runs.after(sorted, run.len()), Some(word));
                    let place = index(runs.places[sorted]);
                    prop_assert_eq!(runs.before(sorted), place.checked_sub(1).map(|at| words[at]));
                }
            }
        }
    }
}
