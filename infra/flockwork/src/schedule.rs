//! When an `EventBridge` Scheduler expression fires: `rate(...)` and `cron(...)`.
//!
//! Knows what AWS documents about them and nothing of clocks, timers or what is started. A local
//! time of a `cron` that daylight saving skips does not fire; one that happens twice fires once,
//! the first time.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime},
    tz::{AmbiguousOffset, TimeZone},
};
use std::fmt;

/// A recurring schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// At a fixed distance from the first firing.
    Rate(Rate),
    /// By the calendar of a time zone.
    Cron(Cron),
}

/// A `rate(...)`: a positive number of minutes, hours or days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    count: u32,
    unit: Unit,
}

/// A `cron(...)` of six fields, in a time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    fields: String,
    // All sorted, without repeats and not empty.
    minutes: Vec<i16>,
    hours: Vec<i16>,
    days: Days,
    months: Vec<i16>,
    years: Vec<i16>,
    time_zone: TimeZone,
}

/// Why an expression is not a schedule that can be run here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Neither of the forms.
    #[error("`{0}` is not a schedule; write `rate(5 minutes)` or `cron(0 9 * * ? *)`")]
    Form(String),
    /// An `at(...)`.
    #[error("`{0}` fires only once, which the local run cannot do; write a `rate` or a `cron`")]
    Once(String),
    /// A `rate` without a number and a unit.
    #[error("`{0}` is not a rate; write a whole number from 1 and a unit, as in `rate(5 minutes)`")]
    Rate(String),
    /// A `rate` whose unit has the wrong number, which AWS refuses.
    #[error("AWS refuses `{given}`; write `{right}`")]
    Plural {
        /// As written.
        given: String,
        /// As AWS wants it.
        right: Rate,
    },
    /// A `cron` with more or fewer fields.
    #[error("`{given}` has {count} fields; write minutes, hours, day, month, day of week, year")]
    Fields {
        /// As written.
        given: String,
        /// How many.
        count: usize,
    },
    /// Both days given, or neither.
    #[error("`{0}` must have `?` as one of day of month and day of week, and a value as the other")]
    Days(String),
    /// What AWS knows and this does not.
    #[error(
        "`{value}` as {field} is something the local run cannot do; write numbers, lists or ranges"
    )]
    Unsupported {
        /// The name of the field.
        field: &'static str,
        /// As written.
        value: String,
    },
    /// Not a value of its field.
    #[error("`{value}` is not a {field}; write {allowed}, in lists, ranges or steps")]
    Value {
        /// The name of the field.
        field: &'static str,
        /// As written.
        value: String,
        /// What may be written.
        allowed: &'static str,
    },
    /// Such as the 30th of February.
    #[error("`{0}` never fires; no date is like that")]
    Never(String),
    /// Not in the time zone database.
    #[error("`{0}` is not a time zone; write a name of the IANA database, as in `Europe/Berlin`")]
    TimeZone(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Minute,
    Hour,
    Day,
}

/// AWS wants exactly one of the two, and `?` for the other.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Days {
    OfMonth(Vec<i16>),
    /// 1 is Sunday.
    OfWeek(Vec<i16>),
}

/// What one field of a `cron` may hold.
struct Field {
    name: &'static str,
    allowed: &'static str,
    min: i16,
    max: i16,
    /// Names of the values from `min` on.
    names: &'static [&'static str],
    steps: bool,
}

const MINUTES: Field =
    Field { name: "minute", allowed: "0 to 59", min: 0, max: 59, names: &[], steps: true };
const HOURS: Field =
    Field { name: "hour", allowed: "0 to 23", min: 0, max: 23, names: &[], steps: true };
const DAYS_OF_MONTH: Field =
    Field { name: "day of month", allowed: "1 to 31", min: 1, max: 31, names: &[], steps: true };
const MONTHS: Field = Field {
    name: "month",
    allowed: "1 to 12 or JAN to DEC",
    min: 1,
    max: 12,
    names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    steps: true,
};
// AWS documents no steps for it.
const DAYS_OF_WEEK: Field = Field {
    name: "day of week",
    allowed: "1 (Sunday) to 7 or SUN to SAT",
    min: 1,
    max: 7,
    names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
    steps: false,
};
const YEARS: Field =
    Field { name: "year", allowed: "1970 to 2199", min: 1970, max: 2199, names: &[], steps: true };

impl Schedule {
    /// Parses an expression. The time zone is UTC if none is given; a `rate` has no use for it.
    pub fn parse(expression: &str, time_zone: Option<&str>) -> Result<Self, ScheduleError> {
        let time_zone = time_zone.map_or(Ok(TimeZone::UTC), parse_time_zone)?;
        let inside = |form: &str| expression.strip_prefix(form)?.strip_suffix(')');
        if let Some(text) = inside("rate(") {
            Rate::parse(expression, text).map(Self::Rate)
        } else if let Some(fields) = inside("cron(") {
            Cron::parse(expression, fields, time_zone).map(Self::Cron)
        } else if inside("at(").is_some() {
            Err(ScheduleError::Once(expression.to_owned()))
        } else {
            Err(ScheduleError::Form(expression.to_owned()))
        }
    }

    /// The first firing strictly after `after`; none when there will be none.
    ///
    /// A rate fires at `anchor` and at every whole multiple of its distance after it, as AWS does
    /// when a schedule is created without a start date. A cron has no use for `anchor`.
    pub fn next_after(&self, anchor: Timestamp, after: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Rate(rate) => rate.next_after(anchor, after),
            Self::Cron(cron) => cron.next_after(after),
        }
    }
}

/// The expression, without the time zone.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rate(rate) => rate.fmt(f),
            Self::Cron(cron) => cron.fmt(f),
        }
    }
}

impl Rate {
    /// Time from one firing to the next: one minute or more.
    pub fn every(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.count) * self.unit.seconds())
    }

    fn parse(expression: &str, text: &str) -> Result<Self, ScheduleError> {
        let bad = || ScheduleError::Rate(expression.to_owned());
        let (count, unit) = text.split_once(' ').ok_or_else(bad)?;
        let digits = count.bytes().all(|byte| byte.is_ascii_digit()) && !count.starts_with('0');
        let count = count.parse().ok().filter(|_| digits).ok_or_else(bad)?;
        let rate = Self { count, unit: Unit::parse(unit).ok_or_else(bad)? };
        if rate.to_string() == expression {
            Ok(rate)
        } else {
            Err(ScheduleError::Plural { given: expression.to_owned(), right: rate })
        }
    }

    fn next_after(&self, anchor: Timestamp, after: Timestamp) -> Option<Timestamp> {
        if after < anchor {
            return Some(anchor);
        }
        let every = self.every().as_nanos();
        let passed = after.as_nanosecond() - anchor.as_nanosecond();
        Timestamp::from_nanosecond(anchor.as_nanosecond() + (passed / every + 1) * every).ok()
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
    fn parse(text: &str) -> Option<Self> {
        match text {
            "minute" | "minutes" => Some(Self::Minute),
            "hour" | "hours" => Some(Self::Hour),
            "day" | "days" => Some(Self::Day),
            _ => None,
        }
    }

    /// A day is 24 hours, also when the clocks change.
    fn seconds(self) -> i64 {
        match self {
            Self::Minute => 60,
            Self::Hour => 60 * 60,
            Self::Day => 24 * 60 * 60,
        }
    }
}

impl Cron {
    /// The time zone whose calendar counts.
    pub fn time_zone(&self) -> &TimeZone {
        &self.time_zone
    }

    fn parse(expression: &str, fields: &str, zone: TimeZone) -> Result<Self, ScheduleError> {
        let parts: Vec<&str> = fields.split_whitespace().collect();
        let [minutes, hours, day_of_month, month, day_of_week, years] = parts[..] else {
            let given = expression.to_owned();
            return Err(ScheduleError::Fields { given, count: parts.len() });
        };
        let days = match (day_of_month, day_of_week) {
            ("?", "?") => return Err(ScheduleError::Days(expression.to_owned())),
            (_, "?") => Days::OfMonth(DAYS_OF_MONTH.parse(day_of_month)?),
            ("?", _) => Days::OfWeek(DAYS_OF_WEEK.parse(day_of_week)?),
            (_, _) => return Err(ScheduleError::Days(expression.to_owned())),
        };
        let cron = Self {
            fields: parts.join(" "),
            minutes: MINUTES.parse(minutes)?,
            hours: HOURS.parse(hours)?,
            days,
            months: MONTHS.parse(month)?,
            years: YEARS.parse(years)?,
            time_zone: zone,
        };
        // Two days before the first year that can be written, wherever on earth.
        let before_all = Timestamp::UNIX_EPOCH - SignedDuration::from_hours(48);
        match cron.next_after(before_all) {
            Some(_) => Ok(cron),
            None => Err(ScheduleError::Never(expression.to_owned())),
        }
    }

    fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let local = self.time_zone.to_datetime(after);
        let mut date = self.first_date(local.date())?;
        loop {
            // Of its own date, what is before `local` has passed.
            let from = if date == local.date() { (local.hour(), local.minute()) } else { (0, 0) };
            for hour in narrow(&self.hours) {
                for minute in narrow(&self.minutes).filter(|minute| (hour, *minute) >= from) {
                    let instant = self.instant(date.at(hour, minute, 0, 0));
                    // In the second pass of an hour that happens twice, its times have passed.
                    if instant.is_some_and(|instant| instant > after) {
                        return instant;
                    }
                }
            }
            date = self.first_date(date.tomorrow().ok()?)?;
        }
    }

    /// The first date from `date` on that matches.
    fn first_date(&self, mut date: Date) -> Option<Date> {
        loop {
            let year = *self.years.iter().find(|year| **year >= date.year())?;
            if year > date.year() {
                date = Date::new(year, 1, 1).ok()?;
            }
            if !self.months.contains(&i16::from(date.month())) {
                date = date.last_of_month().tomorrow().ok()?;
            } else if self.days.contain(date) {
                return Some(date);
            } else {
                date = date.tomorrow().ok()?;
            }
        }
    }

    fn instant(&self, local: DateTime) -> Option<Timestamp> {
        let offset = match self.time_zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Fold { before, .. } => before,
            AmbiguousOffset::Gap { .. } => return None,
        };
        offset.to_timestamp(local).ok()
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cron({})", self.fields)
    }
}

impl Days {
    fn contain(&self, date: Date) -> bool {
        match self {
            Self::OfMonth(days) => days.contains(&i16::from(date.day())),
            Self::OfWeek(days) => days.contains(&i16::from(date.weekday().to_sunday_one_offset())),
        }
    }
}

impl Field {
    /// The values that a field stands for, sorted.
    fn parse(&self, text: &str) -> Result<Vec<i16>, ScheduleError> {
        let value = || text.to_owned();
        // No name of a day of the week begins with `L`, or ends in `L` or `W`.
        let special =
            |part: &str| part.contains('#') || part.starts_with('L') || part.ends_with(['L', 'W']);
        let is_day = self.name.starts_with("day");
        if is_day && text.split(',').any(special) {
            return Err(ScheduleError::Unsupported { field: self.name, value: value() });
        }
        let bad =
            || ScheduleError::Value { field: self.name, value: value(), allowed: self.allowed };
        // A `*` beside other values says nothing, so it is a slip.
        if text.contains(',') && text.contains('*') {
            return Err(bad());
        }
        let mut values = Vec::new();
        for part in text.split(',') {
            values.extend(self.part(part).ok_or_else(bad)?);
        }
        values.sort_unstable();
        values.dedup();
        Ok(values)
    }

    /// The values of one part of a list.
    fn part(&self, part: &str) -> Option<impl Iterator<Item = i16>> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) if self.steps => (range, Some(number(step)?)),
            Some(_) => return None,
            None => (part, None),
        };
        let (first, last) = match (range.split_once('-'), step) {
            _ if range == "*" => (self.min, self.max),
            (Some((first, last)), _) => (self.value(first)?, self.value(last)?),
            (None, Some(_)) => (self.value(range)?, self.max),
            (None, None) => (self.value(range)?, self.value(range)?),
        };
        let step = step.unwrap_or(1);
        // A step as long as the field would never take a second value, so it is a slip.
        let fits = first <= last && (1..=self.max - self.min).contains(&step);
        fits.then(|| (first..=last).step_by(usize::from(step.unsigned_abs())))
    }

    fn value(&self, text: &str) -> Option<i16> {
        let named = || self.min.checked_add(index(self.names, text)?);
        let value = number(text).or_else(named)?;
        (self.min..=self.max).contains(&value).then_some(value)
    }
}

fn index(names: &[&str], name: &str) -> Option<i16> {
    names.iter().position(|known| *known == name)?.try_into().ok()
}

/// Digits only: `parse` alone would take a sign.
fn number(text: &str) -> Option<i16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Hours and minutes, as `jiff` wants them.
fn narrow(values: &[i16]) -> impl Iterator<Item = i8> {
    values.iter().filter_map(|value| i8::try_from(*value).ok())
}

fn parse_time_zone(name: &str) -> Result<TimeZone, ScheduleError> {
    let known = TimeZone::get(name).ok();
    // `get` does not mind the case; AWS does. It also knows one name for "no such zone".
    known
        .filter(|zone| zone.iana_name() == Some(name) && !zone.is_unknown())
        .ok_or_else(|| ScheduleError::TimeZone(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expression: &str, expected: &str) {
        let found = match Schedule::parse(expression, None) {
            Ok(schedule) => schedule.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{expression:?}");
    }

    #[test]
    fn rates_are_parsed() {
        for good in ["rate(1 minute)", "rate(1 hour)", "rate(1 day)", "rate(2 minutes)"] {
            check(good, good);
        }
        for good in ["rate(36 hours)", "rate(7 days)", "rate(4294967295 days)"] {
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
        ] {
            check(
                bad,
                &format!(
                    "`{bad}` is not a rate; write a whole number from 1 and a unit, as in `rate(5 minutes)`"
                ),
            );
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for bad in [
            "",
            "5 minutes",
            "every(5 minutes)",
            "Rate(1 minute)",
            " rate(1 minute)",
            "rate(1 minute",
            "rate",
        ] {
            check(
                bad,
                &format!(
                    "`{bad}` is not a schedule; write `rate(5 minutes)` or `cron(0 9 * * ? *)`"
                ),
            );
        }
        check(
            "at(2026-01-01T00:00:00)",
            "`at(2026-01-01T00:00:00)` fires only once, which the local run cannot do; write a `rate` or a `cron`",
        );
    }

    #[test]
    fn crons_are_parsed() {
        for good in [
            "cron(* * * * ? *)",
            "cron(0 9 * * ? *)",
            "cron(0/15 8-17 ? * MON-FRI *)",
            "cron(*/5 * * * ? *)",
            "cron(0,30 0 1,15 JAN,JUL ? 2026-2030)",
            "cron(0 10 ? * 2 2026/2)",
            "cron(10-50/20 * 29 2 ? *)",
        ] {
            check(good, good);
        }
        check("cron(0   9 * *  ? *)", "cron(0 9 * * ? *)");
        check(
            "cron(0 9 * * ?)",
            "`cron(0 9 * * ?)` has 5 fields; write minutes, hours, day, month, day of week, year",
        );
        check(
            "cron()",
            "`cron()` has 0 fields; write minutes, hours, day, month, day of week, year",
        );
        for bad in ["cron(0 9 * * * *)", "cron(0 9 ? * ? *)", "cron(0 9 1 * MON *)"] {
            check(
                bad,
                &format!(
                    "`{bad}` must have `?` as one of day of month and day of week, and a value as the other"
                ),
            );
        }
        check("cron(0 0 30 2 ? *)", "`cron(0 0 30 2 ? *)` never fires; no date is like that");
        check("cron(0 0 29 2 ? 2027)", "`cron(0 0 29 2 ? 2027)` never fires; no date is like that");
    }

    #[track_caller]
    fn check_field(expression: &str, value: &str, field: &str, allowed: &str) {
        check(
            expression,
            &format!("`{value}` is not a {field}; write {allowed}, in lists, ranges or steps"),
        );
    }

    #[test]
    fn wrong_fields_are_named() {
        for bad in [
            "60", "-1", "+1", "x", "", "1,", "*,5", "5-1", "1-", "0/0", "0/60", "*/x", "?", "5#1",
            "L",
        ] {
            if !bad.is_empty() {
                check_field(&format!("cron({bad} 0 * * ? *)"), bad, "minute", "0 to 59");
            }
        }
        check_field("cron(0 24 * * ? *)", "24", "hour", "0 to 23");
        check_field("cron(0 0 0 * ? *)", "0", "day of month", "1 to 31");
        check_field("cron(0 0 32 * ? *)", "32", "day of month", "1 to 31");
        check_field("cron(0 0 1 13 ? *)", "13", "month", "1 to 12 or JAN to DEC");
        check_field("cron(0 0 1 Jan ? *)", "Jan", "month", "1 to 12 or JAN to DEC");
        check_field("cron(0 0 ? * 0 *)", "0", "day of week", "1 (Sunday) to 7 or SUN to SAT");
        check_field("cron(0 0 ? * 8 *)", "8", "day of week", "1 (Sunday) to 7 or SUN to SAT");
        check_field(
            "cron(0 0 ? * FRI-MON *)",
            "FRI-MON",
            "day of week",
            "1 (Sunday) to 7 or SUN to SAT",
        );
        check_field("cron(0 0 ? * 2/2 *)", "2/2", "day of week", "1 (Sunday) to 7 or SUN to SAT");
        check_field("cron(0 0 1 * ? 1969)", "1969", "year", "1970 to 2199");
        check_field("cron(0 0 1 * ? 99999)", "99999", "year", "1970 to 2199");
    }

    #[test]
    fn what_only_aws_can_do_is_said() {
        for (expression, value, field) in [
            ("cron(0 0 L * ? *)", "L", "day of month"),
            ("cron(0 0 15W * ? *)", "15W", "day of month"),
            ("cron(0 0 LW * ? *)", "LW", "day of month"),
            ("cron(0 0 ? * 6L *)", "6L", "day of week"),
            ("cron(0 0 ? * FRI#2 *)", "FRI#2", "day of week"),
        ] {
            check(
                expression,
                &format!(
                    "`{value}` as {field} is something the local run cannot do; write numbers, lists or ranges"
                ),
            );
        }
    }

    #[test]
    fn time_zones_are_checked() {
        let zone = |name| Schedule::parse("cron(0 9 * * ? *)", Some(name)).map(drop);
        for good in ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"] {
            assert_eq!(zone(good), Ok(()), "{good}");
        }
        for bad in ["", "Europe/Atlantis", "europe/berlin", "+02:00", "Etc/Unknown", "CET-1CEST"] {
            assert_eq!(zone(bad), Err(ScheduleError::TimeZone(bad.to_owned())), "{bad}");
        }
        assert_eq!(
            Schedule::parse("rate(1 day)", Some("Mars")).map_err(|error| error.to_string()),
            Err("`Mars` is not a time zone; write a name of the IANA database, as in `Europe/Berlin`".into())
        );
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a timestamp")
    }

    #[track_caller]
    fn check_rate(expression: &str, anchor: &str, after: &str, expected: &str) {
        let schedule = Schedule::parse(expression, None).expect("a schedule");
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
        let eon = Schedule::parse("rate(4294967295 days)", None).expect("a schedule");
        assert_eq!(eon.next_after(at(anchor), at(anchor)), None);
        assert_eq!(eon.next_after(Timestamp::MIN, Timestamp::MAX), None);
    }

    /// Fires of a cron after a moment, as local times with their offsets.
    #[track_caller]
    fn check_cron(expression: &str, zone: &str, after: &str, expected: &[&str]) {
        let schedule = Schedule::parse(expression, Some(zone)).expect("a schedule");
        let time_zone = TimeZone::get(zone).expect("a time zone");
        let mut now = at(after);
        for expected in expected {
            now = schedule.next_after(Timestamp::UNIX_EPOCH, now).expect("it fires");
            let local = now.to_zoned(time_zone.clone()).strftime("%Y-%m-%d %a %H:%M:%S %:z");
            assert_eq!(local.to_string(), *expected, "{expression} in {zone} after {after}");
        }
    }

    #[test]
    fn a_cron_follows_the_calendar() {
        check_cron(
            "cron(*/20 9-10 * * ? *)",
            "UTC",
            "2026-03-01T09:39:59.5Z",
            &[
                "2026-03-01 Sun 09:40:00 +00:00",
                "2026-03-01 Sun 10:00:00 +00:00",
                "2026-03-01 Sun 10:20:00 +00:00",
                "2026-03-01 Sun 10:40:00 +00:00",
                "2026-03-02 Mon 09:00:00 +00:00",
            ],
        );
        // Strictly after.
        check_cron(
            "cron(0 9 * * ? *)",
            "UTC",
            "2026-03-01T09:00:00Z",
            &["2026-03-02 Mon 09:00:00 +00:00"],
        );
        check_cron(
            "cron(0 18 ? * MON-FRI *)",
            "UTC",
            "2026-03-06T18:00:00Z",
            &["2026-03-09 Mon 18:00:00 +00:00"],
        );
        // 1 is Sunday, unlike Unix.
        check_cron(
            "cron(0 0 ? * 1 *)",
            "UTC",
            "2026-03-06T18:00:00Z",
            &["2026-03-08 Sun 00:00:00 +00:00", "2026-03-15 Sun 00:00:00 +00:00"],
        );
        check_cron(
            "cron(0 0 31 * ? *)",
            "UTC",
            "2026-01-31T00:00:00Z",
            &["2026-03-31 Tue 00:00:00 +00:00", "2026-05-31 Sun 00:00:00 +00:00"],
        );
        check_cron(
            "cron(5 4 29 FEB ? *)",
            "UTC",
            "2026-01-01T00:00:00Z",
            &["2028-02-29 Tue 04:05:00 +00:00", "2032-02-29 Sun 04:05:00 +00:00"],
        );
        check_cron(
            "cron(0 0 1 JAN,JUN ? 2030/100)",
            "UTC",
            "2026-01-01T00:00:00Z",
            &[
                "2030-01-01 Tue 00:00:00 +00:00",
                "2030-06-01 Sat 00:00:00 +00:00",
                "2130-01-01 Sun 00:00:00 +00:00",
            ],
        );
        check_cron(
            "cron(0 9 * * ? *)",
            "Asia/Kathmandu",
            "2026-03-01T00:00:00Z",
            &["2026-03-01 Sun 09:00:00 +05:45"],
        );
        let past = Schedule::parse("cron(0 0 1 1 ? 2020)", None).expect("a schedule");
        assert_eq!(past.next_after(Timestamp::UNIX_EPOCH, at("2020-01-01T00:00:00Z")), None);
        assert_eq!(past.next_after(Timestamp::UNIX_EPOCH, Timestamp::MAX), None);
        let first = past.next_after(Timestamp::UNIX_EPOCH, Timestamp::MIN);
        assert_eq!(first, Some(at("2020-01-01T00:00:00Z")));
    }

    #[test]
    fn a_local_time_that_is_skipped_does_not_fire() {
        check_cron(
            "cron(30 2 * * ? *)",
            "Europe/Berlin",
            "2026-03-27T12:00:00Z",
            &["2026-03-28 Sat 02:30:00 +01:00", "2026-03-30 Mon 02:30:00 +02:00"],
        );
        check_cron(
            "cron(0/30 * * * ? *)",
            "Europe/Berlin",
            "2026-03-29T00:15:00Z",
            &["2026-03-29 Sun 01:30:00 +01:00", "2026-03-29 Sun 03:00:00 +02:00"],
        );
        let gone = Schedule::parse("cron(30 2 29 3 ? 2026)", Some("Europe/Berlin"));
        assert!(matches!(gone, Err(ScheduleError::Never(_))), "{gone:?}");
    }

    #[test]
    fn a_local_time_that_happens_twice_fires_once() {
        check_cron(
            "cron(30 2 * * ? *)",
            "Europe/Berlin",
            "2026-10-24T12:00:00Z",
            &["2026-10-25 Sun 02:30:00 +02:00", "2026-10-26 Mon 02:30:00 +01:00"],
        );
        // Asked within the second pass.
        check_cron(
            "cron(0/15 * * * ? *)",
            "Europe/Berlin",
            "2026-10-25T01:20:00Z",
            &["2026-10-25 Sun 03:00:00 +01:00"],
        );
        check_cron(
            "cron(0/30 * * * ? *)",
            "Europe/Berlin",
            "2026-10-25T00:00:00Z",
            &["2026-10-25 Sun 02:30:00 +02:00", "2026-10-25 Sun 03:00:00 +01:00"],
        );
        // At midnight the second pass lies on the day before.
        check_cron(
            "cron(0/30 * * * ? *)",
            "America/Havana",
            "2026-11-01T03:45:00Z",
            &[
                "2026-11-01 Sun 00:00:00 -04:00",
                "2026-11-01 Sun 00:30:00 -04:00",
                "2026-11-01 Sun 01:00:00 -05:00",
            ],
        );
    }

    /// Compared with asking every single minute of days around every kind of change.
    #[test]
    fn a_cron_finds_the_same_as_looking_at_every_minute() {
        let zones = [
            ("UTC", "2026-02-27T00:00:00Z"),
            ("Europe/Berlin", "2026-03-28T00:00:00Z"),
            ("Europe/Berlin", "2026-10-24T00:00:00Z"),
            ("Australia/Lord_Howe", "2026-04-04T00:00:00Z"),
            ("America/Sao_Paulo", "2018-02-17T00:00:00Z"),
            ("Pacific/Apia", "2011-12-29T00:00:00Z"),
        ];
        let expressions = ["cron(*/7 * * * ? *)", "cron(45 0-3 * * ? *)", "cron(0 0 ? * SUN *)"];
        for (zone, start) in zones {
            for expression in expressions {
                let schedule = Schedule::parse(expression, Some(zone)).expect("a schedule");
                let Schedule::Cron(cron) = &schedule else { panic!("a cron") };
                let minutes = || (0..3 * 24 * 60).map(SignedDuration::from_mins);
                let mut seen = std::collections::BTreeSet::new();
                let brute: Vec<Timestamp> = minutes()
                    .map(|minutes| at(start) + minutes)
                    .filter(|now| {
                        let local = cron.time_zone.to_datetime(*now);
                        seen.insert(local)
                            && cron.minutes.contains(&i16::from(local.minute()))
                            && cron.hours.contains(&i16::from(local.hour()))
                            && cron.days.contain(local.date())
                    })
                    .collect();
                let mut found = Vec::new();
                let mut now = at(start) - SignedDuration::from_nanos(1);
                let end = at(start) + SignedDuration::from_hours(72);
                while let Some(next) = schedule.next_after(now, now).filter(|next| *next < end) {
                    found.push(next);
                    now = next;
                }
                assert_eq!(found, brute, "{expression} in {zone}");
                for minutes in minutes() {
                    let now = at(start) + minutes;
                    let next = schedule.next_after(now, now).filter(|next| *next < end);
                    assert_eq!(
                        next,
                        brute.iter().copied().find(|fire| *fire > now),
                        "{now} {zone}"
                    );
                }
            }
        }
    }
}
