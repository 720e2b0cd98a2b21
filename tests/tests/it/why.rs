//! Why a post says what it says.

use flock_core::{Network, Occurrence, RhythmFields, SheepId};
use flock_ops::{Why, WhyLine};

use crate::{
    drawn,
    world::{START, World, ts},
};

async fn why(world: &World, sheep: &SheepId, number: Option<u64>) -> Why {
    flock_ops::why(&world.store, &sheep.to_string(), number.map(Occurrence)).await.unwrap().unwrap()
}

/// Without ids that differ from run to run.
fn shown(why: &Why) -> String {
    let rows = why.rows().into_iter().filter(|(name, _)| *name != "there");
    rows.map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n")
}

fn made_again(why: &Why) -> String {
    serde_json::to_value(WhyLine::new(why)).unwrap()["made_again"].as_str().unwrap().to_owned()
}

async fn refused(world: &World, sheep: &str, number: Option<u64>) -> String {
    flock_ops::why(&world.store, sheep, number.map(Occurrence)).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_post_says_what_it_was_made_of_and_what_was_asked() {
    let world = World::start().await;
    world.clock.step_to(ts(START));
    let rhythm = RhythmFields {
        line: Some("1m".to_owned()),
        jitter: Some("50s".to_owned()),
        ..RhythmFields::default()
    };
    let text = ["one", "two", "three"].map(ToOwned::to_owned);
    let apollo = world.sheep_that_says("apollo", Network::X, &text, &rhythm).await;
    let nothing = flock_ops::why(&world.store, &apollo.to_string(), None).await.unwrap();
    assert!(nothing.is_none());
    let app = world.app().await;
    for minute in 0..4 {
        world.tick_at(&app, minute).await;
    }
    insta::assert_snapshot!(shown(&why(&world, &apollo, Some(2)).await), @"
    post: 2 of flock/apollo
    text: two
    account: x:apollo
    source: a poem: piece 2 of corpus b6285c57e8797db5d4c51c80d6f11938
    made again: the same text
    time: planned for 2026-03-02 12:01:00 UTC, due at 2026-03-02 12:01:13 UTC, by the rhythm that is now every 1m, jitter 50s
    asked: length: 3 of 280 characters
    asked: rule x-identical-text: The same text is not posted through several accounts.
    asked: rule x-unlabelled-bot: An automated account carries X's Automated label and says who runs it.
    asked: rule x-unmarked-ai: A text made with artificial intelligence is marked as such.
    asked: rule x-ai-reply: Replies made with artificial intelligence need X's written approval.
    asked: rule x-keyword-reply: Posts that were found by a word are not replied to.
    asked: rule x-automated-like: Nothing is liked automatically.
    asked: rule x-automated-follow: Nobody is followed automatically, in bulk or back.
    asked: rule x-unasked-message: Nobody is sent a message they did not ask for, not even as a welcome.
    asked: rule x-trend: Posts do not take up trending topics to be seen.
    asked: money: $0.015, of a cap of $1000.00 a month
    asked: said before: X takes no text twice in 6 hours
    ");
    assert_eq!(made_again(&why(&world, &apollo, None).await), "same");
    let refusals = [
        refused(&world, &apollo.to_string(), Some(9)).await,
        refused(&world, &apollo.to_string(), Some(0)).await,
        refused(&world, "nobody", None).await,
    ];
    insta::assert_snapshot!(refusals.join("\n"), @"
    flock/apollo has not come to number 9; its next is 4
    the posts of flock/apollo are numbered from 1
    there is no sheep `nobody`
    ");
    // Its text is edited, and a day later that which was before is gone.
    let before = world.read(&apollo).await.config.behaviour.text().clone();
    world.lose_corpus(&before).await;
    assert_eq!(made_again(&why(&world, &apollo, Some(2)).await), "gone");
}

#[tokio::test]
async fn what_was_drawn_is_drawn_again() {
    let world = World::start().await;
    world.clock.step_to(ts(START));
    let grammar = r##"{"origin": ["#n##n##n# ewes"], "n": ["1", "2", "3", "4", "5", "6", "7"]}"##;
    let [anna, _] = drawn::apply(&world, grammar).await;
    let app = world.app().await;
    for minute in 0..3 {
        world.tick_at(&app, minute).await;
    }
    let shown = shown(&why(&world, &anna, Some(2)).await);
    let shown: Vec<_> = shown.lines().skip(3).take(3).collect();
    insta::assert_snapshot!(shown.join("\n"), @"
    source: a grammar: text 2 of what is drawn, corpus d74068fa4abf4a2cd89455f79d44c566
    seed: 4783679256969331192, for number 1 of what is drawn
    made again: the same text
    ");
    // What is kept of it goes after two months; the file is still there.
    let behaviour = world.read(&anna).await.config.behaviour;
    let text = behaviour.text().as_str().to_owned();
    world.lose(|pk, _| pk.starts_with("CORPUS#") && !pk.ends_with(&text)).await;
    assert_eq!(made_again(&why(&world, &anna, Some(2)).await), "same");
    world.lose(|pk, _| pk.starts_with("CORPUS#")).await;
    assert_eq!(made_again(&why(&world, &anna, Some(2)).await), "gone");
}
