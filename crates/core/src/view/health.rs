//! Health of the pipeline as its workers publish it: each probe speaks for its own part, none is guessed from another.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// One worker process of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WorkerHealth {
    /// Unique name: host, process id and start time.
    pub worker: String,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it last published.
    pub seen_at: DateTime<Utc>,
    /// What it does: `running`, `rebuilding`, `waiting for redis`, `stopped: <reason>`.
    pub state: String,
    /// Records applied per second over the last seconds, in thousandths.
    pub rate_per_1000s: i64,
    /// Records read since the start.
    pub records: u64,
    /// Conservation (docs: reliability I6): applied, unchanged, older, rejected, not a row; they add up to `records`.
    pub applied: u64,
    /// State statements that changed nothing.
    pub unchanged: u64,
    /// Replays dropped by position or checkpoint.
    pub older: u64,
    /// Records that could not be decoded.
    pub rejected: u64,
    /// Heartbeats, tombstones and other traffic.
    pub not_a_row: u64,
    /// Batches refused because another worker changed a state meanwhile.
    pub conflicts: u64,
    /// Commit-to-sink latency over the last minute, milliseconds: p50, p95, p99; `None` without events.
    pub latency_p50_ms: Option<u64>,
    /// See `latency_p50_ms`.
    pub latency_p95_ms: Option<u64>,
    /// See `latency_p50_ms`.
    pub latency_p99_ms: Option<u64>,
    /// Columns that came and are not in the catalogue, `table.column`: carried in the event log alone.
    #[serde(default)]
    pub new_columns: Vec<String>,
    /// Partitions owned.
    pub partitions: Vec<PartitionHealth>,
}

/// One partition of one flow.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PartitionHealth {
    /// Topic.
    pub topic: String,
    /// Partition number.
    pub partition: i32,
    /// Next offset to read.
    pub checkpoint: i64,
    /// End offset, when known.
    pub end: Option<i64>,
    /// Commit time of the newest change applied.
    pub as_of: Option<DateTime<Utc>>,
}

impl PartitionHealth {
    /// Messages between checkpoint and end.
    pub fn lag(&self) -> Option<i64> {
        self.end.map(|end| (end - self.checkpoint).max(0))
    }
}

/// A connector and its task.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ConnectorHealth {
    /// State of the connector as Connect says it; empty when Connect did not answer.
    pub state: String,
    /// States of its tasks.
    pub tasks: Vec<String>,
    /// First line of the failure, if any.
    pub failure: String,
}

/// One source database.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SourceHealth {
    /// Database name.
    pub source: String,
    /// When it was asked.
    pub seen_at: DateTime<Utc>,
    /// True when the database answered.
    pub up: bool,
    /// Why not.
    pub error: String,
    /// Its connector.
    pub connector: ConnectorHealth,
    /// True when the replication slot exists and a reader is attached.
    pub slot_active: Option<bool>,
    /// Bytes of log the slot holds back.
    pub slot_lag_bytes: Option<i64>,
    /// Last heartbeat that came through Kafka.
    pub heartbeat_at: Option<DateTime<Utc>>,
}

/// One flow: its workers, and the sources as this flow sees them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FlowHealth {
    /// Workers that published lately.
    pub workers: Vec<WorkerHealth>,
    /// The sources.
    pub sources: Vec<SourceHealth>,
    /// Brokers that answered, and brokers known.
    pub brokers_up: Option<(u32, u32)>,
    /// Dead letters kept (warehouse flow only).
    pub dead_letters: Option<i64>,
}

/// Drift of one table at a common cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableDrift {
    /// Table, or the name of a total such as `revenue by day`.
    pub name: String,
    /// Rows or sum at the source.
    pub source: String,
    /// Rows or sum in the warehouse.
    pub warehouse: String,
    /// Rows or sum in Redis; empty when Redis does not hold it.
    pub live: String,
    /// Number of differing rows or groups.
    pub drift: i64,
}

/// Last result of `instashop verify`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftProof {
    /// When the cut was taken.
    pub at: DateTime<Utc>,
    /// Sum of the drifts.
    pub drift: i64,
    /// One line per table and per total.
    pub lines: Vec<TableDrift>,
}

/// Everything the System tab shows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SystemView {
    /// When it was read (clock of the reader).
    pub read_at: DateTime<Utc>,
    /// Answer time of Redis to PING, microseconds.
    pub redis_ping_us: Option<u64>,
    /// Memory Redis uses, bytes.
    pub redis_memory_bytes: Option<u64>,
    /// The live flow, from Redis; `None` when Redis is away.
    pub live: Option<FlowHealth>,
    /// The warehouse flow, from the warehouse; `None` when it is away.
    pub warehouse: Option<FlowHealth>,
    /// Answer time of the warehouse, microseconds.
    pub warehouse_ping_us: Option<u64>,
    /// Last proof.
    pub proof: Option<DriftProof>,
    /// Orders whose status no map knows, today.
    pub unmapped_today: i64,
    /// Sales without a single line, of all days in Redis.
    pub orders_without_lines: Option<i64>,
}

/// What the System tab reads from Redis.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LiveSystem {
    /// Answer time of Redis to PING, microseconds.
    pub ping_us: u64,
    /// Memory Redis uses, bytes.
    pub memory_bytes: Option<u64>,
    /// The live flow.
    pub flow: FlowHealth,
    /// Orders whose status no map knows, today.
    pub unmapped_today: i64,
    /// Sales without a single line, of all days in Redis.
    pub orders_without_lines: i64,
    /// `None` where no day is sealed.
    #[serde(default)]
    pub sealed: Option<SealedDays>,
}

/// Days whose states have left Redis, and their totals (docs: reliability 5.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedDays {
    /// First business day that is live: those before it are sealed.
    pub boundary: NaiveDate,
    /// True when everything before it has left Redis, but for the totals that stay.
    pub has_left: bool,
    /// Changes of sealed days that their totals do not show yet.
    pub late: u64,
    /// When their totals were last written from the warehouse; `None` when that has still to be done once.
    pub written_at: Option<DateTime<Utc>>,
}

impl SealedDays {
    /// True when their totals say what they should.
    pub const fn is_settled(&self) -> bool {
        self.written_at.is_some() && self.late == 0
    }
}

/// What the System tab reads from the warehouse.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WarehouseSystem {
    /// Answer time of the warehouse, microseconds.
    pub ping_us: u64,
    /// The warehouse flow.
    pub flow: FlowHealth,
    /// Last proof of `instashop verify`.
    pub proof: Option<DriftProof>,
    /// How far the marts are; `None` until they were refreshed once.
    #[serde(default)]
    pub marts: Option<MartsHealth>,
}

/// How far the marts are, and the daily run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MartsHealth {
    /// When the marts kept by key were last found up to date, or brought there.
    pub refreshed_at: DateTime<Utc>,
    /// Newest commit time at a source that they contain.
    pub as_of: Option<DateTime<Utc>>,
    /// When the marts were last computed that are not kept by key.
    pub whole_at: Option<DateTime<Utc>>,
    /// False until everything was computed once by the definitions and maps of now.
    pub complete: bool,
    /// Changed rows that wait to be refreshed; no more than a hundred thousand are counted.
    pub waiting: i64,
    /// Business day of the last run that ended, how it ended, and when.
    pub last_run: Option<(NaiveDate, bool, DateTime<Utc>)>,
}
