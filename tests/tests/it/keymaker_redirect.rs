//! Signing in on the keymaker's pages at networks that people are sent to, and come back from.

use flock_core::AccountId;
use flock_ops::link_to_connect;
use flock_tests::{Person, Shown};
use insta::assert_snapshot;
use reqwest::redirect;
use secrecy::ExposeSecret as _;

use crate::{
    keymaker::{Browser, KEYS_URL, by_slack, noted, renew},
    world::{World, mastodon_account},
};

pub(crate) const BACK: &str = "https://keys.example/keys/callback";

/// The address of a link that connects `id`, on this server.
pub(crate) async fn link(world: &World, id: &AccountId, server: Option<&str>) -> String {
    let (noted, server) = (noted(world, by_slack()).await, server.map(ToOwned::to_owned));
    let link = link_to_connect(&world.store, &noted, id, server, world.clock.now()).await.unwrap();
    format!("{KEYS_URL}/connect/{}", link.token.expose_secret())
}

/// An X on which somebody has two users.
pub(crate) async fn with_x() -> World {
    let world = World::start().await;
    world.x.callback(BACK);
    world.x.called("7", "milton");
    world.x.called("8", "mallory");
    world
}

/// Presses the button for a way at X, and says where X sends the browser then.
pub(crate) async fn to_x_and_back(
    world: &World,
    browser: &mut Browser,
    link: &str,
    way: &str,
) -> String {
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

    200: x:milton is connected
    x:milton is connected. You can close this.

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

    200: x:milton is connected
    x:milton is connected. You can close this.

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

/// Allows it on the page of Mastodon as iris, and says where she is sent back to.
pub(crate) async fn allow_iris(page: &str) -> String {
    allow_on_mastodon(page, "iris").await
}

/// Allows it on the page of Mastodon, and says where the browser is sent back to.
pub(crate) async fn allow_on_mastodon(page: &str, name: &str) -> String {
    let client = reqwest::Client::builder().redirect(redirect::Policy::none()).build().unwrap();
    let allowed = client
        .post(page)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("decision=allow&username={name}"))
        .send()
        .await
        .unwrap();
    allowed.headers()["location"].to_str().unwrap().to_owned()
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
    let back = allow_iris(&away.headers["location"]).await;
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
    Nothing has changed. Go back to the network's page and go on there. In Slack /flock account connect mastodon:iris@stand-in.example http://HERE makes a fresh link.

    200: mastodon:iris@stand-in.example is connected
    mastodon:iris@stand-in.example is connected. You can close this.
    ");
}

/// Two tabs: what comes back ends the sign-in that it is of, whichever was begun last, and whatever others have planted.
#[tokio::test]
async fn two_sign_ins_in_one_browser_do_not_meet() {
    for way in ["oauth1", "oauth2"] {
        let world = with_x().await;
        let mut browser = Browser::new(&world).await;
        let mut backs = Vec::new();
        for (name, user) in [("milton", "7"), ("mallory", "8")] {
            let id: AccountId = format!("x:{name}").parse().unwrap();
            let link = link(&world, &id, None).await;
            world.x.person(Person::Allows(user.to_owned()));
            backs.push((id, to_x_and_back(&world, &mut browser, &link, way).await));
        }
        assert_eq!(browser.cookies.len(), 2);
        for place in 0..40 {
            let digest = flock_core::TokenDigest::of(&place.to_string());
            let name = format!("__Secure-flockwork-sign-in-{place:016}");
            browser.cookies.insert(name, format!("{digest}.planted"));
        }
        for (id, back) in backs {
            let done = browser.open(&back).await;
            assert_eq!((done.status, done.title()), (200, format!("{id} is connected")));
            assert!(world.store.account(&id).await.unwrap().is_some());
            // Loaded again, it says the same again.
            assert_eq!(browser.open(&back).await.shown(), done.shown());
        }
    }
}

#[tokio::test]
async fn a_renewal_that_fails_says_that_there_is_no_new_key() {
    let world = with_x().await;
    let id: AccountId = "x:milton".parse().unwrap();
    let connect = link(&world, &id, None).await;
    let mut browser = Browser::new(&world).await;
    world.x.person(Person::Allows("7".to_owned()));
    let back = to_x_and_back(&world, &mut browser, &connect, "oauth1").await;
    assert_eq!(browser.open(&back).await.status, 200);
    world.x.person(Person::Denies);
    let renew = renew(&world, &id).await;
    let back = to_x_and_back(&world, &mut browser, &renew, "oauth1").await;
    let said = [browser.open(&back).await.shown(), browser.open(&back).await.shown()];
    assert_snapshot!(said.join("\n\n"), @"
    403: x:milton has no new key
    It was cancelled on the network.
    Nothing has changed. In Slack /flock account renew x:milton makes a fresh link.

    410: This link was used
    It works once, and x:milton was given no new key by it: it was cancelled on the network. In Slack /flock account renew x:milton makes a fresh link.
    ");
}

/// One person, under eight names at the same moment.
#[tokio::test]
async fn of_eight_sign_ins_of_one_user_at_once_one_connects_it() {
    let world = World::start().await;
    world.mastodon.account("token-of-iris", "iris");
    let first = Browser::new(&world).await;
    let mut begun = Vec::new();
    for place in 0..8 {
        let id: AccountId = format!("mastodon:iris@name-{place}.example").parse().unwrap();
        let mut browser = Browser::of(&first.function);
        let link = link(&world, &id, Some(&world.mastodon_url)).await;
        let away = browser.press(&link, "way=oauth2&labelled=yes").await;
        begun.push((id, browser, allow_iris(&away.headers["location"]).await));
    }
    let ends = begun.into_iter().map(|(id, mut browser, back)| async move {
        let answered = browser.open(&back).await;
        (id, answered)
    });
    let ends = futures_util::future::join_all(ends).await;
    let (done, refused): (Vec<_>, Vec<_>) =
        ends.into_iter().partition(|(_, answered)| answered.status == 200);
    let shown: Vec<_> = refused.iter().map(|(_, answered)| answered.shown()).collect();
    let [(connected, _)] = done.as_slice() else { panic!("{} of 8: {shown:?}", done.len()) };
    let why = format!("it is connected already, as {connected}.");
    assert!(shown.iter().all(|shown| shown.contains(&why)), "{shown:?}");
    assert_eq!(world.store.accounts().await.unwrap(), std::slice::from_ref(connected));
    // Once it is removed, another can be this user; and what a removal that was cut off has left keeps nobody out.
    let noted = noted(&world, by_slack()).await;
    flock_ops::remove_account(&world.store, &noted, connected).await.unwrap();
    for (id, _) in refused.iter().take(2) {
        let mut browser = Browser::of(&first.function);
        let link = link(&world, id, Some(&world.mastodon_url)).await;
        let away = browser.press(&link, "way=oauth2&labelled=yes").await;
        let done = browser.open(&allow_iris(&away.headers["location"]).await).await;
        assert_eq!(done.status, 200, "{}", done.shown());
        world.forget_account(id).await;
    }
}
