//! One seed draws a world - flocks, rhythms, networks and how their servers are, what people do, and what goes wrong - and
//! the real handlers live in it, in simulated time and in one process. What must always be so is looked at all the way and
//! at the end; where it is not, the seed says it again.
//!
//! Begin at [`Scenario`] (what is drawn), [`run`] (how it goes) and `invariants` (what must always be so). A machine of
//! ours (`machine.rs`) is a clock and a way out; on that way stands everything that goes wrong (`weather.rs`). Behind it
//! is the world outside (`outside.rs`): the embedded DynamoDB and the stand-ins of the networks, of Slack and of AWS.
#![expect(clippy::missing_panics_doc, reason = "test support: a panic is how a test hears of it")]

mod digest;
mod fault;
mod invariants;
mod machine;
mod outside;
mod people;
mod platform;
mod scenario;
mod shrink;
mod steps;
mod table;
mod weather;
mod world;

pub use fault::{Fault, FaultKind, Service};
pub use invariants::Violation;
pub use scenario::{Act, Deed, Habits, Scenario, SheepPlan, kinds_of_faults};
pub use shrink::shrink;
pub use steps::Keep;
pub use world::{Failure, Summary, run};
