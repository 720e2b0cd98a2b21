//! Names of files, which may be spelled in two ways: a letter with its accent as one character, as most systems write
//! it, or as two, as Macs do. An archive may have either, and people see no difference.

use std::{
    borrow::Cow,
    fs, io,
    path::{Path, PathBuf},
};

use flock_core::{InvalidId, SheepName};
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// The usual spelling: Unicode's NFC.
pub(super) fn usual(name: &str) -> Cow<'_, str> {
    ComposingNormalizerBorrowed::new_nfc().normalize(name)
}

/// The name of the sheep of a file, and what the other spelling makes of it, where that is another.
pub(super) fn sheep_names(stem: &str) -> Result<(SheepName, Option<SheepName>), InvalidId> {
    let own = SheepName::from_file_stem(&usual(stem));
    let apart = DecomposingNormalizerBorrowed::new_nfd().normalize(stem);
    match (own, SheepName::from_file_stem(&apart)) {
        (Ok(own), other) => {
            let other = other.ok().filter(|other| *other != own);
            Ok((own, other))
        }
        (Err(_), Ok(other)) => Ok((other, None)),
        (Err(err), Err(_)) => Err(err),
    }
}

/// The path at `relative` in `root`, as it is spelled there.
pub(super) fn find(root: &Path, relative: &Path) -> io::Result<PathBuf> {
    let mut path = root.to_owned();
    for part in relative.components() {
        let next = path.join(part);
        path =
            if next.symlink_metadata().is_ok() { next } else { respelled(&path, part.as_ref())? };
    }
    Ok(path)
}

/// What is called `name` in the directory `at`, in whichever spelling.
fn respelled(at: &Path, name: &Path) -> io::Result<PathBuf> {
    let missing = || io::Error::from(io::ErrorKind::NotFound);
    let name = name.to_str().ok_or_else(missing)?;
    // Most names can be spelled in one way only.
    if name.is_ascii() {
        return Err(missing());
    }
    let mut found: Vec<_> = fs::read_dir(at)?
        .filter_map(Result::ok)
        .map(|entry| entry.file_name())
        .filter(|there| there.to_str().is_some_and(|there| usual(there) == usual(name)))
        .collect();
    found.sort();
    found.into_iter().next().map(|there| at.join(there)).ok_or_else(missing)
}
