//! Networks that take longer than a page of the keymaker can wait: what is cut off is said, and what it leaves undone is made up for.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use flock_aws::Function as _;
use flock_core::AccountId;
use flock_tests::{
    BlueskyMisbehave, Endpoint, MastodonMisbehave, Misbehave, Operation, Person, RefusingBus,
};
use insta::assert_snapshot;
use jiff::SignedDuration;
use keymaker::Keymaker;

use crate::{
    keymaker::{Browser, apollo, by_slack, connect, form, renew, settings},
    keymaker_redirect::{allow_iris, link, to_x_and_back, with_x},
    world::{APP_PASSWORD, World, did, mastodon_account},
};

/// When an invocation is ended of whose time a second and a half are for networks, and no request of it times out by itself.
fn soon() -> SystemTime {
    #[expect(clippy::disallowed_methods, reason = "the platform's deadlines are on the wall clock")]
    let now = SystemTime::now();
    now + Duration::from_millis(11_500)
}

/// A browser whose requests have little time.
async fn hurried(world: &World) -> Browser {
    let mut browser = Browser::new(world).await;
    browser.deadline = soon;
    browser
}

/// The events of the bus so far, by their ids.
fn told(world: &mut World) -> Vec<(String, usize)> {
    let mut told = Vec::new();
    while let Ok(event) = world.events.try_recv() {
        let reasons = event.detail["must_not_post"].as_array().map_or(0, Vec::len);
        told.push((event.detail["id"].as_str().unwrap().to_owned(), reasons));
    }
    told
}

#[tokio::test]
async fn who_cannot_be_sent_off_in_time_presses_again() {
    let world = with_x().await;
    let id: AccountId = "x:milton".parse().unwrap();
    let (link, mut browser) = (link(&world, &id, None).await, hurried(&world).await);
    world.x.misbehave_at(Operation::RequestToken, Misbehave::AcceptThenSilence);
    let said = browser.press(&link, "way=oauth1&labelled=yes").await;
    assert_eq!(said.status, 422);
    assert_snapshot!(said.shown().lines().nth(1).unwrap(), @"X has not answered in time. Nothing has changed; press the button again.");
    world.x.person(Person::Allows("7".to_owned()));
    let back = to_x_and_back(&world, &mut browser, &link, "oauth1").await;
    assert_eq!(browser.open(&back).await.status, 200);
}

/// What somebody came back with is used up, and a fresh link gives the key.
#[tokio::test]
async fn a_key_that_is_not_given_or_vouched_for_in_time_is_begun_again() {
    let mut said = Vec::new();
    for (way, slow) in [
        ("oauth1", Operation::AccessToken),
        ("oauth2", Operation::OAuth2Token),
        ("oauth2", Operation::Me),
    ] {
        let world = with_x().await;
        let id: AccountId = "x:milton".parse().unwrap();
        world.x.person(Person::Allows("7".to_owned()));
        let (first, mut browser) = (link(&world, &id, None).await, hurried(&world).await);
        let back = to_x_and_back(&world, &mut browser, &first, way).await;
        world.x.misbehave_at(slow, Misbehave::AcceptThenSilence);
        said.push(browser.open(&back).await.shown());
        assert_eq!(world.x.unspent(), [], "{slow:?}");
        assert_eq!(browser.open(&back).await.status, 410);
        assert_eq!(world.store.account(&id).await.unwrap(), None);
        let afresh = link(&world, &id, None).await;
        let back = to_x_and_back(&world, &mut browser, &afresh, way).await;
        assert_eq!(browser.open(&back).await.status, 200, "{slow:?}");
    }
    for slow in [Endpoint::Verify, Endpoint::Instance] {
        let world = World::start().await;
        world.mastodon.account("token-of-iris", "iris");
        let (id, url) = (mastodon_account("iris"), world.mastodon_url.clone());
        let link = link(&world, &id, Some(&url)).await;
        let mut browser = hurried(&world).await;
        let away = browser.press(&link, "way=oauth2&labelled=yes").await;
        let back = allow_iris(&away.headers["location"]).await;
        world.mastodon.misbehave_at(slow, MastodonMisbehave::AcceptThenSilence);
        said.push(browser.open(&back).await.shown());
        assert_eq!(world.mastodon.unspent(), [], "{slow:?}");
        assert_eq!(world.store.account(&id).await.unwrap(), None);
    }
    assert_snapshot!(said.join("\n\n"), @"
    403: x:milton is not connected
    X has not answered in time, so that nobody knows what came of it; no key is stored.
    Nothing has changed. In Slack /flock account connect x:milton makes a fresh link.

    403: x:milton is not connected
    X has not answered in time, so that nobody knows what came of it; no key is stored.
    Nothing has changed. In Slack /flock account connect x:milton makes a fresh link.

    403: x:milton is not connected
    X has not answered in time, so that nobody knows what came of it; no key is stored.
    Nothing has changed. In Slack /flock account connect x:milton makes a fresh link.

    403: mastodon:iris@stand-in.example is not connected
    mastodon:iris@stand-in.example is not added: Mastodon at stand-in.example has not answered in time; sign in again later.
    Nothing has changed. In Slack /flock account connect mastodon:iris@stand-in.example http://HERE makes a fresh link.

    403: mastodon:iris@stand-in.example is not connected
    mastodon:iris@stand-in.example is not added: Mastodon at stand-in.example has not answered in time; sign in again later.
    Nothing has changed. In Slack /flock account connect mastodon:iris@stand-in.example http://HERE makes a fresh link.
    ");
}

#[tokio::test]
async fn an_account_keeps_its_key_where_the_new_one_is_not_vouched_for_in_time() {
    let world = World::start().await;
    let id = apollo(&world);
    let first = connect(&world, &id, by_slack()).await;
    let mut browser = hurried(&world).await;
    assert_eq!(browser.press(&first, &form(APP_PASSWORD)).await.status, 200);
    let before = world.store.account(&id).await.unwrap();
    let link = renew(&world, &id).await;
    world.bluesky.misbehave("createSession", BlueskyMisbehave::AcceptThenSilence);
    let said = browser.press(&link, &form(APP_PASSWORD)).await;
    assert_snapshot!(said.shown().lines().nth(1).unwrap(), @"bluesky:apollo.test has no new key: Bluesky has not answered in time; sign in again later.");
    assert_eq!(world.store.account(&id).await.unwrap(), before);
    assert_eq!(browser.press(&link, &form(APP_PASSWORD)).await.status, 200);
}

/// The key is stored; the room is told how it is, and told again when that has changed.
#[tokio::test]
async fn a_mark_that_is_not_made_in_time_is_made_when_the_browser_comes_again() {
    let mut world = World::start().await;
    let id = apollo(&world);
    let link = connect(&world, &id, by_slack()).await;
    let mut browser = hurried(&world).await;
    let mut said = Vec::new();
    // What was marked and not heard of is looked at before it is marked again.
    for slow in [Some("putRecord"), Some("getRecord"), None] {
        if let Some(slow) = slow {
            world.bluesky.misbehave(slow, BlueskyMisbehave::AcceptThenSilence);
        }
        said.push(browser.press(&link, &form(APP_PASSWORD)).await.shown());
        assert_eq!(world.bluesky.unspent(), []);
        let account = world.store.account(&id).await.unwrap().unwrap();
        assert_eq!(account.facts.labelled, slow.is_none());
    }
    assert_eq!(browser.press(&link, &form(APP_PASSWORD)).await.status, 410);
    assert_eq!(world.bluesky.logins(&did("apollo")), 1);
    let told = told(&mut world);
    let [(first, 1..), (again, 1..), (last, 0)] = told.as_slice() else { panic!("{told:?}") };
    assert!(first == again && again != last, "{told:?}");
    assert_snapshot!(said.join("\n\n"), @"
    200: bluesky:apollo.test is connected
    bluesky:apollo.test is connected.
    But it must not post yet:
    bluesky:apollo.test could not be marked as a bot: Bluesky has not answered in time; mark it in its settings on the network, then renew its key
    against Bluesky's rule bluesky-unlabelled-bot: An automated account carries the label `bot`. (https://docs.bsky.app/docs/starter-templates/bots) To do: renew the account's key and have it marked as a bot
    The mark can be tried once more. Load this page again in a minute, and send the form again if the browser asks: then that is made up for.

    200: bluesky:apollo.test is connected
    bluesky:apollo.test is connected.
    But it must not post yet:
    bluesky:apollo.test could not be marked as a bot: Bluesky has not answered in time; mark it in its settings on the network, then renew its key
    against Bluesky's rule bluesky-unlabelled-bot: An automated account carries the label `bot`. (https://docs.bsky.app/docs/starter-templates/bots) To do: renew the account's key and have it marked as a bot
    The mark can be tried once more. Load this page again in a minute, and send the form again if the browser asks: then that is made up for.

    200: bluesky:apollo.test is connected
    bluesky:apollo.test is connected. You can close this.
    ");
}

/// What they came back with is not asked for again.
#[tokio::test]
async fn who_was_sent_to_the_network_loads_the_page_again_for_the_mark() {
    let mut world = World::start().await;
    world.mastodon.account("token-of-iris", "iris");
    world.mastodon.bot("iris", false);
    let (id, url) = (mastodon_account("iris"), world.mastodon_url.clone());
    let link = link(&world, &id, Some(&url)).await;
    let mut browser = hurried(&world).await;
    let away = browser.press(&link, "way=oauth2&labelled=yes").await;
    let back = allow_iris(&away.headers["location"]).await;
    world.mastodon.misbehave_at(Endpoint::Update, MastodonMisbehave::AcceptThenSilence);
    let first = browser.open(&back).await.shown();
    let why = "could not be marked as a bot: Mastodon at stand-in.example has not answered in time";
    assert!(first.starts_with("200") && first.contains(why), "{first}");
    let account = world.store.account(&id).await.unwrap().unwrap();
    assert!(!account.facts.labelled);
    let second = browser.open(&back).await.shown();
    assert_snapshot!(second, @"
    200: mastodon:iris@stand-in.example is connected
    mastodon:iris@stand-in.example is connected. You can close this.
    ");
    let now = world.store.account(&id).await.unwrap().unwrap();
    assert!(now.facts.labelled && now.sealed_key == account.sealed_key);
    assert_eq!(browser.open(&back).await.shown(), second);
    let told: Vec<_> = told(&mut world).into_iter().map(|(_, reasons)| 0 < reasons).collect();
    assert_eq!(told, [true, false]);
}

#[tokio::test]
async fn a_link_that_expired_with_a_mark_undone_does_not_say_that_nothing_has_changed() {
    let world = World::start().await;
    let id = apollo(&world);
    let link = connect(&world, &id, by_slack()).await;
    let mut browser = hurried(&world).await;
    world.bluesky.misbehave("putRecord", BlueskyMisbehave::AcceptThenSilence);
    assert_eq!(browser.press(&link, &form(APP_PASSWORD)).await.status, 200);
    world.clock.step_to(world.clock.now() + SignedDuration::from_mins(10));
    let said = [browser.open(&link).await.shown(), browser.press(&link, &form("x")).await.shown()];
    assert_snapshot!(said.join("\n\n"), @"
    410: This link was used
    bluesky:apollo.test is connected by it. You can close this.

    410: This link was used
    bluesky:apollo.test is connected by it. You can close this.
    ");
}

#[tokio::test]
async fn a_room_that_could_not_be_told_is_told_when_the_browser_comes_again() {
    let mut world = World::start().await;
    let is_down = Arc::new(AtomicBool::new(true));
    let refuse = {
        let is_down = Arc::clone(&is_down);
        move |_, _: &_| is_down.load(Ordering::SeqCst).then_some("InternalFailure")
    };
    let bus = RefusingBus::start(&world.cloud.services_url(), refuse).await;
    let token = world.cloud.token().secret();
    let aws = flock_aws::local(world.cloud.dynamodb_url(), bus.url(), token);
    let function = Keymaker::start(settings(&world), &aws, world.clock.clone()).await.unwrap();
    let mut browser = Browser::of(&Arc::new(function));
    let id = apollo(&world);
    let link = connect(&world, &id, by_slack()).await;
    let mut said = vec![browser.press(&link, &form(APP_PASSWORD)).await.shown()];
    assert_eq!(told(&mut world), []);
    is_down.store(false, Ordering::SeqCst);
    said.push(browser.press(&link, &form(APP_PASSWORD)).await.shown());
    assert_eq!(told(&mut world).len(), 1);
    assert_eq!(browser.press(&link, &form(APP_PASSWORD)).await.status, 410);
    assert_snapshot!(said.join("\n\n"), @"
    200: bluesky:apollo.test is connected
    bluesky:apollo.test is connected.
    Slack could not be told of it. Load this page again in a minute, and send the form again if the browser asks: then that is made up for.

    200: bluesky:apollo.test is connected
    bluesky:apollo.test is connected. You can close this.
    ");
}
