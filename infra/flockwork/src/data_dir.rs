//! The directory of the local run: who may use it, where it is served, what it keeps.

use std::{
    fs::{self, File, TryLockError},
    io::Write as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use serde::{Deserialize, Serialize};

use crate::{
    files::{self, Unreadable, WRITTEN_BY_HAND},
    refusal::refuse,
};

const DATABASE: &str = "flock.db";

const ENDPOINT: &str = "endpoint.json";

/// Where a running `flockwork run` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its page.
    pub page: String,
    /// Its `DynamoDB`.
    pub dynamodb: String,
    /// Its other services.
    pub services: String,
    /// Where to enter something in its Slack; empty in an older version.
    #[serde(default)]
    pub slack: String,
}

/// The data directory, held by this process until dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    // Locked; the system unlocks it when the process ends, however it ends.
    _lock: File,
}

/// The data directory is ours, or a `flockwork run` has it.
#[derive(Debug)]
pub enum Hold {
    /// It is ours.
    Ours(DataDir),
    /// It is served there.
    Running(Endpoint),
}

impl DataDir {
    /// How long to wait for another command that has the directory for a moment.
    const PATIENCE: Duration = Duration::from_secs(10);

    /// Takes the directory, or finds who has it.
    pub async fn hold(path: &Path) -> anyhow::Result<Hold> {
        fs::create_dir_all(path).map_err(|err| {
            refuse(format!("cannot make the data directory {}: {err}", path.display()))
        })?;
        let lock = path.join("lock");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock)
            .map_err(|err| refuse(format!("cannot write to {}: {err}", lock.display())))?;
        let started = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => {
                    let dir = Self { path: path.to_owned(), _lock: lock };
                    // Left by a run that was killed.
                    dir.remove_endpoint();
                    return Ok(Hold::Ours(dir));
                }
                Err(TryLockError::Error(err)) => {
                    return Err(refuse(format!("cannot lock {}: {err}", path.display())));
                }
                Err(TryLockError::WouldBlock) => {}
            }
            if let Some(endpoint) = read_endpoint(path) {
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
    pub fn served_at(path: &Path) -> Option<Endpoint> {
        let lock = File::open(path.join("lock")).ok()?;
        match lock.try_lock_shared() {
            Err(TryLockError::WouldBlock) => read_endpoint(path),
            Ok(()) | Err(TryLockError::Error(_)) => None,
        }
    }

    /// Whether the directory at `path` has no database yet.
    pub fn is_new(path: &Path) -> bool {
        !path.join(DATABASE).exists()
    }

    /// The path of the database file.
    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// Refuses a database file that is damaged, before anything is written to it.
    pub fn check_database(&self) -> anyhow::Result<()> {
        let path = self.database();
        if !path.exists() {
            return Ok(());
        }
        let damaged = |what: String| {
            refuse(format!(
                "the database {} is damaged ({what}); put back a copy of it, or move it away to start \
                 with an empty one",
                path.display()
            ))
        };
        let check = || {
            let database = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            database.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))
        };
        match check() {
            Ok(verdict) if verdict == "ok" => Ok(()),
            // The first line names the database, the last what is wrong with it.
            Ok(verdict) => Err(damaged(verdict.lines().last().unwrap_or_default().to_owned())),
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
                "the database {} cannot be read: {err}; see whether the disk is full and the \
                 directory can be written",
                path.display()
            ))),
        }
    }

    /// Says where this directory is served, for other commands.
    pub fn publish_endpoint(&self, endpoint: &Endpoint) -> anyhow::Result<()> {
        let path = self.path.join(ENDPOINT);
        // Whole or not at all, because others read it at any moment.
        let mut file = tempfile::NamedTempFile::new_in(&self.path)?;
        file.write_all(&serde_json::to_vec(endpoint)?)?;
        file.persist(&path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(())
    }

    /// The local secret called `name`; made by `make` when it is not there yet.
    pub fn secret(&self, name: &str, make: impl FnOnce() -> String) -> anyhow::Result<String> {
        let path = self.secret_path(name);
        match files::read_text(&path, WRITTEN_BY_HAND) {
            Ok(text) => Ok(text),
            Err(Unreadable::Missing) => {
                let text = make();
                self.put_secret(name, &text)?;
                Ok(text)
            }
            Err(err) => Err(refuse(format!("cannot read {}: it {err}", path.display()))),
        }
    }

    /// Replaces the local secret called `name`. The file is readable by its owner alone.
    pub fn put_secret(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = self.secret_path(name);
        let mut file = tempfile::NamedTempFile::new_in(&self.path)?;
        file.write_all(text.as_bytes())?;
        file.persist(&path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(())
    }

    fn secret_path(&self, name: &str) -> PathBuf {
        self.path.join(format!("{}.secret.json", name.to_lowercase()))
    }

    fn remove_endpoint(&self) {
        // Not there is as good as removed.
        let _ = fs::remove_file(self.path.join(ENDPOINT));
    }
}

fn read_endpoint(path: &Path) -> Option<Endpoint> {
    serde_json::from_slice(&files::read(&path.join(ENDPOINT), WRITTEN_BY_HAND).ok()?).ok()
}

impl Drop for DataDir {
    fn drop(&mut self) {
        self.remove_endpoint();
    }
}
