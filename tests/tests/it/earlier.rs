//! Tables that an earlier version has written.

use std::collections::HashMap;

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use flock_core::{BehaviourKind, Corpus};
use flockwork::connect::LOCAL_NAME;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::{flocks, world::World};

/// A world whose table holds these items, as a scan of another gave them.
async fn with_items(items: &str) -> World {
    let world = World::start().await;
    world.lose(|_, _| true).await;
    let client = Client::new(&world.cloud.aws());
    let items: Vec<HashMap<String, Value>> = serde_json::from_str(items).unwrap();
    for item in items {
        let item = item.into_iter().map(|(name, value)| (name, attribute(&value))).collect();
        let put = client.put_item().table_name(LOCAL_NAME).set_item(Some(item));
        put.send().await.unwrap();
    }
    world
}

fn attribute(value: &Value) -> AttributeValue {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    let text = || value.as_str().unwrap().to_owned();
    match kind.as_str() {
        "S" => AttributeValue::S(text()),
        "N" => AttributeValue::N(text()),
        "L" => AttributeValue::L(value.as_array().unwrap().iter().map(attribute).collect()),
        "M" => {
            let fields = value.as_object().unwrap().iter();
            AttributeValue::M(
                fields.map(|(name, value)| (name.clone(), attribute(value))).collect(),
            )
        }
        kind => panic!("no item here has a value of kind {kind}"),
    }
}

/// Two sheep of commit 7cbffdf: before behaviours were maps, and before all items had a version.
#[tokio::test]
async fn a_table_of_poems_is_read_and_its_sheep_go_on_where_they_are() {
    let world = with_items(include_str!("../../fixtures/table-of-poems.json")).await;
    let [alto, bass] = ["choir/alto", "choir/bass"].map(|id| id.parse().unwrap());
    let (corpus, sheep) =
        (Corpus::parse(b"first\nsecond\nthird").unwrap(), world.read(&alto).await);
    assert_eq!(sheep.config.behaviour, BehaviourKind::Poem.with_text(&corpus));
    assert_eq!(sheep.config.behaviour.position(sheep.progress.cursor), "3 of 3");
    let now: Timestamp = sheep.next_at().unwrap();
    world.clock.step_to(now);
    let app = world.app().await;
    for text in ["third", "first"] {
        assert_eq!(world.tick(&app).await.posted, 1);
        assert_eq!(world.posts(&alto).await.last().unwrap().text, text);
        world.clock.step_to(world.clock.now() + SignedDuration::from_mins(5));
    }
    let numbers = world.posts(&alto).await.into_iter().map(|post| post.occurrence.0);
    assert_eq!(numbers.collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
    let resumed = world.read(&bass).await.resume(world.clock.now());
    let _ = world.store.put_sheep(&resumed).await.unwrap();
    world.clock.step_to(resumed.next_at().unwrap());
    assert_eq!(world.tick(&app).await.posted, 2);
    assert_eq!(world.posts(&bass).await.last().unwrap().text, "eins");
    // The files it was made of change nothing.
    let mut file =
        flocks::file("choir", &[("alto", "first\nsecond\nthird"), ("bass", "eins\nzwei")]);
    for sheep in &mut file.sheep {
        let id = format!("choir/{}", sheep.name).parse().unwrap();
        sheep.config.rhythm = world.read(&id).await.config.rhythm;
    }
    let plan = flock_ops::plan(&world.store, file, world.clock.now()).await.unwrap();
    assert_eq!(plan.to_string(), "flock choir: nothing to change (2 sheep)");
}
