//! The stand-ins of the end-to-end tests: Lambda around our functions, X before them, and a proxy that
//! cuts a flow at a chosen request.
//!
//! Each server listens on a loopback port of its own and is gone when its handle is dropped. Nothing here
//! knows our other crates: what is tested is what goes over the wire.
#![expect(clippy::missing_panics_doc, reason = "test support: a panic is how a test hears of it")]

mod clock;
mod proxy;
mod runtime_api;
mod server;
mod x_stand_in;

pub use proxy::{CrashPlan, CrashProxy, Cut};
pub use runtime_api::{Answer, FunctionProcess, Invocation, RuntimeApi};
pub use x_stand_in::{Misbehave, X, XPost};
