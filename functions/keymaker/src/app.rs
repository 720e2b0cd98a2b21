//! What the function keeps between requests.

use std::time::{Duration, SystemTime};

use flock_aws::{Clock, EventBus, Instant, Keyring, SdkConfig, Secrets};
use flock_core::{AccountId, Way};
use flock_net::{Networks, XApp};
use flock_store::Store;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::{KeysUrl, Settings};

/// What the function keeps between requests.
#[derive(Debug)]
pub struct App {
    pub(crate) store: Store,
    pub(crate) bus: EventBus,
    pub(crate) clock: Clock,
    pub(crate) networks: Networks,
    pub(crate) keys_url: KeysUrl,
    /// Where X's pages are, if not at their own address.
    pub(crate) x_url: Option<String>,
    secrets: Secrets,
    keyring_secret: String,
    x_secret: String,
}

/// The time that a request has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Time {
    /// Until when networks are asked, with all requests for its page together.
    pub(crate) asks_until: Instant,
    /// Until when what it takes up is in its hands.
    pub(crate) lease_until: Timestamp,
}

impl App {
    /// The longest that a request lasts: the function's timeout in template.yaml, and as long as API Gateway waits.
    const LENGTH: Duration = Duration::from_secs(30);
    /// What of it is left when networks are asked no more, so that what they gave is stored and told, and what they did not give is
    /// said: a server that takes its time, with one request after the other, would have all of it.
    const AFTERWARDS: Duration = Duration::from_secs(10);

    /// Connects to the table.
    pub async fn start(settings: Settings, aws: &SdkConfig, clock: Clock) -> anyhow::Result<Self> {
        let store = Store::new(aws_sdk_dynamodb::Client::new(aws), settings.table);
        let store = Box::pin(store.with_current_shards()).await?;
        let networks = Networks::new(store.clone(), &settings.networks, &clock);
        Ok(Self {
            store,
            bus: EventBus::new(aws, settings.bus),
            clock,
            networks,
            keys_url: settings.keys_url,
            x_url: settings.networks.x_url,
            secrets: Secrets::new(aws),
            keyring_secret: settings.networks.keyring_secret,
            x_secret: settings.networks.x_secret,
        })
    }

    /// The time of a request that begins now and that the platform ends at `deadline`.
    pub(crate) fn time(&self, deadline: SystemTime) -> Time {
        let left = self.clock.time_of_invocation(deadline, Self::LENGTH).min(Self::LENGTH);
        Time {
            asks_until: Instant::now() + left.saturating_sub(Self::AFTERWARDS),
            lease_until: self.clock.lease(left),
        }
    }

    /// What keys are sealed with.
    pub(crate) async fn keyring(&self) -> anyhow::Result<Keyring> {
        Ok(Keyring::parse(&self.secrets.get(&self.keyring_secret).await?)?)
    }

    /// The credentials of the app, on a network that has apps.
    pub(crate) async fn app_of(&self, id: &AccountId) -> anyhow::Result<Option<SecretString>> {
        if !id.network.facts().has_app {
            return Ok(None);
        }
        Ok(Some(self.secrets.get(&self.x_secret).await?))
    }
}

/// The ways to sign in to the account with what the app's secret has, what is best first.
pub(crate) fn ways(id: &AccountId, app: Option<&SecretString>) -> Vec<Way> {
    let app = app.and_then(|app| XApp::read(app).ok());
    let is_possible =
        |way: &Way| !id.network.facts().has_app || app.as_ref().is_some_and(|app| app.has(*way));
    id.network.ways().iter().copied().filter(is_possible).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_are_those_that_the_app_has_credentials_for() {
        let (x, bluesky) = ("x:milton".parse().unwrap(), "bluesky:a.example".parse().unwrap());
        let said = |id, app: &str| ways(id, Some(&SecretString::from(app)));
        assert_eq!(said(&x, "{}"), []);
        assert_eq!(said(&x, r#"{"consumer_key":"k","consumer_secret":""}"#), []);
        assert_eq!(said(&x, r#"{"consumer_key":"k","consumer_secret":"s"}"#), [Way::OAuth1]);
        let both = r#"{"consumer_key":"k","consumer_secret":"s","client_id":"c"}"#;
        assert_eq!(said(&x, both), [Way::OAuth1, Way::OAuth2]);
        assert_eq!(ways(&bluesky, None), [Way::AppPassword]);
    }
}
