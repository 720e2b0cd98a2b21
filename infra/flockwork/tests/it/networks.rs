//! What the command says of networks, and what networks object to before anything is posted.

use insta::assert_snapshot;

use crate::world::{World, XWorld, poem, timeless};

const HOURLY: &str = "network = \"x\"\nline = \"1h\"";

#[test]
fn networks_are_shown_side_by_side() {
    let world = World::new();
    assert_snapshot!(world.ok("networks"), @"
                                meadow        x             x enterprise  mastodon      bluesky
    post                        yes           yes           yes           yes           yes
    reply                       if            if            yes           yes           yes
    quote                       -             -             yes           if            yes
    repost                      -             yes           yes           yes           yes
    like                        -             -             yes           yes           yes
    follow                      -             -             yes           yes           yes
    delete posts                yes           yes           yes           yes           yes
    post pictures               -             yes           yes           yes           yes
    change profiles             -             if            if            yes           yes
    search                      -             yes           yes           if            if
    list own posts              yes           yes           yes           yes           yes
    send direct messages        -             if            if            yes           if
    mark posts as made with AI  if            yes           yes           -             -
    longest post                500           280           280           500*          300
    a post costs                nothing       $0.015        $0.015        nothing       nothing

    if: the network's own page says when. *: accounts have limits of their own.
    This is what networks let bots do; sheep post texts so far.
    One in full: `flockwork networks NAME`.
    ");
    assert!(world.refused("networks myspace").contains("use one of meadow, x, mastodon, bluesky"));
    assert!(world.files("").is_empty(), "asking writes nothing");
}

#[test]
fn all_of_x_is_shown() {
    let world = World::new();
    assert_snapshot!(world.ok("networks x"), @r#"
    X (network = "x")

    accounts
      written like x:apollo_bot

    can
      post                        yes
      reply                       standard: if the author of the other post mentioned or quoted the account
                                  enterprise: yes
      quote                       standard: no: since 2026-04-20 for Enterprise customers only
                                  enterprise: yes
      repost                      yes
      like                        standard: no: since 2026-04-20 for Enterprise customers only
                                  enterprise: yes
      follow                      standard: no: since 2026-04-20 for Enterprise customers only
                                  enterprise: yes
      delete posts                yes
      post pictures               yes
      change profiles             if X lets the app; it refuses most
      search                      yes
      list own posts              yes
      send direct messages        if the other person has written first
      mark posts as made with AI  yes

    length
      280 characters
         1 for a
         1 for é
         2 for 猫
         2 for 👩‍👩‍👧 (a family of three)
        23 for https://example.com/poems/of/the/meadow

    never twice
      nothing but looking at own posts when no answer came

    limits
      100 posts in 15 minutes for each account
      10000 posts in 24 hours for all accounts of an app together

    prices
      a post                      $0.015
      a post with a link          $0.20
      a reply                     $0.01
      a repost                    $0.015
      a deletion                  $0.01
      an own post that is read    $0.001
      a person that is looked up  $0.01
      an alternative text         $0.005

    pictures
      PNG, JPEG, WebP, up to 5000000 bytes, with up to 1000 characters of alternative text

    rules
      x-identical-text: The same text is not posted through several accounts.
        https://help.x.com/en/rules-and-policies/x-automation
      x-unlabelled-bot: An automated account carries X's Automated label and says who runs it.
        https://docs.x.com/developer-guidelines
      x-unmarked-ai: A text made with artificial intelligence is marked as such.
        https://docs.x.com/developer-guidelines
      x-ai-reply: Replies made with artificial intelligence need X's written approval.
        https://help.x.com/en/rules-and-policies/x-automation
      x-keyword-reply: Posts that were found by a word are not replied to.
        https://help.x.com/en/rules-and-policies/x-automation
      x-automated-like: Nothing is liked automatically.
        https://help.x.com/en/rules-and-policies/x-automation
      x-automated-follow: Nobody is followed automatically, in bulk or back.
        https://help.x.com/en/rules-and-policies/x-automation
      x-unasked-message: Nobody is sent a message they did not ask for, not even as a welcome.
        https://help.x.com/en/rules-and-policies/x-automation
      x-trend: Posts do not take up trending topics to be seen.
        https://help.x.com/en/rules-and-policies/x-automation
      A flock can waive one with a reason: [waive] in its flock.toml.

    As read in 2026-11.
    "#);
}

#[test]
fn all_of_networks_that_cost_nothing_is_shown() {
    let world = World::new();
    assert_snapshot!(world.ok("networks mastodon"), @r#"
    Mastodon (network = "mastodon")

    accounts
      written like mastodon:apollo@example.social

    can
      post                        yes
      reply                       yes
      quote                       if the instance runs Mastodon 4.5 or later and the author allows it
      repost                      yes
      like                        yes
      follow                      yes
      delete posts                yes
      post pictures               yes
      change profiles             yes
      search                      if the instance has full-text search
      list own posts              yes
      send direct messages        yes
      mark posts as made with AI  no: it has no such mark

    length
      500 characters, unless the account's server takes more or less
         1 for a
         1 for é
         1 for 猫
         1 for 👩‍👩‍👧 (a family of three)
        23 for https://example.com/poems/of/the/meadow

    never twice
      the request carries a key; because not every server heeds it, own posts are looked at when no answer came

    limits
      300 posts in 5 minutes for each account

    prices
      nothing

    pictures
      PNG, JPEG, GIF, WebP, up to 16777216 bytes and 33177600 pixels, with up to 1500 characters of alternative text

    rules
      mastodon-unlabelled-bot: An automated account is marked as one in its profile.
        https://docs.joinmastodon.org/user/profile/#bot
      A flock can waive one with a reason: [waive] in its flock.toml.

    As read in 2026-11.
    "#);
    let bluesky = world.ok("networks bluesky");
    assert!(bluesky.contains("mark posts as made with AI  no: it has no such mark"), "{bluesky}");
    assert!(world.ok("networks meadow").contains("prices\n  nothing\n"));
}

#[test]
fn everything_a_network_objects_to_is_said_at_once() {
    let world = XWorld::new();
    let said = |sheep: &[(&str, &str, &str)]| {
        world.write_flock("choir", sheep);
        let said = timeless(&world.refused("flock plan choir"));
        assert_eq!(timeless(&world.refused("flock apply choir")), said);
        assert_eq!(world.ok("flock list --json"), "", "nothing is applied");
        said
    };
    let poem = "the moon\nthe sun\n";
    world.add("apollo");
    world.add("iris");
    assert_snapshot!(said(&[
        ("apollo", poem, HOURLY),
        ("iris", "The sun!\nthe rain\n", HOURLY),
        ("pan", poem, HOURLY),
        ("silenus", poem, "network = \"bluesky\"\naccount = \"silenus.bsky.social\"\nline = \"1h\""),
        ("echo", poem, "line = \"1h\""),
    ]), @r#"
    error: choir: X charges $0.015 for a post and $0.20 with a link, $32.40 in the next 30 days; write the most the flock may spend in a month into flock.toml, such as monthly_cap = "25.00"
    choir/pan and choir/silenus: the accounts x:pan and bluesky:silenus.bsky.social were never added; connect each (`flockwork account connect x:pan`, and so for each)
    choir/pan (x:pan): every line of it is in choir/apollo.txt, too, which choir/apollo posts: against X's rule x-identical-text: The same text is not posted through several accounts. x:apollo says it, too. (https://help.x.com/en/rules-and-policies/x-automation) To do: give each account a text of its own, or let one account say it
    choir/iris (x:iris): line 1 of choir/iris.txt is in choir/apollo.txt, too, which choir/apollo posts: against X's rule x-identical-text: The same text is not posted through several accounts. x:apollo says it, too. (https://help.x.com/en/rules-and-policies/x-automation) To do: give each account a text of its own, or let one account say it
    "#);
    let quick = "network = \"x\"\nline = \"1m\"\naccount = \"apollo\"";
    let several: Vec<_> =
        ["a", "b", "c", "d", "e", "f", "g"].map(|name| (name, poem, quick)).into();
    assert_snapshot!(said(&several), @r#"
    error: choir: X charges $0.015 for a post and $0.20 with a link, $4536.00 in the next 30 days; write the most the flock may spend in a month into flock.toml, such as monthly_cap = "25.00"
    choir/a, choir/b, choir/c and 4 more (x:apollo): 105 posts in 15 minutes from TIME UTC on, but X takes 100 of one account; give them a slower rhythm
    all sheep on X together: 10080 posts in 24 hours from TIME UTC on, but X takes 10000 of one app; give them a slower rhythm
    "#);
}

#[test]
fn an_account_without_a_label_must_not_post() {
    let world = XWorld::new();
    world.let_in("token-of-apollo", "1");
    let key = r#"{"token":"token-of-apollo","token_secret":"hush","user_id":"1","consumer_key":"CONSUMER-KEY-0123","consumer_secret":"hush"}"#;
    world.write("key.json", key);
    assert_snapshot!(world.ok("account add x:apollo --key key.json"), @r#"
    x:apollo is added. Delete key.json. But it must not post yet:
      against X's rule x-unlabelled-bot: An automated account carries X's Automated label and says who runs it. (https://docs.x.com/developer-guidelines) To do: set the label (Settings, Your account, Automation), name yourself in the bio, then renew the account's key and say there that it carries the label
    "#);
    world.write_flock_with("choir", "monthly_cap = 20", &[("apollo", "one\n", HOURLY)]);
    assert_snapshot!(world.refused("flock apply choir"), @r#"error: choir/apollo (x:apollo): against X's rule x-unlabelled-bot: An automated account carries X's Automated label and says who runs it. (https://docs.x.com/developer-guidelines) To do: set the label (Settings, Your account, Automation), name yourself in the bio, then renew the account's key and say there that it carries the label"#);
    assert_snapshot!(world.ok("account show x:apollo"), @r#"
    account       x:apollo
    its id there  1
    tier          standard
    label         NOT labelled as a bot
    longest post  280 characters
    pictures      up to 5000000 bytes
    can           post
                  reply if the author of the other post mentioned or quoted the account
                  repost
                  delete posts
                  post pictures
                  change profiles if X lets the app; it refuses most
                  search
                  list own posts
                  send direct messages if the other person has written first
                  mark posts as made with AI
    cannot        quote: since 2026-04-20 for Enterprise customers only
                  like: since 2026-04-20 for Enterprise customers only
                  follow: since 2026-04-20 for Enterprise customers only
    must not post against X's rule x-unlabelled-bot: An automated account carries X's Automated label and says who runs it. (https://docs.x.com/developer-guidelines) To do: set the label (Settings, Your account, Automation), name yourself in the bio, then renew the account's key and say there that it carries the label
    "#);
    assert_snapshot!(world.refused("account show x:pan"), @"error: the account x:pan was never added; connect it (`flockwork account connect x:pan`)");

    // Only the file can waive it, with a reason that is kept.
    let waive = "monthly_cap = 20\n[waive]\nx-unlabelled-bot = \"A person reads each post first.\"";
    world.write_flock_with("choir", waive, &[("apollo", "one\n", HOURLY)]);
    assert_snapshot!(timeless(&world.ok("flock apply choir")), @"
    flock choir:
      + monthly cap $20.00
      + waive x-unlabelled-bot: A person reads each post first.
      + create apollo: poem of 1 line, every 1h, on x:apollo
      ! choir/apollo: 601 posts of the next 30 days would say what x:apollo said less than 6 hours before, the first in choir/apollo.txt:1; X refuses that, and the sheep leave it out, or stop after three of them in a row
    1 to create, 0 to change, 0 to remove, 0 unchanged
    by the schedule, the next 30 days cost
      the whole flock      720 posts: $10.80
      the monthly cap      $20.00 is not reached ($0.00 is spent in MONTH)
    Applied.
    ");
    let other = waive.replace("first", "twice");
    world.write_flock_with("choir", &other, &[("apollo", "one\n", HOURLY)]);
    assert_snapshot!(world.ok("flock plan choir").lines().take(3).collect::<Vec<_>>().join("\n"), @"
    flock choir:
      ~ waive x-unlabelled-bot: A person reads each post first. -> A person reads each post twice.
    0 to create, 0 to change, 0 to remove, 1 unchanged
    ");
    let apply = world.ok("flock apply choir");
    assert!(apply.ends_with("Applied.\n"), "{apply}");
    assert!(
        world.ok("flock apply choir").starts_with("flock choir: nothing to change (1 sheep)\n")
    );
    world.write_flock_with("choir", "monthly_cap = 20", &[("apollo", "one\n", "line = \"1h\"")]);
    assert_snapshot!(world.ok("flock apply choir"), @"
    flock choir:
      - waive x-unlabelled-bot
      ~ change apollo: account x:apollo -> meadow:apollo
    0 to create, 1 to change, 0 to remove, 0 unchanged
    Applied.
    ");
    let log = world.ok("slack /flock audit");
    let user = std::process::Command::new("id").arg("-un").output().unwrap().stdout;
    let log = log.replace(String::from_utf8(user).unwrap().trim(), "USER");
    // What is written in the same moment has no order.
    let is_rule = |line: &&str| !line.contains("`flock apply choir`");
    let log: Vec<_> = log.lines().filter(is_rule).collect();
    assert_snapshot!(timeless(&log.join("\n")), @"
    flockwork (only visible to you):
      Times are in UTC.
      TIME USER at the command line: `flock apply choir: keeps x-unlabelled-bot again` - done
      TIME USER at the command line: `flock apply choir: waives x-unlabelled-bot: A person reads each post twice.` - done
      TIME USER at the command line: `flock apply choir: waives x-unlabelled-bot: A person reads each post first.` - done
      TIME USER at the command line: `account add x:apollo` - done
    ");
}

/// Thousands of sheep and long texts are planned while a person waits.
#[test]
fn many_sheep_with_long_texts_are_planned() {
    let world = XWorld::new();
    for name in ["a", "b"] {
        world.add(name);
        let book = poem(&format!("of {name} a book that goes on and on, this is line"), 100_000);
        world.write(&format!("choir/{name}.txt"), book);
    }
    let sheep = (0..2_000).map(|number| {
        let account = ["a", "b"][number % 2];
        format!(
            "[[sheep]]\nname = \"s{number}\"\nbehaviour = \"poem\"\ncorpus = \"{account}.txt\"\n\
             account = \"{account}\"\nnetwork = \"x\"\nat = [\"09:00\"]\njitter = \"6h\"\n"
        )
    });
    let sheep: Vec<_> = sheep.collect();
    let file = format!("name = \"choir\"\nmonthly_cap = 2000\n{}", sheep.join("\n"));
    world.write("choir/flock.toml", file);
    let plan = world.ok("flock plan choir");
    assert!(plan.contains("2000 to create"), "{plan}");
    // At which hour this runs decides of the first and the last day how many of their posts are within the 30 days.
    let posts =
        plan.split_once("the whole flock      ").and_then(|(_, rest)| rest.split_once(" posts"));
    let (posts, _) = posts.unwrap_or_else(|| panic!("{plan}"));
    assert!((58_000..=62_000).contains(&posts.parse::<u32>().unwrap()), "{plan}");
}
