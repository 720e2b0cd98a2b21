//! Patterns, and links.

use std::{fs, path::Path};

use super::{check_own, directory, shown};
use crate::flock_file::FLOCK_TOML;

#[test]
fn files_are_a_pattern_inside_the_directory() {
    const UPWARD: &str = "is absolute or has `..` in it; name files from the flock's directory on";
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
fn links_stay_inside() {
    const OUTSIDE: &str = "leads out of the flock's directory; keep the files of a flock inside it";
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

/// What stands in a pattern for itself, and what does not.
#[test]
fn a_pattern_says_what_it_means() {
    let dir = directory(&[
        ("odd/{p,q}/both.txt", b"x"),
        ("odd/p/only-p.txt", b"x"),
        ("odd/q/only-q.txt", b"x"),
        ("odd/back\\slash/back.txt", b"x"),
        ("odd/star*/star.txt", b"x"),
        ("odd/é/acute.txt", b"x"),
        ("odd/[r]/r.txt", b"x"),
        ("odd/UPPER/upper.txt", b"x"),
        ("odd/.z/z.txt", b"x"),
        ("deep/.hidden/h.txt", b"x"),
        ("deep/.i.txt", b"x"),
        ("deep/one/two/three.txt", b"x"),
        ("deep/one.txt", b"x"),
    ]);
    let check = |pattern: &str, expected: &str| {
        let expected = expected.replace("...", &format!("flock.toml:5: `{pattern}`"));
        check_own(&dir, &format!("files = '{pattern}'"), &expected);
    };
    check("odd/?/*", "acute only-p only-q");
    check("odd/??/*", "... matches no file");
    check("odd/[à-ü]/*", "acute");
    check("odd/[pq]/*", "only-p only-q");
    check("odd/[!a-p]/*", "acute only-q");
    check("odd/{p,q}/*", "both");
    check("odd/*\\*/*", "back");
    check("odd/[[]r]/*", "r");
    check("odd/star[*]/*", "star");
    check("odd/.z/*", "z");
    check("odd/.?/*", "z");
    check("odd/*z/*", "... matches no file");
    check("odd/?z/*", "... matches no file");
    check("odd/[.]z/*", "... matches no file");
    check("odd/UPP*/*", "upper");
    check("odd/upper/*", "... matches no file");
    check("deep/**/*.txt", "one three");
    check("deep/**", "one three");
    check("deep/.*", "i");
    check("deep/**/.*", "i");
    check("deep/.*/h.txt", "h");
    check("deep/*/*/*", "three");
    check("deep//./one.*", "one");
    check("deep/[z-a]*", "... matches no file");
    check("deep/***", "... is not a pattern: wildcards are either regular `*` or recursive `**`");
    for single in ["deep/a**b/c", "**a"] {
        let single_only = "recursive wildcards must form a single path component";
        check(single, &format!("... is not a pattern: {single_only}"));
    }
    for open in ["deep/[]", "deep/[!]", "[a"] {
        check(open, "... is not a pattern: invalid range pattern");
    }
}
