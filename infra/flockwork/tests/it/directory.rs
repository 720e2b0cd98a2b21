//! The data directory where it is not ours, cannot be written, or is let go by a run that dies.

use std::{
    net::TcpListener,
    process::{Command, Stdio},
    thread,
};

use insta::assert_snapshot;
use rusqlite::Connection;

use crate::world::{NOT_RUNNING, Running, World};

/// Commands that only look, one that changes something, and the run.
const COMMANDS: [&str; 7] = [
    "sheep list",
    "flock list --json",
    "posts",
    "audit",
    "doctor",
    "slack /flock alive",
    "run --listen 127.0.0.1:0",
];

/// Every command refuses what is in `.flockwork`, and leaves it to the byte, with nothing beside it.
#[track_caller]
fn is_left_alone(world: &World) -> String {
    let before = world.files(".flockwork");
    let mut said = String::new();
    for command in COMMANDS {
        said = world.refused(command);
        assert_eq!(world.files(".flockwork"), before, "{command}");
    }
    assert!(!world.path(".flockwork/lock").exists());
    said
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let said = ["DELETE", "WAL"].map(|journal| {
        let world = World::new();
        world.write(".flockwork/other", "");
        std::fs::remove_file(world.path(".flockwork/other")).unwrap();
        let notes = Connection::open(world.path(".flockwork/flock.db")).unwrap();
        notes.pragma_update(None, "journal_mode", journal).unwrap();
        notes
            .execute_batch("CREATE TABLE notes (body TEXT); INSERT INTO notes VALUES ('x')")
            .unwrap();
        drop(notes);
        is_left_alone(&world)
    });
    assert_eq!(said[0], said[1]);
    assert_snapshot!(said[0], @"error: the file .flockwork/flock.db was not made by flockwork (it has the table `notes`), and is left as it is; move it away, or choose another directory than .flockwork with --data");
}

/// What it has written last may be in the log beside it alone.
#[test]
fn a_database_that_another_program_has_open_is_left_alone() {
    let world = World::new();
    world.write(".flockwork/other", "");
    std::fs::remove_file(world.path(".flockwork/other")).unwrap();
    let notes = Connection::open(world.path(".flockwork/flock.db")).unwrap();
    notes.pragma_update(None, "journal_mode", "WAL").unwrap();
    notes.execute_batch("CREATE TABLE notes (body TEXT); INSERT INTO notes VALUES ('x')").unwrap();
    assert_snapshot!(is_left_alone(&world), @"error: the file .flockwork/flock.db was not made by flockwork (it has the table `notes`), and is left as it is; move it away, or choose another directory than .flockwork with --data");
    drop(notes);
}

#[test]
fn a_file_with_nothing_in_it_is_no_database() {
    let world = World::new();
    world.write(".flockwork/flock.db", [0]);
    assert_snapshot!(is_left_alone(&world), @"error: the file .flockwork/flock.db was not made by flockwork (nothing is in it), and is left as it is; move it away, or choose another directory than .flockwork with --data");
    // What a process left that died before it had made one.
    let world = World::new();
    world.write(".flockwork/flock.db", "");
    assert_eq!(world.ok("sheep list --json"), "");
}

/// As on a full disk.
#[test]
fn what_cannot_be_written_is_named() {
    let world = World::new();
    world.begin("");
    let limited = |arguments: &str| {
        let mut command = Command::new("sh");
        let script = format!(
            "trap '' XFSZ; ulimit -f 0; exec {} {arguments}",
            env!("CARGO_BIN_EXE_flockwork")
        );
        command.args(["-c", &script]).current_dir(world.path("")).env_clear();
        let output = command.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!said.contains("os error"), "{said}");
        (output.status.code(), said)
    };
    world.write_flock("choir", &[("a", "one\n", "line = \"1h\"")]);
    let (code, said) = limited("--data other flock apply choir");
    assert_eq!(code, Some(2), "{said}");
    assert_snapshot!(said, @"error: cannot write the database other/flock.db: disk I/O error; make room where the disk is full, see that the directory can be written, or name another with --data");
    let (code, said) = limited("sheep list --json");
    assert!(code == Some(0) || code == Some(2), "{said}");
}

/// A run that is up, of whose addresses the one called `which` leads to us.
fn run_with_our(world: &World, which: &str) -> (Running, TcpListener) {
    let mut run = world.start("run --listen 127.0.0.1:0");
    run.url();
    let mut endpoint = world.endpoint();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    endpoint[which] = format!("http://{}", listener.local_addr().unwrap()).into();
    world.write(".flockwork/endpoint.json", endpoint.to_string());
    (run, listener)
}

/// Whoever looks while the run ends is told so, or finds the table without it.
#[test]
fn a_run_that_is_killed_while_it_is_asked_is_named() {
    let world = World::new();
    world.begin("");
    let (run, listener) = run_with_our(&world, "dynamodb");
    let looking = world.start("sheep list");
    // It has found the run, and asks its table.
    let asked = listener.accept().unwrap();
    run.kill();
    drop((asked, listener));
    let said = looking.finish();
    assert_eq!(said.code, Some(1), "{said:?}");
    let sentence = said.stderr.split('(').next().unwrap();
    assert_snapshot!(sentence, @"error: the `flockwork run` that had .flockwork ended before it had answered");
    assert!(
        said.stderr.ends_with("; look what is there, and give the command again\n"),
        "{said:?}"
    );
    let again = world.flockwork("sheep list --json");
    assert_eq!((again.code, again.stderr.replace(NOT_RUNNING, "")), (Some(0), String::new()));
}

/// A run that does not answer and then dies has not answered: the table is there without it.
#[test]
fn a_run_that_dies_before_it_answers_makes_room() {
    let world = World::new();
    world.begin("");
    let (run, listener) = run_with_our(&world, "page");
    let looking = thread::spawn({
        let command = world.command("sheep list --json");
        move || Running::spawn(command).finish()
    });
    let asked = listener.accept().unwrap();
    run.kill();
    drop((asked, listener));
    let said = looking.join().unwrap();
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stdout.contains("\"flock\":\"begun\""), "{said:?}");
}
