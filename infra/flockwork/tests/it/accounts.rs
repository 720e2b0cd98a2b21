//! Accounts of X and where their keys are, and are not.

use std::fs;

use insta::assert_snapshot;

use crate::world::{World, mode, set_mode};

const TOKEN: &str = "TOKEN-0123456789-abcdefghij";
const TOKEN_SECRET: &str = "SECRET-klmnopqrstuvwxyz";
const CONSUMER_KEY: &str = "CONSUMER-KEY-0123";
const CONSUMER_SECRET: &str = "CONSUMER-SECRET-4567";

/// A key file as X hands it out.
pub(crate) fn key_file() -> String {
    format!(
        r#"{{
  "token": "{TOKEN}",
  "token_secret": "{TOKEN_SECRET}",
  "user_id": "1234567890",
  "consumer_key": "{CONSUMER_KEY}",
  "consumer_secret": "{CONSUMER_SECRET}"
}}
"#
    )
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn a_key_is_sealed_and_its_file_left_alone() {
    let world = World::new();
    world.write("key.json", key_file());
    set_mode(&world.path("key.json"), 0o640);
    assert_snapshot!(world.ok("account add apollo_bot --key key.json"), @"x:apollo_bot can post now. Delete key.json.");
    assert_eq!(mode(&world.path("key.json")), 0o640);
    assert_eq!(fs::read_to_string(world.path("key.json")).unwrap(), key_file());

    let mut secret_files = 0;
    for (path, content) in world.files(".flockwork") {
        let name = path.file_name().unwrap().to_str().unwrap();
        for secret in [TOKEN, TOKEN_SECRET] {
            assert!(!contains(&content, secret), "{secret} in {name}");
        }
        if name.contains("secret") {
            secret_files += 1;
            assert_eq!(mode(&path), 0o600, "{name}");
        } else {
            // The app's secret has a file of its own.
            assert!(!contains(&content, CONSUMER_SECRET), "{name}");
        }
    }
    assert_eq!(secret_files, 3, "the keyring and those of the apps");

    // A new key takes the place of the old one, under the same keyring.
    let keyring = fs::read(world.path(".flockwork/keyring.secret.json")).unwrap();
    world.write("key.json", key_file().replace(TOKEN, "another-token"));
    world.ok("account add apollo_bot --key key.json");
    assert_eq!(fs::read(world.path(".flockwork/keyring.secret.json")).unwrap(), keyring);
}

#[test]
fn a_bad_key_file_is_refused_without_a_word_of_it() {
    let world = World::new();
    let good = key_file();
    let line_2 = ":2: a key file is JSON with `token`, `token_secret` and `user_id`\n";
    for (content, expected) in [
        (good.replace(&format!("\"{TOKEN}\""), TOKEN), line_2),
        (good.replace(&format!("\"{TOKEN}\""), &format!("[\"{TOKEN}\"]")), line_2),
        (good.replace("\"token\":", &format!("\"{TOKEN}\":")), line_2),
        (good.replace("user_id", "user"), ":4: a key file is JSON"),
        (good.replace('}', ""), "a key file is JSON"),
        (TOKEN.to_owned(), ":1: a key file is JSON"),
        (String::new(), "a key file is JSON"),
        (
            good.replace("1234567890", TOKEN_SECRET),
            "`user_id` is the account's number, digits only",
        ),
        (good.replace("1234567890", ""), "`user_id` is the account's number, digits only"),
    ] {
        world.write("key.json", &content);
        let said = world.refused("account add apollo --key key.json");
        assert!(said.starts_with("error: key.json"), "{said}");
        assert!(said.contains(expected), "{content}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        for secret in [TOKEN, TOKEN_SECRET, CONSUMER_KEY, CONSUMER_SECRET] {
            assert!(!said.contains(secret), "{said}");
        }
    }
    let said = world.refused("account add apollo --key nowhere.json");
    assert_snapshot!(said, @"error: cannot read the key file nowhere.json: No such file or directory (os error 2)");
    world.write("key.json", b"\xff\xfe");
    assert!(world.refused("account add apollo --key key.json").contains("key.json"));
    world.write("key.json", &good);
    assert!(world.refused("account add not/a/handle --key key.json").contains("not/a/handle"));

    // None of these may post now.
    world.write_flock("choir", &[("apollo", "one\n", "network = \"x\"\nline = \"1h\"")]);
    assert_snapshot!(world.refused("flock apply choir"), @"error: apollo: the account x:apollo has no key here; add it with `flockwork account add apollo --key FILE`");
    assert_eq!(world.ok("flock list"), "");
}

#[test]
fn the_keyring_belongs_to_the_run_while_it_runs() {
    let world = World::new();
    world.write("key.json", key_file());
    let mut run = world.start("run --listen 127.0.0.1:0");
    run.url();
    let said = world.refused("account add apollo --key key.json");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("stop `flockwork run`"), "{said}");
    for (path, _) in world.files(".flockwork") {
        if path.to_str().unwrap().contains("secret") {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    }
}
