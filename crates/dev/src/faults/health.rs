//! What the workers say about themselves, read as anybody reads it: `instashop status --format json`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use color_eyre::eyre::{Result, WrapErr};
use instashop_core::view::WorkerHealth;

use crate::bed::Bed;
use crate::bed::fleet::Flow;

/// One reading.
#[derive(Debug, Default)]
pub(crate) struct Health {
    workers: BTreeMap<Flow, Vec<WorkerHealth>>,
    /// Everything that needs attention, as one text.
    pub(crate) findings: String,
}

impl Health {
    pub(crate) fn read(bed: &Bed) -> Result<Self> {
        // Its exit code says whether all is well; what could not be reached is missing in the page.
        let ran = bed.run("instashop", &["status", "--format", "json"])?;
        let page: serde_json::Value = serde_json::from_str(&ran.out).wrap_err("the status is not JSON")?;
        let mut workers = BTreeMap::new();
        for flow in Flow::BOTH {
            let listed = page[flow.name()]["flow"]["workers"].clone();
            let listed: Vec<WorkerHealth> = serde_json::from_value(listed).unwrap_or_default();
            workers.insert(flow, listed);
        }
        let findings = page["findings"].as_array().into_iter().flatten();
        let findings: Vec<String> = findings
            .map(|finding| {
                let text = |name: &str| finding[name].as_str().unwrap_or_default().to_owned();
                format!("{}: {}", text("part"), text("what"))
            })
            .collect();
        Ok(Self {
            workers,
            findings: findings.join("\n"),
        })
    }

    /// Workers of a flow that live and published within the last three seconds.
    pub(crate) fn of(&self, flow: Flow) -> impl Iterator<Item = &WorkerHealth> {
        let now = Utc::now();
        let all = self.workers.get(&flow).into_iter().flatten();
        all.filter(move |worker| (now - worker.seen_at).num_milliseconds() < 3000 && lives(worker))
    }

    /// True when a flow reads everything there is, as it comes.
    pub(crate) fn is_caught_up(&self, flow: Flow, partitions: usize) -> bool {
        let workers: Vec<&WorkerHealth> = self.of(flow).collect();
        let held: usize = workers.iter().map(|worker| worker.partitions.len()).sum();
        let parts = || workers.iter().flat_map(|worker| &worker.partitions);
        let lag: i64 = parts().map(|part| part.lag().unwrap_or(i64::MAX / 100)).sum();
        let newest: Option<DateTime<Utc>> = parts().filter_map(|part| part.as_of).max();
        held == partitions
            && workers.iter().all(|worker| worker.state == "running")
            && lag < 200
            && newest.is_some_and(|newest| (Utc::now() - newest).num_seconds() < 3)
    }

    /// Records dropped as already known, by worker.
    pub(crate) fn duplicates(&self) -> impl Iterator<Item = (String, u64)> + '_ {
        let all = self.workers.values().flatten();
        all.map(|worker| (worker.worker.clone(), worker.older + worker.unchanged))
    }

    /// Batches that met another worker's write.
    pub(crate) fn conflicts(&self) -> u64 {
        let all = self.workers.values().flatten();
        all.map(|worker| worker.conflicts).sum()
    }
}

/// True while the process of a worker runs on this machine: its name is host, process id and start.
fn lives(worker: &WorkerHealth) -> bool {
    let pid = worker.worker.rsplit('-').nth(1).unwrap_or_default();
    std::path::Path::new("/proc").join(pid).is_dir()
}
