//! `flockwork wipe`, as a person uses it.

use flock_tests::Trouble;

use crate::world::{XWorld, eventually};

#[test]
fn what_stays_is_listed_and_an_error_and_what_goes_is_gone() {
    let world = XWorld::new();
    world.add("apollo");
    let sheep = [("apollo", "one\ntwo\n", "network = \"x\"\naccount = \"apollo\"\nline = \"5h\"")];
    world.write_flock_with("choir", "monthly_cap = 100", &sheep);
    world.ok("flock apply choir");
    let mut run = world.start("run --listen 127.0.0.1:0");
    run.url();
    let is_posted = || (world.json("posts --json").first()?["state"] == "posted").then_some(());
    eventually("it is posted", is_posted);
    run.interrupt();
    world.trouble(Trouble::Suspended);
    let stayed = world.flockwork("wipe x:apollo --yes");
    assert_eq!(stayed.code, Some(1), "{stayed:?}");
    assert!(stayed.stdout.contains("Deleted 0 posts of x:apollo."), "{stayed:?}");
    assert!(stayed.stdout.contains("x:apollo: post 1 of choir/apollo: "), "{stayed:?}");
    let last = "error: 1 thing stayed or could not be done\n";
    assert!(stayed.stderr.ends_with(last), "{stayed:?}");
    assert_eq!(world.on_x("apollo"), ["one"]);
    world.x.well();
    let gone = world.ok("wipe x:apollo --yes");
    assert!(gone.starts_with("Deleted 1 post of x:apollo."), "{gone}");
    assert!(world.on_x("apollo").is_empty());
    let states = world.json("posts --json");
    assert!(states.iter().all(|post| post["state"] == "deleted"), "{states:?}");
}
