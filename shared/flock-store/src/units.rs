//! What requests cost, in DynamoDB's own figures.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::types::ConsumedCapacity;

/// Read and write units. A failed conditional write costs one too, but DynamoDB does not report it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Units {
    /// Read request units.
    pub read: f64,
    /// Write request units, those of the index included.
    pub write: f64,
}

/// Adds units up, from any thread.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    // Units come in halves.
    read_halves: AtomicU64,
    write_halves: AtomicU64,
}

impl Meter {
    pub(crate) fn units(&self) -> Units {
        let units = |halves: &AtomicU64| {
            let halves = u32::try_from(halves.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
            f64::from(halves) / 2.0
        };
        Units { read: units(&self.read_halves), write: units(&self.write_halves) }
    }

    pub(crate) fn read<'a>(&self, capacity: impl IntoIterator<Item = &'a ConsumedCapacity>) {
        add(&self.read_halves, capacity);
    }

    pub(crate) fn write<'a>(&self, capacity: impl IntoIterator<Item = &'a ConsumedCapacity>) {
        add(&self.write_halves, capacity);
    }
}

fn add<'a>(sum: &AtomicU64, capacity: impl IntoIterator<Item = &'a ConsumedCapacity>) {
    for capacity in capacity {
        let halves = (capacity.capacity_units().unwrap_or(0.0) * 2.0).round().max(0.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a few thousand halves at most, not negative"
        )]
        sum.fetch_add(halves as u64, Ordering::Relaxed);
    }
}
