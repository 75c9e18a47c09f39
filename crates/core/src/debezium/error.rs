//! Why a record cannot be decoded. Every case is a dead letter: the record can never be decoded by trying again as it
//! is, and it never stops a flow (pitfall 25).

use thiserror::Error;

use crate::table::Table;

/// Why a record cannot be decoded. Holds names and kinds, never values of the record, so that it can be logged and shown.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Key or value is longer than the setting `flow.record_bytes`.
    #[error("the record has {bytes} bytes, more than the limit of {limit}")]
    TooLong {
        /// Bytes of the key or of the value.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Key or value is not UTF-8.
    #[error("the {part} is not valid UTF-8")]
    BadUtf8 {
        /// `key` or `value`.
        part: &'static str,
    },
    /// Broken JSON.
    #[error("the {part} is not valid JSON (line {line}, column {column})")]
    BadJson {
        /// What was being read: `value`, `row`, `source`, ...
        part: &'static str,
        /// Line within that part.
        line: usize,
        /// Column within that part.
        column: usize,
    },
    /// An object holds one name twice, so its meaning depends on the reader.
    #[error("the {part} holds the name {name} twice")]
    DuplicateName {
        /// What was being read.
        part: &'static str,
        /// The name, cut to 64 characters.
        name: String,
    },
    /// A value nested deeper than any row.
    #[error("a value of {table}.{column} is nested too deeply", table = .table.name())]
    TooDeep {
        /// The table.
        table: Table,
        /// The column.
        column: String,
    },
    /// The Connect schema cannot be read.
    #[error("the schema of the record cannot be read")]
    BadSchema,
    /// Well-formed JSON on a topic of ours that is no envelope and no row.
    #[error("the value is neither a change event nor a row")]
    UnknownShape,
    /// An operation Debezium does not have.
    #[error("the operation {op} is unknown")]
    UnknownOp {
        /// The operation, cut to 64 characters.
        op: String,
    },
    /// The source block lacks sense: a field of the wrong type.
    #[error("the field {field} of the source block has the wrong type")]
    BadSource {
        /// The field.
        field: &'static str,
    },
    /// An insert, update or snapshot row without an image after the change.
    #[error("the change of {table} has no image after the change", table = .table.name())]
    MissingImage {
        /// The table.
        table: Table,
    },
    /// Neither the key nor the row holds the primary key.
    #[error("the change of {table} has no primary key", table = .table.name())]
    MissingKey {
        /// The table.
        table: Table,
    },
    /// The key of the record cannot be read.
    #[error("the key of a record of {table} cannot be read", table = .table.name())]
    BadKey {
        /// The table.
        table: Table,
    },
    /// Key and row name different rows.
    #[error("the key of the record says {key}, the row of {table} says {row}", table = .table.name())]
    KeyMismatch {
        /// The table.
        table: Table,
        /// Primary key in the Kafka key.
        key: i64,
        /// Primary key in the row.
        row: i64,
    },
    /// A column that the meaning of the row depends on did not come (pitfall 24).
    #[error("the row of {table} lacks the column {column}", table = .table.name())]
    MissingColumn {
        /// The table.
        table: Table,
        /// The column.
        column: &'static str,
    },
    /// A value of the wrong type.
    #[error("{table}.{column} is not {expected}", table = .table.name())]
    WrongType {
        /// The table.
        table: Table,
        /// The column.
        column: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A value of the right type that no column can hold.
    #[error("{table}.{column} is out of range for {expected}", table = .table.name())]
    OutOfRange {
        /// The table.
        table: Table,
        /// The column.
        column: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A decimal in base64 whose scale is nowhere to be found (pitfall 10).
    #[error("{table}.{column} is a base64 decimal and its scale is not known", table = .table.name())]
    UnknownScale {
        /// The table.
        table: Table,
        /// The column.
        column: String,
    },
    /// A text that is a decimal as well as a base64 decimal, and nothing says which.
    #[error("{table}.{column} can be read as a decimal text and as a base64 decimal", table = .table.name())]
    AmbiguousDecimal {
        /// The table.
        table: Table,
        /// The column.
        column: String,
    },
    /// A Kafka header of ours cannot be read.
    #[error("the header {name} cannot be read")]
    BadHeader {
        /// The header.
        name: &'static str,
    },
    /// No time of the change anywhere in the record.
    #[error("the record carries no time of the change or one that does not exist")]
    MissingTime,
}

impl DecodeError {
    /// Stable name of the reason, for counting and for filters of the dead letters.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "too_long",
            Self::BadUtf8 { .. } => "bad_utf8",
            Self::BadJson { .. } => "bad_json",
            Self::DuplicateName { .. } => "duplicate_name",
            Self::TooDeep { .. } => "too_deep",
            Self::BadSchema => "bad_schema",
            Self::UnknownShape => "unknown_shape",
            Self::UnknownOp { .. } => "unknown_op",
            Self::BadSource { .. } => "bad_source",
            Self::MissingImage { .. } => "missing_image",
            Self::MissingKey { .. } => "missing_key",
            Self::BadKey { .. } => "bad_key",
            Self::KeyMismatch { .. } => "key_mismatch",
            Self::MissingColumn { .. } => "missing_column",
            Self::WrongType { .. } => "wrong_type",
            Self::OutOfRange { .. } => "out_of_range",
            Self::UnknownScale { .. } => "unknown_scale",
            Self::AmbiguousDecimal { .. } => "ambiguous_decimal",
            Self::BadHeader { .. } => "bad_header",
            Self::MissingTime => "missing_time",
        }
    }

    /// What the operator can do about it, one sentence.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => {
                "Raise flow.record_bytes if the row is real, then replay the dead letter."
            }
            Self::BadUtf8 { .. }
            | Self::BadJson { .. }
            | Self::DuplicateName { .. }
            | Self::TooDeep { .. } => {
                "Find out who writes to this topic besides Debezium; the bytes are kept with the dead letter."
            }
            Self::BadSchema | Self::UnknownShape | Self::BadSource { .. } => {
                "Check the converters and transformations of the connector."
            }
            Self::UnknownOp { .. } | Self::MissingImage { .. } => {
                "Check the transformations of the connector; a newer Debezium may need a newer instashop."
            }
            Self::MissingKey { .. } | Self::BadKey { .. } | Self::KeyMismatch { .. } => {
                "Check message.key.columns and the key converter: the key must be the primary key."
            }
            Self::MissingColumn { .. } => {
                "The source table was changed: put the column back or update instashop, then replay the dead letters."
            }
            Self::WrongType { .. } | Self::OutOfRange { .. } => {
                "Compare the column type at the source with the expected one, then replay the dead letters."
            }
            Self::UnknownScale { .. } | Self::AmbiguousDecimal { .. } => {
                "Set decimal.handling.mode=string on the connector, or switch schemas on, then replay the dead letters."
            }
            Self::BadHeader { .. } => "Check the InsertHeader transformation of the connector.",
            Self::MissingTime => "Keep source.ts_ms in the events, or use a topic with timestamps.",
        }
    }
}

/// What is wrong with a single value, before it is known where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Not of the expected type.
    WrongType,
    /// Too large, too small or too precise.
    OutOfRange,
    /// Broken JSON inside the value (a lone surrogate).
    Broken,
    /// One name twice in an object inside the value.
    Duplicate,
    /// Nested too deeply.
    TooDeep,
    /// A base64 decimal without a scale.
    UnknownScale,
    /// Decimal text or base64.
    Ambiguous,
}

impl Fault {
    /// The error, with the place of the value and what it should be.
    pub(crate) fn at(self, table: Table, column: &str, expected: &'static str) -> DecodeError {
        let column = cut(column);
        match self {
            Self::WrongType => DecodeError::WrongType {
                table,
                column,
                expected,
            },
            Self::OutOfRange => DecodeError::OutOfRange {
                table,
                column,
                expected,
            },
            Self::Broken => DecodeError::BadJson {
                part: "row",
                line: 0,
                column: 0,
            },
            Self::Duplicate => DecodeError::DuplicateName {
                part: "row",
                name: column,
            },
            Self::TooDeep => DecodeError::TooDeep { table, column },
            Self::UnknownScale => DecodeError::UnknownScale { table, column },
            Self::Ambiguous => DecodeError::AmbiguousDecimal { table, column },
        }
    }
}

/// The first 64 characters of a name that came from outside, fit for a terminal.
pub(crate) fn cut(name: &str) -> String {
    name.chars()
        .take(64)
        .map(|letter| if letter.is_control() { '\u{fffd}' } else { letter })
        .collect()
}
