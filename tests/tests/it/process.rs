//! The real binary, driven through the Lambda Runtime API.

use std::{path::Path, time::Duration};

use flock_core::Network;
use local_cloud::runtime_api::{Answer, FunctionProcess, RuntimeApi};
use serde_json::{Value, json};

use crate::world::{BINARY, START, World, spawn, spawn_with, tick};

#[tokio::test]
async fn it_posts_what_is_due_and_names_an_event_it_cannot_read() {
    let mut world = World::start().await;
    world.clock = flock_aws::Clock::wall();
    let id = world.sheep("apollo", Network::Meadow, 3).await;
    let runtime = RuntimeApi::start().await.unwrap();
    let urls = [world.cloud.dynamodb_url(), world.cloud.services_url(), world.x.url()];
    let process = spawn(&runtime, &urls, "1");
    let length = Duration::from_mins(5);

    let unreadable = runtime.invoke(json!({ "detail-type": "nonsense" }), length).await;
    let Answer::Error { error_type, message } = unreadable.answer else {
        panic!("{:?}\n{}", unreadable.answer, process.output())
    };
    assert_eq!(error_type, "UnreadableEvent");
    insta::assert_snapshot!(message, @"unreadable event: unknown variant `nonsense`, expected one of `Scheduled Event`, `shard.due`, `sheep.due`, `job.due`, `job.ended`, `sheep.stopped`, `sheep.set-aside`, `sheep.failing`, `sheep.unknown`, `flock.spending`, `account.connected`, `command.deferred`");
    let not_ours = json!({ "detail-type": "command.deferred", "detail": { "id": "0".repeat(32) } });
    let not_ours = runtime.invoke(not_ours, length).await;
    let Answer::Error { error_type, message } = not_ours.answer else { panic!("{not_ours:?}") };
    assert_eq!(error_type, "UnreadableEvent");
    insta::assert_snapshot!(message, @"unreadable event: sheep-tick does not listen to command.deferred");

    let answer = runtime.invoke(tick(), length).await.answer;
    let Answer::Response(report) = answer else { panic!("{answer:?}\n{}", process.output()) };
    assert_eq!(report.get("posted").and_then(Value::as_u64), Some(1), "{report}");
    assert_eq!(world.seen(&id).await, ["apollo line 0"]);

    let output = process.output();
    let lines: Vec<Value> =
        output.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let done = lines.iter().find(|line| line["fields"]["message"] == "tick done");
    let done = done.unwrap_or_else(|| panic!("{output}"));
    assert_eq!(done["level"], "INFO");
    // RUST_LOG says what is logged, whatever level Lambda has been told.
    assert!(
        lines.iter().all(|line| line["level"] != "DEBUG" && line["level"] != "TRACE"),
        "{output}"
    );
    for field in fields_of_filters("TickTrouble").chain(fields_of_filters("TickLateness")) {
        let value = &done["fields"][&field];
        assert!(value.is_number() || value.is_boolean(), "{field} in {done}");
    }
}

/// The fields of a line that a metric filter of the template looks at.
fn fields_of_filters(filter: &str) -> impl Iterator<Item = String> {
    let template = std::fs::read_to_string("../template.yaml").unwrap();
    let (_, filter) = template.split_once(&format!("\n  {filter}:\n")).unwrap();
    let filter = filter.split("\n\n").next().unwrap();
    let fields: Vec<_> = filter
        .split("$.fields.")
        .skip(1)
        .map(|after| {
            after.split(|c: char| c != '_' && !c.is_ascii_lowercase()).next().unwrap().to_owned()
        })
        .collect();
    assert!(!fields.is_empty(), "{filter}");
    fields.into_iter()
}

/// What template.yaml counts and measures is in these fields.
#[tokio::test]
async fn a_tick_logs_what_alarms_look_for() {
    let mut world = World::start().await;
    world.sheep("apollo", Network::Meadow, 3).await;
    world.clock = flock_aws::Clock::wall();
    let runtime = RuntimeApi::start().await.unwrap();
    let urls = [world.cloud.dynamodb_url(), world.cloud.services_url(), world.x.url()];
    let json = [("AWS_LAMBDA_LOG_FORMAT", "JSON")];
    let process = spawn_with(&runtime, &urls, "1", &json);
    let answer = runtime.invoke(tick(), Duration::from_mins(5)).await.answer;
    assert!(matches!(answer, Answer::Response(_)), "{answer:?}");
    let output = process.output();
    let lines = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let done = lines.into_iter().find(|line| line["fields"]["message"] == "tick done");
    let fields = done.unwrap_or_else(|| panic!("{output}"))["fields"].clone();
    assert_eq!((&fields["failed"], &fields["unpublished"]), (&json!(0), &json!(0)), "{output}");
    assert_eq!(fields["cut_short"], json!(false), "{output}");
    // Nothing ticked since the start of the world.
    let late = world.clock.now().duration_since(crate::world::ts(START)).as_secs();
    let said = fields["late_seconds"].as_i64().unwrap();
    assert!((late - 300..=late).contains(&said), "{said} of {late}");
}

#[tokio::test]
async fn a_bad_configuration_is_an_error_at_start_that_names_every_key() {
    let runtime = RuntimeApi::start().await.unwrap();
    let mut process =
        FunctionProcess::spawn(&runtime, Path::new(BINARY), &[("DUE_SHARDS", "many")]).unwrap();
    assert!(!process.wait().await.success());
    let output = process.output();
    for key in ["TABLE_NAME", "BUS_NAME", "KEYRING_SECRET", "X_SECRET", "DUE_SHARDS is `many`"] {
        assert!(output.contains(key), "{key} in {output}");
    }
}
