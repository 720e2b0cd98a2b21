//! AWS at the edge: configuration, clients, HTTPS, the clock, the event bus and the secrets. The only crate
//! that reads the environment or the time.

mod bus;
mod client;
mod clock;
mod config;
mod https;
mod process;
mod secrets;

pub use aws_config::SdkConfig;
pub use bus::{BusError, EventBus};
pub use client::{load, local};
pub use clock::Clock;
pub use config::{Config, ConfigError};
pub use https::{CaBundleError, https};
pub use process::process_id;
pub use secrets::{Keyring, KeyringError, SecretError, Secrets};
