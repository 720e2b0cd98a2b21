//! Shows what is longer than the screen page by page, by a program that whoever is at the terminal chooses.

use std::{
    env,
    io::{self, ErrorKind, Write as _},
    process::{Command, Stdio},
};

use tokio::signal::unix::{SignalKind, signal};

/// What a shell says of a program that is not there or cannot be run (POSIX, "Shell Command Language", 2.8.2).
const NO_PROGRAM: [i32; 2] = [126, 127];

/// Shows the text and waits until it is read. Whether there was a pager.
pub(crate) fn show(text: &str) -> io::Result<bool> {
    let Some(mut command) = chosen() else { return Ok(false) };
    // Ctrl-C is for the pager: whoever started it must not be gone while it has the terminal.
    let _heard = signal(SignalKind::interrupt())?;
    let Ok(mut pager) = command.stdin(Stdio::piped()).spawn() else { return Ok(false) };
    let written = pager.stdin.take().map_or(Ok(()), |mut pager| pager.write_all(text.as_bytes()));
    let ended = pager.wait()?;
    match written {
        _ if ended.code().is_some_and(|code| NO_PROGRAM.contains(&code)) => Ok(false),
        // Whoever closes it early has read enough.
        Err(err) if err.kind() != ErrorKind::BrokenPipe => Err(err),
        Ok(()) | Err(_) => Ok(true),
    }
}

/// As git and gh choose it: none where the variable is empty or `cat`.
fn chosen() -> Option<Command> {
    let said = ["FLOCKWORK_PAGER", "PAGER"].iter().find_map(env::var_os);
    let mut command = match said {
        Some(said) if said.is_empty() || said == "cat" => return None,
        Some(said) => {
            let mut shell = Command::new("/bin/sh");
            shell.arg("-c").arg(said);
            shell
        }
        // It would ask to go on without what it needs.
        None if env::var_os("TERM").is_none_or(|term| term == "dumb") => return None,
        None => {
            let mut less = Command::new("less");
            less.arg("-FRX");
            less
        }
    };
    // Colours are shown, and it ends by itself where all is seen.
    if env::var_os("LESS").is_none() {
        command.env("LESS", "FRX");
    }
    Some(command)
}
