//! Slack is the control room: slash commands, mentions and buttons.
//!
//! `http.rs` takes what Slack sends and lets in only what Slack signed; `dispatch.rs` carries a command out
//! for whoever may; `commands/` holds the table of commands and one file for each of them.

mod addressed;
mod app;
mod call;
mod command;
mod commands;
mod dispatch;
mod event;
mod function;
mod http;
mod jobs;
mod notice;
mod page;
mod settings;
mod slack_secret;

pub use app::App;
pub use command::{Command, Group};
pub use commands::{Parsed, TABLE, parse, read};
pub use function::{SlashCommand, error_type};
pub use settings::Settings;
pub use slack_secret::{NoSlackSecret, SlackSecret};
