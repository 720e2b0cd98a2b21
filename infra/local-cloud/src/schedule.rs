//! When an `EventBridge` Scheduler schedule fires: at a rate, at the times of a calendar, or once.
//!
//! Knows what AWS documents about it and nothing of clocks, timers or what is started.

use crate::cron::{Cron, CronError, first_instant};
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use std::{fmt, str::FromStr};

/// An expression, with the zone that it is read in and the time that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    when: When,
    /// It does not fire before this, and a rate counts from it.
    start: Option<Timestamp>,
    /// It does not fire after this.
    end: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum When {
    Rate(Rate),
    Cron(Box<Cron>, TimeZone),
    At(DateTime, Timestamp),
}

/// What stands in `ScheduleExpression`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression(Form);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Rate(Rate),
    Cron(Box<Cron>),
    At(DateTime),
}

/// A fixed distance: a positive number of minutes, hours or days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rate {
    count: u32,
    unit: Unit,
}

/// Why an expression is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// None of the three forms.
    #[error(
        "`{0}` is no schedule; write it like `rate(5 minutes)`, `cron(0 9 * * ? *)` or \
         `at(2026-01-01T00:00:00)`"
    )]
    Form(String),
    /// A unit in the wrong number, which AWS refuses.
    #[error("AWS refuses `{given}`; write `{right}`")]
    Plural {
        /// As written.
        given: String,
        /// As AWS wants it.
        right: Expression,
    },
    /// A `cron` that AWS does not document.
    #[error("`{given}` is no schedule of AWS: {why}")]
    Cron {
        /// As written.
        given: String,
        /// What is wrong.
        why: CronError,
    },
    /// An `at` that no clock of its zone shows.
    #[error("`{given}` never comes in {zone}, where clocks go past it; write another time")]
    Skipped {
        /// As written.
        given: Expression,
        /// The name of the zone.
        zone: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Minute,
    Hour,
    Day,
}

impl Expression {
    /// The schedule that it is in this zone, from `start` to `end`, both of which AWS ignores for one that fires once.
    pub fn within(
        self,
        zone: TimeZone,
        start: Option<Timestamp>,
        end: Option<Timestamp>,
    ) -> Result<Schedule, ScheduleError> {
        Ok(match self.0 {
            Form::Rate(rate) => Schedule { when: When::Rate(rate), start, end },
            Form::Cron(cron) => Schedule { when: When::Cron(cron, zone), start, end },
            Form::At(shown) => {
                let Some(at) = first_instant(&zone, shown) else {
                    let zone = zone.iana_name().unwrap_or("this zone").to_owned();
                    return Err(ScheduleError::Skipped { given: self, zone });
                };
                Schedule { when: When::At(shown, at), start: None, end: None }
            }
        })
    }
}

impl Schedule {
    /// When it fires first in a run that begins `now`. A rate without a start counts from here, and fires at once.
    pub fn first(&self, now: Timestamp) -> Option<Timestamp> {
        if self.keeps_distance() { self.until_end(now) } else { self.next_after(now, now) }
    }

    /// The first firing strictly after `after`; none when there will be none. `began` is when the run did.
    ///
    /// A rate fires at its start and at every whole multiple of its distance after it, as on AWS. Without one it
    /// counts from `began`, when AWS would have created the schedule.
    pub fn next_after(&self, began: Timestamp, after: Timestamp) -> Option<Timestamp> {
        let just_before =
            self.start.and_then(|start| start.checked_sub(SignedDuration::from_nanos(1)).ok());
        let after = just_before.map_or(after, |before| after.max(before));
        let next = match &self.when {
            When::Rate(rate) => rate.next_after(self.start.unwrap_or(began), after),
            When::Cron(cron, zone) => cron.next_after(zone, after),
            When::At(_, at) => Some(*at).filter(|at| after < *at),
        };
        next.and_then(|next| self.until_end(next))
    }

    /// Whether it fires at distances from whenever the run began, and at no times of its own.
    pub fn keeps_distance(&self) -> bool {
        matches!(self.when, When::Rate(_)) && self.start.is_none()
    }

    /// Whether it fires a single time.
    pub fn fires_once(&self) -> bool {
        matches!(self.when, When::At(..))
    }

    fn until_end(&self, at: Timestamp) -> Option<Timestamp> {
        Some(at).filter(|at| self.end.is_none_or(|end| *at <= end))
    }
}

impl Rate {
    fn next_after(self, anchor: Timestamp, after: Timestamp) -> Option<Timestamp> {
        if after < anchor {
            return Some(anchor);
        }
        let every = SignedDuration::from_secs(i64::from(self.count) * self.unit.seconds());
        let every = every.as_nanos();
        let passed = after.as_nanosecond() - anchor.as_nanosecond();
        Timestamp::from_nanosecond(anchor.as_nanosecond() + (passed / every + 1) * every).ok()
    }
}

/// How a time stands in `at(...)`.
const AT: &str = "%Y-%m-%dT%H:%M:%S";

impl FromStr for Expression {
    type Err = ScheduleError;

    fn from_str(expression: &str) -> Result<Self, ScheduleError> {
        let bad = || ScheduleError::Form(expression.to_owned());
        let inside = |form: &str| expression.strip_prefix(form)?.strip_suffix(')');
        if let Some(fields) = inside("cron(") {
            let cron = fields.parse();
            let cron =
                cron.map_err(|why| ScheduleError::Cron { given: expression.to_owned(), why })?;
            return Ok(Self(Form::Cron(Box::new(cron))));
        }
        if let Some(shown) = inside("at(") {
            let at = DateTime::strptime(AT, shown).ok();
            // Read back, because AWS wants every digit.
            let at = at.filter(|at| at.strftime(AT).to_string() == shown);
            return at.map(|at| Self(Form::At(at))).ok_or_else(bad);
        }
        let (count, unit) =
            inside("rate(").and_then(|text| text.split_once(' ')).ok_or_else(bad)?;
        let digits = count.bytes().all(|byte| byte.is_ascii_digit()) && !count.starts_with('0');
        let count = count.parse().ok().filter(|_| digits).ok_or_else(bad)?;
        let unit = match unit {
            "minute" | "minutes" => Unit::Minute,
            "hour" | "hours" => Unit::Hour,
            "day" | "days" => Unit::Day,
            _ => return Err(bad()),
        };
        let right = Self(Form::Rate(Rate { count, unit }));
        if right.to_string() == expression {
            Ok(right)
        } else {
            Err(ScheduleError::Plural { given: expression.to_owned(), right })
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Rate(rate) => rate.fmt(f),
            Form::Cron(cron) => write!(f, "cron({cron})"),
            Form::At(at) => write!(f, "at({})", at.strftime(AT)),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.when {
            When::Rate(rate) => rate.fmt(f),
            When::Cron(cron, _) => write!(f, "cron({cron})"),
            When::At(at, _) => write!(f, "at({})", at.strftime(AT)),
        }
    }
}

impl fmt::Display for Rate {
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
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(expression: &str, expected: &str) {
        let found = match expression.parse::<Expression>() {
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
            "Cron(0 9 * * ? *)",
            "cron(0 9 * * ? *",
            "0 9 * * ? *",
            "at()",
            "at(2026-01-01)",
            "at(2026-01-01T00:00)",
            "at(2026-01-01T00:00:00Z)",
            "at(2026-01-01 00:00:00)",
            "at(2026-1-1T0:0:0)",
            "at(2026-02-30T00:00:00)",
            "at(2026-01-01T24:00:00)",
            "at(+2026-01-01T00:00:00)",
        ] {
            check(
                bad,
                &format!(
                    "`{bad}` is no schedule; write it like `rate(5 minutes)`, `cron(0 9 * * ? *)` or \
                     `at(2026-01-01T00:00:00)`"
                ),
            );
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a timestamp")
    }

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).expect("a zone")
    }

    fn schedule(expression: &str, zone: TimeZone) -> Schedule {
        let expression: Expression = expression.parse().expect("an expression");
        expression.within(zone, None, None).expect("a schedule")
    }

    #[track_caller]
    fn check_rate(expression: &str, anchor: &str, after: &str, expected: &str) {
        let schedule = schedule(expression, TimeZone::UTC);
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
        let eon = schedule("rate(4294967295 days)", TimeZone::UTC);
        assert_eq!(eon.next_after(at(anchor), at(anchor)), None);
        assert_eq!(eon.next_after(Timestamp::MIN, Timestamp::MAX), None);
    }

    /// The next firings, as a clock there shows them.
    fn firings(
        expression: &str,
        zone: &TimeZone,
        mut after: Timestamp,
        count: usize,
    ) -> Vec<String> {
        let schedule = schedule(expression, zone.clone());
        let mut firings = Vec::new();
        while let Some(next) = schedule.next_after(after, after).filter(|_| firings.len() < count) {
            firings.push(next.to_zoned(zone.clone()).strftime("%a %Y-%m-%d %H:%M %:z").to_string());
            after = next;
        }
        firings
    }

    #[track_caller]
    fn check_utc(expression: &str, after: &str, expected: &[&str]) {
        let found = firings(expression, &TimeZone::UTC, at(after), expected.len());
        let found: Vec<_> = found.iter().map(|text| text.trim_end_matches(" +00:00")).collect();
        assert_eq!(found, expected, "{expression}");
    }

    /// What AWS's user guides give as examples.
    #[test]
    fn the_examples_of_the_documents_fire_when_they_say() {
        let after = "2026-11-26T12:00:00Z";
        check_utc("cron(0 10 * * ? *)", after, &["Fri 2026-11-27 10:00", "Sat 2026-11-28 10:00"]);
        check_utc("cron(15 12 * * ? *)", after, &["Thu 2026-11-26 12:15", "Fri 2026-11-27 12:15"]);
        check_utc(
            "cron(0 18 ? * MON-FRI *)",
            after,
            &["Thu 2026-11-26 18:00", "Fri 2026-11-27 18:00", "Mon 2026-11-30 18:00"],
        );
        check_utc("cron(0 8 1 * ? *)", after, &["Tue 2026-12-01 08:00", "Fri 2027-01-01 08:00"]);
        check_utc("cron(0/15 * * * ? *)", after, &["Thu 2026-11-26 12:15", "Thu 2026-11-26 12:30"]);
        check_utc(
            "cron(0/10 * ? * MON-FRI *)",
            "2026-11-27T23:45:00Z",
            &["Fri 2026-11-27 23:50", "Mon 2026-11-30 00:00"],
        );
        check_utc(
            "cron(0/5 8-17 ? * MON-FRI *)",
            "2026-11-26T17:50:00Z",
            &["Thu 2026-11-26 17:55", "Fri 2026-11-27 08:00"],
        );
        check_utc("cron(0 9 ? * 2#1 *)", after, &["Mon 2026-12-07 09:00", "Mon 2027-01-04 09:00"]);
        check_utc("cron(0 0 ? * 3#2 *)", after, &["Tue 2026-12-08 00:00", "Tue 2027-01-12 00:00"]);
        check_utc(
            "cron(15 10 ? * 6L 2022-2023)",
            "2022-10-01T00:00:00Z",
            &[
                "Fri 2022-10-28 10:15",
                "Fri 2022-11-25 10:15",
                "Fri 2022-12-30 10:15",
                "Fri 2023-01-27 10:15",
            ],
        );
        assert!(firings("cron(15 10 ? * 6L 2022-2023)", &TimeZone::UTC, at(after), 1).is_empty());
        check_utc(
            "cron(1/10 0 * * ? *)",
            "2026-11-27T00:00:00Z",
            &["Fri 2026-11-27 00:01", "Fri 2026-11-27 00:11", "Fri 2026-11-27 00:21"],
        );
        check_utc(
            "cron(0 12 3W * ? *)",
            "2026-09-30T00:00:00Z",
            &["Fri 2026-10-02 12:00", "Tue 2026-11-03 12:00"],
        );
        check_utc("cron(0 12 L * ? *)", "2028-01-31T13:00:00Z", &["Tue 2028-02-29 12:00"]);
        check_utc("cron(0 12 ? * L *)", after, &["Sat 2026-11-28 12:00", "Sat 2026-12-05 12:00"]);
        check_utc("at(2026-12-24T18:30:00)", after, &["Thu 2026-12-24 18:30"]);
        assert!(firings("at(2026-11-26T12:00:00)", &TimeZone::UTC, at(after), 1).is_empty());
    }

    #[test]
    fn what_is_nearest_to_a_day_is_in_its_month() {
        // The 1st is a Saturday; the 31st is a Sunday.
        check_utc("cron(0 0 1W AUG ? 2026)", "2026-01-01T00:00:00Z", &["Mon 2026-08-03 00:00"]);
        check_utc("cron(0 0 31W MAY ? 2026)", "2026-01-01T00:00:00Z", &["Fri 2026-05-29 00:00"]);
        check_utc("cron(0 0 31W * ? *)", "2026-03-31T00:00:00Z", &["Fri 2026-05-29 00:00"]);
        check_utc("cron(0 0 29 2 ? *)", "2096-03-01T00:00:00Z", &["Fri 2104-02-29 00:00"]);
        check_utc("cron(0 0 ? FEB SUN#5 *)", "2026-01-01T00:00:00Z", &["Sun 2032-02-29 00:00"]);
        check_utc("cron(59 23 31 12 ? 2199)", "1970-01-01T00:00:00Z", &["Tue 2199-12-31 23:59"]);
        assert!(firings("cron(0 0 30 2 ? *)", &TimeZone::UTC, Timestamp::MIN, 1).is_empty());
    }

    #[test]
    fn what_aws_documents_not_is_no_cron() {
        let check = |field: &str, bad: &str, expected: &str| {
            let place = ["minutes", "hours", "day of month", "month", "day of week", "year"];
            let place = place.iter().position(|name| *name == field).expect("a field");
            let mut fields = if field == "day of week" {
                ["0", "9", "?", "*", "*", "*"]
            } else {
                ["0", "9", "*", "*", "?", "*"]
            };
            fields[place] = bad;
            let cron = format!("cron({})", fields.join(" "));
            let error = cron.parse::<Expression>().expect_err(&cron).to_string();
            assert_eq!(error, format!("`{cron}` is no schedule of AWS: {expected}"));
        };
        let minutes = "0-59 with `,` `-` `*` `/`";
        for bad in [
            "60", "-1", "5-1", "1-", "-", ",", "1,", "0/0", "0/60", "*/", "/5", "1-2-3", "1/2/3",
            "**", "?", "L", "a", "+1", "00000", "\u{661}",
        ] {
            check("minutes", bad, &format!("`{bad}` cannot be its minutes, which is {minutes}"));
        }
        let days = "1-31 with `,` `-` `*` `/`, or `?`, `L`, or a day with `W`";
        for bad in ["0", "32", "LW", "L-3", "W", "0W", "32W", "1-5W", "1W,2", "1,L", "1#1", "MON"] {
            check(
                "day of month",
                bad,
                &format!("`{bad}` cannot be its day of month, which is {days}"),
            );
        }
        let week =
            "1-7 or SUN-SAT with `,` `-` `*`, or `?`, `L`, a day with `L`, or one as in `3#2`";
        for bad in [
            "0", "8", "mon", "Mon", "MONDAY", "FRI-MON", "2/2", "3#0", "3#6", "3#1,6#3", "#1",
            "3#", "8#1", "MON-TUEL", "1,6L",
        ] {
            check(
                "day of week",
                bad,
                &format!("`{bad}` cannot be its day of week, which is {week}"),
            );
        }
        check("hours", "24", "`24` cannot be its hours, which is 0-23 with `,` `-` `*` `/`");
        check(
            "month",
            "13",
            "`13` cannot be its month, which is 1-12 or JAN-DEC with `,` `-` `*` `/`",
        );
        check("year", "1969", "`1969` cannot be its year, which is 1970-2199 with `,` `-` `*` `/`");
        check("year", "2200", "`2200` cannot be its year, which is 1970-2199 with `,` `-` `*` `/`");
        let both = "write `?` as its day of month or as its day of week, and the days as the other";
        check("day of month", "?", both);
        check("day of week", "?", both);
        for bad in ["*", "MON", "1"] {
            let cron = format!("cron(0 9 * * {bad} *)");
            let error = cron.parse::<Expression>().expect_err(&cron).to_string();
            assert_eq!(error, format!("`{cron}` is no schedule of AWS: {both}"));
        }
        for bad in [
            "cron()",
            "cron(0 9 * * ?)",
            "cron(0 9 * * ? * *)",
            "cron(0  9 * * ?)",
            "cron(0 9 * * ? * )",
        ] {
            let error = bad.parse::<Expression>().expect_err(bad).to_string();
            assert_eq!(
                error,
                format!(
                    "`{bad}` is no schedule of AWS: it needs six fields with one space between: minutes, \
                     hours, day of month, month, day of week, year"
                )
            );
        }
    }

    /// "When time shifts forward, an invocation at a time that does not exist is skipped. When time shifts backwards, the
    /// schedule runs only once."
    #[test]
    fn clocks_that_change_skip_a_time_or_name_it_once() {
        let berlin = zone("Europe/Berlin");
        insta::assert_snapshot!(
            firings("cron(30 2 * * ? *)", &berlin, at("2026-03-27T12:00:00Z"), 3).join("\n"),
            @"
        Sat 2026-03-28 02:30 +01:00
        Mon 2026-03-30 02:30 +02:00
        Tue 2026-03-31 02:30 +02:00
        "
        );
        insta::assert_snapshot!(
            firings("cron(0/30 1-3 * * ? *)", &berlin, at("2026-10-24T22:00:00Z"), 7).join("\n"),
            @"
        Sun 2026-10-25 01:00 +02:00
        Sun 2026-10-25 01:30 +02:00
        Sun 2026-10-25 02:00 +02:00
        Sun 2026-10-25 02:30 +02:00
        Sun 2026-10-25 03:00 +01:00
        Sun 2026-10-25 03:30 +01:00
        Mon 2026-10-26 01:00 +01:00
        "
        );
        // Asked in the hour that comes twice.
        let twice = at("2026-10-25T01:10:00Z");
        assert_eq!(
            firings("cron(30 2 * * ? *)", &berlin, twice, 1),
            ["Mon 2026-10-26 02:30 +01:00"]
        );
        // A day of a rate has 24 hours.
        let day = schedule("rate(1 day)", berlin.clone());
        let began = at("2026-03-28T08:00:00Z");
        assert_eq!(day.next_after(began, began), Some(at("2026-03-29T08:00:00Z")));
        assert_eq!(
            firings("at(2026-10-25T02:30:00)", &berlin, at("2026-10-24T00:00:00Z"), 2),
            ["Sun 2026-10-25 02:30 +02:00"]
        );
        let skipped: Expression = "at(2026-03-29T02:30:00)".parse().expect("an expression");
        assert_eq!(
            skipped.within(berlin, None, None).expect_err("it never comes").to_string(),
            "`at(2026-03-29T02:30:00)` never comes in Europe/Berlin, where clocks go past it; write another time"
        );
        // This one had no 30th of December.
        let apia = zone("Pacific/Apia");
        assert_eq!(
            firings("cron(0 12 * * ? *)", &apia, at("2011-12-29T00:00:00Z"), 2),
            ["Thu 2011-12-29 12:00 -10:00", "Sat 2011-12-31 12:00 +14:00"]
        );
    }

    /// Whether a field names the value: read from the text anew, as slowly as the documents are written.
    fn names(field: &str, words: &[&str], value: i32, (first, last): (i32, i32)) -> bool {
        let number = |text: &str| match words.iter().position(|word| *word == text) {
            Some(place) => first + i32::try_from(place).expect("a small number"),
            None => text.parse().expect("a number"),
        };
        field.split(',').any(|part| {
            let (base, step) = part.split_once('/').unwrap_or((part, ""));
            let (from, to) = match base.split_once('-') {
                _ if base == "*" => (first, last),
                Some((from, to)) => (number(from), number(to)),
                None if step.is_empty() => (number(base), number(base)),
                None => (number(base), last),
            };
            let step = if step.is_empty() { 1 } else { number(step) };
            from <= value && value <= to && (value - from) % step == 0
        })
    }

    /// Whether a day of the month is one that the fields of days name.
    fn is_day(date: jiff::civil::Date, of_month: &str, of_week: &str) -> bool {
        const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
        let day = i32::from(date.day());
        let weekday = i32::from(date.weekday().to_sunday_one_offset());
        let is_same = |text: &str| names(text, &DAYS, weekday, (1, 7));
        let last = i32::from(date.days_in_month());
        if of_week == "?" {
            if of_month == "L" {
                return day == last;
            }
            if let Some(near) = of_month.strip_suffix('W') {
                // The nearest of all days from Monday to Friday, by trying them.
                let near: i8 = near.parse().expect("a day");
                let Ok(near) = date.with().day(near).build() else { return false };
                let mut workdays: Vec<_> = (1..=date.days_in_month())
                    .map(|day| date.with().day(day).build().expect("a day of the month"))
                    .filter(|date| (1..=5).contains(&date.weekday().to_monday_one_offset()))
                    .collect();
                workdays.sort_by_key(|workday| (near.day() - workday.day()).abs());
                return workdays.first() == Some(&date);
            }
            return names(of_month, &[], day, (1, 31));
        }
        match (of_week.strip_suffix('L'), of_week.split_once('#')) {
            (Some(""), _) => weekday == 7,
            (Some(of), _) => is_same(of) && last < day + 7,
            (_, Some((of, nth))) => {
                is_same(of) && (day + 6) / 7 == nth.parse::<i32>().expect("a number")
            }
            _ => is_same(of_week),
        }
    }

    /// Goes through every minute.
    fn slowly(cron: &str, zone: &TimeZone, after: Timestamp, minutes: i64) -> Option<Timestamp> {
        const MONTHS: [&str; 12] =
            ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
        let fields: Vec<&str> = cron["cron(".len()..cron.len() - 1].split(' ').collect();
        let first = after.as_second().div_euclid(60) + 1;
        (first..first + minutes).find_map(|minute| {
            let at = Timestamp::from_second(minute * 60).expect("in range");
            let shown = at.to_zoned(zone.clone());
            // The same was shown up to some hours before.
            let is_second = (1..=180).any(|before| {
                let earlier = at - SignedDuration::from_mins(before);
                earlier.to_zoned(zone.clone()).datetime() == shown.datetime()
            });
            let is_named = names(fields[0], &[], shown.minute().into(), (0, 59))
                && names(fields[1], &[], shown.hour().into(), (0, 23))
                && names(fields[3], &MONTHS, shown.month().into(), (1, 12))
                && names(fields[5], &[], shown.year().into(), (1970, 2199))
                && is_day(shown.date(), fields[2], fields[4]);
            (is_named && !is_second).then_some(at)
        })
    }

    fn list(
        values: impl Strategy<Value = String> + Clone + 'static,
    ) -> impl Strategy<Value = String> {
        prop::collection::vec(values, 1..4).prop_map(|parts| parts.join(","))
    }

    fn field(first: i32, last: i32) -> impl Strategy<Value = String> + Clone {
        let range = (first..=last).prop_flat_map(move |from| (Just(from), from..=last));
        let step = 1..=(last - first);
        prop_oneof![
            (first..=last).prop_map(|value| value.to_string()),
            range.prop_map(|(from, to)| format!("{from}-{to}")),
            Just("*".to_owned()),
            step.clone().prop_map(|step| format!("*/{step}")),
            (first..=last, step).prop_map(|(from, step)| format!("{from}/{step}")),
        ]
    }

    fn crons() -> impl Strategy<Value = String> {
        let weekday = || {
            prop::sample::select(vec![
                "1", "2", "3", "4", "5", "6", "7", "SUN", "MON", "FRI", "SAT",
            ])
        };
        let of_month = prop_oneof![
            list(field(1, 31)),
            Just("L".to_owned()),
            (1..=31).prop_map(|day| format!("{day}W")),
        ];
        let of_week = prop_oneof![
            list(weekday().prop_map(str::to_owned)),
            Just("MON-FRI".to_owned()),
            Just("L".to_owned()),
            weekday().prop_map(|day| format!("{day}L")),
            (weekday(), 1..=5).prop_map(|(day, nth)| format!("{day}#{nth}")),
        ];
        let days = prop_oneof![
            of_month.prop_map(|days| (days, "?".to_owned())),
            of_week.prop_map(|days| ("?".to_owned(), days)),
        ];
        let months =
            prop_oneof![Just("*".to_owned()), Just("MAR,OCT-DEC".to_owned()), list(field(1, 12))];
        let years = prop_oneof![3 => Just("*".to_owned()), 1 => Just("2025/2".to_owned()), 1 => Just("2020-2027".to_owned())];
        (list(field(0, 59)), list(field(0, 23)), days, months, years).prop_map(
            |(minutes, hours, (of_month, of_week), months, years)| {
                format!("cron({minutes} {hours} {of_month} {months} {of_week} {years})")
            },
        )
    }

    proptest! {
        /// The fuzz target goes further.
        #[test]
        fn any_text_is_a_schedule_or_refused(
            form in prop::sample::select(vec!["cron(", "at(", "rate(", ""]),
            text in "[0-9*?,#/LWMONFRI: T-]{0,16}( [0-9*?,/L-]{1,3}){0,6}",
            end in prop::sample::select(vec![")", ""]),
            seconds in -377_705_000_000_i64..253_402_000_000,
        ) {
            let text = format!("{form}{text}{end}");
            let expression = match text.parse::<Expression>() {
                Ok(expression) => expression,
                Err(error) => {
                    prop_assert!(!error.to_string().is_empty());
                    return Ok(());
                }
            };
            prop_assert_eq!(expression.to_string().parse(), Ok(expression.clone()));
            prop_assert_eq!(expression.to_string(), text);
            let schedule = expression.within(zone("Europe/Berlin"), None, None);
            let after = Timestamp::from_second(seconds).expect("in range");
            let next = schedule.ok().and_then(|schedule| schedule.next_after(after, after));
            prop_assert!(next.is_none_or(|next| after < next));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn a_cron_fires_at_the_first_minute_that_it_names(
            cron in crons(),
            // Half of them where clocks change: Lord Howe by half an hour, and Apia by a day.
            (name, around) in prop::sample::select(vec![
                ("UTC", 1_770_000_000_i64),
                ("Europe/Berlin", 1_774_740_000),
                ("Europe/Berlin", 1_792_880_000),
                ("America/New_York", 1_772_930_000),
                ("Australia/Lord_Howe", 1_775_310_000),
                ("Australia/Lord_Howe", 1_790_950_000),
                ("Africa/Casablanca", 1_771_110_000),
                ("Asia/Kathmandu", 1_798_700_000),
                ("Pacific/Apia", 1_325_230_000),
            ]),
            seconds in -200_000_i64..20_000,
        ) {
            const MINUTES: i64 = 3 * 24 * 60;
            let zone = zone(name);
            let after = Timestamp::from_second(around + seconds).expect("in range");
            let fast = schedule(&cron, zone.clone()).next_after(after, after);
            let limit = Timestamp::from_second((after.as_second().div_euclid(60) + MINUTES) * 60).expect("in range");
            let slow = slowly(&cron, &zone, after, MINUTES);
            prop_assert_eq!(fast.filter(|fast| *fast <= limit), slow, "{} in {} after {}", cron, name, after);
        }
    }
}
