//! Posts that people wrote, one after the other, once, or round by round.
//!
//! They come from a table (`queue.csv`: a column `text` and, where posts have times of their own, `at`), from a calendar
//! (`queue.ics`) or from a text in which a line of three hyphens stands between them. When the last is said, the queue is
//! empty, until its file has more. Where its posts return, it is a pool.

mod calendar;
mod pool;
mod table;
mod text;
mod write;

use std::{borrow::Cow, path::Path};

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::{Cursor, Material, Needs, Place, Said, Source, Turn};
use crate::{
    Act, Corpus, CorpusId, CorpusProblem, InvalidRhythm, Item, Rhythm, RhythmFields, count,
    foreign::{CURLY, STRAIGHT, lines_of},
    rhythm::parse_moment,
};

pub use pool::{Again, LastSaid};
pub(crate) use pool::{Minute, Pool, minute};
pub use write::{queue_csv, queue_ical, queue_posts};

/// Posts that are made in order, once, or as often as they return.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Queue {
    /// What they say, and when those are made that have a time of their own.
    pub corpus: CorpusId,
    /// How many they are; at least 1.
    pub posts: u32,
    /// The own time of the first: a sheep begins there, before anything is read.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::second::optional"
    )]
    pub first_at: Option<Timestamp>,
    /// Whether any has a time of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub timed: bool,
    /// How many of them people added to those of the file, made or to come.
    #[serde(default, skip_serializing_if = "is_none")]
    pub added: u32,
    /// How they return, where they do: then none has a time of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Again>,
}

/// What a file is read as, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Table,
    Calendar,
    Text,
}

impl Form {
    fn of(file: &str) -> Self {
        let named =
            |end| Path::new(file).extension().is_some_and(|own| own.eq_ignore_ascii_case(end));
        if named("csv") {
            Self::Table
        } else if named("ics") {
            Self::Calendar
        } else {
            Self::Text
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "it is what serde asks")]
fn is_none(added: &u32) -> bool {
    *added == 0
}

impl Queue {
    /// What is true of its sheep when it is empty, and what to do.
    const EMPTY: &str = "has finished, because its queue is empty; add posts to it, or to its file and apply its flock, to let it go on";

    /// The same, where its posts have been made as often as they were to be.
    const SAID: &str = "has finished, because each post of its pool was made as often as `again_times` says; add posts to its \
                        file, or raise that, and apply its flock to let it go on";

    pub(super) fn of(text: &Corpus) -> Self {
        Self {
            corpus: text.id(),
            posts: text.len(),
            first_at: text.marks().of(Cursor::default()).at,
            timed: text.marks().have_times(),
            added: text.marks().added(),
            again: None,
        }
    }

    /// How its posts rest, where they return.
    pub(super) fn pool(&self) -> Option<Pool> {
        self.again.map(|again| Pool { posts: self.posts, after: again.after() })
    }

    /// Where nothing comes any more.
    fn end(&self) -> u32 {
        match self.again {
            None => self.posts,
            Some(again) => again.times().map_or(u32::MAX, |times| times.saturating_mul(self.posts)),
        }
    }

    /// Which round of a pool `cursor` is in, from 0 on, and which of its posts.
    fn round(&self, cursor: Cursor) -> (u32, u32) {
        match (self.again, cursor.index()) {
            (Some(_), at) => {
                (at.checked_div(self.posts).unwrap_or(0), at.checked_rem(self.posts).unwrap_or(0))
            }
            (None, at) => (0, at),
        }
    }

    pub(super) fn needs(&self, cursor: Cursor) -> Needs {
        let (_, index) = self.round(cursor);
        Needs::Line { corpus: self.corpus.clone(), index }
    }

    pub(super) fn say(&self, turn: Turn, material: Material) -> Said {
        let Material::Line { text, mark: _, next } = material;
        Said { act: Act::post(text), then: self.next(turn.cursor).coming(next, turn.at) }
    }

    pub(super) fn first(&self) -> Place {
        Place { at: self.first_at, ..Place::at(Cursor::default()) }
    }

    pub(super) fn next(&self, cursor: Cursor) -> Place {
        Place::at(Cursor::at(cursor.index().saturating_add(1).min(self.end())))
    }

    pub(super) fn admit(&self, cursor: Cursor) -> Place {
        match cursor.index() {
            0 => self.first(),
            index => Place::at(Cursor::at(index.min(self.end()))),
        }
    }

    /// The place that is in the round number `round`.
    pub(super) fn in_round(&self, place: Place, round: u32) -> Place {
        match self.pool() {
            Some(pool) => Place { at: None, ..self.admit(pool.in_round(place, round).cursor) },
            None if 0 < round => Place::at(Cursor::at(self.posts)),
            None => place,
        }
    }

    pub(super) fn ended(&self, cursor: Cursor) -> Option<&'static str> {
        let why = if self.again.is_some() { Self::SAID } else { Self::EMPTY };
        (self.end() <= cursor.index()).then_some(why)
    }

    pub(super) fn timed_text(&self) -> Option<&CorpusId> {
        Some(&self.corpus).filter(|_| self.timed)
    }

    pub(super) fn describe(&self) -> String {
        let again = self.again.map(Again::describe).unwrap_or_default();
        let posts = count(self.posts, "post");
        match self.added {
            0 => format!("queue of {posts}{again}"),
            added => format!("queue of {posts}, {added} of them added to its file{again}"),
        }
    }

    pub(super) fn position(&self, cursor: Cursor) -> String {
        if self.ended(cursor).is_some() {
            return format!("{}, which is not written yet", self.posts.saturating_add(1));
        }
        let (round, index) = self.round(cursor);
        let place = format!("{} of {}", index.saturating_add(1), self.posts);
        match self.again {
            Some(_) => format!("{place}, {} time", ordinal(round.saturating_add(1))),
            None => place,
        }
    }
}

/// A number as a place in a row: 2nd.
fn ordinal(number: u32) -> String {
    let end = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{end}")
}

/// What of a rhythm does not go with posts that people wrote.
pub(super) fn check(rhythm: &RhythmFields) -> Option<InvalidRhythm> {
    let catch_up = rhythm.catch_up.as_deref().filter(|how| how.trim() == "latest");
    catch_up.map(|_| InvalidRhythm {
        field: "catch_up",
        why: "with `latest` posts would be left out that somebody wrote; use skip or all(3), which a queue \
              goes on in order with"
            .to_owned(),
    })
}

/// The posts whose own times are not those of the rhythm.
pub(super) fn check_text(text: &Corpus, rhythm: &Rhythm) -> Vec<CorpusProblem> {
    let times = (0..).map(|index| text.marks().of(Cursor::at(index)).at);
    let mut problems = Vec::new();
    for ((number, _), at) in text.lines().zip(times) {
        let Some(at) = at else { continue };
        let why = if rhythm.start().is_some_and(|start| at < start) {
            "its time is before the `start` of its sheep; give it a later one"
        } else if rhythm.end().is_some_and(|end| end <= at) {
            "its time is not before the `end` of its sheep; give it an earlier one"
        } else {
            continue;
        };
        tell(&mut problems, number, why);
    }
    problems
}

/// Reads the file of a queue: a table or a calendar, where its name ends so, or a text.
pub(super) fn read(source: &Source<'_>) -> (Option<Corpus>, Vec<CorpusProblem>) {
    let form = Form::of(source.name);
    let bytes = match form {
        Form::Calendar => calendar::with_whole_characters(source.bytes),
        Form::Table | Form::Text => Cow::Borrowed(source.bytes),
    };
    let text = match lines_of(&bytes) {
        Ok(text) => text,
        Err(why) => return (None, vec![why.into()]),
    };
    let text = &*text;
    let mut problems = Vec::new();
    let items = match form {
        Form::Table => table::read(text, source.zone, &mut problems),
        Form::Calendar => calendar::read(text, source.zone, &mut problems),
        Form::Text if table::begins_a_table(text) => {
            let why = "this is a table; give its file a name that ends with .csv";
            tell(&mut problems, 1, why);
            None
        }
        Form::Text if calendar::begins_a_calendar(text) => {
            let why = "this is a calendar; give its file a name that ends with .ics";
            tell(&mut problems, 1, why);
            None
        }
        Form::Text => Some(text::read(text, source.zone, &mut problems)),
    };
    let Some(items) = items else { return (None, problems) };
    in_order(&items, &mut problems);
    let (corpus, more) = Corpus::of(items.iter().map(borrowed));
    problems.extend(more);
    (corpus, problems)
}

/// Lines of posts from the file of this name that somebody may have meant otherwise: the number of each and what is said of it.
pub(super) fn doubts(text: &Corpus, file: &str) -> Vec<(usize, String)> {
    match Form::of(file) {
        // A table has columns for what a text has signs for.
        Form::Table => Vec::new(),
        Form::Calendar => calendar::doubts(text),
        Form::Text => text::doubts(text),
    }
}

fn borrowed<'a>(item: &'a Item<'_>) -> Item<'a> {
    Item { text: Cow::Borrowed(&item.text), ..*item }
}

/// Notes a problem, as long as somebody would still read it.
fn tell(problems: &mut Vec<CorpusProblem>, line: usize, why: impl Into<String>) {
    match problems.len() {
        told if told < Corpus::PROBLEMS => {
            problems.push(CorpusProblem::Form { line: Some(line), why: why.into() });
        }
        told @ Corpus::PROBLEMS => problems.push(CorpusProblem::More { told }),
        _ => {}
    }
}

/// Refuses times that go backwards: the order of the file is the order of the posts.
fn in_order(items: &[Item<'_>], problems: &mut Vec<CorpusProblem>) {
    let mut latest: Option<(Timestamp, usize)> = None;
    for item in items {
        let Some(at) = item.mark.at else { continue };
        match latest {
            Some((before, line)) if at < before => {
                let why = format!(
                    "its time is before that of line {line}; posts are made in the order of the file"
                );
                tell(problems, item.number, why);
            }
            _ => latest = Some((at, item.number)),
        }
    }
}

/// The time somebody wrote for a post.
fn tell_time(
    text: &str,
    zone: &TimeZone,
    line: usize,
    problems: &mut Vec<CorpusProblem>,
) -> Option<Timestamp> {
    let text = text.trim();
    let at = parse_moment(text, zone);
    if at.is_none() {
        let why = if text.starts_with(CURLY) {
            format!("`{text}` is not a time: the {STRAIGHT}")
        } else {
            format!(
                "`{text}` is not a time as it is written here: 2026-12-01 09:00, or with an offset 2026-12-01T09:00+01:00"
            )
        };
        tell(problems, line, why);
    }
    at
}

/// A text as posts have it, whatever ends the lines of its file.
fn with_line_feeds(text: &str) -> Cow<'_, str> {
    if text.contains('\r') { text.replace("\r\n", "\n").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::{
        text::{is_between, looks_like_a_line_between, looks_like_a_time},
        *,
    };
    use crate::{
        Behaviour, BehaviourKind, Due, Edit, Mark, Occurrence, Outcome, Sheep, SheepConfig,
        TableId, Upcoming, UpcomingText, preview,
    };

    pub(super) fn ts(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    pub(super) fn read_as(name: &str, text: &str) -> (Option<Corpus>, Vec<CorpusProblem>) {
        let zone = TimeZone::get("Europe/London").unwrap();
        read(&Source::plain(name, text.as_bytes(), &zone))
    }

    /// What is in the file: line, time and text of each post, or what is wrong with it.
    pub(super) fn shown(name: &str, text: &str) -> String {
        let (corpus, problems) = read_as(name, text);
        if !problems.is_empty() {
            let told = problems.iter().map(|problem| match problem.line() {
                Some(line) => format!("{line}: {problem}"),
                None => problem.to_string(),
            });
            return told.collect::<Vec<_>>().join("\n");
        }
        let corpus = corpus.unwrap();
        let posts = corpus.lines().zip(0..).map(|((number, text), index)| {
            let at = corpus.marks().of(Cursor::at(index)).at;
            format!("{number} {} {text:?}", at.map_or_else(|| "-".to_owned(), |at| at.to_string()))
        });
        posts.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn what_looks_like_a_sign_is_told_of() {
        let doubts = |name: &str, text: &str| {
            let (corpus, problems) = read_as(name, text);
            assert!(problems.is_empty(), "{problems:?}");
            let doubts = doubts(&corpus.unwrap(), name);
            doubts.iter().map(|(line, why)| format!("{line}: {why}")).collect::<Vec<_>>().join("\n")
        };
        insta::assert_snapshot!(doubts("queue.txt", "moon\n———\nat 2026-12-01 09:00\nrose\n---\nat: 2026-12-02 09:00\n* * *\nsun\n"), @"
        2: `———` looks like a line between two posts, and is posted as text; write three hyphens: `---`
        3: `at 2026-12-01 09:00` looks like a time, and is posted as text; write `at: 2026-12-01 09:00` as the first line of a post
        7: `* * *` looks like a line between two posts, and is posted as text; write three hyphens: `---`
        ");
        let times = [
            "at 2026-12-01 09:00",
            "AT 2026-12-01T09:00Z",
            "2026-12-01 09:00",
            "at = 2026-12-01 09:00",
            "@ 2026-12-01 09:00:00",
            "Date: 2026-12-01 09:00",
            "# at: 2026-12-01 09:00",
        ];
        for line in times {
            assert!(looks_like_a_time(line), "{line}");
        }
        for line in [
            "at 9",
            "at 2026-12-01 the moon rose",
            "the moon rose",
            "",
            "2026",
            "born 2026-12-01 09:00",
        ] {
            assert!(!looks_like_a_time(line), "{line}");
        }
        for line in ["—", "———", "–––", "--", "- -", "***", "___", "=====", "~~~", "−−−"]
        {
            assert!(looks_like_a_line_between(line), "{line}");
        }
        for line in ["-", "*", "**", "", "— he said", "_ _", "a---", "..."] {
            assert!(!looks_like_a_line_between(line), "{line}");
        }
        assert_eq!(doubts("queue.csv", "text\n———\n2026-12-01 09:00\n"), "");
    }

    #[test]
    fn a_table_has_a_row_for_each_post() {
        insta::assert_snapshot!(shown("queue.csv", "text\nmoon\n\n\"two\nlines, \"\"quoted\"\"\"\nrose\n"), @r#"
        2 - "moon"
        4 - "two\nlines, \"quoted\""
        6 - "rose"
        "#);
        // As Excel writes it in Europe.
        let excel = "\u{feff}At;TEXT;\r\n".trim_end_matches(";\r\n").to_owned()
            + "\r\n2026-12-01 09:00;one, two\r\n;\"a; b\r\nc\"\r\n;\r\n2026-12-01T09:00:30;d\r\n";
        insta::assert_snapshot!(shown("Queue.CSV", &excel), @r#"
        2 2026-12-01T09:00:00Z "one, two"
        3 - "a; b\nc"
        6 2026-12-01T09:00:30Z "d"
        "#);
    }

    #[test]
    fn times_are_those_of_the_zone_unless_they_say_another() {
        let times =
            "at,text\n2026-06-01 09:00,a\n2026-06-01T09:00+02:00,b\n2026-06-01T09:00:05Z,c\n";
        insta::assert_snapshot!(shown("q.csv", times), @r#"3: its time is before that of line 2; posts are made in the order of the file"#);
        let times =
            "at,text\n2026-06-01T09:00+02:00,b\n2026-06-01 09:00,a\n2026-06-01T09:00:05Z,c\n";
        insta::assert_snapshot!(shown("q.csv", times), @r#"
        2 2026-06-01T07:00:00Z "b"
        3 2026-06-01T08:00:00Z "a"
        4 2026-06-01T09:00:05Z "c"
        "#);
        // Skipped, and there twice.
        let times = "at,text\n2026-03-29 01:30,gap\n2026-10-25 01:30,fold\n";
        insta::assert_snapshot!(shown("q.csv", times), @r#"
        2 2026-03-29T01:00:00Z "gap"
        3 2026-10-25T00:30:00Z "fold"
        "#);
    }

    #[test]
    fn what_is_no_table_is_refused_with_its_line() {
        insta::assert_snapshot!(shown("q.csv", "\ntext,wehn,At,at\n"), @r"
        2: unknown column `wehn`; a queue has `text` and, for posts with times of their own, `at`
        2: the column `at` is there twice
        ");
        insta::assert_snapshot!(shown("q.csv", "at\n"), @"1: the column `text` is missing; the first line names the columns: `text` and, for posts with times of their own, `at`");
        insta::assert_snapshot!(shown("q.csv", "text\n"), @"there is no line to post in it");
        insta::assert_snapshot!(shown("q.csv", ""), @"there is no line to post in it");
        insta::assert_snapshot!(shown("q.csv", "text,at\nfine,2026-12-01\n\"a\nb\",tomorrow\none, two, three\n\x07,\n"), @"
        2: `2026-12-01` is not a time as it is written here: 2026-12-01 09:00, or with an offset 2026-12-01T09:00+01:00
        3: `tomorrow` is not a time as it is written here: 2026-12-01 09:00, or with an offset 2026-12-01T09:00+01:00
        5: it has more fields than there are columns; put a text with `,` in it between double quotes
        5: `two` is not a time as it is written here: 2026-12-01 09:00, or with an offset 2026-12-01T09:00+01:00
        6: line 6 holds the control character U+0007; remove it
        ");
        let mistakes =
            ["\"b\nc\n", "\"b\nc\n\"d\"\n", "5\" of rain\n", "\"b\" c\n", "b, \"c\"\n", "\""];
        for mistake in mistakes {
            insta::allow_duplicates! {
                insta::assert_snapshot!(shown("q.csv", &format!("text,at\na,\n{mistake}")).lines().next().unwrap(), @r#"3: double quotes stand around a whole field, from its first character to its last; one inside is written as """#);
            }
        }
        for fine in ["\"\"\"b\"\"\"\n", "b\r\n", "\"b\n\nc\"", "\"\",\"\"\n", "\"b\"\n"] {
            let (_, problems) = read_as("q.csv", &format!("text,at\na,\n{fine}"));
            assert_eq!(problems, [], "{fine}");
        }
        let bad = format!("text,at\n{}", "a,soon\n".repeat(500));
        let (_, problems) = read_as("q.csv", &bad);
        assert_eq!(problems.len(), Corpus::PROBLEMS + 1);
    }

    #[test]
    fn a_text_has_hyphens_between_its_posts() {
        let text = "\u{feff}---\n\none\n\ntwo\n---\r\nat: 2026-12-01 09:00\r\nthree\r\nfour\r\n---\n \n---\nfive -- six\n----\n";
        insta::assert_snapshot!(shown("queue.txt", text), @r#"
        3 - "one\n\ntwo"
        7 2026-12-01T09:00:00Z "three\nfour"
        13 - "five -- six"
        "#);
        insta::assert_snapshot!(shown("queue.txt", "one\n---\nat: noon\ntwo\n---\nat:\nthree"), @"
        3: `noon` is not a time as it is written here: 2026-12-01 09:00, or with an offset 2026-12-01T09:00+01:00
        6: `` is not a time as it is written here: 2026-12-01 09:00, or with an offset 2026-12-01T09:00+01:00
        ");
        insta::assert_snapshot!(shown("queue.txt", " \n---\n---\n"), @"there is no line to post in it");
    }

    #[test]
    fn its_form_is_a_schema() {
        let stored = |text: &str| {
            let (corpus, _) = read_as("q.csv", text);
            let queue = BehaviourKind::Queue.with_text(&corpus.unwrap());
            let stored = serde_json::to_string(&queue).unwrap();
            assert_eq!(serde_json::from_str::<Behaviour>(&stored).unwrap(), queue);
            stored
        };
        insta::assert_snapshot!(stored("text\nmoon\nrose"), @r#"{"kind":"queue","corpus":"a350b88a8c11f8ac961ba81b01d63e9e","posts":2}"#);
        insta::assert_snapshot!(stored("text,at\nmoon,2026-12-01 09:00\nrose"), @r#"{"kind":"queue","corpus":"01f58c87d2e46ceb89ddbf12e2481a98","posts":2,"first_at":1796115600,"timed":true}"#);
        insta::assert_snapshot!(stored("text,at\nmoon\nrose,2026-12-01 09:00"), @r#"{"kind":"queue","corpus":"257c7425e19e87fcf0dbf49398e3a6f0","posts":2,"timed":true}"#);
    }

    #[test]
    fn people_read_what_it_is_and_where_it_is() {
        let (corpus, _) = read_as("q.txt", "a\n---\nb");
        let queue = BehaviourKind::Queue.with_text(&corpus.unwrap());
        assert_eq!((queue.describe().as_str(), queue.unit()), ("queue of 2 posts", "item"));
        assert_eq!(queue.position(Cursor::at(1)), "2 of 2");
        assert_eq!(queue.position(Cursor::at(2)), "3, which is not written yet");
    }

    #[test]
    fn what_does_not_go_with_a_queue_is_refused() {
        let fields = RhythmFields {
            line: Some("1h".to_owned()),
            stanza: Some("1h".to_owned()),
            catch_up: Some("latest".to_owned()),
            ..RhythmFields::default()
        };
        let told = super::super::BehaviourKind::Queue.check(&fields, false);
        let told = told.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        insta::assert_snapshot!(told, @"
        stanza: a queue does not start over, so there is no pause before that; leave it out
        catch_up: with `latest` posts would be left out that somebody wrote; use skip or all(3), which a queue goes on in order with
        ");
        let fields = RhythmFields {
            stanza: None,
            catch_up: Some("all(3)".to_owned()),
            start: Some("2026-12-01".to_owned()),
            end: Some("2026-12-02".to_owned()),
            ..fields
        };
        assert_eq!(check(&fields), None);
        let text = "text,at\na,2026-11-30 09:00\nb,\nc,2026-12-02 09:00\nd,2026-12-03 00:00\n";
        let (corpus, _) = read_as("q.csv", text);
        let told = check_text(&corpus.unwrap(), &Rhythm::parse(&fields).unwrap());
        let told: Vec<_> = told.iter().map(|told| format!("{:?}: {told}", told.line())).collect();
        insta::assert_snapshot!(told.join("\n"), @"
        Some(2): its time is before the `start` of its sheep; give it a later one
        Some(5): its time is not before the `end` of its sheep; give it an earlier one
        ");
    }

    /// Texts that no white space surrounds, with times that do not go backwards.
    pub(super) fn posts() -> impl Strategy<Value = Vec<(String, Option<Timestamp>)>> {
        let post = ("[a-z\",;猫-][a-z\",; \n猫-]{0,20}", prop::option::of(0_i64..5_000_000));
        prop::collection::vec(post, 1..12).prop_map(|posts| {
            let mut at = ts("2026-01-01T00:00:00Z");
            let post = |(text, gap): (String, Option<i64>)| {
                let own = gap.map(|gap| {
                    at += SignedDuration::from_secs(gap);
                    at
                });
                (text.trim().to_owned(), own)
            };
            posts.into_iter().map(post).filter(|(text, _)| !text.is_empty()).collect()
        })
    }

    #[track_caller]
    pub(super) fn check_posts(corpus: &Corpus, posts: &[(String, Option<Timestamp>)]) {
        let read = corpus
            .lines()
            .zip(0..)
            .map(|((_, text), index)| (text.to_owned(), corpus.marks().of(Cursor::at(index)).at));
        assert_eq!(read.collect::<Vec<_>>(), posts);
    }

    pub(super) fn corpus(posts: &[(String, Option<Timestamp>)]) -> Corpus {
        let items = posts.iter().map(|(text, at)| Item {
            number: 1,
            text: text.into(),
            mark: Mark::at(*at),
        });
        Corpus::of(items).0.unwrap()
    }

    fn config(text: &Corpus, fields: &RhythmFields) -> SheepConfig {
        let behaviour = BehaviourKind::Queue.with_text(text);
        SheepConfig::new("meadow:a".parse().unwrap(), behaviour, Rhythm::parse(fields).unwrap())
    }

    /// A sheep in a queue, what it has posted, and when.
    pub(super) struct Teller {
        pub(super) sheep: Sheep,
        pub(super) text: Corpus,
        pub(super) again: Option<Again>,
        pub(super) now: Timestamp,
        pub(super) said: Vec<String>,
    }

    impl Teller {
        fn new(text: Corpus, fields: &RhythmFields, now: Timestamp) -> Self {
            Self::of_pool(text, fields, None, now)
        }

        pub(super) fn of_pool(
            text: Corpus,
            fields: &RhythmFields,
            again: Option<Again>,
            now: Timestamp,
        ) -> Self {
            let config = config(&text, fields);
            let behaviour = config.behaviour.returning(again);
            let config = SheepConfig { behaviour, ..config };
            let sheep = Sheep::create("a/b".parse().unwrap(), config, Occurrence(1), now).unwrap();
            Self { sheep, text, again, now, said: Vec::new() }
        }

        /// Decides what is due at the next time that something is, as a tick does.
        pub(super) fn claim(&mut self) -> Option<Upcoming> {
            self.now = self.now.max(self.sheep.next_at()?);
            let now = self.now;
            let Due::Post(next) = self.sheep.due(now) else {
                self.sheep = self.sheep.claim_again(now);
                return None;
            };
            let (at, occurrence, cursor) =
                (next.at, next.progress.occurrence, next.progress.cursor);
            let behaviour = &self.sheep.config.behaviour;
            let turn = self.sheep.turn(cursor, occurrence, at);
            let material = self.text.material(&behaviour.needs(cursor)).unwrap();
            let Said { act, then } = behaviour.say(turn, material);
            let table = TableId::from_random([7; 16]);
            self.sheep = self.sheep.claim(next.followed_by(then), act, &table, now);
            Some(Upcoming { at, occurrence, what: UpcomingText::At(turn) })
        }

        pub(super) fn settle(&mut self, outcome: &Outcome) {
            if let (Outcome::Done(_), Some(intent)) = (outcome, &self.sheep.intent) {
                self.said.push(intent.errand.work.act.to_string());
            }
            self.sheep = self.sheep.settle(outcome, self.now);
        }

        pub(super) fn posted(&mut self) {
            self.settle(&Outcome::Done("1".parse().unwrap()));
        }

        pub(super) fn edit(&mut self, posts: &[(String, Option<Timestamp>)]) {
            let text = corpus(posts);
            let behaviour = BehaviourKind::Queue.with_text(&text).returning(self.again);
            let config = SheepConfig { behaviour, ..self.sheep.config.clone() };
            let edit = Edit::between(&self.text, &text);
            self.sheep = self.sheep.edit(config, &edit, self.now).unwrap();
            self.text = text;
        }
    }

    pub(super) fn rhythms() -> impl Strategy<Value = RhythmFields> {
        let text = |text: &str| Some(text.to_owned());
        let every =
            RhythmFields { line: text("7h"), jitter: text("3h"), ..RhythmFields::default() };
        let capped = RhythmFields {
            line: text("20m"),
            daily_cap: Some(2),
            window: text("09:00-17:00"),
            ..RhythmFields::default()
        };
        let calendar = RhythmFields {
            at: vec!["09:00".to_owned(), "17:30".to_owned()],
            jitter: text("5m"),
            ..RhythmFields::default()
        };
        let ends = RhythmFields { end: text("2026-02-01"), ..every.clone() };
        let catch_up = prop::sample::select(vec!["skip", "all(3)"]);
        (prop::sample::select(vec![every, capped, calendar, ends]), catch_up).prop_map(
            move |(fields, how)| RhythmFields { catch_up: Some(how.to_owned()), ..fields },
        )
    }

    pub(super) const BEGIN: &str = "2025-12-31T10:00:00Z";

    #[test]
    fn timed_and_untimed_posts_come_in_order_and_the_queue_ends() {
        let (text, _) = read_as(
            "q.csv",
            "text,at\na\nb\nc,2025-12-31 10:30\nd,2025-12-31 10:30\ne\nf,2026-01-01 12:00\n",
        );
        let fields = RhythmFields { line: Some("20m".to_owned()), ..RhythmFields::default() };
        let mut teller = Teller::new(text.unwrap(), &fields, ts(BEGIN));
        let mut told = Vec::new();
        while teller.claim().is_some() {
            teller.posted();
            told.push(format!("{} {}", teller.now, teller.said.last().unwrap()));
        }
        insta::assert_snapshot!(told.join("\n"), @"
        2025-12-31T10:00:00Z a
        2025-12-31T10:20:00Z b
        2025-12-31T10:30:00Z c
        2025-12-31T10:30:50Z d
        2025-12-31T10:50:00Z e
        2026-01-01T12:00:00Z f
        ");
        assert_eq!(teller.sheep.state.name(), "finished");
        let sentence = teller.sheep.ended();
        assert_eq!(teller.sheep.resume(teller.now), teller.sheep);
        insta::assert_snapshot!(sentence, @"has finished, because its queue is empty; add posts to it, or to its file and apply its flock, to let it go on");
        let refusal = teller.sheep.post_now(None, teller.now).unwrap_err();
        assert_eq!(refusal.to_string(), format!("it {sentence}"));
    }

    #[test]
    fn a_post_at_once_moves_no_time_that_somebody_chose() {
        let posts = "text,at\na,2025-12-31 12:00\nb\nc,2025-12-31 18:00\n";
        let fields = RhythmFields { line: Some("1h".to_owned()), ..RhythmFields::default() };
        let mut teller = Teller::new(read_as("q.csv", posts).0.unwrap(), &fields, ts(BEGIN));
        let mut told = Vec::new();
        for _ in 0..2 {
            teller.sheep = teller.sheep.post_now(None, teller.now).unwrap();
            teller.claim();
            teller.posted();
            told.push(format!("{} then {:?}", teller.said.join(" "), teller.sheep.next_at()));
        }
        insta::assert_snapshot!(told.join("\n"), @"
        a then Some(2025-12-31T13:00:00Z)
        a b then Some(2025-12-31T18:00:00Z)
        ");
        // A time that is edited holds at once, whatever it was before.
        let edited = |at: &str| {
            let posts = posts.replace("2025-12-31 18:00", at);
            let text = read_as("q.csv", &posts).0.unwrap();
            let edit = Edit::between(&teller.text, &text);
            let edited = teller.sheep.edit(config(&text, &fields), &edit, teller.now).unwrap();
            format!("{at:?}: {:?}", edited.next_at())
        };
        let told = ["2026-01-31 18:00", "2025-12-31 12:00", ""].map(edited);
        insta::assert_snapshot!(told.join("\n"), @r#"
        "2026-01-31 18:00": Some(2026-01-31T18:00:00Z)
        "2025-12-31 12:00": Some(2025-12-31T12:00:00Z)
        "": Some(2025-12-31T11:00:00Z)
        "#);
    }

    #[test]
    fn what_is_late_is_due_when_it_is_made_and_the_rhythm_goes_on_from_then() {
        let posts = "text,at\na,2025-12-31 12:00\nb,2025-12-31 13:00\nc\nd\n";
        let fields = RhythmFields { line: Some("30m".to_owned()), ..RhythmFields::default() };
        let mut teller = Teller::new(read_as("q.csv", posts).0.unwrap(), &fields, ts(BEGIN));
        teller.now = ts("2025-12-31T18:00:00Z");
        let mut told = Vec::new();
        while let Some(next) = teller.claim() {
            teller.posted();
            told.push(format!("{} {} as of {}", teller.now, teller.said.last().unwrap(), next.at));
        }
        insta::assert_snapshot!(told.join("\n"), @"
        2025-12-31T18:00:00Z a as of 2025-12-31T18:00:00Z
        2025-12-31T18:00:50Z b as of 2025-12-31T18:00:50Z
        2025-12-31T18:30:50Z c as of 2025-12-31T18:30:50Z
        2025-12-31T19:00:50Z d as of 2025-12-31T19:00:50Z
        ");
        assert_eq!(teller.sheep.progress.missed, 0);
    }

    #[test]
    fn a_sheep_that_is_paused_over_its_last_post_finishes_when_it_is_resumed() {
        let fields = RhythmFields { line: Some("1h".to_owned()), ..RhythmFields::default() };
        let mut teller = Teller::new(read_as("q.csv", "text\na\n").0.unwrap(), &fields, ts(BEGIN));
        teller.claim();
        teller.sheep = teller.sheep.pause(teller.now);
        teller.posted();
        assert_eq!(teller.sheep.state.name(), "paused");
        let resumed = teller.sheep.resume(teller.now);
        assert_eq!((resumed.state.name(), resumed.due(teller.now)), ("finished", Due::No));
        // It stays paused when there is more.
        teller.edit(&[("a".to_owned(), None), ("b".to_owned(), None)]);
        assert_eq!(teller.sheep.state.name(), "paused");
        teller.sheep = teller.sheep.resume(teller.now);
        teller.claim();
        teller.posted();
        assert_eq!(
            (teller.said, teller.sheep.state.name()),
            (vec!["a".to_owned(), "b".to_owned()], "finished")
        );
    }

    #[test]
    fn of_a_lost_text_the_number_is_kept() {
        let fields = RhythmFields { line: Some("1h".to_owned()), ..RhythmFields::default() };
        let read = |text: &str| read_as("q.csv", text).0.unwrap();
        let mut teller = Teller::new(read("text\na\nb\nc\n"), &fields, ts(BEGIN));
        teller.claim();
        teller.posted();
        let goes_on = |text: &str| {
            let text = read(text);
            let edit = Edit::from_lost(teller.text.id(), &text);
            let sheep = teller.sheep.edit(config(&text, &fields), &edit, teller.now).unwrap();
            let next = sheep.config.behaviour.position(sheep.progress.cursor);
            format!("{next}: {} {:?}", sheep.state.name(), sheep.next_at())
        };
        insta::assert_snapshot!(goes_on("text,at\nx\ny,2026-01-01 09:00\n"), @"2 of 2: active Some(2026-01-01T09:00:00Z)");
        insta::assert_snapshot!(goes_on("text\nx\n"), @"2, which is not written yet: finished None");
    }

    proptest! {
            #[test]
            fn what_is_written_as_csv_comes_back(posts in posts(), semicolons in any::<bool>()) {
                let delimiter = if semicolons { b';' } else { b',' };
                let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
                writer.write_record(["text", "at"]).unwrap();
                for (text, at) in &posts {
                    let at = at.map(|at| at.to_string()).unwrap_or_default();
                    writer.write_record([text.as_str(), at.as_str()]).unwrap();
                }
                let written = String::from_utf8(writer.into_inner().unwrap()).unwrap();
                let (corpus, problems) = read_as("q.csv", &written);
                if posts.is_empty() {
                    prop_assert_eq!(problems, [CorpusProblem::Empty]);
                } else {
                    prop_assert_eq!(problems, []);
                    check_posts(&corpus.unwrap(), &posts);
                }
            }

            #[test]
            fn what_is_written_as_text_comes_back(posts in posts()) {
                let posts: Vec<_> = posts
                    .into_iter()
                    .filter(|(text, _)| !text.lines().any(is_between))
                    .collect();
                let written: Vec<_> = posts
                    .iter()
                    .map(|(text, at)| at.map_or_else(|| text.clone(), |at| format!("at: {at}\n{text}")))
                    .collect();
                let (corpus, problems) = read_as("q.txt", &written.join("\n---\n"));
                if posts.is_empty() {
                    prop_assert_eq!(problems, [CorpusProblem::Empty]);
                } else {
                    prop_assert_eq!(problems, []);
                    check_posts(&corpus.unwrap(), &posts);
                }
            }

            /// Whatever is in a file: a problem names a line that is there, and what is read without one comes back.
            #[test]
            fn any_file_is_read_or_refused_where_something_is_wrong(
                is_table in any::<bool>(),
                begin in prop::sample::select(vec!["text\n", "text,at\r\n", "at;text\n", ""]),
                rest in "([a\",;\r\n -]|---\n|at: |2026-12-0[1-3] 09:00|.){0,40}",
            ) {
                let file = if is_table { begin.to_owned() + &rest } else { rest };
                let (corpus, problems) = read_as(if is_table { "q.csv" } else { "q.txt" }, &file);
                let lines = file.split('\n').count();
                for problem in &problems {
                    prop_assert!(problem.line().is_none_or(|line| (1..=lines).contains(&line)), "{}", problem);
                }
                let Some(corpus) = corpus.filter(|_| problems.is_empty()) else { return Ok(()) };
                let mut written = vec!["text,at".to_owned()];
                for ((number, text), index) in corpus.lines().zip(0..) {
                    prop_assert!((1..=lines).contains(&number));
                    let at = corpus.marks().of(Cursor::at(index)).at.map(|at| at.to_string());
    let text = text.replace('"', "\"\"");
                    written.push(format!("\"{text}\",{}", at.unwrap_or_default()));
                }
                let (again, problems) = read_as("q.csv", &written.join("\n"));
                prop_assert_eq!((again.map(|again| again.id()), problems), (Some(corpus.id()), vec![]));
            }

            /// As of poems: the preview is what ticks do, after an outage, too, and with what a crash has left.
            #[test]
            fn the_preview_is_what_ticks_do(
                posts in posts(),
                fields in rhythms(),
                hours in 0_i64..200,
                made in 0_usize..4,
                is_open in any::<bool>(),
            ) {
                prop_assume!(!posts.is_empty());
                let text = corpus(&posts);
                // A post behind the end is refused with the files.
                let fits = check_text(&text, &Rhythm::parse(&fields).unwrap()).is_empty();
                let fields = if fits { fields } else { RhythmFields { end: None, ..fields } };
                let mut teller = Teller::new(text, &fields, ts(BEGIN));
                for _ in 0..made {
                    if teller.claim().is_some() {
                        teller.posted();
                    }
                }
                if is_open {
                    teller.claim();
                }
                teller.now += SignedDuration::from_hours(hours);
                let text = teller.text.clone();
                let previewed: Vec<_> =
                    preview(&teller.sheep, text.marks(), teller.now).take(100).collect();
                let mut ticked = Vec::new();
                while teller.sheep.next_at().is_some() {
                    let open = teller.sheep.intent.as_ref().map(|intent| Upcoming {
                        at: intent.errand.due,
                        occurrence: intent.occurrence,
                        what: UpcomingText::Decided(intent.errand.work.act.clone()),
                    });
                    let claimed = teller.claim();
                    ticked.extend(claimed.or(open));
                    teller.posted();
                }
                prop_assert_eq!(previewed, ticked);
            }

            /// Every post is made once, in order; one with a time of its own not before it, and just then where nothing holds
            /// it up. Whatever goes wrong in between.
            #[test]
            fn every_post_is_made_once_in_order(
                posts in posts(),
                fields in rhythms(),
                events in prop::collection::vec((0_u8..8, 0_i64..100), 0..60),
            ) {
                prop_assume!(!posts.is_empty());
                let fields = RhythmFields { end: None, ..fields };
                let mut teller = Teller::new(corpus(&posts), &fields, ts(BEGIN));
                let mut events = events.into_iter();
                while !matches!(teller.sheep.state, crate::State::Finished { .. }) {
                    let (event, hours) = events.next().unwrap_or((0, 0));
                    if event == 7 {
                        teller.now += SignedDuration::from_hours(hours);
                    }
                    if event == 6 {
                        teller.sheep = teller.sheep.pause(teller.now).resume(teller.now);
                    }
                    let on_time = teller.sheep.next_at().is_some_and(|at| teller.now <= at);
                    let was_open = teller.sheep.intent.is_some();
                    let before = teller.said.len();
                    teller.claim();
                    let (_, own) = &posts[before];
                    if let Some(own) = own {
                        prop_assert!(*own <= teller.now);
                    }
                    let intent = teller.sheep.intent.clone().unwrap();
                    prop_assert_eq!(&intent.errand.work.act, &Act::post(&posts[before].0));
                    let progress = &teller.sheep.progress;
                    if let Some(own) = own && on_time && !was_open && progress.not_before.is_none() {
                        prop_assert_eq!((intent.errand.due, teller.now), (*own, *own));
                    }
                    let why = "why".to_owned();
                    match event {
                        // A tick that died.
                        1 => {}
                        2 => teller.settle(&Outcome::TryAgain { why, not_before: None }),
                        3 => teller.settle(&Outcome::Unknown { why }),
                        4 => {
                            teller.settle(&Outcome::Refused { why });
                            teller.sheep = teller.sheep.resume(teller.now);
                        }
                        _ => teller.posted(),
                    }
                }
                let texts: Vec<_> = posts.iter().map(|(text, _)| text.clone()).collect();
                prop_assert_eq!(&teller.said, &texts);
            }

            /// However the queue is edited, no post is made twice, and every post below the last that was made is made.
            #[test]
            fn edits_keep_the_place(
                count in 1_usize..5,
                events in prop::collection::vec((0_u8..6, any::<usize>(), any::<bool>()), 0..40),
            ) {
                let mut posts: Vec<_> = (0..count).map(|nth| (format!("post {nth}"), None)).collect();
                let fields = RhythmFields { line: Some("1h".to_owned()), ..RhythmFields::default() };
                let mut teller = Teller::new(corpus(&posts), &fields, ts(BEGIN));
                // How many of the posts are made, from the first on.
                let mut made = 0;
                for (nth, (event, at, is_timed)) in events.into_iter().enumerate() {
                    let at_time = is_timed.then(|| teller.now + SignedDuration::from_hours(3));
                    match event {
                        0 | 1 if made < posts.len() => {
                            prop_assert!(teller.claim().is_some());
                            if event == 1 {
                                // While it is under way, more is written.
                                posts.push((format!("under way {nth}"), None));
                                teller.edit(&posts);
                            }
                            teller.posted();
                            prop_assert_eq!(teller.said.last(), Some(&posts[made].0));
                            made += 1;
                        }
                        0 | 1 => prop_assert_eq!(teller.sheep.state.name(), "finished"),
                        2 => {
                            posts.push((format!("more {nth}"), at_time));
                            teller.edit(&posts);
                        }
                        3 => {
                            let at = made + at % (posts.len() - made + 1);
                            posts.insert(at, (format!("new {nth}"), at_time));
                            teller.edit(&posts);
                        }
                        4 if made < posts.len() && 1 < posts.len() => {
                            posts.remove(made + at % (posts.len() - made));
                            teller.edit(&posts);
                        }
                        5 if 0 < made => {
                            // What is made is mended, or it is taken out.
                            let at = at % made;
                            if is_timed || posts.len() == 1 {
                                // Of one that nothing is kept of, nobody knows that it was made.
                                if 1 < posts.len() {
                                    posts[at].0 = format!("mended {nth}");
                                    // In the same edit there is more, just below the last that is made, too.
                                    posts.insert(made, (format!("below {nth}"), None));
                                }
                            } else {
                                posts.remove(at);
                                made -= 1;
                            }
                            teller.edit(&posts);
                        }
                        _ => {}
                    }
                }
                while teller.claim().is_some() {
                    teller.posted();
                    prop_assert_eq!(teller.said.last(), Some(&posts[made].0));
                    made += 1;
                }
                prop_assert_eq!(made, posts.len());
                let once: std::collections::BTreeSet<_> = teller.said.iter().collect();
                prop_assert_eq!(once.len(), teller.said.len());
            }
        }
}
