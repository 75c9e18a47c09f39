//! Metrics of sales, payments, buyers and stores.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{LiveTotals, Rows, rounded, store};
use crate::config::Meaning;
use crate::contribution::{
    Bucket, Cell, DayMeasure, Measure, PaymentMeasure, ProductKey, ProductMeasure, Scope,
};
use crate::table::Table;

/// Best sellers that are listed.
const TOP: usize = 100;
/// Minutes that paid orders are looked for: as long as minutes are kept.
const PAID_MINUTES: i64 = 48 * 60;

/// Headline sums of a day.
#[derive(Debug, Default, Clone, Copy)]
struct Headline {
    cents: i64,
    orders: i64,
    open: i64,
    failed: i64,
    other: i64,
    gross: i64,
}

pub(super) fn rows(totals: &LiveTotals, meaning: &Meaning, rows: &mut Rows) {
    headlines(totals, rows);
    commission(totals, meaning, rows);
    payments(totals, rows);
    products(totals, rows);
    people(totals, rows);
}

fn headlines(totals: &LiveTotals, rows: &mut Rows) {
    let mut days: BTreeMap<(Scope, NaiveDate), Headline> = BTreeMap::new();
    let mut extremes: BTreeMap<(Scope, NaiveDate), (i64, i64)> = BTreeMap::new();
    for (cell, value) in &totals.cells {
        match cell {
            Cell::Total {
                scope,
                bucket: Bucket::Day(day),
                measure,
            } if *measure != Measure::Events => {
                let of = days.entry((*scope, *day)).or_default();
                match measure {
                    Measure::Revenue => of.cents = *value,
                    Measure::Orders => of.orders = *value,
                    Measure::Open => of.open = *value,
                    Measure::Failed => of.failed = *value,
                    Measure::Cancelled | Measure::Unmapped => of.other += value,
                    Measure::Reversed | Measure::Events => {}
                }
                if *measure == Measure::Unmapped && *scope == Scope::Platform {
                    rows.count("data_quality", format!("{day}/unmapped_status"), *value);
                }
            }
            Cell::Day {
                scope,
                day,
                measure: DayMeasure::Gross,
            } => days.entry((*scope, *day)).or_default().gross = *value,
            Cell::Amount { scope, day, cents } if *value > 0 => {
                let (least, most) = extremes.entry((*scope, *day)).or_insert((*cents, *cents));
                *least = (*least).min(*cents);
                *most = (*most).max(*cents);
            }
            _ => {}
        }
    }
    for ((scope, day), (least, most)) in extremes {
        let key = format!("{day}/{}", store(scope));
        rows.cents("min_order", key.clone(), least);
        rows.cents("max_order", key, most);
    }
    // A base before the first order or visit is no base.
    let visits = totals.cells.keys().filter_map(|cell| match cell {
        Cell::Day {
            day,
            measure: DayMeasure::Step(0),
            ..
        } => Some(*day),
        _ => None,
    });
    let first = days.keys().map(|(_, day)| *day).chain(visits).min();
    let has_base = first.is_some_and(|first| first <= rows.today - chrono::Days::new(60));
    let mut sums: BTreeMap<Scope, [i64; 4]> = BTreeMap::new();
    for ((scope, day), of) in &days {
        let key = || format!("{day}/{}", store(*scope));
        rows.count("orders", key(), of.orders);
        rows.count("attempts", key(), of.orders + of.open + of.failed + of.other);
        rows.count("pending", key(), of.open);
        rows.count("failed", key(), of.failed);
        rows.cents("gmv", key(), of.cents);
        rows.cents("gross_sales", key(), of.gross);
        rows.cents("discounts", key(), of.gross - of.cents);
        rows.ratio("aov", key(), Decimal::new(of.cents, 2), Decimal::from(of.orders));
        if *scope == Scope::Platform && *day <= rows.today && chrono::Datelike::year(day) >= 2000 {
            rows.cents("sales_trend", key(), of.cents);
        }
        let [total, today, last, before] = sums.entry(*scope).or_default();
        *total += of.cents;
        if *day == rows.today {
            *today += of.cents;
        }
        if rows.is_within(*day, 0, 30) {
            *last += of.cents;
        }
        if rows.is_within(*day, 30, 30) {
            *before += of.cents;
        }
    }
    for (scope, [total, today, last, before]) in sums {
        let key = store(scope).to_string();
        rows.cents("revenue_total", key.clone(), total);
        rows.cents("revenue_today", key.clone(), today);
        rows.cents("revenue_30d", key.clone(), last);
        if has_base && let Some(ratio) = Decimal::from(last).checked_div(Decimal::from(before)) {
            rows.found
                .push(("growth_rate", key, rounded(ratio - Decimal::ONE, 9)));
        }
    }
    for ((scope, day, category), (cents, units)) in &totals.categories {
        let key = format!("{day}/{}/{category}", store(*scope));
        rows.cents("sales_by_category", key.clone(), *cents);
        rows.count("sales_by_category", format!("{key}/units"), *units);
    }
}

/// By the plan each store has now.
fn commission(totals: &LiveTotals, meaning: &Meaning, rows: &mut Rows) {
    let own_rules = meaning.commission_tiers();
    let mut earned: BTreeMap<(NaiveDate, i64), i64> = BTreeMap::new();
    let mut net: BTreeMap<i64, i64> = BTreeMap::new();
    for (cell, value) in &totals.cells {
        let Cell::Commission {
            day,
            store,
            tier,
            returned,
        } = cell
        else {
            continue;
        };
        let plan = totals.tiers.get(store).map(String::as_str);
        if plan.filter(|plan| own_rules.contains(plan)) != tier.as_deref() {
            continue;
        }
        for scope in [0, *store] {
            if *returned {
                *net.entry(scope).or_default() -= value;
            } else {
                *net.entry(scope).or_default() += value;
                *earned.entry((*day, scope)).or_default() += value;
            }
        }
    }
    for ((day, store), cents) in earned {
        rows.cents("commission", format!("{day}/{store}/earned"), cents);
    }
    for (store, cents) in net {
        rows.cents("commission", store.to_string(), cents);
    }
}

fn payments(totals: &LiveTotals, rows: &mut Rows) {
    let mut methods: BTreeMap<(Scope, NaiveDate, &str), [i64; 3]> = BTreeMap::new();
    let mut paid_on: BTreeMap<(Scope, NaiveDate), i64> = BTreeMap::new();
    let this_minute = rows.now.timestamp().div_euclid(60);
    let mut last_paid: BTreeMap<(Scope, &str), i64> = BTreeMap::new();
    for (cell, value) in &totals.cells {
        match cell {
            Cell::Payment {
                scope,
                day,
                measure,
                method,
            } => {
                let of = methods.entry((*scope, *day, method)).or_default();
                match measure {
                    PaymentMeasure::Paid => {
                        of[0] = *value;
                        *paid_on.entry((*scope, *day)).or_default() += value;
                    }
                    PaymentMeasure::Failed => of[1] = *value,
                    PaymentMeasure::Revenue => of[2] = *value,
                    PaymentMeasure::Open => {}
                }
            }
            Cell::Paid {
                scope,
                minute,
                method,
            } if *value > 0 && *minute <= this_minute && this_minute - *minute < PAID_MINUTES => {
                let last = last_paid.entry((*scope, method)).or_insert(*minute);
                *last = (*last).max(*minute);
            }
            _ => {}
        }
    }
    for ((scope, method), minute) in last_paid {
        // One more than the difference, so that a payment of this minute is not taken for none.
        let minutes = this_minute - minute + 1;
        rows.count("last_paid_age", format!("{}/{method}", store(scope)), minutes);
    }
    for ((scope, day, method), [paid, failed, cents]) in methods {
        let key = format!("{day}/{}/{method}", store(scope));
        rows.cents("payment_mix", format!("{key}/revenue"), cents);
        if scope != Scope::Platform {
            let all = paid_on.get(&(scope, day)).copied().unwrap_or(0);
            rows.ratio(
                "payment_mix",
                key.clone(),
                Decimal::from(paid),
                Decimal::from(all),
            );
        }
        rows.ratio(
            "payment_success",
            key,
            Decimal::from(paid),
            Decimal::from(paid + failed),
        );
    }
}

fn products(totals: &LiveTotals, rows: &mut Rows) {
    let mut sold: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    for (cell, value) in &totals.cells {
        match cell {
            Cell::Product {
                scope: Scope::Platform,
                day,
                product: ProductKey::Id(id),
                measure,
            } => match measure {
                ProductMeasure::Revenue => {
                    rows.cents("product_performance", format!("{day}/{id}/revenue"), *value);
                    if rows.is_within(*day, 0, 30) {
                        sold.entry(*id).or_default().0 += value;
                    }
                }
                ProductMeasure::Units if rows.is_within(*day, 0, 30) => {
                    sold.entry(*id).or_default().1 += value;
                }
                // A product that was sold for nothing is listed all the same.
                ProductMeasure::Lines if rows.is_within(*day, 0, 30) => {
                    sold.entry(*id).or_default();
                }
                _ => {}
            },
            Cell::Product {
                scope: Scope::Platform,
                day,
                product: ProductKey::Bare,
                measure: ProductMeasure::Lines,
            } => rows.count("data_quality", format!("{day}/sale_without_lines"), *value),
            _ => {}
        }
    }
    let mut ranked: Vec<(i64, i64)> = sold.iter().map(|(id, (cents, _))| (-cents, *id)).collect();
    ranked.sort_unstable();
    for (place, (cents, id)) in (1..).zip(ranked.into_iter().take(TOP)) {
        rows.cents("top_products", format!("{place}/{id}"), -cents);
    }
    for (id, (_, units)) in sold {
        let Some(listing) = totals
            .listings
            .get(&id)
            .filter(|listing| listing.product.is_some())
        else {
            continue;
        };
        let available: i64 = listing.shelves.values().filter_map(|shelf| shelf.available).sum();
        let (above, below) = (Decimal::from(units), Decimal::from(units + available.max(0)));
        rows.ratio("stock_vs_sold", id.to_string(), above, below);
    }
}

fn people(totals: &LiveTotals, rows: &mut Rows) {
    let mut active: BTreeMap<Scope, i64> = BTreeMap::new();
    let mut sellers = BTreeSet::new();
    let mut members: BTreeMap<i64, i64> = BTreeMap::new();
    let mut counted: BTreeMap<&str, i64> = BTreeMap::new();
    for (cell, value) in &totals.cells {
        match cell {
            Cell::Day { scope, day, measure } => {
                let key = format!("{day}/{}", store(*scope));
                match measure {
                    DayMeasure::Buyers if *day == rows.today => {
                        rows.count("unique_buyers_today", store(*scope).to_string(), *value);
                    }
                    DayMeasure::NewBuyers => rows.count("new_buyers", key, *value),
                    DayMeasure::ReturningBuyers => rows.count("returning_buyers", key, *value),
                    _ => {}
                }
            }
            Cell::Active { scope, day } if *day <= rows.today => {
                *active.entry(*scope).or_default() += value;
            }
            Cell::Seller { day, store } if *store > 0 && rows.is_within(*day, 0, 30) => {
                sellers.insert(*store);
            }
            Cell::Plan { tier } => rows.count("plan_mix", tier.clone(), *value),
            Cell::Mrr => rows.cents("mrr", String::new(), *value),
            Cell::Rows { table, .. } => *counted.entry(name_of(*table)).or_default() += value,
            Cell::Member { segment, .. } if totals.segments.contains(segment) => {
                *members.entry(*segment).or_default() += 1;
            }
            Cell::Contact { day, parts } => {
                let day = day.to_string();
                let parts = parts.iter().flatten().map(String::as_str);
                let key: Vec<&str> = std::iter::once(day.as_str()).chain(parts).collect();
                rows.count("crm_interactions", key.join("/"), *value);
            }
            _ => {}
        }
    }
    for (name, count) in counted {
        rows.count("totals", name.to_owned(), count);
    }
    for (scope, buyers) in active {
        rows.count("active_buyers", store(scope).to_string(), buyers);
    }
    rows.count("active_stores", String::new(), sellers.len() as i64);
    let listed: BTreeSet<i64> = totals
        .listings
        .values()
        .filter_map(|listing| listing.row())
        .filter(|product| !product.deleted && product.status == "active")
        .filter_map(|product| product.store)
        .collect();
    rows.count("active_stores", "listed".into(), listed.len() as i64);
    for (segment, stores) in members {
        rows.count("segments_crm", segment.to_string(), stores);
    }
}

/// What readers call the rows of a table (KPI totals).
const fn name_of(table: Table) -> &'static str {
    match table {
        Table::Customer => "stores",
        Table::Buyer => "buyers",
        Table::Product => "products",
        Table::Transaction => "orders",
        Table::TransactionDetail => "order lines",
        Table::UserBehavior => "behaviour events",
        Table::Stock => "stock rows",
        Table::InventoryMovement => "stock movements",
        Table::Shipment => "shipments",
        Table::Carrier => "carriers",
        Table::Interaction => "contacts",
        Table::Segment => "segments",
        Table::CustomerSegment => "segment members",
    }
}
