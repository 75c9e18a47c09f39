//! What a scenario has in hand: servers, workers, a living shop, and the judge.

use std::collections::BTreeMap;
use std::process::Child;
use std::time::{Duration, Instant};

use color_eyre::eyre::{Result, bail};
use instashop_core::table::{SourceDb, Table};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::health::Health;
use super::topics::Topics;
use crate::bed::fleet::{Fleet, Flow, Worker};
use crate::bed::sql::{Database, Sql};
use crate::bed::{Bed, eventually};
use crate::simulate::Dice;

/// Events a second of the shop while faults happen.
const RATE: &str = "60";

/// See the module.
#[derive(Debug)]
pub(crate) struct Field<'a> {
    pub(crate) bed: &'a Bed,
    pub(crate) fleet: Fleet,
    pub(crate) dice: Dice,
    /// The short form of the scenario, for the quick run.
    pub(crate) is_quick: bool,
    shop: Option<Child>,
    /// Duplicates each worker has said it absorbed.
    duplicates: BTreeMap<String, u64>,
    /// When the fault was over.
    healed: Option<Instant>,
}

impl<'a> Field<'a> {
    pub(crate) fn new(bed: &'a Bed, seed: u64, name: &str, is_quick: bool) -> Self {
        Self {
            bed,
            fleet: Fleet::default(),
            dice: Dice::new(seed, name),
            is_quick,
            shop: None,
            duplicates: BTreeMap::new(),
            healed: None,
        }
    }

    /// Lets the shop live at the usual rate.
    pub(crate) fn open_shop(&mut self) -> Result<()> {
        self.open_shop_at(RATE)
    }

    /// Lets the shop live at a rate of its own.
    pub(crate) fn open_shop_at(&mut self, rate: &str) -> Result<()> {
        self.close_shop();
        let command = self
            .bed
            .command("instashop-dev", &["simulate", "live", "--rate", rate]);
        self.shop = Some(self.bed.spawn(command, "shop")?);
        Ok(())
    }

    /// Ends the shop's day: what it has begun it finishes.
    pub(crate) fn close_shop(&mut self) {
        if let Some(mut shop) = self.shop.take() {
            let pid = i32::try_from(shop.id()).unwrap_or(0);
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
            let _ = shop.wait();
        }
    }

    /// The fault is over: from here the recovery is timed. Otherwise it is timed from the end of the scenario.
    pub(crate) fn healed(&mut self) {
        self.healed = Some(Instant::now());
    }

    pub(crate) fn since_healed(&self) -> Instant {
        self.healed.unwrap_or_else(Instant::now)
    }

    pub(crate) fn health(&mut self) -> Result<Health> {
        let health = Health::read(self.bed)?;
        self.duplicates.extend(health.duplicates());
        Ok(health)
    }

    /// Duplicates absorbed since the field was made, as far as workers have said before they died.
    pub(crate) fn duplicates(&self) -> u64 {
        self.duplicates.values().sum()
    }

    /// Waits until a flow reads everything there is as it comes.
    pub(crate) fn caught_up(&mut self, flow: Flow, limit: Duration) -> Result<()> {
        let config = self.bed.config()?;
        let tables: i32 = Table::ALL
            .iter()
            .map(|table| config.kafka.partitions_of(*table))
            .sum();
        let partitions = tables.unsigned_abs() as usize + SourceDb::ALL.len();
        eventually(&format!("the {flow} flow has caught up"), limit, || {
            Ok(self.health()?.is_caught_up(flow, partitions))
        })
    }

    pub(crate) fn both_caught_up(&mut self, limit: Duration) -> Result<()> {
        Flow::BOTH
            .into_iter()
            .try_for_each(|flow| self.caught_up(flow, limit))
    }

    /// Waits until `status` says something, as an operator would see it.
    pub(crate) fn said(&mut self, words: &str, limit: Duration) -> Result<()> {
        eventually(&format!("the status says {words:?}"), limit, || {
            Ok(self.health()?.findings.contains(words))
        })
    }

    /// Starts a worker beside those of the fleet.
    pub(crate) fn extra(&self, flow: Flow) -> Result<Worker> {
        Fleet::start(self.bed, flow)
    }

    pub(crate) fn sql(&self, database: Database) -> Result<Sql> {
        Sql::connect(&self.bed.config()?, database)
    }

    pub(crate) fn topics(&self) -> Result<Topics> {
        Topics::connect(&self.bed.config()?)
    }

    /// Source = warehouse = Redis, or an error with the lines that differ.
    pub(crate) fn proved(&mut self) -> Result<()> {
        let ran = self.bed.run("instashop", &["verify"])?;
        self.health()?;
        if ran.code != 0 || !ran.out.contains("drift 0") {
            bail!("verify found drift\n{}{}", ran.out, ran.err);
        }
        // No event twice, and exactly one first event of every source key (docs: reliability 4, I9).
        let warehouse = self.sql(Database::Warehouse)?;
        let twice = warehouse.text(
            "SELECT count(*)::text FROM (SELECT 1 FROM raw.realtime_events WHERE ordinal = 0
             GROUP BY source_table, source_key, generation, lsn, op HAVING count(*) > 1) AS twice",
        )?;
        let firsts = warehouse.text(
            "SELECT count(*)::text FROM (SELECT 1 FROM raw.realtime_events GROUP BY source_table, source_key
             HAVING bool_or(raw_data IS NOT NULL)
               AND count(*) FILTER (WHERE event_type !~ '_(updated|deleted|snapshot)$') <> 1) AS strange",
        )?;
        if twice != "0" || firsts != "0" {
            bail!(
                "the event log has {twice} events twice, and {firsts} rows without exactly one first event"
            );
        }
        Ok(())
    }
}

/// Lets time pass while the shop lives: the length of a fault, never a wait for a condition.
pub(crate) fn live_on(time: Duration) {
    std::thread::sleep(time);
}

impl Drop for Field<'_> {
    fn drop(&mut self) {
        self.close_shop();
    }
}
