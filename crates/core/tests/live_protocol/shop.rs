//! A small shop whose database writes its changes to topics the way Debezium does, faults included.
//!
//! The tables of the shop are the truth at the end of a history. The topics hold what a worker gets to see of them:
//! changes in commit order, replays of a suffix after a connector crash (same LSN, new offsets), snapshots in the
//! middle, deletes with only the key, tombstones, records that cannot be decoded and are replayed later, a raised source
//! generation, and compaction that removes what came before.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, NaiveDate, Utc};
use instashop_core::batch::Rejected;
use instashop_core::change::{Change, Moment, Op, Record, Value};
use instashop_core::checkpoint::Partition;
use instashop_core::table::Table;

use crate::random::Random;

pub const HEARTBEAT: &str = "__debezium-heartbeat.instashop";

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
    pub fn compact(&mut self, random: &mut Random) {
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
pub struct Letter {
    pub partition: Partition,
    pub offset: i64,
    pub mended: usize,
}

/// The shop and its topics.
#[derive(Debug)]
pub struct Shop {
    pub random: Random,
    pub now: DateTime<Utc>,
    /// First day that is live. What is older changes no more: what a late change does to live totals is corrected by a
    /// rebuild alone.
    pub boundary: Option<NaiveDate>,
    /// True when days will be sealed.
    pub seals: bool,
    pub orders: BTreeMap<i64, OrderRow>,
    pub lines: BTreeMap<i64, LineRow>,
    pub products: BTreeMap<i64, ProductRow>,
    pub events: BTreeMap<i64, EventRow>,
    pub stock: BTreeMap<i64, StockRow>,
    pub shipments: BTreeMap<i64, ShipmentRow>,
    pub small: BTreeMap<(Table, i64), SmallRow>,
    pub logs: Vec<Log>,
    pub removed_products: BTreeSet<i64>,
    pub removed_orders: BTreeSet<i64>,
    pub generation: u32,
    pub lsn: u64,
    /// Last LSN of each row.
    pub last: BTreeMap<(Table, i64), u64>,
    /// Records that could not be decoded, as they will be when somebody has put them right.
    pub mended: Vec<Change>,
    /// Open dead letters.
    pub letters: Vec<Letter>,
    /// Rows with a record that could not be decoded. Later ones bring every value: what only a lost record said stays
    /// unknown, which is why tables with large values need the full replica identity.
    pub hurt: BTreeSet<(Table, i64)>,
    /// What the connector sent since the last raise of the generation, for replays.
    pub journal: Vec<(Table, i64, Result<Record, Box<Rejected>>)>,
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
            boundary: None,
            seals: false,
            orders: BTreeMap::new(),
            lines: BTreeMap::new(),
            products: BTreeMap::new(),
            events: BTreeMap::new(),
            stock: BTreeMap::new(),
            shipments: BTreeMap::new(),
            small: BTreeMap::new(),
            logs,
            removed_products: BTreeSet::new(),
            removed_orders: BTreeSet::new(),
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

    /// True for a moment some time before the boundary.
    fn is_sealed(&self, at: Option<i64>) -> bool {
        let (Some(boundary), Some(at)) = (self.boundary, at) else {
            return false;
        };
        let day = boundary.and_hms_opt(0, 0, 0).unwrap().and_utc();
        at < (day + Duration::days(1)).timestamp_micros()
    }

    fn change_order(&mut self) {
        let key = self.random.between(1, 12);
        if self.orders.get(&key).is_some_and(|row| self.is_sealed(row.at)) {
            return;
        }
        // What was an order of a sealed day has lost its lines: no other order gets its id, and no line outlives it.
        if self.seals && self.removed_orders.contains(&key) {
            return;
        }
        let stays_sealed = self.boundary.is_some() || self.seals;
        let random = &mut self.random;
        match self.orders.get_mut(&key) {
            Some(_) if random.chance(15) => {
                self.orders.remove(&key);
                self.removed_orders.insert(key);
                if self.seals {
                    let of = |line: &LineRow| line.order == Some(key);
                    let lines = self.lines.iter().filter(|(_, line)| of(line));
                    for line in lines.map(|(line, _)| *line).collect::<Vec<_>>() {
                        self.lines.remove(&line);
                        self.send(Table::TransactionDetail, line, Op::Delete);
                    }
                }
                self.send(Table::Transaction, key, Op::Delete);
            }
            Some(order) => {
                match random.below(5) {
                    0 => order.cents = amount(random),
                    1 => order.status = random.pick(&STATUSES),
                    // An order that comes back from a sealed day has lost its lines.
                    2 => order.at = moved(random, self.now, order.at, stays_sealed),
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
        let gone = self.removed_orders.clone();
        let seals = self.seals;
        let order = |random: &mut Random| {
            let id = random.between(1, 13);
            let is_gone = seals && gone.contains(&id);
            (!random.chance(3) && !is_gone).then_some(id)
        };
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
        if self.events.get(&key).is_some_and(|row| self.is_sealed(row.at)) {
            return;
        }
        let stays_sealed = self.boundary.is_some() || self.seals;
        let random = &mut self.random;
        match self.events.get_mut(&key) {
            Some(_) if random.chance(20) => {
                self.events.remove(&key);
                self.send(Table::UserBehavior, key, Op::Delete);
            }
            Some(event) => {
                match random.below(3) {
                    0 => event.kind = random.pick(&KINDS),
                    // An event that comes back from a sealed day has lost large values that its change left out.
                    1 => event.at = moved(random, self.now, event.at, stays_sealed),
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

/// Where a row's time is moved to. Days are sealed under the feet of a shop that seals: there a row only moves back in time.
fn moved(random: &mut Random, now: DateTime<Utc>, before: Option<i64>, stays_sealed: bool) -> Option<i64> {
    let at = moment(random, now);
    let is_earlier = matches!((at, before), (Some(at), Some(before)) if at < before);
    if is_earlier || !stays_sealed { at } else { before }
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
