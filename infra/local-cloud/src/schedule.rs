//! When an `EventBridge` Scheduler expression fires: `rate(...)`, the one form that is run here.
//!
//! Knows what AWS documents about it and nothing of clocks, timers, calendars or what is started.

use jiff::{SignedDuration, Timestamp};
use std::{fmt, str::FromStr};

/// A `rate(...)`: fires at a fixed distance, a positive number of minutes, hours or days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    count: u32,
    unit: Unit,
}

/// Why an expression is not a schedule that can be run here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Not a `rate` of a number and a unit.
    #[error(
        "`{0}` cannot be run here; write a rate of a whole number from 1 and a unit, as in \
         `rate(5 minutes)`"
    )]
    Form(String),
    /// A unit in the wrong number, which AWS refuses.
    #[error("AWS refuses `{given}`; write `{right}`")]
    Plural {
        /// As written.
        given: String,
        /// As AWS wants it.
        right: Schedule,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Minute,
    Hour,
    Day,
}

impl Schedule {
    /// The first firing strictly after `after`; none when there will be none.
    ///
    /// It fires at `anchor` and at every whole multiple of its distance after it, as AWS does
    /// when a schedule is created without a start date.
    pub fn next_after(&self, anchor: Timestamp, after: Timestamp) -> Option<Timestamp> {
        if after < anchor {
            return Some(anchor);
        }
        let every = SignedDuration::from_secs(i64::from(self.count) * self.unit.seconds());
        let every = every.as_nanos();
        let passed = after.as_nanosecond() - anchor.as_nanosecond();
        Timestamp::from_nanosecond(anchor.as_nanosecond() + (passed / every + 1) * every).ok()
    }
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(expression: &str) -> Result<Self, ScheduleError> {
        let bad = || ScheduleError::Form(expression.to_owned());
        let inside = expression.strip_prefix("rate(").and_then(|rest| rest.strip_suffix(')'));
        let (count, unit) = inside.and_then(|text| text.split_once(' ')).ok_or_else(bad)?;
        let digits = count.bytes().all(|byte| byte.is_ascii_digit()) && !count.starts_with('0');
        let count = count.parse().ok().filter(|_| digits).ok_or_else(bad)?;
        let unit = match unit {
            "minute" | "minutes" => Unit::Minute,
            "hour" | "hours" => Unit::Hour,
            "day" | "days" => Unit::Day,
            _ => return Err(bad()),
        };
        let schedule = Self { count, unit };
        if schedule.to_string() == expression {
            Ok(schedule)
        } else {
            Err(ScheduleError::Plural { given: expression.to_owned(), right: schedule })
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Minute => "minute",
            Unit::Hour => "hour",
            Unit::Day => "day",
        };
        write!(f, "rate({} {unit}{})", self.count, if self.count == 1 { "" } else { "s" })
    }
}

impl Unit {
    /// A day is 24 hours, also when the clocks change.
    fn seconds(self) -> i64 {
        match self {
            Self::Minute => 60,
            Self::Hour => 60 * 60,
            Self::Day => 24 * 60 * 60,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expression: &str, expected: &str) {
        let found = match expression.parse::<Schedule>() {
            Ok(schedule) => schedule.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{expression:?}");
    }

    #[test]
    fn rates_are_parsed() {
        for good in [
            "rate(1 minute)",
            "rate(1 hour)",
            "rate(1 day)",
            "rate(2 minutes)",
            "rate(36 hours)",
            "rate(7 days)",
            "rate(4294967295 days)",
        ] {
            check(good, good);
        }
        for (bad, right) in [
            ("rate(1 minutes)", "rate(1 minute)"),
            ("rate(5 minute)", "rate(5 minutes)"),
            ("rate(1 days)", "rate(1 day)"),
            ("rate(10 hour)", "rate(10 hours)"),
        ] {
            check(bad, &format!("AWS refuses `{bad}`; write `{right}`"));
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for bad in [
            "rate()",
            "rate(minute)",
            "rate(0 minutes)",
            "rate(-1 minutes)",
            "rate(+1 minute)",
            "rate(01 minute)",
            "rate(1.5 hours)",
            "rate(4294967296 days)",
            "rate(5 seconds)",
            "rate(5 weeks)",
            "rate(5  minutes)",
            "rate( 5 minutes)",
            "rate(5 minutes )",
            "rate(5 Minutes)",
            "rate( minutes)",
            "",
            "5 minutes",
            "every(5 minutes)",
            "Rate(1 minute)",
            " rate(1 minute)",
            "rate(1 minute",
            "rate",
            "cron(0 9 * * ? *)",
            "at(2026-01-01T00:00:00)",
        ] {
            check(
                bad,
                &format!(
                    "`{bad}` cannot be run here; write a rate of a whole number from 1 and a unit, \
                     as in `rate(5 minutes)`"
                ),
            );
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a timestamp")
    }

    #[track_caller]
    fn check_rate(expression: &str, anchor: &str, after: &str, expected: &str) {
        let schedule: Schedule = expression.parse().expect("a schedule");
        let next = schedule.next_after(at(anchor), at(after)).expect("it fires");
        assert_eq!(next, at(expected), "{expression} from {anchor} after {after}");
    }

    #[test]
    fn a_rate_counts_from_its_anchor() {
        let anchor = "2026-03-01T12:00:30Z";
        check_rate("rate(1 minute)", anchor, "2026-03-01T12:00:29Z", anchor);
        check_rate("rate(1 minute)", anchor, "2020-01-01T00:00:00Z", anchor);
        check_rate("rate(1 minute)", anchor, anchor, "2026-03-01T12:01:30Z");
        check_rate("rate(1 minute)", anchor, "2026-03-01T12:01:29.999Z", "2026-03-01T12:01:30Z");
        check_rate("rate(1 minute)", anchor, "2026-03-01T12:01:30Z", "2026-03-01T12:02:30Z");
        check_rate("rate(7 minutes)", anchor, "2026-03-01T12:20:00Z", "2026-03-01T12:21:30Z");
        check_rate("rate(2 days)", anchor, "2026-03-02T00:00:00Z", "2026-03-03T12:00:30Z");
        let eon: Schedule = "rate(4294967295 days)".parse().expect("a schedule");
        assert_eq!(eon.next_after(at(anchor), at(anchor)), None);
        assert_eq!(eon.next_after(Timestamp::MIN, Timestamp::MAX), None);
    }
}
