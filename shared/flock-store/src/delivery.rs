//! What has arrived from Slack and is being dealt with: deliveries that were seen, commands that go on
//! after their answer, and questions whose answer is awaited.

use std::fmt;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use flock_core::{DeliveryId, RoomId, UserId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Keyed, Read, Store, StoreError, Write, conditional, key::Key, sheep::Seconds};

/// How long a delivery is remembered. Slack repeats one for some minutes, and signs nothing older than five
/// (Slack, "Events API" and "Verifying requests from Slack", 2026-11); a day is far more.
const SEEN_FOR: SignedDuration = SignedDuration::from_hours(24);

/// How long a response URL can be used (Slack, "Handling user interaction", 2026-11), and so how long a
/// deferred command may take.
const DEFERRED_FOR: SignedDuration = SignedDuration::from_mins(30);

/// How long a question waits for its answer.
pub const CONFIRM_FOR: SignedDuration = SignedDuration::from_mins(5);

/// Whether a delivery was here before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It was not.
    First,
    /// It was, and nobody has noted that it is done: it is being dealt with, or whoever did has died.
    Begun {
        /// Since when.
        since: Timestamp,
    },
    /// It was.
    Done,
}

/// What became of an answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// It was the answer. The question is gone.
    Taken(Asked),
    /// There is no such question: it was answered, or too long ago, or never put.
    Gone,
    /// It was put to somebody else. It stays.
    NotYours,
    /// It was put in another room. It stays.
    NotHere {
        /// Where.
        room: RoomId,
    },
}

/// A command somebody gave, for going on with it later.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Names it: derived from its delivery.
    pub id: DeliveryId,
    /// Who.
    pub user: UserId,
    /// Where.
    pub room: RoomId,
    /// The words, without `/flock`.
    pub line: String,
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub since: Timestamp,
    /// Where the answer goes, as the Slack function spells it.
    pub answer_to: String,
}

/// Without where the answer goes: whoever knows a response URL can write.
impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, user, room, line, since, answer_to: _ } = self;
        f.debug_struct("Asked")
            .field("id", id)
            .field("user", user)
            .field("room", room)
            .field("line", line)
            .field("since", since)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct DeliveryItem {
    since: Seconds,
    done: bool,
    ttl: Seconds,
}

#[derive(Debug, Serialize, Deserialize)]
struct AskedItem {
    #[serde(flatten)]
    asked: Asked,
    ttl: Seconds,
}

impl Store {
    /// Remembers the delivery called `id`, of which nothing is done yet.
    pub async fn first_seen(&self, id: &DeliveryId, now: Timestamp) -> Result<Arrival, StoreError> {
        let item = DeliveryItem { since: now.into(), done: false, ttl: after(now, SEEN_FOR) };
        let what = "a delivery from Slack";
        let written = self
            .put_if(what, Key::delivery(id), &item, |put| crate::unless_unexpired(put, now))
            .await?;
        Ok(match written.read(what)? {
            Write::Done => Arrival::First,
            Write::Conflict(Some(DeliveryItem { done: false, since, .. })) => {
                Arrival::Begun { since: Timestamp::try_from(since).unwrap_or(now) }
            }
            Write::Conflict(_) => Arrival::Done,
        })
    }

    /// Notes that all that a delivery asks for is done.
    pub async fn seen_and_done(&self, id: &DeliveryId, now: Timestamp) -> Result<(), StoreError> {
        let item = DeliveryItem { since: now.into(), done: true, ttl: after(now, SEEN_FOR) };
        self.put("a delivery from Slack", Key::delivery(id), item).await
    }

    /// Stores a command that goes on after its answer.
    pub async fn put_deferred(&self, asked: &Asked) -> Result<(), StoreError> {
        let what = "a deferred command";
        let item = AskedItem { asked: asked.clone(), ttl: after(asked.since, DEFERRED_FOR) };
        self.put(what, Key::deferred(&asked.id), item).await
    }

    /// A deferred command. `None`: it is done, or too old to be answered.
    pub async fn deferred(
        &self,
        id: &DeliveryId,
        now: Timestamp,
    ) -> Result<Option<Asked>, StoreError> {
        let what = "a deferred command";
        let item: Option<AskedItem> = self.one(what, Key::deferred(id), Read::Consistent).await?;
        Ok(item.and_then(|item| item.if_in_time(now)))
    }

    /// Forgets a deferred command, which is done.
    pub async fn delete_deferred(&self, id: &DeliveryId) -> Result<(), StoreError> {
        self.delete_one("a deferred command", Key::deferred(id)).await
    }

    /// All deferred commands that are not done, by id.
    pub async fn all_deferred(&self, now: Timestamp) -> Result<Vec<Asked>, StoreError> {
        let items: Vec<AskedItem> = self.all("the deferred commands", Key::DEFERRED).await?;
        Ok(items.into_iter().filter_map(|item| item.if_in_time(now)).collect())
    }

    /// Stores a command that runs only when it is confirmed within [`CONFIRM_FOR`], in the same room and by the same
    /// person.
    pub async fn put_question(&self, asked: &Asked) -> Result<(), StoreError> {
        let what = "a question";
        let item = AskedItem { asked: asked.clone(), ttl: after(asked.since, CONFIRM_FOR) };
        self.put(what, Key::question(&asked.id), item).await
    }

    /// Takes the question away, for it is answered once: by whom it was put to, where it was put.
    pub async fn take_question(
        &self,
        id: &DeliveryId,
        user: &UserId,
        room: &RoomId,
        now: Timestamp,
    ) -> Result<Answered, StoreError> {
        let what = "a question";
        let output = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(Key::question(id).attributes()))
            .condition_expression("#user = :user AND #room = :room")
            .expression_attribute_names("#user", "user")
            .expression_attribute_names("#room", "room")
            .expression_attribute_values(":user", AttributeValue::S(user.to_string()))
            .expression_attribute_values(":room", AttributeValue::S(room.to_string()))
            .return_values(ReturnValue::AllOld)
            .send()
            .await;
        let Some(output) = conditional(output, "take", what)? else {
            let item: Option<AskedItem> =
                self.one(what, Key::question(id), Read::Consistent).await?;
            return Ok(match item.and_then(|item| item.if_in_time(now)) {
                Some(asked) if asked.user != *user => Answered::NotYours,
                Some(asked) if asked.room != *room => Answered::NotHere { room: asked.room },
                // Where it fits it was taken in between, by the same answer come twice.
                Some(_) | None => Answered::Gone,
            });
        };
        let Some(item) = output.attributes else { return Ok(Answered::Gone) };
        let item: AskedItem = Keyed::read(item, what)?.value;
        Ok(item.if_in_time(now).map_or(Answered::Gone, Answered::Taken))
    }
}

impl AskedItem {
    fn if_in_time(self, now: Timestamp) -> Option<Asked> {
        let in_time = Timestamp::try_from(self.ttl).is_ok_and(|end| now <= end);
        in_time.then_some(self.asked)
    }
}

fn after(now: Timestamp, time: SignedDuration) -> Seconds {
    now.saturating_add(time).unwrap_or(Timestamp::MAX).into()
}
