//! Rings, right and wrong; how they read is held by tests of the command.

use std::{fs, path::Path};

use flock_core::ProfilePart;
use flock_ops::Ring;
use proptest::prelude::{Strategy as _, any, proptest};

use super::{FLOCK_TOML, directory};
use crate::flock_file::read_ring;

const FLOCK: &str = "name = \"paradise\"\ntime_zone = \"UTC\"\n[defaults]\nbehaviour = \"poem\"\nline = \"1h\"\nnetwork = \"x\"\n\
    [[sheep]]\nname = \"a\"\ncorpus = \"a.txt\"\naccount = \"book10\"\n\
    [[sheep]]\nname = \"b\"\ncorpus = \"poems/b.txt\"\naccount = \"book2\"\n\
    [[sheep]]\nname = \"c\"\ncorpus = \"a.txt\"\naccount = \"book2\"\n\
    [[sheep]]\nname = \"d\"\ncorpus = \"a.txt\"\nnetwork = \"meadow\"\n";

fn ring(dir: &Path, toml: &[u8]) -> Result<Ring, String> {
    fs::write(dir.join(FLOCK_TOML), FLOCK).unwrap();
    fs::write(dir.join("ring.toml"), toml).unwrap();
    read_ring(dir).map_err(|err| err.to_string())
}

#[test]
fn placeholders_are_filled_for_each_account_in_the_order_of_names() {
    let dir = directory(&[]);
    let toml = "[profile]\nname = \"{n}/{count} {{x}} {handle} {flock} {Corpus  Title} {network}\"\nbot = true\n\
        [account.\"x:book10\"]\nname = \"own {n}\"\nlocation = \"\"";
    let ring = ring(dir.path(), toml.as_bytes()).unwrap();
    let lines: Vec<_> = ring
        .entries
        .iter()
        .map(|entry| {
            let wanted = entry.wanted.as_ref().unwrap();
            let texts: Vec<_> = wanted.texts.values().map(String::as_str).collect();
            format!("{}: {texts:?} {:?} {:?}", entry.account, wanted.bot, entry.left_out)
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    meadow:d: [] None [Name, Bot]
    x:book2: ["2/3 {x} book2 paradise b x"] None [Bot]
    x:book10: ["own 3", ""] None [Bot]
    "#);
    let [_, _, last] = &*ring.entries else { panic!("three accounts") };
    assert!(last.left_out.contains(&ProfilePart::Bot));
}

proptest! {
    /// Whatever stands in it, it is a ring of all accounts, or refused with lines that are in it.
    #[test]
    fn any_ring_is_one_or_is_refused(
        toml in proptest::prop_oneof![
            any::<Vec<u8>>(),
            proptest::collection::vec(
                proptest::sample::select(vec![
                    "[profile]", "[account.\"x:book2\"]", "[account]", "\n", "name", "bio", "picture", "bot", " = ", "true",
                    "\"", "'", "{", "}", "n", "{n}", "{corpus title}", "/", "..", "a.txt", "poems", "\u{1f411}", "\\", "3",
                ]),
                0..24,
            ).prop_map(|words| words.concat().into_bytes()),
        ],
    ) {
        let dir = directory(&[]);
        match ring(dir.path(), &toml) {
            Ok(ring) => {
                for entry in &ring.entries {
                    if let Ok(wanted) = &entry.wanted {
                        wanted.check(&entry.account);
                    }
                }
                assert_eq!(ring.entries.len(), 3);
            }
            Err(why) => assert!(!why.is_empty() && !why.contains('\r'), "{why}"),
        }
    }
}
