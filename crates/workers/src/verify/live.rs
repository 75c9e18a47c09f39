//! Redis against the warehouse as of exactly the checkpoints of Redis.

use std::collections::BTreeMap;
use std::time::Duration;

use color_eyre::eyre::Result;
use instashop_core::config::Config;
use instashop_core::live::{Figure, LiveTotals};
use instashop_core::table::Table;
use instashop_core::view::SealedDays;
use instashop_store::live::LiveReader;
use instashop_store::warehouse::Auditor;

use super::cut;
use super::progress::Progress;

/// Redis compared.
#[derive(Debug)]
pub(super) struct LiveResult {
    /// All figures of the warehouse and of Redis.
    pub(super) figures: [BTreeMap<Figure, i64>; 2],
    /// Contradictions inside Redis.
    pub(super) faults: Vec<String>,
    /// `None` where no day is sealed.
    pub(super) sealed: Option<SealedDays>,
}

impl LiveResult {
    pub(super) fn is_clean(&self) -> bool {
        self.figures[0] == self.figures[1] && self.faults.is_empty()
    }

    /// Rows of a table in the warehouse and in Redis.
    pub(super) fn rows(&self, table: Table) -> [i64; 2] {
        let figure = Figure {
            day: None,
            name: "rows",
            dimension: table.name().to_owned(),
        };
        let rows = |side: &BTreeMap<Figure, i64>| side.get(&figure).copied().unwrap_or(0);
        [rows(&self.figures[0]), rows(&self.figures[1])]
    }
}

/// Compares once: totals and checkpoints of Redis in one atomic read, then the warehouse as of these checkpoints.
pub(super) async fn compare(
    config: &Config,
    auditor: &mut Auditor,
    reader: &mut LiveReader,
    wait: Duration,
    progress: &Progress,
) -> Result<LiveResult> {
    let ends = cut::ends(config).await?;
    let dump = cut::live(reader, &ends, wait, progress).await?;
    cut::warehouse(auditor, &dump.checkpoints, wait, progress).await?;
    progress.say("comparing Redis");
    let gone = auditor.gone_products().await?;
    let here = auditor.as_of_checkpoints(&dump.checkpoints).await?;
    let warehouse = here.live_figures(&config.meaning, &gone, dump.boundary()).await?;
    let mut figures = [warehouse, dump.figures.clone()];
    if !dump.is_settled() {
        // What came late to sealed days is written by the process that keeps the marts.
        for side in &mut figures {
            side.retain(|figure, _| !figure.is_sealed(dump.boundary()));
        }
    }
    Ok(LiveResult {
        sealed: dump.sealed,
        figures,
        faults: dump.faults,
    })
}

/// All totals of Redis, once it has read everything that is in Kafka now.
pub(super) async fn totals(
    config: &Config,
    reader: &mut LiveReader,
    wait: Duration,
    progress: &Progress,
) -> Result<LiveTotals> {
    let ends = cut::ends(config).await?;
    cut::live(reader, &ends, wait, progress).await?;
    Ok(reader.totals().await?)
}
