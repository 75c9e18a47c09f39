//! How a program is asked to stop: one token for all tasks, and the two signals that cancel it.

use tokio_util::sync::CancellationToken;

/// Asks every part of the program to stop. Clones share one state.
///
/// The first SIGTERM or SIGINT cancels it; a flow then finishes the batch in flight, leaves its consumer group and ends
/// with exit code 0 (docs: reliability I11). The second signal ends the process at once with exit code 130 or 143, which
/// loses nothing either: data and checkpoint move in one atomic write.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    token: CancellationToken,
}

impl Shutdown {
    /// A shutdown that only [`Shutdown::trigger`] causes: for tests and for parts that are stopped by their caller.
    pub fn new() -> Self {
        Self::default()
    }

    /// A shutdown caused by the first SIGTERM or SIGINT of the process; call it once, inside the Tokio runtime.
    pub fn on_signals() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let shutdown = Self::new();
        let token = shutdown.token.clone();
        tokio::spawn(async move {
            loop {
                let code = tokio::select! {
                    _ = terminate.recv() => 143,
                    _ = interrupt.recv() => 130,
                };
                if token.is_cancelled() {
                    tracing::warn!("second signal: ending at once");
                    std::process::exit(code);
                }
                tracing::info!("signal received: finishing the batch in flight, then stopping");
                token.cancel();
            }
        });
        Ok(shutdown)
    }

    /// Asks to stop.
    pub fn trigger(&self) {
        self.token.cancel();
    }

    /// True once a stop was asked for.
    pub fn is_triggered(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Waits until a stop is asked for; returns at once if it was already.
    pub async fn triggered(&self) {
        self.token.cancelled().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn clones_share_one_state() {
        let shutdown = Shutdown::new();
        let clone = shutdown.clone();
        assert!(!clone.is_triggered());
        shutdown.trigger();
        clone.triggered().await;
        assert!(clone.is_triggered());
    }
}
