//! Tells a room something once, though the event that asks for it comes again, and whatever dies in between.

use anyhow::{Context as _, bail};
use flock_core::{GoOn, Notice, RemoteId, Sent, Telling};
use flock_slack::{Reply, with_notice};
use flock_store::Write;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::{app::App, slack_secret::SlackSecret};

/// A try that came to nothing.
struct Failed {
    /// Whether part of the notice may be there.
    sent: Sent,
    why: anyhow::Error,
}

impl App {
    /// Tells a room. An error has the event delivered again.
    pub(crate) async fn tell(
        &self,
        notice: Notice,
        reply: &Reply,
        lease_until: Timestamp,
    ) -> anyhow::Result<Value> {
        let room = notice.room.clone();
        let now = self.clock.now();
        let begun = Telling::begin(notice, now, lease_until);
        let (telling, look) = match self.store.begin_notice(&begun, now).await? {
            Write::Done => (begun, false),
            Write::Conflict(there) => match there.go_on(now, lease_until) {
                GoOn::Told => return Ok(json!({ "told": "before" })),
                GoOn::Busy => bail!("somebody else is telling {room}"),
                GoOn::Post(claimed) => (self.claim_notice(claimed).await?, false),
                GoOn::Look(claimed) => (self.claim_notice(claimed).await?, true),
            },
        };
        // The room that was chosen first is where a message may be.
        let room = telling.errand.work.room.clone();
        let settled = match Box::pin(self.post_missing(&telling, reply, look)).await {
            Ok(message) => telling.done(message),
            Err(Failed { sent, why }) => {
                let put_off = telling.put_off(&format!("{why:#}"), sent, self.clock.now());
                // Where somebody else has it by now, it is theirs; and a lease that stays ends with us.
                if let Err(err) = self.store.put_notice(&put_off).await {
                    tracing::warn!(error = %err, "a notice keeps its lease");
                }
                return Err(why.context(format!("{room} is not told, or may not be")));
            }
        };
        // A conflict: our lease was over, and whoever has it finds the message.
        self.store.put_notice(&settled).await?;
        Ok(json!({ "told": room }))
    }

    async fn claim_notice(&self, claimed: Telling) -> anyhow::Result<Telling> {
        match self.store.put_notice(&claimed).await? {
            Write::Done => Ok(claimed),
            Write::Conflict(_) => bail!("somebody else is telling {}", claimed.errand.work.room),
        }
    }

    /// Posts what is not there of a notice. Gives what Slack calls its last message.
    async fn post_missing(
        &self,
        telling: &Telling,
        reply: &Reply,
        look: bool,
    ) -> Result<RemoteId, Failed> {
        let as_before = |why| Failed { sent: if look { Sent::Maybe } else { Sent::No }, why };
        let SlackSecret { bot_token, .. } = self.slack_secret().await.map_err(as_before)?;
        let there = if look {
            self.look_for(telling, &bot_token).await.map_err(as_before)?
        } else {
            Vec::new()
        };
        let Notice { id, room } = &telling.errand.work;
        let mut last = None;
        for (number, message) in (1..).zip(reply.messages()) {
            if let Some((_, found)) = there.iter().find(|(found, _)| *found == number) {
                last = Some(found.clone());
                continue;
            }
            let message = with_notice(message, id, number);
            let posted = self.slack.post_message(&bot_token, room, None, &message).await;
            last = Some(posted.map_err(|why| {
                let is_there = last.is_some() || why.may_be_done();
                Failed { sent: if is_there { Sent::Maybe } else { Sent::No }, why: why.into() }
            })?);
        }
        let nothing = || Failed { sent: Sent::No, why: anyhow::anyhow!("it has no message") };
        last.ok_or_else(nothing)
    }

    /// The messages of a notice that are there. Where nobody can know, none is on the last try: better told twice than
    /// never.
    async fn look_for(
        &self,
        telling: &Telling,
        token: &SecretString,
    ) -> anyhow::Result<Vec<(usize, RemoteId)>> {
        let Notice { id, room } = &telling.errand.work;
        let since = telling.errand.due;
        match self.slack.messages_of_notice(token, room, id, since).await {
            Ok(found) => Ok(found),
            Err(err) if telling.is_last_try() => {
                tracing::warn!(
                    %room, notice = %id, error = %err,
                    "nobody knows whether the room was told; it is told again, because this is the last try"
                );
                Ok(Vec::new())
            }
            Err(err) => Err(err).with_context(|| format!("nobody knows whether {room} was told")),
        }
    }
}
