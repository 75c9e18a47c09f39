//! A small shop whose database writes its changes to topics the way Debezium does, faults included.
//!
//! The tables of the shop are the truth at the end of a history. The topics hold what a worker gets to see of them:
//! changes in commit order, replays of a suffix after a connector crash (same LSN, new offsets), snapshots in the
//! middle, deletes with only the key, tombstones, records that cannot be decoded and are replayed later, a raised source
//! generation, and compaction that removes what came before.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use instashop_core::batch::Rejected;
use instashop_core::change::{Change, Moment, NotARow, Op, Record, Row, Value};
use instashop_core::checkpoint::Partition;
use instashop_core::position::Position;
use instashop_core::table::Table;
use rust_decimal::Decimal;

use crate::random::Random;

const HEARTBEAT: &str = "__debezium-heartbeat.instashop";

/// An order of the shop.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderRow {
    pub at: Option<i64>,
    pub cents: Option<i64>,
    pub buyer: Option<i64>,
    pub store: i64,
    pub method: Option<&'static str>,
    pub status: Option<&'static str>,
}

/// A line of the shop.
#[derive(Debug, Clone, PartialEq)]
pub struct LineRow {
    pub order: Option<i64>,
    pub product: Option<i64>,
    pub quantity: Option<i64>,
    pub price: Option<i64>,
}

/// A product of the shop.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductRow {
    pub name: String,
    pub category: Option<&'static str>,
    pub currency: Option<&'static str>,
    pub store: i64,
    pub price: Option<i64>,
    pub status: Option<&'static str>,
}

/// A stock row of the shop.
#[derive(Debug, Clone, PartialEq)]
pub struct StockRow {
    pub product: i64,
    pub available: Option<i64>,
    pub reorder_point: Option<i64>,
    pub location: Option<&'static str>,
}

/// A shipment of the shop.
#[derive(Debug, Clone, PartialEq)]
pub struct ShipmentRow {
    pub status: &'static str,
    pub method: Option<&'static str>,
    pub due: Option<i64>,
}

/// A behaviour event of the shop.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRow {
    pub at: Option<i64>,
    pub kind: &'static str,
    pub session: Option<String>,
    pub buyer: Option<i64>,
    pub store: Option<i64>,
    pub product: Option<i64>,
    pub term: Option<&'static str>,
    pub results: Option<i64>,
}

/// A row of a table of which little is needed: its columns that are not NULL.
pub type SmallRow = BTreeMap<&'static str, Value>;

/// A record of a topic: offset, key, content.
#[derive(Debug, Clone)]
pub struct Entry {
    pub offset: i64,
    pub key: Option<(Table, i64)>,
    pub content: Result<Record, Box<Rejected>>,
}

/// A partition of a topic.
#[derive(Debug, Clone)]
pub struct Log {
    pub partition: Partition,
    pub entries: Vec<Entry>,
    pub end: i64,
}

impl Log {
    /// Removes every record of the first part of the log that a later record of that part replaces, as compaction does.
    /// Behaviour events are left alone: an update without the unchanged large value would lose it for ever, which is why
    /// such tables need the full replica identity.
    fn compact(&mut self, random: &mut Random) {
        if self.partition.topic == Table::UserBehavior.name() {
            return;
        }
        let until = random.below(self.entries.len() + 1);
        let mut seen = BTreeSet::new();
        let mut kept: Vec<Entry> = self.entries.split_off(until);
        kept.reverse();
        for entry in self.entries.drain(..).rev() {
            if entry.key.is_none_or(|key| seen.insert(key)) {
                kept.push(entry);
            }
        }
        kept.reverse();
        self.entries = kept;
    }
}

/// Where a record stands that could not be decoded, and which one of the mended ones it is.
#[derive(Debug, Clone)]
struct Letter {
    partition: Partition,
    offset: i64,
    mended: usize,
}

/// The shop and its topics.
#[derive(Debug)]
pub struct Shop {
    pub random: Random,
    pub now: DateTime<Utc>,
    pub orders: BTreeMap<i64, OrderRow>,
    pub lines: BTreeMap<i64, LineRow>,
    pub products: BTreeMap<i64, ProductRow>,
    pub events: BTreeMap<i64, EventRow>,
    pub stock: BTreeMap<i64, StockRow>,
    pub shipments: BTreeMap<i64, ShipmentRow>,
    pub small: BTreeMap<(Table, i64), SmallRow>,
    pub logs: Vec<Log>,
    removed_products: BTreeSet<i64>,
    generation: u32,
    lsn: u64,
    /// Last LSN of each row.
    last: BTreeMap<(Table, i64), u64>,
    /// Records that could not be decoded, as they will be when somebody has put them right.
    mended: Vec<Change>,
    /// Open dead letters.
    letters: Vec<Letter>,
    /// Rows with a record that could not be decoded. Later ones bring every value: what only a lost record said stays
    /// unknown, which is why tables with large values need the full replica identity.
    hurt: BTreeSet<(Table, i64)>,
    /// What the connector sent since the last raise of the generation, for replays.
    journal: Vec<(Table, i64, Result<Record, Box<Rejected>>)>,
}

const STATUSES: [Option<&str>; 9] = [
    Some("completed"),
    Some(" Completed "),
    Some("completed"),
    Some("pending"),
    Some("failed"),
    Some("cancelled"),
    Some("refunded"),
    Some("lost in space"),
    None,
];
const METHODS: [Option<&str>; 5] = [
    Some("Credit Card"),
    Some("wire"),
    Some("PayPal"),
    Some("beads"),
    None,
];
const CATEGORIES: [Option<&str>; 6] = [
    Some("Home"),
    Some(" Toys "),
    Some("A|B"),
    Some("unclassified"),
    Some("  "),
    None,
];
const KINDS: [&str; 9] = [
    "search",
    "add_to_cart",
    "a|b",
    "page_view",
    "product_view",
    "product_view",
    "remove_from_cart",
    "begin_checkout",
    "purchase",
];
const TERMS: [Option<&str>; 4] = [Some("mug"), Some(" A|B "), Some("MUG"), None];
const PLANS: [Option<&str>; 5] = [Some("Pro"), Some(" premium"), Some("Gold"), Some(""), None];
const SMALL: [Table; 7] = [
    Table::Customer,
    Table::Buyer,
    Table::Carrier,
    Table::InventoryMovement,
    Table::Interaction,
    Table::Segment,
    Table::CustomerSegment,
];
const TABLES: [Table; 13] = Table::ALL;

impl Shop {
    /// An empty shop.
    pub fn new(seed: u64, now: DateTime<Utc>) -> Self {
        let mut random = Random::new(seed);
        let spread = 1 + random.below(3) as i32;
        let mut logs = Vec::new();
        for (topic, partitions) in [
            (Table::Transaction.name(), spread),
            (Table::TransactionDetail.name(), spread),
            (Table::Product.name(), 1),
            (Table::UserBehavior.name(), 1),
            (Table::Stock.name(), 1),
            (Table::Shipment.name(), 1),
            (Table::Customer.name(), 1),
            (Table::Buyer.name(), 1),
            (Table::Carrier.name(), 1),
            (Table::InventoryMovement.name(), 1),
            (Table::Interaction.name(), 1),
            (Table::Segment.name(), 1),
            (Table::CustomerSegment.name(), 1),
            (HEARTBEAT, 1),
        ] {
            for number in 0..partitions {
                logs.push(Log {
                    partition: Partition {
                        topic: topic.to_owned(),
                        number,
                    },
                    entries: Vec::new(),
                    end: 0,
                });
            }
        }
        Self {
            random,
            now,
            orders: BTreeMap::new(),
            lines: BTreeMap::new(),
            products: BTreeMap::new(),
            events: BTreeMap::new(),
            stock: BTreeMap::new(),
            shipments: BTreeMap::new(),
            small: BTreeMap::new(),
            logs,
            removed_products: BTreeSet::new(),
            generation: 0,
            lsn: 1000,
            last: BTreeMap::new(),
            mended: Vec::new(),
            letters: Vec::new(),
            hurt: BTreeSet::new(),
            journal: Vec::new(),
        }
    }

    /// Something happens in the shop or to its connector.
    pub fn happen(&mut self) {
        self.now += Duration::seconds(self.random.between(0, 20));
        match self.random.below(100) {
            0..33 => self.change_order(),
            33..52 => self.change_line(),
            52..58 => self.change_product(),
            58..74 => self.change_event(),
            74..79 => self.change_stock(),
            79..82 => self.change_shipment(),
            82..87 => self.change_small(),
            87..90 => self.noise(),
            90..94 => self.replay(),
            94..96 => self.snapshot(),
            96..97 => self.raise_generation(),
            97..98 => self.now += Duration::hours(self.random.between(1, 30)),
            98..99 if !self.letters.is_empty() => {
                let letter = self.random.below(self.letters.len());
                self.repair(letter);
            }
            _ => {
                let log = self.random.below(self.logs.len());
                self.logs[log].compact(&mut self.random);
            }
        }
    }

    fn change_order(&mut self) {
        let key = self.random.between(1, 12);
        let random = &mut self.random;
        match self.orders.get_mut(&key) {
            Some(_) if random.chance(15) => {
                self.orders.remove(&key);
                self.send(Table::Transaction, key, Op::Delete);
            }
            Some(order) => {
                match random.below(5) {
                    0 => order.cents = amount(random),
                    1 => order.status = random.pick(&STATUSES),
                    2 => order.at = moment(random, self.now),
                    3 => order.buyer = Some(random.between(1, 4)),
                    _ => order.method = random.pick(&METHODS),
                }
                self.send(Table::Transaction, key, Op::Update);
            }
            None => {
                let order = OrderRow {
                    at: moment(random, self.now),
                    cents: amount(random),
                    buyer: (!random.chance(3)).then(|| random.between(1, 4)),
                    store: random.between(1, 3),
                    method: random.pick(&METHODS),
                    status: random.pick(&STATUSES),
                };
                self.orders.insert(key, order);
                self.send(Table::Transaction, key, Op::Create);
            }
        }
    }

    fn change_line(&mut self) {
        let key = self.random.between(1, 24);
        let random = &mut self.random;
        let order = |random: &mut Random| (!random.chance(3)).then(|| random.between(1, 13));
        // No line names a deleted product (the foreign key of the source). One that was not made yet may be named: its
        // row comes later on its own topic.
        let removed = self.removed_products.clone();
        let product = |random: &mut Random| {
            let id = random.between(1, 5);
            (!random.chance(5) && !removed.contains(&id)).then_some(id)
        };
        match self.lines.get_mut(&key) {
            Some(_) if random.chance(20) => {
                self.lines.remove(&key);
                self.send(Table::TransactionDetail, key, Op::Delete);
            }
            Some(line) => {
                match random.below(4) {
                    0 => line.order = order(random),
                    1 => line.product = product(random),
                    2 => line.quantity = Some(random.between(-1, 5)),
                    _ => line.price = Some(random.between(-100, 9000)),
                }
                self.send(Table::TransactionDetail, key, Op::Update);
            }
            None => {
                let line = LineRow {
                    order: order(random),
                    product: product(random),
                    quantity: (!random.chance(3)).then(|| random.between(0, 4)),
                    price: (!random.chance(3)).then(|| random.between(0, 9000)),
                };
                self.lines.insert(key, line);
                self.send(Table::TransactionDetail, key, Op::Create);
            }
        }
    }

    fn change_product(&mut self) {
        let key = self.random.between(1, 5);
        let random = &mut self.random;
        let currency =
            |random: &mut Random| random.pick(&[Some("USD"), Some("usd"), Some("COP"), Some("ZAR"), None]);
        if let Some(product) = self.products.get_mut(&key) {
            // Products are only removed when nothing refers to them any more (a foreign key of the source).
            let used = self.lines.values().any(|line| line.product == Some(key))
                || self.stock.values().any(|row| row.product == key);
            if !used && random.chance(10) {
                self.products.remove(&key);
                self.removed_products.insert(key);
                self.send(Table::Product, key, Op::Delete);
                return;
            }
            match random.below(9) {
                0 | 5 | 6 => product.currency = currency(random),
                1 => product.name = format!("product {}", random.below(100)),
                2 => product.store = random.between(1, 3),
                3 => product.price = Some(random.between(0, 9000)),
                4 => product.status = random.pick(&[Some("active"), Some(" Inactive"), None]),
                _ => product.category = random.pick(&CATEGORIES),
            }
            self.send(Table::Product, key, Op::Update);
        } else {
            let product = ProductRow {
                name: format!("product {}", random.below(100)),
                category: random.pick(&CATEGORIES),
                currency: currency(random),
                store: random.between(1, 3),
                price: (!random.chance(10)).then(|| random.between(0, 9000)),
                status: random.pick(&[Some("active"), Some("Inactive "), None]),
            };
            self.products.insert(key, product);
            self.removed_products.remove(&key);
            self.send(Table::Product, key, Op::Create);
        }
    }

    fn change_event(&mut self) {
        let key = self.random.between(1, 30);
        let random = &mut self.random;
        match self.events.get_mut(&key) {
            Some(_) if random.chance(20) => {
                self.events.remove(&key);
                self.send(Table::UserBehavior, key, Op::Delete);
            }
            Some(event) => {
                match random.below(3) {
                    0 => event.kind = random.pick(&KINDS),
                    1 => event.at = moment(random, self.now),
                    _ => event.session = Some(format!("b|s{}", random.below(3))),
                }
                self.send(Table::UserBehavior, key, Op::Update);
            }
            None => {
                let event = EventRow {
                    at: moment(random, self.now),
                    kind: random.pick(&KINDS),
                    session: (!random.chance(10)).then(|| format!("s{}", random.below(4))),
                    buyer: random.chance(60).then(|| random.between(1, 3)),
                    store: random.chance(90).then(|| random.between(0, 2)),
                    product: random.chance(70).then(|| random.between(1, 3)),
                    term: random.pick(&TERMS),
                    results: random.chance(60).then(|| random.between(0, 2)),
                };
                self.events.insert(key, event);
                self.send(Table::UserBehavior, key, Op::Create);
            }
        }
    }

    fn change_stock(&mut self) {
        let key = self.random.between(1, 5);
        let random = &mut self.random;
        // Like lines, stock rows name products that may come later, and none that was deleted.
        let product = random.between(1, 5);
        if self.removed_products.contains(&product) {
            return;
        }
        if self.stock.contains_key(&key) && random.chance(15) {
            self.stock.remove(&key);
            self.send(Table::Stock, key, Op::Delete);
            return;
        }
        let row = StockRow {
            product,
            available: (!random.chance(5)).then(|| random.between(-2, 20)),
            reorder_point: (!random.chance(10)).then(|| random.between(0, 10)),
            location: random.pick(&[Some("north"), Some(" n|s "), Some(" "), None]),
        };
        let op = if self.stock.insert(key, row).is_some() {
            Op::Update
        } else {
            Op::Create
        };
        self.send(Table::Stock, key, op);
    }

    fn change_shipment(&mut self) {
        let key = self.random.between(1, 4);
        let known = self.shipments.contains_key(&key);
        if known && self.random.chance(20) {
            self.shipments.remove(&key);
            self.send(Table::Shipment, key, Op::Delete);
            return;
        }
        let random = &mut self.random;
        let row = ShipmentRow {
            status: random.pick(&["pending", "in_transit", "delivered"]),
            method: random.pick(&[Some("express"), Some("a|b"), None]),
            due: moment(random, self.now),
        };
        self.shipments.insert(key, row);
        self.send(Table::Shipment, key, if known { Op::Update } else { Op::Create });
    }

    /// A row of a table of which little is needed comes, changes or goes.
    fn change_small(&mut self) {
        let random = &mut self.random;
        let (table, key) = (random.pick(&SMALL), random.between(1, 4));
        if self.small.contains_key(&(table, key)) && random.chance(25) {
            self.small.remove(&(table, key));
            self.send(table, key, Op::Delete);
            return;
        }
        let mut row = SmallRow::new();
        let mut text = |column, value: Option<&str>| {
            row.extend(value.map(|value| (column, Value::Text(value.to_owned()))));
        };
        match table {
            Table::Customer => text("subscription_plan", random.pick(&PLANS)),
            Table::InventoryMovement => {
                text(
                    "movement_type",
                    random.pick(&[Some("in"), Some(" OUT"), Some("turn"), None]),
                );
                text("reason", random.pick(&[Some("sale"), Some("Re|turn "), None]));
                row.insert("product_id", Value::Int(random.between(1, 3)));
                row.insert("quantity", Value::Int(random.between(-1, 9)));
                let at = moment(random, self.now);
                row.extend(at.map(|at| ("movement_date", Value::Timestamp(Moment::Micros(at)))));
            }
            Table::Interaction => {
                text(
                    "interaction_type",
                    random.pick(&[Some("call"), Some("Website_Visit"), None]),
                );
                text("channel", random.pick(&[Some("E|mail"), None]));
                text("status", random.pick(&[Some("open"), None]));
                row.insert("customer_id", Value::Int(random.between(1, 3)));
                let at = moment(random, self.now);
                row.extend(at.map(|at| ("interaction_date", Value::Timestamp(Moment::Micros(at)))));
            }
            Table::CustomerSegment => {
                row.insert("customer_id", Value::Int(random.between(1, 2)));
                row.insert("segment_id", Value::Int(random.between(1, 2)));
            }
            _ => {}
        }
        let op = if self.small.insert((table, key), row).is_some() {
            Op::Update
        } else {
            Op::Create
        };
        self.send(table, key, op);
    }

    /// Records that are no rows, and a table the live flow does not keep.
    fn noise(&mut self) {
        let at = self.now;
        let heartbeat = Record::Heartbeat {
            prefix: "instashop".into(),
            at,
        };
        self.append(HEARTBEAT, 0, None, Ok(heartbeat));
        self.append(
            Table::Buyer.name(),
            0,
            None,
            Ok(Record::NotARow(NotARow::Truncate)),
        );
        let poison = Rejected {
            reason: "bad_json".into(),
            detail: "not JSON".into(),
            value: Some(b"{".to_vec()),
            ..Rejected::default()
        };
        let table = self.random.pick(&[Table::Transaction, Table::Product]);
        self.append(table.name(), 0, None, Err(Box::new(poison)));
        // A delete and a tombstone of a row that never was.
        self.append(
            Table::Transaction.name(),
            900,
            Some((Table::Transaction, 900)),
            Ok(Record::Tombstone {
                table: Some(Table::Transaction),
                key: Some(900),
            }),
        );
    }

    /// The connector crashed and sends a suffix of what it sent again, at new offsets.
    fn replay(&mut self) {
        if self.journal.is_empty() {
            return;
        }
        let from = self.journal.len() - 1 - self.random.below(self.journal.len().min(60));
        let again = self.journal.split_off(from);
        for (table, key, content) in again.iter().cloned() {
            self.append(table.name(), key, Some((table, key)), content);
        }
        self.journal.extend(again);
    }

    /// All rows of some tables again, as statements of state.
    fn snapshot(&mut self) {
        for table in TABLES {
            if self.random.chance(60) {
                self.snapshot_table(table);
            }
        }
    }

    fn snapshot_table(&mut self, table: Table) {
        let keys: Vec<i64> = match table {
            Table::Transaction => self.orders.keys().copied().collect(),
            Table::TransactionDetail => self.lines.keys().copied().collect(),
            Table::Product => self.products.keys().copied().collect(),
            Table::UserBehavior => self.events.keys().copied().collect(),
            Table::Stock => self.stock.keys().copied().collect(),
            Table::Shipment => self.shipments.keys().copied().collect(),
            _ => self
                .small
                .keys()
                .filter(|(of, _)| *of == table)
                .map(|(_, key)| *key)
                .collect(),
        };
        for key in keys {
            let change = self.change(table, key, Op::Read, Position::snapshot(self.generation));
            let record = if self.random.chance(2) {
                self.poison(change)
            } else {
                Ok(Record::Change(Box::new(change)))
            };
            // A crash may make the connector send it again, but never what came before the snapshot.
            self.append(table.name(), key, Some((table, key)), record.clone());
            self.journal.push((table, key, record));
        }
    }

    /// A record that cannot be decoded until somebody puts it right.
    fn poison(&mut self, mut change: Change) -> Result<Record, Box<Rejected>> {
        change.repair = true;
        self.hurt.insert((change.table, change.key));
        let number = self.mended.len();
        self.mended.push(change);
        Err(Box::new(Rejected {
            reason: "wrong_type".into(),
            detail: "poison".into(),
            value: Some(number.to_be_bytes().to_vec()),
            ..Rejected::default()
        }))
    }

    /// Somebody replays a dead letter: the mended record goes to the end of its own partition, unless the partition has
    /// a later one of the same row. A change that slipped in between the look and the write is written once more.
    fn repair(&mut self, letter: usize) {
        let letter = self.letters.remove(letter);
        let log = self.log(&letter.partition);
        let Some(at) = log.entries.iter().position(|entry| entry.offset == letter.offset) else {
            return;
        };
        let key = log.entries[at].key;
        let later: Vec<_> = log.entries[at + 1..]
            .iter()
            .filter(|entry| entry.key == key)
            .map(|entry| entry.content.clone())
            .collect();
        let (Some((table, id)), slipped_in) = (key, self.random.chance(30)) else {
            return;
        };
        let overtaken = later.len() > usize::from(slipped_in);
        if overtaken {
            return;
        }
        let mended = Box::new(self.mended[letter.mended].clone());
        self.append(table.name(), id, key, Ok(Record::Change(mended)));
        for content in later {
            self.append(table.name(), id, key, content);
        }
    }

    /// Somebody replays every dead letter there is.
    pub fn repair_all(&mut self) {
        while !self.letters.is_empty() {
            self.repair(0);
        }
    }

    fn log(&self, partition: &Partition) -> &Log {
        self.logs.iter().find(|log| log.partition == *partition).unwrap()
    }

    /// The source was restored: its LSNs begin anew, a higher generation is stamped, and all rows come again.
    fn raise_generation(&mut self) {
        self.generation += 1;
        self.lsn = 1000;
        self.last.clear();
        self.journal.clear();
        for table in TABLES {
            self.snapshot_table(table);
        }
    }

    /// Sends a streamed change of a row, and the tombstone after a delete.
    fn send(&mut self, table: Table, key: i64, op: Op) {
        // LSNs grow per row, not per topic: transactions interleave in the log and are sent in commit order.
        self.lsn += 10;
        let last = self.last.get(&(table, key)).copied().unwrap_or_default();
        let lsn = (self.lsn - self.random.below(300) as u64).max(last + 1);
        self.last.insert((table, key), lsn);
        let mut change = self.change(table, key, op, Position::streamed(self.generation, lsn));
        let content = if self.random.chance(4) {
            self.poison(change)
        } else {
            if op == Op::Update && self.random.chance(30) && !self.hurt.contains(&(table, key)) {
                leave_out_large_values(&mut change);
            }
            Ok(Record::Change(Box::new(change)))
        };
        self.append(table.name(), key, Some((table, key)), content.clone());
        self.journal.push((table, key, content));
        if op != Op::Delete {
            return;
        }
        if self.random.chance(90) {
            let tombstone = Ok(Record::Tombstone {
                table: Some(table),
                key: Some(key),
            });
            self.append(table.name(), key, Some((table, key)), tombstone.clone());
            self.journal.push((table, key, tombstone));
        }
    }

    fn change(&self, table: Table, key: i64, op: Op, position: Position) -> Change {
        Change {
            source: table.source(),
            table,
            key,
            op,
            after: (op != Op::Delete).then(|| self.image(table, key)),
            before: None,
            position,
            lsn: position.lsn,
            tx_id: None,
            committed_at: self.now,
            snapshot: op == Op::Read,
            repair: false,
        }
    }

    fn append(
        &mut self,
        topic: &str,
        key: i64,
        identity: Option<(Table, i64)>,
        content: Result<Record, Box<Rejected>>,
    ) {
        let count = self
            .logs
            .iter()
            .filter(|log| log.partition.topic == topic)
            .count() as i64;
        let number = key.rem_euclid(count) as i32;
        let hole = i64::from(self.random.chance(5));
        let log = self
            .logs
            .iter_mut()
            .find(|log| log.partition.topic == topic && log.partition.number == number)
            .unwrap();
        let offset = log.end + hole;
        log.end = offset + 1;
        if let (Some(_), Err(rejected)) = (identity, &content)
            && let Some(number) = rejected.value.as_deref()
        {
            self.letters.push(Letter {
                partition: log.partition.clone(),
                offset,
                mended: usize::from_be_bytes(number.try_into().unwrap()),
            });
        }
        log.entries.push(Entry {
            offset,
            key: identity,
            content,
        });
    }

    /// The row as an image of the catalogue.
    fn image(&self, table: Table, key: i64) -> Row {
        let mut values = vec![Value::Null; table.columns().len()];
        let mut set = |column: &str, value: Value| values[table.column(column).unwrap()] = value;
        let int = |value: Option<i64>| value.map_or(Value::Null, Value::Int);
        let text = |value: Option<&str>| value.map_or(Value::Null, |text| Value::Text(text.to_owned()));
        let money =
            |value: Option<i64>| value.map_or(Value::Null, |cents| Value::Decimal(Decimal::new(cents, 2)));
        let time =
            |value: Option<i64>| value.map_or(Value::Null, |micros| Value::Timestamp(Moment::Micros(micros)));
        set(table.key(), Value::Int(key));
        match table {
            Table::Transaction => {
                let row = &self.orders[&key];
                set("buyer_id", int(row.buyer));
                set("customer_id", Value::Int(row.store));
                set("transaction_date", time(row.at));
                set("total_amount", money(row.cents));
                set("payment_method", text(row.method));
                set("status", text(row.status));
            }
            Table::TransactionDetail => {
                let row = &self.lines[&key];
                set("transaction_id", int(row.order));
                set("product_id", int(row.product));
                set("quantity", int(row.quantity));
                set("unit_price", money(row.price));
            }
            Table::Product => {
                let row = &self.products[&key];
                set("name", Value::Text(row.name.clone()));
                set("category", text(row.category));
                set("currency", text(row.currency));
                set("customer_id", Value::Int(row.store));
                set("price", money(row.price));
                set("status", text(row.status));
            }
            Table::UserBehavior => {
                let row = &self.events[&key];
                set("timestamp", time(row.at));
                set("event_type", Value::Text(row.kind.to_owned()));
                set("session_id", text(row.session.as_deref()));
                set("customer_id", int(row.store));
                set("product_id", int(row.product));
                let mut metadata = serde_json::Map::new();
                metadata.extend(row.buyer.map(|buyer| ("buyer_id".to_owned(), buyer.into())));
                metadata.extend(row.term.map(|term| ("search_term".to_owned(), term.into())));
                metadata.extend(
                    row.results
                        .map(|count| ("results_count".to_owned(), count.into())),
                );
                let metadata = serde_json::Value::Object(metadata);
                set("metadata", Value::Json(metadata.to_string()));
            }
            Table::Stock => {
                let row = &self.stock[&key];
                set("product_id", Value::Int(row.product));
                set("available_quantity", int(row.available));
                set("reorder_point", int(row.reorder_point));
                set("warehouse_location", text(row.location));
            }
            Table::Shipment => {
                let row = &self.shipments[&key];
                set("status", text(Some(row.status)));
                set("shipping_method", text(row.method));
                set("estimated_delivery_date", time(row.due));
            }
            _ => {
                for (column, value) in &self.small[&(table, key)] {
                    set(column, value.clone());
                }
            }
        }
        Row {
            values,
            extra: BTreeMap::new(),
        }
    }
}

/// Unchanged large values do not come with an update (pitfall 6). The shop never changes these.
fn leave_out_large_values(change: &mut Change) {
    if change.table == Table::UserBehavior
        && let Some(row) = &mut change.after
    {
        row.values[Table::UserBehavior.column("metadata").unwrap()] = Value::Missing;
    }
}

fn amount(random: &mut Random) -> Option<i64> {
    match random.below(20) {
        0 => None,
        1 => Some(-random.between(1, 5000)),
        2 => Some(0),
        3 => Some(999_999_999_999),
        4..9 => Some(random.between(1, 3) * 100),
        _ => Some(random.between(1, 50_000)),
    }
}

/// Business times: mostly around now, some days or weeks ago, a few in the future, absurd or missing.
fn moment(random: &mut Random, now: DateTime<Utc>) -> Option<i64> {
    let at = match random.below(20) {
        0 => return None,
        1 => return Some(i64::MAX),
        2 => now + Duration::days(random.between(1, 400)),
        3..6 => now - Duration::days(random.between(1, 60)),
        6..10 => now - Duration::hours(random.between(0, 50)),
        10..14 => now - Duration::minutes(random.between(0, 200)),
        _ => now - Duration::seconds(random.between(0, 400)),
    };
    Some(at.timestamp_micros())
}
