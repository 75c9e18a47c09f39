//! What a state adds to the totals: a function of the state alone, without clock (docs: reliability C3).
//!
//! A total is a [`Cell`]; a contribution is a list of (cell, signed integer). The live flow books
//! `contribution(new state) - contribution(stored state)`, so that a change of any kind, a replay or a snapshot moves
//! every total exactly by what changed (docs: kpis 2.1). Where a total lives in Redis is decided by `instashop_store`.
//!
//! The reporting currency is taken for every order. Products in another currency are counted
//! ([`Cell::ForeignCurrency`]), so that it can be seen when that is wrong.

mod calendar;
mod cell;

pub use calendar::{Bucket, Calendar, HALF_MINUTE_LIFE_HOURS, HOUR_LIFE_DAYS, MINUTE_LIFE_HOURS};
pub use cell::{Cell, Measure, PaymentMeasure, ProductKey, ProductMeasure};

use crate::config::{Meaning, OrderClass};
use crate::live::{Behaviour, Product};
use crate::order::{Header, Holder, Order};
use crate::table::Table;

/// Version of this code: raise it whenever a state or a contribution changes its form or meaning. A new version is a
/// new live generation, built again from the topics.
pub const CODE_VERSION: u32 = 1;

/// Contribution version: of the code, and of the maps that give meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// [`CODE_VERSION`] of the writer.
    pub code: u32,
    /// Digest of the maps of the writer.
    pub maps: String,
}

impl Version {
    /// The version of this build with these maps.
    pub fn current(meaning: &Meaning) -> Self {
        Self {
            code: CODE_VERSION,
            maps: meaning.digest(),
        }
    }

    /// Reads what [`Version::to_string`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let (code, maps) = text.split_once('.')?;
        Some(Self {
            code: code.parse().ok()?,
            maps: maps.to_owned(),
        })
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.code, self.maps)
    }
}

/// Where contributions go: called once per cell and value.
pub type Add<'a> = dyn FnMut(Cell, i64) + 'a;

/// Contribution of an order: headline sums in four grains, payments, buyers and products by day.
///
/// An order without a date (NULL, an infinity, a year that has not four digits) belongs to no day; it is counted in
/// [`Cell::Undated`] and nowhere else. Lines without a live header contribute nothing.
pub fn of_order(order: &Order, calendar: Calendar, add: &mut Add<'_>) {
    let Some(header) = order.live_header() else { return };
    add(
        Cell::Rows {
            table: Table::Transaction,
        },
        1,
    );
    let Some(buckets) = header.at.and_then(|at| calendar.buckets(at)) else {
        add(Cell::Undated, 1);
        return;
    };
    let amount = header.amount.unwrap_or(0);
    for bucket in buckets {
        let mut total = |measure, value| add(Cell::Total { bucket, measure }, value);
        match header.class {
            OrderClass::Recognised | OrderClass::Reversed => {
                total(Measure::Revenue, amount);
                total(Measure::Orders, 1);
                if header.class == OrderClass::Reversed {
                    total(Measure::Reversed, 1);
                }
            }
            OrderClass::Open => total(Measure::Open, 1),
            OrderClass::Failed => total(Measure::Failed, 1),
            OrderClass::Cancelled => total(Measure::Cancelled, 1),
            OrderClass::Unmapped => total(Measure::Unmapped, 1),
        }
    }
    let [Bucket::Day(day), ..] = buckets else { return };
    let mut payment = |measure, value| {
        add(
            Cell::Payment {
                day,
                measure,
                method: header.method.clone(),
            },
            value,
        );
    };
    match header.class {
        OrderClass::Recognised | OrderClass::Reversed => {
            payment(PaymentMeasure::Paid, 1);
            payment(PaymentMeasure::Revenue, amount);
        }
        OrderClass::Failed => payment(PaymentMeasure::Failed, 1),
        OrderClass::Open => payment(PaymentMeasure::Open, 1),
        OrderClass::Cancelled | OrderClass::Unmapped => {}
    }
    if header.class.is_sale() {
        of_sale(order, header, amount, day, add);
    }
}

fn of_sale(order: &Order, header: &Header, amount: i64, day: chrono::NaiveDate, add: &mut Add<'_>) {
    if let Some(buyer) = header.buyer {
        add(Cell::Buyer { day, buyer }, 1);
    }
    if let Some(cents) = header.amount {
        add(Cell::Amount { day, cents }, 1);
    }
    let mut product = |product, revenue, units| {
        for (measure, value) in [
            (ProductMeasure::Revenue, revenue),
            (ProductMeasure::Units, units),
            (ProductMeasure::Lines, 1),
        ] {
            add(
                Cell::Product {
                    day,
                    product,
                    measure,
                },
                value,
            );
        }
        if let Some(buyer) = header.buyer {
            add(Cell::ProductBuyer { day, product, buyer }, 1);
        }
    };
    if order.lines.is_empty() {
        product(ProductKey::Bare, amount, 0);
    }
    for (line, share) in order.shares(amount) {
        product(
            line.product.map_or(ProductKey::Unknown, ProductKey::Id),
            share,
            line.quantity,
        );
    }
}

/// Contribution of a line's entry: it is counted as a row. Its money belongs to the order.
pub fn of_line(_holder: Holder, add: &mut Add<'_>) {
    add(
        Cell::Rows {
            table: Table::TransactionDetail,
        },
        1,
    );
}

/// Contribution of a product row that is not deleted.
pub fn of_product(product: &Product, meaning: &Meaning, add: &mut Add<'_>) {
    if product.deleted {
        return;
    }
    add(
        Cell::Rows {
            table: Table::Product,
        },
        1,
    );
    if !product.currency.is_empty() && product.currency != meaning.currency {
        add(Cell::ForeignCurrency, 1);
    }
}

/// Contribution of a behaviour row: events by type in three grains, sessions and actors by type and day
/// (KPI events_by_type). The type NULL is shown as `unknown`.
pub fn of_behaviour(event: &Behaviour, calendar: Calendar, add: &mut Add<'_>) {
    add(
        Cell::Rows {
            table: Table::UserBehavior,
        },
        1,
    );
    let Some([day_bucket, hour, minute, _]) = event.at.and_then(|at| calendar.buckets(at)) else {
        add(Cell::Undated, 1);
        return;
    };
    let measure = Measure::Events;
    add(
        Cell::Total {
            bucket: day_bucket,
            measure,
        },
        1,
    );
    for bucket in [day_bucket, hour, minute] {
        add(
            Cell::Events {
                bucket,
                kind: event.kind.clone(),
            },
            1,
        );
    }
    let Bucket::Day(day) = day_bucket else { return };
    if let Some(session) = &event.session {
        add(
            Cell::Session {
                day,
                kind: event.kind.clone(),
                session: session.clone(),
            },
            1,
        );
    }
    if let Some(actor) = event.actor() {
        add(
            Cell::Actor {
                day,
                kind: event.kind.clone(),
                actor,
            },
            1,
        );
    }
}

/// Contribution of a row that is only counted (stock, shipment).
pub fn of_row(table: Table, add: &mut Add<'_>) {
    add(Cell::Rows { table }, 1);
}
