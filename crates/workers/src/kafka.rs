//! Reading Kafka: a consumer on a thread of its own that turns everything into one ordered stream of events.
//!
//! What the consumer promises to the loop that reads its events:
//!
//! * **It never decides where to read.** After an assignment it waits for [`Command::Begin`] with the offsets of the
//!   sink; what is committed to Kafka is only a hint for lag tools, and for the breaker how far the flow once came
//!   (docs: reliability 2, point 2).
//! * **A stale record is recognisable.** Each chunk carries the token of the reading position it came from; after a seek
//!   or a new assignment the old token is worth nothing.
//! * **Memory is bounded.** What lies in the stream and is not yet taken counts against [`Credit`]; without room the
//!   partitions are paused while polling goes on (docs: reliability 8).
//! * **Nothing is skipped silently.** An offset that Kafka no longer has is an event of its own.

mod consumer;
mod context;
mod credit;
mod decode;
mod ends;
mod later;
mod repair;
mod settings;
mod topics;

use std::collections::VecDeque;
use std::fmt;

use chrono::{DateTime, Utc};
use instashop_core::assignment::{Start, Token};
use instashop_core::batch::Rejected;
use instashop_core::change::Record;
use instashop_core::checkpoint::Partition;

pub use consumer::{Consumer, Decode, Limits, start};
pub use credit::{Credit, Load};
pub use decode::decoder;
pub use ends::ends;
pub use later::{Original, PartitionReader, Stretch};
pub use repair::{Repair, RepairWriter, marked, repair_headers};
pub use settings::{consumer as consumer_settings, probe as probe_settings};
pub use topics::{ReadableTopics, brokers, heartbeat, is_heartbeat, readable, widened};

/// One record as it was read and decoded.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// Offset in its partition.
    pub offset: i64,
    /// Timestamp of the Kafka record, when it has one.
    pub kafka_at: Option<DateTime<Utc>>,
    /// The decoded record, or why it could not be decoded.
    pub content: Result<Record, Box<Rejected>>,
}

/// Consecutive records of one partition from one reading position.
#[derive(Debug)]
pub struct Chunk {
    /// The partition.
    pub partition: Partition,
    /// The reading position they came from.
    pub token: Token,
    /// The records in offset order; never empty.
    pub records: VecDeque<Read>,
    /// Their share of the bounded memory; given back when the chunk is dropped.
    pub load: Load,
}

/// What the broker says about a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The partition.
    pub partition: Partition,
    /// Next offset that will be written.
    pub end: i64,
    /// True when nothing before `end` seems left to hand over, also where the last offsets hold no record (compaction,
    /// transaction markers). Good enough to end the word "rebuilding"; never used to move a checkpoint.
    pub drained: bool,
}

/// What happens in Kafka, in order.
#[derive(Debug)]
pub enum Event {
    /// The group gave these partitions to this worker; it waits for [`Command::Begin`] with the same number.
    Assigned {
        /// Number of the assignment.
        number: u64,
        /// The partitions; may be empty.
        partitions: Vec<Partition>,
        /// How far this flow ever came in them, as far as the group knows: what was committed as a hint.
        passed: Vec<(Partition, i64)>,
    },
    /// All partitions were taken back.
    Revoked {
        /// True when they were lost (session over): another worker may own them already.
        lost: bool,
    },
    /// Records.
    Records(Vec<Chunk>),
    /// About once a second: whether a broker is connected, and the end offsets that are known.
    Pulse {
        /// True when at least one broker is connected.
        connected: bool,
        /// End offsets of partitions being read.
        ends: Vec<End>,
    },
    /// Kafka no longer has what lies at the reading position of this partition, or has less than that.
    OutOfRange {
        /// The partition.
        partition: Partition,
        /// Reading position.
        position: i64,
        /// First offset there is.
        low: i64,
        /// End offset.
        high: i64,
    },
    /// Kafka did not answer as it should, but may again: for the log and the screen.
    Trouble(String),
    /// The consumer cannot go on.
    Failed(KafkaFailure),
}

/// What the loop asks of the consumer.
#[derive(Debug)]
pub enum Command {
    /// Begin to read an assignment.
    Begin {
        /// Its number; an older one is ignored.
        number: u64,
        /// Where to read from.
        starts: Vec<Start>,
    },
    /// Read one partition from another place.
    Seek(Start),
    /// Commit these offsets to Kafka, as a hint.
    Commit(Vec<(Partition, i64)>),
    /// Leave the group and end the thread.
    Stop,
}

/// Where the loop puts its commands.
pub type Commands = std::sync::mpsc::Sender<Command>;

/// Why Kafka cannot be used: one sentence and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KafkaFailure {
    /// What failed and where.
    pub what: String,
    /// What the operator can do.
    pub hint: String,
}

impl fmt::Display for KafkaFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.what, self.hint)
    }
}

impl std::error::Error for KafkaFailure {}
