//! What a post was made of, so that somebody can ask later why it says what it says.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{BehaviourKind, CorpusId, Cursor, Needs, Sheep};

/// What a behaviour made a post of. Kept with the post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// Which kind of behaviour.
    pub kind: BehaviourKind,
    /// The text that it is a line of: that of a file, or one that was drawn.
    pub corpus: CorpusId,
    /// Where the sheep was in it.
    pub cursor: Cursor,
    /// When it was planned for, before jitter and whatever made it late.
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    pub slot: Timestamp,
    /// The most it may have been, by its network's counting.
    pub limit: usize,
}

impl Made {
    /// What has to be given to say it again.
    pub fn needs(&self) -> Needs {
        Needs::Line { corpus: self.corpus.clone(), index: self.cursor.index() }
    }
}

impl Sheep {
    /// What the post that it is making is made of. `None`: somebody wrote it, or it makes none.
    pub fn made(&self) -> Option<Made> {
        self.decided()?;
        let behaviour = &self.config.behaviour;
        let Needs::Line { corpus, .. } = behaviour.needs(self.progress.cursor);
        Some(Made {
            kind: behaviour.kind(),
            corpus,
            cursor: self.progress.cursor,
            slot: self.progress.slot,
            limit: self.config.text_limit,
        })
    }

    /// Whether what it says now is drawn from the same text in the same way as what was `made` then.
    pub fn still_draws(&self, made: &Made) -> bool {
        let behaviour = &self.config.behaviour;
        behaviour.draws() && behaviour.needs(made.cursor) == made.needs()
    }
}
