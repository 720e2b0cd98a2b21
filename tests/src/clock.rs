//! The clock of the stand-ins, which are an edge of their own.

use jiff::Timestamp;
use tokio::time::Instant;

/// Where a stand-in's time comes from.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    /// The wall.
    Wall,
    /// The runtime, where time is simulated.
    Runtime {
        /// The time when the runtime's stood at `since`.
        at: Timestamp,
        /// A time of the runtime.
        since: Instant,
    },
}

impl Clock {
    /// A clock that stands at `at` now and goes with the runtime's time.
    pub fn simulated(at: Timestamp) -> Self {
        Self::Runtime { at, since: Instant::now() }
    }

    /// The time.
    pub fn now(self) -> Timestamp {
        match self {
            #[expect(clippy::disallowed_methods, reason = "a stand-in is a system outside")]
            Self::Wall => Timestamp::now(),
            Self::Runtime { at, since } => at + since.elapsed(),
        }
    }
}
