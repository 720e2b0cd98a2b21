//! Poems as threads, as whoever has the files sees them.

use insta::assert_snapshot;

use crate::world::World;

const POEM: &str = "\
The moon rose
over the sea

and set again.
Nobody had looked up, because the evening was long and there was much to do in the house. The lamps were lit. \
The children were put to bed, and the dog was let out, and somebody sang. Later the wind turned, and the sea \
came up to the wall, and went back, and nobody saw that either, though the gulls talked of it all night long.
";

fn write(world: &World, own: &str) {
    let toml = format!(
        "name = \"choir\"\n[defaults]\nbehaviour = \"poem\"\nline = \"1h\"\nstart = 2039-12-31T12:00:00\n[[sheep]]\nname = \
         \"moon\"\ncorpus = \"moon.txt\"\n{own}\n"
    );
    world.write("choir/flock.toml", toml);
    world.write("choir/moon.txt", POEM);
}

#[test]
fn threads_are_planned_previewed_and_applied() {
    let world = World::new();
    write(&world, "post = \"thread\"");
    let plan = world.ok("flock plan choir");
    assert_snapshot!(plan, @"
    flock choir:
      + create moon: poem of 4 lines in threads, every 1h, from 2039-12-31T12:00:00Z, on meadow:moon
    1 to create, 0 to change, 0 to remove, 0 unchanged
    ");
    assert_eq!(world.ok("flock apply choir"), plan + "Applied.\n");
    let preview = world.ok("preview --flock choir --count 5");
    let preview: Vec<_> = preview.lines().map(|line| line.get(..70).unwrap_or(line)).collect();
    assert_snapshot!(preview.join("\n"), @"
    2039-12-31 12:00:00 UTC  choir/moon  The moon rose
    2039-12-31 12:00:00 UTC  choir/moon  ↳ over the sea
    2039-12-31 13:00:00 UTC  choir/moon  and set again.
    2039-12-31 13:00:00 UTC  choir/moon  ↳ Nobody had looked up, because
    2039-12-31 14:00:00 UTC  choir/moon  The moon rose
    ");
    assert_snapshot!(world.ok("preview --flock choir --count 2 --json"), @r#"
    {"at":"2039-12-31T12:00:00Z","flock":"choir","sheep":"moon","network":"meadow","occurrence":1,"text":"The moon rose"}
    {"at":"2039-12-31T12:00:00Z","flock":"choir","sheep":"moon","network":"meadow","occurrence":2,"text":"over the sea","continues_thread":true}
    "#);
    // Longer than X takes, and not than the meadow does.
    write(&world, "network = \"x\"");
    assert_snapshot!(world.refused("flock plan choir"), @"error: choir/moon.txt:5: the text is 328 characters long by x's counting; x takes 280; write split = true to make a thread of it, which cuts no link");
    write(
        &world,
        "post = \"stanza\"\nsplit = true\n[[sheep]]\nname = \"moon-two\"\ncorpus = \"moon.txt\"\npost = \"stanza\"\nsplit = true\nnetwork = \"bluesky\"\naccount = \"moon.example.com\"",
    );
    assert_snapshot!(world.ok("flock plan choir"), @r"
    flock choir:
      + create moon-two: poem of 3 parts in threads, every 1h, from 2039-12-31T12:00:00Z, on bluesky:moon.example.com
      ~ change moon: text (4 lines -> 2 stanzas)
               it is made of stanzas now, and none is one of the lines before: wherever it was, it starts over with the first stanza
               - The moon rose
               - ↳ over the sea
               - and set again.
               - ↳ Nobody had looked up, because the evening was long and there was much to do in t...
        next > + The moon rose\nover the sea
               + and set again.\nNobody had looked up, because the evening was long and there was ...
    1 to create, 1 to change, 0 to remove, 0 unchanged
    missing before it can be applied: the account bluesky:moon.example.com; `flockwork account connect bluesky:moon.example.com`
    ");
}
