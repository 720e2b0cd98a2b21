//! Bluesky through the front door: bad days, sessions, and what a post costs.

use flock_aws::Keyring;
use flock_core::{
    Network, Occurrence, Outcome, Picture, RemoteId, RhythmFields, Sent, Sheep, SheepId, State,
};
use flock_net::{Account, Accounts, Deleted, Draft, FailureKind, Networks, Purse};
use flock_store::{Post, PostState};
use flock_tests::{BLUESKY_TOKENS_BEGIN, BlueskyMisbehave, BlueskyStatus, png};
use jiff::SignedDuration;
use secrecy::SecretString;
use serde_json::{Value, json};
use sheep_tick::App;
use tokio::net::TcpSocket;

use crate::world::{KEYRING, START, World, bluesky_account, did, ts};

const PUT: &str = "putRecord";
const REFRESH: &str = "refreshSession";
const LOGIN: &str = "createSession";

/// What Bluesky does to `method`, and the world some minutes later.
async fn bluesky_does(
    method: &str,
    misbehave: Vec<BlueskyMisbehave>,
    minutes: i64,
) -> (World, SheepId) {
    let world = World::start().await;
    let id = world.sheep("apollo", Network::Bluesky, 40).await;
    for misbehave in misbehave {
        world.bluesky.misbehave(method, misbehave);
    }
    let app = world.app().await;
    for minute in 0..minutes {
        world.tick_at(&app, minute).await;
    }
    assert!(world.bluesky.unspent().is_empty());
    (world, id)
}

/// Lets time pass for everybody.
async fn after(world: &World, app: &App, minutes: i64) -> sheep_tick::Report {
    world.bluesky.advance(SignedDuration::from_mins(minutes));
    let now = world.clock.now() + SignedDuration::from_mins(minutes);
    world.clock.step_to(now);
    world.tick(app).await
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

async fn change(world: &World, id: &SheepId, change: impl FnOnce(&mut Sheep)) {
    let mut sheep = world.read(id).await;
    change(&mut sheep);
    sheep.version += 1;
    world.store.put_sheep(&sheep).await.unwrap();
}

/// Sheep that share the account of the first.
async fn sharing(world: &World, count: usize) -> Vec<SheepId> {
    let mut sheep = vec![world.sheep("apollo", Network::Bluesky, 40).await];
    for number in 1..count {
        let id = world.sheep(&format!("sheep-{number}"), Network::Meadow, 40).await;
        change(world, &id, |sheep| sheep.config.account = bluesky_account("apollo")).await;
        sheep.push(id);
    }
    sheep
}

#[tokio::test]
async fn a_healthy_post_is_one_request_and_none_is_a_login() {
    let world = World::start().await;
    let id = world.sheep("apollo", Network::Bluesky, 40).await;
    assert_eq!(world.bluesky.take_requests(), [LOGIN, "getRecord"]);
    let app = world.app().await;
    for minute in [0, 3, 6] {
        world.tick_at(&app, minute).await;
        assert_eq!(world.bluesky.take_requests(), [PUT]);
    }
    assert_eq!(world.seen(&id).await, ["apollo line 0", "apollo line 1", "apollo line 2"]);
    let posts = world.bluesky.posts(&did("apollo"));
    assert_eq!(posts[1].value["createdAt"], "2026-03-02T12:03:00.000Z");
    assert_eq!(posts[1].value.get("langs"), None);
    let recorded = world.posts(&id).await;
    assert_eq!(recorded[1].remote_id.as_ref().map(RemoteId::as_str), Some(posts[1].uri.as_str()));
    assert_eq!(world.bluesky.logins(&did("apollo")), 1);
}

#[tokio::test]
async fn a_500_after_accepting_is_found_and_not_posted_again() {
    let (world, id) = bluesky_does(PUT, vec![BlueskyMisbehave::AcceptThen500], 3).await;
    assert_eq!(world.seen(&id).await, ["apollo line 0"]);
    let posts = world.posts(&id).await;
    assert_eq!((posts.len(), posts[0].state), (1, PostState::Posted));
}

#[tokio::test]
async fn no_answer_after_accepting_is_found_and_not_posted_again() {
    let (world, id) = bluesky_does(PUT, vec![BlueskyMisbehave::AcceptThenSilence], 3).await;
    assert_eq!(world.seen(&id).await, ["apollo line 0"]);
    assert_eq!(world.posts(&id).await.len(), 1);
}

/// The account's owner, or a server, has changed the record since.
#[tokio::test]
async fn a_post_that_was_touched_is_known_again_and_another_is_not_taken_for_it() {
    for (key, value, known) in [("langs", json!(["en"]), true), ("text", json!("edited"), false)] {
        let (world, id) = bluesky_does(PUT, vec![BlueskyMisbehave::AcceptThen500], 1).await;
        let post = world.bluesky.posts(&did("apollo")).remove(0);
        let mut record = post.value.clone();
        record[key] = value;
        let rkey = post.uri.rsplit('/').next().unwrap();
        world.bluesky.write(&did("apollo"), "app.bsky.feed.post", rkey, record);
        world.bluesky.take_requests();
        let app = world.app().await;
        world.tick_at(&app, 2).await;
        assert_eq!(world.bluesky.take_requests(), [PUT, "getRecord"]);
        assert_eq!(world.bluesky.posts(&did("apollo")).len(), 1);
        if known {
            assert_eq!(world.posts(&id).await.len(), 1);
        } else {
            // It may be our post all the same: that is for people to say.
            let problem = problem(&world, &id).await;
            assert!(
                problem.contains("Bluesky has something else under the name of this post"),
                "{problem}"
            );
            assert_eq!(world.read(&id).await.state, State::Active);
        }
    }
}

#[tokio::test]
async fn what_was_not_accepted_is_posted_again() {
    let misbehave = vec![
        BlueskyMisbehave::Refuse500,
        BlueskyMisbehave::Html,
        BlueskyMisbehave::Endless,
        BlueskyMisbehave::RateLimited { reset: None },
    ];
    let (world, id) = bluesky_does(PUT, misbehave, 22).await;
    assert_eq!(world.seen(&id).await[0], "apollo line 0");
    assert_eq!(world.posts(&id).await.len(), world.seen(&id).await.len());
}

#[tokio::test]
async fn too_many_requests_wait_for_the_reset() {
    let reset = ts("2026-03-02T12:10:00Z");
    let limited = BlueskyMisbehave::RateLimited { reset: Some(reset) };
    let (world, id) = bluesky_does(PUT, vec![limited], 10).await;
    assert!(world.seen(&id).await.is_empty());
    assert_eq!(world.read(&id).await.next_at(), Some(reset));
    let app = world.app().await;
    world.tick_at(&app, 10).await;
    assert_eq!(world.seen(&id).await, ["apollo line 0"]);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let to = "http://169.254.169.254/latest/meta-data".to_owned();
    let (world, id) = bluesky_does(PUT, vec![BlueskyMisbehave::Redirect(to)], 1).await;
    let why = problem(&world, &id).await;
    assert!(why.contains("sends us on to http://169.254.169.254/"), "{why}");
    let app = world.app().await;
    world.tick_at(&app, 2).await;
    assert_eq!(world.seen(&id).await, ["apollo line 0"]);
}

#[tokio::test]
async fn an_account_that_fell_out_of_favour_stops_the_sheep_with_words() {
    for (status, words) in [
        (BlueskyStatus::TakenDown, "Bluesky has taken the account down"),
        (BlueskyStatus::Suspended, "Bluesky has suspended the account"),
        (BlueskyStatus::Deactivated, "the account is deactivated"),
    ] {
        let world = World::start().await;
        let id = world.sheep("apollo", Network::Bluesky, 40).await;
        world.bluesky.status(&did("apollo"), status);
        let app = world.app().await;
        world.tick(&app).await;
        let said = why(&world, &id).await;
        assert!(said.contains(words), "{said}");
        assert!(said.ends_with("then resume flock/apollo"), "{said}");
        // Back in favour, the same line goes out.
        world.bluesky.status(&did("apollo"), BlueskyStatus::Active);
        let resumed = world.read(&id).await.resume(world.clock.now());
        world.store.put_sheep(&resumed).await.unwrap();
        world.tick_at(&app, 1).await;
        assert_eq!(world.seen(&id).await, ["apollo line 0"]);
    }
}

/// What its own app would make a link or a hashtag of is one.
#[tokio::test]
async fn bare_domains_and_hashtags_are_shown_as_such() {
    let world = World::start().await;
    let lines = ["see example.com/moss, e.g. something-cool.jpg #moss\u{2060}y #a#b!".to_owned()];
    let fields = RhythmFields::default();
    world.sheep_that_says("apollo", Network::Bluesky, &lines, &fields).await;
    let app = world.app().await;
    assert_eq!(world.tick(&app).await.posted, 1);
    let record = world.bluesky.records(&did("apollo"), "app.bsky.feed.post").remove(0).value;
    let text = record["text"].as_str().unwrap();
    let byte = |at: &Value| usize::try_from(at.as_u64().unwrap()).unwrap();
    let shown = |facet: &Value| {
        let index = &facet["index"];
        let feature = &facet["features"][0];
        let target = feature["uri"].as_str().or(feature["tag"].as_str()).unwrap();
        format!("{} -> {target}", &text[byte(&index["byteStart"])..byte(&index["byteEnd"])])
    };
    let facets: Vec<_> = record["facets"].as_array().unwrap().iter().map(shown).collect();
    insta::assert_snapshot!(facets.join("\n"), @"
    example.com/moss -> https://example.com/moss
    #moss -> moss
    #a#b -> a#b
    ");
}

#[tokio::test]
async fn a_revoked_app_password_stops_the_sheep_when_its_session_ends() {
    let world = World::start().await;
    let id = world.sheep("apollo", Network::Bluesky, 40).await;
    let app = world.app().await;
    world.bluesky.revoke_app_password(&did("apollo"));
    assert_eq!(world.tick(&app).await.posted, 1, "as on the real one, access tokens live on");
    world.bluesky.take_requests();
    after(&world, &app, 121).await;
    assert_eq!(world.bluesky.take_requests(), [REFRESH, LOGIN]);
    let why = why(&world, &id).await;
    assert!(why.contains("does not accept the account's app password"), "{why}");
    assert!(why.contains("renew the account's key with a new app password"), "{why}");
    assert_eq!(world.seen(&id).await.len(), 1);
}

/// A sheep that stopped would say it again once it is resumed: under another name, because it is due anew.
#[tokio::test]
async fn an_account_that_falls_out_of_favour_meanwhile_is_not_posted_for_twice() {
    let (world, id) = bluesky_does(PUT, vec![BlueskyMisbehave::AcceptThen500], 1).await;
    world.bluesky.status(&did("apollo"), BlueskyStatus::Suspended);
    let app = world.app().await;
    assert_eq!(world.tick_at(&app, 2).await.unknown, 1);
    assert!(problem(&world, &id).await.contains("Bluesky has suspended the account"));
    world.bluesky.status(&did("apollo"), BlueskyStatus::Active);
    let resumed = world.read(&id).await.resume(world.clock.now());
    let _ = world.store.put_sheep(&resumed).await.unwrap();
    for minute in 3..7 {
        world.tick_at(&app, minute).await;
    }
    let seen = world.seen(&id).await;
    assert_eq!(seen.iter().filter(|text| *text == "apollo line 0").count(), 1, "{seen:?}");
    assert_eq!(world.posts(&id).await.len(), seen.len());
}

#[tokio::test]
async fn a_server_that_is_gone_costs_nothing_but_time() {
    let world = World::start().await;
    let id = world.sheep("apollo", Network::Bluesky, 40).await;
    // Nobody listens there, and nobody else gets the port meanwhile.
    let nobody = TcpSocket::new_v4().unwrap();
    nobody.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let account = bluesky_account("apollo");
    let mut item = world.store.account(&account).await.unwrap().unwrap();
    item.url = Some(format!("http://{}", nobody.local_addr().unwrap()));
    item.sealed_session = None;
    world.store.put_account(&account, item).await.unwrap();
    let app = world.app().await;
    assert_eq!(world.tick(&app).await.put_off, 1);
    let problem = problem(&world, &id).await;
    assert!(problem.starts_with("Bluesky did not answer: "), "{problem}");
    assert_eq!(world.read(&id).await.state, State::Active);
}

#[tokio::test]
async fn a_server_without_tls_is_not_spoken_to_as_if_it_had_it() {
    let world = World::start().await;
    let id = world.sheep("apollo", Network::Bluesky, 40).await;
    let account = bluesky_account("apollo");
    let mut item = world.store.account(&account).await.unwrap().unwrap();
    item.url = Some(world.bluesky.url().replace("http://", "https://"));
    item.sealed_session = None;
    world.store.put_account(&account, item).await.unwrap();
    let app = world.app().await;
    assert_eq!(world.tick(&app).await.put_off, 1);
    let problem = problem(&world, &id).await;
    assert!(problem.starts_with("Bluesky did not answer: "), "{problem}");
    assert!(world.seen(&id).await.is_empty());
}

#[tokio::test]
async fn a_session_is_renewed_before_it_ends_whatever_the_clocks_say() {
    // The stand-in's clock is on the wall, months from ours; five minutes come on top.
    for off in [-5, 0, 5] {
        let world = World::start().await;
        world.bluesky.advance(SignedDuration::from_mins(off));
        let id = world.sheep("apollo", Network::Bluesky, 400).await;
        let app = world.app().await;
        let mut posted = world.tick(&app).await.posted;
        for _ in 0..100 {
            posted += after(&world, &app, 3).await.posted;
        }
        assert_eq!(posted, 101, "{off} minutes off");
        assert_eq!(world.seen(&id).await.len(), 101);
        // Every 108 minutes in five hours.
        let did = did("apollo");
        assert_eq!((world.bluesky.logins(&did), world.bluesky.refreshes(&did)), (1, 2));
    }
}

#[tokio::test]
async fn a_session_that_ended_early_is_renewed_when_the_server_says_so() {
    let world = World::start().await;
    let id = world.sheep("apollo", Network::Bluesky, 40).await;
    world.bluesky.expire_access();
    world.bluesky.take_requests();
    let app = world.app().await;
    assert_eq!(world.tick(&app).await.posted, 1);
    assert_eq!(world.bluesky.take_requests(), [PUT, REFRESH, PUT]);
    world.tick_at(&app, 3).await;
    assert_eq!(world.bluesky.take_requests(), [PUT]);
    assert_eq!(world.seen(&id).await, ["apollo line 0", "apollo line 1"]);
}

#[tokio::test]
async fn a_401_without_reason_is_answered_with_a_new_session_once() {
    let (world, id) = bluesky_does(PUT, vec![BlueskyMisbehave::Unauthorized], 1).await;
    assert_eq!(world.seen(&id).await, ["apollo line 0"]);
    let twice = vec![BlueskyMisbehave::Unauthorized, BlueskyMisbehave::Unauthorized];
    let (world, id) = bluesky_does(PUT, twice, 1).await;
    let why = why(&world, &id).await;
    assert!(why.contains("does not accept the account's key"), "{why}");
    assert_eq!(world.bluesky.logins(&did("apollo")), 1);
}

/// In one process and in two: who comes first renews, and all post.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_renews_a_session_and_all_use_it() {
    let world = World::start().await;
    let sheep = sharing(&world, 40).await;
    world.bluesky.expire_access();
    let (one, other) = (world.app().await, world.app().await);
    let (one, other) = tokio::join!(world.tick(&one), world.tick(&other));
    assert_eq!(one.posted + other.posted, 40, "{one:?} {other:?}");
    assert_eq!((one.put_off, other.put_off), (0, 0));
    let did = did("apollo");
    assert_eq!((world.bluesky.logins(&did), world.bluesky.refreshes(&did)), (1, 1));
    assert_eq!(world.bluesky.posts(&did).len(), sheep.len());
}

#[tokio::test]
async fn a_lost_answer_to_a_renewal_is_made_up_for() {
    for (grace, logins) in [(120, 1), (0, 2)] {
        let world = World::start().await;
        world.bluesky.refresh_grace(SignedDuration::from_mins(grace));
        let id = world.sheep("apollo", Network::Bluesky, 40).await;
        world.bluesky.expire_access();
        world.bluesky.misbehave(REFRESH, BlueskyMisbehave::AcceptThen500);
        let app = world.app().await;
        assert_eq!(world.tick(&app).await.put_off, 1, "nothing was posted, and that is known");
        assert_eq!(after(&world, &app, 2).await.posted, 1);
        assert_eq!(world.seen(&id).await, ["apollo line 0"]);
        assert_eq!(world.bluesky.logins(&did("apollo")), logins);
    }
}

/// 30 logins in five minutes and 300 a day are the limit; who is thrown out again and again stays below.
#[tokio::test]
async fn logins_are_few_however_often_sessions_end() {
    let world = World::start().await;
    let id = world.sheep("apollo", Network::Bluesky, 400).await;
    let app = world.app().await;
    world.tick(&app).await;
    for _ in 0..60 {
        world.bluesky.end_sessions();
        world.bluesky.expire_access();
        after(&world, &app, 1).await;
    }
    let logins = world.bluesky.logins(&did("apollo"));
    assert!((8..=13).contains(&logins), "{logins} logins in an hour");
    assert!(matches!(world.read(&id).await.state, State::Active));
    let posted = world.posts(&id).await.len();
    assert_eq!(world.seen(&id).await.len(), posted);
    assert!(8 <= posted, "{posted} posts in an hour");
}

#[tokio::test]
async fn an_account_without_the_label_of_a_bot_posts_nothing() {
    let world = World::start().await;
    let id = world.sheep("apollo", Network::Bluesky, 40).await;
    world.bluesky.profile(&did("apollo"), &["something-else"]);
    let checked = world.add_bluesky(&bluesky_account("apollo"), &world.clock).await.unwrap();
    assert!(!checked.facts.labelled);
    let app = world.app().await;
    world.tick(&app).await;
    let why = why(&world, &id).await;
    assert!(why.contains("bluesky-unlabelled-bot"), "{why}");
    assert!(world.seen(&id).await.is_empty());

    let networks = Networks::new(world.store.clone(), &world.networks(), &world.clock);
    let accounts = Accounts::new(&world.cloud.aws(), world.store.clone(), &world.networks());
    let account = accounts.open(&bluesky_account("apollo")).await.unwrap().unwrap();
    for _ in 0..2 {
        networks.mark_as_bot(&account).await.unwrap();
    }
    let profile = world.bluesky.records(&did("apollo"), "app.bsky.actor.profile").remove(0).value;
    assert_eq!(profile["displayName"], "A sheep");
    assert_eq!(profile["labels"]["values"], json!([{ "val": "something-else" }, { "val": "bot" }]));
    let checked = world.add_bluesky(&bluesky_account("apollo"), &world.clock).await.unwrap();
    assert!(checked.facts.labelled);
}

/// What is wrong with an account is said when it is added.
#[tokio::test]
async fn a_key_is_looked_at_when_it_is_added() {
    let world = World::start().await;
    world.bluesky.account("apollo.test", &did("apollo"), "another password");
    world.bluesky.account("artemis.test", &did("artemis"), crate::world::APP_PASSWORD);
    let check = async |handle: &str| {
        let failure = world.add_bluesky(&bluesky_account(handle), &world.clock).await.unwrap_err();
        assert!(matches!(failure.kind, FailureKind::Refused(_)));
        failure.why
    };
    let why = check("apollo").await;
    assert!(why.contains("does not accept the account's app password"), "{why}");
    world.bluesky.status(&did("artemis"), BlueskyStatus::Deactivated);
    let why = check("artemis").await;
    assert!(why.starts_with("the account is asleep or was taken down"), "{why}");
    world.bluesky.status(&did("artemis"), BlueskyStatus::Active);
    world.bluesky.endpoint("https://10.0.0.1");
    let why = check("artemis").await;
    assert!(why.contains("inside a private network"), "{why}");
    world.bluesky.endpoint(&world.bluesky.url());
    let checked = world.add_bluesky(&bluesky_account("artemis"), &world.clock).await.unwrap();
    assert_eq!((checked.remote_user, checked.facts.labelled), (did("artemis"), false));
}

/// What sheep do not do yet, straight through the networks.
struct Hand {
    world: World,
    networks: Networks,
    accounts: Accounts,
}

impl Hand {
    async fn start() -> Self {
        let world = World::start().await;
        world.sheep("apollo", Network::Bluesky, 1).await;
        let settings = world.networks();
        let networks = Networks::new(world.store.clone(), &settings, &world.clock);
        let accounts = Accounts::new(&world.cloud.aws(), world.store.clone(), &settings);
        Self { world, networks, accounts }
    }

    async fn account(&self) -> Account {
        self.accounts.open(&bluesky_account("apollo")).await.unwrap().unwrap()
    }

    async fn post(
        &self,
        number: u64,
        text: &str,
        (reply_to, picture): (Option<&RemoteId>, Option<&Picture>),
    ) -> Outcome {
        let (sheep, occurrence): (SheepId, _) = ("flock/hand".parse().unwrap(), Occurrence(number));
        let at = ts(START) + SignedDuration::from_secs(i64::try_from(number).unwrap());
        let draft = Draft {
            id: occurrence.post_id(&sheep),
            post: Post {
                made: None,
                sheep,
                occurrence,
                account: bluesky_account("apollo"),
                at,
                text: text.to_owned(),
                state: PostState::Pending,
                remote_id: None,
                answers: None,
            },
            sent: Sent::No,
            last_remote: None,
            reply_to,
            quotes: None,
            attempts: 0,
            read: 1,
            picture,
            made_with_ai: false,
        };
        let flock = flock_core::Flock::new("flock".parse().unwrap());
        let act = ("hand".to_owned(), occurrence.to_string());
        let purse = Purse::new(&self.world.store, &flock, act, at, at);
        self.networks.post(&draft, &self.account().await, &purse).await
    }

    #[track_caller]
    fn posted(outcome: Outcome) -> RemoteId {
        match outcome {
            Outcome::Done(id) => id,
            other => panic!("not posted: {other:?}"),
        }
    }
}

#[tokio::test]
async fn replies_reposts_pages_and_deletes() {
    let hand = Hand::start().await;
    let bluesky = &hand.world.bluesky;
    let text = "See https://example.com/a (#moon)";
    let first = Hand::posted(hand.post(1, "first", (None, None)).await);
    let second = Hand::posted(hand.post(2, text, (Some(&first), None)).await);
    let third = Hand::posted(hand.post(3, "third", (Some(&second), None)).await);
    let posts = bluesky.posts(&did("apollo"));
    let reference = |at: usize| json!({ "uri": posts[at].uri, "cid": posts[at].cid });
    assert_eq!(posts[1].value["reply"], json!({ "root": reference(0), "parent": reference(0) }));
    assert_eq!(posts[2].value["reply"], json!({ "root": reference(0), "parent": reference(1) }));
    assert_eq!(posts[1].value["facets"][0]["index"], json!({ "byteStart": 4, "byteEnd": 25 }));

    let (account, flock) = (hand.account().await, "flock".parse().unwrap());
    let flock = flock_core::Flock::new(flock);
    let act = || ("hand".to_owned(), "act".to_owned());
    let purse = Purse::new(&hand.world.store, &flock, act(), ts(START), ts(START));
    let id = Occurrence(1).post_id(&"flock/reposts".parse().unwrap());
    let repost = hand.networks.repost(&id, &first, &account, &purse).await.unwrap();
    hand.world.clock.step_to(ts(START) + SignedDuration::from_mins(1));
    assert_eq!(hand.networks.repost(&id, &first, &account, &purse).await.unwrap(), repost);
    let other = hand.networks.repost(&id, &second, &account, &purse).await.unwrap_err();
    assert!(matches!(other.kind, FailureKind::Refused(_)), "{other}");
    assert_eq!(bluesky.records(&did("apollo"), "app.bsky.feed.repost").len(), 1);

    for number in 4..=230 {
        Hand::posted(hand.post(number, &format!("line {number}"), (None, None)).await);
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
    assert_eq!((texts.len(), pages), (230, 3));
    assert_eq!((&*texts[0], &*texts[228]), ("line 230", text));

    assert_eq!(hand.networks.delete(&third, &account, &purse).await, Ok(Deleted::Now));
    assert_eq!(hand.networks.delete(&third, &account, &purse).await, Ok(Deleted::Before));
    assert_eq!(bluesky.posts(&did("apollo")).len(), 229);
    let foreign = format!("at://{}/app.bsky.feed.post/3laaaaaaaaa2a", did("artemis"));
    let refused = hand.networks.delete(&foreign.parse().unwrap(), &account, &purse).await;
    assert!(matches!(refused.unwrap_err().kind, FailureKind::Refused(_)));
    // Whatever else is there is no post, though it is a record as posts are.
    let profile = format!("at://{}/app.bsky.actor.profile/self", did("apollo"));
    let refused = hand.networks.delete(&profile.parse().unwrap(), &account, &purse).await;
    let why = refused.unwrap_err().why;
    assert!(why.ends_with("is a record of app.bsky.actor.profile and not a post"), "{why}");
    let gone = hand.post(231, "to nobody", (Some(&third), None)).await;
    assert!(matches!(&gone, Outcome::Refused { why } if why.contains("is not there")), "{gone:?}");
}

#[tokio::test]
async fn pictures_are_shown_with_their_words() {
    let hand = Hand::start().await;
    let bluesky = &hand.world.bluesky;
    let picture = Picture::read(png(3, 2, 0), "a field".to_owned()).unwrap();
    bluesky.take_requests();
    Hand::posted(hand.post(1, "look", (None, Some(&picture))).await);
    assert_eq!(bluesky.take_requests(), ["uploadBlob", PUT]);
    let image = bluesky.posts(&did("apollo"))[0].value["embed"]["images"][0].clone();
    assert_eq!(image["alt"], "a field");
    assert_eq!(image["aspectRatio"], json!({ "width": 3, "height": 2 }));
    let link = image["image"]["ref"]["$link"].as_str().unwrap();
    assert_eq!(bluesky.picture(link), Some(png(3, 2, 0)));

    bluesky.misbehave("uploadBlob", BlueskyMisbehave::Refuse500);
    let broken = hand.post(2, "look", (None, Some(&picture))).await;
    assert!(
        matches!(&broken, Outcome::TryAgain { why, .. } if why.contains("over the picture")),
        "{broken:?}"
    );
    let large = Picture::read(png(3, 2, 1_000_000), String::new()).unwrap();
    let large = hand.post(3, "look", (None, Some(&large))).await;
    assert!(
        matches!(&large, Outcome::Refused { why } if why.contains("at most 1000000 are taken")),
        "{large:?}"
    );
    assert_eq!(bluesky.posts(&did("apollo")).len(), 1);
}

/// The table has tokens, and nobody can read them there.
#[tokio::test]
async fn sessions_are_sealed() {
    let world = World::start().await;
    world.sheep("apollo", Network::Bluesky, 1).await;
    let account = bluesky_account("apollo");
    let item = world.store.account(&account).await.unwrap().unwrap();
    let sealed = item.sealed_session.clone().unwrap();
    assert!(!format!("{item:?}").contains(BLUESKY_TOKENS_BEGIN), "no token in clear");
    let keyring = Keyring::parse(&SecretString::from(KEYRING)).unwrap();
    assert!(keyring.open(&account, &sealed).is_ok());
    // A session of another account is as good as none: then there is the app password.
    let mut damaged = item;
    damaged.sealed_session = Some(keyring.seal(&bluesky_account("x"), &SecretString::from("{}")));
    world.store.put_account(&account, damaged).await.unwrap();
    let app = world.app().await;
    assert_eq!(world.tick(&app).await.posted, 1);
    assert_eq!(world.bluesky.logins(&did("apollo")), 2);
}
