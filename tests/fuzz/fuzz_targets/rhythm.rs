//! Holds: a rhythm is refused or is read back from its own fields, and its slots are in order, from `start` to `end`.
#![no_main]

use std::sync::LazyLock;

use arbitrary::{Arbitrary, Unstructured};
use flock_core::{Rhythm, RhythmFields};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use libfuzzer_sys::fuzz_target;

static ZONES: LazyLock<Vec<String>> =
    LazyLock::new(|| jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect());

/// A field, as anybody might write it or in a form that is close to what is asked for.
#[derive(Debug)]
enum Text<T> {
    Any(String),
    Close(T),
}

impl<'a, T: Arbitrary<'a>> Arbitrary<'a> for Text<T> {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> arbitrary::Result<Self> {
        // One bad field is enough for the whole to be refused.
        if bytes.ratio(1_u8, 16)? {
            bytes.arbitrary().map(Self::Any)
        } else {
            bytes.arbitrary().map(Self::Close)
        }
    }
}

#[derive(Arbitrary, Debug)]
enum Span {
    Seconds(u16),
    Minutes(u8),
    Mixed(u8, u8, u8),
}

#[derive(Arbitrary, Debug)]
struct Clock(u8, u8);

#[derive(Arbitrary, Debug)]
struct Window(Clock, Clock);

#[derive(Arbitrary, Debug)]
struct Zone(u16);

#[derive(Arbitrary, Debug)]
struct Day(u8);

#[derive(Arbitrary, Debug)]
enum Moment {
    /// Of the years 1970 to 2106.
    Near(u32),
    Far(i64),
    Date(i16, u8, u8),
    Local(u32),
}

#[derive(Arbitrary, Debug)]
enum CatchUp {
    Latest,
    All(u8),
}

#[derive(Arbitrary, Debug)]
enum From {
    Moment(Moment),
    /// Up to two hours before or after the clocks change next.
    Change(Moment, i16),
}

#[derive(Arbitrary, Debug)]
struct Input {
    line: Option<Text<Span>>,
    stanza: Option<Text<Span>>,
    at: Vec<Text<Clock>>,
    days: Vec<Text<Day>>,
    window: Option<Text<Window>>,
    time_zone: Option<Text<Zone>>,
    jitter: Option<Text<Span>>,
    spread: Option<Text<Span>>,
    start: Option<Text<Moment>>,
    end: Option<Text<Moment>>,
    daily_cap: Option<u8>,
    catch_up: Option<Text<CatchUp>>,
    from: From,
    /// Which slots are the last of their rounds.
    starts_over: u64,
}

trait Written {
    fn written(&self) -> String;
}

impl<T: Written> Written for Text<T> {
    fn written(&self) -> String {
        match self {
            Self::Any(text) => text.clone(),
            Self::Close(close) => close.written(),
        }
    }
}

impl Written for Span {
    fn written(&self) -> String {
        match self {
            Self::Seconds(seconds) => format!("{seconds}s"),
            Self::Minutes(minutes) => format!("{minutes}m"),
            Self::Mixed(days, hours, minutes) => format!("{days}d {hours}h {minutes}m"),
        }
    }
}

impl Written for Clock {
    fn written(&self) -> String {
        format!("{:02}:{:02}", self.0 % 24, self.1 % 60)
    }
}

impl Written for Window {
    fn written(&self) -> String {
        format!("{}-{}", self.0.written(), self.1.written())
    }
}

impl Written for Zone {
    fn written(&self) -> String {
        ZONES[usize::from(self.0) % ZONES.len()].clone()
    }
}

impl Written for Day {
    fn written(&self) -> String {
        ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][usize::from(self.0 % 7)].to_owned()
    }
}

impl Written for Moment {
    fn written(&self) -> String {
        match self {
            Self::Near(_) | Self::Far(_) => self.timestamp().to_string(),
            Self::Date(year, month, day) => {
                format!("{year:04}-{:02}-{:02}", month % 12 + 1, day % 31 + 1)
            }
            Self::Local(_) => self.timestamp().to_string().trim_end_matches('Z').to_owned(),
        }
    }
}

impl Moment {
    fn timestamp(&self) -> Timestamp {
        let (first, last) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        let second = match self {
            Self::Near(second) | Self::Local(second) => i64::from(*second),
            Self::Far(second) => first + second.rem_euclid(last - first + 1),
            Self::Date(year, month, day) => {
                i64::from(*year) * 31_556_952
                    + i64::from(*month) * 2_629_746
                    + i64::from(*day) * 86_400
            }
        };
        Timestamp::from_second(second.clamp(first, last)).expect("within its bounds")
    }
}

impl From {
    fn timestamp(&self, zone: &TimeZone) -> Timestamp {
        match self {
            Self::Moment(moment) => moment.timestamp(),
            Self::Change(moment, seconds) => {
                let moment = moment.timestamp();
                let change = zone.following(moment).next().map(|change| change.timestamp());
                change
                    .unwrap_or(moment)
                    .saturating_add(SignedDuration::from_secs(i64::from(*seconds) % 7_200))
                    .expect("no months")
            }
        }
    }
}

impl Written for CatchUp {
    fn written(&self) -> String {
        match self {
            Self::Latest => "latest".to_owned(),
            Self::All(count) => format!("all({count})"),
        }
    }
}

fn one(text: Option<&impl Written>) -> Option<String> {
    text.map(Written::written)
}

fn each(texts: &[impl Written]) -> Vec<String> {
    texts.iter().map(Written::written).collect()
}

fuzz_target!(|input: Input| {
    let fields = RhythmFields {
        line: one(input.line.as_ref()),
        stanza: one(input.stanza.as_ref()),
        at: each(&input.at),
        days: each(&input.days),
        window: one(input.window.as_ref()),
        time_zone: one(input.time_zone.as_ref()),
        jitter: one(input.jitter.as_ref()),
        spread: one(input.spread.as_ref()),
        start: one(input.start.as_ref()),
        end: one(input.end.as_ref()),
        daily_cap: input.daily_cap.map(|cap| u32::from(cap % 8)),
        catch_up: one(input.catch_up.as_ref()),
    };
    let rhythm = match Rhythm::parse(&fields) {
        Ok(rhythm) => rhythm,
        Err(problems) => return assert!(!problems.is_empty()),
    };
    let written = rhythm.fields();
    assert_eq!(Rhythm::parse(&written).as_ref(), Ok(&rhythm), "{fields:?}");

    let bound = |text: &Option<String>| {
        text.as_ref().map(|text| text.parse::<Timestamp>().expect("fields() writes it"))
    };
    let (start, end) = (bound(&written.start), bound(&written.end));
    let from = input.from.timestamp(rhythm.zone());
    let Some(mut slot) = rhythm.first_slot(from) else { return };
    assert!(from <= slot, "{fields:?}: {slot} is before {from}");
    assert!(
        start.is_none_or(|start| start <= slot) && end.is_none_or(|end| slot < end),
        "{fields:?}: {slot}"
    );
    let between = from + SignedDuration::from_secs((slot.as_second() - from.as_second()) / 2);
    assert_eq!(rhythm.first_slot(between), Some(slot), "{fields:?} from {from} and from {between}");
    let mut day = None;
    for step in 0..50 {
        let starts_over = input.starts_over >> step & 1 == 1;
        let Some((next, count)) = rhythm.next_slot(slot, starts_over, day) else { return };
        assert!(slot < next, "{fields:?} from {from}: {next} does not come after {slot}");
        assert!(end.is_none_or(|end| next < end), "{fields:?}: {next}");
        (slot, day) = (next, count);
    }
});
