//! The `flockwork` command.

use std::{
    env,
    io::{self, Write as _},
    process::ExitCode,
};

use clap::Parser as _;
use flockwork::{
    cli::{Cli, Command},
    command,
    refusal::refused,
    streams::Log,
    terminal::{self, Paint},
};
use tracing_subscriber::{
    EnvFilter,
    fmt::{self, writer::BoxMakeWriter},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    terminal::choose_colours(terminal::colours_asked(arguments));
    let cli = Cli::parse();
    terminal::choose_colours(cli.look.color);
    let place = cli.place.clone();
    // A run goes on whether its log is read or not; what other commands log is to be had whole.
    let log = match &cli.command {
        None | Some(Command::Run(_)) => BoxMakeWriter::new(|| Log),
        Some(_) => BoxMakeWriter::new(io::stderr),
    };
    // What the functions log is for the cloud; here the terminal says it in words, unless RUST_LOG asks.
    tracing_subscriber::registry()
        .with(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("off")))
        .with(fmt::layer().with_writer(log))
        .init();
    // Boxed, because what all commands need together is large.
    match Box::pin(command::execute(cli)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) if is_broken_pipe(&err) => ExitCode::SUCCESS,
        Err(err) => {
            let (text, code) = match refused(&err, &place) {
                Some(text) => (text, 2),
                None => (format!("{err:#}"), 1),
            };
            // Where nobody can be told, the exit code tells.
            let _ = writeln!(io::stderr(), "{}", Paint::stderr().error(&text));
            ExitCode::from(code)
        }
    }
}

/// Whoever read our output has enough, as in `flockwork posts | head`.
fn is_broken_pipe(err: &anyhow::Error) -> bool {
    err.downcast_ref::<io::Error>().is_some_and(|err| err.kind() == io::ErrorKind::BrokenPipe)
}
