//! End to end: real events in, embedded DynamoDB and stateful stand-ins around.

mod crash;
mod failures;
mod posting;
mod process;
mod template;
mod world;
