//! The `flockwork` command: runs template.yaml on one machine, and is the operator's tool.
//!
//! It is a library too, so that tests do what the command does. AWS on this machine is in `local-cloud`, Slack in
//! `local-slack`.

pub mod account;
mod ask;
mod check;
mod checkup;
pub mod cli;
pub mod command;
pub mod connect;
pub mod data_dir;
mod deployed;
mod do_for;
mod doctor;
mod entered;
pub mod environment;
mod feed;
mod files;
pub mod flock_file;
pub mod functions;
mod import;
mod init;
mod interrupt;
mod job;
pub mod local_secrets;
mod login;
pub mod machine;
pub mod operator;
pub mod page;
mod pager;
mod preview;
mod prompt;
mod queue;
pub mod refusal;
mod ring;
mod rotate;
pub mod run;
mod safeguards;
mod screen;
mod shell;
pub mod show;
mod sign_in;
mod silence;
pub mod slack;
mod stack;
pub mod streams;
mod table;
pub mod terminal;
mod walk;
mod wipe;
