//! End offsets of topics, for those who wait until a flow has read everything there is.

use std::collections::BTreeMap;
use std::time::Duration;

use instashop_core::checkpoint::Partition;
use instashop_core::config::Config;
use rdkafka::consumer::{BaseConsumer, Consumer as _};

use super::topics::{self, ReadableTopics};
use super::{KafkaFailure, settings};

/// Longest wait for an answer of a broker.
const ANSWER: Duration = Duration::from_secs(10);

/// The end offset (the next one to be written) of every partition the flows read. Blocks; run it beside the runtime.
pub fn ends(config: &Config, client: &str) -> Result<BTreeMap<Partition, i64>, KafkaFailure> {
    let away = |error: &dyn std::fmt::Display| KafkaFailure {
        what: format!(
            "Kafka at {} does not give its end offsets: {error}",
            config.kafka.brokers
        ),
        hint: "start the brokers, or check kafka.brokers".into(),
    };
    let ReadableTopics { partitions, .. } =
        topics::readable(config, client)?.ok_or_else(|| away(&"no broker answers"))?;
    let probe: BaseConsumer = settings::probe(config, client)
        .create()
        .map_err(|error| away(&error))?;
    let mut ends = BTreeMap::new();
    for (topic, count) in partitions {
        for number in 0..count {
            let (_, end) = probe
                .fetch_watermarks(&topic, number, ANSWER)
                .map_err(|error| away(&error))?;
            ends.insert(
                Partition {
                    topic: topic.clone(),
                    number,
                },
                end,
            );
        }
    }
    Ok(ends)
}
