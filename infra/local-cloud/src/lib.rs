//! AWS on this machine, as far as template.yaml asks for it: the table, the bus, schedules, secrets, Lambda and API
//! Gateway, all on loopback.
//!
//! Begin at [`template`] (what is to run) and [`functions`] (what runs). Knows no function of ours, nothing of Slack, of
//! data directories or of who is at a terminal: it is given what is linked in, where things are kept and what people are
//! to be told.

mod children;
mod cron;
pub mod dispatch;
pub mod exposure;
pub mod functions;
pub mod gateway;
pub mod grants;
pub mod program;
pub mod runtime_api;
pub mod schedule;
pub mod services;
pub mod table;
pub mod template;
pub mod timetable;
pub mod yaml;

pub use children::kill_programs;
