//! A flock as files: plan, apply, list, remove.

use std::fs;

use insta::assert_snapshot;
use jiff::SignedDuration;

use crate::world::{World, check_lines, eventually, from_now, poem};

const MILTON: &str = r#"name = "milton"
time_zone = "Europe/London"

[defaults]
network = "meadow"
line = "3m"
stanza = "2h"

[[sheep]]
files = "poems/*.txt"
behaviour = "poem"

[[sheep]]
name = "apollo"
behaviour = "poem"
corpus = "apollo.txt"
line = "10m"
jitter = "30s"
catch_up = "latest"
"#;

const APOLLO: &str = "the first\nthe second\nthe third\n";

fn milton() -> World {
    let world = World::new();
    world.write("milton/flock.toml", MILTON);
    world.write("milton/apollo.txt", APOLLO);
    world.write("milton/poems/Book 1.txt", "of man's first disobedience\n\nand the fruit\n");
    world.write("milton/poems/book-2.txt", "high on a throne of royal state\n");
    world
}

/// `flock/sheep` of every sheep.
#[track_caller]
fn sheep(world: &World) -> Vec<String> {
    let sheep = world.json("sheep list --json");
    let name = |key, sheep: &serde_json::Value| sheep[key].as_str().unwrap().to_owned();
    sheep.iter().map(|sheep| name("flock", sheep) + "/" + &name("sheep", sheep)).collect()
}

#[test]
fn plan_shows_what_apply_does_and_the_second_apply_does_nothing() {
    let world = milton();
    let plan = world.ok("flock plan milton");
    assert_snapshot!(plan, @"
    flock milton:
      + create apollo: poem of 3 lines, every 10m, pause 2h, jitter 30s, catch up latest, in Europe/London, on meadow:apollo
      + create book-1: poem of 2 lines, every 3m, pause 2h, in Europe/London, on meadow:book-1
      + create book-2: poem of 1 line, every 3m, pause 2h, in Europe/London, on meadow:book-2
    3 to create, 0 to change, 0 to remove, 0 unchanged
    ");
    assert_eq!(world.table().trim(), "", "a plan changes nothing");

    assert_eq!(world.ok("flock apply milton"), plan + "Applied.\n");
    assert_snapshot!(world.ok("flock list"), @"milton  3 sheep, 3 active");
    assert_eq!(sheep(&world), ["milton/apollo", "milton/book-1", "milton/book-2"]);

    let table = world.table();
    assert_snapshot!(world.ok("flock apply milton"), @"flock milton: nothing to change (3 sheep)");
    assert_eq!(world.ok("flock plan milton"), world.ok("flock apply milton"));
    assert_eq!(world.table(), table, "nothing is done the second time");
}

/// However people write its words.
#[test]
fn words_of_a_flock_file_are_read_in_any_case() {
    let world = milton();
    let days = "\n[[sheep]]\nname = \"zeus\"\ncorpus = \"apollo.txt\"\nbehaviour = \"poem\"\nat = [\"09:00\"]\n";
    let file = |days_of_zeus: &str| format!("{MILTON}{days}days = {days_of_zeus}\n");
    world.write("milton/flock.toml", file(r#"["mon", "fri"]"#));
    world.ok("flock apply milton");
    let mut shouted = file(r#"["Mon", "FRI"]"#);
    for (word, same) in [
        ("\"poem\"", "\"Poem\""),
        ("\"meadow\"", "\"Meadow\""),
        ("\"3m\"", "\"3 MIN\""),
        ("\"2h\"", "\"2H\""),
        ("\"latest\"", "\"Latest\""),
    ] {
        assert!(shouted.contains(word));
        shouted = shouted.replace(word, same);
    }
    world.write("milton/flock.toml", shouted);
    assert_snapshot!(world.ok("flock plan milton"), @"flock milton: nothing to change (4 sheep)");
    assert!(world.ok("preview --sheep Milton/Zeus --count 1").contains("the first"));
}

#[test]
fn what_changes_in_the_files_changes_in_the_flock() {
    let world = milton();
    world.ok("flock apply milton");
    let before = world.table();

    fs::remove_file(world.path("milton/poems/book-2.txt")).unwrap();
    world.write("milton/poems/book-3.txt", "hail holy light\n");
    world.write("milton/poems/Book 1.txt", "sing\nheavenly\nmuse\n");
    world.write("milton/flock.toml", MILTON.replace("\"10m\"", "\"20m\""));
    let plan = world.ok("flock plan milton");
    assert_snapshot!(plan, @"
    flock milton:
      + create book-3: poem of 1 line, every 3m, pause 2h, in Europe/London, on meadow:book-3
      ~ change apollo: rhythm (every 10m, pause 2h, jitter 30s, catch up latest, in Europe/London -> every 20m, pause 2h, jitter 30s, catch up latest, in Europe/London)
      ~ change book-1: text (2 -> 3 lines)
               no line of the old text is left: it starts over
               - of man's first disobedience
               - and the fruit
        next > + sing
               + heavenly
               + muse
      - remove book-2 on meadow:book-2: no post yet, next is line 1 of 1
    1 to create, 2 to change, 1 to remove, 0 unchanged
    ");
    assert_eq!(world.table(), before, "a plan changes nothing");

    assert_eq!(world.ok("flock apply milton --yes"), plan + "Applied.\n");
    assert_eq!(sheep(&world), ["milton/apollo", "milton/book-1", "milton/book-3"]);
    let texts = |sheep| -> Vec<String> {
        let posts = world.posts(&format!("preview --sheep {sheep} --count 3"));
        posts.into_iter().map(|post| post.text).collect()
    };
    assert_eq!(texts("book-1"), ["sing", "heavenly", "muse"]);
    assert_eq!(texts("book-3"), ["hail holy light"; 3]);
    let apollo = world.posts("preview --sheep apollo --count 2");
    let gap = apollo[1].at.duration_since(apollo[0].at);
    let jitter = SignedDuration::from_secs(30);
    let line = SignedDuration::from_mins(20);
    assert!((line - jitter..=line + jitter).contains(&gap), "{gap:#}");
    assert_snapshot!(world.ok("flock plan milton"), @"flock milton: nothing to change (3 sheep)");
}

#[test]
fn an_unknown_flock_is_refused_with_the_names_of_those_there_are() {
    let world = milton();
    assert_snapshot!(world.refused("flock remove homer"), @"error: there is no flock `homer`; there is none at all yet");
    world.ok("flock apply milton");
    world.write_flock("virgil", &[("arms", "and the man\n", "line = \"1m\"")]);
    world.ok("flock apply virgil");
    let table = world.table();
    for command in [
        "flock remove homer",
        "sheep list --flock homer",
        "posts --flock homer",
        "preview --flock homer",
    ] {
        let said = world.refused(command);
        assert_eq!(said, "error: there is no flock `homer`; there are: milton, virgil\n");
    }
    assert_eq!(world.table(), table);
}

#[test]
fn a_flock_that_was_removed_and_comes_back_goes_on_counting() {
    let world = milton();
    world.ok("flock apply milton");
    world.run_until(from_now(SignedDuration::from_mins(25)));
    let first = world.posts("posts --limit 1000");
    assert!(5 < first.len(), "{first:?}");

    assert_snapshot!(world.ok("flock remove milton --yes"), @"Removed flock milton and its 3 sheep. What they posted stays, and is listed with `flockwork posts --sheep milton/SHEEP`.");
    assert_eq!(world.ok("flock list --json"), "");
    assert_eq!(sheep(&world), Vec::<String>::new());
    world.refused("flock remove milton --yes");

    world.ok("flock apply milton");
    assert_eq!(world.posts("posts --limit 1000"), first, "what was posted stays");
    let next = world.posts("preview --flock milton --count 8");
    world.run_until(next[7].at + SignedDuration::from_secs(61));
    let all = world.posts("posts --limit 1000");
    assert_eq!(all[..first.len()], first);
    let second = &all[first.len()..];
    assert_eq!(second[..8], next);
    for name in ["apollo", "book-1", "book-2"] {
        let numbers: Vec<_> =
            all.iter().filter(|post| post.sheep == name).map(|post| post.occurrence).collect();
        assert_eq!(numbers, (1..).take(numbers.len()).collect::<Vec<_>>(), "{name}");
    }
    let apollo = second.iter().find(|post| post.sheep == "apollo").unwrap();
    assert_eq!(apollo.text, "the first", "the poem starts over");
}

#[test]
fn removing_one_flock_leaves_the_others() {
    let world = milton();
    world.ok("flock apply milton");
    world.write_flock("virgil", &[("arms", "and\nthe man\n", "line = \"1m\"")]);
    world.ok("flock apply virgil");
    world.run_until(from_now(SignedDuration::from_mins(4)));
    world.ok("flock remove milton --yes");
    assert_eq!(sheep(&world), ["virgil/arms"]);
    world.run_until(world.posts("preview --flock virgil --count 4")[3].at);
    let posts = world.posts("posts --limit 1000");
    assert!(6 < posts.len(), "{posts:?}");
    check_lines(&posts, "arms", "and\nthe man\n");
}

#[test]
fn everything_wrong_with_the_files_is_said_at_once_and_nothing_is_applied() {
    let world = milton();
    world.write(
        "milton/flock.toml",
        MILTON.replace("jitter", "jiter").replace("stanza = \"2h\"", "stanza = \"2 moons\"")
            + "
[[sheep]]
name = \"apollo\"
behaviour = \"poem\"
corpus = \"poems/book-2.txt\"

[[sheep]]
name = \"lost\"
behaviour = \"poem\"
corpus = \"lost.txt\"
",
    );
    world.write("milton/poems/blank.txt", "\n  \n");
    world.write("milton/poems/book-2.txt", format!("short\n\n{}\nshort\n", "long ".repeat(101)));
    let said = world.refused("flock apply milton");
    assert_snapshot!(said, @"
    error: milton/flock.toml:7: `stanza`: `2 moons` is not a length of time; write it as 30s, 3m, 2h or 1d
    milton/flock.toml:18: unknown field `jiter`; did you mean `jitter`?
    milton/flock.toml:22: the sheep name `apollo` is used twice: in line 14 and in line 22
    milton/flock.toml:29: `lost.txt` does not exist
    milton/poems/blank.txt: there is no line to post in it
    milton/poems/book-2.txt:3: the text is 504 characters long by meadow's counting; meadow takes 500; write split = true to make a thread of it, which cuts no link
    ");
    assert_eq!(world.refused("flock plan milton"), said);
    assert!(!world.path(".flockwork").exists(), "nothing is written");
    assert_eq!(world.table().trim(), "");

    // Nor is anything taken away from a flock that is there.
    let good = milton();
    good.ok("flock apply milton");
    let table = good.table();
    good.write("milton/apollo.txt", "");
    assert_eq!(good.refused("flock apply milton").lines().count(), 1);
    assert_eq!(good.table(), table);
}

#[test]
fn a_book_is_stored_though_the_first_attempt_is_cut_off() {
    let world = World::new();
    let book = poem("of a book that goes on and on and on for ever, this is line", 100_000);
    assert!(5_000_000 < book.len());
    world.write_flock("long", &[("book", &book, "line = \"1m\"")]);
    let apply = world.start("flock apply long");
    eventually("a part of the book is stored", || {
        let stored = fs::metadata(world.path(".flockwork/flock.db")).ok()?.len();
        (500_000 < stored).then_some(())
    });
    apply.kill();
    assert_eq!(sheep(&world), Vec::<String>::new(), "no sheep without its text");
    assert!(world.ok("flock apply long").ends_with("Applied.\n"));
    assert!(world.ok("flock apply long").contains("nothing to change"));
    world.run_until(from_now(SignedDuration::from_mins(12)));
    let posts = world.posts("posts");
    assert!(10 < posts.len(), "{posts:?}");
    check_lines(&posts, "book", &book);
}

#[test]
fn a_directory_that_is_none_is_refused() {
    let world = World::new();
    world.write("empty/readme", "");
    for (directory, expected) in [
        ("nowhere", "error: nowhere: it does not exist\n"),
        ("empty/readme", "error: empty/readme: it is not a directory\n"),
        (
            "empty",
            "error: empty/flock.toml: it does not exist; a flock is a directory with a flock.toml in it\n",
        ),
    ] {
        assert_eq!(world.refused(&format!("flock apply {directory}")), expected);
        assert_eq!(world.refused(&format!("flock plan {directory}")), expected);
    }
}

/// What people see, programs have as JSON.
#[test]
fn lists_and_plans_are_to_be_had_as_json() {
    let world = milton();
    assert_snapshot!(world.flockwork("flock list").stderr, @"There is no flock yet; `flockwork init DIR` writes one, and `flockwork flock apply DIR` makes it.");
    assert_snapshot!(world.ok("flock plan milton --json"), @r#"{"flock":"milton","is_empty":false,"create":[{"sheep":"apollo","account":"meadow:apollo","behaviour":"poem of 3 lines","rhythm":"every 10m, pause 2h, jitter 30s, catch up latest, in Europe/London"},{"sheep":"book-1","account":"meadow:book-1","behaviour":"poem of 2 lines","rhythm":"every 3m, pause 2h, in Europe/London"},{"sheep":"book-2","account":"meadow:book-2","behaviour":"poem of 1 line","rhythm":"every 3m, pause 2h, in Europe/London"}],"change":[],"remove":[],"restore":[],"wake":[],"unchanged":0,"warnings":[],"missing":[],"next_30_days":null}"#);
    world.ok("flock apply milton");
    assert_snapshot!(world.ok("flock list --json"), @r#"{"flock":"milton","sheep":3,"active":3}"#);
    let plan = &world.json("flock plan milton --json")[0];
    assert_eq!((&plan["is_empty"], &plan["unchanged"]), (&true.into(), &3.into()));
    let mut page = world.json("sheep show apollo --json").remove(0);
    assert!(page["next_at"].take().is_string());
    assert_snapshot!(page, @r#"{"account":"apollo","attempts":0,"behaviour":"poem of 3 lines","being_posted":null,"flock":"milton","made_with_ai":false,"missed":0,"network":"meadow","next":"line 1 of 3","next_at":null,"occurrence":1,"rhythm":"every 10m, pause 2h, jitter 30s, catch up latest, in Europe/London","set_aside":[],"sheep":"apollo","state":"active","why":null,"zone":"Europe/London"}"#);
    let networks = world.json("networks --json");
    assert_eq!(networks.len(), 5);
    assert_snapshot!(world.ok("networks meadow --json"), @r#"{"network":"meadow","tier":"standard","can":{"change profiles":"no: bots only post there so far","delete posts":"yes","follow":"no: bots only post there so far","like":"no: bots only post there so far","list own posts":"yes","mark posts as made with AI":"if everybody there is a machine, so nothing is to be seen of it","post":"yes","post pictures":"no: bots only post there so far","quote":"no: bots only post there so far","reply":"if a bot answers its own posts there, which makes threads","repost":"no: bots only post there so far","search":"no: bots only post there so far","send direct messages":"no: bots only post there so far"},"text_limit":500,"unit":"characters","limits_vary":false,"limits":[],"prices":{"a deletion":0.0,"a person that is looked up":0.0,"a post":0.0,"a post with a link":0.0,"a reply":0.0,"a repost":0.0,"an alternative text":0.0,"an own post that is read":0.0},"as_of":"2026-11"}"#);
}

/// One line says the accounts of forty sheep.
#[test]
fn accounts_are_named_after_their_sheep() {
    let world = World::new();
    let flock = |defaults: &str, own: &str| {
        world.write(
            "choir/flock.toml",
            format!(
                "name = \"choir\"\n[defaults]\nnetwork = \"mastodon\"\nline = \"1h\"\n{defaults}\n\
                 [[sheep]]\nfiles = \"poems/*.txt\"\nbehaviour = \"poem\"\n{own}\n"
            ),
        );
    };
    world.write("choir/poems/a.txt", "one\n");
    world.write("choir/poems/b.txt", "two\n");
    flock("account = \"{name}_bot@example.social\"", "");
    assert_snapshot!(world.refused("flock apply choir"), @"error: choir/a and choir/b: the accounts mastodon:a_bot@example.social and mastodon:b_bot@example.social were never added; connect each (`flockwork account connect mastodon:a_bot@example.social`, and so for each)");
    // A sheep's own goes before, and one account may be all sheep's.
    flock("account = \"{name}_bot@example.social\"", "account = \"{name}@elsewhere.example\"");
    assert_snapshot!(world.refused("flock apply choir"), @"error: choir/a and choir/b: the accounts mastodon:a@elsewhere.example and mastodon:b@elsewhere.example were never added; connect each (`flockwork account connect mastodon:a@elsewhere.example`, and so for each)");
    flock("account = \"all@example.social\"", "");
    assert_snapshot!(world.refused("flock apply choir"), @"error: choir/a and choir/b: the account mastodon:all@example.social was never added; connect it (`flockwork account connect mastodon:all@example.social`)");
    flock("account = \"{name}\"", "");
    assert_snapshot!(world.refused("flock apply choir"), @"
    error: choir/flock.toml:5: `account`: `a` is not an account of Mastodon: they are written like `apollo@example.social`
    choir/flock.toml:5: `account`: `b` is not an account of Mastodon: they are written like `apollo@example.social`
    ");
    flock("account = \"{nom}@example.social\"", "");
    assert_snapshot!(world.refused("flock apply choir"), @"error: choir/flock.toml:5: `{nom}@example.social` is not a handle: use 1 to 64 letters, digits, `-`, `_`, `.` or `@`, not starting with `@`");
}

/// Sheep of one account at one minute, and very many in one second, are told of; `spread` pulls them apart, as the preview shows.
#[test]
fn sheep_that_post_at_one_time_are_told_of_and_spread() {
    let world = World::new();
    // Far from now, whenever that is.
    let hour = from_now(SignedDuration::from_hours(12)).strftime("%H:00").to_string();
    let next = hour.replace(":00", ":10:00Z");
    let together = format!("account = \"choir\"\nat = [\"{hour}\"]");
    let (moss, tern) = (("moss", "one\n", together.as_str()), ("tern", "two\n", together.as_str()));
    world.write_flock("choir", &[moss, tern]);
    let warned = |plan: &str| -> String {
        plan.lines().filter(|line| line.starts_with("  ! ")).collect::<Vec<_>>().join("\n")
    };
    let plan = warned(&world.ok("flock plan choir"));
    let (who, when) = plan.split_once(", first at ").unwrap();
    assert_eq!(who, "  ! choir/moss and choir/tern post through meadow:choir in the same minutes");
    let way = format!(" {hour}:00 UTC; `spread = \"10m\"` pulls them apart");
    assert!(when.ends_with(&way), "{when}");
    // Once it is so, it is no news.
    assert!(world.ok("flock apply choir").contains("  ! choir/moss and choir/tern"));
    assert_eq!(warned(&world.ok("flock plan choir")), "");
    let times = |sheep: &str| -> Vec<String> {
        let posts = world.ok(&format!("preview --sheep choir/{sheep} --count 3 --json"));
        let time = |line: &str| {
            let post: serde_json::Value = serde_json::from_str(line).unwrap();
            post["at"].as_str().unwrap().split_once('T').unwrap().1.to_owned()
        };
        posts.lines().map(time).collect()
    };
    let on_the_hour = format!("{hour}:00Z");
    assert_eq!(times("moss"), [on_the_hour.as_str(); 3]);
    let spread = format!("{together}\nspread = \"10m\"");
    world.write_flock("choir", &[("moss", "one\n", &spread), ("tern", "two\n", &spread)]);
    let plan = world.ok("flock apply choir");
    assert_eq!(warned(&plan), "");
    assert!(
        plan.contains(&format!("~ change moss: rhythm (at {hour} -> at {hour}, spread 10m)")),
        "{plan}"
    );
    let (moss, tern) = (times("moss"), times("tern"));
    for own in [&moss, &tern] {
        assert_eq!(own, &[own[0].as_str(); 3], "each keeps its distance");
        assert!((on_the_hour.as_str()..next.as_str()).contains(&own[0].as_str()), "{own:?}");
    }
    assert_ne!(moss[0][..5], tern[0][..5]);

    let names: Vec<_> = (0..40).map(|number| format!("poet-{number}")).collect();
    let at = format!("at = [\"{hour}\"]");
    let crowd: Vec<_> = names.iter().map(|name| (name.as_str(), "one\n", at.as_str())).collect();
    world.write_flock("crowd", &crowd);
    let plan = warned(&world.ok("flock plan crowd"));
    assert!(plan.starts_with("  ! 40 sheep post in the same second, "), "{plan}");
    let too_long = [("moss", "one\n", "line = \"5m\"\nspread = \"6m\"")];
    world.write_flock("wide", &too_long);
    assert_snapshot!(world.refused("flock plan wide"), @"error: wide/flock.toml:8: `spread`: `6m` is too long: it must not be longer than the shortest time between two posts, 5m");
}

/// Nobody sees that two files are called alike in two spellings: they are no two sheep.
#[test]
fn a_file_that_is_there_in_both_spellings_is_refused() {
    let world = World::new();
    let flock =
        "name = \"m\"\n[[sheep]]\nfiles = \"p/*.txt\"\nbehaviour = \"poem\"\nline = \"1h\"\n";
    world.write("m/flock.toml", flock);
    world.write("m/p/Caf\u{e9}.txt", "roses\n");
    world.write("m/p/Cafe\u{301}.txt", "roses\n");
    let said = world.refused("flock apply m");
    assert!(said.contains("the sheep name `cafe` is used twice"), "{said}");
    // A document is not posted as it is.
    world.write("m/p/Cafe\u{301}.txt", "{\\rtf1\\ansi roses}\n");
    std::fs::remove_file(world.path("m/p/Caf\u{e9}.txt")).unwrap();
    let said = world.refused("flock apply m");
    assert!(said.contains("it is a document (rich text, RTF) and no plain text"), "{said}");
}

/// Names are where people look for them, in every list.
#[test]
fn what_is_numbered_is_in_that_order() {
    let world = World::new();
    let sheep =
        ["poem-10", "poem-2", "poem-1", "poem-02"].map(|name| (name, "one\n", "line = \"1h\""));
    for flock in ["choir-10", "choir-9"] {
        world.write_flock(flock, &sheep);
        let plan = world.ok(&format!("flock apply {flock}"));
        let created = plan.lines().filter_map(|line| line.strip_prefix("  + create "));
        let names: Vec<_> = created.filter_map(|line| Some(line.split_once(':')?.0)).collect();
        assert_eq!(names, ["poem-1", "poem-02", "poem-2", "poem-10"], "{plan}");
    }
    let expected: Vec<_> = ["choir-9", "choir-10"]
        .iter()
        .flat_map(|flock| {
            ["poem-1", "poem-02", "poem-2", "poem-10"].map(|name| format!("{flock}/{name}"))
        })
        .collect();
    let names = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "/-".contains(c)));
        words
            .filter(|word| word.starts_with("choir-") && word.contains('/'))
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(names(&world.ok("sheep list")), expected);
    let flocks = world.ok("flock list");
    assert!(flocks.starts_with("choir-9 ") && flocks.contains("\nchoir-10 "), "{flocks}");
    let mut run = world.start("run --listen 127.0.0.1:0");
    run.url();
    assert_eq!(names(&world.ok("slack /flock sheep")), expected);
    run.interrupt();
}

/// A pattern that finds nothing says where it looked, and what is there.
#[test]
fn what_matches_no_file_says_what_is_there() {
    let world = World::new();
    for name in ["poems/apollo.txt", "poems/IRIS.TXT", "poems/notes.md", "many/10.md", "many/9.md"]
    {
        world.write(&format!("choir/{name}"), "one\n");
    }
    std::fs::create_dir(world.path("choir/empty")).unwrap();
    let whole = world.path("choir").canonicalize().unwrap().display().to_string();
    let said = |own: &str| {
        let toml =
            format!("name = \"choir\"\n[[sheep]]\n{own}\nbehaviour = \"poem\"\nline = \"1h\"\n");
        world.write("choir/flock.toml", toml);
        world.refused("flock plan choir").replace(&whole, "WHOLE")
    };
    assert_snapshot!(said("files = \"poem/*.txt\""), @"error: choir/flock.toml:3: `poem/*.txt` matches no file: nothing is at WHOLE/poem/*.txt; did you mean `poems`?");
    assert_snapshot!(said("files = \"poems/apolo.txt\""), @"error: choir/flock.toml:3: `poems/apolo.txt` matches no file: nothing is at WHOLE/poems/apolo.txt; did you mean `apollo.txt`?");
    assert_snapshot!(said("files = \"poems/i*.txt\""), @"error: choir/flock.toml:3: `poems/i*.txt` matches no file: nothing is at WHOLE/poems/i*.txt; `IRIS.TXT` is there, and capitals count");
    assert_snapshot!(said("files = \"many/*.txt\""), @"error: choir/flock.toml:3: `many/*.txt` matches no file: nothing is at WHOLE/many/*.txt; WHOLE/many has `9.md` and `10.md`");
    assert_snapshot!(said("files = \"empty/*.txt\""), @"error: choir/flock.toml:3: `empty/*.txt` matches no file: nothing is at WHOLE/empty/*.txt; there is no file in WHOLE/empty");
    assert_snapshot!(said("files = \"many/deep/*.txt\""), @"error: choir/flock.toml:3: `many/deep/*.txt` matches no file: nothing is at WHOLE/many/deep/*.txt; there is no directory in WHOLE/many");
    assert_snapshot!(said("files = \"**/*.rtf\""), @"error: choir/flock.toml:3: `**/*.rtf` matches no file: nothing is at WHOLE/**/*.rtf; WHOLE has `empty`, `many` and `poems`");
    // As paths are written on Windows, between either quotation marks.
    assert_snapshot!(said("files = \"C:\\poems\\*.txt\""), @r#"error: choir/flock.toml:3: this is not TOML: missing escaped value, expected `b`, `e`, `f`, `n`, `r`, `\`, `"`, `x`, `u`, `U`; directories are divided by `/`, also on Windows; where a backslash is meant, the text stands between '' instead of """#);
    assert_snapshot!(said("files = \"C:\\users\\*.txt\""), @r#"error: choir/flock.toml:3: this is not TOML: too few unicode value digits, expected unicode hexadecimal value; directories are divided by `/`, also on Windows; where a backslash is meant, the text stands between '' instead of """#);
    assert_snapshot!(said("files = \"C:\\texts\\new.txt\""), @r#"error: choir/flock.toml:3: `C:\texts\new.txt` matches no file: nothing is at WHOLE/C:\texts\new.txt; directories are divided by `/`, also on Windows; where a backslash is meant, the text stands between '' instead of """#);
    assert_snapshot!(said("files = 'poems\\*.txt'"), @r#"error: choir/flock.toml:3: `poems\*.txt` matches no file: nothing is at WHOLE/poems\*.txt; directories are divided by `/`, also on Windows; where a backslash is meant, the text stands between '' instead of """#);
    assert_snapshot!(said("name = \"a\"\ncorpus = 'poems\\apollo.txt'"), @r#"error: choir/flock.toml:4: `poems\apollo.txt` does not exist; directories are divided by `/`, also on Windows; where a backslash is meant, the text stands between '' instead of """#);
}

/// Tables as spreadsheets and word processors write them.
#[test]
fn a_table_is_read_as_flock_toml_is() {
    let world = World::new();
    let plan = |csv: &str, more: &str| {
        let toml = format!(
            "name = \"choir\"\n[[sheep]]\nname = \"echo\"\nbehaviour = \"queue\"\ncorpus = \"q.csv\"\n{more}\n"
        );
        world.write("choir/flock.toml", toml);
        world.write("choir/q.csv", csv);
        world.flockwork("flock plan choir")
    };
    let hour = "at = [\"9:00\"]\nstart = \"2087-01-01 9:00\"";
    for csv in ["at,text\n2087-12-01 9:00,one\n", "at,text\n2087-12-01T9:00:00Z,one\n"] {
        let output = plan(csv, hour);
        assert_eq!(output.stderr, "");
        assert!(output.stdout.contains("  + create echo: "), "{}", output.stdout);
        assert!(output.stdout.contains("from 2087-01-01T09:00:00Z"), "{}", output.stdout);
    }
    assert!(plan("at,text\n2087-12-01 :00,one\n", hour).stderr.contains("is not a time"));
    let refused = |csv: &str| plan(csv, hour).stderr;
    assert_snapshot!(refused("“at”,“text”\n2087-12-01 9:00,one\n"), @r#"
    error: choir/q.csv:1: the quotation marks are straight, "like these", and not as word processors make them, at `“at”`
    choir/q.csv:1: the quotation marks are straight, "like these", and not as word processors make them, at `“text”`
    "#);
    assert_snapshot!(refused("at,text\n“2087-12-01 9:00”,one\n,“two, three”\n"), @r#"
    error: choir/q.csv:2: `“2087-12-01 9:00”` is not a time: the quotation marks are straight, "like these", and not as word processors make them
    choir/q.csv:3: it has more fields than there are columns; the quotation marks are straight, "like these", and not as word processors make them
    "#);
    // A quotation is a text like others.
    let output = plan("at,text\n,“one”\n", hour);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
}

#[test]
fn what_was_encoded_twice_is_told_of_and_taken() {
    let world = World::new();
    let text = format!("plain\ncafÃ©\nitâ€™s\n{}", "cafÃ©\n".repeat(40));
    world.write_flock(
        "choir",
        &[("a", &text, "line = \"20d\""), ("b", "cafÃ©\n", "line = \"36h\"\nstanza = \"2d\"")],
    );
    assert_snapshot!(world.ok("flock plan choir"), @"
    flock choir:
      + create a: poem of 43 lines, every 20d, on meadow:a
      + create b: poem of 1 line, every 36h, pause 2d, on meadow:b
      ! choir/a.txt:2, choir/a.txt:3, choir/a.txt:4 and 40 more: such signs as `Ã©`, which seems to be `é`, are UTF-8 that was taken for Windows-1252; they are posted as they stand: take the text once more from where it came, as UTF-8
    2 to create, 0 to change, 0 to remove, 0 unchanged
    ");
    world.ok("flock apply choir");
    assert!(world.ok("preview --flock choir").contains("cafÃ©"));
}
