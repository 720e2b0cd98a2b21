//! Which minutes a `cron(...)` of `EventBridge` Scheduler names.
//!
//! What AWS documents, and no more (<https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>, read
//! 2026-11): six fields; a day of the month or of the week, and `?` for the other; `L`, `W` and `#`. What other crons
//! take besides is refused, because it is not known what AWS makes of it. Knows nothing of timers and of what is started.

use std::{fmt, str::FromStr};

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::{AmbiguousOffset, TimeZone},
};

/// The six fields, between the brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cron {
    /// As it was written.
    text: String,
    minutes: Vec<i16>,
    hours: Vec<i16>,
    months: Vec<i16>,
    days: Days,
    years: Vec<i16>,
}

/// Days of a month. Weekdays go from 1 for Sunday to 7.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Days {
    OfMonth(Vec<i16>),
    LastOfMonth,
    /// The one from Monday to Friday of the same month that is nearest to this day of the month.
    Workday(i16),
    OfWeek(Vec<i16>),
    LastOfWeekday(i16),
    NthOfWeekday(i16, i16),
}

/// Why a text is no [`Cron`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// Not six fields.
    #[error(
        "it needs six fields with one space between: minutes, hours, day of month, month, day of week, year"
    )]
    Fields,
    /// A field that says what it cannot say.
    #[error("`{given}` cannot be its {field}, which is {allowed}")]
    Field {
        /// As written.
        given: String,
        /// Which field it is.
        field: &'static str,
        /// What AWS documents.
        allowed: &'static str,
    },
    /// Both fields of days are given, or none is.
    #[error("write `?` as its day of month or as its day of week, and the days as the other")]
    Days,
}

/// What a field may hold.
struct Field {
    name: &'static str,
    first: i16,
    last: i16,
    /// For the values from the first on.
    names: &'static [&'static str],
    /// Whether `/` may stand there.
    steps: bool,
    allowed: &'static str,
}

const MINUTES: Field = Field {
    name: "minutes",
    first: 0,
    last: 59,
    names: &[],
    steps: true,
    allowed: "0-59 with `,` `-` `*` `/`",
};

const HOURS: Field = Field {
    name: "hours",
    first: 0,
    last: 23,
    names: &[],
    steps: true,
    allowed: "0-23 with `,` `-` `*` `/`",
};

const DAYS_OF_MONTH: Field = Field {
    name: "day of month",
    first: 1,
    last: 31,
    names: &[],
    steps: true,
    allowed: "1-31 with `,` `-` `*` `/`, or `?`, `L`, or a day with `W`",
};

const MONTHS: Field = Field {
    name: "month",
    first: 1,
    last: 12,
    names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    steps: true,
    allowed: "1-12 or JAN-DEC with `,` `-` `*` `/`",
};

const DAYS_OF_WEEK: Field = Field {
    name: "day of week",
    first: 1,
    last: 7,
    names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
    steps: false,
    allowed: "1-7 or SUN-SAT with `,` `-` `*`, or `?`, `L`, a day with `L`, or one as in `3#2`",
};

const YEARS: Field = Field {
    name: "year",
    first: 1970,
    last: 2199,
    names: &[],
    steps: true,
    allowed: "1970-2199 with `,` `-` `*` `/`",
};

impl Cron {
    /// The first minute strictly after `after` whose name in `zone` is one of these.
    ///
    /// A time that a clock change leaves out is none, and of one that comes twice it is the first, as AWS has it.
    pub(crate) fn next_after(&self, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
        let from = after.to_zoned(zone.clone()).date();
        self.dates_from(from).find_map(|date| {
            let hours = self.hours.iter();
            let mut times =
                hours.flat_map(|hour| self.minutes.iter().map(move |minute| (hour, minute)));
            times.find_map(|(hour, minute)| {
                let [hour, minute] = [hour, minute].map(|part| i8::try_from(*part).ok());
                let time = Time::new(hour?, minute?, 0, 0).ok()?;
                first_instant(zone, date.to_datetime(time)).filter(|at| after < *at)
            })
        })
    }

    /// Its days from this one on.
    fn dates_from(&self, from: Date) -> impl Iterator<Item = Date> {
        let years = self.years.iter().copied().filter(move |year| from.year() <= *year);
        let firsts = years.flat_map(|year| {
            let months = self.months.iter().filter_map(|month| i8::try_from(*month).ok());
            months.filter_map(move |month| Date::new(year, month, 1).ok())
        });
        let months = firsts.filter(move |first| from.first_of_month() <= *first);
        months.flat_map(|first| self.days.of_month(first)).filter(move |date| from <= *date)
    }
}

impl Days {
    /// Those of the month that begins with `first`, in their order.
    fn of_month(&self, first: Date) -> Vec<Date> {
        let last = first.days_in_month();
        let all = || (1..=last).filter_map(|day| first.with().day(day).build().ok());
        match self {
            Self::OfMonth(days) => all().filter(|date| days.contains(&date.day().into())).collect(),
            Self::LastOfMonth => vec![first.last_of_month()],
            Self::Workday(day) => {
                all().find(|date| i16::from(date.day()) == *day).map(workday).into_iter().collect()
            }
            Self::OfWeek(days) => all().filter(|date| days.contains(&weekday(*date))).collect(),
            Self::LastOfWeekday(day) => {
                all().rfind(|date| weekday(*date) == *day).into_iter().collect()
            }
            Self::NthOfWeekday(day, nth) => {
                let mut those = all().filter(|date| weekday(*date) == *day);
                let before = usize::try_from(*nth - 1).unwrap_or_default();
                those.nth(before).into_iter().collect()
            }
        }
    }
}

/// 1 for Sunday to 7 for Saturday.
fn weekday(date: Date) -> i16 {
    date.weekday().to_sunday_one_offset().into()
}

/// The day itself, or its nearest neighbour from Monday to Friday that is in the same month.
fn workday(date: Date) -> Date {
    let by = |days: i64| date.saturating_add(jiff::Span::new().days(days));
    match weekday(date) {
        7 if date.day() == 1 => by(2),
        7 => by(-1),
        1 if date.day() == date.days_in_month() => by(-2),
        1 => by(1),
        _ => date,
    }
}

/// When a clock in `zone` shows this for the first time; none where it goes past it.
pub(crate) fn first_instant(zone: &TimeZone, shown: jiff::civil::DateTime) -> Option<Timestamp> {
    let found = zone.to_ambiguous_timestamp(shown);
    match found.offset() {
        AmbiguousOffset::Gap { .. } => None,
        AmbiguousOffset::Unambiguous { .. } | AmbiguousOffset::Fold { .. } => found.earlier().ok(),
    }
}

impl FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        let fields: Vec<&str> = text.split(' ').collect();
        if fields.contains(&"") {
            return Err(CronError::Fields);
        }
        let Ok([minutes, hours, of_month, month, of_week, year]) = <[&str; 6]>::try_from(fields)
        else {
            return Err(CronError::Fields);
        };
        let days = match (of_month, of_week) {
            ("?", "?") => return Err(CronError::Days),
            (of_month, "?") => days_of_month(of_month)?,
            ("?", of_week) => days_of_week(of_week)?,
            (of_month, of_week) => {
                // What is wrong in one of them is said first.
                days_of_month(of_month)?;
                days_of_week(of_week)?;
                return Err(CronError::Days);
            }
        };
        Ok(Self {
            text: text.to_owned(),
            minutes: MINUTES.values(minutes)?,
            hours: HOURS.values(hours)?,
            days,
            months: MONTHS.values(month)?,
            years: YEARS.values(year)?,
        })
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn days_of_month(text: &str) -> Result<Days, CronError> {
    let day = |text| DAYS_OF_MONTH.value(text);
    Ok(match text {
        "L" => Days::LastOfMonth,
        _ => match text.strip_suffix('W').map(day) {
            Some(day) => Days::Workday(day.ok_or_else(|| DAYS_OF_MONTH.refuse(text))?),
            None => Days::OfMonth(DAYS_OF_MONTH.values(text)?),
        },
    })
}

fn days_of_week(text: &str) -> Result<Days, CronError> {
    let day = |of: &str| DAYS_OF_WEEK.value(of).ok_or_else(|| DAYS_OF_WEEK.refuse(text));
    if text == "L" {
        // The last day of the week.
        return Ok(Days::OfWeek(vec![DAYS_OF_WEEK.last]));
    }
    if let Some(of) = text.strip_suffix('L') {
        return Ok(Days::LastOfWeekday(day(of)?));
    }
    if let Some((of, nth)) = text.split_once('#') {
        let nth = number(nth).filter(|nth| (1..=5).contains(nth));
        return Ok(Days::NthOfWeekday(day(of)?, nth.ok_or_else(|| DAYS_OF_WEEK.refuse(text))?));
    }
    Ok(Days::OfWeek(DAYS_OF_WEEK.values(text)?))
}

impl Field {
    /// All values that a list of values, ranges and steps names, in order.
    fn values(&self, text: &str) -> Result<Vec<i16>, CronError> {
        let mut values = Vec::new();
        for part in text.split(',') {
            values.extend(self.part(part).ok_or_else(|| self.refuse(text))?);
        }
        values.sort_unstable();
        values.dedup();
        Ok(values)
    }

    fn part(&self, text: &str) -> Option<impl Iterator<Item = i16> + use<>> {
        let (base, step) = match text.split_once('/') {
            Some((base, step)) => {
                let most = self.last - self.first;
                (base, Some(number(step).filter(|step| self.steps && (1..=most).contains(step))?))
            }
            None => (text, None),
        };
        let (from, to) = match base.split_once('-') {
            Some((from, to)) => (self.value(from)?, self.value(to)?),
            None if base == "*" => (self.first, self.last),
            None => {
                let from = self.value(base)?;
                // `5/10` goes on to the end.
                (from, if step.is_some() { self.last } else { from })
            }
        };
        // A range that goes round its end is documented nowhere.
        let step = usize::try_from(step.unwrap_or(1)).ok()?;
        (from <= to).then(|| (from..=to).step_by(step))
    }

    fn value(&self, text: &str) -> Option<i16> {
        let named = self.names.iter().position(|name| *name == text);
        let named = named.and_then(|place| Some(self.first + i16::try_from(place).ok()?));
        named.or_else(|| number(text)).filter(|value| (self.first..=self.last).contains(value))
    }

    fn refuse(&self, given: &str) -> CronError {
        CronError::Field { given: given.to_owned(), field: self.name, allowed: self.allowed }
    }
}

/// Digits alone, four at most.
fn number(text: &str) -> Option<i16> {
    let is_number = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}
