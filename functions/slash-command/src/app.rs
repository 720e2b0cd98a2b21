//! What the function keeps between invocations.

use std::time::Duration;

use flock_aws::{BusError, Clock, EventBus, Instant, SdkConfig, Secrets, process_id};
use flock_core::{DeliveryId, Event, Room, RoomId, RoomRefusal, UserId};
use flock_ops::Noted;
use flock_slack::{SlackApi, mention};
use flock_store::{Arrival, Control, Presence, Store, StoreError, Write};

use crate::{call::Obstacle, settings::Settings, slack_secret::SlackSecret};

/// What the function keeps between invocations.
#[derive(Debug)]
pub struct App {
    pub(crate) store: Store,
    pub(crate) slack: SlackApi,
    bus: EventBus,
    pub(crate) clock: Clock,
    secrets: Secrets,
    slack_secret: String,
    first_owner: Option<UserId>,
    /// What the addresses of the pages begin with on which people sign in, if there are any.
    pub(crate) keys_url: Option<String>,
    pub(crate) control_room: Option<RoomId>,
    presence: Presence,
}

impl App {
    /// Younger than this, Slack's secret is not read anew, so that strangers cannot make us read it all the time.
    const SECRET_SURELY_NEW: Duration = Duration::from_secs(10);

    /// How long publishing may be tried: Slack waits for three seconds (Slack, "Handling user interaction", 2026-11), and more is to
    /// be done in them.
    const PUBLISHING: Duration = Duration::from_secs(1);

    /// Connects to the table and reads Slack's secret, which also opens the connections the first request
    /// will use.
    pub async fn start(settings: Settings, aws: &SdkConfig, clock: Clock) -> anyhow::Result<Self> {
        let store = Store::new(aws_sdk_dynamodb::Client::new(aws), settings.table);
        let secrets = Secrets::new(aws);
        // A request asks for two things of the table at once: two connections.
        let warm = store.clone();
        let (store, secret, warmed) = tokio::join!(
            Box::pin(store.with_current_shards()),
            Box::pin(SlackSecret::read(&secrets, &settings.slack_secret)),
            Box::pin(warm.control())
        );
        warmed?;
        if let Err(err) = secret {
            // The next request tries again, and tells.
            tracing::error!(error = format!("{err:#}"), "Slack's secret cannot be read");
        }
        Ok(Self {
            store: store?,
            slack: SlackApi::new(settings.slack_url, settings.wire),
            bus: EventBus::new(aws, settings.bus),
            presence: Presence::new("slash-command", process_id(), clock.now()),
            clock,
            secrets,
            slack_secret: settings.slack_secret,
            keys_url: settings.keys_url,
            first_owner: settings.first_owner,
            control_room: settings.slack_room,
        })
    }

    /// Who can do what is done where Flockwork is deployed, and not here: keys, files, schedules.
    pub(crate) fn operator(&self) -> String {
        let first = self.first_owner.as_ref().map(mention);
        first.unwrap_or_else(|| "whoever has deployed Flockwork".to_owned())
    }

    /// Claims a delivery.
    pub(crate) async fn claim(&self, id: &DeliveryId) -> Result<Arrival, StoreError> {
        self.store.first_seen(id, self.clock.now()).await
    }

    /// Publishes an event. Whoever logs that it could not be says so in the field `unpublished`, by which an alarm counts.
    pub(crate) async fn publish(&self, event: Event) -> Result<(), BusError> {
        self.bus.publish(&[event], Instant::now() + Self::PUBLISHING).await
    }

    /// Slack's secret read anew, if what is known is older than a few seconds.
    pub(crate) async fn newer_slack_secret(&self) -> anyhow::Result<Option<SlackSecret>> {
        if !self.secrets.drop_if_older(&self.slack_secret, Self::SECRET_SURELY_NEW) {
            return Ok(None);
        }
        self.slack_secret().await.map(Some)
    }

    /// Has Slack's secret read anew when it is needed next.
    pub(crate) fn forget_slack_secret(&self) {
        self.secrets.drop_if_older(&self.slack_secret, Duration::ZERO);
    }

    /// Slack's secret, at most five minutes old.
    pub(crate) async fn slack_secret(&self) -> anyhow::Result<SlackSecret> {
        SlackSecret::read(&self.secrets, &self.slack_secret).await
    }

    /// The room as it is now, and what the whole system was told.
    pub(crate) async fn look(&self, room: &RoomId) -> anyhow::Result<(Room, Control)> {
        let now = self.clock.now();
        let (looked, noted) = tokio::join!(
            self.store.room_and_control(room, self.first_owner.as_ref()),
            self.store.note(&self.presence, now)
        );
        if let Err(err) = noted {
            // Only `instances` misses it.
            tracing::warn!(error = %err, "this process is not noted");
        }
        let (room, control) = looked?;
        self.secrets.drop_older(control.rebooted_at);
        Ok((room, control))
    }

    /// Writes a room that `change` makes of the room as it is now, whatever others change meanwhile.
    pub(crate) async fn change_room<T>(
        &self,
        _: &Noted,
        id: &RoomId,
        change: impl Fn(&Room) -> Result<(Room, T), RoomRefusal>,
    ) -> Result<T, Obstacle> {
        /// People change rooms by hand: a few at once at most.
        const TRIES: usize = 20;
        let mut room = self.store.room(id, self.first_owner.as_ref()).await?;
        for _ in 0..TRIES {
            let (changed, result) = change(&room)?;
            match self.store.put_room(&changed).await? {
                Write::Done => return Ok(result),
                Write::Conflict(newest) => room = newest,
            }
        }
        Err(Obstacle::Refused("Others are changing this room; try again.".to_owned()))
    }
}
