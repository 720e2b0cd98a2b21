//! The clock of the stand-ins, which are an edge of their own.

use jiff::Timestamp;

/// The present.
#[expect(clippy::disallowed_methods, reason = "a stand-in is a system outside, with its own clock")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
