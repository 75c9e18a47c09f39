//! What a panel holds, as data: figures, a table, a chart. One drawing per kind, and the same data go into JSON and CSV, so
//! that a number cannot differ between the screen and what is exported.
//!
//! - `cell`: one value of a table
//! - `course`: values over time
//! - `table`: rows, their order and their filter

pub mod cell;
pub mod course;
pub mod table;

use crate::reading::{Higher, Source, Value};
use crate::theme::Role;

pub use cell::Cell;
pub use course::{Bucket, Course, Form, Line, Unit};
pub use table::{Col, Row, Table};

/// Content of a panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// Title.
    pub title: String,
    /// Marks of the sources: `●`, `◆`, `≈`, `~`.
    pub marks: &'static str,
    /// Notes at the right of the title, the most important first.
    pub notes: Vec<(String, Option<Role>)>,
    /// What is in it.
    pub content: Content,
}

/// See [`Sheet`].
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Big numbers beside each other.
    Figures(Vec<Figure>),
    /// A table.
    Table(Table),
    /// Values over time.
    Course(Course),
    /// One bar of parts.
    Stack(Vec<Share>),
    /// Why there is nothing, in words.
    Nothing(String),
}

/// One big number.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Id in the catalogue.
    pub kpi: &'static str,
    /// Label in capitals, at most 16 columns.
    pub label: &'static str,
    /// The value; `None` is "no data".
    pub value: Option<Value>,
    /// The value of the base, where there is an honest one.
    pub base: Option<Value>,
    /// Which way is good news.
    pub higher: Higher,
    /// Said instead of the base: `118 orders`.
    pub note: String,
    /// Course over the same range, oldest first.
    pub trend: Vec<Option<f64>>,
    /// Which store the value is from.
    pub source: Source,
}

impl Figure {
    /// A number without base.
    pub const fn new(kpi: &'static str, label: &'static str, value: Option<Value>, higher: Higher) -> Self {
        Self {
            kpi,
            label,
            value,
            base: None,
            higher,
            note: String::new(),
            trend: Vec::new(),
            source: Source::Warehouse,
        }
    }

    /// Compared with.
    #[must_use]
    pub const fn against(mut self, base: Option<Value>) -> Self {
        self.base = base;
        self
    }

    /// With the value of Redis, where there is one.
    #[must_use]
    pub const fn or_live(mut self, live: Option<Value>) -> Self {
        if live.is_some() {
            self.value = live;
            self.source = Source::Live;
        }
        self
    }

    /// With a note.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// With its course.
    #[must_use]
    pub fn trend(mut self, trend: Vec<Option<f64>>) -> Self {
        self.trend = trend;
        self
    }
}

/// A part of a whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// Its name.
    pub name: String,
    /// Its size.
    pub value: i64,
    /// Step of shading, 0 to 4, so that it is told apart without colour.
    pub step: usize,
    /// Its colour.
    pub role: Role,
}
