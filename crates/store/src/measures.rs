//! The measures of `instashop verify`: one SQL text each, which runs unchanged on a source database and on the warehouse
//! as of a cut, so that both sides are added up by the same words (docs: reliability section 6).
//!
//! * `prelude` names the tables: a WITH list that gives every table its columns in the types of the catalogue. It is all
//!   that differs between a source and the warehouse.
//! * `figures` sums up (the texts stand in `sql/measures`), `rows` counts, hashes and lists rows.
//!
//! A [`Cut`] comes from `SourceReader::snapshot`, `Auditor::as_of_checkpoints` or `Auditor::as_of_snapshot`. Two cuts of the
//! same moment have equal figures and equal table sums, or something was lost.

mod figures;
mod prelude;
mod rows;

use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveDate;
use instashop_core::config::Meaning;
use instashop_core::live::Figure;
use instashop_core::table::Table;
use tokio_postgres::Transaction;

pub use rows::{Difference, DifferenceKind, TableSum};

pub(crate) use prelude::{Prelude, shared_type, typed};

use crate::StoreError;

/// Products that no longer exist, with their last category: past sales keep it (docs: kpis 0.6), so both sides of a
/// comparison are given the same list. From `Auditor::gone_products`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gone {
    pub(crate) products: Vec<i64>,
    pub(crate) categories: Vec<Option<String>>,
    pub(crate) currencies: Vec<Option<String>>,
}

/// Rows of some tables at one moment: a read-only transaction on a source, or the warehouse as of a cut.
pub struct Cut<'a> {
    pub(crate) transaction: Transaction<'a>,
    pub(crate) prelude: Prelude,
    /// What it is, for errors.
    pub(crate) what: String,
}

impl fmt::Debug for Cut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cut")
            .field("what", &self.what)
            .finish_non_exhaustive()
    }
}

impl Cut<'_> {
    /// Every number of this cut that is not zero, under the names of the live store's figures, as far as the tables of
    /// the cut give them: row counts of every table, and for the sales database everything else.
    pub async fn figures(&self, meaning: &Meaning, gone: &Gone) -> Result<BTreeMap<Figure, i64>, StoreError> {
        figures::read(self, meaning, gone, None).await
    }

    /// The numbers that a live store holds whose days before `boundary` are sealed: every one of the days from it on, rows of
    /// those days, and of sealed days what stays of them.
    pub async fn live_figures(
        &self,
        meaning: &Meaning,
        gone: &Gone,
        boundary: Option<NaiveDate>,
    ) -> Result<BTreeMap<Figure, i64>, StoreError> {
        figures::read(self, meaning, gone, boundary).await
    }

    /// Count and checksum of each table's rows. Equal sums mean equal rows, whatever their order.
    pub async fn tables(&self) -> Result<Vec<TableSum>, StoreError> {
        let mut sums = Vec::new();
        for table in self.prelude.tables() {
            sums.push(rows::sum(self, table).await?);
        }
        Ok(sums)
    }

    /// Key and hash of every row of a table, by key. For [`Difference::between`], where sums differ.
    pub async fn row_hashes(&self, table: Table) -> Result<BTreeMap<i64, i64>, StoreError> {
        rows::hashes(self, table).await
    }

    /// A row as JSON, for people who look at a difference; `None` when the cut has no such row.
    pub async fn row(&self, table: Table, key: i64) -> Result<Option<String>, StoreError> {
        rows::row(self, table, key).await
    }
}
