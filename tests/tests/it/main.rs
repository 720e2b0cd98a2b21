//! End to end: real events in, embedded DynamoDB and stateful stand-ins around.

#![expect(clippy::unwrap_used, reason = "a failure here is a test failure")]

mod crash;
mod failures;
mod posting;
mod process;
mod template;
mod world;
