//! Waiting until everybody has reached a cut.

use std::collections::BTreeMap;
use std::time::Duration;

use color_eyre::eyre::Result;
use instashop_core::checkpoint::Partition;
use instashop_core::config::Config;
use instashop_core::live::LiveDump;
use instashop_core::table::SourceDb;
use instashop_store::live::LiveReader;
use instashop_store::source::SlotWatch;
use instashop_store::warehouse::Auditor;
use tokio::time::Instant;

use super::progress::Progress;
use crate::cli::exit::{Exit, Failure};
use crate::kafka;

/// How often it is asked again.
const AGAIN: Duration = Duration::from_millis(500);

/// Waits until the slot of a source has confirmed a log position: then every change before it is in Kafka. Heartbeats
/// move a slot that has no changes of its own.
pub(crate) async fn slot(
    config: &Config,
    source: SourceDb,
    position: u64,
    wait: Duration,
    progress: &Progress,
) -> Result<()> {
    let mut watch = SlotWatch::new(source, config.sources.get(source));
    let deadline = Instant::now() + wait;
    loop {
        let Some(state) = watch.ask().await? else {
            return Err(Failure::new(
                Exit::No,
                format!("source {} has no replication slot", source.name()),
            )
            .hint("run `instashop setup`: its connector makes the slot")
            .into());
        };
        let missing = position.saturating_sub(state.confirmed.unwrap_or(0));
        if missing == 0 {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(Failure::new(
                Exit::Unreachable,
                format!(
                    "the connector of {} did not confirm the cut in {} s: {missing} bytes of log are missing, its slot is {}",
                    source.name(),
                    wait.as_secs(),
                    if state.active { "being read" } else { "not being read" },
                ),
            )
            .hint("look at the connector in `instashop status`, or wait longer with --wait")
            .into());
        }
        progress.say(&format!(
            "waiting for the connector of {}: {missing} bytes of log",
            source.name()
        ));
        tokio::time::sleep(AGAIN).await;
    }
}

/// The end offsets of all topics now.
pub(crate) async fn ends(config: &Config) -> Result<BTreeMap<Partition, i64>> {
    let config = config.clone();
    let ends = tokio::task::spawn_blocking(move || kafka::ends(&config, "instashop-verify")).await?;
    Ok(ends.map_err(Failure::from)?)
}

/// Waits until the warehouse has reached these offsets.
pub(crate) async fn warehouse(
    auditor: &Auditor,
    cut: &[(Partition, i64)],
    wait: Duration,
    progress: &Progress,
) -> Result<()> {
    let deadline = Instant::now() + wait;
    loop {
        let behind = auditor.behind(cut).await?;
        if behind.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return Err(late("warehouse", &behind, wait).into());
        }
        progress.say(&format!("waiting for the warehouse flow: {}", records(&behind)));
        tokio::time::sleep(AGAIN).await;
    }
}

/// Totals and checkpoints of Redis once it has reached these offsets: before that it may be in the middle of a rebuild.
pub(crate) async fn live(
    reader: &mut LiveReader,
    ends: &BTreeMap<Partition, i64>,
    wait: Duration,
    progress: &Progress,
) -> Result<LiveDump> {
    let deadline = Instant::now() + wait;
    loop {
        progress.say("reading all totals of Redis");
        let dump = reader.dump().await?;
        let known: BTreeMap<&Partition, i64> = dump
            .checkpoints
            .iter()
            .map(|(partition, at)| (partition, *at))
            .collect();
        let behind: Vec<(Partition, i64)> = ends
            .iter()
            .map(|(partition, end)| {
                (
                    partition.clone(),
                    end - known.get(partition).copied().unwrap_or(0),
                )
            })
            .filter(|(_, missing)| *missing > 0)
            .collect();
        if behind.is_empty() && !dump.generation.is_empty() && dump.repricing == 0 {
            return Ok(dump);
        }
        if Instant::now() >= deadline {
            return Err(late("live", &behind, wait).into());
        }
        progress.say(&format!("waiting for the live flow: {}", records(&behind)));
        tokio::time::sleep(AGAIN).await;
    }
}

fn late(flow: &str, behind: &[(Partition, i64)], wait: Duration) -> Failure {
    Failure::new(
        Exit::Unreachable,
        format!(
            "the {flow} flow did not reach the cut in {} s: {}",
            wait.as_secs(),
            records(behind)
        ),
    )
    .hint(format!(
        "see in `instashop status` whether `instashop {flow}` runs, or wait longer with --wait"
    ))
}

/// How much is missing, and where most of it.
fn records(behind: &[(Partition, i64)]) -> String {
    let sum: i64 = behind.iter().map(|(_, missing)| missing).sum();
    match behind.iter().max_by_key(|(_, missing)| *missing) {
        Some((partition, most)) => format!("{sum} records missing, {most} of them in {partition}"),
        None => "nothing is there yet".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_in_one_phrase() {
        let partition = |number| Partition {
            topic: "transaction".into(),
            number,
        };
        assert_eq!(
            records(&[(partition(0), 3), (partition(4), 40), (partition(5), 1)]),
            "44 records missing, 40 of them in transaction/4"
        );
        assert_eq!(records(&[]), "nothing is there yet");
    }
}
