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

/// Letters of Latin alphabets that are no letter with something added to it, and how they are written without them.
const LETTERS: [(char, &str); 14] = [
    ('ß', "ss"),
    ('ẞ', "ss"),
    ('æ', "ae"),
    ('œ', "oe"),
    ('ø', "o"),
    ('ł', "l"),
    ('đ', "d"),
    ('ð', "d"),
    ('þ', "th"),
    ('ħ', "h"),
    ('ŧ', "t"),
    ('ŋ', "n"),
    ('ı', "i"),
    ('ĸ', "k"),
];

/// The text in small letters without accents, as far as it is written in Latin ones. What is written otherwise stays: how it is
/// read depends on the language, which a name does not say.
pub(crate) fn plain(text: &str) -> String {
    let is_accent = |c: &char| ('\u{300}'..='\u{36f}').contains(c);
    let mut plain = String::new();
    for c in DecomposingNormalizerBorrowed::new_nfkd().normalize(text).chars() {
        for c in c.to_lowercase().filter(|c| !is_accent(c)) {
            match LETTERS.iter().find(|(letter, _)| *letter == c) {
                Some((_, letters)) => plain.push_str(letters),
                None => plain.push(c),
            }
        }
    }
    plain
}

/// The names that a file gives its sheep: the one of a new sheep, and those of sheep that may be there, from before accents were
/// taken off, which were named by whichever spelling the file had. At least one.
pub(super) fn sheep_names(stem: &str) -> Result<Vec<SheepName>, InvalidId> {
    let apart = DecomposingNormalizerBorrowed::new_nfd().normalize(stem);
    let mut names: Vec<SheepName> = Vec::new();
    let mut invalid = None;
    for spelled in [plain(stem).as_str(), &usual(stem), &apart] {
        match SheepName::from_file_stem(spelled) {
            Ok(name) if names.contains(&name) => {}
            Ok(name) => names.push(name),
            Err(err) => invalid = Some(err),
        }
    }
    match invalid {
        Some(err) if names.is_empty() => Err(err),
        Some(_) | None => Ok(names),
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
