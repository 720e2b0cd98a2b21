//! What the function keeps between invocations.

use flock_aws::{Clock, Config, EventBus, SdkConfig, Secrets, process_id};
use flock_core::{Room, RoomId, RoomRefusal, UserId};
use flock_slack::SlackApi;
use flock_store::{Control, Presence, Store, Write};

use crate::{call::Problem, slack_secret::SlackSecret};

/// What the function keeps between invocations.
#[derive(Debug)]
pub struct App {
    pub(crate) store: Store,
    pub(crate) slack: SlackApi,
    pub(crate) bus: EventBus,
    pub(crate) clock: Clock,
    secrets: Secrets,
    slack_secret: String,
    first_owner: Option<UserId>,
    pub(crate) control_room: Option<RoomId>,
    presence: Presence,
}

impl App {
    /// Connects to the table and reads Slack's secret, which also opens the connections the first request
    /// will use.
    pub async fn start(config: Config, aws: &SdkConfig, clock: Clock) -> anyhow::Result<Self> {
        let store = Store::new(aws_sdk_dynamodb::Client::new(aws), config.table);
        let secrets = Secrets::new(aws);
        let (store, secret) = tokio::join!(
            store.with_current_shards(),
            SlackSecret::read(&secrets, &config.slack_secret)
        );
        if let Err(err) = secret {
            // The next request tries again, and tells.
            tracing::error!(error = format!("{err:#}"), "Slack's secret cannot be read");
        }
        Ok(Self {
            store: store?,
            slack: SlackApi::new(config.slack_url),
            bus: EventBus::new(aws, config.bus),
            presence: Presence::new("slash-command", process_id(), clock.now()),
            clock,
            secrets,
            slack_secret: config.slack_secret,
            first_owner: config.first_owner,
            control_room: config.slack_room,
        })
    }

    /// Slack's secret, at most five minutes old.
    pub(crate) async fn slack_secret(&self) -> anyhow::Result<SlackSecret> {
        SlackSecret::read(&self.secrets, &self.slack_secret).await
    }

    /// The room as it is now, and what the whole system was told.
    pub(crate) async fn look(&self, room: &RoomId) -> anyhow::Result<(Room, Control)> {
        let now = self.clock.now();
        let (room, control, noted) = tokio::join!(
            self.room(room),
            self.store.control(),
            self.store.note(&self.presence, now)
        );
        if let Err(err) = noted {
            // Only `instances` misses it.
            tracing::warn!(error = %err, "this process is not noted");
        }
        let control = control?;
        self.secrets.drop_older(control.rebooted_at);
        Ok((room?, control))
    }

    async fn room(&self, id: &RoomId) -> anyhow::Result<Room> {
        let room = self.store.room(id).await?;
        Ok(room.unwrap_or_else(|| Room::new(id.clone(), self.first_owner.as_ref())))
    }

    /// Writes a room that `change` makes of the room as it is now, whatever others change meanwhile.
    pub(crate) async fn change_room<T>(
        &self,
        id: &RoomId,
        change: impl Fn(&Room) -> Result<(Room, T), RoomRefusal>,
    ) -> Result<T, Problem> {
        /// People change rooms by hand: a few at once at most.
        const TRIES: usize = 20;
        for _ in 0..TRIES {
            let (changed, result) = change(&self.room(id).await?)?;
            if self.store.put_room(&changed).await? == Write::Done {
                return Ok(result);
            }
        }
        Err(Problem::Refused("Others are changing this room; try again.".to_owned()))
    }
}
