//! Asks whoever sits at the terminal for something short, or reads it from whatever stands in their place.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::SecretString;

use crate::{refusal::refuse, terminal::harmless};

/// Longer than any key, PIN or name.
const LONGEST: u64 = 4_000;

/// Whether what is typed is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    Yes,
    No,
}

/// Says something while a command goes on. Not on standard output, which may be read by a program.
pub(crate) fn tell(text: &str) -> io::Result<()> {
    writeln!(io::stderr(), "{}", harmless(text))
}

/// Asks `question` and reads a line, without what is around it. `None`: there is no more to read.
pub(crate) fn ask(question: &str, shown: Shown) -> anyhow::Result<Option<SecretString>> {
    let mut to = io::stderr();
    write!(to, "{} ", harmless(question))?;
    to.flush()?;
    let _unseen = match shown {
        Shown::Yes => None,
        Shown::No => Unseen::begin(),
    };
    let mut line = Vec::new();
    io::stdin().lock().take(LONGEST).read_until(b'\n', &mut line)?;
    if shown == Shown::No || !line.ends_with(b"\n") {
        // What comes next begins at the start of a line all the same.
        writeln!(to)?;
    }
    if line.is_empty() {
        return Ok(None);
    }
    let line = String::from_utf8(line).map_err(|_| refuse("what was typed is no text (UTF-8)"))?;
    Ok(Some(SecretString::from(line.trim())))
}

/// A terminal that does not show what is typed; it does again when this is dropped.
struct Unseen(Termios);

impl Unseen {
    /// `None`: there is no terminal.
    fn begin() -> Option<Self> {
        if !io::stdin().is_terminal() {
            return None;
        }
        let before = tcgetattr(io::stdin()).ok()?;
        let mut unseen = before.clone();
        unseen.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Now, &unseen).ok()?;
        Some(Self(before))
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        // A terminal that is gone shows nothing in any case.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}
