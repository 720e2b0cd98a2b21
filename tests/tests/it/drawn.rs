//! Texts that are drawn: from their file to the network, ahead, and once more where they are not kept.

use std::path::Path;

use flock_core::{Cursor, Drawn, Occurrence, SheepId};
use flock_ops::WithText;
use flock_store::Write;
use flockwork::flock_file;
use jiff::Timestamp;

use crate::{
    flocks,
    slack::Slack,
    world::{START, World, ts},
};

/// A grammar that has 8 million texts of up to 22 characters.
fn grammar(animal: &str) -> String {
    let words: Vec<_> = (0..200).map(|nth| format!("\"{animal}{nth}\"")).collect();
    format!(r##"{{"origin": ["#w# #w# #w#"], "w": [{}]}}"##, words.join(", "))
}

/// The files of a flock of two sheep with one file.
fn write(dir: &Path, stanza: &str, file: &str, text: &str) {
    let sheep = |name| format!("[[sheep]]\nname = \"{name}\"\ncorpus = \"{file}\"\n");
    let toml = format!(
        "name = \"tales\"\n[defaults]\n{stanza}\nline = \"1m\"\n{}{}",
        sheep("anna"),
        sheep("bert")
    );
    std::fs::write(dir.join("flock.toml"), toml).unwrap();
    std::fs::write(dir.join(file), text).unwrap();
}

/// Applies a flock of two sheep with this grammar.
pub(crate) async fn apply(world: &World, text: &str) -> [SheepId; 2] {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "behaviour = \"grammar\"", "tales.json", text);
    let file = flock_file::read(dir.path()).unwrap();
    flocks::apply_file(&world.store, file, world.clock.now()).await.unwrap();
    ["tales/anna", "tales/bert"].map(|id| id.parse().unwrap())
}

/// Both sheep come to this text, which has the number of its occurrence.
async fn go_to(world: &World, sheep: &[SheepId], index: u32) {
    for id in sheep {
        let mut sheep = world.read(id).await;
        sheep.progress.cursor = Cursor::at(index);
        sheep.progress.occurrence = Occurrence(u64::from(index) + 1);
        sheep.version += 1;
        assert_eq!(world.store.put_sheep(&sheep).await.unwrap(), Write::Done);
    }
}

/// What both say next, by a preview.
async fn to_come(world: &World, count: usize) -> Vec<(SheepId, Timestamp, String)> {
    let sheep = world.store.sheep_of(None).await.unwrap();
    let now = world.clock.now();
    let sheep = flock_ops::with_texts_for(&world.store, sheep, count, now).await.unwrap();
    let posts = flock_ops::upcoming(&sheep, now).take(count);
    let of_texts: Vec<_> = posts.map(|post| (post.sheep, post.at, post.text)).collect();
    // Slack reads a line of each, and no whole text.
    let sheep: Vec<_> = sheep.into_iter().map(|WithText { sheep, .. }| sheep).collect();
    let posts = world.store.upcoming(&sheep, now, 6).await.unwrap();
    let of_lines: Vec<_> = posts.into_iter().map(|post| (post.sheep, post.at, post.text)).collect();
    assert_eq!(of_texts[..6], of_lines);
    of_texts
}

async fn made(world: &World, sheep: &[SheepId]) -> Vec<(SheepId, Timestamp, String)> {
    let mut made = Vec::new();
    for id in sheep {
        let posts = world.posts(id).await;
        made.extend(posts.into_iter().map(|post| (id.clone(), post.at, post.text)));
    }
    made.sort_by(|(a, at, _), (b, bt, _)| (at, a).cmp(&(bt, b)));
    made
}

/// How many pieces are kept of texts that are drawn.
async fn kept(world: &World) -> usize {
    let items = world.items().await;
    items
        .iter()
        .filter(|item| is_drawn(item["pk"].as_s().unwrap(), item.get("ttl").is_some()))
        .count()
}

fn is_drawn(pk: &str, expires: bool) -> bool {
    pk.starts_with("CORPUS#") && expires
}

#[tokio::test]
async fn what_a_preview_shows_is_posted_from_one_batch_into_the_next() {
    let world = World::start().await;
    world.clock.step_to(ts(START));
    let sheep = apply(&world, &grammar("cow")).await;
    let first = kept(&world).await;
    assert!(0 < first, "no post waits for the first batch");
    let quarter = Drawn::BATCH / 4;
    go_to(&world, &sheep, 3 * quarter - 2).await;
    let coming = to_come(&world, 300).await;
    let app = world.app().await;
    for minute in 0..150 {
        let report = world.tick_at(&app, minute).await;
        assert_eq!((report.posted, report.failed), (2, 0), "{minute}: {report:?}");
        assert_eq!(kept(&world).await == first, minute < 1, "drawn ahead, and once: {minute}");
        // What is drawn ahead is read by nobody else.
        if minute != 1 {
            assert_eq!((report.write_units, report.read_units), (8.0, 3.0), "{minute}: {report:?}");
        }
    }
    assert_eq!(made(&world, &sheep).await, coming);
    let mut texts: Vec<_> = coming.into_iter().map(|(_, _, text)| text).collect();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), 300, "two sheep of one file do not say the same");
}

#[tokio::test]
async fn what_is_not_kept_any_more_is_drawn_again_and_the_same() {
    let world = World::start().await;
    world.clock.step_to(ts(START));
    let sheep = apply(&world, &grammar("cow")).await;
    let coming = to_come(&world, 12).await;
    let app = world.app().await;
    world.tick_at(&app, 0).await;
    let gone = world.items().await.into_iter().filter(|item| item.contains_key("ttl"));
    let gone: Vec<_> = gone.map(|item| item["pk"].as_s().unwrap().clone()).collect();
    world.lose(|pk, _| gone.iter().any(|gone| is_drawn(pk, true) && gone == pk)).await;
    assert_eq!(kept(&world).await, 0);
    assert_eq!(to_come(&world, 12).await[..10], coming[2..]);
    for minute in 1..6 {
        assert_eq!(world.tick_at(&app, minute).await.posted, 2);
    }
    assert_eq!(made(&world, &sheep).await, coming);
    assert!(0 < kept(&world).await, "they are kept again");
}

#[tokio::test]
async fn of_an_edited_grammar_nothing_old_is_said() {
    let world = World::start().await;
    world.clock.step_to(ts(START));
    let sheep = apply(&world, &grammar("cow")).await;
    let app = world.app().await;
    world.tick_at(&app, 0).await;
    apply(&world, &grammar("ewe")).await;
    world.tick_at(&app, 1).await;
    apply(&world, &grammar("cow")).await;
    world.tick_at(&app, 2).await;
    let made = made(&world, &sheep).await;
    let animals: Vec<_> = made.iter().map(|(_, _, text)| &text[..3]).collect();
    assert_eq!(animals, ["cow", "cow", "ewe", "ewe", "cow", "cow"]);
    assert_ne!(made[0].2, made[4].2, "what was said is not said again");
}

/// Whatever its sheep said between: numbers of texts only grow.
#[tokio::test]
async fn who_comes_back_to_a_grammar_says_nothing_again() {
    let world = World::start().await;
    world.clock.step_to(ts(START));
    let app = world.app().await;
    let dir = tempfile::tempdir().unwrap();
    let mut minute = 0;
    for behaviour in ["grammar", "poem", "grammar", "markov", "grammar"] {
        let text = match behaviour {
            "grammar" => grammar("cow"),
            _ => "The moon is full of bread.\nThe sun is full of the moon.\nThe moon is a lamp.\n"
                .to_owned(),
        };
        write(dir.path(), &format!("behaviour = \"{behaviour}\""), "a.json", &text);
        let file = flock_file::read(dir.path()).unwrap();
        flocks::apply_file(&world.store, file, world.clock.now()).await.unwrap();
        let coming = to_come(&world, 1_200).await;
        assert!(coming.iter().all(|(_, _, text)| !text.starts_with('(')), "{behaviour}");
        for _ in 0..3 {
            assert_eq!(world.tick_at(&app, minute).await.posted, 2);
            minute += 1;
        }
    }
    let sheep = ["tales/anna", "tales/bert"].map(|id| id.parse().unwrap());
    let made = made(&world, &sheep).await;
    let cows: Vec<_> =
        made.iter().map(|(_, _, text)| text).filter(|text| text.contains("cow")).collect();
    assert_eq!(cows.len(), 18);
    assert_eq!(cows.iter().collect::<std::collections::HashSet<_>>().len(), 18, "{cows:?}");
}

#[tokio::test]
async fn a_mix_says_its_parts_in_turns_as_its_preview_has_them() {
    let world = World::start().await;
    world.clock.step_to(ts(START));
    let app = world.app().await;
    let dir = tempfile::tempdir().unwrap();
    let toml = "name = \"tales\"\n[[sheep]]\nname = \"anna\"\nbehaviour = \"mix\"\nline = \"1m\"\n\
                [[sheep.parts]]\nbehaviour = \"poem\"\ncorpus = \"poem.txt\"\nweight = 2\n\
                [[sheep.parts]]\nbehaviour = \"grammar\"\ncorpus = \"tales.json\"\n";
    std::fs::write(dir.path().join("flock.toml"), toml).unwrap();
    std::fs::write(dir.path().join("poem.txt"), "one\ntwo\nthree\nfour\nfive\n").unwrap();
    let sheep: [SheepId; 1] = ["tales/anna".parse().unwrap()];
    let mut minute = 0;
    for animal in ["cow", "ewe"] {
        std::fs::write(dir.path().join("tales.json"), grammar(animal)).unwrap();
        let file = flock_file::read(dir.path()).unwrap();
        flocks::apply_file(&world.store, file, world.clock.now()).await.unwrap();
        let coming = to_come(&world, 1_100).await;
        let before = made(&world, &sheep).await.len();
        for _ in 0..6 {
            assert_eq!(world.tick_at(&app, minute).await.posted, 1);
            minute += 1;
        }
        let said = made(&world, &sheep).await.split_off(before);
        assert_eq!(said, coming[..6]);
        assert_eq!(said.iter().filter(|(_, _, text)| text.contains(animal)).count(), 2);
    }
    // The poem goes on where it was, however its neighbour was edited.
    let lines: Vec<_> = made(&world, &sheep).await.into_iter().map(|(_, _, text)| text).collect();
    let lines: Vec<_> = lines.iter().filter(|text| !text.contains(' ')).collect();
    assert_eq!(lines, ["one", "two", "three", "four", "five", "one", "two", "three"]);
    // A post costs what one of a grammar does.
    let report = world.tick_at(&app, minute).await;
    assert_eq!((report.posted, report.write_units), (1, 4.0));
}

/// Of two ticks at once that find nothing drawn, both draw, and it is the same.
#[tokio::test]
async fn two_ticks_that_draw_at_once_say_each_text_once() {
    let world = World::start().await;
    world.clock.step_to(ts(START));
    let sheep = apply(&world, &grammar("cow")).await;
    let coming = to_come(&world, 24).await;
    let text = world.read(&sheep[0]).await.config.behaviour.text().to_string();
    let apps = [world.app().await, world.app().await];
    for minute in 0..12 {
        world.lose(|pk, _| pk.starts_with("CORPUS#tales#") && !pk.ends_with(&text)).await;
        let (one, other) =
            tokio::join!(world.tick_at(&apps[0], minute), world.tick_at(&apps[1], minute));
        assert_eq!((one.failed, other.failed, one.stopped + other.stopped), (0, 0, 0));
    }
    let mut made = made(&world, &sheep).await;
    made.sort_by_key(|(sheep, at, _)| (*at, sheep.clone()));
    assert_eq!(made, coming);
}

#[tokio::test]
async fn what_cannot_be_posted_is_refused_before_anything_changes() {
    let world = World::start().await;
    let long = format!(r#"{{"origin": ["{}"]}}"#, "moo ".repeat(200));
    let dir = tempfile::tempdir().unwrap();
    let stanza = "behaviour = \"grammar\"\nnetwork = \"meadow\"";
    write(dir.path(), stanza, "long.json", &long);
    let file = flock_file::read(dir.path()).unwrap();
    let refused = flocks::apply_file(&world.store, file, world.clock.now()).await.unwrap_err();
    let refused = refused.to_string().replace(&dir.path().display().to_string(), "DIR");
    insta::assert_snapshot!(refused, @"DIR/long.json: nothing that is drawn from it can be posted: texts on meadow have 1 to 500 characters; make it say such");
    assert_eq!(world.store.sheep_of(None).await.unwrap(), []);
}

#[tokio::test]
async fn what_is_posted_as_it_stands_and_may_not_be_meant_so_is_told() {
    let world = World::start().await;
    let dir = tempfile::tempdir().unwrap();
    let toml = "name = \"tales\"\n[defaults]\nline = \"1h\"\n[[sheep]]\nname = \"anna\"\nbehaviour = \"grammar\"\n\
                corpus = \"a.json\"\n[[sheep]]\nname = \"bert\"\nbehaviour = \"markov\"\ncorpus = \"archive.csv\"\n[[sheep]]\n\
                name = \"carl\"\nbehaviour = \"markov\"\ncorpus = \"mail.txt\"\n";
    std::fs::write(dir.path().join("flock.toml"), toml).unwrap();
    let grammar = r#"{"origin": ["cafÃ© #n##n##n#", "{svg <svg/>}"], "n": ["0", "1", "2", "3", "4", "5", "6"]}"#;
    std::fs::write(dir.path().join("a.json"), grammar).unwrap();
    let moon = "The moon is full of bread &amp; salt.\nThe sun is full of the moon.\nThe moon is a lamp and salt.\n";
    std::fs::write(dir.path().join("archive.csv"), moon).unwrap();
    let mail = "The moon goes on\nand the sea goes on with it\nas the lamp goes on\nover the sea\n"
        .repeat(6);
    std::fs::write(dir.path().join("mail.txt"), mail).unwrap();
    let file = flock_file::read(dir.path()).unwrap();
    let plan = flock_ops::plan(&world.store, file, world.clock.now()).await.unwrap();
    let plan = plan.to_string().replace(&dir.path().display().to_string(), "DIR");
    let words: Vec<_> = plan.lines().filter(|line| line.contains('!')).collect();
    insta::assert_snapshot!(words.join("\n"), @"
    ! tales/bert: 2 different texts are all that is drawn from DIR/archive.csv, again and again
    ! tales/carl: 6 different texts are all that is drawn from DIR/mail.txt, again and again
    ! DIR/a.json:1: `{svg...}` was more than text on Cheap Bots Done Quick, and is posted as it stands here; take it out
    ! DIR/a.json:1: such signs as `Ã©`, which seems to be `é`, are UTF-8 that was taken for Windows-1252; they are posted as they stand: take the text once more from where it came, as UTF-8
    ! DIR/archive.csv:1: `&amp;` is posted as it stands; write the sign that it stands for
    ! DIR/archive.csv:1: a file that ends with .csv is read as plain text, and its columns and signs are posted; make a text of it with a post on each line
    ! DIR/mail.txt:1: most lines begin with a small letter, as where sentences go on from line to line; write each paragraph in one line, or what is made of it ends in the middle
    ");
}

/// The file may be as large as it likes: a post reads one piece of what was drawn from it.
#[tokio::test]
async fn a_post_costs_the_same_however_large_the_grammar() {
    let world = World::start().await;
    world.clock.step_to(ts(START));
    let rules: Vec<_> =
        (0..20_000).map(|nth| format!("\"the cow of pasture {nth} sleeps\"")).collect();
    let text = format!(r##"{{"origin": ["#rule#"], "rule": [{}]}}"##, rules.join(","));
    let sheep = apply(&world, &text).await;
    let app = world.app().await;
    for minute in 0..3 {
        let report = world.tick_at(&app, minute).await;
        assert_eq!((report.posted, report.write_units, report.read_units), (2, 8.0, 3.0));
    }
    assert_eq!(made(&world, &sheep).await.len(), 6);
}

#[tokio::test]
async fn who_does_not_like_what_comes_has_other_texts() {
    let mut slack = Slack::start().await;
    slack.world.clock.step_to(ts(START));
    let sheep = apply(&slack.world, &grammar("cow")).await;
    let before = to_come(&slack.world, 6).await;
    let mut told = vec![slack.flock("redraw anna").await];
    let app = slack.world.app().await;
    let coming = to_come(&slack.world, 6).await;
    let texts = |posts: &[(SheepId, Timestamp, String)], nth: usize| -> Vec<String> {
        let of_it = posts.iter().filter(|(id, ..)| *id == sheep[nth]);
        of_it.map(|(_, _, text)| text.clone()).collect()
    };
    assert_eq!(texts(&before, 1), texts(&coming, 1));
    let [old, new] = [texts(&before, 0), texts(&coming, 0)];
    assert!(new.iter().all(|text| !old.contains(text)), "{old:?} {new:?}");
    for minute in 0..3 {
        assert_eq!(slack.world.tick_at(&app, minute).await.posted, 2);
    }
    assert_eq!(made(&slack.world, &sheep).await, coming);
    let poem = slack.world.sheep("apollo", flock_core::Network::Meadow, 3).await;
    told.push(slack.flock(&format!("redraw {poem}")).await);
    insta::assert_snapshot!(told.join("\n"), @"
    *tales/anna* draws its texts anew; `preview tales/anna` shows what comes.
    **flock/apollo* says what is in its file (poem of 3 lines), and nothing that is drawn; edit the file and apply its flock.
    ");
}
