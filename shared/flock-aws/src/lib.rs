//! AWS at the edge: settings, clients, HTTPS, the clock, the event bus and the secrets. The only crate
//! that reads the environment or the time.

mod bus;
mod client;
mod clock;
mod function;
mod https;
mod process;
mod secrets;
mod settings;
mod wire;

pub use aws_config::SdkConfig;
pub use bus::{BusError, EventBus};
pub use client::{load, local, of_environment};
pub use clock::Clock;
pub use function::Function;
pub use https::{CaBundleError, https};
pub use process::process_id;
pub use secrets::{Keyring, KeyringError, SecretError, Secrets, random_token};
pub use settings::{ConfigError, Lookup, Reader, from_env, from_lookup};
pub use tokio::time::Instant;
pub use wire::{Answering, Unanswered, Wire};
