//! Whatever is read has a size, and whatever is waited for has an end.

use std::{
    fs::{File, TryLockError},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::Command,
};

use insta::assert_snapshot;
use rusqlite::Connection;
use serde_json::Value;

use crate::world::{Output, QUICK, Running, Unread, World, eventually, http, poem};

const TOML: &str =
    "name = \"big\"\n[[sheep]]\nfiles = \"FILES\"\nbehaviour = \"poem\"\nline = \"5m\"\n";

/// Runs a command that may take a gigabyte of memory, a fraction of what it is given to read.
#[track_caller]
fn in_little_memory(world: &World, arguments: &str) -> Output {
    let command = world.command("");
    let limited =
        format!("ulimit -v 1000000; exec {} {arguments}", env!("CARGO_BIN_EXE_flockwork"));
    let mut shell = Command::new("sh");
    shell.args(["-c", &limited]).env_clear();
    let kept = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    shell.envs(kept).current_dir(world.path(""));
    Running::spawn(shell).finish()
}

#[track_caller]
fn refused(world: &World, arguments: &str) -> String {
    let output = in_little_memory(world, arguments);
    assert!(output.code == Some(2) && output.stdout.is_empty(), "{arguments}: {output:#?}");
    output.stderr
}

fn sparse(path: &Path, bytes: u64) {
    File::create(path).unwrap().set_len(bytes).unwrap();
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_file_that_is_named_is_a_small_regular_file() {
    let world = World::new();
    sparse(&world.path("large"), 3_000_000_000);
    fifo(&world.path("fifo"));
    std::fs::create_dir(world.path("directory")).unwrap();
    let mut said = String::new();
    for file in ["large", "/dev/zero", "fifo", "directory", "nowhere"] {
        said += &refused(&world, &format!("account add mastodon:apollo@example.test --key {file}"));
        said += &refused(&world, &format!("--template {file} sheep list"));
    }
    assert_snapshot!(said, @"
    error: cannot read the key file large: it is 3000000000 bytes long; 1048576 (1 MB) is the most
    error: cannot read large: it is 3000000000 bytes long; 1048576 (1 MB) is the most
    error: cannot read the key file /dev/zero: it is not a regular file; copy what comes out of it into one
    error: cannot read /dev/zero: it is not a regular file; copy what comes out of it into one
    error: cannot read the key file fifo: it is not a regular file; copy what comes out of it into one
    error: cannot read fifo: it is not a regular file; copy what comes out of it into one
    error: cannot read the key file directory: it is a directory
    error: cannot read directory: it is a directory
    error: cannot read the key file nowhere: it does not exist
    error: cannot read nowhere: it does not exist
    ");
    assert!(!world.path(".flockwork").exists(), "nothing was written");
}

#[test]
fn a_secret_is_a_small_regular_file() {
    let world = World::new();
    world.begin("");
    let secret = world.path(".flockwork/slack.secret.json");
    std::fs::remove_file(&secret).unwrap();
    fifo(&secret);
    assert_snapshot!(refused(&world, "sheep list"), @"error: .flockwork/slack.secret.json is a link, or no regular file; move it away, or choose another directory than .flockwork with --data");
    std::fs::remove_file(&secret).unwrap();
    sparse(&secret, 3_000_000_000);
    assert_snapshot!(refused(&world, "sheep list"), @"error: cannot read .flockwork/slack.secret.json: it is 3000000000 bytes long; 1048576 (1 MB) is the most");
}

#[test]
fn a_flock_is_read_within_bounds() {
    let world = World::new();
    world.write("big/flock.toml", TOML.replace("FILES", "*.txt"));
    let text = world.path("big/text.txt");
    let mut said = String::new();
    let plan = |said: &mut String| *said += &refused(&world, "flock plan big");
    sparse(&text, 3_000_000_000);
    plan(&mut said);
    std::fs::remove_file(&text).unwrap();
    fifo(&text);
    plan(&mut said);
    std::fs::remove_file(&text).unwrap();
    // 32 million lines, each of which took 64 bytes once.
    std::fs::write(&text, b"a\n".repeat(32 * 1024 * 1024)).unwrap();
    plan(&mut said);
    std::fs::write(&text, b"\x07\n".repeat(9_000_000)).unwrap();
    let output = in_little_memory(&world, "flock plan big");
    assert_eq!((output.code, output.stderr.lines().count()), (Some(2), 2));
    for (number, text) in ["a\n".repeat(9_000_000), "b\n".repeat(9_000_000)].iter().enumerate() {
        world.write(&format!("big/{number}.txt"), text);
    }
    std::fs::remove_file(&text).unwrap();
    plan(&mut said);
    let toml = world.path("big/flock.toml");
    sparse(&toml, 3_000_000_000);
    plan(&mut said);
    std::fs::remove_file(&toml).unwrap();
    fifo(&toml);
    plan(&mut said);
    assert_snapshot!(said, @"
    error: big/flock.toml:3: `text.txt` is 3000000000 bytes long; 67108864 (64 MB) is the most
    error: big/flock.toml:3: `text.txt` is not a regular file; copy what comes out of it into one
    error: big/text.txt: there are more than 10000000 lines in it
    error: big/flock.toml:3: `1.txt` is one text too many: the texts of a flock have 256 MB and 10000000 lines at most; make several flocks of it
    error: big/flock.toml: it is 3000000000 bytes long; 1048576 (1 MB) is the most
    error: big/flock.toml: it is not a regular file; copy what comes out of it into one
    ");
}

/// As deep and as long as the size of the file lets it be.
#[test]
fn a_toml_of_any_shape_is_refused_in_time() {
    let world = World::new();
    let deep = |part: &str, count: usize| part.repeat(count);
    for toml in [
        format!("name = {}", deep("[", 500_000)),
        format!("name = {}", deep("{a=", 300_000)),
        format!("{}a = 1", deep("a.", 500_000)),
        format!("[{}a]", deep("a.", 500_000)),
        deep("[[sheep]]\n", 10_000),
        deep("[\n", 20_000),
        deep("=\n", 20_000),
        format!("{} = 1", deep("a", 1_000_000)),
        format!("[waive]\n{} = \"x\"", deep("a", 1_000_000)),
        format!("[[sheep]]\nfiles = \"{}\"", deep("*a", 500_000)),
        format!("name = \"{}\"", deep("\\u0000", 150_000)),
        (0..10_000).fold(String::new(), |text, number| text + &format!("k{number} = 1\n")),
    ] {
        world.write("big/flock.toml", &toml);
        let output = in_little_memory(&world, "flock plan big");
        assert_eq!(output.code, Some(2), "{:.40}: {:.2000}", toml, output.stderr);
        let lines = output.stderr.lines().count();
        assert!(lines <= 201, "{toml:.40}: {lines} lines");
    }
}

#[test]
fn a_pattern_of_many_ways_goes_each_once() {
    let world = World::new();
    let mut directory = "big".to_owned();
    for depth in 0..30 {
        world.write(&format!("{directory}/side/depth-{depth}.txt"), "a line");
        directory += "/d";
    }
    world.write("big/flock.toml", TOML.replace("FILES", &format!("{}*.txt", "**/*/".repeat(40))));
    let told = refused(&world, "flock plan big");
    assert!(told.starts_with("error: big/flock.toml:3: `**/*/**/*/"), "{told}");
    assert!(told.contains("` matches no file: nothing is at "), "{told}");
    world.write("big/flock.toml", TOML.replace("FILES", &format!("{}*.txt", "**/*/".repeat(29))));
    let planned = world.ok("flock plan big");
    assert!(planned.contains("2 to create"), "{planned}");
    // Two ways on at each step: a million million, all to the same directory.
    for link in ["round", "about"] {
        std::os::unix::fs::symlink(".", world.path(&format!("big/{link}"))).unwrap();
    }
    world.write("big/flock.toml", TOML.replace("FILES", &format!("{}*.txt", "*/".repeat(40))));
    assert_snapshot!(refused(&world, "flock plan big"), @"error: big/flock.toml:3: `*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*/*.txt` goes through more than 100000 files and directories; name the directories the texts are in");
    world.write("big/flock.toml", TOML.replace("FILES", &format!("{}*.txt", "*/".repeat(400))));
    assert_snapshot!(refused(&world, "flock plan big"), @"error: big/flock.toml:3: this pattern is too long: 1000 bytes in 100 parts are the most; `**` stands for any number of directories");
}

#[test]
fn a_run_that_is_stopped_is_not_waited_for() {
    let world = World::new();
    let mut run = world.start("run --listen 127.0.0.1:0");
    let url = run.url();
    run.line("There is no flock yet");
    run.signal("STOP");
    let slack = {
        let mut command = world.command("slack");
        command.arg("/flock help");
        Running::spawn(command)
    };
    let said = world.refused("sheep list --json");
    assert_eq!(slack.finish().stderr, said);
    run.signal("CONT");
    assert_snapshot!(said.replace(&url, "URL"), @"error: the `flockwork run` that has .flockwork does not answer at URL: nothing comes within 10 s. If it is stopped, let it go on (`fg`, or `kill -CONT` and its process id); otherwise end it, start it again and give the command again");
    assert_eq!(world.ok("sheep list --json"), "");
    assert_eq!(run.interrupt().code, Some(0));
}

#[test]
fn half_open_connections_keep_nobody_out() {
    let world = World::new();
    let mut run = world.start("run --listen 127.0.0.1:0");
    let url = run.url();
    run.line("There is no flock yet");
    let endpoint = std::fs::read(world.path(".flockwork/endpoint.json")).unwrap();
    let endpoint: Value = serde_json::from_slice(&endpoint).unwrap();
    let mut half_open = Vec::new();
    for (name, count) in [("page", 357), ("slack", 100), ("services", 300)] {
        let address = endpoint[name].as_str().unwrap().strip_prefix("http://").unwrap();
        for number in 0..count {
            let mut stream = TcpStream::connect(address.trim_end_matches('/')).unwrap();
            let begun: [&[u8]; 3] = [
                b"",
                b"GET / HTT",
                b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{",
            ];
            // It may have been closed already.
            let _ = stream.write_all(begun[number % 3]);
            half_open.push(stream);
        }
    }
    assert_eq!(http(|client| client.get(format!("{url}/page.css"))).status, 200);
    assert_eq!(world.ok("sheep list --json"), "");
    let mut help = world.command("slack");
    help.arg("/flock help");
    let help = Running::spawn(help).finish();
    assert!(help.code == Some(0) && help.stdout.starts_with("flockwork"), "{help:#?}");
    // The first ones made room for the last.
    let mut rest = Vec::new();
    let _ = half_open[0].read_to_end(&mut rest);
    assert_eq!(rest, b"");
    assert_eq!(run.interrupt().code, Some(0));
}

#[test]
fn what_is_said_in_slack_has_a_length() {
    let world = World::new();
    let say = |text: &str| {
        let mut command = world.command("slack");
        command.arg(text);
        Running::spawn(command).finish()
    };
    assert_snapshot!(say(&format!("/flock {}", "*a ".repeat(20_000))).stdout, @"
    Slackbot (only visible to you):
      Your message is too long: Slack takes 40000 characters at most. Send it in parts.
    ");
    let shorter = say(&format!("/flock {}", "*a ".repeat(13_000)));
    assert!(shorter.stdout.contains("too long for a command"), "{shorter:#?}");
}

/// Somebody else holds its database, so that it waits for long in the middle of something.
#[test]
fn a_run_that_is_stuck_ends_all_the_same() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let world = World::new();
        world.begin("");
        let other = Connection::open(world.path(".flockwork/flock.db")).unwrap();
        other.execute_batch("BEGIN EXCLUSIVE").unwrap();
        let run = world.start("run --listen 127.0.0.1:0");
        is_held(&world);
        run.signal(signal);
        let output = run.finish();
        assert_eq!(output.code, Some(code), "{output:#?}");
        let said = "Stopped in the middle of something; the next start goes on from there.\n";
        assert_eq!(output.stderr, said);
        drop(other);
        assert_eq!(world.ok("sheep list --json").lines().count(), 1);
    }
}

/// As Ctrl-S in a terminal does, and a pager at its first page.
#[test]
fn a_run_goes_on_and_ends_whatever_its_readers_do() {
    for (signal, stream) in [
        ("INT", Unread::Stdout),
        ("TERM", Unread::Stdout),
        ("INT", Unread::ImpatientStdout),
        ("INT", Unread::Stderr),
    ] {
        let world = World::new();
        world.write_flock("choir", &[("alto", "first\nsecond\n", "line = \"5m\"")]);
        world.ok("flock apply choir");
        let mut command = world.command("run --listen 127.0.0.1:0");
        command.env("RUST_LOG", "trace");
        let (run, unread) = Running::spawn_unread(command, stream);
        let posts = eventually("it posts", || {
            Some(world.ok("posts --json")).filter(|posts| !posts.is_empty())
        });
        assert!(posts.contains("first"), "{posts}");
        let page = world.endpoint()["page"].as_str().unwrap().to_owned();
        let feed = eventually("the whole feed", || {
            let feed = http(|client| client.get(format!("{page}/feed")));
            Some(feed).filter(|feed| !feed.body.contains("id=\"behind\""))
        });
        assert!(feed.status == 200 && feed.body.contains("first"), "{}", feed.body);
        assert!(world.ok("flock remove choir --yes").contains("Removed"));
        run.signal(signal);
        // Where it does not end by itself, the code is another.
        let output = run.finish();
        assert_eq!(output.code, Some(0), "{output:#?}");
        assert!(!output.stderr.contains("in the middle"), "{output:#?}");
        drop(unread);
    }
}

#[test]
fn what_a_reader_does_not_take_is_left_out_and_counted() {
    let world = World::new();
    // A line has nearly 500 letters, as many as a post can have.
    let poem = poem(&"la ".repeat(150), 9_000);
    world.write_flock("choir", &[("alto", &poem, "line = \"1m\"")]);
    world.ok("flock apply choir");
    let run = world.command(&format!("run --listen 127.0.0.1:0 --speed {QUICK}"));
    let (run, unread) = Running::spawn_unread(run, Unread::Stdout);
    // More than the pipe and what waits.
    eventually("many posts are made", || {
        (1_000 <= world.ok("posts --limit 1000 --json").lines().count()).then_some(())
    });
    let mut lines = BufReader::new(unread).lines().map(Result::unwrap);
    let number = |line: &str| {
        line.contains(" la ").then(|| -> u64 {
            let line = line.split("  (next").next().unwrap();
            line.split_whitespace().last().unwrap().parse().unwrap()
        })
    };
    let mut last = 0;
    let told = loop {
        let line = lines.next().unwrap();
        if let Some(number) = number(&line) {
            assert_eq!(number, last + 1, "none is missing before: {line}");
            last = number;
        } else if line.contains("left out") {
            break line;
        }
    };
    let left_out: u64 = told.trim_start_matches('(').split(' ').next().unwrap().parse().unwrap();
    assert_eq!(
        told,
        format!(
            "({left_out} lines are left out here, because nobody read them; `flockwork posts` lists what \
             was posted)"
        )
    );
    let next = lines.find_map(|line| number(&line)).unwrap();
    assert_eq!(next, last + left_out + 1, "each is told or counted");
    run.signal("INT");
    assert_eq!(lines.last().as_deref(), Some("Stopped."));
    assert_eq!(run.finish().code, Some(0));
}

/// Others want the data directory meanwhile.
#[test]
fn a_command_that_nobody_reads_holds_nothing() {
    let world = World::new();
    world.write_flock("choir", &[("alto", "first\nsecond\n", "line = \"5m\"")]);
    world.ok("flock apply choir");
    let list = world.ok("sheep list --json");
    let (unread, full) = std::io::pipe().unwrap();
    let mut preview = world.command("preview --flock choir --count 5000 --json");
    let mut preview = preview.stdout(full).spawn().unwrap();
    let mut first = [0];
    // More comes than the pipe takes.
    (&unread).read_exact(&mut first).unwrap();
    assert_eq!(world.ok("sheep list --json"), list);
    drop(unread);
    assert!(preview.wait().unwrap().success());
}

#[test]
fn sigterm_ends_a_run_as_ctrl_c_does() {
    let world = World::new();
    let mut run = world.start("run --listen 127.0.0.1:0");
    run.url();
    run.signal("TERM");
    let output = run.finish();
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    assert!(output.stdout.ends_with("Stopped.\n"), "{}", output.stdout);
    assert!(!world.path(".flockwork/endpoint.json").exists());
}

/// Whatever is in the place of the file that says where a run answers, what is said of it is true.
#[test]
fn a_run_whose_endpoint_is_gone_is_told_of_as_such() {
    let world = World::new();
    let mut run = world.start("run --listen 127.0.0.1:0");
    run.url();
    run.line("There is no flock yet");
    let place = world.path(".flockwork/endpoint.json");
    let endpoint = std::fs::read(&place).unwrap();
    let process = run.id().to_string();
    let mut said = Vec::new();
    let mut look = |world: &World, what: &str| {
        let refused = world.refused("sheep list --json").replace(&process, "PROCESS");
        for arguments in ["env", "slack link", "slack /flock", "run --listen 127.0.0.1:0"] {
            assert_eq!(
                world.refused(arguments).replace(&process, "PROCESS"),
                refused,
                "{what}: {arguments}"
            );
        }
        said.push(refused);
    };
    std::fs::remove_file(&place).unwrap();
    look(&world, "missing");
    for content in ["", "{\"page\":", "{}", "null"] {
        world.write(".flockwork/endpoint.json", content);
        look(&world, content);
    }
    sparse(&place, 3_000_000_000);
    look(&world, "huge");
    std::fs::remove_file(&place).unwrap();
    fifo(&place);
    look(&world, "fifo");
    std::fs::remove_file(&place).unwrap();
    std::fs::create_dir(&place).unwrap();
    look(&world, "directory");
    std::fs::remove_dir(&place).unwrap();
    said.dedup();
    assert_snapshot!(said.concat(), @"
    error: a `flockwork run` has .flockwork, but .flockwork/endpoint.json, which says where it answers, is missing; end that run (Ctrl-C where it runs, or `kill PROCESS`) and start it again
    error: a `flockwork run` has .flockwork, but .flockwork/endpoint.json, which says where it answers, is damaged, or of another version; end that run (Ctrl-C where it runs, or `kill PROCESS`) and start it again
    error: a `flockwork run` has .flockwork, but .flockwork/endpoint.json, which says where it answers, is 3000000000 bytes long; 1048576 (1 MB) is the most; end that run (Ctrl-C where it runs, or `kill PROCESS`) and start it again
    error: a `flockwork run` has .flockwork, but .flockwork/endpoint.json, which says where it answers, is a link, or no regular file; end that run (Ctrl-C where it runs, or `kill PROCESS`), move that file away, and start it again
    ");
    // It was not the run's fault.
    world.write(".flockwork/endpoint.json", &endpoint);
    assert_eq!(world.ok("sheep list --json"), "");
    std::fs::remove_file(&place).unwrap();
    std::fs::create_dir(&place).unwrap();
    assert_eq!(run.interrupt().code, Some(0));
    // What was put there is somebody's, and stays.
    assert_snapshot!(world.refused("run --listen 127.0.0.1:0"), @"error: .flockwork/endpoint.json is a link, or no regular file; move it away, or choose another directory than .flockwork with --data");
    assert_snapshot!(world.refused("env"), @"error: no `flockwork run` is up in .flockwork; start one in another terminal, or name its directory with --data");
    std::fs::remove_dir(&place).unwrap();
    assert_eq!(world.ok("sheep list --json"), "");
    // Neither does one that was killed stay there for ever.
    let mut run = world.start("run --listen 127.0.0.1:0");
    run.url();
    run.kill();
    std::fs::remove_file(&place).unwrap();
    assert_snapshot!(world.refused("env"), @"error: no `flockwork run` is up in .flockwork; start one in another terminal, or name its directory with --data");
    assert_eq!(world.ok("sheep list --json"), "");
}

/// A short command is waited for, and is no run.
#[test]
fn a_command_that_has_the_directory_for_a_moment_is_waited_for() {
    let world = World::new();
    world.begin("");
    let lock = File::options().write(true).open(world.path(".flockwork/lock")).unwrap();
    lock.lock().unwrap();
    assert!(world.refused("env").contains("no `flockwork run` is up"));
    assert_snapshot!(world.refused("sheep list --json"), @"error: .flockwork is in use by another flockwork command; try again when it is done");
    let waiting = world.start("sheep list --json");
    eventually("it wants the directory", || has_open(&waiting, ".flockwork/lock"));
    lock.unlock().unwrap();
    let output = waiting.finish();
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
}

/// Nor is what a run has left that was killed, while somebody takes its place.
#[test]
fn what_a_dead_run_has_left_is_not_taken_for_one_that_is_up() {
    let world = World::new();
    let mut run = world.start("run --listen 127.0.0.1:0");
    run.url();
    let endpoint = std::fs::read(world.path(".flockwork/endpoint.json")).unwrap();
    run.kill();
    for endpoint in [Some(endpoint), None] {
        match endpoint {
            Some(endpoint) => world.write(".flockwork/endpoint.json", endpoint),
            None => std::fs::remove_file(world.path(".flockwork/endpoint.json")).unwrap(),
        }
        // Taken, and what was left is not removed yet.
        let lock = File::options().write(true).open(world.path(".flockwork/lock")).unwrap();
        lock.lock().unwrap();
        assert!(world.refused("env").contains("no `flockwork run` is up"));
        let waiting = world.start("sheep list --json");
        eventually("it wants the directory", || has_open(&waiting, ".flockwork/lock"));
        lock.unlock().unwrap();
        let output = waiting.finish();
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
        let mut run = world.start("run --listen 127.0.0.1:0");
        run.url();
        run.kill();
    }
}

/// Another run could begin beside it, or with a table of its own.
#[test]
fn a_run_whose_files_are_taken_away_ends_and_one_whose_secret_is_writes_it_again() {
    for name in ["lock", "flock.db"] {
        let world = World::new();
        let mut run = world.start("run --listen 127.0.0.1:0");
        run.url();
        let keyring = world.path(".flockwork/keyring.secret.json");
        let text = std::fs::read(&keyring).unwrap();
        std::fs::remove_file(&keyring).unwrap();
        eventually("it is there again", || std::fs::read(&keyring).ok().filter(|new| *new == text));
        let path = world.path(&format!(".flockwork/{name}"));
        std::fs::rename(&path, world.path("elsewhere")).unwrap();
        let output = run.finish();
        let said = format!(
            "error: .flockwork/{name} was moved, removed or replaced while this run had it open, so that another run \
             could begin beside it; put it back where it is to be had, and start the run again\n"
        );
        assert_eq!((output.code, output.stderr), (Some(1), said));
        assert!(
            output
                .stdout
                .contains("The secret Keyring was gone from its file, and is there again.")
        );
        std::fs::rename(world.path("elsewhere"), &path).unwrap();
        assert_eq!(world.ok("sheep list --json"), "");
    }
}

#[test]
fn where_nobody_can_be_told_the_exit_code_tells() {
    let world = World::new();
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let code = |arguments: &str, out: bool| {
        let mut command = world.command(arguments);
        command.stderr(full());
        if out {
            command.stdout(full());
        }
        command.status().unwrap().code()
    };
    assert_eq!(code("posts --sheep nope", false), Some(2));
    assert_eq!(code("run --listen 127.0.0.1:0", true), Some(1));
}

/// What has the place of a file of ours is refused where it is found, also when it came after the start.
#[test]
fn a_directory_in_the_place_of_the_endpoint_is_refused_at_any_moment() {
    let world = World::new();
    world.begin("");
    let other = Connection::open(world.path(".flockwork/flock.db")).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let run = world.start("run --listen 127.0.0.1:0");
    is_held(&world);
    std::fs::create_dir(world.path(".flockwork/endpoint.json")).unwrap();
    drop(other);
    let output = run.finish();
    assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""));
    assert_snapshot!(output.stderr, @"error: cannot write .flockwork/endpoint.json: it is a directory; move it away");
}

fn has_open(process: &Running, file: &str) -> Option<()> {
    let open = std::fs::read_dir(format!("/proc/{}/fd", process.id())).ok()?;
    let mut open = open.flatten().filter_map(|file| std::fs::read_link(file.path()).ok());
    open.any(|open| open.ends_with(file)).then_some(())
}

/// Waits until a process has the data directory.
fn is_held(world: &World) {
    eventually("a process has the data directory", || {
        let lock = File::open(world.path(".flockwork/lock")).ok()?;
        matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)).then_some(())
    });
}
