//! The configuration of every program as plain data: one structure, its defaults and its rules.
//!
//! Loading (file, then environment, then flags) is `instashop_store::config`; the local stack writes such a file. The
//! sample file at the top of the repository holds every key with its default, and a test keeps it so.

mod commission;
mod decimal;
mod fx;
mod meaning;
mod region;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use commission::CommissionRule;
pub use fx::{FxRates, Rate, currency_code};
pub use meaning::{Meaning, OrderClass, Plan};
pub use region::{ACCENTED, PLAIN, UNKNOWN_REGION, place};

use crate::table::{SourceDb, Table};

/// Text that must not be printed: its `Debug` and `Display` show dots.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself, for the one place that hands it to a server.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// True when nothing is configured.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "\"\"" } else { "\"...\"" })
    }
}

/// Everything that can be configured.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The four source databases.
    pub sources: Sources,
    /// Kafka brokers and topics.
    pub kafka: Kafka,
    /// Kafka Connect.
    pub connect: Connect,
    /// The warehouse.
    pub warehouse: Warehouse,
    /// The live store.
    pub redis: Redis,
    /// The flows: batches, limits, intervals.
    pub flow: Flow,
    /// The marts and the daily run.
    pub etl: Etl,
    /// The dashboard.
    pub dashboard: Dashboard,
    /// Maps that give meaning: part of the contribution version of the live totals.
    pub meaning: Meaning,
}

/// The source databases by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sources {
    /// Sales.
    pub instashop: Source,
    /// CRM.
    pub crm_db: Source,
    /// ERP.
    pub erp_db: Source,
    /// Logistics.
    pub ecommerce_db: Source,
}

impl Default for Sources {
    fn default() -> Self {
        Self {
            instashop: Source::at(5432, "instashop", "insta"),
            crm_db: Source::at(5433, "crm_db", "crm"),
            erp_db: Source::at(5434, "erp_db", "erp"),
            ecommerce_db: Source::at(5435, "ecommerce_db", "ecommerce"),
        }
    }
}

impl Sources {
    /// The settings of one source.
    pub const fn get(&self, source: SourceDb) -> &Source {
        match source {
            SourceDb::Instashop => &self.instashop,
            SourceDb::CrmDb => &self.crm_db,
            SourceDb::ErpDb => &self.erp_db,
            SourceDb::EcommerceDb => &self.ecommerce_db,
        }
    }

    /// Fills what a file left out of a source's table with that source's own default. (A default of serde is the same
    /// for all four; ports and names differ.)
    pub fn complete(&mut self) {
        let defaults = Self::default();
        for (source, default) in [
            (&mut self.instashop, defaults.instashop),
            (&mut self.crm_db, defaults.crm_db),
            (&mut self.erp_db, defaults.erp_db),
            (&mut self.ecommerce_db, defaults.ecommerce_db),
        ] {
            for (value, default) in [
                (&mut source.host, default.host),
                (&mut source.database, default.database),
                (&mut source.owner_user, default.owner_user),
                (&mut source.capture_user, default.capture_user),
            ] {
                if value.is_empty() {
                    *value = default;
                }
            }
            if source.port == 0 {
                source.port = default.port;
            }
        }
    }
}

/// One source database.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Source {
    /// Host as seen by this program.
    pub host: String,
    /// Port as seen by this program.
    pub port: u16,
    /// Host as seen by Kafka Connect; empty = the same.
    pub connect_host: String,
    /// Port as seen by Kafka Connect; 0 = the same.
    pub connect_port: u16,
    /// Database name.
    pub database: String,
    /// Owner of the tables, able to create a role and a publication; used by `setup` and the simulator alone.
    pub owner_user: String,
    /// Its password.
    pub owner_password: Secret,
    /// Role that Debezium and the health checks use: LOGIN, REPLICATION, SELECT on the captured tables.
    pub capture_user: String,
    /// Its password.
    pub capture_password: Secret,
    /// Source generation (docs: cdc section 2); stamped on every record by the connector. Raised by `setup` alone.
    pub generation: u32,
}

impl Source {
    fn at(port: u16, database: &str, owner: &str) -> Self {
        Self {
            host: "127.0.0.1".into(),
            port,
            database: database.into(),
            owner_user: owner.into(),
            capture_user: "instashop_capture".into(),
            ..Self::default()
        }
    }
}

/// Kafka.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Kafka {
    /// Bootstrap brokers, comma separated.
    pub brokers: String,
    /// Replication factor of topics that `setup` creates; `min.insync.replicas` is one less, at least 1.
    pub replication_factor: i32,
    /// Partitions per table where the default (six for busy tables, one for small ones) does not fit.
    pub partitions: BTreeMap<Table, i32>,
    /// `min.compaction.lag.ms` and `delete.retention.ms` of the change topics, in hours: the longest outage of the
    /// warehouse flow that loses nothing.
    pub retention_hours: u32,
}

impl Default for Kafka {
    fn default() -> Self {
        Self {
            brokers: "127.0.0.1:9092,127.0.0.1:9093,127.0.0.1:9094".into(),
            replication_factor: 3,
            partitions: BTreeMap::new(),
            retention_hours: 168,
        }
    }
}

impl Kafka {
    /// Partitions of a table's topic.
    pub fn partitions_of(&self, table: Table) -> i32 {
        self.partitions
            .get(&table)
            .copied()
            .unwrap_or_else(|| table.default_partitions())
    }
}

/// Kafka Connect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Connect {
    /// Base URL of the REST interface.
    pub url: String,
    /// Folder with one `<name>-connector.json` per source.
    pub config_dir: String,
}

impl Default for Connect {
    fn default() -> Self {
        Self {
            url: "http://127.0.0.1:8083".into(),
            config_dir: "debezium-config".into(),
        }
    }
}

/// The warehouse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Warehouse {
    /// Host.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Database name.
    pub database: String,
    /// Owner of the schemas: migrations only, never used at run time.
    pub owner_user: String,
    /// Its password.
    pub owner_password: Secret,
    /// Role of the warehouse flow: writes data, has no DDL.
    pub worker_user: String,
    /// Its password.
    pub worker_password: Secret,
    /// Role of the dashboard and of analysts: reads only.
    pub reader_user: String,
    /// Its password.
    pub reader_password: Secret,
}

impl Default for Warehouse {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 5436,
            database: "dwh_db".into(),
            owner_user: "dwh".into(),
            owner_password: Secret::default(),
            worker_user: "instashop_worker".into(),
            worker_password: Secret::default(),
            reader_user: "instashop_reader".into(),
            reader_password: Secret::default(),
        }
    }
}

/// The live store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Redis {
    /// Host.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User that may manage users; `setup` alone uses it.
    pub admin_user: String,
    /// Its password.
    pub admin_password: Secret,
    /// User of the live flow.
    pub worker_user: String,
    /// Its password.
    pub worker_password: Secret,
    /// User that may load scripts and nothing else.
    pub loader_user: String,
    /// Its password.
    pub loader_password: Secret,
    /// User of the dashboard: reads only.
    pub reader_user: String,
    /// Its password.
    pub reader_password: Secret,
    /// Business days before today that stay live; older ones are sealed: their orders and events leave Redis, and of their
    /// totals the platform's headline sums, categories and event types stay. 0 keeps all days live.
    pub live_days: u64,
}

impl Default for Redis {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".into(),
            port: 6379,
            admin_user: "admin".into(),
            admin_password: Secret::default(),
            worker_user: "instashop_live".into(),
            worker_password: Secret::default(),
            loader_user: "instashop_loader".into(),
            loader_password: Secret::default(),
            reader_user: "instashop_reader".into(),
            reader_password: Secret::default(),
            live_days: 35,
        }
    }
}

/// The flows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Flow {
    /// Consumer group of the warehouse flow.
    pub warehouse_group: String,
    /// Consumer group of the live flow.
    pub live_group: String,
    /// Most records in one batch.
    pub batch_records: usize,
    /// Most bytes in one batch.
    pub batch_bytes: usize,
    /// How long the warehouse flow may wait for a fuller batch, in milliseconds. The live flow never waits.
    pub warehouse_linger_ms: u64,
    /// Longest record that is decoded; a longer one is a dead letter.
    pub record_bytes: usize,
    /// A flow stops when more than this share of the last thousand records, in percent, could not be used; 100 never
    /// stops it.
    pub reject_percent: u64,
    /// How often an idle partition's checkpoint is compared with the sink, in milliseconds.
    pub idle_check_ms: u64,
    /// How often projections and health are published, in milliseconds.
    pub publish_ms: u64,
    /// How often connectors, slots and heartbeats are asked for, in milliseconds.
    pub watch_ms: u64,
    /// Longest time a stop may take, in milliseconds.
    pub shutdown_ms: u64,
}

impl Default for Flow {
    fn default() -> Self {
        Self {
            warehouse_group: "warehouse".into(),
            live_group: "live".into(),
            batch_records: 2000,
            batch_bytes: 8 * 1024 * 1024,
            warehouse_linger_ms: 50,
            record_bytes: 2 * 1024 * 1024,
            reject_percent: 20,
            idle_check_ms: 1000,
            publish_ms: 1000,
            watch_ms: 5000,
            shutdown_ms: 10_000,
        }
    }
}

/// The marts and the daily run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Etl {
    /// How often changed rows are looked for, in milliseconds.
    pub refresh_ms: u64,
    /// How often the marts are computed that are not kept by key, in seconds. When that takes long it is done less often.
    pub whole_seconds: u64,
    /// When the daily run begins, in minutes after midnight of the reporting zone.
    pub daily_minute: u64,
    /// Months that day partitions of the event log are kept.
    pub keep_months: u64,
    /// Days for which partitions of the event log are made ahead.
    pub ahead_days: u64,
}

impl Default for Etl {
    fn default() -> Self {
        Self {
            refresh_ms: 1000,
            whole_seconds: 60,
            daily_minute: 0,
            keep_months: 24,
            ahead_days: 7,
        }
    }
}

/// The dashboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dashboard {
    /// How often Redis is polled on the Live and System tabs, in milliseconds.
    pub live_ms: u64,
    /// How often other tabs are polled, in milliseconds.
    pub tab_ms: u64,
    /// How often heavy warehouse queries run, in milliseconds.
    pub warehouse_ms: u64,
    /// Theme: `auto`, `dark`, `light`, `safe`, `terminal` or `mono`.
    pub theme: String,
    /// Colours: `auto`, `none`, `16`, `256` or `rgb`.
    pub colors: String,
    /// Glyphs: `auto`, `unicode` or `ascii`.
    pub glyphs: String,
    /// Language: `auto`, `es` or `en`.
    pub language: String,
    /// A relative change below this many per mille is shown as equal.
    pub dead_band_per_mille: u32,
    /// Whether the board takes the pointer: `auto` (not over SSH), `on` or `off`.
    pub mouse: String,
    /// Views that a key goes through: name, and what is shown, as in a link: `payments?range=today&store=118`.
    pub presets: BTreeMap<String, String>,
}

impl Default for Dashboard {
    fn default() -> Self {
        Self {
            live_ms: 1000,
            tab_ms: 5000,
            warehouse_ms: 60_000,
            theme: "auto".into(),
            colors: "auto".into(),
            glyphs: "auto".into(),
            language: "auto".into(),
            dead_band_per_mille: 5,
            mouse: "auto".into(),
            presets: BTreeMap::new(),
        }
    }
}

/// A value that cannot be used: the key, what is wrong, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("configuration: {key} {problem}")]
pub struct Invalid {
    /// The key, with dots.
    pub key: String,
    /// What is wrong and what is expected.
    pub problem: String,
}

impl Config {
    /// Checks every value that has a rule; gives all faults, not just the first.
    pub fn validate(&self) -> Result<(), Vec<Invalid>> {
        let mut faults = Vec::new();
        let mut fault = |key: &str, problem: String| {
            faults.push(Invalid {
                key: key.into(),
                problem,
            });
        };
        for (key, value, low, high) in [
            ("flow.batch_records", self.flow.batch_records as u64, 1, 20_000),
            (
                "flow.batch_bytes",
                self.flow.batch_bytes as u64,
                65_536,
                256 * 1024 * 1024,
            ),
            (
                "flow.record_bytes",
                self.flow.record_bytes as u64,
                1024,
                64 * 1024 * 1024,
            ),
            ("flow.reject_percent", self.flow.reject_percent, 1, 100),
            ("flow.idle_check_ms", self.flow.idle_check_ms, 100, 60_000),
            ("flow.publish_ms", self.flow.publish_ms, 100, 60_000),
            ("flow.watch_ms", self.flow.watch_ms, 500, 600_000),
            (
                "flow.warehouse_linger_ms",
                self.flow.warehouse_linger_ms,
                0,
                10_000,
            ),
            ("flow.shutdown_ms", self.flow.shutdown_ms, 500, 600_000),
            ("etl.refresh_ms", self.etl.refresh_ms, 50, 60_000),
            ("etl.whole_seconds", self.etl.whole_seconds, 1, 86_400),
            ("etl.daily_minute", self.etl.daily_minute, 0, 1439),
            ("etl.keep_months", self.etl.keep_months, 1, 1200),
            ("etl.ahead_days", self.etl.ahead_days, 1, 366),
            ("dashboard.live_ms", self.dashboard.live_ms, 100, 60_000),
            ("dashboard.tab_ms", self.dashboard.tab_ms, 100, 600_000),
            (
                "dashboard.warehouse_ms",
                self.dashboard.warehouse_ms,
                1000,
                3_600_000,
            ),
            (
                "dashboard.dead_band_per_mille",
                u64::from(self.dashboard.dead_band_per_mille),
                0,
                1000,
            ),
            (
                "kafka.retention_hours",
                u64::from(self.kafka.retention_hours),
                1,
                87_600,
            ),
        ] {
            if value < low || value > high {
                fault(key, format!("is {value}; it must be between {low} and {high}"));
            }
        }
        for (key, value, allowed) in [
            (
                "dashboard.theme",
                &self.dashboard.theme,
                &["auto", "dark", "light", "safe", "terminal", "mono"][..],
            ),
            (
                "dashboard.colors",
                &self.dashboard.colors,
                &["auto", "none", "16", "256", "rgb"][..],
            ),
            (
                "dashboard.glyphs",
                &self.dashboard.glyphs,
                &["auto", "unicode", "ascii"][..],
            ),
            (
                "dashboard.language",
                &self.dashboard.language,
                &["auto", "es", "en"][..],
            ),
            (
                "dashboard.mouse",
                &self.dashboard.mouse,
                &["auto", "on", "off"][..],
            ),
        ] {
            if !allowed.contains(&value.as_str()) {
                fault(
                    key,
                    format!("is {value:?}; it must be one of {}", allowed.join(", ")),
                );
            }
        }
        // Metrics of 30 days are kept live, so fewer days would not do.
        if !(self.redis.live_days == 0 || (31..=3650).contains(&self.redis.live_days)) {
            let days = self.redis.live_days;
            fault(
                "redis.live_days",
                format!("is {days}; it must be between 31 and 3650, or 0 to keep all days live"),
            );
        }
        if self.kafka.replication_factor < 1 {
            fault(
                "kafka.replication_factor",
                format!("is {}; it must be at least 1", self.kafka.replication_factor),
            );
        }
        if self.kafka.brokers.trim().is_empty() {
            fault(
                "kafka.brokers",
                "is empty; give host:port, comma separated".into(),
            );
        }
        for (table, partitions) in &self.kafka.partitions {
            if !(1..=1000).contains(partitions) {
                fault(
                    &format!("kafka.partitions.{}", table.name()),
                    format!("is {partitions}; it must be 1 to 1000"),
                );
            }
        }
        self.meaning.validate(&mut fault);
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid() {
        assert_eq!(Config::default().validate(), Ok(()));
    }

    #[test]
    fn faults_name_the_key_and_all_are_given() {
        let mut config = Config::default();
        config.flow.batch_records = 0;
        config.dashboard.theme = "pink".into();
        config.meaning.zone = "Mars/Olympus".into();
        let faults = config.validate().unwrap_err();
        let keys: Vec<_> = faults.iter().map(|fault| fault.key.as_str()).collect();
        assert_eq!(keys, ["flow.batch_records", "dashboard.theme", "meaning.zone"]);
    }

    #[test]
    fn secrets_do_not_print() {
        let secret = Secret::new("canary".into());
        assert!(!format!("{secret:?}").contains("canary"));
    }
}
