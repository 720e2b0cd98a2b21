//! README.md and COOKBOOK.md, taken at their word: what they show as commands are commands, and their flocks are flocks.

use std::{collections::BTreeSet, process::Command};

use clap::Parser as _;
use flock_tests::{Bluesky, Mastodon};
use flockwork::cli::Cli;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::world::{Running, World, set_mode};

const README: &str = include_str!("../../../../README.md");
const COOKBOOK: &str = include_str!("../../../../COOKBOOK.md");

/// A text in a document that stands apart, and the line above it.
struct Block<'a> {
    language: &'a str,
    /// The file it is, if the line above names one.
    file: Option<&'a str>,
    text: String,
}

fn blocks(document: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut above = "";
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            let file = above.strip_prefix('`').and_then(|above| above.strip_suffix('`'));
            blocks.push(Block { language, file, text: text.join("\n") + "\n" });
            above = "";
        } else if !line.is_empty() {
            above = line;
        }
    }
    blocks
}

#[test]
fn what_they_show_as_commands_are_commands() {
    let mut number = 0;
    for block in [README, COOKBOOK].into_iter().flat_map(blocks) {
        if block.language != "sh" {
            continue;
        }
        for line in block.text.lines().map(str::trim_start) {
            let line = line.split_once(" #").map_or(line, |(line, _)| line);
            if !line.starts_with("flockwork") {
                continue;
            }
            // What a shell would put there is some name.
            let line = line.replace("$name", "moss").replace("$key", "key.json").replace('"', "");
            let parsed = Cli::try_parse_from(line.split_whitespace());
            assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
            number += 1;
        }
    }
    assert!(10 < number, "{number} commands");
}

/// The flocks of a recipe as they are written down, and its commands as a shell carries them out.
#[test]
fn the_flocks_of_the_cookbook_post() {
    let runtime = Runtime::new().unwrap();
    let (mastodon, bluesky) =
        runtime.block_on(async { (Mastodon::start().await, Bluesky::start().await) });
    for name in ["moss", "rain", "poets"] {
        mastodon.account(&format!("token-of-{name}"), name);
    }
    let did = "did:plc:almanacalmanacalmanacalm";
    bluesky.account("almanac.bsky.social", did, "abcd-efgh-ijkl-mnop");

    let world = World::new();
    // The networks are stand-ins on this machine, which is said where it may be said; all else is as it is written.
    let flockwork = format!(
        "#!/bin/sh\ncase \"$1 $2\" in 'account add') set -- \"$@\" --networks-on-loopback;; esac\nexec '{}' \"$@\"\n",
        env!("CARGO_BIN_EXE_flockwork")
    );
    world.write("bin/flockwork", flockwork);
    set_mode(&world.path("bin/flockwork"), 0o755);
    let mastodon_key = |name: &str| {
        json!({ "access_token": format!("token-of-{name}"), "url": mastodon.url() }).to_string()
    };
    world.write(
        "key.json",
        json!({ "app_password": "abcd-efgh-ijkl-mnop", "url": bluesky.url() }).to_string(),
    );
    let mut flocks = BTreeSet::new();
    for block in blocks(COOKBOOK) {
        match block.file {
            Some(file) if file.starts_with("keys/") => {
                let name = file.trim_start_matches("keys/").trim_end_matches(".json");
                world.write(file, mastodon_key(name));
            }
            Some(file) => {
                world.write(file, &block.text);
                if let Some(flock) = file.strip_suffix("/flock.toml") {
                    flocks.insert(flock.to_owned());
                }
            }
            None if block.language == "sh" => {
                let mut command = Command::new("bash");
                let script = format!("PATH=\"$PWD/bin:$PATH\"\n{}", block.text);
                command.args(["-euc", &script]).current_dir(world.path(""));
                let output = Running::spawn(command).finish();
                assert_eq!(output.code, Some(0), "{}{}", block.text, output.stderr);
            }
            None => {}
        }
    }
    // What has no commands of its own.
    world.write("poets.json", mastodon_key("poets"));
    world.ok("account add mastodon:poets@example.social --key poets.json --mark-as-bot --networks-on-loopback");
    assert!(
        flocks.iter().eq(["almanac", "anthology", "desk", "moth", "poets", "quotes", "tips"]),
        "{flocks:?}"
    );
    for flock in &flocks {
        world.ok(&format!("flock apply {flock}"));
    }
    let texts = |flock: &str| -> Vec<String> {
        let posts = world.posts(&format!("preview --flock {flock} --count 3"));
        posts.into_iter().map(|post| post.text).collect()
    };
    assert_eq!(
        texts("anthology"),
        ["The wall was warm\n  and nobody was looking.", "All night the roof\nwas read to."]
    );
    assert_eq!(
        texts("quotes")[..2],
        [
            "The old pond.\nA frog jumps in.\n  Bashō",
            "Spring rain:\na story is told\nby umbrellas."
        ]
    );
    assert_eq!(texts("almanac")[0], "Plant peas when the elm leaf is as big as a penny.");
    assert_eq!(texts("poets").len(), 3);
}
