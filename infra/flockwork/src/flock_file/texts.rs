//! The texts of sheep: files inside the flock's directory, and what their behaviour and network make of them.

use std::{
    collections::BTreeMap,
    io,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use flock_core::{
    BehaviourKind, Corpus, CorpusProblem, Network, Post, Source as TextSource, TextRefusal,
};
use jiff::tz::TimeZone;

use super::{
    Reader,
    mistakes::{BACKSLASH, Mistake, Reported},
    search::ODD_IN_PATHS,
    spelling,
};
use crate::files;

/// Why there is no reading a file of a flock. Follows the name of the file.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("is absolute or has `..` in it; name files from the flock's directory on")]
    Upward,
    #[error("leads out of the flock's directory; keep the files of a flock inside it")]
    Outside,
    #[error(
        "is one text too many: the texts of a flock have {} MB and {MOST_LINES} lines at most; make several \
         flocks of it", MOST_BYTES / (1024 * 1024)
    )]
    TooMuch,
    #[error(transparent)]
    File(#[from] files::Unreadable),
}

/// The longest text, far above any book; a larger file is there by mistake.
pub(super) const MOST_TEXT_BYTES: u64 = 64 * 1024 * 1024;

/// The most that all texts of a flock have together: they are all held while it is planned.
const MOST_BYTES: u64 = 4 * MOST_TEXT_BYTES;

/// Likewise, as many as one text can have.
const MOST_LINES: u64 = 10_000_000;

impl Unreadable {
    /// What else to say where a corpus was wanted.
    fn hint(&self) -> &'static str {
        match self {
            Self::File(files::Unreadable::Directory) => DIRECTORY_HINT,
            Self::Upward | Self::Outside | Self::TooMuch | Self::File(_) => "",
        }
    }
}

pub(super) const DIRECTORY_HINT: &str =
    "; for the texts in it give `files`, such as \"poems/*.txt\"";

/// The file at `relative` in the directory `root`, links followed; never one outside it.
pub(super) fn locate(root: &Path, relative: &Path) -> Result<PathBuf, Unreadable> {
    let inward = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    if !relative.components().all(inward) {
        return Err(Unreadable::Upward);
    }
    let path = root.join(relative).canonicalize();
    let path = path.or_else(|err| match err.kind() {
        io::ErrorKind::NotFound => spelling::find(root, relative)?.canonicalize(),
        _ => Err(err),
    });
    let path = path.map_err(files::Unreadable::from)?;
    if path.starts_with(root) { Ok(path) } else { Err(Unreadable::Outside) }
}

/// A corpus file that was read.
pub(super) struct Text {
    /// Where problems with it are reported.
    pub(super) file: PathBuf,
    /// What its behaviour made of it, as far as it could be read, so that the lines of what was rejected are still
    /// measured.
    pub(super) corpus: Option<Arc<Corpus>>,
    /// Whether nothing was wrong with it.
    pub(super) sound: bool,
    /// By their numbers, lines longer than any network takes.
    too_long: BTreeMap<usize, String>,
    /// The networks it has been measured for.
    checked: Vec<Option<Network>>,
}

/// How a corpus file is read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Reading {
    pub(super) behaviour: BehaviourKind,
    /// Where it matters what the zone is called.
    pub(super) zone: Option<String>,
    pub(super) division: Division,
}

/// How a text is divided into posts, where its behaviour leaves that to `flock.toml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Division {
    pub(super) post: Post,
    /// Whether what is too long becomes a thread, once it is known what its account takes.
    pub(super) split: bool,
    /// How lines begin that are left out.
    pub(super) skip: Vec<String>,
}

impl Division {
    /// Whether some of the posts go on with others.
    pub(super) fn threads(&self) -> bool {
        self.split || self.post == Post::Thread
    }
}

/// Who reads a text: a behaviour, in a zone, dividing it so.
pub(super) type How<'a> = (BehaviourKind, &'a TimeZone, &'a Division);

impl Reading {
    pub(super) fn new((behaviour, zone, division): How<'_>) -> Self {
        let name = || zone.iana_name().unwrap_or_default().to_owned();
        let zone = behaviour.reads_times().then(name);
        Self { behaviour, zone, division: division.clone() }
    }
}

impl Reader<'_> {
    /// That the file that `line` of `flock.toml` names can be read, where nobody knows for what.
    pub(super) fn look_for<T>(&mut self, line: usize, path: &Path) -> Result<T, Reported> {
        let located = locate(&self.root, path);
        let bytes = located.and_then(|located| Ok(files::read(&located, MOST_TEXT_BYTES)?));
        if let Err(err) = bytes {
            self.report_unreadable(line, path, &err);
        }
        Err(Reported)
    }

    fn report_unreadable(&mut self, line: usize, path: &Path, unreadable: &Unreadable) -> Reported {
        let is_missing = matches!(unreadable, Unreadable::File(files::Unreadable::Missing));
        let hint = if is_missing && path.to_string_lossy().contains(ODD_IN_PATHS) {
            format!("; {BACKSLASH}")
        } else {
            unreadable.hint().to_owned()
        };
        self.report(line, format!("`{}` {unreadable}{hint}", path.display()))
    }

    /// The corpus in the file that `line` of `flock.toml` names, read like this, each line measured for
    /// `network`.
    pub(super) fn corpus(
        &mut self,
        line: usize,
        path: &Path,
        how: How<'_>,
        network: Option<Network>,
    ) -> Result<(PathBuf, Arc<Corpus>), Reported> {
        let located =
            locate(&self.root, path).map_err(|err| self.report_unreadable(line, path, &err))?;
        let key = (located, Reading::new(how));
        if !self.texts.contains_key(&key) {
            let text = self
                .read(path, &key.0, how)
                .map_err(|err| self.report_unreadable(line, path, &err))?;
            self.texts.insert(key.clone(), text);
        }
        let text = self.texts.get_mut(&key).ok_or(Reported)?;
        if !text.checked.contains(&network) {
            text.checked.push(network);
            // Where accounts have limits of their own, only they can tell.
            let is_measured = !how.0.draws() && !how.2.split;
            let limited = network.filter(|network| !network.facts().limits_vary && is_measured);
            let do_this = how.0.for_long_texts();
            let mut told = 0;
            for (number, line) in text.corpus.iter().flat_map(|corpus| corpus.lines()) {
                let refusal = limited
                    .and_then(|network| network.check_text(line, network.facts().text_limit).err());
                let refusal = refusal.map(|refusal| match refusal {
                    TextRefusal::Empty => refusal.to_string(),
                    TextRefusal::TooLong { .. } => format!("{refusal}{do_this}"),
                });
                if let Some(what) = refusal
                    .or_else(|| text.too_long.get(&number).map(|what| format!("{what}{do_this}")))
                {
                    let file = text.file.clone();
                    if told == Corpus::PROBLEMS {
                        let what = CorpusProblem::More { told }.to_string();
                        self.problems.push(Mistake::new(file, None, what));
                        break;
                    }
                    told += 1;
                    self.problems.push(Mistake::new(file, Some(number), what));
                }
            }
        }
        let corpus = text.corpus.clone().filter(|_| text.sound).ok_or(Reported)?;
        Ok((text.file.clone(), corpus))
    }

    /// Reads a text of the flock, unless that would be more than it may have.
    pub(super) fn read(
        &mut self,
        path: &Path,
        located: &Path,
        (behaviour, zone, division): How<'_>,
    ) -> Result<Text, Unreadable> {
        let bytes = files::read(located, MOST_TEXT_BYTES)?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let Division { post, split, skip } = division;
        let source =
            TextSource { name: &name, bytes: &bytes, zone, post: *post, split: *split, skip };
        let text = self.text(self.dir.join(path), behaviour.read(&source));
        let lines = text.corpus.as_ref().map_or(0, |corpus| u64::from(corpus.len()));
        let size = (self.size.0.saturating_add(length), self.size.1.saturating_add(lines));
        if MOST_BYTES < size.0 || MOST_LINES < size.1 {
            return Err(Unreadable::TooMuch);
        }
        self.size = size;
        Ok(text)
    }

    /// Reports what is wrong with a corpus that was read, but for the lengths of lines.
    pub(super) fn text(
        &mut self,
        file: PathBuf,
        (corpus, problems): (Option<Corpus>, Vec<CorpusProblem>),
    ) -> Text {
        let sound = problems.is_empty();
        let mut too_long = BTreeMap::new();
        for problem in problems {
            match (&problem, problem.line()) {
                // A network's own limit is lower and says more.
                (CorpusProblem::LongLine { .. }, Some(line)) => {
                    too_long.insert(line, problem.to_string());
                }
                (_, line) => {
                    let what = problem.to_string();
                    self.problems.push(Mistake::new(file.clone(), line, what));
                }
            }
        }
        Text { file, corpus: corpus.map(Arc::new), sound, too_long, checked: Vec::new() }
    }
}
