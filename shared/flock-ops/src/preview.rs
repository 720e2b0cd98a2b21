//! The next posts, before they are made.

use flock_core::{Occurrence, Sheep, State};
use flock_store::UpcomingPost;
use jiff::Timestamp;
use serde::Serialize;

/// A post to come, as one JSON line.
#[derive(Debug, Serialize)]
pub struct UpcomingLine<'a> {
    at: Timestamp,
    flock: &'a str,
    sheep: &'a str,
    network: &'static str,
    occurrence: Occurrence,
    text: &'a str,
}

impl<'a> UpcomingLine<'a> {
    /// The line for `post`.
    pub fn new(post: &'a UpcomingPost) -> Self {
        Self {
            at: post.at,
            flock: post.sheep.flock.as_str(),
            sheep: post.sheep.name.as_str(),
            network: post.account.network.name(),
            occurrence: post.occurrence,
            text: &post.text,
        }
    }
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
