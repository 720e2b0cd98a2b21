//! The audit log: who changed what, where and when.

use flock_store::{AuditEntry, By};
use jiff::Timestamp;
use serde::Serialize;

/// An entry as one JSON line. The names are a promise to scripts.
#[derive(Debug, Serialize)]
pub struct AuditLine<'a> {
    at: Timestamp,
    /// Which door they came in by: `slack` or `command line`.
    door: &'static str,
    /// The Slack member, or what the machine calls whoever it was.
    user: &'a str,
    room: Option<&'a str>,
    /// On a deployed table: as whom AWS knows them.
    arn: Option<&'a str>,
    line: &'a str,
    /// `null`: it was cut off, and part of it may be done.
    outcome: Option<&'a str>,
}

impl<'a> AuditLine<'a> {
    /// The line for `entry`.
    pub fn new(entry: &'a AuditEntry) -> Self {
        let (door, user, room, arn) = match &entry.by {
            By::Slack { user, room } => ("slack", user.as_str(), Some(room.as_str()), None),
            By::CommandLine { user, arn } => ("command line", user.as_str(), None, arn.as_deref()),
        };
        Self {
            at: entry.at,
            door,
            user,
            room,
            arn,
            line: &entry.line,
            outcome: entry.outcome.as_deref(),
        }
    }
}
