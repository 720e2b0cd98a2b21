//! Files that a pattern finds in the flock's directory.
//!
//! Names are matched by `glob`, a part of the path at a time: `globset` (0.4.22) takes bytes for letters, so that `?` is no
//! `é`, and has no hidden files. The walk is our own, because a link is followed where a part names it and not where `**`
//! finds it, which `walkdir` cannot be told.

use std::{
    cell::LazyCell,
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use flock_core::{named, natural, nearest};
use glob::{MatchOptions, Pattern};

use super::{
    Reader,
    mistakes::{BACKSLASH, Reported},
    spelling::usual,
    texts::{DIRECTORY_HINT, Unreadable},
};
use crate::files;

/// The longest pattern, in bytes and in parts.
const MOST_PATTERN: (usize, usize) = (1_000, 100);

/// The most files and directories that one pattern goes through.
const MOST_ENTRIES: usize = 100_000;

/// What stands in a path that was written with backslashes: one, or what TOML has made of it and the letter behind it.
pub(super) const ODD_IN_PATHS: [char; 7] = ['\\', '\u{8}', '\t', '\n', '\u{c}', '\r', '\u{1b}'];

/// One part of the path in `files`.
enum Step {
    /// Any number of directories, links not followed.
    Deep,
    /// Names that match.
    Name(Pattern),
}

/// One way through the directories.
pub(super) struct Walk<'a> {
    /// The pattern.
    pub(super) pattern: &'a str,
    /// The line it is in.
    pub(super) line: usize,
    /// Its parts.
    steps: &'a [Step],
    /// How many more entries may be looked at.
    left: usize,
}

impl Reader<'_> {
    /// The files that `pattern` in `line` matches, sorted; at least one.
    pub(super) fn matching_files(
        &mut self,
        line: usize,
        pattern: &str,
    ) -> Result<Vec<PathBuf>, Reported> {
        let mut steps = Vec::new();
        let (most_bytes, most_parts) = MOST_PATTERN;
        if most_bytes < pattern.len() || most_parts < pattern.split('/').count() {
            let what = format!(
                "this pattern is too long: {most_bytes} bytes in {most_parts} parts are the most; `**` \
                 stands for any number of directories"
            );
            return Err(self.report(line, what));
        }
        let parts = || pattern.split('/').filter(|part| !matches!(*part, "" | "."));
        if Path::new(pattern).has_root() || parts().any(|part| part == "..") {
            return Err(self.report(line, format!("`{pattern}` {}", Unreadable::Upward)));
        }
        for part in parts() {
            match (part, steps.last()) {
                ("**", Some(Step::Deep)) => {}
                ("**", _) => steps.push(Step::Deep),
                (part, _) => steps.push(Step::Name(Pattern::new(&usual(part)).map_err(|err| {
                    self.report(line, format!("`{pattern}` is not a pattern: {}", err.msg))
                })?)),
            }
        }
        if let Some(Step::Deep) = steps.last() {
            steps.push(Step::Name(Pattern::new("*").map_err(|_| Reported)?));
        }
        let mut found = BTreeSet::new();
        let mut walk = Walk { pattern, line, steps: &steps, left: MOST_ENTRIES };
        let root = self.root.clone();
        let walked = self.walk(&mut walk, Path::new(""), &root, &BTreeSet::from([0]), &mut found);
        if walk.left == 0 && walked.is_err() {
            // What was found is not all.
            return Err(Reported);
        }
        if found.is_empty() && walked.is_ok() {
            let what = if self.root.join(pattern).is_dir() {
                format!("`{pattern}` {}{DIRECTORY_HINT}", files::Unreadable::Directory)
            } else {
                let parts: Vec<_> = parts().collect();
                format!("`{pattern}` matches no file: {}", self.what_is_there(&parts))
            };
            return Err(self.report(line, what));
        }
        Ok(found.into_iter().collect())
    }

    /// What there is instead of files that a pattern of these parts matches.
    fn what_is_there(&self, parts: &[&str]) -> String {
        const ANY_CASE: MatchOptions = MatchOptions {
            case_sensitive: false,
            require_literal_separator: true,
            require_literal_leading_dot: true,
        };
        // As far as the parts are names of directories that are there.
        let mut at = self.root.clone();
        let mut rest = parts.iter();
        let wanted = loop {
            let Some(part) = rest.next() else { break "*" };
            match at.join(part) {
                next if next.is_dir() => at = next,
                _ => break part,
            }
        };
        let is_last = rest.len() == 0;
        let kind = if is_last { "file" } else { "directory" };
        let mut names: Vec<_> = fs::read_dir(&at)
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| is_last || entry.path().is_dir())
            .map(|entry| usual(&entry.file_name().to_string_lossy()).into_owned())
            .filter(|name| !name.starts_with('.'))
            .collect();
        names.sort_by(|a, b| natural(a, b));
        let near =
            Pattern::new(&usual(wanted)).ok().filter(|_| wanted != "**").and_then(|pattern| {
                names.iter().find(|name| pattern.matches_with(name, ANY_CASE)).cloned()
            });
        let there = match near {
            Some(near) => format!("`{near}` is there, and capitals count"),
            None if parts.iter().any(|part| part.contains(ODD_IN_PATHS)) => BACKSLASH.to_owned(),
            None => match nearest(wanted, names.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None if names.is_empty() => format!("there is no {kind} in {}", at.display()),
                None => {
                    let names = names.iter().map(|name| format!("`{name}`"));
                    format!("{} has {}", at.display(), named(names))
                }
            },
        };
        let whole = parts.iter().fold(self.root.clone(), |path, part| path.join(part));
        format!("nothing is at {}; {there}", whole.display())
    }

    /// Collects the files below the directory `at` to which the steps lead from any of `here` on; `real` is the
    /// same directory without links. All ways are gone at once, so that each directory is looked through once
    /// however many of them lead there.
    fn walk(
        &mut self,
        walk: &mut Walk<'_>,
        at: &Path,
        real: &Path,
        here: &BTreeSet<usize>,
        found: &mut BTreeSet<PathBuf>,
    ) -> Result<(), Reported> {
        const OPTIONS: MatchOptions = MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: true,
        };
        let (line, steps) = (walk.line, walk.steps);
        // Any number of directories can be none.
        let mut here = here.clone();
        here.extend(here.clone().iter().filter_map(|step| match steps.get(*step) {
            Some(Step::Deep) => Some(step + 1),
            Some(Step::Name(_)) | None => None,
        }));
        let unreadable = |reader: &mut Self, err| {
            let at = reader.dir.join(at);
            reader.report(line, format!("`{}` {}", at.display(), files::Unreadable::Io(err)))
        };
        let entries = fs::read_dir(real).map_err(|err| unreadable(self, err))?;
        let mut below = Vec::new();
        let mut outcome = Ok(());
        for entry in entries {
            let entry = entry.map_err(|err| unreadable(self, err))?;
            walk.left = walk.left.checked_sub(1).ok_or_else(|| {
                let what = format!(
                    "`{}` goes through more than {MOST_ENTRIES} files and directories; name the directories \
                     the texts are in",
                    walk.pattern
                );
                self.report(line, what)
            })?;
            let path = at.join(entry.file_name());
            let file_name = entry.file_name();
            let file_name = file_name.to_string_lossy();
            let file_name = usual(&file_name);
            let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
            let is_directory = LazyCell::new(|| match entry.file_type() {
                Ok(kind) if kind.is_symlink() => {
                    fs::metadata(entry.path()).is_ok_and(|file| file.is_dir())
                }
                kind => kind.is_ok_and(|kind| kind.is_dir()),
            });
            let mut next = BTreeSet::new();
            for index in &here {
                let is_last = index + 1 == steps.len();
                match steps.get(*index) {
                    Some(Step::Deep) => {
                        // A link could lead back up and round in circles.
                        if !is_link && !file_name.starts_with('.') && *is_directory {
                            next.insert(*index);
                        }
                    }
                    Some(Step::Name(pattern)) if pattern.matches_with(&file_name, OPTIONS) => {
                        match (is_last, *is_directory) {
                            (true, true) | (false, false) => {}
                            (true, false) => {
                                found.insert(path.clone());
                            }
                            (false, true) => {
                                next.insert(index + 1);
                            }
                        }
                    }
                    Some(Step::Name(_)) | None => {}
                }
            }
            if next.is_empty() {
                continue;
            }
            let real = if is_link { entry.path().canonicalize() } else { Ok(entry.path()) };
            match real {
                Ok(real) if real.starts_with(&self.root) => below.push((path, real, next)),
                Ok(_) | Err(_) => {
                    let what = format!("`{}` {}", path.display(), Unreadable::Outside);
                    outcome = Err(self.report(line, what));
                }
            }
        }
        // The directory is closed by now: a deep tree would need as many of them open at once.
        for (path, real, next) in below {
            outcome = outcome.and(self.walk(walk, &path, &real, &next, found));
            if walk.left == 0 {
                break;
            }
        }
        outcome
    }
}
