//! What helps with the first flock, and when nothing works: `init`, `doctor`, and what shells and `man` want.

use insta::assert_snapshot;

use crate::world::{Running, World, XWorld, timeless};

#[test]
fn a_first_flock_is_written_and_can_be_applied() {
    let world = World::new();
    assert_snapshot!(world.ok("init my-flock"), @"
    Flock my-flock is in my-flock: flock.toml says who posts what and when, poems/ what they say.
    `flockwork flock plan my-flock` shows what applying it does, `flockwork preview my-flock` its next posts, and `flockwork flock apply my-flock` does it.
    ");
    assert_snapshot!(world.ok("flock plan my-flock"), @"
    flock my-flock:
      + create first: poem of 4 lines, every 1h, pause 6h, on meadow:first
    1 to create, 0 to change, 0 to remove, 0 unchanged
    ");
    world.ok("flock apply my-flock");
    assert_eq!(world.posts("preview --flock my-flock --count 3").len(), 3);
    // It is written once.
    let before = world.files("my-flock");
    assert_snapshot!(world.refused("init my-flock"), @"error: my-flock/flock.toml is there already; nothing was changed");
    assert_eq!(world.files("my-flock"), before);
    // A name of its own, a poem that is there, and a directory that gives no name.
    world.write("猫/poems/first.txt", "my own\n");
    assert_snapshot!(world.refused("init 猫"), @"error: 猫 gives no name for a flock (lowercase letters, digits and hyphens); say one with --name");
    world.ok("init 猫 --name cats");
    assert_eq!(world.posts("posts").len(), 0);
    world.ok("flock apply 猫");
    assert_eq!(world.posts("preview --flock cats --count 1")[0].text, "my own");
}

#[test]
fn the_doctor_says_what_is_wrong_and_what_to_do() {
    let world = XWorld::new();
    assert_snapshot!(world.ok("doctor"), @"note   there is nothing in .flockwork yet; `flockwork` makes it");
    assert!(!world.path(".flockwork").exists(), "it only looks");
    world.add("apollo");
    assert_snapshot!(world.ok("doctor"), @r#"
    ok     the data in .flockwork can be read
    note   nothing is posted until `flockwork run`
    note   there is no sheep yet; `flockwork init DIR` writes a flock, and `flockwork flock apply DIR` makes it
    note   on X an app is wanted (console.x.com): in its "User authentication settings" choose "Read and write" and "Web App, Automated App or Bot", a confidential client, and enter as callback address, for OAuth 1.0a and OAuth 2.0 alike, http://127.0.0.1:4280/keys/callback, exactly so
    note   on Mastodon and Bluesky nothing has to be entered beforehand: on Mastodon an app is made for each sign-in, on Bluesky whoever signs in makes an app password
    "#);
    let on_x = "network = \"x\"\naccount = \"apollo\"\nline = \"2h\"";
    let sheep = [("a", "one\n", on_x), ("b", "two\n", on_x), ("c", "three\n", "line = \"1h\"")];
    world.write_flock_with("choir", "monthly_cap = 100", &sheep);
    world.ok("flock apply choir");
    world.ok("sheep pause c");
    assert_snapshot!(world.ok("doctor"), @r#"
    ok     the data in .flockwork can be read
    note   nothing is posted until `flockwork run`
    ok     3 sheep, 2 active
    note   1 sheep paused: `flockwork sheep list` shows which
    ok     1 account can post
    note   on X an app is wanted (console.x.com): in its "User authentication settings" choose "Read and write" and "Web App, Automated App or Bot", a confidential client, and enter as callback address, for OAuth 1.0a and OAuth 2.0 alike, http://127.0.0.1:4280/keys/callback, exactly so
    "#);
    // What is wrong makes it fail, for scripts.
    let mut stop = world.command("slack /flock stop --press");
    stop.arg("Stop everything");
    assert_eq!(Running::spawn(stop).finish().code, Some(0));
    let said = world.flockwork("doctor");
    assert_eq!(said.code, Some(1));
    assert_snapshot!(timeless(&said.stdout), @r#"
    ok     the data in .flockwork can be read
    note   nothing is posted until `flockwork run`
    FAULT  Everything is stopped since TIME UTC; nothing is posted until `flockwork start`, or `/flock start` in Slack.
    ok     3 sheep, 2 active
    note   1 sheep paused: `flockwork sheep list` shows which
    ok     1 account can post
    note   on X an app is wanted (console.x.com): in its "User authentication settings" choose "Read and write" and "Web App, Automated App or Bot", a confidential client, and enter as callback address, for OAuth 1.0a and OAuth 2.0 alike, http://127.0.0.1:4280/keys/callback, exactly so
    "#);
    assert_snapshot!(said.stderr, @"error: 1 fault found");
}

/// Links want the callback address from the moment that the app is known.
#[test]
fn the_doctor_says_where_x_sends_people_back_to() {
    let world = XWorld::new();
    world.add("apollo");
    world.write_flock("choir", &[("a", "one\n", "line = \"1h\"")]);
    world.ok("flock apply choir");
    let said = world.ok("doctor");
    assert!(said.contains("alike, http://127.0.0.1:4280/keys/callback, exactly so"), "{said}");
    let mut run = world.start("run --listen 127.0.0.1:0");
    let callback = format!("alike, {}/keys/callback, exactly so", run.url().trim_end_matches('/'));
    let said = world.ok("doctor");
    assert!(said.contains(&callback), "{said}");
}

#[test]
fn what_is_wrong_with_aws_is_said_in_words() {
    let world = World::new();
    let said = |envs: &[(&str, &str)], table: &str| {
        let mut command = world.command(&format!("--aws --table {table} flock list"));
        // Nobody is asked who is not on this machine.
        command.env("HOME", world.path("")).env("AWS_EC2_METADATA_DISABLED", "true");
        command.envs(envs.iter().copied());
        let output = Running::spawn(command).finish();
        assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{output:?}");
        output.stderr
    };
    assert_snapshot!(said(&[], "t"), @"error: AWS has many regions, and this shell says none: set that of the stack, such as with `export AWS_REGION=eu-west-1`, or as `region` in the profile in ~/.aws/config");
    assert_snapshot!(said(&[("AWS_REGION", "eu-west-1")], "t"), @"error: this shell has no AWS credentials that can be used (the credential provider was not enabled: no credentials found in chain); log in, such as with `aws login` or `aws sso login`, or set AWS_PROFILE");
    let mut run = world.start("run --listen 127.0.0.1:0");
    run.url();
    let environment = world.ok("env");
    let here: Vec<_> = environment.lines().filter_map(|line| line.split_once('=')).collect();
    assert_snapshot!(said(&here, "other"), @"error: there is no table other in us-east-1 of this AWS account; its name is the output `TableName` of the stack, and AWS_REGION and AWS_PROFILE say where is looked");
    let stranger: Vec<_> = here
        .iter()
        .map(|(name, value)| if name.ends_with("TOKEN") { (*name, "old") } else { (*name, *value) })
        .collect();
    assert_snapshot!(said(&stranger, "flockwork"), @"error: AWS does not take the credentials of this shell (any more); AWS_ACCESS_KEY_ID of this shell says who you are: set it, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN anew, or unset them");
}

#[test]
fn shells_and_man_know_every_command() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(world.ok(&format!("completions {shell}")).contains("networks-on-loopback"));
    }
    assert!(world.refused("completions tcsh").contains("[possible values: bash"));
    world.ok("man pages");
    let page = std::fs::read_to_string(world.path("pages/flockwork-account-add.1")).unwrap();
    assert!(page.contains("Key files are JSON"), "{page}");
    assert!(world.path("pages/flockwork.1").exists());
}
