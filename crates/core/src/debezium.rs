//! Decoding of Kafka records that Debezium wrote, in whatever way its connector was configured.
//!
//! A record comes in as bytes and goes out as a [`Record`]: a change of a row of ours, a tombstone, a heartbeat, or
//! something that is well formed and no row. Everything else is a [`DecodeError`], never a panic. The shape is found
//! for each record by itself (pitfall 1), numbers and times are exact, and what had to be guessed is counted.
//!
//! Source: docs/cdc, sections 1 to 4; "pitfall" numbers throughout this folder are those of its section 4.

use chrono::{DateTime, Utc};

use crate::batch::Rejected;
use crate::change::{Change, NotARow, Op, Record, Value};
use crate::config;
use crate::position::Position;
use crate::table::{SourceDb, Table};

mod decimal;
mod document;
mod error;
mod extra;
mod header;
mod key;
mod object;
mod row;
mod schema;
mod shape;
mod source;
mod time;
mod unavailable;
mod value;

pub use error::DecodeError;
pub use header::{GENERATION_HEADER, REPAIR_HEADER};
pub use time::TimeUnit;

use header::Headers;
use object::Object;
use row::Image;
use schema::{Payload, RowSchema, Schemas};
use shape::Shape;
use source::Source;
use value::Values;

/// A record as it came from Kafka.
#[derive(Debug, Clone, Default)]
pub struct RawRecord<'a> {
    /// Topic it was read from.
    pub topic: &'a str,
    /// Key bytes.
    pub key: Option<&'a [u8]>,
    /// Value bytes; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Headers in their order.
    pub headers: Vec<(&'a str, Option<&'a [u8]>)>,
    /// Timestamp of the Kafka record.
    pub timestamp: Option<DateTime<Utc>>,
}

/// Settings of a [`Decoder`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Longest key or value that is decoded, in bytes.
    pub record_bytes: usize,
    /// Name of each source database as it stands in `source.db`, in the order of [`SourceDb::ALL`].
    pub databases: [String; 4],
    /// `unavailable.value.placeholder` of the connectors.
    pub unavailable: String,
    /// Unit of an integer for a timestamp when no schema says it. `None`: microseconds, what our connectors send, but
    /// counted guesses where the size of the number rules them out.
    pub bare_times: Option<TimeUnit>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            record_bytes: config::Flow::default().record_bytes,
            databases: SourceDb::ALL.map(|source| source.name().to_owned()),
            unavailable: "__debezium_unavailable_value".to_owned(),
            bare_times: None,
        }
    }
}

impl Settings {
    /// The settings that a configuration gives.
    pub fn of(sources: &config::Sources, flow: &config::Flow) -> Self {
        Self {
            record_bytes: flow.record_bytes,
            databases: SourceDb::ALL.map(|source| sources.get(source).database.clone()),
            ..Self::default()
        }
    }

    fn source(&self, database: &str) -> Option<SourceDb> {
        let index = self.databases.iter().position(|name| name == database)?;
        SourceDb::ALL.get(index).copied()
    }
}

/// What a decoder met that is no error but worth a look. Counted since it was made, never reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Timestamps whose unit was guessed from their size (pitfall 13).
    pub guessed_units: u64,
    /// Amounts that were NaN or infinite and became NULL (pitfall 12).
    pub not_a_number: u64,
    /// Amounts that came as binary floats, or without a schema as numbers with a fraction: cents may be lost at the
    /// source (`decimal.handling.mode=double`, pitfall 12).
    pub float_amounts: u64,
    /// Texts and documents that a NUL (or half a surrogate pair) was taken out of (pitfall 16).
    pub removed_nul: u64,
    /// Columns, once per schema met, that are optional and have a default: their NULL may arrive as that default
    /// (pitfall 15).
    pub defaults_hiding_null: u64,
    /// Images before a change that could not be decoded and were dropped: nothing is computed from them.
    pub unreadable_before: u64,
}

/// Decodes records. Holds what it learned: schemas by their bytes, scales and units of columns.
///
/// What it learned only serves records that come without a schema and do not say enough themselves; for all others two
/// decoders give the same result whatever they met before.
#[derive(Debug)]
pub struct Decoder {
    settings: Settings,
    schemas: Schemas,
    values: Values,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

impl Decoder {
    /// A decoder that has met nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            schemas: Schemas::default(),
            values: Values::new(&settings.unavailable, settings.bare_times),
            settings,
        }
    }

    /// Tells the scale of a decimal column, as the catalogue of its source gives it, for records that carry base64
    /// without a schema (pitfall 10). Does nothing for a column the catalogue does not know.
    pub fn know_scale(&mut self, table: Table, column: &str, scale: i32) {
        if let Some(index) = table.column(column) {
            self.values.know_scale(table, index, scale);
        }
    }

    /// Tells the unit of a timestamp column for records that carry integers without a schema (pitfall 13).
    pub fn know_unit(&mut self, table: Table, column: &str, unit: TimeUnit) {
        if let Some(index) = table.column(column) {
            self.values.know_unit(table, index, unit);
        }
    }

    /// What was met so far.
    pub const fn counters(&self) -> &Counters {
        &self.values.counters
    }

    /// Decodes a record.
    pub fn decode(&mut self, raw: &RawRecord<'_>) -> Result<Record, DecodeError> {
        let headers = Headers::read(raw)?;
        let topic = raw.topic;
        let longest = [raw.key, raw.value].into_iter().flatten().map(<[u8]>::len).max();
        if let Some(bytes) = longest.filter(|bytes| *bytes > self.settings.record_bytes) {
            return Err(DecodeError::TooLong {
                bytes,
                limit: self.settings.record_bytes,
            });
        }
        let Some(value) = raw.value else {
            return Ok(tombstone(topic, raw.key));
        };
        let text = std::str::from_utf8(value).map_err(|_| DecodeError::BadUtf8 { part: "value" })?;
        let (object, schema) = match self.schemas.unwrap(topic, text)? {
            Payload::Null => return Ok(tombstone(topic, raw.key)),
            Payload::Object(object, schema) => (object, schema),
        };
        match shape::of(&object, topic, raw)? {
            Shape::Envelope => self.envelope(raw, topic, &headers, &object, schema),
            Shape::Flattened(table) => self.flattened(raw, table, &headers, &object, schema),
            Shape::Heartbeat(record) => Ok(record),
            Shape::NotARow(reason) => Ok(Record::NotARow(reason)),
        }
    }

    /// Decodes a record into what a [`BatchRecord`](crate::batch::BatchRecord) holds.
    pub fn content(&mut self, raw: &RawRecord<'_>) -> Result<Record, Box<Rejected>> {
        self.decode(raw)
            .map_err(|error| Box::new(Self::reject(&error, raw)))
    }

    /// A record that could not be decoded, with its bytes, for the dead letters.
    pub fn reject(error: &DecodeError, raw: &RawRecord<'_>) -> Rejected {
        Rejected {
            reason: error.reason().to_owned(),
            detail: format!("{error}. {}", error.hint()),
            key: raw.key.map(<[u8]>::to_vec),
            value: raw.value.map(<[u8]>::to_vec),
        }
    }

    fn envelope(
        &mut self,
        raw: &RawRecord<'_>,
        topic: &str,
        headers: &Headers,
        object: &Object<'_>,
        schema: Option<usize>,
    ) -> Result<Record, DecodeError> {
        let op = shape::op(object)?;
        let mut source = match object.filled("source") {
            Some(block) => Source::of_block(&Object::parse(block, "source")?)?,
            None => Source::default(),
        };
        if op == shape::Letter::Message {
            return Ok(Record::NotARow(NotARow::Message));
        }
        let (db, table) = match self.route(&source, topic) {
            Ok(found) => found,
            Err(reason) => return Ok(Record::NotARow(reason)),
        };
        let op = match op {
            shape::Letter::Row(op) => op,
            shape::Letter::Truncate | shape::Letter::Message => {
                return Ok(Record::NotARow(NotARow::Truncate));
            }
        };
        if source.committed_at.is_none() {
            source.committed_at = object.filled("ts_ms").and_then(|raw| source::clock(raw, 1000));
        }
        let image = |name: &'static str| match object.filled(name) {
            Some(text) => Object::parse(text, name).map(Some),
            None => Ok(None),
        };
        let after = image("after")?;
        let before = image("before").unwrap_or_else(|_| {
            self.values.counters.unreadable_before += 1;
            None
        });
        let images = Images {
            after: after.as_ref().filter(|_| op != Op::Delete),
            before: before.as_ref(),
            flattened: false,
        };
        self.change(raw, (db, table), op, &source, headers, &images, schema)
    }

    fn flattened(
        &mut self,
        raw: &RawRecord<'_>,
        table: Table,
        headers: &Headers,
        object: &Object<'_>,
        schema: Option<usize>,
    ) -> Result<Record, DecodeError> {
        let source = Source::of_flattened(object, raw)?;
        let op = match shape::flattened_op(object, raw)? {
            shape::Letter::Row(op) => op,
            shape::Letter::Truncate => return Ok(Record::NotARow(NotARow::Truncate)),
            shape::Letter::Message => return Ok(Record::NotARow(NotARow::Message)),
        };
        let db = match source.db.as_deref().map(|db| self.settings.source(db)) {
            Some(db) if db != Some(table.source()) => return Ok(Record::NotARow(NotARow::UnknownTable)),
            _ => table.source(),
        };
        let images = Images {
            after: Some(object).filter(|_| op != Op::Delete),
            before: Some(object).filter(|_| op == Op::Delete),
            flattened: true,
        };
        self.change(raw, (db, table), op, &source, headers, &images, schema)
    }

    /// The table a change belongs to: by the source block, because routers rename topics; by the topic where there is
    /// none. A table of that name in another database is not ours.
    fn route(&self, source: &Source<'_>, topic: &str) -> Result<(SourceDb, Table), NotARow> {
        let table = match source.table.as_deref() {
            Some(name) if name.starts_with("debezium_") => return Err(NotARow::ConnectorTraffic),
            Some(name) => Table::from_name(name),
            None => shape::table_of_topic(topic),
        };
        let table = table.ok_or(NotARow::UnknownTable)?;
        match source.db.as_deref().map(|db| self.settings.source(db)) {
            Some(db) if db != Some(table.source()) => Err(NotARow::UnknownTable),
            _ => Ok((table.source(), table)),
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one record, each read by its own function"
    )]
    fn change(
        &mut self,
        raw: &RawRecord<'_>,
        (source_db, table): (SourceDb, Table),
        op: Op,
        source: &Source<'_>,
        headers: &Headers,
        images: &Images<'_, '_>,
        schema: Option<usize>,
    ) -> Result<Record, DecodeError> {
        if let Some(index) = schema
            && self.schemas.take_fresh(index)
            && let Some(columns) = self.schemas.row(index)
        {
            self.values.learn(table, columns);
        }
        let columns = schema.and_then(|index| self.schemas.row(index));
        let record_key = key::primary_key(table, raw.key)?;
        let after = match images.after {
            Some(object) => Some(row::decode(
                &mut self.values,
                table,
                object,
                columns,
                Image::Whole,
                images.flattened,
            )?),
            None if op == Op::Delete => None,
            None => return Err(DecodeError::MissingImage { table }),
        };
        let before = before(&mut self.values, table, images, columns);
        let row_key = match (&after, &before) {
            (Some(row), _) | (None, Some(row)) => match row.values.first() {
                Some(Value::Int(key)) => Some(*key),
                _ => None,
            },
            (None, None) => None,
        };
        let key = match (record_key, row_key) {
            (Some(key), Some(row)) if key != row => {
                return Err(DecodeError::KeyMismatch { table, key, row });
            }
            (Some(_), None) if after.is_some() => return Err(DecodeError::MissingKey { table }),
            (Some(key), _) | (None, Some(key)) => key,
            (None, None) => return Err(DecodeError::MissingKey { table }),
        };
        let snapshot = source.snapshot || op == Op::Read;
        let position = match source.lsn {
            Some(lsn) if !snapshot => Position::streamed(headers.generation, lsn),
            _ => Position::snapshot(headers.generation),
        };
        let committed_at = source.committed_at.or(raw.timestamp);
        Ok(Record::Change(Box::new(Change {
            source: source_db,
            table,
            key,
            op,
            after,
            before,
            position,
            lsn: source.lsn.unwrap_or_default(),
            tx_id: source.tx_id,
            committed_at: committed_at.ok_or(DecodeError::MissingTime)?,
            snapshot,
            repair: headers.repair,
        })))
    }
}

/// The images of a row in a record.
struct Images<'o, 'a> {
    after: Option<&'o Object<'a>>,
    before: Option<&'o Object<'a>>,
    flattened: bool,
}

/// The image before a change. It is never computed with, so one that cannot be read is dropped and counted, and the
/// change stays good: under the default identity it may hold invented values (pitfall 5).
fn before(
    values: &mut Values,
    table: Table,
    images: &Images<'_, '_>,
    columns: Option<&RowSchema>,
) -> Option<crate::change::Row> {
    let object = images.before?;
    let row = row::decode(values, table, object, columns, Image::Partial, images.flattened);
    if row.is_err() {
        values.counters.unreadable_before += 1;
    }
    row.ok()
}

/// A null value never reaches the parser and is never a dead letter (pitfall 2).
fn tombstone(topic: &str, key: Option<&[u8]>) -> Record {
    let table = shape::table_of_topic(topic);
    let key = table.and_then(|table| key::primary_key(table, key).ok().flatten());
    Record::Tombstone { table, key }
}
