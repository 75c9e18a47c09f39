//! The thread that polls Kafka.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use chrono::DateTime;
use instashop_core::assignment::{Start, Token};
use instashop_core::batch::Rejected;
use instashop_core::change::Record;
use instashop_core::checkpoint::Partition;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::context::{Context, Note, Statistics};
use super::{Chunk, Command, Commands, Credit, End, Event, KafkaFailure, Read};

/// Longest wait for a message; commands are looked at in between.
const POLL: Duration = Duration::from_millis(20);
/// How long a full stream is waited for before the partitions are paused: a pause makes the client throw away what it
/// has fetched ahead.
const PAUSE_AFTER: Duration = Duration::from_secs(1);
/// How old a reading position must be before statistics of it are believed.
const SETTLED: Duration = Duration::from_secs(3);
/// Longest wait for an answer of a broker.
const ANSWER: Duration = Duration::from_secs(5);

/// Turns a message into what the flow works with. Runs on the consumer's thread, beside the sink's work.
pub type Decode = Box<dyn FnMut(&BorrowedMessage<'_>) -> Result<Record, Box<Rejected>> + Send>;

/// A running consumer.
#[derive(Debug)]
pub struct Consumer {
    /// What happens, in order. The stream ends when the thread does.
    pub events: UnboundedReceiver<Event>,
    /// What is asked of the thread.
    pub commands: Commands,
    /// The thread; it ends after [`Command::Stop`] or when `commands` is dropped, once the group is left.
    pub thread: JoinHandle<()>,
}

/// Limits of one message of the stream.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most records.
    pub records: usize,
    /// Most bytes.
    pub bytes: usize,
}

/// Starts a consumer of `topics` on a thread of its own.
pub fn start(
    settings: &ClientConfig,
    topics: &[&str],
    limits: Limits,
    decode: Decode,
) -> Result<Consumer, KafkaFailure> {
    let refused = |error: &dyn std::fmt::Display| KafkaFailure {
        what: format!("the Kafka consumer cannot be started: {error}"),
        hint: "check kafka.brokers and the settings of the group".into(),
    };
    let client: BaseConsumer<Context> = settings
        .create_with_context(Context::default())
        .map_err(|error| refused(&error))?;
    client.subscribe(topics).map_err(|error| refused(&error))?;
    let (events, receiver) = unbounded_channel();
    let (commands, orders) = std::sync::mpsc::channel();
    let thread = std::thread::Builder::new()
        .name("kafka".into())
        .spawn(move || {
            Poller {
                client,
                events,
                orders,
                decode,
                limits,
                credit: Credit::new(limits.records * 2, limits.bytes * 2),
                places: HashMap::new(),
                assignment: 0,
                full_since: None,
                paused: false,
            }
            .run();
        })
        .map_err(|error| refused(&error))?;
    Ok(Consumer {
        events: receiver,
        commands,
        thread,
    })
}

/// Where a partition is being read.
#[derive(Debug, Clone, Copy)]
struct Place {
    token: Token,
    /// Next offset to hand over; 0 at the start means the beginning.
    position: i64,
    /// When reading began there.
    since: Instant,
}

struct Poller {
    client: BaseConsumer<Context>,
    events: UnboundedSender<Event>,
    orders: Receiver<Command>,
    decode: Decode,
    limits: Limits,
    credit: Arc<Credit>,
    /// By topic, then by partition number.
    places: HashMap<String, HashMap<i32, Place>>,
    assignment: u64,
    full_since: Option<Instant>,
    paused: bool,
}

/// Records in hand that are not yet sent.
#[derive(Default)]
struct Hand {
    chunks: Vec<(Partition, Token, Vec<Read>, usize)>,
    records: usize,
    bytes: usize,
}

impl Poller {
    fn run(mut self) {
        loop {
            match self.orders.try_recv() {
                Ok(Command::Stop) | Err(TryRecvError::Disconnected) => break,
                Ok(command) => {
                    self.obey(command);
                    continue;
                }
                Err(TryRecvError::Empty) => {}
            }
            if self.events.is_closed() {
                break;
            }
            if !self.make_room() {
                continue;
            }
            self.read();
        }
        // Dropping the client leaves the group; its callbacks say so.
        drop(self.client);
    }

    /// True when there is room for more records. Without room for long, the partitions are paused and polling goes on,
    /// so that the group sees a living member.
    fn make_room(&mut self) -> bool {
        if self.credit.has_room() || (!self.paused && self.credit.wait(POLL)) {
            self.full_since = None;
            if self.paused {
                self.paused = false;
                self.with_assignment(rdkafka::consumer::Consumer::resume, "resuming");
            }
            return true;
        }
        let since = *self.full_since.get_or_insert_with(Instant::now);
        if !self.paused && since.elapsed() >= PAUSE_AFTER {
            self.paused = true;
            self.with_assignment(rdkafka::consumer::Consumer::pause, "pausing");
        }
        if self.paused {
            // What was fetched before the pause may still come: it is kept, the bound allows one load more.
            self.read();
        }
        false
    }

    fn with_assignment(
        &self,
        action: impl Fn(&BaseConsumer<Context>, &TopicPartitionList) -> rdkafka::error::KafkaResult<()>,
        doing: &str,
    ) {
        let result = self
            .client
            .assignment()
            .and_then(|partitions| action(&self.client, &partitions));
        if let Err(error) = result {
            tracing::warn!(%error, "kafka: {doing} the partitions failed");
        }
    }

    /// Polls one message with patience and then whatever is there already, up to the limits of one chunk list.
    fn read(&mut self) {
        let mut hand = Hand::default();
        let mut patience = POLL;
        while hand.records < self.limits.records && hand.bytes < self.limits.bytes {
            let polled = self.client.poll(patience);
            patience = Duration::ZERO;
            let ended = polled.is_none();
            let failed = match polled {
                Some(Ok(message)) => {
                    take(&mut self.places, &mut self.decode, &mut hand, &message);
                    None
                }
                Some(Err(error)) => Some(error),
                None => None,
            };
            let notes = self.client.context().take();
            if !notes.is_empty() || failed.is_some() {
                // What is in hand came before what the notes say.
                self.send(&mut hand);
                for note in notes {
                    self.heed(note);
                }
                if let Some(error) = failed {
                    self.fail(&error, "");
                }
            }
            if ended {
                break;
            }
        }
        self.send(&mut hand);
    }

    fn send(&self, hand: &mut Hand) {
        let hand = std::mem::take(hand);
        if hand.records == 0 {
            return;
        }
        let chunks = hand
            .chunks
            .into_iter()
            .map(|(partition, token, records, bytes)| Chunk {
                load: self.credit.take(records.len(), bytes),
                partition,
                token,
                records: records.into(),
            })
            .collect();
        self.tell(Event::Records(chunks));
    }

    fn tell(&self, event: Event) {
        // A closed stream means that the loop has ended; the thread notices by itself.
        let _ = self.events.send(event);
    }

    fn heed(&mut self, note: Note) {
        match note {
            Note::Assigned(partitions) => {
                self.places.clear();
                self.assignment += 1;
                self.paused = false;
                let passed = self.committed(&partitions);
                self.tell(Event::Assigned {
                    number: self.assignment,
                    partitions,
                    passed,
                });
            }
            Note::Revoked { lost } => {
                self.places.clear();
                self.assignment += 1;
                self.paused = false;
                self.tell(Event::Revoked { lost });
            }
            Note::Statistics(statistics) => {
                let ends = self.ends(&statistics);
                let connected = statistics.connected();
                self.tell(Event::Pulse { connected, ends });
            }
            Note::Error(error, reason) => self.fail(&error, &reason),
        }
    }

    /// The hints of the group; nothing for a partition without one, or when the broker does not say.
    fn committed(&self, partitions: &[Partition]) -> Vec<(Partition, i64)> {
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for partition in partitions {
            list.add_partition(&partition.topic, partition.number);
        }
        match self.client.committed_offsets(list, ANSWER) {
            Ok(offsets) => offsets
                .elements()
                .iter()
                .filter_map(|element| match element.offset() {
                    Offset::Offset(offset) => Some((
                        Partition {
                            topic: element.topic().to_owned(),
                            number: element.partition(),
                        },
                        offset,
                    )),
                    _ => None,
                })
                .collect(),
            Err(error) => {
                tracing::debug!(%error, "kafka: the hints of the group are not known");
                Vec::new()
            }
        }
    }

    fn ends(&self, statistics: &Statistics) -> Vec<End> {
        let mut ends = Vec::new();
        for (topic, partitions) in &self.places {
            let Some(known) = statistics.topics.get(topic) else {
                continue;
            };
            for said in known.partitions.values() {
                let Some(place) = partitions.get(&said.partition) else {
                    continue;
                };
                let end = if said.ls_offset >= 0 {
                    said.ls_offset
                } else {
                    said.hi_offset
                };
                if end < 0 {
                    continue;
                }
                // Everything was fetched and everything fetched was polled: what is missing to the end does not exist.
                // Statistics of before a seek may come after it, hence the rest.
                let drained =
                    said.fetchq_cnt == 0 && said.next_offset >= end && place.since.elapsed() >= SETTLED;
                ends.push(End {
                    partition: Partition {
                        topic: topic.clone(),
                        number: said.partition,
                    },
                    end,
                    drained,
                });
            }
        }
        ends
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Begin { number, starts } => {
                if number != self.assignment {
                    return;
                }
                self.places.clear();
                for start in starts {
                    self.place(&start);
                }
                self.assign();
            }
            Command::Seek(start) => {
                let held = self
                    .places
                    .get(&start.partition.topic)
                    .is_some_and(|partitions| partitions.contains_key(&start.partition.number));
                if !held {
                    return;
                }
                self.place(&start);
                let sought = self.client.seek(
                    &start.partition.topic,
                    start.partition.number,
                    offset(start.offset),
                    ANSWER,
                );
                if let Err(error) = sought {
                    tracing::debug!(%error, partition = %start.partition, "kafka: seek failed, assigning anew");
                    self.assign();
                }
            }
            Command::Commit(offsets) => {
                let mut list = TopicPartitionList::with_capacity(offsets.len());
                for (partition, offset) in offsets {
                    let added =
                        list.add_partition_offset(&partition.topic, partition.number, Offset::Offset(offset));
                    if let Err(error) = added {
                        tracing::debug!(%error, %partition, "kafka: offset not committed");
                    }
                }
                if let Err(error) = self.client.commit(&list, CommitMode::Async) {
                    tracing::debug!(%error, "kafka: the hint of the offsets was not committed");
                }
            }
            Command::Stop => {}
        }
    }

    fn place(&mut self, start: &Start) {
        self.places
            .entry(start.partition.topic.clone())
            .or_default()
            .insert(
                start.partition.number,
                Place {
                    token: start.token,
                    position: start.offset,
                    since: Instant::now(),
                },
            );
    }

    /// Reads all partitions from their places.
    fn assign(&mut self) {
        let mut list = TopicPartitionList::new();
        let mut result = Ok(());
        for (topic, partitions) in &self.places {
            for (number, place) in partitions {
                result = result.and(list.add_partition_offset(topic, *number, offset(place.position)));
            }
        }
        self.paused = false;
        if let Err(error) = result.and_then(|()| self.client.assign(&list)) {
            self.tell(Event::Failed(KafkaFailure {
                what: format!("Kafka refuses the assignment: {error}"),
                hint: "the worker is started again; if it repeats, check the brokers' logs".into(),
            }));
        }
    }

    fn fail(&mut self, error: &KafkaError, reason: &str) {
        match error {
            KafkaError::MessageConsumption(RDKafkaErrorCode::AutoOffsetReset)
            | KafkaError::Global(RDKafkaErrorCode::AutoOffsetReset) => self.find_out_of_range(),
            KafkaError::MessageConsumptionFatal(code) => self.tell(Event::Failed(KafkaFailure {
                what: format!("the Kafka client failed for good: {code} {reason}"),
                hint: "the worker is started again; if it repeats, check the brokers' logs".into(),
            })),
            KafkaError::MessageConsumption(code) | KafkaError::Global(code) if is_refusal(*code) => {
                self.tell(Event::Failed(KafkaFailure {
                    what: format!("Kafka refuses this client: {code} {reason}"),
                    hint: "check the rights and the protocol of kafka.brokers".into(),
                }));
            }
            error => self.tell(Event::Trouble(if reason.is_empty() {
                error.to_string()
            } else {
                format!("{error}: {reason}")
            })),
        }
    }

    /// An offset is out of range, and the client does not say which: asks for the range of each partition. Those in
    /// range are read again from their places.
    fn find_out_of_range(&mut self) {
        let mut found = false;
        for (topic, partitions) in &self.places {
            for (number, place) in partitions {
                let Ok((low, high)) = self.client.fetch_watermarks(topic, *number, ANSWER) else {
                    continue;
                };
                if place.position != 0 && (place.position < low || place.position > high) {
                    found = true;
                    self.tell(Event::OutOfRange {
                        partition: Partition {
                            topic: topic.clone(),
                            number: *number,
                        },
                        position: place.position,
                        low,
                        high,
                    });
                }
            }
        }
        if !found {
            self.assign();
        }
    }
}

/// Puts a message into the hand, when its partition is being read.
fn take(
    places: &mut HashMap<String, HashMap<i32, Place>>,
    decode: &mut Decode,
    hand: &mut Hand,
    message: &BorrowedMessage<'_>,
) {
    let (topic, number) = (message.topic(), message.partition());
    let Some(place) = places
        .get_mut(topic)
        .and_then(|partitions| partitions.get_mut(&number))
    else {
        return;
    };
    place.position = message.offset() + 1;
    let read = Read {
        offset: message.offset(),
        kafka_at: message
            .timestamp()
            .to_millis()
            .and_then(DateTime::from_timestamp_millis),
        content: decode(message),
    };
    let bytes = message.payload_len() + message.key_len() + 200;
    hand.records += 1;
    hand.bytes += bytes;
    let same = |chunk: &&mut (Partition, Token, Vec<Read>, usize)| {
        chunk.0.number == number && chunk.1 == place.token && chunk.0.topic == topic
    };
    if let Some(chunk) = hand.chunks.iter_mut().rev().find(same) {
        chunk.2.push(read);
        chunk.3 += bytes;
        return;
    }
    let partition = Partition {
        topic: topic.to_owned(),
        number,
    };
    hand.chunks.push((partition, place.token, vec![read], bytes));
}

const fn offset(next: i64) -> Offset {
    // Offset 0 itself may have gone to compaction.
    if next == 0 {
        Offset::Beginning
    } else {
        Offset::Offset(next)
    }
}

/// Errors that no waiting cures.
const fn is_refusal(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::GroupAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed
            | RDKafkaErrorCode::SaslAuthenticationFailed
            | RDKafkaErrorCode::InvalidGroupId
            | RDKafkaErrorCode::InconsistentGroupProtocol
            | RDKafkaErrorCode::UnsupportedVersion
    )
}
