//! End to end: real events in, embedded DynamoDB and stateful stand-ins around.

#![expect(clippy::unwrap_used, reason = "a failure here is a test failure")]

mod acts;
mod aside;
mod bluesky;
mod bus;
mod checking;
mod costs;
mod crash;
mod drawn;
mod earlier;
mod edits;
mod failures;
mod files;
mod flocks;
mod habits;
mod iam;
mod jobs;
mod kinds;
mod mastodon;
mod near;
mod numbers;
mod policy;
mod posting;
mod process;
mod queue;
mod repeats;
mod rotation;
mod signing_in;
mod slack;
mod slash_answers;
mod slash_door;
mod slash_flock;
mod slash_lines;
mod slash_notices;
mod slash_process;
mod slash_queue;
mod slash_rooms;
mod slash_system;
mod spending;
mod template;
mod threads;
mod units;
mod why;
mod world;
mod x;
