//! Posts written as files that are read again: a table or a calendar.

use std::collections::HashMap;

use jiff::{Timestamp, tz::TimeZone};
use sha2::{Digest as _, Sha256};

use super::super::Cursor;
use crate::Corpus;

/// The posts of a text with their own times, in order, as the writers take them.
pub fn queue_posts(text: &Corpus) -> impl Iterator<Item = (Option<Timestamp>, &str)> {
    let times = (0..).map(|index| text.marks().of(Cursor::at(index)).at);
    times.zip(text.lines().map(|(_, said)| said))
}

/// A table of posts with the columns `text` and `at`, times in `zone` with their offset; read as a queue it is the same posts.
///
/// A text that begins with `=`, `+`, `-` or `@` is written as it stands, because an apostrophe before it would be
/// posted when the table comes back. A spreadsheet takes such a text for a formula: open a table of texts that others wrote with its
/// columns imported as text.
pub fn queue_csv<'a>(
    posts: impl IntoIterator<Item = (Option<Timestamp>, &'a str)>,
    zone: &TimeZone,
) -> String {
    let mut table = "text,at\n".to_owned();
    for (at, text) in posts {
        // Every text in quotes, so that none of its characters means anything.
        table.push('"');
        table.push_str(&text.replace('"', "\"\""));
        table.push_str("\",");
        table.extend(at.map(|at| with_offset(at, zone)));
        table.push('\n');
    }
    table
}

/// A time as it is in `zone`, to be read anywhere: in UTC where the zone was not at a whole minute, as before there were standard times.
fn with_offset(at: Timestamp, zone: &TimeZone) -> String {
    let offset = zone.to_offset(at);
    if offset.seconds() % 60 == 0 {
        at.display_with_offset(offset).to_string()
    } else {
        at.to_string()
    }
}

/// A calendar of posts at these times, an event each, by RFC 5545, written at `now`; read as a queue it is the same posts, in the order
/// of their times. The queue is called `name`, for people.
///
/// The id of an event is a digest of the name, the text and how many events before it say the same: a calendar that is read again by
/// another program has the same events. Times are those of the years 1 to 9999, whose numbers have four digits.
pub fn queue_ical<'a>(
    name: &str,
    posts: impl IntoIterator<Item = (Timestamp, &'a str)>,
    now: Timestamp,
) -> String {
    let mut calendar = String::new();
    let mut write = |line: &str| fold(&mut calendar, line);
    write("BEGIN:VCALENDAR");
    write("VERSION:2.0");
    write("PRODID:-//Flockwork//Queue//EN");
    write(&format!("X-WR-CALNAME:{}", escaped(name)));
    let mut same: HashMap<&str, u64> = HashMap::new();
    for (at, text) in posts {
        let before = same.entry(text).or_default();
        write("BEGIN:VEVENT");
        write(&format!("UID:{}", id(name, text, *before)));
        write(&format!("DTSTAMP:{}", in_utc(now)));
        write(&format!("DTSTART:{}", in_utc(at)));
        write(&format!("SUMMARY:{}", escaped(&title(text))));
        write(&format!("DESCRIPTION:{}", escaped(text)));
        write("END:VEVENT");
        *before += 1;
    }
    write("END:VCALENDAR");
    calendar
}

fn in_utc(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// The id of an event.
fn id(name: &str, text: &str, before: u64) -> String {
    // A name has no line feed, so that no two of them come to the same.
    let digest = Sha256::digest(format!("{name}\n{before}\n{text}"));
    let digits = digest.iter().take(16).map(|byte| format!("{byte:02x}"));
    format!("{}@flockwork", digits.collect::<String>())
}

/// What calendars show on the day: the first line, cut to what they have room for.
fn title(text: &str) -> String {
    const MOST: usize = 60;
    let first = text.lines().next().unwrap_or_default();
    let mut chars = first.chars();
    let title: String = chars.by_ref().take(MOST).collect();
    if chars.next().is_some() { title.trim_end().to_owned() + "…" } else { title }
}

/// A text as a value (RFC 5545, 3.3.11).
fn escaped(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ',' | ';' => value.extend(['\\', c]),
            '\n' => value.push_str("\\n"),
            c => value.push(c),
        }
    }
    value
}

/// Writes a line so that none is longer than 75 octets, without what ends it (RFC 5545, 3.1), and no character is divided.
fn fold(calendar: &mut String, line: &str) {
    const MOST_OCTETS: usize = 75;
    let mut octets = 0;
    for c in line.chars() {
        if MOST_OCTETS < octets + c.len_utf8() {
            calendar.push_str("\r\n ");
            octets = 1;
        }
        calendar.push(c);
        octets += c.len_utf8();
    }
    calendar.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::tests::{check_posts, corpus, posts, read_as, ts},
        *,
    };
    use crate::CorpusProblem;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    #[test]
    fn a_table_says_times_with_their_offsets_and_texts_as_they_stand() {
        let at = |text: &str| Some(ts(text));
        let posts = [
            (at("2026-07-01T07:00:00Z"), "=SUM(A1)"),
            (None, "say \"moo\",\n-- and more"),
            (at("2026-12-01T08:00:30Z"), "@moon +1"),
            // Before Berlin had a standard time.
            (at("1800-01-01T00:00:00Z"), "old"),
        ];
        insta::assert_snapshot!(queue_csv(posts, &zone("Europe/Berlin")), @r#"
        text,at
        "=SUM(A1)",2026-07-01T09:00:00+02:00
        "say ""moo"",
        -- and more",
        "@moon +1",2026-12-01T09:00:30+01:00
        "old",1800-01-01T00:00:00Z
        "#);
        assert_eq!(queue_csv([], &TimeZone::UTC), "text,at\n");
    }

    #[test]
    fn a_calendar_is_folded_at_characters_and_its_ids_stay() {
        let long = "The moon rose over the café, where the nine cows were; they said moo, and moo again — 🐄🐄🐄\nthen\\so";
        let posts = [
            (ts("2026-07-01T07:00:00Z"), long),
            (ts("2026-07-02T07:00:00Z"), "moo"),
            (ts("2026-08-02T07:00:00Z"), "moo"),
        ];
        let calendar = queue_ical("meadow/cows, all", posts, ts("2026-06-01T00:00:00Z"));
        for line in calendar.split("\r\n") {
            assert!(line.len() <= 75 && !line.contains(['\r', '\n']), "{line}");
        }
        let ids = |calendar: &str| -> Vec<_> {
            calendar.lines().filter(|line| line.starts_with("UID")).map(ToOwned::to_owned).collect()
        };
        let later = queue_ical("meadow/cows, all", posts, ts("2027-06-01T00:00:00Z"));
        assert_eq!(ids(&calendar), ids(&later));
        insta::assert_snapshot!(calendar.replace("\r\n", "\n"), @r#"
        BEGIN:VCALENDAR
        VERSION:2.0
        PRODID:-//Flockwork//Queue//EN
        X-WR-CALNAME:meadow/cows\, all
        BEGIN:VEVENT
        UID:281951ed7b1f8626a28baa2d31e3e95b@flockwork
        DTSTAMP:20260601T000000Z
        DTSTART:20260701T070000Z
        SUMMARY:The moon rose over the café\, where the nine cows were\; they…
        DESCRIPTION:The moon rose over the café\, where the nine cows were\; they 
         said moo\, and moo again — 🐄🐄🐄\nthen\\so
        END:VEVENT
        BEGIN:VEVENT
        UID:1cbd6099747594e17a7d90d1d2c2b107@flockwork
        DTSTAMP:20260601T000000Z
        DTSTART:20260702T070000Z
        SUMMARY:moo
        DESCRIPTION:moo
        END:VEVENT
        BEGIN:VEVENT
        UID:48162fad2b92ecb1427c5c204c8d5521@flockwork
        DTSTAMP:20260601T000000Z
        DTSTART:20260802T070000Z
        SUMMARY:moo
        DESCRIPTION:moo
        END:VEVENT
        END:VCALENDAR
        "#);
        insta::assert_snapshot!(super::super::tests::shown("q.ics", &calendar), @r#"
        10 2026-07-01T07:00:00Z "The moon rose over the café, where the nine cows were; they said moo, and moo again — 🐄🐄🐄\nthen\\so"
        18 2026-07-02T07:00:00Z "moo"
        25 2026-08-02T07:00:00Z "moo"
        "#);
    }

    proptest! {
        #[test]
        fn what_is_written_as_a_table_comes_back(
            posts in posts(),
            begin in prop::sample::select(vec!["", "=", "+", "-", "@", "'", "\t", "sep=;"]),
            zone_name in prop::sample::select(vec!["UTC", "Europe/London", "Asia/Kathmandu", "Africa/Monrovia"]),
        ) {
            let posts: Vec<_> = posts.into_iter().map(|(text, at)| ((begin.to_owned() + &text).trim().to_owned(), at)).collect();
            let written = queue_csv(posts.iter().map(|(text, at)| (*at, text.as_str())), &zone(zone_name));
            let (read, problems) = read_as("q.csv", &written);
            if posts.is_empty() {
                prop_assert_eq!(problems, [CorpusProblem::Empty]);
                return Ok(());
            }
            prop_assert_eq!(problems, []);
            let read = read.unwrap();
            check_posts(&read, &posts);
            prop_assert_eq!(read.id(), corpus(&posts).id());
            prop_assert_eq!(queue_csv(queue_posts(&read), &zone(zone_name)), written);
        }

        #[test]
        fn what_is_written_as_a_calendar_comes_back(
            posts in prop::collection::vec(("[a-zé猫🐄,;:\\\\\"\n -]{1,120}", 0_i64..100_000), 1..8),
            name in "[a-z/-]{1,10}",
        ) {
            let mut at = ts("2026-01-01T00:00:00Z");
            let posts: Vec<_> = posts.into_iter().filter_map(|(text, gap)| {
                at += jiff::SignedDuration::from_secs(gap);
                Some((text.trim().to_owned(), Some(at))).filter(|(text, _)| !text.is_empty())
            }).collect();
            let written = queue_ical(&name, posts.iter().map(|(text, at)| (at.unwrap(), text.as_str())), at);
            prop_assert!(written.split("\r\n").all(|line| line.len() <= 75 && !line.contains('\n')));
            let (read, problems) = read_as("q.ics", &written);
            if posts.is_empty() {
                prop_assert_eq!(problems, [CorpusProblem::Empty]);
            } else {
                prop_assert_eq!(problems, []);
                check_posts(&read.unwrap(), &posts);
            }
        }
    }
}
