//! Requests whose answers are lost: the SDK sends them again, and nobody takes the second for somebody else's.

use std::sync::Arc;

use flock_core::{Month, Network};
use flock_store::{By, Stop};
use flock_tests::{CrashPlan, CrashProxy, Cut};
use sheep_tick::Report;

use crate::{
    flocks,
    slash_process::Deployment,
    world::{START, World, ts},
};

/// What comes of `deed` when nothing goes wrong, and the same for each request whose answer is lost.
async fn each_garbled<T: PartialEq + std::fmt::Debug>(
    deed: impl AsyncFn(Arc<CrashPlan>) -> T,
) -> usize {
    let expected = deed(CrashPlan::new(Cut::Never)).await;
    for k in 0.. {
        let plan = CrashPlan::new(Cut::Garble(k));
        let result = deed(Arc::clone(&plan)).await;
        let Some(request) = plan.cut_at() else { return k };
        assert_eq!(result, expected, "the answer to request {k}, {request}, was lost");
    }
    unreachable!("there is no end of numbers")
}

#[tokio::test]
async fn a_tick_whose_answers_are_lost_does_what_it_does() {
    for network in [Network::Meadow, Network::X] {
        let requests = each_garbled(async |plan| {
            let world = World::start().await;
            let id = world.sheep("apollo", network, 3).await;
            let proxy = CrashProxy::start("dynamodb", &world.cloud.dynamodb_url(), &plan).await;
            let (services, token) = (world.cloud.services_url(), world.cloud.token());
            let aws = flock_aws::local(proxy.url(), services, token.secret());
            let app = world.app_on(&aws).await;
            // What a request costs that was sent twice is not asked, nor how long it takes.
            let report = world.tick(&app).await;
            let report = Report { late_seconds: 0, read_units: 0.0, write_units: 0.0, ..report };
            let month = Month::of(ts(START));
            let spent = world.store.ledger(&id.flock, month).await.unwrap();
            let recorded = world.posts(&id).await.len();
            (report, world.seen(&id).await, recorded, world.read(&id).await.version, spent)
        })
        .await;
        assert!(7 < requests, "{requests}");
    }
}

#[tokio::test]
async fn applies_and_removals_whose_answers_are_lost_do_what_they_do() {
    const BEFORE: &[(&str, &str)] = &[("apollo", "the moon\nrose"), ("echo", "the sun\nset")];
    const AFTER: &[(&str, &str)] = &[("apollo", "the moon\nset"), ("zoe", "a star\nfell")];
    let requests = each_garbled(async |cuts| {
        let world = World::start().await;
        let (store, _proxy) = flocks::proxied(&world, &cuts).await;
        let now = ts(START);
        for sheep in [BEFORE, AFTER] {
            flocks::apply_file(&store, flocks::file("flock", sheep), now).await.unwrap();
        }
        flocks::assert_sound(&world, "flock", "applied twice").await;
        let there = world.store.sheep_of_flock(&"flock".parse().unwrap()).await.unwrap();
        let removed = flocks::remove(&store, "flock", &there, now).await;
        (there, removed.unwrap())
    })
    .await;
    assert!(30 < requests, "{requests}");
}

#[tokio::test]
async fn commands_whose_answers_are_lost_are_answered_as_they_are() {
    let requests = each_garbled(async |plan| {
        let deployment = Deployment::start().await;
        let world = &deployment.world;
        let id = world.sheep("apollo", Network::Meadow, 3).await;
        let proxy = CrashProxy::start("dynamodb", &world.cloud.dynamodb_url(), &plan).await;
        let function = deployment.function_at(proxy.url()).await;
        let (store, _proxy) = flocks::proxied(world, &plan).await;
        let by = By::Slack { user: "U1".parse().unwrap(), room: "C1".parse().unwrap() };
        let stopped = store.stop_all(&Stop { by, at: world.clock.now() }).await.unwrap();
        let mut told = Vec::new();
        for line in ["start", "grant U2 shepherd", "pause apollo", "resume apollo"] {
            told.push(function.flock("U1", line).await);
        }
        (stopped, told, world.read(&id).await.state)
    })
    .await;
    assert!(20 < requests, "{requests}");
}
