//! Texts.

use std::fs;

use super::{
    super::{read, texts::MOST_TEXT_BYTES},
    check_files, check_own, directory, shown, with_top,
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
poems/….txt: no sheep can be named after this file: a name is made of 1 to 48 of a-z, 0-9, `-` and `_`; rename the file, or move it to where `poems/**` does not find it and give it a [[sheep]] with `name` and `corpus`",
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
        "poems/b.txt:1: the text is 281 characters long by x's counting; x takes 280; write split = true to make a thread of it, which cuts \
         no link",
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
    check(
        "",
        "a.txt:1: the text is 501 characters long by meadow's counting; meadow takes 500; write split = true to make a thread \
         of it, which cuts no link",
    );
    // What is split is measured when it is known what the account takes.
    check("split = true", "s");
    check("network = \"mastodon\"\naccount = \"a@b.example\"", "s");
    let longest = format!("{}\n", "a".repeat(3_701));
    fs::write(dir.path().join("a.txt"), longest).unwrap();
    check(
        "network = \"mastodon\"\naccount = \"a@b.example\"",
        "a.txt:1: line 1 is 3701 bytes long; a post cannot be longer than 3700; write split = true to make a thread of it, which \
         cuts no link",
    );
    check("network = \"mastodon\"\naccount = \"a@b.example\"\nsplit = true", "s");
}

/// The lines of each sheep.
fn lines(toml: &str, files: &[(&str, &[u8])]) -> String {
    let dir = directory(files);
    fs::write(dir.path().join("flock.toml"), toml).unwrap();
    let Ok(flock) = read(dir.path()) else { return shown(dir.path()) };
    let lines = flock.sheep.iter().map(|sheep| {
        let lines: Vec<_> = sheep.corpus.lines().map(|(_, line)| line).collect();
        format!("{}, {}: {lines:?}", sheep.name, sheep.config.behaviour.describe())
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_poem_is_posted_by_line_by_stanza_or_whole() {
    let poem: (&str, &[u8]) = ("poems/b.txt", b"# Moss\n\n  I grow\n    slow\n\n\nand green\n");
    let flock = |defaults: &str, own: &str| {
        let toml = format!(
            "name = \"f\"\n[defaults]\nline = \"3m\"\nbehaviour = \"poem\"\n{defaults}\n[[sheep]]\nfiles = \"poems/*\"\n{own}\n"
        );
        lines(&toml, &[poem])
    };
    insta::assert_snapshot!(flock("", ""), @r##"b, poem of 4 lines: ["# Moss", "I grow", "slow", "and green"]"##);
    insta::assert_snapshot!(flock("skip = [\"#\"]", "post = \"stanza\""), @r#"b, poem of 2 stanzas: ["I grow\n  slow", "and green"]"#);
    insta::assert_snapshot!(flock("post = \"stanza\"\nskip = [\"#\"]", "post = \"file\""), @r#"b, poem of 1 post: ["I grow\n    slow\n\n\nand green"]"#);
    insta::assert_snapshot!(flock("post = \"verse\"", "post = \"file\""), @"flock.toml:5: `verse` is no part of a poem: use line, stanza, thread or file");
    insta::assert_snapshot!(flock("post = \"thread\"", ""), @r##"b, poem of 4 lines in threads: ["# Moss", "I grow", "slow", "and green"]"##);
    insta::assert_snapshot!(flock("catch_up = \"latest\"", "post = \"thread\""), @"flock.toml:6: `catch_up` of line 5 does not fit here: with `latest` a sheep might go on in the middle of a thread; use skip or all(3), which leave out no part");
    insta::assert_snapshot!(flock("split = true", "catch_up = \"latest\""), @"flock.toml:8: `catch_up`: with `latest` a sheep might go on in the middle of a thread; use skip or all(3), which leave out no part");
    insta::assert_snapshot!(flock("", "behaviour = \"queue\"\nsplit = true"), @"flock.toml:9: `split` is for poems; the file of a queue says itself what its posts are");
    insta::assert_snapshot!(flock("", "skip = [\"\"]\npost = 3"), @r##"
    flock.toml:8: `skip` has a text in it that every line begins with; write how the lines begin that are left out, such as ["#"]
    flock.toml:9: `post` must be text such as "stanza"
    "##);
    insta::assert_snapshot!(flock("post = \"stanza\"", "behaviour = \"queue\"\nskip = [\"#\"]"), @"flock.toml:9: `skip` is for poems; the file of a queue says itself what its posts are");
}

#[test]
fn posts_of_a_queue_return_where_that_is_asked_for() {
    let files: [(&str, &[u8]); 3] = [
        ("q.txt", b"one\n---\ntwo\n"),
        ("q.csv", b"text,at\none,2040-01-01 09:00\ntwo,\ntwo,\n"),
        (
            "q.ics",
            b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20400101T090000Z\r\nSUMMARY:one\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        ),
    ];
    let flock = |defaults: &str, own: &str| {
        let toml = format!(
            "name = \"f\"\n[defaults]\nline = \"1d\"\nbehaviour = \"queue\"\n{defaults}\n[[sheep]]\nname = \"a\"\n{own}\n"
        );
        lines(&toml, &files)
    };
    insta::assert_snapshot!(flock("again_after = \"30d\"", "corpus = \"q.txt\"\nagain_times = 5"), @r#"a, queue of 2 posts, again after 30 days, 5 times: ["one", "two"]"#);
    insta::assert_snapshot!(flock("", "corpus = \"q.ics\""), @r#"a, queue of 1 post: ["one"]"#);
    insta::assert_snapshot!(flock("again_after = \"3d\"", "corpus = \"q.txt\"\nagain_times = 1"), @"
    flock.toml:5: `again_after`: `3d` is too short: no post comes twice in a week; write 7d or more
    flock.toml:9: `again_times`: it is how often each post is made in all, so 2 is the least; a queue without `again_after` makes each once
    ");
    insta::assert_snapshot!(flock("again_after = \"30d\"", "corpus = \"q.csv\""), @"
    q.csv:2: it has a time of its own, and a post of a pool returns again and again; take the time out, or put the post into a queue without `again_after`
    q.csv:4: it says what line 3 says, so that it would come twice in a short time; take it out: posts of a pool return by themselves
    ");
    insta::assert_snapshot!(flock("", "corpus = \"a.txt\"\nbehaviour = \"poem\"\nagain_after = \"30d\""), @"flock.toml:10: `again_after` is for queues; leave it out");
}

#[test]
fn what_systems_make_of_texts_is_read_or_named() {
    let toml = "\u{feff}name = \"f\"\n[[sheep]]\nbehaviour = \"poem\"\nline = \"3m\"\nfiles = \"poems/*\"\n";
    let read = |bytes: &[u8]| lines(toml, &[("poems/b.txt", bytes)]);
    let utf16: Vec<u8> = "\u{feff}moss\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    insta::assert_snapshot!(read("\u{feff}on\u{feff}e\n\u{200b}\u{ad}\n\u{2800}\n\u{3164}\ntwo".as_bytes()), @r#"b, poem of 2 lines: ["one", "two"]"#);
    insta::assert_snapshot!(read(&utf16), @"poems/b.txt:1: line 1 is not UTF-8 but, as it seems, UTF-16; convert the file: iconv -f UTF-16 -t UTF-8 old.txt > new.txt");
    insta::assert_snapshot!(read(b"one\rtwo\r"), @r"poems/b.txt:1: line 1 has carriage returns where lines end, as old Macs wrote them; give it line feeds: tr '\r' '\n' < old.txt > new.txt");
    insta::assert_snapshot!(read("one\ntw\u{fdd0}o".as_bytes()), @"poems/b.txt:2: line 2 holds U+FDD0, which is not a character; remove it");
    insta::assert_snapshot!(read("\u{200b}\n".as_bytes()), @"poems/b.txt: there is no line to post in it");
}

#[test]
fn a_name_is_the_same_in_either_spelling() {
    let sheep = |name: &str, own: &str| {
        let dir = directory(&[(name, b"moss")]);
        let toml = format!("name = \"f\"\n[[sheep]]\nbehaviour = \"poem\"\nline = \"3m\"\n{own}\n");
        fs::write(dir.path().join("flock.toml"), toml).unwrap();
        let Ok(flock) = read(dir.path()) else { return shown(dir.path()) };
        let sheep = flock.sheep.iter().map(|sheep| {
            let others = sheep.spelled.iter();
            let others: Vec<_> =
                others.map(|(name, account)| format!(" or {name} as {account}")).collect();
            format!("{} as {}{}", sheep.name, sheep.config.account, others.concat())
        });
        sheep.collect::<Vec<_>>().join("\n")
    };
    for name in ["old/caf\u{e9} noir.txt", "old/cafe\u{301} noir.txt"] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(sheep(name, "files = \"old/caf? noir.txt\""), @"cafe-noir as meadow:cafe-noir or caf-noir as meadow:caf-noir");
            insta::assert_snapshot!(sheep(name, "files = \"old/*\"\naccount = \"a\""), @"cafe-noir as meadow:a or caf-noir as meadow:a");
            for written in ["old/caf\u{e9} noir.txt", "old/cafe\u{301} noir.txt"] {
                let own = format!("name = \"a\"\ncorpus = \"{written}\"");
                insta::assert_snapshot!(sheep(name, &own), @"a as meadow:a");
            }
        }
    }
}

/// What a sheep is called by a file, and by which other names it may be there.
#[track_caller]
fn check_names(files: &[&str], expected: &str) {
    let files: Vec<_> = files.iter().map(|name| format!("own/{name}.txt")).collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|name| (&**name, &b"moss"[..])).collect();
    let dir = directory(&files);
    let toml = "name = \"f\"\n[[sheep]]\nbehaviour = \"poem\"\nline = \"3m\"\nfiles = \"own/*\"\n";
    fs::write(dir.path().join("flock.toml"), toml).unwrap();
    let said = match read(dir.path()) {
        Ok(flock) => {
            let names = flock.sheep.iter().map(|sheep| {
                let others = sheep.spelled.iter().map(|(name, _)| name.as_str());
                std::iter::once(sheep.name.as_str()).chain(others).collect::<Vec<_>>().join("|")
            });
            names.collect::<Vec<_>>().join(" ")
        }
        Err(_) => shown(dir.path()),
    };
    assert_eq!(said, expected, "{files:?}");
}

#[test]
fn accents_are_taken_off_names() {
    check_names(&["José Álvarez"], "jose-alvarez|jos-lvarez|jose-a-lvarez");
    check_names(&["Jose\u{301} A\u{301}lvarez"], "jose-alvarez|jos-lvarez|jose-a-lvarez");
    check_names(
        &["straße", "Łódź", "Æther", "Ångström"],
        "aether|ther angstrom|ngstr-m|a-ngstro-m lodz|d|o-dz strasse|stra-e",
    );
    check_names(&["GROẞE İstanbul", "ısı"], "grosse-istanbul|gro-e-stanbul|gro-e-i-stanbul isi|s");
    check_names(&["ﬁn №２"], "fin-no2|n");
    check_names(&["plain_1", "Plain 2"], "plain-2 plain_1");
    // How others are read depends on their language.
    check_names(&["Ода 1", "猫 2"], "1 2");
    // Who is called so in plain letters has the name.
    check_names(&["Café", "cafe"], "caf|cafe cafe");
    check_names(
        &["José", "Josè"],
        "flock.toml:5: the sheep name `jose` is used twice: in line 5 (own/Josè.txt) and in line 5 (own/José.txt)",
    );
    // As long as names can be, and longer without a letter that is two.
    check_names(&[&format!("{}ß", "a".repeat(47))], &"a".repeat(47));
    check_names(&["poem-10", "poem-2", "poem-1"], "poem-1 poem-2 poem-10");
}
