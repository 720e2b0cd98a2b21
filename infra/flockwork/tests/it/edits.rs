//! Texts that are edited while a sheep is in them.

use insta::assert_snapshot;
use jiff::SignedDuration;

use crate::world::World;

const SLOW: &str = "line = \"5m\"\nstanza = \"10m\"";

/// A sheep in a text of six lines.
fn poet() -> World {
    let world = World::new();
    world.write_flock("choir", &[("alto", "one\ntwo\nthree\nfour\nfive\nsix\n", SLOW)]);
    world.ok("flock apply choir");
    world
}

fn edit(world: &World, text: &str) {
    world.write("choir/alto.txt", text);
}

/// Lets the sheep make so many posts more.
fn post(world: &World, posts: usize) {
    let next = world.posts(&format!("preview --flock choir --count {posts}"));
    world.run_until(next[posts - 1].at + SignedDuration::from_secs(61));
}

fn texts(world: &World) -> Vec<String> {
    world.posts("posts --limit 1000").into_iter().map(|post| post.text).collect()
}

#[test]
fn the_text_goes_on_where_it_was_whatever_is_edited() {
    let world = poet();
    post(&world, 3);
    // On top.
    edit(&world, "title\none\ntwo\nthree\nfour\nfive\nsix\n");
    world.ok("flock apply choir");
    post(&world, 1);
    // What was said, and what comes next; and what was said changes places.
    edit(&world, "title\nthree\ntwo\nfour\nsix\n");
    world.ok("flock apply choir");
    post(&world, 3);
    assert_eq!(texts(&world), ["one", "two", "three", "four", "six", "title", "three"],);
    // What comes next is corrected, what follows changes places, and there is more at the end.
    edit(&world, "title\nthree\nTwo\nsix\nfour\nend\n");
    world.ok("flock apply choir");
    post(&world, 5);
    assert_eq!(texts(&world)[7..], ["Two", "six", "four", "end", "title"]);
    // Everything after what was said is gone: the round is over.
    post(&world, 1);
    edit(&world, "title\nthree\n");
    world.ok("flock apply choir");
    post(&world, 2);
    assert_eq!(texts(&world)[12..], ["three", "title", "three"]);
    // Nothing is left of it.
    edit(&world, "another\ntext\n");
    world.ok("flock apply choir");
    post(&world, 3);
    assert_eq!(texts(&world)[15..], ["another", "text", "another"]);
    let numbers: Vec<_> =
        world.posts("posts --limit 1000").into_iter().map(|post| post.occurrence).collect();
    assert_eq!(numbers, (1..=18).collect::<Vec<_>>());
}

#[test]
fn the_plan_shows_the_edit_and_the_place() {
    let world = poet();
    post(&world, 3);
    edit(
        &world,
        "title\none\nthree\nFour, \u{202e}corrected\u{202c}\tand\u{2028}more\nfive\nsix\n",
    );
    assert_snapshot!(world.ok("flock plan choir"), @r"
    flock choir:
      ~ change alto: text (6 -> 6 lines)
               + title
                 one
               - two
                 three
               - four
        next > + Four, \u{202e}corrected\u{202c} and\u{2028}more
                 five
                 six
    0 to create, 1 to change, 0 to remove, 0 unchanged
    ");
    assert_eq!(world.ok("flock plan choir") + "Applied.\n", world.ok("flock apply choir"));
    edit(&world, "title\none\nthree\n");
    assert_snapshot!(world.ok("flock plan choir"), @r"
    flock choir:
      ~ change alto: text (6 -> 3 lines)
        next >   title
                 one
                 three
               - Four, \u{202e}corrected\u{202c} and\u{2028}more
               - five
               - six
    0 to create, 1 to change, 0 to remove, 0 unchanged
    ");
    edit(&world, "new\n");
    assert_snapshot!(world.ok("flock plan choir"), @r"
    flock choir:
      ~ change alto: text (6 -> 1 line)
               no line of the old text is left: it starts over
               - title
               - one
               - three
               - Four, \u{202e}corrected\u{202c} and\u{2028}more
               - five
               - six
        next > + new
    0 to create, 1 to change, 0 to remove, 0 unchanged
    ");
    world.ok("flock apply choir");
    post(&world, 1);
    assert_eq!(texts(&world)[3..], ["new"]);
}

#[test]
fn a_long_edit_is_shown_around_the_place() {
    let world = World::new();
    let lines = |from: u32, to: u32, word: &str| -> String {
        let lines: Vec<_> = (from..=to).map(|line| format!("{word} {line}")).collect();
        lines.join("\n") + "\n"
    };
    let all: Vec<_> =
        ["a", "b", "c", "d", "e", "f"].map(|name| (name, lines(1, 300, "line"))).into();
    let sheep: Vec<_> = all.iter().map(|(name, text)| (*name, text.as_str(), SLOW)).collect();
    world.write_flock("choir", &sheep);
    world.ok("flock apply choir");
    post(&world, 11 * sheep.len());
    // Every other line is replaced, and there is a new part of many lines.
    let edited: Vec<_> = (1..=300)
        .map(|line: u32| {
            format!("{} {line}", if line.is_multiple_of(2) { "line" } else { "verse" })
        })
        .collect();
    world.write("choir/a.txt", lines(1, 10_000, "new") + &edited.join("\n") + "\n");
    world.write("choir/b.txt", lines(1, 300, "line") + &lines(1, 10_000, &"x".repeat(400)));
    world.write("choir/c.txt", lines(1, 8, "line") + &lines(200, 300, "line"));
    for name in ["d", "e", "f"] {
        world.write(&format!("choir/{name}.txt"), lines(1, 10_000, name));
    }
    let plan = world.ok("flock plan choir");
    assert!(plan.lines().count() < 150, "{plan}");
    assert!(plan.lines().all(|line| line.chars().count() < 120), "{plan}");
    assert_eq!(plan.matches("    next > ").count(), 6, "{plan}");
    let (a, _) = plan.split_once("  ~ change d").unwrap();
    assert_snapshot!(a, @"
    flock choir:
      ~ change a: text (300 -> 10300 lines)
               (10004 more changed lines above)
               - line 5
               + verse 5
                 line 6
               - line 7
               + verse 7
                 line 8
               - line 9
               + verse 9
                 line 10
               - line 11
               + verse 11
        next >   line 12
               - line 13
               + verse 13
                 line 14
               - line 15
               + verse 15
                 line 16
               - line 17
               + verse 17
                 line 18
               - line 19
               + verse 19
                 line 20
               (280 more changed lines below)
      ~ change b: text (300 -> 10300 lines)
                 (9 lines as before)
                 line 10
                 line 11
        next >   line 12
                 line 13
                 line 14
                 (284 lines as before)
                 line 299
                 line 300
               + xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...
               + xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...
               + xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...
               + (9994 more)
               + xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...
               + xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...
               + xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...
      ~ change c: text (300 -> 109 lines)
                 (6 lines as before)
                 line 7
                 line 8
               - line 9
               - line 10
               - line 11
               - (185 more)
               - line 197
               - line 198
               - line 199
        next >   line 200
                 line 201
                 line 202
                 (98 lines as before)
    ");
}

/// Whatever a poem is divided into, the plan says where its sheep goes on.
#[test]
fn a_poem_that_is_divided_otherwise_says_where_it_goes_on() {
    let world = World::new();
    let write = |post: &str| {
        let table = format!("{SLOW}\npost = \"{post}\"");
        world.write_flock("choir", &[("poet", "one\ntwo\n\nthree\n", &table)]);
    };
    write("line");
    world.ok("flock apply choir");
    post(&world, 2);
    write("stanza");
    assert_snapshot!(world.ok("flock plan choir"), @r#"
    flock choir:
      ~ change poet: text (3 lines -> 2 stanzas)
               - one
               - two
               + one\ntwo
        next >   three
    0 to create, 1 to change, 0 to remove, 0 unchanged
    "#);
    let next = world.posts("preview choir --count 1").pop().unwrap();
    assert_eq!((next.occurrence, next.text.as_str()), (3, "three"));
    write("file");
    assert_snapshot!(world.ok("flock plan choir"), @r#"
    flock choir:
      ~ change poet: text (3 lines -> 1 post)
               it is made of posts now, and none is one of the lines before: wherever it was, it starts over with the first post
               - one
               - two
               - three
        next > + one\ntwo\n\nthree
    0 to create, 1 to change, 0 to remove, 0 unchanged
    "#);
}

/// A file may be called like the sheep that another was named by, in the other spelling of its name.
#[test]
fn a_file_that_takes_the_place_of_another_is_told_of() {
    let world = World::new();
    let files =
        "name = \"choir\"\n[[sheep]]\nfiles = \"*.txt\"\nbehaviour = \"poem\"\nline = \"1h\"\n";
    // So a Mac's file was named by an earlier version.
    world.write_flock("choir", &[("cafe", "one\ntwo\n", "line = \"1h\"")]);
    world.ok("flock apply choir");
    std::fs::remove_file(world.path("choir/cafe.txt")).unwrap();
    world.write("choir/flock.toml", files);
    for spelled in ["choir/Caf\u{e9}.txt", "choir/Cafe\u{301}.txt"] {
        world.write(spelled, "one\ntwo\n");
        assert_eq!(world.ok("flock plan choir"), "flock choir: nothing to change (1 sheep)\n");
        world.write("choir/cafe.txt", "something else\n");
        let plan =
            world.ok("flock plan choir").replace('\u{301}', "\u{b4}").replace("\u{e9}", "e\u{b4}");
        insta::allow_duplicates! { assert_snapshot!(plan, @"
        flock choir:
          + create caf: poem of 2 lines, every 1h, on meadow:caf
          ~ change cafe: text (2 -> 1 line)
                   no line of the old text is left: it starts over
                   - one
                   - two
            next > + something else
          ! choir/cafe: choir/cafe.txt takes the place of choir/Cafe´.txt, which it may be of, and choir/Cafe´.txt becomes the new sheep caf; if that is not meant, give choir/cafe.txt another name
        1 to create, 1 to change, 0 to remove, 0 unchanged
        "); }
        // The file it has always had.
        world.write("choir/cafe.txt", "one\ntwo\n");
        assert!(!world.ok("flock plan choir").contains('!'));
        std::fs::remove_file(world.path("choir/cafe.txt")).unwrap();
        std::fs::remove_file(world.path(spelled)).unwrap();
    }
}
