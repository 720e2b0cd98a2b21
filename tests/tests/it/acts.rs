//! Everything an errand can be, carried out on every network; what none of them is asked for is refused in words.

use std::time::Duration;

use flock_aws::{EventBus, Instant};
use flock_core::{Act, Cause, Errand, Network, NewPost, Occurrence, Outcome, Sent, SheepId, Task};
use flock_errand::{By, Carrier, Numbered, Order, Payers};

use flockwork::connect::LOCAL_NAME;

use crate::world::{World, did, user_id};

/// What came of an act of the sheep `id`, as its post with this number.
async fn carry_out(world: &World, id: &SheepId, number: u64, sent: Sent, act: Act) -> Outcome {
    carry_out_for(world, id, number, sent, act, Cause::Rhythm).await
}

/// The same, for another cause than its rhythm.
async fn carry_out_for(
    world: &World,
    id: &SheepId,
    number: u64,
    sent: Sent,
    act: Act,
    cause: Cause,
) -> Outcome {
    let sheep = world.read(id).await;
    let table = world.store.table_id().await.unwrap();
    let number = Occurrence(number);
    let task = Task {
        id: flock_core::PostId::new(table, id, number),
        account: sheep.config.account.clone(),
        act,
        cause,
        payer: id.flock.clone(),
    };
    let errand = Errand::new(task, world.clock.now());
    let carrier = Carrier::new(
        &world.cloud.aws(),
        world.store.clone(),
        &world.networks(),
        EventBus::new(&world.cloud.aws(), LOCAL_NAME.to_owned()),
        world.clock.clone(),
    );
    let newest = sheep.progress.last_remote.as_ref();
    let tell_until = Instant::now() + Duration::from_mins(1);
    let (errand, read) = (&errand, sheep.version);
    let by = By::Sheep(Numbered { sheep: id, number, read, newest, made: None });
    let order = Order { errand, sent, by, tell_until };
    let payer = carrier.payer(errand, &Payers::default()).await.unwrap();
    let account = match carrier.prepare(order, &payer).await {
        Ok(account) => account,
        Err(outcome) => return outcome,
    };
    let done = carrier.carry_out(order, &account, &payer).await.unwrap();
    carrier.close(&done).await;
    done.outcome
}

/// A sheep that has made its first post, and the post's id.
async fn poet(network: Network) -> (World, SheepId, flock_core::RemoteId) {
    let mut world = World::start().await;
    world.clock = flock_aws::Clock::wall();
    let id = world.sheep("apollo", network, 3).await;
    let app = world.app().await;
    assert_eq!(world.tick(&app).await.posted, 1);
    let first = world.read(&id).await.progress.last_remote.unwrap();
    (world, id, first)
}

const NETWORKS: [Network; 3] = [Network::X, Network::Mastodon, Network::Bluesky];

#[tokio::test]
async fn a_repost_is_made_once_and_recorded() {
    for network in NETWORKS {
        let (world, id, first) = poet(network).await;
        let act = Act::Repost { of: first.clone() };
        let made = carry_out(&world, &id, 2, Sent::No, act.clone()).await;
        let Outcome::Done(remote) = &made else { panic!("{network}: {made:?}") };
        // Whoever has claimed it again does not know that it is done.
        assert_eq!(carry_out(&world, &id, 2, Sent::Maybe, act).await, made, "{network}");
        let reposts = match network {
            Network::Bluesky => world.bluesky.records(&did("apollo"), "app.bsky.feed.repost").len(),
            Network::Mastodon => {
                let posts = world.mastodon.posts("apollo").into_iter();
                posts.filter(|post| post.reblog_of.is_some()).count()
            }
            Network::X => {
                let posts = world.x.posts(&user_id("apollo")).into_iter();
                posts.filter(|post| post.repost_of.is_some()).count()
            }
            Network::Meadow => 0,
        };
        assert_eq!(reposts, 1, "{network}");
        let recorded = world.posts(&id).await.pop().unwrap();
        assert_eq!(recorded.text, format!("(repost of {first})"));
        assert_eq!(recorded.remote_id.as_ref(), Some(remote), "{network}");
    }
}

#[tokio::test]
async fn a_post_is_deleted_and_deleting_it_again_changes_nothing() {
    for network in NETWORKS {
        let (world, id, first) = poet(network).await;
        for sent in [Sent::No, Sent::Maybe] {
            let act = Act::Delete { of: first.clone() };
            let deleted = carry_out(&world, &id, 2, sent, act).await;
            assert_eq!(deleted, Outcome::Done(first.clone()), "{network} {sent:?}");
            assert_eq!(world.seen(&id).await, Vec::<String>::new(), "{network}");
        }
    }
}

#[tokio::test]
async fn a_thread_goes_on_under_the_newest_post() {
    for network in NETWORKS {
        let (world, id, first) = poet(network).await;
        let act = Act::Post(NewPost { continues_thread: true, ..NewPost::of("and so on") });
        let made = carry_out(&world, &id, 2, Sent::No, act).await;
        assert!(matches!(made, Outcome::Done(_)), "{network}: {made:?}");
        let answered = match network {
            Network::Bluesky => {
                let posts = world.bluesky.posts(&did("apollo"));
                let reply = posts.iter().find_map(|post| post.value.get("reply")).unwrap();
                reply["parent"]["uri"].as_str().map(str::to_owned)
            }
            Network::Mastodon => world.mastodon.posts("apollo").pop().unwrap().in_reply_to,
            Network::X => world.x.posts(&user_id("apollo")).pop().unwrap().reply_to,
            Network::Meadow => None,
        };
        assert_eq!(answered.as_deref(), Some(first.as_str()), "{network}");
    }
}

/// By whoever asks for it as a person, once or more often.
#[tokio::test]
async fn somebody_is_followed_and_a_post_liked_once() {
    for network in NETWORKS {
        let (world, id, first) = poet(network).await;
        enterprise(&world, &id).await;
        let other = world.sheep("bacchus", network, 3).await;
        let other = world.read(&other).await.config.account;
        let who = world.store.newest_account(&other).await.unwrap().unwrap().remote_user;
        let who: flock_core::RemoteId = who.parse().unwrap();
        let standing = |world: &World| match network {
            Network::Bluesky => (
                world.bluesky.records(&did("apollo"), "app.bsky.graph.follow").len(),
                world.bluesky.records(&did("apollo"), "app.bsky.feed.like").len(),
            ),
            Network::Mastodon => {
                (world.mastodon.follows("apollo").len(), world.mastodon.likes("apollo"))
            }
            Network::X => {
                (world.x.follows(&user_id("apollo")).len(), world.x.likes(&user_id("apollo")))
            }
            Network::Meadow => (0, 0),
        };
        let person = async |act: Act| {
            let number = match act {
                Act::Follow { .. } => 2,
                Act::Like { .. } => 3,
                _ => 4,
            };
            carry_out_for(&world, &id, number, Sent::No, act, Cause::Person).await
        };
        for _ in 0..2 {
            let followed = person(Act::Follow { who: who.clone() }).await;
            assert!(matches!(followed, Outcome::Done(_)), "{network}: {followed:?}");
            let liked = person(Act::Like { of: first.clone() }).await;
            assert!(matches!(liked, Outcome::Done(_)), "{network}: {liked:?}");
            assert_eq!(standing(&world), (1, 1), "{network}");
        }
        for _ in 0..2 {
            let unfollowed = person(Act::Unfollow { who: who.clone() }).await;
            assert_eq!(unfollowed, Outcome::Done(who.clone()), "{network}");
            assert_eq!(standing(&world), (0, 1), "{network}");
        }
        let nobody = match network {
            Network::Bluesky => "at://did:plc:a/b/c",
            _ => "1",
        };
        let refused = person(Act::Follow { who: nobody.parse().unwrap() }).await;
        assert!(matches!(refused, Outcome::Refused { .. }), "{network}: {refused:?}");
    }
}

/// The account is one of X's Enterprise customers from now on.
async fn enterprise(world: &World, id: &SheepId) {
    let account = world.read(id).await.config.account;
    let mut item = world.store.newest_account(&account).await.unwrap().unwrap();
    if account.network == Network::X {
        item.facts.tier = flock_core::Tier::Enterprise;
        world.store.put_account(&account, item).await.unwrap();
    }
}

#[tokio::test]
async fn what_nobody_can_do_is_refused_and_nothing_is_asked() {
    let mut said = Vec::new();
    for network in Network::ALL {
        let (world, id, first) = poet(network).await;
        let quote = Act::Post(NewPost { quotes: Some(first.clone()), ..NewPost::of("so true") });
        let (like, follow) = (Act::Like { of: first.clone() }, Act::Follow { who: first.clone() });
        // On Mastodon no rule forbids it.
        let acts = match network {
            Network::Mastodon => vec![quote],
            _ => vec![quote, like, follow],
        };
        for act in acts {
            match carry_out(&world, &id, 2, Sent::No, act).await {
                Outcome::Refused { why } => said.push(why),
                other => panic!("{network}: {other:?}"),
            }
        }
        assert_eq!(world.posts(&id).await.len(), 1, "{network}");
    }
    insta::assert_snapshot!(said.join("\n"), @"
    meadow:apollo: The meadow cannot quote: bots only post there so far, then resume flock/apollo
    meadow:apollo: The meadow cannot like: bots only post there so far, then resume flock/apollo
    meadow:apollo: The meadow cannot follow: bots only post there so far, then resume flock/apollo
    x:apollo: X cannot quote: since 2026-04-20 for Enterprise customers only, then resume flock/apollo
    against X's rule x-automated-like: Nothing is liked automatically. (https://help.x.com/en/rules-and-policies/x-automation) To do: like by hand, then resume flock/apollo
    against X's rule x-automated-follow: Nobody is followed automatically, in bulk or back. (https://help.x.com/en/rules-and-policies/x-automation) To do: follow by hand, then resume flock/apollo
    mastodon:apollo@stand-in.example: Flockwork cannot quote on Mastodon, then resume flock/apollo
    bluesky:apollo.test: Flockwork cannot quote on Bluesky, then resume flock/apollo
    against Bluesky's rule bluesky-unasked: A bot turns to people only when they tagged it. (https://docs.bsky.app/docs/starter-templates/bots) To do: wait until they do, then resume flock/apollo
    against Bluesky's rule bluesky-unasked: A bot turns to people only when they tagged it. (https://docs.bsky.app/docs/starter-templates/bots) To do: wait until they do, then resume flock/apollo
    ");
}
