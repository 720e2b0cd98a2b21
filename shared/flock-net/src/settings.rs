//! The settings of whoever asks networks.

use flock_aws::{Reader, Wire};

/// Where networks are, and what opens accounts on them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The secret that holds the keys the accounts' keys are sealed with.
    pub keyring_secret: String,
    /// The secret that holds the X app's credentials.
    pub x_secret: String,
    /// Where X's API is, if not at its own address.
    pub x_url: Option<String>,
    /// Whether servers of Mastodon and Bluesky may be on this machine and without TLS; for trying things out and for
    /// tests.
    pub on_loopback: bool,
    /// How requests get there.
    pub wire: Wire,
}

impl Settings {
    /// The variable for `on_loopback`, which nothing that is deployed may have.
    pub const ON_LOOPBACK: &str = "NETWORKS_ON_LOOPBACK";

    /// Reads them.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            keyring_secret: reader.required("KEYRING_SECRET"),
            x_secret: reader.required("X_SECRET"),
            x_url: reader.given("X_URL"),
            on_loopback: reader.flag(Self::ON_LOOPBACK),
            wire: Wire::default(),
        }
    }
}
