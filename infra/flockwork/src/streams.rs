//! What a process that goes on for long says on its standard streams. Whoever reads them may stop at any moment and for
//! ever - Ctrl-S in a terminal, a pager at its first page - and nothing else is to wait for that: a thread for each
//! stream writes, and what it has not written yet waits, up to a limit.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, ErrorKind, Write},
    os::fd::AsFd as _,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use flock_core::count;
use tokio::sync::Notify;

/// So many bytes wait to be written: some thousands of lines.
const MOST_WAITING: usize = 256 * 1024;

/// At the end, who has taken nothing for so long is not waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// When to try again where another process has made the stream one that does not wait.
const AGAIN: Duration = Duration::from_millis(20);

/// Standard output.
pub(crate) static OUT: Outlet = Outlet {
    name: "standard output",
    open: || io::stdout().as_fd().try_clone_to_owned().map(File::from),
    left_out: "`flockwork posts` lists what was posted",
    outlasts_full_disks: false,
    state: Mutex::new(State::NEW),
    something: Condvar::new(),
    progress: Notify::const_new(),
};

/// Standard error, for what goes on beside a run: its log, and what programs write.
pub(crate) static LOG: Outlet = Outlet {
    name: "standard error",
    open: || io::stderr().as_fd().try_clone_to_owned().map(File::from),
    left_out: "with 2> FILE none are",
    outlasts_full_disks: true,
    state: Mutex::new(State::NEW),
    something: Condvar::new(),
    progress: Notify::const_new(),
};

/// A stream and what waits to be written to it.
#[derive(Debug)]
pub(crate) struct Outlet {
    name: &'static str,
    open: fn() -> io::Result<File>,
    // What else there is of lines that are left out.
    left_out: &'static str,
    // Whether it goes on when its file has room again. Who follows a run shall know that nothing more is told.
    outlasts_full_disks: bool,
    state: Mutex<State>,
    // For the thread: there is something to write.
    something: Condvar,
    // For everybody else: something was written, or nothing will be any more.
    progress: Notify,
}

#[derive(Debug)]
struct State {
    waiting: VecDeque<Vec<u8>>,
    // All that waits.
    bytes: usize,
    // Lines that had no room. As long as there are any, none is taken: all are missing in one place.
    left_out: u64,
    is_begun: bool,
    is_writing: bool,
    failure: Option<(ErrorKind, String)>,
}

impl State {
    const NEW: Self = Self {
        waiting: VecDeque::new(),
        bytes: 0,
        left_out: 0,
        is_begun: false,
        is_writing: false,
        failure: None,
    };

    /// Fails as writing did.
    fn check(&self) -> io::Result<()> {
        self.failure.as_ref().map_or(Ok(()), |(kind, what)| Err(io::Error::new(*kind, &**what)))
    }
}

impl Outlet {
    /// Says a line, now or later. Fails once nobody reads any more.
    pub(crate) fn say(&'static self, line: &str) -> io::Result<()> {
        self.put(format!("{line}\n").into_bytes())
    }

    /// Takes some lines, or a part of one.
    pub(crate) fn put(&'static self, text: Vec<u8>) -> io::Result<()> {
        let mut state = self.lock();
        state.check()?;
        if !state.is_begun {
            thread::Builder::new().name(self.name.to_owned()).spawn(|| self.write())?;
            state.is_begun = true;
        }
        let is_full = !state.waiting.is_empty() && MOST_WAITING < state.bytes + text.len();
        if is_full || 0 < state.left_out {
            state.left_out += lines_in(&text);
        } else {
            state.bytes += text.len();
            state.waiting.push_back(text);
            self.something.notify_one();
        }
        Ok(())
    }

    /// Waits until all is written, or its reader takes nothing any more. Fails where it could not be written.
    pub(crate) async fn drain(&self) -> io::Result<()> {
        loop {
            let progress = self.progress.notified();
            if self.is_drained()? || tokio::time::timeout(PATIENCE, progress).await.is_err() {
                return Ok(());
            }
        }
    }

    /// Waits until nobody reads any more, and says how that is known.
    pub(crate) async fn broken(&self) -> io::Error {
        loop {
            let progress = self.progress.notified();
            if let Err(err) = self.is_drained() {
                return err;
            }
            progress.await;
        }
    }

    fn is_drained(&self) -> io::Result<bool> {
        let state = self.lock();
        state.check()?;
        Ok(state.waiting.is_empty() && state.left_out == 0 && !state.is_writing)
    }

    /// Writes what comes, as long as somebody takes it.
    fn write(&self) {
        let mut file = (self.open)();
        loop {
            let text = self.next();
            let written = match &mut file {
                Ok(file) => write_all(file, &text),
                Err(err) => Err(io::Error::new(err.kind(), err.to_string())),
            };
            let mut state = self.lock();
            state.is_writing = false;
            let is_full = |err: &io::Error| {
                self.outlasts_full_disks
                    && matches!(err.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
            };
            let has_ended = match written {
                Ok(()) => false,
                Err(err) if is_full(&err) => {
                    state.left_out += lines_in(&text);
                    drop(state);
                    thread::sleep(PATIENCE);
                    self.progress.notify_waiters();
                    continue;
                }
                Err(err) => {
                    state.failure = Some((err.kind(), err.to_string()));
                    state.waiting.clear();
                    true
                }
            };
            drop(state);
            self.progress.notify_waiters();
            if has_ended {
                return;
            }
        }
    }

    /// Waits for what is to be written next.
    fn next(&self) -> Vec<u8> {
        let mut state = self.lock();
        loop {
            let text = match state.waiting.pop_front() {
                Some(text) => {
                    state.bytes -= text.len();
                    Some(text)
                }
                None => match std::mem::take(&mut state.left_out) {
                    0 => None,
                    lines => Some(self.told_of(lines)),
                },
            };
            if let Some(text) = text {
                state.is_writing = true;
                return text;
            }
            state = self.something.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn told_of(&self, lines: u64) -> Vec<u8> {
        let (are, lines) = (if lines == 1 { "is" } else { "are" }, count(lines, "line"));
        let what = self.left_out;
        format!("({lines} {are} left out here, because nobody read them; {what})\n").into_bytes()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lines_in(text: &[u8]) -> u64 {
    let lines = text.split_inclusive(|byte| *byte == b'\n').count();
    u64::try_from(lines).unwrap_or(u64::MAX)
}

/// Writes to a stream that waits, or to one that does not.
fn write_all(file: &mut File, mut text: &[u8]) -> io::Result<()> {
    while !text.is_empty() {
        match file.write(text) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(length) => text = text.get(length..).unwrap_or_default(),
            Err(err) if err.kind() == ErrorKind::Interrupted => {}
            Err(err) if err.kind() == ErrorKind::WouldBlock => thread::sleep(AGAIN),
            Err(err) => return Err(err),
        }
    }
    Ok(())
}

/// Writes to standard error by a thread of its own. Whether anybody reads a log is nobody else's business.
#[derive(Debug, Clone, Copy)]
pub struct Log;

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        // Nobody may be reading any more.
        let _ = LOG.put(text.to_vec());
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
