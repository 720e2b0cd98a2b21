//! What starts the function.

use flock_aws::SHEEP_DUE;
use flock_core::{FlockName, Shards, SheepId, SheepName};
use serde::Deserialize;
use serde_json::Value;

/// What the function is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The schedule fired.
    Tick,
    /// One shard of the due index is to be worked through.
    Shard(u16),
    /// Somebody does not want to wait for the schedule.
    Sheep(SheepId),
}

/// The kind of event that starts one invocation per shard.
pub(crate) const SHARD_DUE: &str = "shard.due";

/// The kind of event EventBridge Scheduler sends.
const SCHEDULED: &str = "Scheduled Event";

/// An event that does not say what to do.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "unreadable event: {why}; sheep-tick takes `detail-type` \"{SCHEDULED}\", \"{SHARD_DUE}\" with \
     detail.shard, or \"{SHEEP_DUE}\" with detail.flock and .sheep"
)]
pub struct UnreadableEvent {
    why: String,
}

#[derive(Deserialize)]
struct ShardDue {
    shard: u16,
}

#[derive(Deserialize)]
struct SheepDue {
    flock: FlockName,
    sheep: SheepName,
}

impl TryFrom<&Value> for Event {
    type Error = UnreadableEvent;

    fn try_from(event: &Value) -> Result<Self, UnreadableEvent> {
        let unreadable = |why: String| UnreadableEvent { why };
        match event.get("detail-type").and_then(Value::as_str) {
            Some(SCHEDULED) => Ok(Self::Tick),
            Some(SHARD_DUE) => {
                let detail = event.get("detail").unwrap_or(&Value::Null);
                let ShardDue { shard } = ShardDue::deserialize(detail).map_err(|err| {
                    unreadable(format!("its detail does not fit: {}", cut_short(&err.to_string())))
                })?;
                if Shards::try_from(shard.saturating_add(1)).is_err() {
                    return Err(unreadable(format!("there is no shard {shard}")));
                }
                Ok(Self::Shard(shard))
            }
            Some(SHEEP_DUE) => {
                let detail = event.get("detail").unwrap_or(&Value::Null);
                let SheepDue { flock, sheep } = SheepDue::deserialize(detail).map_err(|err| {
                    unreadable(format!("its detail does not fit: {}", cut_short(&err.to_string())))
                })?;
                Ok(Self::Sheep(SheepId { flock, name: sheep }))
            }
            Some(other) => Err(unreadable(format!("its detail-type is \"{}\"", cut_short(other)))),
            None => Err(unreadable("it has no detail-type".to_owned())),
        }
    }
}

/// Text that is not ours, and may be long.
fn cut_short(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(event: &Value, expected: &str) {
        let got = match Event::try_from(event) {
            Ok(event) => format!("{event:?}"),
            Err(err) => err.why,
        };
        assert_eq!(got, expected, "{event}");
    }

    #[test]
    fn events_are_read_or_named() {
        check(&json!({ "detail-type": "Scheduled Event", "source": "aws.scheduler" }), "Tick");
        check(&json!({ "detail-type": "shard.due", "detail": { "shard": 63 } }), "Shard(63)");
        check(
            &json!({ "detail-type": "shard.due", "detail": { "shard": 64 } }),
            "there is no shard 64",
        );
        check(
            &json!({ "detail-type": "shard.due", "detail": "1" }),
            "its detail does not fit: invalid type: string \"1\", expected struct ShardDue",
        );
        check(
            &json!({ "detail-type": "sheep.due", "detail": { "flock": "moon", "sheep": "a" } }),
            r#"Sheep(SheepId { flock: FlockName("moon"), name: SheepName("a") })"#,
        );
        check(
            &json!({ "detail-type": "sheep.due", "detail": { "flock": "moon" } }),
            "its detail does not fit: missing field `sheep`",
        );
        check(&json!({ "detail-type": "post.received" }), "its detail-type is \"post.received\"");
        check(
            &json!({ "detail-type": "shard.due", "detail": "x".repeat(1_000) }),
            &format!("its detail does not fit: invalid type: string \"{}", "x".repeat(58)),
        );
        check(&json!("hello"), "it has no detail-type");
        check(&json!(null), "it has no detail-type");
    }
}
