//! The secrets of a data directory, when one is lost or damaged: nothing that is sealed is given up unasked.

use std::fs;

use insta::assert_snapshot;

use crate::{
    refusals::check,
    world::{World, XWorld, eventually},
};

const KEYRING: &str = ".flockwork/keyring.secret.json";
const SLACK: &str = ".flockwork/slack.secret.json";
const X_APP: &str = ".flockwork/xapp.secret.json";

const RUN: &str = "run --listen 127.0.0.1:0";

/// What would be read aloud by an error that quotes.
const HUSH: &str = "hush-hush-0123456789";

/// Every command that would have to read a secret.
const COMMANDS: [&str; 4] = [RUN, "posts --json", "flock list", "slack /flock help"];

/// A directory with an account of X.
fn with_account() -> XWorld {
    let world = XWorld::new();
    world.add("apollo");
    world
}

#[test]
fn a_keyring_that_is_lost_is_not_made_anew_unasked() {
    let world = with_account();
    world.add("iris");
    let keyring = fs::read(world.path(KEYRING)).unwrap();
    fs::remove_file(world.path(KEYRING)).unwrap();
    for command in COMMANDS {
        check(&world, command, &["the keyring .flockwork/keyring.secret.json is missing, and"]);
    }
    assert_snapshot!(world.refused("posts --json"), @"error: the keyring .flockwork/keyring.secret.json is missing, and the keys of 2 accounts (x:apollo, x:iris) are sealed with it; put back a copy of it. To go on without those keys instead, start once with `flockwork run --new-keyring`: flocks and posts stay, and the accounts need new keys (`flockwork account renew`)");
    // Either way out is one.
    world.write(KEYRING, &keyring);
    assert!(world.ok("account show x:apollo").contains("x:apollo"));
    check(&world, &format!("{RUN} --new-keyring"), &["is for one that is lost"]);

    fs::remove_file(world.path(KEYRING)).unwrap();
    let mut run = world.start(&format!("{RUN} --new-keyring"));
    run.url();
    run.line("There is no flock yet");
    assert_ne!(fs::read(world.path(KEYRING)).unwrap(), keyring);
    world.add("apollo");
    let rhythm = "network = \"x\"\nline = \"1h\"";
    world.write_flock_with("choir", "monthly_cap = 1", &[("apollo", "one\ntwo\n", rhythm)]);
    world.ok("flock apply choir");
    assert_eq!(run.interrupt().code, Some(0));
    let run = world.start(RUN);
    eventually("it posts with the new key", || {
        Some(world.on_x("apollo")).filter(|posts| posts == &["one"])
    });
    assert_eq!(run.interrupt().code, Some(0));
}

/// What nothing depends on is no reason to ask.
#[test]
fn a_secret_that_is_lost_and_that_nothing_needs_is_made_anew() {
    let world = World::new();
    world.write_flock("choir", &[("alto", "one\ntwo\n", "line = \"1h\"")]);
    world.ok("flock apply choir");
    let list = world.ok("sheep list --json");
    for secret in [KEYRING, SLACK, X_APP] {
        let before = fs::read_to_string(world.path(secret)).unwrap();
        fs::remove_file(world.path(secret)).unwrap();
        assert_eq!(world.ok("sheep list --json"), list, "{secret}");
        let after = fs::read_to_string(world.path(secret)).unwrap();
        assert_eq!(after.len(), before.len());
        assert!(after != before || secret == X_APP, "{secret}");
    }
    let world = with_account();
    fs::remove_file(world.path(SLACK)).unwrap();
    assert!(world.ok("slack /flock help").starts_with("flockwork"));
}

#[test]
fn an_app_that_accounts_post_through_is_not_forgotten() {
    let world = with_account();
    let app = fs::read(world.path(X_APP)).unwrap();
    fs::remove_file(world.path(X_APP)).unwrap();
    for command in COMMANDS {
        check(&world, command, &["the secret of the X app .flockwork/xapp.secret.json is missing"]);
    }
    assert_snapshot!(world.refused("posts --json"), @r#"error: the secret of the X app .flockwork/xapp.secret.json is missing, and 1 account (x:apollo) cannot post without it; put back a copy of it, or write it anew, with the app's keys: {"consumer_key":"...","consumer_secret":"..."}"#);
    world.write(X_APP, &app);
    assert_eq!(world.ok("posts --json"), "");
}

#[test]
fn a_secret_that_is_damaged_is_named_and_left_alone() {
    let world = with_account();
    let mut said = Vec::new();
    for (secret, contents) in [
        (
            KEYRING,
            vec![
                String::new(),
                " \n".to_owned(),
                "null".to_owned(),
                "{}".to_owned(),
                format!("{{\"current\":\"k1\",\"k1\":\"{HUSH}"),
                format!("{{\"current\":\"k1\",\"k1\":\"{HUSH}\"}}"),
                format!("{{\"current\":\"k2\",\"k1\":\"{HUSH}{HUSH}\"}}"),
            ],
        ),
        (
            X_APP,
            vec![
                String::new(),
                "null".to_owned(),
                format!("{{\"consumer_key\":\"{HUSH}"),
                format!("{{\"consumer_key\":\"{HUSH}\"}}"),
            ],
        ),
        (
            SLACK,
            vec![
                String::new(),
                "null".to_owned(),
                HUSH.to_owned(),
                format!("{{\"signing_secret\":\"{HUSH}"),
                "{}".to_owned(),
                format!("{{\"signing_secret\":\"\",\"bot_token\":\"{HUSH}\"}}"),
                format!("{{\"signing_secret\":\"{HUSH}\",\"bot_token\":null}}"),
            ],
        ),
    ] {
        let good = fs::read(world.path(secret)).unwrap();
        for content in contents {
            world.write(secret, &content);
            for command in COMMANDS {
                check(&world, command, &[&format!("the secret {secret} ")]);
            }
            said.push(world.refused("posts --json"));
        }
        world.write(secret, good);
        assert_eq!(world.ok("posts --json"), "");
    }
    said.dedup();
    let said = said.concat();
    assert!(!said.contains(HUSH), "{said}");
    assert_snapshot!(said, @r#"
    error: the secret .flockwork/keyring.secret.json is empty; put back a copy of it, or move it away to see how to go on without it
    error: the secret .flockwork/keyring.secret.json is no keyring, which is JSON such as {"current":"k1","k1":"at least 32 random characters"}; put back a copy of it, or move it away to see how to go on without it
    error: the secret .flockwork/xapp.secret.json is empty; put back a copy of it, or move it away to see how to go on without it
    error: the secret .flockwork/xapp.secret.json is not a JSON object; put back a copy of it, or move it away to see how to go on without it
    error: the secret .flockwork/xapp.secret.json lacks consumer_secret; put back a copy of it, or move it away to see how to go on without it
    error: the secret .flockwork/slack.secret.json is empty; put back a copy of it, or move it away, and a new one is made
    error: the secret .flockwork/slack.secret.json is no JSON object with signing_secret and bot_token; put back a copy of it, or move it away, and a new one is made
    error: the secret .flockwork/slack.secret.json lacks signing_secret and bot_token; put back a copy of it, or move it away, and a new one is made
    error: the secret .flockwork/slack.secret.json lacks signing_secret; put back a copy of it, or move it away, and a new one is made
    error: the secret .flockwork/slack.secret.json lacks bot_token; put back a copy of it, or move it away, and a new one is made
    "#);
}
