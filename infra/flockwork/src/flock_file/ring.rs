//! `ring.toml`: what the accounts of a flock show of themselves, written once with placeholders for what differs.
//!
//! What is wrong with the file is told with its line, and nothing is asked or changed then. What is wrong for one account - a
//! placeholder nobody fills, a picture that is none - is that account's, and the others go on.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use flock_core::{AccountId, Picture, ProfilePart, Wanted, fill, lines_of, nearest};
use flock_ops::{FlockFile, Ring, RingEntry, has_part};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Mistake, Mistakes, read};
use super::{
    mistakes::{LineStarts, MOST_PROBLEMS, by_place},
    root,
    texts::{Unreadable, locate},
};
use crate::files::{self, WRITTEN_BY_HAND};

const RING_TOML: &str = "ring.toml";

/// The largest picture that is read; no network takes one of half that size for a profile.
const MOST_PICTURE_BYTES: u64 = 16 * 1024 * 1024;

/// The longest text: far above what any network takes, whatever the placeholders in it come to.
const MOST_TEXT_BYTES: usize = 10_000;

/// What can be said of a profile, and in which words of the file.
const FIELDS: [(&str, ProfilePart, &str); 7] = [
    ("name", ProfilePart::Name, r#""Book {n}""#),
    ("bio", ProfilePart::Bio, r#""Book {n} of {count}""#),
    ("url", ProfilePart::Url, r#""https://example.org""#),
    ("location", ProfilePart::Location, r#""Eden""#),
    ("picture", ProfilePart::Picture, r#""img/book{n}.jpg""#),
    ("banner", ProfilePart::Banner, r#""img/banner.jpg""#),
    ("bot", ProfilePart::Bot, "true"),
];

/// What a table of the file says of each part: the text as it stands there, or whether it is a bot's.
type Said<'a> = BTreeMap<ProfilePart, Value<'a>>;

#[derive(Clone)]
enum Value<'a> {
    Text(Cow<'a, str>),
    Flag(bool),
}

/// Reads the ring of the flock in `dir`, or says everything that is wrong with its files.
pub fn read_ring(dir: &Path) -> Result<Ring, Mistakes> {
    let flock = read(dir)?;
    let file = dir.join(RING_TOML);
    let whole = |line, what: String| Mistakes(vec![Mistake::new(file.clone(), line, what)]);
    let root = root(dir)?;
    let bytes = locate(&root, Path::new(RING_TOML))
        .and_then(|path| Ok(files::read(&path, WRITTEN_BY_HAND)?))
        .map_err(|unreadable| {
            let is_missing = matches!(unreadable, Unreadable::File(files::Unreadable::Missing));
            let hint = if is_missing {
                "; what accounts are to show of themselves stands in it"
            } else {
                ""
            };
            whole(None, format!("it {unreadable}{hint}"))
        })?;
    let text = lines_of(&bytes).map_err(|why| whole(Some(why.line()), why.to_string()))?;
    ring_of(&flock, (dir, root), &text)
}

/// The ring of `flock`, whose files are in that directory, if its `ring.toml` was `text`.
fn ring_of(flock: &FlockFile, (dir, root): (&Path, PathBuf), text: &str) -> Result<Ring, Mistakes> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader {
        file: dir.join(RING_TOML),
        line_starts: LineStarts::of(text),
        problems: Vec::new(),
    };
    for error in &errors {
        let line = error.span().map(|span| reader.line_starts.line(span.start));
        reader.report(line, format!("this is not TOML: {}", error.message()));
    }
    let accounts = accounts(flock);
    let (everybody, own) = if errors.is_empty() {
        reader.document(document.get_ref(), &accounts)
    } else {
        Default::default()
    };
    let mut problems = reader.problems;
    if !problems.is_empty() {
        problems.sort_by(|a, b| {
            by_place((&a.file, a.line), (&b.file, b.line)).then_with(|| a.what.cmp(&b.what))
        });
        problems.dedup();
        problems.truncate(MOST_PROBLEMS);
        return Err(Mistakes(problems));
    }
    let count = accounts.len();
    let entries = accounts.iter().enumerate().map(|(index, (id, title))| {
        let known = BTreeMap::from([
            ("n", (index + 1).to_string()),
            ("count", count.to_string()),
            ("handle", id.handle.to_string()),
            ("flock", flock.flock.name.to_string()),
            ("corpus title", title.clone()),
            ("network", id.network.name().to_owned()),
        ]);
        entry(id, &root, (&everybody, own.get(id)), &known)
    });
    let entries = entries.collect();
    Ok(Ring { flock: flock.flock.clone(), entries })
}

/// The accounts of a flock, each once, in the order of their names, and what the text of the first sheep of each is called: as its
/// file, without what it ends with.
fn accounts(flock: &FlockFile) -> Vec<(AccountId, String)> {
    let mut titles: BTreeMap<AccountId, String> = BTreeMap::new();
    for sheep in &flock.sheep {
        let file = sheep.parts.first().map_or(&sheep.file, |part| &part.file);
        let title = || file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        titles.entry(sheep.config.account.clone()).or_insert_with(title);
    }
    titles.into_iter().collect()
}

/// What is wanted of one account.
fn entry(
    id: &AccountId,
    root: &Path,
    (everybody, own): (&Said<'_>, Option<&Said<'_>>),
    known: &BTreeMap<&str, String>,
) -> RingEntry {
    let (mut wanted, mut problems, mut left_out) = (Wanted::default(), Vec::new(), Vec::new());
    for (field, part, _) in FIELDS {
        let its_own = own.and_then(|own| own.get(&part));
        let Some(value) = its_own.or_else(|| everybody.get(&part)) else { continue };
        // What is wanted of all is wanted of those that can have it.
        if its_own.is_none() && !has_part(id.network, part) {
            left_out.push(part);
            continue;
        }
        let text = match value {
            Value::Flag(is_bot) => {
                wanted.bot = Some(*is_bot);
                continue;
            }
            Value::Text(text) => fill(text, known),
        };
        let text = match text {
            Ok(text) => text,
            Err(unfilled) => {
                problems.push(format!("`{field}`: {unfilled}"));
                continue;
            }
        };
        match part {
            ProfilePart::Picture | ProfilePart::Banner => match picture(root, &text) {
                Ok(picture) if part == ProfilePart::Picture => wanted.picture = Some(picture),
                Ok(picture) => wanted.banner = Some(picture),
                Err(why) => problems.push(format!("`{field}` \"{text}\": {why}")),
            },
            ProfilePart::Name
            | ProfilePart::Bio
            | ProfilePart::Url
            | ProfilePart::Location
            | ProfilePart::Bot => {
                wanted.texts.insert(part, text);
            }
        }
    }
    let wanted = if problems.is_empty() { Ok(wanted) } else { Err(problems) };
    RingEntry { account: id.clone(), wanted, left_out }
}

/// The picture in a file of the flock's directory.
fn picture(root: &Path, path: &str) -> Result<Picture, String> {
    let located = locate(root, Path::new(path)).map_err(|err| format!("it {err}"))?;
    let bytes = files::read(&located, MOST_PICTURE_BYTES).map_err(|err| format!("it {err}"))?;
    Picture::read(bytes, String::new()).map_err(|refusal| refusal.to_string())
}

/// Goes through the file and collects what is wrong with it.
struct Reader {
    file: PathBuf,
    line_starts: LineStarts,
    problems: Vec<Mistake>,
}

impl Reader {
    fn report(&mut self, line: impl Into<Option<usize>>, what: impl Into<String>) {
        self.problems.push(Mistake::new(self.file.clone(), line.into(), what));
    }

    /// What is said of all accounts, and of each.
    fn document<'t>(
        &mut self,
        top: &'t DeTable<'_>,
        accounts: &[(AccountId, String)],
    ) -> (Said<'t>, BTreeMap<AccountId, Said<'t>>) {
        let (mut everybody, mut own) = (Said::new(), BTreeMap::new());
        for (key, value) in top {
            let line = self.line_starts.line(key.span().start);
            let key: &str = key.get_ref();
            match (key, value.get_ref()) {
                ("profile", DeValue::Table(table)) => everybody = self.said(table, "[profile]"),
                ("account", DeValue::Table(tables)) => own = self.own(tables, accounts),
                ("profile", _) => self.report(line, "`profile` must be a table: write [profile]"),
                ("account", _) => self.report(line, ACCOUNT_TABLE),
                _ => {
                    let is_field = FIELDS.iter().any(|(name, ..)| *name == key);
                    let near = nearest(&key.to_lowercase(), ["profile", "account"].into_iter());
                    let what = match near {
                        _ if is_field => {
                            "; it goes under [profile] or [account.\"NETWORK:NAME\"]".to_owned()
                        }
                        Some(near) => format!("; did you mean `{near}`?"),
                        None => "; there are [profile] and [account.\"NETWORK:NAME\"]".to_owned(),
                    };
                    self.report(line, format!("unknown field `{key}` at the top level{what}"));
                }
            }
        }
        if self.problems.is_empty() && everybody.is_empty() && own.values().all(Said::is_empty) {
            self.report(
                None,
                "nothing is wanted in it; write [profile], and under it a name or a bio",
            );
        }
        (everybody, own)
    }

    /// What is said of single accounts.
    fn own<'t>(
        &mut self,
        tables: &'t DeTable<'_>,
        accounts: &[(AccountId, String)],
    ) -> BTreeMap<AccountId, Said<'t>> {
        let (mut own, mut seen) = (BTreeMap::new(), BTreeSet::new());
        for (key, value) in tables {
            let line = self.line_starts.line(key.span().start);
            let key: &str = key.get_ref();
            let id = match key.parse::<AccountId>() {
                Ok(id) => id,
                Err(err) => {
                    self.report(line, format!("`{key}` is no account: {err}; {ACCOUNT_TABLE}"));
                    continue;
                }
            };
            let DeValue::Table(table) = value.get_ref() else {
                self.report(line, ACCOUNT_TABLE);
                continue;
            };
            if !accounts.iter().any(|(known, _)| *known == id) {
                let names: Vec<_> = accounts.iter().map(|(known, _)| known.to_string()).collect();
                let near = nearest(key, names.iter().map(String::as_str));
                let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                self.report(line, format!("no sheep of the flock posts through {id}{near}"));
                continue;
            }
            if !seen.insert(id.clone()) {
                self.report(line, format!("{id} stands there twice, in other letters"));
                continue;
            }
            let said = self.said(table, &format!("[account.\"{key}\"]"));
            own.insert(id, said);
        }
        own
    }

    /// The fields of one table.
    fn said<'t>(&mut self, table: &'t DeTable<'_>, place: &str) -> Said<'t> {
        let mut said = Said::new();
        for (key, value) in table {
            let line = self.line_starts.line(key.span().start);
            let key: &str = key.get_ref();
            match FIELDS.iter().find(|(name, ..)| *name == key) {
                Some(field) => {
                    if let Some(value) = self.value(line, *field, value) {
                        said.insert(field.1, value);
                    }
                }
                None if is_colour(key) => self.report(
                    line,
                    format!("`{key}`: no network has colours in profiles any more; leave it out"),
                ),
                None => {
                    let names = || FIELDS.iter().map(|(name, ..)| *name);
                    let what = match nearest(&key.to_lowercase(), names()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("{place} takes {}", names().collect::<Vec<_>>().join(", ")),
                    };
                    self.report(line, format!("unknown field `{key}`; {what}"));
                }
            }
        }
        said
    }

    fn value<'t>(
        &mut self,
        line: usize,
        (name, part, example): (&str, ProfilePart, &str),
        value: &'t Spanned<DeValue<'_>>,
    ) -> Option<Value<'t>> {
        let is_file = matches!(part, ProfilePart::Picture | ProfilePart::Banner);
        match (part, value.get_ref()) {
            (ProfilePart::Bot, DeValue::Boolean(is_bot)) => return Some(Value::Flag(*is_bot)),
            (ProfilePart::Bot, _) => self.report(line, format!("`{name}` must be true or false")),
            (_, DeValue::String(text)) if text.len() > MOST_TEXT_BYTES => self.report(
                line,
                format!("`{name}` is {} bytes long; no network takes more than {MOST_TEXT_BYTES}", text.len()),
            ),
            (_, DeValue::String(text)) if is_file && text.trim().is_empty() => self.report(
                line,
                format!("`{name}` names no file; a picture can be changed and not taken away: leave it out"),
            ),
            (_, DeValue::String(text)) => return Some(Value::Text(Cow::Borrowed(text))),
            _ => self.report(line, format!("`{name}` must be text such as {example}")),
        }
        None
    }
}

const ACCOUNT_TABLE: &str =
    "accounts are tables with their names between quotes: write [account.\"x:milton\"]";

/// What the original flocks set, and networks had then.
fn is_colour(key: &str) -> bool {
    let key = key.to_lowercase();
    key.contains("colour") || key.contains("color")
}
