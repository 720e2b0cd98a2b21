//! Texts that a network does not take are set aside, and the sheep goes on.

use flock_core::{Network, RhythmFields, SheepId};
use flock_store::{AccountItem, Aside};
use flock_tests::{Endpoint, MastodonMisbehave as Misbehave};

use crate::{
    slack::{Slack, shown},
    world::{World, mastodon_account, user_id},
};

/// A sheep on X that says these lines, one every three minutes.
async fn poet(world: &World, network: Network, lines: &[&str]) -> SheepId {
    let lines: Vec<_> = lines.iter().map(|line| (*line).to_owned()).collect();
    world.sheep_that_says("apollo", network, &lines, &RhythmFields::default()).await
}

/// What was set aside, oldest first.
async fn asides(world: &World, id: &SheepId) -> Vec<String> {
    let mut asides = world.store.newest_asides(id, 100).await.unwrap();
    asides.reverse();
    let line = |Aside { occurrence, text, why, .. }| format!("{occurrence} {text}: {why}");
    asides.into_iter().map(line).collect()
}

#[tokio::test]
async fn a_poem_with_a_refrain_runs_through_on_x() {
    let mut world = World::start().await;
    let refrain = "row your boat";
    let lines = [refrain, "gently", refrain, "down the stream", refrain, "merrily"];
    let id = poet(&world, Network::X, &lines).await;
    let app = world.app().await;
    let mut set_aside = 0;
    for minute in 0..18 {
        let report = world.tick_at(&app, minute).await;
        assert_eq!((report.stopped, report.unknown, report.put_off), (0, 0, 0), "{report:?}");
        set_aside += report.set_aside;
    }
    assert_eq!(set_aside, 2);
    assert_eq!(world.seen(&id).await, [refrain, "gently", "down the stream", "merrily"]);
    insta::assert_snapshot!(asides(&world, &id).await.join("\n"), @"
    3 row your boat: x:apollo: X has the same text from the account already
    5 row your boat: x:apollo: X has the same text from the account already
    ");
    let mut told = Vec::new();
    while let Ok(event) = world.events.try_recv() {
        told.push(format!("{} {}", event.detail_type, event.detail));
    }
    insta::assert_snapshot!(told.join("\n"), @r#"
    sheep.set-aside {"occurrence":3,"sheep":"flock/apollo","why":"\"row your boat\": x:apollo: X has the same text from the account already"}
    sheep.set-aside {"occurrence":5,"sheep":"flock/apollo","why":"\"row your boat\": x:apollo: X has the same text from the account already"}
    "#);
    // What X did not take is not paid.
    let month = flock_core::Month::of(world.clock.now());
    let ledger = world.store.ledger(&id.flock, month).await.unwrap();
    assert_eq!(ledger.spent.micros(), world.x.billed_micros(&user_id("apollo")));
    // Its numbers are used up.
    let numbers: Vec<_> = world.posts(&id).await.iter().map(|post| post.occurrence.0).collect();
    assert_eq!(numbers, [1, 2, 4, 6]);
}

#[tokio::test]
async fn three_in_a_row_stop_it_and_it_goes_on_behind_them() {
    let mut slack = Slack::start().await;
    let id = poet(&slack.world, Network::X, &["moon", "moon", "moon", "moon", "sun"]).await;
    let app = slack.world.app().await;
    for minute in 0..12 {
        slack.world.tick_at(&app, minute).await;
    }
    assert_eq!(slack.world.read(&id).await.state.name(), "stopped");
    assert_eq!(slack.world.seen(&id).await, ["moon"]);
    let before = slack.seen("U1", "C2");
    slack.events().await;
    insta::assert_snapshot!(shown(&before, &slack.seen("U1", "C2")), @r#"
    *flock/apollo* has set the text of its post 2 aside, because its network does not take it: "moon": x:apollo: X has the same text from the account already. It goes on with the next one; `/flock show flock/apollo` lists what is set aside.
    *flock/apollo* has set the text of its post 3 aside, because its network does not take it: "moon": x:apollo: X has the same text from the account already. It goes on with the next one; `/flock show flock/apollo` lists what is set aside.
    *flock/apollo* has stopped at its post 4: 3 texts in a row were not taken and are set aside, the last because x:apollo: X has the same text from the account already; look at them and see to that, then resume flock/apollo: it goes on behind them [Resume]
    "#);
    let shown = slack.flock("show apollo").await;
    insta::assert_snapshot!(shown, @r#"
    **flock/apollo*
    account: x:apollo
    behaviour: poem of 5 lines
    rhythm: every 3m
    state: stopped
    problem: 3 texts in a row were not taken and are set aside, the last because x:apollo: X has the same text from the account already; look at them and see to that, then resume flock/apollo: it goes on behind them
    next line: 5 of 5, as post 5
    set aside: 4, "moon": x:apollo: X has the same text from the account already
    set aside: 3, "moon": x:apollo: X has the same text from the account already
    set aside: 2, "moon": x:apollo: X has the same text from the account already [Resume]
    "#);
    slack.flock("resume apollo").await;
    slack.world.tick_at(&app, 20).await;
    assert_eq!(slack.world.seen(&id).await, ["moon", "sun"]);
}

/// The network itself says how much it takes, or has changed its mind since the flock was planned.
#[tokio::test]
async fn what_is_too_long_there_is_set_aside() {
    let mut why = Vec::new();
    for network in [Network::Mastodon, Network::Bluesky, Network::Meadow] {
        let world = World::start().await;
        let long = "moon ".repeat(150);
        let id = poet(&world, network, &["rose", long.trim(), "set"]).await;
        let mut sheep = world.read(&id).await;
        if network != Network::Meadow {
            // As planned for a server that took more.
            sheep.config.text_limit = 5_000;
            sheep.version += 1;
            assert_eq!(world.store.put_sheep(&sheep).await.unwrap(), flock_store::Write::Done);
        }
        let app = world.app().await;
        for minute in [0, 3, 6] {
            world.tick_at(&app, minute).await;
        }
        assert_eq!(world.seen(&id).await, ["rose", "set"], "{network}");
        let [aside] = world.store.newest_asides(&id, 5).await.unwrap().try_into().unwrap();
        why.push(aside.why);
    }
    insta::assert_snapshot!(why.join("\n"), @r#"
    mastodon:apollo@stand-in.example: Mastodon at stand-in.example does not take the post: "Validation failed: Text character limit of 500 exceeded"
    bluesky:apollo.test: Bluesky does not take the text: "Invalid app.bsky.feed.post record: grapheme too big (maximum 300, got 749) at $.record.text"
    the text is 749 characters long by meadow's counting; meadow takes 500
    "#);
}

/// A server's limits are a fact of a day: it is asked again with the first post after that, once, whatever it says, and what
/// it takes by then is posted.
#[tokio::test]
async fn what_a_server_takes_is_asked_once_a_day() {
    const DAY: i64 = 24 * 60;
    let world = World::start().await;
    let long = "moon ".repeat(150);
    let lines = ["rose", "day", long.trim(), "set", "dusk", "night", "late"];
    let id = poet(&world, Network::Mastodon, &lines).await;
    let account = mastodon_account("apollo");
    let asked = || world.mastodon.requests(Endpoint::Instance);
    let at_first = asked();
    let app = world.app().await;
    let before = world.tick_at(&app, 0).await;
    world.mastodon.most_characters(5_000);
    let same_day = world.tick_at(&app, 3).await;
    assert_eq!((before.write_units, same_day.write_units), (5.0, 5.0));
    assert_eq!(asked(), at_first, "it was asked when the account was added");

    let next_day = world.tick_at(&app, DAY + 1).await;
    assert_eq!((next_day.posted, next_day.set_aside, asked()), (1, 0, at_first + 1));
    let item = world.store.account(&account).await.unwrap().unwrap();
    assert_eq!(item.facts.text_limit, Some(5_000));
    assert_eq!(world.read(&id).await.config.text_limit, 5_000);
    // What is planned from now on reads the same, and nobody asks again that day.
    let later = world.tick_at(&app, DAY + 4).await;
    assert_eq!((later.write_units, asked()), (5.0, at_first + 1));

    // A server that does not say keeps nobody from posting, and is not asked with every post.
    world.mastodon.misbehave_at(Endpoint::Instance, Misbehave::Refuse500);
    world.mastodon.misbehave_at(Endpoint::Instance, Misbehave::Html);
    for minute in [2 * DAY + 10, 2 * DAY + 13] {
        assert_eq!(world.tick_at(&app, minute).await.posted, 1);
    }
    assert_eq!(asked(), at_first + 3);
    // One that was added before servers were asked again.
    let item = world.store.account(&account).await.unwrap().unwrap();
    let earlier = AccountItem { asked_at: None, ..item };
    world.store.put_account(&account, earlier).await.unwrap();
    assert_eq!(world.tick_at(&app, 2 * DAY + 16).await.posted, 1);
    assert_eq!(asked(), at_first + 4);
    let item = world.store.account(&account).await.unwrap().unwrap();
    assert_eq!(item.facts.text_limit, Some(5_000));
    assert_eq!(world.seen(&id).await, lines);
    assert_eq!(world.mastodon.unspent(), []);
}

#[tokio::test]
async fn what_a_server_does_not_like_is_set_aside_with_its_words() {
    let world = World::start().await;
    let id = poet(&world, Network::Mastodon, &["rose", "rude", "set"]).await;
    let app = world.app().await;
    world.tick_at(&app, 0).await;
    world.mastodon.misbehave(Misbehave::Unprocessable("Text is rude".to_owned()));
    assert_eq!(world.tick_at(&app, 3).await.set_aside, 1);
    assert_eq!(world.tick_at(&app, 6).await.posted, 1);
    assert_eq!(world.seen(&id).await, ["rose", "set"]);
    insta::assert_snapshot!(asides(&world, &id).await.join("\n").replace(&world.mastodon_url, "https://PLACE"), @r#"2 rude: mastodon:apollo@stand-in.example: Mastodon at stand-in.example does not take the post: "Text is rude""#);
}
