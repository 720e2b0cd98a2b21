//! The lines of a text in order, and again from the first.

use serde::{Deserialize, Serialize};

use super::{Cursor, Material, Needs, Place, Said, Turn};
use crate::{Act, Corpus, CorpusId, count};

/// A text that is said line by line.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Poem {
    /// The text.
    pub corpus: CorpusId,
    /// How many lines it has; at least 1.
    pub lines: u32,
}

impl Poem {
    pub(super) fn of(text: &Corpus) -> Self {
        Self { corpus: text.id(), lines: text.len() }
    }

    pub(super) fn needs(&self, cursor: Cursor) -> Needs {
        Needs::Line { corpus: self.corpus.clone(), index: cursor.index() }
    }

    pub(super) fn say(&self, turn: Turn, material: Material) -> Said {
        let Material::Line { text, next_at: _ } = material;
        Said { act: Act::post(text), then: self.next(turn.cursor) }
    }

    pub(super) fn next(&self, cursor: Cursor) -> Place {
        self.admit(Cursor::at(cursor.index().saturating_add(1)))
    }

    pub(super) fn admit(&self, cursor: Cursor) -> Place {
        if cursor.index() < self.lines { Place::at(cursor) } else { Place::OVER }
    }

    pub(super) fn describe(&self) -> String {
        format!("poem of {}", count(self.lines, "line"))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Behaviour, *};

    #[test]
    fn it_goes_through_its_text_and_starts_over() {
        let text = Corpus::parse(b"the moon\n\nrose\n").unwrap();
        let poem = Poem::of(&text);
        let mut place = Place::at(Cursor::default());
        let mut said = Vec::new();
        for _ in 0..3 {
            let material = text.material(&poem.needs(place.cursor)).unwrap();
            let turn = Turn { cursor: place.cursor, seed: 0, at: jiff::Timestamp::UNIX_EPOCH };
            let Said { act, then } = poem.say(turn, material);
            said.push(format!("{act} {}", place.starts_over));
            assert_eq!(then, poem.next(place.cursor));
            place = then;
        }
        insta::assert_snapshot!(said.join("\n"), @"
        the moon false
        rose false
        the moon true
        ");
        let behaviour = Behaviour::Poem(poem.clone());
        assert_eq!(behaviour.describe(), "poem of 2 lines");
        assert_eq!(behaviour.position(Cursor::at(1)), "2 of 2");
        assert_eq!(poem.admit(Cursor::at(2)), Place::OVER);
        let other = Corpus::parse(b"the sun").unwrap();
        assert_eq!(other.material(&poem.needs(Cursor::default())), None);
    }

    #[test]
    fn its_form_is_a_schema() {
        let text = Corpus::parse(b"the moon\nrose").unwrap();
        let stored = serde_json::to_value(Behaviour::Poem(Poem::of(&text))).unwrap();
        insta::assert_snapshot!(stored, @r#"{"corpus":"807af5a069bf7bd0d36e1f5631c39526","kind":"poem","lines":2}"#);
    }
}
