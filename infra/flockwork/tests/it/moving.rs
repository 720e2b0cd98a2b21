//! A sheep moves from one account to another, and from one network to another.

use flock_tests::Misbehave;
use insta::assert_snapshot;
use jiff::SignedDuration;

use crate::world::{XWorld, check_lines, eventually, from_now};

#[test]
fn a_sheep_moves_and_keeps_its_place() {
    let world = XWorld::new();
    let poem = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n";
    world.write_flock_with("choir", "monthly_cap = 100", &[("apollo", poem, "line = \"1m\"")]);
    world.ok("flock apply choir");
    world.run_until(from_now(SignedDuration::from_secs(150)));
    let before = world.posts("posts");
    check_lines(&before, "apollo", poem);
    let next = world.posts("preview --sheep apollo --count 1").pop().unwrap();

    assert_snapshot!(world.refused("sheep move apollo x:apollo"), @"error: choir/apollo: the account x:apollo was never added; connect it (`flockwork account connect x:apollo`)");
    world.add("apollo");
    let said = world.ok("sheep move apollo x:apollo");
    assert!(
        said.starts_with("choir/apollo                     x:apollo                 next "),
        "{said}"
    );
    let rest: Vec<_> = said.lines().skip(1).take(3).collect();
    let place = rest[0].replace(&(next.occurrence).to_string(), "N");
    assert_snapshot!(place, @"It goes on with line N of 7, as x:apollo.");
    assert_snapshot!(rest[1..].join("\n"), @r#"
    Write network = "x" and account = "apollo" into flock.toml, or the next `flockwork flock apply` moves it back.
    by the schedule, the next 30 days cost
    "#);
    let moved = world.posts("preview --sheep apollo --count 1").pop().unwrap();
    assert_eq!((moved.network.as_str(), &moved.text), ("x", &next.text));
    assert_eq!((moved.occurrence, moved.at), (next.occurrence, next.at));
    // Who looks for a post of the account finds out that it may be this sheep's.
    let row = b"SHEEP#choir/apollo";
    let noted = |file: Vec<u8>| file.windows(row.len()).any(|bytes| bytes == row);
    assert!(world.files(".flockwork").into_values().any(noted));
    assert_snapshot!(world.ok("sheep move apollo x:apollo"), @"choir/apollo posts through x:apollo already.");

    // The file has the last word.
    let plan = world.ok("flock plan choir");
    assert!(plan.contains("~ change apollo: account x:apollo -> meadow:apollo"), "{plan}");
    let back = world.ok("sheep move apollo meadow:echo");
    assert!(!back.contains('$'), "{back}");
    let log = world.ok("slack /flock audit");
    assert!(
        log.contains("`sheep move choir/apollo x:apollo (from meadow:apollo)` - done"),
        "{log}"
    );
}

#[test]
fn what_does_not_fit_there_does_not_move() {
    let world = XWorld::new();
    world.add("apollo");
    world.add("iris");
    let long = format!("short\n\n{}\n", "a".repeat(300)).repeat(7);
    let x = "network = \"x\"\nline = \"1h\"";
    let sheep = [
        ("apollo", "the moon\nthe sun\n", x),
        ("echo", "The moon.\n", "line = \"1h\""),
        ("long", &long, "line = \"1h\""),
    ];
    world.write_flock_with("choir", "monthly_cap = 100", &sheep);
    world.ok("flock apply choir");
    let table = world.table();
    assert_snapshot!(world.refused("sheep move long x:iris"), @"error: line 2 of the text of choir/long, line 4 of the text of choir/long, line 6 of the text of choir/long and 4 more: the text is longer by x's counting than the 280 characters that x takes; write split = true to make a thread of it, which cuts no link");
    assert_snapshot!(world.refused("sheep move echo x:iris"), @"error: choir/echo (x:iris): line 1 of the text of choir/echo is in the text of choir/apollo, too, which choir/apollo posts: against X's rule x-identical-text: The same text is not posted through several accounts. x:apollo says it, too. (https://help.x.com/en/rules-and-policies/x-automation) To do: give each account a text of its own, or let one account say it");
    assert_snapshot!(world.refused("sheep move echo bluesky:echo.bsky.social"), @"error: choir/echo: the account bluesky:echo.bsky.social was never added; connect it (`flockwork account connect bluesky:echo.bsky.social`)");
    assert_snapshot!(world.refused("sheep move nobody x:iris"), @"error: there is no sheep `nobody` (`flockwork sheep list` shows them)");
    for account in ["x:not-x", "apollo", "myspace:tom", "mastodon:apollo"] {
        let output = world.flockwork(&format!("sheep move echo {account}"));
        assert_eq!(output.code, Some(2), "{output:?}");
    }
    assert_snapshot!(world.flockwork("sheep move echo x:not-x").stderr, @"
    error: invalid value 'x:not-x' for '<ACCOUNT>': `not-x` is not an account of X: they are written like `apollo_bot`

    For more information, try '--help'.
    ");
    assert_eq!(world.table(), table, "nothing has changed");
    // The same account may say it again.
    world.ok("sheep move echo x:apollo");

    // Without a cap nothing goes where it costs.
    // At a time of day: of an hourly rhythm one post more is in 30 days when a second has passed.
    world.write_flock("free", &[("a", "b\n", "at = [\"09:00\"]")]);
    world.ok("flock apply free");
    assert_snapshot!(world.refused("sheep move free/a x:iris"), @r#"error: free: X charges $0.015 for a post and $0.20 with a link, $0.45 in the next 30 days; write the most the flock may spend in a month into flock.toml, such as monthly_cap = "25.00""#);
}

#[test]
fn a_post_nobody_is_sure_of_keeps_its_flock_and_the_next_one_is_made_under_its_own_number() {
    let world = XWorld::new();
    world.add("apollo");
    let apollo = "network = \"x\"\nline = \"1h\"";
    let write = |text| {
        world.write_flock_with("choir", "monthly_cap = 1", &[("apollo", text, apollo)]);
    };
    write("one\n");
    world.ok("flock apply choir");
    world.x.misbehave(Misbehave::AcceptThen500);
    let post_made = |count: usize| {
        let mut run = world.start("run --listen 127.0.0.1:0");
        run.url();
        eventually("the sheep has tried", || {
            let posts = world.json("posts --json");
            (posts.len() == count && posts.iter().all(|post| post["state"] != "pending"))
                .then_some(())
        });
        run.interrupt();
    };
    post_made(1);
    let table = world.table();
    assert_snapshot!(world.refused("flock remove choir"), @"error: choir/apollo: nobody knows whether its post 1 is on x:apollo; look there and say whether it is, or wait until it is found out; then remove it (in Slack: `/flock sent choir/apollo 1` or `/flock send-again choir/apollo 1`)");
    assert_eq!(world.table(), table);
    world.ok("slack /flock sent choir/apollo 1");
    world.ok("flock remove choir --yes");
    write("uno\n");
    world.ok("flock apply choir");
    post_made(2);
    let posts = world.posts("posts");
    let posts: Vec<_> = posts.iter().map(|post| (post.occurrence, post.text.as_str())).collect();
    assert_eq!(posts, [(1, "one"), (2, "uno")]);
    assert_eq!(world.on_x("apollo"), ["one", "uno"]);
}
