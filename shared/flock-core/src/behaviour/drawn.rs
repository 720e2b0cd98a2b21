//! Texts that are drawn: by a grammar, or by a chain of words.
//!
//! To draw one, all of a file has to be read. So they are drawn in batches and kept, and a post reads one as it reads a line of a
//! poem. Which text has which number follows from the file and from what was chosen for the sheep, and from nothing else: who
//! finds that a batch is not kept draws it again, and it is the same. So nothing is lost with what was kept, and texts that a
//! preview has shown are posted.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{Chain, Cursor, Dice, Grammar, Material, Needs, Place, Said, Turn};
use crate::{Act, Corpus, CorpusId, Network, Occurrence, SheepId, foreign::odd};

/// What texts are drawn from, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Drawn {
    /// The text of their file.
    pub corpus: CorpusId,
    /// The network whose posts they are to be.
    pub network: Network,
    /// What stands where others take a random number: each sheep has its own, so that two with one file do not say the same.
    pub seed: u64,
}

/// What is drawn from, read from the text of a file. It may be many times as large as that.
#[derive(Debug)]
pub enum Well {
    /// The rules of a grammar.
    Grammar(Grammar),
    /// The words of a text, and what follows them.
    Chain(Chain),
    /// Lines that are said in order.
    Lines(Vec<String>),
    /// What the parts of a mix are drawn from.
    Mix(Vec<Well>),
}

impl Well {
    /// One text, without white space around it. `None`: this time there was none.
    fn draw(&self, dice: &mut Dice) -> Option<String> {
        match self {
            Self::Grammar(grammar) => grammar.draw(dice),
            Self::Chain(chain) => chain.draw(dice),
            // They are not drawn one by one.
            Self::Lines(_) | Self::Mix(_) => None,
        }
    }
}

impl Drawn {
    /// So many texts are drawn and kept together: what is read for them, and written, is little for each.
    pub const BATCH: u32 = 500;

    /// So often is drawn for a batch: what does not fit, and what the batch has already, is drawn again.
    const DRAWS: u32 = 4 * Self::BATCH;

    /// So often in a row nothing may come of it, which takes the longest: up to 2 ms of a grammar, 0.1 s of a chain.
    const FRUITLESS: u32 = 25;

    /// How a grammar draws, of which nothing else is said.
    pub(super) const BY_GRAMMAR: &str = "grammar";

    pub(super) fn of(text: &Corpus) -> Self {
        Self { corpus: text.id(), network: Network::Meadow, seed: 0 }
    }

    pub(super) fn drawn_for(&self, sheep: &SheepId, network: Network) -> Self {
        Self { network, seed: sheep.number("draw", Occurrence(0)), ..self.clone() }
    }

    /// The name that is given to the texts, by what they are drawn with besides.
    pub(super) fn id(&self, how: &str) -> CorpusId {
        CorpusId::of_drawn(&self.corpus, self.network.name(), self.seed, how)
    }

    pub(super) fn needs(&self, how: &str, cursor: Cursor) -> Needs {
        Needs::Line { corpus: self.id(how), index: cursor.index() }
    }

    pub(super) fn say(turn: Turn, material: Material) -> Said {
        let Material::Line { text, mark: _, next: _ } = material;
        Said { act: Act::post(text), then: Self::next(turn.cursor) }
    }

    pub(super) fn next(cursor: Cursor) -> Place {
        Place::at(Cursor::at(cursor.index().saturating_add(1)))
    }

    /// The texts of `batches` batches, from that with the text at `cursor` on. `None`: hardly anything that is drawn can be a post.
    pub(super) fn draw(
        &self,
        how: &str,
        well: &Well,
        cursor: Cursor,
        batches: u32,
    ) -> Option<Corpus> {
        let id = self.id(how);
        let size = usize::try_from(Self::BATCH).unwrap_or(usize::MAX);
        let batch_of = |batch| self.batch_or_first(&id, well, batch, size);
        self.draw_by(how, cursor, batches, batch_of)
    }

    /// The same of whatever says what is in a batch by its number.
    pub(super) fn draw_by(
        &self,
        how: &str,
        cursor: Cursor,
        batches: u32,
        batch_of: impl Fn(u32) -> Option<Vec<String>>,
    ) -> Option<Corpus> {
        let first = cursor.index() / Self::BATCH;
        let mut texts = Vec::new();
        for batch in first..first.saturating_add(batches) {
            texts.extend(batch_of(batch)?);
        }
        Some(Corpus::drawn(self.id(how), first.saturating_mul(Self::BATCH), &texts))
    }

    /// Where the next batch begins, where three quarters of one are said. Once, so that nobody has to look whether it is there.
    pub(super) fn ahead(cursor: Cursor) -> Option<Cursor> {
        let within = cursor.index() % Self::BATCH;
        (within == Self::BATCH / 4 * 3).then(|| Self::batch_after(cursor))
    }

    /// Where the batch after that with the text at `cursor` begins.
    pub(super) fn batch_after(cursor: Cursor) -> Cursor {
        let batch = cursor.index() / Self::BATCH;
        Cursor::at(batch.saturating_add(1).saturating_mul(Self::BATCH))
    }

    /// The texts of one batch, so many. By chance there may be nothing in one that can be posted: then what was said at first is.
    pub(super) fn batch_or_first(
        &self,
        id: &CorpusId,
        well: &Well,
        batch: u32,
        size: usize,
    ) -> Option<Vec<String>> {
        let of = |batch| self.batch(id, well, batch, size);
        of(batch).or_else(|| of(0))
    }

    /// The texts of one batch, so many. `None`: by chance nothing in it can be posted.
    fn batch(&self, id: &CorpusId, well: &Well, batch: u32, size: usize) -> Option<Vec<String>> {
        let mut dice = Dice::new(id.number(batch));
        let (mut texts, mut said) = (Vec::new(), HashSet::new());
        let mut fruitless = 0;
        for _ in 0..Self::DRAWS {
            if texts.len() == size || fruitless == Self::FRUITLESS {
                break;
            }
            match well.draw(&mut dice) {
                None => fruitless += 1,
                Some(text) => {
                    fruitless = 0;
                    if self.can_be_posted(&text) && said.insert(text.clone()) {
                        texts.push(text);
                    }
                }
            }
        }
        // It has no more than these to say: each comes again, but not soon.
        let few = texts.len();
        while 0 < few && texts.len() < size {
            let again = texts.get(dice.below(texts.len() - few / 2)).cloned()?;
            let recent = texts.get(texts.len() - few / 2..).unwrap_or_default();
            if !recent.contains(&again) {
                texts.push(again);
            }
        }
        (0 < few).then_some(texts)
    }

    fn can_be_posted(&self, text: &str) -> bool {
        let limit = self.network.facts().text_limit;
        odd(text).is_none() && Corpus::holds(text) && self.network.check_text(text, limit).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::{super::*, *};

    /// The behaviour of the sheep `a/b` with this file, and what is drawn from.
    fn with_file(kind: BehaviourKind, file: &str, network: Network) -> (Behaviour, Well) {
        let (text, problems) = kind.read(&Source::plain("a", file.as_bytes(), &TimeZone::UTC));
        assert_eq!(problems, []);
        let text = text.unwrap();
        let sheep = "a/b".parse().unwrap();
        let behaviour = kind.with_text(&text).drawn_for(&sheep, network);
        let well = behaviour.well(&text).unwrap();
        (behaviour, well)
    }

    fn texts(behaviour: &Behaviour, well: &Well, cursor: u32) -> Vec<String> {
        let drawn = behaviour.draw(well, Cursor::at(cursor), 1).unwrap();
        drawn.lines().map(|(_, line)| line.to_owned()).collect()
    }

    const ANIMALS: &str =
        r##"{"origin": ["#n# #n#"], "n": ["ewe", "ox", "cow", "hen", "cat", "dog"]}"##;

    const MOON: &str = "the moon is a lamp of the sea\nthe sea is a road of the moon\na lamp is a road for the cat\n";

    #[test]
    fn what_is_drawn_is_a_schema() {
        let mut forms = Vec::new();
        for (kind, file) in [(BehaviourKind::Grammar, ANIMALS), (BehaviourKind::Markov, MOON)] {
            let (behaviour, well) = with_file(kind, file, Network::Meadow);
            let stored = serde_json::to_value(&behaviour).unwrap();
            assert_eq!(serde_json::from_value::<Behaviour>(stored.clone()).unwrap(), behaviour);
            let Needs::Line { corpus, index } = behaviour.needs(Cursor::at(7));
            forms.push(format!("{stored}\n{corpus} {index}"));
            forms.extend(texts(&behaviour, &well, 0).into_iter().take(3));
        }
        insta::assert_snapshot!(forms.join("\n"), @r#"
        {"corpus":"f70815f5fada5cb6408b87c14a27f336","kind":"grammar","network":"meadow","seed":9416065934890751230}
        0ca4da3d51e9778ed34d3e9157534509 7
        cat ewe
        dog ox
        cow ewe
        {"corpus":"84b394f470fe378b2cd89aacb2b3a015","kind":"markov","network":"meadow","rules":{"most":6,"order":2},"seed":9416065934890751230}
        17222e0b323f8deba18aff211305fef5 7
        the moon is a road for the cat
        the sea
        the moon
        "#);
    }

    #[test]
    fn any_text_is_found_from_any_place_and_is_no_other() {
        let (behaviour, well) = with_file(BehaviourKind::Grammar, ANIMALS, Network::Meadow);
        let all = behaviour.draw(&well, Cursor::default(), 3).unwrap();
        for index in [0, 1, Drawn::BATCH - 1, Drawn::BATCH, 3 * Drawn::BATCH - 1] {
            let one = behaviour.draw(&well, Cursor::at(index), 1).unwrap();
            let needs = behaviour.needs(Cursor::at(index));
            assert!(one.material(&needs).is_some());
            assert_eq!(one.material(&needs), all.material(&needs), "{index}");
        }
        assert_eq!(all.material(&behaviour.needs(Cursor::at(3 * Drawn::BATCH))), None);
        let pieces = behaviour.draw(&well, Cursor::at(Drawn::BATCH), 1).unwrap().pieces();
        assert_eq!(pieces[0].first, Drawn::BATCH);
        let lines: usize = pieces.iter().map(|piece| piece.lines.len()).sum();
        assert_eq!(u32::try_from(lines).unwrap(), Drawn::BATCH);
    }

    #[test]
    fn where_little_can_be_said_it_comes_again_but_not_soon() {
        let (behaviour, well) = with_file(BehaviourKind::Grammar, ANIMALS, Network::Meadow);
        let texts = texts(&behaviour, &well, 0);
        assert_eq!(texts.len(), 500);
        let different: HashSet<_> = texts.iter().collect();
        assert_eq!(different.len(), 36);
        assert!(texts[..36].iter().collect::<HashSet<_>>().len() == 36, "each once at first");
        for recent in texts.windows(18) {
            assert_eq!(recent.iter().collect::<HashSet<_>>().len(), 18, "{recent:?}");
        }
        let (alone, well) = with_file(BehaviourKind::Grammar, r#"{"origin": "moo"}"#, Network::X);
        assert_eq!(alone.draw(&well, Cursor::default(), 1).unwrap().line(499), Some("moo"));
    }

    #[test]
    fn nothing_is_drawn_that_its_network_does_not_take() {
        let file = format!(r#"{{"origin": ["{}", "short", "brief"]}}"#, "long ".repeat(90));
        let (behaviour, well) = with_file(BehaviourKind::Grammar, &file, Network::X);
        let said: HashSet<_> = texts(&behaviour, &well, 0).into_iter().collect();
        assert_eq!(said, ["short", "brief"].map(ToOwned::to_owned).into());
        let (behaviour, well) = with_file(BehaviourKind::Grammar, &file, Network::Meadow);
        assert_eq!(texts(&behaviour, &well, 0).into_iter().collect::<HashSet<_>>().len(), 3);
        let long = format!(r#"{{"origin": ["{}"]}}"#, "long ".repeat(90));
        let (behaviour, well) = with_file(BehaviourKind::Grammar, &long, Network::X);
        assert_eq!(behaviour.draw(&well, Cursor::default(), 1), None);
    }

    #[test]
    fn what_often_comes_to_nothing_has_many_texts_all_the_same() {
        let digits: Vec<_> = (0..100).map(|n| n.to_string()).collect();
        let file = serde_json::json!({ "origin": ["", "#n# #n# #n#"], "n": digits }).to_string();
        let (behaviour, well) = with_file(BehaviourKind::Grammar, &file, Network::Meadow);
        assert_eq!(texts(&behaviour, &well, 0).into_iter().collect::<HashSet<_>>().len(), 500);
    }

    #[test]
    fn a_batch_in_which_nothing_fits_says_what_was_said_at_first() {
        let mut origin = vec!["#long#"; 1_500];
        origin.push("short");
        let file = serde_json::json!({ "origin": origin, "long": "long ".repeat(90) }).to_string();
        let (behaviour, well) = with_file(BehaviourKind::Grammar, &file, Network::X);
        let Behaviour::Grammar(drawn) = &behaviour else { panic!("it is one") };
        let id = drawn.id(Drawn::BY_GRAMMAR);
        let empty = (0..20).find(|batch| drawn.batch(&id, &well, *batch, 500).is_none()).unwrap();
        assert!(0 < empty, "the first is not");
        assert_eq!(texts(&behaviour, &well, empty * Drawn::BATCH)[7], "short");
    }

    #[test]
    fn what_is_drawn_is_of_its_sheep_its_network_and_its_rules() {
        let (behaviour, _) = with_file(BehaviourKind::Markov, MOON, Network::Meadow);
        let other: SheepId = "a/c".parse().unwrap();
        let rules = ChainRules { order: 1, ..ChainRules::default() };
        let others = [
            behaviour.drawn_for(&other, Network::Meadow),
            behaviour.drawn_for(&"a/b".parse().unwrap(), Network::X),
            behaviour.clone().ruled(rules),
        ];
        for other in &others {
            assert_ne!(other.needs(Cursor::default()), behaviour.needs(Cursor::default()));
        }
        assert_eq!(others[0].alike(), behaviour.alike(), "what is drawn from is the same");
        assert_ne!(others[2].alike(), behaviour.alike());
        assert_eq!(behaviour.ruled(ChainRules::default()).describe(), "Markov chain of order 2");
    }

    #[test]
    fn the_next_batch_is_drawn_once_and_before_it_is_needed() {
        let (behaviour, _) = with_file(BehaviourKind::Grammar, ANIMALS, Network::Meadow);
        let ahead = |index| behaviour.draws_ahead(Cursor::at(index)).map(Cursor::index);
        let drawn: Vec<_> = (0..1_000).filter_map(|index| Some((index, ahead(index)?))).collect();
        assert_eq!(drawn, [(375, 500), (875, 1_000)]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn every_text_can_be_posted(
            words in prop::collection::vec("[a-zé👋]{1,200}", 1..8),
            network in prop::sample::select(&Network::ALL[..]),
        ) {
            let file = serde_json::json!({ "origin": ["#w#", "#w# #w#"], "w": words }).to_string();
            let (behaviour, well) = with_file(BehaviourKind::Grammar, &file, network);
            let limit = network.facts().text_limit;
            if let Some(drawn) = behaviour.draw(&well, Cursor::at(600), 1) {
                prop_assert_eq!(drawn.len(), Drawn::BATCH);
                for (_, text) in drawn.lines() {
                    prop_assert!(network.check_text(text, limit).is_ok(), "{}", text);
                }
            }
        }
    }
}
