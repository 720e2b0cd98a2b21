//! What people see of sheep and posts, as text and as JSON lines.

use flock_core::{CorpusId, Intent, RemoteId, Sheep, State};
use flock_store::{Aside, Post, PostState, Stop};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use crate::flock_file::one_line;

/// A post as one JSON line. The names are a promise to scripts.
#[derive(Debug, Serialize)]
pub struct PostLine<'a> {
    at: Timestamp,
    flock: &'a str,
    sheep: &'a str,
    network: &'a str,
    occurrence: u64,
    text: &'a str,
    state: PostState,
    remote_id: Option<&'a str>,
}

impl<'a> PostLine<'a> {
    /// The line for `post`.
    pub fn new(post: &'a Post) -> Self {
        Self {
            at: post.at,
            flock: post.sheep.flock.as_str(),
            sheep: post.sheep.name.as_str(),
            network: post.account.network.name(),
            occurrence: post.occurrence.0,
            text: &post.text,
            state: post.state,
            remote_id: post.remote_id.as_ref().map(RemoteId::as_str),
        }
    }
}

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

/// An instant as people of a zone read it.
pub fn local(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// That everything is stopped.
pub fn stopped(stop: &Stop) -> String {
    let since = local(stop.at, &TimeZone::UTC);
    format!("Everything is stopped since {since}; nothing is posted until `/flock start`.")
}

/// A line of a list of posts.
pub fn post_line(post: &Post, zone: &TimeZone) -> String {
    let state = match post.state {
        PostState::Posted => "",
        PostState::Pending => "  (being posted)",
        PostState::Unknown => "  (unknown whether it was posted; being found out)",
    };
    format!("{}  {}  {}{state}", local(post.at, zone), post.sheep, one_line(&post.text))
}

/// A line of a list of sheep.
pub fn sheep_line(sheep: &Sheep) -> String {
    let zone = sheep.config.rhythm.zone();
    let state = match (&sheep.state, sheep.next_at()) {
        (State::Active, Some(next)) => format!("next {}", local(next, zone)),
        (State::Active, None) => "active".to_owned(),
        (State::Paused { since }, _) => format!("paused since {}", local(*since, zone)),
        (State::Stopped { since, .. }, _) => format!("STOPPED since {}", local(*since, zone)),
        (State::Finished { since }, _) => format!("finished {}", local(*since, zone)),
    };
    let why = sheep.problem().map(|why| format!(": {why}")).unwrap_or_default();
    format!("{:<32} {:<24} {state}{why}", sheep.id.to_string(), sheep.config.account.to_string())
}

/// So many texts that were set aside are shown of a sheep.
pub const ASIDES: usize = 5;

/// A text that was set aside, and why.
pub fn aside_line(aside: &Aside) -> String {
    format!("{}, {:?}: {}", aside.occurrence, aside.text, aside.why)
}

/// Everything about a sheep; `asides` are the newest texts that it has set aside.
pub fn sheep_page(sheep: &Sheep, asides: &[Aside]) -> String {
    let zone = sheep.config.rhythm.zone();
    let progress = &sheep.progress;
    let behaviour = &sheep.config.behaviour;
    let corpora: Vec<_> = behaviour.corpora().map(CorpusId::as_str).collect();
    let mut rows = vec![
        ("sheep", sheep.id.to_string()),
        ("account", sheep.config.account.to_string()),
        ("behaviour", format!("{} (corpus {})", behaviour.describe(), corpora.join(", "))),
        ("rhythm", sheep.config.rhythm.to_string()),
        ("state", sheep.state.name().to_owned()),
    ];
    if sheep.config.made_with_ai {
        rows.push(("made", "with AI".to_owned()));
    }
    rows.extend(sheep.problem().map(|why| ("problem", why.to_owned())));
    rows.extend(sheep.next_at().map(|next| ("next post", local(next, zone))));
    rows.push(("next number", progress.occurrence.to_string()));
    let unit = format!("next {}", behaviour.unit());
    rows.push((&unit, behaviour.position(progress.cursor)));
    if 0 < progress.missed {
        rows.push(("missed", format!("{} posts, in outages", progress.missed)));
    }
    if let Some(intent) = &sheep.intent {
        let Intent { occurrence, errand, .. } = intent;
        rows.push((
            "being posted",
            format!("number {occurrence}: {}", one_line(&errand.work.act.to_string())),
        ));
        if 0 < errand.attempts {
            rows.push(("attempts", errand.attempts.to_string()));
        }
    }
    rows.extend(asides.iter().take(ASIDES).map(|aside| ("set aside", aside_line(aside))));
    if ASIDES < asides.len() {
        rows.push(("", "and older ones".to_owned()));
    }
    self::rows(&rows)
}

/// Names and values, one beside the other.
pub fn rows(rows: &[(&str, String)]) -> String {
    let rows: Vec<_> = rows.iter().map(|(name, value)| format!("{name:<13} {value}")).collect();
    rows.join("\n")
}
