//! Text that behaviours draw from: its lines, and the pieces it is stored in.

use crate::CorpusId;

/// The lines of a text, in file order, without the blank ones. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corpus {
    id: CorpusId,
    lines: Vec<Line>,
}

/// A line and where it stood in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    number: usize,
    text: String,
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
}

impl CorpusProblem {
    /// The line of the file it is about, counted from 1.
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::Empty | Self::TooManyLines { .. } => None,
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

    /// Reads a file. White space around a line is dropped, as networks do; a line of nothing else is
    /// blank. Every problem is reported.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<CorpusProblem>> {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text.trim_start_matches('\u{feff}'),
            Err(err) => {
                let good = bytes.get(..err.valid_up_to()).unwrap_or_default();
                let line = good.split(|byte| *byte == b'\n').count();
                return Err(vec![CorpusProblem::NotUtf8 { line }]);
            }
        };
        let mut problems = Vec::new();
        let mut lines = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() {
                continue;
            }
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
            lines.push(Line { number, text: line.to_owned() });
        }
        if lines.is_empty() {
            problems.push(CorpusProblem::Empty);
        }
        if u32::try_from(lines.len()).map_or(true, |count| Self::LINES < count) {
            problems.push(CorpusProblem::TooManyLines { limit: Self::LINES });
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let id = CorpusId::of(lines.iter().map(|line| line.text.as_str()));
        Ok(Self { id, lines })
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
        self.lines.iter().map(|line| (line.number, line.text.as_str()))
    }

    /// The line with this index, counted from 0.
    pub fn line(&self, index: u32) -> Option<&str> {
        let line = self.lines.get(usize::try_from(index).ok()?)?;
        Some(line.text.as_str())
    }

    /// The corpus as pieces, in order.
    pub fn pieces(&self) -> Vec<Piece> {
        // What DynamoDB adds to each element of a list.
        const ELEMENT_BYTES: usize = 4;
        let mut pieces: Vec<Piece> = Vec::new();
        let mut size = usize::MAX;
        for (first, line) in (0..).zip(&self.lines) {
            let line_size = line.text.len() + ELEMENT_BYTES;
            match pieces.last_mut() {
                Some(piece) if size.saturating_add(line_size) <= Self::PIECE_BYTES => {
                    size += line_size;
                    piece.lines.push(line.text.clone());
                }
                _ => {
                    size = line_size;
                    pieces.push(Piece { first, lines: vec![line.text.clone()] });
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
            prop_assert_eq!(pieces.concat_lines(), lines);
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
