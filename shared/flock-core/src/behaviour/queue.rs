//! Posts that people wrote, one after the other, once.
//!
//! They come from a table (`queue.csv`: a column `text` and, where posts have times of their own, `at`) or from a text in
//! which a line of three hyphens stands between them. When the last is said, the queue is empty, until its file has more.

use std::borrow::Cow;

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::{Cursor, Material, Needs, Place, Said, Source, Turn};
use crate::{
    Act, Corpus, CorpusId, CorpusProblem, InvalidRhythm, Item, Mark, Rhythm, RhythmFields, count,
    foreign::{CURLY, STRAIGHT, lines_of, says_nothing},
    rhythm::parse_moment,
};

/// Posts that are made in order, once.
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
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "it is what serde asks")]
fn is_none(added: &u32) -> bool {
    *added == 0
}

impl Queue {
    /// What is true of its sheep when it is empty, and what to do.
    const EMPTY: &str = "has finished, because its queue is empty; add posts to it, or to its file and apply its flock, to let it go on";

    pub(super) fn of(text: &Corpus) -> Self {
        Self {
            corpus: text.id(),
            posts: text.len(),
            first_at: text.marks().of(Cursor::default()).at,
            timed: text.marks().have_times(),
            added: text.marks().added(),
        }
    }

    pub(super) fn needs(&self, cursor: Cursor) -> Needs {
        Needs::Line { corpus: self.corpus.clone(), index: cursor.index() }
    }

    pub(super) fn say(&self, turn: Turn, material: Material) -> Said {
        let Material::Line { text, mark: _, next } = material;
        Said {
            act: Act::post(text),
            then: Place { at: next.due(turn.at), ..self.next(turn.cursor) },
        }
    }

    pub(super) fn first(&self) -> Place {
        Place { at: self.first_at, ..Place::at(Cursor::default()) }
    }

    pub(super) fn next(&self, cursor: Cursor) -> Place {
        Place::at(Cursor::at(cursor.index().saturating_add(1).min(self.posts)))
    }

    pub(super) fn admit(&self, cursor: Cursor) -> Place {
        match cursor.index() {
            0 => self.first(),
            index => Place::at(Cursor::at(index.min(self.posts))),
        }
    }

    pub(super) fn ended(&self, cursor: Cursor) -> Option<&'static str> {
        (self.posts <= cursor.index()).then_some(Self::EMPTY)
    }

    pub(super) fn timed_text(&self) -> Option<&CorpusId> {
        Some(&self.corpus).filter(|_| self.timed)
    }

    pub(super) fn describe(&self) -> String {
        let posts = count(self.posts, "post");
        match self.added {
            0 => format!("queue of {posts}"),
            added => format!("queue of {posts}, {added} of them added to its file"),
        }
    }

    pub(super) fn position(&self, cursor: Cursor) -> String {
        let number = cursor.index().saturating_add(1);
        if self.ended(cursor).is_some() {
            return format!("{number}, which is not written yet");
        }
        format!("{number} of {}", self.posts)
    }
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

/// Reads the file of a queue: a table, where its name ends with `.csv`, or a text.
pub(super) fn read(source: &Source<'_>) -> (Option<Corpus>, Vec<CorpusProblem>) {
    let text = match lines_of(source.bytes) {
        Ok(text) => text,
        Err(why) => return (None, vec![why.into()]),
    };
    let text = &*text;
    let mut problems = Vec::new();
    let items = if is_table(source.name) {
        table(text, source.zone, &mut problems)
    } else if begins_a_table(text) {
        let why = "this is a table; give its file a name that ends with .csv";
        tell(&mut problems, 1, why);
        None
    } else {
        Some(texts(text, source.zone, &mut problems))
    };
    let Some(items) = items else { return (None, problems) };
    in_order(&items, &mut problems);
    let (corpus, more) = Corpus::of(items.iter().map(borrowed));
    problems.extend(more);
    (corpus, problems)
}

fn borrowed<'a>(item: &'a Item<'_>) -> Item<'a> {
    Item { number: item.number, text: Cow::Borrowed(&item.text), mark: item.mark }
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
fn time(
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

/// Whether a line stands between two posts of a text.
fn is_between(line: &str) -> bool {
    let line = line.trim();
    3 <= line.len() && line.bytes().all(|byte| byte == b'-')
}

/// Whether a text begins as a table does.
fn begins_a_table(text: &str) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let first = first.to_lowercase().replace(['"', ' '], "");
    let names: Vec<_> = first.split([',', ';', '\t']).collect();
    2 <= names.len() && names.contains(&"text") && names.contains(&"at")
}

/// The posts of a text, between lines of three hyphens. What is blank between two is none.
fn texts<'a>(text: &'a str, zone: &TimeZone, problems: &mut Vec<CorpusProblem>) -> Vec<Item<'a>> {
    let mut items = Vec::new();
    // Where the post begins, in lines and in bytes.
    let mut begin: Option<(usize, usize)> = None;
    let mut at = 0;
    for (number, line) in (1..).zip(text.split_inclusive('\n').chain(["---"])) {
        let start = at;
        at += line.len();
        if !is_between(line) {
            if begin.is_none() && !says_nothing(line) {
                begin = Some((number, start));
            }
            continue;
        }
        let Some((number, from)) = begin.take() else { continue };
        let whole = text.get(from..start.min(text.len())).unwrap_or_default();
        let first = whole.lines().next().unwrap_or_default();
        let (said, own) = match first.trim().split_once(':') {
            Some((name, own)) if name.eq_ignore_ascii_case("at") => {
                // From the end of that line on, so that lines are counted as they stand in the file.
                let rest = whole.get(first.len()..).unwrap_or_default();
                (rest, time(own, zone, number, problems))
            }
            _ => (whole, None),
        };
        items.push(Item { number, text: with_line_feeds(said), mark: Mark::at(own) });
    }
    items
}

/// Lines of the posts of a text that somebody may have meant for more than words: the number of each and what it looks like.
pub(super) fn doubts(text: &Corpus, file: &str) -> Vec<(usize, String)> {
    // A table has columns for what a text has signs for.
    if is_table(file) {
        return Vec::new();
    }
    let times = (0..).map(|index| text.marks().of(Cursor::at(index)).at);
    let mut doubts = Vec::new();
    for ((number, said), own) in text.lines().zip(times) {
        // The line of its time is none of what it says.
        let first = number + usize::from(own.is_some());
        let mut may_begin = own.is_none();
        for (number, line) in (first..).zip(said.lines()) {
            if may_begin && looks_like_a_time(line) {
                let why = format!(
                    "`{}` looks like a time, and is posted as text; write `at: 2026-12-01 09:00` as the first line of a post",
                    line.trim()
                );
                doubts.push((number, why));
            } else if looks_like_a_line_between(line) {
                let why = format!(
                    "`{}` looks like a line between two posts, and is posted as text; write three hyphens: `---`",
                    line.trim()
                );
                doubts.push((number, why));
            }
            may_begin = looks_like_a_line_between(line);
        }
    }
    doubts
}

/// Whether it is a date and a time, with or without a word before it.
fn looks_like_a_time(line: &str) -> bool {
    let is_sign =
        |c: char| c.is_whitespace() || matches!(c, ':' | '：' | '=' | '-' | '@' | '#' | '*' | '[');
    let line = line.trim().trim_end_matches([']', ':', '*']);
    let word = line.trim_start_matches(is_sign);
    let word_ends = word.find(|c: char| !c.is_alphabetic()).unwrap_or(word.len());
    let (word, rest) = word.split_at(word_ends);
    let is_known = ["", "at", "on", "time", "date", "when", "post", "schedule", "scheduled"];
    is_known.iter().any(|known| known.eq_ignore_ascii_case(word))
        && parse_moment(rest.trim_start_matches(is_sign), &TimeZone::UTC).is_some()
}

/// Whether it is made of what people or their programs write for hyphens, or of signs that divide texts elsewhere.
fn looks_like_a_line_between(line: &str) -> bool {
    let line: String = line.chars().filter(|c| !c.is_whitespace()).collect();
    let all = |signs: &[char]| !line.is_empty() && line.chars().all(|c| signs.contains(&c));
    let dashes =
        ['-', '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2015}', '\u{2212}'];
    let has_dash = line.chars().any(|c| c != '-');
    (all(&dashes) && (has_dash || 2 <= line.len()))
        || ["*", "_", "=", "~", "+"]
            .iter()
            .any(|sign| 3 <= line.len() && line.replace(sign, "").is_empty())
}

/// Whether a file of this name is read as a table.
fn is_table(file: &str) -> bool {
    file.to_lowercase().ends_with(".csv")
}

/// What the columns of a table are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Text,
    At,
}

/// The columns that the first line of a table names. `None`: something is wrong with them.
fn columns(
    header: &csv::StringRecord,
    line: usize,
    problems: &mut Vec<CorpusProblem>,
) -> Option<Vec<Column>> {
    let before = problems.len();
    let mut columns = Vec::new();
    let names: Vec<_> = header.iter().map(str::trim).collect();
    // Spreadsheets write empty columns behind the others.
    let count = names.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
    for name in names.into_iter().take(count) {
        let column = match name.to_lowercase().as_str() {
            "text" => Column::Text,
            "at" => Column::At,
            _ if is_in_curly(name) => {
                tell(problems, line, format!("the {STRAIGHT}, at `{name}`"));
                continue;
            }
            _ => {
                let why = format!(
                    "unknown column `{name}`; a queue has `text` and, for posts with times of their own, `at`"
                );
                tell(problems, line, why);
                continue;
            }
        };
        if columns.contains(&column) {
            tell(problems, line, format!("the column `{}` is there twice", name.to_lowercase()));
        }
        columns.push(column);
    }
    if !columns.contains(&Column::Text) && !header.iter().any(is_in_curly) {
        let why = "the column `text` is missing; the first line names the columns: `text` and, for posts with \
                   times of their own, `at`";
        tell(problems, line, why);
    }
    (problems.len() == before).then_some(columns)
}

/// Whether a field begins as one does that stands in quotes.
fn is_in_curly(field: &str) -> bool {
    field.trim_start().starts_with(CURLY)
}

/// Whether the double quotes of a row are where RFC 4180 has them. The reader takes any: of two that were forgotten it
/// would make one post of all the rows between.
fn is_well_quoted(row: &str, separator: char) -> bool {
    let is_end = |c: &char| *c == separator || matches!(c, '\r' | '\n');
    let mut rest = row.trim_start_matches(['\r', '\n']).chars().peekable();
    loop {
        if rest.next_if_eq(&'"').is_some() {
            // Two in a row are one in the field.
            loop {
                match rest.next() {
                    None => return false,
                    Some('"') if rest.next_if_eq(&'"').is_none() => break,
                    Some(_) => {}
                }
            }
        } else {
            while rest.next_if(|c| *c != '"' && !is_end(c)).is_some() {}
        }
        match rest.next() {
            None => return true,
            Some(c) if is_end(&c) => {}
            Some(_) => return false,
        }
    }
}

/// The posts of a table, a row each. `None`: nobody knows what its columns are.
fn table<'a>(
    text: &'a str,
    zone: &TimeZone,
    problems: &mut Vec<CorpusProblem>,
) -> Option<Vec<Item<'a>>> {
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    // What Excel writes where the comma stands in numbers.
    if header.to_lowercase().starts_with("sep=") {
        tell(problems, 1, "`sep=` is a line of Excel's own; take it out");
        return None;
    }
    let separator = [';', '\t'].into_iter().find(|c| header.contains(*c)).unwrap_or(',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(u8::try_from(separator).unwrap_or(b','))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut items = Vec::new();
    let mut named: Option<Vec<Column>> = None;
    let mut row = csv::StringRecord::new();
    // Up to where lines are counted, and how many end before.
    let (mut counted, mut lines) = (0, 0);
    loop {
        let position = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
        match reader.read_record(&mut row) {
            Ok(true) => {}
            // The text is UTF-8 and in memory, and rows may be of any length: nothing can fail.
            Ok(false) | Err(_) => break,
        }
        let end = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
        let raw = text.get(position..end).unwrap_or_default();
        // Blank lines before a row are read with it.
        let start = position + (raw.len() - raw.trim_start_matches(['\r', '\n']).len());
        let skipped = text.get(counted..start).unwrap_or_default();
        lines += skipped.bytes().filter(|byte| *byte == b'\n').count();
        counted = start;
        let line = lines + 1;
        if !is_well_quoted(raw, separator) {
            let why = "double quotes stand around a whole field, from its first character to its last; one \
                       inside is written as \"\"";
            tell(problems, line, why);
        }
        let Some(columns) = &named else {
            named = Some(columns(&row, line, problems)?);
            continue;
        };
        if row.iter().all(says_nothing) {
            continue;
        }
        if row.iter().skip(columns.len()).any(|field| !field.trim().is_empty()) {
            let why = if row.iter().any(is_in_curly) {
                format!("it has more fields than there are columns; the {STRAIGHT}")
            } else {
                format!(
                    "it has more fields than there are columns; put a text with `{separator}` in it between double \
                     quotes"
                )
            };
            tell(problems, line, why);
        }
        let others = [',', ';', '\t'].into_iter().filter(|c| *c != separator);
        if row.len() < columns.len()
            && !raw.trim_start().starts_with('"')
            && let Some(other) = others.into_iter().find(|c| raw.contains(*c))
        {
            let why = format!(
                "it has `{other}` between its fields, or none, and the first line has {separator:?}; write the same, or \
                 put the text between double quotes"
            );
            tell(problems, line, why);
        }
        let field = |column| {
            let index = columns.iter().position(|known| *known == column)?;
            row.get(index)
        };
        let own = field(Column::At).unwrap_or_default();
        let said = with_line_feeds(field(Column::Text).unwrap_or_default()).into_owned();
        let is_timed = !own.trim().is_empty();
        let at = if is_timed { time(own, zone, line, problems) } else { None };
        items.push(Item { number: line, text: said.into(), mark: Mark::at(at) });
    }
    Some(items)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;
    use crate::{
        Behaviour, BehaviourKind, Due, Edit, Occurrence, Outcome, Sheep, SheepConfig, TableId,
        Upcoming, UpcomingText, preview,
    };

    fn ts(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn read_as(name: &str, text: &str) -> (Option<Corpus>, Vec<CorpusProblem>) {
        let zone = TimeZone::get("Europe/London").unwrap();
        read(&Source::plain(name, text.as_bytes(), &zone))
    }

    /// What is in the file: line, time and text of each post, or what is wrong with it.
    fn shown(name: &str, text: &str) -> String {
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
        let told = super::super::BehaviourKind::Queue.check(&fields);
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
    fn posts() -> impl Strategy<Value = Vec<(String, Option<Timestamp>)>> {
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
    fn check_posts(corpus: &Corpus, posts: &[(String, Option<Timestamp>)]) {
        let read = corpus
            .lines()
            .zip(0..)
            .map(|((_, text), index)| (text.to_owned(), corpus.marks().of(Cursor::at(index)).at));
        assert_eq!(read.collect::<Vec<_>>(), posts);
    }

    fn corpus(posts: &[(String, Option<Timestamp>)]) -> Corpus {
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
    struct Teller {
        sheep: Sheep,
        text: Corpus,
        now: Timestamp,
        said: Vec<String>,
    }

    impl Teller {
        fn new(text: Corpus, fields: &RhythmFields, now: Timestamp) -> Self {
            let id = "a/b".parse().unwrap();
            let sheep = Sheep::create(id, config(&text, fields), Occurrence(1), now).unwrap();
            Self { sheep, text, now, said: Vec::new() }
        }

        /// Decides what is due at the next time that something is, as a tick does.
        fn claim(&mut self) -> Option<Upcoming> {
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

        fn settle(&mut self, outcome: &Outcome) {
            if let (Outcome::Done(_), Some(intent)) = (outcome, &self.sheep.intent) {
                self.said.push(intent.errand.work.act.to_string());
            }
            self.sheep = self.sheep.settle(outcome, self.now);
        }

        fn posted(&mut self) {
            self.settle(&Outcome::Done("1".parse().unwrap()));
        }

        fn edit(&mut self, posts: &[(String, Option<Timestamp>)]) {
            let text = corpus(posts);
            let behaviour = BehaviourKind::Queue.with_text(&text);
            let config = SheepConfig { behaviour, ..self.sheep.config.clone() };
            let edit = Edit::between(&self.text, &text);
            self.sheep = self.sheep.edit(config, &edit, self.now).unwrap();
            self.text = text;
        }
    }

    fn rhythms() -> impl Strategy<Value = RhythmFields> {
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

    const BEGIN: &str = "2025-12-31T10:00:00Z";

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
                        what: UpcomingText::Decided(intent.errand.work.act.to_string()),
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
