//! The task that publishes what a worker says about itself into the sink of its own flow, beside the loop and never in
//! its way.

use std::future::Future;

use chrono::{DateTime, Utc};
use instashop_core::view::{Rebuild, SourceHealth};
use instashop_store::StoreError;
use instashop_store::live::{self, Bulletin, LivePublisher};
use instashop_store::warehouse::WarehouseSink;
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

impl Publish for LivePublisher {
    async fn publish(
        &mut self,
        report: &Report,
        watched: Option<&Watched>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let bulletin = Bulletin {
            worker: &report.health,
            rebuild: report.rebuild.map(|(since, percent)| Rebuild {
                since,
                percent,
                remaining_s: remaining(since, percent, now),
            }),
            watched: watched.map(|watched| live::Watched {
                sources: &watched.sources,
                brokers: watched.brokers,
            }),
        };
        Self::publish(self, &bulletin, now).await
    }
}

impl Publish for WarehouseSink {
    async fn publish(
        &mut self,
        report: &Report,
        watched: Option<&Watched>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let sources = watched.map_or(&[][..], |watched| &watched.sources);
        let brokers = watched.and_then(|watched| watched.brokers);
        Self::publish(self, &report.health, sources, brokers, now).await
    }
}

/// Seconds that a rebuild may still take if it goes on as it did; `None` while too little is done to say.
fn remaining(since: DateTime<Utc>, percent: u8, now: DateTime<Utc>) -> Option<u64> {
    let elapsed = u64::try_from((now - since).num_seconds()).ok()?;
    let done = u64::from(percent);
    (done >= 5).then(|| elapsed * (100 - done.min(100)) / done)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_a_rebuild_is_estimated_once_something_is_done() {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        assert_eq!(remaining(at(0), 0, at(10)), None);
        assert_eq!(remaining(at(0), 25, at(10)), Some(30));
        assert_eq!(remaining(at(0), 99, at(10)), Some(0));
        assert_eq!(remaining(at(10), 50, at(0)), None, "the clock was set back");
    }
}
