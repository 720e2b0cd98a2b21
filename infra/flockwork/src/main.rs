//! The `flockwork` command.

use std::{io, process::ExitCode};

use clap::Parser as _;
use flockwork::{
    cli::Cli,
    command,
    refusal::Refusal,
    streams::{LOG, Log},
};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

#[tokio::main]
async fn main() -> ExitCode {
    // What the functions log is for the cloud; here the terminal says it in words, unless RUST_LOG asks.
    tracing_subscriber::registry()
        .with(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("off")))
        .with(fmt::layer().with_writer(|| Log))
        .init();
    // Boxed, because what all commands need together is large.
    let done = Box::pin(command::execute(Cli::parse())).await;
    // What is left of a log that nobody reads is no reason to fail.
    let _ = LOG.drain().await;
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) if is_broken_pipe(&err) => ExitCode::SUCCESS,
        Err(err) => {
            eprintln!("error: {err:#}");
            ExitCode::from(if err.is::<Refusal>() { 2 } else { 1 })
        }
    }
}

/// Whoever read our output has enough, as in `flockwork posts | head`.
fn is_broken_pipe(err: &anyhow::Error) -> bool {
    err.downcast_ref::<io::Error>().is_some_and(|err| err.kind() == io::ErrorKind::BrokenPipe)
}
