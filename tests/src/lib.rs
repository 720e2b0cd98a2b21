//! The stand-ins of the end-to-end tests: networks before our functions, and a proxy that cuts a flow at a chosen
//! request. Lambda around them is `local_cloud::runtime_api`.
//!
//! Each server listens on a loopback port of its own and is gone when its handle is dropped. Nothing here
//! knows our other crates: what is tested is what goes over the wire.
#![expect(clippy::missing_panics_doc, reason = "test support: a panic is how a test hears of it")]

mod bluesky_stand_in;
mod calls;
mod clock;
mod foreign;
mod mastodon_stand_in;
mod meter;
mod pictures;
mod proxy;
mod refusing_bus;
mod server;
mod x_stand_in;

pub use bluesky_stand_in::{
    BLUESKY_TOKENS_BEGIN, Bluesky, BlueskyMisbehave, BlueskyRecord, BlueskyStatus,
};
pub use calls::Calls;
pub use clock::Clock;
pub use foreign::{Foreign, ForeignBody};
pub use mastodon_stand_in::{
    Endpoint, Listed, Mastodon, MastodonPicture, MastodonPost, MastodonProfile,
    Misbehave as MastodonMisbehave,
};
pub use meter::{Meter, Metered};
pub use pictures::png;
pub use proxy::{CrashPlan, CrashProxy, Cut};
pub use refusing_bus::RefusingBus;
pub use x_stand_in::{
    Billed, Misbehave, Operation, Person, Shown, Tokens, Trouble, X, XPicture, XPost, XProfile,
};
