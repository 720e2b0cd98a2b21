//! The `flockwork` command, used as a person uses it: through its command line, its files and its page.

mod accounts;
mod flocks;
mod help;
mod posts;
mod refusals;
mod running;
mod truth;
mod world;
