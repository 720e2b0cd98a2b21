//! One act for each account of a flock, at the command line.

use insta::assert_snapshot;

use crate::world::XWorld;

/// Two accounts of X in a flock, and a post of somebody else.
fn choir() -> (XWorld, String) {
    let world = XWorld::new();
    let sheep = |handle: &str| format!("network = \"x\"\naccount = \"{handle}\"\nline = \"1h\"");
    for handle in ["apollo", "bacchus"] {
        world.add(handle);
    }
    world.let_in("7-token", "7");
    let sheep = [sheep("apollo"), sheep("bacchus")];
    let sheep = [("a", "one\n", sheep[0].as_str()), ("b", "two\n", sheep[1].as_str())];
    world.write_flock_with("choir", "monthly_cap = 100\n", &sheep);
    world.ok("flock apply choir");
    let post = world.x.made_elsewhere("7", "Hello.");
    (world, post)
}

#[test]
fn it_is_done_for_each_account_and_a_line_says_what_came_of_it() {
    let (world, post) = choir();
    let said = |text: String| text.replace(&post, "POST");
    assert_snapshot!(said(world.ok(&format!("flock do choir repost x:{post} --dry-run"))), @"");
    assert_snapshot!(said(world.ok(&format!("flock do choir repost x:{post} --dry-run --json"))), @"");
    assert_snapshot!(said(world.refused(&format!("flock do choir repost x:{post}"))), @"");
    assert_snapshot!(said(world.ok(&format!("flock do choir repost x:{post} --yes --one-by-one"))), @"");
    for handle in ["apollo", "bacchus"] {
        assert_eq!(world.on_x(handle).len(), 1);
    }
    let entry = world.json("audit --json --limit 1").pop().unwrap();
    let line = format!("flock do choir repost x:{post} --one-by-one");
    assert_eq!((entry["line"].as_str(), entry["outcome"].as_str()), (Some(&*line), Some("done")));
    // One that comes to nothing is an error, behind what is said.
    let gone = world.flockwork("account do x:apollo repost x:1 --yes");
    assert_eq!(gone.code, Some(1), "{gone:?}");
    assert_snapshot!(gone.stdout, @"");
    assert_snapshot!(gone.stderr, @"");
    assert_snapshot!(world.refused("flock do choir follow each-other"), @"");
    assert_snapshot!(world.refused("flock do choir profile bot yes"), @"");
    assert_snapshot!(world.refused("flock do choir dance"), @"");
    assert_snapshot!(world.refused("flock do moon profile bio Baa"), @"");
    assert_snapshot!(world.refused("account do x:nobody profile bio Baa"), @"");
    assert_snapshot!(said(world.refused(&format!("account do x:apollo repost x:{post} --pay moon"))), @"");
}
