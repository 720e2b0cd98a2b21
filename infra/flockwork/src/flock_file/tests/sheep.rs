//! Sheep, their accounts and defaults.

use super::{check, check_sheep, rhythm, with_top};

#[test]
fn accounts_are_written_as_their_network_writes_them() {
    let check = |network: &str, own: &str, expected: &str| {
        let got = with_top("", &format!("network = \"{network}\"\n{own}"));
        let got = got.map_or_else(
            |problems| problems,
            |file| file.sheep.iter().map(|sheep| sheep.config.account.to_string()).collect(),
        );
        assert_eq!(got, expected, "{network} {own}");
    };
    check("x", "", "x:a");
    check("x", "account = \"Apollo_Bot\"", "x:Apollo_Bot");
    check(
        "x",
        "account = \"book-1\"",
        "flock.toml:9: `account`: `book-1` is not an account of X: they are written like `apollo_bot`",
    );
    check(
        "mastodon",
        "",
        "flock.toml:4: `account` is missing: without it the sheep posts as `a`, but accounts of Mastodon \
             are written like \"apollo@example.social\"",
    );
    check("mastodon", "account = \"a@example.social\"", "mastodon:a@example.social");
    check("x", "account = \"@apollo_bot\"", "x:apollo_bot");
    check("mastodon", "account = \"@A@Example.social\"", "mastodon:A@example.social");
    check("bluesky", "account = \"@A.bsky.social\"", "bluesky:a.bsky.social");
    check(
        "bluesky",
        "account = \"a\"",
        "flock.toml:9: `account`: `a` is not an account of Bluesky: they are written like \
             `apollo.bsky.social`",
    );
}

#[test]
fn sheep_override_defaults() {
    let check = |defaults: &str, own: &str, expected: &str| {
        assert_eq!(rhythm(defaults, own), expected, "{defaults} / {own}");
    };
    let line = r#"line = "3m""#;
    let times = r#"at = ["09:00"]"#;
    check(line, "", r#"line: "3m", time_zone: "UTC""#);
    check(
        line,
        "stanza = \"2h\"\ntime_zone = \"Asia/Tokyo\"",
        r#"line: "3m", stanza: "2h", time_zone: "Asia/Tokyo""#,
    );
    // A pattern replaces a pattern, whole.
    check(line, times, r#"at: ["09:00"], time_zone: "UTC""#);
    check(r#"stanza = "3m""#, times, r#"at: ["09:00"], time_zone: "UTC""#);
    check(r#"window = "06:00-07:00""#, times, r#"at: ["09:00"], time_zone: "UTC""#);
    check(times, line, r#"line: "3m", time_zone: "UTC""#);
    check(r#"days = ["mon"]"#, line, r#"line: "3m", time_zone: "UTC""#);
    // What is no pattern of its own adds to one.
    check(times, r#"days = ["mon"]"#, r#"at: ["09:00"], days: ["mon"], time_zone: "UTC""#);
    check(line, r#"stanza = "1h""#, r#"line: "3m", stanza: "1h", time_zone: "UTC""#);
    check(line, "at = []", r#"line: "3m", time_zone: "UTC""#);
    // Dates may be written as TOML has them.
    check(
        line,
        "start = 2026-12-01\nend = 2026-12-02T10:00:00Z",
        r#"line: "3m", time_zone: "UTC", start: "2026-12-01T00:00:00Z", end: "2026-12-02T10:00:00Z""#,
    );
    check(
        line,
        "start = 2026-12-01T09:00:00\ndaily_cap = 0x0c",
        r#"line: "3m", time_zone: "UTC", start: "2026-12-01T09:00:00Z", daily_cap: 12"#,
    );
}

#[test]
fn a_bad_default_is_reported_once_where_it_is_written() {
    check(
        r#"name = "f"
time_zone = "Mars"
[defaults]
time_zone = "Venus"
behaviour = "prose"
network = "myspace"
window = "9-17"
jitter = "soon"
end = "4m"
[[sheep]]
files = "poems/*"
line = "3m"
end = "2026-12-01"
[[sheep]]
name = "a"
corpus = "a.txt"
line = "5m"
time_zone = "UTC"
network = "x"
behaviour = "poem"
[[sheep]]
name = "c"
corpus = "a.txt"
"#,
        "\
flock.toml:2: `time_zone`: `Mars` is not a time zone; use a name such as Europe/London
flock.toml:4: `time_zone`: `Venus` is not a time zone; use a name such as Europe/London
flock.toml:5: `prose` is not a behaviour: use poem, queue, grammar, markov or mix
flock.toml:6: `myspace` is not a network: use one of meadow, x, mastodon, bluesky
flock.toml:7: `window`: `9` is not a time of day; write it as 09:30
flock.toml:8: `jitter`: `soon` is not a length of time; write it as 30s, 3m, 2h or 1d
flock.toml:9: `end`: `4m` is neither a date (2026-12-01) nor a time (2026-12-01T09:00)
flock.toml:21: `line`: it is missing: say how much time lies between two posts, such as \"3m\", or give `at`, the times of day",
    );
    check_sheep("line = 3", "", "flock.toml:3: `line` must be text such as \"3m\"");
    check_sheep("line = 3", "line = \"3m\"", "flock.toml:3: `line` must be text such as \"3m\"");
}

#[test]
fn a_mix_is_made_of_parts() {
    let mix = |own: &str, parts: &str| {
        format!(
            "name = \"f\"\n[defaults]\nline = \"3m\"\n[[sheep]]\nname = \"a\"\nbehaviour = \"mix\"\n{own}\n{parts}"
        )
    };
    let part = |more: &str| format!("[[sheep.parts]]\n{more}\n");
    let poem = part("behaviour = \"poem\"\ncorpus = \"a.txt\"\nweight = 3");
    let rules: &[u8] = br#"{"origin": ["cow"]}"#;
    let dir = super::directory(&[("g.json", rules)]);
    let grammar = part("behaviour = \"grammar\"\ncorpus = \"g.json\"");
    std::fs::write(dir.path().join("flock.toml"), mix("", &format!("{poem}{grammar}"))).unwrap();
    let file = crate::flock_file::read(dir.path()).unwrap();
    let [sheep] = &file.sheep[..] else { panic!("one sheep") };
    assert_eq!(sheep.config.behaviour.describe(), "mix of a poem (3 turns), a grammar (1 turn)");
    assert_eq!((sheep.corpus.len(), sheep.parts.len()), (3, 2));
    check(&mix("corpus = \"a.txt\"", &poem), "\
flock.toml:4: a mix has 2 to 6 parts and this has 1: write each as [[sheep.parts]] with `behaviour`, `corpus` and `weight`
flock.toml:7: `corpus` is not for a mix: each part of it names its own `corpus`");
    let wrong = [
        part("behaviour = \"queue\"\ncorpus = \"a.txt\""),
        part("behaviour = \"poem\"\nweight = 101\ncorpus = \"missing.txt\"\nline = \"3m\""),
        part("weight = 2\norder = 2\npart = 1"),
        part("behaviour = \"poem\"\ncorpus = \"a.txt\"\npost = \"thread\""),
        part("behaviour = \"markov\"\ncorpus = \"a.txt\"\norder = 9\npost = \"stanza\""),
    ];
    check(&mix("", &wrong.concat()), "\
flock.toml:9: a queue cannot be a part of a mix: write a poem, a grammar or a Markov chain, and give what else its account says a [[sheep]] of its own
flock.toml:13: `weight` is 101; a part has 1 to 100 turns of a round
flock.toml:14: `missing.txt` does not exist
flock.toml:15: `line` does not belong in [[sheep.parts]]; it goes in [defaults] or [[sheep]]
flock.toml:16: `behaviour` is missing: say what the part says, such as \"poem\"
flock.toml:16: `corpus` is missing: say which file holds the text of the part, such as \"apollo.txt\"
flock.toml:19: unknown field `part`; [[sheep.parts]] takes corpus, weight, behaviour, post, skip, order, most, start_words, must_words
flock.toml:23: a part of a mix says one post in its turn, and no thread; write post = \"stanza\" or another
flock.toml:27: a.txt: `order` is 9; the next word is drawn by the last 1 to 5
flock.toml:28: `post` is for poems; the file of a Markov chain says itself what its posts are");
    let poem = "name = \"f\"\n[[sheep]]\nname = \"a\"\nbehaviour = \"poem\"\ncorpus = \"a.txt\"\nline = \"3m\"\nparts = 3\n";
    check(poem, "flock.toml:7: `parts` must be tables: write [[sheep.parts]]");
    let poem = poem.replace("parts = 3\n", &part("weight = 1"));
    check(
        &poem,
        "flock.toml:7: `parts` are for a mix: write behaviour = \"mix\", or leave them out",
    );
}
