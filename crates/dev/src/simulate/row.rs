//! Rows of the thirteen source tables as the simulator writes them, and their form in PostgreSQL's COPY text.
//!
//! Money is cents, times are UTC. The order of the fields is the order of the columns in `instashop_core::table`.

use chrono::{DateTime, Utc};
use instashop_core::money::{Cents, decimal_text};

/// A store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CustomerRow {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) business_name: String,
    pub(crate) email: String,
    pub(crate) phone: String,
    pub(crate) plan: &'static str,
    pub(crate) logo_url: String,
    pub(crate) store_url: String,
}

/// A buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BuyerRow {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) phone: String,
    pub(crate) address: String,
}

/// A product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProductRow {
    pub(crate) id: i64,
    pub(crate) store: i64,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) category: String,
    pub(crate) price: Cents,
    pub(crate) currency: String,
    pub(crate) status: &'static str,
    pub(crate) image_url: String,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OrderRow {
    pub(crate) id: i64,
    pub(crate) buyer: i64,
    pub(crate) store: i64,
    pub(crate) placed: DateTime<Utc>,
    pub(crate) total: Cents,
    pub(crate) method: &'static str,
    pub(crate) status: &'static str,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LineRow {
    pub(crate) id: i64,
    pub(crate) order: i64,
    pub(crate) product: i64,
    pub(crate) quantity: i32,
    pub(crate) price: Cents,
}

/// An action of a visitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BehaviourRow {
    pub(crate) id: i64,
    pub(crate) store: i64,
    pub(crate) event: &'static str,
    pub(crate) product: Option<i64>,
    pub(crate) session: String,
    pub(crate) at: DateTime<Utc>,
    pub(crate) metadata: String,
}

/// A contact with a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InteractionRow {
    pub(crate) id: i64,
    pub(crate) store: i64,
    pub(crate) kind: &'static str,
    pub(crate) channel: &'static str,
    pub(crate) at: DateTime<Utc>,
    pub(crate) status: &'static str,
}

/// A segment of stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SegmentRow {
    pub(crate) id: i64,
    pub(crate) name: &'static str,
    pub(crate) criteria: &'static str,
}

/// A store's membership in a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MembershipRow {
    pub(crate) id: i64,
    pub(crate) store: i64,
    pub(crate) segment: i64,
}

/// Goods in a warehouse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StockRow {
    pub(crate) id: i64,
    pub(crate) product: i64,
    pub(crate) available: i64,
    pub(crate) reorder_point: i64,
    pub(crate) warehouse: &'static str,
}

/// Goods that moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MovementRow {
    pub(crate) id: i64,
    pub(crate) product: i64,
    pub(crate) at: DateTime<Utc>,
    pub(crate) direction: &'static str,
    pub(crate) quantity: i64,
    pub(crate) reason: &'static str,
}

/// A carrier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CarrierRow {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) phone: String,
    pub(crate) tracking_number: String,
}

/// A delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShipmentRow {
    pub(crate) id: i64,
    pub(crate) order: i64,
    pub(crate) buyer: i64,
    pub(crate) address: String,
    pub(crate) method: &'static str,
    pub(crate) status: &'static str,
    pub(crate) promised: DateTime<Utc>,
    pub(crate) carrier: Option<i64>,
}

/// A line of COPY text under construction.
struct CopyLine<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> CopyLine<'a> {
    fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, first: true }
    }

    fn separate(&mut self) {
        if !self.first {
            self.out.push(b'\t');
        }
        self.first = false;
    }

    fn plain(mut self, text: &str) -> Self {
        self.separate();
        self.out.extend_from_slice(text.as_bytes());
        self
    }

    fn int(self, number: i64) -> Self {
        self.plain(&number.to_string())
    }

    fn maybe(self, number: Option<i64>) -> Self {
        match number {
            Some(number) => self.int(number),
            None => self.plain("\\N"),
        }
    }

    fn money(self, cents: Cents) -> Self {
        self.plain(&decimal_text(cents))
    }

    fn time(self, at: DateTime<Utc>) -> Self {
        self.plain(&at.format("%Y-%m-%d %H:%M:%S%.6f").to_string())
    }

    fn text(mut self, text: &str) -> Self {
        self.separate();
        for byte in text.bytes() {
            match byte {
                b'\\' => self.out.extend_from_slice(b"\\\\"),
                b'\t' => self.out.extend_from_slice(b"\\t"),
                b'\n' => self.out.extend_from_slice(b"\\n"),
                b'\r' => self.out.extend_from_slice(b"\\r"),
                other => self.out.push(other),
            }
        }
        self
    }

    fn end(self) {
        self.out.push(b'\n');
    }
}

impl CustomerRow {
    /// Appends the row as a line of COPY text.
    pub(crate) fn copy(&self, out: &mut Vec<u8>) {
        CopyLine::new(out)
            .int(self.id)
            .text(&self.name)
            .text(&self.business_name)
            .text(&self.email)
            .text(&self.phone)
            .text(self.plan)
            .text(&self.logo_url)
            .text(&self.store_url)
            .end();
    }
}

impl BuyerRow {
    /// Appends the row as a line of COPY text.
    pub(crate) fn copy(&self, out: &mut Vec<u8>) {
        CopyLine::new(out)
            .int(self.id)
            .text(&self.name)
            .text(&self.email)
            .text(&self.phone)
            .text(&self.address)
            .end();
    }
}

impl ProductRow {
    /// Appends the row as a line of COPY text.
    pub(crate) fn copy(&self, out: &mut Vec<u8>) {
        CopyLine::new(out)
            .int(self.id)
            .int(self.store)
            .text(&self.name)
            .text(&self.description)
            .text(&self.category)
            .money(self.price)
            .text(&self.currency)
            .text(self.status)
            .text(&self.image_url)
            .end();
    }
}

impl OrderRow {
    /// Appends the row as a line of COPY text.
    pub(crate) fn copy(&self, out: &mut Vec<u8>) {
        CopyLine::new(out)
            .int(self.id)
            .int(self.buyer)
            .int(self.store)
            .time(self.placed)
            .money(self.total)
            .text(self.method)
            .text(self.status)
            .end();
    }
}

impl LineRow {
    /// Appends the row as a line of COPY text.
    pub(crate) fn copy(&self, out: &mut Vec<u8>) {
        CopyLine::new(out)
            .int(self.id)
            .int(self.order)
            .int(self.product)
            .int(i64::from(self.quantity))
            .money(self.price)
            .end();
    }
}

impl BehaviourRow {
    /// Appends the row as a line of COPY text.
    pub(crate) fn copy(&self, out: &mut Vec<u8>) {
        CopyLine::new(out)
            .int(self.id)
            .int(self.store)
            .text(self.event)
            .maybe(self.product)
            .text(&self.session)
            .time(self.at)
            .text(&self.metadata)
            .end();
    }
}

impl InteractionRow {
    /// Appends the row as a line of COPY text.
    pub(crate) fn copy(&self, out: &mut Vec<u8>) {
        CopyLine::new(out)
            .int(self.id)
            .int(self.store)
            .text(self.kind)
            .text(self.channel)
            .time(self.at)
            .text(self.status)
            .end();
    }
}

impl SegmentRow {
    /// Appends the row as a line of COPY text.
    pub(crate) fn copy(&self, out: &mut Vec<u8>) {
        CopyLine::new(out)
            .int(self.id)
            .text(self.name)
            .text(self.criteria)
            .end();
    }
}

impl MembershipRow {
    /// Appends the row as a line of COPY text.
    pub(crate) fn copy(&self, out: &mut Vec<u8>) {
        CopyLine::new(out)
            .int(self.id)
            .int(self.store)
            .int(self.segment)
            .end();
    }
}

impl StockRow {
    /// Appends the row as a line of COPY text.
    pub(crate) fn copy(&self, out: &mut Vec<u8>) {
        CopyLine::new(out)
            .int(self.id)
            .int(self.product)
            .int(self.available)
            .int(self.reorder_point)
            .text(self.warehouse)
            .end();
    }
}

impl MovementRow {
    /// Appends the row as a line of COPY text.
    pub(crate) fn copy(&self, out: &mut Vec<u8>) {
        CopyLine::new(out)
            .int(self.id)
            .int(self.product)
            .time(self.at)
            .text(self.direction)
            .int(self.quantity)
            .text(self.reason)
            .end();
    }
}

impl CarrierRow {
    /// Appends the row as a line of COPY text.
    pub(crate) fn copy(&self, out: &mut Vec<u8>) {
        CopyLine::new(out)
            .int(self.id)
            .text(&self.name)
            .text(&self.phone)
            .text(&self.tracking_number)
            .end();
    }
}

impl ShipmentRow {
    /// Appends the row as a line of COPY text; `carrier_id` is the last column and may be left out.
    pub(crate) fn copy(&self, out: &mut Vec<u8>) {
        CopyLine::new(out)
            .int(self.id)
            .int(self.order)
            .int(self.buyer)
            .text(&self.address)
            .text(self.method)
            .text(self.status)
            .time(self.promised)
            .maybe(self.carrier)
            .end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copy_text_escapes_what_copy_reads_as_structure() {
        let mut out = Vec::new();
        SegmentRow {
            id: 7,
            name: "a\tb\\c",
            criteria: "line\nnext\r",
        }
        .copy(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "7\ta\\tb\\\\c\tline\\nnext\\r\n");
    }

    #[test]
    fn nulls_money_and_times_have_their_copy_form() {
        let mut out = Vec::new();
        BehaviourRow {
            id: 1,
            store: 2,
            event: "page_view",
            product: None,
            session: "s".into(),
            at: "2025-07-01T12:00:00.000007Z".parse().unwrap(),
            metadata: "{\"q\":\"a\\\"b\"}".into(),
        }
        .copy(&mut out);
        LineRow {
            id: 1,
            order: 2,
            product: 3,
            quantity: 4,
            price: 1905,
        }
        .copy(&mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "1\t2\tpage_view\t\\N\ts\t2025-07-01 12:00:00.000007\t{\"q\":\"a\\\\\"b\"}\n1\t2\t3\t4\t19.05\n"
        );
    }
}
