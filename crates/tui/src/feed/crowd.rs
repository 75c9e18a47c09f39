//! Many readers of Redis in one process: what as many dashboards on the Live tab ask, without their screens. It is how the
//! cost of two hundred of them is measured.

use std::time::Duration;

use futures::future::join_all;
use instashop_core::config::Config;
use serde::Serialize;
use tokio::sync::mpsc::channel;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Feed;
use crate::app::{Event, Wanted};
use crate::snapshot::{Body, StoreName};

/// What readers were told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Answers {
    /// Answers of both questions.
    pub answers: u64,
    /// Connections that were refused or lost.
    pub failures: u64,
    /// Longest time a reader had between two live answers, milliseconds.
    pub longest_gap_ms: u64,
}

/// Runs so many readers until told to stop.
pub async fn crowd(config: &Config, count: u32, wanted: &Wanted, stop: watch::Receiver<bool>) -> Answers {
    let readers = (0..count).map(|index| {
        let mut stop = stop.clone();
        async move {
            // Nobody opens two hundred dashboards in one moment.
            tokio::time::sleep(Duration::from_millis(u64::from(index) * 10)).await;
            let (sender, mut events) = channel(64);
            let feed = Feed::start_of(&[StoreName::Redis], config, wanted.clone(), &sender);
            drop(sender);
            let (mut told, mut last) = (Answers::default(), None::<Instant>);
            loop {
                let event = tokio::select! {
                    event = events.recv() => event,
                    _ = stop.wait_for(|stop| *stop) => None,
                };
                let Some(Event::Told(message)) = event else { break };
                match message.body {
                    Body::Asking => {}
                    Body::Down { .. } => told.failures += 1,
                    body => {
                        told.answers += 1;
                        if matches!(body, Body::Live(_)) {
                            let gap = last
                                .replace(Instant::now())
                                .map_or(0, |at| at.elapsed().as_millis());
                            told.longest_gap_ms = told.longest_gap_ms.max(gap as u64);
                        }
                    }
                }
            }
            drop(feed);
            told
        }
    });
    let told = join_all(readers).await;
    told.into_iter().fold(Answers::default(), |sum, one| Answers {
        answers: sum.answers + one.answers,
        failures: sum.failures + one.failures,
        longest_gap_ms: sum.longest_gap_ms.max(one.longest_gap_ms),
    })
}
