//! The `flockwork` command: runs template.yaml on one machine, and is the operator's tool.
//!
//! It is a library too, so that tests and benchmarks start the same local cloud.

pub mod account;
mod ask;
pub mod audit;
pub mod cli;
pub mod command;
pub mod connect;
pub mod data_dir;
pub mod dispatch;
pub mod environment;
mod files;
pub mod flock_file;
pub mod functions;
mod interrupt;
pub mod local_cloud;
pub mod local_secrets;
pub mod local_slack;
pub mod local_table;
pub mod loopback;
pub mod machine;
pub mod mrkdwn;
pub mod operator;
pub mod page;
pub mod program;
pub mod refusal;
pub mod routes;
pub mod run;
pub mod runtime_api;
pub mod schedule;
mod serve;
pub mod show;
pub mod slack;
pub mod slack_desk;
pub mod slack_limits;
pub mod slack_sender;
pub mod slack_view;
pub mod streams;
pub mod template;
mod timetable;
mod try_page;
pub mod yaml;
