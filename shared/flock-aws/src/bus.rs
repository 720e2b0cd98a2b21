//! The event bus, over which functions reach each other.

use std::{
    error::Error,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_config::SdkConfig;
use aws_sdk_eventbridge::{
    Client,
    types::{PutEventsRequestEntry, PutEventsResultEntry},
};
use flock_core::Event;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout_at};

/// The `source` of every event Flockwork publishes.
const SOURCE: &str = "flockwork";

/// PutEvents takes this many at once (AWS, "PutEvents", 2026-11).
const BATCH: usize = 10;

/// How long is waited before what the bus did not take is sent again, each time: three seconds in all, because a sheep that waits
/// for this must not hold up the others.
const WAITS: [Duration; 5] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1_600),
];

/// What the bus says of an event that it never takes; all else may be over in a moment (AWS, "`PutEventsResultEntry`",
/// 2026-11).
const FINAL: [&str; 7] = [
    "AccessDeniedException",
    "InvalidAccountIdException",
    "InvalidArgument",
    "MalformedDetail",
    "RedactionFailure",
    "NotAuthorizedForSourceException",
    "NotAuthorizedForDetailTypeException",
];

/// The event bus. Clones share its connections and its count.
#[derive(Debug, Clone)]
pub struct EventBus(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    config: SdkConfig,
    // Built when first needed: with one shard nothing is published.
    client: OnceLock<Client>,
    name: String,
    unpublished: AtomicU64,
}

/// Events were not published.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// A request failed, and no other was made.
    #[error("could not publish {count} events, the first of them {kind}")]
    Request {
        /// What kind of event, the first of those that are not published.
        kind: &'static str,
        /// How many are not published.
        count: usize,
        /// What the SDK says.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The bus took the requests but not every event.
    #[error("the event bus refused {count} events, the first of them {kind}: {reason}")]
    Refused {
        /// What kind of event, the first of those that are not published.
        kind: &'static str,
        /// How many are not published.
        count: usize,
        /// Why, as the bus says for the first.
        reason: String,
    },
}

impl BusError {
    /// How many events are not published.
    pub fn unpublished(&self) -> usize {
        match self {
            Self::Request { count, .. } | Self::Refused { count, .. } => *count,
        }
    }
}

/// What is not published of a request, and why.
#[derive(Debug, Default, PartialEq)]
struct Left<'a> {
    /// What the bus may take in a moment.
    again: Vec<&'a Event>,
    /// What it never takes.
    never: Vec<&'a Event>,
    /// What it says of the first.
    reason: String,
}

impl EventBus {
    /// The bus called `name`.
    pub fn new(config: &SdkConfig, name: String) -> Self {
        let (config, unpublished) = (config.clone(), AtomicU64::new(0));
        Self(Arc::new(Shared { config, client: OnceLock::new(), name, unpublished }))
    }

    /// How many events it has not published so far.
    pub fn unpublished(&self) -> u64 {
        self.0.unpublished.load(Ordering::Relaxed)
    }

    /// Publishes events. What the bus does not take of a request is sent again, without the rest, while it is not `until`.
    pub async fn publish(&self, events: &[Event], until: Instant) -> Result<(), BusError> {
        let published = self.publish_all(events, until).await;
        if let Err(err) = &published {
            let count = u64::try_from(err.unpublished()).unwrap_or(u64::MAX);
            self.0.unpublished.fetch_add(count, Ordering::Relaxed);
        }
        published
    }

    async fn publish_all(&self, events: &[Event], until: Instant) -> Result<(), BusError> {
        let mut lost = Left::default();
        let mut batches = events.chunks(BATCH);
        while let Some(batch) = batches.next() {
            if let Err(source) = self.publish_batch(batch, until, &mut lost).await {
                // What comes after it would be waited for as long, and the invocation ends.
                lost.never.extend(batches.flatten());
                let (kind, count) = (lost.first_kind(), lost.never.len());
                return Err(BusError::Request { kind, count, source });
            }
        }
        if lost.never.is_empty() {
            return Ok(());
        }
        let (kind, count) = (lost.first_kind(), lost.never.len());
        Err(BusError::Refused { kind, count, reason: lost.reason })
    }

    /// Publishes what one request takes, and adds what is not published of it to `lost`. An error: of some nobody knows.
    async fn publish_batch<'a>(
        &self,
        batch: &'a [Event],
        until: Instant,
        lost: &mut Left<'a>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let mut events: Vec<_> = batch.iter().collect();
        let mut sent = self.put(&events).await;
        let mut waits = WAITS.into_iter();
        loop {
            let left = match sent {
                Ok(left) => left,
                Err(source) => {
                    lost.never.extend(events);
                    return Err(source);
                }
            };
            if lost.never.is_empty() {
                lost.reason = left.reason;
            }
            lost.never.extend(left.never);
            events = left.again;
            if events.is_empty() {
                return Ok(());
            }
            let wait = waits.next().filter(|wait| Instant::now() + *wait < until);
            let Some(wait) = wait else { break };
            sleep(wait).await;
            match timeout_at(until, self.put(&events)).await {
                Ok(answer) => sent = answer,
                Err(_) => break,
            }
        }
        lost.never.extend(events);
        Ok(())
    }

    async fn put<'a>(
        &self,
        events: &[&'a Event],
    ) -> Result<Left<'a>, Box<dyn Error + Send + Sync>> {
        let Shared { config, client, name, .. } = &*self.0;
        let client = client.get_or_init(|| Client::new(config));
        let entries = events.iter().map(|event| {
            PutEventsRequestEntry::builder()
                .event_bus_name(name)
                .source(SOURCE)
                .detail_type(event.kind())
                .detail(json!(event)["detail"].to_string())
                .build()
        });
        let output = client.put_events().set_entries(Some(entries.collect())).send().await?;
        Ok(Left::of(events, output.failed_entry_count(), output.entries()))
    }
}

impl<'a> Left<'a> {
    /// What is left of `events` by the bus's answers, one for each and in their order (AWS, "Sending events with `PutEvents`",
    /// 2026-11), of which so many `failed`.
    fn of(events: &[&'a Event], failed: i32, answers: &[PutEventsResultEntry]) -> Self {
        let mut left = Self::default();
        if failed <= 0 {
            return left;
        }
        let first = answers.iter().find(|answer| answer.error_code().is_some());
        let reason = first.and_then(|answer| answer.error_message().or(answer.error_code()));
        reason.unwrap_or("no reason given").clone_into(&mut left.reason);
        if first.is_none() || answers.len() != events.len() {
            // It does not say which. Told twice can be told apart, told never cannot.
            left.again = events.to_vec();
            return left;
        }
        for (event, answer) in events.iter().zip(answers) {
            match answer.error_code() {
                None => {}
                Some(code) if FINAL.contains(&code) => left.never.push(event),
                Some(_) => left.again.push(event),
            }
        }
        left
    }

    fn first_kind(&self) -> &'static str {
        self.never.first().map_or("event", |event| event.kind())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: Option<&str>) -> PutEventsResultEntry {
        let message = code.map(|code| format!("because of {code}"));
        let id = code.is_none().then(|| "1".to_owned());
        PutEventsResultEntry::builder()
            .set_event_id(id)
            .set_error_code(code.map(ToOwned::to_owned))
            .set_error_message(message)
            .build()
    }

    /// Of as many events as there are answers: the numbers of those that are sent again, those that are not, and why.
    #[track_caller]
    fn check(codes: &[Option<&str>], failed: i32, again: &[u16], never: &[u16], reason: &str) {
        let events: Vec<_> = (0..3).map(|shard| Event::ShardDue { shard }).collect();
        let events: Vec<_> = events.iter().collect();
        let answers: Vec<_> = codes.iter().copied().map(answer).collect();
        let picked = |numbers: &[u16]| numbers.iter().map(|at| events[usize::from(*at)]).collect();
        let expected =
            Left { again: picked(again), never: picked(never), reason: reason.to_owned() };
        assert_eq!(Left::of(&events, failed, &answers), expected, "{codes:?}");
    }

    #[test]
    fn what_the_bus_did_not_take_is_told_from_the_rest() {
        let (busy, broken) = (Some("ThrottlingException"), Some("InternalFailure"));
        let denied = Some("AccessDeniedException");
        check(&[None, None, None], 0, &[], &[], "");
        check(&[None, busy, None], 1, &[1], &[], "because of ThrottlingException");
        check(&[broken, None, busy], 2, &[0, 2], &[], "because of InternalFailure");
        check(&[busy, denied, None], 2, &[0], &[1], "because of ThrottlingException");
        check(&[denied; 3], 3, &[], &[0, 1, 2], "because of AccessDeniedException");
        // What no document names may be over in a moment, too.
        check(&[None, None, Some("Odd")], 1, &[2], &[], "because of Odd");
        // It does not say which.
        check(&[None, None, None], 1, &[0, 1, 2], &[], "no reason given");
        check(&[busy], 1, &[0, 1, 2], &[], "because of ThrottlingException");
        check(&[], 3, &[0, 1, 2], &[], "no reason given");
    }
}
