//! Flocks as people have them on disk, applied to the table.

use std::{fs, path::Path};

use flock_core::{Mark, Network, RhythmFields};
use flock_ops::FlockFile;
use flockwork::flock_file;
use proptest::{prelude::*, test_runner::TestRunner};
use tempfile::TempDir;

use crate::{flocks::apply_file, world::World};

fn write(dir: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn read(dir: &Path) -> FlockFile {
    flock_file::read(dir).unwrap()
}

/// What applying the flock in `dir` says it changes.
async fn apply(world: &World, dir: &Path) -> String {
    apply_file(&world.store, read(dir), world.clock.now()).await.unwrap()
}

/// One of these lines, or none.
fn maybe(lines: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop_oneof![Just(""), prop::sample::select(lines)]
}

/// The fields of a `[[sheep]]`, as people write them. Not all go together.
fn fields() -> impl Strategy<Value = String> {
    let pattern = prop::sample::select(&[
        "line = \"90m\"",
        "line = \"1h 30m\"\nstanza = \"1.5h\"",
        "line = \"PT3600S\"\nstanza = \"2 days\"",
        "line = \"1h\"\nwindow = \"07:00-24:00\"",
        "line = \"61m\"\nwindow = \"22:00 - 06:00\"",
        "at = [\"18:30\", \"09:00\", \"09:00\"]",
        "at = [\"00:00\"]\ndays = [\"fri\", \"mon\", \"fri\"]",
        "at = [\"9:05\"]\ndays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]",
    ]);
    let others = (
        maybe(&["jitter = \"0s\"", "jitter = \"1m30s\"", "jitter = \"600 seconds\""]),
        maybe(&[
            "start = 2027-01-01",
            "start = \"2027-01-01T09:00:00.7+01:00\"",
            "start = 2027-01-01T09:00:00.123",
            "end = 2027-06-30",
            "start = \"2027-01-01T00:00\"\nend = \"2027-12-31 23:59:59Z\"",
        ]),
        maybe(&["daily_cap = 3", "daily_cap = 0x10"]),
        maybe(&[
            "catch_up = \"skip\"",
            "catch_up = \"latest\"",
            "catch_up = \"all(1)\"",
            "catch_up = \"all( 3 )\"",
        ]),
        maybe(&[
            "time_zone = \"Etc/Unknown\"",
            "time_zone = \"utc\"",
            "time_zone = \"Etc/UTC\"",
            "time_zone = \"EST\"",
            "time_zone = \"europe/london\"",
            "time_zone = \"Asia/Calcutta\"",
            "time_zone = \"GMT\"",
            "time_zone = \"Zulu\"",
        ]),
        maybe(&["post = \"line\"", "post = \"stanza\"", "post = \"file\"\nskip = [\"#\"]"]),
        maybe(&["made_with_ai = false", "account = \"Shared\"", "network = \"meadow\""]),
    );
    (pattern, others)
        .prop_map(|(pattern, (a, b, c, d, e, f, g))| [pattern, a, b, c, d, e, f, g].join("\n"))
}

/// A flock and its files.
fn flock() -> impl Strategy<Value = (String, Vec<String>)> {
    let top = maybe(&[
        "monthly_cap = 25",
        "monthly_cap = 2.50",
        "monthly_cap = \"0.000001\"",
        "[waive]\nx-identical-text = \" for a reason \"",
        "time_zone = \"Europe/Paris\"",
    ]);
    let text = "(#? ?[a-c é\u{feff}\u{200b}]{0,6}(\n|\r\n)){0,6}# x\r\n *[a-c]{1,4}\n?";
    (top, prop::collection::vec(fields(), 1..4), prop::collection::vec(text, 3)).prop_map(
        |(top, sheep, texts)| {
            let sheep = sheep.iter().enumerate().map(|(nth, fields)| match nth {
                0 => format!("[[sheep]]\nfiles = \"poems/*\"\n{fields}\n"),
                _ => format!(
                    "[[sheep]]\nname = \"s{nth}\"\ncorpus = \"poems/caf\u{e9}.txt\"\n{fields}\n"
                ),
            });
            let sheep: String = sheep.collect();
            let top = if top.starts_with('[') { format!("{top}\n") } else { top.to_owned() };
            let toml = format!("name = \"f\"\n{top}\n[defaults]\nbehaviour = \"poem\"\n{sheep}");
            (toml, texts)
        },
    )
}

#[test]
fn applying_twice_changes_nothing_whatever_the_files() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = runtime.block_on(World::start());
    let config =
        ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() };
    let ran = TestRunner::new(config).run(&flock(), |(toml, texts)| {
        let dir = TempDir::new().unwrap();
        write(dir.path(), &[("flock.toml", &toml)]);
        let names = ["poems/cafe\u{301}.txt", "poems/Moss, II.txt", "poems/x.txt"];
        for (name, text) in names.iter().zip(&texts) {
            write(dir.path(), &[(name, text)]);
        }
        // What is refused is not applied at all.
        let Ok(file) = flock_file::read(dir.path()) else {
            return Err(TestCaseError::reject("its fields do not go together"));
        };
        let now = world.clock.now();
        let once = runtime.block_on(apply_file(&world.store, file, now));
        prop_assert!(once.is_ok(), "{:?}", once);
        let count = read(dir.path()).sheep.len();
        let twice = runtime.block_on(apply(&world, dir.path()));
        prop_assert_eq!(twice, format!("flock f: nothing to change ({count} sheep)"), "{}", toml);
        Ok(())
    });
    ran.unwrap();
}

const POETS: &str = "name = \"flock\"\n[defaults]\nbehaviour = \"poem\"\nline = \"3m\"\n[[sheep]]\nfiles = \"poems/*\"\n";

/// The poem comes back in a Mac's archive, or out of one.
#[tokio::test]
async fn a_sheep_keeps_its_name_and_place_however_its_file_is_spelled() {
    let spellings = ["poems/caf\u{e9} noir.txt", "poems/cafe\u{301} noir.txt"];
    for [first, second] in [spellings, [spellings[1], spellings[0]]] {
        let world = World::start().await;
        let app = world.app().await;
        let dir = TempDir::new().unwrap();
        write(dir.path(), &[("flock.toml", POETS), (first, "one\ntwo\nthree\n")]);
        let applied = apply(&world, dir.path()).await;
        insta::allow_duplicates! { insta::assert_snapshot!(applied, @"
        flock flock:
          + create cafe-noir: poem of 3 lines, every 3m, on meadow:cafe-noir
        1 to create, 0 to change, 0 to remove, 0 unchanged
        "); }
        world.tick_at(&app, 0).await;
        fs::remove_file(dir.path().join(first)).unwrap();
        write(dir.path(), &[(second, "one\ntwo\nthree\n")]);
        assert_eq!(apply(&world, dir.path()).await, "flock flock: nothing to change (1 sheep)");
    }
}

/// As sheep were named by files of Macs while names were taken as they are spelled.
#[tokio::test]
async fn a_sheep_that_is_there_by_the_other_spelling_keeps_its_name() {
    let world = World::start().await;
    let app = world.app().await;
    let before = TempDir::new().unwrap();
    write(before.path(), &[("flock.toml", POETS), ("poems/cafe- noir.txt", "one\ntwo\nthree\n")]);
    apply(&world, before.path()).await;
    world.tick_at(&app, 0).await;
    let id = "flock/cafe-noir".parse().unwrap();
    let sheep = world.read(&id).await;
    for spelled in ["poems/caf\u{e9} noir.txt", "poems/cafe\u{301} noir.txt"] {
        let dir = TempDir::new().unwrap();
        write(dir.path(), &[("flock.toml", POETS), (spelled, "one\ntwo\nthree\n")]);
        assert_eq!(apply(&world, dir.path()).await, "flock flock: nothing to change (1 sheep)");
        assert_eq!(world.read(&id).await, sheep);
    }
}

/// As sheep were named while letters with accents were left out.
#[tokio::test]
async fn a_sheep_that_is_there_without_its_letters_keeps_its_name() {
    let world = World::start().await;
    let app = world.app().await;
    let before = TempDir::new().unwrap();
    let text = "one\ntwo\nthree\n";
    write(
        before.path(),
        &[("flock.toml", POETS), ("poems/jos lvarez.txt", text), ("poems/t.txt", text)],
    );
    apply(&world, before.path()).await;
    world.tick_at(&app, 0).await;
    let id = "flock/jos-lvarez".parse().unwrap();
    let sheep = world.read(&id).await;
    // Of two that may have been called so it is the one with the text.
    let files = [
        ("flock.toml", POETS),
        ("poems/été.txt", "other\n"),
        ("poems/ātō.txt", text),
        ("poems/Łódź.txt", "new\n"),
    ];
    for spelled in ["poems/José Álvarez.txt", "poems/Jose\u{301} A\u{301}lvarez.txt"] {
        let dir = TempDir::new().unwrap();
        write(dir.path(), &files);
        write(dir.path(), &[(spelled, text)]);
        let plan = flock_ops::plan(&world.store, read(dir.path()), world.clock.now()).await;
        let planned = plan.unwrap().to_string();
        insta::allow_duplicates! { insta::assert_snapshot!(planned, @"
        flock flock:
          + create ete: poem of 1 line, every 3m, on meadow:ete
          + create lodz: poem of 1 line, every 3m, on meadow:lodz
        2 to create, 0 to change, 0 to remove, 2 unchanged
        "); }
    }
    let dir = TempDir::new().unwrap();
    write(dir.path(), &files);
    write(dir.path(), &[("poems/José Álvarez.txt", text)]);
    apply(&world, dir.path()).await;
    assert_eq!(world.read(&id).await, sheep);
    assert_eq!(apply(&world, dir.path()).await, "flock flock: nothing to change (4 sheep)");
}

/// A sheep in a text that was stored while marks were left in it goes on where it is.
#[tokio::test]
async fn what_was_stored_before_texts_were_cleaned_is_not_said_again() {
    let world = World::start().await;
    let app = world.app().await;
    let text = ["one", "two", "three"].map(|line| format!("{line}\u{2060}"));
    let id =
        world.sheep_that_says("apollo", Network::Meadow, &text, &RhythmFields::default()).await;
    // As they were stored.
    let items = text.iter().map(|line| flock_core::Item {
        number: 1,
        text: line.replace('\u{2060}', "\u{feff}").into(),
        mark: Mark::default(),
    });
    let (old, problems) = flock_core::Corpus::of(items);
    assert_eq!(problems, []);
    let old = old.unwrap();
    world.store.put_corpus(&id.flock, &old, |_| {}).await.unwrap();
    let mut sheep = world.read(&id).await;
    sheep.config.behaviour = flock_core::BehaviourKind::Poem.with_text(&old);
    sheep.version += 1;
    assert_eq!(world.store.put_sheep(&sheep).await.unwrap(), flock_store::Write::Done);
    world.tick_at(&app, 0).await;
    let dir = TempDir::new().unwrap();
    let toml = POETS.replace("[defaults]", "monthly_cap = 1000\n[defaults]");
    write(
        dir.path(),
        &[("flock.toml", &toml), ("poems/apollo.txt", "\u{feff}one\n\u{feff}two\n\u{feff}three\n")],
    );
    insta::assert_snapshot!(apply(&world, dir.path()).await, @"
    flock flock:
      ~ change apollo: text (3 -> 3 lines)
                 one
        next >   two
                 three
    0 to create, 1 to change, 0 to remove, 0 unchanged
    ");
    world.tick_at(&app, 3).await;
    world.tick_at(&app, 6).await;
    assert_eq!(world.seen(&id).await, ["one\u{feff}", "two", "three"]);
}

/// A refrain, and a poem that comes round within hours.
#[tokio::test]
async fn a_plan_counts_what_x_would_refuse_as_said_before() {
    let world = World::start().await;
    let refrain = ["moon", "set", "moon", "rise"].map(ToOwned::to_owned);
    world.sheep_that_says("apollo", Network::X, &refrain, &RhythmFields::default()).await;
    let dir = TempDir::new().unwrap();
    let plan = async |line: &str| {
        let toml = format!(
            "name = \"flock\"\nmonthly_cap = 1000\n[[sheep]]\nname = \"apollo\"\ncorpus = \"a.txt\"\nbehaviour = \"poem\"\nnetwork = \"x\"\n{line}\n"
        );
        write(dir.path(), &[("flock.toml", &toml), ("a.txt", "\nmoon\nset\nmoon\nrise\n")]);
        let plan =
            flock_ops::plan(&world.store, read(dir.path()), world.clock.now()).await.unwrap();
        let plan = plan.to_string();
        let words = plan.lines().filter(|line| line.starts_with("  !"));
        words.collect::<Vec<_>>().join("\n").replace(&format!("{}/", dir.path().display()), "")
    };
    insta::assert_snapshot!(plan("line = \"4h\"").await, @"");
    insta::assert_snapshot!(plan("line = \"1h\"").await, @"  ! flock/apollo: 421 posts of the next 30 days would say what x:apollo said less than 6 hours before, the first in a.txt:4; X refuses that, and the sheep leave it out, or stop after three of them in a row");
    insta::assert_snapshot!(plan("at = [\"09:00\"]").await, @"");
    insta::assert_snapshot!(plan("at = [\"09:00\"]\ntime_zone = \"EST\"").await, @"  ! flock/apollo: EST has no summer time; write America/New_York to follow it");
}

/// Another division is another text, and a plan says so.
#[tokio::test]
async fn another_division_is_another_text() {
    let world = World::start().await;
    let app = world.app().await;
    let dir = TempDir::new().unwrap();
    write(
        dir.path(),
        &[("flock.toml", POETS), ("poems/moss.txt", "# Moss\n\nI grow\n  slow\n\nand green\n")],
    );
    apply(&world, dir.path()).await;
    world.tick_at(&app, 0).await;
    let toml = POETS.replace("line = \"3m\"", "line = \"3m\"\npost = \"stanza\"\nskip = [\"#\"]");
    write(dir.path(), &[("flock.toml", &toml)]);
    insta::assert_snapshot!(apply(&world, dir.path()).await, @r"
    flock flock:
      ~ change moss: text (4 lines -> 2 stanzas)
               - # Moss
               - I grow
               - slow
               + I grow\n  slow
        next >   and green
    0 to create, 1 to change, 0 to remove, 0 unchanged
    ");
    assert_eq!(apply(&world, dir.path()).await, "flock flock: nothing to change (1 sheep)");
    world.tick_at(&app, 3).await;
    world.tick_at(&app, 6).await;
    insta::assert_snapshot!(format!("{:?}", world.seen(&"flock/moss".parse().unwrap()).await), @r##"["# Moss", "and green", "I grow\n  slow"]"##);
}
