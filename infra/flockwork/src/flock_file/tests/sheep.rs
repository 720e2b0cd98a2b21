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
    check(
        "bluesky",
        "account = \"A.bsky.social\"",
        "flock.toml:9: `account`: `A.bsky.social` is not an account of Bluesky: they are written like \
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
flock.toml:5: `prose` is not a behaviour: use poem, queue, grammar or markov
flock.toml:6: `myspace` is not a network: use one of meadow, x, mastodon, bluesky
flock.toml:7: `window`: `9` is not a time of day; write it as 09:30
flock.toml:8: `jitter`: `soon` is not a length of time; write it as 30s, 3m, 2h or 1d
flock.toml:9: `end`: `4m` is neither a date (2026-12-01) nor a time (2026-12-01T09:00)
flock.toml:21: `line`: it is missing: say how much time lies between two posts, such as \"3m\", or give `at`, the times of day",
    );
    check_sheep("line = 3", "", "flock.toml:3: `line` must be text such as \"3m\"");
    check_sheep("line = 3", "line = \"3m\"", "flock.toml:3: `line` must be text such as \"3m\"");
}
