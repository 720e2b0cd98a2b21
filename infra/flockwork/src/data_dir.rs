//! The directory of the local run: who may use it, where it is served, what it keeps. Nobody else on the machine
//! reads, locks or replaces anything in it.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, TryLockError},
    io::{ErrorKind, Write as _},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{
            DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _,
            PermissionsExt as _,
        },
    },
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use local_cloud::services::Keep;
use loopback::Token;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use rustix::{
    fs::OFlags,
    io::Errno,
    process::{Pid, test_kill_process},
};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::{
    files::{self, Unreadable, WRITTEN_BY_HAND},
    refusal::refuse,
};

const DATABASE: &str = "flock.db";

/// The table in which `DynamoDB` on this machine keeps which tables there are.
const EVERY_TABLE: &str = "_tables";

const ENDPOINT: &str = "endpoint.json";

const LOCK: &str = "lock";

/// What the lock's file begins with while it is held by a run that has said where it answers; its process id follows.
const RUN: &str = "run ";

/// As long as that can be.
const MOST_IN_LOCK: u64 = 32;

/// There while the sample flock is being applied.
const SAMPLE: &str = "sample";

const SECRET: &str = ".secret.json";

/// What is being written, until it has its name.
const NEW: (&str, &str) = (".flockwork-", ".new");

/// Where a running `flockwork run` answers, and what it wants to be shown.
#[derive(Clone, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its page.
    pub page: String,
    /// The link to its Slack in a browser, if it is to be had on this machine.
    pub try_link: Option<String>,
    /// Its `DynamoDB`.
    pub dynamodb: String,
    /// Its other services.
    pub services: String,
    /// Where to enter something in its Slack.
    pub slack: String,
    /// What its `DynamoDB`, its services and its Slack want.
    pub token: Token,
    /// The environment of its functions.
    pub environment: BTreeMap<String, String>,
}

/// Without what opens it.
impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint").field("page", &self.page).finish_non_exhaustive()
    }
}

/// The data directory, held by this process until dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    // Locked; the system unlocks it when the process ends, however it ends.
    lock: File,
}

/// The data directory is ours, or a `flockwork run` has it.
#[derive(Debug)]
pub enum Hold {
    /// It is ours.
    Ours(DataDir),
    /// It is served there.
    Running(Endpoint),
}

/// The files that a run has open. Whoever removes one makes room for a second run, or a second table.
#[derive(Debug)]
pub(crate) struct FilesInUse([(Option<(u64, u64)>, PathBuf); 2]);

impl FilesInUse {
    /// Which of them is not in its place any more.
    pub(crate) fn missing(&self) -> Option<&Path> {
        let moved = self.0.iter().find(|(file, path)| identity(path) != *file);
        moved.map(|(_, path)| &**path)
    }
}

impl DataDir {
    /// How long to wait for another command that has the directory for a moment.
    const PATIENCE: Duration = Duration::from_secs(10);

    /// Takes the directory, or finds who has it.
    pub async fn hold(path: &Path) -> anyhow::Result<Hold> {
        // Of a run that cannot be asked more is to be said than of its files.
        Self::served_at(path)?;
        check_owner(path, path)?;
        // Where no lock was made, nothing of ours ever was, and nobody can be writing there.
        if !path.join(LOCK).exists() {
            refuse_foreign(path)?;
        }
        make(path).map_err(|err| {
            let why = files::unwritable(&err);
            refuse(format!("cannot make the data directory {}: {why}", path.display()))
        })?;
        check_owner(path, path)?;
        close(path)?;
        let lock = path.join(LOCK);
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            // Where something else has its place, opening it must not wait for somebody.
            .custom_flags((OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed())
            .open(&lock)
            .map_err(|err| {
                refuse(format!("cannot write to {}: {}", lock.display(), files::unwritable(&err)))
            })?;
        let started = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => {
                    let dir = Self { path: path.to_owned(), lock };
                    // Left by a run that was killed.
                    dir.unmark();
                    dir.remove_endpoint();
                    dir.remove_unfinished();
                    return Ok(Hold::Ours(dir));
                }
                Err(TryLockError::Error(err)) => {
                    return Err(refuse(format!("cannot lock {}: {err}", path.display())));
                }
                Err(TryLockError::WouldBlock) => {}
            }
            if let Some(endpoint) = read_endpoint(path)? {
                return Ok(Hold::Running(endpoint));
            }
            if Self::PATIENCE < started.elapsed() {
                return Err(refuse(format!(
                    "{} is in use by another flockwork command; try again when it is done",
                    path.display()
                )));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Where a running `flockwork run` serves the directory at `path`, without touching it.
    pub fn served_at(path: &Path) -> anyhow::Result<Option<Endpoint>> {
        check_owner(path, path)?;
        check_file(&path.join(LOCK), path)?;
        let Ok(lock) = File::open(path.join(LOCK)) else { return Ok(None) };
        match lock.try_lock_shared() {
            Err(TryLockError::WouldBlock) => read_endpoint(path),
            Ok(()) | Err(TryLockError::Error(_)) => Ok(None),
        }
    }

    /// Whether the run that answered at `endpoint` has `path` no more. One that was killed lets go a moment after it fell silent.
    pub(crate) async fn has_ended(path: &Path, endpoint: &Endpoint) -> bool {
        const MOMENT: Duration = Duration::from_millis(500);
        let started = Instant::now();
        loop {
            let now = Self::served_at(path).ok().flatten();
            if now.is_none_or(|now| !now.token.is(endpoint.token.expose())) {
                return true;
            }
            if MOMENT < started.elapsed() {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whether there may be more at `path` than what a process left that died before it had made a database: something that is to be
    /// looked at before that is known, too.
    pub fn is_begun(path: &Path) -> bool {
        let entries = match fs::read_dir(path) {
            Ok(entries) => entries,
            Err(err) => return err.kind() != ErrorKind::NotFound,
        };
        let mut entries = entries.flatten();
        entries.any(|entry| {
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| is_ours(name)) else { return false };
            // What else has the place of a file of ours is refused.
            let Some(file) = entry.metadata().ok().filter(fs::Metadata::is_file) else {
                return true;
            };
            match name {
                DATABASE => 0 < file.len(),
                LOCK => !is_free(&entry.path()),
                ENDPOINT | SAMPLE => false,
                // What belongs to a database that is gone, and secrets.
                _ => !is_unfinished(name),
            }
        })
    }

    /// Whether the directory at `path` has no database yet, or was just given the sample flock when its process died.
    pub fn wants_sample(path: &Path) -> bool {
        fs::metadata(path.join(DATABASE)).map_or(true, |database| database.len() == 0)
            || path.join(SAMPLE).exists()
    }

    /// The sample flock is about to be applied.
    pub fn begin_sample(&self) -> anyhow::Result<()> {
        self.replace(&self.path.join(SAMPLE), b"")
    }

    /// The sample flock is applied.
    pub fn end_sample(&self) -> anyhow::Result<()> {
        let path = self.path.join(SAMPLE);
        fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))
    }

    /// The path of the database file.
    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// Lets there be a database file with what `make` puts into one, if there is none, or one with nothing in it. Nobody else
    /// can read it from its first moment on: `SQLite` gives its other files the same permissions.
    pub fn make_database(
        &self,
        make: impl FnOnce(&Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let path = self.database();
        if fs::metadata(&path).is_ok_and(|database| 0 < database.len()) {
            return Ok(());
        }
        let cannot = |err: std::io::Error| {
            refuse(format!("cannot write {}: {}", path.display(), files::unwritable(&err)))
        };
        // Not held open: closing it would take SQLite's locks away.
        let new = self.unfinished().map_err(cannot)?.into_temp_path();
        make(&new)?;
        new.persist(&path).map_err(|err| cannot(err.error))
    }

    /// Refuses a database file that is damaged, before anything is written to it, and one that is missing or empty
    /// where there are `secrets`, which are made after it.
    pub fn check_database(&self, secrets: &[&str]) -> anyhow::Result<()> {
        let path = self.database();
        // What was written last and belongs to the database that is gone would be written into a copy.
        let journals =
            ["-wal", "-shm", "-journal"].map(|end| self.path.join(format!("{DATABASE}{end}")));
        let journals: Vec<_> = journals.into_iter().filter(|path| path.exists()).collect();
        let copy = match &*listed(&journals) {
            "" => "put back a copy of it".to_owned(),
            journals => format!("move away what is left of it ({journals}), then put back a copy"),
        };
        let lost = |what: &str| {
            let paths = secrets.iter().map(|name| self.secret_path(name));
            let there: Vec<_> = paths.filter(|path| path.exists()).collect();
            if there.is_empty() {
                return Ok(());
            }
            Err(refuse(format!(
                "the database {} {what}, though the secrets that belong to it are there; {copy}. To begin \
                 anew instead, move the secrets away, too ({}): accounts then have to be connected again, because \
                 their keys are sealed with them, and the numbers of posts begin at 1",
                path.display(),
                listed(&there),
            )))
        };
        match fs::metadata(&path) {
            Ok(database) if database.len() == 0 => return lost("is empty"),
            Err(err) if err.kind() == ErrorKind::NotFound => return lost("is missing"),
            // What else is wrong is said where it is opened.
            _ => {}
        }
        let damaged = |what: String| {
            refuse(format!(
                "the database {} is damaged ({what}); {copy}, or move it away to see how to begin anew",
                path.display()
            ))
        };
        let check = || -> rusqlite::Result<_> {
            let database = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            let verdict: String =
                database.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
            let tables: u32 =
                database.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
            Ok((verdict, tables))
        };
        refuse_foreign(&self.path)?;
        match check() {
            Ok((verdict, 0)) if verdict == "ok" => {
                lost("has nothing in it")?;
                Err(foreign(&path, "nothing is in it", &self.path))
            }
            Ok((verdict, _)) if verdict == "ok" => Ok(()),
            // The first line names the database, the last what is wrong with it.
            Ok((verdict, _)) => Err(damaged(verdict.lines().last().unwrap_or_default().to_owned())),
            Err(err)
                if matches!(
                    err.sqlite_error_code(),
                    Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
                ) =>
            {
                Err(damaged(err.to_string()))
            }
            // A full disk is no damage, and moving the database away would lose it.
            Err(err) => Err(refuse(format!(
                "the database {} cannot be used: {err}; make room where the disk is full, see that the directory can be \
                 written, or name another with --data",
                path.display()
            ))),
        }
    }

    /// The files that a run has open, as they are now.
    pub(crate) fn files_in_use(&self) -> FilesInUse {
        let files = [LOCK, DATABASE].map(|name| self.path.join(name));
        FilesInUse(files.map(|path| (identity(&path), path)))
    }

    /// Says where this directory is served, for other commands.
    pub fn publish_endpoint(&self, endpoint: &Endpoint) -> anyhow::Result<()> {
        let path = self.path.join(ENDPOINT);
        // Whole or not at all, because others read it at any moment.
        self.replace(&path, &serde_json::to_vec(endpoint)?)?;
        // Afterwards: whoever sees this knows that the endpoint was there.
        let mark = format!("{RUN}{}\n", std::process::id());
        self.lock.write_all_at(mark.as_bytes(), 0).map_err(|err| {
            let lock = self.path.join(LOCK);
            refuse(format!("cannot write to {}: {}", lock.display(), files::unwritable(&err)))
        })
    }

    /// No run answers here any more. Before its endpoint is removed, as it came after it.
    fn unmark(&self) {
        // What cannot be shortened had nothing written to it either.
        let _ = self.lock.set_len(0);
    }

    /// The local secret called `name`, if it is there.
    pub fn secret(&self, name: &str) -> anyhow::Result<Option<String>> {
        let path = self.secret_path(name);
        match files::read_text(&path, WRITTEN_BY_HAND) {
            Ok(text) => Ok(Some(text)),
            Err(Unreadable::Missing) => Ok(None),
            Err(err) => Err(refuse(format!("cannot read {}: it {err}", path.display()))),
        }
    }

    /// Replaces the local secret called `name`. The file is readable by its owner alone.
    pub fn put_secret(&self, name: &str, text: &str) -> anyhow::Result<()> {
        self.replace(&self.secret_path(name), text.as_bytes())
    }

    /// Keeps what is written of secrets, for the services of the process that holds the directory.
    pub(crate) fn keep(&self) -> Keep {
        let dir = self.path.clone();
        Box::new(move |name, text| {
            let written = replace(&dir, &secret_path(&dir, name), text.as_bytes());
            written.map_err(|err| format!("{err:#}"))
        })
    }

    /// Gives the file at `path` this content and no other, readable by its owner alone.
    fn replace(&self, path: &Path, content: &[u8]) -> anyhow::Result<()> {
        replace(&self.path, path, content)
    }

    /// An empty file, readable by its owner alone, for what is being written.
    fn unfinished(&self) -> std::io::Result<NamedTempFile> {
        unfinished(&self.path)
    }

    /// The file of the local secret called `name`.
    pub(crate) fn secret_path(&self, name: &str) -> PathBuf {
        secret_path(&self.path, name)
    }

    fn remove_endpoint(&self) {
        // Not there is as good as removed.
        let _ = fs::remove_file(self.path.join(ENDPOINT));
    }

    /// What a process that was killed did not finish to write, and nobody else can be writing now.
    fn remove_unfinished(&self) {
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            if entry.file_name().to_str().is_some_and(is_unfinished) {
                // It does no harm but to be there.
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// Refuses a database that another program has made, without touching it. A file that is no database is damaged.
fn refuse_foreign(dir: &Path) -> anyhow::Result<()> {
    let path = dir.join(DATABASE);
    if !fs::symlink_metadata(&path).is_ok_and(|file| file.is_file() && 0 < file.len()) {
        return Ok(());
    }
    let Ok(mut tables) = tables(&path) else { return Ok(()) };
    let log = dir.join(format!("{DATABASE}-wal"));
    if tables.is_empty() && log.exists() {
        tables = tables_with_log(&path, &log).unwrap_or_default();
    }
    let is_ours = tables.iter().any(|table| table == EVERY_TABLE);
    let has_secrets = || {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        let mut names = entries.map(|entry| entry.file_name());
        names.any(|name| name.to_str().is_some_and(|name| name.ends_with(SECRET)))
    };
    match tables.first() {
        _ if is_ours => Ok(()),
        Some(table) => Err(foreign(&path, &format!("it has the table `{table}`"), dir)),
        None if has_secrets() => Ok(()),
        None => Err(foreign(&path, "nothing is in it", dir)),
    }
}

fn foreign(path: &Path, why: &str, dir: &Path) -> anyhow::Error {
    refuse(format!(
        "the file {} was not made by flockwork ({why}), and is left as it is; move it away, or choose another directory \
         than {} with --data",
        path.display(),
        dir.display()
    ))
}

/// The names of what is in a database, in which nobody is writing: no lock is taken, and no file made beside it.
fn tables(path: &Path) -> rusqlite::Result<Vec<String>> {
    // As SQLite wants it in an address (SQLite, "Uniform Resource Identifiers", 2026-11).
    let escaped = path.as_os_str().as_bytes().iter().map(|byte| match byte {
        byte if byte.is_ascii_alphanumeric() || b"/._-".contains(byte) => {
            char::from(*byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    });
    let address = format!("file:{}?immutable=1", escaped.collect::<String>());
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    names(&Connection::open_with_flags(address, flags)?)
}

/// The same where the first tables are still in the log beside it: of a copy, because whoever reads the log writes beside it.
fn tables_with_log(path: &Path, log: &Path) -> anyhow::Result<Vec<String>> {
    let copies = tempfile::tempdir()?;
    let copy = copies.path().join(DATABASE);
    fs::copy(path, &copy)?;
    fs::copy(log, copies.path().join(format!("{DATABASE}-wal")))?;
    Ok(names(&Connection::open(copy)?)?)
}

fn names(database: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut query = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
    let names = query.query_map([], |row| row.get(0))?;
    names.collect()
}

fn listed(paths: &[PathBuf]) -> String {
    let names: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
    names.join(", ")
}

/// Makes the directory for its owner alone, and those above it as they are made elsewhere.
fn make(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(above) = path.parent().filter(|above| !above.as_os_str().is_empty()) {
        fs::create_dir_all(above)?;
    }
    match DirBuilder::new().mode(0o700).create(path) {
        // Another command was quicker.
        Err(err) if err.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made,
    }
}

/// Refuses what another user of the machine could have put there: an address to send our keys to, a database.
fn check_owner(path: &Path, dir: &Path) -> anyhow::Result<()> {
    let Ok(metadata) = fs::metadata(path) else { return Ok(()) };
    if metadata.uid() == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(refuse(format!(
        "{} belongs to another user of this machine (number {}), who could read and change what is in it; be that \
         user, or choose another directory than {} with --data",
        path.display(),
        metadata.uid(),
        dir.display(),
    )))
}

/// Refuses a file of ours that leads elsewhere, where others may have pointed it, or that is none.
fn check_file(path: &Path, dir: &Path) -> anyhow::Result<()> {
    // Another command may have just removed it.
    let Ok(metadata) = fs::symlink_metadata(path) else { return Ok(()) };
    if !metadata.is_file() {
        return Err(refuse(format!(
            "{} is a link, or no regular file; move it away, or choose another directory than {} with --data",
            path.display(),
            dir.display(),
        )));
    }
    check_owner(path, dir)
}

/// Closes the directory and what is ours in it to everybody else, as older versions did not. A directory that holds
/// other things, too, is somebody's for more than us: it stays as it is, unless others could write to it. What is
/// refused is before anything is changed.
fn close(path: &Path) -> anyhow::Result<()> {
    let cannot = |what: &Path, err: &std::io::Error| {
        refuse(format!(
            "cannot use the data directory {}: {}: {err}",
            path.display(),
            what.display()
        ))
    };
    let look = || -> anyhow::Result<(Vec<PathBuf>, bool)> {
        let (mut ours, mut others) = (Vec::new(), false);
        for entry in fs::read_dir(path).map_err(|err| cannot(path, &err))? {
            let entry = entry.map_err(|err| cannot(path, &err))?;
            if entry.file_name().to_str().is_some_and(is_ours) {
                check_file(&entry.path(), path)?;
                ours.push(entry.path());
            } else {
                others = true;
            }
        }
        Ok((ours, others))
    };
    let (_, others) = look()?;
    let mode = fs::metadata(path).map_err(|err| cannot(path, &err))?.mode();
    if !others {
        close_one(path).map_err(|err| cannot(path, &err))?;
    } else if mode & 0o022 != 0 {
        return Err(refuse(format!(
            "others may write to {}, so they could replace what flockwork keeps there, and it holds other things, so its \
             permissions are not changed; choose a directory of its own with --data, or close it: chmod go-w {}",
            path.display(),
            path.display(),
        )));
    }
    // Again, because nobody else can put anything there from now on.
    let (ours, _) = look()?;
    ours.iter().try_for_each(|file| close_one(file).map_err(|err| cannot(file, &err)))
}

fn close_one(path: &Path) -> std::io::Result<()> {
    let mode = match fs::metadata(path) {
        Ok(metadata) => metadata.mode(),
        // Another command has just removed it.
        Err(err) if err.kind() == ErrorKind::NotFound => return Ok(()),
        Err(err) => return Err(err),
    };
    // The file's kind is in the mode, too.
    let (mode, closed) = (mode & 0o7777, mode & 0o700);
    if mode == closed {
        return Ok(());
    }
    match fs::set_permissions(path, fs::Permissions::from_mode(closed)) {
        Err(err) if err.kind() == ErrorKind::NotFound => Ok(()),
        closed => closed,
    }
}

/// Whether nobody holds the lock.
fn is_free(lock: &Path) -> bool {
    File::open(lock).is_ok_and(|lock| lock.try_lock_shared().is_ok())
}

/// Whether a file of this name in the data directory is made here.
fn is_ours(name: &str) -> bool {
    let of_database = name.strip_prefix(DATABASE);
    of_database.is_some_and(|end| ["", "-wal", "-shm", "-journal"].contains(&end))
        || [LOCK, ENDPOINT, SAMPLE].contains(&name)
        || name.ends_with(SECRET)
        || is_unfinished(name)
}

fn is_unfinished(name: &str) -> bool {
    // A database has files beside it while it is made.
    name.starts_with(NEW.0) && name.contains(NEW.1)
}

/// Where the run is that has the directory, once it answers. Refused is a run that cannot be asked.
fn read_endpoint(path: &Path) -> anyhow::Result<Option<Endpoint>> {
    let endpoint = path.join(ENDPOINT);
    check_owner(&endpoint, path)?;
    // What a dead run has left is not removed yet by whoever takes its place.
    let Some(process) = run_that_answers(path) else { return Ok(None) };
    let not_a_file = fs::symlink_metadata(&endpoint).is_ok_and(|there| !there.is_file());
    let why = if not_a_file {
        "is a link, or no regular file".to_owned()
    } else {
        match files::read(&endpoint, WRITTEN_BY_HAND) {
            Ok(text) => match serde_json::from_slice(&text) {
                Ok(endpoint) => return Ok(Some(endpoint)),
                Err(_) => "is damaged, or of another version".to_owned(),
            },
            Err(Unreadable::Missing) => "is missing".to_owned(),
            Err(err) => err.to_string(),
        }
    };
    // It has ended while the other file was looked at.
    if run_that_answers(path) != Some(process) {
        return Ok(None);
    }
    let away = if not_a_file { ", move that file away," } else { "" };
    Err(refuse(format!(
        "a `flockwork run` has {}, but {}, which says where it answers, {why}; end that run (Ctrl-C where it runs, or \
         `kill {process}`){away} and start it again",
        path.display(),
        endpoint.display(),
    )))
}

/// The process of the run that has the directory, once it has said where it answers, and as long as it lives.
fn run_that_answers(path: &Path) -> Option<i32> {
    let text = files::read_text(&path.join(LOCK), MOST_IN_LOCK).ok()?;
    let process = text.strip_prefix(RUN)?.trim_end().parse().ok()?;
    let lives = match test_kill_process(Pid::from_raw(process)?) {
        Ok(()) => true,
        Err(err) => err == Errno::PERM,
    };
    lives.then_some(process)
}

/// Which file there is at a path.
fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

impl Drop for DataDir {
    fn drop(&mut self) {
        self.unmark();
        self.remove_endpoint();
    }
}

/// Gives the file at `path` in `dir` this content and no other, readable by its owner alone.
fn replace(dir: &Path, path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let write = || {
        let mut file = unfinished(dir)?;
        file.write_all(content)?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|err: std::io::Error| {
        let what = match fs::symlink_metadata(path) {
            Ok(there) if there.is_dir() => "it is a directory; move it away".to_owned(),
            _ => files::unwritable(&err),
        };
        refuse(format!("cannot write {}: {what}", path.display()))
    })
}

/// An empty file in `dir`, readable by its owner alone, for what is being written.
fn unfinished(dir: &Path) -> std::io::Result<NamedTempFile> {
    let (prefix, suffix) = NEW;
    tempfile::Builder::new()
        .prefix(prefix)
        .suffix(suffix)
        .permissions(fs::Permissions::from_mode(0o600))
        .tempfile_in(dir)
}

/// The file in `dir` of the local secret called `name`.
fn secret_path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{}{SECRET}", name.to_lowercase()))
}
