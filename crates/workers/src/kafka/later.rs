//! What a partition holds of some records and of their keys after them: whether a dead letter still is the last word on
//! its row.
//!
//! A record that compaction removed had a later one of its key, so it is as superseded as one that has it still.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use instashop_core::checkpoint::Partition;
use instashop_core::config::Config;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _, OwnedHeaders};
use rdkafka::{Offset, TopicPartitionList};

use super::{KafkaFailure, settings};

/// Longest wait for the next record while the end is not reached.
const SILENCE: Duration = Duration::from_secs(20);

/// A record as it stands in Kafka.
#[derive(Debug, Clone)]
pub struct Original {
    /// Its offset.
    pub offset: i64,
    /// Key bytes; a compacted topic has no record without.
    pub key: Vec<u8>,
    /// Value bytes; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Headers.
    pub headers: OwnedHeaders,
}

/// A stretch of a partition, as far as it concerns some records.
#[derive(Debug, Default)]
pub struct Stretch {
    /// Those that are the last record of their key, by offset.
    pub last: BTreeMap<i64, Original>,
    /// Offset after the stretch.
    pub end: i64,
}

/// Reads partitions from a place to their end. Blocks; run it beside the runtime.
pub struct PartitionReader {
    client: BaseConsumer,
    brokers: String,
}

impl std::fmt::Debug for PartitionReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PartitionReader").finish_non_exhaustive()
    }
}

impl PartitionReader {
    /// A reader; it connects when it reads.
    pub fn new(config: &Config, client: &str) -> Result<Self, KafkaFailure> {
        let created = settings::probe(config, client)
            // A consumer needs the name of a group also when it never joins one.
            .set("group.id", client)
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "earliest")
            .set("isolation.level", "read_committed")
            .create();
        Ok(Self {
            client: created.map_err(|error| failure(&config.kafka.brokers, &error))?,
            brokers: config.kafka.brokers.clone(),
        })
    }

    /// Looks which of the records at `offsets` are the last of their key.
    pub fn standing(&self, partition: &Partition, offsets: &BTreeSet<i64>) -> Result<Stretch, KafkaFailure> {
        let mut stretch = Stretch::default();
        let Some(first) = offsets.first() else {
            return Ok(stretch);
        };
        let mut open: HashMap<Vec<u8>, i64> = HashMap::new();
        stretch.end = self.read(partition, *first, |message| {
            let key = message.key().unwrap_or_default();
            if let Some(superseded) = open.remove(key) {
                stretch.last.remove(&superseded);
            }
            if offsets.contains(&message.offset()) {
                open.insert(key.to_vec(), message.offset());
                stretch.last.insert(message.offset(), original(message));
            }
        })?;
        Ok(stretch)
    }

    /// The records of some keys from `from` on that stand before the offset given with their key, without those at
    /// `ours`; and the offset after the last record read.
    pub fn slipped_in(
        &self,
        partition: &Partition,
        from: i64,
        before: &HashMap<Vec<u8>, i64>,
        ours: &BTreeSet<i64>,
    ) -> Result<(Vec<Original>, i64), KafkaFailure> {
        let mut found = Vec::new();
        let end = self.read(partition, from, |message| {
            let limit = before.get(message.key().unwrap_or_default());
            if limit.is_some_and(|limit| message.offset() < *limit) && !ours.contains(&message.offset()) {
                found.push(original(message));
            }
        })?;
        Ok((found, end))
    }

    fn read(
        &self,
        partition: &Partition,
        from: i64,
        mut each: impl FnMut(&BorrowedMessage<'_>),
    ) -> Result<i64, KafkaFailure> {
        let mut list = TopicPartitionList::new();
        let assigned = list
            .add_partition_offset(&partition.topic, partition.number, Offset::Offset(from))
            .and_then(|()| self.client.assign(&list));
        assigned.map_err(|error| failure(&self.brokers, &error))?;
        let (mut end, mut heard) = (from, Instant::now());
        loop {
            match self.client.poll(Duration::from_millis(200)) {
                Some(Ok(message)) => {
                    heard = Instant::now();
                    end = message.offset() + 1;
                    each(&message);
                }
                Some(Err(KafkaError::PartitionEOF(_))) => return Ok(end),
                Some(Err(error)) if heard.elapsed() > SILENCE => {
                    return Err(failure(&self.brokers, &error));
                }
                None if heard.elapsed() > SILENCE => {
                    return Err(failure(
                        &self.brokers,
                        &format!("{partition} gave no record for {} s", SILENCE.as_secs()),
                    ));
                }
                _ => {}
            }
        }
    }
}

fn original(message: &BorrowedMessage<'_>) -> Original {
    Original {
        offset: message.offset(),
        key: message.key().unwrap_or_default().to_vec(),
        value: message.payload().map(<[u8]>::to_vec),
        headers: message.headers().map_or_else(OwnedHeaders::new, |headers| {
            headers
                .iter()
                .fold(OwnedHeaders::new(), rdkafka::message::OwnedHeaders::insert)
        }),
    }
}

fn failure(brokers: &str, error: &dyn std::fmt::Display) -> KafkaFailure {
    KafkaFailure {
        what: format!("Kafka at {brokers} does not give its records: {error}"),
        hint: "start the brokers, or check kafka.brokers".into(),
    }
}
