//! Why nothing is posted, though sheep would: said beside every list of them and of posts to come.

use std::fmt;

use flock_core::{Hindrance, Overdue, Sheep, View, capital, local};
use flock_store::Stop;
use jiff::{Timestamp, tz::TimeZone};

use crate::{connect::Connection, show};

/// That everything is stopped, that nothing is at work, or that what is at work does not see to `sheep`. A program that reads
/// `json` knows whether it has started a run.
pub(crate) fn nothing_posts(
    connection: &Connection,
    stop: Option<&Stop>,
    sheep: &[&Sheep],
    json: bool,
) -> Option<String> {
    let Connection { clock, program, .. } = connection;
    if let Some(stop) = stop {
        return Some(show::stopped(stop));
    }
    if !connection.is_at_work {
        let posts = sheep.iter().any(|sheep| sheep.next_at().is_some());
        let said = format!("Nothing is posted while `{program} run` is not running.");
        return (posts && !json).then_some(said);
    }
    overdue(connection, sheep.iter().copied(), clock.now())
}

/// A view of `sheep`, in which nothing is said to come while nothing is at work.
pub(crate) fn view(connection: &Connection, stop: Option<&Stop>, sheep: &[&Sheep]) -> View {
    let now = connection.clock.now();
    let sheep = || sheep.iter().copied();
    let is_still = stop.is_some() || !connection.is_at_work || Overdue::of(sheep(), now).is_some();
    View::of(sheep(), now).still(is_still)
}

/// That no tick sees to what is due.
pub(crate) fn overdue<'a>(
    connection: &Connection,
    sheep: impl IntoIterator<Item = &'a Sheep>,
    now: Timestamp,
) -> Option<String> {
    let overdue = Overdue::of(sheep, now)?;
    let why = if connection.is_deployed {
        "The schedule of sheep-tick may be off, or it fails; its log says why."
    } else {
        WHY_NO_TICK
    };
    Some(said(&overdue, local(overdue.since, &TimeZone::UTC), why))
}

/// What there is to do where a run is up and nothing comes of it.
pub(crate) const WHY_NO_TICK: &str =
    "The run that is up says why where it was started; end it, and start it again.";

/// That no tick sees to what is due, and what is to be done.
pub(crate) fn said(overdue: &Overdue<'_>, since: impl fmt::Display, why: &str) -> String {
    format!("{}. {why}", capital(&overdue.said(&overdue.sheep.id, since)))
}

/// Sheep that have stopped, each reason once, and how they go on.
pub(crate) fn stopped(sheep: &[Sheep], program: &str) -> Vec<String> {
    let stopped = Hindrance::of(sheep).into_iter().filter(|found| found.is_stopped);
    let line = |found: Hindrance<'_>| {
        let first = found.sheep.first()?;
        Some(format!("{found}; {}", show::resume(first, program)))
    };
    stopped.filter_map(line).collect()
}
