//! Signing in on the keymaker's pages, as a browser does.

use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

use flock_aws::{Function as _, Keyring};
use flock_core::{
    AccountId, Bound, DeliveryId, Network, Purpose, SentOff, SheepId, SignIn, SigningIn, State,
    TokenDigest, Way,
};
use flock_ops::{Noted, Who, link_to_connect, link_to_renew};
use flock_store::{AskedSignIn, By, Write};
use flock_tests::{BLUESKY_TOKENS_BEGIN, BlueskyMisbehave};
use flockwork::connect::LOCAL_NAME;
use jiff::SignedDuration;
use keymaker::{Keymaker, Settings};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::{
    slack::{Slack, room, user},
    world::{APP_PASSWORD, KEYRING, World, bluesky_account, did, far_deadline},
};

pub(crate) const KEYS_URL: &str = "https://keys.example/keys";

/// A browser before the function, with its cookies.
pub(crate) struct Browser {
    pub(crate) function: Arc<Keymaker>,
    pub(crate) cookies: BTreeMap<String, String>,
    /// What is sent with every request besides.
    headers: BTreeMap<&'static str, &'static str>,
    /// When its invocations are ended.
    pub(crate) deadline: fn() -> SystemTime,
}

/// What a browser was answered.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u64,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

pub(crate) fn settings(world: &World) -> Settings {
    Settings {
        table: LOCAL_NAME.to_owned(),
        bus: LOCAL_NAME.to_owned(),
        keys_url: KEYS_URL.parse().unwrap(),
        networks: world.networks(),
    }
}

/// A request as API Gateway hands it on.
pub(crate) fn event(
    method: &str,
    url: &str,
    cookies: &BTreeMap<String, String>,
    headers: &BTreeMap<&'static str, &'static str>,
    body: &str,
) -> Value {
    let path = url.strip_prefix("https://keys.example").unwrap_or(url);
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let cookies: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    json!({
        "version": "2.0", "routeKey": format!("{method} /keys/{{path+}}"),
        "rawPath": path, "rawQueryString": query, "cookies": cookies, "headers": headers,
        "requestContext": {
            "accountId": "1", "apiId": "a", "domainName": "keys.example", "domainPrefix": "keys",
            "http": {
                "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1",
                "userAgent": "Test",
            },
            "requestId": "r", "routeKey": "r", "stage": "$default",
            "time": "21/Nov/2026:12:00:00 +0000", "timeEpoch": 1_795_262_400_000_i64,
        },
        "body": body, "isBase64Encoded": false,
    })
}

/// Does with the cookies of an answer what browsers do.
pub(crate) fn take_cookies(cookies: &mut BTreeMap<String, String>, answer: &Value) {
    for line in answer["cookies"].as_array().into_iter().flatten() {
        let (cookie, rest) = line.as_str().unwrap().split_once(';').unwrap();
        let (name, value) = cookie.split_once('=').unwrap();
        assert!(rest.contains("; Secure") && rest.contains("HttpOnly"), "{rest}");
        if rest.contains("Max-Age=0;") {
            cookies.remove(name);
        } else {
            cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

impl Browser {
    pub(crate) async fn new(world: &World) -> Self {
        let (aws, clock) = (world.cloud.aws(), world.clock.clone());
        let function = Keymaker::start(settings(world), &aws, clock).await.unwrap();
        Self::of(&Arc::new(function))
    }

    pub(crate) fn of(function: &Arc<Keymaker>) -> Self {
        let headers = BTreeMap::from([
            ("content-type", "application/x-www-form-urlencoded"),
            ("origin", "null"),
            ("sec-fetch-site", "same-origin"),
        ]);
        let (cookies, deadline) = (BTreeMap::new(), far_deadline);
        Self { function: Arc::clone(function), cookies, headers, deadline }
    }

    async fn send(&mut self, method: &str, url: &str, body: &str) -> Answered {
        let event = event(method, url, &self.cookies, &self.headers, body);
        let answer = self.function.handle(event, (self.deadline)()).await.unwrap();
        let answered = Answered::read(&answer);
        take_cookies(&mut self.cookies, &answer);
        answered
    }

    pub(crate) async fn open(&mut self, url: &str) -> Answered {
        self.send("GET", url, "").await
    }

    /// Presses the button of a link's page.
    pub(crate) async fn press(&mut self, url: &str, form: &str) -> Answered {
        self.send("POST", url, form).await
    }
}

impl Answered {
    pub(crate) fn read(answer: &Value) -> Self {
        let headers = ["headers", "multiValueHeaders"].into_iter().flat_map(|part| {
            answer[part].as_object().into_iter().flatten().map(|(name, value)| {
                let value = value.as_str().or_else(|| value[0].as_str()).unwrap_or_default();
                (name.to_lowercase(), value.to_owned())
            })
        });
        Self {
            status: answer["statusCode"].as_u64().unwrap(),
            headers: headers.collect(),
            body: answer["body"].as_str().unwrap_or_default().to_owned(),
        }
    }

    /// The headline of the page.
    pub(crate) fn title(&self) -> String {
        let shown = self.shown();
        let (_, words) = shown.split_once(": ").unwrap();
        words.lines().next().unwrap_or_default().to_owned()
    }

    /// The status and the words of the page.
    pub(crate) fn shown(&self) -> String {
        let (_, main) = self.body.split_once("<main>").unwrap_or(("", &self.body));
        let main = main.split("</main>").next().unwrap();
        let mut text = String::new();
        for (place, part) in main.split('<').enumerate() {
            let (tag, words) = part.split_once('>').unwrap_or(("", part));
            let is_block = ["/h1", "/p", "/li", "/button", "/form"].contains(&tag);
            if place == 0 {
                text.push_str(part);
            } else {
                text.push_str(if is_block { "\n" } else { "" });
                text.push_str(words);
            }
        }
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        format!("{}: {}", self.status, without_ports(&lines.collect::<Vec<_>>().join("\n")))
    }
}

/// Where the stand-ins are differs from run to run.
fn without_ports(text: &str) -> String {
    const HOST: &str = "http://127.0.0.1:";
    let mut parts = text.split(HOST);
    let mut said = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        said += "http://HERE";
        said += part.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    said
}

pub(crate) fn form(password: &str) -> String {
    format!("way=password&labelled=yes&password={password}")
}

/// An account on Bluesky that is not here yet.
pub(crate) fn apollo(world: &World) -> AccountId {
    let id = bluesky_account("apollo");
    world.bluesky.account(id.handle.as_str(), &did("apollo"), APP_PASSWORD);
    id
}

pub(crate) fn by_slack() -> By {
    By::Slack { user: user("U1"), room: room("C1") }
}

pub(crate) async fn noted(world: &World, by: By) -> Noted {
    let who = Who { by, at: world.clock.now(), id: DeliveryId::of(&["test"]) };
    Noted::begin(&world.store, who, "test".to_owned()).await.unwrap()
}

/// The address of a link that connects `id`.
pub(crate) async fn connect(world: &World, id: &AccountId, by: By) -> String {
    let (noted, server) = (noted(world, by).await, Some(world.bluesky_url.clone()));
    let link = link_to_connect(&world.store, &noted, id, server, world.clock.now()).await.unwrap();
    format!("{KEYS_URL}/connect/{}", link.token.expose_secret())
}

pub(crate) async fn renew(world: &World, id: &AccountId) -> String {
    let noted = noted(world, by_slack()).await;
    let link = link_to_renew(&world.store, &noted, id, world.clock.now()).await.unwrap();
    format!("{KEYS_URL}/connect/{}", link.token.expose_secret())
}

/// Somebody in Slack, from the command to the room that is told.
#[tokio::test]
async fn an_account_is_connected_from_slack_and_the_room_is_told_once() {
    let mut slack = Slack::start().await.with_pages(KEYS_URL).await;
    let id = apollo(&slack.world);
    let url = slack.world.bluesky_url.clone();
    let asked = slack.flock(&format!("account connect {id} {url}")).await;
    insta::assert_snapshot!(asked, @"*Whoever opens this page and signs in as it connects `bluesky:apollo.test`. The button works once, for 10 minutes, and is for you alone.");
    let link = slack.link("U1", "C1");
    let mut browser = Browser::new(&slack.world).await;
    // Whatever looks at links does not press buttons.
    browser.open(&link).await;
    let page = browser.open(&link).await;
    insta::assert_snapshot!(page.shown(), @"
    200: Connect bluesky:apollo.test
    Sign in as the bot bluesky:apollo.test, and Flockwork can post through it. Nobody sees its password or its key.
    Asked for in Slack by the member U1, in the channel C1. The link works once, until 12:10:00 UTC.
    App password of apollo.testNot the account's own password: make an app password in its settings, which can be revoked there.
    Have Bluesky show that this is a bot's account
    Connect
    Did somebody send you this link whom you do not know? Then close this page: nothing happens.
    ");
    assert_eq!(slack.world.store.account(&id).await.unwrap(), None);
    let done = browser.press(&link, &form(APP_PASSWORD)).await;
    insta::assert_snapshot!(done.shown(), @"
    200: bluesky:apollo.test is connected
    bluesky:apollo.test is connected. You can close this.
    ");
    let account = slack.world.store.account(&id).await.unwrap().unwrap();
    assert_eq!((account.remote_user, account.facts.labelled), (did("apollo"), true));
    let before = slack.seen("U1", "C1");
    slack.events().await;
    let told = crate::slack::shown(&before, &slack.seen("U1", "C1"));
    insta::assert_snapshot!(told, @"`bluesky:apollo.test` is connected: sheep can post through it.");
    insta::assert_snapshot!(slack.flock("account list").await, @"*`bluesky:apollo.test`: 0 sheep");
    let audit = slack.flock("audit").await;
    assert!(audit.contains(&format!("account connect {id} (signed in)")), "{audit}");
    for again in [browser.open(&link).await, browser.press(&link, &form(APP_PASSWORD)).await] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(again.shown(), @"
            410: This link was used
            bluesky:apollo.test is connected by it. You can close this.
            ");
        }
    }
    assert_eq!(slack.world.bluesky.logins(&did("apollo")), 1);
}

#[tokio::test]
async fn what_cannot_be_asked_for_in_slack_is_refused() {
    let mut slack = Slack::start().await;
    let mut said = vec![slack.flock("account connect x:milton").await];
    slack = slack.with_pages(KEYS_URL).await;
    slack.world.sheep("juno", Network::Bluesky, 3).await;
    for line in [
        "account connect meadow:moon",
        "account connect x:milton https://x.example",
        "account connect bluesky:juno.test",
        "account connect bluesky:moon.test example",
        "account connect nowhere:moon",
        "account connect",
        "account renew bluesky:moon.test",
        "account remove bluesky:moon.test",
        "account remove bluesky:juno.test",
    ] {
        said.push(slack.flock(line).await);
    }
    said.push(slack.enter("U2", "C1", "/flock account connect x:milton").await);
    insta::assert_snapshot!(said.join("\n"), @"
    *Nobody can sign in here: this deployment has no pages for that (`KEYS_URL`).
    *Accounts of the meadow need no key: just name them in a flock.
    *X has one server alone; leave its address out.
    *bluesky:juno.test is connected already. `/flock account renew bluesky:juno.test` gives it a new key.
    *That is no address of a server; write it as https://example.social, without a password and without anything behind the name.
    *`nowhere` is not a network: use one of meadow, x, mastodon, bluesky.
    *That is not how it is written:
    `/flock account connect &lt;network:handle&gt;` - Connect an account by signing in as it; gives you a link
    `/flock account connect &lt;network:handle&gt; &lt;server&gt;` - Connect an account by signing in as it; gives you a link
    For example `/flock account connect x:milton`.
    *The account bluesky:moon.test was never added. `/flock account connect bluesky:moon.test` connects it.
    *The account bluesky:moon.test was never added.
    **flock/juno* would have no account; move or remove them first. `/flock sheep` lists them.
    *`account connect` needs the highest level of this room, `owner` (rank 2); you have no level here. <@U1> can grant it.
    ");
}

#[tokio::test]
async fn an_account_is_removed_after_a_question() {
    let mut slack = Slack::start().await;
    let id = bluesky_account("apollo");
    slack.world.bluesky.account(id.handle.as_str(), &did("apollo"), APP_PASSWORD);
    slack.world.add_bluesky(&id, &slack.world.clock).await.unwrap();
    insta::assert_snapshot!(slack.flock("account remove bluesky:apollo.test").await, @"
    *This removes `bluesky:apollo.test` with its key. What was posted through it stays.
    The button works for 5 minutes. [Remove the account] [Cancel]
    ");
    insta::assert_snapshot!(slack.press("U1", "C1", "Remove the account").await, @"Removed `bluesky:apollo.test` with its key. On its network the key still works, until it is revoked there.");
    assert_eq!(slack.world.store.account(&id).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_typed_wrong_can_be_typed_again_until_the_link_expires() {
    let world = World::start().await;
    let id = apollo(&world);
    let link = connect(&world, &id, by_slack()).await;
    let mut browser = Browser::new(&world).await;
    let mut said = Vec::new();
    for form in ["", "way=oauth1", "way=password", &form("hush"), &form("aaaa-bbbb-cccc-dddd")] {
        said.push(browser.press(&link, form).await.shown());
    }
    world.bluesky.misbehave("createSession", BlueskyMisbehave::AcceptThenSilence);
    said.push(browser.press(&link, &form(APP_PASSWORD)).await.shown());
    assert_eq!(world.store.account(&id).await.unwrap(), None);
    world.clock.step_to(world.clock.now() + SignedDuration::from_mins(10));
    said.push(browser.press(&link, &form(APP_PASSWORD)).await.shown());
    said.push(browser.open(&link).await.shown());
    said.push(browser.open(&format!("{KEYS_URL}/connect/wrong")).await.shown());
    said.push(
        browser.press(&format!("{KEYS_URL}/connect/wrong"), &form(APP_PASSWORD)).await.shown(),
    );
    insta::assert_snapshot!(said.join("\n\n"), @"
    422: Connect bluesky:apollo.test
    Choose how to sign in.
    Sign in as the bot bluesky:apollo.test, and Flockwork can post through it. Nobody sees its password or its key.
    Asked for in Slack by the member U1, in the channel C1. The link works once, until 12:10:00 UTC.
    App password of apollo.testNot the account's own password: make an app password in its settings, which can be revoked there.
    Have Bluesky show that this is a bot's account
    Connect
    Did somebody send you this link whom you do not know? Then close this page: nothing happens.

    422: Connect bluesky:apollo.test
    Choose how to sign in.
    Sign in as the bot bluesky:apollo.test, and Flockwork can post through it. Nobody sees its password or its key.
    Asked for in Slack by the member U1, in the channel C1. The link works once, until 12:10:00 UTC.
    App password of apollo.testNot the account's own password: make an app password in its settings, which can be revoked there.
    Have Bluesky show that this is a bot's account
    Connect
    Did somebody send you this link whom you do not know? Then close this page: nothing happens.

    422: Connect bluesky:apollo.test
    Type the app password.
    Sign in as the bot bluesky:apollo.test, and Flockwork can post through it. Nobody sees its password or its key.
    Asked for in Slack by the member U1, in the channel C1. The link works once, until 12:10:00 UTC.
    App password of apollo.testNot the account's own password: make an app password in its settings, which can be revoked there.
    Have Bluesky show that this is a bot's account
    Connect
    Did somebody send you this link whom you do not know? Then close this page: nothing happens.

    422: Connect bluesky:apollo.test
    An app password has four times four letters or digits, xxxx-xxxx-xxxx-xxxx; make one in the account's settings, and do not give the account's own password.
    Sign in as the bot bluesky:apollo.test, and Flockwork can post through it. Nobody sees its password or its key.
    Asked for in Slack by the member U1, in the channel C1. The link works once, until 12:10:00 UTC.
    App password of apollo.testNot the account's own password: make an app password in its settings, which can be revoked there.
    Have Bluesky show that this is a bot's account
    Connect
    Did somebody send you this link whom you do not know? Then close this page: nothing happens.

    422: Connect bluesky:apollo.test
    bluesky:apollo.test is not added: Bluesky does not accept the account's app password: &quot;Invalid identifier or password&quot;; it is mistyped or was revoked, or the account was taken down: look in its settings, and give a new one.
    Sign in as the bot bluesky:apollo.test, and Flockwork can post through it. Nobody sees its password or its key.
    Asked for in Slack by the member U1, in the channel C1. The link works once, until 12:10:00 UTC.
    App password of apollo.testNot the account's own password: make an app password in its settings, which can be revoked there.
    Have Bluesky show that this is a bot's account
    Connect
    Did somebody send you this link whom you do not know? Then close this page: nothing happens.

    422: Connect bluesky:apollo.test
    bluesky:apollo.test is not added: Bluesky did not answer: operation timed out; try again later.
    Sign in as the bot bluesky:apollo.test, and Flockwork can post through it. Nobody sees its password or its key.
    Asked for in Slack by the member U1, in the channel C1. The link works once, until 12:10:00 UTC.
    App password of apollo.testNot the account's own password: make an app password in its settings, which can be revoked there.
    Have Bluesky show that this is a bot's account
    Connect
    Did somebody send you this link whom you do not know? Then close this page: nothing happens.

    410: This link has expired
    A link lives ten minutes, and so does a sign-in that it has begun. Nothing has changed. In Slack /flock account connect bluesky:apollo.test http://HERE makes a fresh link.

    410: This link has expired
    A link lives ten minutes, and so does a sign-in that it has begun. Nothing has changed. In Slack /flock account connect bluesky:apollo.test http://HERE makes a fresh link.

    404: This link is not known
    It is not whole, or it is older than a day. Ask for a fresh one where you got it.

    404: This link is not known
    It is not whole, or it is older than a day. Ask for a fresh one where you got it.
    ");
    assert_eq!(world.store.account(&id).await.unwrap(), None);
}

#[tokio::test]
async fn another_account_or_the_same_twice_is_refused_and_changes_nothing() {
    let world = World::start().await;
    let mut browser = Browser::new(&world).await;
    let mut said = Vec::new();
    // Two links for one account.
    let id = apollo(&world);
    let links = [connect(&world, &id, by_slack()).await, connect(&world, &id, by_slack()).await];
    for link in &links {
        said.push(browser.press(link, &form(APP_PASSWORD)).await.shown());
    }
    let before = world.store.account(&id).await.unwrap();
    // The same user under a name that it had before.
    let other = bluesky_account("apollon");
    world.bluesky.account(other.handle.as_str(), &did("apollo"), APP_PASSWORD);
    let link = connect(&world, &other, by_slack()).await;
    said.push(browser.press(&link, &form(APP_PASSWORD)).await.shown());
    assert_eq!(world.store.account(&other).await.unwrap(), None);
    // A renewal by another user, who has the name by now.
    let link = renew(&world, &id).await;
    world.bluesky.account(id.handle.as_str(), &did("impostor"), APP_PASSWORD);
    said.push(browser.press(&link, &form(APP_PASSWORD)).await.shown());
    insta::assert_snapshot!(said.join("\n\n"), @"
    200: bluesky:apollo.test is connected
    bluesky:apollo.test is connected. You can close this.

    409: bluesky:apollo.test is connected already
    Nothing has changed. In Slack /flock account renew bluesky:apollo.test makes a link that gives it a new key.

    422: Connect bluesky:apollon.test
    bluesky:apollon.test is not added: it is connected already, as bluesky:apollo.test.
    Sign in as the bot bluesky:apollon.test, and Flockwork can post through it. Nobody sees its password or its key.
    Asked for in Slack by the member U1, in the channel C1. The link works once, until 12:10:00 UTC.
    App password of apollon.testNot the account's own password: make an app password in its settings, which can be revoked there.
    Have Bluesky show that this is a bot's account
    Connect
    Did somebody send you this link whom you do not know? Then close this page: nothing happens.

    422: A new key for bluesky:apollo.test
    bluesky:apollo.test keeps its key: the new one is that of the user did:plc:impostoraaaaaaaaaaaaaaaa, and bluesky:apollo.test is the user did:plc:apolloaaaaaaaaaaaaaaaaaa; sign in as that one.
    Sign in as the bot bluesky:apollo.test once more. Its sheep that stopped because its key did not work go on from where they were.
    Asked for in Slack by the member U1, in the channel C1. The link works once, until 12:10:00 UTC.
    App password of apollo.testNot the account's own password: make an app password in its settings, which can be revoked there.
    Have Bluesky show that this is a bot's account
    Connect
    Did somebody send you this link whom you do not know? Then close this page: nothing happens.
    ");
    assert_eq!(world.store.account(&id).await.unwrap(), before);
}

#[tokio::test]
async fn a_renewal_resumes_what_stopped_for_the_key_and_nothing_else() {
    let mut slack = Slack::start().await.with_pages(KEYS_URL).await;
    let world = &slack.world;
    let id = world.sheep("apollo", Network::Bluesky, 5).await;
    let app = world.app().await;
    world.tick_at(&app, 0).await;
    let account = world.read(&id).await.config.account;
    // Others on the same account.
    let clones =
        ["paused", "stopped"].map(|name| SheepId { name: name.parse().unwrap(), ..id.clone() });
    for clone in &clones {
        let sheep = flock_core::Sheep { id: clone.clone(), ..world.read(&id).await };
        world.store.enlist(&[(clone.clone(), account.clone())]).await.unwrap();
        let born = flock_core::Sheep { version: 1, ..sheep };
        world.store.create_sheep(&born).await.unwrap();
        let sheep = world.read(clone).await;
        let now = world.clock.now();
        let changed = match clone.name.as_str() {
            "paused" => sheep.pause(now),
            _ => sheep.stop("its texts are gone".to_owned(), now),
        };
        assert_eq!(world.store.put_sheep(&changed).await.unwrap(), Write::Done);
    }
    world.bluesky.revoke_app_password(&did("apollo"));
    world.bluesky.expire_access();
    world.bluesky.end_sessions();
    world.tick_at(&app, 3).await;
    let stopped = world.read(&id).await;
    assert!(
        matches!(stopped.state, State::Stopped { for_account: true, .. }),
        "{:?}",
        stopped.state
    );
    let before = slack.seen("U1", "C2");
    slack.events().await;
    let told = crate::slack::shown(&before, &slack.seen("U1", "C2"));
    assert!(told.ends_with("[Resume] [Renew the key]"), "{told}");
    let told = slack.press("U1", "C2", "Renew the key").await;
    insta::assert_snapshot!(told, @"*Whoever opens this page and signs in as it gives a new key to `bluesky:apollo.test`. The button works once, for 10 minutes, and is for you alone.");
    let link = slack.link("U1", "C2");
    let world = &slack.world;
    world.bluesky.account("apollo.test", &did("apollo"), "mnop-ijkl-efgh-abcd");
    world.bluesky.profile(&did("apollo"), &["bot"]);
    let mut browser = Browser::new(world).await;
    insta::assert_snapshot!(browser.open(&link).await.shown(), @"
    200: A new key for bluesky:apollo.test
    Sign in as the bot bluesky:apollo.test once more. Its sheep that stopped because its key did not work go on from where they were.
    Asked for in Slack by the member U1, in the channel C2. The link works once, until 12:13:00 UTC.
    App password of apollo.testNot the account's own password: make an app password in its settings, which can be revoked there.
    Have Bluesky show that this is a bot's account
    Connect
    Did somebody send you this link whom you do not know? Then close this page: nothing happens.
    ");
    let done = browser.press(&link, &form("mnop-ijkl-efgh-abcd")).await;
    insta::assert_snapshot!(done.shown(), @"
    200: bluesky:apollo.test has a new key
    bluesky:apollo.test has a new key. You can close this.
    1 sheep goes on from where it was.
    ");
    let [paused, other] = clones;
    assert!(matches!(world.read(&paused).await.state, State::Paused { .. }));
    assert!(matches!(world.read(&other).await.state, State::Stopped { for_account: false, .. }));
    let before = slack.seen("U1", "C2");
    slack.events().await;
    insta::assert_snapshot!(crate::slack::shown(&before, &slack.seen("U1", "C2")), @"`bluesky:apollo.test` has a new key. 1 sheep that had stopped for it goes on from where it was.");
    let world = &slack.world;
    world.tick_at(&app, 4).await;
    let seen = world.seen(&id).await;
    assert_eq!(seen.last().map(String::as_str), Some("apollo line 1"), "{seen:?}");
}

#[tokio::test]
async fn of_two_presses_at_once_one_asks_the_network() {
    let world = World::start().await;
    let id = apollo(&world);
    let link = connect(&world, &id, by_slack()).await;
    let first = Browser::new(&world).await;
    let mut second = Browser::of(&first.function);
    let mut first = first;
    let form = form(APP_PASSWORD);
    let (one, other) = tokio::join!(first.press(&link, &form), second.press(&link, &form));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert!([[200, 409], [200, 410]].contains(&statuses), "{}\n{}", one.shown(), other.shown());
    assert_eq!(world.bluesky.logins(&did("apollo")), 1);
}

/// Networks do not tell capitals apart, and the table does.
#[tokio::test]
async fn an_account_that_is_there_with_other_capitals_is_refused_before_there_is_a_link() {
    let mut slack = Slack::start().await.with_pages(KEYS_URL).await;
    slack.world.sheep("apollo", Network::X, 3).await;
    let mut said = Vec::new();
    for line in ["connect x:Apollo", "renew x:APOLLO", "check x:Apollo", "remove x:Apollo"] {
        said.push(slack.flock(&format!("account {line}")).await);
    }
    insta::assert_snapshot!(said.join("\n"), @"
    *x:Apollo is connected already, as x:apollo: write it so. `/flock account renew x:apollo` gives it a new key.
    *The account x:APOLLO was never added; x:apollo is: write it so.
    *The account x:Apollo was never added; x:apollo is: write it so.
    *The account x:Apollo was never added; x:apollo is: write it so.
    ");
}

/// Its end differs with the sign-in.
const COOKIE: &str = "__Secure-flockwork-sign-in-0123456789abcdef";

/// A sign-in that waits for somebody to come back with this cookie.
async fn begun(world: &World, browser: &mut Browser) -> TokenDigest {
    let id = apollo(world);
    let work = SignIn {
        id: TokenDigest::of("link"),
        account: id.clone(),
        purpose: Purpose::Connect,
        server: Some("https://pds.example".to_owned()),
    };
    let keyring = Keyring::parse(&SecretString::from(KEYRING)).unwrap();
    let sent_off = SentOff {
        way: Way::OAuth2,
        kept: keyring.seal(&id, &SecretString::from("kept-of-the-test")),
        labelled: false,
    };
    let now = world.clock.now();
    let mut sign_in = SigningIn::new(work, now);
    let by = By::CommandLine { user: "ada".to_owned(), arn: None };
    for step in 0..3 {
        sign_in = match step {
            0 => sign_in,
            1 => sign_in.press(now, now).unwrap(),
            _ => {
                let (browser, back) = ("cookie-of-the-browser", "s");
                let bound =
                    Bound { browser: TokenDigest::of(browser), back: TokenDigest::of(back) };
                sign_in.begun(sent_off.clone(), bound, now)
            }
        };
        let asked = AskedSignIn { sign_in: sign_in.clone(), by: by.clone() };
        assert_eq!(world.store.put_sign_in(&asked).await.unwrap(), Write::Done);
    }
    let value = format!("{}.cookie-of-the-browser", TokenDigest::of("link"));
    browser.cookies.insert(COOKIE.to_owned(), value);
    TokenDigest::of("link")
}

#[tokio::test]
async fn whoever_comes_back_has_the_cookie_and_comes_once() {
    let world = World::start().await;
    let mut browser = Browser::new(&world).await;
    let callback = format!("{KEYS_URL}/callback?code=c&state=s");
    let mut said = vec![browser.open(&callback).await.shown()];
    let id = begun(&world, &mut browser).await;
    // Another browser, with a cookie of another sign-in, or a made-up one.
    let mut another = Browser::of(&browser.function);
    for value in ["x", &format!("{id}.guessed"), &format!("{}.x", TokenDigest::of("other"))] {
        another.cookies.insert(COOKIE.to_owned(), value.to_owned());
        assert_eq!(another.open(&callback).await.shown(), said[0]);
    }
    // The link's page says that it was used.
    said.push(browser.open(&format!("{KEYS_URL}/connect/link")).await.shown());
    // The seam says what comes of it; of two at once one asks it.
    let mut twin = Browser::of(&browser.function);
    twin.cookies.clone_from(&browser.cookies);
    let (one, other) = tokio::join!(browser.open(&callback), twin.open(&callback));
    let (first, second) = if one.status == 403 { (one, other) } else { (other, one) };
    assert!([409, 410].contains(&second.status), "{}", second.shown());
    said.push(first.shown());
    twin.cookies.insert(COOKIE.to_owned(), format!("{id}.cookie-of-the-browser"));
    said.push(twin.open(&callback).await.shown());
    insta::assert_snapshot!(said.join("\n\n"), @"
    403: This browser has begun no sign-in
    Whoever comes back from a network has to come with the browser that pressed the button of the link, and within ten minutes; this one has not. Nothing has changed.
    Did you press it in another browser? Go on there. Otherwise ask for a fresh link, and open it in this one.

    410: This link was used
    Somebody has begun to sign in by it, and it works once. If that was you, go on where you are; if not, somebody else has the link. At the command line flockwork account connect bluesky:apollo.test --server https://pds.example makes a fresh link.

    403: bluesky:apollo.test is not connected
    bluesky:apollo.test cannot be signed in to with OAuth 2.0.
    Nothing has changed. At the command line flockwork account connect bluesky:apollo.test --server https://pds.example makes a fresh link.

    410: This link was used
    It works once, and bluesky:apollo.test is not connected by it: bluesky:apollo.test cannot be signed in to with OAuth 2.0. At the command line flockwork account connect bluesky:apollo.test --server https://pds.example makes a fresh link.
    ");
}

#[tokio::test]
async fn who_takes_too_long_or_died_on_the_way_starts_afresh() {
    let mut said = Vec::new();
    for is_late in [true, false] {
        let world = World::start().await;
        let mut browser = Browser::new(&world).await;
        let id = begun(&world, &mut browser).await;
        if is_late {
            world.clock.step_to(world.clock.now() + SignedDuration::from_mins(10));
        } else {
            let asked = world.store.sign_in(&id).await.unwrap().unwrap();
            let browser = TokenDigest::of("cookie-of-the-browser");
            let now = world.clock.now();
            let (claimed, _) = asked.sign_in.come_back(&browser, now, now).unwrap();
            let asked = AskedSignIn { sign_in: claimed, ..asked };
            assert_eq!(world.store.put_sign_in(&asked).await.unwrap(), Write::Done);
        }
        said.push(browser.open(&format!("{KEYS_URL}/callback?code=c&state=s")).await.shown());
    }
    insta::assert_snapshot!(said.join("\n\n"), @"
    410: This link has expired
    A link lives ten minutes, and so does a sign-in that it has begun. Nothing has changed. At the command line flockwork account connect bluesky:apollo.test --server https://pds.example makes a fresh link.

    410: Nobody knows what came of this
    Something broke while bluesky:apollo.test was being connected, and what you came back with works once. No key is stored. At the command line flockwork account connect bluesky:apollo.test --server https://pds.example makes a fresh link.
    ");
}

#[tokio::test]
async fn the_door_takes_forms_of_its_own_pages_and_nothing_else() {
    let world = World::start().await;
    let id = apollo(&world);
    let link = connect(&world, &id, by_slack()).await;
    let mut browser = Browser::new(&world).await;
    let mut said = Vec::new();
    for method in ["HEAD", "PUT", "DELETE"] {
        let answered = browser.send(method, &link, "").await;
        said.push(format!("{method} {}", answered.status));
    }
    said.push(browser.send("POST", &format!("{KEYS_URL}/callback"), "").await.shown());
    said.push(browser.open(&format!("{KEYS_URL}/else")).await.shown());
    said.push(browser.press(&link, &"x".repeat(17 * 1024)).await.shown());
    let own = browser.headers.clone();
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        browser.headers = own.clone();
        browser.headers.insert(name, value);
        let answered = browser.press(&link, &form(APP_PASSWORD)).await;
        said.push(format!("{name} {value} {}", answered.status));
    }
    said.push(browser.press(&link, &form(APP_PASSWORD)).await.shown());
    insta::assert_snapshot!(said.join("\n"), @"
    HEAD 405
    PUT 405
    DELETE 405
    405: This page can be opened and its button pressed
    Open the link in a browser. Nothing has changed.
    404: There is no such page
    Pages here are opened by a link. Ask for one where you give commands.
    413: That is too long
    What was sent is longer than any form here. Open the link again. Nothing has changed.
    origin https://evil.example 403
    sec-fetch-site cross-site 403
    sec-fetch-site same-site 403
    403: This form is not from this page
    Another site has sent it. Open the link itself, and press the button there. Nothing has changed.
    ");
    // Nothing of it was done, and an old browser is let in by the link alone.
    browser.headers = BTreeMap::from([("content-type", "application/x-www-form-urlencoded")]);
    assert_eq!(browser.press(&link, &form(APP_PASSWORD)).await.status, 200);
}

#[tokio::test]
async fn every_page_carries_its_policy() {
    let world = World::start().await;
    let id = apollo(&world);
    let link = connect(&world, &id, by_slack()).await;
    let mut browser = Browser::new(&world).await;
    let mut policies = std::collections::BTreeSet::new();
    for url in [&link, &format!("{KEYS_URL}/callback"), &format!("{KEYS_URL}/else")] {
        let Answered { headers, body, .. } = browser.open(url).await;
        assert!(headers["content-type"].starts_with("text/html"), "{headers:?}");
        assert!(body.starts_with("<!DOCTYPE html><html lang=\"en\">"), "{body}");
        assert!(!body.contains("<script") && !body.contains(" style="), "{body}");
        for (name, value) in [
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(headers[name], value, "{url}");
        }
        policies.insert(headers["content-security-policy"].clone());
    }
    let policy = policies.into_iter().collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(policy, @"default-src 'none'; style-src 'sha256-zC27E8FPqbuOoH7L6fQcnL0G2rOMA6SIJa49Pu4E/IY='; form-action 'self'; frame-ancestors 'none'; base-uri 'none'");
}

/// Of the link, the browser and the keys, nothing lies in clear anywhere.
#[tokio::test]
async fn no_secret_is_in_the_table_in_clear() {
    let world = World::start().await;
    let mut browser = Browser::new(&world).await;
    begun(&world, &mut browser).await;
    let id = bluesky_account("apollo");
    let link = connect(&world, &id, by_slack()).await;
    let token = link.rsplit('/').next().unwrap().to_owned();
    let mut seen = Vec::new();
    for _ in 0..2 {
        seen.push(format!("{:?}", world.items().await));
        let page = browser.press(&link, &form(APP_PASSWORD)).await;
        seen.push(format!("{page:?}"));
    }
    let shown = format!("{:?}", browser.function);
    seen.push(shown);
    for secret in [
        token.as_str(),
        "cookie-of-the-browser",
        "kept-of-the-test",
        APP_PASSWORD,
        BLUESKY_TOKENS_BEGIN,
    ] {
        assert!(seen.iter().all(|text| !text.contains(secret)), "{secret}");
    }
    assert!(world.store.account(&id).await.unwrap().is_some());
}
