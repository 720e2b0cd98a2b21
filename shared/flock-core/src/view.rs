//! How one view - a list, a page, a message - shows times: all in one zone, which is said once, and those to come with how long
//! it is until then.

use jiff::{Timestamp, tz::TimeZone};

use crate::{Sheep, local};

/// The zone of a view, and when people look at it.
#[derive(Debug, Clone)]
pub struct View {
    zone: TimeZone,
    now: Timestamp,
    is_still: bool,
}

impl View {
    /// A view of `sheep`: in their zone, or in UTC where they live in several.
    pub fn of<'a>(sheep: impl IntoIterator<Item = &'a Sheep>, now: Timestamp) -> Self {
        let mut zones = sheep.into_iter().map(|sheep| sheep.config.rhythm.zone());
        let first = zones.next().filter(|first| zones.all(|zone| zone == *first));
        Self { zone: first.cloned().unwrap_or(TimeZone::UTC), now, is_still: false }
    }

    /// A view of what belongs to no sheep.
    pub fn utc(now: Timestamp) -> Self {
        Self { zone: TimeZone::UTC, now, is_still: false }
    }

    /// The same, where nothing is at work: what is planned is not said to come in a while, because nobody knows when it does.
    #[must_use]
    pub fn still(self, is_still: bool) -> Self {
        Self { is_still, ..self }
    }

    fn zone(&self) -> &str {
        self.zone.iana_name().unwrap_or("UTC")
    }

    /// Which zone its times are in: said once.
    pub fn times(&self) -> String {
        format!("Times are in {}.", self.zone())
    }

    /// The time: without the date where it is today's.
    pub fn clock(&self, at: Timestamp) -> String {
        let at = at.to_zoned(self.zone.clone());
        let is_today = at.date() == self.now.to_zoned(self.zone.clone()).date();
        at.strftime(if is_today { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" }).to_string()
    }

    /// The time with its zone, for a sentence that has no other.
    pub fn alone(&self, at: Timestamp) -> String {
        format!("{} {}", self.clock(at), self.zone())
    }

    /// The time, and how long it is until then, where that can be said.
    pub fn to_come(&self, at: Timestamp) -> String {
        let until = self.until(at).map(|until| format!(", {until}"));
        self.clock(at) + &until.unwrap_or_default()
    }

    /// The time with its date and zone, for who sees it alone.
    pub fn whole(&self, at: Timestamp) -> String {
        local(at, &self.zone)
    }

    /// How long it is until then, where something is at work.
    pub fn until(&self, at: Timestamp) -> Option<String> {
        let seconds = at.duration_since(self.now).as_secs();
        let until = match seconds {
            ..1 => "now".to_owned(),
            1..60 => "in less than a minute".to_owned(),
            60..3_600 => format!("in {} min", seconds / 60),
            // To the nearest, since half of it is much.
            3_600..171_000 => format!("in {} h", (seconds + 1_800) / 3_600),
            _ => format!("in {} days", (seconds + 43_200) / 86_400),
        };
        (!self.is_still).then_some(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_come_comes_in_a_while_where_something_is_at_work() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let view = View::utc(at("2026-11-27T12:00:00Z"));
        let said = |view: &View| {
            let times = ["2026-11-27T12:04:30Z", "2026-11-28T12:00:00Z", "2026-11-27T12:00:00Z"];
            times.map(|time| view.to_come(at(time))).join("; ")
        };
        assert_eq!(said(&view), "12:04:30, in 4 min; 2026-11-28 12:00:00, in 24 h; 12:00:00, now");
        let still = view.clone().still(true);
        assert_eq!(said(&still), "12:04:30; 2026-11-28 12:00:00; 12:00:00");
        assert_eq!(still.alone(at("2026-11-27T12:04:30Z")), "12:04:30 UTC");
        assert_eq!((view.times(), still.times()), ("Times are in UTC.".to_owned(), view.times()));
    }
}
