//! Mastodon through the front door: bad days, servers that ignore keys, and what a post costs.

use flock_core::{Network, Occurrence, Outcome, Picture, RemoteId, Sent, SheepId, State};
use flock_net::{Account, Accounts, Deleted, Draft, FailureKind, Networks, Purse};
use flock_store::{Post, PostState};
use flock_tests::{Endpoint, Listed, MastodonMisbehave as Misbehave, png};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::net::TcpSocket;

use crate::world::{START, World, mastodon_account, ts};

const AT: &str = "Mastodon at stand-in.example";

/// What Mastodon does to posts, and the world some minutes later. It ignores keys: that is the harder half.
async fn mastodon_does(misbehave: Vec<Misbehave>, minutes: i64) -> (World, SheepId) {
    let world = World::start().await;
    world.mastodon.idempotency(false);
    let id = world.sheep("apollo", Network::Mastodon, 40).await;
    for misbehave in misbehave {
        world.mastodon.misbehave(misbehave);
    }
    let app = world.app().await;
    for minute in 0..minutes {
        world.tick_at(&app, minute).await;
    }
    assert!(world.mastodon.unspent().is_empty());
    (world, id)
}

async fn why(world: &World, id: &SheepId) -> String {
    match world.read(id).await.state {
        State::Stopped { why, .. } => why,
        other => panic!("{id} is {other:?}"),
    }
}

async fn problem(world: &World, id: &SheepId) -> String {
    world.read(id).await.intent.and_then(|intent| intent.errand.problem).expect("it has a problem")
}

async fn resume(world: &World, id: &SheepId) {
    let resumed = world.read(id).await.resume(world.clock.now());
    world.store.put_sheep(&resumed).await.unwrap();
}

#[tokio::test]
async fn a_healthy_post_is_one_request() {
    let world = World::start().await;
    let id = world.sheep("apollo", Network::Mastodon, 40).await;
    let app = world.app().await;
    let looks = |endpoint| world.mastodon.requests(endpoint);
    // When the account was added.
    assert_eq!((looks(Endpoint::Verify), looks(Endpoint::Instance)), (1, 1));
    for (minute, posts) in [(0, 1), (3, 2), (6, 3)] {
        world.tick_at(&app, minute).await;
        assert_eq!(looks(Endpoint::Post), posts);
    }
    assert_eq!((looks(Endpoint::Verify), looks(Endpoint::List)), (1, 0));
    assert_eq!(world.seen(&id).await, ["apollo line 0", "apollo line 1", "apollo line 2"]);
    let posts = world.mastodon.posts("apollo");
    let recorded = world.posts(&id).await;
    assert_eq!(recorded[1].remote_id.as_ref().map(RemoteId::as_str), Some(posts[1].id.as_str()));
    // Who may see posts is the account's own setting.
    assert_eq!(posts[1].visibility, "public");
}

#[tokio::test]
async fn a_500_after_accepting_is_found_and_not_posted_again() {
    let (world, id) = mastodon_does(vec![Misbehave::AcceptThen500], 3).await;
    assert_eq!(world.seen(&id).await, ["apollo line 0"]);
    let posts = world.posts(&id).await;
    assert_eq!((posts.len(), posts[0].state), (1, PostState::Posted));
    assert_eq!(world.mastodon.requests(Endpoint::Post), 1, "the look found it");
}

#[tokio::test]
async fn no_answer_after_accepting_is_found_and_not_posted_again() {
    let (world, id) = mastodon_does(vec![Misbehave::AcceptThenSilence], 3).await;
    assert_eq!(world.seen(&id).await, ["apollo line 0"]);
    assert_eq!(world.posts(&id).await.len(), 1);
}

#[tokio::test]
async fn what_was_not_accepted_is_posted_again() {
    let misbehave = vec![
        Misbehave::Refuse500,
        Misbehave::Html,
        Misbehave::Endless,
        Misbehave::Huge,
        Misbehave::RateLimited { reset: None },
    ];
    let (world, id) = mastodon_does(misbehave, 40).await;
    assert_eq!(world.seen(&id).await[0], "apollo line 0");
    assert_eq!(world.posts(&id).await.len(), world.seen(&id).await.len());
}

#[tokio::test]
async fn a_page_and_a_body_without_end_have_names() {
    for (misbehave, words) in [
        (Misbehave::Html, "answered with a page that is not its API's JSON"),
        (Misbehave::Endless, "has no end"),
        (Misbehave::Huge, "has no end"),
        (Misbehave::Refuse500, "failed with status 500"),
        (
            Misbehave::RateLimited { reset: None },
            "has had too many requests: \"Too many requests\"",
        ),
    ] {
        let (world, id) = mastodon_does(vec![misbehave], 1).await;
        let problem = problem(&world, &id).await;
        assert!(problem.contains(words) && problem.contains(AT), "{problem}");
        assert_eq!(world.read(&id).await.state, State::Active);
    }
}

#[tokio::test]
async fn too_many_requests_wait_for_the_reset() {
    let reset = ts("2026-03-02T12:10:00Z");
    let limited = Misbehave::RateLimited { reset: Some(reset) };
    let (world, id) = mastodon_does(vec![limited], 10).await;
    assert!(world.seen(&id).await.is_empty());
    assert_eq!(world.read(&id).await.next_at(), Some(reset));
    let app = world.app().await;
    world.tick_at(&app, 10).await;
    assert_eq!(world.seen(&id).await, ["apollo line 0"]);
}

#[tokio::test]
async fn what_cannot_succeed_stops_the_sheep_with_words_and_resuming_goes_on() {
    for (misbehave, words) in [
        (Misbehave::Unauthorized, "does not accept the account's key: \"The access token was"),
        (Misbehave::Suspended, "shuts the account out: \"Your login is currently disabled\""),
    ] {
        let (world, id) = mastodon_does(vec![misbehave], 5).await;
        let said = why(&world, &id).await;
        assert!(said.starts_with(&format!("mastodon:apollo@stand-in.example: {AT} ")), "{said}");
        assert!(said.contains(words), "{said}");
        assert!(said.ends_with(", then resume flock/apollo"), "{said}");
        assert!(world.seen(&id).await.is_empty());
        resume(&world, &id).await;
        let app = world.app().await;
        world.tick_at(&app, 5).await;
        assert_eq!(world.seen(&id).await, ["apollo line 0"]);
    }
}

/// Who answers so need not be the instance: whether it has the post is looked for.
#[tokio::test]
async fn a_page_or_a_redirect_is_no_answer_and_the_line_goes_out_once() {
    let redirect = "http://169.254.169.254/latest/meta-data".to_owned();
    for (misbehave, words) in [
        (Misbehave::Gone, "answered with status 410 and a page that is not its API's"),
        (Misbehave::NotFound, "answered with status 404 and a page that is not its API's"),
        (Misbehave::Redirect(redirect), "sends us on to http://169.254.169.254/latest/meta-data,"),
    ] {
        let (world, id) = mastodon_does(vec![misbehave], 1).await;
        let said = problem(&world, &id).await;
        assert!(said.starts_with(AT) && said.contains(words), "{said}");
        assert!(world.seen(&id).await.is_empty());
        let app = world.app().await;
        world.tick_at(&app, 2).await;
        assert_eq!(world.seen(&id).await, ["apollo line 0"]);
    }
}

#[tokio::test]
async fn a_revoked_key_is_replaced_and_the_same_line_goes_out() {
    let world = World::start().await;
    let id = world.sheep("apollo", Network::Mastodon, 40).await;
    world.mastodon.revoke("token-of-apollo");
    let app = world.app().await;
    world.tick(&app).await;
    let said = why(&world, &id).await;
    assert!(said.contains("renew the account's key"), "{said}");
    world.mastodon.token("another", "apollo");
    world.add_mastodon(&mastodon_account("apollo"), "another").await.unwrap();
    resume(&world, &id).await;
    world.tick_at(&app, 1).await;
    assert_eq!(world.seen(&id).await, ["apollo line 0"]);
}

/// Then a look sees public posts alone, or none, and "not found" says nothing.
#[tokio::test]
async fn an_account_that_falls_out_of_favour_meanwhile_is_not_posted_for_twice() {
    for suspended in [true, false] {
        let (world, id) = mastodon_does(vec![Misbehave::AcceptThen500], 1).await;
        world.mastodon.hide("apollo");
        if suspended {
            world.mastodon.suspend("apollo", true);
        } else {
            world.mastodon.revoke("token-of-apollo");
        }
        let app = world.app().await;
        world.tick_at(&app, 2).await;
        let sheep = world.read(&id).await;
        assert_eq!(sheep.state, State::Active, "nobody knows yet");
        let said = problem(&world, &id).await;
        assert!(said.starts_with(AT), "{said}");
        world.mastodon.suspend("apollo", false);
        world.mastodon.token("token-of-apollo", "apollo");
        for minute in 3..6 {
            world.tick_at(&app, minute).await;
        }
        assert_eq!(world.seen(&id).await[0], "apollo line 0");
        assert_eq!(world.posts(&id).await.len(), world.seen(&id).await.len());
    }
}

/// Whatever a look fails with, the sheep does not forget that its post may be there.
#[tokio::test]
async fn a_look_that_fails_leaves_the_truth_open() {
    let redirect = "http://10.0.0.1/".to_owned();
    for misbehave in [
        Misbehave::Refuse500,
        Misbehave::Unauthorized,
        Misbehave::Suspended,
        Misbehave::Gone,
        Misbehave::Html,
        Misbehave::Huge,
        Misbehave::RateLimited { reset: None },
        Misbehave::Redirect(redirect),
    ] {
        let (world, id) = mastodon_does(vec![Misbehave::AcceptThen500], 1).await;
        world.mastodon.misbehave_at(Endpoint::List, misbehave.clone());
        let app = world.app().await;
        world.tick_at(&app, 2).await;
        let sheep = world.read(&id).await;
        assert_eq!(
            sheep.intent.map(|intent| intent.errand.sent),
            Some(Sent::Maybe),
            "{misbehave:?}"
        );
        assert_eq!(sheep.state, State::Active);
        for minute in 3..9 {
            world.tick_at(&app, minute).await;
        }
        let seen = world.seen(&id).await;
        assert_eq!(seen.iter().filter(|text| *text == "apollo line 0").count(), 1);
        assert_eq!(world.posts(&id).await.len(), seen.len());
    }
}

#[tokio::test]
async fn an_instance_that_is_gone_or_without_tls_costs_nothing_but_time() {
    let world = World::start().await;
    let id = world.sheep("apollo", Network::Mastodon, 40).await;
    let account = mastodon_account("apollo");
    let mut item = world.store.account(&account).await.unwrap().unwrap();
    item.url = Some(world.mastodon.url().replace("http://", "https://"));
    world.store.put_account(&account, item.clone()).await.unwrap();
    let app = world.app().await;
    assert_eq!(world.tick(&app).await.put_off, 1);
    let said = problem(&world, &id).await;
    assert!(said.starts_with(&format!("{AT} did not answer: ")), "{said}");
    // Nobody listens there, and nobody else gets the port meanwhile.
    let nobody = TcpSocket::new_v4().unwrap();
    nobody.bind(([127, 0, 0, 1], 0).into()).unwrap();
    item.url = Some(format!("http://{}", nobody.local_addr().unwrap()));
    world.store.put_account(&account, item).await.unwrap();
    assert_eq!(world.tick_at(&app, 2).await.put_off, 1);
    let said = problem(&world, &id).await;
    assert!(said.starts_with(&format!("{AT} did not answer: ")), "{said}");
    assert_eq!(world.read(&id).await.state, State::Active);
}

#[tokio::test]
async fn an_account_without_the_mark_of_a_bot_posts_nothing() {
    let world = World::start().await;
    let id = world.sheep("apollo", Network::Mastodon, 40).await;
    world.mastodon.bot("apollo", false);
    let account = mastodon_account("apollo");
    let checked = world.add_mastodon(&account, "token-of-apollo").await.unwrap();
    assert!(!checked.facts.labelled);
    let app = world.app().await;
    world.tick(&app).await;
    let said = why(&world, &id).await;
    assert!(said.contains("mastodon-unlabelled-bot"), "{said}");
    assert!(world.seen(&id).await.is_empty());
}

/// What is wrong with an account is said when it is added.
#[tokio::test]
async fn a_key_is_looked_at_when_it_is_added() {
    let mut world = World::start().await;
    let user = world.mastodon.account("token", "apollo");
    let account = mastodon_account("apollo");
    world.mastodon.most_characters(5_000);
    let checked = world.add_mastodon(&account, "token").await.unwrap();
    assert_eq!((checked.remote_user.as_str(), checked.facts.labelled), (user.as_str(), true));
    assert_eq!(checked.facts.text_limit, Some(5_000));
    assert_eq!(checked.facts.picture_bytes, Some(16 * 1024 * 1024));
    // Older servers, and snac, have the older form alone.
    world.mastodon.v2_instance(false);
    let older = world.add_mastodon(&account, "token").await.unwrap();
    assert_eq!((older.remote_user, older.facts), (checked.remote_user, checked.facts));

    let check = async |world: &World, name: &str, token: &str, words: &str| {
        let failure = world.add_mastodon(&mastodon_account(name), token).await.unwrap_err();
        assert!(failure.why.contains(words), "{failure}");
        failure.kind
    };
    let kind = check(&world, "apollo", "other", "does not accept the account's key").await;
    assert!(matches!(kind, FailureKind::Refused(_)));
    // Whether that is the account that was meant is for who asks.
    let checked = world.add_mastodon(&mastodon_account("artemis"), "token").await.unwrap();
    assert_eq!(checked.handle.as_deref(), Some("apollo"));
    for (misbehave, words) in [
        (Misbehave::Html, "answered with a page"),
        (Misbehave::Endless, "has no end"),
        (Misbehave::Gone, "is gone"),
        (Misbehave::Suspended, "shuts the account out"),
        (Misbehave::Redirect("https://10.0.0.1/".to_owned()), "which is not followed"),
    ] {
        world.mastodon.misbehave_at(Endpoint::Verify, misbehave);
        check(&world, "apollo", "token", words).await;
    }
    for (url, words) in [
        ("http://instance.example", "instance.example is called over https alone"),
        ("https://10.1.2.3", "inside a private network"),
        ("https://169.254.169.254", "inside a private network"),
        ("https://[fd00::1]", "inside a private network"),
        ("https://user:pass@instance.example", "must not hold a password"),
        ("instance.example", "is not an address"),
    ] {
        world.mastodon_url = url.to_owned();
        let kind = check(&world, "apollo", "token", words).await;
        assert!(matches!(kind, FailureKind::Refused(_)));
    }
}

/// Servers that speak as Mastodon does say their limits elsewhere, as text, or not at all: none is refused for it.
#[tokio::test]
async fn limits_are_read_wherever_a_server_puts_them() {
    let world = World::start().await;
    world.mastodon.account("token", "apollo");
    let mastodon = |characters: Value, bytes: Value| {
        json!({ "configuration": {
            "statuses": { "max_characters": characters },
            "media_attachments": { "image_size_limit": bytes },
        } })
    };
    let none = || json!({ "title": "says little" });
    let page = || json!("a text");
    for (v2, v1, expected) in [
        (mastodon(json!(1_000), json!(2_000)), none(), (Some(1_000), Some(2_000))),
        (mastodon(json!("1000"), json!(" 2000 ")), none(), (Some(1_000), Some(2_000))),
        (mastodon(json!(1_000.0), json!(null)), none(), (Some(1_000), None)),
        // glitch-soc, Pleroma and those who follow them, in the older form.
        (
            none(),
            json!({ "max_toot_chars": 5_000, "upload_limit": 16_000_000 }),
            (Some(5_000), Some(16_000_000)),
        ),
        (none(), json!({ "max_toot_chars": "5000", "configuration": null }), (Some(5_000), None)),
        // One says one thing, the other the other.
        (mastodon(json!(1_000), json!(null)), json!({ "upload_limit": 9 }), (Some(1_000), Some(9))),
        (
            mastodon(json!(1_000), json!(7)),
            json!({ "max_toot_chars": 5, "upload_limit": 9 }),
            (Some(1_000), Some(7)),
        ),
        // What is not meant.
        (mastodon(json!(0), json!(-1)), none(), (None, None)),
        (mastodon(json!("many"), json!({})), json!({ "configuration": [1] }), (None, None)),
        (
            json!({ "configuration": { "statuses": 3, "media_attachments": null } }),
            none(),
            (None, None),
        ),
        (page(), json!({ "max_toot_chars": 5_000 }), (Some(5_000), None)),
    ] {
        world.mastodon.about(Some(v2.clone()), Some(v1.clone()));
        let checked = world.add_mastodon(&mastodon_account("apollo"), "token").await.unwrap();
        let facts = (checked.facts.text_limit, checked.facts.picture_bytes);
        assert_eq!(facts, expected, "{v2} {v1}");
    }
    // Neither is there, or for whoever is logged in on its pages alone.
    world.mastodon.about(None, None);
    for misbehave in [Misbehave::NotFound, Misbehave::Unauthorized, Misbehave::Suspended] {
        world.mastodon.misbehave_at(Endpoint::Instance, misbehave.clone());
        world.mastodon.misbehave_at(Endpoint::Instance, misbehave);
        let checked = world.add_mastodon(&mastodon_account("apollo"), "token").await.unwrap();
        assert_eq!((checked.facts.text_limit, checked.facts.picture_bytes), (None, None));
    }
    assert_eq!(world.mastodon.unspent(), []);
}

#[tokio::test]
async fn what_a_server_says_of_an_account_is_read_as_it_is_meant() {
    let world = World::start().await;
    world.mastodon.account("token", "apollo");
    for (me, expected) in [
        (json!({ "id": 7, "username": "apollo", "bot": true }), ("7", true)),
        (json!({ "id": "7", "username": "Apollo", "bot": "true" }), ("7", true)),
        (json!({ "id": "7", "username": null, "acct": "apollo", "bot": 1 }), ("7", true)),
        (json!({ "id": "7", "acct": "apollo@stand-in.example", "bot": null }), ("7", false)),
        (json!({ "username": "apollo" }), ("", false)),
        (json!({ "id": 7 }), ("7", false)),
    ] {
        world.mastodon.about_me(Some(me.clone()));
        let checked = world.add_mastodon(&mastodon_account("apollo"), "token").await.unwrap();
        assert_eq!((checked.remote_user.as_str(), checked.facts.labelled), expected, "{me}");
    }
    for (me, words) in [
        (json!({ "status": "ok" }), "does not say whose the key is"),
        (json!([]), "does not say whose the key is"),
    ] {
        world.mastodon.about_me(Some(me));
        let failure = world.add_mastodon(&mastodon_account("apollo"), "token").await.unwrap_err();
        assert!(failure.why.contains(words), "{failure}");
    }
}

/// What sheep do not do yet, straight through the networks.
struct Hand {
    world: World,
    networks: Networks,
    accounts: Accounts,
}

/// What a post is besides its text.
#[derive(Default, Clone, Copy)]
struct With<'a> {
    sent: Option<Sent>,
    at: Option<Timestamp>,
    last_remote: Option<&'a RemoteId>,
    reply_to: Option<&'a RemoteId>,
    picture: Option<&'a Picture>,
}

impl Hand {
    async fn start() -> Self {
        let world = World::start().await;
        world.mastodon.idempotency(false);
        world.sheep("apollo", Network::Mastodon, 1).await;
        let settings = world.networks();
        let networks = Networks::new(world.store.clone(), &settings, &world.clock);
        let accounts = Accounts::new(&world.cloud.aws(), world.store.clone(), &settings);
        Self { world, networks, accounts }
    }

    async fn account(&self) -> Account {
        self.accounts.open(&mastodon_account("apollo")).await.unwrap().unwrap()
    }

    async fn post(&self, number: u64, text: &str, with: With<'_>) -> Outcome {
        let (sheep, occurrence): (SheepId, _) = ("flock/hand".parse().unwrap(), Occurrence(number));
        let at = with.at.unwrap_or_else(|| self.world.clock.now());
        let draft = Draft {
            id: occurrence.post_id(&sheep),
            post: Post {
                made: None,
                sheep,
                occurrence,
                account: mastodon_account("apollo"),
                at,
                text: text.to_owned(),
                state: PostState::Pending,
                remote_id: None,
                answers: None,
            },
            sent: with.sent.unwrap_or(Sent::No),
            last_remote: with.last_remote,
            reply_to: with.reply_to,
            quotes: None,
            attempts: 0,
            read: 1,
            picture: with.picture,
            made_with_ai: false,
        };
        let flock = flock_core::Flock::new("flock".parse().unwrap());
        let act = ("hand".to_owned(), occurrence.to_string());
        let purse = Purse::new(&self.world.store, &flock, act, at, at);
        self.networks.post(&draft, &self.account().await, &purse).await
    }

    async fn posted(&self, number: u64, text: &str, with: With<'_>) -> RemoteId {
        match self.post(number, text, with).await {
            Outcome::Done(id) => id,
            other => panic!("{text:?} is not posted: {other:?}"),
        }
    }

    fn count(&self) -> usize {
        self.world.mastodon.posts("apollo").len()
    }
}

const MAYBE: With<'static> =
    With { sent: Some(Sent::Maybe), at: None, last_remote: None, reply_to: None, picture: None };

#[tokio::test]
async fn posts_are_known_again_in_the_html_that_is_made_of_them() {
    let hand = Hand::start().await;
    hand.world.mastodon.knows("friend@away.example");
    hand.world.mastodon.account("token-of-bacchus", "bacchus");
    let texts = [
        "Baa",
        "one & <two> \"three\" 'four'\nfive\n\nsix   seven",
        "see https://www.example.com/a/long/path?with=a&query=that+goes+on#and-on, and http://a.example.",
        "hi @friend@away.example, @bacchus: @nobody@no.example #Sheep #2026",
        "🐑🐑🐑",
        "…",
        "*stars* _lines_ `ticks` ~~waves~~ > quoted # titled - listed",
        "  spaces around\u{a0} ",
        "&amp; &lt;b&gt; <b>bold</b> <br> <3",
        "e\u{301} 猫 👩‍👩‍👧 \u{202e}rtl\u{202c}",
        "a\tb\r\nc",
    ];
    for (number, text) in (1..).zip(texts) {
        let first = hand.posted(number, text, With::default()).await;
        assert_eq!(hand.posted(number, text, MAYBE).await, first, "{text:?}");
    }
    assert_eq!(hand.count(), texts.len());
    // What is alike is not the same.
    for (number, text) in (100..).zip(["Baa!", "Baa Baa", "🐑🐑", "see https://www.example.com/a"])
    {
        hand.posted(number, text, MAYBE).await;
    }
    assert_eq!(hand.count(), texts.len() + 4);
}

#[tokio::test]
async fn a_look_goes_back_as_far_as_the_post_can_be() {
    let hand = Hand::start().await;
    let mastodon = &hand.world.mastodon;
    let start = hand.world.clock.now();
    let pass = |minutes: i64| {
        mastodon.advance(SignedDuration::from_mins(minutes));
        hand.world.clock.step_to(hand.world.clock.now() + SignedDuration::from_mins(minutes));
    };
    let old = hand.posted(1, "Baa", With::default()).await;
    pass(10);
    // The same line, ten minutes later, is another post.
    let at = Some(start + SignedDuration::from_mins(10));
    let new = hand.posted(2, "Baa", With { at, ..MAYBE }).await;
    assert_ne!(new, old);
    // Right after the one before it, too.
    let third = hand.posted(3, "Baa", With { at, last_remote: Some(&new), ..MAYBE }).await;
    assert_ne!(third, new);
    // Others have said a lot since.
    for number in 4..60 {
        hand.posted(number, &format!("line {number}"), With::default()).await;
    }
    let looks = mastodon.requests(Endpoint::List);
    assert_eq!(hand.posted(3, "Baa", With { at, last_remote: Some(&new), ..MAYBE }).await, third);
    assert_eq!(mastodon.requests(Endpoint::List) - looks, 3, "pages");
    assert_eq!(hand.count(), 59);
    // A healthy sheep's look is one page.
    let last = hand.posted(60, "line 60", With::default()).await;
    let looks = mastodon.requests(Endpoint::List);
    hand.posted(61, "line 61", With { last_remote: Some(&last), ..MAYBE }).await;
    assert_eq!(mastodon.requests(Endpoint::List) - looks, 1);
}

/// The second page is the first again, so that its posts do not go on where the first ended.
#[tokio::test]
async fn a_look_ends_where_every_page_is_the_newest() {
    let hand = Hand::start().await;
    hand.world.mastodon.listed(Listed::Unpaged);
    for number in 1..40 {
        let line = format!("line {number}");
        let first = hand.posted(number, &line, MAYBE).await;
        assert_eq!(hand.posted(number, &line, MAYBE).await, first, "{line}");
        hand.world.mastodon.advance(SignedDuration::from_secs(1));
    }
    assert_eq!(hand.count(), 39);
    // As many as it ever shows: whether there are more nobody knows.
    hand.posted(40, "line 40", With::default()).await;
    let Outcome::Unknown { .. } = hand.post(41, "Baa", MAYBE).await else { panic!("nobody knows") };
}

#[tokio::test]
async fn a_look_that_finds_no_end_leaves_it_to_people() {
    let hand = Hand::start().await;
    for number in 2..203 {
        hand.posted(number, &format!("line {number}"), With::default()).await;
    }
    let Outcome::Unknown { why } = hand.post(1, "Baa", MAYBE).await else { panic!("nobody knows") };
    assert!(
        why.starts_with("the post is not among the account's 200 newest at Mastodon at "),
        "{why}"
    );
    assert_eq!(hand.count(), 201);
}

#[tokio::test]
async fn clocks_that_are_off_hide_nothing() {
    for minutes in [-60, -5, 5, 60] {
        let hand = Hand::start().await;
        hand.world.mastodon.advance(SignedDuration::from_mins(minutes));
        let first = hand.posted(1, "Baa", With::default()).await;
        assert_eq!(hand.posted(1, "Baa", MAYBE).await, first, "{minutes} minutes off");
        assert_eq!(hand.count(), 1);
    }
}

#[tokio::test]
async fn with_the_key_not_even_a_look_that_misses_doubles_a_post() {
    let hand = Hand::start().await;
    hand.world.mastodon.idempotency(true);
    let first = hand.posted(1, "Baa", With::default()).await;
    // As if the listing lagged: the text is another.
    assert_eq!(hand.posted(1, "Boo", MAYBE).await, first);
    assert_eq!(hand.count(), 1);
}

#[tokio::test]
async fn replies_reposts_pages_and_deletes() {
    let hand = Hand::start().await;
    let mastodon = &hand.world.mastodon;
    let first = hand.posted(1, "first", With::default()).await;
    let answer = With { reply_to: Some(&first), ..With::default() };
    let second = hand.posted(2, "see https://example.com/a (#moon)", answer).await;
    assert_eq!(mastodon.posts("apollo")[1].in_reply_to.as_deref(), Some(first.as_str()));
    // The same words are another post when they answer nothing, and the same when they do.
    let text = "see https://example.com/a (#moon)";
    assert_eq!(hand.posted(2, text, With { reply_to: Some(&first), ..MAYBE }).await, second);
    let third = hand.posted(3, text, MAYBE).await;
    assert_ne!(third, second);

    let account = hand.account().await;
    let flock = flock_core::Flock::new("flock".parse().unwrap());
    let act = ("hand".to_owned(), "act".to_owned());
    let purse = Purse::new(&hand.world.store, &flock, act, ts(START), ts(START));
    let id = Occurrence(1).post_id(&"flock/reposts".parse().unwrap());
    let repost = hand.networks.repost(&id, &first, &account, &purse).await.unwrap();
    assert_eq!(hand.networks.repost(&id, &first, &account, &purse).await.unwrap(), repost);
    let reposts = mastodon.posts("apollo").into_iter().filter(|post| post.reblog_of.is_some());
    assert_eq!(reposts.map(|post| post.id).collect::<Vec<_>>(), [repost.as_str()]);
    mastodon.misbehave_at(Endpoint::Reblog, Misbehave::AcceptThen500);
    let unknown = hand.networks.repost(&id, &second, &account, &purse).await.unwrap_err();
    assert_eq!(unknown.kind, FailureKind::Unknown);
    hand.networks.repost(&id, &second, &account, &purse).await.unwrap();
    assert_eq!(hand.count(), 5);
    let nothing: RemoteId = "7".parse().unwrap();
    let refused = hand.networks.repost(&id, &nothing, &account, &purse).await.unwrap_err();
    assert!(refused.why.contains("does not find the post to repost"), "{refused}");

    for number in 4..=50 {
        hand.posted(number, &format!("line {number}"), With::default()).await;
    }
    let (mut texts, mut page, mut pages) = (Vec::new(), None::<String>, 0);
    loop {
        let timeline = hand.networks.timeline(&account, page.as_deref(), &purse).await.unwrap();
        texts.extend(timeline.posts.into_iter().map(|post| post.text));
        pages += 1;
        page = timeline.next;
        if page.is_none() {
            break;
        }
    }
    assert_eq!((texts.len(), pages), (50, 3));
    assert_eq!((&*texts[0], &*texts[48], &*texts[49]), ("line 50", text, "first"));

    assert_eq!(hand.networks.delete(&third, &account, &purse).await, Ok(Deleted::Now));
    assert_eq!(hand.networks.delete(&third, &account, &purse).await, Ok(Deleted::Before));
    let gone = hand.post(51, "to nobody", With { reply_to: Some(&third), ..MAYBE }).await;
    assert!(
        matches!(&gone, Outcome::Refused { why } if why.contains("does not find the post it answers")),
        "{gone:?}"
    );
    // A server that takes no deletions says the same, and then shows the post (snac).
    mastodon.misbehave_at(Endpoint::Delete, Misbehave::NotFound);
    let refused = hand.networks.delete(&second, &account, &purse).await.unwrap_err();
    assert!(refused.why.contains("it is still there"), "{refused}");
}

#[tokio::test]
async fn pictures_are_shown_with_their_words() {
    let hand = Hand::start().await;
    let mastodon = &hand.world.mastodon;
    let picture = Picture::read(png(3, 2, 0), "a \"field\",\r\nü".to_owned()).unwrap();
    let with = With { picture: Some(&picture), ..With::default() };
    let first = hand.posted(1, "look", with).await;
    let shown = mastodon.posts("apollo").remove(0).pictures.remove(0);
    assert_eq!((shown.mime.as_str(), shown.alt.as_str()), ("image/png", "a \"field\",\r\nü"));
    assert_eq!(shown.bytes, png(3, 2, 0));
    assert_eq!(mastodon.requests(Endpoint::Media), 1);
    // Found, nothing is uploaded.
    let maybe = With { picture: Some(&picture), ..MAYBE };
    assert_eq!(hand.posted(1, "look", maybe).await, first);
    assert_eq!(mastodon.requests(Endpoint::Media), 1);
    // A post of the same words without a picture is another.
    let bare = hand.posted(2, "look here", With::default()).await;
    assert_ne!(hand.posted(3, "look here", maybe).await, bare);

    mastodon.processing(1);
    hand.posted(4, "slow", with).await;
    mastodon.processing(9);
    let slow = hand.post(5, "slower", with).await;
    assert!(
        matches!(&slow, Outcome::TryAgain { why, .. } if why.contains("still processing")),
        "{slow:?}"
    );
    mastodon.processing(0);
    // Nobody sees an upload, so a lost answer to one leaves nothing open.
    for misbehave in [Misbehave::AcceptThen500, Misbehave::Html, Misbehave::Huge] {
        mastodon.misbehave_at(Endpoint::Media, misbehave);
        let again = hand.post(5, "slower", with).await;
        assert!(matches!(&again, Outcome::TryAgain { .. }), "{again:?}");
    }
    let count = hand.count();
    let invalid = "Validation failed: File content type is invalid".to_owned();
    mastodon.misbehave_at(Endpoint::Media, Misbehave::Unprocessable(invalid));
    let refused = hand.post(6, "no", with).await;
    assert!(
        matches!(&refused, Outcome::Refused { why } if why.contains("does not take the picture")),
        "{refused:?}"
    );
    let large = Picture::read(png(3, 2, 16 * 1024 * 1024), String::new()).unwrap();
    let large = hand.post(7, "no", With { picture: Some(&large), ..With::default() }).await;
    assert!(
        matches!(&large, Outcome::Refused { why } if why.contains("at most 16777216 are taken")),
        "{large:?}"
    );
    assert_eq!(hand.count(), count);
}
