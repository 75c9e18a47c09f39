//! What the Kafka client calls back: assignments, statistics, log lines.
//!
//! The callbacks run on the thread that polls. They only note what happened; the thread sends the notes on after the
//! records it already has in hand, so that the order of events is the order of Kafka.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use instashop_core::checkpoint::Partition;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, TopicPartitionList};
use serde::Deserialize;

/// What happened inside a poll.
#[derive(Debug)]
pub(super) enum Note {
    Assigned(Vec<Partition>),
    Revoked { lost: bool },
    Statistics(Statistics),
    Error(KafkaError, String),
}

/// The part of the client's statistics that is used.
#[derive(Debug, Deserialize)]
pub(super) struct Statistics {
    #[serde(default)]
    pub(super) topics: HashMap<String, TopicStatistics>,
    #[serde(default)]
    brokers: HashMap<String, BrokerStatistics>,
}

/// One broker of the statistics.
#[derive(Debug, Deserialize)]
struct BrokerStatistics {
    /// Below 0 for bootstrap and logical brokers.
    nodeid: i32,
    state: String,
}

impl Statistics {
    /// True when at least one broker is connected.
    pub(super) fn connected(&self) -> bool {
        self.brokers
            .values()
            .any(|broker| broker.nodeid >= 0 && broker.state == "UP")
    }
}

/// One topic of the statistics.
#[derive(Debug, Deserialize)]
pub(super) struct TopicStatistics {
    #[serde(default)]
    pub(super) partitions: HashMap<String, PartitionStatistics>,
}

/// One partition of the statistics; -1001 and other negative numbers mean unknown.
#[derive(Debug, Deserialize)]
pub(super) struct PartitionStatistics {
    pub(super) partition: i32,
    /// Messages fetched and not yet polled, of the whole consumer.
    pub(super) fetchq_cnt: i64,
    /// Next offset to fetch.
    pub(super) next_offset: i64,
    /// End offset.
    pub(super) hi_offset: i64,
    /// End offset of what is not in an open transaction.
    pub(super) ls_offset: i64,
}

/// The callbacks of one consumer.
#[derive(Debug, Default)]
pub(super) struct Context {
    notes: Mutex<Vec<Note>>,
}

impl Context {
    /// What happened since the last call.
    pub(super) fn take(&self) -> Vec<Note> {
        std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, note: Note) {
        self.notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(note);
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        // The committed offset is a hint; a rebalance refuses it as a matter of course.
        let hint = facility == "COMMITFAIL";
        match level {
            _ if hint => tracing::debug!(facility, "kafka: {message}"),
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error
            | RDKafkaLogLevel::Warning => tracing::warn!(facility, "kafka: {message}"),
            _ => tracing::debug!(facility, "kafka: {message}"),
        }
    }

    fn stats_raw(&self, statistics: &[u8]) {
        match serde_json::from_slice(statistics) {
            Ok(statistics) => self.note(Note::Statistics(statistics)),
            Err(error) => tracing::debug!(%error, "statistics of the Kafka client are not understood"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.note(Note::Error(error, reason.to_owned()));
    }
}

impl ConsumerContext for Context {
    /// Answers the group at once and reads nothing yet: the thread assigns the partitions for reading when the sink has
    /// said where to begin. So a sink that is away never holds up the group, and no record is ever fetched from a place
    /// the sink did not name.
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        code: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let lost = consumer.assignment_lost();
        let answered = if code == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            self.note(Note::Assigned(
                partitions
                    .elements()
                    .iter()
                    .map(|element| Partition {
                        topic: element.topic().to_owned(),
                        number: element.partition(),
                    })
                    .collect(),
            ));
            consumer.assign(&TopicPartitionList::new())
        } else {
            self.note(Note::Revoked { lost });
            consumer.unassign()
        };
        if let Err(error) = answered {
            self.note(Note::Error(error, "answering the consumer group".into()));
        }
    }
}
