//! Shows what is longer than the screen page by page, by a program that whoever is at the terminal chooses.

use std::{
    env,
    io::{self, Read as _, Write as _},
    process::Command,
    thread,
};

use tokio::signal::unix::{SignalKind, signal};

/// Shows the text and waits until it is read. Whether there was a pager that read any of it: one that is not there, or fails before
/// that, has shown nothing.
pub(crate) fn show(text: &str) -> io::Result<bool> {
    let Some(mut command) = chosen() else { return Ok(false) };
    // Ctrl-C is for the pager: whoever started it must not be gone while it has the terminal.
    let _heard = signal(SignalKind::interrupt())?;
    let (mut unread, mut end) = io::pipe()?;
    let pager = command.stdin(unread.try_clone()?).spawn();
    // It has an end of the pipe, too.
    drop(command);
    let Ok(mut pager) = pager else { return Ok(false) };
    thread::scope(move |scope| {
        // Whatever is not read by the pager is read here, so that this comes to its end.
        scope.spawn(move || end.write_all(text.as_bytes()));
        // What it says of itself when it ends is its own affair, as in git: it is closed early, too.
        pager.wait()?;
        let mut left = Vec::new();
        unread.read_to_end(&mut left)?;
        Ok(left.len() < text.len())
    })
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
