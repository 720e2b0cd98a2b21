//! What the function reads of its environment.

use flock_aws::Reader;
use flock_core::Shards;

/// The settings of the function, as template.yaml gives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The DynamoDB table.
    pub table: String,
    /// The event bus.
    pub bus: String,
    /// Into how many parts the due index is cut.
    pub shards: Shards,
    /// Those of whoever asks networks.
    pub networks: flock_net::Settings,
}

impl Settings {
    /// Reads them.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        let shards = reader.one_of("DUE_SHARDS", "a number from 1 to 64", |text| {
            text.parse::<u16>().ok().and_then(|number| Shards::try_from(number).ok())
        });
        Self {
            table: reader.required("TABLE_NAME"),
            bus: reader.required("BUS_NAME"),
            shards: shards.unwrap_or(Shards::ONE),
            networks: flock_net::Settings::read(reader),
        }
    }
}
