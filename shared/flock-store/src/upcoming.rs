//! The next posts with their texts, before they are made.

use std::collections::HashMap;

use flock_core::{
    AccountId, Act, Corpus, FlockName, Material, Needs, Occurrence, Sheep, SheepId, Upcoming,
    UpcomingText, preview_all, quoted_part,
};
use jiff::{Timestamp, tz::TimeZone};

use crate::{Store, StoreError};

/// A post to come.
#[derive(Debug, Clone, PartialEq)]
pub struct UpcomingPost {
    /// When it is due.
    pub at: Timestamp,
    /// Whose it is.
    pub sheep: SheepId,
    /// Where it goes.
    pub account: AccountId,
    /// Its number.
    pub occurrence: Occurrence,
    /// What it says.
    pub text: String,
    /// Whether it answers the one before it, as a part of the same thread.
    pub continues_thread: bool,
    /// The zone its sheep lives in.
    pub zone: TimeZone,
}

impl UpcomingPost {
    /// The post `next` of `sheep`, with what its behaviour was given to say it; `None` where that is not there.
    pub fn new(sheep: &Sheep, next: Upcoming, material: Option<Material>) -> Self {
        let behaviour = &sheep.config.behaviour;
        let act = match next.what {
            UpcomingText::Decided(act) => Some(act),
            UpcomingText::At(turn) => material.map(|material| behaviour.say(turn, material).act),
        };
        let unknown = if behaviour.draws() { "(not drawn yet)" } else { "(its corpus is missing)" };
        let text = act.as_ref().map_or_else(|| unknown.to_owned(), Act::to_string);
        Self {
            at: next.at,
            sheep: sheep.id.clone(),
            account: sheep.config.account.clone(),
            occurrence: next.occurrence,
            text,
            continues_thread: act.is_some_and(|act| act.continues_thread()),
            zone: sheep.config.rhythm.zone().clone(),
        }
    }
}

impl UpcomingPost {
    /// What it says, in a list of posts.
    pub fn quoted(&self) -> String {
        quoted_part(&self.text, self.continues_thread)
    }
}

/// What the behaviour of `sheep` needs to say it, where that is not decided already.
pub fn needs_of(sheep: &Sheep, next: &Upcoming) -> Option<Needs> {
    match &next.what {
        UpcomingText::Decided(_) => None,
        UpcomingText::At(turn) => Some(sheep.config.behaviour.needs(turn.cursor)),
    }
}

impl Store {
    /// The next `count` posts of all `sheep` together, in order. Reads a line for each, and no whole text but where lines have times
    /// of their own.
    pub async fn upcoming(
        &self,
        sheep: &[Sheep],
        now: Timestamp,
        count: usize,
    ) -> Result<Vec<UpcomingPost>, StoreError> {
        let mut marks = Vec::new();
        for sheep in sheep {
            marks.push(self.marks(sheep).await?);
        }
        let mut materials: HashMap<(FlockName, Needs), Option<Material>> = HashMap::new();
        let mut drawn: HashMap<usize, Option<Corpus>> = HashMap::new();
        let mut posts = Vec::new();
        for (index, next) in preview_all(sheep.iter().zip(marks), now).take(count) {
            let Some(sheep) = sheep.get(index) else { continue };
            let material = match needs_of(sheep, &next) {
                None => None,
                Some(needs) => {
                    let key = (sheep.id.flock.clone(), needs);
                    if !materials.contains_key(&key) {
                        let of_drawn =
                            |drawn: Option<&Option<Corpus>>| drawn?.as_ref()?.material(&key.1);
                        let mut material = of_drawn(drawn.get(&index));
                        if material.is_none() {
                            material = self.material(&key.0, &key.1).await?;
                        }
                        // All that are drawn together, which are read once.
                        if let (None, UpcomingText::At(turn)) = (&material, &next.what) {
                            drawn.insert(index, self.draw(sheep, turn.cursor).await?);
                            material = of_drawn(drawn.get(&index));
                        }
                        materials.insert(key.clone(), material);
                    }
                    materials.get(&key).cloned().flatten()
                }
            };
            posts.push(UpcomingPost::new(sheep, next, material));
        }
        Ok(posts)
    }
}
