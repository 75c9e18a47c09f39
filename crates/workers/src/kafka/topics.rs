//! Which topics the flows read, and whether they are there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use instashop_core::config::Config;
use instashop_core::table::{SourceDb, Table};
use rdkafka::consumer::{BaseConsumer, Consumer as _};

use super::{KafkaFailure, settings};

/// Another name of `transactiondetail`, read where it exists (docs: architecture 4).
const OTHER_NAME_OF_LINES: &str = "transaction_items";
/// How heartbeat topics begin; the connector's prefix follows.
const HEARTBEAT: &str = "__debezium-heartbeat.";

/// Heartbeat topic of a source.
pub fn heartbeat(source: SourceDb) -> String {
    format!("{HEARTBEAT}{}", source.prefix())
}

/// True for a topic whose old records may go without harm.
pub fn is_heartbeat(topic: &str) -> bool {
    topic.starts_with(HEARTBEAT)
}

/// The topics the flows read, each with its number of partitions, and the brokers that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadableTopics {
    /// Partitions by topic.
    pub partitions: BTreeMap<String, i32>,
    /// Brokers of the cluster that are alive.
    pub brokers: usize,
}

/// Asks Kafka which of the topics exist. `Ok(None)` when no broker answers: the caller waits and asks again.
///
/// Fails when a topic is missing: reading would begin later by itself, but a flow that waits for a topic nobody makes
/// looks healthy while it does nothing.
pub fn readable(config: &Config, client: &str) -> Result<Option<ReadableTopics>, KafkaFailure> {
    let probe: BaseConsumer = settings::probe(config, client)
        .create()
        .map_err(|error| KafkaFailure {
            what: format!(
                "the Kafka client cannot be made for {}: {error}",
                config.kafka.brokers
            ),
            hint: "check kafka.brokers".into(),
        })?;
    let Ok(metadata) = probe.fetch_metadata(None, Duration::from_secs(5)) else {
        return Ok(None);
    };
    if metadata.brokers().is_empty() {
        return Ok(None);
    }
    let there: BTreeMap<&str, i32> = metadata
        .topics()
        .iter()
        .filter(|topic| topic.error().is_none() && !topic.partitions().is_empty())
        .map(|topic| {
            (
                topic.name(),
                i32::try_from(topic.partitions().len()).unwrap_or(i32::MAX),
            )
        })
        .collect();
    let partitions = select(&there)?;
    check_widths(config, &partitions)?;
    Ok(Some(ReadableTopics {
        partitions,
        brokers: metadata.brokers().len(),
    }))
}

/// Number of brokers that are alive; `None` when none answers.
pub fn brokers(config: &Config, client: &str) -> Option<usize> {
    let probe: BaseConsumer = settings::probe(config, client).create().ok()?;
    // Any topic will do: the answer names the brokers.
    let metadata = probe
        .fetch_metadata(Some(Table::Transaction.name()), Duration::from_secs(5))
        .ok()?;
    Some(metadata.brokers().len())
}

/// Refuses topics whose number of partitions is not the configured one: keys lie elsewhere then than they did, and what
/// is in flight of one row has no order (docs: reliability C1).
fn check_widths(config: &Config, found: &BTreeMap<String, i32>) -> Result<(), KafkaFailure> {
    for table in Table::ALL {
        let wanted = config.kafka.partitions_of(table);
        if let Some(width) = found.get(table.name()).filter(|width| **width != wanted) {
            return Err(widened(table.name(), *width, wanted));
        }
    }
    Ok(())
}

/// A topic that has another number of partitions than it had.
pub fn widened(topic: &str, width: i32, wanted: i32) -> KafkaFailure {
    KafkaFailure {
        what: format!("topic {topic} has {width} partitions instead of {wanted}, so the order of its rows is lost"),
        hint: "stop the connector and the workers, delete the topic, run `instashop setup`, have its tables read anew, and \
               run `instashop rebuild live` and `instashop rebuild warehouse`"
            .into(),
    }
}

/// The topics to read among those that exist, or which are missing.
fn select(there: &BTreeMap<&str, i32>) -> Result<BTreeMap<String, i32>, KafkaFailure> {
    let needed: BTreeSet<String> = Table::ALL
        .iter()
        .map(|table| table.name().to_owned())
        .chain(SourceDb::ALL.into_iter().map(heartbeat))
        .collect();
    let missing: Vec<&str> = needed
        .iter()
        .map(String::as_str)
        .filter(|topic| !there.contains_key(topic))
        .collect();
    if !missing.is_empty() {
        return Err(KafkaFailure {
            what: format!(
                "Kafka has no topic {}{}",
                missing[..missing.len().min(4)].join(", "),
                if missing.len() > 4 {
                    format!(" and {} more", missing.len() - 4)
                } else {
                    String::new()
                },
            ),
            hint: "run `instashop setup`, which creates the topics".into(),
        });
    }
    Ok(needed
        .into_iter()
        .chain([OTHER_NAME_OF_LINES.to_owned()])
        .filter_map(|topic| {
            let partitions = *there.get(topic.as_str())?;
            Some((topic, partitions))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_topics_are_named_with_what_to_do_and_the_optional_one_is_not_missed() {
        let names: Vec<String> = Table::ALL
            .iter()
            .map(|table| table.name().to_owned())
            .chain(SourceDb::ALL.into_iter().map(heartbeat))
            .collect();
        let mut there: BTreeMap<&str, i32> = names.iter().map(|name| (name.as_str(), 6)).collect();
        assert_eq!(select(&there).unwrap().len(), 17);
        there.insert(OTHER_NAME_OF_LINES, 6);
        there.insert("somebody-elses", 1);
        assert_eq!(select(&there).unwrap().len(), 18);
        there.remove("transaction");
        let failure = select(&there).unwrap_err().to_string();
        assert_eq!(
            failure,
            "Kafka has no topic transaction (run `instashop setup`, which creates the topics)"
        );
        let failure = select(&BTreeMap::new()).unwrap_err().to_string();
        assert!(failure.contains("and 13 more"), "{failure}");
    }

    #[test]
    fn a_topic_of_another_width_is_refused() {
        let config = Config::default();
        let mut found: BTreeMap<String, i32> = Table::ALL
            .iter()
            .map(|table| (table.name().to_owned(), config.kafka.partitions_of(*table)))
            .collect();
        assert_eq!(check_widths(&config, &found), Ok(()));
        found.insert("stock".into(), 8);
        let failure = check_widths(&config, &found).unwrap_err();
        assert!(
            failure
                .what
                .starts_with("topic stock has 8 partitions instead of 6"),
            "{failure}"
        );
    }
}
