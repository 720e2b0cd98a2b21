//! The networks' rules, before each post.

use flock_core::{Corpus, Flock, Network, Sheep, SheepId, State};

use crate::world::World;

/// Two sheep of two accounts on X that say the same.
async fn twins(world: &World) -> [SheepId; 2] {
    let apollo = world.sheep("apollo", Network::X, 3).await;
    let artemis = world.sheep("artemis", Network::X, 3).await;
    let corpus = world.read(&apollo).await.config.behaviour;
    change(world, &artemis, |sheep| sheep.config.behaviour = corpus).await;
    [apollo, artemis]
}

async fn change(world: &World, id: &SheepId, change: impl FnOnce(&mut Sheep)) {
    let mut sheep = world.read(id).await;
    change(&mut sheep);
    sheep.version += 1;
    world.store.put_sheep(&sheep).await.unwrap();
}

async fn why(world: &World, id: &SheepId) -> String {
    match world.read(id).await.state {
        State::Stopped { why, .. } => why,
        other => panic!("{id} is {other:?}"),
    }
}

#[tokio::test]
async fn the_same_text_goes_out_through_one_account_of_x() {
    let world = World::start().await;
    world.x.duplicate_check(false);
    let [apollo, artemis] = twins(&world).await;
    let app = world.app().await;
    let report = world.tick(&app).await;
    assert_eq!((report.posted, report.stopped), (1, 1));
    let (said, silent) = if world.seen(&apollo).await.is_empty() {
        (&artemis, &apollo)
    } else {
        (&apollo, &artemis)
    };
    assert_eq!(world.seen(said).await, ["apollo line 0"]);
    assert!(world.seen(silent).await.is_empty());
    let why = why(&world, silent).await;
    let start = format!(
        "against X's rule x-identical-text: The same text is not posted through several accounts. \
         x:{} says it, too.",
        said.name
    );
    assert!(why.starts_with(&start), "{why}");
    assert!(why.contains("https://help.x.com/"), "{why}");
    assert!(why.ends_with(&format!("then resume {silent}")), "{why}");
    // The one that may goes on, and may repeat itself.
    for minute in 1..12 {
        world.tick_at(&app, minute).await;
    }
    assert_eq!(world.seen(said).await.len(), 4);
}

#[tokio::test]
async fn a_waived_rule_is_not_asked_for() {
    let world = World::start().await;
    let twins = twins(&world).await;
    let name = twins[0].flock.clone();
    let flock = world.store.flock(&name).await.unwrap().unwrap();
    let waivers = [("x-identical-text".to_owned(), "an experiment X has agreed to".to_owned())];
    world.store.put_flock(&Flock { waivers: waivers.into(), ..flock }).await.unwrap();
    let app = world.app().await;
    assert_eq!(world.tick(&app).await.posted, 2);
}

#[tokio::test]
async fn an_account_that_does_not_say_it_is_a_bot_is_silent() {
    let world = World::start().await;
    let id = world.sheep("apollo", Network::X, 3).await;
    let account = world.read(&id).await.config.account;
    let mut item = world.store.account(&account).await.unwrap().unwrap();
    item.facts.labelled = false;
    world.store.put_account(&account, item).await.unwrap();
    let app = world.app().await;
    assert_eq!(world.tick(&app).await.stopped, 1);
    assert!(world.seen(&id).await.is_empty());
    let why = why(&world, &id).await;
    assert!(why.starts_with("against X's rule x-unlabelled-bot: "), "{why}");
}

/// Texts alike but for case and punctuation are the same.
#[tokio::test]
async fn the_same_text_is_known_in_other_clothes() {
    let world = World::start().await;
    let apollo = world.sheep("apollo", Network::X, 3).await;
    let artemis = world.sheep("artemis", Network::X, 3).await;
    let corpus = Corpus::parse(b"APOLLO, line 0!").unwrap();
    world.store.put_corpus(&artemis.flock, &corpus, |_| {}).await.unwrap();
    let app = world.app().await;
    change(&world, &artemis, |sheep| {
        sheep.config.behaviour = flock_core::BehaviourKind::Poem.with_text(&corpus);
        sheep.progress.slot += jiff::SignedDuration::from_mins(1);
    })
    .await;
    world.tick(&app).await;
    world.tick_at(&app, 1).await;
    assert_eq!(world.seen(&apollo).await.len(), 1);
    assert!(why(&world, &artemis).await.contains("x:apollo says it, too"));
}
