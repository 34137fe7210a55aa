//! SIGINT and SIGTERM, as two tokens: the first signal asks to stop, the second to hurry. A third ends the process.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What the operating system wants of us.
#[derive(Clone, Default)]
pub struct Signals {
    pub stop: CancellationToken,
    pub hurry: CancellationToken,
}

impl Signals {
    /// Takes over both signals, from now on to the end of the process.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn install() -> io::Result<Self> {
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let signals = Self::default();
        let told = signals.clone();
        tokio::spawn(async move {
            for stage in [&told.stop, &told.hurry] {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                stage.cancel();
            }
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            std::process::exit(130);
        });
        Ok(signals)
    }
}
