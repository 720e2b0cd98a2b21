//! Text that behaviours draw from: its lines, and the pieces it is stored in.
//!
//! A line is what one post says. In a poem it is a line of the file; where people write posts it may have line feeds
//! in it, and a time of its own.

use std::{borrow::Cow, sync::Arc};

use jiff::Timestamp;

use crate::{
    CorpusId, Cursor, FEW, NotText,
    errand::whole_seconds,
    foreign::{lines_of, odd, says_nothing, twice_encoded},
};

/// The lines of a text, in file order. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corpus {
    id: CorpusId,
    /// The index of its first line: where texts are drawn, what is at hand begins anywhere.
    first: u32,
    /// The lines, one right after the other: a text of each line's own would take many times the room of a
    /// short one.
    text: String,
    lines: Vec<Line>,
    marks: Marks,
}

/// The marks of lines, in order of lines. Empty where no line has one; cheap to hand on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks(Arc<[Marked]>);

/// A line that has a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Marked {
    index: u32,
    mark: Mark,
    /// As in the line's [`Timing`]: a walk to the end of a thread at each of its lines would take too long.
    follows: u32,
}

/// What is said of a line besides what it says. Most have none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mark {
    /// When it is to be posted, where somebody said so.
    pub at: Option<Timestamp>,
    /// Whether it goes on with the line before: it is posted right after that, in answer to it.
    pub follows: bool,
    /// Whether somebody added it to what is in the file.
    pub added: bool,
}

/// When a line comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timing {
    /// When it is to be posted, where somebody said so.
    pub at: Option<Timestamp>,
    /// How many lines, from this one on, go on with the line before them; 0 where it begins something.
    pub follows: u32,
}

/// A line that was written as a post of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item<'a> {
    /// The line of its file where it begins, counted from 1.
    pub number: usize,
    /// What it says.
    pub text: Cow<'a, str>,
    /// What is said of it besides.
    pub mark: Mark,
}

/// A line: where it stood in the file, and where it ends in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    number: usize,
    end: usize,
}

/// Some consecutive lines of a corpus, small enough to be read for one post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The index of its first line.
    pub first: u32,
    /// Its lines.
    pub lines: Vec<String>,
    /// The mark of each; empty where none has one.
    pub marks: Vec<Mark>,
    /// When the line comes that follows the last: who says a line has to know that of the next.
    pub next: Timing,
}

/// A file that cannot be a corpus, or a line that cannot be a post.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum CorpusProblem {
    /// No line is left when the blank ones are dropped.
    #[error("there is no line to post in it")]
    Empty,
    /// All lines begin as those do that are left out.
    #[error("`skip` leaves no line to post in it")]
    AllSkipped,
    /// The bytes are no text.
    #[error(transparent)]
    NotText(#[from] NotText),
    /// A character no network shows.
    #[error(
        "line {line} holds the control character U+{code:04X}; {}",
        if (0x80..0xa0).contains(code) {
            "that is UTF-8 that was taken for Windows-1252: take the text once more from where it came, as UTF-8"
        } else {
            "remove it"
        }
    )]
    Control {
        /// The line, counted from 1.
        line: usize,
        /// The character.
        code: u32,
    },
    /// A place in Unicode where no character is.
    #[error("line {line} holds U+{code:04X}, which is not a character; remove it")]
    Noncharacter {
        /// The line, counted from 1.
        line: usize,
        /// The place.
        code: u32,
    },
    /// More than any piece could hold.
    #[error("line {line} is {bytes} bytes long; a post cannot be longer than {limit}")]
    LongLine {
        /// The line, counted from 1.
        line: usize,
        /// Its length.
        bytes: usize,
        /// The most that is stored.
        limit: usize,
    },
    /// More lines than a cursor can count.
    #[error("there are more than {limit} lines in it")]
    TooManyLines {
        /// The most that is allowed.
        limit: u32,
    },
    /// The form of the file is not that of its behaviour.
    #[error("{why}")]
    Form {
        /// The line, counted from 1; none where the file as a whole is meant.
        line: Option<usize>,
        /// What is wrong and what would do.
        why: String,
    },
    /// Not every problem is told.
    #[error("more is wrong with it than the {told} problems told; mend these first")]
    More {
        /// How many are told.
        told: usize,
    },
}

impl CorpusProblem {
    /// What no network shows of a text that begins in line `number` of its file.
    pub(crate) fn odd_in(number: usize, text: &str) -> Option<Self> {
        let within = text.trim();
        let c = odd(within)?;
        let start = text.len() - text.trim_start().len();
        let above = text.get(..start + within.find(c)?)?;
        let (line, code) = (number + above.matches('\n').count(), c.into());
        Some(if c.is_control() {
            Self::Control { line, code }
        } else {
            Self::Noncharacter { line, code }
        })
    }

    /// The line of the file it is about, counted from 1.
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::Empty | Self::AllSkipped | Self::TooManyLines { .. } | Self::More { .. } => None,
            Self::NotText(why) => Some(why.line()),
            Self::Control { line, .. }
            | Self::Noncharacter { line, .. }
            | Self::LongLine { line, .. } => Some(*line),
            Self::Form { line, .. } => *line,
        }
    }
}

impl Mark {
    /// Says that the line has a time of its own, where it has one.
    pub fn at(at: Option<Timestamp>) -> Self {
        Self { at, ..Self::default() }
    }
}

impl Piece {
    /// When the line comes that follows the one with this number, counted from 0.
    pub fn timing_after(&self, number: usize) -> Timing {
        let after = number.saturating_add(1);
        if self.lines.len() <= after {
            return self.next;
        }
        let marks = self.marks.get(after..).unwrap_or_default();
        let follow = marks.iter().take_while(|mark| mark.follows).count();
        // A thread that goes on to the end of the piece may go on behind it.
        let behind = if after + follow == self.lines.len() { self.next.follows } else { 0 };
        let follow = u32::try_from(follow).unwrap_or(u32::MAX);
        let follows = if follow == 0 { 0 } else { follow.saturating_add(behind) };
        Timing { at: marks.first().and_then(|mark| mark.at), follows }
    }
}

impl Timing {
    /// The line's own time, where the one before it is posted at `before`. `None`: it waits for the rhythm.
    pub fn due(self, before: Timestamp) -> Option<Timestamp> {
        self.at.or((0 < self.follows).then_some(before))
    }
}

impl Marks {
    fn new(marks: Vec<(u32, Mark)>) -> Self {
        let mut all = Vec::with_capacity(marks.len());
        let mut after: Option<Marked> = None;
        for (index, mark) in marks.into_iter().rev() {
            let rest = after.filter(|after| after.index == index.saturating_add(1));
            let rest = rest.map_or(0, |after| after.follows);
            let follows = if mark.follows { rest.saturating_add(1) } else { 0 };
            let marked = Marked { index, mark, follows };
            all.push(marked);
            after = Some(marked);
        }
        all.reverse();
        Self(all.into())
    }

    fn find(&self, cursor: Cursor) -> Option<&Marked> {
        let found = self.0.binary_search_by_key(&cursor.index(), |marked| marked.index).ok();
        found.and_then(|found| self.0.get(found))
    }

    /// The mark of the line at `cursor`.
    pub fn of(&self, cursor: Cursor) -> Mark {
        self.find(cursor).map(|marked| marked.mark).unwrap_or_default()
    }

    /// When the line at `cursor` comes.
    pub fn timing(&self, cursor: Cursor) -> Timing {
        let timing = |marked: &Marked| Timing { at: marked.mark.at, follows: marked.follows };
        self.find(cursor).map(timing).unwrap_or_default()
    }

    /// The line that begins what the line at `cursor` goes on with; that line itself, where it begins something.
    pub(crate) fn head(&self, cursor: Cursor) -> Cursor {
        let mut head = cursor;
        while self.of(head).follows
            && let Some(before) = head.index().checked_sub(1)
        {
            head = Cursor::at(before);
        }
        head
    }

    /// Whether a line does not wait for the rhythm.
    pub fn have_times(&self) -> bool {
        self.0.iter().any(|Marked { mark, .. }| mark.at.is_some() || mark.follows)
    }

    /// How many lines were added.
    pub fn added(&self) -> u32 {
        let added = self.0.iter().filter(|marked| marked.mark.added);
        u32::try_from(added.count()).unwrap_or(u32::MAX)
    }

    /// Whether no line has one.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Corpus {
    /// A piece is one item of at most this size, so that reading it costs one half read unit: DynamoDB
    /// charges reads by 4 KB (AWS, "Read and write capacity", 2026-11), and keys take a little.
    const PIECE_BYTES: usize = 3_800;

    /// The largest line: what fits into a piece. Bluesky takes up to 3,000 bytes, some instances of Mastodon
    /// more.
    pub(crate) const LINE_BYTES: usize = 3_700;

    /// Far above any book; keys hold eight digits.
    const LINES: u32 = 10_000_000;

    /// The most problems that are told: nobody reads more of them at once.
    pub const PROBLEMS: usize = 100;

    /// Reads a file, each line of it a line. White space around a line is dropped, as networks do; a line of which
    /// nothing is seen is blank, and left out. Every problem is reported, up to a number that can still be read.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<CorpusProblem>> {
        let text = lines_of(bytes).map_err(|why| vec![why.into()])?;
        let (corpus, problems) = Self::of(lines(&text));
        corpus.filter(|_| problems.is_empty()).ok_or(problems)
    }

    /// The corpus of these items, whose texts may have line feeds in them, as far as there is one, and what is wrong
    /// with it. White space around a text is dropped; what is left of one may be nothing, which no network takes.
    pub fn of<'a>(
        items: impl Iterator<Item = Item<'a>> + Clone,
    ) -> (Option<Self>, Vec<CorpusProblem>) {
        Self::of_items(items, Self::holds)
    }

    /// The same of items that may be too long to be kept, because they are [split](Self::split) first.
    pub(crate) fn of_any_length<'a>(
        items: impl Iterator<Item = Item<'a>> + Clone,
    ) -> (Option<Self>, Vec<CorpusProblem>) {
        Self::of_items(items, |_| true)
    }

    fn of_items<'a>(
        items: impl Iterator<Item = Item<'a>> + Clone,
        holds: fn(&str) -> bool,
    ) -> (Option<Self>, Vec<CorpusProblem>) {
        // Counted before they are kept: a file of nothing but short lines has very many.
        let most = usize::try_from(Self::LINES).unwrap_or(usize::MAX);
        let (mut count, mut length) = (0, 0);
        for item in items.clone().take(most.saturating_add(1)) {
            count += 1;
            length += item.text.len();
        }
        if most < count {
            return (None, vec![CorpusProblem::TooManyLines { limit: Self::LINES }]);
        }
        if count == 0 {
            return (None, vec![CorpusProblem::Empty]);
        }
        let mut problems = Vec::new();
        let mut text = String::with_capacity(length);
        let mut lines = Vec::with_capacity(count);
        let mut marks = Vec::new();
        for (index, Item { number, text: written, mark }) in (0..).zip(items) {
            let line = written.trim();
            if problems.len() <= Self::PROBLEMS {
                problems.extend(CorpusProblem::odd_in(number, &written));
                if !holds(line) {
                    problems.push(CorpusProblem::LongLine {
                        line: number,
                        bytes: line.len(),
                        limit: Self::LINE_BYTES,
                    });
                }
            }
            text.push_str(line);
            lines.push(Line { number, end: text.len() });
            let mark = Mark { at: mark.at.map(whole_seconds), ..mark };
            marks.extend((mark != Mark::default()).then_some((index, mark)));
        }
        if Self::PROBLEMS < problems.len() {
            problems.truncate(Self::PROBLEMS);
            problems.push(CorpusProblem::More { told: Self::PROBLEMS });
        }
        (Some(Self::new(text, lines, marks)), problems)
    }

    fn new(text: String, lines: Vec<Line>, marks: Vec<(u32, Mark)>) -> Self {
        let marks = Marks::new(marks);
        let id = CorpusId::of_lines(
            ends(&text, &lines).map(|(_, line)| line),
            (0..).map(Cursor::at).map(|cursor| marks.of(cursor)),
            !marks.is_empty(),
        );
        Self { id, first: 0, text, lines, marks }
    }

    /// The corpus of these pieces, in order, its lines numbered one after the other. `None`: no line is in them, or
    /// more than there can be.
    pub fn of_pieces(pieces: impl IntoIterator<Item = Piece>) -> Option<Self> {
        let (mut text, mut lines, mut marks) = (String::new(), Vec::new(), Vec::new());
        for piece in pieces {
            let mut own = piece.marks.into_iter();
            for line in piece.lines {
                let index = u32::try_from(lines.len()).ok().filter(|index| *index < Self::LINES)?;
                let mark = own.next().filter(|mark| *mark != Mark::default());
                marks.extend(mark.map(|mark| (index, mark)));
                text += &line;
                lines.push(Line { number: lines.len() + 1, end: text.len() });
            }
        }
        (!lines.is_empty()).then(|| Self::new(text, lines, marks))
    }

    /// Some of the texts that are drawn under the name `id`, from that with the index `first` on. Each has to be
    /// [such as is held](Self::holds).
    pub(crate) fn drawn(id: CorpusId, first: u32, texts: &[String]) -> Self {
        let (mut text, mut lines) = (String::new(), Vec::new());
        for (number, line) in (usize::try_from(first).unwrap_or(usize::MAX)..).zip(texts) {
            text += line;
            lines.push(Line { number: number.saturating_add(1), end: text.len() });
        }
        Self { id, first, text, lines, marks: Marks::default() }
    }

    /// The lines of all of these, one text behind the other. `None`: there are more than there can be, or none.
    pub fn joined<'a>(texts: impl Iterator<Item = &'a Self> + Clone) -> Option<Self> {
        Self::of(texts.flat_map(Self::items)).0
    }

    /// So many of its lines, from the one with the index `from` on. `None`: there are fewer, or none.
    pub(crate) fn part(&self, from: u32, lines: u32) -> Option<Self> {
        let [from, lines] =
            [from, lines].map(|number| usize::try_from(number).unwrap_or(usize::MAX));
        let part = Self::of(self.items().skip(from).take(lines)).0?;
        (part.lines.len() == lines).then_some(part)
    }

    /// Its lines as they were written.
    fn items(&self) -> impl Iterator<Item = Item<'_>> + Clone {
        (0..).zip(self.lines()).map(|(index, (number, text))| {
            let mark = self.marks.of(Cursor::at(index));
            Item { number, text: Cow::Borrowed(text), mark }
        })
    }

    /// Whether a line is as short as one has to be.
    pub(crate) fn holds(line: &str) -> bool {
        line.len() <= Self::LINE_BYTES
    }

    /// The id: a digest of the lines, or of what they are drawn from.
    pub fn id(&self) -> CorpusId {
        self.id.clone()
    }

    /// How many lines there are.
    pub fn len(&self) -> u32 {
        u32::try_from(self.lines.len()).expect("parse refuses more lines than fit")
    }

    /// The index of its first line: 0, but where it was [drawn](Self::drawn).
    pub(crate) fn first(&self) -> u32 {
        self.first
    }

    /// Always false: a corpus without lines is refused when it is read.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The lines with their numbers in the file, counted from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> + Clone {
        ends(&self.text, &self.lines)
    }

    /// Where it seems to be UTF-8 that was taken for Windows-1252 and written as UTF-8 once more: the numbers of the first such lines,
    /// how many more there are, and what is said of them. It may be meant so.
    pub fn twice_encoded(&self) -> Option<(Vec<usize>, usize, String)> {
        let mut found =
            self.lines().filter_map(|(number, line)| Some((number, twice_encoded(line)?)));
        let (first, (bad, good)) = found.next()?;
        let why = format!(
            "such signs as `{bad}`, which seems to be `{good}`, are {}",
            Self::TWICE_ENCODED
        );
        let numbers = std::iter::once(first).chain(found.by_ref().map(|(number, _)| number));
        let numbers = numbers.take(FEW).collect();
        Some((numbers, found.count(), why))
    }

    /// What is said of many such texts: a part of a sentence.
    pub const TWICE_ENCODED: &str = "UTF-8 that was taken for Windows-1252; they are posted as they stand: take the text once \
                                     more from where it came, as UTF-8";

    /// The marks of its lines.
    pub fn marks(&self) -> &Marks {
        &self.marks
    }

    /// The line with this index, counted from 0.
    pub fn line(&self, index: u32) -> Option<&str> {
        let index = usize::try_from(index.checked_sub(self.first)?).ok()?;
        let start =
            index.checked_sub(1).map_or(Some(0), |before| Some(self.lines.get(before)?.end));
        self.text.get(start?..self.lines.get(index)?.end)
    }

    /// The corpus as pieces, in order.
    pub fn pieces(&self) -> Vec<Piece> {
        // What DynamoDB adds to each element of a list.
        const ELEMENT_BYTES: usize = 4;
        // What a time takes in a list, and so at most does the number of a line.
        const TIME_BYTES: usize = 8;
        let is_marked = |how: fn(Mark) -> bool| self.marks.0.iter().any(|marked| how(marked.mark));
        let kinds: [fn(Mark) -> bool; 3] =
            [|mark| mark.at.is_some(), |mark| mark.follows, |mark| mark.added];
        let beside = TIME_BYTES * kinds.into_iter().filter(|kind| is_marked(*kind)).count();
        let mut pieces: Vec<Piece> = Vec::new();
        let mut size = usize::MAX;
        for (first, (_, line)) in (self.first..).zip(self.lines()) {
            let mark = self.marks.of(Cursor::at(first));
            let line_size = line.len() + ELEMENT_BYTES + beside;
            match pieces.last_mut() {
                Some(piece) if size.saturating_add(line_size) <= Self::PIECE_BYTES => {
                    size += line_size;
                    piece.lines.push(line.to_owned());
                    piece.marks.push(mark);
                }
                before => {
                    if let Some(before) = before {
                        before.next = self.marks.timing(Cursor::at(first));
                    }
                    size = line_size;
                    let (lines, marks) = (vec![line.to_owned()], vec![mark]);
                    pieces.push(Piece { first, lines, marks, next: Timing::default() });
                }
            }
        }
        let is_plain = |piece: &&mut Piece| piece.marks.iter().all(|mark| *mark == Mark::default());
        for piece in pieces.iter_mut().filter(is_plain) {
            piece.marks.clear();
        }
        pieces
    }
}

/// The lines of a file that are not blank.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = Item<'_>> + Clone {
    let lines = (1..).zip(text.lines().map(str::trim)).filter(|(_, line)| !says_nothing(line));
    lines.map(|(number, line)| Item { number, text: Cow::Borrowed(line), mark: Mark::default() })
}

/// The lines of `text` by where they end, with their numbers.
fn ends<'a>(text: &'a str, lines: &'a [Line]) -> impl Iterator<Item = (usize, &'a str)> + Clone {
    let starts = std::iter::once(0).chain(lines.iter().map(|line| line.end));
    let part = |start, end| text.get(start..end).expect("lines end where they were put");
    starts.zip(lines).map(move |(start, line)| (line.number, part(start, line.end)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(input: &[u8], expected: &str) {
        let got = match Corpus::parse(input) {
            Ok(corpus) => format!("{:?}", corpus.lines().collect::<Vec<_>>()),
            Err(problems) => {
                problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
            }
        };
        assert_eq!(got, expected);
    }

    #[test]
    fn every_line_that_is_not_blank_is_kept_with_its_number() {
        check(
            "\u{feff}one\r\n\n  two \n\t\nthree".as_bytes(),
            r#"[(1, "one"), (3, "two"), (5, "three")]"#,
        );
        check(b"", "there is no line to post in it");
        check(b" \n \t\r\n", "there is no line to post in it");
        check(
            b"ok\n\xff\n",
            "line 2 is not UTF-8 but, as it seems, Latin-1; convert the file: iconv -f ISO-8859-1 -t UTF-8 old.txt > new.txt",
        );
        check(
            b"a\x07b\nc\x1b[0m",
            "line 1 holds the control character U+0007; remove it; line 2 holds the control character U+001B; remove it",
        );
        check(
            "a\u{200b}\n\u{200b}\u{2800}\nb\u{feff}c".as_bytes(),
            r#"[(1, "a\u{200b}"), (3, "bc")]"#,
        );
        check(
            "a\nb\u{ffff}".as_bytes(),
            "line 2 holds U+FFFF, which is not a character; remove it",
        );
        check(&[b'x'; 3701], "line 1 is 3701 bytes long; a post cannot be longer than 3700");
        let lines = "a\n".repeat(10_000_001);
        check(lines.as_bytes(), "there are more than 10000000 lines in it");
        let problems = Corpus::parse("\x07\n".repeat(9_999).as_bytes()).unwrap_err();
        assert_eq!(problems.len(), 101);
        assert_eq!(
            problems.last().map(ToString::to_string).as_deref(),
            Some("more is wrong with it than the 100 problems told; mend these first")
        );
    }

    proptest! {
        #[test]
        fn pieces_hold_every_line_once_in_order_and_stay_small(
            lines in prop::collection::vec("[a-zé猫]{1,400}", 1..200),
        ) {
            let corpus = Corpus::parse(lines.join("\n\n").as_bytes()).unwrap();
            let pieces = corpus.pieces();
            let mut next = 0;
            for piece in &pieces {
                prop_assert_eq!(piece.first, next);
                next += u32::try_from(piece.lines.len()).unwrap();
                prop_assert!(piece.lines.iter().map(|l| l.len() + 4).sum::<usize>() <= 3_800);
            }
            prop_assert_eq!(pieces.concat_lines(), lines.clone());
            let by_index: Vec<_> = (0..=corpus.len()).map(|index| corpus.line(index)).collect();
            let expected = lines.iter().map(|line| Some(line.as_str())).chain([None]);
            prop_assert_eq!(by_index, expected.collect::<Vec<_>>());
        }
    }

    fn ts(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[track_caller]
    fn items(items: &[(&str, Option<i64>)]) -> Corpus {
        let items: Vec<_> = items.iter().map(|(text, at)| (*text, Mark::at(at.map(ts)))).collect();
        marked(&items)
    }

    #[track_caller]
    fn marked(items: &[(&str, Mark)]) -> Corpus {
        let items = items.iter().zip(1..).map(|((text, mark), number)| Item {
            number,
            text: Cow::Borrowed(*text),
            mark: *mark,
        });
        let (corpus, problems) = Corpus::of(items);
        assert_eq!(problems, []);
        corpus.unwrap()
    }

    #[test]
    fn ids_of_plain_lines_stay_and_no_two_texts_have_the_same() {
        let plain = items(&[("the moon", None), ("rose", None)]);
        assert_eq!(plain.id(), Corpus::parse(b"the moon\nrose").unwrap().id());
        assert_eq!(plain.id().as_str(), "807af5a069bf7bd0d36e1f5631c39526");
        let follows = Mark { follows: true, ..Mark::default() };
        let added = Mark { added: true, ..Mark::default() };
        let mark = |first, second| marked(&[("the moon", first), ("rose", second)]);
        let texts = [
            plain,
            mark(Mark::default(), follows),
            mark(Mark::default(), added),
            mark(Mark::default(), Mark { added: true, ..follows }),
            mark(added, Mark::default()),
            items(&[("the moon\nrose", None)]),
            items(&[("the moon", Some(1)), ("rose", None)]),
            items(&[("the moon", None), ("rose", Some(1))]),
            items(&[("the moon", Some(2)), ("rose", None)]),
            items(&[("the moon\nrose", Some(1))]),
            items(&[("the moon\n1\n4\nrose", None)]),
            items(&[("the moon", None), ("", None), ("rose", None)]),
        ];
        let ids: std::collections::BTreeSet<_> = texts.iter().map(Corpus::id).collect();
        assert_eq!(ids.len(), texts.len());
    }

    #[test]
    fn an_item_has_several_lines_and_a_time() {
        let text = items(&[("one\n\ntwo", None), (" three ", Some(7))]);
        assert_eq!(text.line(0), Some("one\n\ntwo"));
        assert_eq!(text.line(1), Some("three"));
        assert_eq!(text.marks().of(Cursor::at(0)).at, None);
        assert_eq!(text.marks().of(Cursor::at(1)).at, Some(ts(7)));
        let long = [Item { number: 4, text: "x\n".repeat(2000).into(), mark: Mark::default() }];
        let (_, problems) = Corpus::of(long.into_iter());
        let told = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        assert_eq!(told, "line 4 is 3999 bytes long; a post cannot be longer than 3700");
    }

    proptest! {
        #[test]
        fn pieces_make_the_same_corpus(
            lines in prop::collection::vec(
                ("[a-z\n猫]{0,900}", prop::option::of(0_i64..2_000_000_000), any::<(bool, bool)>()),
                1..40,
            ),
        ) {
            let mark = |at: Option<i64>, (follows, added)| Mark { at: at.map(ts), follows, added };
            let lines: Vec<_> =
                lines.iter().map(|(text, at, more)| (text.as_str(), mark(*at, *more))).collect();
            let corpus = marked(&lines);
            let pieces = corpus.pieces();
            let marks = corpus.marks();
            for (piece, after) in pieces.iter().zip(1..) {
                let size: usize = piece.lines.iter().map(|line| line.len() + 4).sum();
                prop_assert!(size + 8 * piece.marks.len() <= 3_800);
                let next = pieces.get(after).map(|next| Cursor::at(next.first));
                prop_assert_eq!(piece.next, next.map(|next| marks.timing(next)).unwrap_or_default());
            }
            let again = Corpus::of_pieces(pieces).unwrap();
            prop_assert_eq!(again, corpus);
        }
    }

    trait ConcatLines {
        fn concat_lines(&self) -> Vec<String>;
    }

    impl ConcatLines for Vec<Piece> {
        fn concat_lines(&self) -> Vec<String> {
            self.iter().flat_map(|piece| piece.lines.clone()).collect()
        }
    }
}
