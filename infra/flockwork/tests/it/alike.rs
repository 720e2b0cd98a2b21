//! What is wrong with many sheep in the same way is said once, with their number.

use std::fmt::Write as _;

use insta::assert_snapshot;

use crate::world::{World, timeless};

/// The sheep `s000` and so on, each with this table, in which `{n}` is its number.
fn write(world: &World, top: &str, count: usize, table: &str) {
    let mut toml = format!("name = \"choir\"\n{top}\n");
    for number in 0..count {
        let number = format!("{number:03}");
        let table = table.replace("{n}", &number);
        writeln!(toml, "[[sheep]]\nname = \"s{number}\"\n{table}").unwrap();
    }
    world.write("choir/flock.toml", toml);
}

const POEM: &str = "behaviour = \"poem\"\ncorpus = \"s{n}.txt\"\n";

fn write_texts(world: &World, count: usize, text: impl Fn(usize) -> Vec<u8>) {
    for number in 0..count {
        world.write(&format!("choir/s{number:03}.txt"), text(number));
    }
}

#[test]
fn mistakes_in_files_are_said_once() {
    let world = World::new();
    let refused = |table: &str| {
        write(&world, "", 500, &format!("{POEM}{table}"));
        world.refused("flock plan choir")
    };
    assert_snapshot!(refused("line = \"1h\""), @"error: choir/flock.toml:6: `s000.txt` does not exist; likewise in lines 11, 16, 21, 26, 31, 36, 41, 46, 51, 56, 61, 66, 71, 76, 81, 86, 91, 96, 101 and 480 more");
    write_texts(&world, 500, |number| format!("text {number}\n").into_bytes());
    assert_snapshot!(refused("lien = \"1h\""), @r#"
    error: choir/flock.toml:3, 8, 13, 18, 23, 28, 33, 38, 43, 48, 53, 58, 63, 68, 73, 78, 83, 88, 93, 98 and 480 more: `line`: it is missing: say how much time lies between two posts, such as "3m", or give `at`, the times of day
    choir/flock.toml:7, 12, 17, 22, 27, 32, 37, 42, 47, 52, 57, 62, 67, 72, 77, 82, 87, 92, 97, 102 and 480 more: unknown field `lien`; did you mean `line`?
    "#);
    assert_snapshot!(refused("line = \"1h\"\njitter = \"2h\""), @"error: choir/flock.toml:8, 14, 20, 26, 32, 38, 44, 50, 56, 62, 68, 74, 80, 86, 92, 98, 104, 110, 116, 122 and 480 more: `jitter`: `2h` is too long: it must not be longer than the shortest time between two posts, 1h");
    assert_snapshot!(refused("line = \"1h\"\nnetwork = \"mastodon\""), @r#"error: choir/flock.toml:4: `account` is missing: without it the sheep posts as `s000`, but accounts of Mastodon are written like "apollo@example.social"; likewise in lines 10, 16, 22, 28, 34, 40, 46, 52, 58, 64, 70, 76, 82, 88, 94, 100, 106, 112, 118 and 480 more"#);
    let latin = |number: usize| [b"\n".repeat(number % 7), b"caf\xe9\n".to_vec()].concat();
    write_texts(&world, 500, latin);
    assert_snapshot!(refused("line = \"1h\""), @"error: choir/s000.txt:1, choir/s001.txt:2, choir/s002.txt:3 and 497 more: the line is not UTF-8 but, as it seems, Latin-1; convert the file: iconv -f ISO-8859-1 -t UTF-8 old.txt > new.txt");
    write_texts(&world, 500, |_| b"\n\n".to_vec());
    assert_snapshot!(refused("line = \"1h\""), @"error: choir/s000.txt, choir/s001.txt, choir/s002.txt and 497 more: there is no line to post in it");
    // So few are said one by one, with what is theirs.
    write(&world, "", 2, &format!("{POEM}line = \"1h\"\ncolour = \"{{n}}\""));
    write_texts(&world, 2, |_| b"one\n".to_vec());
    assert_snapshot!(world.refused("flock plan choir"), @"error: choir/flock.toml:8 and 14: unknown field `colour`; [[sheep]] takes name, files, corpus, parts, account, behaviour, post, split, skip, order, most, start_words, must_words, again_after, again_times, network, made_with_ai, line, stanza, at, days, window, time_zone, jitter, spread, start, end, daily_cap, catch_up");
}

#[test]
fn what_plans_object_to_is_said_once() {
    const MANY: usize = 60;
    let world = World::new();
    let cap = "monthly_cap = 5000";
    let own = |number: usize| format!("text {number}\n").into_bytes();
    write_texts(&world, MANY, own);
    let x = "network = \"x\"\nat = [\"09:00\"]";
    write(&world, cap, MANY, &format!("{POEM}{x}"));
    let plan = world.ok("flock plan choir");
    assert_snapshot!(plan.lines().last().unwrap(), @"missing before it can be applied: the accounts x:s000, x:s001, x:s002 and 57 more; `flockwork account connect x:s000`, and so for each");
    assert_eq!(plan.lines().filter(|line| line.starts_with("  + create")).count(), MANY);
    assert_snapshot!(world.refused("flock apply choir"), @"error: choir/s000, choir/s001, choir/s002 and 57 more: the accounts x:s000, x:s001, x:s002 and 57 more were never added; connect each (`flockwork account connect x:s000`, and so for each)");
    let missing = world.json("flock plan choir --json").pop().unwrap()["missing"].clone();
    assert_eq!(missing.as_array().unwrap().len(), MANY, "a program gets them all");

    write(&world, cap, MANY, &format!("{POEM}{x}\nend = \"2020-01-01\""));
    assert_snapshot!(world.refused("flock plan choir"), @"error: choir/s000, choir/s001, choir/s002 and 57 more: its `end` has passed; give it a later one, or take it out");
    write_texts(&world, MANY, |_| b"the same\n".to_vec());
    write(&world, cap, MANY, &format!("{POEM}{x}"));
    assert_snapshot!(world.refused("flock plan choir"), @"
    error: choir/s000, choir/s001, choir/s002 and 57 more: the accounts x:s000, x:s001, x:s002 and 57 more were never added; connect each (`flockwork account connect x:s000`, and so for each)
    choir/s001 (x:s001), choir/s002 (x:s002), choir/s003 (x:s003) and 56 more: every line of it is in choir/s000.txt, too, which choir/s000 posts: against X's rule x-identical-text: The same text is not posted through several accounts. x:s000 says it, too. (https://help.x.com/en/rules-and-policies/x-automation) To do: give each account a text of its own, or let one account say it
    ");

    let warned = |top: &str, table: &str| {
        write(&world, top, MANY, table);
        let plan = timeless(&world.ok("flock plan choir"));
        let lines = plan.lines().filter(|line| line.starts_with("  ! "));
        lines.map(ToOwned::to_owned).collect::<Vec<_>>().join("\n")
    };
    write_texts(&world, MANY, |number| "a".repeat(501 + number).into_bytes());
    let mastodon =
        "network = \"mastodon\"\naccount = \"s{n}@example.social\"\nline = \"6h\"\nspread = \"1h\"";
    assert_snapshot!(warned("", &format!("{POEM}{mastodon}")), @"  ! choir/s000 (mastodon:s000@example.social), choir/s001 (mastodon:s001@example.social), choir/s002 (mastodon:s002@example.social) and 57 more: lines are longer than the 500 characters that are usual on Mastodon; whether the account's server takes that is known when the account is added");
    write_texts(&world, MANY, |number| {
        format!("at: 2020-01-{:02} 09:00\nx\n———\ny\n", number % 28 + 1).into_bytes()
    });
    let queue = "behaviour = \"queue\"\ncorpus = \"s{n}.txt\"\nline = \"6h\"\nspread = \"1h\"";
    assert_snapshot!(warned("", queue), @"
    ! choir/s000, choir/s001, choir/s002 and 57 more: items with times that have passed: posted at once, a minute apart
    ! choir/s000.txt:3, choir/s001.txt:3, choir/s002.txt:3 and 57 more: `———` looks like a line between two posts, and is posted as text; write three hyphens: `---`
    ");
    write_texts(&world, MANY, own);
    let repeats =
        format!("{POEM}{x}\nspread = \"1h\"").replace("at = [\"09:00\"]", "line = \"2h\"");
    assert_snapshot!(warned(cap, &repeats), @"  ! choir/s000, choir/s001, choir/s002 and 57 more: posts of the next 30 days would say what their account said less than 6 hours before; X refuses that, and the sheep leave them out, or stop after three in a row");
    // Two sheep to each account, in the same minutes.
    let table = format!("{POEM}account = \"shared{{n}}\"\nat = [\"09:00\"]");
    write(&world, "", MANY, &table);
    let toml = std::fs::read_to_string(world.path("choir/flock.toml")).unwrap();
    let paired = (0..MANY)
        .fold(toml, |toml, n| toml.replace(&format!("shared{n:03}"), &format!("pair{}", n / 2)));
    world.write("choir/flock.toml", paired);
    let plan = timeless(&world.ok("flock plan choir"));
    let lines: Vec<_> = plan.lines().filter(|line| line.starts_with("  ! ")).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    ! choir/s000, choir/s001, choir/s002 and 57 more post through meadow:pair0, meadow:pair1, meadow:pair2 and 27 more, several through each, in the same minutes, first at TIME UTC; `spread = "10m"` pulls them apart
    ! 60 sheep post in the same second, TIME UTC; `spread = "10m"` pulls them apart
    "#);
}

/// Twenty may be slips of the pen, which differ and are mended one by one; of more it is known what they have in common.
#[test]
fn mistakes_of_one_kind_are_told_one_by_one_up_to_twenty() {
    let world = World::new();
    let lines = |count: usize| {
        write(&world, "", count, &format!("{POEM}line = \"1h\""));
        world.refused("flock plan choir").lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let few = lines(20);
    assert_eq!(few.len(), 20, "{few:?}");
    for (number, line) in few.iter().enumerate() {
        assert!(line.contains(&format!("`s{number:03}.txt` does not exist")), "{line}");
    }
    let many = lines(21);
    assert_eq!(many.len(), 1, "{many:?}");
    assert!(many[0].contains("likewise in lines "), "{many:?}");
}
