//! Text that behaviours draw from: its lines, and the pieces it is stored in.

use crate::CorpusId;

/// The lines of a text, in file order, without the blank ones. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corpus {
    id: CorpusId,
    /// The lines, one right after the other: a text of each line's own would take many times the room of a
    /// short one.
    text: String,
    lines: Vec<Line>,
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
}

/// A file that cannot be a corpus, or a line that cannot be a post.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum CorpusProblem {
    /// No line is left when the blank ones are dropped.
    #[error("there is no line to post in it")]
    Empty,
    /// The bytes are not UTF-8.
    #[error("line {line} is not UTF-8; save the file as UTF-8")]
    NotUtf8 {
        /// The first line, counted from 1, that is not.
        line: usize,
    },
    /// A character no network shows.
    #[error("line {line} holds the control character U+{code:04X}; remove it")]
    Control {
        /// The line, counted from 1.
        line: usize,
        /// The character.
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
    /// Not every problem is told.
    #[error("more is wrong with it than the {told} problems told; mend these first")]
    More {
        /// How many are told.
        told: usize,
    },
}

impl CorpusProblem {
    /// The line of the file it is about, counted from 1.
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::Empty | Self::TooManyLines { .. } | Self::More { .. } => None,
            Self::NotUtf8 { line } | Self::Control { line, .. } | Self::LongLine { line, .. } => {
                Some(*line)
            }
        }
    }
}

impl Corpus {
    /// A piece is one item of at most this size, so that reading it costs one half read unit: DynamoDB
    /// charges reads by 4 KB (AWS, "Read and write capacity", 2026-11), and keys take a little.
    const PIECE_BYTES: usize = 3_800;

    /// The largest line: what fits into a piece. Bluesky takes up to 3,000 bytes, some instances of Mastodon
    /// more.
    const LINE_BYTES: usize = 3_700;

    /// Far above any book; keys hold eight digits.
    const LINES: u32 = 10_000_000;

    /// The most problems that are told: nobody reads more of them at once.
    pub const PROBLEMS: usize = 100;

    /// Reads a file. White space around a line is dropped, as networks do; a line of nothing else is
    /// blank. Every problem is reported, up to a number that can still be read.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<CorpusProblem>> {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.trim_start_matches('\u{feff}'),
            Err(err) => {
                let good = bytes.get(..err.valid_up_to()).unwrap_or_default();
                let line = good.split(|byte| *byte == b'\n').count();
                return Err(vec![CorpusProblem::NotUtf8 { line }]);
            }
        };
        let lines = (1..).zip(text.lines().map(str::trim)).filter(|(_, line)| !line.is_empty());
        // Counted before they are kept: a file of nothing but short lines has very many.
        let most = usize::try_from(Self::LINES).unwrap_or(usize::MAX);
        let (mut count, mut length) = (0, 0);
        for (_, line) in lines.clone().take(most.saturating_add(1)) {
            count += 1;
            length += line.len();
        }
        if most < count {
            return Err(vec![CorpusProblem::TooManyLines { limit: Self::LINES }]);
        }
        let mut problems = Vec::new();
        let mut corpus = Self {
            id: CorpusId::of(lines.clone().map(|(_, line)| line)),
            text: String::with_capacity(length),
            lines: Vec::with_capacity(count),
        };
        for (number, line) in lines {
            if let Some(c) = line.chars().find(|c| c.is_control() && *c != '\t') {
                problems.push(CorpusProblem::Control { line: number, code: c.into() });
            }
            if Self::LINE_BYTES < line.len() {
                problems.push(CorpusProblem::LongLine {
                    line: number,
                    bytes: line.len(),
                    limit: Self::LINE_BYTES,
                });
            }
            if Self::PROBLEMS < problems.len() {
                problems.truncate(Self::PROBLEMS);
                problems.push(CorpusProblem::More { told: Self::PROBLEMS });
                break;
            }
            corpus.text.push_str(line);
            corpus.lines.push(Line { number, end: corpus.text.len() });
        }
        if count == 0 {
            problems.push(CorpusProblem::Empty);
        }
        if problems.is_empty() { Ok(corpus) } else { Err(problems) }
    }

    /// The id: a digest of the lines.
    pub fn id(&self) -> CorpusId {
        self.id.clone()
    }

    /// How many lines there are.
    pub fn len(&self) -> u32 {
        u32::try_from(self.lines.len()).expect("parse refuses more lines than fit")
    }

    /// Always false: a corpus without lines is refused when it is read.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The lines with their numbers in the file, counted from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let starts = std::iter::once(0).chain(self.lines.iter().map(|line| line.end));
        let text = |start, end| self.text.get(start..end).expect("lines end where they were put");
        starts.zip(&self.lines).map(move |(start, line)| (line.number, text(start, line.end)))
    }

    /// The line with this index, counted from 0.
    pub fn line(&self, index: u32) -> Option<&str> {
        let index = usize::try_from(index).ok()?;
        let start =
            index.checked_sub(1).map_or(Some(0), |before| Some(self.lines.get(before)?.end));
        self.text.get(start?..self.lines.get(index)?.end)
    }

    /// The corpus as pieces, in order.
    pub fn pieces(&self) -> Vec<Piece> {
        // What DynamoDB adds to each element of a list.
        const ELEMENT_BYTES: usize = 4;
        let mut pieces: Vec<Piece> = Vec::new();
        let mut size = usize::MAX;
        for (first, (_, line)) in (0..).zip(self.lines()) {
            let line_size = line.len() + ELEMENT_BYTES;
            match pieces.last_mut() {
                Some(piece) if size.saturating_add(line_size) <= Self::PIECE_BYTES => {
                    size += line_size;
                    piece.lines.push(line.to_owned());
                }
                _ => {
                    size = line_size;
                    pieces.push(Piece { first, lines: vec![line.to_owned()] });
                }
            }
        }
        pieces
    }
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
        check(b"ok\n\xff\n", "line 2 is not UTF-8; save the file as UTF-8");
        check(
            b"a\x07b\nc\x1b[0m",
            "line 1 holds the control character U+0007; remove it; line 2 holds the control character U+001B; remove it",
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

    trait ConcatLines {
        fn concat_lines(&self) -> Vec<String>;
    }

    impl ConcatLines for Vec<Piece> {
        fn concat_lines(&self) -> Vec<String> {
            self.iter().flat_map(|piece| piece.lines.clone()).collect()
        }
    }
}
