//! Flocks that want nothing said twice in nearly the same words.

use std::fmt::Write as _;

use flock_core::{Likeness, NearDuplicates, Network, RhythmFields, SheepId, State};
use flock_tests::Trouble;
use flockwork::flock_file;

use crate::{
    flocks,
    world::{START, World, ts},
};

const RULE: &str = "near_duplicates = { last = 100, distance = 6 }\n";

/// Applies a flock of these sheep: each its name, behaviour and file.
async fn apply(world: &World, top: &str, sheep: &[(&str, &str, &str, String)]) {
    let dir = tempfile::tempdir().unwrap();
    let mut toml = format!("name = \"choir\"\n{top}[defaults]\nline = \"1m\"\n");
    for (name, behaviour, file, text) in sheep {
        writeln!(
            toml,
            "[[sheep]]\nname = \"{name}\"\nbehaviour = \"{behaviour}\"\ncorpus = \"{file}\""
        )
        .unwrap();
        std::fs::write(dir.path().join(file), text).unwrap();
    }
    std::fs::write(dir.path().join("flock.toml"), toml).unwrap();
    let file = flock_file::read(dir.path()).unwrap();
    flocks::apply_file(&world.store, file, world.clock.now()).await.unwrap();
}

fn id(name: &str) -> SheepId {
    format!("choir/{name}").parse().unwrap()
}

async fn texts(world: &World, name: &str) -> Vec<String> {
    world.posts(&id(name)).await.into_iter().map(|post| post.text).collect()
}

/// A few texts, of which many are nearly the same.
fn grammar() -> String {
    let words: Vec<_> = (0..40).map(|word| format!("\"w{word}x w{word}y w{word}z\"")).collect();
    format!(
        r##"{{"origin": ["#a# #a# #a# and so on #n#"], "a": [{}], "n": ["1", "2", "3"]}}"##,
        words.join(", ")
    )
}

#[tokio::test]
async fn what_is_drawn_and_nearly_the_same_is_passed_over() {
    let world = World::start().await;
    world.clock.step_to(ts(START));
    let app = world.app().await;
    let few = r#"{"origin": ["the #a# sleeps under #b# of the old harbour tonight"], "a": ["cow", "ewe"], "b": ["lamps", "sails"]}"#;
    let sheep =
        |text: &str| ["anna", "bert"].map(|name| (name, "grammar", "a.json", text.to_owned()));
    apply(&world, RULE, &sheep(&grammar())).await;
    let mut passed_over = 0;
    for minute in 0..40 {
        let report = world.tick_at(&app, minute).await;
        assert_eq!((report.posted, report.set_aside), (2, 0), "{report:?}");
        passed_over += report.passed_over;
    }
    let said: Vec<_> = [texts(&world, "anna").await, texts(&world, "bert").await].concat();
    let said: Vec<_> = said.iter().map(|text| Likeness::of(text).unwrap()).collect();
    for (nth, one) in said.iter().enumerate() {
        assert!(said[..nth].iter().all(|other| 6 < one.distance(*other)), "{nth}");
    }
    // Of a file that can say nearly one thing alone, what is one too many is set aside, and in the end people hear of it.
    apply(&world, RULE, &sheep(few)).await;
    let mut set_aside = 0;
    for minute in 40..50 {
        let report = world.tick_at(&app, minute).await;
        (passed_over, set_aside) = (passed_over + report.passed_over, set_aside + report.set_aside);
    }
    assert!(20 < passed_over && 1 < set_aside, "{passed_over} {set_aside}");
    assert!(matches!(world.read(&id("anna")).await.state, State::Stopped { .. }));
}

#[tokio::test]
async fn posts_of_a_queue_are_set_aside_and_refrains_are_meant() {
    let world = World::start().await;
    world.clock.step_to(ts(START));
    let app = world.app().await;
    let news = "The ferry to the island leaves at nine o'clock from the northern quay";
    let queue =
        format!("{news}\n---\n{news}!\n---\nSomething else altogether comes now, with other words");
    let poem = "The sea is a road\nthe sea is a road\nThe sea is a road\n".to_owned();
    let sheep = [("anna", "queue", "a.txt", queue), ("bert", "poem", "b.txt", poem)];
    apply(&world, RULE, &sheep).await;
    for minute in 0..5 {
        world.tick_at(&app, minute).await;
    }
    assert_eq!(texts(&world, "anna").await.len(), 2);
    assert_eq!(texts(&world, "bert").await.len(), 5);
    let asides = world.store.newest_asides(&id("anna"), 5).await.unwrap();
    let [aside] = &asides[..] else { panic!("{asides:?}") };
    assert_eq!(aside.text, format!("{news}!"));
    insta::assert_snapshot!(aside.why, @"its flock has said nearly the same in its last 100 posts there (`near_duplicates`)");
}

/// What is said is not compared with itself, whatever becomes of it.
#[tokio::test]
async fn what_is_tried_again_is_no_duplicate_of_itself() {
    let world = World::start().await;
    world.clock.step_to(ts(START));
    let text = ["The moon is a lamp over the sea", "Nothing like that was ever said before"];
    let text = text.map(ToOwned::to_owned);
    let rhythm = RhythmFields { line: Some("1m".to_owned()), ..RhythmFields::default() };
    let x = world.sheep_that_says("apollo", Network::X, &text, &rhythm).await;
    let mut sheep = world.read(&x).await;
    sheep.config.near_duplicates = Some(NearDuplicates::default());
    sheep.config.behaviour = flock_core::BehaviourKind::Queue.with_text(
        &world.store.corpus(&x.flock, sheep.config.behaviour.text()).await.unwrap().unwrap(),
    );
    sheep.version += 1;
    world.store.put_sheep(&sheep).await.unwrap();
    let app = world.app().await;
    world.x.trouble(Trouble::Revoked);
    world.tick_at(&app, 0).await;
    let stopped = world.read(&x).await;
    assert!(matches!(stopped.state, State::Stopped { .. }), "{stopped:?}");
    world.x.well();
    world.store.put_sheep(&stopped.resume(world.clock.now())).await.unwrap();
    let report = world.tick_at(&app, 1).await;
    assert_eq!((report.posted, report.set_aside), (2, 0), "{report:?}");
}

#[tokio::test]
async fn a_post_costs_a_write_unit_more_and_its_claim() {
    let mut costs = Vec::new();
    for top in ["", RULE] {
        let world = World::start().await;
        world.clock.step_to(ts(START));
        let app = world.app().await;
        apply(&world, top, &[("anna", "grammar", "a.json", grammar())]).await;
        for minute in 0..60 {
            world.tick_at(&app, minute).await;
        }
        let report = world.tick_at(&app, 60).await;
        costs.push((report.write_units, report.read_units));
    }
    // On the meadow the post is claimed, too, because somebody else could say another text under its number.
    assert_eq!(costs, [(4.0, 2.0), (6.0, 2.5)]);
}
