//! Events from the bus: deferred commands, and what sheep have to tell.

use anyhow::Context as _;
use flock_aws::{FLOCK_SPENDING, SHEEP_FAILING, SHEEP_STOPPED, SHEEP_UNKNOWN};
use flock_core::{DeliveryId, FlockName, Occurrence, SheepId};
use flock_slack::{Button, Reply, escape};
use flock_store::Seen;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{app::App, call::Stage, http::AnswerTo, slack_secret::SlackSecret};

/// The kind of event that goes on with a command.
pub(crate) const COMMAND_DEFERRED: &str = "command.deferred";

/// An event that does not say what to do.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "unreadable event: {why}; slash-command takes `detail-type` \"{COMMAND_DEFERRED}\" with detail.id, \
     \"{SHEEP_STOPPED}\", \"{SHEEP_FAILING}\" or \"{SHEEP_UNKNOWN}\" with detail.sheep, .occurrence and .why, \
     \"{FLOCK_SPENDING}\" with detail.flock, .month, .cap, .stands and .what"
)]
pub struct UnreadableEvent {
    why: &'static str,
}

#[derive(Deserialize)]
struct Deferred {
    id: DeliveryId,
}

#[derive(Deserialize)]
struct News {
    sheep: String,
    occurrence: Occurrence,
    why: String,
}

#[derive(Deserialize)]
struct Spending {
    flock: FlockName,
    month: String,
    cap: String,
    stands: String,
    what: String,
}

impl App {
    /// Handles an event from the bus. What the platform cuts off is begun again when the event is delivered
    /// again.
    pub async fn handle(&self, event: &Value) -> anyhow::Result<Value> {
        let detail = event.get("detail").unwrap_or(&Value::Null);
        let unreadable = UnreadableEvent { why: "its detail does not fit" };
        match event.get("detail-type").and_then(Value::as_str) {
            Some(COMMAND_DEFERRED) => {
                let Deferred { id } = Deferred::deserialize(detail).map_err(|_| unreadable)?;
                self.go_on(&id).await
            }
            Some(kind @ (SHEEP_STOPPED | SHEEP_FAILING | SHEEP_UNKNOWN)) => {
                let news = News::deserialize(detail).map_err(|_| unreadable)?;
                let unreadable = UnreadableEvent { why: "its detail names no sheep" };
                let sheep: SheepId = news.sheep.parse().map_err(|_| unreadable)?;
                let number = news.occurrence.to_string();
                let id = DeliveryId::of(&[kind, &news.sheep, &number, &news.why]);
                self.tell(&id, &notice(kind, &sheep, &news)).await
            }
            Some(FLOCK_SPENDING) => {
                let Spending { flock, month, cap, stands, what } =
                    Spending::deserialize(detail).map_err(|_| unreadable)?;
                // Not the sentence: the sum in it differs from tick to tick.
                let id = DeliveryId::of(&[FLOCK_SPENDING, flock.as_str(), &month, &cap, &stands]);
                self.tell(&id, &Reply::everybody(format!("*Spending*: {}.", escape(&what)))).await
            }
            Some(_) => Err(UnreadableEvent { why: "its detail-type is another" }.into()),
            None => Err(UnreadableEvent { why: "it has no detail-type" }.into()),
        }
    }

    /// Goes on with a deferred command. Once more, when it died in between: deferred commands can be run
    /// again.
    async fn go_on(&self, id: &DeliveryId) -> anyhow::Result<Value> {
        let Some(asked) = self.store.deferred(id, self.clock.now()).await? else {
            return Ok(json!({ "done": "before, or it is too late to answer" }));
        };
        let reply = Box::pin(self.go_on_with(&asked, Stage::Deferred)).await;
        let to: AnswerTo = serde_json::from_str(&asked.answer_to)
            .context("a deferred command does not say where its answer goes")?;
        if let Err(err) = self.send(&reply, &to, &asked.room, &asked.user).await {
            // Doing it again would not make Slack listen.
            tracing::error!(delivery = %id, error = %err, "the answer did not reach Slack");
        }
        self.store.delete_deferred(id).await?;
        Ok(json!({ "done": asked.line }))
    }

    /// Tells the control room what people should know. Once: the event may come again.
    async fn tell(&self, id: &DeliveryId, reply: &Reply) -> anyhow::Result<Value> {
        let Some(room) = &self.control_room else { return Ok(json!({ "told": "nobody" })) };
        if self.claim(id).await? != Seen::First {
            return Ok(json!({ "told": "before" }));
        }
        let sent = async {
            let SlackSecret { bot_token, .. } = self.slack_secret().await?;
            let to = AnswerTo::Room { thread_ts: None };
            Ok(self.post(reply, &to, room, &bot_token).await?)
        };
        if let Err(err) = sent.await {
            // Better told twice than never: it may be there, but nobody knows.
            self.store.forget_seen(id).await?;
            return Err(err);
        }
        Ok(json!({ "told": room }))
    }
}

fn notice(kind: &str, sheep: &SheepId, news: &News) -> Reply {
    let (number, why) = (news.occurrence, escape(&news.why));
    let id = sheep.to_string();
    if kind == SHEEP_STOPPED {
        let text = format!("*{id}* has stopped at its post {number}: {why}");
        return Reply::everybody(text).button(Button::new("Resume", "resume", id));
    }
    if kind == SHEEP_FAILING {
        return Reply::everybody(format!(
            "*{id}* has not been able to make its post {number} for about two hours: {why}. It keeps trying, \
             and nothing is lost."
        ));
    }
    let text = format!(
        "Nobody knows whether *{id}* has made its post {number}: {why}. It keeps looking, and waits. If you \
         see the post on its network, press Sent; if you are sure that it is not there, Send again."
    );
    let value = format!("{id} {number}");
    Reply::everybody(text).button(Button::new("Sent", "sent", value.clone())).button(Button::new(
        "Send again",
        "send-again",
        value,
    ))
}
