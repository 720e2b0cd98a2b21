//! Files that people name: read whole, but never more of them than they may have, and never for ever.

use std::{
    borrow::Cow,
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use flock_core::{NotText, natural, text_of};
use rustix::fs::OFlags;
use tempfile::NamedTempFile;

/// What is written by hand: keys, settings, `flock.toml`. `CloudFormation` takes no longer template either (AWS,
/// "`CloudFormation` quotas", 2026-11).
pub(crate) const WRITTEN_BY_HAND: u64 = 1024 * 1024;

/// Why there is no reading a file. Follows the name of the file, or `it`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("does not exist")]
    Missing,
    #[error("is a directory")]
    Directory,
    #[error("is not a regular file; copy what comes out of it into one")]
    Special,
    #[error("is {bytes} bytes long; {most} ({} MB) is the most", most / (1024 * 1024))]
    Large {
        /// How long it is.
        bytes: u64,
        /// How long it may be.
        most: u64,
    },
    #[error("is no text: {0}")]
    NotText(NotText),
    #[error("cannot be read: {0}")]
    Io(io::Error),
}

impl From<io::Error> for Unreadable {
    fn from(err: io::Error) -> Self {
        if err.kind() == io::ErrorKind::NotFound { Self::Missing } else { Self::Io(err) }
    }
}

/// Why a file of the data directory cannot be written, and what there is to do. Follows the name of the file.
pub(crate) fn unwritable(err: &io::Error) -> String {
    let why = unwritable_there(err);
    match err.kind() {
        io::ErrorKind::ReadOnlyFilesystem => {
            why + ", or copy the directory to another disk and name it with --data"
        }
        io::ErrorKind::PermissionDenied => why + ", or name another directory with --data",
        _ => why,
    }
}

/// The same, for a file that has its place.
pub(crate) fn unwritable_there(err: &io::Error) -> String {
    match err.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "the disk is full; make room there, and give the command again".to_owned()
        }
        io::ErrorKind::FileTooLarge => {
            "no file may grow so large in this shell; see `ulimit -f`, and give the command again"
                .to_owned()
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "what is on that disk can only be read; have it mounted for writing".to_owned()
        }
        io::ErrorKind::PermissionDenied => {
            "you may not write there; see to its permissions".to_owned()
        }
        _ => err.to_string(),
    }
}

/// Gives the file at `path` this content and no other: all of it, or the file stays as it is. It keeps its permissions, and
/// a link leads where it led.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let (new, path) = beside(path, content)?;
    new.persist(path)?;
    Ok(())
}

/// Whether [`replace`] would do the same now. The file stays as it is.
pub(crate) fn try_replacing(path: &Path, content: &[u8]) -> io::Result<()> {
    beside(path, content).map(drop)
}

/// A file with this content that can take the place of the one at `path`, and where that is.
fn beside(path: &Path, content: &[u8]) -> io::Result<(NamedTempFile, PathBuf)> {
    let (path, permissions) = match path.canonicalize() {
        Ok(path) => {
            // Whoever closed it to themselves does not want another in its place either.
            let permissions = File::options().append(true).open(&path)?.metadata()?.permissions();
            (path, Some(permissions))
        }
        Err(err) if err.kind() == io::ErrorKind::NotFound => (path.to_owned(), None),
        Err(err) => return Err(err),
    };
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    let mut new = tempfile::Builder::new()
        .prefix(UNFINISHED)
        // As of any new file: less what the umask takes.
        .permissions(fs::Permissions::from_mode(0o666))
        .tempfile_in(dir.unwrap_or(Path::new(".")))?;
    if let Some(permissions) = permissions {
        new.as_file().set_permissions(permissions)?;
    }
    new.write_all(content)?;
    new.as_file().sync_all()?;
    Ok((new, path))
}

/// How the name of a file begins that is being written. It is hidden, and so no text of a flock.
const UNFINISHED: &str = ".flockwork-";

/// The content of the regular file at `path`, of at most so many bytes. Links are followed.
pub(crate) fn read(path: &Path, most: u64) -> Result<Vec<u8>, Unreadable> {
    // Looked at first, because to open a device can do something.
    let length = check(&fs::metadata(path)?, most)?;
    // It may be something else by now: then neither to open it nor to read it may wait for somebody.
    let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(nonblocking).open(path)?;
    check(&file.metadata()?, most)?;
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    // It may grow while it is read, and what the system makes up as it is read has no length.
    file.take(most + 1).read_to_end(&mut bytes)?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= most => Ok(bytes),
        _ => Err(Unreadable::Large { bytes: most + 1, most }),
    }
}

/// The same, as text.
pub(crate) fn read_text(path: &Path, most: u64) -> Result<String, Unreadable> {
    let bytes = read(path, most)?;
    text_of(&bytes).map(Cow::into_owned).map_err(Unreadable::NotText)
}

/// The names of what a directory has with this extension, which is written without its dot, in the order in which people look for
/// names. What is hidden is left out.
pub(crate) fn with_extension(dir: &Path, extension: &str) -> Result<Vec<String>, Unreadable> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        let has = Path::new(&name).extension().is_some_and(|it| it.eq_ignore_ascii_case(extension));
        // What is no text cannot be written into a file of ours either.
        names.extend(name.into_string().ok().filter(|name| has && !name.starts_with('.')));
    }
    names.sort_by(|a, b| natural(a, b));
    Ok(names)
}

/// The length of what can be read whole.
pub(crate) fn check(metadata: &fs::Metadata, most: u64) -> Result<u64, Unreadable> {
    if metadata.is_dir() {
        Err(Unreadable::Directory)
    } else if !metadata.is_file() {
        Err(Unreadable::Special)
    } else if most < metadata.len() {
        Err(Unreadable::Large { bytes: metadata.len(), most })
    } else {
        Ok(metadata.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_is_said_with_what_to_do() {
        // No disk of a test is full or can only be read.
        for (errno, what) in [
            (rustix::io::Errno::NOSPC, "the disk is full; make room"),
            (rustix::io::Errno::DQUOT, "the disk is full; make room"),
            (rustix::io::Errno::ROFS, "can only be read; have it mounted for writing"),
            (rustix::io::Errno::ACCESS, "see to its permissions"),
            (rustix::io::Errno::FBIG, "see `ulimit -f`"),
            (rustix::io::Errno::IO, "Input/output error"),
        ] {
            let said = unwritable(&errno.into());
            assert!(said.contains(what), "{errno}: {said}");
            assert!(!unwritable_there(&errno.into()).contains("--data"), "{errno}");
        }
    }

    #[test]
    fn a_file_that_is_replaced_keeps_its_permissions_and_links() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        replace(&file, b"one").unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        replace(&link, b"two").unwrap();
        try_replacing(&link, b"three").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"two");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(link.is_symlink());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
