//! How a run is ended from outside: Ctrl-C and SIGTERM, heeded whatever the run is doing.
//!
//! They are waited for on a thread of their own, because all others may be busy or stuck. Whoever does not end in
//! time is ended, with the programs that were started, and leaves what a crash leaves: that the next start goes on
//! from there is true of any moment. A second signal does not wait.

use std::{
    io::{self, Write as _},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use local_cloud::kill_programs;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

/// How long a run may take to end by itself.
const GRACE: Duration = Duration::from_secs(3);

/// How long the last words may take: their reader may be stuck, too.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// What a shell calls the end by SIGINT and by SIGTERM: 128 and the number of the signal.
const INTERRUPTED: i32 = 130;
const TERMINATED: i32 = 143;

/// Hears of Ctrl-C and SIGTERM from now on.
#[derive(Debug)]
pub(crate) struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// Begins to listen.
    pub(crate) fn listen() -> io::Result<Self> {
        let (asked, asks) = watch::channel(false);
        let (ready, is_ready) = mpsc::channel();
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            // Whoever started this waits for the answer.
            match runtime {
                Ok(runtime) => runtime.block_on(heed(&ready, &asked)),
                Err(err) => drop(ready.send(Err(err))),
            }
        })?;
        is_ready.recv().map_err(io::Error::other)??;
        Ok(Self(asks))
    }

    /// Everything has ended: who does not wait for the last words leaves nothing in the middle of something.
    pub(crate) fn has_ended() {
        ENDED.store(true, Ordering::Relaxed);
    }

    /// Waits for the first signal.
    pub(crate) async fn asked(&mut self) {
        if self.0.wait_for(|asked| *asked).await.is_err() {
            // Nobody listens any more: then none comes.
            std::future::pending::<()>().await;
        }
    }
}

/// Whether everything has ended but what is still to be read of it.
static ENDED: AtomicBool = AtomicBool::new(false);

async fn heed(ready: &mpsc::Sender<io::Result<()>>, asked: &watch::Sender<bool>) {
    let signals = signal(SignalKind::interrupt())
        .and_then(|interrupt| Ok((interrupt, signal(SignalKind::terminate())?)));
    let (mut interrupt, mut terminate) = match signals {
        Ok(signals) => signals,
        Err(err) => return drop(ready.send(Err(err))),
    };
    drop(ready.send(Ok(())));
    let code = tokio::select! {
        _ = interrupt.recv() => INTERRUPTED,
        _ = terminate.recv() => TERMINATED,
    };
    asked.send_replace(true);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = tokio::time::sleep(GRACE) => {}
    }
    kill_programs();
    if ENDED.load(Ordering::Relaxed) {
        // Only what it has said is not read yet.
        std::process::exit(0);
    }
    thread::spawn(|| {
        // Whoever cannot be told has the exit code.
        let said = "Stopped in the middle of something; the next start goes on from there.";
        let _ = writeln!(io::stderr(), "{said}");
    });
    tokio::time::sleep(LAST_WORDS).await;
    std::process::exit(code)
}
