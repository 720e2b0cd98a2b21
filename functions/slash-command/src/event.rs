//! Events from the bus: deferred commands, and what sheep have to tell.

use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use flock_core::{
    AccountId, Connection, DeliveryId, Event, Notice, Purpose, Sheep, State, Trouble, listed,
    reason,
};
use flock_slack::{Button, Reply, escape};
use flock_store::{Read, Store, StoreError};
use serde_json::{Value, json};

use crate::{app::App, call::Stage, http::AnswerTo};

/// The invocation's length where the platform does not say. Same as the function's timeout in template.yaml.
const DEFAULT_LENGTH: Duration = Duration::from_secs(30);

/// Sheep that a message names.
pub(crate) const NAMED: usize = 20;

impl App {
    /// Handles an event from the bus. What the platform cuts off is begun again when the event is delivered
    /// again; `deadline` is when it does so.
    pub async fn handle(&self, event: &Value, deadline: SystemTime) -> anyhow::Result<Value> {
        let lease = self.clock.lease(self.clock.time_of_invocation(deadline, DEFAULT_LENGTH));
        match Event::read(event)? {
            Event::CommandDeferred { id } => self.go_on(&id).await,
            Event::JobEnded { id, cancelled } => {
                Box::pin(self.tell_of_job(&id, cancelled, lease)).await
            }
            event => {
                let Some(mut told) = notice(&event) else {
                    return Err(event.is_not_for("slash-command").into());
                };
                let asked_in = if let Event::AccountConnected(connection) = &event {
                    connection.room.clone()
                } else {
                    None
                };
                let Some(room) = asked_in.or_else(|| self.control_room.clone()) else {
                    return Ok(json!({ "told": "nobody" }));
                };
                if let Event::SheepStopped(trouble) = &event
                    && let Some(of_account) = self.notice_of_account(trouble).await?
                {
                    told = of_account;
                }
                let (id, mut reply) = told;
                if let Event::SheepStopped(Trouble { account: Some(account), .. }) = &event {
                    let operator = self.operator();
                    let told = reply.text;
                    reply.text =
                        format!("{told} An account and its key are for {operator} to see to.");
                    if self.keys_url.is_some() && !account.network.ways().is_empty() {
                        let renew =
                            Button::new("Renew the key", "account renew", account.to_string());
                        reply = reply.button(renew);
                    }
                }
                Box::pin(self.tell(Notice { id, room }, &reply, lease)).await
            }
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

impl App {
    /// What people are told where several sheep post through an account that does not let them: once, whichever stops
    /// first.
    async fn notice_of_account(
        &self,
        Trouble { sheep, occurrence, why, account }: &Trouble,
    ) -> anyhow::Result<Option<(DeliveryId, Reply)>> {
        let Some(account) = account else { return Ok(None) };
        let others = sheep_on(&self.store, account).await?.into_iter();
        let why = reason(sheep, why);
        let others = others.filter(|other| match &other.state {
            State::Active => other.id != *sheep,
            State::Stopped { why: theirs, .. } => {
                other.id != *sheep && reason(&other.id, theirs) == why
            }
            State::Paused { .. } | State::Finished { .. } => false,
        });
        let others: Vec<_> = others.map(|other| format!("*{}*", other.id)).collect();
        if others.is_empty() {
            return Ok(None);
        }
        let text = format!(
            "*{sheep}* has stopped at its post {occurrence}: {}.\nAlso on {}: {}. Whatever stops there for the same reason \
             is not told of again; *Try again* resumes all of them.",
            escape(why),
            escape(&account.to_string()),
            listed(others, NAMED)
        );
        let again = Button::new("Try again", "resume", account.to_string());
        Ok(Some((Notice::of_account(account, why), Reply::everybody(text).button(again))))
    }
}

/// The sheep that post through `account`.
pub(crate) async fn sheep_on(store: &Store, account: &AccountId) -> Result<Vec<Sheep>, StoreError> {
    let mut sheep = Vec::new();
    for id in store.sheep_on(account).await? {
        sheep.extend(store.sheep(&id, Read::Consistent).await?);
    }
    sheep.retain(|sheep| sheep.config.account == *account);
    Ok(sheep)
}

/// What people are told of an account that has a new key.
fn connected(connection: &Connection) -> String {
    let Connection { account, purpose, resumed, must_not_post, .. } = connection;
    let what = match purpose {
        Purpose::Connect => "is connected: sheep can post through it",
        Purpose::Renew => "has a new key",
    };
    let resumed = match resumed {
        0 => String::new(),
        1 => " 1 sheep that had stopped for it goes on from where it was.".to_owned(),
        more => format!(" {more} sheep that had stopped for it go on from where they were."),
    };
    let but = match must_not_post.as_slice() {
        [] => String::new(),
        why => format!(" But it must not post yet: {}.", escape(&why.join("; "))),
    };
    format!("`{}` {what}.{resumed}{but}", escape(&account.to_string()))
}

/// What people are told of an event, and by what it is known when it comes again.
fn notice(event: &Event) -> Option<(DeliveryId, Reply)> {
    let of_sheep = |Trouble { sheep, occurrence, why, .. }: &Trouble| {
        let id = Notice::of_sheep(event.kind(), sheep, *occurrence, why);
        (id, sheep.to_string(), occurrence.to_string(), escape(why))
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
        Event::AccountConnected(connection) => {
            (connection.id.clone(), Reply::everybody(connected(connection)))
        }
        Event::Scheduled
        | Event::ShardDue { .. }
        | Event::SheepDue { .. }
        | Event::JobDue { .. }
        | Event::JobEnded { .. }
        | Event::CommandDeferred { .. } => return None,
    })
}
