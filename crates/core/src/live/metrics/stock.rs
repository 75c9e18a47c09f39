//! Metrics of stock, movements and shipments.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;

use super::{LiveTotals, Rows, rounded};
use crate::config::Meaning;
use crate::contribution::{Cell, PlaceMeasure, ProductKey, ProductMeasure, Scope, store_id};
use crate::money::convert;

/// Days over which demand is averaged, the running one included.
const DEMAND_DAYS: u64 = 28;

pub(super) fn rows(totals: &LiveTotals, meaning: &Meaning, rows: &mut Rows) {
    let since = rows
        .today
        .checked_sub_days(Days::new(DEMAND_DAYS))
        .unwrap_or(NaiveDate::MIN);
    let mut critical: BTreeMap<i64, i64> = BTreeMap::new();
    let mut moved: BTreeMap<String, i64> = BTreeMap::new();
    let mut sold: BTreeMap<i64, i64> = BTreeMap::new();
    // Stock in another currency is worth what today's rate says.
    let mut worth: BTreeMap<String, i64> = BTreeMap::new();
    for listing in totals.listings.values() {
        let Some(product) = listing
            .row()
            .filter(|product| !product.currency.is_empty() && product.currency != meaning.currency)
        else {
            continue;
        };
        let rate = meaning.rate(&product.currency, rows.today);
        for shelf in listing.shelves.values() {
            let cents = shelf
                .available
                .unwrap_or(0)
                .max(0)
                .saturating_mul(product.price.unwrap_or(0));
            if let Some(cents) = rate.and_then(|rate| convert(cents, rate)) {
                let key = format!("{}/{}/value", shelf.location, store_id(product.store));
                *worth.entry(key).or_default() += cents;
            }
        }
    }
    for (cell, value) in &totals.cells {
        match cell {
            Cell::Shelves { store, status } => {
                rows.count("stock_status", format!("{store}/{}", status.name()), *value);
            }
            Cell::Critical { store, .. } => *critical.entry(*store).or_default() += 1,
            Cell::Place {
                store,
                location,
                measure,
            } => match measure {
                PlaceMeasure::Units => rows.count("warehouses", format!("{location}/{store}"), *value),
                PlaceMeasure::Value => {
                    *worth.entry(format!("{location}/{store}/value")).or_default() += value;
                }
                PlaceMeasure::Critical => {}
            },
            Cell::Movement {
                day,
                product,
                reason,
                inward,
            } => {
                let listing = product.and_then(|product| totals.listings.get(&product));
                let store = listing
                    .and_then(|listing| listing.row())
                    .and_then(|product| product.store);
                let store = store.map_or_else(String::new, |store| format!("/{store}"));
                let net = if *inward { *value } else { -value };
                *moved.entry(format!("{day}{store}/{reason}")).or_default() += net;
            }
            Cell::Shipment { due, method, status } => {
                let due = due.map_or_else(String::new, |due| format!("{due}/"));
                rows.count("shipments", format!("{due}{method}/{status}"), *value);
            }
            Cell::Product {
                scope: Scope::Platform,
                day,
                product: ProductKey::Id(id),
                measure: ProductMeasure::Units,
            } if *day > since => *sold.entry(*id).or_default() += value,
            _ => {}
        }
    }
    for (key, cents) in worth {
        rows.cents("warehouses", key, cents);
    }
    for (store, products) in critical {
        rows.count("critical_products", store.to_string(), products);
    }
    for (key, net) in moved {
        rows.count("movements", key, net);
    }
    for (id, listing) in &totals.listings {
        let available = |units: Option<i64>| Decimal::from(units.unwrap_or(0).max(0));
        let held: Decimal = listing
            .shelves
            .values()
            .map(|shelf| available(shelf.available))
            .sum();
        let demand = Decimal::from(sold.get(id).copied().unwrap_or(0));
        for (stock, shelf) in &listing.shelves {
            // Demand is shared over the locations by what they hold: available ÷ (demand ÷ 28 × available ÷ held).
            let units = available(shelf.available);
            if units.is_zero() || demand.is_zero() {
                continue;
            }
            if let Some(days) = (Decimal::from(DEMAND_DAYS) * held).checked_div(demand) {
                rows.found
                    .push(("days_of_stock", stock.to_string(), rounded(days, 6)));
            }
        }
    }
}
