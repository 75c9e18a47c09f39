//! Writing records that both flows read as they read those of the connectors (docs: reliability 5.1, 5.8).
//!
//! A replayed dead letter goes to the repair topic, which is kept for ever: its own topic still has the record as it came.
//! A delete of a row that vanished goes to the row's own topic, with a tombstone after it, so that compaction removes the
//! row and a rebuild never meets it again.

use instashop_core::checkpoint::Partition;
use instashop_core::config::Config;
use instashop_core::debezium::{GENERATION_HEADER, REPAIR_HEADER, TOPIC_HEADER};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};

use super::topics::REPAIR;
use super::{KafkaFailure, settings};

/// A record for both flows, with its bytes as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// Key bytes.
    pub key: Option<Vec<u8>>,
    /// Value bytes; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Topic it belongs to.
    pub topic: String,
    /// Source generation.
    pub generation: u32,
    /// Where it stood first; `None` for a record that never was, which goes to its own topic.
    pub from: Option<(Partition, i64)>,
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

    /// Writes all of them, in order. After an error some may have been written: writing them again does no harm.
    pub async fn write(&self, repairs: &[Repair]) -> Result<(), KafkaFailure> {
        let mut sent = Vec::with_capacity(repairs.len());
        for repair in repairs {
            let mut payloads = vec![repair.value.as_deref()];
            if repair.from.is_none() {
                payloads.push(None);
            }
            for payload in payloads {
                let mut record: FutureRecord<'_, [u8], [u8]> = match repair.from {
                    Some(_) => FutureRecord::to(REPAIR).partition(0),
                    None => FutureRecord::to(&repair.topic),
                };
                record.key = repair.key.as_deref();
                record.payload = payload;
                record.headers = Some(headers(repair));
                let queued = self.producer.send_result(record);
                sent.push(queued.map_err(|(error, _)| failure(&self.brokers, &error))?);
            }
        }
        for delivered in sent {
            match delivered.await {
                Ok(Ok(_)) => {}
                Ok(Err((error, _))) => return Err(failure(&self.brokers, &error)),
                Err(_) => return Err(failure(&self.brokers, &"the client was closed")),
            }
        }
        Ok(())
    }
}

fn headers(repair: &Repair) -> OwnedHeaders {
    let generation = repair.generation.to_string();
    let mut headers = OwnedHeaders::new();
    let mut add = |key: &str, value: &str| {
        headers = std::mem::take(&mut headers).insert(Header {
            key,
            value: Some(value),
        });
    };
    add(REPAIR_HEADER, "true");
    add(TOPIC_HEADER, &repair.topic);
    add(GENERATION_HEADER, &generation);
    if let Some((partition, offset)) = &repair.from {
        add("instashop.partition", &partition.number.to_string());
        add("instashop.offset", &offset.to_string());
    }
    headers
}

fn failure(brokers: &str, error: &dyn std::fmt::Display) -> KafkaFailure {
    KafkaFailure {
        what: format!("Kafka at {brokers} does not take a repair: {error}"),
        hint: "start the brokers, or check kafka.brokers; `instashop setup` makes the topic".into(),
    }
}
