//! The truth about a simulated shop: everything that was planted, for judging whoever looks for it (docs: kpis 6).

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use color_eyre::eyre::{Result, WrapErr};
use serde::Serialize;

use super::programme::{Entry, Programme};
use super::shape::ShapeTruth;
use super::shelf::StockOut;

/// What is written after a history was made.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Truth {
    /// Seed of all randomness.
    pub(crate) seed: u64,
    /// End of the history, UTC.
    pub(crate) now: DateTime<Utc>,
    /// Beginning of the history, UTC.
    pub(crate) start: DateTime<Utc>,
    /// True for the negative control, in which nothing is planted.
    pub(crate) flat: bool,
    /// The daily and weekly curve and the growth.
    pub(crate) shape: ShapeTruth,
    /// Promotions and interrupted supplies.
    pub(crate) campaigns: Vec<Entry>,
    /// What a detector of anomalies is meant to find.
    pub(crate) anomalies: Vec<Entry>,
    /// Pairs of products that are bought together more often than chance.
    pub(crate) bundles: Vec<(i64, i64)>,
    /// Times during which a product could not be sold; demand is censored then.
    pub(crate) stock_outs: Vec<StockOut>,
    /// The carrier that is late more often than the others.
    pub(crate) late_carrier_id: Option<i64>,
}

impl Truth {
    /// Divides a programme into what is to be found and what only explains.
    pub(crate) fn divide(programme: &Programme) -> (Vec<Entry>, Vec<Entry>) {
        programme
            .entries()
            .iter()
            .cloned()
            .partition(|entry| !entry.event.is_anomaly())
    }

    /// The JSON text, with a line break at the end.
    pub(crate) fn json(&self) -> Result<String> {
        let text = serde_json::to_string_pretty(self).wrap_err("the truth of the shop has no JSON form")?;
        Ok(text + "\n")
    }

    /// Writes the truth file, whole or not at all.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)
                .wrap_err_with(|| format!("cannot create the folder {}", folder.display()))?;
        }
        let half = path.with_extension("json.part");
        let written = File::create(&half)
            .and_then(|file| {
                let mut file = BufWriter::new(file);
                file.write_all(self.json().unwrap_or_default().as_bytes())?;
                file.flush()
            })
            .and_then(|()| fs::rename(&half, path));
        written.wrap_err_with(|| {
            format!(
                "cannot write the truth file {}; name another with --truth",
                path.display()
            )
        })
    }
}

/// Where the live phase writes its incidents: beside the truth file, one JSON object a line.
pub(crate) fn incident_path(truth: &Path) -> PathBuf {
    truth.with_extension("live.jsonl")
}

/// Appends incidents of the live phase.
pub(crate) fn append_incidents(path: &Path, seed: u64, incidents: &[Entry]) -> Result<()> {
    #[derive(Serialize)]
    struct Line<'a> {
        seed: u64,
        #[serde(flatten)]
        entry: &'a Entry,
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)
            .wrap_err_with(|| format!("cannot create the folder {}", folder.display()))?;
    }
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .wrap_err_with(|| format!("cannot open {}", path.display()))?;
    for entry in incidents {
        let text = serde_json::to_string(&Line { seed, entry })?;
        writeln!(file, "{text}").wrap_err_with(|| format!("cannot write to {}", path.display()))?;
    }
    Ok(())
}
