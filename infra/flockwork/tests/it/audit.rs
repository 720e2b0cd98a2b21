//! The audit log: whatever changes something is in it, whoever did that and by which door.

use std::collections::BTreeSet;

use clap::CommandFactory as _;
use flockwork::cli::Cli;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::world::{Running, World, XWorld, timeless};

/// Commands that only look, and what they are tried with.
const READS: &[(&str, &str)] = &[
    ("flock plan", "choir"),
    ("flock list", ""),
    ("sheep list", ""),
    ("sheep show", "b"),
    ("queue list", "e"),
    ("queue export", "e"),
    ("posts", "--json"),
    ("why", "b --json"),
    ("preview", "--flock choir"),
    ("spend", ""),
    ("audit", ""),
    ("account list", ""),
    ("account show", "x:apollo"),
    ("account check", ""),
    ("ring plan", "chorus --pay choir"),
    ("networks", ""),
    ("doctor", ""),
    // What is said in Slack is noted by Slack's door.
    ("slack", "/flock alive"),
];

/// Commands that have nothing to do with the table.
const OTHERS: [&str; 6] = ["slack link", "slack manifest", "env", "init", "completions", "man"];

/// Commands that change something, what they are tried with, and what the log calls it.
const CHANGES: &[(&str, &str, &str)] = &[
    ("flock apply", "choir", "flock apply choir"),
    ("sheep pause", "a", "sheep pause choir/a"),
    ("sheep resume", "a", "sheep resume choir/a"),
    ("sheep redraw", "d", "sheep redraw choir/d"),
    ("queue add", "e late", "queue add choir/e"),
    ("queue at", "e 2040-01-01T09:00 timed", "queue at 2040-01-01T09:00 choir/e"),
    ("queue edit", "e 3-59cd later", "queue edit 3-59cd choir/e"),
    ("queue move", "e 3-e5e2 2", "queue move 3-e5e2 2 choir/e"),
    ("queue next", "e 2-e5e2", "queue next 2-e5e2 choir/e"),
    ("queue remove", "e 1-e5e2", "queue remove 1-e5e2 choir/e"),
    ("queue import", "e more.txt", "queue import choir/e more.txt"),
    ("sheep move", "b x:apollo", "sheep move choir/b x:apollo (from meadow:b)"),
    ("ring apply", "chorus --pay choir", "ring apply chorus"),
    ("wipe", "x:apollo --yes", "wipe x:apollo"),
    ("account rotate", "--new-key", "account rotate --new-key"),
    ("stop", "", "stop"),
    ("start", "", "start"),
    ("flock remove", "choir --yes", "flock remove choir"),
    ("account remove", "x:apollo --yes", "account remove x:apollo"),
];

const ON_X: &str = "network = \"x\"\naccount = \"apollo\"";

fn user() -> String {
    let user = std::process::Command::new("id").arg("-un").output().unwrap().stdout;
    String::from_utf8(user).unwrap().trim().to_owned()
}

/// The commands below `command`, with their words.
fn leaves(command: &clap::Command, words: &str) -> BTreeSet<String> {
    let below = command.get_subcommands().flat_map(|command| {
        leaves(command, format!("{words} {}", command.get_name()).trim_start())
    });
    let mut leaves: BTreeSet<_> = below.collect();
    if leaves.is_empty() || command.is_args_conflicts_with_subcommands_set() {
        leaves.insert(words.to_owned());
    }
    leaves
}

/// Every command there is.
pub(crate) fn commands() -> BTreeSet<String> {
    leaves(&Cli::command(), "")
}

fn newest(world: &World) -> Value {
    world.json("audit --json --limit 1").pop().unwrap_or_default()
}

#[test]
fn every_command_that_changes_something_is_in_the_audit_log() {
    let tried = READS.iter().map(|(words, _)| *words).chain(OTHERS);
    let tried = tried.chain(CHANGES.iter().map(|(words, ..)| *words)).chain(["account add", "run"]);
    // What is connected by typing is looked at in connecting.rs.
    let tried = tried.chain(["account connect", "account renew", "account import", "account walk"]);
    // What has posts on a network to be about is looked at in act_for.rs.
    let tried = tried.chain(["flock do", "account do"]);
    assert_eq!(commands(), tried.map(str::to_owned).collect());

    let world = XWorld::new();
    world.add("apollo");
    let (user, line) = (user(), newest(&world)["line"].clone());
    assert_eq!(line, "account add x:apollo");
    let hourly = "line = \"1h\"";
    world.write_flock_with(
        "choir",
        &format!("monthly_cap = 100\n{}{}", world.write_drawn("choir"), world.write_queue("choir")),
        &[("a", "one\n", hourly), ("b", "two\n", hourly)],
    );
    world.write_flock("chorus", &[("c", "one\n", &format!("{hourly}\n{ON_X}"))]);
    // As X shows it already.
    world.write("chorus/ring.toml", "[profile]\nname = \"A sheep\"\n");
    for (command, arguments, line) in CHANGES {
        world.ok(&format!("{command} {arguments}"));
        let mut entry = newest(&world);
        assert!(entry["at"].take().is_string());
        let expected = json!({
            "at": null, "door": "command line", "user": user, "room": null, "arn": null,
            "line": line, "outcome": "done",
        });
        assert_eq!(entry, expected, "{command}");
        if *command == "sheep move" {
            let before = world.json("audit --json");
            for (command, arguments) in READS {
                world.ok(&format!("{command} {arguments}"));
            }
            assert_eq!(world.json("audit --json"), before);
        }
    }
}

#[test]
fn the_log_is_read_at_the_terminal() {
    let world = World::new();
    assert_snapshot!(world.ok("audit"), @"Nobody has changed anything yet.");
    assert_eq!(world.ok("audit --json"), "");
    world.write_flock("choir", &[("a", "one\n", "line = \"1h\"")]);
    world.ok("flock apply choir");
    world.ok("slack /flock pause a");
    world.ok("slack /flock now a");
    world.ok("slack /flock say a <&>`\u{202e}");
    world.refused("sheep move a x:nobody");
    let log = timeless(&world.ok("audit")).replace(&user(), "USER");
    assert_snapshot!(log, @r"
    TIME UTC  USER at the command line: flock apply choir - done
    TIME UTC  U1 in C1 of Slack: pause a - done
    TIME UTC  U1 in C1 of Slack: now a - refused: choir/a does not: it is paused; resume it first. `/flock resume choir/a` resumes it.
    TIME UTC  U1 in C1 of Slack: say a <&>`\u{202e} - refused: choir/a does not: it is paused; resume it first. `/flock resume choir/a` resumes it.
    TIME UTC  USER at the command line: sheep move choir/a x:nobody (from meadow:a) - refused: choir/a: the account x:nobody was never added; connect it
    ");
    assert_eq!(world.ok("audit --limit 2").lines().count(), 2);
}

/// On a deployed table: as who they are there, too, wherever that is to be had.
#[test]
fn whoever_works_on_a_deployed_table_is_known_by_their_arn() {
    let world = World::new();
    world.write_flock("choir", &[("a", "one\n", "line = \"1h\"")]);
    let mut run = world.start("run --listen 127.0.0.1:0");
    run.url();
    let environment = world.ok("env");
    let deployed = |arguments: &str, more: &[(&str, &str)]| {
        let mut command = world.command(&format!("--aws --table flockwork {arguments}"));
        command.envs(environment.lines().filter_map(|line| line.split_once('=')));
        let output = Running::spawn({
            command.envs(more.iter().copied());
            command
        })
        .finish();
        assert_eq!(output.code, Some(0), "{output:?}");
        (output.stdout, output.stderr.replace(&user(), "USER"))
    };
    let (_, said) = deployed("flock apply choir", &[]);
    assert_eq!(said, "");
    assert_eq!(newest(&world)["arn"], "arn:aws:iam::000000000000:user/local");
    let shown = deployed("audit", &[]).0;
    assert!(
        shown.contains(
            " at the command line (arn:aws:iam::000000000000:user/local): flock apply choir - done"
        ),
        "{shown}"
    );
    // Whom AWS does not tell, does what they wanted all the same.
    let nobody = ("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1");
    let (_, said) = deployed("sheep pause a", &[nobody]);
    assert_snapshot!(said, @"AWS does not say who you are there, so the audit log has you as USER alone.");
    let entry = newest(&world);
    assert_eq!((&entry["line"], &entry["arn"]), (&json!("sheep pause choir/a"), &Value::Null));
    run.interrupt();
}

/// Keys that nobody can open any more are as good as removed.
#[test]
fn a_keyring_that_is_given_up_is_in_the_log() {
    let world = XWorld::new();
    world.add("apollo");
    let file = std::fs::read_dir(world.path(".flockwork")).unwrap().flatten();
    let keyring = file.map(|file| file.path()).find(|path| path.ends_with("keyring.secret.json"));
    std::fs::remove_file(keyring.unwrap()).unwrap();
    let mut run = world.start("run --listen 127.0.0.1:0 --new-keyring");
    run.url();
    run.interrupt();
    let line = "run --new-keyring (accounts sealed with the lost one are to be added again)";
    assert_eq!(newest(&world)["line"], line);
}

/// What is to be typed is about the same place.
#[test]
fn what_is_suggested_names_the_directory() {
    let world = World::new();
    assert_snapshot!(world.refused("--data elsewhere sheep show nobody"), @"error: there is no sheep `nobody` (`flockwork --data elsewhere sheep list` shows them)");
}

/// The sample flock is applied for whoever starts the first run.
#[test]
fn a_first_run_is_in_the_log() {
    let world = World::new();
    world.write(
        "infra/sample-flock/flock.toml",
        "name = \"sample\"\n[[sheep]]\nfiles = \"*.txt\"\nbehaviour = \"poem\"\nline = \"1h\"\n",
    );
    world.write("infra/sample-flock/a.txt", "one\n");
    world.run_until(crate::world::from_now(jiff::SignedDuration::from_secs(2)));
    let entries = world.json("audit --json");
    let [entry] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!(entry["line"], "flock apply sample (the sample flock, for a new data directory)");
    assert_eq!(entry["outcome"], "done");
}

/// As when a plan is made: its network's limits, its money.
#[test]
fn a_rhythm_is_asked_for_limits_and_money() {
    let world = XWorld::new();
    world.add("apollo");
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    let sheep = names.map(|name| {
        let line = if name == "g" { "2h" } else { "1m" };
        (
            name,
            format!("a line of {name}\n"),
            format!("network = \"x\"\naccount = \"apollo\"\nline = \"{line}\""),
        )
    });
    let sheep: Vec<_> = sheep.iter().map(|(a, b, c)| (*a, b.as_str(), c.as_str())).collect();
    world.write_flock_with("choir", "monthly_cap = 100000", &sheep);
    world.ok("flock apply choir");
    let told = ["1m", "3h"].map(|line| world.ok(&format!("slack /flock rhythm g {line}")));
    // How many posts that is differs by what is due already.
    let numberless = |text: &str| {
        let words = timeless(text);
        let words = words.split(' ').map(|word| {
            let is_count = 2 < word.len() && word.bytes().all(|byte| byte.is_ascii_digit());
            if is_count { "N" } else { word }
        });
        words.collect::<Vec<_>>().join(" ")
    };
    let told = numberless(&told.join("\n"));
    let told = told.split('$').next().unwrap();
    assert_snapshot!(told, @"
    flockwork (only visible to you):
      I am looking whether X takes that.
    flockwork (only visible to you):
      choir/a, choir/b, choir/c and 4 more (x:apollo): N posts in 15 minutes from TIME UTC on, but X takes N of one account; give them a slower rhythm.
      All sheep on X together: N posts in 24 hours from TIME UTC on, but X takes N of one app; give them a slower rhythm.

    flockwork (only visible to you):
      I am looking whether X takes that.
    flockwork:
      choir/g posts every 3h, next TIME UTC. Before: every 2h. When its files are applied again, they put back what they say.
      by the schedule, the next 30 days cost
        created and changed  N posts:
    ");
    let shown = world.ok("sheep show g");
    assert!(shown.contains("every 3h"), "{shown}");
    // A paused sheep is to go on one day.
    world.ok("sheep pause g");
    let paused = world.ok("slack /flock rhythm g 1m");
    assert!(paused.contains("give them a slower rhythm"), "{paused}");
    let wrong = world.ok("slack /flock rhythm g 10s");
    assert!(wrong.contains("That is no rhythm") && !wrong.contains("I am looking"), "{wrong}");
}

/// One stop, whoever gives it and wherever it is taken back.
#[test]
fn a_stop_is_given_and_taken_back_at_both_doors() {
    let world = World::new();
    world.write_flock("choir", &[("a", "one\n", "line = \"1h\"")]);
    world.ok("flock apply choir");
    world.ok("stop");
    let again = world.refused("stop");
    assert!(again.starts_with("error: Everything is stopped since "), "{again}");
    let alive = world.ok("slack /flock alive");
    assert!(alive.contains(&format!("{} at the command line did that at", user())), "{alive}");
    world.ok("slack /flock start");
    assert_snapshot!(world.refused("start"), @"error: nothing was stopped");
    assert!(!world.ok("slack /flock alive").contains("everything is stopped"));
}
