//! What shells and `man` want to know of this command.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

use anyhow::Context as _;
use clap::{Command, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::Cli;

/// Prints the script that completes commands in `shell`.
pub(crate) fn completions(shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "flockwork", &mut script);
    io::stdout().write_all(&script)?;
    Ok(())
}

/// Writes a page for `man` for every command into `dir`.
pub(crate) fn man_pages(dir: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(dir)
        .and_then(|()| clap_mangen::generate_to(with_usage(Cli::command()), dir))
        .with_context(|| format!("cannot write manual pages into {}", dir.display()))
}

/// The command with the usage of its help on its page, and of all below it: options are listed there with their values.
fn with_usage(mut command: Command) -> Command {
    command.build();
    let usage = command.render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage).to_owned();
    command.mut_subcommands(with_usage).override_usage(usage)
}
