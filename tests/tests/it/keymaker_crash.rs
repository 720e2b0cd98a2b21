//! The crash matrix of signing in: before and after every request the process is killed, and the same person tries again.

use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};

use flock_aws::Keyring;
use flock_core::{Errand, SigningIn, TokenDigest};
use flock_store::{AskedSignIn, Write};
use flock_tests::{CrashPlan, CrashProxy, Cut};
use flockwork::connect::LOCAL_NAME;
use futures_util::{StreamExt as _, future::ready, stream};
use local_cloud::runtime_api::{Answer, FunctionProcess, RuntimeApi};
use secrecy::SecretString;
use serde_json::Value;

use crate::{
    keymaker::{Answered, KEYS_URL, apollo, by_slack, connect, event, form},
    world::{APP_PASSWORD, KEYRING, TOKEN, World, did},
};

/// The function, built as a binary of this package from the same main.rs.
const BINARY: &str = env!("CARGO_BIN_EXE_keymaker-process");

/// How long an invocation may last; nobody waits for that.
const LENGTH: Duration = Duration::from_mins(5);

/// Proxies before the table, the other services and Bluesky.
struct Proxies([CrashProxy; 3]);

impl Proxies {
    async fn start(world: &mut World) -> Self {
        let never = CrashPlan::new(Cut::Never);
        let bluesky = CrashProxy::start("bluesky", &world.bluesky.url(), &never).await;
        world.bluesky_url = bluesky.url();
        Self([
            CrashProxy::start("dynamodb", &world.cloud.dynamodb_url(), &never).await,
            CrashProxy::start("services", &world.cloud.services_url(), &never).await,
            bluesky,
        ])
    }

    /// A process whose requests follow `plan`.
    fn process(&self, runtime: &RuntimeApi, plan: &Arc<CrashPlan>) -> FunctionProcess {
        let Self([dynamodb, services, bluesky]) = self;
        for proxy in [dynamodb, services, bluesky] {
            proxy.follow(plan);
        }
        let (dynamodb, services) = (dynamodb.url(), services.url());
        let env = [
            ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.as_str()),
            ("AWS_ENDPOINT_URL", services.as_str()),
            ("AWS_SESSION_TOKEN", TOKEN),
            ("TABLE_NAME", LOCAL_NAME),
            ("BUS_NAME", LOCAL_NAME),
            ("KEYRING_SECRET", "Keyring"),
            ("X_SECRET", "XApp"),
            ("KEYS_URL", KEYS_URL),
            ("NETWORKS_ON_LOOPBACK", "true"),
            ("RUST_LOG", "debug,hyper=info"),
        ];
        FunctionProcess::spawn(runtime, Path::new(BINARY), &env).unwrap()
    }
}

/// The button of the link's page is pressed.
fn press(link: &str) -> Value {
    let headers = [("content-type", "application/x-www-form-urlencoded")].into();
    event("POST", link, &std::collections::BTreeMap::new(), &headers, &form(APP_PASSWORD))
}

/// What the dead process had for itself is over, as if the time until then had passed.
async fn end_lease(world: &World, id: &TokenDigest) {
    loop {
        let asked = world.store.sign_in(id).await.unwrap().unwrap();
        let errand = asked.sign_in.errand.clone();
        if !errand.is_leased(world.clock.now()) {
            return;
        }
        let errand = Errand { lease_until: Some(world.clock.now()), ..errand };
        let version = asked.sign_in.version + 1;
        let sign_in = SigningIn { errand, version, ..asked.sign_in };
        // What it had sent may still be written: then it is read again.
        if world.store.put_sign_in(&AskedSignIn { sign_in, ..asked }).await.unwrap() == Write::Done
        {
            return;
        }
    }
}

/// A process dies at `cut`, then another finishes. Gives the request it died at, if the flow has so many.
async fn cell(cut: Cut) -> Option<String> {
    let mut world = World::start().await;
    world.clock = flock_aws::Clock::wall();
    let proxies = Proxies::start(&mut world).await;
    let account = apollo(&world);
    let link = connect(&world, &account, by_slack()).await;
    let token = link.rsplit('/').next().unwrap();
    let id = TokenDigest::of(token);
    let mut seen = Vec::new();

    let plan = CrashPlan::new(cut);
    let runtime = RuntimeApi::start().await.unwrap();
    let mut process = proxies.process(&runtime, &plan);
    let died = tokio::select! {
        () = plan.reached() => true,
        _ = runtime.invoke(press(&link), LENGTH) => false,
    };
    process.kill().await;
    seen.push(process.output());
    if !died {
        return None;
    }
    let at = plan.cut_at().unwrap();
    end_lease(&world, &id).await;

    let plan = CrashPlan::new(Cut::Never);
    let runtime = RuntimeApi::start().await.unwrap();
    let mut process = proxies.process(&runtime, &plan);
    let mut statuses = Vec::new();
    for _ in 0..2 {
        let invocation = runtime.invoke(press(&link), LENGTH).await;
        let Answer::Response(answer) = invocation.answer else {
            panic!("{at}: {}", process.output())
        };
        let answered = Answered::read(&answer);
        seen.push(format!("{answered:?}"));
        statuses.push(answered.status);
    }
    process.kill().await;
    seen.push(process.output());
    // Once there is a key, the link does nothing any more.
    assert!([[200, 410], [410, 410]].contains(&[statuses[0], statuses[1]]), "{at}: {seen:?}");
    let item = world.store.newest_account(&account).await.unwrap();
    let item = item.unwrap_or_else(|| panic!("{at}: {seen:?}"));
    assert_eq!(item.remote_user, did("apollo"), "{at}");
    let keyring = Keyring::parse(&SecretString::from(KEYRING)).unwrap();
    keyring.open(&account, &item.sealed_key).unwrap();
    keyring.open(&account, &item.sealed_session.unwrap()).unwrap();
    assert_eq!(world.store.accounts().await.unwrap(), [account], "{at}");
    // However often it is told of, it is the same.
    let mut told = Vec::new();
    while let Ok(event) = world.events.try_recv() {
        told.push(event.detail["id"].as_str().unwrap().to_owned());
    }
    let names: BTreeSet<_> = told.iter().collect();
    assert_eq!(names.len(), 1, "{at}: {told:?}");
    seen.push(format!("{:?}", world.items().await));
    for secret in [token, APP_PASSWORD, "eyJ"] {
        assert!(seen.iter().all(|text| !text.contains(secret)), "{at}: {secret} in {seen:?}");
    }
    Some(at)
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "the table is there to be read: `-- --nocapture`")]
async fn who_signs_in_again_after_a_crash_anywhere_has_one_key() {
    /// More than the flow has.
    const REQUESTS: usize = 64;
    let cuts = (0..REQUESTS).flat_map(|k| [Cut::Before(k), Cut::After(k)]);
    let cells: Vec<_> = stream::iter(cuts)
        .map(|cut| async move { (cut, cell(cut).await) })
        .buffered(4)
        .take_while(|(_, at)| ready(at.is_some()))
        .filter_map(|(cut, at)| ready(at.map(|at| (cut, at))))
        .collect()
        .await;
    for (cut, at) in &cells {
        println!("{:<10} once {at}", format!("{cut:?}"));
    }
    // Shards, the link, whether the account is here, the claim, the keyring, the audit log, the account once more, a login and a
    // profile, the other accounts, the account with what is noted of it, the profile and its mark, that it is marked, the sheep, the audit log, the
    // bus, the end.
    assert_eq!(cells.len(), 2 * 18, "{cells:?}");
}
