//! What the topics get to see of the shop: changes as Debezium sends them, with everything that goes wrong on the way.

use std::collections::BTreeMap;

use instashop_core::batch::Rejected;
use instashop_core::change::{Change, Moment, NotARow, Op, Record, Row, Value};
use instashop_core::checkpoint::Partition;
use instashop_core::position::Position;
use instashop_core::table::Table;
use rust_decimal::Decimal;

use crate::shop::{Entry, HEARTBEAT, Letter, Log, Shop};

impl Shop {
    /// Records that are no rows, and a table the live flow does not keep.
    pub fn noise(&mut self) {
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
    pub fn replay(&mut self) {
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
    pub fn snapshot(&mut self) {
        for table in Table::ALL {
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
    pub fn repair(&mut self, letter: usize) {
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
    pub fn raise_generation(&mut self) {
        self.generation += 1;
        self.lsn = 1000;
        self.last.clear();
        self.journal.clear();
        for table in Table::ALL {
            self.snapshot_table(table);
        }
    }

    /// Sends a streamed change of a row, and the tombstone after a delete.
    pub fn send(&mut self, table: Table, key: i64, op: Op) {
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
