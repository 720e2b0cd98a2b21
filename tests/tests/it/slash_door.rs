//! The front door: only what Slack has signed, and once.

use flock_slack::sign;
use reqwest::StatusCode;
use secrecy::SecretString;
use serde_json::json;

use crate::{
    slack::{Slack, message_body, slash_body, status},
    world::{SIGNING_SECRET, START, ts},
};

const PATHS: [&str; 3] = ["/slack/commands", "/slack/interactivity", "/slack/events"];

#[tokio::test]
async fn what_slack_has_not_signed_stays_outside() {
    let slack = Slack::start().await;
    let before = slack.table().await;
    let body = slash_body("U1", "C1", "level add x 1", "1.2.a");
    let signature = |secret: &str| sign(&SecretString::from(secret), ts(START), body.as_bytes());
    let good = signature(SIGNING_SECRET);
    let time = ts(START).as_second().to_string();
    let cases: [&[(&str, String)]; 8] = [
        &[],
        &[("x-slack-signature", good.clone())],
        &[("x-slack-request-timestamp", time.clone())],
        &[("x-slack-request-timestamp", time.clone()), ("x-slack-signature", "v0=12".to_owned())],
        &[("x-slack-request-timestamp", "soon".to_owned()), ("x-slack-signature", good.clone())],
        &[("x-slack-request-timestamp", time.clone()), ("x-slack-signature", signature("other"))],
        &[
            ("x-slack-request-timestamp", time.clone()),
            ("x-slack-signature", good.replace("v0", "v1")),
        ],
        &[("x-slack-request-timestamp", format!("{time}0")), ("x-slack-signature", good.clone())],
    ];
    for headers in cases {
        for path in PATHS {
            let answer = status(slack.send(path, &body, headers).await).await;
            assert_eq!(answer, (StatusCode::UNAUTHORIZED, String::new()), "{path} {headers:?}");
        }
    }
    // Not a byte of it may differ.
    let headers = [("x-slack-request-timestamp", time), ("x-slack-signature", good)];
    let changed = body.replace("level+add", "level+ad");
    let answer = status(slack.send("/slack/commands", &changed, &headers).await).await;
    assert_eq!(answer.0, StatusCode::UNAUTHORIZED);
    assert_eq!(slack.table().await, before, "nothing was changed");
}

#[tokio::test]
async fn five_minutes_are_in_time_and_a_second_more_is_not() {
    let slack = Slack::start().await;
    let cases = [
        ("2026-03-02T11:55:05Z", StatusCode::OK),
        ("2026-03-02T11:54:50Z", StatusCode::UNAUTHORIZED),
        ("2026-03-02T12:04:55Z", StatusCode::OK),
        ("2026-03-02T12:05:30Z", StatusCode::UNAUTHORIZED),
    ];
    for (at, expected) in cases {
        let body = slash_body("U1", "C1", "alive", at);
        assert_eq!(slack.send_at("/slack/commands", &body, at).await.status(), expected, "{at}");
    }
}

#[tokio::test]
async fn what_comes_again_is_not_done_again() {
    let mut slack = Slack::start().await;
    let body = slash_body("U1", "C1", "level add x 1", "1.2.a");
    let (code, text) = status(slack.send_at("/slack/commands", &body, START).await).await;
    assert_eq!(code, StatusCode::OK);
    assert!(text.contains("This room has a level"), "{text}");
    // The same bytes, and the same delivery under another signature.
    for at in [START, "2026-03-02T12:01:00Z"] {
        let again = status(slack.send_at("/slack/commands", &body, at).await).await;
        assert_eq!(again, (StatusCode::OK, String::new()));
    }
    assert_eq!(slack.flock("audit").await.matches("level add").count(), 1);
}

#[tokio::test]
async fn slack_finds_out_whether_the_address_is_ours() {
    let slack = Slack::start().await;
    let body = json!({ "type": "url_verification", "challenge": "3eZbrw1a" }).to_string();
    let (code, text) = status(slack.send_at("/slack/events", &body, START).await).await;
    assert_eq!((code, text.as_str()), (StatusCode::OK, r#"{"challenge":"3eZbrw1a"}"#));
}

/// As Slack's own framework does it: before any signature, and for nothing else.
#[tokio::test]
async fn slack_finds_out_whether_there_is_a_certificate() {
    const FORM: &str = "application/x-www-form-urlencoded";
    let slack = Slack::start().await;
    let before = slack.table().await;
    let command = slash_body("U1", "C1", "level add x 1", "1.2.a");
    let (both, large) =
        (format!("{command}&ssl_check=1"), format!("ssl_check=1&token={}", "x".repeat(5_000_000)));
    let kind = |kind: &str| [("content-type", kind.to_owned())];
    let ok = (StatusCode::OK, String::new());
    for path in ["/slack/commands", "/slack/interactivity"] {
        for body in ["ssl_check=1", "token=x&ssl_check=1", "ssl_check=1&token=", &both, &large] {
            for form in [FORM, "Application/X-WWW-Form-Urlencoded; charset=utf-8"] {
                let answer = status(slack.send(path, body, &kind(form)).await).await;
                assert_eq!(answer, ok, "{path} {form}");
            }
        }
    }
    // Signed, too, it carries nothing out.
    let time = ts(START).as_second().to_string();
    let signature = sign(&SecretString::from(SIGNING_SECRET), ts(START), both.as_bytes());
    let [kind_of_form] = kind(FORM);
    let headers = [
        kind_of_form.clone(),
        ("x-slack-request-timestamp", time),
        ("x-slack-signature", signature),
    ];
    let answer = status(slack.send("/slack/commands", &both, &headers).await).await;
    assert_eq!(answer, ok);
    let outside = (StatusCode::UNAUTHORIZED, String::new());
    let inside = command.replace("text=", "text=ssl_check%3D1%26ssl_check%3D1+");
    for body in
        ["", "ssl_check=0", "ssl_check=11", "xssl_check=1", "text=ssl_check=1", &command, &inside]
    {
        for path in PATHS {
            let answer =
                status(slack.send(path, body, std::slice::from_ref(&kind_of_form)).await).await;
            assert_eq!(answer, outside, "{path} {body}");
        }
    }
    for form in ["application/json", "text/plain", "multipart/form-data; boundary=x", ""] {
        let answer = status(slack.send("/slack/commands", "ssl_check=1", &kind(form)).await).await;
        assert_eq!(answer, outside, "{form}");
    }
    // What Slack has to tell of is no form.
    let answer = slack.send("/slack/events", "ssl_check=1", &[kind_of_form]).await;
    assert_eq!(status(answer).await, outside);
    assert_eq!(slack.table().await, before, "nothing was changed");
}

#[tokio::test]
async fn what_is_signed_and_unreadable_is_refused_in_words() {
    let slack = Slack::start().await;
    for (path, body) in [
        ("/slack/commands", "text=alive"),
        ("/slack/interactivity", "payload=%7B"),
        ("/slack/events", "<html>"),
        ("/slack/events", ""),
    ] {
        let (code, text) = status(slack.send_at(path, body, START).await).await;
        assert_eq!(code, StatusCode::BAD_REQUEST, "{path} {body}");
        assert!(text.starts_with("Slack's "), "{text}");
    }
}

#[tokio::test]
async fn bots_edits_and_what_is_not_for_us_are_left_alone() {
    let slack = Slack::start().await;
    let before = slack.seen("U1", "C1").len();
    let events = [
        json!({ "type": "message", "user": "U1", "channel": "C1", "ts": "1.1", "text": "@flo alive", "bot_id": "B1" }),
        json!({ "type": "message", "user": "U0FLOCK", "channel": "C1", "ts": "1.2", "text": "@flo alive" }),
        json!({ "type": "message", "subtype": "message_changed", "channel": "C1", "ts": "1.3",
                "message": { "user": "U1", "text": "@flo alive" } }),
        json!({ "type": "message", "user": "U1", "channel": "C1", "ts": "1.4", "text": "the flock is alive" }),
        json!({ "type": "app_home_opened", "user": "U1" }),
    ];
    for event in events {
        let body = message_body(&event);
        let answer = status(slack.send_at("/slack/events", &body, START).await).await;
        assert_eq!(answer, (StatusCode::OK, String::new()), "{event}");
    }
    assert_eq!(slack.seen("U1", "C1").len(), before);
}

#[tokio::test]
async fn a_mention_is_answered_once_however_often_slack_tells_of_it() {
    let mut slack = Slack::start().await;
    assert_eq!(slack.enter("U2", "C1", "@flo alive").await, "*Yes.");
    assert_eq!(slack.enter("U2", "C1", "<@U0FLOCK> alive").await, "*Yes.");
    assert_eq!(slack.enter("U2", "C1", "@flora alive").await, "");
    let before = slack.seen("U2", "C1").len();
    // Slack sends a mention as a mention and as a message, and each again when it hears nothing.
    for (kind, event_id) in [("app_mention", "Ev1"), ("message", "Ev2"), ("app_mention", "Ev1")] {
        let body = message_body(&json!({
            "type": kind, "user": "U2", "channel": "C1", "ts": "1.1", "event_id": event_id,
            "text": "<@U0FLOCK> alive",
        }));
        let answer = slack.send_at("/slack/events", &body, START).await;
        assert_eq!(answer.status(), StatusCode::OK);
    }
    assert_eq!(slack.seen("U2", "C1").len(), before + 1);
}

#[tokio::test]
async fn a_mention_nobody_finished_is_not_lost_without_a_word() {
    let slack = Slack::start().await;
    // Somebody has claimed it and died.
    let id = flock_core::DeliveryId::of(&["message", "C1", "3.1"]);
    slack.world.store.first_seen(&id, ts(START)).await.unwrap();
    let body = message_body(&json!({
        "type": "message", "user": "U1", "channel": "C1", "ts": "3.1", "text": "@flo pause apollo",
    }));
    let before = slack.seen("U1", "C1").len();
    let answer = slack.send_at("/slack/events", &body, START).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "so that Slack comes again");
    assert_eq!(slack.seen("U1", "C1").len(), before);
    slack.world.clock.step_to(ts("2026-03-02T12:01:00Z"));
    for _ in 0..2 {
        let answer = slack.send_at("/slack/events", &body, "2026-03-02T12:01:00Z").await;
        assert_eq!(answer.status(), StatusCode::OK);
    }
    let said = slack.seen("U1", "C1");
    assert_eq!(said.len(), before + 1);
    assert!(said.last().unwrap().text.starts_with("Your last words were cut off"), "{said:?}");
}

#[tokio::test]
async fn a_mention_in_a_thread_is_answered_there() {
    let slack = Slack::start().await;
    // Once for the room, once for who asked.
    for (ts, text) in [("2.1", "<@U0FLOCK> grant U2 shepherd"), ("2.2", "<@U0FLOCK> alive")] {
        let body = message_body(&json!({
            "type": "app_mention", "user": "U1", "channel": "C1", "ts": ts, "thread_ts": "1.1",
            "text": text,
        }));
        let answer = slack.send_at("/slack/events", &body, START).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let said = slack.seen("U1", "C1").pop().unwrap();
        assert_eq!(said.thread_ts.as_deref(), Some("1.1"), "{said:?}");
    }
}

#[tokio::test]
async fn nothing_we_say_is_a_command_for_us() {
    let mut slack = Slack::start().await;
    let name = |text: &str| {
        let text = text.trim_start_matches('*').to_lowercase();
        text.starts_with("@flo") || text.starts_with("<@u0flock>") || text.starts_with("/flock")
    };
    let mut lines: Vec<_> = slash_command::TABLE.iter().map(|command| command.example).collect();
    lines.extend([
        "@flockwork alive",
        "help @flockwork",
        "say x @flockwork alive",
        "show @flo",
        "",
    ]);
    for line in lines {
        let told = slack.flock(line).await;
        assert!(!told.lines().any(name), "{line}: {told}");
    }
}

#[tokio::test]
async fn in_a_direct_conversation_no_name_is_needed() {
    let mut slack = Slack::start().await;
    assert_eq!(slack.enter("U2", "D1", "alive").await, "Yes.");
    assert_eq!(slack.enter("U2", "D1", "@flockwork: alive").await, "Yes.");
}
