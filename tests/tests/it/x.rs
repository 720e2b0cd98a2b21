//! What only X does: replies, pictures, reposts, limits, bills, and what it says when it will not. Through
//! the tick, and, where no function asks for it yet, through the networks' crate.

use std::time::Duration;

use flock_aws::Clock;
use flock_core::{
    Flock, FlockName, Month, Network, Occurrence, Outcome, Picture, RemoteId, RhythmFields, Sent,
    SheepId, State,
};
use flock_net::{Account, Accounts, Deleted, Draft, FailureKind, Networks, Purse};
use flock_store::{Post, PostState};
use flock_tests::{Billed, Misbehave, Operation, Trouble, X, png};
use jiff::SignedDuration;

use crate::world::{World, user_id};

fn flock() -> FlockName {
    "flock".parse().unwrap()
}

/// An account on X, asked through the networks' crate.
struct Hand {
    world: World,
    networks: Networks,
    account: Account,
    flock: Flock,
}

impl Hand {
    /// On the wall clock, which is X's.
    async fn new() -> Self {
        let mut world = World::start().await;
        world.clock = Clock::wall();
        world.sheep("apollo", Network::X, 3).await;
        let account = account(&world, "apollo").await;
        let networks = Networks::new(world.store.clone(), &world.networks(), &world.clock);
        let flock = world.store.flock(&flock()).await.unwrap().unwrap();
        Self { world, networks, account, flock }
    }

    /// The purse of one act.
    fn purse(&self, act: &str) -> Purse<'_> {
        let now = self.world.clock.now();
        let named = ("apollo".to_owned(), act.to_owned());
        Purse::new(&self.world.store, &self.flock, named, now, now)
    }

    fn draft(&self, number: u64, text: &str) -> Draft<'static> {
        let sheep: SheepId = "flock/apollo".parse().unwrap();
        let occurrence = Occurrence(number);
        Draft {
            id: occurrence.post_id(&sheep),
            post: Post {
                made: None,
                sheep,
                occurrence,
                account: self.account.id.clone(),
                at: self.world.clock.now(),
                text: text.to_owned(),
                state: PostState::Pending,
                remote_id: None,
                answers: None,
            },
            sent: Sent::No,
            last_remote: None,
            reply_to: None,
            quotes: None,
            attempts: 0,
            read: 1,
            picture: None,
            made_with_ai: false,
        }
    }

    /// Posts, as the tick does.
    async fn post(&self, draft: &Draft<'_>) -> Outcome {
        let purse = self.purse(&draft.post.occurrence.to_string());
        let outcome = self.networks.post(draft, &self.account, &purse).await;
        if let Outcome::Done(_) = outcome {
            purse.close().await.unwrap();
        }
        outcome
    }

    /// What the flock has spent, and on what.
    async fn spent(&self) -> (u64, Vec<(String, u64)>) {
        let month = Month::of(self.world.clock.now());
        let ledger = self.world.store.ledger(&flock(), month).await.unwrap();
        let counts = ledger.counts.into_iter().filter(|(_, count)| *count != 0);
        (ledger.spent.micros(), counts.collect())
    }

    /// What is spent is what X has charged.
    async fn assert_paid(&self) {
        let (spent, counts) = self.spent().await;
        let bill = self.world.x.bill(&user_id("apollo"));
        assert_eq!(
            spent,
            self.world.x.billed_micros(&user_id("apollo")),
            "{counts:?}, but X: {bill:?}"
        );
    }
}

async fn account(world: &World, name: &str) -> Account {
    let accounts = Accounts::new(&world.cloud.aws(), world.store.clone(), &world.networks());
    accounts.open(&format!("x:{name}").parse().unwrap()).await.unwrap().unwrap()
}

#[track_caller]
fn posted(outcome: Outcome) -> RemoteId {
    match outcome {
        Outcome::Done(remote_id) => remote_id,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn replies_to_those_who_asked_and_to_itself() {
    let hand = Hand::new().await;
    let x = &hand.world.x;
    let text = format!("What say you, @user{}?", user_id("apollo"));
    let asked: RemoteId = x.made_elsewhere("8", &text).parse().unwrap();
    let reply = Draft { reply_to: Some(&asked), ..hand.draft(1, "Baa") };
    let first = posted(hand.post(&reply).await);
    // Known again behind the name X puts before it.
    let lost = Draft { sent: Sent::Maybe, ..reply };
    assert_eq!(posted(hand.post(&lost).await), first);
    let thread =
        Draft { reply_to: Some(&first), last_remote: Some(&first), ..hand.draft(2, "Baa again") };
    posted(hand.post(&thread).await);
    let posts = x.posts(&user_id("apollo"));
    let replies: Vec<_> = posts.iter().map(|post| post.reply_to.as_deref().unwrap()).collect();
    assert_eq!(replies, [asked.as_str(), first.as_str()]);
    let bill = x.bill(&user_id("apollo"));
    assert_eq!((bill[&Billed::SummonedReply], bill[&Billed::Post]), (1, 1));
    hand.assert_paid().await;

    let other: RemoteId = x.made_elsewhere("8", "I talk to nobody").parse().unwrap();
    let unasked = Draft { reply_to: Some(&other), ..hand.draft(3, "Hello!") };
    let Outcome::Refused { why } = hand.post(&unasked).await else { panic!("it is refused") };
    insta::assert_snapshot!(why, @r#"x:apollo: X lets the account reply to those alone who mentioned or quoted it: "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged by the author of the post you are replying to."; post without replying, then resume flock/apollo"#);
    let elsewhere: RemoteId = "at://did:plc:a/app.bsky.feed.post/1".parse().unwrap();
    let wrong = Draft { reply_to: Some(&elsewhere), ..hand.draft(4, "Hello!") };
    let Outcome::Refused { why } = hand.post(&wrong).await else { panic!("it is refused") };
    assert!(why.contains("is not the number of a post on X"), "{why}");
    hand.assert_paid().await;
}

#[tokio::test]
async fn a_picture_is_posted_with_its_alternative_text() {
    let hand = Hand::new().await;
    let picture = Picture::read(png(3, 2, 0), "A sheep on a hill".to_owned()).unwrap();
    let draft = Draft { picture: Some(&picture), made_with_ai: true, ..hand.draft(1, "Look") };
    let remote_id = posted(hand.post(&draft).await);
    let posts = hand.world.x.posts(&user_id("apollo"));
    assert_eq!(posts[0].pictures.len(), 1);
    assert_eq!(posts[0].pictures[0].bytes, picture.bytes());
    assert_eq!(posts[0].pictures[0].alt.as_deref(), Some("A sheep on a hill"));
    assert!(posts[0].made_with_ai);
    hand.assert_paid().await;
    // The link of the picture is not part of the text.
    let lost = Draft { sent: Sent::Maybe, ..hand.draft(1, "Look") };
    assert_eq!(posted(hand.post(&lost).await), remote_id);
    let (spent, counts) = hand.spent().await;
    assert_eq!(spent, 15_000 + 5_000 + 1_000);
    let kinds: Vec<_> = counts.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["alternative texts", "own posts read", "posts"]);
    hand.assert_paid().await;
}

/// Until the post shows it, nothing is done.
#[tokio::test]
async fn a_picture_that_fails_on_the_way_is_tried_again() {
    let hand = Hand::new().await;
    let picture = Picture::read(png(3, 2, 0), "A sheep".to_owned()).unwrap();
    let draft = Draft { picture: Some(&picture), ..hand.draft(1, "Look") };
    let x = &hand.world.x;
    x.misbehave_at(Operation::Upload, Misbehave::Refuse500);
    x.misbehave_at(Operation::AltText, Misbehave::Refuse500);
    for _ in 0..2 {
        let outcome = hand.post(&draft).await;
        assert!(matches!(outcome, Outcome::TryAgain { .. }), "{outcome:?}");
    }
    assert!(x.posts(&user_id("apollo")).is_empty());
    posted(hand.post(&draft).await);
    assert_eq!(x.posts(&user_id("apollo")).len(), 1);
    // X may have charged for the text it failed at.
    let (spent, _) = hand.spent().await;
    assert_eq!(spent, x.billed_micros(&user_id("apollo")) + 5_000);
}

#[tokio::test]
async fn a_repost_is_made_and_paid_once() {
    let hand = Hand::new().await;
    let x = &hand.world.x;
    let of: RemoteId = x.made_elsewhere("8", "Worth showing").parse().unwrap();
    let id = hand.draft(1, "").id;
    for _ in 0..2 {
        let purse = hand.purse("repost 1");
        let done = hand.networks.repost(&id, &of, &hand.account, &purse).await.unwrap();
        assert_eq!(done, of, "X knows a repost by what it repeats");
    }
    assert_eq!(x.posts(&user_id("apollo")).len(), 1);
    assert_eq!(x.posts(&user_id("apollo"))[0].repost_of.as_deref(), Some(of.as_str()));
    hand.assert_paid().await;
    let gone: RemoteId = "1".parse().unwrap();
    let purse = hand.purse("repost 2");
    let failure = hand.networks.repost(&id, &gone, &hand.account, &purse).await.unwrap_err();
    assert!(matches!(failure.kind, FailureKind::Refused(_)));
    hand.assert_paid().await;
}

#[tokio::test]
async fn a_post_is_deleted_once_and_then_gone() {
    let hand = Hand::new().await;
    let x = &hand.world.x;
    let remote_id = posted(hand.post(&hand.draft(1, "Baa")).await);
    // The first request's answer is lost, so nobody knows.
    x.misbehave_at(Operation::Delete, Misbehave::AcceptThen500);
    let delete = async || {
        let purse = hand.purse("delete 1");
        hand.networks.delete(&remote_id, &hand.account, &purse).await
    };
    assert_eq!(delete().await.unwrap_err().kind, FailureKind::Unknown);
    assert_eq!(delete().await, Ok(Deleted::Before));
    assert!(x.posts(&user_id("apollo")).is_empty());
    hand.assert_paid().await;
    let other = posted(hand.post(&hand.draft(2, "Baa again")).await);
    let purse = hand.purse("delete 2");
    let deleted = hand.networks.delete(&other, &hand.account, &purse).await;
    assert_eq!(deleted, Ok(Deleted::Now));
    hand.assert_paid().await;
}

#[tokio::test]
async fn own_posts_are_listed_in_pages_and_paid_by_the_post() {
    let hand = Hand::new().await;
    let x = &hand.world.x;
    for number in 0..22 {
        x.made_elsewhere(&user_id("apollo"), &format!("<{number}> & see example.com"));
    }
    let of: RemoteId = x.made_elsewhere("8", "Worth showing").parse().unwrap();
    let purse = hand.purse("repost 1");
    hand.networks.repost(&hand.draft(1, "").id, &of, &hand.account, &purse).await.unwrap();
    let (mut texts, mut page) = (Vec::new(), None);
    loop {
        let purse = hand.purse("list");
        let listed = hand.networks.timeline(&hand.account, page.as_deref(), &purse).await.unwrap();
        let now = hand.world.clock.now();
        for post in &listed.posts {
            assert!(now.duration_since(post.at).abs() < SignedDuration::from_mins(1));
        }
        texts.extend(listed.posts.into_iter().map(|post| post.text));
        page = listed.next;
        if page.is_none() {
            break;
        }
    }
    let expected: Vec<_> =
        (0..22).rev().map(|number| format!("<{number}> & see http://example.com")).collect();
    assert_eq!(texts, expected);
    assert_eq!(x.asked(Operation::Timeline), 3);
    hand.assert_paid().await;
}

#[tokio::test]
async fn a_key_is_checked_for_nothing() {
    let hand = Hand::new().await;
    let x = &hand.world.x;
    let checked = hand.networks.check(&hand.account).await.unwrap();
    assert_eq!(checked.remote_user, user_id("apollo"));
    x.trouble(Trouble::Revoked);
    let failure = hand.networks.check(&hand.account).await.unwrap_err();
    insta::assert_snapshot!(failure.why, @r#"X does not accept the account's key: "Invalid or expired token."; renew the account's key"#);
    x.well();
    let unknown =
        Account { remote_user: "1234".to_owned(), ..account(&hand.world, "apollo").await };
    let failure = hand.networks.check(&unknown).await.unwrap_err();
    insta::assert_snapshot!(failure.why, @"X does not know an account with this `user_id`");
    assert!(x.bill(&user_id("apollo")).is_empty());
}

/// Others of the account's sheep have posted since: the look goes on to the next page, and no further.
#[tokio::test]
async fn a_look_pays_for_what_it_read() {
    let hand = Hand::new().await;
    let x = &hand.world.x;
    let before = x.made_elsewhere(&user_id("apollo"), "long ago");
    let draft = hand.draft(1, "Baa");
    x.misbehave(Misbehave::AcceptThen500);
    assert!(matches!(hand.post(&draft).await, Outcome::Unknown { .. }));
    for number in 0..14 {
        x.made_elsewhere(&user_id("apollo"), &format!("another {number}"));
    }
    let before: RemoteId = before.parse().unwrap();
    let lost = Draft { sent: Sent::Maybe, last_remote: Some(&before), ..draft };
    let found = posted(hand.post(&lost).await);
    assert_eq!(found.as_str(), x.posts(&user_id("apollo"))[1].id);
    assert_eq!(x.asked(Operation::Timeline), 2);
    // Not the one from before.
    assert_eq!(x.bill(&user_id("apollo"))[&Billed::OwnPost], 15);
    hand.assert_paid().await;
}

#[tokio::test]
async fn a_look_that_finds_no_end_leaves_it_to_people() {
    let hand = Hand::new().await;
    let x = &hand.world.x;
    let lost = Draft { sent: Sent::Maybe, ..hand.draft(1, "Baa") };
    for number in 0..101 {
        x.made_elsewhere(&user_id("apollo"), &format!("another {number}"));
    }
    let Outcome::Unknown { why } = hand.post(&lost).await else { panic!("nobody knows") };
    insta::assert_snapshot!(why, @"the post is not among the account's 100 newest on X; look whether it is there");
    assert_eq!(x.asked(Operation::Post), 0);
    hand.assert_paid().await;
}

/// What is left of a limit is kept to, before X has to say no.
#[tokio::test]
async fn a_used_up_limit_is_waited_for_without_asking() {
    let hand = Hand::new().await;
    let x = &hand.world.x;
    x.limit(Operation::Post, 2);
    for number in 1..3 {
        posted(hand.post(&hand.draft(number, &format!("Baa {number}"))).await);
    }
    let Outcome::TryAgain { why, not_before: Some(reset) } =
        hand.post(&hand.draft(3, "Baa 3")).await
    else {
        panic!("it waits")
    };
    assert!(why.starts_with("X takes no more requests of x:apollo until "), "{why}");
    let left = reset.duration_since(hand.world.clock.now());
    assert!((890..=900).contains(&left.as_secs()), "{left}");
    assert_eq!(x.asked(Operation::Post), 2);
    assert_eq!(hand.networks.limited_until(&hand.account.id), Some(reset));
    hand.assert_paid().await;
}

/// Of all accounts of the app together.
#[tokio::test]
async fn the_apps_day_is_over_for_every_account() {
    let hand = Hand::new().await;
    let x = &hand.world.x;
    x.app_limit(1);
    hand.world.sheep("artemis", Network::X, 3).await;
    let other = account(&hand.world, "artemis").await;
    posted(hand.post(&hand.draft(1, "Baa")).await);
    let draft = hand.draft(2, "Baa too");
    let purse = hand.purse("2");
    let Outcome::TryAgain { not_before: Some(reset), .. } =
        hand.networks.post(&draft, &other, &purse).await
    else {
        panic!("it waits")
    };
    let left = reset.duration_since(hand.world.clock.now());
    assert!((86_390..=86_400).contains(&left.as_secs()), "{left}");
    assert_eq!(x.asked(Operation::Post), 1);
    // Another process does not know, asks, and waits as long.
    let networks =
        Networks::new(hand.world.store.clone(), &hand.world.networks(), &hand.world.clock);
    let Outcome::TryAgain { why, not_before } = networks.post(&draft, &other, &purse).await else {
        panic!("it waits")
    };
    assert_eq!(not_before, Some(reset));
    assert!(why.starts_with("the app has made all the posts of its day on X"), "{why}");
    hand.assert_paid().await;
}

/// Of all limits that are used up the latest reset counts: the account's day is longer than a quarter of an hour.
#[tokio::test]
async fn the_accounts_day_is_over_for_the_account_alone() {
    let hand = Hand::new().await;
    let x = &hand.world.x;
    x.user_limit(1);
    x.limit(Operation::Post, 1);
    posted(hand.post(&hand.draft(1, "Baa")).await);
    let draft = hand.draft(2, "Baa too");
    let Outcome::TryAgain { not_before: Some(reset), .. } = hand.post(&draft).await else {
        panic!("it waits")
    };
    let left = reset.duration_since(hand.world.clock.now());
    assert!((86_390..=86_400).contains(&left.as_secs()), "{left}");
    assert_eq!(x.asked(Operation::Post), 1);
    // Another process does not know, asks, and waits as long.
    let networks =
        Networks::new(hand.world.store.clone(), &hand.world.networks(), &hand.world.clock);
    let purse = hand.purse("2");
    let Outcome::TryAgain { why, not_before } = networks.post(&draft, &hand.account, &purse).await
    else {
        panic!("it waits")
    };
    assert_eq!(not_before, Some(reset));
    assert!(why.starts_with("the account has made all the posts of its day on X"), "{why}");
    // Other accounts have days of their own.
    hand.world.sheep("artemis", Network::X, 3).await;
    let other = account(&hand.world, "artemis").await;
    posted(networks.post(&hand.draft(3, "Baa again"), &other, &hand.purse("3")).await);
}

/// A world with a sheep whose text X has not seen, and its ticks.
async fn sheep_on_x() -> (World, SheepId) {
    let world = World::start().await;
    let id = world.sheep("apollo", Network::X, 40).await;
    (world, id)
}

async fn problem(world: &World, id: &SheepId) -> String {
    world.read(id).await.problem().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_clock_that_is_off_stops_nobody_and_is_named() {
    let (world, id) = sheep_on_x().await;
    let app = world.app().await;
    world.x.clients_behind(SignedDuration::from_secs(6 * 60 + 30));
    assert_eq!(world.tick(&app).await.put_off, 1);
    assert_eq!(world.read(&id).await.state, State::Active);
    let why = problem(&world, &id).await;
    // A second may pass between signing and X's look at its clock.
    assert!(why.starts_with("the clock of this machine is 6 min 3"), "{why}");
    insta::assert_snapshot!(why.split_once(" s ").unwrap().1, @"behind X's, and X takes nothing that is signed more than 5 min off; set the clock");
    world.x.clients_behind(-SignedDuration::from_mins(20));
    world.tick_at(&app, 2).await;
    assert!(problem(&world, &id).await.contains(" s ahead of X's"));
    world.x.clients_behind(SignedDuration::ZERO);
    world.tick_at(&app, 5).await;
    assert_eq!(world.seen(&id).await, ["apollo line 0"]);
    let ledger = world.store.ledger(&flock(), Month::of(world.clock.now())).await.unwrap();
    assert_eq!(ledger.spent.micros(), world.x.billed_micros(&user_id("apollo")));
}

#[tokio::test]
async fn a_429_without_a_reset_backs_off_and_loses_nothing() {
    let (world, id) = sheep_on_x().await;
    let app = world.app().await;
    for misbehave in [Misbehave::RateLimitedForHowLong, Misbehave::Code88 { reset: None }] {
        world.x.misbehave(misbehave);
    }
    assert_eq!(world.tick(&app).await.put_off, 1);
    assert_eq!(problem(&world, &id).await, "X has had too many requests: \"Too Many Requests\"");
    assert_eq!(world.tick_at(&app, 2).await.put_off, 1);
    assert_eq!(problem(&world, &id).await, "X has had too many requests: \"Rate limit exceeded\"");
    // Twice as long as before.
    assert_eq!(world.tick_at(&app, 3).await.put_off, 0);
    world.tick_at(&app, 5).await;
    assert_eq!(world.seen(&id).await, ["apollo line 0"]);
    assert!(world.x.unspent().is_empty());
}

/// What people read of each trouble; when it is over and the sheep resumed, the post is made, once.
#[tokio::test]
async fn troubles_are_told_in_words_and_lose_nothing() {
    let mut told = Vec::new();
    for trouble in [
        Trouble::Revoked,
        Trouble::Suspended,
        Trouble::AppSuspended,
        Trouble::Tier,
        Trouble::OutOfCredits,
    ] {
        let (world, id) = sheep_on_x().await;
        let app = world.app().await;
        world.x.trouble(trouble);
        world.tick(&app).await;
        let sheep = world.read(&id).await;
        let state = sheep.state.name();
        told.push(format!("{trouble:?} ({state}): {}", problem(&world, &id).await));
        world.x.well();
        // Who waits for credits goes on by itself.
        world.store.put_sheep(&sheep.resume(world.clock.now())).await.unwrap();
        world.tick_at(&app, 2).await;
        assert_eq!(world.seen(&id).await, ["apollo line 0"], "{trouble:?}");
        let ledger = world.store.ledger(&flock(), Month::of(world.clock.now())).await.unwrap();
        assert_eq!(ledger.spent.micros(), world.x.billed_micros(&user_id("apollo")));
    }
    insta::assert_snapshot!(told.join("\n"), @r#"
    Revoked (stopped): x:apollo: X does not accept the account's key: "Invalid or expired token."; renew the account's key, then resume flock/apollo
    Suspended (stopped): x:apollo: X has suspended the account: "Your account is suspended and is not permitted to access this feature."; appeal at help.x.com, then resume flock/apollo
    AppSuspended (stopped): x:apollo: X has suspended the app: "Invalid / suspended application"; see to it in X's developer console, then resume flock/apollo
    Tier (stopped): x:apollo: X does not let the app's tier do this: "You currently have access to a subset of X API V2 endpoints and limited v1.1 endpoints (e.g. media post, oauth) only. If you need access to this endpoint, you may need a different access level."; see the app's access in X's developer console, then resume flock/apollo
    OutOfCredits (active): the app's credits at X are used up: "Your enrolled account [1234567890] does not have any credits to fulfill this request."; buy more in X's developer console (console.x.com)
    "#);
}

/// A sheep that stopped would say it again once it is resumed.
#[tokio::test]
async fn a_key_that_is_revoked_before_the_look_leaves_the_post_unknown() {
    let (world, id) = sheep_on_x().await;
    world.x.duplicate_check(false);
    let app = world.app().await;
    world.x.misbehave(Misbehave::AcceptThen500);
    assert_eq!(world.tick(&app).await.unknown, 1);
    world.x.trouble(Trouble::Revoked);
    assert_eq!(world.tick_at(&app, 2).await.unknown, 1);
    assert_eq!(world.read(&id).await.state, State::Active);
    assert!(problem(&world, &id).await.starts_with("X does not accept the account's key"));
    world.x.well();
    world.tick_at(&app, 6).await;
    assert_eq!(world.seen(&id).await, ["apollo line 0"]);
    assert_eq!(world.posts(&id).await.len(), 1);
}

/// X took the post, does not list it yet, and says "duplicate" to the second request.
#[tokio::test]
async fn a_duplicate_after_an_unknown_is_our_post() {
    let (world, id) = sheep_on_x().await;
    let app = world.app().await;
    // Not in the look before the second request, nor in the one after it.
    world.x.lag(2);
    world.x.misbehave(Misbehave::AcceptThen500);
    assert_eq!(world.tick(&app).await.unknown, 1);
    assert_eq!(world.tick_at(&app, 2).await.unknown, 1);
    assert_eq!(problem(&world, &id).await, "X says it has the post, but does not list it yet");
    world.tick_at(&app, 6).await;
    assert_eq!(world.seen(&id).await, ["apollo line 0"]);
    assert_eq!(world.posts(&id).await.len(), 1);
    assert_eq!(world.x.asked(Operation::Post), 2);
    let ledger = world.store.ledger(&flock(), Month::of(world.clock.now())).await.unwrap();
    assert_eq!(ledger.spent.micros(), world.x.billed_micros(&user_id("apollo")));
}

/// X took the post, does not list it yet, and refuses the second request, which says nothing of the first.
#[tokio::test]
async fn a_refusal_after_a_look_that_came_too_early_leaves_the_post_unknown() {
    let (world, id) = sheep_on_x().await;
    world.x.duplicate_check(false);
    let app = world.app().await;
    world.x.lag(1);
    world.x.misbehave(Misbehave::AcceptThen500);
    assert_eq!(world.tick(&app).await.unknown, 1);
    world.x.misbehave_at(Operation::Post, Misbehave::Forbidden("Not now.".to_owned()));
    assert_eq!(world.tick_at(&app, 2).await.unknown, 1);
    assert_eq!(world.read(&id).await.state, State::Active);
    world.tick_at(&app, 6).await;
    assert_eq!(world.seen(&id).await, ["apollo line 0"]);
    assert_eq!(world.posts(&id).await.len(), 1);
    let ledger = world.store.ledger(&flock(), Month::of(world.clock.now())).await.unwrap();
    assert_eq!(ledger.spent.micros(), world.x.billed_micros(&user_id("apollo")));
}

#[tokio::test]
async fn an_answer_of_100_mb_is_not_read_and_the_post_is_made_once() {
    let (world, id) = sheep_on_x().await;
    let app = world.app().await;
    world.x.misbehave(Misbehave::Huge);
    assert_eq!(world.tick(&app).await.unknown, 1);
    assert_eq!(problem(&world, &id).await, "the answer of X has no end");
    world.tick_at(&app, 2).await;
    assert_eq!(world.seen(&id).await, ["apollo line 0"]);
    // Nor one to a look, which leaves things as they were.
    world.x.misbehave(Misbehave::Refuse500);
    world.x.misbehave_at(Operation::Timeline, Misbehave::Huge);
    assert_eq!(world.tick_at(&app, 5).await.unknown, 1);
    assert_eq!(world.tick_at(&app, 7).await.unknown, 1);
    world.tick_at(&app, 11).await;
    assert_eq!(world.seen(&id).await, ["apollo line 0", "apollo line 1"]);
}

#[tokio::test]
async fn nobody_is_followed_to_another_address() {
    let (world, id) = sheep_on_x().await;
    let app = world.app().await;
    let inside = X::start("inside").await;
    let place = format!("{}/2/tweets", inside.url());
    world.x.misbehave(Misbehave::Redirect(place.clone()));
    // Whether X has it, a redirect does not say.
    assert_eq!(world.tick(&app).await.unknown, 1);
    assert_eq!(inside.asked(Operation::Post), 0);
    insta::assert_snapshot!(problem(&world, &id).await.replace(&place, "http://PRIVATE"), @"X sends us on to http://PRIVATE, which is not followed; if it has moved, add the account under the new address");
    world.tick_at(&app, 2).await;
    assert_eq!(world.seen(&id).await, ["apollo line 0"]);
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_found_out() {
    let (world, id) = sheep_on_x().await;
    world.x.duplicate_check(false);
    let app = world.app().await;
    world.x.misbehave(Misbehave::AcceptLate(Duration::from_secs(30)));
    assert_eq!(world.tick(&app).await.unknown, 1);
    world.tick_at(&app, 2).await;
    assert_eq!(world.seen(&id).await, ["apollo line 0"]);
    assert_eq!(world.posts(&id).await.len(), 1);
}

#[tokio::test]
async fn what_is_made_with_ai_is_marked() {
    let world = World::start().await;
    let fields = RhythmFields::default();
    let id = world.sheep_with("apollo", Network::X, 3, &fields).await;
    let mut sheep = world.read(&id).await;
    sheep.config.made_with_ai = true;
    sheep.version += 1;
    world.store.put_sheep(&sheep).await.unwrap();
    let app = world.app().await;
    assert_eq!(world.tick(&app).await.posted, 1);
    assert!(world.x.posts(&user_id("apollo"))[0].made_with_ai);
}

/// One request when nothing goes wrong, and none of them a look.
#[tokio::test]
async fn a_post_is_one_request() {
    let (world, id) = sheep_on_x().await;
    let app = world.app().await;
    world.tick(&app).await;
    assert_eq!(world.seen(&id).await.len(), 1);
    assert_eq!((world.x.asked(Operation::Post), world.x.asked(Operation::Timeline)), (1, 0));
}
