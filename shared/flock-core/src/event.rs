//! What functions tell each other over the bus, and what a schedule tells them. Each kind is a variant here, for who
//! publishes it and who listens; template.yaml has a rule for who listens to which.

use std::{fmt::Display, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{
    AccountId, DeliveryId, FlockName, JobId, Month, Occurrence, Purpose, RoomId, Shards, SheepId,
    SheepName, Spending, Usd,
};

/// An event, as EventBridge carries it: its kind in `detail-type`, what belongs to it in `detail`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "detail-type", content = "detail")]
pub enum Event {
    /// A schedule has fired. Nobody publishes it: it is what template.yaml has each schedule send.
    #[serde(rename = "Scheduled Event", deserialize_with = "anything")]
    Scheduled,
    /// One part of the due index is to be worked through.
    #[serde(rename = "shard.due")]
    ShardDue {
        /// Which one.
        #[serde(deserialize_with = "shard")]
        shard: u16,
    },
    /// Somebody does not want to wait for the schedule.
    #[serde(rename = "sheep.due")]
    SheepDue {
        /// The flock of the sheep that is to be seen to.
        flock: FlockName,
        /// Its name there.
        sheep: SheepName,
    },
    /// Somebody does not want to wait for the schedule with a job.
    #[serde(rename = "job.due")]
    JobDue {
        /// The job that is to go on.
        id: JobId,
    },
    /// A job is over, and who asked for it is to be told.
    #[serde(rename = "job.ended")]
    JobEnded {
        /// The job.
        id: JobId,
        /// Whether it was ended before it had seen to all.
        cancelled: bool,
    },
    /// A sheep has stopped, and somebody has to see to it.
    #[serde(rename = "sheep.stopped")]
    SheepStopped(Trouble),
    /// A sheep has left out a text that its network does not take, and goes on.
    #[serde(rename = "sheep.set-aside")]
    SheepSetAside(Trouble),
    /// A sheep has failed to post for hours.
    #[serde(rename = "sheep.failing")]
    SheepFailing(Trouble),
    /// Nobody knows whether a sheep has posted.
    #[serde(rename = "sheep.unknown")]
    SheepUnknown(Trouble),
    /// A flock nears or has reached its monthly cap.
    #[serde(rename = "flock.spending")]
    FlockSpending {
        /// The flock.
        flock: FlockName,
        /// The month whose cap it is.
        #[serde(with = "as_text")]
        month: Month,
        /// The cap.
        #[serde(with = "as_text")]
        cap: Usd,
        /// How near it is.
        stands: Spending,
        /// The same as a sentence.
        what: String,
    },
    /// Somebody has signed in as an account, which has a new key now.
    #[serde(rename = "account.connected")]
    AccountConnected(Connection),
    /// A command that takes longer than Slack waits goes on.
    #[serde(rename = "command.deferred")]
    CommandDeferred {
        /// Under which it is stored.
        id: DeliveryId,
    },
}

/// An account that has a new key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Names the sign-in, the same however often it is told.
    pub id: DeliveryId,
    /// The account.
    #[serde(with = "as_text")]
    pub account: AccountId,
    /// What the sign-in was for.
    pub purpose: Purpose,
    /// The room where it was asked for. `None`: it was asked for elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
    /// How many sheep go on that had stopped for the account.
    pub resumed: u32,
    /// Why nothing may be posted through it all the same, for a person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub must_not_post: Vec<String>,
}

/// What keeps a sheep from posting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// The sheep.
    #[serde(with = "as_text")]
    pub sheep: SheepId,
    /// Its next post, or the one nobody is sure of.
    pub occurrence: Occurrence,
    /// Why, for a person.
    pub why: String,
    /// Its account, where the reason keeps every sheep from posting there, as a key does that is not accepted.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "as_text_if_any")]
    pub account: Option<AccountId>,
}

/// An event that is none of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unreadable event: {0}")]
pub struct UnreadableEvent(String);

impl Event {
    /// Reads what a function was started with.
    pub fn read<'de, D: Deserializer<'de>>(event: D) -> Result<Self, UnreadableEvent> {
        // It says what is wrong in words that are not ours, and may be long.
        const LONGEST: usize = 400;
        Self::deserialize(event)
            .map_err(|err| UnreadableEvent(err.to_string().chars().take(LONGEST).collect()))
    }

    /// The event came to a function that does not listen to its kind.
    pub fn is_not_for(&self, function: &str) -> UnreadableEvent {
        UnreadableEvent(format!("{function} does not listen to {}", self.kind()))
    }

    /// The kind, as `detail-type` has it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Scheduled => "Scheduled Event",
            Self::ShardDue { .. } => "shard.due",
            Self::SheepDue { .. } => "sheep.due",
            Self::JobDue { .. } => "job.due",
            Self::JobEnded { .. } => "job.ended",
            Self::SheepStopped(_) => "sheep.stopped",
            Self::SheepSetAside(_) => "sheep.set-aside",
            Self::SheepFailing(_) => "sheep.failing",
            Self::SheepUnknown(_) => "sheep.unknown",
            Self::FlockSpending { .. } => "flock.spending",
            Self::AccountConnected(_) => "account.connected",
            Self::CommandDeferred { .. } => "command.deferred",
        }
    }
}

fn shard<'de, D: Deserializer<'de>>(number: D) -> Result<u16, D::Error> {
    let number = u16::deserialize(number)?;
    match Shards::try_from(number.saturating_add(1)) {
        Ok(_) => Ok(number),
        Err(_) => Err(D::Error::custom(format!("there is no shard {number}"))),
    }
}

fn anything<'de, D: Deserializer<'de>>(detail: D) -> Result<(), D::Error> {
    serde::de::IgnoredAny::deserialize(detail).map(|_| ())
}

/// A value by its text.
mod as_text {
    use super::{Deserialize, Deserializer, Display, FromStr, Serializer};

    pub(super) fn serialize<S: Serializer>(
        value: &impl Display,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D, T>(deserializer: D) -> Result<T, D::Error>
    where
        D: Deserializer<'de>,
        T: FromStr<Err: Display>,
    {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The same, of what may be missing.
mod as_text_if_any {
    use super::{Deserialize, Deserializer, Display, FromStr, Serializer};

    #[expect(clippy::ref_option, reason = "serde asks for a reference")]
    pub(super) fn serialize<S: Serializer>(
        value: &Option<impl Display>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
    where
        D: Deserializer<'de>,
        T: FromStr<Err: Display>,
    {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// One of each kind.
    fn samples() -> Vec<Event> {
        let trouble = || Trouble {
            sheep: "choir/apollo".parse().unwrap(),
            occurrence: Occurrence(12),
            why: "X answered 403".to_owned(),
            account: None,
        };
        vec![
            Event::Scheduled,
            Event::ShardDue { shard: 63 },
            Event::SheepDue { flock: "choir".parse().unwrap(), sheep: "apollo".parse().unwrap() },
            Event::JobDue { id: "0123abcd".parse().unwrap() },
            Event::JobEnded { id: "0123abcd".parse().unwrap(), cancelled: true },
            Event::SheepStopped(trouble()),
            Event::SheepStopped(Trouble {
                account: Some("x:apollo".parse().unwrap()),
                ..trouble()
            }),
            Event::SheepSetAside(trouble()),
            Event::SheepFailing(trouble()),
            Event::SheepUnknown(trouble()),
            Event::FlockSpending {
                flock: "choir".parse().unwrap(),
                month: "2026-11".parse().unwrap(),
                cap: "2.50".parse().unwrap(),
                stands: Spending::Near,
                what: "flock choir has spent $2".to_owned(),
            },
            Event::AccountConnected(Connection {
                id: DeliveryId::of(&["x"]),
                account: "x:apollo".parse().unwrap(),
                purpose: Purpose::Renew,
                room: Some("C1".parse().unwrap()),
                resumed: 2,
                must_not_post: Vec::new(),
            }),
            Event::CommandDeferred { id: DeliveryId::of(&["x"]) },
        ]
    }

    /// Events are under way while a new version is deployed: the forms stay.
    #[test]
    fn each_form_is_a_schema() {
        let lines: Vec<_> = samples().iter().map(|event| json!(event).to_string()).collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        {"detail-type":"Scheduled Event"}
        {"detail":{"shard":63},"detail-type":"shard.due"}
        {"detail":{"flock":"choir","sheep":"apollo"},"detail-type":"sheep.due"}
        {"detail":{"id":"0123abcd"},"detail-type":"job.due"}
        {"detail":{"cancelled":true,"id":"0123abcd"},"detail-type":"job.ended"}
        {"detail":{"occurrence":12,"sheep":"choir/apollo","why":"X answered 403"},"detail-type":"sheep.stopped"}
        {"detail":{"account":"x:apollo","occurrence":12,"sheep":"choir/apollo","why":"X answered 403"},"detail-type":"sheep.stopped"}
        {"detail":{"occurrence":12,"sheep":"choir/apollo","why":"X answered 403"},"detail-type":"sheep.set-aside"}
        {"detail":{"occurrence":12,"sheep":"choir/apollo","why":"X answered 403"},"detail-type":"sheep.failing"}
        {"detail":{"occurrence":12,"sheep":"choir/apollo","why":"X answered 403"},"detail-type":"sheep.unknown"}
        {"detail":{"cap":"$2.50","flock":"choir","month":"2026-11","stands":"near","what":"flock choir has spent $2"},"detail-type":"flock.spending"}
        {"detail":{"account":"x:apollo","id":"8552c270cdbdaacb0973aea0c463d41a","purpose":"renew","resumed":2,"room":"C1"},"detail-type":"account.connected"}
        {"detail":{"id":"8552c270cdbdaacb0973aea0c463d41a"},"detail-type":"command.deferred"}
        "#);
        for event in samples() {
            let value = json!(event);
            assert_eq!(value["detail-type"], event.kind());
            assert_eq!(Event::read(&value), Ok(event.clone()));
            // As EventBridge delivers it, with fields of its own, in any order.
            let delivered = format!(
                r#"{{ "version": "0", "detail": {}, "source": "flockwork", "detail-type": "{}" }}"#,
                value["detail"],
                event.kind()
            );
            assert_eq!(Event::read(&mut serde_json::Deserializer::from_str(&delivered)), Ok(event));
        }
    }

    #[track_caller]
    fn unreadable(event: &Value) -> String {
        Event::read(event).unwrap_err().0
    }

    #[test]
    fn what_is_no_event_is_named() {
        let said = [
            json!({ "detail-type": "shard.due", "detail": { "shard": 64 } }),
            json!({ "detail-type": "shard.due", "detail": "1" }),
            json!({ "detail-type": "shard.due" }),
            json!({ "detail-type": "sheep.due", "detail": { "flock": "moon" } }),
            json!({ "detail-type": "sheep.stopped", "detail": { "sheep": "moon", "occurrence": 1, "why": "" } }),
            json!({ "detail-type": "post.received", "detail": {} }),
            json!({ "detail": {} }),
            json!("hello"),
            json!(null),
        ];
        let said: Vec<_> = said.iter().map(unreadable).collect();
        insta::assert_snapshot!(said.join("\n"), @r#"
        there is no shard 64
        invalid type: string "1", expected struct variant Event::ShardDue
        missing field `detail`
        missing field `sheep`
        `moon` is not a sheep id: write it as flock/sheep
        unknown variant `post.received`, expected one of `Scheduled Event`, `shard.due`, `sheep.due`, `job.due`, `job.ended`, `sheep.stopped`, `sheep.set-aside`, `sheep.failing`, `sheep.unknown`, `flock.spending`, `account.connected`, `command.deferred`
        missing field `detail-type`
        invalid type: string "hello", expected adjacently tagged enum Event
        invalid type: null, expected adjacently tagged enum Event
        "#);
        let long = json!({ "detail-type": "x".repeat(1_000), "detail": "x".repeat(1_000) });
        assert_eq!(unreadable(&long).chars().count(), 400);
    }

    #[test]
    fn a_schedule_says_nothing_but_that() {
        for event in [
            json!({ "detail-type": "Scheduled Event", "source": "flockwork.schedule" }),
            json!({ "detail-type": "Scheduled Event", "source": "aws.events", "detail": {} }),
        ] {
            assert_eq!(Event::read(&event), Ok(Event::Scheduled), "{event}");
        }
    }
}
