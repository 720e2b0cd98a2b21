//! What the function reads of its environment.

use flock_aws::{Reader, Wire};
use flock_core::{RoomId, UserId};

/// The settings of the function, as template.yaml gives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The DynamoDB table.
    pub table: String,
    /// The event bus.
    pub bus: String,
    /// The secret that holds Slack's signing secret and the bot's token.
    pub slack_secret: String,
    /// Where Slack's Web API is, if not at its own address.
    pub slack_url: Option<String>,
    /// The channel that is told when a sheep stops or nobody knows whether it posted.
    pub slack_room: Option<RoomId>,
    /// What the addresses of the pages begin with on which people sign in, if there are any.
    pub keys_url: Option<String>,
    /// The Slack user who has the highest level in every room.
    pub first_owner: Option<UserId>,
    /// How requests get to Slack.
    pub wire: Wire,
}

impl Settings {
    /// Reads them.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            table: reader.required("TABLE_NAME"),
            bus: reader.required("BUS_NAME"),
            slack_secret: reader.required("SLACK_SECRET"),
            slack_url: reader.given("SLACK_URL"),
            slack_room: reader.parsed("SLACK_ROOM"),
            keys_url: reader.given("KEYS_URL"),
            first_owner: reader.parsed("FIRST_OWNER"),
            wire: Wire::default(),
        }
    }
}
