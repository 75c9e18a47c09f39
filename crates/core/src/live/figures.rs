//! All totals of the live store as one flat list, for comparison with the warehouse and the sources.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use crate::checkpoint::Partition;
use crate::contribution::{
    Bucket, Cell, DayMeasure, Measure, PaymentMeasure, ProductKey, ProductMeasure, Scope,
};
use crate::view::SealedDays;

/// Name of one number: a day (none for row counts), a measure, and a dimension (empty where there is none).
///
/// | name | dimension | value |
/// |---|---|---|
/// | `revenue_cents`, `orders`, `open`, `failed`, `cancelled`, `reversed`, `unmapped` | | as in [`crate::view::Totals`] |
/// | `buyers` | | distinct buyers with a sale |
/// | `orders_without_lines` | | sales without a single line |
/// | `payment.paid`, `payment.failed`, `payment.open`, `payment.revenue_cents` | method | |
/// | `category.revenue_cents`, `category.units`, `category.lines` | category | allocated; `lines` counts a sale without lines as one |
/// | `product.revenue_cents`, `product.units`, `product.lines` | product id | allocated |
/// | `behaviour.events`, `behaviour.sessions`, `behaviour.actors` | event type | |
/// | `rows` | table | rows that are not deleted and of no sealed day, no day |
/// | `undated` | | orders and events without a business day, no day |
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Figure {
    /// Business day.
    pub day: Option<NaiveDate>,
    /// Which number.
    pub name: &'static str,
    /// Of what.
    pub dimension: String,
}

impl Figure {
    /// True for a figure that the live store holds of its day: every one of live days, of sealed ones what the daily run
    /// writes.
    pub fn is_held(&self, boundary: Option<NaiveDate>) -> bool {
        match (self.day, boundary) {
            (Some(day), Some(boundary)) if day < boundary => matches!(
                self.name,
                "revenue_cents"
                    | "orders"
                    | "open"
                    | "failed"
                    | "cancelled"
                    | "reversed"
                    | "unmapped"
                    | "buyers"
                    | "category.revenue_cents"
                    | "category.units"
                    | "category.lines"
                    | "behaviour.events"
            ),
            _ => true,
        }
    }

    /// True for a figure of a sealed day.
    pub fn is_sealed(&self, boundary: Option<NaiveDate>) -> bool {
        self.day
            .zip(boundary)
            .is_some_and(|(day, boundary)| day < boundary)
    }
}

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(day) = self.day {
            write!(f, "{day} ")?;
        }
        f.write_str(self.name)?;
        if !self.dimension.is_empty() {
            write!(f, " {}", self.dimension)?;
        }
        Ok(())
    }
}

/// Totals and checkpoints of the live store, read in one atomic step, so that they belong together
/// (docs: reliability section 6).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LiveDump {
    /// Live generation; empty when the store holds none.
    pub generation: String,
    /// When the generation was created.
    pub created_at: Option<DateTime<Utc>>,
    /// `None` when no day is sealed.
    pub sealed: Option<SealedDays>,
    /// Next offset to read, per partition.
    pub checkpoints: Vec<(Partition, i64)>,
    /// Every number that is not zero.
    pub figures: BTreeMap<Figure, i64>,
    /// Products whose orders are still to be converted from another currency than they were.
    pub repricing: usize,
    /// Contradictions inside the live store; empty when it is sound.
    pub faults: Vec<String>,
}

impl LiveDump {
    /// True when the totals of sealed days say what they should, or no day is sealed.
    pub fn is_settled(&self) -> bool {
        self.sealed.is_none_or(|sealed| sealed.is_settled())
    }

    /// First day that is live; `None` when no day is sealed.
    pub fn boundary(&self) -> Option<NaiveDate> {
        self.sealed.map(|sealed| sealed.boundary)
    }
}

/// The figures that stand in the totals of the platform as they are; those of categories are kept apart, since the store
/// books them. Zeros are left out.
pub fn figures_of(cells: &BTreeMap<Cell, i64>) -> BTreeMap<Figure, i64> {
    let mut figures = BTreeMap::new();
    for (cell, value) in cells {
        let mut add = |name, dimension: &str, value: i64| {
            let figure = Figure {
                day: cell.day().filter(|_| name != "rows"),
                name,
                dimension: dimension.to_owned(),
            };
            *figures.entry(figure).or_default() += value;
        };
        match cell {
            Cell::Total {
                scope: Scope::Platform,
                bucket: Bucket::Day(_),
                measure,
            } => {
                let name = match measure {
                    Measure::Revenue => "revenue_cents",
                    Measure::Orders => "orders",
                    Measure::Open => "open",
                    Measure::Failed => "failed",
                    Measure::Cancelled => "cancelled",
                    Measure::Reversed => "reversed",
                    Measure::Unmapped => "unmapped",
                    Measure::Events => continue,
                };
                add(name, "", *value);
            }
            Cell::Day {
                scope: Scope::Platform,
                measure: DayMeasure::Buyers,
                ..
            } => add("buyers", "", *value),
            Cell::Payment {
                scope: Scope::Platform,
                measure,
                method,
                ..
            } => {
                let name = match measure {
                    PaymentMeasure::Paid => "payment.paid",
                    PaymentMeasure::Failed => "payment.failed",
                    PaymentMeasure::Open => "payment.open",
                    PaymentMeasure::Revenue => "payment.revenue_cents",
                };
                add(name, method, *value);
            }
            Cell::Product {
                scope: Scope::Platform,
                product: ProductKey::Id(product),
                measure,
                ..
            } => {
                let name = match measure {
                    ProductMeasure::Revenue => "product.revenue_cents",
                    ProductMeasure::Units => "product.units",
                    ProductMeasure::Lines => "product.lines",
                };
                add(name, &product.to_string(), *value);
            }
            Cell::Product {
                scope: Scope::Platform,
                product: ProductKey::Bare,
                measure: ProductMeasure::Lines,
                ..
            } => add("orders_without_lines", "", *value),
            Cell::Events {
                scope: Scope::Platform,
                bucket: Bucket::Day(_),
                kind,
            } => add("behaviour.events", kind, *value),
            Cell::Session { kind, .. } => add("behaviour.sessions", kind, 1),
            Cell::Actor { kind, .. } => add("behaviour.actors", kind, 1),
            Cell::Rows { table, .. } => add("rows", table.name(), *value),
            Cell::Undated => add("undated", "", *value),
            _ => {}
        }
    }
    figures.retain(|_, value| *value != 0);
    figures
}
