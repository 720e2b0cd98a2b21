//! Stored accounts are asked about: whether their keys work, as whom, and what is left.

use std::sync::Mutex;

use flock_core::{AccountId, Network, View};
use flock_net::{Accounts, Networks};
use flock_ops::{AccountCheck, check_accounts};
use flock_tests::{Endpoint, MastodonMisbehave};

use crate::world::{World, mastodon_account, user_id};

async fn checked(world: &World, ids: &[AccountId]) -> flock_ops::Result<Vec<AccountCheck>> {
    let settings = world.networks();
    let accounts = Accounts::new(&world.cloud.aws(), world.store.clone(), &settings);
    let networks = Networks::new(world.store.clone(), &settings, &world.clock);
    let told = Mutex::new(Vec::new());
    let progress = |done, of| told.lock().unwrap().push((done, of));
    let checks = check_accounts(&world.store, (&accounts, &networks), ids, &progress).await?;
    let told = told.into_inner().unwrap();
    let of = u64::try_from(checks.len()).unwrap();
    assert_eq!(told, (0..=of).map(|done| (done, of)).collect::<Vec<_>>());
    Ok(checks)
}

/// What is left until when is the wall clock's matter.
fn lines(world: &World, checks: &[AccountCheck]) -> String {
    let view = View::utc(world.clock.now());
    let lines = checks.iter().map(|check| {
        let line = check.line(&view);
        line.split(" until ").next().unwrap_or_default().to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_check_says_whether_keys_work_and_changes_nothing() {
    let world = World::start().await;
    for (name, network) in
        [("apollo", Network::X), ("bea", Network::Bluesky), ("cyd", Network::Mastodon)]
    {
        world.sheep(name, network, 3).await;
    }
    world.x.called(&user_id("apollo"), "apollo");
    let billed = world.x.billed_micros(&user_id("apollo"));
    let before = world.items().await;
    let checks = checked(&world, &[]).await.unwrap();
    insta::assert_snapshot!(lines(&world, &checks), @"
    x:apollo works; 899 of 900 requests of this kind left
    mastodon:cyd@stand-in.example works, as cyd; 296 of 300 requests left
    bluesky:bea.test works, as bea.test
    ");
    assert_eq!(world.x.billed_micros(&user_id("apollo")), billed);
    let after = world.items().await;
    assert_eq!((before.len(), before.iter().all(|item| after.contains(item))), (after.len(), true));
    // A session that is over is renewed, and stored.
    world.bluesky.expire_access();
    let bea: AccountId = "bluesky:bea.test".parse().unwrap();
    let session = world.store.newest_account(&bea).await.unwrap().unwrap().sealed_session;
    let checks = checked(&world, std::slice::from_ref(&bea)).await.unwrap();
    assert_eq!(checks[0].works, Some(true), "{checks:?}");
    let renewed = world.store.newest_account(&bea).await.unwrap().unwrap().sealed_session;
    assert_ne!(session, renewed);
    // Keys that may not do all that is done with them.
    let mut said = Vec::new();
    for scopes in ["read:accounts read:statuses write:statuses", "read", "read write", "push"] {
        world.mastodon.allows("token-of-cyd", scopes);
        world.x.only_reads(scopes == "read");
        let checks = checked(&world, &[]).await.unwrap();
        said.push(lines(&world, &checks[..2]));
    }
    insta::assert_snapshot!(said.join("\n"), @r#"
    x:apollo works; 898 of 900 requests of this kind left
    mastodon:cyd@stand-in.example works, as cyd; it allows read:accounts, read:statuses, write:statuses; it lacks `write:media`, so that it cannot post pictures; it lacks `write:accounts`, so that it cannot be marked as a bot from here; it lacks `write:follows`, so that it cannot follow anybody; it lacks `write:favourites`, so that it cannot like posts; it lacks `read:search`, so that it finds nobody whom its server does not know; 293 of 300 requests left
    x:apollo does NOT work: X lets the key only read; set "Read and write" in X's developer console (console.x.com, "User authentication settings"), then sign in again: an older key keeps the old right
    mastodon:cyd@stand-in.example does NOT work: the key of Mastodon at stand-in.example cannot post: it lacks `write:statuses`; sign in again, or allow that to the application (in the account's settings there, Development), make its access token anew, and renew the account's key
    x:apollo works; 896 of 900 requests of this kind left
    mastodon:cyd@stand-in.example works, as cyd; it allows read, write; 288 of 300 requests left
    x:apollo works; 895 of 900 requests of this kind left
    mastodon:cyd@stand-in.example works, as cyd; it allows push; 285 of 300 requests left
    "#);
    // A key that was revoked, one that is another's by now, and an account that never was.
    world.mastodon.suspend("cyd", true);
    world.x.account("token-of-apollo", &user_id("pan"));
    let checks = checked(&world, &[]).await.unwrap();
    insta::assert_snapshot!(lines(&world, &checks), @r#"
    x:apollo does NOT work: X does not know an account with this `user_id`
    mastodon:cyd@stand-in.example does NOT work: Mastodon at stand-in.example shuts the account out: "Your login is currently disabled"; ask its moderators, or move the sheep to another account
    bluesky:bea.test works, as bea.test
    "#);
    // A server that does not say it leaves open whether the key works.
    world.mastodon.suspend("cyd", false);
    world.mastodon.misbehave_at(Endpoint::Verify, MastodonMisbehave::Refuse500);
    let open = checked(&world, &[mastodon_account("cyd")]).await.unwrap();
    insta::assert_snapshot!(lines(&world, &open), @"nobody knows whether mastodon:cyd@stand-in.example works: Mastodon at stand-in.example failed with status 500; try again later");
    assert!(serde_json::to_value(&open[0]).unwrap()["works"].is_null());
    let unknown = checked(&world, &[mastodon_account("nobody")]).await;
    insta::assert_snapshot!(unknown.unwrap_err().to_string(), @"the account mastodon:nobody@stand-in.example was never added");
    let json = serde_json::to_value(&checks[1]).unwrap();
    let names: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["account", "as", "lacks", "limits", "scopes", "user", "why", "works"]);
}
