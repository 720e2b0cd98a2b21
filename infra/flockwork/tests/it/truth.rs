//! What a preview shows is what the tick does, and what was begun goes on.

use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::world::{Post, World, check_lines, from_now, poem};

/// A zone in which the next day begins in half an hour to an hour and a half, whenever this test runs.
fn zone_before_midnight(now: Timestamp) -> String {
    (-14..=12)
        .map(|hours| if hours < 0 { format!("Etc/GMT{hours}") } else { format!("Etc/GMT+{hours}") })
        .find(|name| {
            let time = now.to_zoned(TimeZone::get(name).unwrap()).time();
            (22 * 60 + 30..23 * 60 + 30)
                .contains(&(i32::from(time.hour()) * 60 + i32::from(time.minute())))
        })
        .expect("the zones are an hour apart")
}

#[test]
fn what_preview_shows_is_what_run_does() {
    let world = World::new();
    let now = from_now(SignedDuration::ZERO);
    let zone = zone_before_midnight(now);
    let in_zone = now.to_zoned(TimeZone::get(&zone).unwrap());
    let closes = (&in_zone + SignedDuration::from_mins(15)).strftime("%H:%M").to_string();
    let rhythm = |rest: &str| format!("time_zone = \"{zone}\"\n{rest}");
    world.write_flock(
        "choir",
        &[
            (
                "capped",
                &poem("capped", 4),
                &rhythm("line = \"2m\"\njitter = \"50s\"\ndaily_cap = 6"),
            ),
            (
                "day",
                &poem("day", 5),
                &rhythm(&format!("line = \"3m\"\nstanza = \"7m\"\nwindow = \"00:05-{closes}\"")),
            ),
            ("daily", "daily\n", &rhythm("at = [\"00:00\", \"00:10\"]\njitter = \"9m\"")),
            (
                "verses",
                &poem("verses", 7),
                &rhythm("line = \"90s\"\nstanza = \"17m\"\njitter = \"90s\""),
            ),
        ],
    );
    world.ok("flock apply choir");
    let preview = world.posts("preview --flock choir --count 200");
    assert_eq!(world.posts("preview --flock choir --count 60"), preview[..60]);
    assert!(preview.is_sorted_by_key(|post| post.at));

    // Long enough for the cap and the window to end with the day.
    let midnight = in_zone.tomorrow().unwrap().start_of_day().unwrap().timestamp();
    let last = preview[59].at.max(midnight + SignedDuration::from_mins(25));
    // The tick that posts it comes up to a minute later.
    let until = last + SignedDuration::from_secs(61);
    world.run_until(until);
    let posts = world.posts("posts --flock choir --limit 1000");
    let due = preview.iter().filter(|post| post.at <= last).count();
    assert!(60 <= due && due <= posts.len(), "{due} were due, {} were posted", posts.len());
    assert_eq!(posts, preview[..posts.len()]);

    // What the rhythms ask for did happen.
    let of = |sheep: &str, before_midnight: bool| {
        let meant = |post: &&_| {
            let Post { sheep: its_name, at, .. } = post;
            its_name == sheep && (*at < midnight) == before_midnight
        };
        posts.iter().filter(meant).count()
    };
    assert_eq!((of("capped", true), of("capped", false)), (6, 6));
    assert!(0 < of("day", true) && of("day", true) < 6 && 0 < of("day", false));
    assert_eq!((of("daily", true), of("daily", false)), (0, 2));

    // And it goes on like that.
    let rest = world.posts("preview --flock choir --count 20");
    assert_eq!(rest, preview[posts.len()..posts.len() + 20]);
}

/// Clocks in London go forward on 2087-03-30 and back on 2087-10-26, both at 01:00 UTC.
#[test]
fn preview_knows_daylight_saving() {
    let world = World::new();
    let sheep = |rest: &str| format!("time_zone = \"Europe/London\"\n{rest}");
    world.write_flock(
        "clocks",
        &[
            ("gap", "tick\ntock\n", &sheep("at = [\"01:30\", \"12:00\"]\nstart = \"2087-03-29\"")),
            ("fold", "tick\ntock\n", &sheep("at = [\"01:30\", \"12:00\"]\nstart = \"2087-10-25\"")),
            (
                "spring",
                "tick\n",
                &sheep("line = \"40m\"\nwindow = \"00:30-03:00\"\nstart = \"2087-03-29\""),
            ),
            (
                "autumn",
                "tick\n",
                &sheep("line = \"40m\"\nwindow = \"00:30-03:00\"\nstart = \"2087-10-26\""),
            ),
            (
                "capped",
                "tick\n",
                &sheep(
                    "line = \"11h\"\ndaily_cap = 1\nstart = \"2087-03-29\"\nend = \"2087-03-31\"",
                ),
            ),
        ],
    );
    world.ok("flock apply clocks");
    let preview =
        |sheep: &str, count: usize| world.ok(&format!("preview --sheep {sheep} --count {count}"));
    assert_snapshot!(preview("gap", 6), @"
    2087-03-29 01:30:00 GMT  clocks/gap  tick
    2087-03-29 12:00:00 GMT  clocks/gap  tock
    2087-03-30 02:00:00 BST  clocks/gap  tick
    2087-03-30 12:00:00 BST  clocks/gap  tock
    2087-03-31 01:30:00 BST  clocks/gap  tick
    2087-03-31 12:00:00 BST  clocks/gap  tock
    ");
    assert_snapshot!(preview("fold", 6), @"
    2087-10-25 01:30:00 BST  clocks/fold  tick
    2087-10-25 12:00:00 BST  clocks/fold  tock
    2087-10-26 01:30:00 BST  clocks/fold  tick
    2087-10-26 12:00:00 GMT  clocks/fold  tock
    2087-10-27 01:30:00 GMT  clocks/fold  tick
    2087-10-27 12:00:00 GMT  clocks/fold  tock
    ");
    assert_snapshot!(preview("spring", 9), @"
    2087-03-29 00:30:00 GMT  clocks/spring  tick
    2087-03-29 01:10:00 GMT  clocks/spring  tick
    2087-03-29 01:50:00 GMT  clocks/spring  tick
    2087-03-29 02:30:00 GMT  clocks/spring  tick
    2087-03-30 00:30:00 GMT  clocks/spring  tick
    2087-03-30 02:10:00 BST  clocks/spring  tick
    2087-03-30 02:50:00 BST  clocks/spring  tick
    2087-03-31 00:30:00 BST  clocks/spring  tick
    2087-03-31 01:10:00 BST  clocks/spring  tick
    ");
    assert_snapshot!(preview("autumn", 7), @"
    2087-10-26 00:30:00 BST  clocks/autumn  tick
    2087-10-26 01:10:00 BST  clocks/autumn  tick
    2087-10-26 01:50:00 BST  clocks/autumn  tick
    2087-10-26 01:30:00 GMT  clocks/autumn  tick
    2087-10-26 02:10:00 GMT  clocks/autumn  tick
    2087-10-26 02:50:00 GMT  clocks/autumn  tick
    2087-10-27 00:30:00 GMT  clocks/autumn  tick
    ");
    assert_snapshot!(preview("capped", 50), @"
    2087-03-29 00:00:00 GMT  clocks/capped  tick
    2087-03-30 00:00:00 GMT  clocks/capped  tick
    2087-03-31 00:00:00 BST  clocks/capped  tick
    ");
}

#[test]
fn a_run_goes_on_where_the_last_one_stopped() {
    let world = World::new();
    let (psalm, hymn) = (poem("psalm", 3), poem("hymn", 11));
    world.write_flock(
        "choir",
        &[("psalm", &psalm, "line = \"2m\"\njitter = \"1m\""), ("hymn", &hymn, "line = \"1m\"")],
    );
    world.ok("flock apply choir");
    let preview = world.posts("preview --flock choir --count 100");
    for stop in [9, 10, 30, 31, 60] {
        let until: Timestamp = preview[stop].at + SignedDuration::from_secs(1);
        world.run_until(until);
        let posts = world.posts("posts --limit 1000");
        assert_eq!(posts, preview[..posts.len()]);
        check_lines(&posts, "psalm", &psalm);
        check_lines(&posts, "hymn", &hymn);
    }
    assert!(58 <= world.posts("posts --limit 1000").len());
}

#[test]
fn a_sheep_with_an_end_makes_its_last_post_and_has_finished() {
    let world = World::new();
    let end = from_now(SignedDuration::from_mins(5));
    let rhythm = format!("line = \"2m\"\nend = \"{end:.0}\"");
    world.write_flock("brief", &[("mayfly", "one\ntwo\n", &rhythm)]);
    world.ok("flock apply brief");
    let preview = world.posts("preview --flock brief");
    assert_eq!(preview.len(), 3);
    world.run_until(end + SignedDuration::from_mins(10));
    assert_eq!(world.posts("posts"), preview);
    assert_eq!(world.json("sheep list --json")[0]["state"], "finished");
    let silent = world.flockwork("preview --flock brief");
    assert_eq!(silent.stderr, "brief/mayfly has finished\n");

    // What has ended does not keep its flock from being applied; what would never begin is refused.
    let said = world.ok("flock apply brief");
    assert!(said.contains("nothing to change"), "{said}");
    let mayfly = ("mayfly", "one\ntwo\nthree\n", rhythm.as_str());
    world.write_flock("brief", &[mayfly, ("newt", "one\n", "line = \"2m\"")]);
    let said = world.ok("flock apply brief");
    assert!(said.contains("1 to create, 1 to change"), "{said}");
    world.write_flock("brief", &[mayfly, ("newt", "one\n", &rhythm)]);
    let said = world.refused("flock apply brief");
    assert!(said.contains("newt: its `end` has passed") && !said.contains("mayfly"), "{said}");
}
