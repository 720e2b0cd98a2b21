//! Signing in at networks: what comes of what people do there.

use flock_aws::Keyring;
use flock_core::{AccountId, Way};
use flock_net::{Back, Begun, Key, Networks, NotSignedIn, Proof, SignInTo};
use flock_ops::{KeyFrom, NewAccount};
use flock_tests::Mastodon;
use futures_util::future::join_all;
use reqwest::{Url, redirect};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::{
    keymaker::{by_slack, noted},
    world::{APP_PASSWORD, KEYRING, World, bluesky_account, did, mastodon_account},
};

const OURS: &str = "https://keys.example/keys/back";

struct Person<'a> {
    world: &'a World,
    networks: Networks,
    id: AccountId,
}

impl<'a> Person<'a> {
    fn new(world: &'a World) -> Self {
        world.mastodon.account("token-of-iris", "iris");
        world.mastodon.account("token-of-pan", "pan");
        let networks = Networks::new(world.store.clone(), &world.networks(), &world.clock);
        Self { world, networks, id: mastodon_account("iris") }
    }

    fn to(&self) -> SignInTo<'_> {
        SignInTo {
            id: &self.id,
            way: Way::OAuth2,
            server: Some(&self.world.mastodon_url),
            app: None,
        }
    }

    async fn begin(&self, back: Back<'_>) -> Begun {
        self.networks.begin_sign_in(self.to(), back).await.unwrap()
    }

    /// What they do on the page, and where they are sent then.
    async fn decides(&self, begun: &Begun, decision: &str, username: &str) -> String {
        let client = reqwest::Client::builder().redirect(redirect::Policy::none()).build().unwrap();
        assert_eq!(client.get(&begun.page).send().await.unwrap().status(), 200);
        let form = format!("decision={decision}&username={username}");
        let sent = client
            .post(&begun.page)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form)
            .send()
            .await
            .unwrap();
        sent.headers()["location"].to_str().unwrap().to_owned()
    }

    async fn come_back(&self, begun: &Begun, proof: Proof<'_>) -> Result<String, NotSignedIn> {
        let key = self.networks.finish_sign_in(self.to(), &begun.kept, proof).await?;
        let new = NewAccount { id: self.id.clone(), key, app: None, networks: &self.networks };
        let checked = new.check(KeyFrom::SignIn(flock_core::Purpose::Connect)).await;
        Ok(checked.map_or_else(|err| err.to_string(), |_| "it is theirs".to_owned()))
    }
}

fn query(address: &str) -> Vec<(String, String)> {
    Url::parse(address).unwrap().query_pairs().into_owned().collect()
}

#[tokio::test]
async fn whoever_is_sent_to_an_instance_comes_back_with_a_key() {
    let world = World::start().await;
    let person = Person::new(&world);
    let state = SecretString::from("nobody-guesses-it");
    let back = Back::Sent { to: OURS, state: &state };
    let begun = person.begin(back).await;
    assert!(!format!("{begun:?}").contains("client-secret"));
    let address = person.decides(&begun, "allow", "iris").await;
    assert!(address.starts_with(&format!("{OURS}?code=")), "{address}");
    // Another's state, none, and the same a second time.
    for wrong in [vec![("state".to_owned(), "guessed".to_owned())], Vec::new()] {
        let mut query: Vec<_> =
            query(&address).into_iter().filter(|(name, _)| name != "state").collect();
        query.extend(wrong);
        let came = person.come_back(&begun, Proof::Query(&query)).await;
        assert_eq!(came, Err(NotSignedIn::NotOurs));
    }
    let proof = query(&address);
    assert_eq!(person.come_back(&begun, Proof::Query(&proof)).await.unwrap(), "it is theirs");
    let came = person.come_back(&begun, Proof::Query(&proof)).await;
    insta::assert_snapshot!(came.unwrap_err().to_string(), @"the server does not take the code: it was used already, is too old, or is not whole; sign in again");
    // Who says no, and who signs in as somebody else.
    let begun = person.begin(back).await;
    let proof = query(&person.decides(&begun, "deny", "").await);
    let came = person.come_back(&begun, Proof::Query(&proof)).await;
    assert_eq!(came, Err(NotSignedIn::Cancelled));
    let proof = query(&person.decides(&begun, "allow", "pan").await);
    let came = person.come_back(&begun, Proof::Query(&proof)).await.unwrap();
    insta::assert_snapshot!(came, @"mastodon:iris@stand-in.example is not added: the key is that of pan, not of iris@stand-in.example; sign out there, or open the page in a private window, and sign in as the account that is to be added");
    insta::assert_snapshot!(world.mastodon.app_scopes()[0], @"read:accounts read:statuses read:search write:statuses write:media write:accounts write:follows write:favourites");
}

#[tokio::test]
async fn whoever_is_shown_a_code_types_it_or_the_address_of_its_page() {
    let world = World::start().await;
    let person = Person::new(&world);
    world.mastodon.knows_scopes(false);
    let begun = person.begin(Back::Typing).await;
    assert_eq!(world.mastodon.app_scopes(), ["read write"]);
    let page = person.decides(&begun, "allow", "iris").await;
    let code = query(&format!("https://x.example{page}")).remove(0).1;
    for wrong in
        ["", "two words", "code-0", "https://x.example/?code=", "https://x.example/?code=a&state=b"]
    {
        let typed = SecretString::from(wrong);
        let came = person.come_back(&begun, Proof::Typed(&typed)).await.unwrap_err();
        let is_expected = matches!(came, NotSignedIn::Wrong(_))
            || wrong.ends_with("state=b") && came == NotSignedIn::NotOurs;
        assert!(is_expected, "{wrong}: {came:?}");
        assert!(!came.to_string().contains(&code));
    }
    let typed = SecretString::from(format!(" {code}\n"));
    assert_eq!(person.come_back(&begun, Proof::Typed(&typed)).await.unwrap(), "it is theirs");
    let page = person.decides(&begun, "allow", "iris").await;
    let typed = SecretString::from(format!("https://stand-in.example{page}"));
    assert_eq!(person.come_back(&begun, Proof::Typed(&typed)).await.unwrap(), "it is theirs");
    assert!(typed.expose_secret().contains("/native?code="));
}

#[tokio::test]
async fn a_key_that_may_not_post_is_refused_where_its_instance_says_so() {
    let world = World::start().await;
    let person = Person::new(&world);
    let state = SecretString::from("nobody-guesses-it");
    let begun = person.begin(Back::Sent { to: OURS, state: &state }).await;
    let mut came = Vec::new();
    for scopes in ["read write:media", "read write", "write:statuses", ""] {
        world.mastodon.gives_only(scopes);
        let proof = query(&person.decides(&begun, "allow", "iris").await);
        let end = person.come_back(&begun, Proof::Query(&proof)).await;
        came.push(end.unwrap_or_else(|err| err.to_string()));
    }
    // A key that somebody has made by hand.
    world.mastodon.allows("token-of-iris", "read");
    let added = world.add_mastodon(&person.id, "token-of-iris").await;
    came.push(added.unwrap_err().to_string());
    insta::assert_snapshot!(came.join("\n"), @"
    the key of Mastodon at stand-in.example cannot post: it lacks `write:statuses`; sign in again, or allow that to the application (in the account's settings there, Development), make its access token anew, and renew the account's key
    it is theirs
    it is theirs
    it is theirs
    the key of Mastodon at stand-in.example cannot post: it lacks `write:statuses`; sign in again, or allow that to the application (in the account's settings there, Development), make its access token anew, and renew the account's key
    ");
}

/// One user under two names, whose server is written in two ways, each of which says the truth.
#[tokio::test]
async fn one_user_is_connected_once_whatever_server_is_named() {
    let world = World::start().await;
    let networks = Networks::new(world.store.clone(), &world.networks(), &world.clock);
    let noted = noted(&world, by_slack()).await;
    let mut vouched = Vec::new();
    for (name, host) in [("apollo", "127.0.0.1"), ("apollon", "localhost")] {
        let id = bluesky_account(name);
        world.bluesky.account(id.handle.as_str(), &did("apollo"), APP_PASSWORD);
        let url = world.bluesky_url.replace("127.0.0.1", host);
        let file = json!({ "app_password": APP_PASSWORD, "url": url }).to_string();
        let key = Key::read_file(&id, &SecretString::from(file)).unwrap();
        let new = NewAccount { id, key, app: None, networks: &networks };
        vouched.push(new.check(KeyFrom::File("key.json")).await.unwrap());
    }
    let keyring = || Keyring::parse(&SecretString::from(KEYRING)).unwrap();
    let added = vouched.into_iter().map(|new| new.add(&world.store, &noted, keyring(), false));
    let added = join_all(added).await;
    let refused: Vec<_> = added.iter().filter_map(|added| added.as_ref().err()).collect();
    let [refused] = refused[..] else { panic!("{added:?}") };
    assert!(
        refused.to_string().contains("is not added: it is connected already, as "),
        "{refused}"
    );
    assert_eq!(world.store.accounts().await.unwrap().len(), 1);
}

#[tokio::test]
async fn where_nothing_can_be_signed_in_to_is_said() {
    let world = World::start().await;
    let person = Person::new(&world);
    let nowhere = Mastodon::start().await.url();
    let to = SignInTo { server: Some(&nowhere), ..person.to() };
    let begun = person.networks.begin_sign_in(to, Back::Typing).await;
    let why = begun.unwrap_err().to_string();
    assert!(why.starts_with("Mastodon at stand-in.example did not answer: "), "{why}");
    // What was kept belongs to another instance.
    let begun = person.begin(Back::Typing).await;
    let kept = SecretString::from(begun.kept.expose_secret().replace("client-secret", "other"));
    let typed = SecretString::from("code-1");
    let came = person.networks.finish_sign_in(person.to(), &kept, Proof::Typed(&typed)).await;
    insta::assert_snapshot!(came.unwrap_err().to_string(), @"Mastodon at stand-in.example has forgotten the app that was registered; begin again");
    let kept = SecretString::from("{}");
    let came = person.networks.finish_sign_in(person.to(), &kept, Proof::Typed(&typed)).await;
    assert_eq!(came.unwrap_err(), NotSignedIn::NotOurs);
    // Nobody has a key there that could be renewed.
    world.mastodon.registers_no_strangers();
    let begun = person.networks.begin_sign_in(person.to(), Back::Typing).await;
    insta::assert_snapshot!(begun.unwrap_err().to_string(), @r#"Mastodon at stand-in.example registers no apps for strangers: "This method requires an authenticated user"; make one in the account's own settings there (Development), and add the account with a key file that has its access token, or ask who runs the server"#);
}
