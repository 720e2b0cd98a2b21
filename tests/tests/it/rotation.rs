//! The keys of accounts are sealed anew while sheep post, whoever dies, and none is lost.

use std::collections::BTreeMap;

use flock_aws::{Keyring, SdkConfig, Secrets};
use flock_core::{AccountId, Asker, Job, Network, Rotation, SheepId, Work};
use flock_ops::{Begun, Noted, Who, begin_with_new_key, keys_in_use};
use flock_store::{By, Store};
use flock_tests::{CrashPlan, CrashProxy, Cut};
use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::{
    slack::Slack,
    world::{KEYRING, World, bluesky_account, far_deadline, tick},
};

fn who(world: &World) -> Who {
    let by = By::CommandLine { user: "ada".to_owned(), arn: None };
    let id = flock_core::DeliveryId::of(&["rotation", &world.clock.now().to_string()]);
    Who { by, at: world.clock.now(), id }
}

/// As the command line does it.
async fn rotate(world: &World, store: &Store, aws: &SdkConfig) -> flock_ops::Result<String> {
    let secrets = Secrets::new(aws);
    let (line, now) = ("account rotate --new-key".to_owned(), world.clock.now());
    let asker = Asker::CommandLine("ada".to_owned());
    let begun = Noted::around(store, who(world), line, async |noted| {
        let at = ("Keyring", now);
        begin_with_new_key(store, noted, asker.clone(), &secrets, at).await
    });
    match begun.await? {
        (Begun::New(_), Some(key)) => Ok(key),
        (begun, key) => panic!("{begun:?} {key:?}"),
    }
}

async fn job(world: &World) -> Option<Job> {
    world.store.job(&Rotation::job()).await.unwrap()
}

fn work(job: &Job) -> &Rotation {
    let Work::Rotation(work) = &job.work else { panic!("{job:?}") };
    work
}

fn keyring_text(world: &World) -> String {
    world.cloud.with_secrets(|secrets| secrets["Keyring"].clone())
}

/// What is stored of each account, opened with the keyring as it is: its key and what was got with that.
async fn opened(world: &World) -> BTreeMap<AccountId, (String, Option<String>)> {
    let keyring = Keyring::parse(&SecretString::from(keyring_text(world))).unwrap();
    let mut opened = BTreeMap::new();
    for id in world.store.accounts().await.unwrap() {
        let item = world.store.newest_account(&id).await.unwrap().unwrap();
        let open = |sealed: &str| keyring.open(&id, sealed).unwrap().expose_secret().to_owned();
        let session = item.sealed_session.as_deref().map(open);
        opened.insert(id.clone(), (open(&item.sealed_key), session));
    }
    opened
}

async fn sheep_everywhere(world: &World) -> Vec<SheepId> {
    let mut sheep = Vec::new();
    for (name, network) in
        [("apollo", Network::X), ("bea", Network::Bluesky), ("cyd", Network::Mastodon)]
    {
        sheep.push(world.sheep(name, network, 9).await);
    }
    sheep
}

async fn posted(world: &World, sheep: &[SheepId]) -> Vec<usize> {
    let mut numbers = Vec::new();
    for id in sheep {
        numbers.push(world.seen(id).await.len());
    }
    numbers
}

#[tokio::test]
async fn sheep_post_while_their_keys_are_sealed_anew() {
    let world = World::start().await;
    let sheep = sheep_everywhere(&world).await;
    let (before, app, other) = (opened(&world).await, world.app().await, world.app().await);
    world.tick_at(&app, 0).await;
    assert_eq!(posted(&world, &sheep).await, [1, 1, 1]);
    // Another process than the one that posts goes on with it, and that one has the keyring as it was.
    assert_eq!(rotate(&world, &world.store, &world.cloud.aws()).await.unwrap(), "k2");
    let due = json!({ "detail-type": "job.due", "detail": { "id": Rotation::job().as_str() } });
    // The keyring is not read again before.
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(11)).await;
    tokio::time::resume();
    let report = Box::pin(other.handle(&due, far_deadline())).await.unwrap();
    assert_eq!((report.job_steps, report.failed), (1, 0));
    let job = job(&world).await.unwrap();
    assert_eq!((job.is_running(), work(&job).sealed, work(&job).unopened), (false, 3, 0));
    assert_eq!(keys_in_use(&world.store).await.unwrap().into_iter().collect::<Vec<_>>(), ["k2"]);
    assert_eq!(opened(&world).await, before);
    world.tick_at(&app, 3).await;
    assert_eq!(posted(&world, &sheep).await, [2, 2, 2]);
    // What is renewed then is sealed with the new key.
    world.bluesky.expire_access();
    world.tick_at(&app, 6).await;
    assert_eq!(posted(&world, &sheep).await, [3, 3, 3]);
    assert_eq!(keys_in_use(&world.store).await.unwrap().into_iter().collect::<Vec<_>>(), ["k2"]);
    assert_eq!(rotate(&world, &world.store, &world.cloud.aws()).await.unwrap(), "k3");
    let keyring = Keyring::parse(&SecretString::from(keyring_text(&world))).unwrap();
    assert_eq!((keyring.current(), keyring.names().count()), ("k3", 3));
}

#[tokio::test]
async fn what_somebody_is_renewing_is_waited_for() {
    let world = World::start().await;
    let id = bluesky_account("bea");
    world.sheep("bea", Network::Bluesky, 3).await;
    let keyring = Keyring::parse(&SecretString::from(KEYRING)).unwrap();
    let item = world.store.newest_account(&id).await.unwrap().unwrap();
    let session = keyring.open(&id, item.sealed_session.as_deref().unwrap()).unwrap();
    let mut session: serde_json::Value = serde_json::from_str(session.expose_secret()).unwrap();
    session["renewing_until"] = json!(world.clock.now() + SignedDuration::from_secs(30));
    let held = keyring.seal(&id, &SecretString::from(session.to_string()));
    let over = item.sealed_session.as_deref();
    world.store.put_session(&id, &item.sealed_key, over, &held).await.unwrap();
    rotate(&world, &world.store, &world.cloud.aws()).await.unwrap();
    let app = world.app().await;
    world.tick(&app).await;
    assert!(job(&world).await.unwrap().is_running());
    let there = world.store.newest_account(&id).await.unwrap().unwrap();
    assert_eq!(there.sealed_session, Some(held), "it is as it was left");
    world.tick_at(&app, 1).await;
    assert!(!job(&world).await.unwrap().is_running());
}

#[tokio::test]
async fn a_key_that_cannot_be_opened_is_named_and_stays() {
    let mut slack = Slack::start().await;
    sheep_everywhere(&slack.world).await;
    let lost: AccountId = "x:lost".parse().unwrap();
    let gone = r#"{"current":"k0","k0":"fedcba9876543210fedcba9876543210"}"#;
    let gone = Keyring::parse(&SecretString::from(gone)).unwrap();
    let apollo: AccountId = "x:apollo".parse().unwrap();
    let mut item = slack.world.store.newest_account(&apollo).await.unwrap().unwrap();
    item.sealed_key = gone.seal(&lost, &SecretString::from("key"));
    slack.world.store.put_account(&lost, item.clone()).await.unwrap();
    let told = slack.flock("account rotate").await;
    insta::assert_snapshot!(told, @"Sealing the keys of all accounts anew with the current key of the keyring, as job `94392906`. I tell you here when it is done; `/flock jobs cancel 94392906` ends it, and `/flock running` shows how far it is. A new key is put into the keyring by <@U1>.");
    insta::assert_snapshot!(slack.flock("account rotate").await, @"*The job `94392906` seals the keys of all accounts anew right now; `/flock jobs cancel 94392906` ends it, and `/flock running` shows how far it is.");
    insta::assert_snapshot!(slack.flock("running").await, @"
    *Times are in UTC.
    job `94392906` seals the keys of all accounts anew: not begun yet; asked by <@U1> in <#C1> at 12:00:00
    ");
    let app = slack.world.app().await;
    slack.world.tick(&app).await;
    let before = slack.seen("U2", "C1");
    slack.events().await;
    let told = crate::slack::shown(&before, &slack.seen("U2", "C1"));
    insta::assert_snapshot!(told, @"<@U1>: All keys are sealed anew: 4 accounts. What was stored of *x:lost* could not be opened, and is as it was: put the key of the keyring back that it was sealed with, or have the accounts added again.");
    let there = slack.world.store.newest_account(&lost).await.unwrap().unwrap();
    assert_eq!(there, item);
    // A keyring that lacks a key is never written over: what it lacks may be newer than what was read.
    let refused = rotate(&slack.world, &slack.world.store, &slack.world.cloud.aws()).await;
    insta::assert_snapshot!(refused.unwrap_err().to_string(), @"the keyring Keyring lacks the key `k0`, which accounts are sealed with; put it back first, or give the command again in a minute, if it was added just now");
    assert_eq!(keyring_text(&slack.world), KEYRING);
    assert!(!job(&slack.world).await.unwrap().is_running());
}

/// One cell: whoever adds the key, or the tick that goes on, dies at `cut`. Gives the request it died at.
async fn cell(is_tick: bool, cut: Cut) -> Option<String> {
    let world = World::start().await;
    let sheep = sheep_everywhere(&world).await;
    let before = opened(&world).await;
    let (plan, never) = (CrashPlan::new(cut), CrashPlan::new(Cut::Never));
    let dynamodb = CrashProxy::start("dynamodb", &world.cloud.dynamodb_url(), &never).await;
    let services = CrashProxy::start("services", &world.cloud.services_url(), &never).await;
    let token = world.cloud.token();
    let aws = flock_aws::local(dynamodb.url(), services.url(), token.secret());
    let died = if is_tick {
        rotate(&world, &world.store, &world.cloud.aws()).await.unwrap();
        let app = world.app_on(&aws).await;
        dynamodb.follow(&plan);
        services.follow(&plan);
        let due = json!({ "detail-type": "job.due", "detail": { "id": Rotation::job().as_str() } });
        tokio::select! {
            () = plan.reached() => true,
            report = Box::pin(app.handle(&due, far_deadline())) => { report.unwrap(); false }
        }
    } else {
        dynamodb.follow(&plan);
        services.follow(&plan);
        let name = flockwork::connect::LOCAL_NAME.to_owned();
        let store = Store::new(aws_sdk_dynamodb::Client::new(&aws), name);
        tokio::select! {
            () = plan.reached() => true,
            key = rotate(&world, &store, &aws) => { key.unwrap(); false }
        }
    };
    if !died {
        return None;
    }
    let at = plan.cut_at().unwrap();
    // The lease that it left is over.
    world.clock.step_to(world.clock.now() + SignedDuration::from_hours(2));
    let app = world.app().await;
    for _ in 0..2 {
        let report = Box::pin(app.handle(&tick(), far_deadline())).await.unwrap();
        assert_eq!(report.failed, 0, "{at}");
    }
    assert_eq!(opened(&world).await.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    for (id, (key, _)) in opened(&world).await {
        assert_eq!(key, before[&id].0, "{at}: {id}");
    }
    assert!(posted(&world, &sheep).await.iter().all(|posts| 0 < *posts), "{at}");
    let keyring = Keyring::parse(&SecretString::from(keyring_text(&world))).unwrap();
    assert!(keyring.has("k1"), "{at}");
    if let Some(job) = job(&world).await {
        assert_eq!(
            (job.is_running(), work(&job).sealed, work(&job).unopened),
            (false, 3, 0),
            "{at}"
        );
        let used: Vec<_> = keys_in_use(&world.store).await.unwrap().into_iter().collect();
        assert_eq!(used, [keyring.current()], "{at}");
    }
    Some(at)
}

#[expect(clippy::print_stdout, reason = "the table is there to be read: `-- --nocapture`")]
async fn cells(is_tick: bool) -> usize {
    let mut cells = 0;
    for cut in (0..).flat_map(|k| [Cut::Before(k), Cut::After(k)]) {
        let Some(at) = Box::pin(cell(is_tick, cut)).await else { break };
        println!("{:<10} kept {at}", format!("{cut:?}"));
        cells += 1;
    }
    cells
}

#[tokio::test]
async fn whoever_adds_a_key_can_die_anywhere() {
    // The entry in the log, the job that is there, the job, the keyring, the accounts and each of three, the keyring again, the job,
    // the entry.
    assert_eq!(cells(false).await, 2 * 11);
}

#[tokio::test]
async fn a_rotation_whose_tick_dies_anywhere_loses_no_key() {
    // Control, the job, its claim, the keyring, the accounts, each of three read and written, the step, the event, the end, process.
    assert_eq!(cells(true).await, 2 * 15);
}
