//! Everything at once: stop, start, reboot, and what is in flight.

use std::sync::Arc;

use flock_core::Network;
use jiff::SignedDuration;

use crate::{
    slack::Slack,
    world::{START, ts},
};

#[tokio::test]
async fn a_stop_asks_first_and_then_holds_everything_until_a_start() {
    let mut slack = Slack::start().await;
    let id = slack.world.sheep("apollo", Network::Meadow, 40).await;
    let tick = slack.world.app().await;
    slack.world.tick_at(&tick, 0).await;
    let asked = slack.flock("stop").await;
    insta::assert_snapshot!(asked, @r"
    *This stops everything: 1 sheep, and 480 posts planned for the next 24 hours, which will not be made.
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
    insta::assert_snapshot!(told, @"*Yes, but everything is stopped: <@U1> did that in <#C1> at 2026-03-02 12");
    assert_eq!(
        slack.flock("now apollo").await,
        "*Everything is stopped. `/flock start` lets it go on."
    );
    assert!(slack.flock("stop").await.contains("stopped already"));
    assert!(slack.flock("start").await.contains("lets everything go on"));
    assert_eq!(slack.flock("start").await, "*Nothing was stopped.");
    // What was missed is not made up for in a burst.
    assert_eq!(slack.world.tick_at(&tick, 21).await.posted, 1);
    assert!(0 < slack.world.read(&id).await.progress.missed);
    assert_eq!(slack.enter("U3", "C2", "/flock alive").await, "*Yes.");
}

#[tokio::test]
async fn a_question_is_answered_once_by_who_was_asked_and_in_time() {
    let mut slack = Slack::start().await;
    slack.flock("grant U2 owner").await;
    let told = "*That question is answered already, or is older than five minutes, or was put to \
                somebody else. Nothing was done.";
    slack.flock("stop").await;
    slack.world.clock.step_to(ts(START) + SignedDuration::from_secs(301));
    assert_eq!(slack.press("U1", "C1", "Stop everything").await, told);
    assert_eq!(slack.enter("U1", "C1", "/flock alive").await, "*Yes.");
    slack.flock("stop").await;
    assert_eq!(slack.press("U1", "C1", "Cancel").await, "*Nothing was done.");
    slack.flock("stop").await;
    // Who has lost their level meanwhile may not go on.
    slack.enter("U2", "C1", "/flock revoke U1").await;
    assert!(slack.press("U1", "C1", "Stop everything").await.contains("needs at least `shepherd`"));
    assert_eq!(slack.enter("U1", "C1", "/flock alive").await, "*Yes.");
}

#[tokio::test]
async fn a_reboot_has_secrets_read_anew() {
    let mut slack = Slack::start().await;
    let before = slack.world.cloud.secret_reads();
    slack.flock("alive").await;
    assert_eq!(slack.world.cloud.secret_reads(), before, "it is kept");
    assert!(slack.flock("reboot").await.contains("reads secrets anew"));
    slack.flock("alive").await;
    slack.flock("alive").await;
    assert_eq!(slack.world.cloud.secret_reads(), before + 1, "and read anew once");
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
    assert_eq!(slack.flock("audit 1").await.lines().count(), 1);
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
    let claimed = sheep.claim(next, "a line".to_owned(), lease).unwrap();
    slack.world.store.put_sheep(&claimed).await.unwrap();
    let shown = slack.flock("rc").await;
    assert!(
        shown.starts_with("**flock/apollo* is making its post 1, due since 2026-03-02 12:00:"),
        "{shown}"
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
    let log: Vec<_> =
        log.lines().map(|line| line.trim_start_matches('*').get(24..).unwrap()).collect();
    insta::assert_snapshot!(log.join("\n"), @r"
    <@U2> in <#C1>: `say apollo '&lt;!channel&gt;' &amp; more` - refused: *flock/apollo* does not: it is paused; resume it first.
    <@U1> in <#C1>: `grant U2 shepherd` - done
    <@U1> in <#C1>: `pause nobody` - refused: There is no sheep and no flock `nobody`. `/flock sheep` lists them.
    <@U1> in <#C1>: `pause apollo` - done
    ");
    assert_eq!(slack.flock("audit 1").await.lines().count(), 1);
    assert_eq!(slack.flock("audit 0").await, "*`0` is not a number from 1 to 100.");
    assert!(slack.enter("U3", "C1", "/flock audit").await.contains("needs at least"));
}
