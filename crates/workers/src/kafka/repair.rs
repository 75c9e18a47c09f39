//! Writing records that both flows read as they read those of the connectors (docs: reliability 5.2, 5.8).
//!
//! A repair goes to the topic of its table, where everything else of its row lies: per key Kafka's order is the order of
//! truth, for the flows, for compaction, and for a store that is built anew. A delete of a row that vanished is followed
//! by its tombstone; a replayed dead letter is written only while no later record of its key is there (`later`).

use instashop_core::config::Config;
use instashop_core::debezium::{GENERATION_HEADER, REPAIR_HEADER};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};

use super::{KafkaFailure, settings};

/// A record for both flows, with its bytes as they are.
#[derive(Debug, Clone)]
pub struct Repair {
    /// Topic it belongs to.
    pub topic: String,
    /// Partition; `None` where Connect's own producer would put the key.
    pub partition: Option<i32>,
    /// Key bytes.
    pub key: Option<Vec<u8>>,
    /// Value bytes; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Headers.
    pub headers: OwnedHeaders,
}

/// Headers of a record that no connector wrote.
pub fn repair_headers(generation: u32) -> OwnedHeaders {
    marked(OwnedHeaders::new().insert(Header {
        key: GENERATION_HEADER,
        value: Some(&generation.to_string()),
    }))
}

/// Headers of a record that is written once more, with the mark of a repair.
pub fn marked(headers: OwnedHeaders) -> OwnedHeaders {
    headers.insert(Header {
        key: REPAIR_HEADER,
        value: Some("true"),
    })
}

/// Writes repairs and waits until every broker that must have them does.
pub struct RepairWriter {
    producer: FutureProducer,
    brokers: String,
}

impl std::fmt::Debug for RepairWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RepairWriter").finish_non_exhaustive()
    }
}

impl RepairWriter {
    /// A writer; it connects when it writes.
    pub fn new(config: &Config, client: &str) -> Result<Self, KafkaFailure> {
        let producer = settings::probe(config, client)
            .set("enable.idempotence", "true")
            .set("acks", "all")
            // As Connect's own producer chooses a partition: what concerns a key must lie where the key lies.
            .set("partitioner", "murmur2_random")
            .set("message.timeout.ms", "20000")
            .set("message.max.bytes", "16777216")
            .create()
            .map_err(|error| failure(&config.kafka.brokers, &error))?;
        Ok(Self {
            producer,
            brokers: config.kafka.brokers.clone(),
        })
    }

    /// Writes all of them, in order; gives the offset of each in its partition. After an error some may have been
    /// written: writing them again does no harm.
    pub async fn write(&self, repairs: &[Repair]) -> Result<Vec<i64>, KafkaFailure> {
        let mut sent = Vec::with_capacity(repairs.len());
        for repair in repairs {
            let mut record: FutureRecord<'_, [u8], [u8]> = FutureRecord::to(&repair.topic);
            record.partition = repair.partition;
            record.key = repair.key.as_deref();
            record.payload = repair.value.as_deref();
            record.headers = Some(repair.headers.clone());
            let queued = self.producer.send_result(record);
            sent.push(queued.map_err(|(error, _)| failure(&self.brokers, &error))?);
        }
        let mut offsets = Vec::with_capacity(sent.len());
        for delivered in sent {
            match delivered.await {
                Ok(Ok(delivery)) => offsets.push(delivery.offset),
                Ok(Err((error, _))) => return Err(failure(&self.brokers, &error)),
                Err(_) => return Err(failure(&self.brokers, &"the client was closed")),
            }
        }
        Ok(offsets)
    }
}

fn failure(brokers: &str, error: &dyn std::fmt::Display) -> KafkaFailure {
    KafkaFailure {
        what: format!("Kafka at {brokers} does not take a repair: {error}"),
        hint: "start the brokers, or check kafka.brokers; `instashop setup` makes the topics".into(),
    }
}
