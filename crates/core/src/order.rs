//! The order as one state: its header and all its lines (docs: reliability 5.6).
//!
//! Header and lines come from different topics with no order between them. Kept in one state they need none: each
//! change replaces its own part, and the contribution is computed from the whole.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::change::Row;
use crate::config::{Meaning, OrderClass};
use crate::money::{Cents, allocate, cents, convert};
use crate::position::Position;
use crate::table::Table;

/// Amounts of the source are `decimal(12,2)`; one that is not below this in size, in cents, cannot come from such a
/// column and counts as NULL, so that no sum of a day leaves the exact range of the live store.
const TOO_LARGE: u64 = 1_000_000_000_000;

/// A money column in cents.
pub(crate) fn money(row: &Row, table: Table, column: &str) -> Option<Cents> {
    row.decimal(table, column)
        .and_then(cents)
        .filter(|cents| cents.unsigned_abs() < TOO_LARGE)
}

/// What is remembered of one source row: where its last change stood, and its values unless it was deleted.
///
/// A deleted row stays as an entry with its position, or a replayed insert would bring it back (docs: cdc section 2).
/// Written as `[generation, lsn, row or null]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u32, u64, Option<T>)", into = "(u32, u64, Option<T>)")]
#[serde(bound(
    serialize = "T: Clone + Serialize",
    deserialize = "T: serde::de::DeserializeOwned"
))]
pub struct Kept<T> {
    /// Position of the last change that was applied.
    pub position: Position,
    /// The values; `None` once deleted.
    pub row: Option<T>,
}

impl<T> From<(u32, u64, Option<T>)> for Kept<T> {
    fn from((generation, lsn, row): (u32, u64, Option<T>)) -> Self {
        Self {
            position: Position { generation, lsn },
            row,
        }
    }
}

impl<T> From<Kept<T>> for (u32, u64, Option<T>) {
    fn from(kept: Kept<T>) -> Self {
        (kept.position.generation, kept.position.lsn, kept.row)
    }
}

/// Header of an order: a `transaction` row in the words of the totals.
///
/// Class and payment method are already mapped. The maps are part of the contribution version, so a state never meets
/// other maps than those it was written with (docs: reliability C3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "HeaderBody", into = "HeaderBody")]
pub struct Header {
    /// Business time in microseconds since the epoch, UTC; `None` for NULL and the infinities.
    pub at: Option<i64>,
    /// `total_amount` in cents; `None` for NULL.
    pub amount: Option<Cents>,
    /// Buyer.
    pub buyer: Option<i64>,
    /// Store.
    pub store: Option<i64>,
    /// Canonical payment method (D2).
    pub method: String,
    /// Class of the status (docs: kpis 0.2).
    pub class: OrderClass,
    /// Commit of the first change to a reversed status that was seen, microseconds since the epoch, UTC; `None` for an order
    /// that was reversed before capture began (docs: kpis 0.9).
    pub reversed_at: Option<i64>,
}

type HeaderBody = (
    Option<i64>,
    Option<Cents>,
    Option<i64>,
    Option<i64>,
    String,
    OrderClass,
    Option<i64>,
);

impl From<HeaderBody> for Header {
    fn from((at, amount, buyer, store, method, class, reversed_at): HeaderBody) -> Self {
        Self {
            at,
            amount,
            buyer,
            store,
            method,
            class,
            reversed_at,
        }
    }
}

impl From<Header> for HeaderBody {
    fn from(header: Header) -> Self {
        (
            header.at,
            header.amount,
            header.buyer,
            header.store,
            header.method,
            header.class,
            header.reversed_at,
        )
    }
}

impl Header {
    /// Reads a `transaction` row. Every column is small, so none can be missing as an unchanged large value. The moment of
    /// the reversal is the caller's to add.
    pub fn of(row: &Row, meaning: &Meaning) -> Self {
        let table = Table::Transaction;
        Self {
            at: row.micros(table, "transaction_date"),
            amount: money(row, table, "total_amount"),
            buyer: row.int(table, "buyer_id"),
            store: row.int(table, "customer_id"),
            method: meaning
                .payment_method(row.text(table, "payment_method"))
                .to_owned(),
            class: meaning.class(row.text(table, "status")),
            reversed_at: None,
        }
    }
}

/// A line inside its order: a `transactiondetail` row. Its position stands in the line's own entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Product; `None` for NULL.
    pub product: Option<i64>,
    /// Units.
    pub quantity: Option<i64>,
    /// Unit price in cents.
    pub unit_price: Option<Cents>,
}

impl Line {
    /// Reads a `transactiondetail` row.
    pub fn of(row: &Row) -> Self {
        let table = Table::TransactionDetail;
        Self {
            product: row.int(table, "product_id"),
            quantity: row.int(table, "quantity"),
            unit_price: money(row, table, "unit_price"),
        }
    }

    /// Units; NULL counts as 0.
    pub fn units(&self) -> i64 {
        self.quantity.unwrap_or(0)
    }

    /// Gross value in cents; `None` when a part of it is NULL.
    pub fn gross(&self) -> Option<i128> {
        Some(i128::from(self.quantity?) * i128::from(self.unit_price?))
    }
}

/// Where a line is: its own state, so that a change that does not name the former order can still take the line out
/// of it (docs: reliability C9).
///
/// An array of one, so that a line without an order is not taken for a deleted line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(Option<i64>,)", into = "(Option<i64>,)")]
pub struct Holder {
    /// The order that holds the line; `None` when the row names no order.
    pub order: Option<i64>,
}

impl From<(Option<i64>,)> for Holder {
    fn from((order,): (Option<i64>,)) -> Self {
        Self { order }
    }
}

impl From<Holder> for (Option<i64>,) {
    fn from(holder: Holder) -> Self {
        (holder.order,)
    }
}

/// Currency of an order whose products name another one than the reporting currency, and its rate.
///
/// Both stand in the order's state, although the products name the currency: what an order contributed must be known from
/// its state alone (docs: reliability C3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(String, Option<Decimal>)", into = "(String, Option<Decimal>)")]
pub struct Foreign {
    /// Code of the currency; the lowest when the products name several (docs: kpis 0.3).
    pub currency: String,
    /// Last known rate on or before the order day; `None` without one: the amount is then left out and counted.
    pub rate: Option<Decimal>,
}

impl From<(String, Option<Decimal>)> for Foreign {
    fn from((currency, rate): (String, Option<Decimal>)) -> Self {
        Self { currency, rate }
    }
}

impl From<Foreign> for (String, Option<Decimal>) {
    fn from(foreign: Foreign) -> Self {
        (foreign.currency, foreign.rate)
    }
}

/// An order: header and lines. Lines without a header wait and contribute nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "OrderBody", into = "OrderBody")]
pub struct Order {
    /// The header; `None` while only lines have come.
    pub header: Option<Kept<Header>>,
    /// Lines by `transaction_detail_id`.
    pub lines: BTreeMap<i64, Line>,
    /// Currency and rate; `None` in the reporting currency.
    pub foreign: Option<Foreign>,
}

type OrderBody = (
    Option<Kept<Header>>,
    Vec<(i64, Option<i64>, Option<i64>, Option<Cents>)>,
    Option<Foreign>,
);

impl From<OrderBody> for Order {
    fn from((header, lines, foreign): OrderBody) -> Self {
        Self {
            header,
            foreign,
            lines: lines
                .into_iter()
                .map(|(id, product, quantity, unit_price)| {
                    (
                        id,
                        Line {
                            product,
                            quantity,
                            unit_price,
                        },
                    )
                })
                .collect(),
        }
    }
}

impl From<Order> for OrderBody {
    fn from(order: Order) -> Self {
        let lines = order
            .lines
            .into_iter()
            .map(|(id, line)| (id, line.product, line.quantity, line.unit_price))
            .collect();
        (order.header, lines, order.foreign)
    }
}

impl Order {
    /// True when nothing is left to remember: no header was ever seen and no line waits.
    pub fn is_empty(&self) -> bool {
        self.header.is_none() && self.lines.is_empty()
    }

    /// The header, if it came and was not deleted.
    pub fn live_header(&self) -> Option<&Header> {
        self.header.as_ref().and_then(|kept| kept.row.as_ref())
    }

    /// The order's total shared over its lines, in the order of their ids; adds up to the total exactly
    /// (docs: reliability 5.7). Empty without lines.
    pub fn shares(&self, total: Cents) -> impl Iterator<Item = (&Line, Cents)> {
        let weight = |line: &Line| line.gross().unwrap_or(0);
        let weights: Vec<i128> = self.lines.values().map(weight).collect();
        self.lines.values().zip(allocate(total, &weights))
    }

    /// The order's total in cents of the reporting currency; `None` without an amount or a rate.
    pub fn amount(&self) -> Option<Cents> {
        self.in_reporting_currency(self.live_header()?.amount?)
    }

    /// Value of the lines before any discount in cents of the reporting currency, the order's total where no line has one;
    /// `None` without a rate (KPI gross_sales).
    pub fn gross(&self) -> Option<Cents> {
        let gross = self.lines.values().filter_map(Line::gross);
        let gross = gross.reduce(|sum, line| sum + line);
        let cents = match gross {
            Some(sum) => Cents::try_from(sum).ok()?,
            None => self.live_header()?.amount?,
        };
        self.in_reporting_currency(cents)
    }

    fn in_reporting_currency(&self, cents: Cents) -> Option<Cents> {
        match &self.foreign {
            None => Some(cents),
            Some(foreign) => convert(cents, foreign.rate?),
        }
    }

    /// Units of the lines.
    pub fn units(&self) -> i64 {
        self.lines.values().map(Line::units).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Value;

    /// A `decimal(12,2)` ends at 9,999,999,999.99.
    #[test]
    fn an_amount_no_column_can_hold_counts_as_null() {
        for (cents, expected) in [
            (999_999_999_999, Some(999_999_999_999)),
            (-999_999_999_999, Some(-999_999_999_999)),
            (1_000_000_000_000, None),
            (-1_000_000_000_000, None),
        ] {
            let table = Table::Transaction;
            let mut values = vec![Value::Null; table.columns().len()];
            let amount = rust_decimal::Decimal::new(cents, 2);
            values[table.column("total_amount").unwrap()] = Value::Decimal(amount);
            let row = Row {
                values,
                extra: BTreeMap::new(),
            };
            assert_eq!(Header::of(&row, &Meaning::default()).amount, expected);
        }
    }

    #[test]
    fn an_order_is_forgotten_when_nothing_of_it_is_left() {
        let line = Line {
            product: None,
            quantity: Some(1),
            unit_price: Some(1),
        };
        let gone = Kept {
            position: Position::streamed(0, 5),
            row: None,
        };
        let (waits, deleted) = (
            Order {
                header: None,
                lines: BTreeMap::from([(1, line)]),
                foreign: None,
            },
            Order {
                header: Some(gone),
                lines: BTreeMap::new(),
                foreign: None,
            },
        );
        assert!(Order::default().is_empty() && !waits.is_empty());
        assert!(!deleted.is_empty(), "the position of a deleted header stays");
    }

    #[test]
    fn an_order_is_a_short_array_and_comes_back_the_same() {
        let order = Order {
            header: Some(Kept {
                position: Position::streamed(0, u64::MAX),
                row: Some(Header {
                    at: Some(1_755_784_800_000_000),
                    amount: Some(12_345),
                    buyer: Some(7),
                    store: Some(3),
                    method: "wallet".into(),
                    class: OrderClass::Recognised,
                    reversed_at: None,
                }),
            }),
            lines: BTreeMap::from([
                (
                    9,
                    Line {
                        product: Some(2),
                        quantity: Some(3),
                        unit_price: Some(450),
                    },
                ),
                (
                    10,
                    Line {
                        product: None,
                        quantity: Some(0),
                        unit_price: None,
                    },
                ),
            ]),
            foreign: None,
        };
        let body = serde_json::to_string(&order).unwrap();
        assert_eq!(
            body,
            r#"[[0,18446744073709551615,[1755784800000000,12345,7,3,"wallet","recognised",null]],[[9,2,3,450],[10,null,0,null]],null]"#
        );
        assert_eq!(serde_json::from_str::<Order>(&body).unwrap(), order);
        let deleted = Order {
            header: Some(Kept {
                position: Position::streamed(1, 5),
                row: None,
            }),
            lines: BTreeMap::new(),
            foreign: None,
        };
        assert_eq!(serde_json::to_string(&deleted).unwrap(), "[[1,5,null],[],null]");
        assert!(deleted.live_header().is_none() && !deleted.is_empty());
    }

    #[test]
    fn a_line_without_an_order_is_not_a_deleted_line() {
        for row in [
            None,
            Some(Holder { order: None }),
            Some(Holder { order: Some(1) }),
        ] {
            let kept = Kept {
                position: Position::snapshot(0),
                row,
            };
            let body = serde_json::to_string(&kept).unwrap();
            assert_eq!(
                serde_json::from_str::<Kept<Holder>>(&body).unwrap(),
                kept,
                "{body}"
            );
        }
    }

    #[test]
    fn shares_follow_gross_value_and_add_up() {
        let line = |quantity, unit_price| Line {
            product: Some(1),
            quantity: Some(quantity),
            unit_price: Some(unit_price),
        };
        let order = Order {
            header: None,
            lines: BTreeMap::from([(1, line(1, 100)), (2, line(2, 100)), (3, line(-1, 100))]),
            foreign: None,
        };
        let shares: Vec<_> = order.shares(1000).map(|(_, cents)| cents).collect();
        assert_eq!(shares, [333, 667, 0]);
        assert_eq!(Order::default().shares(1000).count(), 0);
    }

    #[test]
    fn an_amount_in_another_currency_counts_at_its_rate_or_not_at_all() {
        let order = |rate: Option<&str>| Order {
            header: Some(Kept {
                position: Position::streamed(0, 1),
                row: Some(Header {
                    at: Some(0),
                    amount: Some(1001),
                    buyer: None,
                    store: None,
                    method: "wallet".into(),
                    class: OrderClass::Recognised,
                    reversed_at: None,
                }),
            }),
            lines: BTreeMap::new(),
            foreign: Some(Foreign {
                currency: "ARS".into(),
                rate: rate.map(|rate| rate.parse().unwrap()),
            }),
        };
        assert_eq!(order(Some("0.5")).amount(), Some(501));
        assert_eq!((order(None).amount(), order(None).gross()), (None, None));
        let body = serde_json::to_string(&order(Some("0.5"))).unwrap();
        assert!(body.ends_with(r#",[],["ARS","0.5"]]"#), "{body}");
        assert_eq!(serde_json::from_str::<Order>(&body).unwrap(), order(Some("0.5")));
    }
}
