//! What is done to Kafka's topics from outside.

use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr, eyre};
use instashop_core::config::Config;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, NewPartitions, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

const ANSWER: Duration = Duration::from_secs(15);

/// A record to be written as it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Raw {
    pub(crate) key: Vec<u8>,
    pub(crate) value: Option<Vec<u8>>,
}

/// Somebody with rights on the brokers.
pub(crate) struct Topics {
    settings: ClientConfig,
    admin: AdminClient<DefaultClientContext>,
    runtime: tokio::runtime::Runtime,
}

impl std::fmt::Debug for Topics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Topics").finish_non_exhaustive()
    }
}

impl Topics {
    pub(crate) fn connect(config: &Config) -> Result<Self> {
        let mut settings = ClientConfig::new();
        settings
            .set("bootstrap.servers", &config.kafka.brokers)
            .set("client.id", "instashop-faults")
            .set("message.max.bytes", "33554432");
        let admin = settings
            .create()
            .wrap_err("no client for Kafka's administration")?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .wrap_err("cannot make a runtime")?;
        Ok(Self {
            settings,
            admin,
            runtime,
        })
    }

    /// Deletes a topic and waits until it is gone.
    pub(crate) fn delete(&self, topic: &str) -> Result<()> {
        let results = self
            .runtime
            .block_on(self.admin.delete_topics(&[topic], &AdminOptions::new()))
            .wrap_err("Kafka does not answer")?;
        for result in results {
            result.map_err(|(topic, code)| eyre!("{topic} is not deleted: {code}"))?;
        }
        crate::bed::eventually("the topic is gone", ANSWER, || Ok(!self.has(topic)?))
    }

    fn has(&self, topic: &str) -> Result<bool> {
        let metadata = self.admin.inner().fetch_metadata(None, ANSWER);
        let metadata = metadata.wrap_err("Kafka does not say which topics there are")?;
        Ok(metadata.topics().iter().any(|known| known.name() == topic))
    }

    /// Raises the number of partitions.
    pub(crate) fn widen(&self, topic: &str, partitions: usize) -> Result<()> {
        let wanted = NewPartitions::new(topic, partitions);
        let results = self
            .runtime
            .block_on(self.admin.create_partitions(&[wanted], &AdminOptions::new()))
            .wrap_err("Kafka does not answer")?;
        for result in results {
            result.map_err(|(topic, code)| eyre!("{topic} is not widened: {code}"))?;
        }
        Ok(())
    }

    /// Removes every record there is, as a retention that ran out would. Gives how many. The topic is not compacted
    /// afterwards, since Kafka removes nothing by retention from one that is; `instashop setup` puts that right.
    pub(crate) fn empty(&self, topic: &str) -> Result<i64> {
        let delete = AlterConfig::new(ResourceSpecifier::Topic(topic)).set("cleanup.policy", "delete");
        let altered = self
            .runtime
            .block_on(self.admin.alter_configs([&delete], &AdminOptions::new()))
            .wrap_err("Kafka does not answer")?;
        for result in altered {
            result.map_err(|(topic, code)| eyre!("{topic:?} is not altered: {code}"))?;
        }
        let consumer: BaseConsumer = self.settings.create().wrap_err("no client")?;
        let metadata = consumer
            .fetch_metadata(Some(topic), ANSWER)
            .wrap_err("no metadata")?;
        let partitions = metadata
            .topics()
            .first()
            .map_or(0, |topic| topic.partitions().len());
        let mut list = TopicPartitionList::new();
        let mut records = 0;
        for number in 0..i32::try_from(partitions).unwrap_or(0) {
            let (low, high) = consumer
                .fetch_watermarks(topic, number, ANSWER)
                .wrap_err("no offsets")?;
            records += high - low;
            list.add_partition_offset(topic, number, Offset::Offset(high))
                .wrap_err("no offset")?;
        }
        let removed = self
            .runtime
            .block_on(self.admin.delete_records(&list, &AdminOptions::new()))
            .wrap_err("Kafka does not remove records")?;
        for element in removed.elements() {
            element.error().wrap_err("a partition keeps its records")?;
        }
        Ok(records)
    }

    /// Writes records where Connect would put their keys.
    pub(crate) fn write(&self, topic: &str, records: &[Raw]) -> Result<()> {
        let mut settings = self.settings.clone();
        settings.set("partitioner", "murmur2_random");
        let producer: BaseProducer = settings.create().wrap_err("no producer")?;
        for raw in records {
            let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic).key(&raw.key);
            record.payload = raw.value.as_deref();
            producer
                .send(record)
                .map_err(|(error, _)| eyre!("{topic} takes no record: {error}"))?;
        }
        producer
            .flush(ANSWER)
            .wrap_err("the brokers do not take the records")
    }
}
