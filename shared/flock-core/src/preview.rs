//! What a sheep will post next: the same transitions the tick makes, run ahead of time.

use jiff::Timestamp;

use crate::{Due, Occurrence, Outcome, Sheep};

/// A post to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upcoming {
    /// When it is due.
    pub at: Timestamp,
    /// Its number.
    pub occurrence: Occurrence,
    /// What it says.
    pub what: UpcomingText,
}

/// The text of a post to come, or where to find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpcomingText {
    /// Decided already: an earlier tick left it.
    Decided(String),
    /// The line of the corpus with this index.
    Line(u32),
}

/// The posts of `sheep` from `now` on, in order, as if every post succeeds. Ends when the sheep does.
pub fn preview(sheep: &Sheep, now: Timestamp) -> impl Iterator<Item = Upcoming> + use<> {
    // Whoever holds the lease is making the first post of the preview right now.
    let mut sheep = Sheep { lease_until: None, ..sheep.clone() };
    let mut now = now;
    std::iter::from_fn(move || {
        now = now.max(sheep.next_at()?);
        let (claimed, what) = match sheep.due(now) {
            Due::No => return None,
            Due::Finish => {
                let text = sheep.intent.as_ref()?.text.clone();
                (sheep.claim_again(now), UpcomingText::Decided(text))
            }
            Due::Post(next) => {
                let line = next.progress.cursor;
                // The text does not change when the next post is due; any that is allowed will do.
                (sheep.claim(next, "·".to_owned(), now).ok()?, UpcomingText::Line(line))
            }
        };
        let intent = claimed.intent.as_ref()?;
        let (at, occurrence) = (intent.at, intent.occurrence);
        let remote_id = claimed.post_id(intent).as_str().parse().ok()?;
        sheep = claimed.settle(&Outcome::Posted(remote_id), now);
        Some(Upcoming { at, occurrence, what })
    })
}
