//! The task that publishes what a worker says about itself into the sink of its own flow, beside the loop and never in
//! its way.

use std::future::Future;

use chrono::{DateTime, Utc};
use instashop_core::view::SourceHealth;
use instashop_store::StoreError;
use tokio::sync::watch;

use super::engine::Report;
use crate::shutdown::Shutdown;

/// What the owner of `transaction` 0 has seen of the world around the flow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watched {
    /// The sources: database, slot, connector, heartbeat.
    pub sources: Vec<SourceHealth>,
    /// Brokers that answered and brokers known.
    pub brokers: Option<(u32, u32)>,
}

/// A place where a flow publishes its health: Redis for the live flow, the warehouse for the other.
pub trait Publish: Send {
    /// Publishes; `watched` is there for the worker that watches the sources and for no other.
    fn publish(
        &mut self,
        report: &Report,
        watched: Option<&Watched>,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Publishes each new report until the loop has ended, its last word included.
pub(super) async fn publish<P: Publish>(
    mut publisher: P,
    mut reports: watch::Receiver<Report>,
    watched: watch::Receiver<Watched>,
    shutdown: Shutdown,
) {
    let mut failing = false;
    loop {
        // The sender is dropped when the loop has ended; its last report was seen before.
        if reports.changed().await.is_err() {
            return;
        }
        let report = reports.borrow_and_update().clone();
        let seen = report.watches.then(|| watched.borrow().clone());
        match publisher.publish(&report, seen.as_ref(), Utc::now()).await {
            Ok(()) => failing = false,
            // The loop says that the sink is away; here once is enough.
            Err(error) if failing || shutdown.is_triggered() => {
                tracing::debug!("health not published: {error}");
            }
            Err(error) => {
                failing = true;
                tracing::warn!("health not published: {error}");
            }
        }
    }
}
