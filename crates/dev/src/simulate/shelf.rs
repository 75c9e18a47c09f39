//! What lies in the warehouses, as the planner believes: taken when an order is paid, filled when the supplier comes.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde::Serialize;

/// The warehouses.
pub(crate) const WAREHOUSES: &[&str] = &[
    "Depósito Central Buenos Aires",
    "Depósito Córdoba",
    "Depósito Rosario",
    "Depósito Mendoza",
];

/// One stock row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Level {
    pub(crate) stock: i64,
    pub(crate) product: i64,
    pub(crate) available: i64,
    pub(crate) reorder_point: i64,
    /// True while a delivery of the supplier is on its way.
    pub(crate) on_order: bool,
}

/// A time during which a product could not be sold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct StockOut {
    pub(crate) product_id: i64,
    pub(crate) from: DateTime<Utc>,
    /// Nothing while it lasts.
    pub(crate) to: Option<DateTime<Utc>>,
}

/// All stock rows, by product. A product without a row is not counted and never runs out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shelf {
    levels: BTreeMap<i64, Level>,
    by_product: HashMap<i64, Vec<i64>>,
    reserved: HashMap<i64, i64>,
    running: BTreeMap<i64, DateTime<Utc>>,
    over: Vec<StockOut>,
}

impl Shelf {
    /// Adds a stock row.
    pub(crate) fn add(&mut self, level: Level) {
        let rows = self.by_product.entry(level.product).or_default();
        if !rows.contains(&level.stock) {
            rows.push(level.stock);
        }
        self.levels.insert(level.stock, level);
    }

    /// Takes over what the database says; what is reserved or on order stays so.
    pub(crate) fn adopt(&mut self, rows: Vec<Level>) {
        let before = std::mem::take(&mut self.levels);
        self.by_product.clear();
        for mut level in rows {
            level.on_order = before.get(&level.stock).is_some_and(|known| known.on_order);
            self.add(level);
        }
    }

    /// True when the product has no stock row at all.
    pub(crate) fn is_untracked(&self, product: i64) -> bool {
        self.by_product.get(&product).is_none_or(Vec::is_empty)
    }

    /// How many of a product can still be promised.
    pub(crate) fn free(&self, product: i64) -> i64 {
        if self.is_untracked(product) {
            return i64::MAX;
        }
        self.total(product) - self.reserved.get(&product).copied().unwrap_or(0)
    }

    fn total(&self, product: i64) -> i64 {
        self.rows(product).map(|level| level.available).sum()
    }

    fn rows(&self, product: i64) -> impl Iterator<Item = &Level> {
        self.by_product
            .get(&product)
            .into_iter()
            .flatten()
            .filter_map(|stock| self.levels.get(stock))
    }

    /// Promises goods to an order.
    pub(crate) fn reserve(&mut self, product: i64, quantity: i64) {
        *self.reserved.entry(product).or_default() += quantity;
    }

    /// Gives a promise back.
    pub(crate) fn release(&mut self, product: i64, quantity: i64) {
        if let Some(reserved) = self.reserved.get_mut(&product) {
            *reserved = (*reserved - quantity).max(0);
        }
    }

    /// Takes goods out, from the fullest row first, in as many parts as it needs; the last row may go below zero when
    /// there is less than was promised.
    pub(crate) fn take(&mut self, product: i64, quantity: i64, now: DateTime<Utc>) -> Vec<(i64, i64)> {
        let mut rows: Vec<(i64, i64)> = self
            .rows(product)
            .map(|level| (level.available, level.stock))
            .collect();
        rows.sort_unstable_by_key(|(available, stock)| (std::cmp::Reverse(*available), *stock));
        let mut left = quantity;
        let mut parts = Vec::new();
        let last = rows.len().saturating_sub(1);
        for (at, (available, stock)) in rows.into_iter().enumerate() {
            let part = if at == last {
                left
            } else {
                left.min(available.max(0))
            };
            if part > 0 {
                parts.push((stock, part));
                left -= part;
            }
        }
        for (stock, part) in &parts {
            if let Some(level) = self.levels.get_mut(stock) {
                level.available -= part;
            }
        }
        if !parts.is_empty() && self.total(product) <= 0 {
            self.running.entry(product).or_insert(now);
        }
        parts
    }

    /// Puts goods into a row.
    pub(crate) fn put(&mut self, stock: i64, quantity: i64, now: DateTime<Utc>) {
        let Some(level) = self.levels.get_mut(&stock) else {
            return;
        };
        level.available += quantity;
        let product = level.product;
        if self.total(product) > 0
            && let Some(from) = self.running.remove(&product)
        {
            self.over.push(StockOut {
                product_id: product,
                from,
                to: Some(now),
            });
        }
    }

    /// A row of the product, the first, for goods that come back.
    pub(crate) fn first_row(&self, product: i64) -> Option<i64> {
        self.by_product
            .get(&product)
            .and_then(|rows| rows.first())
            .copied()
    }

    /// A row by id.
    pub(crate) fn level(&self, stock: i64) -> Option<&Level> {
        self.levels.get(&stock)
    }

    /// Says whether a delivery for a row is on its way.
    pub(crate) fn set_on_order(&mut self, stock: i64, on_order: bool) {
        if let Some(level) = self.levels.get_mut(&stock) {
            level.on_order = on_order;
        }
    }

    /// All rows by id.
    pub(crate) fn levels(&self) -> impl Iterator<Item = &Level> {
        self.levels.values()
    }

    /// Every time a product was out of stock, in the order they ended; those that last come after them.
    pub(crate) fn stock_outs(&self) -> Vec<StockOut> {
        let lasting = self.running.iter().map(|(product, from)| StockOut {
            product_id: *product,
            from: *from,
            to: None,
        });
        self.over.iter().cloned().chain(lasting).collect()
    }

    /// Forgets the stock-outs that are over.
    pub(crate) fn forget_stock_outs(&mut self) {
        self.over.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(stock: i64, product: i64, available: i64) -> Level {
        Level {
            stock,
            product,
            available,
            reorder_point: 3,
            on_order: false,
        }
    }

    fn at(minute: u32) -> DateTime<Utc> {
        format!("2025-07-01T12:{minute:02}:00Z").parse().unwrap()
    }

    #[test]
    fn goods_are_taken_from_the_fullest_row_and_spill_over() {
        let mut shelf = Shelf::default();
        shelf.add(level(1, 7, 2));
        shelf.add(level(2, 7, 5));
        assert_eq!(shelf.free(7), 7);
        assert_eq!(shelf.take(7, 3, at(0)), [(2, 3)]);
        assert_eq!(shelf.take(7, 3, at(1)), [(1, 2), (2, 1)]);
        assert_eq!(shelf.take(7, 4, at(2)), [(2, 1), (1, 3)]);
        assert_eq!(shelf.level(1).unwrap().available, -3);
        assert_eq!(shelf.free(8), i64::MAX, "no row, no limit");
        assert!(shelf.take(8, 1, at(2)).is_empty());
    }

    #[test]
    fn reservations_lower_what_is_free_until_they_are_released() {
        let mut shelf = Shelf::default();
        shelf.add(level(1, 7, 5));
        shelf.reserve(7, 4);
        assert_eq!(shelf.free(7), 1);
        shelf.release(7, 4);
        assert_eq!(shelf.free(7), 5);
        shelf.release(7, 9);
        assert_eq!(shelf.free(7), 5);
    }

    #[test]
    fn stock_outs_are_recorded_from_the_last_unit_to_the_next_delivery() {
        let mut shelf = Shelf::default();
        shelf.add(level(1, 7, 2));
        shelf.take(7, 2, at(5));
        assert_eq!(shelf.stock_outs()[0].to, None);
        shelf.put(1, 10, at(9));
        assert_eq!(
            shelf.stock_outs(),
            [StockOut {
                product_id: 7,
                from: at(5),
                to: Some(at(9)),
            }]
        );
    }

    #[test]
    fn adopting_rows_keeps_what_is_on_order() {
        let mut shelf = Shelf::default();
        shelf.add(level(1, 7, 2));
        shelf.set_on_order(1, true);
        shelf.adopt(vec![level(1, 7, 9), level(2, 8, 1)]);
        assert!(shelf.level(1).unwrap().on_order);
        assert_eq!(shelf.level(1).unwrap().available, 9);
        assert!(!shelf.level(2).unwrap().on_order);
    }
}
