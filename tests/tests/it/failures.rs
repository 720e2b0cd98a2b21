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
        "x:apollo: X does not accept the account's key: \"Unauthorized\"; renew the \
         account's key, then resume flock/apollo"
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

/// What people are told at a certain failure, and what stops a sheep, waits for the bus and not for the back-off.
#[tokio::test]
async fn what_nobody_could_be_told_is_told_a_minute_after_the_bus_is_back() {
    let mut world = World::start().await;
    let id = world.sheep("apollo", Network::X, 40).await;
    let nowhere = "http://127.0.0.1:9".to_owned();
    let token = world.cloud.token().secret();
    let denied = |_: usize, _: &serde_json::Value| Some("AccessDeniedException");
    let bus = flock_tests::RefusingBus::start(&world.cloud.services_url(), denied).await;
    let bus_refuses = flock_aws::local(world.cloud.dynamodb_url(), bus.url(), token);
    let mut x_away = world.settings(1);
    x_away.networks.x_url = Some(nowhere);
    let start = async |settings: &sheep_tick::Settings, aws: &flock_aws::SdkConfig| {
        sheep_tick::App::start(settings.clone(), aws, world.clock.clone()).await.unwrap()
    };
    let failing = start(&x_away, &world.cloud.aws()).await;
    let failing_untold = start(&x_away, &bus_refuses).await;
    let refused_untold = start(&world.settings(1), &bus_refuses).await;
    let well = start(&world.settings(1), &world.cloud.aws()).await;
    let events = &mut world.events;
    let mut told = || {
        let events = std::iter::from_fn(|| events.try_recv().ok());
        events.map(|event| event.detail_type).collect::<Vec<_>>()
    };
    let read =
        async || world.store.sheep(&id, flock_store::Read::Consistent).await.unwrap().unwrap();
    let tick = async |app: &sheep_tick::App| {
        world.clock.step_to(read().await.next_at().unwrap());
        let report = app.handle(&crate::world::tick(), crate::world::far_deadline()).await.unwrap();
        let sheep = read().await;
        let wait = sheep.next_at().map(|at| at.duration_since(world.clock.now()).as_secs());
        (report, sheep.intent.map_or(0, |intent| intent.errand.attempts), wait)
    };
    for failures in 1..=7 {
        assert_eq!(tick(&failing).await.1, failures);
    }
    assert_eq!(told(), [""; 0]);
    for _ in 0..3 {
        let (report, failures, wait) = tick(&failing_untold).await;
        assert_eq!((report.put_off, report.unpublished, failures), (1, 1, 7), "{report:?}");
        assert!((60..=76).contains(&wait.unwrap()), "{wait:?}");
    }
    assert_eq!(tick(&failing).await.1, 8);
    assert_eq!(told(), ["sheep.failing"]);
    for failures in 9..=12 {
        assert_eq!(tick(&failing).await.1, failures);
    }
    assert_eq!(told(), [""; 0]);
    for _ in 0..3 {
        world.x.misbehave(Misbehave::Unauthorized);
        let (report, failures, wait) = tick(&refused_untold).await;
        assert_eq!((report.put_off, report.unpublished, failures), (1, 1, 12), "{report:?}");
        assert!((60..=76).contains(&wait.unwrap()), "{wait:?}");
    }
    world.x.misbehave(Misbehave::Unauthorized);
    let (report, ..) = tick(&well).await;
    assert_eq!((report.stopped, told()), (1, vec!["sheep.stopped".to_owned()]));
    assert!(matches!(read().await.state, State::Stopped { .. }));
}

/// Nothing ticked when it ended: what was due then is missed, and the index lets it go.
#[tokio::test]
async fn an_outage_across_its_end_finishes_a_sheep() {
    for network in [Network::Meadow, Network::Mastodon] {
        let world = World::start().await;
        let rhythm = flock_core::RhythmFields {
            end: Some("2026-03-02T13:00:00Z".to_owned()),
            catch_up: Some("all(3)".to_owned()),
            ..flock_core::RhythmFields::default()
        };
        let id = world.sheep_with("apollo", network, 40, &rhythm).await;
        let app = world.app().await;
        assert_eq!(world.tick_at(&app, 0).await.posted, 1);
        let report = world.tick_at(&app, 65).await;
        assert_eq!((report.posted, report.failed), (0, 0), "{report:?}");
        // Its second post was due three minutes after the start.
        assert_eq!(report.late_seconds, 62 * 60, "{report:?}");
        let sheep = world.read(&id).await;
        assert!(matches!(sheep.state, State::Finished { .. }), "{:?}", sheep.state);
        assert_eq!(sheep.progress.missed, 19);
        let idle = world.tick_at(&app, 66).await;
        assert_eq!((idle.read_units, idle.late_seconds), (1.0, 0), "nobody looks at it any more");
        assert_eq!(world.seen(&id).await, ["apollo line 0"]);
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
