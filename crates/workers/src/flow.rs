//! The two flows: `instashop live` (changes into Redis) and `instashop warehouse` (changes into PostgreSQL).
//!
//! Both are the same loop ([`engine`]) over the same Kafka consumer and differ only in their sink. A flow needs its own
//! sink and Kafka and nothing else: with the other sink away it goes on (docs: reliability 2, point 1).

pub(crate) mod backoff;
mod connectors;
mod counters;
pub mod engine;
mod inbox;
pub mod publisher;
mod restarts;
mod snapshots;
#[cfg(test)]
mod tests;
mod watch;
pub mod worker;

use std::fmt;
use std::process::ExitCode;

use color_eyre::eyre::Result;
use instashop_core::breaker::Tripped;
use instashop_core::config::Config;
use instashop_store::live::{LivePublisher, LiveSink};
use instashop_store::warehouse::WarehouseSink;
use instashop_store::{StoreError, fail_point};
use serde::{Deserialize, Serialize};

use crate::cli::exit::{Exit, Failure};
use crate::kafka::KafkaFailure;
use crate::shutdown::Shutdown;

/// Which flow a worker belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flow {
    /// Changes into Redis.
    Live,
    /// Changes into the warehouse.
    Warehouse,
}

impl Flow {
    /// Name of the flow.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Warehouse => "warehouse",
        }
    }

    /// What the flow writes to, as people call it.
    pub const fn sink_name(self) -> &'static str {
        match self {
            Self::Live => "redis",
            Self::Warehouse => "warehouse",
        }
    }

    /// Consumer group of the flow.
    pub fn group(self, config: &Config) -> &str {
        match self {
            Self::Live => &config.flow.live_group,
            Self::Warehouse => &config.flow.warehouse_group,
        }
    }
}

/// Why a flow cannot go on.
#[derive(Debug)]
pub enum FlowFailure {
    /// Its sink refuses: wrong settings, or an invariant is broken.
    Sink(StoreError),
    /// Kafka refuses.
    Kafka(KafkaFailure),
    /// Too much of what it reads cannot be used.
    Rejects(Tripped),
}

impl fmt::Display for FlowFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sink(error) => error.fmt(f),
            Self::Kafka(error) => error.fmt(f),
            Self::Rejects(tripped) => write!(
                f,
                "{} of the last {} records could not be used ({} in {})",
                tripped.rejected, tripped.of, tripped.reason, tripped.topic
            ),
        }
    }
}

impl std::error::Error for FlowFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Sink(error) => error.source(),
            Self::Kafka(_) | Self::Rejects(_) => None,
        }
    }
}

/// Runs one worker of the live flow until `shutdown` is triggered or it cannot go on.
///
/// The exit code is 0 after a wanted stop; otherwise the error says in one sentence what failed and what to do.
pub async fn run_live(config: &Config, shutdown: Shutdown) -> Result<ExitCode> {
    arm()?;
    let sink = LiveSink::new(&config.redis, &config.meaning);
    let publisher = LivePublisher::new(&config.redis, &config.meaning);
    let name = worker::name();
    ending(Box::pin(worker::run(Flow::Live, config, name, sink, publisher, &shutdown)).await)
}

/// Runs one worker of the warehouse flow until `shutdown` is triggered or it cannot go on. See [`run_live`].
pub async fn run_warehouse(config: &Config, shutdown: Shutdown) -> Result<ExitCode> {
    arm()?;
    let name = worker::name();
    let sink = WarehouseSink::new(&config.warehouse, &name);
    let publisher = WarehouseSink::new(&config.warehouse, &name);
    ending(
        Box::pin(worker::run(
            Flow::Warehouse,
            config,
            name,
            sink,
            publisher,
            &shutdown,
        ))
        .await,
    )
}

/// Arms the fail point that the environment asks for, aloud.
fn arm() -> Result<(), Failure> {
    let hint = "the fault harness sets it; unset it everywhere else";
    let armed = fail_point::arm().map_err(|what| Failure::new(Exit::Configuration, what).hint(hint))?;
    if let Some(armed) = armed {
        tracing::warn!("fail point {armed}: this worker will be struck on purpose");
    }
    Ok(())
}

fn ending(result: Result<(), FlowFailure>) -> Result<ExitCode> {
    match result {
        Ok(()) => Ok(Exit::Done.into()),
        Err(FlowFailure::Sink(error)) => Err(error.into()),
        Err(FlowFailure::Kafka(failure)) => {
            Err(Failure::new(Exit::No, failure.what).hint(failure.hint).into())
        }
        Err(failure @ FlowFailure::Rejects(_)) => Err(Failure::new(Exit::No, failure.to_string())
            .hint(
                "`instashop dead-letters list` shows some of them; was a converter or a topic changed? If they are to be \
                 left out, raise flow.reject_percent",
            )
            .into()),
    }
}
