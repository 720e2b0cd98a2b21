//! Asks whoever sits at the terminal for something short, or reads it from whatever stands in their place.

use std::io::{self, BufRead, IsTerminal as _, Write as _};

use anyhow::bail;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use secrecy::SecretString;

use crate::{refusal::refuse, terminal::harmless};

/// So many bytes an answer may have: more than any key, PIN or name.
const LONGEST: usize = 4_000;

/// So many bytes are read until one ends.
const MOST_READ: usize = 1024 * 1024;

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
    let line = read_line(&mut io::stdin().lock())?;
    if shown == Shown::No || !line.ends_with(b"\n") {
        // What comes next begins at the start of a line all the same.
        writeln!(to)?;
    }
    if line.is_empty() || line.ends_with(&[INTERRUPT]) {
        return Ok(None);
    }
    if LONGEST < line.len() {
        return Err(refuse(format!(
            "what was typed is longer than any key, PIN or name ({LONGEST} bytes are the most), and was not taken"
        )));
    }
    let line = String::from_utf8(line).map_err(|_| refuse("what was typed is no text (UTF-8)"))?;
    Ok(Some(SecretString::from(line.trim())))
}

/// Ctrl-C, where it is read.
const INTERRUPT: u8 = 3;

/// A line, with what ends it: a line break, or Ctrl-C. All of it, however long: its end answers no other question.
fn read_line(from: &mut impl BufRead) -> anyhow::Result<Vec<u8>> {
    let mut line = Vec::new();
    loop {
        let there = from.fill_buf()?;
        let end = there.iter().position(|byte| [b'\n', INTERRUPT].contains(byte));
        let read = end.map_or(there.len(), |end| end + 1);
        line.extend(there.get(..read).into_iter().flatten());
        from.consume(read);
        if read == 0 || end.is_some() {
            return Ok(line);
        }
        if MOST_READ < line.len() {
            bail!("what is typed has no end: no line break in {MOST_READ} bytes");
        }
    }
}

/// A terminal that does not show what is typed; it does again when this is dropped. So that Ctrl-C does not leave it so, that is
/// read like what is typed, and ends the line.
struct Unseen(Termios);

impl Unseen {
    /// `None`: there is no terminal.
    fn begin() -> Option<Self> {
        if !io::stdin().is_terminal() {
            return None;
        }
        let before = tcgetattr(io::stdin()).ok()?;
        let mut unseen = before.clone();
        unseen.local_modes.remove(LocalModes::ECHO | LocalModes::ISIG);
        unseen.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT;
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
