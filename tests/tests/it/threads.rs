//! Poems as threads: on every network a chain of answers, of which each part is posted once, or the rest is left out.

use std::sync::Arc;

use flock_core::{
    BehaviourKind, Network, Occurrence, Post, RhythmFields, Sheep, SheepConfig, SheepId, Source,
};
use flock_ops::{FlockFile, SheepFile};
use flock_store::Write;
use flock_tests::BlueskyRecord;

use crate::{
    flocks,
    world::{START, World, did, ts, user_id},
};

/// A post to be seen, and the text of the one that it answers.
pub(crate) type Shown = (String, Option<String>);

/// Has the sheep post this file as threads.
pub(crate) async fn in_threads(world: &World, id: &SheepId, file: &str) {
    let zone = jiff::tz::TimeZone::UTC;
    let plain = Source::plain("a.txt", file.as_bytes(), &zone);
    let (text, problems) = BehaviourKind::Poem.read(&Source { post: Post::Thread, ..plain });
    assert_eq!(problems, []);
    let text = text.unwrap();
    world.store.put_corpus(&id.flock, &text, |_| {}).await.unwrap();
    let sheep = world.read(id).await;
    let behaviour = BehaviourKind::Poem.with_text(&text).divided(Post::Thread);
    let config = SheepConfig { behaviour, ..sheep.config };
    let created = Sheep::create(id.clone(), config, Occurrence(1), world.clock.now()).unwrap();
    let changed = Sheep { version: sheep.version + 1, ..created };
    assert_eq!(world.store.put_sheep(&changed).await.unwrap(), Write::Done);
}

/// What is to be seen of the sheep on its network, oldest first.
pub(crate) async fn shown(world: &World, id: &SheepId) -> Vec<Shown> {
    let name = id.name.as_str();
    let posts: Vec<(String, String, Option<String>)> =
        match world.read(id).await.config.account.network {
            Network::Meadow => {
                let posts = world.posts(id).await.into_iter();
                let text = |id: &flock_core::RemoteId| id.to_string();
                posts
                    .map(|post| {
                        (text(&post.remote_id.unwrap()), post.text, post.answers.as_ref().map(text))
                    })
                    .collect()
            }
            Network::X => {
                let posts = world.x.posts(&user_id(name)).into_iter();
                posts.map(|post| (post.id, post.text, post.reply_to)).collect()
            }
            Network::Mastodon => {
                let posts = world.mastodon.posts(name).into_iter();
                posts.map(|post| (post.id, post.text, post.in_reply_to)).collect()
            }
            Network::Bluesky => {
                let mut posts = world.bluesky.posts(&did(name));
                let time =
                    |post: &BlueskyRecord| post.value["createdAt"].as_str().map(str::to_owned);
                posts.sort_by_key(time);
                let part = |value: &serde_json::Value| value.as_str().map(str::to_owned);
                // The whole conversation hangs on the post that began it.
                let mut root = None;
                for post in &posts {
                    match &post.value["reply"] {
                        serde_json::Value::Null => root = Some(post),
                        reply => {
                            let root = root.unwrap();
                            assert_eq!(reply["root"]["uri"], root.uri);
                            assert_eq!(reply["root"]["cid"], root.cid);
                        }
                    }
                }
                let posts = posts.iter().map(|post| {
                    let text = part(&post.value["text"]).unwrap();
                    (post.uri.clone(), text, part(&post.value["reply"]["parent"]["uri"]))
                });
                posts.collect()
            }
        };
    let text_of = |id: &String| posts.iter().find(|(own, ..)| own == id).unwrap().1.clone();
    posts.iter().map(|(_, text, to)| (text.clone(), to.as_ref().map(text_of))).collect()
}

/// A thread of these, each in answer to the one before.
pub(crate) fn chain(texts: &[&str]) -> Vec<Shown> {
    let before = std::iter::once(None).chain(texts.iter().map(|text| Some((*text).to_owned())));
    texts.iter().map(|text| (*text).to_owned()).zip(before).collect()
}

#[tokio::test]
async fn a_thread_is_a_chain_in_one_tick_on_every_network() {
    for network in Network::ALL {
        let world = World::start().await;
        let id = world.sheep("apollo", network, 1).await;
        in_threads(&world, &id, "one\ntwo\nthree\nfour\nfive\n\nsix\nseven\n").await;
        let app = world.app().await;
        let report = world.tick_at(&app, 0).await;
        assert_eq!(report.posted, 5, "{network}: {report:?}");
        let first = chain(&["one", "two", "three", "four", "five"]);
        assert_eq!(shown(&world, &id).await, first, "{network}");
        assert_eq!(world.tick_at(&app, 1).await.posted, 0, "{network}");
        assert_eq!(world.tick_at(&app, 3).await.posted, 2, "{network}");
        let both = [first, chain(&["six", "seven"])].concat();
        assert_eq!(shown(&world, &id).await, both, "{network}");
        // What is recorded says so, too, and is paid as what it is.
        let answers = world.posts(&id).await.into_iter().map(|post| post.answers.is_some());
        let expected: Vec<_> = both.iter().map(|(_, to)| to.is_some()).collect();
        assert_eq!(answers.collect::<Vec<_>>(), expected, "{network}");
        let month = flock_core::Month::of(world.clock.now());
        let ledger = world.store.ledger(&id.flock, month).await.unwrap();
        let posts = if network == Network::X { 7 } else { 0 };
        assert_eq!(ledger.spent, network.post_price("one").times(posts), "{network}");
        assert_eq!(ledger.spent.micros(), world.x.billed_micros(&user_id("apollo")), "{network}");
    }
}

#[tokio::test]
async fn a_part_that_its_network_refuses_takes_the_rest_with_it() {
    let mut world = World::start().await;
    let id = world.sheep("apollo", Network::X, 1).await;
    // X takes no text twice of an account.
    in_threads(&world, &id, "one\ntwo\n\nthree\none\nfour\nfive\n\nsix\n").await;
    let app = world.app().await;
    for minute in [0, 3, 4, 6] {
        world.tick_at(&app, minute).await;
    }
    let expected = [chain(&["one", "two"]), chain(&["three"]), chain(&["six"])].concat();
    assert_eq!(shown(&world, &id).await, expected);
    let asides = world.store.newest_asides(&id, 9).await.unwrap();
    let [aside] = asides.try_into().unwrap();
    let why = aside.why;
    insta::assert_snapshot!(why, @"x:apollo: X has the same text from the account already; the rest of its thread, 2 parts, is left out");
    let mut told = Vec::new();
    while let Ok(event) = world.events.try_recv() {
        told.push(format!("{} {}", event.detail_type, event.detail));
    }
    insta::assert_snapshot!(told.join("\n"), @r#"sheep.set-aside {"occurrence":4,"sheep":"flock/apollo","why":"\"one\": x:apollo: X has the same text from the account already; the rest of its thread, 2 parts, is left out"}"#);
}

#[tokio::test]
async fn a_long_thread_takes_several_ticks_and_so_do_many_threads() {
    let world = World::start().await;
    let id = world.sheep("apollo", Network::Meadow, 1).await;
    let lines: Vec<_> = (0..60).map(|line| format!("line {line}")).collect();
    in_threads(&world, &id, &lines.join("\n")).await;
    let app = world.app().await;
    let mut posted = Vec::new();
    for minute in 0..3 {
        posted.push(world.tick_at(&app, minute).await.posted);
    }
    // The poem begins again with its next slot, which has come.
    assert_eq!(posted, [25, 25, 10]);
    let texts: Vec<_> = lines.iter().map(String::as_str).collect();
    assert_eq!(shown(&world, &id).await, chain(&texts));
}

#[tokio::test]
async fn a_preview_shows_which_posts_answer() {
    let world = World::start().await;
    let rhythm = RhythmFields { line: Some("1h".to_owned()), ..RhythmFields::default() };
    let id = world.sheep_with("apollo", Network::Meadow, 1, &rhythm).await;
    in_threads(&world, &id, "one\ntwo\n\nthree\n").await;
    let sheep = world.read(&id).await;
    let posts = world.store.upcoming(&[sheep], ts(START), 4).await.unwrap();
    let line = |post: &flock_store::UpcomingPost| format!("{} {}", post.at, post.quoted());
    insta::assert_snapshot!(posts.iter().map(line).collect::<Vec<_>>().join("\n"), @"
    2026-03-02T12:00:00Z one
    2026-03-02T12:00:00Z ↳ two
    2026-03-02T13:00:00Z three
    2026-03-02T14:00:00Z one
    ");
}

#[tokio::test]
async fn an_edit_of_what_was_posted_of_a_thread_leaves_its_rest_out() {
    let world = World::start().await;
    let id = world.sheep("apollo", Network::Meadow, 1).await;
    let thread = |first: &str, last: &str| {
        let middle: Vec<_> = (1..27).map(|line| format!("line {line}")).collect();
        format!("{first}\n{}\n{last}\n\nmore\n", middle.join("\n"))
    };
    in_threads(&world, &id, &thread("line 0", "line 27")).await;
    let app = world.app().await;
    assert_eq!(world.tick_at(&app, 0).await.posted, 25);
    let plan = async |file: String| {
        let zone = jiff::tz::TimeZone::UTC;
        let plain = Source::plain("a.txt", file.as_bytes(), &zone);
        let (text, _) = BehaviourKind::Poem.read(&Source { post: Post::Thread, ..plain });
        let corpus = Arc::new(text.unwrap());
        let behaviour = BehaviourKind::Poem.with_text(&corpus).divided(Post::Thread);
        let sheep = SheepFile {
            name: id.name.clone(),
            spelled: Vec::new(),
            config: SheepConfig { behaviour, ..world.read(&id).await.config },
            corpus,
            split: false,
            parts: Vec::new(),
            file: "poem.txt".into(),
        };
        let flock = world.store.flock(&id.flock).await.unwrap().unwrap();
        let file = FlockFile { flock, sheep: vec![sheep] };
        flock_ops::plan(&world.store, file, world.clock.now()).await.unwrap()
    };
    insta::assert_snapshot!(plan(thread("line 0", "mended")).await, @"
    flock flock:
      ~ change apollo: text (29 -> 29 lines)
                 (23 lines as before)
                 ↳ line 23
                 ↳ line 24
        next >   ↳ line 25
                 ↳ line 26
               - ↳ line 27
               + ↳ mended
                 more
    0 to create, 1 to change, 0 to remove, 0 unchanged
    ");
    let edit = plan(thread("line zero", "line 27")).await;
    insta::assert_snapshot!(edit, @"
    flock flock:
      ~ change apollo: text (29 -> 29 lines)
               the rest of the thread it is in, 3 parts, is left out
               - line 0
               + line zero
                 ↳ line 1
                 ↳ line 2
                 (23 lines as before)
                 ↳ line 26
                 ↳ line 27
        next >   more
    0 to create, 1 to change, 0 to remove, 0 unchanged
    ");
    flocks::apply_plan(&world.store, edit, world.clock.now()).await.unwrap();
    world.tick_at(&app, 3).await;
    let shown = shown(&world, &id).await;
    assert_eq!(shown.len(), 26);
    assert_eq!(shown.last(), Some(&("more".to_owned(), None)));
}
