//! The Kafka consumer and the loop against the real broker of the local stack, with the sink in memory.
//!
//! Each test has topics and a group of its own. Without a broker at `kafka.brokers` of the configuration these tests
//! fail; they never skip.
#![cfg(feature = "stack-tests")]

use std::collections::BTreeMap;
use std::time::Duration;

use instashop_core::change::{NotARow, Record};
use instashop_core::checkpoint::Partition;
use instashop_core::config::Config;
use instashop_store::Kind;
use instashop_store::memory::{Fault, MemorySink};
use instashop_workers::flow::Flow;
use instashop_workers::flow::engine::{Engine, Pace, Report};
use instashop_workers::kafka::{self, Command, Limits};
use instashop_workers::shutdown::Shutdown;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, TopicPartitionList};
use tokio::sync::watch;
use tokio::task::JoinHandle;

const PARTITIONS: i32 = 6;

fn config() -> Config {
    let file =
        std::env::var_os("INSTASHOP_CONFIG").expect("INSTASHOP_CONFIG names the configuration of the stack");
    instashop_store::config::load(Some(file.as_ref()), [], &[]).expect("the configuration can be read")
}

struct Topic {
    name: String,
    producer: FutureProducer,
    admin: AdminClient<DefaultClientContext>,
    /// Offsets written, by partition.
    log: BTreeMap<Partition, Vec<i64>>,
}

async fn topic(config: &Config, name: &str) -> Topic {
    let settings: ClientConfig = kafka::probe_settings(config, "test");
    let admin: AdminClient<_> = settings.create().unwrap();
    let name = format!("test-{name}-{}", std::process::id());
    let made = NewTopic::new(&name, PARTITIONS, TopicReplication::Fixed(1));
    for result in admin.create_topics([&made], &AdminOptions::new()).await.unwrap() {
        result.unwrap();
    }
    Topic {
        name,
        producer: settings.create().unwrap(),
        admin,
        log: BTreeMap::new(),
    }
}

impl Topic {
    async fn write(&mut self, records: usize) {
        let sends = (0..records).map(|index| {
            let record: FutureRecord<'_, [u8], [u8]> = FutureRecord::to(&self.name)
                .partition(index as i32 % PARTITIONS)
                .payload(b"{}");
            self.producer.send(record, Duration::from_secs(30))
        });
        for sent in futures::future::join_all(sends).await {
            let delivery = sent.unwrap();
            self.log
                .entry(Partition {
                    topic: self.name.clone(),
                    number: delivery.partition,
                })
                .or_default()
                .push(delivery.offset);
        }
        for offsets in self.log.values_mut() {
            offsets.sort_unstable();
        }
    }

    /// Waits until every record written is in the sink, once and in order.
    async fn wait_for(&self, sink: &MemorySink) {
        let wanted: usize = self.log.values().map(Vec::len).sum();
        wait(|| sink.contents().applied.len() >= wanted).await;
        let contents = sink.contents();
        for (partition, offsets) in &self.log {
            let applied: Vec<i64> = contents
                .applied
                .iter()
                .filter(|(applied, _)| applied == partition)
                .map(|(_, offset)| *offset)
                .collect();
            assert_eq!(&applied, offsets, "{partition}");
        }
    }
}

async fn wait(condition: impl Fn() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_mins(1);
    while !condition() {
        assert!(tokio::time::Instant::now() < deadline, "not after a minute");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

struct Worker {
    shutdown: Shutdown,
    reports: watch::Receiver<Report>,
    running: JoinHandle<()>,
}

fn worker(config: &Config, topic: &Topic, sink: &MemorySink, number: usize) -> Worker {
    let name = format!("worker-{number}");
    let consumer = kafka::start(
        &kafka::consumer_settings(config, &topic.name, &name),
        &[&topic.name],
        Limits {
            records: 500,
            bytes: 1 << 20,
        },
        Box::new(|_| Ok(Record::NotARow(NotARow::Message))),
    )
    .unwrap();
    let (sender, reports) = watch::channel(Report::default());
    let commands = consumer.commands.clone();
    let mut engine = Engine::new(
        Flow::Live,
        Pace::of(Flow::Live, config),
        sink.clone(),
        consumer.events,
        consumer.commands,
        sender,
        name,
    );
    let shutdown = Shutdown::new();
    let running = {
        let shutdown = shutdown.clone();
        tokio::spawn(async move {
            engine.run(&shutdown).await.unwrap();
            commands.send(Command::Stop).unwrap();
            drop(engine);
            tokio::task::spawn_blocking(move || consumer.thread.join().unwrap())
                .await
                .unwrap();
        })
    };
    Worker {
        shutdown,
        reports,
        running,
    }
}

impl Worker {
    async fn stop(self) {
        self.shutdown.trigger();
        tokio::time::timeout(Duration::from_secs(10), self.running)
            .await
            .expect("a stop takes less than ten seconds")
            .unwrap();
    }

    fn state(&self) -> String {
        self.reports.borrow().health.state.clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_record_once_over_rebalances_and_restarts() {
    let config = config();
    let mut topic = topic(&config, "rebalance").await;
    let sink = MemorySink::default();
    topic.write(3000).await;
    let first = worker(&config, &topic, &sink, 1);
    topic.wait_for(&sink).await;

    // A second one joins under load, the first leaves, a third comes.
    let second = worker(&config, &topic, &sink, 2);
    topic.write(3000).await;
    topic.wait_for(&sink).await;
    wait(|| second.reports.borrow().health.partitions.len() == 3).await;
    let third = worker(&config, &topic, &sink, 3);
    first.stop().await;
    topic.write(3000).await;
    topic.wait_for(&sink).await;
    second.stop().await;
    topic.write(600).await;
    topic.wait_for(&sink).await;

    // The sink loses everything: it is noticed without traffic and filled again.
    sink.flush();
    topic.wait_for(&sink).await;
    let some = topic.log.keys().next().unwrap();
    sink.roll_back(some, 100);
    topic.wait_for(&sink).await;
    wait(|| third.reports.borrow().health.partitions.len() == PARTITIONS as usize).await;
    third.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_kafka_removed_are_noticed() {
    let config = config();
    let mut topic = topic(&config, "removed").await;
    let sink = MemorySink::default();
    topic.write(600).await;
    let first = worker(&config, &topic, &sink, 1);
    topic.wait_for(&sink).await;
    first.stop().await;

    // Kafka removes records that were not read yet: the sink's checkpoint is 100, the log begins at 150.
    topic.write(600).await;
    let gone = Partition {
        topic: topic.name.clone(),
        number: 2,
    };
    let mut removed = TopicPartitionList::new();
    removed
        .add_partition_offset(&gone.topic, gone.number, rdkafka::Offset::Offset(150))
        .unwrap();
    topic
        .admin
        .delete_records(&removed, &AdminOptions::new())
        .await
        .unwrap();
    topic.log.get_mut(&gone).unwrap().retain(|offset| *offset >= 150);

    // A sink that can begin again does so, for all partitions.
    let second = worker(&config, &topic, &sink, 2);
    wait(|| sink.contents().generations == 1).await;
    topic.wait_for(&sink).await;
    second.stop().await;

    // One that cannot stops that partition, says why, and goes on with the others.
    sink.contents().permanent = true;
    sink.roll_back(&gone, 100);
    let third = worker(&config, &topic, &sink, 3);
    wait(|| third.state().contains("begins at 150")).await;
    third.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_sink_bounds_the_memory_and_keeps_the_membership() {
    let config = config();
    let mut topic = topic(&config, "slow").await;
    let sink = MemorySink::default();
    topic.write(6000).await;
    // Away for longer than the stream may stay full before the partitions are paused.
    let slow = worker(&config, &topic, &sink, 1);
    wait(|| !slow.reports.borrow().health.partitions.is_empty()).await;
    sink.contents().faults = vec![Fault::Fail(Kind::Transient); 8].into();
    topic.write(6000).await;
    wait(|| slow.state() == "waiting for redis").await;
    topic.wait_for(&sink).await;
    assert_eq!(sink.contents().faults.len(), 0);
    slow.stop().await;
}

/// What a replay of dead letters asks of Kafka: which records are the last of their key, and what came between.
#[tokio::test]
async fn the_last_record_of_a_key_is_told_from_overtaken_ones() {
    let config = config();
    let topic = topic(&config, "later").await;
    let partition = Partition {
        topic: topic.name.clone(),
        number: 2,
    };
    let write = async |key: &'static str, value: &'static str| {
        let record: FutureRecord<'_, str, str> = FutureRecord::to(&partition.topic)
            .partition(partition.number)
            .key(key)
            .payload(value);
        let sent = topic.producer.send(record, Duration::from_secs(30)).await;
        sent.unwrap().offset
    };
    let overtaken = write("a", "bad").await;
    let last = write("b", "bad").await;
    write("a", "good").await;
    let own = write("c", "bad").await;
    let later_own = write("c", "bad again").await;
    let reader = kafka::PartitionReader::new(&config, "test-later").unwrap();
    let offsets = [overtaken, last, own, later_own, 1_000_000].into();
    let stretch = reader.standing(&partition, &offsets).unwrap();
    assert_eq!(
        stretch.last.keys().copied().collect::<Vec<_>>(),
        [last, later_own]
    );
    assert_eq!(stretch.end, later_own + 1);
    let original = &stretch.last[&last];
    assert_eq!(
        (&*original.key, original.value.as_deref()),
        (&b"b"[..], Some(&b"bad"[..]))
    );
    let slipped = write("b", "from the connector").await;
    write("d", "something else").await;
    let ours = write("b", "mended").await;
    let after = write("b", "later").await;
    let before = [(b"b".to_vec(), ours)].into();
    let (found, end) = reader
        .slipped_in(&partition, stretch.end, &before, &[ours].into())
        .unwrap();
    let offsets: Vec<i64> = found.iter().map(|original| original.offset).collect();
    assert_eq!((offsets, end), (vec![slipped], after + 1));
}
