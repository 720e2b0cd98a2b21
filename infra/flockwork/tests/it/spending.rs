//! Money: what a flock will cost, its cap, and what it has spent.

use insta::assert_snapshot;

use crate::world::{World, XWorld, eventually, timeless};

/// One post a day.
const DAILY: &str = "network = \"x\"\nat = [\"09:00\"]";

#[test]
fn plans_say_what_posts_cost() {
    let world = XWorld::new();
    world.add("apollo");
    world.add("iris");
    let sheep = |line: &str| {
        vec![("apollo", "one\nsee https://example.com/\n".to_owned(), line.to_owned())]
    };
    let write = |top: &str, sheep: &[(&str, String, String)]| {
        let sheep: Vec<_> = sheep.iter().map(|(a, b, c)| (*a, b.as_str(), c.as_str())).collect();
        world.write_flock_with("choir", top, &sheep);
    };
    let mut flock = sheep(DAILY);
    write("", &flock);
    assert_snapshot!(world.refused("flock apply choir"), @r#"error: choir: X charges $0.015 for a post and $0.20 with a link, $3.225 in the next 30 days; write the most the flock may spend in a month into flock.toml, such as monthly_cap = "25.00""#);
    write("monthly_cap = 10.00", &flock);
    let plan = world.ok("flock plan choir");
    assert_snapshot!(timeless(&plan), @"
    flock choir:
      + monthly cap $10.00
      + create apollo: poem of 2 lines, at 09:00, on x:apollo
    1 to create, 0 to change, 0 to remove, 0 unchanged
    by the schedule, the next 30 days cost
      the whole flock      30 posts, 15 with a link: $3.225
      the monthly cap      $10.00 is not reached ($0.00 is spent in MONTH)
    ");
    assert_eq!(world.ok("flock apply choir"), plan + "Applied.\n");
    let nothing = world.ok("flock plan choir");
    assert_snapshot!(timeless(&nothing), @"
    flock choir: nothing to change (1 sheep)
    by the schedule, the next 30 days cost
      the whole flock      30 posts, 15 with a link: $3.225
      the monthly cap      $10.00 is not reached ($0.00 is spent in MONTH)
    ");
    assert_eq!(world.ok("flock apply choir"), nothing);

    flock.push(("iris", "one more\n".to_owned(), DAILY.to_owned()));
    flock.push(("echo", "on the meadow\n".to_owned(), "line = \"1h\"".to_owned()));
    write("monthly_cap = \"1.50\"", &flock);
    assert_snapshot!(timeless(&world.ok("flock plan choir")), @"
    flock choir:
      ~ monthly cap $10.00 -> $1.50
      + create echo: poem of 1 line, every 1h, on meadow:echo
      + create iris: poem of 1 line, at 09:00, on x:iris
    2 to create, 0 to change, 0 to remove, 1 unchanged
    by the schedule, the next 30 days cost
      created and changed  30 posts: $0.45
      the whole flock      60 posts, 15 with a link: $3.675
      the monthly cap      $1.50 is reached TIME UTC; what costs waits from then until the month is over ($0.00 is spent in MONTH)
    ");
    world.ok("flock apply choir");
    let spent = world.ok("spend");
    assert!(spent.contains("\n  spent     $0.00 (0 % of the cap)\n  forecast  $"), "{spent}");

    // Where nothing is paid nothing is said of money.
    world.write_flock("free", &[("a", "b\n", "line = \"1h\"")]);
    assert!(!world.ok("flock plan free").contains('$'));
    world.ok("flock apply free");
    assert!(!world.ok("spend").contains("free"));
    assert_snapshot!(world.ok("spend --flock free"), @"free pays for nothing.");
    assert_snapshot!(World::new().ok("spend"), @"No flock pays for anything.");
    assert_eq!(World::new().ok("spend --json"), "");
    assert_snapshot!(world.refused("spend --flock homer"), @"error: there is no flock `homer`; there are: choir, free");
}

#[test]
fn a_raised_cap_lets_what_waits_for_it_go() {
    let world = XWorld::new();
    world.add("apollo");
    let sheep = [("apollo", "one\ntwo\n", "network = \"x\"\nline = \"5h\"")];
    let why = || {
        let sheep = world.json("sheep list --json").pop().unwrap();
        sheep["why"].as_str().map(ToOwned::to_owned)
    };
    world.write_flock_with("choir", "monthly_cap = 0.01", &sheep);
    world.ok("flock apply choir");
    let mut run = world.start("run --listen 127.0.0.1:0");
    run.url();
    assert_snapshot!(timeless(&eventually("the cap is reached", why)), @"flock choir has spent $0.00 of the $0.01 it may spend in MONTH, and this costs $0.015; raise `monthly_cap` in its flock.toml and apply it, or wait");
    run.interrupt();
    assert_eq!(world.on_x("apollo"), Vec::<String>::new());
    // What waits is said where it is listed as due.
    let first = world.flockwork("preview --flock choir --count 1").stdout;
    assert_snapshot!(timeless(&first), @"TIME UTC  choir/apollo  one  (waits: the cap is used up until TIME UTC)");

    world.write_flock_with("choir", "monthly_cap = 5", &sheep);
    let plan = world.ok("flock plan choir");
    assert_snapshot!(plan.lines().take(4).collect::<Vec<_>>().join("\n"), @"
    flock choir:
      ~ monthly cap $0.01 -> $5.00
      ~ wake apollo: its post waits for the cap
    0 to create, 0 to change, 0 to remove, 1 unchanged
    ");
    // As it goes on when it is applied.
    let posts = |arguments: &str| world.flockwork(&format!("{arguments} --json --count 3")).stdout;
    let shown = posts("preview choir");
    world.ok("flock apply choir");
    assert_eq!(shown, posts("preview --flock choir"));
    assert!(world.ok("flock plan choir").starts_with("flock choir: nothing to change (1 sheep)\n"));
    let mut run = world.start("run --listen 127.0.0.1:0");
    run.url();
    eventually("it is posted", || (world.on_x("apollo") == ["one"]).then_some(()));
    eventually("it is recorded", || {
        (world.posts("posts").len() == 1 && why().is_none()).then_some(())
    });
    // While it runs and when it does not.
    let spent = world.json("spend --json");
    run.interrupt();
    assert_eq!(world.json("spend --json")[0]["spent"], spent[0]["spent"]);
    let spent = &spent[0];
    assert_eq!(spent["flock"], "choir");
    assert_eq!(spent["spent"], 0.015);
    assert_eq!(spent["counts"]["posts"], 1);
    assert_eq!((&spent["cap"], &spent["spent_percent"]), (&5.0.into(), &0.into()));
    let to_come = spent["posts_to_come"].as_f64().unwrap();
    let forecast = spent["forecast"].as_f64().unwrap();
    assert!((forecast - 0.015 * (1.0 + to_come)).abs() < 1e-9, "{spent}");
    let linked = spent["forecast_with_links"].as_f64().unwrap();
    assert!((linked - 0.015 - 0.2 * to_come).abs() < 1e-9, "{spent}");
    let page = world.ok("spend --flock choir");
    assert!(page.contains("  spent     $0.015 (0 % of the cap); posts: 1\n"), "{page}");
}
