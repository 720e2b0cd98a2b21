//! A flock as people write it: a directory with `flock.toml` and the corpora it names.
//!
//! Knows the format, and says everything that is wrong with a directory at once, each with its
//! place. Knows nothing of the table a flock is stored in, and no clock: a rhythm that has ended is
//! not a problem here.

mod fields;
mod flock;
mod mistakes;
mod mix;
mod rhythm;
mod ring;
mod search;
mod sheep;
mod spelling;
#[cfg(test)]
mod tests;
mod texts;

pub(crate) use self::spelling::plain;
pub use self::{
    mistakes::{Mistake, Mistakes},
    ring::read_ring,
};

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
};

use flock_core::{Flock, FlockName, SheepName, lines_of};
use flock_ops::{FlockFile, SheepFile};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use self::{
    fields::{Fields, Place},
    mistakes::{LineStarts, MOST_PROBLEMS, Reported, by_place},
    texts::{Reading, Text, Unreadable, locate},
};
use crate::files::{self, WRITTEN_BY_HAND};

/// Reads the flock in `dir`, or says everything that is wrong with it.
///
/// `account` may stand beside `files` and in `[defaults]`: several sheep may share an account. `{name}` in it is the sheep's name.
/// Without it each sheep has the account of its own name. A pattern in `files` leaves out directories and,
/// unless it says the dot, hidden files.
pub fn read(dir: &Path) -> Result<FlockFile, Mistakes> {
    let whole = |file: PathBuf, what: String| Mistakes(vec![Mistake::new(file, None, what)]);
    let root = root(dir)?;
    let file = dir.join(FLOCK_TOML);
    let bytes = match locate(&root, Path::new(FLOCK_TOML))
        .and_then(|path| Ok(files::read(&path, WRITTEN_BY_HAND)?))
    {
        Ok(bytes) => bytes,
        Err(Unreadable::File(files::Unreadable::Missing)) => {
            let what = "it does not exist; a flock is a directory with a flock.toml in it";
            return Err(whole(file, what.to_owned()));
        }
        Err(unreadable) => return Err(whole(file, format!("it {unreadable}"))),
    };
    match lines_of(&bytes) {
        Ok(text) => read_text(dir, root, &text),
        Err(why) => Err(Mistakes(vec![Mistake::new(file, Some(why.line()), why.to_string())])),
    }
}

/// Reads the flock that `dir` would have if its `flock.toml` was `text`, or says everything that would be wrong with it.
pub(crate) fn read_as(dir: &Path, text: &str) -> Result<FlockFile, Mistakes> {
    read_text(dir, root(dir)?, text)
}

/// The directory without links.
fn root(dir: &Path) -> Result<PathBuf, Mistakes> {
    let what = match dir.canonicalize() {
        Ok(root) if root.is_dir() => return Ok(root),
        Ok(_) => "it is not a directory".to_owned(),
        Err(err) => format!("it {}", files::Unreadable::from(err)),
    };
    Err(Mistakes(vec![Mistake::new(dir.to_owned(), None, what)]))
}

/// Reads a flock whose `flock.toml` is `text`.
fn read_text(dir: &Path, root: PathBuf, text: &str) -> Result<FlockFile, Mistakes> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader {
        dir,
        root,
        line_starts: LineStarts::of(text),
        misread: BTreeSet::new(),
        stumbles: BTreeSet::new(),
        sound: errors.is_empty(),
        problems: Vec::new(),
        texts: HashMap::new(),
        size: (0, 0),
        names: BTreeMap::new(),
    };
    reader.syntax(text, &errors);
    let (flock, mut sheep) = reader.document(document.get_ref());
    let Reader { mut problems, .. } = reader;
    match flock {
        Ok(flock) if problems.is_empty() => {
            sheep.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(FlockFile { flock, sheep })
        }
        _ => {
            // What is wrong with a default or a shared text was found once per sheep.
            problems.sort_by(|a, b| {
                by_place((&a.file, a.line), (&b.file, b.line)).then_with(|| a.what.cmp(&b.what))
            });
            problems.dedup();
            let mut problems = Mistake::grouped(problems);
            if let Some(more @ 1..) = problems.len().checked_sub(MOST_PROBLEMS) {
                problems.truncate(MOST_PROBLEMS);
                let what = format!("{more} more problems are not shown; mend these first");
                problems.push(Mistake::new(dir.to_owned(), None, what));
            }
            Err(Mistakes(problems))
        }
    }
}

const FLOCK_TOML: &str = "flock.toml";

/// Goes through a flock's files and collects what is wrong.
struct Reader<'a> {
    /// The directory as the user wrote it.
    dir: &'a Path,
    /// The directory without links.
    root: PathBuf,
    line_starts: LineStarts,
    /// Lines of `flock.toml` that the TOML parser may have taken for something else.
    misread: BTreeSet<usize>,
    /// Where it stumbled.
    stumbles: BTreeSet<usize>,
    /// Whether `flock.toml` is TOML; if not, nothing can be said to be missing.
    sound: bool,
    problems: Vec<Mistake>,
    /// Corpus files by their paths without links, and by how they are read: each is read once.
    texts: HashMap<(PathBuf, Reading), Text>,
    /// How many bytes and lines they have together.
    size: (u64, u64),
    /// Where each sheep's name was seen first.
    names: BTreeMap<SheepName, String>,
}

impl Reader<'_> {
    /// The flock and its sheep, as far as nothing is wrong with them.
    fn document(&mut self, table: &DeTable<'_>) -> (Result<Flock, Reported>, Vec<SheepFile>) {
        let top = self.fields(Place::Top, table);
        let name: Result<FlockName, _> =
            self.required(&top, "name", None, "say what the flock is called");
        let monthly_cap = self.monthly_cap(top.get("monthly_cap"));
        let waivers = self.waivers(table.get("waive"));
        let flock = name.and_then(|name| Ok(Flock { name, monthly_cap: monthly_cap?, waivers }));
        let near = self.near_duplicates(table.get("near_duplicates"));
        let defaults = self.defaults(top, table.get("defaults"));
        let mut drafts = Vec::new();
        let tables = match table.get("sheep") {
            None => Vec::new(),
            Some(sheep) => match sheep.get_ref() {
                DeValue::Array(tables) => tables.iter().collect(),
                _ => vec![sheep],
            },
        };
        if tables.is_empty() {
            self.report_missing(None, "there is no sheep in it; write one or more [[sheep]]");
        }
        for sheep in tables {
            let header = self.line_starts.line(sheep.span().start);
            match sheep.get_ref() {
                DeValue::Table(table) => {
                    let own = self.fields(Place::Sheep, table);
                    let parts = self.part_tables(table.get("parts"));
                    drafts.extend(self.sheep(header, (&own, &parts), &defaults));
                }
                _ => {
                    self.report(header, "`sheep` must be tables: write [[sheep]]");
                }
            }
        }
        for draft in &mut drafts {
            draft.config.near_duplicates = near;
        }
        (flock, drafts)
    }

    /// The parts of a sheep, each with the line where its table begins.
    fn part_tables(&mut self, parts: Option<&Spanned<DeValue<'_>>>) -> Vec<(usize, Fields)> {
        let tables: Vec<_> = match parts.map(|parts| (parts, parts.get_ref())) {
            None => Vec::new(),
            Some((_, DeValue::Array(tables))) => tables.iter().collect(),
            Some((parts, _)) => vec![parts],
        };
        let mut parts = Vec::new();
        for table in tables {
            let line = self.line_starts.line(table.span().start);
            match table.get_ref() {
                DeValue::Table(table) => parts.push((line, self.fields(Place::Part, table))),
                _ => {
                    self.report(line, "`parts` must be tables: write [[sheep.parts]]");
                }
            }
        }
        parts
    }
}
