//! A flock as people write it: a directory with `flock.toml` and the corpora it names.
//!
//! Knows the format, and says everything that is wrong with a directory at once, each with its
//! place. Knows nothing of the table a flock is stored in, and no clock: a rhythm that has ended is
//! not a problem here.

use std::{
    cell::LazyCell,
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt, fs,
    path::{Component, Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use flock_core::{
    AccountId, BehaviourKind, Corpus, CorpusProblem, Flock, FlockName, Handle, InvalidRhythm,
    Network, Rhythm, RhythmFields, SheepConfig, SheepName, Source as TextSource, Usd, Waivers,
    one_line, rules,
};
use flock_ops::{FlockFile, SheepFile};
use glob::{MatchOptions, Pattern};
use jiff::tz::TimeZone;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::files::{self, WRITTEN_BY_HAND};

/// Something that is wrong with a flock's files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, as seen from where the directory's name was given.
    pub file: PathBuf,
    /// The line in it, counted from 1; none where the file as a whole is meant.
    pub line: Option<usize>,
    /// What is wrong and what would do.
    pub what: String,
}

/// Everything that is wrong with a flock's files, by file and line. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// The problems, sorted by file and line; the last says so where there are too many to be told.
    pub fn as_slice(&self) -> &[Problem] {
        &self.0
    }
}

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
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

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = one_line(&self.file.to_string_lossy());
        let what = one_line(&self.what);
        match self.line {
            Some(line) => write!(f, "{file}:{line}: {what}"),
            None => write!(f, "{file}: {what}"),
        }
    }
}

/// Reads the flock in `dir`, or says everything that is wrong with it.
///
/// In `[[sheep]]`, `account` may stand beside `files`: several sheep may share an account. Without
/// it each sheep has the account of its own name. A pattern in `files` leaves out directories and,
/// unless it says the dot, hidden files.
pub fn read(dir: &Path) -> Result<FlockFile, Problems> {
    let whole = |file: PathBuf, what: String| Problems(vec![Problem { file, line: None, what }]);
    let root = match dir.canonicalize() {
        Ok(root) if root.is_dir() => root,
        Ok(_) => return Err(whole(dir.to_owned(), "it is not a directory".to_owned())),
        Err(err) => {
            return Err(whole(dir.to_owned(), format!("it {}", files::Unreadable::from(err))));
        }
    };
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
    match std::str::from_utf8(&bytes) {
        Ok(text) => read_text(dir, root, text),
        Err(err) => {
            let good = bytes.get(..err.valid_up_to()).unwrap_or_default();
            let line = good.split(|byte| *byte == b'\n').count();
            let what = "it is not UTF-8; save the file as UTF-8".to_owned();
            Err(Problems(vec![Problem { file, line: Some(line), what }]))
        }
    }
}

/// Reads a flock whose `flock.toml` is `text`.
fn read_text(dir: &Path, root: PathBuf, text: &str) -> Result<FlockFile, Problems> {
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
            problems.sort();
            problems.dedup();
            if let Some(more @ 1..) = problems.len().checked_sub(MOST_PROBLEMS) {
                problems.truncate(MOST_PROBLEMS);
                let what = format!("{more} more problems are not shown; mend these first");
                problems.push(Problem { file: dir.to_owned(), line: None, what });
            }
            Err(Problems(problems))
        }
    }
}

const FLOCK_TOML: &str = "flock.toml";

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Texts,
    /// Text, or a date or time as TOML has them.
    Moment,
    Count,
    /// Text, or a number as TOML has them, so that no cent gets lost on the way.
    Money,
    Flag,
    /// One table or several, which are read as places of their own.
    Table,
}

/// Where in `flock.toml` fields stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    Defaults,
    Sheep,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Top => "the top level",
            Self::Defaults => "[defaults]",
            Self::Sheep => "[[sheep]]",
        })
    }
}

/// A field of `flock.toml`.
struct Field {
    name: &'static str,
    kind: Kind,
    example: &'static str,
    places: &'static [Place],
}

const TOP: &[Place] = &[Place::Top];
const SHEEP: &[Place] = &[Place::Sheep];
const TOP_OR_SHEEP: &[Place] = &[Place::Top, Place::Sheep];
const DEFAULTS_OR_SHEEP: &[Place] = &[Place::Defaults, Place::Sheep];
const ANYWHERE: &[Place] = &[Place::Top, Place::Defaults, Place::Sheep];

/// Every field there is. Messages about fields are made from it.
const FIELDS: &[Field] = &[
    field("name", Kind::Text, r#""milton""#, TOP_OR_SHEEP),
    field("monthly_cap", Kind::Money, r#""25.00""#, TOP),
    field("waive", Kind::Table, "[waive]", TOP),
    field("defaults", Kind::Table, "[defaults]", TOP),
    field("sheep", Kind::Table, "[[sheep]]", TOP),
    field("files", Kind::Text, r#""poems/*.txt""#, SHEEP),
    field("corpus", Kind::Text, r#""apollo.txt""#, SHEEP),
    field("account", Kind::Text, r#""apollo""#, SHEEP),
    field("behaviour", Kind::Text, BehaviourKind::EXAMPLE, DEFAULTS_OR_SHEEP),
    field("network", Kind::Text, r#""meadow""#, DEFAULTS_OR_SHEEP),
    field("made_with_ai", Kind::Flag, "true", DEFAULTS_OR_SHEEP),
    field("line", Kind::Text, r#""3m""#, DEFAULTS_OR_SHEEP),
    field("stanza", Kind::Text, r#""2h""#, DEFAULTS_OR_SHEEP),
    field("at", Kind::Texts, r#"["09:00", "17:30"]"#, DEFAULTS_OR_SHEEP),
    field("days", Kind::Texts, r#"["mon", "fri"]"#, DEFAULTS_OR_SHEEP),
    field("window", Kind::Text, r#""06:00-23:00""#, DEFAULTS_OR_SHEEP),
    field("time_zone", Kind::Text, r#""Europe/London""#, ANYWHERE),
    field("jitter", Kind::Text, r#""30s""#, DEFAULTS_OR_SHEEP),
    field("start", Kind::Moment, r#""2026-12-01""#, DEFAULTS_OR_SHEEP),
    field("end", Kind::Moment, r#""2026-12-31""#, DEFAULTS_OR_SHEEP),
    field("daily_cap", Kind::Count, "12", DEFAULTS_OR_SHEEP),
    field("catch_up", Kind::Text, r#""latest""#, DEFAULTS_OR_SHEEP),
];

const fn field(
    name: &'static str,
    kind: Kind,
    example: &'static str,
    places: &'static [Place],
) -> Field {
    Field { name, kind, example, places }
}

/// The fields a rhythm is made of.
const RHYTHM: [&str; 11] = [
    "line",
    "stanza",
    "at",
    "days",
    "window",
    "time_zone",
    "jitter",
    "start",
    "end",
    "daily_cap",
    "catch_up",
];

impl Field {
    /// What is said where the field holds something else.
    fn wrong_kind(&self) -> String {
        let Self { name, example, .. } = self;
        match self.kind {
            Kind::Text => format!("`{name}` must be text such as {example}"),
            Kind::Texts => format!("`{name}` must be a list of texts such as {example}"),
            Kind::Moment => format!("`{name}` must be a date or a time such as {example}"),
            Kind::Count => format!("`{name}` must be a whole number such as {example}"),
            Kind::Money => {
                format!("`{name}` must be an amount of US dollars such as {example}")
            }
            Kind::Flag => format!("`{name}` must be true or false"),
            Kind::Table => format!("`{name}` must be a table: write {example}"),
        }
    }

    /// Where the field goes, for people.
    fn places(&self) -> String {
        self.places.iter().map(Place::to_string).collect::<Vec<_>>().join(" or ")
    }

    /// What is said about a key at `place` that is no field there.
    fn unknown(key: &str, place: Place) -> String {
        if let Some(field) = FIELDS.iter().find(|field| field.name == key) {
            return format!("`{key}` does not belong in {place}; it goes in {}", field.places());
        }
        let here = || FIELDS.iter().filter(|field| field.places.contains(&place));
        let key_plain = key.to_lowercase().replace('-', "_");
        if let Some(name) = similar(&key_plain, here().map(|field| field.name)) {
            return format!("unknown field `{key}`; did you mean `{name}`?");
        }
        let known = here().map(|field| field.name).collect::<Vec<_>>().join(", ");
        format!("unknown field `{key}`; {place} takes {known}")
    }
}

/// The one of `names` that somebody meant by `word`, a slip or two away.
fn similar<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // No field has a name so long, and to compare takes the one length times the other.
    if 64 < word.len() {
        return None;
    }
    // Two slips in a short word would make everything similar to everything.
    let most = if word.len() < 4 { 1 } else { 2 };
    let near = names.map(|name| (strsim::levenshtein(word, name), name));
    near.filter(|(distance, _)| *distance <= most).min().map(|(_, name)| name)
}

/// What a field holds, of the right kind.
#[derive(Debug, Clone)]
enum Value {
    Text(String),
    Texts(Vec<String>),
    Count(u32),
    Flag(bool),
}

/// A field somebody wrote.
#[derive(Debug, Clone)]
struct Given {
    line: usize,
    /// Absent where it is of the wrong kind, which is reported already.
    value: Option<Value>,
}

impl Given {
    fn text(&self) -> Option<&str> {
        match &self.value {
            Some(Value::Text(text)) => Some(text),
            Some(Value::Texts(_) | Value::Count(_) | Value::Flag(_)) | None => None,
        }
    }

    fn is_true(&self) -> bool {
        matches!(self.value, Some(Value::Flag(true)))
    }

    fn is_empty_list(&self) -> bool {
        matches!(&self.value, Some(Value::Texts(texts)) if texts.is_empty())
    }
}

/// The fields of one table.
type Fields = BTreeMap<&'static str, Given>;

/// A field and whether the sheep itself has it; if not, a default.
type Origin<'a> = (bool, &'a Given);

/// The fields of one rhythm: the sheep's own, and defaults where it has none.
type RhythmGiven<'a> = BTreeMap<&'static str, Origin<'a>>;

/// What holds for every sheep that does not say otherwise.
struct Defaults {
    /// The table, and the time zone from the top of the file.
    fields: Fields,
    /// What is wrong with the defaults taken together.
    rhythm_problems: Vec<InvalidRhythm>,
}

impl Defaults {
    /// The field as it holds for a sheep with the fields `own`.
    fn or_own<'a>(&'a self, own: &'a Fields, name: &str) -> Option<&'a Given> {
        own.get(name).or_else(|| self.fields.get(name))
    }
}

/// The rhythm fields that hold for a sheep: its own pattern replaces the defaults' whole pattern, and what says nothing
/// to its behaviour is not taken over.
fn rhythm_given<'a>(
    own: &'a Fields,
    defaults: &'a Fields,
    behaviour: Option<BehaviourKind>,
) -> RhythmGiven<'a> {
    let own_times = own.get("at").is_some_and(|at| !at.is_empty_list());
    let own_intervals = own.contains_key("line");
    let inherits = |name: &str| match name {
        _ if behaviour.is_some_and(|behaviour| !behaviour.takes(name)) => false,
        "line" | "stanza" | "window" => !own_times,
        "at" | "days" => !own_intervals,
        _ => true,
    };
    let pick = |name: &'static str| {
        let own = own.get(name).map(|given| (true, given));
        let default = || defaults.get(name).filter(|_| inherits(name)).map(|given| (false, given));
        Some((name, own.or_else(default)?))
    };
    RHYTHM.into_iter().filter_map(pick).collect()
}

/// The fields as the core reads them. Where one was of the wrong kind, something stands in for it
/// that causes no further problem; nothing is made of the result then.
fn rhythm_fields(given: &RhythmGiven<'_>) -> RhythmFields {
    // The longest there is, so that no jitter is too long for it.
    const ANY_SPAN: &str = "3660d";
    let text = |name: &str, stand_in: Option<&str>| {
        let (_, given) = given.get(name)?;
        given.text().or(stand_in).map(ToOwned::to_owned)
    };
    let texts = |name: &str, stand_in: &[&str]| match given.get(name).map(|(_, given)| &given.value)
    {
        Some(Some(Value::Texts(texts))) => texts.clone(),
        Some(_) => stand_in.iter().map(|text| (*text).to_owned()).collect(),
        None => Vec::new(),
    };
    RhythmFields {
        line: text("line", Some(ANY_SPAN)),
        stanza: text("stanza", Some(ANY_SPAN)),
        at: texts("at", &["00:00"]),
        days: texts("days", &[]),
        window: text("window", None),
        time_zone: text("time_zone", None),
        jitter: text("jitter", None),
        start: text("start", None),
        end: text("end", None),
        daily_cap: match given.get("daily_cap").map(|(_, given)| &given.value) {
            Some(Some(Value::Count(count))) => Some(*count),
            Some(_) | None => None,
        },
        catch_up: text("catch_up", None),
    }
}

/// What a reason is for.
const WHY: &str = "write why the flock may do what the rule forbids; the audit log keeps it";

/// The longest reason, in characters: it is read by people, and kept with the flock.
const MOST_REASON: usize = 500;

/// What is said about a rule that no network has.
fn unknown_rule(name: &str) -> String {
    // To compare takes the one length times the other.
    let name: &str = name.get(..64).unwrap_or(name);
    // Names are long, and people leave out parts of them.
    let distance = |known: &str| {
        let distance = strsim::levenshtein(&name.to_lowercase().replace('_', "-"), known);
        if known.contains(name) { 0 } else { distance }
    };
    let closest = rules().map(|rule| rule.name).min_by_key(|known| distance(known));
    let closest = closest.map_or_else(String::new, |known| format!("; the closest is `{known}`"));
    format!("no network has a rule `{name}`{closest} (`flockwork networks x` lists the rules of X)")
}

/// Why there is no reading a file of a flock. Follows the name of the file.
#[derive(Debug, thiserror::Error)]
enum Unreadable {
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
const MOST_TEXT_BYTES: u64 = 64 * 1024 * 1024;

/// The most that all texts of a flock have together: they are all held while it is planned.
const MOST_BYTES: u64 = 4 * MOST_TEXT_BYTES;

/// Likewise, as many as one text can have.
const MOST_LINES: u64 = 10_000_000;

/// The most problems that are told: those of two texts, and nobody reads more of them at once.
const MOST_PROBLEMS: usize = 2 * Corpus::PROBLEMS;

/// The longest pattern, in bytes and in parts.
const MOST_PATTERN: (usize, usize) = (1_000, 100);

/// The most files and directories that one pattern goes through.
const MOST_ENTRIES: usize = 100_000;

impl Unreadable {
    /// What else to say where a corpus was wanted.
    fn hint(&self) -> &'static str {
        match self {
            Self::File(files::Unreadable::Directory) => DIRECTORY_HINT,
            Self::Upward | Self::Outside | Self::TooMuch | Self::File(_) => "",
        }
    }
}

const DIRECTORY_HINT: &str = "; for the texts in it give `files`, such as \"poems/*.txt\"";

/// The file at `relative` in the directory `root`, links followed; never one outside it.
fn locate(root: &Path, relative: &Path) -> Result<PathBuf, Unreadable> {
    let inward = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    if !relative.components().all(inward) {
        return Err(Unreadable::Upward);
    }
    let path = root.join(relative).canonicalize().map_err(files::Unreadable::from)?;
    if path.starts_with(root) { Ok(path) } else { Err(Unreadable::Outside) }
}

/// Where the lines of a text start.
struct LineStarts(Vec<usize>);

impl LineStarts {
    fn of(text: &str) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        // A text that ends with a line break has no line after it, but the parser points there.
        Self(std::iter::once(0).chain(breaks.filter(|at| *at < text.len())).collect())
    }

    /// The line, counted from 1, that the byte at `offset` is in.
    fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset).max(1)
    }
}

/// A problem has been reported, so there is nothing to go on with.
#[derive(Debug, Clone, Copy)]
struct Reported;

/// A corpus file that was read.
struct Text {
    /// Where problems with it are reported.
    file: PathBuf,
    /// What its behaviour made of it, as far as it could be read, so that the lines of what was rejected are still
    /// measured.
    corpus: Option<Arc<Corpus>>,
    /// Whether nothing was wrong with it.
    sound: bool,
    /// By their numbers, lines longer than any network takes.
    too_long: BTreeMap<usize, String>,
    /// The networks it has been measured for.
    checked: Vec<Option<Network>>,
}

/// Where a sheep comes from.
struct Source {
    name: Result<SheepName, Reported>,
    /// Its text, relative to the directory.
    path: Result<PathBuf, Reported>,
    /// The line that names the sheep, for people.
    named: String,
    /// That line.
    named_line: usize,
    /// The line that names its text.
    path_line: usize,
}

/// One part of the path in `files`.
enum Step {
    /// Any number of directories, links not followed.
    Deep,
    /// Names that match.
    Name(Pattern),
}

/// One way through the directories.
struct Walk<'a> {
    /// The pattern.
    pattern: &'a str,
    /// The line it is in.
    line: usize,
    /// Its parts.
    steps: &'a [Step],
    /// How many more entries may be looked at.
    left: usize,
}

/// How a corpus file is read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Reading {
    behaviour: BehaviourKind,
    /// Where it matters what the zone is called.
    zone: Option<String>,
}

impl Reading {
    fn new(behaviour: BehaviourKind, zone: &TimeZone) -> Self {
        let name = || zone.iana_name().unwrap_or_default().to_owned();
        Self { behaviour, zone: behaviour.reads_times().then(name) }
    }
}

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
    problems: Vec<Problem>,
    /// Corpus files by their paths without links, and by how they are read: each is read once.
    texts: HashMap<(PathBuf, Reading), Text>,
    /// How many bytes and lines they have together.
    size: (u64, u64),
    /// Where each sheep's name was seen first.
    names: BTreeMap<SheepName, String>,
}

impl Reader<'_> {
    /// Reports a problem in `flock.toml`.
    fn report(&mut self, line: impl Into<Option<usize>>, what: impl Into<String>) -> Reported {
        let line = line.into();
        if line.is_none_or(|line| !self.misread.contains(&line)) {
            let file = self.dir.join(FLOCK_TOML);
            self.problems.push(Problem { file, line, what: what.into() });
        }
        Reported
    }

    /// Reports that something is missing, unless a syntax error may have hidden it.
    fn report_missing(
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
    fn syntax(&mut self, text: &str, errors: &[toml::de::Error]) {
        let lines: Vec<&str> = text.lines().collect();
        let is_header = |line: usize| {
            let text = line.checked_sub(1).and_then(|index| lines.get(index));
            text.is_some_and(|text| text.trim_start().starts_with('['))
        };
        let mut errors: Vec<_> = errors.iter().collect();
        errors.sort_by_key(|error| error.span().map(|span| span.start));
        for error in errors {
            let span = error.span();
            self.stumbles.extend(span.as_ref().map(|span| span.start));
            let line = span.as_ref().map(|span| self.line_starts.line(span.start));
            let quoted = span.and_then(|span| text.get(span)).map(str::trim);
            let what = match quoted {
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

    /// The flock and its sheep, as far as nothing is wrong with them.
    fn document(&mut self, table: &DeTable<'_>) -> (Result<Flock, Reported>, Vec<SheepFile>) {
        let top = self.fields(Place::Top, table);
        let name: Result<FlockName, _> =
            self.required(&top, "name", None, "say what the flock is called");
        let monthly_cap = self.monthly_cap(top.get("monthly_cap"));
        let waivers = self.waivers(table.get("waive"));
        let flock = name.and_then(|name| Ok(Flock { name, monthly_cap: monthly_cap?, waivers }));
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
                    drafts.extend(self.sheep(header, &own, &defaults));
                }
                _ => {
                    self.report(header, "`sheep` must be tables: write [[sheep]]");
                }
            }
        }
        (flock, drafts)
    }

    /// The cap, where there is one. Nothing could be posted under a cap of nothing.
    fn monthly_cap(&mut self, given: Option<&Given>) -> Result<Option<Usd>, Reported> {
        let invalid = |err| format!("`monthly_cap`: {err}");
        let cap: Option<Usd> = match given.map(|given| (given.line, given.text())) {
            None => None,
            Some((_, None)) => return Err(Reported),
            Some((line, Some(text))) => {
                let cap = text.parse().map_err(|err| self.report(line, invalid(err)))?;
                if cap == Usd::ZERO {
                    let what = "`monthly_cap`: with nothing to spend nothing is posted that costs; \
                                leave it out";
                    return Err(self.report(line, what));
                }
                Some(cap)
            }
        };
        Ok(cap)
    }

    /// The rules the flock does not keep, each with the reason.
    fn waivers(&mut self, table: Option<&Spanned<DeValue<'_>>>) -> Waivers {
        let mut waivers = Waivers::new();
        let table = match table.map(|table| (table.span(), table.get_ref())) {
            None => return waivers,
            Some((_, DeValue::Table(table))) => table,
            Some((span, _)) => {
                let line = self.line_starts.line(span.start);
                self.report(
                    line,
                    "`waive` must be a table: write [waive], and under it each rule with the reason",
                );
                return waivers;
            }
        };
        for (key, value) in table {
            let line = self.line_starts.line(key.span().start);
            let rule: &str = key.get_ref();
            if !rules().any(|known| known.name == rule) {
                self.report(line, unknown_rule(rule));
                continue;
            }
            match value.get_ref() {
                DeValue::String(reason) if reason.trim().is_empty() => {
                    self.report(line, format!("`{rule}` is waived without a reason: {WHY}"));
                }
                DeValue::String(reason) if MOST_REASON < reason.chars().count() => {
                    let what = format!(
                        "the reason to waive `{rule}` is longer than {MOST_REASON} characters"
                    );
                    self.report(line, what);
                }
                DeValue::String(reason) => {
                    waivers.insert(rule.to_owned(), reason.trim().to_owned());
                }
                _ => {
                    self.report(line, format!("`{rule}` must be the reason as text: {WHY}"));
                }
            }
        }
        waivers
    }

    /// The fields of a table, and a report of the keys that are none.
    fn fields(&mut self, place: Place, table: &DeTable<'_>) -> Fields {
        let mut fields = Fields::new();
        for (key, value) in table {
            let line = self.line_starts.line(key.span().start);
            let key: &str = key.get_ref();
            match FIELDS.iter().find(|field| field.name == key && field.places.contains(&place)) {
                Some(field) if field.kind == Kind::Table => {}
                Some(field) => {
                    let span = value.span();
                    // What was not read to its end is already reported, and not what was meant.
                    let whole = self.stumbles.range(span.start..=span.end).next().is_none();
                    let value = if whole { self.value(field, line, value).ok() } else { None };
                    fields.insert(field.name, Given { line, value });
                }
                None => {
                    self.report(line, Field::unknown(key, place));
                }
            }
        }
        fields
    }

    /// What `field` holds, where that is of the right kind.
    fn value(
        &mut self,
        field: &Field,
        line: usize,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Value, Reported> {
        let text = |text: &str| Ok(Value::Text(text.to_owned()));
        match (field.kind, value.get_ref()) {
            (Kind::Text | Kind::Moment | Kind::Money, DeValue::String(value)) => text(value),
            (Kind::Moment, DeValue::Datetime(value)) => text(&value.to_string()),
            (Kind::Money, DeValue::Integer(value)) if value.radix() == 10 => text(value.as_str()),
            (Kind::Money, DeValue::Float(value)) => text(value.as_str()),
            (Kind::Flag, DeValue::Boolean(value)) => Ok(Value::Flag(*value)),
            (Kind::Count, DeValue::Integer(value)) => {
                u32::from_str_radix(value.as_str(), value.radix())
                    .map(Value::Count)
                    .map_err(|_| self.report(line, field.wrong_kind()))
            }
            (Kind::Texts, DeValue::Array(values)) => {
                let mut texts = Ok(Vec::new());
                for value in values {
                    match (value.get_ref(), &mut texts) {
                        (DeValue::String(text), Ok(texts)) => texts.push(text.to_string()),
                        (DeValue::String(_), Err(Reported)) => {}
                        _ => {
                            let line = self.line_starts.line(value.span().start);
                            texts = Err(self.report(line, field.wrong_kind()));
                        }
                    }
                }
                texts.map(Value::Texts)
            }
            _ => Err(self.report(line, field.wrong_kind())),
        }
    }

    /// The value of a text field. `Ok(None)`: it is not there.
    fn parsed<T>(&mut self, given: Option<&Given>) -> Result<Option<T>, Reported>
    where
        T: FromStr<Err: fmt::Display>,
    {
        let Some(given) = given else { return Ok(None) };
        let text = given.text().ok_or(Reported)?;
        text.parse().map(Some).map_err(|err: T::Err| self.report(given.line, err.to_string()))
    }

    /// The value of a text field that must be there.
    fn required<T>(
        &mut self,
        fields: &Fields,
        name: &str,
        line: Option<usize>,
        why: &str,
    ) -> Result<T, Reported>
    where
        T: FromStr<Err: fmt::Display>,
    {
        self.parsed(fields.get(name))?
            .ok_or_else(|| self.report_missing(line, format!("`{name}` is missing: {why}")))
    }

    /// The defaults, and a report of everything that would be wrong with them in any sheep.
    fn defaults(&mut self, mut top: Fields, table: Option<&Spanned<DeValue<'_>>>) -> Defaults {
        let mut fields = match table.map(|table| (table, table.get_ref())) {
            None => Fields::new(),
            Some((_, DeValue::Table(table))) => self.fields(Place::Defaults, table),
            Some((table, _)) => {
                let line = self.line_starts.line(table.span().start);
                self.report(line, "`defaults` must be a table: write [defaults]");
                Fields::new()
            }
        };
        // Sheep that override a bad default would keep it from being found.
        let _ = self.parsed::<BehaviourKind>(fields.get("behaviour"));
        let _ = self.parsed::<Network>(fields.get("network"));
        let zone = top.remove_entry("time_zone");
        for (name, given) in fields.iter().map(|(name, given)| (*name, given)).chain(
            // Both are looked at, even where one hides the other.
            zone.as_ref().map(|(name, given)| (*name, given)),
        ) {
            self.default_alone(name, given);
        }
        if let Some((name, given)) = zone {
            fields.entry(name).or_insert(given);
        }
        let nothing = Fields::new();
        let together = rhythm_fields(&rhythm_given(&nothing, &fields, None));
        let rhythm_problems = Rhythm::parse(&together).err().unwrap_or_default();
        Defaults { fields, rhythm_problems }
    }

    /// Reports what is wrong with a default whatever the sheep that uses it says.
    fn default_alone(&mut self, name: &'static str, given: &Given) {
        if !RHYTHM.contains(&name) || given.value.is_none() {
            return;
        }
        let pattern = if matches!(name, "at" | "days") { "at" } else { "line" };
        let stand_in = Given { line: given.line, value: None };
        let mut alone = RhythmGiven::from([(pattern, (false, &stand_in))]);
        alone.insert(name, (false, given));
        let problems = Rhythm::parse(&rhythm_fields(&alone)).err().unwrap_or_default();
        for InvalidRhythm { field, why } in problems.into_iter().filter(|found| found.field == name)
        {
            self.report(given.line, format!("`{field}`: {why}"));
        }
    }

    /// The sheep that one `[[sheep]]` makes.
    fn sheep(&mut self, header: usize, own: &Fields, defaults: &Defaults) -> Vec<SheepFile> {
        let behaviour = self.parsed(defaults.or_own(own, "behaviour"));
        let behaviour = behaviour.and_then(|behaviour: Option<BehaviourKind>| {
            behaviour.ok_or_else(|| {
                let what = format!(
                    "`behaviour` is missing: write behaviour = {}, here or in [defaults]",
                    BehaviourKind::EXAMPLE
                );
                self.report_missing(header, what)
            })
        });
        let network = self
            .parsed(defaults.or_own(own, "network"))
            .map(|network| network.unwrap_or(Network::Meadow));
        let account = self.account(own.get("account"), network.ok());
        let made_with_ai = defaults.or_own(own, "made_with_ai").is_some_and(Given::is_true);
        let rhythm = self.rhythm(header, own, defaults, behaviour.ok());
        let zone = rhythm.as_ref().map_or(TimeZone::UTC, |rhythm| rhythm.zone().clone());
        let mut drafts = Vec::new();
        for source in self.sources(header, own) {
            let name = self.claim_name(&source);
            let corpus = source.path.and_then(|path| match behaviour {
                Ok(behaviour) => {
                    self.corpus(source.path_line, &path, (behaviour, &zone), network.ok())
                }
                Err(Reported) => self.look_for(source.path_line, &path),
            });
            let handle = match (&account, &name) {
                (Ok(Some(handle)), _) => Ok(handle.clone()),
                (Ok(None), Ok(name)) => self.own_account(source.named_line, name, network.ok()),
                (Err(Reported), _) | (_, Err(Reported)) => Err(Reported),
            };
            let (Ok(name), Ok((file, corpus))) = (name, corpus) else { continue };
            let (Ok(behaviour), Ok(network), Ok(handle), Ok(rhythm)) =
                (behaviour, network, handle, &rhythm)
            else {
                continue;
            };
            let misfits = behaviour.check_text(&corpus, rhythm);
            if !misfits.is_empty() {
                self.problems.extend(misfits.into_iter().map(|problem| Problem {
                    file: file.clone(),
                    line: problem.line(),
                    what: problem.to_string(),
                }));
                continue;
            }
            let behaviour = behaviour.with_text(&corpus);
            let account = AccountId { network, handle };
            let config = SheepConfig {
                made_with_ai,
                ..SheepConfig::new(account, behaviour, rhythm.clone())
            };
            drafts.push(SheepFile { name, config, corpus, file });
        }
        drafts
    }

    /// The account that was given, in the form its network has. `Ok(None)`: there is none.
    fn account(
        &mut self,
        given: Option<&Given>,
        network: Option<Network>,
    ) -> Result<Option<Handle>, Reported> {
        let Some(handle) = self.parsed::<Handle>(given)? else { return Ok(None) };
        let fits = network.map_or(Ok(()), |network| network.check_handle(&handle));
        match (fits, given) {
            (Err(err), Some(given)) => Err(self.report(given.line, format!("`account`: {err}"))),
            _ => Ok(Some(handle)),
        }
    }

    /// The account of a sheep that says none: it is called like the sheep.
    fn own_account(
        &mut self,
        line: usize,
        name: &SheepName,
        network: Option<Network>,
    ) -> Result<Handle, Reported> {
        // The alphabet of sheep names is a part of that of handles.
        let handle: Handle =
            name.as_str().parse().map_err(|err| self.report(line, format!("`account`: {err}")))?;
        let Some(Err(_)) = network.map(|network| network.check_handle(&handle)) else {
            return Ok(handle);
        };
        let facts = network.unwrap_or(Network::Meadow).facts();
        Err(self.report_missing(
            line,
            format!(
                "`account` is missing: without it the sheep posts as `{name}`, but accounts of {} are \
                 written like \"{}\"",
                facts.title, facts.account_example
            ),
        ))
    }

    /// The rhythm of a sheep. What is wrong is reported where it was written.
    fn rhythm(
        &mut self,
        header: usize,
        own: &Fields,
        defaults: &Defaults,
        behaviour: Option<BehaviourKind>,
    ) -> Result<Rhythm, Reported> {
        let given = rhythm_given(own, &defaults.fields, behaviour);
        let fields = rhythm_fields(&given);
        let misfits = behaviour.map(|behaviour| behaviour.check(&fields)).unwrap_or_default();
        let rhythm = match Rhythm::parse(&fields) {
            Ok(rhythm) if misfits.is_empty() => Ok(rhythm),
            Ok(_) => Err(misfits),
            Err(problems) => Err(problems.into_iter().chain(misfits).collect()),
        };
        let rhythm = rhythm.map_err(|problems: Vec<_>| {
            for problem in problems {
                let InvalidRhythm { field, why } = &problem;
                match given.get(field) {
                    None => self.report_missing(header, format!("`{field}`: {why}")),
                    Some((is_own, given))
                        if *is_own || defaults.rhythm_problems.contains(&problem) =>
                    {
                        self.report(given.line, format!("`{field}`: {why}"))
                    }
                    Some((_, given)) => self.report(
                        header,
                        format!("`{field}` of line {} does not fit here: {why}", given.line),
                    ),
                };
            }
            Reported
        })?;
        if given.values().all(|(_, given)| given.value.is_some()) {
            Ok(rhythm)
        } else {
            Err(Reported)
        }
    }

    /// Which sheep a `[[sheep]]` names, and their texts.
    fn sources(&mut self, header: usize, own: &Fields) -> Vec<Source> {
        let Some(files) = own.get("files") else {
            return self.one_source(header, own).into_iter().collect();
        };
        for name in ["name", "corpus"] {
            if let Some(given) = own.get(name) {
                let what = format!(
                    "`{name}` does not go with `files`, which makes a sheep of each file and names \
                     it after the file"
                );
                self.report(given.line, what);
            }
        }
        let Some(pattern) = files.text() else { return Vec::new() };
        let paths = self.matching_files(files.line, pattern).unwrap_or_default();
        let source = |path: PathBuf| {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let name = SheepName::from_file_stem(&stem).map_err(|err| {
                let what = format!("no sheep can be named after this file: {err}");
                self.problems.push(Problem { file: self.dir.join(&path), line: None, what });
                Reported
            });
            let named = format!("line {} ({})", files.line, path.display());
            let (named_line, path_line) = (files.line, files.line);
            Source { name, path: Ok(path), named, named_line, path_line }
        };
        paths.into_iter().map(source).collect()
    }

    /// The sheep of a `[[sheep]]` without `files`.
    fn one_source(&mut self, header: usize, own: &Fields) -> Option<Source> {
        let (name, corpus) = (own.get("name"), own.get("corpus"));
        if name.is_none() && corpus.is_none() {
            let what = "say which texts: give `files`, or `name` and `corpus`";
            self.report_missing(header, what);
            return None;
        }
        let named_line = name.map_or(header, |name| name.line);
        let path = self.required::<PathBuf>(
            own,
            "corpus",
            Some(header),
            "say which file holds the text, such as \"apollo.txt\"",
        );
        Some(Source {
            name: self.required(own, "name", Some(header), "say what the sheep is called"),
            path,
            named: format!("line {named_line}"),
            named_line,
            path_line: corpus.map_or(header, |corpus| corpus.line),
        })
    }

    /// The name of a sheep, reported where another has it already.
    fn claim_name(&mut self, source: &Source) -> Result<SheepName, Reported> {
        let name = source.name.clone()?;
        if let Some(first) = self.names.get(&name) {
            let what = format!(
                "the sheep name `{name}` is used twice: in {first} and in {}",
                source.named
            );
            return Err(self.report(source.named_line, what));
        }
        self.names.insert(name.clone(), source.named.clone());
        Ok(name)
    }

    /// The files that `pattern` in `line` matches, sorted; at least one.
    fn matching_files(&mut self, line: usize, pattern: &str) -> Result<Vec<PathBuf>, Reported> {
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
                (part, _) => steps.push(Step::Name(Pattern::new(part).map_err(|err| {
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
                format!("`{pattern}` matches no file")
            };
            return Err(self.report(line, what));
        }
        Ok(found.into_iter().collect())
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

    /// That the file that `line` of `flock.toml` names can be read, where nobody knows for what.
    fn look_for<T>(&mut self, line: usize, path: &Path) -> Result<T, Reported> {
        let located = locate(&self.root, path);
        let bytes = located.and_then(|located| Ok(files::read(&located, MOST_TEXT_BYTES)?));
        if let Err(err) = bytes {
            self.report_unreadable(line, path, &err);
        }
        Err(Reported)
    }

    fn report_unreadable(&mut self, line: usize, path: &Path, unreadable: &Unreadable) -> Reported {
        let hint = unreadable.hint();
        self.report(line, format!("`{}` {unreadable}{hint}", path.display()))
    }

    /// The corpus in the file that `line` of `flock.toml` names, as `behaviour` reads it, each line measured for
    /// `network`.
    fn corpus(
        &mut self,
        line: usize,
        path: &Path,
        (behaviour, zone): (BehaviourKind, &TimeZone),
        network: Option<Network>,
    ) -> Result<(PathBuf, Arc<Corpus>), Reported> {
        let located =
            locate(&self.root, path).map_err(|err| self.report_unreadable(line, path, &err))?;
        let key = (located, Reading::new(behaviour, zone));
        if !self.texts.contains_key(&key) {
            let text = self
                .read(path, &key.0, (behaviour, zone))
                .map_err(|err| self.report_unreadable(line, path, &err))?;
            self.texts.insert(key.clone(), text);
        }
        let text = self.texts.get_mut(&key).ok_or(Reported)?;
        if !text.checked.contains(&network) {
            text.checked.push(network);
            // Where accounts have limits of their own, only they can tell.
            let limited = network.filter(|network| !network.facts().limits_vary);
            let mut told = 0;
            for (number, line) in text.corpus.iter().flat_map(|corpus| corpus.lines()) {
                let refusal = limited
                    .and_then(|network| network.check_text(line, network.facts().text_limit).err());
                let refusal = refusal.map(|refusal| refusal.to_string());
                if let Some(what) = refusal.or_else(|| text.too_long.get(&number).cloned()) {
                    let file = text.file.clone();
                    if told == Corpus::PROBLEMS {
                        let what = CorpusProblem::More { told }.to_string();
                        self.problems.push(Problem { file, line: None, what });
                        break;
                    }
                    told += 1;
                    self.problems.push(Problem { file, line: Some(number), what });
                }
            }
        }
        let corpus = text.corpus.clone().filter(|_| text.sound).ok_or(Reported)?;
        Ok((text.file.clone(), corpus))
    }

    /// Reads a text of the flock, unless that would be more than it may have.
    fn read(
        &mut self,
        path: &Path,
        located: &Path,
        (behaviour, zone): (BehaviourKind, &TimeZone),
    ) -> Result<Text, Unreadable> {
        let bytes = files::read(located, MOST_TEXT_BYTES)?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let source = TextSource { name: &name, bytes: &bytes, zone };
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
    fn text(
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
                    self.problems.push(Problem { file: file.clone(), line, what });
                }
            }
        }
        Text { file, corpus: corpus.map(Arc::new), sound, too_long, checked: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// A directory with these files, and `a.txt` and `poems/b.txt` where nothing else is said.
    fn directory(files: &[(&str, &[u8])]) -> TempDir {
        let dir = TempDir::new().unwrap();
        let usual: [(&str, &[u8]); 2] = [("a.txt", b"one\n\ntwo\n"), ("poems/b.txt", b"three\n")];
        for (path, bytes) in usual.iter().chain(files) {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        dir
    }

    /// The problems as they are shown, but for the name of the directory.
    fn shown(dir: &Path) -> String {
        let shown = read(dir).map_or_else(|err| err.to_string(), |flock| format!("{flock:?}"));
        shown.replace(&format!("{}/", dir.display()), "")
    }

    #[track_caller]
    fn check(flock_toml: &str, expected: &str) {
        check_files(flock_toml, &[], expected);
    }

    #[track_caller]
    fn check_files(flock_toml: &str, files: &[(&str, &[u8])], expected: &str) {
        let dir = directory(files);
        fs::write(dir.path().join(FLOCK_TOML), flock_toml).unwrap();
        assert_eq!(shown(dir.path()), expected, "{flock_toml}");
    }

    /// A flock of the sheep `a`, with `defaults` in line 3 and `own` in its table from line 8 on.
    #[track_caller]
    fn check_sheep(defaults: &str, own: &str, expected: &str) {
        check(&sheep_toml(defaults, own), expected);
    }

    fn sheep_toml(defaults: &str, own: &str) -> String {
        assert!(!defaults.contains('\n'), "the table starts in line 5");
        format!(
            "name = \"f\"\n[defaults]\n{defaults}\nbehaviour = \"poem\"\n[[sheep]]\nname = \"a\"\ncorpus = \
             \"a.txt\"\n{own}\n"
        )
    }

    /// The rhythm of the one sheep of [`sheep_toml`].
    #[track_caller]
    fn rhythm(defaults: &str, own: &str) -> String {
        let dir = directory(&[("flock.toml", sheep_toml(defaults, own).as_bytes())]);
        let flock = read(dir.path()).unwrap();
        let fields = flock.sheep.first().unwrap().config.rhythm.fields();
        let text = format!("{fields:?}");
        let set = text.trim_start_matches("RhythmFields { ").trim_end_matches(" }");
        let set = set.split(", ").filter(|part| !part.ends_with("None") && !part.ends_with("[]"));
        set.collect::<Vec<_>>().join(", ").replace("Some(", "").replace(')', "")
    }

    const EXAMPLE: &str = r#"name = "milton"
time_zone = "Europe/London"

[defaults]
network = "meadow"
line = "3m"
stanza = "2h"

[[sheep]]
files = "poems/*.txt"      # one sheep per file, named after it
behaviour = "poem"

[[sheep]]
name = "apollo"
behaviour = "poem"
corpus = "apollo.txt"
line = "10m"
jitter = "30s"
catch_up = "latest"
"#;

    fn example() -> TempDir {
        directory(&[
            ("flock.toml", EXAMPLE.as_bytes()),
            ("apollo.txt", b"Sing\n\nto me\n"),
            ("poems/Paradise Lost, Book 1.txt", "Of Man's first disobedience\n".as_bytes()),
            ("poems/.hidden.txt", b""),
            ("poems/notes.md", b""),
            ("poems/old.txt/lost.txt", b""),
        ])
    }

    #[test]
    fn the_example_is_read() {
        let dir = example();
        let flock = read(dir.path()).unwrap();
        let sheep = flock.sheep.iter().map(|sheep| {
            let fields = sheep.config.rhythm.fields();
            let lines: Vec<_> = sheep.corpus.lines().map(|(_, line)| line).collect();
            assert_eq!(sheep.config.behaviour, BehaviourKind::Poem.with_text(&sheep.corpus));
            let (line, zone) = (fields.line.unwrap(), fields.time_zone.unwrap());
            let (jitter, catch_up) = (fields.jitter, fields.catch_up);
            let (name, account) = (&sheep.name, &sheep.config.account);
            format!("{name} {account} {line} {zone} {jitter:?} {catch_up:?} {lines:?}")
        });
        assert_eq!(
            sheep.collect::<Vec<_>>(),
            [
                r#"apollo meadow:apollo 10m Europe/London Some("30s") Some("latest") ["Sing", "to me"]"#,
                r#"b meadow:b 3m Europe/London None None ["three"]"#,
                r#"paradise-lost-book-1 meadow:paradise-lost-book-1 3m Europe/London None None ["Of Man's first disobedience"]"#,
            ]
        );
        assert_eq!(flock.flock.name.as_str(), "milton");
    }

    #[test]
    fn everything_is_reported_at_once() {
        let toml = r#"nmae = "milton"
time_zone = "Europe/Lundon"

[defaults]
network = "x"
line = "3m"
stanza = "2 weeks, or so"
colour = "green"

[[sheep]]
files = "poems/*.txt"
behaviour = "poem"

[[sheep]]
name = "b"
behaviour = "prose"
corpus = "nothing.txt"
line = 10
jitter = "30s"

[[sheep]]
name = "B"
corpus = "poems"
account = "@b"
catch_up = "all"
"#;
        let long = ["short", &"a".repeat(281), "", &"猫".repeat(1000)].join("\n");
        let files: [(&str, &[u8]); 4] = [
            ("poems/long.txt", long.as_bytes()),
            ("poems/blank.txt", b" \n\n"),
            ("poems/latin.txt", b"ok\nna\xefve\n"),
            ("poems/bell.txt", b"a\x07\n\n\x1b[0m\n"),
        ];
        check_files(
            toml,
            &files,
            "\
flock.toml: `name` is missing: say what the flock is called
flock.toml:1: unknown field `nmae`; did you mean `name`?
flock.toml:2: `time_zone`: `Europe/Lundon` is not a time zone; use a name such as Europe/London
flock.toml:7: `stanza`: `2 weeks, or so` is not a length of time; write it as 30s, 3m, 2h or 1d
flock.toml:8: unknown field `colour`; [defaults] takes behaviour, network, made_with_ai, line, stanza, at, days, window, time_zone, jitter, start, end, daily_cap, catch_up
flock.toml:15: the sheep name `b` is used twice: in line 11 (poems/b.txt) and in line 15
flock.toml:16: `prose` is not a behaviour: use poem or queue
flock.toml:17: `nothing.txt` does not exist
flock.toml:18: `line` must be text such as \"3m\"
flock.toml:21: `behaviour` is missing: write behaviour = \"poem\", here or in [defaults]
flock.toml:22: `B` is not a sheep name: use 1 to 48 of a-z, 0-9, `-` and `_`, starting with a letter or digit
flock.toml:23: `poems` is a directory; for the texts in it give `files`, such as \"poems/*.txt\"
flock.toml:24: `@b` is not a handle: use 1 to 64 letters, digits, `-`, `_`, `.` or `@`, not starting with `@`
flock.toml:25: `catch_up`: `all` is not a way to catch up; use skip, latest or all(N) with N from 1 to 100
poems/bell.txt:1: line 1 holds the control character U+0007; remove it
poems/bell.txt:3: line 3 holds the control character U+001B; remove it
poems/blank.txt: there is no line to post in it
poems/latin.txt:2: line 2 is not UTF-8; save the file as UTF-8
poems/long.txt:2: the text is 281 characters long by x's counting; x takes 280
poems/long.txt:4: the text is 2000 characters long by x's counting; x takes 280",
        );
    }

    #[test]
    fn a_flock_is_a_directory_with_a_flock_toml() {
        let dir = directory(&[]);
        let missing =
            "flock.toml: it does not exist; a flock is a directory with a flock.toml in it";
        assert_eq!(shown(dir.path()), missing);
        let nowhere = dir.path().join("nowhere");
        assert_eq!(read(&nowhere).unwrap_err().as_slice().first().unwrap().file, nowhere);
        assert!(shown(&nowhere).ends_with("/nowhere: it does not exist"));
        assert!(shown(&dir.path().join("a.txt")).ends_with("/a.txt: it is not a directory"));
        fs::create_dir(dir.path().join(FLOCK_TOML)).unwrap();
        assert_eq!(shown(dir.path()), "flock.toml: it is a directory");
        let dir = directory(&[("flock.toml", b"name = \"f\"\n# caf\xe9\n")]);
        assert_eq!(shown(dir.path()), "flock.toml:2: it is not UTF-8; save the file as UTF-8");
        check(
            "",
            "\
flock.toml: `name` is missing: say what the flock is called
flock.toml: there is no sheep in it; write one or more [[sheep]]",
        );
    }

    #[test]
    fn a_syntax_error_hides_only_what_it_makes_unsure() {
        check(
            "name = \"f\"\n[defaults]\nbehaviour = poem\nline = \"3x\"\nline = \"4m\"\n[[sheep]]\nname = \
             \"a\"\ncorpus = \"b.txt\"\n",
            "\
flock.toml:3: this is not TOML: string values must be quoted, expected literal string at `poem`
flock.toml:4: `line`: `3x` is not a length of time; write it as 30s, 3m, 2h or 1d
flock.toml:5: this is not TOML: duplicate key at `line`
flock.toml:8: `b.txt` does not exist",
        );
        // Whose `lien` would this be? That of the last sheep is known.
        check(
            "name = \"f\"\n[[sheep]]\nname = \"a\"\n[[sheep]\nname = \"b\"\nlien = \"4m\"\n[[sheep]]\nlien = \
             \"4m\"\n",
            "\
flock.toml:4: this is not TOML: unclosed array table, expected `]`
flock.toml:8: unknown field `lien`; did you mean `line`?",
        );
        check("name = \"f", "flock.toml:1: this is not TOML: invalid basic string, expected `\"`");
        check(
            "name = \"\"\"\nf\n\n",
            "flock.toml:3: this is not TOML: invalid multi-line basic string, expected `\"`",
        );
        let deep = format!("name = {}", "[".repeat(100_000));
        let dir = directory(&[("flock.toml", deep.as_bytes())]);
        assert!(shown(dir.path()).starts_with("flock.toml:1: this is not TOML: "));
    }

    #[test]
    fn fields_are_where_they_belong_and_what_they_should_be() {
        check_sheep(
            "corpus = \"a.txt\"",
            "file = \"x\"\nat = 9\ndays = [\"mon\", 2]\nstart = 09:00:00\ndaily_cap = -1\nsheep = 1",
            "\
flock.toml:3: `corpus` does not belong in [defaults]; it goes in [[sheep]]
flock.toml:8: unknown field `file`; did you mean `files`?
flock.toml:9: `at` must be a list of texts such as [\"09:00\", \"17:30\"]
flock.toml:10: `days` must be a list of texts such as [\"mon\", \"fri\"]
flock.toml:11: `start`: `09:00:00` is neither a date (2026-12-01) nor a time (2026-12-01T09:00)
flock.toml:12: `daily_cap` must be a whole number such as 12
flock.toml:13: `sheep` does not belong in [[sheep]]; it goes in the top level",
        );
        check(
            "name = 7\nLine = \"3m\"\ndefaults = 3\nsheep = [1, {name = \"a\", corpus = 3}]\n",
            "\
flock.toml:1: `name` must be text such as \"milton\"
flock.toml:2: unknown field `Line`; the top level takes name, monthly_cap, waive, defaults, sheep, time_zone
flock.toml:3: `defaults` must be a table: write [defaults]
flock.toml:4: `behaviour` is missing: write behaviour = \"poem\", here or in [defaults]
flock.toml:4: `corpus` must be text such as \"apollo.txt\"
flock.toml:4: `line`: it is missing: say how much time lies between two posts, such as \"3m\", or give `at`, the times of day
flock.toml:4: `sheep` must be tables: write [[sheep]]",
        );
        check(
            "name = \"f\"\nline = \"3m\"\n[sheep]\nname = \"a\"\n[sheep.line]\nx = 1\n",
            "\
flock.toml:2: `line` does not belong in the top level; it goes in [defaults] or [[sheep]]
flock.toml:3: `behaviour` is missing: write behaviour = \"poem\", here or in [defaults]
flock.toml:3: `corpus` is missing: say which file holds the text, such as \"apollo.txt\"
flock.toml:5: `line` must be text such as \"3m\"",
        );
        check(
            "name = \"F\\nx: y\"\n[defaults]\nbehaviour = \"poem\"\nline = \"3m\"\n[[sheep]]\n[[sheep]]\nname = \"a\"\n[[sheep]]\ncorpus = \"a.txt\"\n",
            "\
flock.toml:1: `F\\nx: y` is not a flock name: use 1 to 48 of a-z, 0-9, `-` and `_`, starting with a letter or digit
flock.toml:5: say which texts: give `files`, or `name` and `corpus`
flock.toml:6: `corpus` is missing: say which file holds the text, such as \"apollo.txt\"
flock.toml:8: `name` is missing: say what the sheep is called",
        );
    }

    /// Reads `dir` with one `[[sheep]]` of the fields `own`, in line 5 and on.
    #[track_caller]
    fn check_own(dir: &TempDir, own: &str, expected: &str) {
        let toml = format!("name = \"f\"\n[[sheep]]\nbehaviour = \"poem\"\nline = \"3m\"\n{own}\n");
        fs::write(dir.path().join(FLOCK_TOML), toml).unwrap();
        let got = match read(dir.path()) {
            Ok(flock) => {
                let names = flock.sheep.iter().map(|sheep| sheep.name.as_str());
                names.collect::<Vec<_>>().join(" ")
            }
            Err(_) => shown(dir.path()),
        };
        assert_eq!(got, expected, "{own}");
    }

    #[test]
    fn files_are_a_pattern_inside_the_directory() {
        const UPWARD: &str =
            "is absolute or has `..` in it; name files from the flock's directory on";
        const DIRECTORY: &str =
            "is a directory; for the texts in it give `files`, such as \"poems/*.txt\"";
        let dir = directory(&[("poems/.hidden", b""), ("poems/old/c.txt", b"x")]);
        let check = |pattern: &str, expected: &str| {
            let expected = expected.replace("...", &format!("flock.toml:5: `{pattern}`"));
            check_own(&dir, &format!("files = \"{pattern}\""), &expected);
        };
        check("poems/*", "b");
        check("poems/b.*", "b");
        check("./**/[bc].*", "b c");
        check("poems/**", "b c");
        check("**/**/*.txt", "a b c");
        check("*/c.txt", "... matches no file");
        check("/etc/*", &format!("... {UPWARD}"));
        check("poems/../../*", &format!("... {UPWARD}"));
        check(".*/a.txt", "... matches no file");
        check("poems", &format!("... {DIRECTORY}"));
        check("", &format!("... {DIRECTORY}"));
        check("a**", "... is not a pattern: recursive wildcards must form a single path component");
        check("[", "... is not a pattern: invalid range pattern");
        check_own(
            &dir,
            "files = \"poems/b.txt\"\nname = \"b\"\ncorpus = \"a.txt\"",
            "\
flock.toml:6: `name` does not go with `files`, which makes a sheep of each file and names it after the file
flock.toml:7: `corpus` does not go with `files`, which makes a sheep of each file and names it after the file",
        );
    }

    #[test]
    fn a_corpus_is_a_file_inside_the_directory() {
        let dir = directory(&[]);
        let check = |path: &str, expected: &str| {
            let expected = expected.replace("...", &format!("flock.toml:6: `{path}`"));
            check_own(&dir, &format!("name = \"s\"\ncorpus = \"{path}\""), &expected);
        };
        let large = fs::File::create(dir.path().join("large")).unwrap();
        large.set_len(MOST_TEXT_BYTES + 1).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
        check("a.txt", "s");
        check("./a.txt", "s");
        check("b.txt", "... does not exist");
        check("a.txt/b", "... cannot be read: Not a directory (os error 20)");
        check(
            "/etc/passwd",
            "... is absolute or has `..` in it; name files from the flock's directory on",
        );
        check(
            "poems/../a.txt",
            "... is absolute or has `..` in it; name files from the flock's directory on",
        );
        check("", "... is a directory; for the texts in it give `files`, such as \"poems/*.txt\"");
        check("large", "... is 67108865 bytes long; 67108864 (64 MB) is the most");
        check("socket", "... is not a regular file; copy what comes out of it into one");
    }

    #[test]
    fn links_stay_inside() {
        const OUTSIDE: &str =
            "leads out of the flock's directory; keep the files of a flock inside it";
        let (dir, outside) = (directory(&[]), directory(&[]));
        let link = |to: &Path, from: &str| {
            std::os::unix::fs::symlink(to, dir.path().join(from)).unwrap();
        };
        link(&outside.path().join("a.txt"), "poems/link.txt");
        link(outside.path(), "out");
        link(dir.path(), "poems/round");
        link(dir.path(), "poems/about");
        link(Path::new("nowhere"), "poems/broken.txt");
        let check = |own: &str, expected: &str| check_own(&dir, own, expected);
        check("files = \"poems/round/a.txt\"", "a");
        check("files = \"**/a.txt\"", "a");
        check("files = \"*/a.txt\"", &format!("flock.toml:5: `out` {OUTSIDE}"));
        check(
            "files = \"**\"",
            &format!(
                "flock.toml:5: `poems/broken.txt` does not exist\nflock.toml:5: `poems/link.txt` {OUTSIDE}"
            ),
        );
        let corpus = "name = \"a\"\ncorpus = \"out/a.txt\"";
        check(corpus, &format!("flock.toml:6: `out/a.txt` {OUTSIDE}"));
        fs::remove_file(dir.path().join(FLOCK_TOML)).unwrap();
        fs::write(outside.path().join(FLOCK_TOML), "name = 3").unwrap();
        link(&outside.path().join(FLOCK_TOML), FLOCK_TOML);
        assert_eq!(shown(dir.path()), format!("flock.toml: it {OUTSIDE}"));
    }

    #[test]
    fn names_and_texts_are_shared_only_on_purpose() {
        let files: [(&str, &[u8]); 3] =
            [("poems/b!.txt", b"x"), ("poems/\u{2026}.txt", b"x"), ("poems/c/b.txt", b"x")];
        let toml = r#"name = "f"
[defaults]
behaviour = "poem"
line = "3m"
[[sheep]]
files = "poems/**"
"#;
        check_files(
            toml,
            &files,
            "\
flock.toml:6: the sheep name `b` is used twice: in line 6 (poems/b!.txt) and in line 6 (poems/b.txt)
flock.toml:6: the sheep name `b` is used twice: in line 6 (poems/b!.txt) and in line 6 (poems/c/b.txt)
poems/….txt: no sheep can be named after this file: `` is not a sheep name: use 1 to 48 of a-z, 0-9, `-` and `_`, starting with a letter or digit",
        );
        let toml = r#"name = "f"
[defaults]
behaviour = "poem"
line = "3m"
network = "x"
[[sheep]]
files = "poems/*"
account = "a"
[[sheep]]
name = "c"
corpus = "poems/b.txt"
[[sheep]]
name = "d"
corpus = "poems/b.txt"
network = "meadow"
"#;
        // Once for the two sheep on X, not at all for the one on the meadow.
        check_files(
            toml,
            &[("poems/b.txt", "a".repeat(281).as_bytes())],
            "poems/b.txt:1: the text is 281 characters long by x's counting; x takes 280",
        );
        let dir = directory(&[("flock.toml", toml.as_bytes())]);
        let flock = read(dir.path()).unwrap();
        let accounts = flock.sheep.iter().map(|sheep| sheep.config.account.to_string());
        assert_eq!(accounts.collect::<Vec<_>>(), ["x:a", "x:c", "meadow:d"]);
    }

    /// Reads a flock of one sheep, under these lines, with these fields.
    fn with_top(top: &str, own: &str) -> Result<FlockFile, String> {
        let dir = directory(&[]);
        let sheep =
            "[[sheep]]\nname = \"a\"\ncorpus = \"a.txt\"\nbehaviour = \"poem\"\nline = \"3m\"";
        fs::write(dir.path().join(FLOCK_TOML), format!("name = \"f\"\n{top}\n{sheep}\n{own}\n"))
            .unwrap();
        read(dir.path()).map_err(|_| shown(dir.path()))
    }

    #[test]
    fn a_cap_is_text_or_a_number() {
        let check = |cap: &str, expected: &str| {
            let got = with_top(&format!("monthly_cap = {cap}"), "");
            let got = got.map_or_else(
                |problems| problems,
                |file| file.flock.monthly_cap.map_or_else(String::new, |cap| cap.to_string()),
            );
            assert_eq!(got, expected, "{cap}");
        };
        check("\"25.00\"", "$25.00");
        check("\"$2.5\"", "$2.50");
        check("25", "$25.00");
        check("1_000", "$1000.00");
        check("0.015", "$0.015");
        let invalid = |text: &str| {
            format!(
                "flock.toml:2: `monthly_cap`: `{text}` is not an amount of dollars: write it as 10 or 2.50"
            )
        };
        check("-1", &invalid("-1"));
        check("1e3", &invalid("1e3"));
        check("\"\"", &invalid(""));
        check("0.0000001", &invalid("0.0000001"));
        let kind = "flock.toml:2: `monthly_cap` must be an amount of US dollars such as \"25.00\"";
        check("0x19", kind);
        check("true", kind);
        check("[25]", kind);
        let nothing = "flock.toml:2: `monthly_cap`: with nothing to spend nothing is posted that costs; \
                       leave it out";
        check("0", nothing);
        check("\"0.00\"", nothing);
    }

    #[test]
    fn a_rule_is_waived_by_name_with_a_reason() {
        let check = |waive: &str, expected: &str| {
            let got = with_top(&format!("[waive]\n{waive}"), "");
            let got =
                got.map_or_else(|problems| problems, |file| format!("{:?}", file.flock.waivers));
            assert_eq!(got, expected, "{waive}");
        };
        check("", "{}");
        check(
            "x-identical-text = \" One poem, two languages. \"\nbluesky-unasked = \"Asked.\"",
            r#"{"bluesky-unasked": "Asked.", "x-identical-text": "One poem, two languages."}"#,
        );
        let why = "write why the flock may do what the rule forbids; the audit log keeps it";
        check(
            "x-identical-text = \"  \"",
            &format!("flock.toml:3: `x-identical-text` is waived without a reason: {why}"),
        );
        check(
            "x-identical-text = true",
            &format!("flock.toml:3: `x-identical-text` must be the reason as text: {why}"),
        );
        check(
            "x_identical_texts = \"a\"\nidentical = \"a\"",
            "\
flock.toml:3: no network has a rule `x_identical_texts`; the closest is `x-identical-text` (`flockwork networks x` lists the rules of X)
flock.toml:4: no network has a rule `identical`; the closest is `x-identical-text` (`flockwork networks x` lists the rules of X)",
        );
        check(
            &format!("x-trend = \"{}\"", "a".repeat(501)),
            "flock.toml:3: the reason to waive `x-trend` is longer than 500 characters",
        );
        assert_eq!(
            with_top("waive = \"x-trend\"", "").unwrap_err(),
            "flock.toml:2: `waive` must be a table: write [waive], and under it each rule with the reason"
        );
    }

    #[test]
    fn what_is_made_with_ai_says_so() {
        let made = |top: &str, own: &str| {
            let file = with_top(top, own);
            file.map(|file| file.sheep.iter().all(|sheep| sheep.config.made_with_ai))
        };
        assert_eq!(made("", ""), Ok(false));
        assert_eq!(made("", "made_with_ai = true"), Ok(true));
        assert_eq!(made("[defaults]\nmade_with_ai = true", ""), Ok(true));
        assert_eq!(made("[defaults]\nmade_with_ai = true", "made_with_ai = false"), Ok(false));
        let kind = "flock.toml:8: `made_with_ai` must be true or false";
        assert_eq!(made("", "made_with_ai = \"yes\""), Err(kind.to_owned()));
    }

    #[test]
    fn accounts_are_written_as_their_network_writes_them() {
        let check = |network: &str, own: &str, expected: &str| {
            let got = with_top("", &format!("network = \"{network}\"\n{own}"));
            let got = got.map_or_else(
                |problems| problems,
                |file| file.sheep.iter().map(|sheep| sheep.config.account.to_string()).collect(),
            );
            assert_eq!(got, expected, "{network} {own}");
        };
        check("x", "", "x:a");
        check("x", "account = \"Apollo_Bot\"", "x:Apollo_Bot");
        check(
            "x",
            "account = \"book-1\"",
            "flock.toml:9: `account`: `book-1` is not an account of X: they are written like `apollo_bot`",
        );
        check(
            "mastodon",
            "",
            "flock.toml:4: `account` is missing: without it the sheep posts as `a`, but accounts of Mastodon \
             are written like \"apollo@example.social\"",
        );
        check("mastodon", "account = \"a@example.social\"", "mastodon:a@example.social");
        check(
            "bluesky",
            "account = \"A.bsky.social\"",
            "flock.toml:9: `account`: `A.bsky.social` is not an account of Bluesky: they are written like \
             `apollo.bsky.social`",
        );
    }

    #[test]
    fn only_its_account_knows_what_an_instance_takes() {
        let text = format!("{}\n", "a".repeat(501));
        let dir = directory(&[("a.txt", text.as_bytes())]);
        let check = |own: &str, expected: &str| {
            check_own(&dir, &format!("name = \"s\"\ncorpus = \"a.txt\"\n{own}"), expected);
        };
        check(
            "",
            "a.txt:1: the text is 501 characters long by meadow's counting; meadow takes 500",
        );
        check("network = \"mastodon\"\naccount = \"a@b.example\"", "s");
        let longest = format!("{}\n", "a".repeat(3_701));
        fs::write(dir.path().join("a.txt"), longest).unwrap();
        check(
            "network = \"mastodon\"\naccount = \"a@b.example\"",
            "a.txt:1: line 1 is 3701 bytes long; a post cannot be longer than 3700",
        );
    }

    #[test]
    fn sheep_override_defaults() {
        let check = |defaults: &str, own: &str, expected: &str| {
            assert_eq!(rhythm(defaults, own), expected, "{defaults} / {own}");
        };
        let line = r#"line = "3m""#;
        let times = r#"at = ["09:00"]"#;
        check(line, "", r#"line: "3m", time_zone: "UTC""#);
        check(
            line,
            "stanza = \"2h\"\ntime_zone = \"Asia/Tokyo\"",
            r#"line: "3m", stanza: "2h", time_zone: "Asia/Tokyo""#,
        );
        // A pattern replaces a pattern, whole.
        check(line, times, r#"at: ["09:00"], time_zone: "UTC""#);
        check(r#"stanza = "3m""#, times, r#"at: ["09:00"], time_zone: "UTC""#);
        check(r#"window = "06:00-07:00""#, times, r#"at: ["09:00"], time_zone: "UTC""#);
        check(times, line, r#"line: "3m", time_zone: "UTC""#);
        check(r#"days = ["mon"]"#, line, r#"line: "3m", time_zone: "UTC""#);
        // What is no pattern of its own adds to one.
        check(times, r#"days = ["mon"]"#, r#"at: ["09:00"], days: ["mon"], time_zone: "UTC""#);
        check(line, r#"stanza = "1h""#, r#"line: "3m", stanza: "1h", time_zone: "UTC""#);
        check(line, "at = []", r#"line: "3m", time_zone: "UTC""#);
        // Dates may be written as TOML has them.
        check(
            line,
            "start = 2026-12-01\nend = 2026-12-02T10:00:00Z",
            r#"line: "3m", time_zone: "UTC", start: "2026-12-01T00:00:00Z", end: "2026-12-02T10:00:00Z""#,
        );
        check(
            line,
            "start = 2026-12-01T09:00:00\ndaily_cap = 0x0c",
            r#"line: "3m", time_zone: "UTC", start: "2026-12-01T09:00:00Z", daily_cap: 12"#,
        );
    }

    #[test]
    fn a_bad_default_is_reported_once_where_it_is_written() {
        check(
            r#"name = "f"
time_zone = "Mars"
[defaults]
time_zone = "Venus"
behaviour = "prose"
network = "myspace"
window = "9-17"
jitter = "soon"
end = "4m"
[[sheep]]
files = "poems/*"
line = "3m"
end = "2026-12-01"
[[sheep]]
name = "a"
corpus = "a.txt"
line = "5m"
time_zone = "UTC"
network = "x"
behaviour = "poem"
[[sheep]]
name = "c"
corpus = "a.txt"
"#,
            "\
flock.toml:2: `time_zone`: `Mars` is not a time zone; use a name such as Europe/London
flock.toml:4: `time_zone`: `Venus` is not a time zone; use a name such as Europe/London
flock.toml:5: `prose` is not a behaviour: use poem or queue
flock.toml:6: `myspace` is not a network: use one of meadow, x, mastodon, bluesky
flock.toml:7: `window`: `9` is not a time of day; write it as 09:30
flock.toml:8: `jitter`: `soon` is not a length of time; write it as 30s, 3m, 2h or 1d
flock.toml:9: `end`: `4m` is neither a date (2026-12-01) nor a time (2026-12-01T09:00)
flock.toml:21: `line`: it is missing: say how much time lies between two posts, such as \"3m\", or give `at`, the times of day",
        );
        check_sheep("line = 3", "", "flock.toml:3: `line` must be text such as \"3m\"");
        check_sheep(
            "line = 3",
            "line = \"3m\"",
            "flock.toml:3: `line` must be text such as \"3m\"",
        );
    }

    #[test]
    fn fields_that_do_not_go_together_are_reported() {
        check_sheep(
            "line = \"3m\"",
            "at = [\"09:00\"]\nline = \"3m\"\nstanza = \"1h\"",
            "\
flock.toml:9: `line`: it goes with intervals; leave it out where `at` is given
flock.toml:10: `stanza`: it goes with intervals; leave it out where `at` is given",
        );
        check_sheep(
            "days = [\"mon\"]",
            "window = \"09:00-10:00\"",
            "\
flock.toml:3: `days`: it goes with `at`, the times of day
flock.toml:5: `line`: it is missing: say how much time lies between two posts, such as \"3m\", or give `at`, the times of day",
        );
        // Each is good alone.
        check_sheep(
            "jitter = \"4m\"",
            "line = \"3m\"",
            "flock.toml:5: `jitter` of line 3 does not fit here: it must not be longer than the shortest time between two posts",
        );
        check_sheep(
            "line = \"3m\"",
            "start = 2026-12-02\nend = 2026-12-01",
            "flock.toml:9: `end`: it is not after `start`",
        );
    }

    #[test]
    fn damaged_files_never_panic() {
        let dir = example();
        let mut seed: u64 = 0x2026_1121;
        let mut random = |below: usize| {
            // xorshift64: the same mutations in every run.
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            usize::try_from(seed % u64::try_from(below.max(1)).unwrap()).unwrap()
        };
        let pieces = [
            "\"",
            "'",
            "\"\"\"",
            "[",
            "]",
            "[[",
            "{",
            "}",
            "=",
            ",",
            "\n",
            "\r",
            "\0",
            "#",
            ".",
            "*",
            "**",
            "..",
            "/",
            "\\",
            "é",
            "\u{feff}",
            "99999999999999999999",
            "-0x1",
            "1979-05-27",
            "[[sheep]]\n",
            "[defaults]\n",
            "[sheep]\n",
            "name",
            "sheep",
            "line = 3\n",
            "at = []\n",
            "monthly_cap = 1.5\n",
            "[waive]\n",
            "x-trend = \"why\"\n",
        ];
        for _ in 0..3_000 {
            let mut text: Vec<char> = EXAMPLE.chars().collect();
            for _ in 0..=random(4) {
                let from = random(text.len());
                let to = (from + random(20)).min(text.len());
                match random(4) {
                    0 => drop(text.drain(from..to)),
                    1 => {
                        let again = text.get(from..to).unwrap().to_vec();
                        let at = random(text.len());
                        text.splice(at..at, again);
                    }
                    2 => drop(text.splice(from..from, pieces[random(pieces.len())].chars())),
                    _ => drop(text.splice(from..to, pieces[random(pieces.len())].chars())),
                }
            }
            let text: String = text.into_iter().collect();
            let root = dir.path().canonicalize().unwrap();
            let Err(problems) = read_text(dir.path(), root, &text) else { continue };
            assert!(!problems.as_slice().is_empty(), "{text}");
            assert!(problems.as_slice().is_sorted(), "{text}");
            assert_eq!(problems.to_string().lines().count(), problems.as_slice().len(), "{text}");
            let lines = text.split('\n').count();
            for problem in problems.as_slice() {
                assert!(problem.line.is_none_or(|line| (1..=lines).contains(&line)), "{text}");
            }
        }
    }
}
