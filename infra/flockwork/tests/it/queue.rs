//! Queues, as whoever has the files sees them.

use insta::assert_snapshot;
use jiff::SignedDuration;

use crate::world::{Running, World, XWorld, from_now, timeless};

const QUEUE: &str = "\
text,at
\"A quoted \"\"post\"\",
of two lines\",
Happy new year!,2040-01-01 00:00
Last,
";

fn write(world: &World, stanza: &str, queue: &str) {
    let toml = format!(
        "name = \"choir\"\ntime_zone = \"Europe/London\"\n[defaults]\nstanza = \"2h\"\n[[sheep]]\nname = \
         \"crier\"\nbehaviour = \"queue\"\ncorpus = \"queue.csv\"\nline = \"1h\"\n{stanza}\n"
    );
    world.write("choir/flock.toml", toml);
    world.write("choir/queue.csv", queue);
}

#[test]
fn a_queue_is_planned_applied_and_shown() {
    let world = World::new();
    write(&world, "start = 2039-12-31T12:00:00", QUEUE);
    let plan = world.ok("flock plan choir");
    assert_snapshot!(plan, @"
    flock choir:
      + create crier: queue of 3 posts, every 1h, from 2039-12-31T12:00:00Z, in Europe/London, on meadow:crier
    1 to create, 0 to change, 0 to remove, 0 unchanged
    ");
    assert_eq!(world.ok("flock apply choir"), plan + "Applied.\n");
    assert_snapshot!(world.ok("preview --flock choir"), @r#"
    2039-12-31 12:00:00 GMT  choir/crier  A quoted "post", / of two lines
    2040-01-01 00:00:00 GMT  choir/crier  Happy new year!
    2040-01-01 01:00:00 GMT  choir/crier  Last
    "#);
    assert_snapshot!(world.ok("sheep show crier"), @"
    sheep         choir/crier
    account       meadow:crier
    behaviour     queue of 3 posts (corpus 807b4260f96d574cf6dcb012228eb1ab)
    rhythm        every 1h, from 2039-12-31T12:00:00Z, in Europe/London
    state         active
    next post     2039-12-31 12:00:00 GMT
    next number   1
    next item     1 of 3
    ");
    write(&world, "start = 2039-12-31T12:00:00", &QUEUE.replace("Last", "\"Mended,\nin two\""));
    assert_snapshot!(world.ok("flock plan choir"), @r#"
    flock choir:
      ~ change crier: text (3 -> 3 items)
        next >   A quoted "post",\nof two lines
                 2040-01-01 00:00:00 GMT: Happy new year!
               - Last
               + Mended,\nin two
    0 to create, 1 to change, 0 to remove, 0 unchanged
    "#);
    // Times alone are another text, too.
    write(&world, "start = 2039-12-31T12:00:00", &QUEUE.replace("00:00", "08:00"));
    assert_snapshot!(world.ok("flock apply choir"), @r#"
    flock choir:
      ~ change crier: text (3 -> 3 items)
        next >   A quoted "post",\nof two lines
               ~ 2040-01-01 08:00:00 GMT: Happy new year!
                 Last
    0 to create, 1 to change, 0 to remove, 0 unchanged
    Applied.
    "#);
    assert_snapshot!(world.ok("preview --flock choir"), @r#"
    2039-12-31 12:00:00 GMT  choir/crier  A quoted "post", / of two lines
    2040-01-01 08:00:00 GMT  choir/crier  Happy new year!
    2040-01-01 09:00:00 GMT  choir/crier  Last
    "#);
}

#[test]
fn an_empty_queue_has_finished_until_there_is_more() {
    let world = World::new();
    let queue = "text\n\"one,\ntwo\"\nthree\n";
    write(&world, "", queue);
    world.ok("flock apply choir");
    world.run_until(from_now(SignedDuration::from_hours(3)));
    // In summer it is another zone.
    let timeless = |shown: &str| timeless(shown).replace(" BST", " GMT");
    assert_snapshot!(timeless(&world.ok("posts")), @"
    TIME GMT  choir/crier  one, / two
    TIME GMT  choir/crier  three
    ");
    assert_snapshot!(timeless(&world.ok("sheep list")), @"choir/crier                      meadow:crier             finished TIME GMT");
    assert_snapshot!(timeless(&world.ok("sheep show crier")), @"
    sheep         choir/crier
    account       meadow:crier
    behaviour     queue of 2 posts (corpus cf7a02fb5434fceb9d71568ca526e117)
    rhythm        every 1h, in Europe/London
    state         finished
    next number   3
    next item     3, which is not written yet
    ");
    assert_snapshot!(world.refused("sheep resume crier"), @"error: choir/crier has finished, because its queue is empty; add posts to it, or to its file and apply its flock, to let it go on");
    assert_snapshot!(world.flockwork("preview --flock choir").stderr, @"choir/crier has finished");
    assert_snapshot!(world.ok("flock plan choir"), @"flock choir: nothing to change (1 sheep)");
    write(&world, "", &(queue.to_owned() + "four\nfive\n"));
    assert_snapshot!(world.ok("flock apply choir"), @r"
    flock choir:
      ~ change crier: text (2 -> 4 items)
                 one,\ntwo
                 three
        next > + four
               + five
    0 to create, 1 to change, 0 to remove, 0 unchanged
    Applied.
    ");
    world.run_until(from_now(SignedDuration::from_hours(6)));
    let posts = world.posts("posts").into_iter().map(|post| (post.occurrence, post.text));
    assert_snapshot!(format!("{:?}", posts.collect::<Vec<_>>()), @r#"[(1, "one,\ntwo"), (2, "three"), (3, "four"), (4, "five")]"#);
}

#[test]
fn what_does_not_go_with_a_queue_is_refused_where_it_stands() {
    let world = World::new();
    let refused = |stanza: &str, queue: &str| {
        write(&world, stanza, queue);
        world.refused("flock plan choir")
    };
    assert_snapshot!(refused("stanza = \"1h\"\ncatch_up = \"latest\"", QUEUE), @"
    error: choir/flock.toml:10: `stanza`: a queue does not start over, so there is no pause before that; leave it out
    choir/flock.toml:11: `catch_up`: with `latest` posts would be left out that somebody wrote; use skip or all(3), which a queue goes on in order with
    ");
    assert_snapshot!(refused("end = 2039-12-31", "text,at,when\n"), @"error: choir/queue.csv:1: unknown column `when`; a queue has `text` and, for posts with times of their own, `at`");
    assert_snapshot!(refused("end = 2039-12-31", QUEUE), @"error: choir/queue.csv:4: its time is not before the `end` of its sheep; give it an earlier one");
    assert_snapshot!(refused("", "text,at\n,2040-01-01 00:00\nb,2039-01-01 00:00\n"), @"
    error: choir/queue.csv:2: the text is empty
    choir/queue.csv:3: its time is before that of line 2; posts are made in the order of the file
    ");
    // The defaults hold for others.
    write(&world, "catch_up = \"all(3)\"", QUEUE);
    world.ok("flock plan choir");
}

#[test]
fn on_x_a_text_that_is_too_long_is_refused_with_its_line() {
    let world = XWorld::new();
    world.add("crier");
    let queue = format!("{QUEUE}\"Short,\nbut then\n{}\",\n", "long ".repeat(60));
    write(&world, "network = \"x\"", &queue);
    assert_snapshot!(world.refused("flock plan choir"), @"error: choir/queue.csv:6: the text is 315 characters long by x's counting; x takes 280");
}

#[test]
fn one_file_may_be_a_poem_and_a_queue_and_be_read_in_two_zones() {
    let world = World::new();
    let sheep = |name: &str, rest: &str| {
        format!("[[sheep]]\nname = \"{name}\"\ncorpus = \"queue.csv\"\nline = \"1h\"\n{rest}\n")
    };
    let toml = [
        "name = \"choir\"".to_owned(),
        sheep("poem", "behaviour = \"poem\""),
        sheep("queue", "behaviour = \"queue\""),
        sheep("far", "behaviour = \"queue\"\ntime_zone = \"Asia/Tokyo\""),
        sheep("same", "behaviour = \"queue\""),
    ];
    world.write("choir/flock.toml", toml.join("\n"));
    world.write("choir/queue.csv", "text,at\nrose,2040-01-01 00:00\n");
    world.ok("flock apply choir");
    let next = ["queue", "far", "same"].map(|name| world.ok(&format!("preview --sheep {name}")));
    assert_snapshot!(next.concat(), @"
    2040-01-01 00:00:00 UTC  choir/queue  rose
    2040-01-01 00:00:00 JST  choir/far  rose
    2040-01-01 00:00:00 UTC  choir/same  rose
    ");
    assert_snapshot!(world.ok("sheep show poem").lines().nth(2).unwrap(), @"behaviour     poem of 2 lines (corpus 65688703dc8e297b14c276b2cc976eee)");
}

#[test]
fn the_sample_is_a_queue() {
    let world = World::new();
    for (file, text) in [
        ("flock.toml", include_str!("../../../sample-queue/flock.toml")),
        ("queue.csv", include_str!("../../../sample-queue/queue.csv")),
    ] {
        world.write(&format!("town-crier/{file}"), text);
    }
    assert_snapshot!(world.ok("flock plan town-crier"), @"
    flock town-crier:
      + create crier: queue of 4 posts, at 09:00 17:30, in Europe/London, on meadow:crier
    1 to create, 0 to change, 0 to remove, 0 unchanged
    ");
}

/// As spreadsheets are edited: every way would post something twice, or never.
#[test]
fn an_edit_that_would_post_something_twice_or_never_is_refused() {
    let world = World::new();
    write(&world, "", "text\nZebra\nApple\nMango\nBanana\nKiwi\nFig\n");
    world.ok("flock apply choir");
    // At once, and after one, two and three hours.
    world.run_until(from_now(SignedDuration::from_mins(3 * 60 + 30)));
    let posts = timeless(&world.ok("posts"));
    assert!(posts.ends_with("choir/crier  Banana\n"), "{posts}");
    let refused = |queue: &str| {
        write(&world, "", queue);
        world.refused("flock plan choir")
    };
    // Sorted.
    assert_snapshot!(refused("text\nApple\nBanana\nFig\nKiwi\nMango\nZebra\n"), @"
    error: choir/queue.csv:6: Mango: this was posted already, from where it stood before, and would be posted again; take it out, or put it back above what is to come
    choir/queue.csv:7: Zebra: this was posted already, from where it stood before, and would be posted again; take it out, or put it back above what is to come
    ");
    // One to come moved to the top, and a new one.
    assert_snapshot!(refused("text\nUrgent\nFig\nZebra\nApple\nMango\nBanana\nKiwi\n"), @"
    error: choir/queue.csv:2: Urgent: this stands above what was posted, and would never be; put it below, or take it out
    choir/queue.csv:3: Fig: this stands above what was posted, and would never be; put it below, or take it out
    ");
    // What was made is taken out, or mended, and what is to come is put in another order.
    for fine in [
        "text\nFig\nKiwi\n",
        "text\nZebras\nApple\nMangos\nBanana\nFig\nmore\nKiwi\n",
        "text\nApple\nZebra\nMango\nBanana\nKiwi\nZebra again\nFig\n",
    ] {
        write(&world, "", fine);
        world.ok("flock plan choir");
    }
    // Everything mended at once is not posted again, and everything new is.
    let mended = "text\nZebra #zoo\nApple #zoo\nMango #zoo\nBanana #zoo\nKiwi #zoo\nFig #zoo\n";
    write(&world, "", mended);
    assert_snapshot!(world.ok("flock plan choir"), @"
    flock choir:
      ~ change crier: text (6 -> 6 items)
               - Zebra
               - Apple
               - Mango
               - Banana
               - Kiwi
               - Fig
               + Zebra #zoo
               + Apple #zoo
               + Mango #zoo
               + Banana #zoo
        next > + Kiwi #zoo
               + Fig #zoo
    0 to create, 1 to change, 0 to remove, 0 unchanged
    ");
    write(&world, "", "text\nother\nthings\n");
    assert_snapshot!(world.ok("flock plan choir"), @"
    flock choir:
      ~ change crier: text (6 -> 2 items)
               no item of the old text is left: it starts over
               all of this is posted, from the first on, whatever was posted before
               - Zebra
               - Apple
               - Mango
               - Banana
               - Kiwi
               - Fig
        next > + other
               + things
    0 to create, 1 to change, 0 to remove, 0 unchanged
    ");
}

#[test]
fn of_two_posts_that_say_the_same_nobody_guesses_which_is_left() {
    let world = World::new();
    write(&world, "", "text\nHello\nB\nHello\nC\nHello\nD\n");
    world.ok("flock apply choir");
    world.run_until(from_now(SignedDuration::from_mins(3 * 60 + 30)));
    write(&world, "", "text\nHello\nD\n");
    assert_snapshot!(world.refused("flock plan choir"), @"error: choir/queue.csv:2: Hello: of the posts that said this one was made and one is to come, and nobody can tell which this is; change its text, or leave both in");
    // The one to come is taken out.
    write(&world, "", "text\nHello\nB\nHello\nC\nD\n");
    world.ok("flock plan choir");
}

#[test]
fn what_people_get_wrong_is_said_before_it_is_posted() {
    let world = World::new();
    write(&world, "", "text,at\nlong ago,2020-01-01 09:00\nto come,2040-01-01 09:00\n");
    let plan = world.ok("flock plan choir");
    assert_snapshot!(plan, @"
    flock choir:
      + create crier: queue of 2 posts, every 1h, in Europe/London, on meadow:crier
      ! choir/crier: 1 item with a time that has passed, the first in choir/queue.csv:2 (2020-01-01 09:00:00 GMT): posted at once, a minute apart
    1 to create, 0 to change, 0 to remove, 0 unchanged
    ");
    world.ok("flock apply choir");
    world.run_until(from_now(SignedDuration::from_mins(10)));
    // It is a post of today, and not one of 2020.
    let today = from_now(SignedDuration::ZERO).to_string();
    assert!(world.ok("posts --json").contains(&today[..7]));
    let mut said = Vec::new();
    for wrong in [
        "text,at\nin Berlin,2040-01-01T09:00[Europe/Berlin]\n",
        "text;at\nHello, you,2040-01-01 09:00\n",
        "sep=;\ntext;at\nHello;\n",
    ] {
        write(&world, "", wrong);
        said.push(world.refused("flock plan choir"));
    }
    world.write("choir/queue.txt", "text,at\nHello,2040-01-01 09:00\n");
    let toml = "name = \"choir\"\n[[sheep]]\nname = \"crier\"\nbehaviour = \"queue\"\ncorpus = \"queue.txt\"\nline = \"1h\"\n";
    world.write("choir/flock.toml", toml);
    said.push(world.refused("flock plan choir"));
    assert_snapshot!(said.join("\n"), @"
    error: choir/queue.csv:2: `2040-01-01T09:00[Europe/Berlin]` is not a time as it is written here: 2026-12-01 09:00, or with an offset 2026-12-01T09:00+01:00

    error: choir/queue.csv:2: it has `,` between its fields, or none, and the first line has ';'; write the same, or put the text between double quotes

    error: choir/queue.csv:1: `sep=` is a line of Excel's own; take it out

    error: choir/queue.txt:1: this is a table; give its file a name that ends with .csv
    ");
    world.write("choir/queue.txt", "moon\n---\nrose\n");
    world.write("choir/flock.toml", toml.replace("\"queue\"", "\"poem\""));
    assert_snapshot!(world.ok("flock plan choir"), @"
    flock choir:
      ~ change crier: queue of 2 posts -> poem of 3 lines, rhythm (every 1h, in Europe/London -> every 1h)
               it is made of lines now, and none is one of the items before: wherever it was, it starts over with the first line
               - 2020-01-01 09:00:00 UTC: long ago
               - 2040-01-01 09:00:00 UTC: to come
        next > + moon
               + ---
               + rose
    0 to create, 1 to change, 0 to remove, 0 unchanged
    ");
}

#[test]
fn people_add_posts_at_the_command_line() {
    let world = World::new();
    write(&world, "start = 2039-12-31T12:00:00", "text\none\ntwo\n");
    world.ok("flock apply choir");
    // Words with blanks in them.
    let in_words = |words: &[&str]| {
        let mut command = world.command("queue");
        command.args(words);
        Running::spawn(command).finish().stdout
    };
    let mut said = vec![
        in_words(&["add", "crier", "It's \"mine\",\nin two lines"]),
        in_words(&["at", "crier", "2039-12-31 12:30", "timed"]),
        world.ok("queue list crier"),
    ];
    let posts = world.json("queue list crier --json");
    let number = |text: &str| {
        let post = posts.iter().find(|post| post["text"].as_str().unwrap().starts_with(text));
        post.unwrap()["number"].as_str().unwrap().to_owned()
    };
    assert_eq!(posts[1]["added"], true);
    assert_eq!(posts[1]["at"], "2039-12-31T12:30:00Z");
    let mine = number("It's");
    said.push(world.ok(&format!("queue edit crier {mine} yours")));
    said.push(world.refused(&format!("queue next crier {mine}")));
    let yours = world.json("queue list crier --json")[3]["number"].as_str().unwrap().to_owned();
    said.push(world.ok(&format!("queue move crier {yours} 3")));
    said.push(world.refused("queue next crier 3"));
    said.push(world.refused(&format!("queue remove crier {}", number("one"))));
    said.push(world.ok(&format!("queue remove crier {}", number("timed"))));
    said.push(world.refused("queue add crier"));
    said.push(world.refused("queue add nobody one"));
    said.push(world.refused("queue remove crier first"));
    // The plan is of the file, and says what is lost with a queue.
    said.push(world.ok("flock plan choir"));
    write(&world, "start = 2039-12-31T12:00:00", "text\none\nthree\n");
    said.push(world.ok("flock apply choir"));
    said.push(world.ok("queue list crier"));
    let toml = "name = \"choir\"\n[[sheep]]\nname = \"crier\"\nbehaviour = \"poem\"\ncorpus = \"queue.csv\"\nline = \"1h\"\n";
    world.write("choir/flock.toml", toml);
    said.push(world.ok("flock plan choir"));
    world.write("choir/flock.toml", toml.replace("crier", "other"));
    said.push(world.ok("flock plan choir"));
    assert_snapshot!(said.join("\n"));
}

/// What one queue writes, another reads.
#[test]
fn a_queue_goes_out_and_comes_in_as_a_table_and_as_a_calendar() {
    let world = World::new();
    let queue =
        "text,at\n\"one, and \"\"two\"\"\nin two lines\",\n=1+1,\nNew Year,2040-01-01 09:00\n";
    write(&world, "start = 2039-12-31T12:00:00", queue);
    world.ok("flock apply choir");
    let table = world.ok("queue export crier");
    assert_snapshot!(table, @r#"
    text,at
    "one, and ""two""
    in two lines",
    "=1+1",
    "New Year",2040-01-01T09:00:00+00:00
    "#);
    let calendar = world.ok("queue export choir/crier --format ical");
    let shown = calendar.lines().filter(|line| !line.starts_with("DTSTAMP"));
    assert_snapshot!(shown.collect::<Vec<_>>().join("\n"), @r#"
    BEGIN:VCALENDAR
    VERSION:2.0
    PRODID:-//Flockwork//Queue//EN
    X-WR-CALNAME:choir/crier
    BEGIN:VEVENT
    UID:d8e83229554d806f4a227970b577fd90@flockwork
    DTSTART:20391231T120000Z
    SUMMARY:one\, and "two"
    DESCRIPTION:one\, and "two"\nin two lines
    END:VEVENT
    BEGIN:VEVENT
    UID:e42de4e9aacc828e4476998c9b41821b@flockwork
    DTSTART:20391231T130000Z
    SUMMARY:=1+1
    DESCRIPTION:=1+1
    END:VEVENT
    BEGIN:VEVENT
    UID:6df3846708cfa35fd57729491e66e1a3@flockwork
    DTSTART:20400101T090000Z
    SUMMARY:New Year
    DESCRIPTION:New Year
    END:VEVENT
    END:VCALENDAR
    "#);
    // Another flock has a queue that begins with nothing of these.
    world.write("other/queue.txt", "begin");
    world.write(
        "other/flock.toml",
        "name = \"other\"\n[[sheep]]\nname = \"bell\"\nbehaviour = \"queue\"\ncorpus = \"queue.txt\"\nline = \"1h\"\ntime_zone = \"Europe/London\"\nstart = 2039-12-31T12:00:00\n",
    );
    world.ok("flock apply other");
    world.write("table.csv", &table);
    assert_snapshot!(world.ok("queue import bell table.csv"), @"3 posts added to the queue of other/bell.");
    let texts = |sheep: &str| -> Vec<_> {
        let posts = world.json(&format!("queue list {sheep} --json"));
        posts.into_iter().map(|post| post["text"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(texts("bell")[1..], texts("crier"));
    // Once more would say the same twice; nothing is changed, and so with a file that is not well.
    world.write("calendar.ics", &calendar);
    world.write("bad.csv", "text,at\nmore,2040-13-01 09:00\n");
    world.write("mixed.txt", "fine\n---\n=1+1\n");
    let refused = ["calendar.ics", "bad.csv", "mixed.txt", "missing.csv"]
        .map(|file| world.refused(&format!("queue import bell {file}")));
    assert_snapshot!(refused.join("\n"), @r#"
    error: calendar.ics:24: other/bell keeps its queue as it is: the same waits in the queue already, as post 6-c399

    error: bad.csv:2: `2040-13-01 09:00` is not a time as it is written here: 2026-12-01 09:00, or with an offset 2026-12-01T09:00+01:00

    error: mixed.txt:3: other/bell keeps its queue as it is: the same waits in the queue already, as post 3-d9ff

    error: missing.csv does not exist
    "#);
    assert_eq!(texts("bell").len(), 4);
    assert_snapshot!(world.refused("queue export nobody"), @"error: there is no sheep `nobody` (`flockwork sheep list` shows them)");
}
