//! Signing in on the keymaker's pages at networks that people are sent to, and come back from.

use flock_core::AccountId;
use flock_ops::link_to_connect;
use flock_tests::{Person, Shown};
use insta::assert_snapshot;
use reqwest::redirect;
use secrecy::ExposeSecret as _;

use crate::{
    keymaker::{Browser, KEYS_URL, by_slack, noted},
    world::{World, mastodon_account},
};

const BACK: &str = "https://keys.example/keys/callback";

/// The address of a link that connects `id`, on this server.
async fn link(world: &World, id: &AccountId, server: Option<&str>) -> String {
    let (noted, server) = (noted(world, by_slack()).await, server.map(ToOwned::to_owned));
    let link = link_to_connect(&world.store, &noted, id, server, world.clock.now()).await.unwrap();
    format!("{KEYS_URL}/connect/{}", link.token.expose_secret())
}

/// An X on which somebody has two users.
async fn with_x() -> World {
    let world = World::start().await;
    world.x.callback(BACK);
    world.x.called("7", "milton");
    world.x.called("8", "mallory");
    world
}

/// Presses the button for a way at X, and says where X sends the browser then.
async fn to_x_and_back(world: &World, browser: &mut Browser, link: &str, way: &str) -> String {
    let away = browser.press(link, &format!("way={way}&labelled=yes")).await;
    assert_eq!(away.status, 303, "{}", away.shown());
    match world.x.visit(&away.headers["location"]) {
        Shown::Elsewhere(to) => to,
        other => panic!("nobody is sent back: {other:?}"),
    }
}

#[tokio::test]
async fn on_x_somebody_is_sent_there_and_comes_back_with_a_key() {
    let mut said = Vec::new();
    for way in ["oauth1", "oauth2"] {
        let world = with_x().await;
        let id: AccountId = "x:milton".parse().unwrap();
        let (link, mut browser) = (link(&world, &id, None).await, Browser::new(&world).await);
        said.push(browser.open(&link).await.shown());
        world.x.person(Person::Allows("7".to_owned()));
        let back = to_x_and_back(&world, &mut browser, &link, way).await;
        assert!(back.starts_with(BACK), "{back}");
        assert_eq!(world.store.account(&id).await.unwrap(), None);
        // Another browser has not begun it.
        let stranger = Browser::new(&world).await.open(&back).await;
        assert_eq!((stranger.status, world.store.account(&id).await.unwrap()), (403, None));
        let done = browser.open(&back).await;
        said.push(done.shown());
        let account = world.store.account(&id).await.unwrap().unwrap();
        assert_eq!((account.remote_user.as_str(), account.facts.labelled), ("7", true));
        assert_eq!(account.sealed_session.is_some(), way == "oauth2");
        // What comes again changes nothing.
        said.push(browser.open(&back).await.shown());
        said.push(browser.open(&link).await.shown());
        assert_eq!(world.store.account(&id).await.unwrap().unwrap(), account);
    }
    assert_snapshot!(said.join("\n\n"), @"
    200: Connect x:milton
    Sign in as the bot x:milton, and Flockwork can post through it. Nobody sees its password or its key.
    Asked for in Slack by the member U1, in the channel C1. The link works once, until 12:10:00 UTC.
    This account carries X's label for automated accounts
    Sign in on X
    With OAuth 2.0 the key is exchanged every two hours. If an answer of X is lost on the way then, the account has to be signed in to again.
    This account carries X's label for automated accounts
    Sign in on X with OAuth 2.0 instead
    Did somebody send you this link whom you do not know? Then close this page: nothing happens.

    200: x:milton is connected
    x:milton is connected. You can close this.

    403: This browser has begun no sign-in
    Whoever comes back from a network has to come with the browser that pressed the button of the link, and within ten minutes; this one has not. Nothing has changed.
    Did you press it in another browser? Go on there. Otherwise ask for a fresh link, and open it in this one.

    410: This link was used
    x:milton is connected by it. You can close this.

    200: Connect x:milton
    Sign in as the bot x:milton, and Flockwork can post through it. Nobody sees its password or its key.
    Asked for in Slack by the member U1, in the channel C1. The link works once, until 12:10:00 UTC.
    This account carries X's label for automated accounts
    Sign in on X
    With OAuth 2.0 the key is exchanged every two hours. If an answer of X is lost on the way then, the account has to be signed in to again.
    This account carries X's label for automated accounts
    Sign in on X with OAuth 2.0 instead
    Did somebody send you this link whom you do not know? Then close this page: nothing happens.

    200: x:milton is connected
    x:milton is connected. You can close this.

    403: This browser has begun no sign-in
    Whoever comes back from a network has to come with the browser that pressed the button of the link, and within ten minutes; this one has not. Nothing has changed.
    Did you press it in another browser? Go on there. Otherwise ask for a fresh link, and open it in this one.

    410: This link was used
    x:milton is connected by it. You can close this.
    ");
}

#[tokio::test]
async fn who_says_no_at_x_or_is_somebody_else_there_gives_no_key() {
    let mut said = Vec::new();
    for way in ["oauth1", "oauth2"] {
        for person in [Person::Denies, Person::Allows("8".to_owned())] {
            let world = with_x().await;
            let id: AccountId = "x:milton".parse().unwrap();
            let (link, mut browser) = (link(&world, &id, None).await, Browser::new(&world).await);
            world.x.person(person);
            let back = to_x_and_back(&world, &mut browser, &link, way).await;
            said.push(browser.open(&back).await.shown());
            assert_eq!(world.store.account(&id).await.unwrap(), None);
            assert_eq!(browser.open(&link).await.status, 410);
        }
    }
    assert_snapshot!(said.join("\n\n"), @"
    403: x:milton is not connected
    It was cancelled on the network.
    Nothing has changed. In Slack /flock account connect x:milton makes a fresh link.

    403: x:milton is not connected
    x:milton is not added: the key is that of mallory, not of milton; sign out there, or open the page in a private window, and sign in as the account that is to be added.
    Nothing has changed. In Slack /flock account connect x:milton makes a fresh link.

    403: x:milton is not connected
    It was cancelled on the network.
    Nothing has changed. In Slack /flock account connect x:milton makes a fresh link.

    403: x:milton is not connected
    x:milton is not added: the key is that of mallory, not of milton; sign out there, or open the page in a private window, and sign in as the account that is to be added.
    Nothing has changed. In Slack /flock account connect x:milton makes a fresh link.
    ");
}

#[tokio::test]
async fn on_mastodon_somebody_is_sent_to_their_server_and_comes_back_with_a_key() {
    let world = World::start().await;
    world.mastodon.account("token-of-iris", "iris");
    let id = mastodon_account("iris");
    let url = world.mastodon_url.clone();
    let (link, mut browser) = (link(&world, &id, Some(&url)).await, Browser::new(&world).await);
    let mut said = vec![browser.open(&link).await.shown()];
    let away = browser.press(&link, "way=oauth2&labelled=yes").await;
    assert_eq!(away.status, 303, "{}", away.shown());
    let client = reqwest::Client::builder().redirect(redirect::Policy::none()).build().unwrap();
    let allowed = client
        .post(&away.headers["location"])
        .header("content-type", "application/x-www-form-urlencoded")
        .body("decision=allow&username=iris")
        .send()
        .await
        .unwrap();
    let back = allowed.headers()["location"].to_str().unwrap().to_owned();
    // What is forged burns nothing.
    let (address, _) = back.split_once('?').unwrap();
    said.push(browser.open(&format!("{address}?code=forged&state=forged")).await.shown());
    said.push(browser.open(&back).await.shown());
    let account = world.store.account(&id).await.unwrap().unwrap();
    assert_eq!((account.url.as_deref(), account.facts.labelled), (Some(url.as_str()), true));
    assert_snapshot!(said.join("\n\n"), @"
    200: Connect mastodon:iris@stand-in.example
    Sign in as the bot mastodon:iris@stand-in.example, and Flockwork can post through it. Nobody sees its password or its key.
    Asked for in Slack by the member U1, in the channel C1. The link works once, until 12:10:00 UTC.
    Have Mastodon show that this is a bot's account
    Sign in on Mastodon
    Did somebody send you this link whom you do not know? Then close this page: nothing happens.

    400: That is not how this sign-in ends
    This is not how the sign-in that was begun here ends.
    Nothing has changed. Go back to the network's page and go on there. In Slack /flock account connect mastodon:iris@stand-in.example makes a fresh link.

    200: mastodon:iris@stand-in.example is connected
    mastodon:iris@stand-in.example is connected. You can close this.
    ");
}
