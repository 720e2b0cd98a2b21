//! The `flockwork` command, used as a person uses it: through its command line, its files and its page.
#![expect(clippy::unwrap_used, reason = "a failure here is a test failure")]

mod accounts;
mod act_for;
mod alike;
mod asking;
mod audit;
mod aws;
mod bounds;
mod connecting;
mod deployment;
mod dew;
mod directory;
mod edits;
mod first_steps;
mod flocks;
mod help;
mod moving;
mod networks;
mod ports;
mod posts;
mod programs;
mod queue;
mod readme;
mod refusals;
mod rehearse;
mod rights;
mod ring;
mod running;
mod secrets;
mod slack;
mod spending;
mod terminal;
mod threads;
mod truth;
mod wipe;
mod world;
