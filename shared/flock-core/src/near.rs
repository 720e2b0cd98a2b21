//! Texts that are nearly the same as one that was posted lately.
//!
//! A text has a *likeness*: 64 bits of which each says whether more of its words have it set than not (Charikar, "Similarity
//! estimation techniques from rounding algorithms", STOC 2002; known as `SimHash`). Of two texts that share most words, few bits
//! differ; of two that share none, about half.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Behaviour, Cursor, Occurrence, SheepId, ids::number_of};

/// How alike texts may be that a flock posts on one network. By default 200 and 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NearDuplicates {
    /// With so many of the last posts a text is compared: 1 to [`NearDuplicates::MOST_LAST`].
    pub last: u16,
    /// Texts are too much alike of whose 64 bits no more than these differ: 0 to [`NearDuplicates::MOST_DISTANCE`].
    pub distance: u8,
}

/// What a text is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Likeness(u64);

/// A text that was posted, or is about to be: what it is like, and which post it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Told {
    /// What it is like.
    pub likeness: Likeness,
    /// Tells its post from others; which it is cannot be read from it.
    pub post: u32,
}

impl Default for NearDuplicates {
    fn default() -> Self {
        Self { last: 200, distance: 6 }
    }
}

impl NearDuplicates {
    /// What is kept for so many is read in two units.
    pub const MOST_LAST: u16 = 500;

    /// With more, texts that have nothing in common are alike by chance: of two such, 20 bits or fewer differ once in 500 times.
    pub const MOST_DISTANCE: u8 = 20;

    /// Whether two texts are too much alike.
    pub fn are_alike(self, one: Likeness, other: Likeness) -> bool {
        one.distance(other) <= u32::from(self.distance)
    }

    /// Whether what `behaviour` says at `cursor` is compared with what was said. A line of a poem is not, because its refrains are
    /// meant, and so are the posts of a pool, which return.
    pub fn asks(behaviour: &Behaviour, cursor: Cursor) -> bool {
        !behaviour.repeats(cursor)
    }
}

impl Likeness {
    /// What `text` is like, by its words, whatever their case, their order and how often each is there. `None`: it has none.
    pub fn of(text: &str) -> Option<Self> {
        let text = text.to_lowercase();
        let words: BTreeSet<_> =
            text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let mut votes = [0_i64; 64];
        for word in &words {
            let bits = number_of(word);
            for (bit, vote) in votes.iter_mut().enumerate() {
                *vote += if bits >> bit & 1 == 1 { 1 } else { -1 };
            }
        }
        let set = votes.iter().enumerate().filter(|(_, vote)| 0 < **vote);
        let likeness = set.fold(0, |likeness, (bit, _)| likeness | 1 << bit);
        (!words.is_empty()).then_some(Self(likeness))
    }

    /// How many bits differ.
    pub fn distance(self, other: Self) -> u32 {
        (self.0 ^ other.0).count_ones()
    }
}

impl Told {
    /// The text of the post of `sheep` with this number. `None`: it has no words.
    pub fn of(text: &str, sheep: &SheepId, occurrence: Occurrence) -> Option<Self> {
        let post = u32::try_from(sheep.number("told", occurrence) >> 32).unwrap_or(0);
        Likeness::of(text).map(|likeness| Self { likeness, post })
    }

    /// Both in one number, as they are stored.
    pub fn number(self) -> u128 {
        u128::from(self.likeness.0) << 32 | u128::from(self.post)
    }

    /// As it was stored. `None`: that is no such number.
    pub fn from_number(number: u128) -> Option<Self> {
        let likeness = Likeness(u64::try_from(number >> 32).ok()?);
        let post = u32::try_from(number & u128::from(u32::MAX)).ok()?;
        Some(Self { likeness, post })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Again, BehaviourKind, Corpus};

    fn distance(one: &str, other: &str) -> u32 {
        Likeness::of(one).unwrap().distance(Likeness::of(other).unwrap())
    }

    #[test]
    fn what_shares_most_words_is_near() {
        let text =
            "The night ferry left with the tide at half past nine, and nobody on the quay waved";
        for same in [text.to_uppercase(), text.replace(',', " -"), format!("{text}!")] {
            assert_eq!(distance(text, &same), 0, "{same}");
        }
        // One word of 17, and two.
        let near = text.replace("nine", "ten");
        assert_eq!((distance(text, &near), distance(text, &near.replace("tide", "crew"))), (8, 9));
        let far = "We counted every crate twice, then the gulls counted them after us until noon";
        assert!(20 < distance(text, far), "{}", distance(text, far));
        assert_eq!(Likeness::of(" ... 🐑 "), None);
    }

    #[test]
    fn what_returns_by_itself_is_meant() {
        let text = Corpus::parse(b"one").unwrap();
        let again = Again::parse(Some("30d"), None).unwrap();
        let asks = |behaviour: Behaviour| NearDuplicates::asks(&behaviour, Cursor::default());
        let queue = BehaviourKind::Queue.with_text(&text);
        assert!(asks(queue.clone()) && !asks(queue.returning(again)));
        assert!(!asks(BehaviourKind::Poem.with_text(&text)));
    }

    #[test]
    fn a_likeness_never_changes() {
        let told = Told::of("The moon is a lamp", &"a/b".parse().unwrap(), Occurrence(7)).unwrap();
        insta::assert_snapshot!(told.number(), @"67573690142961737044687470130");
    }

    proptest! {
        #[test]
        fn any_text_is_like_itself(text in "\\PC{0,80}", number in any::<u64>()) {
            let sheep = "a/b".parse().unwrap();
            let told = Told::of(&text, &sheep, Occurrence(number));
            prop_assert_eq!(told.is_some(), text.chars().any(char::is_alphanumeric));
            if let Some(told) = told {
                prop_assert_eq!(Told::from_number(told.number()), Some(told));
                prop_assert_eq!(told.likeness.distance(told.likeness), 0);
                let words: Vec<_> = text.split_whitespace().rev().collect();
                let again = Likeness::of(&words.join(" ")).unwrap();
                prop_assert_eq!(told.likeness.distance(again), 0);
            }
        }
    }
}
