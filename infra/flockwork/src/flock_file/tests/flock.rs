//! Caps and waivers.

use super::with_top;

#[test]
fn a_cap_is_text_or_a_number() {
    let check = |cap: &str, expected: &str| {
        let got = with_top(&format!("monthly_cap = {cap}"), "");
        let got = got.map_or_else(
            |problems| problems,
            |file| file.flock.monthly_cap.map_or_else(String::new, |cap| cap.to_string()),
        );
        assert_eq!(got, expected, "{cap}");
    };
    check("\"25.00\"", "$25.00");
    check("\"$2.5\"", "$2.50");
    check("25", "$25.00");
    check("1_000", "$1000.00");
    check("0.015", "$0.015");
    let invalid = |text: &str| {
        format!(
            "flock.toml:2: `monthly_cap`: `{text}` is not an amount of dollars: write it as 10 or 2.50"
        )
    };
    check("-1", &invalid("-1"));
    check("1e3", &invalid("1e3"));
    check("\"\"", &invalid(""));
    check("0.0000001", &invalid("0.0000001"));
    let kind = "flock.toml:2: `monthly_cap` must be an amount of US dollars such as \"25.00\"";
    check("0x19", kind);
    check("true", kind);
    check("[25]", kind);
    let nothing = "flock.toml:2: `monthly_cap`: with nothing to spend nothing is posted that costs; \
                       leave it out";
    check("0", nothing);
    check("\"0.00\"", nothing);
}

#[test]
fn a_rule_is_waived_by_name_with_a_reason() {
    let check = |waive: &str, expected: &str| {
        let got = with_top(&format!("[waive]\n{waive}"), "");
        let got = got.map_or_else(|problems| problems, |file| format!("{:?}", file.flock.waivers));
        assert_eq!(got, expected, "{waive}");
    };
    check("", "{}");
    check(
        "x-identical-text = \" One poem, two languages. \"\nbluesky-unasked = \"Asked.\"",
        r#"{"bluesky-unasked": "Asked.", "x-identical-text": "One poem, two languages."}"#,
    );
    let why = "write why the flock may do what the rule forbids; the audit log keeps it";
    check(
        "x-identical-text = \"  \"",
        &format!("flock.toml:3: `x-identical-text` is waived without a reason: {why}"),
    );
    check(
        "x-identical-text = true",
        &format!("flock.toml:3: `x-identical-text` must be the reason as text: {why}"),
    );
    check(
        "x_identical_texts = \"a\"\nidentical = \"a\"",
        "\
flock.toml:3: no network has a rule `x_identical_texts`; the closest is `x-identical-text` (`flockwork networks x` lists the rules of X)
flock.toml:4: no network has a rule `identical`; the closest is `x-identical-text` (`flockwork networks x` lists the rules of X)",
    );
    check(
        &format!("x-trend = \"{}\"", "a".repeat(501)),
        "flock.toml:3: the reason to waive `x-trend` is longer than 500 characters",
    );
    assert_eq!(
        with_top("waive = \"x-trend\"", "").unwrap_err(),
        "flock.toml:2: `waive` must be a table: write [waive], and under it each rule with the reason"
    );
}

#[test]
fn near_duplicates_are_two_numbers() {
    let flock = |near: &str| {
        format!(
            "name = \"f\"\n{near}\n[[sheep]]\nname = \"a\"\nbehaviour = \"poem\"\ncorpus = \"a.txt\"\nline = \"3m\"\n"
        )
    };
    let read = |near: &str| {
        let dir = super::directory(&[]);
        std::fs::write(dir.path().join("flock.toml"), flock(near)).unwrap();
        crate::flock_file::read(dir.path()).unwrap().sheep[0].config.near_duplicates
    };
    let rule = |last, distance| Some(flock_core::NearDuplicates { last, distance });
    assert_eq!(read(""), None);
    assert_eq!(read("near_duplicates = {}"), rule(200, 6));
    assert_eq!(read("near_duplicates = { last = 1, distance = 0 }"), rule(1, 0));
    assert_eq!(read("[near_duplicates]\nlast = 500"), rule(500, 6));
    let refused = "near_duplicates = { last = 0, distance = 21, first = 3 }";
    super::check(
        &flock(refused),
        "\
flock.toml:2: `distance` of `near_duplicates` is 0 to 20
flock.toml:2: `last` of `near_duplicates` is 1 to 500
flock.toml:2: unknown field `first`; `near_duplicates` takes last, distance",
    );
    super::check(
        &flock("near_duplicates = 3"),
        "flock.toml:2: `near_duplicates` must be a table: write near_duplicates = { last = 200, distance = 6 }",
    );
}
