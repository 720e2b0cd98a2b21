//! The next posts, before they are made.

use std::collections::HashMap;

use flock_core::{
    Behaviour, CorpusId, FlockName, Occurrence, Sheep, State, Upcoming, UpcomingText,
};
use flock_store::Store;
use jiff::Timestamp;
use serde::Serialize;

/// A post to come, as one JSON line.
#[derive(Debug, Serialize)]
pub struct UpcomingLine {
    /// When it is due.
    pub at: Timestamp,
    /// Its flock.
    pub flock: String,
    /// Its sheep.
    pub sheep: String,
    /// Where it goes.
    pub network: &'static str,
    /// Its number.
    pub occurrence: Occurrence,
    /// What it says.
    pub text: String,
    #[serde(skip)]
    zone: jiff::tz::TimeZone,
}

impl UpcomingLine {
    /// As people read it.
    pub fn text_line(&self) -> String {
        let at = crate::show::local(self.at, &self.zone);
        format!("{at}  {}/{}  {}", self.flock, self.sheep, self.text)
    }
}

/// The next `count` posts of all `sheep` together, in order.
pub async fn preview(
    store: &Store,
    sheep: &[Sheep],
    now: Timestamp,
    count: usize,
) -> anyhow::Result<Vec<UpcomingLine>> {
    let mut upcoming: Vec<(&Sheep, Upcoming)> = sheep
        .iter()
        .flat_map(|sheep| {
            flock_core::preview(sheep, now).take(count).map(move |next| (sheep, next))
        })
        .collect();
    upcoming.sort_by(|(a, next_a), (b, next_b)| (next_a.at, &a.id).cmp(&(next_b.at, &b.id)));
    upcoming.truncate(count);
    let mut texts: HashMap<(FlockName, CorpusId, u32), String> = HashMap::new();
    let mut lines = Vec::new();
    for (sheep, next) in upcoming {
        let text = match next.what {
            UpcomingText::Decided(text) => text,
            UpcomingText::Line(index) => {
                let Behaviour::Poem { corpus, .. } = &sheep.config.behaviour;
                let key = (sheep.id.flock.clone(), corpus.clone(), index);
                if !texts.contains_key(&key) {
                    let text = store.line(&key.0, &key.1, index).await?;
                    let text = text.unwrap_or_else(|| "(its corpus is missing)".to_owned());
                    texts.insert(key.clone(), text);
                }
                texts.get(&key).cloned().unwrap_or_default()
            }
        };
        lines.push(UpcomingLine {
            at: next.at,
            flock: sheep.id.flock.to_string(),
            sheep: sheep.id.name.to_string(),
            network: sheep.config.account.network.name(),
            occurrence: next.occurrence,
            text,
            zone: sheep.config.rhythm.zone().clone(),
        });
    }
    Ok(lines)
}

/// Why some of `sheep` do not appear in a preview, a line each.
pub fn silent(sheep: &[Sheep]) -> Vec<String> {
    let silent = sheep.iter().filter_map(|sheep| {
        let why = match &sheep.state {
            State::Active => return None,
            State::Paused { .. } => "is paused".to_owned(),
            State::Stopped { why, .. } => format!("has stopped: {why}"),
            State::Finished { .. } => "has finished".to_owned(),
        };
        Some(format!("{} {why}", sheep.id))
    });
    silent.collect()
}
