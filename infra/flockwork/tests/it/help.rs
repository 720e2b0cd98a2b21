//! What the command says about itself, and to whom nobody listens.

use std::process::Command;

use insta::assert_snapshot;
use jiff::SignedDuration;

use crate::world::{QUICK, Running, World, from_now};

#[test]
fn the_help_teaches() {
    let help = World::new().ok("--help");
    let help: Vec<_> = help.lines().map(str::trim_end).collect();
    assert_snapshot!(help.join("\n"), @r#"
    Flocks of social bots with no server.

    Without a command it runs everything in template.yaml on this machine: the functions, their
    schedules, the table and the bots' own network, the meadow. All other commands work on that, while
    it is up and while it is not, or with --aws on what is deployed.

    Usage: flockwork [OPTIONS] [COMMAND]

    Commands:
      run          Run everything on this machine until Ctrl-C
      init         Write the files of a first flock
      doctor       Look whether everything is so that sheep can post, and say what is not
      flock        Flocks: plan and apply their files, list, remove
      sheep        Sheep: list, show, pause, resume, move
      queue        Posts that people add to a queue: list, add, edit, remove, move
      stop         Stop everything within a minute: nothing is posted until `start`
      start        Let everything go on after a stop
      wipe         Delete all posts of an account or a flock, when asked and answered; its sheep are
                   paused and begin anew
      posts        List posts that were made, oldest first
      why          Why a post was made and says what it says: what it was made of, and what was asked
      preview      Show the next posts before they are made, at their exact times
      spend        What flocks have spent this month, and what it will be
      audit        Who changed what, in Slack and at the command line, oldest first
      account      Accounts on other networks, and their keys
      ring         What the accounts of a flock show of themselves, from its ring.toml: plan, apply
      networks     What each network can do, takes, charges and forbids
      slack        Say something to the bot as in Slack, and see what it answers
      env          Print the environment that leads other programs to the run that is up
      completions  Print the script that completes these commands in a shell
      man          Write pages for `man`, one for each command

    Options:
          --data <DIR>
              Directory of the local run: database, keys

              [default: .flockwork]

          --aws
              Work on a deployed table, with the AWS credentials of this shell

          --table <NAME>
              Name of the deployed table (output `TableName` of the stack)

          --template <FILE>
              Template that says what is deployed [default: template.yaml here, or else the one built
              in]

          --color <WHEN>
              When to use colours

              [default: auto]
              [possible values: auto, always, never]

      -q, --quiet
              Say only what was asked for, and errors: no notes and no progress

          --no-pager
              Do not show lists that are longer than the screen page by page

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Examples:
      flockwork                                  run everything here
      flockwork flock plan my-flock/             show what applying the files would change
      flockwork preview my-flock/                show what it would post, before it is applied
      flockwork preview --flock milton           show the next posts before they are made
      flockwork sheep pause milton/book-1        stop one bot
      flockwork networks x                       show what X can do, charges and forbids
      flockwork spend                            show what flocks have spent this month
      flockwork slack "/flock help"              try what can be said in Slack
      flockwork --aws --table flockwork-Table-1 posts --json
    "#);
}

/// Whoever adds an account has a key file to write first.
#[test]
fn the_help_of_accounts_says_what_is_in_a_key_file() {
    let help = World::new().ok("account add --help");
    let (_, about_keys) = help.split_once("Print help\n\n").unwrap();
    assert_snapshot!(about_keys, @r#"
    The network is asked whose key it is before anything is stored.

    Key files are JSON:
      X         {"token": "...", "token_secret": "...", "user_id": "..."}
                and, if need be, "consumer_key" and "consumer_secret" of the app, "tier":
                "enterprise", and "automated_label": true where the account has X's label
      Mastodon  {"access_token": "..."} and, if need be, "url"
      Bluesky   {"app_password": "..."} and, if need be, "identifier" and "url"

    Examples:
      flockwork account add x:apollo_bot --key key.json
      flockwork account add mastodon:apollo@example.social --key key.json --mark-as-bot
    "#);
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
        "sheep redraw",
        "sheep move",
        "queue",
        "queue add",
        "queue at",
        "queue list",
        "queue edit",
        "queue remove",
        "queue move",
        "queue export",
        "queue import",
        "queue next",
        "posts",
        "preview",
        "account",
        "account add",
        "account show",
        "spend",
        "networks",
        "slack",
        "slack manifest",
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
    let arguments = format!("run --listen 127.0.0.1:0 --speed {QUICK} --until {until}");
    let output = Running::spawn_unheard(world.command(&arguments)).finish();
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
}
