//! A flock is tried before anything of it exists: no account, no key, no data directory.

use std::process::{Command, Stdio};

use insta::assert_snapshot;
use jiff::SignedDuration;

use crate::world::{NOT_RUNNING, World, XWorld, eventually, from_now, http, poem, timeless};

/// Far from now, so that a plan of it looks the same whenever it is made.
const LATER: &str = "at = [\"09:00\"]\nstart = \"2087-01-01\"";

/// Three networks, of which nobody has added an account.
fn abroad(world: &World) {
    let x = format!("network = \"x\"\n{LATER}");
    let mastodon = format!("network = \"mastodon\"\naccount = \"iris@example.social\"\n{LATER}");
    let bluesky = format!("network = \"bluesky\"\naccount = \"pan.example.com\"\n{LATER}");
    let long = format!("short\n{}\n", "a".repeat(501));
    world.write_flock_with(
        "choir",
        "monthly_cap = 5",
        &[
            ("apollo", "the moon\n", &x),
            ("echo", "one\ntwo\n", LATER),
            ("iris", &long, &mastodon),
            ("pan", "the sun\n", &bluesky),
        ],
    );
}

#[test]
fn a_flock_is_planned_before_its_accounts_are_there() {
    let world = World::new();
    abroad(&world);
    let files = world.files("");
    assert_snapshot!(timeless(&world.ok("flock plan choir")), @"
    flock choir:
      + monthly cap $5.00
      + create apollo: poem of 1 line, at 09:00, from 2087-01-01T00:00:00Z, on x:apollo
      + create echo: poem of 2 lines, at 09:00, from 2087-01-01T00:00:00Z, on meadow:echo
      + create iris: poem of 2 lines, at 09:00, from 2087-01-01T00:00:00Z, on mastodon:iris@example.social
      + create pan: poem of 1 line, at 09:00, from 2087-01-01T00:00:00Z, on bluesky:pan.example.com
      ! choir/iris (mastodon:iris@example.social): 1 line is longer than the 500 characters that are usual on Mastodon, the first in choir/iris.txt:2; whether the account's server takes that is known when the account is added
    4 to create, 0 to change, 0 to remove, 0 unchanged
    by the schedule, the next 30 days cost
      the whole flock      0 posts: $0.00
      the monthly cap      $5.00 is not reached ($0.00 is spent in MONTH)
    missing before it can be applied: the accounts x:apollo, mastodon:iris@example.social and bluesky:pan.example.com; `flockwork account connect x:apollo`, and so for each
    ");
    assert_snapshot!(world.ok("flock plan choir --json"), @r#"{"flock":"choir","is_empty":false,"create":[{"sheep":"apollo","account":"x:apollo","behaviour":"poem of 1 line","rhythm":"at 09:00, from 2087-01-01T00:00:00Z"},{"sheep":"echo","account":"meadow:echo","behaviour":"poem of 2 lines","rhythm":"at 09:00, from 2087-01-01T00:00:00Z"},{"sheep":"iris","account":"mastodon:iris@example.social","behaviour":"poem of 2 lines","rhythm":"at 09:00, from 2087-01-01T00:00:00Z"},{"sheep":"pan","account":"bluesky:pan.example.com","behaviour":"poem of 1 line","rhythm":"at 09:00, from 2087-01-01T00:00:00Z"}],"change":[],"remove":[],"restore":[],"wake":[],"unchanged":0,"warnings":["choir/iris (mastodon:iris@example.social): 1 line is longer than the 500 characters that are usual on Mastodon, the first in choir/iris.txt:2; whether the account's server takes that is known when the account is added"],"missing":[{"account":"x:apollo"},{"account":"mastodon:iris@example.social"},{"account":"bluesky:pan.example.com"}],"next_30_days":{"posts":0,"dollars":0.0,"cap":5.0,"cap_reached_at":null}}"#);
    assert_eq!(world.files(""), files, "nothing is made by it");
    assert_snapshot!(world.refused("flock apply choir"), @"error: choir/apollo, choir/iris and choir/pan: the accounts x:apollo, mastodon:iris@example.social and bluesky:pan.example.com were never added; connect each (`flockwork account connect x:apollo`, and so for each)");
    assert_eq!(world.ok("flock list --json"), "");
    // So is a flock without the cap that it needs, which is chosen by what the plan says it costs.
    world.write_flock("choir", &[("apollo", "the moon\n", &format!("network = \"x\"\n{LATER}"))]);
    assert_snapshot!(timeless(&world.ok("flock plan choir")), @r#"
    flock choir:
      + create apollo: poem of 1 line, at 09:00, from 2087-01-01T00:00:00Z, on x:apollo
    1 to create, 0 to change, 0 to remove, 0 unchanged
    by the schedule, the next 30 days cost
      the whole flock      0 posts: $0.00
    missing before it can be applied: a monthly cap, because X charges $0.015 for a post and $0.20 with a link, $0.00 in the next 30 days; write the most the flock may spend in a month into flock.toml, such as monthly_cap = "25.00"
    missing before it can be applied: the account x:apollo; `flockwork account connect x:apollo`
    "#);
    assert_snapshot!(world.ok("flock plan choir --json").split_once("\"missing\"").unwrap().1, @r#":[{"field":"monthly_cap"},{"account":"x:apollo"}],"next_30_days":{"posts":0,"dollars":0.0,"cap":null,"cap_reached_at":null}}"#);
    assert!(
        world
            .flockwork("preview choir --count 1")
            .stderr
            .contains("a monthly cap, because X charges")
    );
    assert_snapshot!(world.refused("flock apply choir"), @r#"
    error: choir: X charges $0.015 for a post and $0.20 with a link, $0.00 in the next 30 days; write the most the flock may spend in a month into flock.toml, such as monthly_cap = "25.00"
    choir/apollo: the account x:apollo was never added; connect it (`flockwork account connect x:apollo`)
    "#);
    // What else is wrong is refused as ever, and with what is missing.
    let over = "network = \"x\"\nline = \"1h\"\nend = \"2020-01-01\"";
    world.write_flock("choir", &[("apollo", "the moon\n", over)]);
    assert_snapshot!(world.refused("flock plan choir"), @"error: choir/apollo: its `end` has passed; give it a later one, or take it out");
    let none = "network = \"x\"\nat = [\"09:00\"]\nstart = \"2090-01-01 10:00\"\nend = \"2090-01-01 11:00\"";
    world.write_flock("choir", &[("apollo", "the moon\n", none)]);
    assert_snapshot!(world.refused("flock plan choir"), @"error: choir/apollo: no time of it falls before its `end`; give it a later one, or take it out");
}

#[test]
fn a_flock_is_previewed_before_its_accounts_are_there() {
    let world = World::new();
    abroad(&world);
    let files = world.files("");
    let preview = world.flockwork("preview choir --count 6");
    assert_eq!(preview.code, Some(0));
    assert_snapshot!(preview.stdout.replace(&"a".repeat(501), "aaa"), @"
    2087-01-01 09:00:00 UTC  choir/apollo  the moon
    2087-01-01 09:00:00 UTC  choir/echo  one
    2087-01-01 09:00:00 UTC  choir/iris  short
    2087-01-01 09:00:00 UTC  choir/pan  the sun
    2087-01-02 09:00:00 UTC  choir/apollo  the moon
    2087-01-02 09:00:00 UTC  choir/echo  two
    ");
    assert_snapshot!(preview.stderr, @"
    Nothing is posted while `flockwork run` is not running.
    missing before it can be applied: the accounts x:apollo, mastodon:iris@example.social and bluesky:pan.example.com; `flockwork account connect x:apollo`, and so for each
    ");
    assert_eq!(world.files(""), files, "nothing is made by it");
    assert_snapshot!(world.refused("preview nowhere"), @"error: nowhere: it does not exist; of a flock or a sheep that is applied `--flock NAME` or `--sheep NAME` shows the posts");
    assert_snapshot!(world.refused("preview choir/echo.txt"), @"error: choir/echo.txt: it is not a directory");
}

/// Whoever looks at what is not there, or asks to change it, makes nothing, also where a process died before it had made anything.
#[test]
fn where_nothing_is_yet_nothing_is_made() {
    let begun: [&[(&str, &str)]; 5] = [
        &[],
        &[("lock", "")],
        &[("lock", "run 1\n"), ("endpoint.json", "{")],
        &[("lock", ""), ("flock.db", ""), (".flockwork-1.new", "half"), ("sample", "")],
        &[("notes.txt", "mine")],
    ];
    let commands = [
        ("flock list", 0, "There is no flock yet; "),
        ("sheep list", 0, "There is no sheep yet; "),
        ("account list", 0, "There is no account yet; "),
        ("posts", 0, "Nothing was posted yet."),
        ("audit", 0, "Nobody has changed anything yet."),
        ("spend", 0, "No flock pays for anything."),
        ("preview --flock choir", 2, "there is no flock"),
        ("preview choir", 0, "choir/alto  one"),
        ("flock plan choir", 0, "1 to create"),
        ("doctor", 0, "there is nothing in data yet; `flockwork --data data` makes it"),
        ("sheep show alto", 2, "there is no sheep `alto`"),
        ("sheep pause alto", 2, "there is no sheep `alto`"),
        ("account show x:apollo", 2, "x:apollo"),
        ("account remove x:apollo --yes", 2, "was never added"),
        ("flock remove choir --yes", 2, "there is no flock"),
    ];
    for files in begun {
        let world = World::new();
        world.write_flock("choir", &[("alto", "one\n", "line = \"1h\"")]);
        for (name, content) in files {
            world.write(&format!("data/{name}"), content);
        }
        let before = world.files("");
        let locks = || world.path("data/lock").exists();
        let is_locked = locks();
        for (arguments, code, said) in commands {
            let output = world.flockwork(&format!("--data data {arguments}"));
            let all = output.stdout + &output.stderr;
            assert_eq!(output.code, Some(code), "{arguments}: {all}");
            assert!(all.contains(said), "{arguments}: {all}");
            assert_eq!(world.files(""), before, "{arguments} makes nothing");
            assert_eq!(locks(), is_locked, "{arguments} makes nothing");
        }
        world.ok("--data data flock apply choir");
        assert_eq!(world.ok("--data data flock list"), "choir  1 sheep, 1 active\n");
    }
}

/// What was lost is told, and not taken for what never was.
#[test]
fn what_is_lost_is_not_looked_at_as_if_it_was_new() {
    let world = World::new();
    world.write_flock("choir", &[("alto", "one\n", "line = \"1h\"")]);
    world.ok("flock apply choir");
    std::fs::remove_file(world.path(".flockwork/flock.db")).unwrap();
    for arguments in ["flock list", "flock plan choir"] {
        let said = world.refused(arguments);
        assert!(said.contains("flock.db is missing"), "{arguments}: {said}");
    }
}

/// What is previewed of files is what is previewed once they are applied, and what is posted then.
#[test]
fn what_a_directory_shows_is_what_comes_of_it() {
    let world = World::new();
    let rhythm = "line = \"2m\"\njitter = \"30s\"\nstanza = \"7m\"";
    let (moss, tern) = (poem("moss", 5), poem("tern", 4));
    let write = |sheep: &[(&str, &str, &str)]| world.write_flock("choir", sheep);
    write(&[("moss", &moss, rhythm), ("tern", &tern, rhythm), ("gone", "x\n", rhythm)]);
    world.ok("flock apply choir");
    world.run_until(from_now(SignedDuration::from_mins(9)));
    // One goes on in an edited text, one as it is, one goes, one comes, and one comes back with its numbers.
    let edited = moss.replace("moss 2", "moss 2\nbetween");
    write(&[("moss", &edited, rhythm), ("tern", &tern, rhythm)]);
    world.ok("flock apply choir --yes");
    let again = [
        ("moss", &*moss, rhythm),
        ("tern", &tern, rhythm),
        ("gone", "x\n", rhythm),
        ("new", "y\n", rhythm),
    ];
    write(&again);
    let table = world.table();
    let texts = |arguments: &str| -> Vec<_> {
        let posts = world.posts(arguments).into_iter();
        posts.map(|post| (post.sheep, post.occurrence, post.text)).collect()
    };
    let shown = texts("preview choir --count 90");
    assert_eq!(world.table(), table, "nothing has changed");
    assert!(shown.iter().any(|(sheep, number, _)| sheep == "gone" && 1 < *number), "{shown:?}");
    world.ok("flock apply choir");
    // New sheep begin at another second, so that the order of one moment may differ.
    let of = |posts: &[(String, u64, String)], name: &str| -> Vec<_> {
        posts.iter().filter(|post| post.0 == name).take(10).cloned().collect()
    };
    let applied = texts("preview --flock choir --count 90");
    for name in ["moss", "tern", "gone", "new"] {
        assert_eq!(of(&shown, name), of(&applied, name), "{name}");
        assert_eq!(of(&shown, name).len(), 10);
    }
}

/// However many posts are asked for, the first are there at once, nobody waits for whoever reads them, and who has enough goes.
#[test]
fn a_preview_is_printed_as_it_is_found() {
    let world = World::new();
    let sheep: Vec<_> = (0..40).map(|number| format!("s{number}")).collect();
    let sheep: Vec<_> =
        sheep.iter().map(|name| (name.as_str(), "one\ntwo\n", "line = \"1m\"")).collect();
    world.write_flock("choir", &sheep);
    world.ok("flock apply choir");
    for arguments in ["--flock choir", "choir", "--flock choir --json"] {
        let binary = env!("CARGO_BIN_EXE_flockwork");
        let script = format!("'{binary}' preview {arguments} --count 1000000000000; echo $? >&2");
        let head = Command::new("sh")
            .args(["-c", &format!("({script}) | head -3")])
            .current_dir(world.path(""))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(head.stdout).unwrap().lines().count(), 3);
        assert_eq!(String::from_utf8(head.stderr).unwrap(), "0\n", "{arguments}");
    }
    // Nobody reads this one, and the data directory is free.
    let mut binary = world.command("preview --flock choir --count 1000000000000");
    let mut unread = binary.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let list = world.ok("sheep list --json");
    assert_eq!(list.lines().count(), 40);
    unread.kill().unwrap();
    unread.wait().unwrap();
}

#[test]
fn what_keeps_sheep_from_posting_is_said_beside_them() {
    let world = XWorld::new();
    let x = "network = \"x\"\nline = \"1h\"";
    world.add("apollo");
    world.add("iris");
    let sheep =
        [("apollo", "one\n", x), ("iris", "two\n", x), ("echo", "three\n", "line = \"1h\"")];
    world.write_flock_with("choir", "monthly_cap = 50", &sheep);
    world.ok("flock apply choir");
    assert_eq!(world.flockwork("sheep list").stderr, NOT_RUNNING);
    assert_eq!(world.flockwork("preview --flock choir").stderr, NOT_RUNNING);
    assert_eq!(world.flockwork("sheep list --json").stderr, "", "a program knows");

    world.trouble(flock_tests::Trouble::Suspended);
    let mut run = world.start("run --listen 127.0.0.1:0");
    run.url();
    eventually("both have stopped", || {
        let sheep = world.json("sheep list --json --flock choir");
        (sheep.iter().filter(|sheep| sheep["state"] == "stopped").count() == 2).then_some(())
    });
    assert_snapshot!(world.flockwork("sheep list").stderr, @r#"
    choir/apollo has stopped: x:apollo: X has suspended the account: "Your account is suspended and is not permitted to access this feature."; appeal at help.x.com; `flockwork sheep resume choir/apollo`, once that is put right
    choir/iris has stopped: x:iris: X has suspended the account: "Your account is suspended and is not permitted to access this feature."; appeal at help.x.com; `flockwork sheep resume choir/iris`, once that is put right
    "#);
    assert_snapshot!(world.flockwork("preview --flock choir --count 1").stderr, @r#"
    choir/apollo has stopped: x:apollo: X has suspended the account: "Your account is suspended and is not permitted to access this feature."; appeal at help.x.com
    choir/iris has stopped: x:iris: X has suspended the account: "Your account is suspended and is not permitted to access this feature."; appeal at help.x.com
    "#);
    run.interrupt();
}

/// A run whose schedules do not come looks as one that is at work.
#[test]
fn a_run_that_does_not_tick_is_told_of() {
    let world = World::new();
    world.write("choir/queue.csv", "at,text\n2020-01-01 09:00,late\n");
    let toml = "name = \"choir\"\n[[sheep]]\nname = \"echo\"\nbehaviour = \"queue\"\ncorpus = \"queue.csv\"\nline = \"1h\"\n";
    world.write("choir/flock.toml", toml);
    // What is new has not been waited for, however old its time is.
    assert_eq!(world.ok("preview choir --count 1").matches("Nothing is at work").count(), 0);
    world.ok("flock apply choir");
    assert!(!world.flockwork("sheep list").stderr.contains("no tick has seen to it"));
    world.ok("sheep pause echo");
    world.ok("sheep resume echo");
    let template = include_str!("../../../../template.yaml");
    let never = template
        .replace("ScheduleExpression: rate(1 minute)", "ScheduleExpression: cron(0 0 1 1 ? 2150)");
    assert_ne!(never, template);
    world.write("template.yaml", never);
    let mut run = world.start("run --listen 127.0.0.1:0");
    let url = run.url();
    for arguments in ["sheep list", "preview --flock choir --count 1", "sheep show echo"] {
        let said = world.flockwork(arguments).stderr;
        assert!(said.starts_with("Nothing is at work: choir/echo is due since "), "{said}");
        assert!(said.contains(", and no tick has seen to it. "), "{said}");
    }
    let doctor = world.flockwork("doctor");
    assert!(
        doctor.stdout.contains("FAULT  Nothing is at work: choir/echo is due since "),
        "{}",
        doctor.stdout
    );
    assert_eq!(doctor.code, Some(1));
    // The page says so, too, and nothing of when it comes.
    let page = http(|client| client.get(format!("{url}/feed"))).body;
    assert!(page.contains("Nothing is at work: choir/echo is due since "), "{page}");
    assert!(!page.contains("class=\"until\""), "{page}");
    run.interrupt();
}
