//! The rules of Flockwork: what a sheep says, when, and what may go out.
//!
//! Invariant: this crate does no I/O. It takes values and the current time and returns values. It
//! knows nothing of AWS, HTTP, environment variables, files or clocks, and any randomness is derived
//! from the values it is given, so that a preview shows what the tick will do.
//!
//! Where to start: [`Sheep`] and its transitions (`due` → `claim` → `posted`), then [`Rhythm`].

mod corpus;
mod ids;
mod network;
mod picture;
mod preview;
mod rhythm;
mod room;
mod sheep;
mod usage;
mod x_text;

pub use corpus::{Corpus, CorpusProblem, Piece};
pub use ids::{
    AccountId, CorpusId, DeliveryId, FlockName, Handle, InvalidId, LevelName, Occurrence, PostId,
    RemoteId, RoomId, Shards, SheepId, SheepName, UserId,
};
pub use network::{Network, TextRefusal, UnknownNetwork};
pub use picture::{Picture, PictureKind, PictureRefusal, PictureRules};
pub use preview::{Upcoming, UpcomingText, preview};
pub use rhythm::{
    CatchUp, DailyWindow, DayCount, Days, InvalidRhythm, Pattern, Rhythm, RhythmFields,
};
pub use room::{Denied, Granted, Need, Rank, Room, RoomRefusal};
pub use sheep::{
    Behaviour, Due, Intent, Next, NotNow, NotUnknown, Outcome, Progress, Sent, Sheep, SheepConfig,
    State,
};
pub use usage::{Arguments, Usage, Word, words};
pub use x_text::{Measured, measure};

/// A number of things, as people write it.
pub fn count(number: impl Into<u64>, thing: &str) -> String {
    let number = number.into();
    format!("{number} {thing}{}", if number == 1 || thing == "sheep" { "" } else { "s" })
}
