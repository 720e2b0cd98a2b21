//! Holds: any `flock.toml` is a flock that can be stored as it is, or refused with lines that are in it; and any `ring.toml` of a
//! flock is a ring of all its accounts, or refused likewise.
#![no_main]

use std::{
    fs::{self, File},
    os::unix::fs::FileExt as _,
    path::PathBuf,
    sync::LazyLock,
};

use flock_core::Act;
use flockwork::flock_file;
use libfuzzer_sys::fuzz_target;

/// The directory of the flock, with texts that fit and one that does not, and its `flock.toml`.
static FLOCK: LazyLock<(PathBuf, File)> = LazyLock::new(|| {
    let dir = tempfile::Builder::new().prefix("flockwork-fuzz-").tempdir().expect("a place").keep();
    fs::create_dir_all(dir.join("poems/old")).expect("a new directory");
    let odd = format!("{}\n{}\n\u{7}\n", "a".repeat(300), "b".repeat(3_000));
    for (path, text) in [
        ("apollo.txt", "Sing\n\nto me\n"),
        ("odd.txt", &odd),
        ("poems/.hidden.txt", "no\n"),
        ("poems/Paradise Lost, Book 1.txt", "Of Man's first disobedience\n"),
        ("poems/moss.txt", "\u{feff}moss\r\n"),
        ("poems/old/lost.txt", ""),
    ] {
        fs::write(dir.join(path), text).expect("a new file");
    }
    let file = File::create_new(dir.join("flock.toml")).expect("a new file");
    (dir, file)
});

/// The directory of a flock with three accounts, and its `ring.toml`.
static RING: LazyLock<(PathBuf, File)> = LazyLock::new(|| {
    let dir = tempfile::Builder::new().prefix("flockwork-fuzz-").tempdir().expect("a place").keep();
    let sheep = |name: &str, network: &str, account: &str| {
        fs::write(dir.join(format!("{name}.txt")), "Sing\n").expect("a new file");
        format!(
            "[[sheep]]\nname = \"{name}\"\nbehaviour = \"poem\"\ncorpus = \"{name}.txt\"\nline = \"1h\"\n\
             network = \"{network}\"\naccount = \"{account}\"\n"
        )
    };
    let all = [
        sheep("book-1", "x", "milton"),
        sheep("book-2", "mastodon", "milton@example.social"),
        sheep("book-10", "bluesky", "milton.example"),
    ];
    let flock = format!("name = \"paradise\"\ntime_zone = \"UTC\"\n{}", all.concat());
    fs::write(dir.join("flock.toml"), flock).expect("a new file");
    let file = File::create_new(dir.join("ring.toml")).expect("a new file");
    (dir, file)
});

fn ring(bytes: &[u8]) {
    let (dir, toml) = &*RING;
    toml.set_len(bytes.len() as u64).expect("a file of ours");
    toml.write_all_at(bytes, 0).expect("a file of ours");
    match flock_file::read_ring(dir) {
        Ok(ring) => {
            assert_eq!(ring.entries.len(), 3);
            for entry in ring.entries {
                match entry.wanted {
                    Ok(wanted) => drop(wanted.check(&entry.account)),
                    Err(why) => assert!(!why.is_empty()),
                }
            }
        }
        Err(problems) => {
            let lines = bytes.split(|byte| *byte == b'\n').count();
            for problem in problems.as_slice() {
                let is_there = problem.line.is_none_or(|line| (1..=lines).contains(&line));
                assert!(is_there && problem.file.ends_with("ring.toml"), "{problem}");
                assert!(!problem.to_string().contains(char::is_control), "{problem}");
            }
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    ring(bytes);
    let (dir, toml) = &*FLOCK;
    // Not emptied first: ext4 would wait for the disk then.
    toml.set_len(bytes.len() as u64).expect("a file of ours");
    toml.write_all_at(bytes, 0).expect("a file of ours");
    let file = dir.join("flock.toml");
    match flock_file::read(dir) {
        Ok(flock) => {
            assert!(!flock.sheep.is_empty());
            assert!(flock.sheep.is_sorted_by(|a, b| a.name < b.name), "twice the same name");
            for sheep in &flock.sheep {
                // Elsewhere the plan looks, once it knows the account.
                let behaviour = &sheep.config.behaviour;
                assert_eq!(behaviour.text(), &sheep.corpus.id());
                if behaviour.draws() {
                    assert_eq!(behaviour.units(), None);
                    continue;
                }
                let is_known = !sheep.config.account.network.facts().limits_vary;
                for (_, line) in sheep.corpus.lines().filter(|_| is_known) {
                    sheep.config.check(&Act::post(line)).expect("every line is a post");
                }
                assert_eq!(behaviour.units(), Some(sheep.corpus.len()));
            }
        }
        Err(problems) => {
            assert!(!problems.as_slice().is_empty());
            let lines = bytes.split(|byte| *byte == b'\n').count();
            for problem in problems.as_slice() {
                let is_there = problem.file != file
                    || problem.line.is_none_or(|line| (1..=lines).contains(&line));
                assert!(is_there, "{problem}");
                assert!(!problem.to_string().contains(char::is_control), "{problem}");
            }
        }
    }
});
