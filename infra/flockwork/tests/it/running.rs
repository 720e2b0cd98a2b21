//! Commands while `flockwork run` is up, its page, and how it ends.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::world::{
    Answer, Post, QUICK, Running, World, check_lines, eventually, from_now, http, poem,
};

const POEM: &str = "first\nsecond\nthird\n";

/// A flock whose first lines are due at once.
fn choir() -> World {
    let world = World::new();
    world.write_flock(
        "choir",
        &[("alto", POEM, "line = \"5m\""), ("bass", POEM, "line = \"5m\"\nstanza = \"10m\"")],
    );
    world
}

/// Waits until there are so many posts.
fn wait_for_posts(world: &World, arguments: &str, count: usize) {
    eventually("the posts are there", || {
        (count <= world.posts(&format!("posts --limit 100000 {arguments}")).len()).then_some(())
    });
}

#[test]
fn commands_work_while_it_runs() {
    let world = choir();
    let mut run = world.start("run --listen 127.0.0.1:0");
    let url = run.url();
    run.line("There is no flock yet");
    assert!(world.ok("flock plan choir").contains("2 to create"));
    assert_eq!(world.ok("flock list --json"), "");
    world.ok("flock apply choir");
    assert_eq!(world.ok("flock list"), "choir  2 sheep, 2 active\n");
    assert!(world.ok("flock apply choir").contains("nothing to change"));
    assert_eq!(world.posts("preview --flock choir --count 4").len(), 4);
    assert!(world.ok("sheep pause bass").contains("paused since"));
    assert!(world.ok("sheep list").contains("paused since"));
    assert!(world.ok("sheep show bass").contains("paused"));
    assert!(world.ok("sheep resume bass").contains("next "));
    assert_eq!(world.ok("posts --json"), "");
    world.ok("flock remove choir --yes");

    // Another run would post everything twice.
    let said = world.refused("run --listen 127.0.0.1:0");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains(&url), "{said} names {url}");

    let output = run.interrupt();
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    assert!(output.stdout.ends_with("Stopped.\n"), "{}", output.stdout);
    assert!(!world.path(".flockwork/endpoint.json").exists());
    assert_eq!(world.ok("flock list --json"), "");
}

/// As somebody finds it who types `flockwork run` twice.
#[test]
fn a_second_run_at_the_same_address_is_told_of_the_first() {
    let world = choir();
    let mut run = world.start("run --listen 127.0.0.1:0");
    let url = run.url();
    let address = url.strip_prefix("http://").unwrap();
    let said = world.refused(&format!("run --listen {address}"));
    assert!(said.contains("is running already") && said.contains(&url), "{said}");
}

#[test]
fn what_is_posted_is_told_and_listed_while_it_runs() {
    let world = choir();
    world.ok("flock apply choir");
    let mut run = world.start("run --listen 127.0.0.1:0");
    let line = run.line("first");
    assert!(line.contains("alto") && line.contains("(next "), "{line}");
    wait_for_posts(&world, "", 2);
    let table = world.table();
    let output = run.interrupt();
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    assert_eq!(world.table(), table, "stopping changes nothing");
}

#[test]
fn it_goes_on_after_being_killed() {
    let world = choir();
    world.ok("flock apply choir");
    let preview = world.posts("preview --flock choir --count 300");
    for kills in 1..4 {
        let mut run = world.start("run --listen 127.0.0.1:0 --speed 6000");
        run.url();
        wait_for_posts(&world, "", 10 * kills);
        run.kill();
        // Of those that are due at one moment, any may have been made.
        let posts = world.posts("posts --limit 1000");
        for sheep in ["alto", "bass"] {
            let of_sheep = |posts: &[Post]| {
                posts.iter().filter(|post| post.sheep == sheep).cloned().collect::<Vec<_>>()
            };
            let posts = of_sheep(&posts);
            assert_eq!(posts, of_sheep(&preview)[..posts.len()]);
        }
    }
    let killed = world.posts("posts --limit 1000").len();
    world.run_until(preview[killed + 10].at + SignedDuration::from_secs(61));
    let posts = world.posts("posts --limit 1000");
    assert!(killed + 10 <= posts.len(), "{posts:?}");
    assert_eq!(posts, preview[..posts.len()]);
    check_lines(&posts, "alto", POEM);
    check_lines(&posts, "bass", POEM);
}

/// Otherwise nobody would post until the wall clock is where the quick time was.
#[test]
fn quick_time_does_not_go_back_when_it_is_killed() {
    let world = choir();
    world.ok("flock apply choir");
    let mut run = world.start("run --listen 127.0.0.1:0 --speed 6000");
    run.url();
    wait_for_posts(&world, "", 30);
    run.kill();
    let last = world.posts("posts --limit 1").swap_remove(0);
    let run = format!("run --listen 127.0.0.1:0 --speed {QUICK} --until {}", last.at);
    let said = world.refused(&run);
    assert!(said.contains("has passed"), "{said}");
}

/// Quick, but in the time a command takes not many minutes go by.
const BRISK: u32 = 600;

#[test]
fn a_flock_applied_in_quick_time_begins_there() {
    let world = World::new();
    world.write_flock("early", &[("bird", POEM, "line = \"1m\"")]);
    world.write_flock("late", &[("comer", POEM, "line = \"10m\"")]);
    world.ok("flock apply early");
    let mut run = world.start(&format!("run --listen 127.0.0.1:0 --speed {BRISK}"));
    run.url();
    wait_for_posts(&world, "", 40);
    let before = world.posts("posts --limit 1").swap_remove(0);
    world.ok("flock apply late");
    wait_for_posts(&world, "--flock late", 3);
    assert_eq!(run.interrupt().code, Some(0));
    let posts = world.posts("posts --flock late --limit 1000");
    check_lines(&posts, "comer", POEM);
    let first = posts[0].at;
    // The tick of that post may not have been over.
    assert!(before.at - SignedDuration::from_mins(2) <= first, "{first} before {}", before.at);
    assert_eq!(world.json("sheep list --flock late --json")[0]["missed"], 0);
}

#[test]
fn a_paused_sheep_is_silent_and_goes_on_where_it_was() {
    let world = World::new();
    world
        .write_flock("choir", &[("alto", POEM, "line = \"10m\""), ("bass", POEM, "line = \"1m\"")]);
    world.ok("flock apply choir");
    let mut run = world.start(&format!("run --listen 127.0.0.1:0 --speed {BRISK}"));
    run.url();
    wait_for_posts(&world, "--sheep alto", 2);
    world.ok("sheep pause alto");
    let bass = world.posts("posts --sheep bass --limit 1000").len();
    // What was being posted is there now.
    wait_for_posts(&world, "--sheep bass", bass + 2);
    let alto = world.posts("posts --sheep alto");
    wait_for_posts(&world, "--sheep bass", bass + 30);
    assert_eq!(world.posts("posts --sheep alto"), alto);
    world.ok("sheep resume alto");
    wait_for_posts(&world, "--sheep alto", alto.len() + 2);
    assert_eq!(run.interrupt().code, Some(0));
    let posts = world.posts("posts --limit 1000");
    check_lines(&posts, "alto", POEM);
    check_lines(&posts, "bass", POEM);
    let missed: Vec<_> =
        world.json("sheep list --json").iter().map(|sheep| sheep["missed"].clone()).collect();
    assert_eq!(missed, [0, 0], "a pause misses nothing");
}

#[test]
fn commands_at_once_wait_for_each_other() {
    let world = choir();
    world.ok("flock apply choir");
    let list = world.ok("sheep list --json");
    let commands: Vec<Running> = (0..6).map(|_| world.start("sheep list --json")).collect();
    for command in commands {
        let output = command.finish();
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
        assert_eq!(output.stdout, list);
    }
}

#[test]
fn a_new_directory_starts_with_the_sample_flock() {
    let world = choir();
    std::fs::create_dir(world.path("infra")).unwrap();
    std::fs::rename(world.path("choir"), world.path("infra/sample-flock")).unwrap();
    let until = from_now(SignedDuration::from_mins(12));
    let said = world.ok(&format!("run --listen 127.0.0.1:0 --speed {QUICK} --until {until}"));
    assert!(said.starts_with("Applied the sample flock in infra/sample-flock/"), "{said}");
    assert!(!world.path(".flockwork/sample").exists());
    assert!(said.contains("third"), "{said}");
    // Only at first: a flock that was removed stays away.
    world.ok("flock remove choir --yes");
    let until = until + SignedDuration::from_mins(2);
    let said = world.ok(&format!("run --listen 127.0.0.1:0 --speed {QUICK} --until {until}"));
    assert!(said.contains("There is no flock yet"), "{said}");
    // Nor does it come back with a database that was lost and is put back.
    let (database, copy) = (world.path(".flockwork/flock.db"), world.path("copy.db"));
    std::fs::rename(&database, &copy).unwrap();
    world.refused("run --listen 127.0.0.1:0");
    assert!(!world.path(".flockwork/sample").exists());
    std::fs::rename(&copy, &database).unwrap();
    assert_eq!(world.ok("flock list --json"), "");
    // As a start leaves it that dies while it applies it.
    world.write(".flockwork/sample", "");
    let until = until + SignedDuration::from_mins(2);
    let said = world.ok(&format!("run --listen 127.0.0.1:0 --speed {QUICK} --until {until}"));
    assert!(said.starts_with("Applied the sample flock in infra/sample-flock/"), "{said}");
}

fn get(url: &str) -> Answer {
    http(|client| client.get(url))
}

#[test]
fn the_page_shows_the_newest_first_and_runs_no_script_of_a_poet() {
    let world = World::new();
    let poem =
        "one\ntwo <script>alert(\"me\")</script>\nthree <img src=x onerror=alert(1)> & 'more'\n";
    world.write_flock("choir", &[("alto", poem, "line = \"1m\"")]);
    world.ok("flock apply choir");
    world.run_until(from_now(SignedDuration::from_mins(7)));
    let mut run = world.start("run --listen 127.0.0.1:0");
    let url = run.url();
    let texts: Vec<String> = world
        .posts("posts")
        .iter()
        .rev()
        .map(|post| {
            let escaped = post.text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            escaped.replace('"', "&quot;")
        })
        .collect();
    assert!(6 < texts.len(), "{texts:?}");
    for (path, whole) in [("", true), ("/feed", false)] {
        let Answer { status, kind, policy, body, .. } = whole_feed(&format!("{url}{path}"));
        assert_eq!(status, 200, "{body}");
        assert!(kind.starts_with("text/html"), "{kind}");
        let shown: Vec<&str> = body
            .split("<p class=\"text\">")
            .skip(1)
            .map(|rest| rest.split_once("</p>").unwrap().0)
            .collect();
        // It may have posted meanwhile.
        assert!(shown.ends_with(&texts.iter().map(String::as_str).collect::<Vec<_>>()), "{body}");
        assert!(shown.len() <= texts.len() + 1, "{body}");
        assert!(!body.contains("<script>") && !body.contains("<img"), "{body}");
        assert_eq!(body.contains("<html"), whole, "{body}");
        assert!(body.contains("choir") && body.contains("alto"), "{body}");
        if whole {
            assert!(policy.contains("default-src 'none'"), "{policy}");
            assert!(!policy.contains("unsafe-inline"), "{policy}");
        }
    }
    assert_eq!(get(&format!("{url}/page.css")).kind, "text/css");
    assert_eq!(get(&format!("{url}/page.js")).kind, "text/javascript");
    assert_eq!(get(&format!("{url}/nowhere")).status, 404);
    assert_eq!(run.interrupt().code, Some(0));
}

/// The page once all is read: on a slow machine that takes several answers.
fn whole_feed(url: &str) -> Answer {
    eventually("the whole feed", || {
        Some(get(url)).filter(|answer| !answer.body.contains("id=\"behind\""))
    })
}

/// The page asks for what has changed; how old what is there is, it is told all the same.
#[test]
fn a_feed_that_is_known_is_not_sent_again() {
    let world = World::new();
    world.write_flock("choir", &[("alto", "one\ntwo\n", "line = \"1h\"")]);
    world.ok("flock apply choir");
    let mut run = world.start("run --listen 127.0.0.1:0");
    let url = format!("{}/feed", run.url());
    // The first line is posted at once. Then nothing is said that is another a minute later.
    eventually("the first post", || get(&url).body.contains("one").then_some(()));
    world.ok("sheep pause alto");
    let first = whole_feed(&url);
    assert_eq!(first.status, 200);
    assert!(first.body.contains("paused: choir/alto"), "{}", first.body);
    assert!(first.body.contains("Times are in UTC."), "{}", first.body);
    let ask = |tag: &str| http(|client| client.get(&url).header("if-none-match", tag));
    let again = ask(&first.tag);
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    assert!(again.now.ends_with(" UTC"), "{}", again.now);
    assert_eq!(ask("\"another\"").status, 200);
    world.ok("sheep resume alto");
    let resumed = ask(&first.tag);
    assert_eq!(resumed.status, 200);
    assert!(!resumed.body.contains("paused: choir/alto"), "{}", resumed.body);
    assert_ne!(resumed.tag, first.tag);
    // A flock that is removed is gone with its posts, and those of others are there again.
    let crowd: Vec<_> = (0..110).map(|number| format!("bird-{number}")).collect();
    let crowd: Vec<_> =
        crowd.iter().map(|name| (name.as_str(), "tweet\n", "line = \"1h\"")).collect();
    world.write_flock("crowd", &crowd);
    world.ok("flock apply crowd");
    eventually("the crowd", || (100 == get(&url).body.matches("tweet").count()).then_some(()));
    assert!(!whole_feed(&url).body.contains("one</p>"));
    world.ok("flock remove crowd --yes");
    let body = whole_feed(&url).body;
    assert!(body.contains("one</p>") && !body.contains("tweet"), "{body}");
    world.ok("flock remove choir --yes");
    assert!(whole_feed(&url).body.contains("No sheep is here."));
}

/// Whose turn is next is said of two sheep with one name, too, and in how long, where something is at work.
#[test]
fn who_posts_next_is_said_of_two_with_one_name() {
    let world = World::new();
    for flock in ["choir", "crowd"] {
        world.write_flock(flock, &[("alto", "one\ntwo\n", "line = \"5h\"")]);
        world.ok(&format!("flock apply {flock}"));
    }
    world.write_flock("duo", &[("bass", "one\ntwo\n", "line = \"5h\"")]);
    world.ok("flock apply duo");
    let mut run = world.start("run --listen 127.0.0.1:0");
    let url = format!("{}/feed", run.url());
    let body = eventually("the first posts", || {
        let body = get(&url).body;
        (3 == body.matches("in 5 h").count()).then_some(body)
    });
    for who in [
        "<strong>alto</strong> of choir ",
        "<strong>alto</strong> of crowd ",
        "<strong>bass</strong> <time",
    ] {
        assert!(body.contains(who), "{who} {body}");
    }
    assert!(body.contains("<span class=\"until\">, in 5 h</span>"), "{body}");
    assert_eq!(run.interrupt().code, Some(0));
}

/// A browser can be led to it directly.
#[test]
fn the_feed_alone_has_a_policy_too() {
    let world = choir();
    let mut run = world.start("run --listen 127.0.0.1:0");
    let Answer { policy, .. } = get(&format!("{}/feed", run.url()));
    assert!(policy.contains("default-src 'none'"), "{policy:?}");
}

const TEMPLATE: &str = include_str!("../../../../template.yaml");

/// A sheep that is always late posts when its function is started.
#[test]
fn a_calendar_and_a_single_time_start_a_function_when_they_say() {
    let world = World::new();
    let tokyo = TimeZone::get("Asia/Tokyo").unwrap();
    let began = from_now(SignedDuration::ZERO);
    // Half a day from when the run begins and ends, however long it takes to begin.
    let daily = (began + SignedDuration::from_hours(12)).to_zoned(tokyo.clone());
    let days = (0..5).map(|day| daily.timestamp() + SignedDuration::from_hours(24 * day));
    let once = began + SignedDuration::from_hours(50);
    let schedule = |name: &str, expression: &str| {
        format!(
            "        {name}:
          Type: ScheduleV2
          Properties:
            ScheduleExpression: {expression}
            ScheduleExpressionTimezone: Asia/Tokyo
            Input: '{{\"detail-type\":\"Scheduled Event\",\"source\":\"flockwork.schedule\"}}'
"
        )
    };
    let at =
        |at: Timestamp| format!("at({})", at.to_zoned(tokyo.clone()).strftime("%Y-%m-%dT%H:%M:%S"));
    let long_ago = at(began - SignedDuration::from_hours(1));
    let schedules =
        schedule("Once", &at(once)) + &schedule("Passed", &long_ago) + "        Minute:\n";
    let minute = "            ScheduleExpression: rate(1 minute)\n";
    assert_eq!(TEMPLATE.matches(minute).count(), 1);
    let cron = format!("cron({} {} ? * * *)", daily.minute(), daily.hour());
    let daily = format!(
        "            ScheduleExpression: {cron}\n            ScheduleExpressionTimezone: Asia/Tokyo\n"
    );
    let template = TEMPLATE.replace(minute, &daily).replacen("        Minute:\n", &schedules, 1);
    world.write("template.yaml", template);
    world.write_flock("choir", &[("alto", &poem("alto", 40), "line = \"1h\"")]);
    world.ok("flock apply choir");

    let until = began + SignedDuration::from_hours(5 * 24);
    let said = world.ok(&format!("run --listen 127.0.0.1:0 --speed {QUICK} --until {until:.0}"));
    let told = format!("The schedule {long_ago} has no time left, so it does not fire.\n");
    assert!(said.contains(&told), "{said}");
    // A cron has no seconds.
    let minute = |at: Timestamp| Timestamp::from_second(at.as_second() / 60 * 60).unwrap();
    let mut expected: Vec<_> = days.map(minute).collect();
    expected.push(Timestamp::from_second(once.as_second()).unwrap());
    expected.sort();
    let mut made: Vec<_> = world.posts("posts --limit 1000").iter().map(|post| post.at).collect();
    made.sort();
    assert_eq!(made, expected);
}
