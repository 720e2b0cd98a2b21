//! Slack on this machine: people and rooms in memory, the Web API that apps call, what Slack sends them when people type
//! and press, and how it all looks in a browser and in a terminal.
//!
//! Begin at [`workspace`] (what is there) and [`sender`] (what people do). Knows the app by its name and how one speaks
//! to it, and nothing of templates, tables or AWS; whoever starts it says in which words people find it.

pub mod desk;
mod limits;
pub mod mrkdwn;
pub mod sender;
pub mod try_page;
pub mod view;
mod web_api;
pub mod workspace;
