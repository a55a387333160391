//! Signals: the first asks the run to stop at a safe point, the second ends the process. The journal
//! has all that is needed to go on in another one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal};
use tokio::sync::Notify;

use crate::error::Signal;

/// Whether a signal came, and which.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    received: Arc<AtomicU8>,
    arrived: Arc<Notify>,
}

impl Interrupt {
    /// Listens for SIGINT, SIGTERM and SIGHUP from now on.
    ///
    /// # Errors
    ///
    /// The operating system refuses.
    pub fn listen(runtime: &Runtime) -> std::io::Result<Self> {
        let interrupt = Self::default();
        let _guard = runtime.enter();
        for (kind, which) in [
            (SignalKind::interrupt(), Signal::Interrupt),
            (SignalKind::terminate(), Signal::Terminate),
            (SignalKind::hangup(), Signal::Hangup),
        ] {
            let stream = signal(kind)?;
            runtime.spawn(interrupt.clone().watch(stream, which));
        }
        Ok(interrupt)
    }

    async fn watch(self, mut stream: Stream, which: Signal) {
        while stream.recv().await.is_some() {
            let code = which.exit_code();
            let first =
                self.received.compare_exchange(0, code, Ordering::SeqCst, Ordering::SeqCst).is_ok();
            if !first {
                // The journal is flushed record by record, so there is nothing left to write. A
                // question may be waiting for a key.
                let _ = crossterm::terminal::disable_raw_mode();
                std::process::exit(i32::from(code));
            }
            self.arrived.notify_waiters();
        }
    }

    /// Returns the signal that came.
    #[must_use]
    pub fn received(&self) -> Option<Signal> {
        [Signal::Interrupt, Signal::Terminate, Signal::Hangup]
            .into_iter()
            .find(|signal| signal.exit_code() == self.received.load(Ordering::SeqCst))
    }

    /// Waits until a signal comes.
    pub async fn arrival(&self) {
        let arrived = self.arrived.notified();
        if self.received().is_none() {
            arrived.await;
        }
    }
}
