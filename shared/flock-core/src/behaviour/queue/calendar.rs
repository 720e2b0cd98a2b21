//! A calendar of posts: an event each, by RFC 5545 ("Internet Calendaring and Scheduling Core Object Specification", 2009-09).
//!
//! What an event says is its DESCRIPTION, and where that is blank its SUMMARY: calendars show a summary as the title on the
//! day, short and without line feeds, and who plans posts in them writes the post below. The order is that of the times.

use std::borrow::Cow;

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::tell;
use crate::{
    Corpus, CorpusProblem, Item, Mark,
    foreign::{odd, says_nothing},
    one_line,
    rhythm::{instant, parse_zone},
};

/// What nobody nests deeper: an alarm in an event in a calendar.
const DEEPEST: usize = 16;

/// The file, where no fold of a line is within a character: "implementations might generate improperly folded lines" (RFC 5545, 3.1),
/// as those do that count octets alone.
pub(super) fn with_whole_characters(bytes: &[u8]) -> Cow<'_, [u8]> {
    if std::str::from_utf8(bytes).is_ok() {
        return bytes.into();
    }
    let mut whole = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let fold = [b"\r\n ".as_slice(), b"\r\n\t", b"\n ", b"\n\t"];
        let fold = fold.into_iter().find(|fold| rest.starts_with(fold));
        if let Some(after) = fold.and_then(|fold| rest.strip_prefix(fold)) {
            // What goes on a character, which is 10xxxxxx in UTF-8, moves to where that began.
            let goes_on =
                after.iter().take_while(|byte| **byte & 0b1100_0000 == 0b1000_0000).count();
            let (end, after) = after.split_at_checked(goes_on).unwrap_or((&[], after));
            whole.extend_from_slice(end);
            whole.extend_from_slice(fold.unwrap_or_default());
            rest = after;
        } else {
            whole.push(*first);
            rest = after;
        }
    }
    whole.into()
}

/// Whether a text begins as a calendar does.
pub(super) fn begins_a_calendar(text: &str) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    first.trim().eq_ignore_ascii_case("BEGIN:VCALENDAR")
}

/// A property of a component: a line, unfolded.
struct Property<'a> {
    line: usize,
    name: &'a str,
    /// What stands between the name and the value, as it is written.
    parameters: &'a str,
    value: &'a str,
}

/// A value and the line it is in.
struct At {
    line: usize,
    value: String,
}

/// When an event begins, as it is written.
struct Start {
    at: At,
    zone: Option<String>,
    is_date: bool,
}

/// What is read of an event.
#[derive(Default)]
struct Event {
    line: usize,
    start: Option<Start>,
    summary: Option<At>,
    description: Option<At>,
    repeats: Option<At>,
    is_cancelled: bool,
    /// Properties that are there twice, and lines that are none.
    problems: Vec<(usize, String)>,
}

/// The lines of a text by RFC 5545, 3.1: one that begins with white space goes on the line above. With the number of the first.
fn unfolded(text: &str) -> impl Iterator<Item = (usize, Cow<'_, str>)> {
    let mut lines = (1..).zip(text.split('\n')).peekable();
    std::iter::from_fn(move || {
        let (number, line) = lines.next()?;
        let mut line = Cow::Borrowed(line.strip_suffix('\r').unwrap_or(line));
        while let Some((_, more)) = lines.next_if(|(_, more)| more.starts_with([' ', '\t'])) {
            let more = more.get(1..).unwrap_or_default();
            line.to_mut().push_str(more.strip_suffix('\r').unwrap_or(more));
        }
        Some((number, line))
    })
}

impl<'a> Property<'a> {
    /// `NAME;PARAMETER="quoted: so";OTHER=x:value`.
    fn of(number: usize, text: &'a str) -> Option<Self> {
        let mut is_quoted = false;
        let colon = text.char_indices().find(|(_, c)| {
            is_quoted ^= *c == '"';
            *c == ':' && !is_quoted
        });
        let (before, value) = text.split_at_checked(colon?.0)?;
        let (name, parameters) = before.split_once(';').unwrap_or((before, ""));
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let name = name.trim();
        (!name.is_empty() && name.chars().all(is_name)).then_some(Self {
            line: number,
            name,
            parameters,
            value: value.get(1..)?,
        })
    }

    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// The value of a parameter, without quotes.
    fn parameter(&self, name: &str) -> Option<&'a str> {
        let mut is_quoted = false;
        let mut parameters = self.parameters.split(|c| {
            is_quoted ^= c == '"';
            c == ';' && !is_quoted
        });
        parameters.find_map(|parameter| {
            let (known, value) = parameter.split_once('=')?;
            known.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"'))
        })
    }

    fn at(&self) -> At {
        At { line: self.line, value: self.value.to_owned() }
    }
}

/// What somebody wrote where a word was wanted, as much of it as helps to find it.
fn short(text: &str) -> String {
    const MOST: usize = 60;
    let mut chars = text.chars();
    let mut short: String = chars.by_ref().take(MOST).collect();
    short.extend(chars.next().map(|_| '…'));
    one_line(&short)
}

/// A text as it is meant (RFC 5545, 3.3.11). What is no escape stays as it stands.
fn unescaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars().peekable();
    while let Some(c) = chars.next() {
        let meant = match (c, chars.peek()) {
            ('\\', Some('n' | 'N')) => Some('\n'),
            ('\\', Some(c @ ('\\' | ',' | ';'))) => Some(*c),
            _ => None,
        };
        if meant.is_some() {
            chars.next();
        }
        text.push(meant.unwrap_or(c));
    }
    text
}

/// The posts of a calendar, an event each, in the order of their times. `None`: something is wrong with it.
pub(super) fn read(
    text: &str,
    zone: &TimeZone,
    problems: &mut Vec<CorpusProblem>,
) -> Option<Vec<Item<'static>>> {
    if !begins_a_calendar(text) {
        let why = "this is no calendar, which begins with BEGIN:VCALENDAR; export it once more, as iCalendar";
        tell(problems, 1, why);
        return None;
    }
    let mut items: Vec<(Timestamp, Item<'static>)> = Vec::new();
    // Which components are open: the names of each and their lines.
    let mut open: Vec<(String, usize)> = Vec::new();
    let mut event: Option<Event> = None;
    for (number, line) in unfolded(text) {
        let is_of_event = open.last().is_some_and(|(name, _)| name == "VEVENT");
        let Some(property) = Property::of(number, &line) else {
            if is_of_event
                && !says_nothing(&line)
                && let Some(event) = &mut event
            {
                let why = "it has no name and colon as lines of a calendar have; what goes on a long line begins with a space";
                event.tell(number, why);
            }
            continue;
        };
        if property.is("BEGIN") {
            if DEEPEST <= open.len() {
                tell(
                    problems,
                    number,
                    "it is in more components than calendars have; export it once more",
                );
                return None;
            }
            let name = property.value.trim().to_ascii_uppercase();
            if name == "VEVENT" {
                if let Some(Event { line, .. }) = event {
                    let why = format!(
                        "the event of line {line} has no end before it; export the calendar once more"
                    );
                    tell(problems, number, why);
                    return None;
                }
                event = Some(Event { line: number, ..Event::default() });
            }
            open.push((name, number));
        } else if property.is("END") {
            let name = property.value.trim();
            let shown = short(name);
            match open.pop() {
                Some((opened, _)) if opened.eq_ignore_ascii_case(name) => {}
                Some((opened, line)) => {
                    let why = format!(
                        "it ends {shown}, and {} of line {line} is open; export the calendar once more",
                        short(&opened)
                    );
                    tell(problems, number, why);
                    return None;
                }
                None => {
                    let why = format!(
                        "it ends {shown}, which has not begun; export the calendar once more"
                    );
                    tell(problems, number, why);
                    return None;
                }
            }
            if is_of_event && let Some(event) = event.take() {
                items.extend(event.post(zone, problems));
                // Nobody reads more, and to say what was meant takes its time.
                if Corpus::PROBLEMS < problems.len() {
                    return None;
                }
            }
        } else if is_of_event && let Some(event) = &mut event {
            event.take(&property);
        }
    }
    if let Some((name, line)) = open.pop() {
        let name = short(&name);
        let why =
            format!("{name} has no end, so the file is cut off; export the calendar once more");
        tell(problems, line, why);
    }
    if !problems.is_empty() {
        return None;
    }
    items.sort_by_key(|(at, _)| *at);
    Some(items.into_iter().map(|(_, item)| item).collect())
}

impl Event {
    /// Notes a problem, as long as somebody would still read it.
    fn tell(&mut self, line: usize, why: impl Into<String>) {
        if self.problems.len() < Corpus::PROBLEMS {
            self.problems.push((line, why.into()));
        }
    }

    fn take(&mut self, property: &Property<'_>) {
        let there = match property.name.to_ascii_uppercase().as_str() {
            "SUMMARY" => self.summary.replace(property.at()).is_some(),
            "DESCRIPTION" => self.description.replace(property.at()).is_some(),
            "DTSTART" => {
                let is_date = property
                    .parameter("VALUE")
                    .is_some_and(|value| value.eq_ignore_ascii_case("DATE"));
                let zone = property.parameter("TZID").map(ToOwned::to_owned);
                self.start.replace(Start { at: property.at(), zone, is_date }).is_some()
            }
            "RRULE" | "RDATE" => {
                self.repeats.get_or_insert_with(|| At {
                    value: property.name.to_ascii_uppercase(),
                    line: property.line,
                });
                false
            }
            "STATUS" => {
                self.is_cancelled |= property.value.trim().eq_ignore_ascii_case("CANCELLED");
                false
            }
            _ => false,
        };
        if there {
            let why =
                format!("the event of line {} has {} twice; leave one", self.line, property.name);
            self.tell(property.line, why);
        }
    }

    /// The post it is, where nothing is wrong with it and it is not cancelled.
    fn post(
        self,
        zone: &TimeZone,
        problems: &mut Vec<CorpusProblem>,
    ) -> Option<(Timestamp, Item<'static>)> {
        if self.is_cancelled {
            return None;
        }
        let is_sound = self.problems.is_empty();
        for (line, why) in self.problems {
            tell(problems, line, why);
        }
        if let Some(At { line, value }) = self.repeats {
            let why = format!(
                "it makes its event repeat, and a queue makes each post once; take {value} out, or write the texts to a queue \
                 with `again_after`, whose posts return"
            );
            tell(problems, line, why);
            return None;
        }
        let at = match self.start {
            None => Err((
                self.line,
                "its event has no DTSTART, and is a post at no time; give it one".to_owned(),
            )),
            Some(start) => start.instant(zone).map_err(|why| (start.at.line, why)),
        };
        let at = at.map_err(|(line, why)| tell(problems, line, why)).ok();
        let texts = [self.description, self.summary].into_iter().flatten();
        let said = texts.map(|At { line, value }| (line, unescaped(&value)));
        let Some((line, said)) = said.into_iter().find(|(_, said)| !says_nothing(said)) else {
            tell(
                problems,
                self.line,
                "its event has neither a DESCRIPTION nor a SUMMARY that could be posted; write one",
            );
            return None;
        };
        // All of it stands in this line of the file, wherever its own lines end.
        if odd(&said).is_some() && problems.len() < Corpus::PROBLEMS {
            problems.extend(CorpusProblem::odd_in(line, &said.replace('\n', " ")));
        }
        let at = at.filter(|_| is_sound)?;
        Some((at, Item { number: line, text: said.into(), mark: Mark::at(Some(at)) }))
    }
}

impl Start {
    fn instant(&self, zone: &TimeZone) -> Result<Timestamp, String> {
        const DATE: usize = "20261201".len();
        let value = self.at.value.trim();
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if self.is_date || value.len() == DATE && is_number(value) {
            let value = short(value);
            return Err(format!(
                "`{value}` is a day, and a post is made at a time; give its event one instead of the whole day"
            ));
        }
        let not_a_time = || {
            let value = short(value);
            format!(
                "`{value}` is not a time as calendars have it: 20261201T090000, or in UTC 20261201T090000Z"
            )
        };
        let (local, is_utc) = match value.strip_suffix(['Z', 'z']) {
            Some(local) => (local, true),
            None => (value, false),
        };
        let local = local.split_once(['T', 't']).filter(|(date, time)| {
            is_number(date) && is_number(time) && date.len() == DATE && time.len() == 6
        });
        let local = local.map(|(date, time)| format!("{date}T{time}"));
        let local = local.and_then(|local| DateTime::strptime("%Y%m%dT%H%M%S", local).ok());
        let local = local.ok_or_else(not_a_time)?;
        let at = if is_utc {
            instant(&TimeZone::UTC, local)
        } else if let Some(name) = &self.zone {
            instant(&zone_called(name)?, local)
        } else {
            instant(zone, local)
        };
        at.ok_or_else(not_a_time)
    }
}

/// The zone that a calendar calls so: by its IANA name, before which some programs write whose name it is, as in
/// `/mozilla.org/20050126_1/Europe/Berlin` (RFC 5545, 3.8.3.1).
fn zone_called(name: &str) -> Result<TimeZone, String> {
    /// As many parts as no name of a zone has.
    const PARTS: usize = 8;
    let name = name.trim();
    let mut rest = name;
    for _ in 0..PARTS {
        if let Ok(zone) = TimeZone::get(rest) {
            return Ok(zone);
        }
        match rest.split_once('/').filter(|_| name.starts_with('/')) {
            Some((_, after)) => rest = after,
            None => break,
        }
    }
    let name = &*short(name);
    if name.ends_with(" Time") {
        return Err(format!(
            "TZID `{name}` is a zone by Windows' name; write the IANA name, such as TZID=Europe/Berlin, or export the \
             calendar with times in UTC"
        ));
    }
    parse_zone(Some(name)).map_err(|why| format!("TZID {why}"))
}

/// Posts that seem to be written in HTML, as some calendars have descriptions: the line of each and what is said of it.
pub(super) fn doubts(text: &Corpus) -> Vec<(usize, String)> {
    const SIGNS: [&str; 6] = ["<br", "<p>", "</p>", "</a>", "&nbsp;", "&amp;"];
    let sign = |said: &str| SIGNS.into_iter().find(|sign| said.contains(sign));
    let doubts = text.lines().filter_map(|(number, said)| Some((number, sign(said)?)));
    let why = |sign| {
        format!("`{sign}` looks like HTML, and is posted as text; write plain text in the calendar")
    };
    doubts.map(|(number, sign)| (number, why(sign))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::tests::shown, *};

    /// The events in a calendar, with line ends as they are written.
    fn calendar(events: &str) -> String {
        format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//a//b//EN\n{events}\nEND:VCALENDAR\n")
            .replace('\n', "\r\n")
    }

    fn event(lines: &str) -> String {
        calendar(&format!("BEGIN:VEVENT\n{lines}\nEND:VEVENT"))
    }

    #[test]
    fn an_event_is_a_post_at_its_time() {
        let text = calendar(
            "BEGIN:VTIMEZONE\nTZID:Europe/Berlin\nBEGIN:STANDARD\nDTSTART:19701025T030000\nRRULE:FREQ=YEARLY\nEND:STANDARD\n\
             END:VTIMEZONE\n\
             BEGIN:VEVENT\nUID:1\nSUMMARY:title\nDTSTART;TZID=Europe/Berlin:20261201T090000\n\
             DESCRIPTION:one\\, two\\; three\\\\n\\nfour \\N fi\n ve\n\t six\n\
             BEGIN:VALARM\nTRIGGER:-PT15M\nDESCRIPTION:alarm\nDTSTART:x\nEND:VALARM\nEND:VEVENT\n\
             BEGIN:VTODO\nSUMMARY:to do\nRRULE:x\nEND:VTODO\n\
             BEGIN:VEVENT\nDTSTART:20260701T090000\nSUMMARY:floating\nDESCRIPTION: \nEND:VEVENT\n\
             begin:vevent\ndtstart:20260601T090000z\nsummary;language=\"a:b;c\";x=y:utc: so\nend:vevent\n\
             BEGIN:VEVENT\nSTATUS:CANCELLED\nRRULE:x\nSUMMARY:gone\nEND:VEVENT\n\
             BEGIN:VEVENT\nDTSTART;TZID=\"/mozilla.org/20050126_1/America/New_York\":20260101T090000\nSUMMARY:far\nEND:VEVENT",
        );
        insta::assert_snapshot!(shown("Plan.ICS", &text), @r#"
        44 2026-01-01T14:00:00Z "far"
        35 2026-06-01T09:00:00Z "utc: so"
        30 2026-07-01T08:00:00Z "floating"
        15 2026-12-01T08:00:00Z "one, two; three\\n\nfour \n five six"
        "#);
    }

    #[test]
    fn what_is_no_post_at_a_time_is_refused_by_line() {
        let told = |lines: &str| shown("q.ics", &event(lines));
        insta::assert_snapshot!(told("SUMMARY:a\nDTSTART;VALUE=DATE:20261201"), @"6: `20261201` is a day, and a post is made at a time; give its event one instead of the whole day");
        insta::assert_snapshot!(told("SUMMARY:a\nDTSTART:20261201"), @"6: `20261201` is a day, and a post is made at a time; give its event one instead of the whole day");
        insta::assert_snapshot!(told("SUMMARY:a\nDTSTART:tomorrow"), @"6: `tomorrow` is not a time as calendars have it: 20261201T090000, or in UTC 20261201T090000Z");
        insta::assert_snapshot!(told("SUMMARY:a\nDTSTART:20261301T000000Z"), @"6: `20261301T000000Z` is not a time as calendars have it: 20261201T090000, or in UTC 20261201T090000Z");
        insta::assert_snapshot!(told("SUMMARY:a"), @"4: its event has no DTSTART, and is a post at no time; give it one");
        insta::assert_snapshot!(told("DTSTART:20261201T090000\nSUMMARY: "), @"4: its event has neither a DESCRIPTION nor a SUMMARY that could be posted; write one");
        insta::assert_snapshot!(told("DTSTART:20261201T090000\nSUMMARY:a\nRRULE:FREQ=DAILY"), @"7: it makes its event repeat, and a queue makes each post once; take RRULE out, or write the texts to a queue with `again_after`, whose posts return");
        insta::assert_snapshot!(told("DTSTART;TZID=W. Europe Standard Time:20261201T090000\nSUMMARY:a"), @"5: TZID `W. Europe Standard Time` is a zone by Windows' name; write the IANA name, such as TZID=Europe/Berlin, or export the calendar with times in UTC");
        insta::assert_snapshot!(told("DTSTART;TZID=Europe/Berln:20261201T090000\nSUMMARY:a"), @"5: TZID `Europe/Berln` is not a time zone; did you mean Europe/Berlin?");
        insta::assert_snapshot!(told("DTSTART:20261201T090000\nDTSTART:20261202T090000\nSUMMARY:a\nand more"), @"
        6: the event of line 4 has DTSTART twice; leave one
        8: it has no name and colon as lines of a calendar have; what goes on a long line begins with a space
        ");
        insta::assert_snapshot!(told("DTSTART:20261201T090000\nSUMMARY:a\\n\\nb\u{7}"), @"6: line 6 holds the control character U+0007; remove it");
        insta::assert_snapshot!(told("DTSTART:20261201T090000\nSUMMARY:a\nEND:VTODO"), @"7: it ends VTODO, and VEVENT of line 4 is open; export the calendar once more");
        insta::assert_snapshot!(told("DTSTART:20261201T090000\nSUMMARY:a\nBEGIN:VALARM"), @"8: it ends VEVENT, and VALARM of line 7 is open; export the calendar once more");
        insta::assert_snapshot!(told("SUMMARY:a\nBEGIN:VEVENT"), @"6: the event of line 4 has no end before it; export the calendar once more");
        insta::assert_snapshot!(shown("q.ics", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:a\n"), @"2: VEVENT has no end, so the file is cut off; export the calendar once more");
        insta::assert_snapshot!(shown("q.ics", "text,at\na,\n"), @"1: this is no calendar, which begins with BEGIN:VCALENDAR; export it once more, as iCalendar");
        insta::assert_snapshot!(shown("q.ics", &calendar("")), @"there is no line to post in it");
        insta::assert_snapshot!(shown("q.ics", &"BEGIN:VCALENDAR\n".repeat(100_000)), @"17: it is in more components than calendars have; export it once more");
        // However long what is wrong is, and however often.
        let long = format!("SUMMARY:a\nDTSTART;TZID=/{}:20261201T090000", "moon/".repeat(100_000));
        assert!(told(&long).len() < 200, "{}", told(&long));
        let many = "BEGIN:VEVENT\nSUMMARY:a\nDTSTART;TZID=Mars:20261201T090000\nEND:VEVENT\n";
        let (_, problems) = super::super::tests::read_as("q.ics", &calendar(&many.repeat(5_000)));
        assert_eq!(problems.len(), Corpus::PROBLEMS + 1);
        insta::assert_snapshot!(shown("q.txt", &event("SUMMARY:a")), @"1: this is a calendar; give its file a name that ends with .ics");
    }

    #[test]
    fn a_character_may_be_folded() {
        let text = event("DTSTART:20261201T090000Z\nSUMMARY:caf\u{e9}, \u{1f680}!").into_bytes();
        let mut folded = Vec::new();
        for byte in text {
            if 0x80 <= byte && folded.last().is_some_and(|before| 0xc0 <= *before) {
                folded.extend_from_slice(b"\r\n ");
            }
            folded.push(byte);
        }
        let whole = with_whole_characters(&folded);
        let whole = std::str::from_utf8(&whole).unwrap();
        insta::assert_snapshot!(shown("q.ics", whole), @r#"6 2026-12-01T09:00:00Z "café, 🚀!""#);
        assert!(matches!(with_whole_characters("é\r\n a".as_bytes()), Cow::Borrowed(_)));
        assert_eq!(&*with_whole_characters(b"a\xff\r\n \xa9b"), b"a\xff\xa9\r\n b");
    }

    #[test]
    fn html_is_told_of() {
        let text = event("DTSTART:20261201T090000Z\nSUMMARY:a<br>b");
        let (text, _) = super::super::tests::read_as("q.ics", &text);
        insta::assert_debug_snapshot!(doubts(&text.unwrap()), @r#"
        [
            (
                6,
                "`<br` looks like HTML, and is posted as text; write plain text in the calendar",
            ),
        ]
        "#);
    }

    proptest! {
        /// Whatever is in a file: it is read, or refused where something is wrong.
        #[test]
        fn any_calendar_is_read_or_refused_by_line(
            lines in prop::collection::vec(
                prop_oneof![
                    prop::sample::select(vec![
                        "BEGIN:VCALENDAR", "END:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "BEGIN:VALARM", "END:VALARM",
                        "SUMMARY:a\\nb", "DESCRIPTION:c", " d", "\te", "DTSTART:20261201T090000Z", "DTSTART;TZID=Asia/Tokyo:20261201T090000",
                        "DTSTART;VALUE=DATE:20261201", "RRULE:x", "STATUS:CANCELLED", "",
                    ]).prop_map(ToOwned::to_owned),
                    "[A-Z;=:\"\\\\é\u{7} \r]{0,12}",
                ],
                0..30,
            ),
        ) {
            let text = format!("BEGIN:VCALENDAR\n{}", lines.join("\n"));
            let (corpus, problems) = super::super::tests::read_as("q.ics", &text);
            let count = text.split('\n').count();
            for problem in &problems {
                prop_assert!(problem.line().is_none_or(|line| (1..=count).contains(&line)), "{}", problem);
            }
            prop_assert!(corpus.is_some() || !problems.is_empty());
            for (number, _) in corpus.iter().flat_map(Corpus::lines) {
                prop_assert!((1..=count).contains(&number));
            }
        }

        #[test]
        fn any_bytes_keep_their_lines(bytes in prop::collection::vec(prop::sample::select(b"a\r\n \xc3\xa9\xff".to_vec()), 0..40)) {
            let whole = with_whole_characters(&bytes);
            let lines = |bytes: &[u8]| bytes.split(|byte| *byte == b'\n').count();
            prop_assert_eq!((whole.len(), lines(&whole)), (bytes.len(), lines(&bytes)));
        }
    }
}
