//! The loop against a sink in memory and a Kafka played by the test: every answer, every kind of failure.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use chrono::{DateTime, Utc};
use instashop_core::assignment::Token;
use instashop_core::batch::Rejected;
use instashop_core::change::{NotARow, Record};
use instashop_core::checkpoint::{Owned, Partition};
use instashop_store::Kind;
use instashop_store::memory::{Fault, MemorySink};
use proptest::prelude::*;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::engine::{Engine, Pace, Report};
use super::{Flow, FlowFailure};
use crate::kafka::{Chunk, Command, Credit, End, Event, Read};
use crate::shutdown::Shutdown;

fn partition(number: i32) -> Partition {
    Partition {
        topic: "transaction".into(),
        number,
    }
}

/// Kafka as the loop sees it: a log per partition, read by one worker.
struct Broker {
    events: mpsc::UnboundedSender<Event>,
    orders: Receiver<Command>,
    log: BTreeMap<Partition, Vec<i64>>,
    places: HashMap<Partition, (Token, i64)>,
    assignment: u64,
    chunk: usize,
    begun: usize,
    hints: BTreeMap<Partition, i64>,
    written_at: DateTime<Utc>,
}

struct Worker {
    broker: Broker,
    shutdown: Shutdown,
    reports: watch::Receiver<Report>,
    running: JoinHandle<Result<(), FlowFailure>>,
}

const PACE: Pace = Pace {
    records: 10,
    linger: Duration::ZERO,
    idle_check: Duration::from_secs(1),
    publish: Duration::from_millis(100),
    retention: chrono::TimeDelta::days(7),
    reject_percent: 20,
};

fn worker(sink: &MemorySink, log: BTreeMap<Partition, Vec<i64>>) -> Worker {
    let (events, receiver) = mpsc::unbounded_channel();
    let (commands, orders) = std::sync::mpsc::channel();
    let (sender, reports) = watch::channel(Report::default());
    let mut engine = Engine::new(
        Flow::Live,
        PACE,
        sink.clone(),
        receiver,
        commands,
        sender,
        "test".into(),
    );
    let shutdown = Shutdown::new();
    let running = {
        let shutdown = shutdown.clone();
        tokio::spawn(async move { engine.run(&shutdown).await })
    };
    Worker {
        broker: Broker {
            events,
            orders,
            log,
            places: HashMap::new(),
            assignment: 0,
            chunk: 4,
            begun: 0,
            hints: BTreeMap::new(),
            written_at: Utc::now(),
        },
        shutdown,
        reports,
        running,
    }
}

impl Broker {
    fn assign(&mut self, partitions: &[Partition]) {
        self.places.clear();
        self.assignment += 1;
        self.tell(Event::Assigned {
            number: self.assignment,
            partitions: partitions.to_vec(),
            passed: self.hints.clone().into_iter().collect(),
        });
    }

    fn revoke(&mut self) {
        self.places.clear();
        self.assignment += 1;
        self.tell(Event::Revoked { lost: false });
    }

    fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    fn chunk_of(&self, partition: &Partition, token: Token, offsets: &[i64]) -> Chunk {
        Chunk {
            partition: partition.clone(),
            token,
            records: offsets
                .iter()
                .map(|offset| Read {
                    offset: *offset,
                    kafka_at: Some(self.written_at),
                    content: Ok(Record::NotARow(NotARow::Message)),
                })
                .collect(),
            load: Credit::new(1, 1).take(1, 1),
        }
    }

    /// Records of a partition that cannot be used.
    fn poison(&self, partition: &Partition, token: Token, offsets: std::ops::Range<i64>) -> Chunk {
        let offsets: Vec<i64> = offsets.collect();
        let mut chunk = self.chunk_of(partition, token, &offsets);
        for read in &mut chunk.records {
            read.content = Err(Box::new(Rejected {
                reason: "bad_json".into(),
                ..Rejected::default()
            }));
        }
        chunk
    }

    /// Obeys the commands and hands over what is there, one chunk for each partition.
    fn turn(&mut self) {
        while let Ok(command) = self.orders.try_recv() {
            match command {
                Command::Begin { number, starts } if number == self.assignment => {
                    self.begun += 1;
                    self.places = starts
                        .into_iter()
                        .map(|start| (start.partition, (start.token, start.offset)))
                        .collect();
                }
                Command::Seek(start) => {
                    if let Some(place) = self.places.get_mut(&start.partition) {
                        *place = (start.token, start.offset);
                    }
                }
                Command::Commit(offsets) => self.hints.extend(offsets),
                Command::Begin { .. } | Command::Stop => {}
            }
        }
        let mut chunks = Vec::new();
        let mut ends = Vec::new();
        for (partition, (token, position)) in &mut self.places {
            let log = self.log.get(partition).cloned().unwrap_or_default();
            let next: Vec<i64> = log
                .iter()
                .copied()
                .filter(|offset| offset >= position)
                .take(self.chunk)
                .collect();
            if let Some(last) = next.last() {
                *position = last + 1;
                chunks.push((partition.clone(), *token, next));
            }
            ends.push(End {
                partition: partition.clone(),
                end: log.last().map_or(0, |last| last + 1),
                drained: false,
            });
        }
        if !chunks.is_empty() {
            let chunks = chunks
                .iter()
                .map(|(partition, token, offsets)| self.chunk_of(partition, *token, offsets))
                .collect();
            self.tell(Event::Records(chunks));
        }
        self.tell(Event::Pulse {
            connected: true,
            ends,
        });
    }
}

impl Worker {
    /// Lets time pass, half a second at most by default: the loop works, the broker answers.
    async fn run(&mut self, time: Duration) {
        let end = tokio::time::Instant::now() + time;
        while tokio::time::Instant::now() < end {
            self.broker.turn();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn settle(&mut self) {
        self.run(Duration::from_millis(500)).await;
    }

    async fn stop(self) -> Result<(), FlowFailure> {
        self.shutdown.trigger();
        self.running.await.unwrap()
    }
}

/// Offsets with a hole, as compaction leaves them.
fn log(partitions: i32, records: i64) -> BTreeMap<Partition, Vec<i64>> {
    (0..partitions)
        .map(|number| {
            (
                partition(number),
                (0..records)
                    .filter(|offset| offset % 7 != 3)
                    .collect::<Vec<i64>>(),
            )
        })
        .collect()
}

/// Every record of the log was applied once, in order.
fn assert_exactly_once(sink: &MemorySink, log: &BTreeMap<Partition, Vec<i64>>) {
    let contents = sink.contents();
    for (partition, offsets) in log {
        let applied: Vec<i64> = contents
            .applied
            .iter()
            .filter(|(applied, _)| applied == partition)
            .map(|(_, offset)| *offset)
            .collect();
        assert_eq!(&applied, offsets, "{partition}");
    }
}

#[tokio::test(start_paused = true)]
async fn records_go_in_once_and_counters_add_up() {
    let sink = MemorySink::default();
    let log = log(3, 50);
    let mut worker = worker(&sink, log.clone());
    worker.broker.assign(&log.keys().cloned().collect::<Vec<_>>());
    worker.run(Duration::from_secs(2)).await;
    assert_exactly_once(&sink, &log);
    let health = worker.reports.borrow().health.clone();
    let records: usize = log.values().map(Vec::len).sum();
    assert_eq!(health.records, records as u64);
    assert_eq!(health.not_a_row, records as u64);
    assert_eq!(health.state, "running");
    assert!(
        health
            .partitions
            .iter()
            .all(|partition| partition.lag() == Some(0))
    );
    assert!(worker.reports.borrow().watches, "it owns transaction/0");
    assert_eq!(worker.broker.hints.get(&partition(0)), Some(&50));
    worker.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn reading_begins_where_the_sink_says() {
    let sink = MemorySink::default();
    sink.contents().partitions.insert(
        partition(0),
        Owned {
            epoch: 4,
            checkpoint: 20,
        },
    );
    let log = log(1, 50);
    let mut worker = worker(&sink, log.clone());
    worker.broker.assign(&[partition(0)]);
    worker.settle().await;
    let contents = sink.contents();
    assert_eq!(contents.applied.first().unwrap().1, 20);
    assert_eq!(
        contents.partitions[&partition(0)],
        Owned {
            epoch: 5,
            checkpoint: 50
        }
    );
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_the_same_batch_comes_again() {
    let cases: [(&str, Vec<Fault>); 5] = [
        (
            "failed before it did anything",
            vec![Fault::Fail(Kind::Transient); 6],
        ),
        ("did it, then said it failed", vec![Fault::DoneThenFail]),
        (
            "did it, then was away",
            vec![
                Fault::None,
                Fault::DoneThenFail,
                Fault::Fail(Kind::Transient),
                Fault::Fail(Kind::Transient),
            ],
        ),
        ("conflicts", vec![Fault::Conflict; 9]),
        (
            "everything together",
            vec![
                Fault::Conflict,
                Fault::DoneThenFail,
                Fault::Conflict,
                Fault::Conflict,
                Fault::DoneThenFail,
                Fault::Fail(Kind::Transient),
            ],
        ),
    ];
    for (name, faults) in cases {
        let sink = MemorySink::default();
        sink.contents().faults = VecDeque::from(faults);
        let log = log(2, 40);
        let mut worker = worker(&sink, log.clone());
        worker.broker.assign(&[partition(0), partition(1)]);
        worker.run(Duration::from_secs(20)).await;
        assert!(sink.contents().faults.is_empty(), "{name}");
        assert_exactly_once(&sink, &log);
        let health = worker.reports.borrow().health.clone();
        assert_eq!(health.state, "running", "{name}");
        assert_eq!(
            health.records,
            health.not_a_row + health.older,
            "{name}: conservation"
        );
        worker.stop().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn repeated_conflicts_cut_the_batch_in_halves() {
    let sink = MemorySink::default();
    let log = BTreeMap::from([(partition(0), (0..8).collect::<Vec<i64>>())]);
    let mut worker = worker(&sink, BTreeMap::new());
    worker.broker.chunk = 8;
    worker.broker.assign(&[partition(0)]);
    worker.settle().await;
    sink.contents().faults = VecDeque::from(vec![Fault::Conflict; 4]);
    worker.broker.log = log.clone();
    worker.settle().await;
    let sizes: Vec<usize> = sink
        .contents()
        .sizes
        .iter()
        .copied()
        .filter(|size| *size > 0)
        .collect();
    assert_eq!(sizes, [8, 8, 4, 2, 1, 1, 2, 4]);
    assert_exactly_once(&sink, &log);
    assert_eq!(worker.reports.borrow().health.conflicts, 4);
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_went_back_is_filled_again_also_without_traffic() {
    let sink = MemorySink::default();
    let log = log(2, 30);
    let mut worker = worker(&sink, log.clone());
    worker.broker.assign(&[partition(0), partition(1)]);
    worker.settle().await;
    assert_exactly_once(&sink, &log);
    sink.roll_back(&partition(0), 12);
    worker.run(Duration::from_secs(3)).await;
    assert_exactly_once(&sink, &log);
}

#[tokio::test(start_paused = true)]
async fn an_emptied_sink_is_built_again_from_the_beginning() {
    let sink = MemorySink::default();
    let log = log(3, 60);
    let mut worker = worker(&sink, log.clone());
    worker.broker.assign(&log.keys().cloned().collect::<Vec<_>>());
    worker.run(Duration::from_secs(2)).await;
    sink.flush();
    worker.run(Duration::from_secs(3)).await;
    assert_exactly_once(&sink, &log);
    assert_eq!(worker.reports.borrow().rebuild, None, "the rebuild has ended");
}

#[tokio::test(start_paused = true)]
async fn stale_records_of_before_a_seek_are_dropped() {
    let sink = MemorySink::default();
    let log = log(1, 30);
    let mut worker = worker(&sink, log.clone());
    worker.broker.assign(&[partition(0)]);
    worker.settle().await;
    let (old, _) = worker.broker.places[&partition(0)];
    sink.roll_back(&partition(0), 5);
    worker.run(Duration::from_secs(2)).await;
    let (new, _) = worker.broker.places[&partition(0)];
    assert_ne!(old, new);
    // A late chunk of the old place, with offsets the sink has not seen.
    let stale = worker.broker.chunk_of(&partition(0), old, &[100, 101]);
    worker.broker.tell(Event::Records(vec![stale]));
    worker.settle().await;
    assert_exactly_once(&sink, &log);
}

#[tokio::test(start_paused = true)]
async fn a_revocation_in_mid_batch_loses_and_repeats_nothing() {
    let sink = MemorySink::default();
    let log = log(2, 80);
    let mut worker = worker(&sink, log.clone());
    let both = [partition(0), partition(1)];
    worker.broker.assign(&both);
    for turn in 0..12 {
        worker.run(Duration::from_millis(30)).await;
        // Records lie in the stream and a batch is being retried while the partitions go and come.
        sink.contents().faults = VecDeque::from(vec![Fault::DoneThenFail, Fault::Fail(Kind::Transient)]);
        worker.broker.turn();
        worker.broker.revoke();
        worker
            .broker
            .assign(if turn % 2 == 0 { &both[..1] } else { &both });
    }
    worker.run(Duration::from_secs(20)).await;
    assert_exactly_once(&sink, &log);
}

#[tokio::test(start_paused = true)]
async fn a_fenced_worker_leaves_the_partition_and_takes_it_again_only_while_it_is_assigned() {
    let sink = MemorySink::default();
    let log = log(1, 30);
    let mut worker = worker(&sink, log.clone());
    worker.broker.assign(&[partition(0)]);
    worker.settle().await;
    let epoch = |sink: &MemorySink| sink.contents().partitions[&partition(0)].epoch;
    sink.contents().partitions.get_mut(&partition(0)).unwrap().epoch = 9;
    worker.broker.log.get_mut(&partition(0)).unwrap().extend([40, 41]);
    worker.run(Duration::from_secs(10)).await;
    assert_eq!(epoch(&sink), 9, "it rests");
    assert_exactly_once(&sink, &log);
    worker.run(Duration::from_secs(10)).await;
    assert_eq!(epoch(&sink), 10, "nobody else took it in a whole session");
    assert_exactly_once(&sink, &worker.broker.log);
}

#[tokio::test(start_paused = true)]
async fn an_assignment_waits_for_the_sink_without_reading() {
    let sink = MemorySink::default();
    sink.contents().recover_faults = VecDeque::from(vec![Fault::Fail(Kind::Transient); 8]);
    let log = log(1, 30);
    let mut worker = worker(&sink, log.clone());
    worker.broker.assign(&[partition(0)]);
    worker.settle().await;
    assert_eq!(worker.broker.begun, 0);
    assert_eq!(worker.reports.borrow().health.state, "waiting for redis");
    worker.run(Duration::from_secs(40)).await;
    assert_eq!(worker.broker.begun, 1);
    assert_exactly_once(&sink, &log);
}

#[tokio::test(start_paused = true)]
async fn failures_that_waiting_does_not_cure_end_the_flow() {
    for kind in [Kind::Permanent, Kind::Broken] {
        let sink = MemorySink::default();
        sink.contents().faults = VecDeque::from([Fault::Fail(kind)]);
        let mut worker = worker(&sink, log(1, 5));
        worker.broker.assign(&[partition(0)]);
        worker.settle().await;
        assert!(
            worker
                .reports
                .borrow()
                .health
                .state
                .starts_with("stopped: memory"),
        );
        let failure = worker.running.await.unwrap().unwrap_err();
        assert!(matches!(failure, FlowFailure::Sink(error) if error.kind() == kind));
    }
}

#[tokio::test(start_paused = true)]
async fn a_flow_that_can_use_little_of_what_it_reads_stops_and_says_so() {
    let sink = MemorySink::default();
    let mut worker = worker(&sink, log(1, 7));
    worker.broker.assign(&[partition(0)]);
    worker.settle().await;
    let before = sink.contents().applied.len();
    let token = worker.broker.places[&partition(0)].0;
    let chunk = worker.broker.poison(&partition(0), token, 100..160);
    worker.broker.tell(Event::Records(vec![chunk]));
    worker.settle().await;
    let state = worker.reports.borrow().health.state.clone();
    assert_eq!(
        state,
        "stopped: 50 of the last 50 records could not be used (bad_json in transaction)"
    );
    let failure = worker.running.await.unwrap().unwrap_err();
    assert!(matches!(failure, FlowFailure::Rejects(_)));
    // Batches of ten: four went in before there were enough of them to judge.
    assert_eq!(sink.contents().applied.len(), before + 40);
}

#[tokio::test(start_paused = true)]
async fn poison_that_was_let_through_once_does_not_stop_a_rebuild() {
    let sink = MemorySink::default();
    let mut worker = worker(&sink, BTreeMap::new());
    worker.broker.hints.insert(partition(0), 160);
    worker.broker.assign(&[partition(0)]);
    worker.settle().await;
    let token = worker.broker.places[&partition(0)].0;
    let known = worker.broker.poison(&partition(0), token, 0..160);
    worker.broker.tell(Event::Records(vec![known]));
    worker.settle().await;
    assert_eq!(sink.contents().applied.len(), 160);
    assert_eq!(
        worker.broker.hints[&partition(0)],
        160,
        "a rebuild does not take the hint back"
    );
    let new = worker.broker.poison(&partition(0), token, 160..220);
    worker.broker.tell(Event::Records(vec![new]));
    worker.settle().await;
    let failure = worker.running.await.unwrap().unwrap_err();
    assert!(matches!(failure, FlowFailure::Rejects(_)));
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_a_sink_that_is_away() {
    let sink = MemorySink::default();
    sink.contents().faults = VecDeque::from(vec![Fault::Fail(Kind::Transient); 1000]);
    let mut worker = worker(&sink, log(1, 5));
    worker.broker.assign(&[partition(0)]);
    worker.run(Duration::from_secs(30)).await;
    let before = tokio::time::Instant::now();
    worker.stop().await.unwrap();
    assert!(before.elapsed() < Duration::from_millis(50));
}

#[tokio::test(start_paused = true)]
async fn records_gone_from_kafka_are_never_skipped() {
    for permanent in [false, true] {
        let sink = MemorySink::default();
        sink.contents().permanent = permanent;
        let log = log(2, 30);
        let mut worker = worker(&sink, log.clone());
        worker.broker.assign(&[partition(0), partition(1)]);
        worker.settle().await;
        worker.broker.tell(Event::OutOfRange {
            partition: partition(0),
            position: 30,
            low: 35,
            high: 50,
        });
        worker.run(Duration::from_secs(2)).await;
        let state = worker.reports.borrow().health.state.clone();
        if permanent {
            assert_eq!(
                state,
                "stopped: transaction/0 begins at 35, after the checkpoint 30: records were removed before they were read"
            );
            worker.broker.log.get_mut(&partition(0)).unwrap().push(60);
            worker.broker.log.get_mut(&partition(1)).unwrap().push(60);
            worker.settle().await;
            let contents = sink.contents();
            assert!(!contents.applied.contains(&(partition(0), 60)));
            assert!(contents.applied.contains(&(partition(1), 60)), "the others go on");
        } else {
            assert_eq!(state, "running");
            assert_eq!(sink.contents().generations, 1);
            assert_exactly_once(&sink, &log);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_flow_that_was_away_for_longer_than_the_retention_begins_again() {
    for (age, generations) in [(chrono::TimeDelta::days(6), 0), (chrono::TimeDelta::days(8), 1)] {
        let sink = MemorySink::default();
        sink.contents().partitions.insert(
            partition(0),
            Owned {
                epoch: 1,
                checkpoint: 10,
            },
        );
        let log = log(1, 30);
        let mut worker = worker(&sink, log.clone());
        worker.broker.written_at = Utc::now() - age;
        worker.broker.assign(&[partition(0)]);
        worker.run(Duration::from_secs(2)).await;
        assert_eq!(sink.contents().generations, generations, "{age}");
        if generations == 1 {
            assert_exactly_once(&sink, &log);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn heartbeats_may_go_without_harm() {
    let sink = MemorySink::default();
    let heartbeat = Partition {
        topic: "__debezium-heartbeat.crm".into(),
        number: 0,
    };
    sink.contents().partitions.insert(
        heartbeat.clone(),
        Owned {
            epoch: 1,
            checkpoint: 30,
        },
    );
    let log = BTreeMap::from([(heartbeat.clone(), vec![50, 51])]);
    let mut worker = worker(&sink, log.clone());
    worker.broker.assign(std::slice::from_ref(&heartbeat));
    worker.broker.log.clear();
    worker.settle().await;
    worker.broker.tell(Event::OutOfRange {
        partition: heartbeat,
        position: 30,
        low: 50,
        high: 52,
    });
    worker.broker.log = log.clone();
    worker.run(Duration::from_secs(2)).await;
    assert_exactly_once(&sink, &log);
    assert_eq!(sink.contents().generations, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Two workers of one flow pass three partitions back and forth while everything fails that can: the sink ends with
    /// every record once and in order (invariants I2, I5, I9, I10).
    #[test]
    fn any_history_ends_exactly_once(steps in prop::collection::vec((0_u8..9, 0_usize..3, 1_u64..400), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async move {
            let sink = MemorySink::default();
            let log = log(3, 300);
            let all: Vec<Partition> = log.keys().cloned().collect();
            let mut one = worker(&sink, log.clone());
            let mut two = worker(&sink, log.clone());
            one.broker.assign(&all);
            for (step, which, millis) in steps {
                match step {
                    0 => sink.contents().faults.push_back(Fault::DoneThenFail),
                    1 => sink.contents().faults.push_back(Fault::Conflict),
                    2 => sink.contents().faults.push_back(Fault::Fail(Kind::Transient)),
                    3 => {
                        let at = sink.contents().partitions.get(&all[which]).map_or(0, |owned| owned.checkpoint / 2);
                        sink.roll_back(&all[which], at);
                    }
                    4 => sink.flush(),
                    // A clean hand-over.
                    5 => {
                        one.broker.revoke();
                        two.broker.assign(&all[which..]);
                        one.broker.assign(&all[..which]);
                    }
                    // A zombie: the second takes all while the first still believes to own them.
                    6 => two.broker.assign(&all),
                    7 => sink.contents().recover_faults.push_back(Fault::Fail(Kind::Transient)),
                    _ => {}
                }
                one.run(Duration::from_millis(millis / 2)).await;
                two.run(Duration::from_millis(millis / 2)).await;
            }
            // The group settles: one worker owns everything.
            two.broker.revoke();
            one.broker.revoke();
            one.broker.assign(&all);
            one.run(Duration::from_secs(90)).await;
            assert_exactly_once(&sink, &log);
            one.stop().await.unwrap();
            two.stop().await.unwrap();
        });
    }
}
