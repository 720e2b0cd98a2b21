//! Texts of several behaviours, in turns: three of a poem to one of a grammar.
//!
//! They are drawn in batches like those of a grammar. In which turn which part is said follows a deck of cards, one for each
//! weight, that is shuffled anew for each round: so every round has exactly what the weights say, and no part stays away for
//! long. A poem goes on at its next line whenever its turn comes.

use serde::{Deserialize, Serialize};

use super::{BehaviourKind, Chain, ChainRules, Cursor, Dice, Drawn, Grammar, Well};
use crate::{Corpus, CorpusId, CorpusProblem, count};

/// Texts of several behaviours, in turns.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mix {
    /// What they are drawn from, and for whom: the texts of all parts, one behind the other.
    #[serde(flatten)]
    pub drawn: Drawn,
    /// What is mixed.
    pub parts: Vec<MixPart>,
}

/// One of the behaviours that are mixed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MixPart {
    /// What it says.
    pub says: Mixed,
    /// How many lines of the text are its own: those behind the lines of the parts before.
    pub lines: u32,
    /// How many turns it has of each round: 1 to [`MixPart::MOST_WEIGHT`].
    pub weight: u32,
}

/// What a part of a mix says.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mixed {
    /// Its lines in order, and again from the first.
    Poem,
    /// Texts that its rules make.
    Grammar,
    /// Texts of the words of its lines.
    Markov(ChainRules),
}

/// That no file is a mix.
pub(super) fn no_file() -> CorpusProblem {
    let why = "a mix has no file of its own; each of its parts has one".to_owned();
    CorpusProblem::Form { line: None, why }
}

impl MixPart {
    /// The most turns that a part has of a round.
    pub const MOST_WEIGHT: u32 = 100;
}

impl Mixed {
    /// What a behaviour of this kind says in a mix. `None`: it cannot be a part of one.
    pub fn of(kind: BehaviourKind, rules: ChainRules) -> Option<Self> {
        match kind {
            BehaviourKind::Poem => Some(Self::Poem),
            BehaviourKind::Grammar => Some(Self::Grammar),
            BehaviourKind::Markov => Some(Self::Markov(rules)),
            BehaviourKind::Queue | BehaviourKind::Mix => None,
        }
    }

    fn kind(&self) -> BehaviourKind {
        match self {
            Self::Poem => BehaviourKind::Poem,
            Self::Grammar => BehaviourKind::Grammar,
            Self::Markov(_) => BehaviourKind::Markov,
        }
    }
}

impl Mix {
    /// The most parts: with more, a sheep would be stored in more than one unit.
    pub const MOST_PARTS: usize = 6;

    pub(super) fn of(text: &Corpus) -> Self {
        Self { drawn: Drawn::of(text), parts: Vec::new() }
    }

    /// By what it is told apart from all that draw from the same text.
    pub(super) fn how(&self) -> String {
        format!("mix {:?}", self.parts)
    }

    pub(super) fn describe(&self) -> String {
        let parts = self
            .parts
            .iter()
            .map(|part| format!("{} ({})", part.says.kind().a_name(), count(part.weight, "turn")));
        format!("mix of {}", parts.collect::<Vec<_>>().join(", "))
    }

    /// What the texts of its parts are drawn from.
    pub(super) fn well(&self, text: &Corpus) -> Option<Well> {
        let (mut wells, mut from) = (Vec::new(), 0);
        for part in &self.parts {
            let own = text.part(from, part.lines)?;
            from = from.saturating_add(part.lines);
            wells.push(match &part.says {
                Mixed::Poem => Well::Lines(own.lines().map(|(_, line)| line.to_owned()).collect()),
                Mixed::Grammar => Well::Grammar(Grammar::of(&own)?),
                Mixed::Markov(rules) => Well::Chain(Chain::of(&own, rules)?),
            });
        }
        Some(Well::Mix(wells))
    }

    /// As [`Drawn::draw`].
    pub(super) fn draw(&self, well: &Well, cursor: Cursor, batches: u32) -> Option<Corpus> {
        let Well::Mix(wells) = well else { return None };
        self.drawn.draw_by(&self.how(), cursor, batches, |batch| self.batch(wells, batch))
    }

    fn batch(&self, wells: &[Well], batch: u32) -> Option<Vec<String>> {
        let from = batch.saturating_mul(Drawn::BATCH);
        let (before, turns) = self.turns(from)?;
        let size = usize::try_from(Drawn::BATCH).unwrap_or(usize::MAX);
        let turns: Vec<_> = turns.take(size).collect();
        let mut said = Vec::new();
        for (nth, (well, before)) in wells.iter().zip(before).enumerate() {
            let wanted = turns.iter().filter(|part| **part == nth).count();
            let texts = match well {
                Well::Lines(lines) => lines
                    .iter()
                    .cycle()
                    .skip(before % lines.len().max(1))
                    .take(wanted)
                    .cloned()
                    .collect(),
                _ if wanted == 0 => Vec::new(),
                well => {
                    let id = self.id(&format!("part {nth}"));
                    self.drawn.batch_or_first(&id, well, batch, wanted)?
                }
            };
            said.push(texts.into_iter());
        }
        turns.into_iter().map(|part| said.get_mut(part)?.next()).collect()
    }

    /// Whether the text at `cursor` is a line of a poem.
    pub fn says_a_line(&self, cursor: Cursor) -> bool {
        let turn = self.turns(cursor.index()).and_then(|(_, mut turns)| turns.next());
        let part = turn.and_then(|part| self.parts.get(part));
        part.is_some_and(|part| part.says == Mixed::Poem)
    }

    /// How often each part had its turn before the one with the number `from`, and whose the turns from there on are, without end.
    fn turns(&self, from: u32) -> Option<(Vec<usize>, impl Iterator<Item = usize>)> {
        let cards: Vec<usize> = self
            .parts
            .iter()
            .enumerate()
            .flat_map(|(nth, part)| (0..part.weight.min(MixPart::MOST_WEIGHT)).map(move |_| nth))
            .collect();
        let size = u32::try_from(cards.len()).ok().filter(|size| 0 < *size)?;
        let id = self.id("deck");
        let mut shuffled = (from / size..).flat_map(move |round| {
            let (mut deck, mut dice) = (cards.clone(), Dice::new(id.number(round)));
            for card in (1..deck.len()).rev() {
                deck.swap(card, dice.below(card.saturating_add(1)));
            }
            deck
        });
        let rounds = usize::try_from(from / size).unwrap_or(usize::MAX);
        let weight =
            |part: &MixPart| usize::try_from(part.weight.min(MixPart::MOST_WEIGHT)).unwrap_or(1);
        let mut before: Vec<_> =
            self.parts.iter().map(|part| weight(part).saturating_mul(rounds)).collect();
        for part in shuffled.by_ref().take(usize::try_from(from % size).unwrap_or(0)) {
            if let Some(before) = before.get_mut(part) {
                *before = before.saturating_add(1);
            }
        }
        Some((before, shuffled))
    }

    /// What numbers for `what` are drawn by.
    fn id(&self, what: &str) -> CorpusId {
        self.drawn.id(&format!("{} {what}", self.how()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::{super::*, *};
    use crate::Network;

    fn read(kind: BehaviourKind, file: &str) -> Corpus {
        let (text, problems) = kind.read(&Source::plain("a", file.as_bytes(), &TimeZone::UTC));
        assert_eq!(problems, []);
        text.unwrap()
    }

    /// The mix of these files with their weights, for the sheep `a/b`.
    fn mix(parts: &[(BehaviourKind, &str, u32)]) -> (Behaviour, Corpus) {
        let texts: Vec<_> = parts.iter().map(|(kind, file, _)| read(*kind, file)).collect();
        let text = Corpus::joined(texts.iter()).unwrap();
        let mixed = parts.iter().zip(&texts).map(|((kind, _, weight), text)| MixPart {
            says: Mixed::of(*kind, ChainRules::default()).unwrap(),
            lines: text.len(),
            weight: *weight,
        });
        let behaviour = BehaviourKind::Mix.with_text(&text).mixed(mixed.collect());
        (behaviour.drawn_for(&"a/b".parse().unwrap(), Network::Meadow), text)
    }

    fn texts(behaviour: &Behaviour, text: &Corpus, batches: u32) -> Vec<String> {
        let well = behaviour.well(text).unwrap();
        let drawn = behaviour.draw(&well, Cursor::default(), batches).unwrap();
        drawn.lines().map(|(_, line)| line.to_owned()).collect()
    }

    const POEM: &str = "one\ntwo\nthree\nfour\nfive";

    const MOODS: &str =
        r#"{"origin": ["mood #a##a##a#"], "a": ["1", "2", "3", "4", "5", "6", "7", "8", "9"]}"#;

    #[test]
    fn a_mix_is_a_schema() {
        let (behaviour, _) =
            mix(&[(BehaviourKind::Poem, POEM, 3), (BehaviourKind::Grammar, MOODS, 1)]);
        let stored = serde_json::to_value(&behaviour).unwrap();
        assert_eq!(serde_json::from_value::<Behaviour>(stored.clone()).unwrap(), behaviour);
        insta::assert_snapshot!(format!("{stored}\n{}", behaviour.describe()), @r#"
        {"corpus":"86ab814ff39815d93e1077f5efddcb6a","kind":"mix","network":"meadow","parts":[{"lines":5,"says":"poem","weight":3},{"lines":10,"says":"grammar","weight":1}],"seed":9416065934890751230}
        mix of a poem (3 turns), a grammar (1 turn)
        "#);
    }

    #[test]
    fn a_poem_goes_on_at_its_next_line_and_each_round_keeps_the_weights() {
        let parts = [(BehaviourKind::Poem, POEM, 3), (BehaviourKind::Grammar, MOODS, 1)];
        let (behaviour, text) = mix(&parts);
        let said = texts(&behaviour, &text, 3);
        assert_eq!(said.len(), 1_500);
        let is_mood = |text: &&String| text.starts_with("mood");
        for round in said.chunks(4) {
            assert_eq!(round.iter().filter(is_mood).count(), 1, "{round:?}");
        }
        let Behaviour::Mix(mix) = &behaviour else { panic!("it is one") };
        for (text, number) in said.iter().zip(0..) {
            assert_eq!(mix.says_a_line(Cursor::at(number)), !is_mood(&text), "{number}");
        }
        let lines: Vec<_> = said.iter().filter(|text| !is_mood(text)).collect();
        let expected: Vec<_> = POEM.lines().cycle().take(lines.len()).collect();
        assert_eq!(lines, expected);
        // Nobody could tell beforehand where in a round the other is.
        let places: std::collections::BTreeSet<_> =
            said.chunks(4).map(|round| round.iter().position(|text| is_mood(&text))).collect();
        assert_eq!(places.len(), 4);
        // A batch by itself is what it is among others.
        let well = behaviour.well(&text).unwrap();
        let second = behaviour.draw(&well, Cursor::at(777), 1).unwrap();
        let second: Vec<_> = second.lines().map(|(_, line)| line).collect();
        assert_eq!(second, said[500..1_000]);
    }

    #[test]
    fn what_is_no_text_of_itself_is_no_part() {
        for kind in [BehaviourKind::Queue, BehaviourKind::Mix] {
            assert_eq!(Mixed::of(kind, ChainRules::default()), None);
        }
        let zone = TimeZone::UTC;
        let (text, problems) = BehaviourKind::Mix.read(&Source::plain("a", b"x", &zone));
        assert!(text.is_none() && problems.len() == 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Whatever is mixed: no text is empty or too long, each comes as often as it weighs, and the same is said again.
        #[test]
        fn each_part_has_its_turns(
            weights in prop::collection::vec(1_u32..=30, 2..=6),
            lines in 1_usize..40,
            first in 0_u32..2_000_000_000,
        ) {
            let poem: Vec<_> = (0..lines).map(|line| format!("line {line}")).collect();
            let poem = poem.join("\n");
            let files: Vec<_> = (0..weights.len())
                .map(|part| match part % 2 {
                    0 => (BehaviourKind::Poem, poem.clone()),
                    _ => (BehaviourKind::Grammar, MOODS.replace("mood", &format!("mood {part}"))),
                })
                .collect();
            let parts: Vec<_> = files
                .iter()
                .zip(&weights)
                .map(|((kind, file), weight)| (*kind, file.as_str(), *weight))
                .collect();
            let (behaviour, text) = mix(&parts);
            let well = behaviour.well(&text).unwrap();
            let cursor = Cursor::at(first);
            let drawn = behaviour.draw(&well, cursor, 1).unwrap();
            prop_assert_eq!(drawn.len(), Drawn::BATCH);
            prop_assert_eq!(&drawn, &behaviour.draw(&well, cursor, 1).unwrap());
            prop_assert!(drawn.material(&behaviour.needs(cursor)).is_some());
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            for (_, text) in drawn.lines() {
                prop_assert!(!text.is_empty() && Network::Meadow.check_text(text, 500).is_ok());
                let name = if text.starts_with("line") { "line" } else { &text[..6] };
                *counts.entry(name).or_default() += 1;
            }
            let total: u32 = weights.iter().sum();
            let of_poems: u32 = weights.iter().step_by(2).sum();
            let expected = f64::from(of_poems) / f64::from(total) * 500.0;
            let got = f64::from(u32::try_from(counts["line"]).unwrap());
            prop_assert!((expected - got).abs() <= f64::from(total), "{expected} {got}");
        }
    }
}
