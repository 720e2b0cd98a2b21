//! What people see at a terminal, and that a program reads whole lines all the same.

use std::{fs, process::Command, sync::OnceLock};

use flock_aws::Clock;
use insta::assert_snapshot;
use jiff::SignedDuration;

use crate::world::{Output, Running, World, XWorld, from_now, seen, timeless};

const USUAL: (u16, u16) = (80, 24);
const NARROW: (u16, u16) = (40, 24);

/// A place where it is day, so that five hours later it is the same day.
fn day_somewhere() -> &'static str {
    static PLACE: OnceLock<&str> = OnceLock::new();
    let is_day = |place: &&str| {
        let now = Clock::wall().now().in_tz(place).unwrap();
        (4..14).contains(&now.hour())
    };
    let places = [
        "Pacific/Honolulu",
        "America/New_York",
        "Europe/Berlin",
        "Asia/Karachi",
        "Asia/Tokyo",
        "Pacific/Auckland",
    ];
    PLACE.get_or_init(|| places.into_iter().find(is_day).unwrap())
}

/// What is shown, with each time in as many letters.
fn steady(shown: &str) -> String {
    let shown = shown.replace(day_somewhere(), "PLACE");
    let digits = |c: char| if c.is_ascii_digit() { '0' } else { c };
    let mut rest = shown.as_str();
    let mut steady = String::new();
    while let Some(place) = rest.char_indices().find_map(|(place, _)| {
        let shape: String = rest[place..].chars().take(8).map(digits).collect();
        (shape == "00:00:00").then_some(place)
    }) {
        steady += &rest[..place];
        steady += "HH:MM:SS";
        rest = &rest[place + 8..];
    }
    steady + rest
}

const LONG: &str =
    "Of Man's first disobedience, and the fruit of that forbidden tree, whose mortal taste";

/// A flock of three that is to post, one of which is paused and one has stopped.
fn choir() -> World {
    let world = World::new();
    let rhythm = "line = \"5h\"";
    world.write_flock_with(
        "choir",
        &format!("time_zone = \"{}\"", day_somewhere()),
        &[
            ("alto", &format!("{LONG}\nnext\n"), rhythm),
            (
                "bass",
                "猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫\nlow\n",
                rhythm,
            ),
            ("tenor", "👨‍👩‍👧 one\ntwo\n", rhythm),
        ],
    );
    world.ok("flock apply choir");
    world.ok("sheep pause tenor");
    world
}

#[test]
fn lists_are_tables_as_wide_as_the_terminal() {
    let world = choir();
    assert_snapshot!(steady(&world.seen("sheep list", USUAL)), @"
    ^[2mTimes are in PLACE.^[0m
    ^[1mSHEEP^[0m        ^[1mACCOUNT^[0m       ^[1mSTATE^[0m
    ^[36mchoir/alto^[0m   meadow:alto   next HH:MM:SS
    ^[36mchoir/bass^[0m   meadow:bass   next HH:MM:SS
    ^[36mchoir/tenor^[0m  meadow:tenor  ^[33mpaused since HH:MM:SS^[0m
    Nothing is posted while ^[36m`flockwork run`^[0m is not running.
    ");
    assert_snapshot!(steady(&world.seen("sheep list", NARROW)), @"
    ^[2mTimes are in PLACE.^[0m
    ^[36mchoir/alto^[0m  meadow:alto
      next HH:MM:SS
    ^[36mchoir/bass^[0m  meadow:bass
      next HH:MM:SS
    ^[36mchoir/tenor^[0m  meadow:tenor
      ^[33mpaused since HH:MM:SS^[0m
    Nothing is posted while ^[36m`flockwork run`^[0m is not running.
    ");
    assert_snapshot!(steady(&world.seen("preview --flock choir --count 4", USUAL)), @"
    ^[2mTimes are in PLACE.^[0m
    ^[1mTIME^[0m      ^[1mSHEEP^[0m       ^[1mPOST^[0m
    ^[2mHH:MM:SS^[0m  ^[36mchoir/alto^[0m  Of Man's first disobedience, and the fruit of that forbid…
    ^[2mHH:MM:SS^[0m  ^[36mchoir/bass^[0m  猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫…
    ^[2mHH:MM:SS^[0m  ^[36mchoir/alto^[0m  next
    ^[2mHH:MM:SS^[0m  ^[36mchoir/bass^[0m  low
    choir/tenor is paused
    Nothing is posted while ^[36m`flockwork run`^[0m is not running.
    ");
    assert_snapshot!(steady(&world.seen("preview --flock choir --count 2", NARROW)), @"
    ^[2mTimes are in PLACE.^[0m
    ^[2mHH:MM:SS^[0m  ^[36mchoir/alto^[0m
      Of Man's first disobedience, and the…
    ^[2mHH:MM:SS^[0m  ^[36mchoir/bass^[0m
      猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫…
    choir/tenor is paused
    Nothing is posted while ^[36m`flockwork run`^[0m is not running.
    ");
    // A terminal that does not say how wide it is.
    let mut shy = world.command("sheep list");
    shy.env("COLUMNS", "40");
    assert_eq!(seen(shy, (0, 0)), world.seen("sheep list", NARROW));
    assert_snapshot!(world.seen("flock list", USUAL), @"
    ^[1mFLOCK^[0m  ^[1mSHEEP^[0m  ^[1mACTIVE^[0m
    ^[36mchoir^[0m  3      ^[33m2^[0m
    ");
    let whole = world.seen("sheep show alto --color never", USUAL);
    let next = whole.lines().find(|line| line.starts_with("next post ")).unwrap();
    // Nothing comes while nothing is at work.
    assert!(next.ends_with(|last: char| last.is_ascii_digit()), "{whole}");
    assert!(whole.contains("\nTimes are in "), "{whole}");
    let narrow = world.seen("sheep show tenor --color never", NARROW);
    // The name of a text is never cut, and wider than what is left.
    let mut lines = narrow.lines().filter(|line| !line.ends_with(')'));
    assert!(lines.all(|line| line.chars().count() <= 40), "{narrow}");
    assert!(narrow.contains("behaviour     poem of 2 lines (corpus\n              "), "{narrow}");
    // A program reads what it always has.
    let list = world.flockwork("preview --flock choir --count 1").stdout;
    assert!(list.ends_with(&format!("  choir/alto  {LONG}\n")), "{list}");
}

#[test]
fn posts_are_shown_with_their_state_and_in_one_zone() {
    let world = choir();
    world.run_until(from_now(SignedDuration::from_mins(2)));
    assert_snapshot!(steady(&world.seen("posts", USUAL)), @"
    ^[2mTimes are in PLACE.^[0m
    ^[1mTIME^[0m      ^[1mSHEEP^[0m       ^[1mPOST^[0m
    ^[2mHH:MM:SS^[0m  ^[36mchoir/alto^[0m  Of Man's first disobedience, and the fruit of that forbid…
    ^[2mHH:MM:SS^[0m  ^[36mchoir/bass^[0m  猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫…
    ");
    let seen = world.seen("audit", USUAL);
    let words: Vec<_> =
        seen.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
    assert!(seen.starts_with("^[2mTimes are in UTC.^[0m\n^[1mTIME^[0m"), "{seen}");
    assert!(
        words[2].join(" ").ends_with("at the command line^[0m flock apply choir ^[32mdone^[0m"),
        "{seen}"
    );
}

#[test]
fn what_is_wrong_is_seen_at_once() {
    let world = XWorld::new();
    world.add("apollo");
    let on_x = "network = \"x\"\naccount = \"apollo\"\nline = \"2h\"";
    world.write_flock_with("choir", "monthly_cap = 100", &[("a", "one\n", on_x)]);
    world.ok("flock apply choir");
    assert_snapshot!(world.seen("account list", USUAL), @"
    ^[1mACCOUNT^[0m   ^[1mSHEEP^[0m  ^[1mSTATE^[0m
    ^[36mx:apollo^[0m  1      ^[32mcan post^[0m
    ");
    assert_snapshot!(world.seen("doctor", (48, 24)), @r#"
    ^[32mok   ^[0m  the data in .flockwork can be read
    ^[33mnote ^[0m  nothing is posted until ^[36m`flockwork run`^[0m
    ^[32mok   ^[0m  1 sheep, 1 active
    ^[32mok   ^[0m  1 account can post
    ^[33mnote ^[0m  on X an app is wanted (console.x.com): in
           its "User authentication settings" choose
           "Read and write" and "Web App, Automated
           App or Bot", a confidential client, and
           enter as callback address, for OAuth 1.0a
           and OAuth 2.0 alike,
           http://127.0.0.1:4280/keys/callback,
           exactly so
    "#);
    let spend = world.seen("spend", (50, 24)).replace(&month(), "MONTH");
    assert!(
        spend.starts_with("choir in MONTH\n  ^[1mspent^[0m     $0.00 (0 % of the cap)\n"),
        "{spend}"
    );
    let plain = world.seen("spend --color never", (50, 24));
    assert!(plain.lines().all(|line| line.chars().count() <= 50), "{plain}");
    assert!(plain.contains("\n            "), "it goes on below its beginning: {plain}");
    assert_snapshot!(world.seen("sheep show b", USUAL), @"^[1m^[31merror:^[0m there is no sheep ^[36m`b`^[0m (^[36m`flockwork sheep list`^[0m shows them)");
    assert_snapshot!(world.ok("doctor --json"), @r#"
    {"finding":"ok","what":"the data in .flockwork can be read"}
    {"finding":"note","what":"nothing is posted until `flockwork run`"}
    {"finding":"ok","what":"1 sheep, 1 active"}
    {"finding":"ok","what":"1 account can post"}
    {"finding":"note","what":"on X an app is wanted (console.x.com): in its \"User authentication settings\" choose \"Read and write\" and \"Web App, Automated App or Bot\", a confidential client, and enter as callback address, for OAuth 1.0a and OAuth 2.0 alike, http://127.0.0.1:4280/keys/callback, exactly so"}
    "#);
    let mut stop = world.command("slack /flock stop --press");
    stop.arg("Stop everything");
    assert_eq!(Running::spawn(stop).finish().code, Some(0));
    let doctor = world.seen("doctor", USUAL);
    assert!(doctor.contains("^[1m^[31mFAULT^[0m  Everything is stopped since"), "{doctor}");
    assert!(doctor.ends_with("\n^[1m^[31merror:^[0m 1 fault found\n"), "{doctor}");
    let said = world.flockwork("doctor --json");
    assert_eq!((said.code, said.stderr.as_str()), (Some(1), "error: 1 fault found\n"));
    let findings: Vec<serde_json::Value> =
        said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(findings[2]["finding"], "fault");
    // Nobody says when what is not coming will come.
    let seen = world.seen("sheep list", USUAL);
    assert!(seen.contains("Everything is stopped") && !seen.contains(", in "), "{seen}");
}

fn month() -> String {
    flock_core::Month::of(Clock::wall().now()).to_string()
}

#[test]
fn a_plan_has_the_colours_of_its_signs() {
    let world = choir();
    world.write_flock(
        "choir",
        &[
            ("alto", &format!("{LONG}\n- a line with a sign\nnew\n"), "line = \"5h\""),
            ("solo", "one\n", "line = \"1h\""),
        ],
    );
    assert_snapshot!(steady(&world.seen("flock plan choir", USUAL)), @"
    flock choir:
    ^[32m  + create solo: poem of 1 line, every 1h, on meadow:solo^[0m
    ^[33m  ~ change alto: text (2 -> 3 lines), rhythm (every 5h, in PLACE -> every 5h)^[0m
        next >   Of Man's first disobedience, and the fruit of that forbidden tree, whose mortal ...
    ^[31m           - next^[0m
    ^[32m           + - a line with a sign^[0m
    ^[32m           + new^[0m
    ^[31m  - remove bass on meadow:bass: no post yet, next is line 1 of 2^[0m
    ^[31m  - remove tenor on meadow:tenor: no post yet, next is line 1 of 2^[0m
    1 to create, 1 to change, 2 to remove, 0 unchanged
    ");
    let plain = world.ok("flock plan choir");
    assert_eq!(world.seen("flock plan choir --color never", USUAL), plain);
    let applied = world.seen("flock apply choir --yes", (80, 24));
    assert!(
        applied
            .ends_with("\n1 to create, 1 to change, 2 to remove, 0 unchanged\n^[32mApplied.^[0m\n")
    );
}

#[test]
fn networks_are_shown_in_as_many_tables_as_have_room() {
    let world = World::new();
    let heads = |columns: u16| {
        let seen = world.seen("networks --color never", (columns, 200));
        let heads = seen.lines().filter(|line| line.starts_with("        "));
        heads.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    assert_eq!(heads(80), ["meadow x x enterprise mastodon bluesky"]);
    assert_eq!(heads(60), ["meadow x x enterprise", "mastodon bluesky"]);
    assert_eq!(heads(40), ["meadow", "x", "x enterprise", "mastodon", "bluesky"]);
}

/// Whether a command is in colours at a terminal, or, where there is none, in a pipe.
#[track_caller]
fn check_colours(arguments: &str, at_terminal: bool, environment: &[(&str, &str)], expected: bool) {
    let world = World::new();
    let mut command = world.command(arguments);
    command.envs(environment.iter().copied());
    let shown = if at_terminal {
        seen(command, USUAL)
    } else {
        let Output { stdout, stderr, .. } = Running::spawn(command).finish();
        (stdout + &stderr).replace('\u{1b}', "^")
    };
    assert_eq!(shown.contains("^["), expected, "{arguments} {environment:?}: {shown}");
}

#[test]
fn colours_are_where_they_are_wanted() {
    // A list, an error of ours, help, and an error in the words.
    for arguments in ["networks", "flock plan nowhere", "--help", "flock lost"] {
        check_colours(arguments, true, &[], true);
        check_colours(arguments, false, &[], false);
        check_colours(arguments, true, &[("NO_COLOR", "1")], false);
        check_colours(arguments, true, &[("NO_COLOR", "")], true);
        check_colours(arguments, true, &[("TERM", "dumb")], false);
        check_colours(arguments, true, &[("TERM", "dumb"), ("CI", "true")], false);
        check_colours(&format!("{arguments} --color never"), true, &[], false);
        check_colours(
            &format!("--color=never {arguments}"),
            true,
            &[("CLICOLOR_FORCE", "1")],
            false,
        );
    }
    for arguments in ["networks", "flock plan nowhere", "--help", "flock lost"] {
        check_colours(arguments, false, &[("CLICOLOR_FORCE", "1")], true);
        check_colours(&format!("{arguments} --color always"), false, &[("NO_COLOR", "1")], true);
    }
}

/// Who wants colours has them in a pipe, too, and there is nothing else than what a program reads.
#[test]
fn lists_have_the_same_words_in_colours() {
    let world = XWorld::new();
    world.add("apollo");
    let on_x = "network = \"x\"\naccount = \"apollo\"\nline = \"2h\"";
    let often = "line = \"5h\"";
    let sheep = [("a", "one\n", on_x), ("b", "two\n", often), ("c", "- three\n", often)];
    world.write_flock("choir", &sheep[1..]);
    world.ok("flock apply choir");
    world.run_until(from_now(SignedDuration::from_mins(2)));
    world.write_flock_with("choir", "monthly_cap = 100", &sheep);
    world.ok("flock apply choir");
    world.ok("sheep pause b");
    let mut seen = String::new();
    for arguments in [
        "flock list",
        "sheep list",
        "sheep show a",
        "posts",
        "preview --flock choir --count 3",
        "account list",
        "account show x:apollo",
        "spend",
        "audit",
        "networks",
        "networks x",
        "doctor",
    ] {
        let coloured = world.flockwork(&format!("{arguments} --color always")).stdout;
        let lines = coloured.lines().filter(|line| line.contains('\u{1b}'));
        assert!(0 < lines.count(), "{arguments}: {coloured}");
        let plain = world.flockwork(arguments).stdout;
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain, "{arguments}");
        let shown = coloured.replace("\u{1b}[", " ^[").replace("m2", "m 2");
        seen.push('\n');
        // Who is at the command line differs.
        seen += shown.lines().next().filter(|_| arguments != "audit").unwrap_or_default();
    }
    assert_snapshot!(timeless(&seen), @r#"

     ^[36mchoir ^[0m  3 sheep,  ^[33m 2 active ^[0m
     ^[36mchoir/a                          ^[0m x:apollo                 next TIME UTC
     ^[1msheep ^[0m         choir/a
     ^[2m TIME UTC ^[0m   ^[36mchoir/b ^[0m  two
     ^[2m TIME UTC ^[0m   ^[36mchoir/a ^[0m  one
     ^[36mx:apollo                                 ^[0m 1 sheep       ^[32mcan post ^[0m
     ^[1maccount ^[0m       x:apollo
    choir in MONTH

     ^[1m                            meadow        x             x enterprise  mastodon      bluesky ^[0m
    X (network = "x")
     ^[32mok    ^[0m  the data in .flockwork can be read
    "#);
    for arguments in ["posts --json", "sheep list --json", "preview --flock choir --json"] {
        let coloured = world.flockwork(&format!("{arguments} --color always")).stdout;
        assert_eq!(coloured, world.flockwork(arguments).stdout);
    }
}

/// A file name, a name of a sheep, a text of somebody in Slack.
#[test]
fn nothing_from_outside_commands_a_terminal() {
    let world = choir();
    let evil = "x\u{1b}[35m\u{9b}35m\u{202e}";
    let mut said = Vec::new();
    for words in [
        &["flock", "plan"][..],
        &["sheep", "show"],
        &["init", "--name", "a"],
        &["posts", "--sheep"],
    ] {
        let mut command = world.command("");
        command.args(words).arg(evil);
        said.push(seen(command, USUAL));
    }
    for text in [evil, "a\u{202e}b"] {
        let mut slack = world.command("slack");
        slack.arg(format!("/flock say alto {text}"));
        said.push(seen(slack, USUAL));
    }
    world.run_until(from_now(SignedDuration::from_mins(2)));
    for command in
        ["posts", "posts --json", "audit", "audit --json", "sheep show alto", "sheep list"]
    {
        said.push(world.seen(command, (200, 50)));
        said.push(world.ok(command));
    }
    let posts = world.posts("posts");
    assert!(posts.iter().any(|post| post.text == "a\u{202e}b"), "{posts:?}");
    let all = said.join("\n");
    assert!(all.contains("\\u{1b}[35m\\u{9b}35m\\u{202e}"), "{all}");
    assert!(!all.contains(['\u{1b}', '\u{9b}', '\u{202e}']) && !all.contains("^[35m"), "{all}");
}

/// A list that is longer than the screen.
fn paged(world: &World, arguments: &str, environment: &[(&str, &str)]) -> String {
    let mut command = world.command(arguments);
    command.envs(environment.iter().copied());
    seen(command, (80, 10))
}

#[test]
fn what_is_longer_than_the_screen_is_shown_in_pages() {
    let world = World::new();
    let sheep: Vec<_> = (10..30).map(|number| format!("s{number}")).collect();
    let sheep: Vec<_> =
        sheep.iter().map(|name| (name.as_str(), "one\n", "line = \"1h\"")).collect();
    world.write_flock("choir", &sheep);
    let pager = ("FLOCKWORK_PAGER", "sed 's/^/| /'");
    let lists = [
        "sheep list",
        "preview --flock choir",
        "sheep list --json",
        "networks",
        "flock plan choir",
    ];
    assert!(
        paged(&world, "flock plan choir", &[pager])
            .starts_with("| flock choir:\n| ^[32m  + create")
    );
    world.ok("flock apply choir");
    for arguments in lists {
        let is_paged =
            |environment: &[(&str, &str)]| paged(&world, arguments, environment).contains("\n| ");
        // Nothing is to change any more, which is short.
        let is_long = arguments != "flock plan choir";
        assert_eq!(is_paged(&[pager]), is_long, "{arguments}");
        assert_eq!(is_paged(&[("PAGER", pager.1)]), is_long, "{arguments}");
        assert!(!is_paged(&[pager, ("FLOCKWORK_PAGER", "")]), "{arguments}");
        assert!(!is_paged(&[("PAGER", pager.1), ("FLOCKWORK_PAGER", "cat")]), "{arguments}");
    }
    let whole = world.seen("sheep list", (80, 24));
    assert_eq!(whole.lines().count(), 23, "it has room: {whole}");
    for (name, value) in [("FLOCKWORK_PAGER", ""), ("PAGER", "cat")] {
        assert_eq!(paged(&world, "sheep list", &[(name, value)]), whole);
    }
    assert_eq!(paged(&world, "sheep list --no-pager", &[pager]), whole);
    assert_eq!(paged(&world, "sheep list --color always", &[("TERM", "dumb")]), whole);
    // Where the one that is asked for is not there, nothing is lost.
    let lost = paged(&world, "sheep list", &[("PAGER", "no-such-pager")]);
    assert!(lost.contains("no-such-pager") && lost.ends_with(&whole), "{lost}");
    // What fails before it has read anything has shown nothing; what reads and fails has its reasons. More than a pipe holds.
    for pager in ["false", "true", "exec <&-; exit 3", "kill -9 $$"] {
        let lost = paged(&world, "sheep list", &[("PAGER", pager)]);
        assert!(lost.ends_with(&whole), "{pager}: {lost}");
    }
    let mut failing = world.command("preview --flock choir --count 5000 --quiet");
    failing.env("PAGER", "false");
    assert_eq!(seen(failing, (80, 10)).lines().count(), 5002);
    assert_eq!(paged(&world, "sheep list -q", &[("PAGER", "head -1; exit 1")]).lines().count(), 1);
    // Less is told to show colours.
    let less =
        paged(&world, "sheep list -q", &[("PAGER", "echo \"LESS is $LESS\"; cat >/dev/null")]);
    assert_eq!(less, "LESS is FRX\n");
    // A pipe is never paged.
    let mut piped = world.command("sheep list");
    piped.env("PAGER", pager.1);
    assert_eq!(Running::spawn(piped).finish().stdout, world.ok("sheep list"));
}

#[test]
fn a_pager_is_left_when_its_reader_wants_to() {
    let world = choir();
    let at_terminal = |pager: &str| {
        let mut command = world.command("preview --flock choir --count 3000 --quiet");
        command.env("PAGER", pager);
        Running::spawn_in_window(command, USUAL)
    };
    // Closed early, after one line.
    let output = at_terminal("head -1").finish();
    assert_eq!((output.code, output.stdout.lines().count()), (Some(0), 1), "{output:?}");
    // Ctrl-C is for the pager, and nobody waits for who reads.
    let gate = world.path("gate");
    assert!(Command::new("mkfifo").arg(&gate).status().unwrap().success());
    for arguments in [
        "flock list",
        "flock plan choir",
        "sheep list",
        "sheep show alto",
        "preview --flock choir",
        "audit",
        "doctor",
    ] {
        let mut command = world.command(arguments);
        command.env("PAGER", "cat >/dev/null; echo open; read gone <gate; echo closed");
        let mut reading = Running::spawn_in_window(command, (80, 1));
        reading.line("open");
        world.ok("flock list");
        reading.signal("INT");
        fs::write(&gate, "gone\n").unwrap();
        let output = reading.finish();
        assert_eq!((output.code, output.stdout.contains("closed")), (Some(0), true), "{output:?}");
    }
}

#[test]
fn who_wants_it_quiet_has_only_what_was_asked_for() {
    let world = World::new();
    let quiet = |arguments: &str| {
        let output = world.flockwork(&format!("{arguments} -q"));
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{arguments}");
        output.stdout
    };
    for arguments in ["flock list", "sheep list", "posts", "account list", "init choir"] {
        assert_eq!(quiet(arguments), "", "{arguments}");
    }
    // No note, no progress, where there would be both; the plan is what is done.
    let seen = world.seen("flock apply choir --quiet", USUAL);
    assert!(seen.starts_with("flock choir:\n") && seen.lines().count() == 3, "{seen}");
    assert!(seen.ends_with("\n1 to create, 0 to change, 0 to remove, 0 unchanged\n"), "{seen}");
    assert!(world.refused("flock remove choir -q").contains("add --yes"));
    let until = from_now(SignedDuration::from_mins(2));
    let run = quiet(&format!("run --listen 127.0.0.1:0 --speed 100000 --until {until}"));
    assert!(run.contains("A sheep stands in the meadow,") && run.lines().count() == 1, "{run}");
    assert_eq!(quiet("flock remove choir --yes"), "");
}

#[test]
fn a_run_shows_its_posts_as_wide_as_the_terminal() {
    let world = choir();
    let until = from_now(SignedDuration::from_mins(2));
    let run = format!("run --listen 127.0.0.1:0 --speed 100000 --until {until}");
    let seen = world.seen(&run, (70, 24));
    let posts = seen.lines().filter(|line| !line.contains("http://"));
    let mut posts: Vec<_> = posts.map(steady).collect();
    let day = posts.remove(0);
    assert!(day.ends_with(". Times are in PLACE.^[0m"), "{day}");
    assert_snapshot!(posts.join("\n"), @"
    ^[2mHH:MM:SS^[0m  ^[36malto                  ^[0m Of Man's first diso…^[2m  (next HH:MM:SS)^[0m
    ^[2mHH:MM:SS^[0m  ^[36mbass                  ^[0m 猫猫猫猫猫猫猫猫猫…^[2m  (next HH:MM:SS)^[0m
    Stopped.
    ");
}

/// What somebody else does, in Slack or in another terminal, is told where the run is watched.
#[test]
fn a_run_tells_what_keeps_sheep_from_posting() {
    let world = World::new();
    let often = "line = \"1m\"";
    world.write_flock("choir", &[("alto", "one\n", often), ("bass", "two\n", often)]);
    world.ok("flock apply choir");
    let mut run = world.start("run --listen 127.0.0.1:0 --speed 600");
    run.url();
    world.ok("sheep pause alto");
    assert_eq!(run.line("choir/alto is"), "choir/alto is paused");
    world.ok("slack /flock pause bass");
    assert_eq!(run.line("choir/bass is"), "choir/bass is paused");
    world.ok("sheep resume alto");
    assert_eq!(run.line("choir/alto goes"), "choir/alto goes on");
    let stop = |label: &str, line: &str| {
        let mut command = world.command(&format!("slack {line} --press"));
        assert_eq!(
            Running::spawn({
                command.arg(label);
                command
            })
            .finish()
            .code,
            Some(0)
        );
    };
    stop("Stop everything", "/Flock stop");
    let told = timeless(&run.line("! Everything"));
    assert_eq!(
        told,
        "! Everything is stopped since TIME UTC; nothing is posted until `flockwork start`, or `/flock start` in Slack."
    );
    world.ok("slack /flock start");
    assert_eq!(run.line("Everything"), "Everything goes on.");
    stop("Stop everything", "/flock stop");
    run.line("! Everything");
    assert_eq!(run.interrupt().code, Some(0));
    // Also to who starts one then.
    let mut run = world.start("run --listen 127.0.0.1:0 --speed 600");
    run.line("! Everything is stopped since");
}

#[test]
fn the_words_of_the_command_are_used_as_they_are_shown() {
    let world = World::new();
    // A directory that looks like an option.
    let said = world.ok("init -- -x");
    assert!(said.contains("`flockwork flock plan ./-x`"), "{said}");
    assert!(world.ok("flock plan ./-x").contains("1 to create"));
    world.ok("man pages");
    let page = |name: &str| fs::read_to_string(world.path(&format!("pages/{name}.1"))).unwrap();
    for (name, usage) in [
        ("flockwork", "\\fBflockwork\\fR [OPTIONS] [COMMAND]"),
        ("flockwork-preview", "\\fBflockwork preview\\fR [OPTIONS] [DIR]"),
        (
            "flockwork-account-add",
            "\\fBflockwork account add\\fR [OPTIONS] \\-\\-key <FILE> <ACCOUNT>",
        ),
    ] {
        let page = page(name);
        let (_, synopsis) = page.split_once(".SH SYNOPSIS\n").unwrap();
        assert_eq!(synopsis.lines().next(), Some(usage), "{page}");
        assert!(page.contains("\\fB\\-\\-data\\fR \\fI<DIR>\\fR"), "{page}");
    }
}
