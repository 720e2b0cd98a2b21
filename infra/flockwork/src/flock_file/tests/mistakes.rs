//! All that is wrong is said at once, and nothing makes it panic.

use std::fs;

use super::{
    super::{FLOCK_TOML, Mistake, mistakes::by_place, read, read_text},
    EXAMPLE, check, check_files, directory, example, shown,
};

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
account = "@@b"
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
flock.toml:2: `time_zone`: `Europe/Lundon` is not a time zone; did you mean Europe/London?
flock.toml:7: `stanza`: `2 weeks, or so` is not a length of time; write it as 30s, 3m, 2h or 1d
flock.toml:8: unknown field `colour`; [defaults] takes account, behaviour, post, split, skip, order, most, start_words, must_words, again_after, again_times, network, made_with_ai, line, stanza, at, days, window, time_zone, jitter, spread, start, end, daily_cap, catch_up
flock.toml:15: the sheep name `b` is used twice: in line 11 (poems/b.txt) and in line 15
flock.toml:16: `prose` is not a behaviour: use poem, queue, grammar, markov or mix
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
poems/latin.txt:2: line 2 is not UTF-8 but, as it seems, Latin-1; convert the file: iconv -f ISO-8859-1 -t UTF-8 old.txt > new.txt
poems/long.txt:2: the text is 281 characters long by x's counting; x takes 280; write split = true to make a thread of it, which cuts no link
poems/long.txt:4: the text is 2000 characters long by x's counting; x takes 280; write split = true to make a thread of it, which cuts no link",
    );
}

#[test]
fn a_flock_is_a_directory_with_a_flock_toml() {
    let dir = directory(&[]);
    let missing = "flock.toml: it does not exist; a flock is a directory with a flock.toml in it";
    assert_eq!(shown(dir.path()), missing);
    let nowhere = dir.path().join("nowhere");
    assert_eq!(read(&nowhere).unwrap_err().as_slice().first().unwrap().file, nowhere);
    assert!(shown(&nowhere).ends_with("/nowhere: it does not exist"));
    assert!(shown(&dir.path().join("a.txt")).ends_with("/a.txt: it is not a directory"));
    fs::create_dir(dir.path().join(FLOCK_TOML)).unwrap();
    assert_eq!(shown(dir.path()), "flock.toml: it is a directory");
    let dir = directory(&[("flock.toml", b"name = \"f\"\n# caf\xe9\n")]);
    assert_eq!(
        shown(dir.path()),
        "flock.toml:2: line 2 is not UTF-8 but, as it seems, Latin-1; convert the file: iconv -f ISO-8859-1 -t UTF-8 old.txt > new.txt"
    );
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
    check(
        "name = “f”\ntime_zone = 'UTC'\n[[sheep]]\nname = ‘a’",
        "flock.toml:1: this is not TOML: its quotation marks are straight, \"like these\", and not as word processors make them, at `“f”`\n\
         flock.toml:4: this is not TOML: its quotation marks are straight, \"like these\", and not as word processors make them, at `‘a’`",
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
        let place = |problem: &Mistake| (problem.file.clone(), problem.line);
        let places: Vec<_> = problems.as_slice().iter().map(place).collect();
        assert!(places.is_sorted_by(|(a, m), (b, n)| by_place((a, *m), (b, *n)).is_le()), "{text}");
        assert_eq!(problems.to_string().lines().count(), problems.as_slice().len(), "{text}");
        let lines = text.split('\n').count();
        for problem in problems.as_slice() {
            assert!(problem.line.is_none_or(|line| (1..=lines).contains(&line)), "{text}");
        }
    }
}
