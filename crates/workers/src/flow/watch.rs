//! The watch over what feeds the flows: connectors, slots, heartbeats, brokers. It runs in a task of its own, on the
//! worker that owns `transaction` 0, and never delays the loop.

use std::time::Duration;

use chrono::Utc;
use futures::future::join_all;
use instashop_core::config::Config;
use instashop_core::table::SourceDb;
use instashop_core::view::{ConnectorHealth, SourceHealth};
use instashop_store::StoreError;
use instashop_store::source::{SlotState, SlotWatch};
use tokio::sync::watch;

use super::Flow;
use super::connectors::{Connectors, has_failed};
use super::engine::Report;
use super::publisher::Watched;
use super::restarts::{Restarts, Verdict};
use super::snapshots::Snapshots;
use crate::cli::exit::sentence;
use crate::kafka;
use crate::shutdown::Shutdown;
use crate::sweep;

/// Watches until the program stops.
pub(super) async fn watch(
    flow: Flow,
    config: Config,
    client: String,
    reports: watch::Receiver<Report>,
    watched: watch::Sender<Watched>,
    shutdown: Shutdown,
) {
    let connectors = match Connectors::new(&config) {
        Ok(connectors) => connectors,
        Err(error) => {
            tracing::error!("connectors cannot be watched: {error}");
            return;
        }
    };
    let mut slots = SourceDb::ALL.map(|source| SlotWatch::new(source, config.sources.get(source)));
    let mut restarts = Restarts::default();
    let mut snapshots = Snapshots::default();
    let mut brokers_known = config.kafka.brokers.split(',').count();
    let mut interval = tokio::time::interval(Duration::from_millis(config.flow.watch_ms));
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.triggered() => return,
            _ = interval.tick() => {}
        }
        if flow == Flow::Warehouse {
            let over = snapshots.over(&reports.borrow().snapshots, Utc::now());
            for source in over {
                tokio::spawn(sweep_after_snapshot(config.clone(), source));
            }
        }
        if !reports.borrow().watches {
            continue;
        }
        let (status, brokers, slots) = tokio::join!(
            connectors.status(),
            brokers(&config, &client),
            join_all(slots.iter_mut().map(SlotWatch::ask)),
        );
        if let Some(up) = brokers {
            brokers_known = brokers_known.max(up);
        }
        if flow == Flow::Warehouse
            && let Ok(status) = &status
        {
            restart(&connectors, &mut restarts, status).await;
        }
        let heartbeats = reports.borrow().heartbeats.clone();
        let sources = SourceDb::ALL
            .into_iter()
            .zip(slots)
            .map(|(source, slot)| SourceHealth {
                source: source.name().to_owned(),
                seen_at: Utc::now(),
                connector: connector(&status, source),
                heartbeat_at: heartbeats.get(source.prefix()).copied(),
                ..of_slot(slot)
            })
            .collect();
        watched.send_replace(Watched {
            sources,
            brokers: Some((
                u32::try_from(brokers.unwrap_or(0)).unwrap_or(u32::MAX),
                u32::try_from(brokers_known).unwrap_or(u32::MAX),
            )),
        });
    }
}

/// Removes what vanished from a source before it was read anew.
async fn sweep_after_snapshot(config: Config, source: SourceDb) {
    match Box::pin(sweep::after_snapshot(&config, source)).await {
        Ok(said) => tracing::info!("{said}"),
        Err(error) => tracing::warn!(
            "{} was read anew, and it could not be found out what had vanished from it: {error:#}. Run `instashop sweep`",
            source.name()
        ),
    }
}

/// What the source itself says.
fn of_slot(slot: Result<Option<SlotState>, StoreError>) -> SourceHealth {
    match slot {
        Err(error) => SourceHealth {
            error: sentence(&error),
            ..SourceHealth::default()
        },
        Ok(None) => SourceHealth {
            up: true,
            slot_active: Some(false),
            error: "there is no replication slot; its connector makes it when it first runs".into(),
            ..SourceHealth::default()
        },
        Ok(Some(slot)) => SourceHealth {
            up: true,
            slot_active: Some(slot.active),
            slot_lag_bytes: Some(slot.retained_bytes),
            error: if slot.wal_status == "lost" {
                "the replication slot is lost: changes are missing until a new snapshot is made".into()
            } else {
                String::new()
            },
            ..SourceHealth::default()
        },
    }
}

/// What Connect says about the connector of a source; the state is empty when Connect did not answer.
fn connector(
    status: &Result<std::collections::BTreeMap<String, ConnectorHealth>, String>,
    source: SourceDb,
) -> ConnectorHealth {
    match status {
        Ok(connectors) => connectors
            .iter()
            .find(|(name, _)| is_of(name, source))
            .map_or_else(
                || ConnectorHealth {
                    state: "MISSING".into(),
                    failure: "Connect has no such connector; run `instashop setup`".into(),
                    ..ConnectorHealth::default()
                },
                |(_, health)| health.clone(),
            ),
        Err(error) => ConnectorHealth {
            failure: error.clone(),
            ..ConnectorHealth::default()
        },
    }
}

/// Connectors are named after their source's prefix, with or without an ending.
fn is_of(connector: &str, source: SourceDb) -> bool {
    connector == source.prefix() || connector.strip_suffix("-connector") == Some(source.prefix())
}

async fn restart(
    connectors: &Connectors,
    restarts: &mut Restarts,
    status: &std::collections::BTreeMap<String, ConnectorHealth>,
) {
    for (name, health) in status {
        if !SourceDb::ALL.into_iter().any(|source| is_of(name, source)) {
            continue;
        }
        match restarts.look(name, has_failed(health), Utc::now()) {
            Verdict::Leave => {}
            Verdict::Restart(number) => {
                tracing::warn!(connector = %name, number, failure = %health.failure, "connector failed, starting it again");
                if let Err(error) = connectors.restart(name).await {
                    tracing::warn!("{error}");
                }
            }
            Verdict::GiveUp => tracing::error!(
                connector = %name,
                failure = %health.failure,
                "connector fails again and again; it is left alone now. Repair the cause and restart it in Connect"
            ),
        }
    }
}

/// Brokers that are alive, by the cluster's own word; `None` when none answers.
async fn brokers(config: &Config, client: &str) -> Option<usize> {
    let (config, client) = (config.clone(), client.to_owned());
    tokio::task::spawn_blocking(move || kafka::brokers(&config, &client))
        .await
        .ok()
        .flatten()
}
