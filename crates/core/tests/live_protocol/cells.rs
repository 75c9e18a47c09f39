//! The recount of totals that need more than one row, or another row than the order: each told the plain way, by looking
//! at every row again for every number.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use instashop_core::change::{Moment, Value};
use instashop_core::config::{Meaning, OrderClass};
use instashop_core::contribution::{
    Bucket, Calendar, Cell, DayMeasure, Measure, PlaceMeasure, Scope, StockStatus,
};
use instashop_core::table::Table;
use rust_decimal::Decimal;

use crate::oracle::{converted, day_of};
use crate::shop::{OrderRow, Shop};
use crate::timelines;

/// True for totals that [`recount_cells`] tells. Left out are those the other recount tells, and those dated by a moment
/// that a rebuild cannot see again (returns, insertions, deliveries).
pub fn is_told(cell: &Cell) -> bool {
    match cell {
        Cell::Total { scope, bucket, .. } => {
            matches!((scope, bucket), (Scope::Store(_), Bucket::Day(_)))
        }
        Cell::Day { measure, .. } => !matches!(
            measure,
            DayMeasure::Returns | DayMeasure::NewStores | DayMeasure::NewUsers
        ),
        Cell::Active { .. }
        | Cell::Seller { .. }
        | Cell::Visitor { .. }
        | Cell::Search { .. }
        | Cell::Seen { .. }
        | Cell::OpenVisit { .. }
        | Cell::Now { .. }
        | Cell::Plan { .. }
        | Cell::Mrr
        | Cell::Shelves { .. }
        | Cell::Place { .. }
        | Cell::Critical { .. }
        | Cell::Movement { .. }
        | Cell::Contact { .. }
        | Cell::Member { .. }
        | Cell::Commission { returned: false, .. }
        | Cell::Repricing { .. }
        | Cell::Shipment { .. } => true,
        _ => false,
    }
}

struct Sale<'a> {
    id: i64,
    row: &'a OrderRow,
    day: NaiveDate,
    at: DateTime<Utc>,
    store: i64,
}

/// Counts everything; totals past their life at `now` are left out.
pub fn recount_cells(shop: &Shop, meaning: &Meaning, now: DateTime<Utc>) -> BTreeMap<Cell, i64> {
    let mut cells: BTreeMap<Cell, i64> = BTreeMap::new();
    let mut add = |cell: Cell, value: i64| *cells.entry(cell).or_default() += value;
    let zone = meaning.tz();
    orders(shop, meaning, zone, &mut add);
    timelines::visits(shop, meaning, zone, &mut add);
    stock(shop, &mut add);
    small(shop, meaning, zone, &mut add);
    let calendar = Calendar::new(zone);
    cells.retain(|cell, value| *value != 0 && cell.end_of_life(calendar).is_none_or(|end| now < end));
    cells
}

pub fn no_store(store: Option<i64>) -> i64 {
    match store {
        None | Some(0) => -1,
        Some(id) => id,
    }
}

fn orders(shop: &Shop, meaning: &Meaning, zone: Tz, add: &mut impl FnMut(Cell, i64)) {
    let mut sales = Vec::new();
    for (id, row) in &shop.orders {
        let Some((day, at)) = day_of(row.at, zone) else {
            continue;
        };
        let class = meaning.class(row.status);
        let money = row
            .cents
            .and_then(|cents| converted(shop, meaning, *id, day, cents));
        let store = no_store(Some(row.store));
        let scope = Scope::Store(store);
        let mut total = |measure, value| {
            let bucket = Bucket::Day(day);
            add(
                Cell::Total {
                    scope,
                    bucket,
                    measure,
                },
                value,
            );
        };
        match class {
            OrderClass::Recognised | OrderClass::Reversed => {
                total(Measure::Revenue, money.unwrap_or(0));
                total(Measure::Orders, 1);
                total(Measure::Reversed, i64::from(class == OrderClass::Reversed));
                add(Cell::Seller { day, store }, 1);
                sales.push(Sale {
                    id: *id,
                    row,
                    day,
                    at,
                    store,
                });
            }
            OrderClass::Open => total(Measure::Open, 1),
            OrderClass::Failed => total(Measure::Failed, 1),
            OrderClass::Cancelled => total(Measure::Cancelled, 1),
            OrderClass::Unmapped => total(Measure::Unmapped, 1),
        }
    }
    for event in shop.events.values() {
        if let Some((day, _)) = day_of(event.at, zone) {
            let scope = Scope::Store(no_store(event.store));
            let (bucket, measure) = (Bucket::Day(day), Measure::Events);
            add(
                Cell::Total {
                    scope,
                    bucket,
                    measure,
                },
                1,
            );
        }
    }
    // Percents of each sale, for a store with plan `pro` and for any other.
    for sale in &sales {
        let money = sale
            .row
            .cents
            .and_then(|cents| converted(shop, meaning, sale.id, sale.day, cents));
        let Some(cents) = money else { continue };
        let percents = |tenths: i64| instashop_core::money::cents(Decimal::new(cents * tenths, 5)).unwrap();
        let since: NaiveDate = "2100-03-01".parse().unwrap();
        let pro = if sale.day >= since {
            percents(25) + 7
        } else {
            percents(50)
        };
        for (tier, cents) in [(Some("pro".to_owned()), pro), (None, percents(50))] {
            let (day, store, returned) = (sale.day, sale.store, false);
            add(
                Cell::Commission {
                    day,
                    store,
                    tier,
                    returned,
                },
                cents,
            );
        }
    }
    let stores: BTreeSet<i64> = sales.iter().map(|sale| sale.store).collect();
    for scope in stores.into_iter().map(Scope::Store).chain([Scope::Platform]) {
        let of: Vec<&Sale<'_>> = sales
            .iter()
            .filter(|sale| scope.store().is_none_or(|store| sale.store == store))
            .collect();
        buyers(scope, &of, add);
        for sale in &of {
            let lines: Vec<_> = shop
                .lines
                .values()
                .filter(|line| line.order == Some(sale.id))
                .collect();
            let values: Vec<i64> = lines
                .iter()
                .filter_map(|line| Some(line.quantity? * line.price?))
                .collect();
            let gross = match values.iter().sum() {
                _ if values.is_empty() => sale.row.cents,
                sum => Some(sum),
            };
            let gross = gross.and_then(|cents| converted(shop, meaning, sale.id, sale.day, cents));
            let gross = gross.unwrap_or(0);
            let units = lines.iter().filter_map(|line| line.quantity).sum();
            for (measure, value) in [(DayMeasure::Gross, gross), (DayMeasure::Units, units)] {
                add(
                    Cell::Day {
                        scope,
                        day: sale.day,
                        measure,
                    },
                    value,
                );
            }
        }
    }
}

/// Buyers of each day, by looking at all sales before each sale.
fn buyers(scope: Scope, sales: &[&Sale<'_>], add: &mut impl FnMut(Cell, i64)) {
    let mut counted: BTreeSet<(NaiveDate, DayMeasure, i64)> = BTreeSet::new();
    let mut active: BTreeMap<NaiveDate, BTreeSet<i64>> = BTreeMap::new();
    for sale in sales {
        let Some(buyer) = sale.row.buyer else { continue };
        let earlier = sales
            .iter()
            .any(|other| other.row.buyer == Some(buyer) && (other.at, other.id) < (sale.at, sale.id));
        counted.insert((sale.day, DayMeasure::Buyers, buyer));
        counted.insert((
            sale.day,
            if earlier {
                DayMeasure::ReturningBuyers
            } else {
                DayMeasure::NewBuyers
            },
            buyer,
        ));
        for after in 1..=30 {
            let day = sale.day.checked_add_days(Days::new(after)).unwrap();
            active.entry(day).or_default().insert(buyer);
        }
    }
    for (day, measure, _) in counted {
        add(Cell::Day { scope, day, measure }, 1);
    }
    let number = |day: NaiveDate| active.get(&day).map_or(0, BTreeSet::len) as i64;
    let mut changes: BTreeSet<NaiveDate> = BTreeSet::new();
    for day in active.keys() {
        changes.extend([*day, day.succ_opt().unwrap()]);
    }
    for day in changes {
        add(
            Cell::Active { scope, day },
            number(day) - number(day.pred_opt().unwrap()),
        );
    }
}

fn stock(shop: &Shop, add: &mut impl FnMut(Cell, i64)) {
    for row in shop.stock.values() {
        let Some(product) = shop.products.get(&row.product) else {
            continue;
        };
        let store = product.store;
        let status = match (row.available, row.reorder_point) {
            (Some(available), _) if available <= 0 && row.reorder_point.is_some() => StockStatus::OutOfStock,
            (Some(available), Some(point)) if available <= point => StockStatus::Critical,
            (Some(available), Some(point)) if available * 2 <= point * 3 => StockStatus::Low,
            (Some(_), Some(_)) => StockStatus::Optimal,
            _ => StockStatus::Unknown,
        };
        add(Cell::Shelves { store, status }, 1);
        let location = row
            .location
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .unwrap_or("unknown");
        let critical = matches!(status, StockStatus::OutOfStock | StockStatus::Critical);
        let available = row.available.unwrap_or(0);
        let foreign = product
            .currency
            .is_some_and(|code| !code.eq_ignore_ascii_case("USD"));
        for (measure, value) in [
            (PlaceMeasure::Units, available),
            (
                PlaceMeasure::Value,
                if foreign {
                    0
                } else {
                    available.max(0) * product.price.unwrap_or(0)
                },
            ),
            (PlaceMeasure::Critical, i64::from(critical)),
        ] {
            let location = location.to_owned();
            add(
                Cell::Place {
                    store,
                    location,
                    measure,
                },
                value,
            );
        }
        let hidden = product
            .status
            .is_some_and(|status| status.trim().eq_ignore_ascii_case("inactive"));
        if critical && !hidden {
            add(
                Cell::Critical {
                    store,
                    product: row.product,
                },
                1,
            );
        }
    }
}

fn small(shop: &Shop, meaning: &Meaning, zone: Tz, add: &mut impl FnMut(Cell, i64)) {
    for row in shop.shipments.values() {
        let due = day_of(row.due, zone).map(|(day, _)| day);
        let method = row.method.unwrap_or("unknown").to_owned();
        let status = row.status.to_owned();
        add(Cell::Shipment { due, method, status }, 1);
    }
    let mut members = BTreeSet::new();
    for ((table, _), row) in &shop.small {
        let text = |column| match row.get(column) {
            Some(Value::Text(text)) => Some(text.trim().to_lowercase()),
            _ => None,
        };
        let int = |column| match row.get(column) {
            Some(Value::Int(number)) => Some(*number),
            _ => None,
        };
        let day = |column| match row.get(column) {
            Some(Value::Timestamp(Moment::Micros(at))) => day_of(Some(*at), zone).map(|(day, _)| day),
            _ => None,
        };
        match table {
            Table::Customer => {
                let raw = text("subscription_plan").unwrap_or_default();
                let plan = meaning.plans.get(&raw);
                let tier = match (plan, raw.as_str()) {
                    (Some(plan), _) => plan.tier.clone(),
                    (None, "") => "unknown".to_owned(),
                    (None, own) => own.to_owned(),
                };
                add(Cell::Plan { tier }, 1);
                add(Cell::Mrr, plan.map_or(0, |plan| plan.monthly_cents));
            }
            Table::InventoryMovement => {
                let inward = match text("movement_type").as_deref() {
                    Some("in") => true,
                    Some("out") => false,
                    _ => continue,
                };
                if let Some(day) = day("movement_date") {
                    let reason = text("reason").unwrap_or("unknown".to_owned());
                    let product = int("product_id");
                    add(
                        Cell::Movement {
                            day,
                            product,
                            reason,
                            inward,
                        },
                        int("quantity").unwrap(),
                    );
                }
            }
            Table::Interaction => {
                let kind = text("interaction_type");
                if let (Some(day), true) = (day("interaction_date"), kind.as_deref() != Some("website_visit"))
                {
                    let store = int("customer_id").map(|store| store.to_string());
                    let parts = [store, kind, text("channel"), text("status")];
                    add(Cell::Contact { day, parts }, 1);
                }
            }
            Table::CustomerSegment => {
                members.extend([(int("segment_id").unwrap(), int("customer_id").unwrap())])
            }
            _ => {}
        }
    }
    let count = |segment, store| {
        let of = |((table, _), row): &(&(Table, i64), &crate::shop::SmallRow)| {
            *table == Table::CustomerSegment
                && row["segment_id"] == Value::Int(segment)
                && row["customer_id"] == Value::Int(store)
        };
        shop.small.iter().filter(of).count() as i64
    };
    for (segment, store) in members {
        add(Cell::Member { segment, store }, count(segment, store));
    }
}
