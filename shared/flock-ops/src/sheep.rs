//! Sheep, as programs read them.

use flock_core::{Sheep, one_line};
use flock_store::Aside;
use jiff::Timestamp;
use serde::Serialize;

/// A sheep as one JSON line.
#[derive(Debug, Serialize)]
pub struct SheepLine<'a> {
    flock: &'a str,
    sheep: &'a str,
    network: &'a str,
    account: &'a str,
    state: &'static str,
    why: Option<&'a str>,
    next_at: Option<Timestamp>,
    occurrence: u64,
    missed: u64,
}

impl<'a> SheepLine<'a> {
    /// The line for `sheep`.
    pub fn new(sheep: &'a Sheep) -> Self {
        Self {
            flock: sheep.id.flock.as_str(),
            sheep: sheep.id.name.as_str(),
            network: sheep.config.account.network.name(),
            account: sheep.config.account.handle.as_str(),
            state: sheep.state.name(),
            why: sheep.problem(),
            next_at: sheep.next_at(),
            occurrence: sheep.progress.occurrence.0,
            missed: sheep.progress.missed,
        }
    }
}

/// Everything about a sheep as one JSON object.
#[derive(Debug, Serialize)]
pub struct SheepPage<'a> {
    #[serde(flatten)]
    line: SheepLine<'a>,
    behaviour: String,
    rhythm: String,
    zone: Option<&'a str>,
    made_with_ai: bool,
    /// What comes next, in words.
    next: String,
    being_posted: Option<String>,
    attempts: u32,
    /// The newest texts that were set aside.
    set_aside: Vec<SetAside<'a>>,
}

#[derive(Debug, Serialize)]
struct SetAside<'a> {
    occurrence: u64,
    text: &'a str,
    why: &'a str,
}

impl<'a> SheepPage<'a> {
    /// The object for `sheep`; `asides` are the newest texts that it has set aside.
    pub fn new(sheep: &'a Sheep, asides: &'a [Aside]) -> Self {
        let (config, intent) = (&sheep.config, sheep.intent.as_ref());
        let next = config.behaviour.position(sheep.progress.cursor);
        Self {
            line: SheepLine::new(sheep),
            behaviour: config.behaviour.describe(),
            rhythm: config.rhythm.to_string(),
            zone: config.rhythm.zone().iana_name(),
            made_with_ai: config.made_with_ai,
            next: format!("{} {next}", config.behaviour.unit()),
            being_posted: intent.map(|intent| one_line(&intent.errand.work.act.to_string())),
            attempts: intent.map_or(0, |intent| intent.errand.attempts),
            set_aside: asides
                .iter()
                .map(|aside| SetAside {
                    occurrence: aside.occurrence.0,
                    text: &aside.text,
                    why: &aside.why,
                })
                .collect(),
        }
    }
}
