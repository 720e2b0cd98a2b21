//! The next posts with their texts, before they are made.

use std::collections::HashMap;

use flock_core::{
    AccountId, FlockName, Material, Needs, Occurrence, Sheep, SheepId, Upcoming, UpcomingText,
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
    /// The zone its sheep lives in.
    pub zone: TimeZone,
}

impl Store {
    /// The next `count` posts of all `sheep` together, in order.
    pub async fn upcoming(
        &self,
        sheep: &[Sheep],
        now: Timestamp,
        count: usize,
    ) -> Result<Vec<UpcomingPost>, StoreError> {
        let mut upcoming: Vec<(&Sheep, Upcoming)> = Vec::new();
        for sheep in sheep {
            let times = self.times(sheep).await?;
            let next = flock_core::preview(sheep, &times, now).take(count);
            upcoming.extend(next.map(|next| (sheep, next)));
        }
        upcoming.sort_by(|(a, next_a), (b, next_b)| (next_a.at, &a.id).cmp(&(next_b.at, &b.id)));
        upcoming.truncate(count);
        let mut materials: HashMap<(FlockName, Needs), Option<Material>> = HashMap::new();
        let mut posts = Vec::new();
        for (sheep, next) in upcoming {
            let text = match next.what {
                UpcomingText::Decided(text) => text,
                UpcomingText::At(turn) => {
                    let behaviour = &sheep.config.behaviour;
                    let key = (sheep.id.flock.clone(), behaviour.needs(turn.cursor));
                    if !materials.contains_key(&key) {
                        let material = self.material(&key.0, &key.1).await?;
                        materials.insert(key.clone(), material);
                    }
                    let material = materials.get(&key).cloned().flatten();
                    let said = material.map(|material| behaviour.say(turn, material));
                    said.map_or_else(
                        || "(its corpus is missing)".to_owned(),
                        |said| said.act.to_string(),
                    )
                }
            };
            posts.push(UpcomingPost {
                at: next.at,
                sheep: sheep.id.clone(),
                account: sheep.config.account.clone(),
                occurrence: next.occurrence,
                text,
                zone: sheep.config.rhythm.zone().clone(),
            });
        }
        Ok(posts)
    }
}
