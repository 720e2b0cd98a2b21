//! Signing in at X, by OAuth 1.0a and by OAuth 2.0, and renewing what OAuth 2.0 gives.

use std::sync::Arc;

use flock_aws::{Clock, Keyring};
use flock_core::{AccountId, Network, SheepId, State, Way};
use flock_net::{Account, Back, Begun, Networks, NewKey, NotSignedIn, Proof, SignInTo};
use flock_ops::{KeyFrom, NewAccount};
use flock_tests::{Misbehave, Operation, Person, Shown, Trouble};
use futures_util::future::join_all;
use insta::assert_snapshot;
use jiff::SignedDuration;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::world::{KEYRING, START, World, ts, user_id, x_app};

const BACK: &str = "https://flock.example/keys/callback";

const STATE: &str = "state0123456789";

/// Somebody who signs in.
struct SigningIn {
    world: World,
    networks: Networks,
    id: AccountId,
    app: SecretString,
    way: Way,
}

impl SigningIn {
    async fn with(way: Way) -> Self {
        let world = World::start().await;
        world.x.callback(BACK);
        world.x.called("7", "milton");
        world.x.person(Person::Allows("7".to_owned()));
        // X compares clocks.
        let networks =
            Networks::new(world.store.clone(), &world.networks(), &flock_aws::Clock::wall());
        let app = SecretString::from(x_app().to_string());
        Self { world, networks, id: "x:milton".parse().unwrap(), app, way }
    }

    fn to(&self) -> SignInTo<'_> {
        SignInTo { id: &self.id, way: self.way, server: None, app: Some(&self.app) }
    }

    async fn begin(&self) -> Begun {
        let state = SecretString::from(STATE);
        let begun = self.networks.begin_sign_in(self.to(), Back::Sent { to: BACK, state: &state });
        begun.await.unwrap()
    }

    async fn not_begun(&self, back: Back<'_>) -> String {
        self.networks.begin_sign_in(self.to(), back).await.unwrap_err().to_string()
    }

    /// The query that X sends somebody back with from the page.
    fn visit(&self, begun: &Begun) -> Vec<(String, String)> {
        let Shown::Elsewhere(to) = self.world.x.visit(&begun.page) else {
            panic!("nobody is sent back from {}", begun.page)
        };
        let (address, query) = to.split_once('?').unwrap();
        assert_eq!(address, BACK);
        form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    async fn finish(
        &self,
        begun: &Begun,
        query: &[(String, String)],
    ) -> Result<NewKey, NotSignedIn> {
        self.networks.finish_sign_in(self.to(), &begun.kept, Proof::Query(query)).await
    }

    async fn typed(&self, begun: &Begun, pin: &str) -> Result<NewKey, NotSignedIn> {
        let pin = SecretString::from(pin);
        self.networks.finish_sign_in(self.to(), &begun.kept, Proof::Typed(&pin)).await
    }

    /// Whose the key is, as X says once more.
    async fn checked(&self, key: NewKey) -> Result<(), String> {
        let (id, app) = (self.id.clone(), Some(self.app.clone()));
        let new = NewAccount { id, key, app, networks: &self.networks };
        new.check(KeyFrom::SignIn(flock_core::Purpose::Connect))
            .await
            .map(|_| ())
            .map_err(|err| format!("{err:#}"))
    }

    fn asked(&self) -> usize {
        let of = |operation| self.world.x.asked(operation);
        of(Operation::AccessToken) + of(Operation::OAuth2Token)
    }
}

#[track_caller]
fn said(end: Result<NewKey, NotSignedIn>) -> String {
    end.map(|_| ()).unwrap_err().to_string()
}

#[tokio::test]
async fn who_is_sent_back_gives_a_key_in_both_ways() {
    for way in [Way::OAuth1, Way::OAuth2] {
        let somebody = SigningIn::with(way).await;
        let begun = somebody.begin().await;
        let query = somebody.visit(&begun);
        let key = somebody.finish(&begun, &query).await.unwrap();
        assert_eq!((key.handle.as_deref(), key.remote_user.as_str()), (Some("milton"), "7"));
        assert_eq!(key.session.is_some(), way == Way::OAuth2);
        if way == Way::OAuth2 {
            let scopes =
                ["tweet.read", "tweet.write", "users.read", "media.write", "offline.access"];
            let sealed: serde_json::Value = serde_json::from_str(key.key.expose_secret()).unwrap();
            assert_eq!(sealed, json!({ "way": "oauth2", "scopes": scopes }));
            assert!(begun.page.contains("scope=tweet.read%20tweet.write%20"), "{}", begun.page);
            // Whose it is is looked up once.
            assert_eq!(somebody.world.x.asked(Operation::Me), 1);
        }
        somebody.checked(key).await.unwrap();
        // Once is enough.
        let again = said(somebody.finish(&begun, &query).await);
        assert!(again.starts_with("X does not take "), "{again}");
        assert!(again.ends_with("it has ended or was used; begin again"), "{again}");
    }
}

#[tokio::test]
async fn a_pin_is_typed() {
    let somebody = SigningIn::with(Way::OAuth1).await;
    let begun = somebody.networks.begin_sign_in(somebody.to(), Back::Typing).await.unwrap();
    let Shown::Pin(pin) = somebody.world.x.visit(&begun.page) else { panic!("no PIN") };
    for wrong in ["", "hunter2", "12345678"] {
        let why = said(somebody.typed(&begun, wrong).await);
        assert!(why.starts_with("a PIN of X has 7 digits; type the one"), "{why}");
    }
    assert_eq!(somebody.asked(), 0, "X hears of PINs alone");
    assert_snapshot!(said(somebody.typed(&begun, "0000000").await), @"X does not take this PIN; type the one that it shows, and if that is not taken, begin again");
    let (one, other) = pin.split_at(3);
    let key = somebody.typed(&begun, &format!(" {one} - {other}\n")).await.unwrap();
    assert_eq!((key.handle.as_deref(), key.remote_user.as_str()), (Some("milton"), "7"));
    somebody.checked(key).await.unwrap();
    // Nobody is sent back from there.
    let query = [("oauth_token", "request-1"), ("oauth_verifier", pin.as_str())];
    let query = query.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(said(somebody.finish(&begun, &query).await), NotSignedIn::NotOurs.to_string());
}

#[tokio::test]
async fn what_is_not_allowed_and_what_belongs_to_another_sign_in_ask_x_nothing() {
    for way in [Way::OAuth1, Way::OAuth2] {
        let somebody = SigningIn::with(way).await;
        let (begun, other) = (somebody.begin().await, somebody.begin().await);
        let mut query = somebody.visit(&other);
        if way == Way::OAuth2 {
            for (name, value) in &mut query {
                if name == "state" {
                    "state-of-somebody-else".clone_into(value);
                }
            }
        }
        let not_ours = NotSignedIn::NotOurs.to_string();
        assert_eq!(said(somebody.finish(&begun, &query).await), not_ours);
        assert_eq!(said(somebody.finish(&begun, &[]).await), not_ours);
        assert_eq!(said(somebody.typed(&begun, "1234567").await), not_ours);
        let bluesky = Begun {
            page: String::new(),
            kept: SecretString::default(),
            back: SecretString::default(),
        };
        assert_eq!(said(somebody.finish(&bluesky, &query).await), not_ours);
        somebody.world.x.person(Person::Denies);
        let query = somebody.visit(&begun);
        let end = said(somebody.finish(&begun, &query).await);
        assert_eq!(end, NotSignedIn::Cancelled.to_string());
        assert_eq!(somebody.asked(), 0);
    }
}

#[tokio::test]
async fn who_signs_in_as_somebody_else_is_told() {
    for way in [Way::OAuth1, Way::OAuth2] {
        let somebody = SigningIn::with(way).await;
        somebody.world.x.person(Person::Allows("8".to_owned()));
        let begun = somebody.begin().await;
        let query = somebody.visit(&begun);
        let key = somebody.finish(&begun, &query).await.unwrap();
        assert_eq!((key.handle.as_deref(), key.remote_user.as_str()), (Some("user8"), "8"));
        let why = somebody.checked(key).await.unwrap_err();
        assert!(why.starts_with("x:milton is not added: the key is that of user8"), "{why}");
    }
}

#[tokio::test]
async fn a_key_that_may_not_post_is_refused() {
    let somebody = SigningIn::with(Way::OAuth2).await;
    let only = |scopes: &[&'static str]| Person::AllowsOnly("7".to_owned(), scopes.to_vec());
    somebody.world.x.person(only(&["tweet.read", "users.read", "offline.access"]));
    let begun = somebody.begin().await;
    let query = somebody.visit(&begun);
    assert_snapshot!(said(somebody.finish(&begun, &query).await), @r#"X gave a key without `tweet.write`, so that nothing could be posted; allow the app all that it asks for, and let it read and write in X's developer console (console.x.com, "User authentication settings")"#);
    somebody.world.x.person(only(&["tweet.read", "tweet.write", "users.read"]));
    let query = somebody.visit(&begun);
    assert_snapshot!(said(somebody.finish(&begun, &query).await), @r#"X gave a key without `offline.access`, so that its key would end after two hours; allow the app all that it asks for, and let it read and write in X's developer console (console.x.com, "User authentication settings")"#);
}

#[tokio::test]
async fn a_key_of_an_app_that_may_only_read_is_refused() {
    let somebody = SigningIn::with(Way::OAuth1).await;
    somebody.world.x.only_reads(true);
    let begun = somebody.begin().await;
    let key = somebody.finish(&begun, &somebody.visit(&begun)).await.unwrap();
    assert_snapshot!(somebody.checked(key).await.unwrap_err(), @r#"x:milton is not added: X lets the key only read; set "Read and write" in X's developer console (console.x.com, "User authentication settings"), then sign in again: an older key keeps the old right"#);
    somebody.world.x.only_reads(false);
    let begun = somebody.begin().await;
    let key = somebody.finish(&begun, &somebody.visit(&begun)).await.unwrap();
    assert_eq!(somebody.checked(key).await, Ok(()));
}

#[tokio::test]
async fn what_the_app_lacks_is_said() {
    let mut somebody = SigningIn::with(Way::OAuth2).await;
    let state = SecretString::from(STATE);
    assert_snapshot!(somebody.not_begun(Back::Typing).await, @"with OAuth 2.0 X sends people back to an address, and shows nothing that could be typed; sign in with OAuth 1.0a, which has a PIN");
    somebody.app = SecretString::from(r#"{"consumer_key":"k","consumer_secret":"s"}"#);
    let back = || Back::Sent { to: BACK, state: &state };
    assert_snapshot!(somebody.not_begun(back()).await, @r#"the secret of the X app lacks `client_id` and `client_secret` (Client ID and Client Secret), which OAuth 2.0 needs; they are in X's developer console (console.x.com), under "Keys and tokens""#);
    somebody.way = Way::OAuth1;
    assert_snapshot!(somebody.not_begun(back()).await, @r#"X does not accept the app's consumer_key and consumer_secret: "Could not authenticate you."; put those of X's developer console (console.x.com, "Keys and tokens") into the secret of the X app"#);
    somebody.app = SecretString::from(r#"{"client_id":"client-of-the-test"}"#);
    assert_snapshot!(somebody.not_begun(back()).await, @r#"the secret of the X app lacks `consumer_key` and `consumer_secret` (API Key and Secret), which OAuth 1.0a needs; they are in X's developer console (console.x.com), under "Keys and tokens""#);
    somebody.app = SecretString::from(x_app().to_string());
    let elsewhere = Back::Sent { to: "https://elsewhere.example/", state: &state };
    assert_snapshot!(somebody.not_begun(elsewhere).await, @r#"X does not know https://elsewhere.example/ as an address of the app; enter it in X's developer console (console.x.com), "User authentication settings", "Callback URI", exactly so"#);
    somebody.way = Way::AppPassword;
    assert_snapshot!(somebody.not_begun(back()).await, @"X has no app passwords; sign in with OAuth 1.0a or OAuth 2.0");
    // A public client has no secret, and one that has a secret has to show it.
    somebody.way = Way::OAuth2;
    somebody.app = SecretString::from(r#"{"client_id":"client-of-the-test"}"#);
    let begun = somebody.begin().await;
    let query = somebody.visit(&begun);
    assert_snapshot!(said(somebody.finish(&begun, &query).await), @r#"X does not accept the app's client_id and client_secret: "Missing valid authorization header"; put those of X's developer console (console.x.com, "Keys and tokens") into the secret of the X app"#);
    somebody.world.x.client("client-of-the-test", None);
    let query = somebody.visit(&begun);
    let key = somebody.finish(&begun, &query).await.unwrap();
    somebody.checked(key).await.unwrap();
}

#[tokio::test]
async fn x_may_not_answer() {
    let somebody = SigningIn::with(Way::OAuth1).await;
    somebody.world.x.misbehave_at(Operation::RequestToken, Misbehave::Refuse500);
    let state = SecretString::from(STATE);
    let why = somebody.not_begun(Back::Sent { to: BACK, state: &state }).await;
    assert_snapshot!(why, @r#"X failed with status 500: "Something is broken. This is usually temporary.""#);
    somebody.world.x.misbehave_at(Operation::RequestToken, Misbehave::Html);
    let why = somebody.not_begun(Back::Sent { to: BACK, state: &state }).await;
    assert_snapshot!(why, @"X answered with something else than a token; begin the sign-in again");
    let begun = somebody.begin().await;
    let query = somebody.visit(&begun);
    somebody.world.x.misbehave_at(Operation::AccessToken, Misbehave::RateLimitedForHowLong);
    assert_snapshot!(said(somebody.finish(&begun, &query).await), @r#"X has had too many requests: "Too Many Requests""#);
}

/// The account of a sheep whose key is one of OAuth 2.0, good until the start.
async fn renewable(world: &World) -> (SheepId, AccountId) {
    let id = world.sheep("apollo", Network::X, 20).await;
    let account = world.read(&id).await.config.account;
    world.x_bearer(&account, ts(START)).await;
    (id, account)
}

async fn opened(world: &World, account: &AccountId) -> Account {
    let item = world.store.newest_account(account).await.unwrap().unwrap();
    let keyring = Keyring::parse(&SecretString::from(KEYRING)).unwrap();
    let app = SecretString::from(x_app().to_string());
    Account::from_item(account, item, keyring, Some(&app)).unwrap()
}

/// What is stored of the tokens of an account.
async fn stored(world: &World, account: &AccountId) -> serde_json::Value {
    let item = world.store.newest_account(account).await.unwrap().unwrap();
    let keyring = Keyring::parse(&SecretString::from(KEYRING)).unwrap();
    let session = keyring.open(account, &item.sealed_session.unwrap()).unwrap();
    serde_json::from_str(session.expose_secret()).unwrap()
}

#[tokio::test]
async fn a_key_is_renewed_every_two_hours_and_posting_goes_on() {
    let world = World::start().await;
    let (id, account) = renewable(&world).await;
    let app = world.app().await;
    for tick in 1..=20_usize {
        // In all nine hours.
        world.x.advance(SignedDuration::from_mins(27));
        let later = world.clock.now() + SignedDuration::from_mins(27);
        world.clock.step_to(later);
        world.tick(&app).await;
        let (renewed, refused) = world.x.renewals();
        assert_eq!((renewed, refused), (tick.div_ceil(4), 0), "{tick}");
    }
    assert!(10 < world.posts(&id).await.len());
    assert_eq!(world.posts(&id).await.len(), world.seen(&id).await.len());
    let session = stored(&world, &account).await;
    assert_eq!((&session["renewing_until"], &session["sent"]), (&json!(null), &json!(null)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_lambdas_renew_a_key_once_and_have_good_tokens() {
    const LAMBDAS: usize = 50;
    let world = Arc::new(World::start().await);
    let (_, account) = renewable(&world).await;
    let keyring = || Keyring::parse(&SecretString::from(KEYRING)).unwrap();
    let app = SecretString::from(x_app().to_string());
    // All have read the account, and then all ask.
    let item = world.store.account(&account).await.unwrap().unwrap();
    let lambdas = (0..LAMBDAS).map(|_| {
        let account = Account::from_item(&account, item.clone(), keyring(), Some(&app)).unwrap();
        let aws = world.cloud.aws();
        let store = flock_store::Store::new(
            aws_sdk_dynamodb::Client::new(&aws),
            flockwork::connect::LOCAL_NAME.to_owned(),
        );
        let networks = Networks::new(store, &world.networks(), &Clock::stepped(ts(START)));
        tokio::spawn(async move { networks.check(&account).await })
    });
    let ends = join_all(lambdas.collect::<Vec<_>>()).await;
    let good = ends.into_iter().filter(|end| matches!(end, Ok(Ok(_)))).count();
    assert_eq!(good, LAMBDAS);
    assert_eq!(world.x.renewals(), (1, 0));
    assert_eq!(world.x.asked(Operation::OAuth2Token), 1);
    // Each with a token that X has taken.
    assert_eq!(world.x.asked(Operation::Timeline), LAMBDAS);
}

#[tokio::test]
async fn a_token_that_x_does_not_take_is_renewed_once() {
    let world = World::start().await;
    let (id, account) = renewable(&world).await;
    world.x_bearer(&account, ts(START) + SignedDuration::from_hours(1)).await;
    let app = world.app().await;
    world.x.expire_access();
    world.tick_at(&app, 3).await;
    assert_eq!((world.seen(&id).await.len(), world.x.renewals()), (1, (1, 0)));
    // Whatever is wrong with the account, it is not asked for more tokens than one.
    world.x.expire_access();
    world.x.misbehave_at(Operation::Post, Misbehave::Unauthorized);
    world.x.misbehave_at(Operation::Post, Misbehave::Unauthorized);
    world.tick_at(&app, 6).await;
    assert_eq!((world.seen(&id).await.len(), world.x.renewals()), (1, (2, 0)));
    let sheep = world.read(&id).await;
    assert_eq!((&sheep.intent, matches!(sheep.state, State::Stopped { .. })), (&None, true));
    assert_snapshot!(why(&sheep.state), @"x:apollo: X does not renew its key any more, so its key is no longer good; connect it again, then resume flock/apollo");
    assert_eq!(world.x.unspent(), []);
}

#[track_caller]
fn why(state: &State) -> String {
    let State::Stopped { why, .. } = state else { panic!("{state:?}") };
    why.clone()
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_once_more_and_then_the_key_is_over() {
    let world = World::start().await;
    let (id, account) = renewable(&world).await;
    let app = world.app().await;
    world.x.misbehave_at(Operation::OAuth2Token, Misbehave::AcceptThen500);
    world.tick_at(&app, 3).await;
    let sheep = world.read(&id).await;
    assert!(sheep.intent.is_some() && sheep.state == State::Active, "{sheep:?}");
    assert_eq!(stored(&world, &account).await["sent"], "maybe");
    world.tick_at(&app, 6).await;
    let sheep = world.read(&id).await;
    assert_eq!((&sheep.intent, matches!(sheep.state, State::Stopped { .. })), (&None, true));
    assert_snapshot!(why(&sheep.state), @"x:apollo: X's answer to the renewal of its key was lost, and so its key is no longer good; connect it again, then resume flock/apollo");
    assert_eq!((world.x.renewals(), world.seen(&id).await.len()), ((1, 1), 0));
    // Who comes later does not ask X.
    let opened = opened(&world, &account).await;
    let networks = Networks::new(world.store.clone(), &world.networks(), &world.clock);
    let failure = networks.check(&opened).await.unwrap_err();
    assert!(failure.why.ends_with("its key is no longer good; connect it again"), "{failure}");
    assert_eq!(world.x.renewals(), (1, 1));
    // Connected again, it goes on from where it was.
    world.x_bearer(&account, ts(START) + SignedDuration::from_hours(2)).await;
    let resumed = world.read(&id).await.resume(world.clock.now());
    world.store.put_sheep(&resumed).await.unwrap();
    world.tick_at(&app, 9).await;
    assert_eq!(world.seen(&id).await, ["apollo line 0"]);
    assert_eq!(world.x.billed_micros(&user_id("apollo")), 15_000);
}

#[tokio::test]
async fn a_request_for_tokens_that_x_did_not_get_costs_nothing() {
    let world = World::start().await;
    let (id, account) = renewable(&world).await;
    let app = world.app().await;
    world.x.misbehave_at(Operation::OAuth2Token, Misbehave::Refuse500);
    world.tick_at(&app, 3).await;
    assert_eq!(stored(&world, &account).await["sent"], "maybe");
    world.x.misbehave_at(Operation::OAuth2Token, Misbehave::RateLimitedForHowLong);
    world.tick_at(&app, 6).await;
    world.tick_at(&app, 10).await;
    assert_eq!((world.seen(&id).await.len(), world.x.renewals()), (1, (1, 0)));
    assert_eq!(stored(&world, &account).await["sent"], json!(null));
    assert_eq!(world.x.unspent(), []);
}

#[tokio::test]
async fn who_takes_the_permission_back_ends_the_key() {
    let world = World::start().await;
    let (id, _) = renewable(&world).await;
    let app = world.app().await;
    world.x.trouble(Trouble::Revoked);
    world.tick_at(&app, 3).await;
    let sheep = world.read(&id).await;
    assert_snapshot!(why(&sheep.state), @"x:apollo: X does not renew its key any more, so its key is no longer good; connect it again, then resume flock/apollo");
    assert_eq!(world.x.billed_micros(&user_id("apollo")), 0);
}
