//! Everything at once: stop, start, reboot, and what is in flight.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use flock_core::{AccountId, Flock, Network, Sheep, SheepConfig};
use flock_slack::sign;
use flock_tests::{Misbehave, Trouble};
use jiff::SignedDuration;
use secrecy::SecretString;
use serde_json::json;

use crate::{
    slack::Slack,
    world::{SIGNING_SECRET, START, slack_settings, ts},
};

#[tokio::test]
async fn a_stop_asks_first_and_then_holds_everything_until_a_start() {
    let mut slack = Slack::start().await;
    let id = slack.world.sheep("apollo", Network::Meadow, 40).await;
    let tick = slack.world.app().await;
    slack.world.tick_at(&tick, 0).await;
    let asked = slack.flock("stop").await;
    insta::assert_snapshot!(asked, @"
    *This stops everything: 1 sheep, and 480 posts planned for the next 24 hours. For what is due while everything is stopped, each sheep makes up as its `catch_up` says: with one post, unless that says otherwise.
    The button works for 5 minutes. [Stop everything] [Cancel]
    ");
    // Asking alone stops nothing.
    assert_eq!(slack.world.tick_at(&tick, 3).await.posted, 1);
    let told = slack.press("U1", "C1", "Stop everything").await;
    insta::assert_snapshot!(told, @"<@U1> has stopped everything: within a minute nothing is posted any more. `/flock start` lets it go on.");
    for minute in 4..20 {
        let report = slack.world.tick_at(&tick, minute).await;
        assert_eq!((report.posted, report.held), (0, true));
    }
    // A function that is started now knows, and still answers.
    let cold = slack.world.app().await;
    assert!(slack.world.tick_at(&cold, 20).await.held);
    let alive = slack.enter("U3", "C2", "/flock alive").await;
    let (told, _) = alive.split_once(":0").unwrap();
    insta::assert_snapshot!(told, @"*Yes, but everything is stopped: <@U1> in <#C1> did that at 12");
    let told = slack.flock("now apollo").await;
    insta::assert_snapshot!(told, @"*Everything is stopped; nothing is posted until `/flock start`.");
    assert!(slack.flock("stop").await.contains("stopped already"));
    let started = slack.flock("start").await;
    assert!(started.contains("lets everything go on"));
    // What becomes of what was due meanwhile, is said alike before and after.
    assert!(asked.contains(flock_core::WHILE_STOPPED), "{asked}");
    assert!(started.contains(flock_core::WHILE_STOPPED), "{started}");
    assert_eq!(slack.flock("start").await, "*Nothing was stopped.");
    // What was missed is not made up for in a burst.
    assert_eq!(slack.world.tick_at(&tick, 21).await.posted, 1);
    assert!(0 < slack.world.read(&id).await.progress.missed);
    assert_eq!(slack.enter("U3", "C2", "/flock alive").await, "*Yes.");
}

/// Whatever is answered about flocks, done or not; and nothing else.
#[tokio::test]
async fn while_everything_is_stopped_every_answer_about_flocks_says_so() {
    let mut slack = Slack::start().await;
    slack.world.sheep("apollo", Network::Meadow, 40).await;
    slack.flock_sure("stop", "Stop everything").await;
    let line = "Everything is stopped; nothing is posted until `/flock start`.";
    for refused in [
        "now apollo",
        "say apollo hello",
        "do flock follow each-other",
        "ring flock bio Baa",
        "wipe x:apollo",
    ] {
        assert_eq!(slack.flock(refused).await, format!("*{line}"));
    }
    for command in slash_command::TABLE {
        let line_of = match command.name().as_str() {
            "help" | "audit" | "stop" | "start" | "now" | "say" | "do" | "ring" | "wipe" => {
                continue;
            }
            "do dry-run" => command.example.replace("moon", "flock"),
            "sent" | "send-again" => format!("{} apollo 1", command.name()),
            "rhythm" => "rhythm apollo 3m".to_owned(),
            // With all that they want.
            name if name.starts_with("queue ") => command.example.replace("crier", "apollo"),
            "sheep" | "flocks" | "posts" => command.name(),
            name if command.group == slash_command::Group::Flock => format!("{name} apollo"),
            _ => command.example.to_owned(),
        };
        let told = slack.flock(&line_of).await;
        let is_about_flocks = command.group == slash_command::Group::Flock;
        assert_eq!(told.matches(line).count(), usize::from(is_about_flocks), "{line_of}: {told}");
        assert!(!told.contains(line) || told.contains(&format!("\n{line}")), "{told}");
    }
    let asked = slack.flock("pause flock").await;
    assert!(asked.contains(line) && asked.ends_with(" [Pause the flock] [Cancel]"), "{asked}");
    assert_eq!(
        slack.flock("resume apollo").await,
        format!("**flock/apollo* is active already.\n{line}")
    );
}

#[tokio::test]
async fn a_question_is_answered_once_by_who_was_asked_and_in_time() {
    let mut slack = Slack::start().await;
    slack.flock("grant U2 owner").await;
    let told =
        "*That question is answered already, or is older than five minutes. Nothing was done.";
    slack.flock("stop").await;
    slack.world.clock.step_to(ts(START) + SignedDuration::from_secs(301));
    assert_eq!(slack.press("U1", "C1", "Stop everything").await, told);
    assert_eq!(slack.enter("U1", "C1", "/flock alive").await, "*Yes.");
    slack.flock("stop").await;
    assert_eq!(slack.press("U1", "C1", "Cancel").await, "*Nothing was done.");
    slack.enter("U2", "C1", "/flock stop").await;
    // Who has lost their level meanwhile may not go on.
    slack.flock("revoke U2").await;
    assert!(slack.press("U2", "C1", "Stop everything").await.contains("needs at least `shepherd`"));
    assert_eq!(slack.enter("U1", "C1", "/flock alive").await, "*Yes.");
}

#[tokio::test]
async fn a_question_is_answered_where_it_was_asked() {
    let mut slack = Slack::start().await;
    slack.flock("grant U2 shepherd").await;
    slack.enter("U1", "C2", "/flock grant U2 shepherd").await;
    // Both may stop everything, in both rooms.
    slack.flock("stop").await;
    let value = slack.value("U1", "C1", "Stop everything");
    let before = slack.table().await;
    let elsewhere =
        "*That question was asked in <#C1>, and its buttons count there alone. Nothing was done.";
    let not_theirs = "*That question was put to somebody else. Nothing was done.";
    for (action, label) in [("confirm", "Copied yes"), ("cancel", "Copied no")] {
        slack.offer("C2", label, action, &value).await;
        assert_eq!(slack.press("U1", "C2", label).await, elsewhere);
        assert_eq!(slack.press("U2", "C2", label).await, not_theirs);
        slack.offer("C1", label, action, &value).await;
        assert_eq!(slack.press("U2", "C1", label).await, not_theirs);
    }
    for (action, forged) in [
        ("confirm", "stop"),
        ("confirm", "0123456789abcdef0123456789abcdef"),
        ("confirm", ""),
        ("cancel", "C1"),
    ] {
        slack.offer("C1", "Forged", action, forged).await;
        let told = slack.press("U1", "C1", "Forged").await;
        assert!(told.ends_with("Nothing was done."), "{forged}: {told}");
    }
    assert_eq!(slack.table().await, before, "the question is there, and nothing else has changed");
    assert_eq!(slack.enter("U3", "C1", "/flock alive").await, "*Yes.");
    // And counts there, once.
    let told = slack.press("U1", "C1", "Stop everything").await;
    assert!(told.contains("<@U1> has stopped everything"), "{told}");
    slack.flock("start").await;
    slack.offer("C1", "Replayed", "confirm", &value).await;
    let told = slack.press("U1", "C1", "Replayed").await;
    assert!(told.starts_with("*That question is answered already"), "{told}");
    assert_eq!(slack.enter("U3", "C1", "/flock alive").await, "*Yes.");
    let log = slack.flock("audit 3").await;
    let log: Vec<_> = log.lines().skip(1).map(|line| line.split_once(' ').unwrap().1).collect();
    insta::assert_snapshot!(log.join("\n"), @r"
    <@U1> in <#C1>: `start` - done
    <@U1> in <#C1>: `stop` - done
    <@U1> in <#C1>: `stop` - asked whether they are sure
    ");
}

/// What is no question stands for a command, wherever it is pressed: the rights of that room are asked.
#[tokio::test]
async fn any_other_button_asks_the_rights_of_the_room_it_is_pressed_in() {
    let mut slack = Slack::start().await;
    slack.world.sheep("apollo", Network::Meadow, 3).await;
    slack.flock("grant U2 shepherd").await;
    slack.enter("U2", "C1", "/flock show apollo").await;
    let value = slack.value("U2", "C1", "Pause");
    slack.offer("C2", "Pause", "pause", &value).await;
    let told = slack.press("U2", "C2", "Pause").await;
    assert!(told.contains("`pause` needs at least `shepherd`"), "{told}");
    assert_eq!(slack.press("U1", "C2", "Pause").await, "Paused *flock/apollo*.");
    let log = slack.flock("audit 1").await;
    assert!(log.contains("<@U1> in <#C2>: `pause flock/apollo` - done"), "{log}");
    // Nor is a button a way around a question.
    for (action, value) in [("stop", ""), ("pause", "flock"), ("level", "remove owner")] {
        slack.offer("C2", "Forged", action, value).await;
        let before = slack.enter("U1", "C2", "/flock sheep").await;
        slack.press("U1", "C2", "Forged").await;
        assert_eq!(slack.enter("U1", "C2", "/flock sheep").await, before);
        assert_eq!(
            slack.enter("U1", "C2", "/flock alive").await,
            "*Yes, but no sheep posts: all are paused or have finished."
        );
    }
}

/// A Secrets Manager whose one secret can be changed.
async fn secrets(signing_secret: Arc<Mutex<&'static str>>) -> String {
    let answer = move || async move {
        let signing_secret = *signing_secret.lock().unwrap();
        let secret = json!({ "signing_secret": signing_secret, "bot_token": "x" }).to_string();
        axum::Json(json!({ "Name": "Slack", "SecretString": secret }))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new().route("/", axum::routing::post(answer));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

#[tokio::test]
async fn a_reboot_has_secrets_read_anew() {
    let world = crate::world::World::start().await;
    let signing_secret = Arc::new(Mutex::new(SIGNING_SECRET));
    let services = secrets(Arc::clone(&signing_secret)).await;
    let aws = flock_aws::local(world.cloud.dynamodb_url(), services, world.cloud.token().secret());
    let mut settings = slack_settings();
    settings.first_owner = Some(crate::slack::user("U1"));
    let app = slash_command::App::start(settings, &aws, world.clock.clone()).await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/slack/commands", listener.local_addr().unwrap());
    let router = Arc::new(app).router();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let http = reqwest::Client::new();
    let send = async |text: &str, secret: &str| {
        let body = crate::slack::slash_body("U1", "C1", text, &format!("{text}{secret}"));
        let signature = sign(&SecretString::from(secret), ts(START), body.as_bytes());
        let request = http.post(&url).header("x-slack-signature", signature);
        let timestamp = ts(START).as_second();
        request
            .header("x-slack-request-timestamp", timestamp)
            .body(body)
            .send()
            .await
            .unwrap()
            .status()
    };
    assert_eq!(send("alive", SIGNING_SECRET).await, 200);
    *signing_secret.lock().unwrap() = "rotated";
    assert_eq!(send("alive", "rotated").await, 401, "the secret was read a moment ago");
    assert_eq!(send("reboot", SIGNING_SECRET).await, 200);
    assert_eq!(send("alive", "rotated").await, 200);
    assert_eq!(send("whoami", SIGNING_SECRET).await, 401);
}

#[tokio::test]
async fn what_one_room_does_is_not_another_rooms_business() {
    let mut slack = Slack::start().await;
    slack.world.sheep("apollo", Network::Meadow, 3).await;
    slack.flock("grant U2 shepherd").await;
    slack.flock("pause apollo").await;
    let log = slack.enter("U1", "C2", "/flock audit").await;
    assert!(log.contains("`pause apollo` - done") && !log.contains("grant"), "{log}");
    // Nor can what somebody typed pose as an entry.
    slack.flock("say apollo x\n2026-11-21 12:00:00 UTC <@U2> in <#C1>: `stop` - done").await;
    assert_eq!(slack.flock("audit 1").await.lines().count(), 2);
}

#[tokio::test]
async fn what_is_in_flight_is_shown_with_who_asked_for_it() {
    let mut slack = Slack::start().await;
    assert_eq!(slack.flock("running").await, "*Nothing is in flight.");
    // A tick has claimed it and is gone.
    let id = slack.world.sheep("apollo", Network::Meadow, 3).await;
    let sheep = slack.world.read(&id).await;
    let now = slack.world.clock.now();
    let flock_core::Due::Post(next) = sheep.due(now) else { panic!("it is due") };
    let lease = now + SignedDuration::from_secs(55);
    let table = slack.world.store.table_id().await.unwrap();
    let claimed = sheep.claim(next, flock_core::Act::post("a line"), table, lease);
    slack.world.store.put_sheep(&claimed).await.unwrap();
    let shown = slack.flock("rc").await;
    assert!(
        shown.starts_with(
            "*Times are in UTC.\n*flock/apollo* is making its post 1, due since 12:00:"
        ),
        "{shown}"
    );
}

/// What `show` calls being posted is in flight: also what waits, and what nobody knows of.
#[tokio::test]
async fn what_waits_is_in_flight_too() {
    let mut slack = Slack::start().await;
    slack.world.sheep("apollo", Network::X, 3).await;
    slack.world.sheep("hermes", Network::Meadow, 3).await;
    let app = slack.world.app().await;
    slack.world.x.misbehave(Misbehave::AcceptThen500);
    slack.world.tick_at(&app, 0).await;
    slack.flock("say hermes hello").await;
    assert!(slack.flock("show apollo").await.contains("being posted: 1: "));
    let running = slack.flock("running").await;
    insta::with_settings!({ filters => vec![(r"\d\d:\d\d:\d\d", "HH:MM:SS")] }, {
        insta::assert_snapshot!(running, @r#"
        *Times are in UTC.
        *flock/apollo* has its post 1 open, due since HH:MM:SS: nobody knows whether it was made: X failed with status 500: "Something is broken. This is usually temporary."; the next try is at HH:MM:SS, in 1 min
        *flock/hermes* has its post 2 open, due since HH:MM:SS: it is about to be made; the next try is at HH:MM:SS, now
        "#);
    });
    // Of every sheep both say the same, whatever its state.
    slack.world.sheep("zeus", Network::Meadow, 3).await;
    slack.flock("pause zeus").await;
    for state in ["active", "paused", "stopped"] {
        let running = slack.flock("running").await;
        let mut open = Vec::new();
        for name in ["apollo", "hermes", "zeus"] {
            let shown = slack.flock(&format!("show {name}")).await;
            let is_open = shown.contains("\nbeing posted: ");
            assert_eq!(
                running.contains(&format!("*flock/{name}* ")),
                is_open,
                "{state}: {running}"
            );
            open.extend(is_open.then_some(name));
        }
        assert_eq!(open, ["apollo", "hermes"], "{state}");
        if state == "active" {
            slack.flock("pause apollo").await;
            slack.flock("pause hermes").await;
        } else {
            let id = "flock/hermes".parse().unwrap();
            let (sheep, now) = (slack.world.read(&id).await, slack.world.clock.now());
            let stop = |sheep: &Sheep| Ok::<_, Infallible>(sheep.stop("seen to".to_owned(), now));
            let Ok(_) = slack.world.store.change_sheep(sheep, stop).await.unwrap();
        }
    }
    assert!(slack.flock("running").await.contains("; it is paused"));
}

#[tokio::test]
async fn alive_says_what_is_not_at_work() {
    let mut slack = Slack::start().await;
    assert_eq!(slack.flock("alive").await, "*Yes.");
    for name in ["apollo", "hermes"] {
        slack.world.sheep(name, Network::X, 40).await;
    }
    let app = slack.world.app().await;
    slack.world.tick_at(&app, 0).await;
    assert_eq!(slack.flock("alive").await, "*Yes.");
    let mut told = Vec::new();
    // The schedule is off.
    slack.world.clock.step_to(ts(START) + SignedDuration::from_mins(10));
    told.push(slack.flock("alive").await);
    slack.world.tick_at(&app, 10).await;
    assert_eq!(slack.flock("alive").await, "*Yes.");
    slack.flock("pause hermes").await;
    slack.world.x.trouble(Trouble::Revoked);
    slack.world.tick_at(&app, 13).await;
    told.push(slack.flock("alive").await);
    slack.flock("resume hermes").await;
    told.push(slack.flock("alive").await);
    slack.flock_sure("stop", "Stop everything").await;
    told.push(slack.flock("alive").await);
    slack.flock("start").await;
    slack.flock_sure("pause flock", "Pause the flock").await;
    slack.world.sheep("zeus", Network::Meadow, 3).await;
    slack.flock("pause zeus").await;
    told.push(slack.flock("alive").await);
    // Several, and one that is in the hands of a tick, which is not late.
    slack.flock("resume hermes").await;
    assert_eq!(slack.world.tick_at(&app, 16).await.stopped, 1);
    told.push(slack.flock("alive").await);
    slack.flock("resume zeus").await;
    let zeus = slack.world.read(&"flock/zeus".parse().unwrap()).await;
    slack.world.clock.step_to(zeus.next_at().unwrap());
    let flock_core::Due::Post(next) = zeus.due(slack.world.clock.now()) else {
        panic!("it is due")
    };
    let lease = slack.world.clock.now() + SignedDuration::from_mins(20);
    let table = slack.world.store.table_id().await.unwrap();
    let claimed = zeus.claim(next, flock_core::Act::post("a line"), table, lease);
    slack.world.store.put_sheep(&claimed).await.unwrap();
    slack.world.clock.step_to(slack.world.clock.now() + SignedDuration::from_mins(10));
    told.push(slack.flock("alive").await);
    // Nobody has stopped, and nobody posts.
    slack.world.x.well();
    slack.flock("resume flock").await;
    slack.flock_sure("pause flock", "Pause the flock").await;
    told.push(slack.flock("alive").await);
    insta::with_settings!({ filters => vec![(r"\d\d:\d\d:\d\d", "HH:MM:SS")] }, {
        insta::assert_snapshot!(told.join("\n"), @"
        *Yes, but nothing is at work: *flock/apollo* is due since HH:MM:SS UTC, and no tick has seen to it. The schedule of `sheep-tick` may be off, or it fails; its log says why. That is for <@U1> to see to.
        *Yes, but no sheep posts: *flock/apollo* has stopped; `/flock show flock/apollo` tells why.
        *Yes, but *flock/apollo* has stopped; `/flock show flock/apollo` tells why.
        *Yes, but
        • everything is stopped: <@U1> in <#C1> did that at HH:MM:SS UTC. `/flock start` lets it go on.
        • *flock/apollo* has stopped; `/flock show flock/apollo` tells why.
        *Yes, but no sheep posts: *flock/apollo* has stopped; `/flock show flock/apollo` tells why.
        *Yes, but no sheep posts: *flock/apollo* and *flock/hermes* have stopped; `/flock sheep` tells why.
        *Yes, but *flock/apollo* and *flock/hermes* have stopped; `/flock sheep` tells why.
        *Yes, but no sheep posts: all are paused or have finished.
        ");
    });
}

/// What is due and not made, because the cap is used up by then, is said where it is listed.
#[tokio::test]
async fn a_preview_says_what_waits_for_the_cap() {
    let mut slack = Slack::start().await;
    for name in ["apollo", "iris"] {
        slack.world.sheep(name, Network::X, 40).await;
    }
    slack.world.sheep("pan", Network::Meadow, 40).await;
    let cap = |dollars: &str| Flock {
        monthly_cap: Some(dollars.parse().unwrap()),
        ..Flock::new("flock".parse().unwrap())
    };
    // Three posts of the month are paid for.
    slack.world.store.put_flock(&cap("0.05")).await.unwrap();
    let mut told = vec![slack.flock("preview flock 9").await];
    let app = slack.world.app().await;
    for minute in [0, 3] {
        slack.world.tick_at(&app, minute).await;
    }
    told.push(slack.flock("preview flock 4").await);
    insta::with_settings!({ filters => vec![(r":\d\d, ", ":SS, "), (r"(\d\d:\d\d):\d\d \*", "$1:SS *")] }, {
        insta::assert_snapshot!(told.join("\n"), @"
        *Times are in UTC.
        12:00:SS, now *flock/apollo* apollo line 0
        12:00:SS, now *flock/iris* iris line 0
        12:00:SS, now *flock/pan* pan line 0
        12:03:SS, in 2 min *flock/apollo* apollo line 1
        12:03:SS *flock/iris* (waits: the cap is used up until 2026-04-01 00:00:00) iris line 1
        12:03:SS, in 2 min *flock/pan* pan line 1
        12:06:SS *flock/apollo* (waits: the cap is used up until 2026-04-01 00:00:00) apollo line 2
        12:06:SS *flock/iris* (waits: the cap is used up until 2026-04-01 00:00:00) iris line 2
        12:06:SS, in 5 min *flock/pan* pan line 2
        *flock/iris: flock flock has spent $0.045 of the $0.05 it may spend in 2026-03, and this costs $0.015; raise `monthly_cap` in its flock.toml and apply it, or wait
        Times are in UTC.
        12:03:SS *flock/iris* (waits: the cap is used up until 2026-04-01 00:00:00) iris line 1
        12:06:SS *flock/apollo* (waits: the cap is used up until 2026-04-01 00:00:00) apollo line 2
        12:06:SS, in 2 min *flock/pan* pan line 2
        12:09:SS *flock/apollo* (waits: the cap is used up until 2026-04-01 00:00:00) apollo line 3
        ");
    });
}

/// Whatever keeps what is shown from being posted is said with it.
#[tokio::test]
async fn a_preview_says_why_nothing_is_posted() {
    let mut slack = Slack::start().await;
    for name in ["apollo", "hermes", "iris", "zeus"] {
        slack.world.sheep(name, Network::X, 40).await;
    }
    let app = slack.world.app().await;
    slack.flock("pause iris").await;
    slack.flock("pause zeus").await;
    let mut told = vec![slack.flock("preview flock 1").await];
    // The schedule is off.
    slack.world.clock.step_to(ts(START) + SignedDuration::from_mins(10));
    told.push(slack.flock("preview flock 1").await);
    slack.world.x.trouble(Trouble::Revoked);
    slack.world.tick_at(&app, 10).await;
    told.push(slack.flock("preview flock 1").await);
    slack.flock_sure("stop", "Stop everything").await;
    told.push(slack.flock("preview iris").await);
    insta::with_settings!({ filters => vec![(r"\d\d:\d\d:\d\d", "HH:MM:SS")] }, {
        insta::assert_snapshot!(told.join("\n"), @r#"
        *flock/iris and flock/zeus are paused
        Times are in UTC.
        HH:MM:SS, now *flock/apollo* apollo line 0
        *flock/iris and flock/zeus are paused
        Nothing is at work: *flock/apollo* is due since HH:MM:SS UTC, and no tick has seen to it. The schedule of `sheep-tick` may be off, or it fails; its log says why. That is for <@U1> to see to.
        Times are in UTC.
        HH:MM:SS *flock/apollo* apollo line 0
        *flock/iris and flock/zeus are paused
        flock/apollo has stopped: x:apollo: X does not accept the account's key: "Invalid or expired token."; renew the account's key
        flock/hermes has stopped: x:hermes: X does not accept the account's key: "Invalid or expired token."; renew the account's key
        There is nothing to show.
        *flock/iris is paused
        There is nothing to show.
        Everything is stopped; nothing is posted until `/flock start`.
        "#);
    });
}

/// Three sheep, one account, one key: one message, and one button for all.
#[tokio::test]
async fn a_bad_key_is_told_once_and_tried_again_at_once() {
    let mut slack = Slack::start().await;
    let account: AccountId = "x:apollo".parse().unwrap();
    let mut ids = Vec::new();
    for name in ["apollo", "hermes", "zeus"] {
        let id = slack.world.sheep(name, Network::X, 40).await;
        let sheep = slack.world.read(&id).await;
        let now = slack.world.clock.now();
        let moved = |sheep: &Sheep| {
            let config = SheepConfig { account: account.clone(), ..sheep.config.clone() };
            Ok::<_, Infallible>(sheep.reconfigure(config, now))
        };
        let Ok(_) = slack.world.store.change_sheep(sheep, moved).await.unwrap();
        slack.world.store.enlist(&[(id.clone(), account.clone())]).await.unwrap();
        ids.push(id);
    }
    let app = slack.world.app().await;
    slack.world.x.trouble(Trouble::Revoked);
    assert_eq!(slack.world.tick_at(&app, 0).await.stopped, 3);
    insta::assert_snapshot!(slack.flock("sheep").await, @r#"
    *None of them posts: 3 stopped.
    3 sheep have stopped (flock/apollo, flock/hermes and flock/zeus): x:apollo: X does not accept the account's key: "Invalid or expired token."; renew the account's key
    *flock/apollo* on x:apollo, stopped
    *flock/hermes* on x:apollo, stopped
    *flock/zeus* on x:apollo, stopped
    "#);
    let told = |slack: &Slack, before: usize| {
        let seen = slack.seen("U1", "C2");
        crate::slack::shown(&seen[..before], &seen)
    };
    slack.events().await;
    let first = told(&slack, 0);
    assert_eq!(first.matches("[Try again]").count(), 1, "{first}");
    for id in &ids {
        assert!(first.contains(&format!("*{id}*")), "{first}");
    }
    let one = first.replace("hermes", "apollo").replace("zeus", "apollo");
    insta::assert_snapshot!(one, @r#"
    *flock/apollo* has stopped at its post 1: x:apollo: X does not accept the account's key: "Invalid or expired token."; renew the account's key.
    Also on x:apollo: *flock/apollo* and *flock/apollo*. Whatever stops there for the same reason is not told of again; *Try again* resumes all of them. An account and its key are for <@U1> to see to. [Try again]
    "#);
    // It is as bad as before, and people hear of it again.
    let again = slack.press("U1", "C2", "Try again").await;
    let one = again.replace("hermes", "apollo").replace("zeus", "apollo");
    insta::assert_snapshot!(one, @"Resumed *flock/apollo*, *flock/apollo* and *flock/apollo*, on x:apollo. 3 posts are due at once, for $0.045. What stops again is told in the control room.");
    let before = slack.seen("U1", "C2").len();
    assert_eq!(slack.world.tick_at(&app, 3).await.stopped, 3);
    slack.events().await;
    assert_eq!(told(&slack, before).matches("[Try again]").count(), 1);
    // However they are resumed.
    for (line, minute) in [("resume flock", 6), ("resume x:apollo", 9)] {
        slack.flock(line).await;
        let before = slack.seen("U1", "C2").len();
        assert_eq!(slack.world.tick_at(&app, minute).await.stopped, 3);
        slack.events().await;
        assert_eq!(told(&slack, before).matches("[Try again]").count(), 1, "{line}");
    }
    // What somebody paused stays so.
    slack.flock("resume zeus").await;
    slack.flock("pause zeus").await;
    slack.world.x.well();
    slack.press("U1", "C2", "Try again").await;
    assert_eq!(slack.world.tick_at(&app, 12).await.posted, 2);
    assert_eq!(slack.flock("resume X:apollo").await, "*No sheep has stopped on `x:apollo`.");
    assert_eq!(
        slack.flock("resume y:apollo").await,
        "*`y` is not a network: use one of meadow, x, mastodon, bluesky."
    );
}

#[tokio::test]
async fn processes_show_themselves() {
    let mut slack = Slack::start().await;
    let tick = slack.world.app().await;
    slack.world.tick(&tick).await;
    let cold = Slack::cold(&slack.world, &slack.local).await;
    drop(Arc::clone(&cold));
    slack.flock("alive").await;
    let shown = slack.flock("instances").await;
    assert!(shown.contains("*sheep-tick* "), "{shown}");
    assert!(shown.contains("*slash-command* "), "{shown}");
    slack.world.clock.step_to(ts(START) + SignedDuration::from_hours(1));
    assert!(!slack.flock("instances").await.contains("sheep-tick"));
}

#[tokio::test]
async fn every_change_is_in_the_audit_log() {
    let mut slack = Slack::start().await;
    slack.world.sheep("apollo", Network::Meadow, 3).await;
    slack.flock("pause apollo").await;
    slack.flock("pause nobody").await;
    slack.flock("grant U2 shepherd").await;
    slack.enter("U2", "C1", "/flock say apollo `<!channel>` & more").await;
    slack.flock("alive").await;
    slack.enter("U3", "C1", "/flock resume apollo").await;
    let log = slack.enter("U2", "C1", "/flock audit").await;
    let log: Vec<_> = log.lines().skip(1).map(|line| line.split_once(' ').unwrap().1).collect();
    insta::assert_snapshot!(log.join("\n"), @"
    <@U2> in <#C1>: `say apollo '&lt;!channel&gt;' &amp; more` - refused: *flock/apollo* does not: it is paused; resume it first. `/flock resume flock/apollo` resumes it.
    <@U1> in <#C1>: `grant U2 shepherd` - done
    <@U1> in <#C1>: `pause nobody` - refused: There is no sheep and no flock `nobody`. `/flock sheep` lists them.
    <@U1> in <#C1>: `pause apollo` - done
    ");
    assert_eq!(slack.flock("audit 1").await.lines().count(), 2);
    assert_eq!(slack.flock("audit 0").await, "*`0` is not a number from 1 to 100.");
    assert!(slack.enter("U3", "C1", "/flock audit").await.contains("needs at least"));
}

/// Whatever comes of it: its entry is there before anything is changed.
#[tokio::test]
async fn every_command_that_changes_something_is_in_the_audit_log() {
    for command in slash_command::TABLE {
        let mut slack = Slack::start().await;
        for name in ["apollo", "zeus"] {
            slack.world.sheep(name, Network::Meadow, 3).await;
        }
        let line = command.example;
        slack.flock(line).await;
        let log = slack.world.store.newest_audit(slack.world.clock.now(), 10).await.unwrap();
        // Slack has put ids in the place of names.
        let named = log.iter().filter(|entry| entry.line.starts_with(&command.name()));
        assert_eq!(
            (log.len(), named.count()),
            [(0, 0), (1, 1)][usize::from(command.changes())],
            "{line}: {log:?}"
        );
    }
}
