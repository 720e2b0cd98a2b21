//! What was posted, and which sheep are meant.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use jiff::SignedDuration;

use crate::world::{Post, World, from_now};

const POEM: &str = "the first\nthe \"second\"\nthe third\n";

/// Two flocks in which a sheep is called apollo, with some posts.
fn posted() -> World {
    let world = World::new();
    let rhythm = "line = \"1m\"\ntime_zone = \"Asia/Tokyo\"";
    world.write_flock("homer", &[("apollo", POEM, rhythm), ("iris", "rainbow\n", rhythm)]);
    world.write_flock("milton", &[("apollo", "only\n", "line = \"2m\"")]);
    world.ok("flock apply homer");
    world.ok("flock apply milton");
    world.run_until(from_now(SignedDuration::from_mins(6)));
    world
}

#[test]
fn posts_are_json_lines_oldest_first() {
    let world = posted();
    let lines = world.json("posts --json");
    assert!(10 < lines.len(), "{lines:?}");
    for line in &lines {
        let keys: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
        let mut expected =
            ["at", "flock", "sheep", "network", "occurrence", "text", "state", "remote_id"];
        expected.sort_unstable();
        assert_eq!(keys, expected);
        assert_eq!(line["network"], "meadow");
        assert_eq!(line["state"], "posted");
        assert!(line["remote_id"].is_string(), "{line}");
    }
    let posts = world.posts("posts");
    assert!(posts.is_sorted_by_key(|post| post.at), "{posts:?}");
    let order = world.ok("posts --json --limit 1");
    let keys = [
        "{\"at\":",
        ",\"flock\":",
        ",\"sheep\":",
        ",\"network\":",
        ",\"occurrence\":",
        ",\"text\":",
        ",\"state\":",
        ",\"remote_id\":",
    ];
    assert!(keys.map(|key| order.find(key).unwrap()).is_sorted(), "{order}");

    let ids: BTreeSet<_> = lines.iter().map(|line| line["remote_id"].to_string()).collect();
    assert_eq!(ids.len(), lines.len(), "every post has an id of its own");
}

#[test]
fn limit_takes_the_newest() {
    let world = posted();
    let all = world.posts("posts");
    for limit in [0, 1, 3, all.len(), 1000] {
        let newest = &all[all.len().saturating_sub(limit)..];
        assert_eq!(world.posts(&format!("posts --limit {limit}")), newest, "{limit}");
    }
    let of_apollo: Vec<_> = all
        .iter()
        .filter(|post| post.flock == "homer" && post.sheep == "apollo")
        .cloned()
        .collect();
    let newest = &of_apollo[of_apollo.len() - 2..];
    assert_eq!(world.posts("posts --sheep homer/apollo --limit 2"), newest);
}

#[test]
fn a_sheep_is_meant_by_its_name_or_with_its_flock() {
    let world = posted();
    let all = world.posts("posts");
    let of = |flock: &str, sheep: &str| -> Vec<_> {
        let meant = |post: &&_| {
            let Post { flock: its_flock, sheep: its_name, .. } = post;
            (flock.is_empty() || its_flock == flock) && (sheep.is_empty() || its_name == sheep)
        };
        all.iter().filter(meant).cloned().collect()
    };
    assert_eq!(world.posts("posts --sheep iris"), of("homer", "iris"));
    assert_eq!(world.posts("posts --sheep homer/iris"), of("homer", "iris"));
    assert_eq!(world.posts("posts --sheep milton/apollo"), of("milton", "apollo"));
    assert_eq!(world.posts("posts --flock milton --sheep apollo"), of("milton", "apollo"));
    assert_eq!(world.posts("posts --flock homer"), of("homer", ""));

    assert_snapshot!(world.refused("posts --sheep apollo"), @"error: several are called `apollo`; say which: homer/apollo, milton/apollo");
    assert_snapshot!(world.refused("preview --sheep apollo"), @"error: several are called `apollo`; say which: homer/apollo, milton/apollo");
    assert_snapshot!(world.refused("posts --sheep zeus"), @"error: there is no sheep `zeus` (`flockwork sheep list` shows them)");
    assert_snapshot!(world.refused("sheep show homer/irsi"), @"error: there is no sheep `homer/irsi`; did you mean `homer/iris`? (`flockwork sheep list` shows them)");
    assert_snapshot!(world.refused("sheep show irsi"), @"error: there is no sheep `irsi`; did you mean `iris`? (`flockwork sheep list` shows them)");
    assert_snapshot!(world.refused("sheep show homer/zeus"), @"error: there is no sheep `homer/zeus` (`flockwork sheep list` shows them)");
    assert_snapshot!(world.refused("sheep pause zeus/apollo"), @"error: there is no sheep `zeus/apollo` (`flockwork sheep list` shows them)");
    assert_snapshot!(world.refused("sheep show milton"), @"error: `milton` is a flock, no sheep; its only sheep is milton/apollo");
    assert_snapshot!(world.refused("sheep show homer/apollo/iris"), @"error: `apollo/iris` is not a sheep name: use 1 to 48 of a-z, 0-9, `-` and `_`, starting with a letter or digit");
    assert_snapshot!(world.refused("posts --flock milton --sheep iris"), @"error: there is no sheep `iris` (`flockwork sheep list` shows them)");
}

#[test]
fn a_sheep_of_another_flock_than_was_asked_for_is_refused() {
    let world = posted();
    assert!(world.refused("posts --flock milton --sheep homer/iris").contains("homer/iris"));
}

#[test]
fn people_read_posts_in_the_time_of_their_sheep() {
    let world = posted();
    let lines = world.ok("posts --sheep homer/apollo --limit 2");
    let [before, last] = &world.posts("posts --sheep homer/apollo --limit 2")[..] else {
        panic!("{lines}")
    };
    let expected = [before, last].map(|post| {
        let at = post.at.in_tz("Asia/Tokyo").unwrap().strftime("%Y-%m-%d %H:%M:%S JST");
        format!("{at}  homer/apollo  {}\n", post.text)
    });
    assert_eq!(lines, expected.concat());
}

#[test]
fn a_sheep_is_shown_and_listed_as_what_it_does() {
    let world = posted();
    let line = |sheep: &str| {
        let mut sheep = world.json(&format!("sheep list --flock {sheep} --json"));
        sheep.swap_remove(0)
    };
    let apollo = line("milton");
    let keys: Vec<_> = apollo.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        ["account", "flock", "missed", "network", "next_at", "occurrence", "sheep", "state", "why"]
    );
    assert_eq!((&apollo["state"], &apollo["why"]), (&"active".into(), &().into()));
    let next = &world.posts("preview --sheep milton/apollo --count 1")[0];
    assert_eq!(apollo["next_at"], next.at.to_string());
    assert_eq!(apollo["occurrence"], next.occurrence);

    let shown = world.ok("sheep show milton/apollo");
    for text in ["milton/apollo", "meadow:apollo", "poem of 1 line", "every 2m", "active"] {
        assert!(shown.contains(text), "{text} in {shown}");
    }

    assert!(world.ok("sheep pause milton/apollo").contains("paused since"));
    assert_eq!(
        (&line("milton")["state"], &line("milton")["next_at"]),
        (&"paused".into(), &().into())
    );
    assert!(world.ok("sheep pause milton/apollo").contains("paused since"), "twice does no harm");
    let silent = world.flockwork("preview --flock milton --json");
    assert_eq!((silent.code, silent.stdout.as_str()), (Some(0), ""));
    assert_snapshot!(silent.stderr, @"milton/apollo is paused");
    let both = world.flockwork("posts --flock milton");
    assert_eq!((both.code, both.stderr.as_str()), (Some(0), ""));

    assert!(world.ok("sheep resume milton/apollo").contains("next "));
    assert_eq!(line("milton")["state"], "active");
    let again = &world.posts("preview --sheep milton/apollo --count 1")[0];
    assert_eq!((again.occurrence, &again.text), (next.occurrence, &next.text));
    assert_eq!(line("milton")["missed"], 0);
}

#[test]
fn a_sheep_whose_end_has_come_is_not_resumed() {
    let world = World::new();
    let now = from_now(SignedDuration::ZERO);
    let end = now + SignedDuration::from_mins(10);
    let rhythm = format!("line = \"4m\"\nend = \"{}\"", end.strftime("%Y-%m-%dT%H:%M:%S"));
    world.write_flock("milton", &[("apollo", "one\n", &rhythm), ("zeus", "one\n", &rhythm)]);
    world.ok("flock apply milton");
    world.ok("sheep pause zeus");
    world.run_until(now + SignedDuration::from_mins(20));
    assert!(world.ok("sheep show apollo").contains("finished"));
    let ended = "has finished, because its `end` has come; apply its flock with a later one to let it go on\n";
    assert_eq!(world.refused("sheep resume apollo"), format!("error: milton/apollo {ended}"));
    // It was only paused so far.
    let said = world.ok("sheep resume zeus");
    assert!(
        said.contains("  finished ") && said.ends_with(&format!("milton/zeus {ended}")),
        "{said}"
    );
    assert_eq!(world.refused("sheep resume zeus"), format!("error: milton/zeus {ended}"));
}
