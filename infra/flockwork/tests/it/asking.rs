//! What is asked before sheep are removed.

use std::{io::Write as _, process::Command};

use insta::assert_snapshot;
use jiff::SignedDuration;

use crate::world::{Output, Running, World, from_now};

const HOURLY: &str = "line = \"1h\"";

/// A flock of two that have posted once, and files that leave out one of them.
fn choir() -> World {
    let world = World::new();
    let alto = ("alto", "one\ntwo\nthree\n", HOURLY);
    world.write_flock("choir", &[alto, ("bass", "low\nlower\n", HOURLY)]);
    world.ok("flock apply choir");
    world.run_until(from_now(SignedDuration::from_mins(2)));
    world.write_flock("choir", &[alto]);
    world
}

#[track_caller]
fn check_refused(output: &Output) {
    assert_eq!(output.code, Some(2), "{output:#?}");
    assert!(
        !output.stdout.contains("Applied") && !output.stdout.contains("Removed"),
        "{output:#?}"
    );
}

#[test]
fn where_nobody_can_answer_nothing_is_removed() {
    let world = choir();
    let table = world.table();
    assert_snapshot!(world.refused("flock apply choir"), @"error: this removes 1 sheep (bass) of flock choir, and there is nobody to ask here; nothing was changed; add --yes if it is meant");
    assert_snapshot!(world.refused("flock remove choir"), @"error: this removes flock choir and its 2 sheep (alto and bass), and there is nobody to ask here; nothing was changed; add --yes if it is meant");

    // A script that answers by itself has not read the question.
    let mut piped = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_flockwork");
    piped.args(["-c", &format!("echo yes | '{program}' flock remove choir")]);
    piped.current_dir(world.path(""));
    check_refused(&Running::spawn(piped).finish());
    assert_eq!(world.table(), table, "nothing is changed");

    assert!(world.ok("flock apply choir --yes").ends_with("Applied.\n"));
    assert_eq!(world.ok("flock list"), "choir  1 sheep, 1 active\n");
    assert!(
        world.ok("flock remove choir --yes").starts_with("Removed flock choir and its 1 sheep")
    );
    assert_eq!(world.ok("flock list --json"), "");
}

#[test]
fn who_says_anything_but_yes_keeps_the_sheep() {
    let world = choir();
    let table = world.table();
    for answer in ["no\n", "\n", "y\n", "\u{4}"] {
        for command in ["flock apply choir", "flock remove choir"] {
            let output = world.answered(command, answer);
            check_refused(&output);
            assert!(output.stdout.contains("  - remove bass"), "{output:#?}");
            assert!(output.stderr.ends_with("error: the answer is not yes; nothing was changed\n"));
            assert_eq!(world.table(), table, "{command}: {answer:?}");
        }
    }
}

#[test]
fn who_says_yes_has_them_removed() {
    let world = choir();
    let output = world.answered("flock apply choir", "yes\n");
    assert_eq!(output.code, Some(0), "{output:#?}");
    assert_snapshot!(output.stdout, @"
    flock choir:
      - remove bass on meadow:bass: last post is number 1, next is line 2 of 2
    0 to create, 0 to change, 1 to remove, 1 unchanged
    Applied.
    ");
    assert_snapshot!(output.stderr, @"This removes 1 sheep; what was posted stays. Apply it? Type yes to go on:");
    assert_eq!(world.ok("flock list"), "choir  1 sheep, 1 active\n");

    let output = world.answered("flock remove choir", "yes\n");
    assert_eq!(output.code, Some(0), "{output:#?}");
    assert_snapshot!(output.stdout, @"
    flock choir:
      - remove alto on meadow:alto: last post is number 1, next is line 2 of 3
    Removed flock choir and its 1 sheep. What they posted stays, and is listed with `flockwork posts --sheep choir/SHEEP`.
    ");
    assert_snapshot!(output.stderr, @"Remove flock choir and its 1 sheep? What was posted stays. Type yes to go on:");
    assert_eq!(world.ok("flock list --json"), "");
}

/// Whoever sits at a terminal is not asked where nothing is lost.
#[test]
fn nobody_is_asked_about_what_removes_nothing() {
    let world = choir();
    world.ok("flock remove choir --yes");
    for said in ["Applied.\n", "flock choir: nothing to change (1 sheep)\n"] {
        let (apply, _keyboard) = world.start_at_terminal("flock apply choir");
        let output = apply.finish();
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
        assert!(output.stdout.ends_with(said), "{output:#?}");
    }
}

#[test]
fn what_was_asked_about_is_what_is_done() {
    let world = choir();
    for (command, hint) in
        [("flock apply choir", "look at the new plan"), ("flock remove choir", "look at it")]
    {
        let (mut asked, mut keyboard) = world.start_at_terminal(command);
        asked.line("- remove bass");
        // Meanwhile somebody else makes a sheep, and the table is free for it.
        world.write_flock(
            "other",
            &[
                ("alto", "one\ntwo\nthree\n", HOURLY),
                ("bass", "low\nlower\n", HOURLY),
                (command.split(' ').nth(1).unwrap(), "new\n", HOURLY),
            ],
        );
        let toml = std::fs::read_to_string(world.path("other/flock.toml")).unwrap();
        world.write("other/flock.toml", toml.replace("\"other\"", "\"choir\""));
        world.ok("flock apply other --yes");
        let table = world.table();
        keyboard.write_all(b"yes\n").unwrap();
        let output = asked.finish();
        check_refused(&output);
        assert!(output.stderr.contains(hint), "{output:#?}");
        assert_eq!(world.table(), table, "{command}");
    }
}
