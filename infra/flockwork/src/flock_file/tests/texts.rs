//! Texts.

use std::fs;

use super::{
    super::{read, texts::MOST_TEXT_BYTES},
    check_files, check_own, directory, with_top,
};

#[test]
fn a_corpus_is_a_file_inside_the_directory() {
    let dir = directory(&[]);
    let check = |path: &str, expected: &str| {
        let expected = expected.replace("...", &format!("flock.toml:6: `{path}`"));
        check_own(&dir, &format!("name = \"s\"\ncorpus = \"{path}\""), &expected);
    };
    let large = fs::File::create(dir.path().join("large")).unwrap();
    large.set_len(MOST_TEXT_BYTES + 1).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket")).unwrap();
    check("a.txt", "s");
    check("./a.txt", "s");
    check("b.txt", "... does not exist");
    check("a.txt/b", "... cannot be read: Not a directory (os error 20)");
    check(
        "/etc/passwd",
        "... is absolute or has `..` in it; name files from the flock's directory on",
    );
    check(
        "poems/../a.txt",
        "... is absolute or has `..` in it; name files from the flock's directory on",
    );
    check("", "... is a directory; for the texts in it give `files`, such as \"poems/*.txt\"");
    check("large", "... is 67108865 bytes long; 67108864 (64 MB) is the most");
    check("socket", "... is not a regular file; copy what comes out of it into one");
}

#[test]
fn names_and_texts_are_shared_only_on_purpose() {
    let files: [(&str, &[u8]); 3] =
        [("poems/b!.txt", b"x"), ("poems/\u{2026}.txt", b"x"), ("poems/c/b.txt", b"x")];
    let toml = r#"name = "f"
[defaults]
behaviour = "poem"
line = "3m"
[[sheep]]
files = "poems/**"
"#;
    check_files(
        toml,
        &files,
        "\
flock.toml:6: the sheep name `b` is used twice: in line 6 (poems/b!.txt) and in line 6 (poems/b.txt)
flock.toml:6: the sheep name `b` is used twice: in line 6 (poems/b!.txt) and in line 6 (poems/c/b.txt)
poems/….txt: no sheep can be named after this file: `` is not a sheep name: use 1 to 48 of a-z, 0-9, `-` and `_`, starting with a letter or digit",
    );
    let toml = r#"name = "f"
[defaults]
behaviour = "poem"
line = "3m"
network = "x"
[[sheep]]
files = "poems/*"
account = "a"
[[sheep]]
name = "c"
corpus = "poems/b.txt"
[[sheep]]
name = "d"
corpus = "poems/b.txt"
network = "meadow"
"#;
    // Once for the two sheep on X, not at all for the one on the meadow.
    check_files(
        toml,
        &[("poems/b.txt", "a".repeat(281).as_bytes())],
        "poems/b.txt:1: the text is 281 characters long by x's counting; x takes 280",
    );
    let dir = directory(&[("flock.toml", toml.as_bytes())]);
    let flock = read(dir.path()).unwrap();
    let accounts = flock.sheep.iter().map(|sheep| sheep.config.account.to_string());
    assert_eq!(accounts.collect::<Vec<_>>(), ["x:a", "x:c", "meadow:d"]);
}

#[test]
fn what_is_made_with_ai_says_so() {
    let made = |top: &str, own: &str| {
        let file = with_top(top, own);
        file.map(|file| file.sheep.iter().all(|sheep| sheep.config.made_with_ai))
    };
    assert_eq!(made("", ""), Ok(false));
    assert_eq!(made("", "made_with_ai = true"), Ok(true));
    assert_eq!(made("[defaults]\nmade_with_ai = true", ""), Ok(true));
    assert_eq!(made("[defaults]\nmade_with_ai = true", "made_with_ai = false"), Ok(false));
    let kind = "flock.toml:8: `made_with_ai` must be true or false";
    assert_eq!(made("", "made_with_ai = \"yes\""), Err(kind.to_owned()));
}

#[test]
fn only_its_account_knows_what_an_instance_takes() {
    let text = format!("{}\n", "a".repeat(501));
    let dir = directory(&[("a.txt", text.as_bytes())]);
    let check = |own: &str, expected: &str| {
        check_own(&dir, &format!("name = \"s\"\ncorpus = \"a.txt\"\n{own}"), expected);
    };
    check("", "a.txt:1: the text is 501 characters long by meadow's counting; meadow takes 500");
    check("network = \"mastodon\"\naccount = \"a@b.example\"", "s");
    let longest = format!("{}\n", "a".repeat(3_701));
    fs::write(dir.path().join("a.txt"), longest).unwrap();
    check(
        "network = \"mastodon\"\naccount = \"a@b.example\"",
        "a.txt:1: line 1 is 3701 bytes long; a post cannot be longer than 3700",
    );
}
