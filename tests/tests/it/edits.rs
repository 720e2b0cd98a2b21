//! Texts that are edited while a sheep is in them: by its files, while ticks post.

use std::sync::Arc;

use flock_core::{BehaviourKind, Corpus, Network, SheepConfig, SheepId};
use flock_ops::{Error, FlockFile, Plan, SheepFile};
use flock_tests::Misbehave;

use crate::{flocks, world::World};

/// What files with these lines as the text of the sheep, the only one of its flock, change.
pub(crate) async fn file(world: &World, id: &SheepId, lines: &[&str]) -> FlockFile {
    let corpus = Corpus::parse(lines.join("\n").as_bytes()).unwrap();
    let behaviour = BehaviourKind::Poem.with_text(&corpus);
    let config = SheepConfig { behaviour, ..world.read(id).await.config };
    let sheep = SheepFile {
        name: id.name.clone(),
        spelled: Vec::new(),
        config,
        corpus: Arc::new(corpus),
        split: false,
        file: "poem.txt".into(),
        parts: Vec::new(),
    };
    let flock = world.store.flock(&id.flock).await.unwrap().unwrap();
    FlockFile { flock, sheep: vec![sheep] }
}

async fn plan(world: &World, id: &SheepId, lines: &[&str]) -> Plan {
    let file = file(world, id, lines).await;
    flock_ops::plan(&world.store, file, world.clock.now()).await.unwrap()
}

pub(crate) async fn edit(world: &World, id: &SheepId, lines: &[&str]) {
    let plan = plan(world, id, lines).await;
    flocks::apply_plan(&world.store, plan, world.clock.now()).await.unwrap();
}

/// A sheep that has posted the first of its four lines.
async fn poet(network: Network) -> (World, sheep_tick::App, SheepId) {
    let world = World::start().await;
    let id = world.sheep("apollo", network, 4).await;
    let app = world.app().await;
    world.tick_at(&app, 0).await;
    (world, app, id)
}

/// The plan for a flock that pays ends with what it costs.
fn without_costs(plan: &Plan) -> String {
    let plan = plan.to_string();
    let (changes, _) = plan.split_once("0 to create").unwrap();
    changes.to_owned()
}

#[tokio::test]
async fn a_post_under_way_is_made_once_though_its_line_is_gone() {
    // Not made, and made without anybody's knowing.
    for trouble in [Misbehave::Refuse500, Misbehave::AcceptThen500] {
        let (world, app, id) = poet(Network::X).await;
        world.x.misbehave(trouble);
        world.tick_at(&app, 3).await;
        assert!(world.read(&id).await.intent.is_some());
        let lines = ["title", "apollo line 0", "apollo line 2", "apollo line 3"];
        let plan = plan(&world, &id, &lines).await;
        insta::allow_duplicates! { insta::assert_snapshot!(without_costs(&plan), @"
        flock flock:
          ~ change apollo: text (4 -> 4 lines)
                   post 2 is under way as it is: apollo line 1
                   + title
                     apollo line 0
                   - apollo line 1
            next >   apollo line 2
                     apollo line 3
          ! flock/apollo: 13920 posts of the next 30 days would say what x:apollo said less than 6 hours before, the first in poem.txt:3; X refuses that, and the sheep leave it out, or stop after three of them in a row
        "); }
        flocks::apply_plan(&world.store, plan, world.clock.now()).await.unwrap();
        for minute in 4..20 {
            world.tick_at(&app, minute).await;
        }
        let seen = world.seen(&id).await;
        let expected =
            ["apollo line 0", "apollo line 1", "apollo line 2", "apollo line 3", "title"];
        assert_eq!(seen[..5], expected);
        let recorded: Vec<_> = world.posts(&id).await.into_iter().map(|post| post.text).collect();
        assert_eq!(recorded, seen);
    }
}

#[tokio::test]
async fn the_place_is_that_of_when_the_edit_is_written() {
    let (world, app, id) = poet(Network::Meadow).await;
    let lines = ["title", "apollo line 0", "apollo line 1", "apollo line 2", "apollo line 3"];
    let plan = plan(&world, &id, &lines).await;
    world.tick_at(&app, 3).await;
    flocks::apply_plan(&world.store, plan, world.clock.now()).await.unwrap();
    for minute in 4..13 {
        world.tick_at(&app, minute).await;
    }
    let expected = ["apollo line 0", "apollo line 1", "apollo line 2", "apollo line 3", "title"];
    assert_eq!(world.seen(&id).await, expected);
}

#[tokio::test]
async fn an_edit_of_a_text_that_somebody_else_has_edited_is_refused() {
    let (world, app, id) = poet(Network::Meadow).await;
    let ours = plan(&world, &id, &["title", "apollo line 0", "apollo line 1"]).await;
    edit(&world, &id, &["apollo line 0", "other", "apollo line 1"]).await;
    let after = world.read(&id).await;
    let err = flocks::apply_plan(&world.store, ours, world.clock.now()).await.unwrap_err();
    assert!(matches!(err, Error::Refused(_)));
    insta::assert_snapshot!(err, @"flock/apollo: its text was changed by somebody else meanwhile; try again");
    assert_eq!(world.read(&id).await, after);
    for minute in 1..7 {
        world.tick_at(&app, minute).await;
    }
    assert_eq!(world.seen(&id).await, ["apollo line 0", "other", "apollo line 1"]);
}

/// Exit code 2 would say that nothing was changed.
#[tokio::test]
async fn a_plan_that_is_carried_out_in_part_is_no_refusal() {
    let (world, _, id) = poet(Network::Meadow).await;
    let mut file = file(&world, &id, &["title", "apollo line 0"]).await;
    file.flock.monthly_cap = Some("7".parse().unwrap());
    let ours = flock_ops::plan(&world.store, file, world.clock.now()).await.unwrap();
    edit(&world, &id, &["apollo line 0", "other"]).await;
    let err = flocks::apply_plan(&world.store, ours, world.clock.now()).await.unwrap_err();
    assert!(matches!(err, Error::Failed(_)));
    insta::assert_snapshot!(err, @"flock/apollo: its text was changed by somebody else meanwhile; try again; part of the plan is carried out, and applying again does the rest");
    let flock = world.store.flock(&id.flock).await.unwrap().unwrap();
    assert_eq!(flock.monthly_cap, Some("7".parse().unwrap()));
}

#[tokio::test]
async fn where_the_old_text_is_missing_the_place_keeps_its_number() {
    let (world, app, id) = poet(Network::Meadow).await;
    world.tick_at(&app, 3).await;
    let corpus = world.read(&id).await.config.behaviour.text().clone();
    world.lose_corpus(&corpus).await;
    let plan = plan(&world, &id, &["new 0", "new 1", "new 2"]).await;
    insta::assert_snapshot!(plan.to_string(), @"
    flock flock:
      ~ change apollo: text (4 -> 3 lines)
               the old text is not in the table, so it stays at its line's number:
        next >   new 2
    0 to create, 1 to change, 0 to remove, 0 unchanged
    ");
    flocks::apply_plan(&world.store, plan, world.clock.now()).await.unwrap();
    world.tick_at(&app, 6).await;
    world.tick_at(&app, 9).await;
    assert_eq!(world.seen(&id).await, ["apollo line 0", "apollo line 1", "new 2", "new 0"]);
}
