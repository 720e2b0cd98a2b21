//! What `run` refuses: one clear line, exit code 2, and nothing written.

use std::{collections::BTreeMap, fs, net::TcpListener, os::unix::fs::symlink, process::Command};

use jiff::SignedDuration;
use rusqlite::Connection;

use crate::world::{World, XWorld, check_lines, eventually, from_now, mode, poem, set_mode};

const DATABASE: &str = ".flockwork/flock.db";

/// That `arguments` are refused with `lines` lines, each with the text beside it, and that no file changes.
#[track_caller]
pub(crate) fn check(world: &World, arguments: &str, expected: &[&str]) {
    let files = world.files("");
    let said = world.refused(arguments);
    assert!(!said.contains("panicked"), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), expected.len(), "{said}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.contains(expected), "{expected:?} in {line:?}");
    }
    let (before, after) = (files, world.files(""));
    let names = |files: &BTreeMap<_, _>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&after), names(&before), "{said}");
    assert!(after == before, "a file has changed: {said}");
}

/// A poem that fills pages of the database.
fn long_poem() -> String {
    poem(&"la ".repeat(40), 40)
}

/// A directory with a flock that has posted.
fn lived() -> World {
    let world = World::new();
    let sheep: Vec<String> = (0..12).map(|number| format!("sheep-{number}")).collect();
    let poem = long_poem();
    let sheep: Vec<_> =
        sheep.iter().map(|name| (name.as_str(), poem.as_str(), "line = \"1m\"")).collect();
    world.write_flock("choir", &sheep);
    world.ok("flock apply choir");
    world.run_until(from_now(SignedDuration::from_mins(4)));
    world
}

#[test]
fn a_template_that_cannot_be_read() {
    let world = World::new();
    world.write("empty.yaml", "");
    check(&world, "run --template empty.yaml", &["empty.yaml"]);
    world.write("comment.yaml", "# nothing\n");
    check(&world, "run --template comment.yaml", &["comment.yaml"]);
    world.write("broken.yaml", "Resources:\n  Table: [\n");
    check(&world, "run --template broken.yaml", &["not YAML"]);
    world.write("binary.yaml", b"\xff\xfe\x00");
    check(&world, "run --template binary.yaml", &["cannot read binary.yaml"]);
    world.write("directory/file", "");
    check(&world, "run --template directory", &["cannot read directory"]);
    // The one that is there is the one that is meant.
    world.write("template.yaml", "");
    check(&world, "run", &["template.yaml"]);
    check(&world, "", &["template.yaml"]);
    check(&world, "posts --json", &["template.yaml"]);
}

#[test]
fn a_template_with_what_cannot_be_run_here() {
    let world = World::new();
    let real = include_str!("../../../../template.yaml");
    let unknown = |logical_id: &str| format!("  {logical_id}:\n    Type: AWS::S3::Bucket\n");
    // Any resource that is known will do to put two others before.
    let (head, rest) = real.split_once("Resources:\n").unwrap();
    let line = head.lines().count() + 2;
    let changed = format!("{head}Resources:\n{}{}{rest}", unknown("One"), unknown("Two"));
    world.write("template.yaml", changed);
    let (first, second) =
        (format!("template.yaml:{line}: "), format!("template.yaml:{}: ", line + 2));
    check(&world, "run", &[&first, &second]);
    let said = world.refused("run");
    assert!(said.lines().all(|line| line.contains("AWS::S3::Bucket")), "{said}");

    let (head, _) = real.split_once("  SheepTick:\n").unwrap();
    let place = format!("template.yaml:{}: SheepTick runs `wolf-tick`", head.lines().count() + 1);
    world.write("template.yaml", real.replace("Binary: sheep-tick", "Binary: wolf-tick"));
    check(&world, "run", &[&place]);
    let said = world.refused("run");
    assert!(said.contains(": sheep-tick"), "it says which there are: {said}");
}

#[test]
fn a_template_whose_function_cannot_start() {
    let world = World::new();
    let real = include_str!("../../../../template.yaml");
    let wrong = real.replace("DUE_SHARDS: !Ref DueShards", "DUE_SHARDS: many");
    let wrong = wrong.replace("SLACK_ROOM: !Ref SlackRoom", "SLACK_ROOM: general");
    world.write("template.yaml", wrong);
    check(&world, "run --listen 127.0.0.1:0", &["DUE_SHARDS", "SLACK_ROOM"]);
}

#[test]
fn an_address_that_is_taken_or_none() {
    let world = World::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    check(&world, &format!("run --listen {address}"), &[&address]);
    let said = world.refused(&format!("run --listen {address}"));
    assert!(said.contains("--listen"), "it says what to do: {said}");
}

/// What the words of the command line alone show to be wrong.
#[test]
fn words_that_mean_nothing() {
    let world = World::new();
    for arguments in [
        "run --speed 0",
        "run --speed -1",
        "run --speed fast",
        "run --listen nowhere",
        "run --listen 127.0.0.1",
        "run --until tomorrow",
        "run --until 2026-13-01T00:00:00Z",
        "posts --limit -1",
        "preview",
        "preview --flock a --sheep b",
        "flock",
        "flock apply",
        "flock remove Not-A-Name",
        "fly",
        "--aws posts",
        "--aws run",
        "--table flockwork posts",
        "--aws flock list",
        "flock list --table flockwork",
        "--aws --table= flock list",
        "--table= flock list",
        "account add x:apollo --key key.json --keyring Keyring",
        "account add x:apollo --key key.json --x-app App",
    ] {
        let output = world.flockwork(arguments);
        assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{arguments}: {output:?}");
        assert!(!output.stderr.contains("panicked"), "{arguments}: {output:?}");
        let errors = output.stderr.lines().filter(|line| line.starts_with("error: ")).count();
        let help = output.stderr.contains("Usage: flockwork flock");
        assert!(errors == 1 || help, "{arguments}: {}", output.stderr);
    }
    assert!(world.files("").is_empty());
    check(&world, "--aws --table flockwork run", &["what is deployed runs by itself"]);
    check(&world, "--aws --table= flock list", &["the table's name is empty"]);
}

#[test]
fn a_time_that_has_passed() {
    let world = World::new();
    check(&world, "run --listen 127.0.0.1:0 --until 2020-01-01T00:00:00Z", &["has passed"]);
    let world = lived();
    check(&world, "run --listen 127.0.0.1:0 --until 2020-01-01T00:00:00Z", &["has passed"]);
    // Time ran ahead here.
    let last = world.posts("posts --limit 1").swap_remove(0).at;
    check(&world, &format!("run --listen 127.0.0.1:0 --until {last}"), &["has passed"]);
}

#[test]
fn quick_time_for_a_sheep_on_another_network() {
    let world = XWorld::new();
    world.add("apollo");
    let rhythm = "network = \"x\"\nline = \"1h\"\nstart = \"2087-01-01\"";
    let sheep = [("apollo", "one\n", rhythm), ("iris", "two\n", "line = \"1h\"")];
    world.write_flock_with("choir", "monthly_cap = 1", &sheep);
    world.ok("flock apply choir");
    let table = world.table();
    check(&world, "run --listen 127.0.0.1:0 --speed 2", &["choir/apollo on x:apollo"]);
    let said = world.refused("run --listen 127.0.0.1:0 --speed 2");
    assert!(!said.contains("iris"), "{said}");
    assert_eq!(world.table(), table);
}

/// Time that ran ahead on the meadow is not the time of other networks.
#[test]
fn another_network_where_time_ran_ahead() {
    let world = XWorld::new();
    world.write_flock("reed", &[("alto", "one\n", "line = \"1h\"")]);
    world.ok("flock apply reed");
    world.run_until(from_now(SignedDuration::from_hours(3)));
    world.add("apollo");
    let on_x = "network = \"x\"\nline = \"1h\"";
    world.write_flock_with("choir", "monthly_cap = 1", &[("apollo", "one\n", on_x)]);
    world.ok("flock apply choir");
    check(&world, "run --listen 127.0.0.1:0", &["time is ahead in this directory"]);
}

#[test]
fn a_sample_flock_that_cannot_be_applied() {
    let world = World::new();
    world.write("infra/sample-flock/flock.toml", "name = \"choir\"\n");
    let run = "run --listen 127.0.0.1:0";
    check(&world, run, &["infra/sample-flock/flock.toml: there is no sheep in it"]);
}

#[test]
fn a_data_directory_that_cannot_be_one() {
    let world = World::new();
    world.write("file", "not a directory");
    check(&world, "run --listen 127.0.0.1:0 --data file", &["data directory file"]);
    check(&world, "posts --data file/below", &["data directory file/below"]);
    check(&world, "run --listen 127.0.0.1:0 --data /dev/null/data", &["/dev/null/data"]);

    fs::create_dir(world.path("closed")).unwrap();
    set_mode(&world.path("closed"), 0o555);
    // Root may write anywhere.
    if fs::write(world.path("closed/probe"), "").is_err() {
        check(&world, "run --listen 127.0.0.1:0 --data closed", &["closed"]);
        check(&world, "run --listen 127.0.0.1:0 --data closed/data", &["closed/data"]);
    }
    set_mode(&world.path("closed"), 0o755);
}

#[test]
fn a_database_that_is_damaged() {
    let world = lived();
    let good = fs::read(world.path(DATABASE)).unwrap();
    let third = good.len() / 3;
    assert!(20_000 < third, "there is something to damage");
    let garbled = [&good[..third], &vec![0xA5; third], &good[2 * third..]].concat();
    let zeroed = [&good[..third], &vec![0; third], &good[2 * third..]].concat();
    for (what, content) in [
        ("the middle is garbage", garbled),
        ("the middle is empty", zeroed),
        ("half of it is missing", good[..good.len() / 2].to_vec()),
        ("the end is missing", good[..good.len() - 5_000].to_vec()),
        ("it is cut within its head", good[..60].to_vec()),
        ("it is a text", b"This file is no database, and a page of text at that.\n".repeat(200)),
        (
            "it is random",
            (0..9_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect(),
        ),
    ] {
        world.write(DATABASE, content);
        let mode_before = mode(&world.path(DATABASE));
        for arguments in ["run --listen 127.0.0.1:0", "posts --json", "flock apply choir"] {
            eprintln!("{what}: {arguments}");
            check(&world, arguments, &["the database .flockwork/flock.db is damaged"]);
        }
        assert_eq!(mode(&world.path(DATABASE)), mode_before);
    }
    // The copy that was asked for is good enough.
    world.write(DATABASE, good);
    let next = world.posts("preview --flock choir --count 20");
    world.run_until(next[19].at + SignedDuration::from_secs(61));
    check_lines(&world.posts("posts --limit 1000"), "sheep-0", &long_poem());
}

/// Beginning empty would number posts from 1 again.
#[test]
fn a_database_that_is_lost() {
    let world = lived();
    let good = fs::read(world.path(DATABASE)).unwrap();
    let empty = {
        let elsewhere = World::new();
        let database = Connection::open(elsewhere.path("empty.db")).unwrap();
        database.execute_batch("PRAGMA journal_mode = WAL; VACUUM").unwrap();
        drop(database);
        fs::read(elsewhere.path("empty.db")).unwrap()
    };
    assert!(!empty.is_empty());
    for (what, content) in
        [("is missing", None), ("is empty", Some(Vec::new())), ("has nothing in it", Some(empty))]
    {
        fs::remove_file(world.path(DATABASE)).unwrap();
        if let Some(content) = content {
            world.write(DATABASE, content);
        }
        for arguments in
            ["run --listen 127.0.0.1:0", "posts --json", "flock apply choir", "slack /flock"]
        {
            let expected = format!("the database .flockwork/flock.db {what}, though");
            check(&world, arguments, &[&expected]);
        }
        // For the next round.
        world.write(DATABASE, &good);
    }
    fs::remove_file(world.path(DATABASE)).unwrap();
    insta::assert_snapshot!(world.refused("posts --json"), @"error: the database .flockwork/flock.db is missing, though the secrets that belong to it are there; put back a copy of it. To begin anew instead, move the secrets away, too (.flockwork/keyring.secret.json, .flockwork/xapp.secret.json, .flockwork/slack.secret.json): accounts then have to be connected again, because their keys are sealed with them, and the numbers of posts begin at 1");
    // Either way out is one.
    world.write(DATABASE, &good);
    assert!(!world.posts("posts").is_empty());
    fs::remove_file(world.path(DATABASE)).unwrap();
    for secret in ["keyring", "slack", "xapp"] {
        let path = world.path(&format!(".flockwork/{secret}.secret.json"));
        fs::rename(path, world.path(secret)).unwrap();
    }
    assert_eq!(world.ok("posts --json"), "");
    assert_eq!(world.ok("posts --json"), "");
}

/// What `kill -9` leaves of the very first start, step by step, is gone on from.
#[test]
fn a_first_start_that_was_cut_off() {
    let begun = World::new();
    begun.begin("");
    let content = |name: &str| fs::read(begun.path(&format!(".flockwork/{name}"))).unwrap();
    let (database, keyring) = (content("flock.db"), content("keyring.secret.json"));
    let steps: [&[(&str, &[u8])]; 5] = [
        &[],
        &[("lock", b"")],
        &[("lock", b""), ("flock.db", b"")],
        &[("lock", b""), ("flock.db", &database), (".flockwork-x.new", b"half")],
        &[("lock", b""), ("flock.db", &database), ("keyring.secret.json", &keyring)],
    ];
    for files in steps {
        let world = World::new();
        fs::create_dir(world.path(".flockwork")).unwrap();
        for (name, content) in files {
            world.write(&format!(".flockwork/{name}"), content);
        }
        assert_eq!(world.ok("posts --json"), "", "{files:?}");
        world.begin("");
        assert_eq!(world.ok("posts --json"), "", "{files:?}");
        let names = world.files(".flockwork");
        let names: Vec<_> = names.keys().map(|path| path.file_name().unwrap()).collect();
        assert_eq!(
            names,
            ["flock.db", "keyring.secret.json", "slack.secret.json", "xapp.secret.json"]
        );
    }
    // The same by the real thing: the order in which the files come is that of the steps.
    for name in ["flock.db", "keyring.secret.json", "slack.secret.json", "endpoint.json"] {
        let world = World::new();
        let run = world.start("run --listen 127.0.0.1:0");
        let path = world.path(&format!(".flockwork/{name}"));
        eventually("the file is there", || path.exists().then_some(()));
        run.kill();
        assert_eq!(world.ok("posts --json"), "", "{name}");
    }
}

/// Who could once write to the directory may have pointed our names anywhere; and nothing is opened that waits for somebody.
#[test]
fn what_has_our_names_and_leads_elsewhere_is_refused_and_nothing_is_changed() {
    for name in ["lock", "flock.db", "flock.db-wal", "keyring.secret.json", "endpoint.json"] {
        let world = World::new();
        world.write("elsewhere/victim", "theirs");
        set_mode(&world.path("elsewhere/victim"), 0o644);
        world.write(".flockwork/mine.txt", "mine");
        set_mode(&world.path(".flockwork"), 0o755);
        let place = world.path(&format!(".flockwork/{name}"));
        for target in ["../elsewhere/victim", "../elsewhere/made", "../elsewhere"] {
            symlink(target, &place).unwrap();
            for command in ["posts --json", "run --listen 127.0.0.1:0"] {
                let said = world.refused(command);
                assert!(said.contains(name) && said.contains("is a link"), "{command}: {said}");
            }
            fs::remove_file(&place).unwrap();
        }
        assert!(!world.path("elsewhere/made").exists());
        assert_eq!(mode(&world.path("elsewhere/victim")), 0o644);
        assert_eq!(mode(&world.path(".flockwork")), 0o755);
        let fifo = Command::new("mkfifo").arg(&place).status().unwrap();
        assert!(fifo.success());
        assert!(world.refused("posts --json").contains("no regular file"));
    }
}

/// Things of others in the directory, whatever they are called, keep their permissions.
#[test]
fn what_is_not_ours_stays_as_it_is() {
    let world = World::new();
    for name in [".tmp-of-somebody", "env"] {
        world.write(&format!("project/{name}"), "theirs");
        set_mode(&world.path(&format!("project/{name}")), 0o644);
    }
    set_mode(&world.path("project"), 0o755);
    world.begin("--data project");
    for name in [".tmp-of-somebody", "env"] {
        assert_eq!(mode(&world.path(&format!("project/{name}"))), 0o644, "{name}");
    }
    assert_eq!(mode(&world.path("project")), 0o755);
    assert_eq!(mode(&world.path("project/flock.db")), 0o600);
    // Refused, and before anything is changed.
    set_mode(&world.path("project/flock.db"), 0o644);
    set_mode(&world.path("project"), 0o777);
    assert!(world.refused("posts --json --data project").contains("chmod go-w"));
    assert_eq!(mode(&world.path("project/flock.db")), 0o644);
}

/// What a lost database was still to be given would be written into its copy.
#[test]
fn a_copy_is_not_put_beside_what_is_left_of_the_lost_database() {
    let world = World::new();
    world.begin("");
    fs::remove_file(world.path(DATABASE)).unwrap();
    world.write(".flockwork/flock.db-wal", "left");
    let said = world.refused("posts --json");
    assert!(
        said.contains(
            "move away what is left of it (.flockwork/flock.db-wal), then put back a copy"
        ),
        "{said}"
    );
}

/// A database of something else is not ours to write to.
#[test]
fn a_database_of_something_else() {
    let world = World::new();
    fs::create_dir(world.path(".flockwork")).unwrap();
    let other = Connection::open(world.path(DATABASE)).unwrap();
    other
        .execute_batch("CREATE TABLE bookmarks (url TEXT); INSERT INTO bookmarks VALUES ('x');")
        .unwrap();
    drop(other);
    let output = world.flockwork("posts --json");
    assert!(matches!(output.code, Some(0 | 2)), "{output:?}");
    let other = Connection::open(world.path(DATABASE)).unwrap();
    let count: u32 =
        other.query_row("SELECT count(*) FROM bookmarks", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 1, "what was there is there");
}
