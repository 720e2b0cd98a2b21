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
    let month = flock_core::Month::of(flock_aws::Clock::wall().now()).to_string();
    let said = |text: String| text.replace(&post, "POST").replace(&month, "MONTH");
    assert_snapshot!(said(world.ok(&format!("flock do choir repost x:{post} --dry-run"))), @"
    x:apollo would, for $0.015
    x:bacchus would, for $0.015
    2 would be done, and 0 refused
    it costs $0.03, which flock choir pays; it has spent $0.00 of the $100.00 it may spend in MONTH
    ");
    assert_snapshot!(said(world.ok(&format!("flock do choir repost x:{post} --dry-run --json"))), @r#"
    {"account":"x:apollo","who":null,"price":"$0.015","refused":null}
    {"account":"x:bacchus","who":null,"price":"$0.015","refused":null}
    "#);
    assert_snapshot!(said(world.refused(&format!("flock do choir repost x:{post}"))), @"error: flock do choir repost x:POST: it costs $0.03, which flock choir pays; it has spent $0.00 of the $100.00 it may spend in MONTH, and there is nobody to ask here; nothing was changed; add --yes if it is meant");
    assert_snapshot!(said(world.ok(&format!("flock do choir repost x:{post} --yes --one-by-one"))), @"
    x:apollo: done
    x:bacchus: done
    ");
    for handle in ["apollo", "bacchus"] {
        assert_eq!(world.on_x(handle).len(), 1);
    }
    let entry = world.json("audit --json --limit 1").pop().unwrap();
    let line = format!("flock do choir repost x:{post} --one-by-one");
    assert_eq!((entry["line"].as_str(), entry["outcome"].as_str()), (Some(&*line), Some("done")));
    // One that comes to nothing is an error, behind what is said.
    let gone = world.flockwork("account do x:apollo repost x:1 --yes");
    assert_eq!(gone.code, Some(1), "{gone:?}");
    assert_snapshot!(gone.stdout, @r#"x:apollo: X refused with status 404: "Could not find tweet with id: [1]."; see to that"#);
    assert_snapshot!(gone.stderr, @"error: 1 of 1 act refused");
    assert_snapshot!(world.refused("flock do choir follow each-other"), @"
    error: x:apollo does not: X cannot follow: since 2026-04-20 for Enterprise customers only
    x:bacchus does not: X cannot follow: since 2026-04-20 for Enterprise customers only
    ");
    assert_snapshot!(world.refused("flock do choir profile bot yes"), @"
    error: X has no bot label in profiles: leave it out for x:apollo
    X has no bot label in profiles: leave it out for x:bacchus
    ");
    assert_snapshot!(world.refused("flock do choir dance"), @"error: `dance` is nothing that can be done: there are follow WHO, follow each-other, unfollow WHO, unfollow each-other, repost POST, like POST, delete POST, profile name|bio|url|location TEXT and profile bot yes");
    assert_snapshot!(world.refused("flock do moon profile bio Baa"), @"error: there is no flock `moon`; there are: choir");
    assert_snapshot!(world.refused("account do x:nobody profile bio Baa"), @"error: the account x:nobody was never added (`flockwork account connect x:nobody`)");
    assert_snapshot!(said(world.refused(&format!("account do x:apollo repost x:{post} --pay moon"))), @"error: there is no flock moon that could pay");
}
