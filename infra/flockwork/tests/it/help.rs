//! What the command says about itself, and to whom nobody listens.

use std::process::Command;

use insta::assert_snapshot;
use jiff::SignedDuration;

use crate::world::{Running, World, from_now};

#[test]
fn the_help_teaches() {
    assert_snapshot!(World::new().ok("--help"), @"");
}

#[test]
fn every_command_has_help() {
    let world = World::new();
    for command in [
        "",
        "run",
        "flock",
        "flock plan",
        "flock apply",
        "flock list",
        "flock remove",
        "sheep",
        "sheep list",
        "sheep show",
        "sheep pause",
        "sheep resume",
        "posts",
        "preview",
        "account",
        "account add",
    ] {
        let help = world.ok(&format!("{command} --help"));
        assert!(help.contains(format!("Usage: flockwork {command}").trim_end()), "{help}");
        assert!(world.ok(&format!("{command} -h")).contains("Usage: "), "{command}");
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    }
    assert!(world.ok("--version").starts_with("flockwork "));
    assert!(world.files("").is_empty(), "help writes nothing");
}

fn posted() -> World {
    let world = World::new();
    world.write_flock("choir", &[("alto", "one\ntwo\n", "line = \"1m\"")]);
    world.ok("flock apply choir");
    world.run_until(from_now(SignedDuration::from_mins(5)));
    world
}

#[test]
fn who_has_read_enough_hears_no_complaint() {
    let world = posted();
    let program = env!("CARGO_BIN_EXE_flockwork");
    let mut head = Command::new("sh");
    head.args(["-c", &format!("'{program}' posts --json | head -1")]);
    head.current_dir(world.path(""));
    let output = Running::spawn(head).finish();
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    assert_eq!(output.stdout.lines().count(), 1);

    // As above, but surely nobody is there when it writes.
    for arguments in [
        "posts",
        "posts --json",
        "preview --flock choir",
        "sheep list",
        "flock list",
        "flock plan choir",
        "--help",
    ] {
        let output = Running::spawn_unheard(world.command(arguments)).finish();
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{arguments}");
    }
}

#[test]
fn a_run_that_nobody_listens_to_does_not_panic() {
    let world = posted();
    let until = world.posts("preview --flock choir --count 5")[4].at;
    let arguments = format!("run --listen 127.0.0.1:0 --speed 100000 --until {until}");
    let output = Running::spawn_unheard(world.command(&arguments)).finish();
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
}
