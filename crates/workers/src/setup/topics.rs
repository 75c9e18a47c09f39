//! The topics of the product: what they must be, what they are, and the difference (docs: cdc 3.4).

use std::collections::BTreeMap;
use std::time::Duration;

use instashop_core::config::Config;
use instashop_core::table::{SourceDb, Table};
use rdkafka::ClientConfig;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, ConfigSource, NewTopic, OwnedResourceSpecifier,
    ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::Part;
use super::journal::Journal;
use crate::cli::exit::Exit;
use crate::kafka::heartbeat;

/// Longest message of a change topic. Above the longest record that is decoded, so that a row that is too long becomes a
/// dead letter instead of stopping its connector.
const MAX_MESSAGE_BYTES: u32 = 16 * 1024 * 1024;

/// How long the first answer may take: a cluster that is up has it at once.
const REACH: Duration = Duration::from_secs(5);

/// How long a broker may take to do what it is asked.
const PATIENCE: Duration = Duration::from_secs(15);

/// A topic as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    name: String,
    partitions: i32,
    settings: BTreeMap<&'static str, String>,
}

/// A topic as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Found {
    partitions: usize,
    /// Lowest number of replicas of any partition.
    replicas: usize,
    /// Every setting with its value in force.
    settings: BTreeMap<String, String>,
    /// Settings that somebody gave to this topic; the others are the broker's.
    own: BTreeMap<String, String>,
}

/// All topics that setup makes, in the order they are shown.
fn wanted(config: &Config) -> Vec<Wanted> {
    let retention = (u64::from(config.kafka.retention_hours) * 3_600_000).to_string();
    let mut shared = BTreeMap::from([
        (
            "min.insync.replicas",
            (config.kafka.replication_factor - 1).max(1).to_string(),
        ),
        ("unclean.leader.election.enable", "false".to_owned()),
    ]);
    let mut compacted = shared.clone();
    compacted.extend([
        ("cleanup.policy", "compact".to_owned()),
        ("min.compaction.lag.ms", retention.clone()),
        ("delete.retention.ms", retention.clone()),
        ("max.message.bytes", MAX_MESSAGE_BYTES.to_string()),
    ]);
    shared.extend([("cleanup.policy", "delete".to_owned())]);
    // Heartbeats are no state, so they go after a while; but not before the longest outage is over: a worker that comes
    // back must find the offset it stopped at.
    shared.extend([("retention.ms", retention)]);
    let tables = Table::ALL.into_iter().map(|table| Wanted {
        name: table.name().into(),
        partitions: config.kafka.partitions_of(table),
        settings: compacted.clone(),
    });
    let heartbeats = SourceDb::ALL.map(|source| Wanted {
        name: heartbeat(source),
        partitions: 1,
        settings: shared.clone(),
    });
    tables.chain(heartbeats).collect()
}

/// Settings of a topic that must change: name, value in force, value wanted.
fn difference<'a>(wanted: &'a Wanted, found: &'a Found) -> Vec<(&'static str, &'a str, &'a str)> {
    let differs = |(name, value): (&&'static str, &'a String)| {
        let current = found.settings.get(*name).map_or("", String::as_str);
        (current != value).then_some((*name, current, value.as_str()))
    };
    wanted.settings.iter().filter_map(differs).collect()
}

/// What cannot be changed in place and is not as wanted, with what to do.
fn fixed_faults(wanted: &Wanted, found: &Found, replication: i32) -> Vec<(String, &'static str)> {
    let mut faults = Vec::new();
    if found.partitions != wanted.partitions as usize {
        faults.push((
            format!("has {} partitions instead of {}", found.partitions, wanted.partitions),
            "the count is never changed in place, the order of a key would be lost: either set kafka.partitions to what is \
             there, or stop the workers and the connector, delete the topic, run setup with a new snapshot and rebuild",
        ));
    }
    if found.replicas < replication as usize {
        faults.push((
            format!("has {} replicas instead of {replication}", found.replicas),
            "add replicas with Kafka's own kafka-reassign-partitions, or lower kafka.replication_factor",
        ));
    }
    faults
}

fn summary(wanted: &Wanted) -> String {
    let policy = wanted.settings.get("cleanup.policy").map_or("", String::as_str);
    let noun = if wanted.partitions == 1 {
        "partition"
    } else {
        "partitions"
    };
    format!("{} {noun}, {policy}", wanted.partitions)
}

/// Checks the topics and, if allowed, creates what is missing and alters settings. True when all topics are there.
pub(super) async fn run(config: &Config, journal: &Journal) -> bool {
    let brokers = &config.kafka.brokers;
    let unreachable = |error: &KafkaError| {
        let what = format!("cannot be reached: {}", plain(error));
        journal.problem(
            Part::Topics,
            brokers,
            Exit::Unreachable,
            what,
            "is Kafka running, and is kafka.brokers right?",
        );
        false
    };
    let admin = match connect(brokers) {
        Ok(admin) => admin,
        Err(error) => return unreachable(&error),
    };
    let (admin, found) = match survey(admin).await {
        Ok(answer) => answer,
        Err(error) => return unreachable(&error),
    };
    let wanted = wanted(config);
    let settings = match settings(
        &admin,
        wanted.iter().filter(|topic| found.contains_key(&topic.name)),
    )
    .await
    {
        Ok(settings) => settings,
        Err(error) => return unreachable(&error),
    };
    let missing: Vec<&Wanted> = wanted
        .iter()
        .filter(|topic| !found.contains_key(&topic.name))
        .collect();
    let all_there = create(&admin, &missing, config.kafka.replication_factor, journal).await;
    let mut unchanged = Vec::new();
    for topic in &wanted {
        let Some((partitions, replicas)) = found.get(&topic.name).copied() else {
            continue;
        };
        let mut current = settings.get(&topic.name).cloned().unwrap_or_default();
        (current.partitions, current.replicas) = (partitions, replicas);
        if compare(&admin, topic, &current, config.kafka.replication_factor, journal).await {
            unchanged.push(topic.name.as_str());
        }
    }
    match unchanged.as_slice() {
        [] => {}
        [one] => journal.unchanged(Part::Topics, one, "as it must be"),
        many => journal.unchanged(Part::Topics, &counted(many.len()), "as they must be"),
    }
    all_there
}

/// Makes the topics that are missing, in one request. True when all of them are there then.
async fn create(admin: &Admin, missing: &[&Wanted], replication: i32, journal: &Journal) -> bool {
    if missing.is_empty() {
        return true;
    }
    if !journal.may_change() {
        let names: Vec<String> = missing.iter().map(|topic| topic.name.clone()).collect();
        journal.changed(
            Part::Topics,
            &counted(missing.len()),
            format!("missing: {}", names.join(", ")),
        );
        return false;
    }
    let requests: Vec<NewTopic<'_>> = missing.iter().map(|topic| request(topic, replication)).collect();
    let results = match admin.create_topics(&requests, &options()).await {
        Ok(results) => results,
        Err(error) => {
            let what = format!("cannot be made: {}", plain(&error));
            journal.problem(
                Part::Topics,
                &counted(missing.len()),
                Exit::No,
                what,
                "the broker's log says more",
            );
            return false;
        }
    };
    let mut made: Vec<&Wanted> = Vec::new();
    let mut all_made = true;
    for result in results {
        match result {
            Ok(name) => made.extend(missing.iter().copied().find(|topic| topic.name == name)),
            Err((name, code)) => {
                all_made = false;
                journal.problem(
                    Part::Topics,
                    &name,
                    Exit::No,
                    format!("cannot be made: {code}"),
                    advice(code),
                );
            }
        }
    }
    if !made.is_empty() {
        let words: Vec<String> = made
            .iter()
            .map(|topic| format!("{} ({})", topic.name, summary(topic)))
            .collect();
        journal.changed(
            Part::Topics,
            &counted(made.len()),
            format!("made: {}", words.join(", ")),
        );
    }
    all_made
}

fn request(topic: &Wanted, replication: i32) -> NewTopic<'_> {
    let new = NewTopic::new(
        &topic.name,
        topic.partitions,
        TopicReplication::Fixed(replication),
    );
    topic
        .settings
        .iter()
        .fold(new, |new, (name, value)| new.set(name, value))
}

fn advice(code: RDKafkaErrorCode) -> &'static str {
    if code == RDKafkaErrorCode::InvalidReplicationFactor {
        "are there fewer brokers than kafka.replication_factor? One broker needs 1"
    } else {
        "the broker's log says more"
    }
}

fn counted(topics: usize) -> String {
    format!("{topics} {}", if topics == 1 { "topic" } else { "topics" })
}

/// True when the topic is as wanted; otherwise changes what may be changed and says what may not.
async fn compare(admin: &Admin, topic: &Wanted, found: &Found, replication: i32, journal: &Journal) -> bool {
    let faults = fixed_faults(topic, found, replication);
    for (fault, hint) in &faults {
        journal.problem(Part::Topics, &topic.name, Exit::No, fault, *hint);
    }
    let difference = difference(topic, found);
    if difference.is_empty() {
        return faults.is_empty();
    }
    let words: Vec<String> = difference
        .iter()
        .map(|(name, from, to)| format!("{name} {from} -> {to}"))
        .collect();
    if journal.may_change() {
        // The request replaces all settings of the topic, so what others have set is sent along.
        let mut alter = AlterConfig::new(ResourceSpecifier::Topic(&topic.name));
        for (name, value) in &found.own {
            alter = alter.set(name, value);
        }
        for (name, value) in &topic.settings {
            alter = alter.set(name, value);
        }
        let failure = match admin.alter_configs([&alter], &options()).await {
            Ok(results) => results
                .into_iter()
                .find_map(|result| result.err().map(|(_, code)| code.to_string())),
            Err(error) => Some(plain(&error)),
        };
        if let Some(failure) = failure {
            let what = format!("settings cannot be changed ({}): {failure}", words.join(", "));
            journal.problem(
                Part::Topics,
                &topic.name,
                Exit::No,
                what,
                "the broker's log says more",
            );
            return false;
        }
    }
    journal.changed(Part::Topics, &topic.name, words.join(", "));
    false
}

type Admin = AdminClient<DefaultClientContext>;

fn connect(brokers: &str) -> Result<Admin, KafkaError> {
    ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("client.id", "instashop-setup")
        .create()
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .request_timeout(Some(PATIENCE))
        .operation_timeout(Some(PATIENCE))
}

/// Partitions and replicas of every topic. The call blocks, hence the thread; the client comes back with the answer.
async fn survey(admin: Admin) -> Result<(Admin, BTreeMap<String, (usize, usize)>), KafkaError> {
    let survey = tokio::task::spawn_blocking(move || {
        let metadata = admin.inner().fetch_metadata(None, REACH)?;
        let topics = metadata.topics().iter().map(|topic| {
            let replicas = topic
                .partitions()
                .iter()
                .map(|partition| partition.replicas().len())
                .min()
                .unwrap_or(0);
            (topic.name().to_owned(), (topic.partitions().len(), replicas))
        });
        let topics = topics.collect();
        Ok((admin, topics))
    });
    survey.await.unwrap_or(Err(KafkaError::Canceled))
}

/// Settings of topics that exist.
async fn settings<'a>(
    admin: &Admin,
    topics: impl Iterator<Item = &'a Wanted>,
) -> Result<BTreeMap<String, Found>, KafkaError> {
    let specifiers: Vec<_> = topics
        .map(|topic| ResourceSpecifier::Topic(&topic.name))
        .collect();
    if specifiers.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut all = BTreeMap::new();
    for resource in admin.describe_configs(&specifiers, &options()).await? {
        let resource = resource.map_err(KafkaError::AdminOp)?;
        let OwnedResourceSpecifier::Topic(name) = resource.specifier else {
            continue;
        };
        let mut found = Found::default();
        for entry in resource.entries {
            let value = entry.value.unwrap_or_default();
            if entry.source == ConfigSource::DynamicTopic {
                found.own.insert(entry.name.clone(), value.clone());
            }
            found.settings.insert(entry.name, value);
        }
        all.insert(name, found);
    }
    Ok(all)
}

/// A sentence without the library's own wrapping.
fn plain(error: &KafkaError) -> String {
    match error {
        KafkaError::AdminOp(code) | KafkaError::Global(code) | KafkaError::MetadataFetch(code) => {
            code.to_string()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(name: &str) -> Wanted {
        wanted(&Config::default())
            .into_iter()
            .find(|topic| topic.name == name)
            .unwrap()
    }

    fn as_wanted(wanted: &Wanted) -> Found {
        Found {
            partitions: wanted.partitions as usize,
            replicas: 3,
            settings: wanted
                .settings
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            own: BTreeMap::new(),
        }
    }

    #[test]
    fn tables_are_compacted_and_the_rest_is_not() {
        let all = wanted(&Config::default());
        assert_eq!(all.len(), 13 + 4);
        let transaction = topic("transaction");
        assert_eq!(
            (
                transaction.partitions,
                transaction.settings["cleanup.policy"].as_str()
            ),
            (6, "compact")
        );
        assert_eq!(transaction.settings["min.compaction.lag.ms"], "604800000");
        assert_eq!(transaction.settings["delete.retention.ms"], "604800000");
        assert_eq!(transaction.settings["min.insync.replicas"], "2");
        let heartbeats = topic("__debezium-heartbeat.crm");
        assert_eq!(
            (
                heartbeats.partitions,
                heartbeats.settings["cleanup.policy"].as_str()
            ),
            (1, "delete")
        );
    }

    #[test]
    fn one_broker_means_one_replica_in_sync() {
        let mut config = Config::default();
        config.kafka.replication_factor = 1;
        config.kafka.partitions.insert(Table::Buyer, 12);
        let all = wanted(&config);
        assert!(
            all.iter()
                .all(|topic| topic.settings["min.insync.replicas"] == "1")
        );
        assert_eq!(
            all.iter().find(|topic| topic.name == "buyer").unwrap().partitions,
            12
        );
    }

    #[test]
    fn only_what_differs_is_changed() {
        let wanted = topic("buyer");
        let mut found = as_wanted(&wanted);
        assert_eq!(difference(&wanted, &found), []);
        found.settings.insert("cleanup.policy".into(), "delete".into());
        assert_eq!(
            difference(&wanted, &found),
            [("cleanup.policy", "delete", "compact")]
        );
    }

    #[test]
    fn partitions_and_replicas_are_reported_and_never_changed() {
        let wanted = topic("buyer");
        let mut found = as_wanted(&wanted);
        assert_eq!(fixed_faults(&wanted, &found, 3), []);
        (found.partitions, found.replicas) = (3, 1);
        let faults: Vec<String> = fixed_faults(&wanted, &found, 3)
            .into_iter()
            .map(|(fault, _)| fault)
            .collect();
        assert_eq!(
            faults,
            ["has 3 partitions instead of 6", "has 1 replicas instead of 3"]
        );
    }
}
