//! Events from the bus: deferred commands, and what sheep have to tell.

use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use flock_aws::Clock;
use flock_core::{DeliveryId, Event, Notice, Trouble};
use flock_slack::{Button, Reply, escape};
use serde_json::{Value, json};

use crate::{app::App, call::Stage, http::AnswerTo};

/// The invocation's length where the platform does not say. Same as the function's timeout in template.yaml.
const DEFAULT_LENGTH: Duration = Duration::from_secs(30);

impl App {
    /// Handles an event from the bus. What the platform cuts off is begun again when the event is delivered
    /// again; `deadline` is when it does so.
    pub async fn handle(&self, event: &Value, deadline: SystemTime) -> anyhow::Result<Value> {
        let lease = self.clock.lease(Clock::time_of_invocation(deadline, DEFAULT_LENGTH));
        match Event::read(event)? {
            Event::CommandDeferred { id } => self.go_on(&id).await,
            Event::JobEnded { id, cancelled } => {
                Box::pin(self.tell_of_job(&id, cancelled, lease)).await
            }
            event => match notice(&event) {
                Some((id, reply)) => {
                    let Some(room) = self.control_room.clone() else {
                        return Ok(json!({ "told": "nobody" }));
                    };
                    Box::pin(self.tell(Notice { id, room }, &reply, lease)).await
                }
                None => Err(event.is_not_for("slash-command").into()),
            },
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
}

/// What people are told of an event, and by what it is known when it comes again.
fn notice(event: &Event) -> Option<(DeliveryId, Reply)> {
    let of_sheep = |Trouble { sheep, occurrence, why }: &Trouble| {
        let (sheep, number) = (sheep.to_string(), occurrence.to_string());
        let id = DeliveryId::of(&[event.kind(), &sheep, &number, why]);
        (id, sheep, number, escape(why))
    };
    Some(match event {
        Event::SheepStopped(trouble) => {
            let (id, sheep, number, why) = of_sheep(trouble);
            let text = format!("*{sheep}* has stopped at its post {number}: {why}");
            (id, Reply::everybody(text).button(Button::new("Resume", "resume", sheep)))
        }
        Event::SheepSetAside(trouble) => {
            let (id, sheep, number, why) = of_sheep(trouble);
            let text = format!(
                "*{sheep}* has set the text of its post {number} aside, because its network does not take it: \
                 {why}. It goes on with the next one; `/flock show {sheep}` lists what is set aside."
            );
            (id, Reply::everybody(text))
        }
        Event::SheepFailing(trouble) => {
            let (id, sheep, number, why) = of_sheep(trouble);
            let text = format!(
                "*{sheep}* has not been able to make its post {number} for about two hours: {why}. It keeps \
                 trying, and nothing is lost."
            );
            (id, Reply::everybody(text))
        }
        Event::SheepUnknown(trouble) => {
            let (id, sheep, number, why) = of_sheep(trouble);
            let text = format!(
                "Nobody knows whether *{sheep}* has made its post {number}: {why}. It keeps looking, and \
                 waits. If you see the post on its network, press Sent; if you are sure that it is not there, \
                 Send again."
            );
            let value = format!("{sheep} {number}");
            let reply = Reply::everybody(text)
                .button(Button::new("Sent", "sent", value.clone()))
                .button(Button::new("Send again", "send-again", value));
            (id, reply)
        }
        Event::FlockSpending { flock, month, cap, stands, what } => {
            // Not the sentence: the sum in it differs from tick to tick.
            let (month, cap) = (month.to_string(), cap.to_string());
            let parts = [event.kind(), flock.as_str(), &month, &cap, stands.name()];
            let text = format!("*Spending*: {}.", escape(what));
            (DeliveryId::of(&parts), Reply::everybody(text))
        }
        Event::Scheduled
        | Event::ShardDue { .. }
        | Event::SheepDue { .. }
        | Event::JobDue { .. }
        | Event::JobEnded { .. }
        | Event::CommandDeferred { .. } => return None,
    })
}
