//! When a sheep posts: intervals and calendar rules, windows, zones and caps.
//!
//! A *slot* is a planned time. Slots follow from each other and never from when a post happened to be
//! made, so nothing drifts. A local time that daylight saving skips stands for the first instant after
//! the gap; one that happens twice stands for the first of the two.

use std::{borrow::Cow, fmt};

use jiff::{
    SignedDuration, Span, SpanRelativeTo, Timestamp,
    civil::{Date, DateTime, Time, Weekday},
    tz::{AmbiguousOffset, TimeZone},
};
use serde::{Deserialize, Serialize};

use crate::nearest;

/// The rhythm of a sheep as people write it, in `flock.toml` and in the table: every field as text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RhythmFields {
    /// Time between posts, such as `3m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// Pause when the behaviour starts over, such as `2h`; `line` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stanza: Option<String>,
    /// Local times of day, such as `09:00`, instead of `line`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<String>,
    /// Days of the week `at` applies to, such as `mon`; every day when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<String>,
    /// Hours of the day in which intervals may fall, such as `06:00-23:00`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
    /// IANA time zone; `UTC` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Each post is late by less than this, differently each time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter: Option<String>,
    /// Each post is late by an amount below this, which is the sheep's own and the same each time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<String>,
    /// Nothing is posted before this date or time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// Nothing is posted after this date, or from this time on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// The most posts in one local day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_cap: Option<u32>,
    /// What happens to posts missed in an outage: `skip`, `latest` or `all(3)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catch_up: Option<String>,
}

/// When a sheep posts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RhythmFields", into = "RhythmFields")]
pub struct Rhythm {
    pattern: Pattern,
    zone: TimeZone,
    jitter: SignedDuration,
    spread: SignedDuration,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    daily_cap: Option<u32>,
    catch_up: CatchUp,
}

/// How slots follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// Counted from the slot before, in elapsed time.
    Interval {
        /// Time between posts.
        line: SignedDuration,
        /// Time between the last post of a round and the first of the next.
        stanza: SignedDuration,
        /// Hours in which posts may fall; a slot outside moves to the next opening.
        window: Option<DailyWindow>,
    },
    /// Local times of day.
    Calendar {
        /// The times, in order.
        times: Vec<Time>,
        /// The days of the week.
        days: Days,
    },
}

/// Hours of the day, from the first to before the last; over midnight when the last is earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DailyWindow {
    from: Time,
    until: Time,
}

/// A set of days of the week. Never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days([bool; 7]);

/// What becomes of posts while everything is stopped, for a person: the same where it is stopped and where it is started.
pub const WHILE_STOPPED: &str = "For what is due while everything is stopped, each sheep makes up as its `catch_up` says: \
    with one post, unless that says otherwise.";

/// What becomes of posts while sheep are paused, for a person.
pub const WHILE_PAUSED: &str = "While a sheep is paused it posts nothing, and what is due then is left out; resumed, it goes on in \
    its text where it was.";

/// What happens to the posts missed in an outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatchUp {
    /// One post now, the next in order; the others are counted as missed.
    Skip,
    /// One post now, the one that would have been due last; those before it are counted as missed.
    Latest,
    /// That many posts, the next in order, one a tick; the others are counted as missed.
    All(u32),
}

/// A field of a rhythm that cannot be.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("{field}: {why}")]
pub struct InvalidRhythm {
    /// The field, by its name in [`RhythmFields`].
    pub field: &'static str,
    /// What is wrong with it and what would do.
    pub why: String,
}

/// Posts made on one local day, for the daily cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayCount {
    /// The local day.
    pub date: Date,
    /// Posts on it so far.
    pub count: u32,
}

impl Rhythm {
    /// The tick runs once a minute, so nothing can happen more often.
    const SHORTEST: SignedDuration = SignedDuration::from_mins(1);

    /// Long enough for a yearly post, short enough that no sum leaves the calendar.
    const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 366 * 10);

    /// Reads the fields that somebody wrote and reports everything that is wrong with them.
    pub fn parse(fields: &RhythmFields) -> Result<Self, Vec<InvalidRhythm>> {
        let nowhere = fields.time_zone.as_deref().and_then(nowhere);
        let nowhere = nowhere.map(|why| InvalidRhythm { field: "time_zone", why });
        match Self::read(fields) {
            Ok(rhythm) => nowhere.map_or(Ok(rhythm), |nowhere| Err(vec![nowhere])),
            Err(problems) => Err(nowhere.into_iter().chain(problems).collect()),
        }
    }

    /// Reads the fields, also those of a zone that was taken before and would not be now.
    fn read(fields: &RhythmFields) -> Result<Self, Vec<InvalidRhythm>> {
        let mut problems = Vec::new();
        let zone = keep(&mut problems, "time_zone", parse_zone(fields.time_zone.as_deref()))
            .unwrap_or(TimeZone::UTC);
        let pattern = parse_pattern(fields, &mut problems);
        let mut lateness = |field, text: &Option<String>| match text {
            None => Some(SignedDuration::ZERO),
            Some(text) => keep(&mut problems, field, parse_lateness(text)),
        };
        let jitter = lateness("jitter", &fields.jitter);
        let spread = lateness("spread", &fields.spread);
        let mut instant = |field, text: &Option<String>, whole_day| match text {
            None => None,
            Some(text) => keep(&mut problems, field, parse_instant(text, &zone, whole_day)),
        };
        let start = instant("start", &fields.start, WholeDay::FromItsStart);
        let end = instant("end", &fields.end, WholeDay::ToItsEnd);
        if let (Some(start), Some(end)) = (start, end)
            && end <= start
        {
            problems
                .push(InvalidRhythm { field: "end", why: "it is not after `start`".to_owned() });
        }
        if fields.daily_cap == Some(0) {
            let why = "it must be at least 1; pause the sheep to stop it".to_owned();
            problems.push(InvalidRhythm { field: "daily_cap", why });
        }
        let catch_up = match &fields.catch_up {
            None => Some(CatchUp::Skip),
            Some(text) => keep(&mut problems, "catch_up", CatchUp::parse(text)),
        };
        if let (Some(pattern), Some(jitter)) = (&pattern, jitter)
            && pattern.shortest_gap() < jitter
        {
            let gap = pattern.shortest_gap();
            let why = format!(
                "`{jitter:#}` is too long: it must not be longer than the shortest time between two posts, {gap:#}"
            );
            problems.push(InvalidRhythm { field: "jitter", why });
        } else if let (Some(pattern), Some(jitter), Some(spread)) = (&pattern, jitter, spread)
            && pattern.shortest_gap() < spread.saturating_add(jitter)
        {
            let gap = pattern.shortest_gap();
            let with = if jitter.is_zero() { "it" } else { "with `jitter` it" };
            let most = gap.saturating_sub(jitter);
            let most = if jitter.is_zero() || most.is_zero() {
                String::new()
            } else {
                format!("; {most:#} is the most")
            };
            let why = format!(
                "`{spread:#}` is too long: {with} must not be longer than the shortest time between two posts, {gap:#}{most}"
            );
            problems.push(InvalidRhythm { field: "spread", why });
        }
        match (pattern, jitter, spread, catch_up) {
            (Some(pattern), Some(jitter), Some(spread), Some(catch_up)) if problems.is_empty() => {
                let daily_cap = fields.daily_cap;
                Ok(Self { pattern, zone, jitter, spread, start, end, daily_cap, catch_up })
            }
            _ => Err(problems),
        }
    }

    /// The rhythm as text, each field in its shortest form.
    pub fn fields(&self) -> RhythmFields {
        let mut fields = RhythmFields {
            time_zone: self.zone.iana_name().map(ToOwned::to_owned),
            jitter: (!self.jitter.is_zero()).then(|| format!("{:#}", self.jitter)),
            spread: (!self.spread.is_zero()).then(|| format!("{:#}", self.spread)),
            start: self.start.map(|start| start.to_string()),
            end: self.end.map(|end| end.to_string()),
            daily_cap: self.daily_cap,
            catch_up: (self.catch_up != CatchUp::Skip).then(|| self.catch_up.to_string()),
            ..RhythmFields::default()
        };
        match &self.pattern {
            Pattern::Interval { line, stanza, window } => {
                fields.line = Some(format!("{line:#}"));
                fields.stanza = (stanza != line).then(|| format!("{stanza:#}"));
                fields.window = window.map(|window| window.to_string());
            }
            Pattern::Calendar { times, days } => {
                fields.at = times.iter().map(|time| time.strftime("%H:%M").to_string()).collect();
                fields.days = days.names();
            }
        }
        fields
    }

    /// How slots follow each other.
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// The zone local times are in.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// What somebody may not expect of its zone, where that is asked for anything.
    pub fn zone_word(&self) -> Option<String> {
        let asks = match &self.pattern {
            Pattern::Interval { window, .. } => window.is_some(),
            Pattern::Calendar { .. } => true,
        };
        self.zone.iana_name().filter(|_| asks).and_then(odd_zone)
    }

    /// What happens to missed posts.
    pub fn catch_up(&self) -> CatchUp {
        self.catch_up
    }

    /// The most by which a post is later than its slot.
    pub fn jitter(&self) -> SignedDuration {
        self.jitter
    }

    /// The most by which every post of a sheep is later than its slot.
    pub fn spread(&self) -> SignedDuration {
        self.spread
    }

    /// The longest that its spread may be.
    pub fn most_spread(&self) -> SignedDuration {
        self.pattern.shortest_gap().saturating_sub(self.jitter)
    }

    /// Before which nothing is posted.
    pub fn start(&self) -> Option<Timestamp> {
        self.start
    }

    /// From when on nothing is posted any more.
    pub fn end(&self) -> Option<Timestamp> {
        self.end
    }

    /// Why there is no slot at or after `now`, where there is none.
    pub fn why_over(&self, now: Timestamp) -> &'static str {
        match self.end {
            Some(end) if now < end => "no time of it falls before its `end`",
            _ => "its `end` has passed",
        }
    }

    /// The first slot at or after `from`. `None`: the rhythm has ended by then.
    pub fn first_slot(&self, from: Timestamp) -> Option<Timestamp> {
        let from = self.start.map_or(from, |start| start.max(from));
        self.slot_from(from)
    }

    /// The slot of what has the time `at` of its own, which window, start and cap do not move, or the first at or after
    /// `from`. `None`: the rhythm has ended by then, or by `from`.
    pub fn slot_at(&self, at: Option<Timestamp>, from: Timestamp) -> Option<Timestamp> {
        let Some(at) = at else { return self.first_slot(from) };
        self.end.is_none_or(|end| at.max(from) < end).then_some(at)
    }

    /// The day's count when `slot` is posted, where there is a daily cap.
    pub fn counted(&self, slot: Timestamp, day: Option<DayCount>) -> Option<DayCount> {
        self.daily_cap?;
        let date = self.local_date(slot);
        let count = day.filter(|day| day.date == date).map_or(0, |day| day.count) + 1;
        Some(DayCount { date, count })
    }

    /// The slot after `slot`, and the day's count when `slot` is posted.
    ///
    /// `starts_over` says that the post at `slot` was the last of its round. `None`: the rhythm ends.
    pub fn next_slot(
        &self,
        slot: Timestamp,
        starts_over: bool,
        day: Option<DayCount>,
    ) -> Option<(Timestamp, Option<DayCount>)> {
        let next = match &self.pattern {
            Pattern::Interval { line, stanza, .. } => {
                let gap = if starts_over { *stanza } else { *line };
                self.slot_from(slot.checked_add(gap).ok()?)?
            }
            // Slots are whole seconds, so this is the first one after `slot`.
            Pattern::Calendar { .. } => {
                self.slot_from(slot.checked_add(SignedDuration::from_secs(1)).ok()?)?
            }
        };
        let (Some(cap), Some(day)) = (self.daily_cap, self.counted(slot, day)) else {
            return Some((next, None));
        };
        let DayCount { date, count } = day;
        let day = Some(day);
        if count < cap || self.local_date(next) != date {
            return Some((next, day));
        }
        let tomorrow = self.instant(date.tomorrow().ok()?.to_datetime(Time::midnight()))?;
        // Where clocks went back over midnight, tomorrow's first midnight has been already.
        Some((self.slot_from(tomorrow.max(next))?, day))
    }

    /// The first slot not before `at`, where the next would be at `slot` but has to wait: intervals are counted on, so that the
    /// sheep keeps its times of day. `None`: the rhythm ends before.
    pub fn slot_not_before(&self, slot: Timestamp, at: Timestamp) -> Option<Timestamp> {
        if at <= slot {
            return Some(slot);
        }
        let from = match &self.pattern {
            Pattern::Interval { line, .. } => {
                let (wait, line) = (at.duration_since(slot).as_secs(), line.as_secs());
                let over = wait.checked_rem(line)?;
                let more = if over == 0 { 0 } else { line - over };
                slot.checked_add(SignedDuration::from_secs(wait + more)).ok()?
            }
            Pattern::Calendar { .. } => at,
        };
        self.slot_from(from)
    }

    /// Where the post at `slot` is planned to follow another line, its slot when it begins a round instead. `None`: the
    /// rhythm ends before.
    pub fn paused_slot(&self, slot: Timestamp) -> Option<Timestamp> {
        match &self.pattern {
            Pattern::Interval { line, stanza, .. } if line < stanza => {
                self.slot_from(slot.checked_add(*stanza - *line).ok()?)
            }
            Pattern::Interval { .. } | Pattern::Calendar { .. } => Some(slot),
        }
    }

    /// The first slot at or after `from`, by pattern, window and end alone.
    fn slot_from(&self, from: Timestamp) -> Option<Timestamp> {
        let slot = match &self.pattern {
            Pattern::Interval { window: None, .. } => from,
            Pattern::Interval { window: Some(window), .. } => self.opening(*window, from)?,
            Pattern::Calendar { times, days } => self.calendar(times, *days, from)?,
        };
        match self.end {
            Some(end) if end <= slot => None,
            _ => Some(slot),
        }
    }

    /// `from` itself when it is in the window, or the next opening.
    fn opening(&self, window: DailyWindow, from: Timestamp) -> Option<Timestamp> {
        // The window of yesterday may still be open.
        let mut date = self.local_date(from).yesterday().ok()?;
        loop {
            let closing_date =
                if window.from < window.until { date } else { date.tomorrow().ok()? };
            let open = self.instant(date.to_datetime(window.from))?;
            // A window that lies in a daylight saving gap still has the instant after it.
            let close = self
                .instant(closing_date.to_datetime(window.until))?
                .max(open.checked_add(SignedDuration::from_secs(1)).ok()?);
            if from < close {
                return Some(from.max(open));
            }
            date = date.tomorrow().ok()?;
        }
    }

    fn calendar(&self, times: &[Time], days: Days, from: Timestamp) -> Option<Timestamp> {
        // Yesterday's times can fall on today where a gap swallows midnight.
        let mut date = self.local_date(from).yesterday().ok()?;
        loop {
            if days.contain(date.weekday()) {
                for time in times {
                    let slot = self.instant(date.to_datetime(*time))?;
                    if from <= slot {
                        return Some(slot);
                    }
                }
            }
            date = date.tomorrow().ok()?;
        }
    }

    fn local_date(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    /// The instant a local time stands for.
    fn instant(&self, local: DateTime) -> Option<Timestamp> {
        instant(&self.zone, local)
    }
}

/// The instant `local` stands for in `zone`; `None` outside the calendar.
pub(crate) fn instant(zone: &TimeZone, local: DateTime) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local).ok(),
        AmbiguousOffset::Gap { before, .. } => {
            // Counted on from before the gap, the time lies at or after the clock change.
            let after = before.to_timestamp(local).ok()?;
            let after = after.checked_add(SignedDuration::from_secs(1)).ok()?;
            zone.preceding(after).next().map(|change| change.timestamp())
        }
    }
}

impl TryFrom<RhythmFields> for Rhythm {
    type Error = InvalidRhythm;

    fn try_from(fields: RhythmFields) -> Result<Self, InvalidRhythm> {
        Self::read(&fields).map_err(|mut problems| problems.swap_remove(0))
    }
}

impl From<Rhythm> for RhythmFields {
    fn from(rhythm: Rhythm) -> Self {
        rhythm.fields()
    }
}

impl Pattern {
    /// No two slots are closer than this.
    fn shortest_gap(&self) -> SignedDuration {
        match self {
            Self::Interval { line, stanza, .. } => *line.min(stanza),
            Self::Calendar { times, .. } => {
                let day = SignedDuration::from_hours(24);
                let from_midnight = |time: &Time| time.duration_since(Time::midnight());
                let wrap = match (times.first(), times.last()) {
                    (Some(first), Some(last)) => day - from_midnight(last) + from_midnight(first),
                    _ => day,
                };
                times
                    .windows(2)
                    .filter_map(|pair| Some(pair.last()?.duration_since(*pair.first()?)))
                    .fold(wrap, SignedDuration::min)
            }
        }
    }
}

impl DailyWindow {
    fn parse(text: &str) -> Result<Self, String> {
        let example = "write it as 06:00-23:00";
        let (from, until) = text.split_once('-').ok_or_else(|| format!("`{text}`: {example}"))?;
        // The end of the day is the beginning of the next.
        let to_midnight = until.trim() == MIDNIGHT;
        let until = if to_midnight { "00:00" } else { until.trim() };
        let (from, until) = (parse_time(from.trim())?, parse_time(until)?);
        if from == until && to_midnight {
            return Err(format!("`{text}` is all day, as it is without a window; leave it out"));
        }
        if from == until {
            return Err(format!(
                "`{text}` opens and closes at the same time; leave it out for all day"
            ));
        }
        Ok(Self { from, until })
    }
}

impl fmt::Display for DailyWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-", self.from.strftime("%H:%M"))?;
        if self.until == Time::midnight() {
            return f.write_str(MIDNIGHT);
        }
        write!(f, "{}", self.until.strftime("%H:%M"))
    }
}

impl Days {
    const NAMES: [&'static str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

    fn parse(names: &[String]) -> Result<Self, String> {
        if names.is_empty() {
            return Ok(Self([true; 7]));
        }
        let mut days = [false; 7];
        for name in names {
            let known = Self::NAMES
                .iter()
                .zip(&mut days)
                .find(|(known, _)| known.eq_ignore_ascii_case(name.trim()));
            let Some((_, day)) = known else {
                return Err(format!("`{name}` is not a day; use {}", Self::NAMES.join(", ")));
            };
            *day = true;
        }
        Ok(Self(days))
    }

    fn contain(self, day: Weekday) -> bool {
        let index = usize::from(day.to_monday_zero_offset().unsigned_abs());
        self.0.get(index).copied().unwrap_or(false)
    }

    fn names(self) -> Vec<String> {
        if self.0 == [true; 7] {
            return Vec::new();
        }
        let chosen = Self::NAMES.iter().zip(self.0).filter(|(_, chosen)| *chosen);
        chosen.map(|(name, _)| (*name).to_owned()).collect()
    }
}

impl CatchUp {
    /// More would be a burst spread over hours.
    const MOST: u32 = 100;

    fn parse(text: &str) -> Result<Self, String> {
        let small = text.trim().to_lowercase();
        let count = small.strip_prefix("all(").and_then(|rest| rest.strip_suffix(')'));
        match (small.as_str(), count.and_then(|count| count.trim().parse().ok())) {
            ("skip", _) => Ok(Self::Skip),
            ("latest", _) => Ok(Self::Latest),
            (_, Some(count)) if (1..=Self::MOST).contains(&count) => Ok(Self::All(count)),
            _ => Err(format!(
                "`{}` is not a way to catch up; use skip, latest or all(N) with N from 1 to {}",
                text.trim(),
                Self::MOST
            )),
        }
    }
}

impl fmt::Display for CatchUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Skip => f.write_str("skip"),
            Self::Latest => f.write_str("latest"),
            Self::All(count) => write!(f, "all({count})"),
        }
    }
}

/// How the end of a day is written, where something lasts until then.
const MIDNIGHT: &str = "24:00";

/// Whether a date means its first instant or the first one after it.
#[derive(Clone, Copy)]
enum WholeDay {
    FromItsStart,
    ToItsEnd,
}

fn keep<T>(
    problems: &mut Vec<InvalidRhythm>,
    field: &'static str,
    parsed: Result<T, String>,
) -> Option<T> {
    parsed.map_err(|why| problems.push(InvalidRhythm { field, why })).ok()
}

fn parse_pattern(fields: &RhythmFields, problems: &mut Vec<InvalidRhythm>) -> Option<Pattern> {
    if !fields.at.is_empty() {
        for (field, given) in [
            ("line", fields.line.is_some()),
            ("stanza", fields.stanza.is_some()),
            ("window", fields.window.is_some()),
        ] {
            if given {
                let why = "it goes with intervals; leave it out where `at` is given".to_owned();
                problems.push(InvalidRhythm { field, why });
            }
        }
        let times: Result<Vec<Time>, String> = fields.at.iter().map(|at| parse_time(at)).collect();
        let times = keep(problems, "at", times).map(|mut times| {
            times.sort_unstable();
            times.dedup();
            times
        });
        let days = keep(problems, "days", Days::parse(&fields.days));
        return Some(Pattern::Calendar { times: times?, days: days? });
    }
    if !fields.days.is_empty() {
        let why = "it goes with `at`, the times of day".to_owned();
        problems.push(InvalidRhythm { field: "days", why });
    }
    let window = match &fields.window {
        None => Some(None),
        Some(text) => keep(problems, "window", DailyWindow::parse(text)).map(Some),
    };
    let line = match &fields.line {
        None => Err("it is missing: say how much time lies between two posts, such as \"3m\", or \
                     give `at`, the times of day"
            .to_owned()),
        Some(text) => parse_gap(text),
    };
    let line = keep(problems, "line", line);
    let stanza = match &fields.stanza {
        None => line,
        Some(text) => keep(problems, "stanza", parse_gap(text)),
    };
    Some(Pattern::Interval { line: line?, stanza: stanza?, window: window? })
}

/// Reads a length of time such as `90s`, `3m`, `2h 30m` or `1d`, where a day is 24 hours.
fn parse_span(text: &str) -> Result<SignedDuration, String> {
    let trimmed = text.trim();
    // Capitals mean something where they are read at all; where they are not, they are how somebody writes.
    let span: Span = trimmed
        .parse()
        .or_else(|_| trimmed.to_lowercase().parse())
        .map_err(|_| format!("`{text}` is not a length of time; write it as 30s, 3m, 2h or 1d"))?;
    let duration = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| format!("`{text}` has months or years in it; count in days"))?;
    // Slots are whole seconds.
    if duration.subsec_nanos() != 0 {
        return Err(format!("`{text}` is not a whole number of seconds"));
    }
    Ok(duration)
}

fn parse_gap(text: &str) -> Result<SignedDuration, String> {
    let gap = parse_length(text)?;
    if gap < Rhythm::SHORTEST {
        return Err(format!("`{text}` is too short: sheep post once a minute at most"));
    }
    Ok(gap)
}

/// Reads a length of time as [`RhythmFields`] have them, ten years at most.
pub(crate) fn parse_length(text: &str) -> Result<SignedDuration, String> {
    let length = parse_span(text)?;
    if Rhythm::LONGEST < length {
        return Err(format!("`{text}` is too long: ten years is the most"));
    }
    Ok(length)
}

/// Reads by how much posts may be late.
fn parse_lateness(text: &str) -> Result<SignedDuration, String> {
    let lateness = parse_span(text)?;
    if lateness.is_negative() {
        let example = "write the most by which posts may be later than planned, such as 10m";
        return Err(format!("`{text}` is negative, but no post is made early; {example}"));
    }
    Ok(lateness)
}

fn parse_time(text: &str) -> Result<Time, String> {
    if text.trim() == MIDNIGHT {
        return Err(format!(
            "`{text}` is the end of a day, and posts are planned from its beginning on; write 00:00, which is the same moment \
             of the next day"
        ));
    }
    Time::strptime("%H:%M", text)
        .map_err(|_| format!("`{text}` is not a time of day; write it as 09:30"))
}

/// The zone of this IANA name; UTC where there is none.
pub(crate) fn parse_zone(name: Option<&str>) -> Result<TimeZone, String> {
    let name = name.unwrap_or("UTC");
    TimeZone::get(name).map_err(|_| match meant_zone(name) {
        Some(meant) => format!("`{name}` is not a time zone; did you mean {meant}?"),
        None => format!("`{name}` is not a time zone; use a name such as Europe/London"),
    })
}

/// The zone that somebody may have meant: of the city that is named, or spelled nearly so.
fn meant_zone(name: &str) -> Option<String> {
    let plain = |name: &str| name.trim().replace([' ', '-'], "_").to_ascii_lowercase();
    let zones = jiff::tz::db().available().map(|zone| zone.to_string());
    let zones: Vec<_> = zones.filter(|zone| nowhere(zone).is_none()).collect();
    let meant = plain(name);
    let is_city = |zone: &&String| {
        let city = zone.rsplit_once('/').map_or(zone.as_str(), |(_, city)| city);
        plain(city) == meant
    };
    let plains: Vec<_> = zones.iter().map(|zone| plain(zone)).collect();
    let near = || {
        let near = nearest(&meant, plains.iter().map(String::as_str))?;
        plains.iter().position(|plain| plain == near).and_then(|at| zones.get(at))
    };
    zones.iter().find(is_city).or_else(near).cloned()
}

/// What is said of a zone that no clock on a wall shows.
fn nowhere(name: &str) -> Option<String> {
    /// They stand for a setting that nobody has made.
    const NOWHERE: [&str; 4] = ["Etc/Unknown", "Factory", "localtime", "posixrules"];
    NOWHERE
        .into_iter()
        .any(|zone| zone.eq_ignore_ascii_case(name.trim()))
        .then(|| format!("`{name}` is no place; use a name such as Europe/London, or UTC"))
}

/// What somebody may not expect of a zone, though it is one.
fn odd_zone(name: &str) -> Option<String> {
    let summer = |place| format!("{name} has no summer time; write {place} to follow it");
    match name {
        "EST" => Some(summer("America/New_York")),
        "MST" => Some(summer("America/Denver")),
        "GMT" => Some(summer("Europe/London")),
        _ => {
            let (sign, hours) = name.strip_prefix("Etc/GMT")?.split_at_checked(1)?;
            let side = match sign {
                "+" => "behind",
                "-" => "ahead of",
                _ => return None,
            };
            (hours != "0").then(|| format!("{name} is {hours} h {side} UTC, as POSIX counts"))
        }
    }
}

fn parse_instant(text: &str, zone: &TimeZone, whole_day: WholeDay) -> Result<Timestamp, String> {
    let text = text.trim();
    let at = if text.len() == DATE.len() {
        let date = text.parse::<Date>().ok().and_then(|date| match whole_day {
            WholeDay::FromItsStart => Some(date),
            WholeDay::ToItsEnd => date.tomorrow().ok(),
        });
        date.and_then(|date| instant(zone, date.to_datetime(Time::midnight())))
    } else {
        parse_moment(text, zone)
    };
    at.ok_or_else(|| {
        format!("`{text}` is neither a date (2026-12-01) nor a time (2026-12-01T09:00)")
    })
}

/// How long a date is.
const DATE: &str = "2026-01-01";

/// A length of time as people write it: `480h` is `20d`.
fn in_days(length: SignedDuration) -> String {
    const DAY: i64 = 24 * 60 * 60;
    let is_whole = length.subsec_nanos() == 0 && length.as_secs() % DAY == 0;
    if is_whole && !length.is_zero() {
        format!("{}d", length.as_secs() / DAY)
    } else {
        format!("{length:#}")
    }
}

/// The same moment with two digits for its hour: people and spreadsheets write `9:00`, as they may in `at`.
fn with_whole_hour(text: &str) -> Cow<'_, str> {
    match text.split_at_checked(DATE.len() + 1) {
        Some((date, time)) if date.ends_with([' ', 'T', 't']) && time.find(':') == Some(1) => {
            format!("{date}0{time}").into()
        }
        _ => text.into(),
    }
}

/// The whole second that a date with a time stands for, in `zone` where it has no offset.
pub(crate) fn parse_moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = &*with_whole_hour(text.trim());
    // A zone's name in brackets is not read, and nobody is to believe that it is.
    if text.contains('[') {
        return None;
    }
    let at = match text.parse::<Timestamp>() {
        Ok(at) => at,
        // A date alone says no time.
        Err(_) if text.len() <= DATE.len() => return None,
        Err(_) => instant(zone, text.parse::<DateTime>().ok()?)?,
    };
    Timestamp::from_second(at.as_second()).ok()
}

impl fmt::Display for Rhythm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.fields();
        let mut parts = Vec::new();
        if let Pattern::Interval { line, stanza, .. } = &self.pattern {
            parts.push(format!("every {}", in_days(*line)));
            parts.extend((stanza != line).then(|| format!("pause {}", in_days(*stanza))));
        }
        if !fields.at.is_empty() {
            parts.push(format!("at {}", fields.at.join(" ")));
        }
        if !fields.days.is_empty() {
            parts.push(fields.days.join(" "));
        }
        let options = [
            ("within", fields.window),
            ("jitter", fields.jitter),
            ("spread", fields.spread),
            ("from", fields.start),
            ("until", fields.end),
            ("at most", fields.daily_cap.map(|cap| format!("{cap} a day"))),
            ("catch up", fields.catch_up),
            ("in", fields.time_zone.filter(|zone| zone != "UTC")),
        ];
        let options = options.into_iter();
        parts.extend(options.filter_map(|(word, value)| Some(format!("{word} {}", value?))));
        f.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn interval(line: &str, stanza: &str) -> RhythmFields {
        RhythmFields {
            line: Some(line.to_owned()),
            stanza: Some(stanza.to_owned()),
            ..RhythmFields::default()
        }
    }

    fn calendar(zone: &str, at: &[&str]) -> RhythmFields {
        RhythmFields {
            at: at.iter().map(|&at| at.to_owned()).collect(),
            time_zone: Some(zone.to_owned()),
            ..RhythmFields::default()
        }
    }

    fn ts(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// The first `count` slots from `from`.
    #[track_caller]
    fn slots(fields: &RhythmFields, from: &str, count: usize) -> Vec<String> {
        let rhythm = Rhythm::parse(fields).unwrap();
        let mut next = rhythm.first_slot(ts(from));
        let mut day = None;
        let mut slots = Vec::new();
        while let Some(slot) = next
            && slots.len() < count
        {
            slots.push(slot.to_zoned(rhythm.zone().clone()).strftime("%F %T%:z").to_string());
            next = rhythm.next_slot(slot, false, day).map(|(next, count)| {
                day = count;
                next
            });
        }
        slots
    }

    /// Every zone that somebody may write.
    fn places() -> Vec<String> {
        let zones = jiff::tz::db().available().map(|name| name.as_str().to_owned());
        zones.filter(|name| nowhere(name).is_none()).collect()
    }

    #[test]
    fn a_zone_is_a_place() {
        let why = |zone: &str| {
            let problems = Rhythm::parse(&calendar(zone, &["09:00"])).unwrap_err();
            problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        insta::assert_snapshot!(why("Etc/Unknown"), @"time_zone: `Etc/Unknown` is no place; use a name such as Europe/London, or UTC");
        insta::assert_snapshot!(why("factory").split(';').next().unwrap(), @"time_zone: `factory` is no place");
        insta::assert_snapshot!(why("Mars"), @"time_zone: `Mars` is not a time zone; use a name such as Europe/London");
        insta::assert_snapshot!(why("berlin"), @"time_zone: `berlin` is not a time zone; did you mean Europe/Berlin?");
        insta::assert_snapshot!(why("New York"), @"time_zone: `New York` is not a time zone; did you mean America/New_York?");
        insta::assert_snapshot!(why("Asia/Tokio"), @"time_zone: `Asia/Tokio` is not a time zone; did you mean Asia/Tokyo?");
        // What is stored can be read.
        let stored = Rhythm::try_from(calendar("Factory", &["09:00"])).unwrap();
        assert_eq!(stored.fields().time_zone.as_deref(), Some("Factory"));
        assert!(Rhythm::try_from(calendar("Etc/Unknown", &["09:00"])).is_ok());
        let word = |zone: &str| Rhythm::parse(&calendar(zone, &["09:00"])).unwrap().zone_word();
        assert_eq!(
            word("EST").as_deref(),
            Some("EST has no summer time; write America/New_York to follow it")
        );
        assert_eq!(
            word("Etc/GMT+5").as_deref(),
            Some("Etc/GMT+5 is 5 h behind UTC, as POSIX counts")
        );
        for zone in ["UTC", "Etc/GMT", "Etc/GMT+0", "EST5EDT", "America/New_York", "HST"] {
            assert_eq!(word(zone), None);
        }
        let every = RhythmFields { time_zone: Some("EST".to_owned()), ..interval("1h", "1h") };
        assert_eq!(Rhythm::parse(&every).unwrap().zone_word(), None);
    }

    #[test]
    fn a_window_may_end_with_the_day() {
        let window =
            |window: &str| RhythmFields { window: Some(window.to_owned()), ..interval("6h", "6h") };
        let from = "2026-03-02T12:00:00Z";
        let until_midnight = slots(&window("07:00-24:00"), from, 4);
        assert_eq!(until_midnight, slots(&window("07:00-00:00"), from, 4));
        insta::assert_snapshot!(until_midnight.join("\n"), @"
        2026-03-02 12:00:00+00:00
        2026-03-02 18:00:00+00:00
        2026-03-03 07:00:00+00:00
        2026-03-03 13:00:00+00:00
        ");
        let shown = Rhythm::parse(&window("07:00-24:00")).unwrap();
        assert_eq!(shown.to_string(), "every 6h, within 07:00-24:00");
        assert_eq!(Rhythm::parse(&shown.fields()), Ok(shown));
        let wrong = |fields: &RhythmFields| {
            Rhythm::parse(fields).unwrap_err().iter().map(ToString::to_string).collect::<String>()
        };
        insta::assert_snapshot!(wrong(&window("00:00-24:00")), @"window: `00:00-24:00` is all day, as it is without a window; leave it out");
        insta::assert_snapshot!(wrong(&window("09:00-09:00")), @"window: `09:00-09:00` opens and closes at the same time; leave it out for all day");
        assert!(wrong(&window("24:00-07:00")).contains("write 00:00"));
        insta::assert_snapshot!(wrong(&calendar("UTC", &["09:00", "24:00"])), @"at: `24:00` is the end of a day, and posts are planned from its beginning on; write 00:00, which is the same moment of the next day");
    }

    #[test]
    fn bad_fields_are_all_reported() {
        let fields = RhythmFields {
            line: Some("30s".to_owned()),
            stanza: Some("1 month".to_owned()),
            days: vec!["mon".to_owned()],
            window: Some("9-17".to_owned()),
            time_zone: Some("Europe/Lundon".to_owned()),
            jitter: Some("soon".to_owned()),
            spread: Some("wide".to_owned()),
            start: Some("tomorrow".to_owned()),
            daily_cap: Some(0),
            catch_up: Some("all(0)".to_owned()),
            ..RhythmFields::default()
        };
        let problems = Rhythm::parse(&fields).unwrap_err();
        let text: Vec<_> = problems.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(text.join("\n"), @"
        time_zone: `Europe/Lundon` is not a time zone; did you mean Europe/London?
        days: it goes with `at`, the times of day
        window: `9` is not a time of day; write it as 09:30
        line: `30s` is too short: sheep post once a minute at most
        stanza: `1 month` has months or years in it; count in days
        jitter: `soon` is not a length of time; write it as 30s, 3m, 2h or 1d
        spread: `wide` is not a length of time; write it as 30s, 3m, 2h or 1d
        start: `tomorrow` is neither a date (2026-12-01) nor a time (2026-12-01T09:00)
        daily_cap: it must be at least 1; pause the sheep to stop it
        catch_up: `all(0)` is not a way to catch up; use skip, latest or all(N) with N from 1 to 100
        ");
    }

    #[test]
    fn what_makes_posts_late_leaves_their_order() {
        let problems = |line: &str, jitter: Option<&str>, spread: &str| {
            let fields = RhythmFields {
                jitter: jitter.map(ToOwned::to_owned),
                spread: Some(spread.to_owned()),
                ..interval(line, line)
            };
            let problems = Rhythm::parse(&fields).err().unwrap_or_default();
            problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(problems("10m", None, "10m"), "");
        assert_eq!(problems("10m", Some("4m"), "6m"), "");
        insta::assert_snapshot!(problems("10m", None, "11m"), @"spread: `11m` is too long: it must not be longer than the shortest time between two posts, 10m");
        insta::assert_snapshot!(problems("10m", Some("5m"), "6m"), @"spread: `6m` is too long: with `jitter` it must not be longer than the shortest time between two posts, 10m; 5m is the most");
        insta::assert_snapshot!(problems("10m", None, "-1m"), @"spread: `-1m` is negative, but no post is made early; write the most by which posts may be later than planned, such as 10m");
    }

    #[test]
    fn words_are_read_in_any_case() {
        let mut fields = calendar("europe/london", &["09:00"]);
        fields.days = ["Mon", "TUE", " wed "].map(str::to_owned).to_vec();
        fields.catch_up = Some("Latest".to_owned());
        let short = Rhythm::parse(&fields).unwrap().fields();
        assert_eq!(short.days, ["mon", "tue", "wed"]);
        assert_eq!(short.catch_up.as_deref(), Some("latest"));
        assert_eq!(short.time_zone.as_deref(), Some("Europe/London"));
        let mut fields = interval("2H", "1D 6H");
        fields.jitter = Some("30S".to_owned());
        fields.catch_up = Some("All(3)".to_owned());
        let short = Rhythm::parse(&fields).unwrap().fields();
        assert_eq!((short.line.as_deref(), short.stanza.as_deref()), (Some("2h"), Some("30h")));
        assert_eq!(short.catch_up.as_deref(), Some("all(3)"));
        assert_eq!("Queue".parse(), Ok(crate::BehaviourKind::Queue));
    }

    #[test]
    fn fields_round_trip_in_their_shortest_form() {
        let mut fields = interval("180s", "2h");
        fields.time_zone = Some("Europe/London".to_owned());
        fields.window = Some("6:00-23:30".to_owned());
        fields.catch_up = Some("all( 3 )".to_owned());
        fields.spread = Some("120s".to_owned());
        let rhythm = Rhythm::parse(&fields).unwrap();
        let short = rhythm.fields();
        assert_eq!(short.line.as_deref(), Some("3m"));
        assert_eq!(short.window.as_deref(), Some("06:00-23:30"));
        assert_eq!(short.catch_up.as_deref(), Some("all(3)"));
        assert_eq!(short.spread.as_deref(), Some("2m"));
        assert_eq!(Rhythm::parse(&short).unwrap(), rhythm);
    }

    #[test]
    fn a_time_in_the_gap_fires_after_it_and_a_doubled_one_fires_once() {
        insta::assert_debug_snapshot!(
            slots(&calendar("Europe/London", &["01:30"]), "2027-03-27T00:00:00Z", 3), @r#"
        [
            "2027-03-27 01:30:00+00:00",
            "2027-03-28 02:00:00+01:00",
            "2027-03-29 01:30:00+01:00",
        ]
        "#);
        insta::assert_debug_snapshot!(
            slots(&calendar("Europe/London", &["01:30"]), "2026-10-24T00:00:00Z", 3), @r#"
        [
            "2026-10-24 01:30:00+01:00",
            "2026-10-25 01:30:00+01:00",
            "2026-10-26 01:30:00+00:00",
        ]
        "#);
        // Lord Howe moves by half an hour.
        insta::assert_debug_snapshot!(
            slots(&calendar("Australia/Lord_Howe", &["02:15"]), "2026-10-02T15:30:00Z", 3), @r#"
        [
            "2026-10-03 02:15:00+10:30",
            "2026-10-04 02:30:00+11:00",
            "2026-10-05 02:15:00+11:00",
        ]
        "#);
    }

    #[test]
    fn intervals_wait_for_the_window() {
        let mut fields = interval("3h", "3h");
        fields.window = Some("09:00-17:00".to_owned());
        insta::assert_debug_snapshot!(slots(&fields, "2026-11-21T12:30:00Z", 4), @r#"
        [
            "2026-11-21 12:30:00+00:00",
            "2026-11-21 15:30:00+00:00",
            "2026-11-22 09:00:00+00:00",
            "2026-11-22 12:00:00+00:00",
        ]
        "#);
        fields.window = Some("22:00-02:00".to_owned());
        insta::assert_debug_snapshot!(slots(&fields, "2026-11-21T12:30:00Z", 4), @r#"
        [
            "2026-11-21 22:00:00+00:00",
            "2026-11-22 01:00:00+00:00",
            "2026-11-22 22:00:00+00:00",
            "2026-11-23 01:00:00+00:00",
        ]
        "#);
    }

    #[test]
    fn a_window_in_the_gap_still_opens_once() {
        let mut fields = interval("12h", "12h");
        fields.time_zone = Some("Europe/London".to_owned());
        fields.window = Some("01:15-01:45".to_owned());
        insta::assert_debug_snapshot!(slots(&fields, "2027-03-27T01:20:00Z", 3), @r#"
        [
            "2027-03-27 01:20:00+00:00",
            "2027-03-28 02:00:00+01:00",
            "2027-03-29 01:15:00+01:00",
        ]
        "#);
    }

    #[test]
    fn the_daily_cap_moves_the_rest_to_the_next_day() {
        let mut fields = interval("1h", "1h");
        fields.daily_cap = Some(2);
        insta::assert_debug_snapshot!(slots(&fields, "2026-11-21T12:30:00Z", 5), @r#"
        [
            "2026-11-21 12:30:00+00:00",
            "2026-11-21 13:30:00+00:00",
            "2026-11-22 00:00:00+00:00",
            "2026-11-22 01:00:00+00:00",
            "2026-11-23 00:00:00+00:00",
        ]
        "#);
    }

    /// Nome lived through one day twice when it came to America.
    #[test]
    fn the_daily_cap_never_goes_back_in_time() {
        let mut fields = interval("37m", "37m");
        fields.time_zone = Some("America/Nome".to_owned());
        fields.daily_cap = Some(1);
        let rhythm = Rhythm::parse(&fields).unwrap();
        let slot = ts("1867-10-19T00:31:13Z");
        let (next, _) = rhythm.next_slot(slot, false, None).unwrap();
        assert!(slot < next, "{next}");
    }

    #[test]
    fn start_and_end_bound_the_slots() {
        let mut fields = calendar("Europe/London", &["09:00"]);
        fields.start = Some("2026-12-01".to_owned());
        fields.end = Some("2026-12-02".to_owned());
        insta::assert_debug_snapshot!(slots(&fields, "2026-11-21T12:30:00Z", 5), @r#"
        [
            "2026-12-01 09:00:00+00:00",
            "2026-12-02 09:00:00+00:00",
        ]
        "#);
    }

    /// Every zone, ten years: strictly increasing, once a local day, in or right after its time.
    #[test]
    fn every_zone_fires_once_a_day_for_ten_years() {
        let zones = places();
        assert!(400 < zones.len(), "only {} time zones are compiled in", zones.len());
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for some in zones.chunks(zones.len().div_ceil(threads)) {
                scope.spawn(|| some.iter().for_each(|zone| fires_once_a_day_for_ten_years(zone)));
            }
        });
    }

    fn fires_once_a_day_for_ten_years(name: &str) {
        let (from, until) = (ts("2026-11-21T00:00:00Z"), ts("2036-11-21T00:00:00Z"));
        // Two times in the hours where clocks change.
        let rhythm = Rhythm::parse(&calendar(name, &["00:30", "02:30"])).unwrap();
        let zone = rhythm.zone();
        let mut slot = rhythm.first_slot(from).unwrap();
        let mut planned = zone.to_datetime(slot);
        while slot < until {
            let local = zone.to_datetime(slot);
            match zone.to_ambiguous_timestamp(planned).offset() {
                AmbiguousOffset::Unambiguous { .. } => assert_eq!(local, planned, "{name}"),
                AmbiguousOffset::Fold { before, .. } => {
                    assert_eq!(local, planned, "{name}");
                    assert_eq!(
                        zone.to_offset(slot),
                        before,
                        "{name}: {planned} fired the second time"
                    );
                }
                AmbiguousOffset::Gap { .. } => {
                    let before = zone.to_datetime(slot - SignedDuration::from_secs(1));
                    assert!(
                        before < planned && planned < local,
                        "{name}: {planned} is skipped and stands for {local}"
                    );
                }
            }
            let (next, _) = rhythm.next_slot(slot, false, None).unwrap();
            assert!(slot < next, "{name}: {next} does not come after {slot}");
            slot = next;
            planned = if planned.hour() == 0 {
                planned.date().at(2, 30, 0, 0)
            } else {
                planned.date().tomorrow().unwrap().at(0, 30, 0, 0)
            };
        }
    }

    fn any_interval() -> impl Strategy<Value = RhythmFields> {
        let zones = places();
        let window = (0..24_u32, 0..60_u32, 0..24_u32, 0..60_u32)
            .prop_filter("an empty window", |(a, b, c, d)| (a, b) != (c, d))
            .prop_map(|(a, b, c, d)| format!("{a:02}:{b:02}-{c:02}:{d:02}"));
        (
            prop::sample::select(zones),
            1..3_000_u32,
            1..3_000_u32,
            prop::option::of(window),
            prop::option::of(1..20_u32),
        )
            .prop_map(|(zone, line, stanza, window, daily_cap)| RhythmFields {
                line: Some(format!("{line}m")),
                stanza: Some(format!("{stanza}m")),
                time_zone: Some(zone),
                window,
                daily_cap,
                ..RhythmFields::default()
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Whatever the zone, the window and the cap: slots increase, are as far apart as asked, fall in the
        /// window, and are no more in a day than allowed.
        #[test]
        fn intervals_keep_their_promises(
            fields in any_interval(),
            start in 1_795_000_000..2_110_000_000_i64,
            stanzas in prop::collection::vec(any::<bool>(), 40),
        ) {
            let rhythm = Rhythm::parse(&fields).unwrap();
            prop_assert_eq!(&Rhythm::parse(&rhythm.fields()).unwrap(), &rhythm);
            let Pattern::Interval { line, stanza, window } = rhythm.pattern().clone() else {
                panic!("an interval was asked for")
            };
            let mut slot = rhythm.first_slot(Timestamp::from_second(start).unwrap()).unwrap();
            let mut per_day = std::collections::BTreeMap::new();
            let mut day = None;
            for starts_over in stanzas {
                let local = rhythm.zone().to_datetime(slot);
                if let Some(DailyWindow { from, until }) = window {
                    let time = local.time();
                    let inside = if from < until {
                        from <= time && time < until
                    } else {
                        from <= time || time < until
                    };
                    // Within the hours where the clock is changed, the window is one of elapsed time.
                    let changed = rhythm
                        .zone()
                        .following(slot - SignedDuration::from_hours(25))
                        .next()
                        .is_some_and(|change| {
                            change.timestamp() < slot + SignedDuration::from_hours(25)
                        });
                    prop_assert!(inside || changed, "{local} is not in {fields:?}");
                }
                let count = per_day.entry(local.date()).or_insert(0);
                *count += 1;
                prop_assert!(*count <= fields.daily_cap.unwrap_or(u32::MAX));
                let (next, counted) = rhythm.next_slot(slot, starts_over, day).unwrap();
                let gap = if starts_over { stanza } else { line };
                prop_assert!(gap <= next.duration_since(slot), "{slot} and {next} are too close");
                (slot, day) = (next, counted);
            }
        }
    }
}
