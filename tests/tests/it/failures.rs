//! Networks that fail: nothing is lost, nothing is said twice, nobody else waits.

use flock_core::{Network, State};
use flock_store::PostState;
use flock_tests::Misbehave;

use crate::world::{World, ts};

#[tokio::test]
async fn one_sheep_failing_for_ever_costs_the_others_nothing() {
    let world = World::start().await;
    let mut healthy = Vec::new();
    for number in 0..20 {
        healthy.push(world.sheep(&format!("sheep-{number}"), Network::Meadow, 40).await);
    }
    let failing = world.sheep("failing", Network::X, 40).await;
    for _ in 0..100 {
        world.x.misbehave(Misbehave::Refuse500);
    }
    let app = world.app().await;
    for minute in 0..=60 {
        world.tick_at(&app, minute).await;
    }
    for id in &healthy {
        let posts = world.posts(id).await;
        assert_eq!(posts.len(), 21, "{id} posts every three minutes");
        assert_eq!(world.read(id).await.progress.missed, 0);
    }
    assert!(world.seen(&failing).await.is_empty());
    let attempts = 100 - world.x.unspent().len();
    assert!(
        (3..=7).contains(&attempts),
        "{attempts} attempts in an hour, further and further apart"
    );
    let sheep = world.read(&failing).await;
    let problem = sheep.intent.unwrap().errand.problem.unwrap();
    assert!(problem.starts_with("X failed with status 500: \"Something is broken."), "{problem}");
    assert_eq!(sheep.state, State::Active);
}

/// What X does, what the sheep's state is after it, and how often the line is on X in the end.
async fn x_does(misbehave: Vec<Misbehave>, minutes: i64) -> (World, flock_core::SheepId) {
    let world = World::start().await;
    world.x.duplicate_check(false);
    let id = world.sheep("apollo", Network::X, 40).await;
    for misbehave in misbehave {
        world.x.misbehave(misbehave);
    }
    let app = world.app().await;
    for minute in 0..minutes {
        world.tick_at(&app, minute).await;
    }
    assert!(world.x.unspent().is_empty());
    (world, id)
}

#[tokio::test]
async fn a_500_after_accepting_is_found_and_not_sent_again() {
    let (world, id) = x_does(vec![Misbehave::AcceptThen500], 3).await;
    assert_eq!(world.seen(&id).await, ["apollo line 0"]);
    let posts = world.posts(&id).await;
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].state, PostState::Posted);
    assert!(posts[0].remote_id.is_some());
}

#[tokio::test]
async fn a_500_without_accepting_is_sent_again() {
    let (world, id) = x_does(vec![Misbehave::Refuse500, Misbehave::Refuse500], 6).await;
    assert_eq!(world.seen(&id).await[0], "apollo line 0");
    assert_eq!(world.posts(&id).await.len(), world.seen(&id).await.len());
}

#[tokio::test]
async fn too_many_requests_wait_for_the_reset() {
    let reset = ts("2026-03-02T12:10:00Z");
    let (world, id) = x_does(vec![Misbehave::RateLimited { reset }], 10).await;
    assert!(world.seen(&id).await.is_empty());
    assert_eq!(world.read(&id).await.next_at(), Some(reset));
    let app = world.app().await;
    world.tick_at(&app, 10).await;
    assert_eq!(world.seen(&id).await, ["apollo line 0"]);
}

#[tokio::test]
async fn a_bad_key_stops_the_sheep_with_words_and_resuming_goes_on() {
    let (world, id) = x_does(vec![Misbehave::Unauthorized], 5).await;
    let sheep = world.read(&id).await;
    let State::Stopped { why, .. } = &sheep.state else { panic!("{:?}", sheep.state) };
    assert_eq!(
        why,
        "x:apollo: X does not accept the account's key: \"Unauthorized\"; add the account again with a \
         fresh key, then resume flock/apollo"
    );
    let resumed = sheep.resume(world.clock.now());
    world.store.put_sheep(&resumed).await.unwrap();
    let app = world.app().await;
    world.tick_at(&app, 5).await;
    assert_eq!(world.seen(&id).await, ["apollo line 0"]);
}

#[tokio::test]
async fn a_page_instead_of_json_is_unknown_and_settled() {
    let (world, id) = x_does(vec![Misbehave::Html], 3).await;
    assert_eq!(world.seen(&id).await, ["apollo line 0"]);
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off_and_settled() {
    let (world, id) = x_does(vec![Misbehave::Endless], 3).await;
    assert_eq!(world.seen(&id).await, ["apollo line 0"]);
}

#[tokio::test]
async fn an_account_that_was_never_added_is_named() {
    let world = World::start().await;
    let id = world.sheep("apollo", Network::X, 3).await;
    let mut sheep = world.read(&id).await;
    sheep.config.account.handle = "nobody".parse().unwrap();
    sheep.version += 1;
    world.store.put_sheep(&sheep).await.unwrap();
    let app = world.app().await;
    assert_eq!(world.tick(&app).await.stopped, 1);
    let State::Stopped { why, .. } = world.read(&id).await.state else { panic!("it has stopped") };
    assert!(why.starts_with("the account x:nobody was never added"), "{why}");
}

#[tokio::test]
async fn a_corpus_that_is_lost_stops_the_sheep_by_name() {
    let world = World::start().await;
    let id = world.sheep("apollo", Network::Meadow, 3).await;
    let corpus = world.read(&id).await.config.behaviour.text().clone();
    world.lose_corpus(&corpus).await;
    let app = world.app().await;
    assert_eq!(world.tick(&app).await.stopped, 1);
    let State::Stopped { why, .. } = world.read(&id).await.state else { panic!("it has stopped") };
    assert!(why.starts_with("its text is not in the table"), "{why}");
}

/// The bus cannot be reached: people would never hear of it.
#[tokio::test]
async fn a_sheep_does_not_stop_while_nobody_can_be_told() {
    let mut world = World::start().await;
    let without_text = world.sheep("apollo", Network::Meadow, 3).await;
    let corpus = world.read(&without_text).await.config.behaviour.text().clone();
    world.lose_corpus(&corpus).await;
    let without_key = world.sheep("echo", Network::Mastodon, 3).await;
    let account = world.read(&without_key).await.config.account.clone();
    world.store.remove_account(&account).await.unwrap();
    // Nothing listens at port 9 of this machine.
    let nowhere = "http://127.0.0.1:9".to_owned();
    let aws = flock_aws::local(world.cloud.dynamodb_url(), nowhere, world.cloud.token().secret());
    let app = world.app_on(&aws).await;
    let report = world.tick(&app).await;
    assert_eq!((report.stopped, report.put_off), (0, 2), "{report:?}");
    for id in [&without_text, &without_key] {
        assert_eq!(world.read(id).await.state, State::Active);
    }
    let app = world.app().await;
    assert_eq!(world.tick_at(&app, 3).await.stopped, 2);
    let mut told = Vec::new();
    while let Ok(event) = world.events.try_recv() {
        assert_eq!(event.detail_type, "sheep.stopped");
        told.push(event.detail["sheep"].as_str().unwrap().to_owned());
    }
    told.sort();
    assert_eq!(told, ["flock/apollo", "flock/echo"]);
    for id in [&without_text, &without_key] {
        assert!(matches!(world.read(id).await.state, State::Stopped { .. }));
    }
}

/// The sheep is changed by a person between the claim and the record.
#[tokio::test]
async fn a_pause_while_posting_is_kept_and_the_post_recorded() {
    let world = World::start().await;
    let id = world.sheep("apollo", Network::X, 40).await;
    let app = std::sync::Arc::new(world.app().await);
    world.x.misbehave(Misbehave::AcceptThenSilence);
    let ticking = tokio::spawn({
        let app = std::sync::Arc::clone(&app);
        async move { app.handle(&crate::world::tick(), crate::world::far_deadline()).await.unwrap() }
    });
    while world.seen(&id).await.is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let paused = world.read(&id).await.pause(world.clock.now());
    assert_eq!(world.store.put_sheep(&paused).await.unwrap(), flock_store::Write::Done);
    let report = ticking.await.unwrap();
    assert_eq!(report.unknown, 1, "{report:?}");
    assert!(matches!(world.read(&id).await.state, State::Paused { .. }));
    // Resumed, it finds its post and does not say it again.
    let resumed = world.read(&id).await.resume(world.clock.now());
    world.store.put_sheep(&resumed).await.unwrap();
    world.tick_at(&app, 1).await;
    assert_eq!(world.seen(&id).await[0], "apollo line 0");
    assert_eq!(world.posts(&id).await.len(), world.seen(&id).await.len());
}
