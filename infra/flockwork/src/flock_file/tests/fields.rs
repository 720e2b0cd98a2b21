//! Fields.

use super::{check, check_sheep};

#[test]
fn fields_are_where_they_belong_and_what_they_should_be() {
    check_sheep(
        "corpus = \"a.txt\"",
        "file = \"x\"\nat = 9\ndays = [\"mon\", 2]\nstart = 09:00:00\ndaily_cap = -1\nsheep = 1",
        "\
flock.toml:3: `corpus` does not belong in [defaults]; it goes in [[sheep]] or [[sheep.parts]]
flock.toml:8: unknown field `file`; did you mean `files`?
flock.toml:9: `at` must be a list of texts such as [\"09:00\", \"17:30\"]
flock.toml:10: `days` must be a list of texts such as [\"mon\", \"fri\"]
flock.toml:11: `start`: `09:00:00` is neither a date (2026-12-01) nor a time (2026-12-01T09:00)
flock.toml:12: `daily_cap` must be a whole number such as 12
flock.toml:13: `sheep` does not belong in [[sheep]]; it goes in the top level",
    );
    check(
        "name = 7\nLine = \"3m\"\ndefaults = 3\nsheep = [1, {name = \"a\", corpus = 3}]\n",
        "\
flock.toml:1: `name` must be text such as \"milton\"
flock.toml:2: unknown field `Line`; the top level takes name, monthly_cap, waive, near_duplicates, defaults, sheep, time_zone
flock.toml:3: `defaults` must be a table: write [defaults]
flock.toml:4: `behaviour` is missing: write behaviour = \"poem\", here or in [defaults]
flock.toml:4: `corpus` must be text such as \"apollo.txt\"
flock.toml:4: `line`: it is missing: say how much time lies between two posts, such as \"3m\", or give `at`, the times of day
flock.toml:4: `sheep` must be tables: write [[sheep]]",
    );
    check(
        "name = \"f\"\nline = \"3m\"\n[sheep]\nname = \"a\"\n[sheep.line]\nx = 1\n",
        "\
flock.toml:2: `line` does not belong in the top level; it goes in [defaults] or [[sheep]]
flock.toml:3: `behaviour` is missing: write behaviour = \"poem\", here or in [defaults]
flock.toml:3: `corpus` is missing: say which file holds the text, such as \"apollo.txt\"
flock.toml:5: `line` must be text such as \"3m\"",
    );
    check(
        "name = \"F\\nx: y\"\n[defaults]\nbehaviour = \"poem\"\nline = \"3m\"\n[[sheep]]\n[[sheep]]\nname = \"a\"\n[[sheep]]\ncorpus = \"a.txt\"\n",
        "\
flock.toml:1: `F\\nx: y` is not a flock name: use 1 to 48 of a-z, 0-9, `-` and `_`, starting with a letter or digit
flock.toml:5: say which texts: give `files`, or `name` and `corpus`
flock.toml:6: `corpus` is missing: say which file holds the text, such as \"apollo.txt\"
flock.toml:8: `name` is missing: say what the sheep is called",
    );
}

#[test]
fn fields_that_do_not_go_together_are_reported() {
    check_sheep(
        "line = \"3m\"",
        "at = [\"09:00\"]\nline = \"3m\"\nstanza = \"1h\"",
        "\
flock.toml:9: `line`: it goes with intervals; leave it out where `at` is given
flock.toml:10: `stanza`: it goes with intervals; leave it out where `at` is given",
    );
    check_sheep(
        "days = [\"mon\"]",
        "window = \"09:00-10:00\"",
        "\
flock.toml:3: `days`: it goes with `at`, the times of day
flock.toml:5: `line`: it is missing: say how much time lies between two posts, such as \"3m\", or give `at`, the times of day",
    );
    // Each is good alone.
    check_sheep(
        "jitter = \"4m\"",
        "line = \"3m\"",
        "flock.toml:5: `jitter` of line 3 does not fit here: `4m` is too long: it must not be longer than the shortest time between two posts, 3m",
    );
    check_sheep(
        "line = \"3m\"",
        "start = 2026-12-02\nend = 2026-12-01",
        "flock.toml:9: `end`: it is not after `start`",
    );
}
