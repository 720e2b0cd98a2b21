//! The items of the table: each is of a kind that is listed, and says which version of its schema it has.

use std::collections::BTreeSet;

use flock_core::Network;
use flock_store::{KINDS, Kind};
use flock_tests::Misbehave;
use jiff::SignedDuration;

use crate::slack::Slack;

#[tokio::test]
async fn every_item_is_of_a_listed_kind_and_has_a_version() {
    let mut slack = Slack::start().await;
    let mut seen = BTreeSet::new();
    let mut look = async |slack: &Slack| {
        for item in slack.world.items().await {
            let [pk, sk] = ["pk", "sk"].map(|name| item[name].as_s().unwrap());
            let kind = Kind::of(pk, sk).unwrap_or_else(|| panic!("{pk} {sk} is of no kind"));
            let version = item.get("v").and_then(|version| version.as_n().ok());
            assert_eq!(version.map(String::as_str), Some("1"), "{pk} {sk}: {item:?}");
            let instead = [("removed", "removed sheep"), ("held_from", "held number")];
            let instead = instead.into_iter().find(|(mark, _)| item.contains_key(*mark));
            let is_drawn = kind.name == "corpus piece" && !item.contains_key("edition");
            let name = if is_drawn { "drawn piece" } else { kind.name };
            seen.insert(instead.map_or(name, |(_, name)| name));
        }
    };
    let apollo = slack.world.sheep("apollo", Network::X, 3).await;
    let echo = slack.world.sheep("echo", Network::Meadow, 3).await;
    let mut compared = slack.world.read(&apollo).await;
    compared.config.near_duplicates = Some(flock_core::NearDuplicates::default());
    compared.version += 1;
    assert_eq!(slack.world.store.put_sheep(&compared).await.unwrap(), flock_store::Write::Done);
    slack.world.x.misbehave(Misbehave::AcceptThen500);
    let app = slack.world.app().await;
    assert_eq!(slack.world.tick_at(&app, 0).await.unknown, 1);
    assert_eq!(slack.world.tick_at(&app, 2).await.posted, 1, "it is found, and taken");
    slack.world.x.made_elsewhere(&crate::world::user_id("apollo"), "apollo line 1");
    assert_eq!(slack.world.tick_at(&app, 3).await.set_aside, 1, "X has the text already");
    crate::drawn::apply(&slack.world, r#"{"origin": ["moo", "baa"]}"#).await;
    let now = slack.world.clock.now();
    slack.world.store.put_clock_ahead(SignedDuration::from_secs(7)).await.unwrap();
    slack.flock("grant U2 shepherd").await;
    slack.flock("stop").await;
    // What is deferred is gone once it has gone on.
    let (by, place) = (crate::slack::user("U1"), crate::slack::room("C1"));
    let asked = flock_store::Asked {
        id: flock_core::DeliveryId::of(&["x"]),
        user: by.clone(),
        room: place.clone(),
        line: "grant ben shepherd".to_owned(),
        since: now,
        answer_to: "{}".to_owned(),
    };
    slack.world.store.put_deferred(&asked).await.unwrap();
    let unknown = "bluesky:unknown.test".parse().unwrap();
    crate::keymaker::connect(&slack.world, &unknown, crate::keymaker::by_slack()).await;
    let known = crate::keymaker::apollo(&slack.world);
    let link = crate::keymaker::connect(&slack.world, &known, crate::keymaker::by_slack()).await;
    let mut browser = crate::keymaker::Browser::new(&slack.world).await;
    let form = crate::keymaker::form(crate::world::APP_PASSWORD);
    assert_eq!(browser.press(&link, &form).await.status, 200);
    let job = flock_core::Job::new(
        flock_core::JobId::of(&asked.id),
        flock_core::Work::Sheep(flock_core::OverSheep::new(
            flock_core::JobKind::Pause,
            "flock".parse().unwrap(),
        )),
        flock_core::Asker::Slack {
            user: by,
            room: place,
            answer_to: flock_core::AnswerTo("{}".to_owned()),
        },
        now,
    );
    assert_eq!(slack.world.store.put_job(&job).await.unwrap(), flock_store::Write::Done);
    let sheep = slack.world.read(&echo).await;
    assert_eq!(
        slack.world.store.remove_sheep(&sheep, now).await.unwrap(),
        flock_store::Write::Done
    );
    look(&slack).await;
    // What is changed in place keeps it.
    slack.press("U1", "C1", "Stop everything").await;
    slack.flock("reboot").await;
    let account = slack.world.read(&apollo).await.config.account;
    slack.world.store.put_label(&account, true).await.unwrap();
    look(&slack).await;
    let kinds: BTreeSet<_> = KINDS.iter().map(|kind| kind.name).collect();
    assert_eq!(seen, kinds);
}
