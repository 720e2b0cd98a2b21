//! Flocks as people write them, right and wrong.

mod fields;
mod files;
mod flock;
mod mistakes;
mod ring;
mod sheep;
mod texts;

use std::{fs, path::Path};

use flock_core::BehaviourKind;
use flock_ops::FlockFile;
use tempfile::TempDir;

use super::{FLOCK_TOML, read};

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
    let shown = shown.replace(&format!("{}/", dir.display()), "");
    // What is there instead is held by tests of the command.
    let line = |line: &str| line.split(": nothing is at ").next().unwrap_or_default().to_owned();
    shown.lines().map(line).collect::<Vec<_>>().join("\n")
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

/// Reads a flock of one sheep, under these lines, with these fields.
fn with_top(top: &str, own: &str) -> Result<FlockFile, String> {
    let dir = directory(&[]);
    let sheep = "[[sheep]]\nname = \"a\"\ncorpus = \"a.txt\"\nbehaviour = \"poem\"\nline = \"3m\"";
    fs::write(dir.path().join(FLOCK_TOML), format!("name = \"f\"\n{top}\n{sheep}\n{own}\n"))
        .unwrap();
    read(dir.path()).map_err(|_| shown(dir.path()))
}
