//! What is wrong with a flock's files, and where.

use std::{
    cmp::Ordering,
    fmt,
    path::{Path, PathBuf},
};

use flock_core::{
    CURLY, Corpus, STRAIGHT, listed, named, natural, one_line, united, united_if_many,
};

use super::{FLOCK_TOML, Reader};

/// Something that is wrong with a flock's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file, as seen from where the directory's name was given.
    pub file: PathBuf,
    /// The line in it, counted from 1; none where the file as a whole is meant.
    pub line: Option<usize>,
    /// What is wrong and what would do.
    pub what: String,
    /// Where the same is wrong, too, or the like.
    pub too: Vec<(PathBuf, Option<usize>)>,
    /// Whether it is the like there, with other names and numbers.
    pub is_alike: bool,
}

impl Mistake {
    /// What is wrong in one place.
    pub(super) fn new(file: PathBuf, line: Option<usize>, what: impl Into<String>) -> Self {
        Self { file, line, what: what.into(), too: Vec::new(), is_alike: false }
    }

    /// The mistakes, in their order, each once with all places where it was made.
    pub(super) fn grouped(mistakes: Vec<Self>) -> Vec<Self> {
        // In which line it is, is said before it.
        let equal = united(
            mistakes,
            |mistake| Some(mistake.unnumbered()),
            |first, other| {
                if first.what != other.what {
                    first.what = first.unnumbered();
                }
                first.add(other);
            },
        );
        let mut alike = united_if_many(
            equal,
            MANY,
            |mistake| Some(mistake.kind()),
            |first, other| {
                first.is_alike = true;
                first.add(other);
            },
        );
        for mistake in &mut alike {
            mistake.too.sort_by(|(a, m), (b, n)| by_place((a, *m), (b, *n)));
        }
        alike
    }

    /// Adds the places of another.
    fn add(&mut self, other: Self) {
        self.too.push((other.file, other.line));
        self.too.extend(other.too);
    }

    /// What is wrong, without the number of its line.
    fn unnumbered(&self) -> String {
        let own = self.line.map(|line| format!("line {line} "));
        match own.and_then(|own| self.what.strip_prefix(&own)) {
            Some(rest) => format!("the line {rest}"),
            None => self.what.clone(),
        }
    }

    /// What is wrong, without names and numbers.
    fn kind(&self) -> String {
        let parts = self.what.split('`').step_by(2);
        let words = parts.collect::<Vec<_>>().join("``");
        words.chars().filter(|c| !c.is_ascii_digit()).collect()
    }
}

/// The order in which people look for places.
pub(super) fn by_place(one: (&Path, Option<usize>), other: (&Path, Option<usize>)) -> Ordering {
    let [(a, m), (b, n)] = [one, other];
    natural(&a.to_string_lossy(), &b.to_string_lossy()).then_with(|| (a, m).cmp(&(b, n)))
}

/// A place, for people.
fn at(file: &Path, line: Option<usize>) -> String {
    let file = one_line(&file.to_string_lossy());
    match line {
        Some(line) => format!("{file}:{line}"),
        None => file,
    }
}

/// Everything that is wrong with a flock's files, by file and line. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(pub(super) Vec<Mistake>);

impl Mistakes {
    /// The problems, sorted by file and line; the last says so where there are too many to be told.
    pub fn as_slice(&self) -> &[Mistake] {
        &self.0
    }
}

impl std::error::Error for Mistakes {}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index != 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

/// So many mistakes of one kind are told one by one: each may be another slip of the pen.
const MANY: usize = 20;

/// So many lines of one file are shown by number.
const LINES: usize = 19;

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, what) = (at(&self.file, self.line), one_line(&self.what));
        let here = |(file, line): &(PathBuf, Option<usize>)| {
            line.filter(|_| *file == self.file && self.line.is_some())
        };
        // Of one file the numbers of the lines are enough, and more of them can be read.
        let Some(lines) = self.too.iter().map(here).collect::<Option<Vec<_>>>() else {
            let too = self.too.iter().map(|(file, line)| at(file, *line));
            if self.is_alike {
                return write!(f, "{first}: {what}; likewise {}", named(too));
            }
            return write!(f, "{}: {what}", named(std::iter::once(first).chain(too)));
        };
        let too = listed(lines, LINES);
        match (self.too.len(), self.is_alike) {
            (0, _) => write!(f, "{first}: {what}"),
            (1, true) => write!(f, "{first}: {what}; likewise in line {too}"),
            (_, true) => write!(f, "{first}: {what}; likewise in lines {too}"),
            (1, false) => write!(f, "{first} and {too}: {what}"),
            (_, false) => write!(f, "{first}, {too}: {what}"),
        }
    }
}

/// The most problems that are told: those of two texts, and nobody reads more of them at once.
pub(super) const MOST_PROBLEMS: usize = 2 * Corpus::PROBLEMS;

/// Where the lines of a text start.
pub(super) struct LineStarts(Vec<usize>);

impl LineStarts {
    pub(super) fn of(text: &str) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        // A text that ends with a line break has no line after it, but the parser points there.
        Self(std::iter::once(0).chain(breaks.filter(|at| *at < text.len())).collect())
    }

    /// The line, counted from 1, that the byte at `offset` is in.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset).max(1)
    }
}

/// What is said where a backslash stands in a text that may be a path of Windows.
pub(super) const BACKSLASH: &str = "directories are divided by `/`, also on Windows; where a backslash is meant, the text stands between \
                                    '' instead of \"\"";

/// A problem has been reported, so there is nothing to go on with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reported;

impl Reader<'_> {
    /// Reports a problem in `flock.toml`.
    pub(super) fn report(
        &mut self,
        line: impl Into<Option<usize>>,
        what: impl Into<String>,
    ) -> Reported {
        let line = line.into();
        if line.is_none_or(|line| !self.misread.contains(&line)) {
            let file = self.dir.join(FLOCK_TOML);
            self.problems.push(Mistake::new(file, line, what));
        }
        Reported
    }

    /// Reports that something is missing, unless a syntax error may have hidden it.
    pub(super) fn report_missing(
        &mut self,
        line: impl Into<Option<usize>>,
        what: impl Into<String>,
    ) -> Reported {
        if self.sound { self.report(line, what) } else { Reported }
    }

    /// Reports what the TOML parser stumbled over, once per line.
    ///
    /// Under a header that could not be read, fields belong nobody knows where, so nothing is said
    /// about them.
    pub(super) fn syntax(&mut self, text: &str, errors: &[toml::de::Error]) {
        let lines: Vec<&str> = text.lines().collect();
        let is_header = |line: usize| {
            let text = line.checked_sub(1).and_then(|index| lines.get(index));
            text.is_some_and(|text| text.trim_start().starts_with('['))
        };
        let has_backslash = |line: usize| {
            let text = line.checked_sub(1).and_then(|index| lines.get(index));
            text.is_some_and(|text| text.contains('"') && text.contains('\\'))
        };
        let mut errors: Vec<_> = errors.iter().collect();
        errors.sort_by_key(|error| error.span().map(|span| span.start));
        for error in errors {
            let span = error.span();
            self.stumbles.extend(span.as_ref().map(|span| span.start));
            let line = span.as_ref().map(|span| self.line_starts.line(span.start));
            let quoted = span.and_then(|span| text.get(span)).map(str::trim);
            let what = match quoted {
                Some(quoted) if quoted.contains(CURLY) && quoted.lines().count() == 1 => {
                    format!("this is not TOML: its {STRAIGHT}, at `{quoted}`")
                }
                _ if line.is_some_and(has_backslash) => {
                    format!("this is not TOML: {}; {BACKSLASH}", error.message())
                }
                Some(quoted) if !quoted.is_empty() && quoted.lines().count() == 1 => {
                    format!("this is not TOML: {} at `{quoted}`", error.message())
                }
                _ => format!("this is not TOML: {}", error.message()),
            };
            self.report(line, what);
            let Some(line) = line else { continue };
            self.misread.insert(line);
            if is_header(line) {
                self.misread.extend((line + 1..=lines.len()).take_while(|next| !is_header(*next)));
            }
        }
    }
}
