//! What is in the topics of the tables, and how fast it comes out of them when nothing is done with it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use color_eyre::eyre::{Result, WrapErr, bail, eyre};
use instashop_core::config::Config;
use instashop_core::table::Table;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde::Serialize;

const ANSWER: Duration = Duration::from_secs(15);

/// The partitions of all tables with their offsets at one moment, by `<topic>/<number>`.
#[derive(Debug)]
pub(super) struct Supply {
    settings: ClientConfig,
    partitions: BTreeMap<String, Ends>,
}

#[derive(Debug, Clone)]
struct Ends {
    topic: &'static str,
    number: i32,
    low: i64,
    high: i64,
}

/// Records and their size, by what they say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Content {
    pub(super) records: u64,
    /// Keys and values as they are read.
    pub(super) bytes: u64,
    pub(super) inserts: u64,
    pub(super) updates: u64,
    pub(super) deletes: u64,
    pub(super) tombstones: u64,
}

impl Content {
    pub(super) fn add(&mut self, key: usize, value: Option<&[u8]>) {
        self.records += 1;
        self.bytes += (key + value.map_or(0, <[u8]>::len)) as u64;
        let counter = match value.and_then(operation) {
            Some(b'u') => &mut self.updates,
            Some(b'd') => &mut self.deletes,
            Some(_) => &mut self.inserts,
            None => &mut self.tombstones,
        };
        *counter += 1;
    }
}

/// The letter of an envelope's operation. It stands behind the images, so it is looked for from the end.
fn operation(value: &[u8]) -> Option<u8> {
    const NAME: &[u8] = b"\"op\":\"";
    let at = value.windows(NAME.len()).rposition(|window| window == NAME)?;
    value.get(at + NAME.len()).copied()
}

impl Supply {
    /// Looks where the topics begin and end now.
    pub(super) fn look(config: &Config) -> Result<Self> {
        let mut settings = ClientConfig::new();
        settings
            .set("bootstrap.servers", &config.kafka.brokers)
            .set("client.id", "instashop-bench")
            .set("group.id", "instashop-bench")
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true");
        let consumer: BaseConsumer = settings.create().wrap_err("no client for Kafka")?;
        let mut partitions = BTreeMap::new();
        for table in Table::ALL {
            let topic = table.name();
            for number in 0..config.kafka.partitions_of(table) {
                let (low, high) = consumer
                    .fetch_watermarks(topic, number, ANSWER)
                    .wrap_err_with(|| format!("no offsets of {topic}/{number}"))?;
                let ends = Ends {
                    topic,
                    number,
                    low,
                    high,
                };
                partitions.insert(format!("{topic}/{number}"), ends);
            }
        }
        Ok(Self { settings, partitions })
    }

    /// Offsets between beginnings and ends. Records that compaction removed count, since a checkpoint passes them.
    pub(super) fn offsets(&self) -> u64 {
        let distances = self.partitions.values().map(|ends| ends.high - ends.low);
        distances.sum::<i64>().unsigned_abs()
    }

    /// How many of them lie before these checkpoints.
    pub(super) fn passed<'a>(&self, checkpoints: impl Iterator<Item = (&'a str, i64)>) -> u64 {
        let passed = checkpoints.filter_map(|(name, next)| {
            let ends = self.partitions.get(name)?;
            Some((next.min(ends.high) - ends.low).max(0))
        });
        passed.sum::<i64>().unsigned_abs()
    }

    /// Counts what the records are.
    pub(super) fn content(&self) -> Result<Content> {
        let mut content = Content::default();
        self.read(|key, value| content.add(key, value))?;
        Ok(content)
    }

    /// Reads everything and does nothing with it; gives the records and the time from the first to the last.
    pub(super) fn drain(&self) -> Result<(u64, Duration)> {
        let mut records = 0;
        let took = self.read(|_, _| records += 1)?;
        Ok((records, took))
    }

    fn read(&self, mut each: impl FnMut(usize, Option<&[u8]>)) -> Result<Duration> {
        let consumer: BaseConsumer = self.settings.create().wrap_err("no client for Kafka")?;
        let mut list = TopicPartitionList::new();
        let mut open = 0;
        for ends in self.partitions.values().filter(|ends| ends.high > ends.low) {
            list.add_partition_offset(ends.topic, ends.number, Offset::Beginning)
                .wrap_err("no such offset")?;
            open += 1;
        }
        consumer.assign(&list).wrap_err("Kafka does not assign")?;
        // From the first record to the last: behind it the client only waits to be told that there is no more.
        let mut span: Option<(Instant, Instant)> = None;
        while open > 0 {
            let polled = consumer
                .poll(ANSWER)
                .ok_or_else(|| eyre!("Kafka gives no record for {} s", ANSWER.as_secs()))?;
            match polled {
                Ok(message) => {
                    each(message.key().map_or(0, <[u8]>::len), message.payload());
                    let now = Instant::now();
                    span.get_or_insert((now, now)).1 = now;
                }
                Err(KafkaError::PartitionEOF(_)) => open -= 1,
                Err(error) => bail!("Kafka's records cannot be read: {error}"),
            }
        }
        Ok(span.map_or(Duration::ZERO, |(first, last)| last - first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_counted_by_what_they_say() {
        let mut content = Content::default();
        let values: [Option<&str>; 4] = [
            Some(r#"{"before":null,"after":{"a":"\"op\":\"d\""},"op":"c","ts_ms":1}"#),
            Some(r#"{"after":{},"op":"u"}"#),
            Some(r#"{"after":null,"op":"d"}"#),
            None,
        ];
        for value in values {
            content.add(3, value.map(str::as_bytes));
        }
        let size: usize = values.iter().flatten().map(|value| value.len()).sum();
        assert_eq!(
            content,
            Content {
                records: 4,
                bytes: size as u64 + 12,
                inserts: 1,
                updates: 1,
                deletes: 1,
                tombstones: 1
            }
        );
    }

    #[test]
    fn checkpoints_count_only_within_the_ends() {
        let ends = |number, low, high| Ends {
            topic: "stock",
            number,
            low,
            high,
        };
        let supply = Supply {
            settings: ClientConfig::new(),
            partitions: BTreeMap::from([
                ("stock/0".to_owned(), ends(0, 10, 30)),
                ("stock/1".to_owned(), ends(1, 0, 5)),
            ]),
        };
        assert_eq!(supply.offsets(), 25);
        let passed = |of: &[(&'static str, i64)]| supply.passed(of.iter().copied());
        assert_eq!(passed(&[]), 0);
        assert_eq!(passed(&[("stock/0", 4), ("else/0", 90)]), 0);
        assert_eq!(passed(&[("stock/0", 15), ("stock/1", 9)]), 10);
    }
}
