//! The recount: every number from the final tables of the shop, computed the plain way.

// Each of the two test programs that share this file asks for a part of it.
#![allow(dead_code)]

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use instashop_core::change::{Moment, Value};
use instashop_core::config::{CommissionRule, Meaning, OrderClass, Rate};
use instashop_core::live::Figure;
use instashop_core::table::Table;
use instashop_core::view::Totals;

use crate::shop::{OrderRow, Shop, SmallRow};

/// A sale of a product on a day: category, product (`None` for a line without one and for no line at all), cents,
/// units, buyer.
pub struct Sale {
    pub day: NaiveDate,
    pub category: String,
    pub product: Option<i64>,
    pub cents: i64,
    pub units: i64,
    pub buyer: Option<i64>,
    pub store: i64,
}

/// What the recount found.
#[derive(Default)]
pub struct Recount {
    pub figures: BTreeMap<Figure, i64>,
    /// Sums by the moment of the order.
    pub moments: Vec<(DateTime<Utc>, Totals)>,
    pub sales: Vec<Sale>,
    /// Amounts of the sales of a day.
    pub amounts: BTreeMap<NaiveDate, Vec<i64>>,
}

impl Recount {
    /// Sums of the orders of a half-open range of time.
    pub fn between(&self, from: DateTime<Utc>, to: DateTime<Utc>) -> Totals {
        self.moments
            .iter()
            .filter(|(at, _)| *at >= from && *at < to)
            .fold(Totals::default(), |sum, (_, totals)| sum.plus(*totals))
    }

    /// Distinct buyers by category of a day.
    pub fn buyers_by_category(&self, day: NaiveDate) -> BTreeMap<String, usize> {
        let mut found: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
        for sale in self.sales.iter().filter(|sale| sale.day == day) {
            if let Some(buyer) = sale.buyer {
                found.entry(sale.category.clone()).or_default().insert(buyer);
            }
        }
        found.into_iter().map(|(name, set)| (name, set.len())).collect()
    }

    /// Distinct products by category of a day.
    pub fn products_by_category(&self, day: NaiveDate) -> BTreeMap<String, usize> {
        let mut found: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
        for sale in self.sales.iter().filter(|sale| sale.day == day) {
            if let Some(product) = sale.product {
                found.entry(sale.category.clone()).or_default().insert(product);
            }
        }
        found.into_iter().map(|(name, set)| (name, set.len())).collect()
    }

    /// Products of a day by revenue, ties by id.
    pub fn best(&self, day: NaiveDate) -> Vec<(i64, i64, i64)> {
        let mut sums: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        for sale in self.sales.iter().filter(|sale| sale.day == day) {
            if let Some(product) = sale.product {
                let sum = sums.entry(product).or_default();
                sum.0 += sale.cents;
                sum.1 += sale.units;
            }
        }
        let mut best: Vec<_> = sums
            .into_iter()
            .map(|(product, (cents, units))| (product, cents, units))
            .collect();
        best.sort_by_key(|(product, cents, _)| (-cents, *product));
        best
    }
}

/// What the tests call a shop with several currencies: pesos at two rates, rand without any, and commission by plan.
pub fn meaning() -> Meaning {
    let rate = |text: &str| Rate(text.parse().unwrap());
    let day = |text: &str| text.parse().unwrap();
    Meaning {
        fx_rates: BTreeMap::from([(
            "COP".to_owned(),
            BTreeMap::from([
                (day("2100-01-15"), rate("0.25")),
                (day("2100-03-04"), rate("0.333")),
            ]),
        )]),
        commission: vec![
            CommissionRule {
                store: None,
                plan: None,
                percent: "5".parse().unwrap(),
                fixed_cents: 0,
                valid_from: None,
            },
            CommissionRule {
                store: None,
                plan: Some("pro".into()),
                percent: "2.5".parse().unwrap(),
                fixed_cents: 7,
                valid_from: Some(day("2100-03-01")),
            },
        ],
        ..Meaning::default()
    }
}

/// An order's money in the reporting currency: the lowest currency of its products, and the last rate on its day.
pub fn converted(shop: &Shop, meaning: &Meaning, id: i64, day: NaiveDate, cents: i64) -> Option<i64> {
    let lines = shop.lines.values().filter(|line| line.order == Some(id));
    let codes = lines
        .filter_map(|line| shop.products.get(&line.product?)?.currency)
        .map(str::to_uppercase);
    let Some(code) = codes.min().filter(|code| *code != meaning.currency) else {
        return Some(cents);
    };
    let rates = meaning.fx_rates.get(&code)?;
    let (_, rate) = rates
        .iter()
        .filter(|(from, _)| **from <= day)
        .max_by_key(|(from, _)| **from)?;
    let exact = rust_decimal::Decimal::new(cents, 2) * rate.0;
    instashop_core::money::cents(exact)
}

/// Day of a moment, `None` for what no shop means.
pub fn day_of(micros: Option<i64>, zone: Tz) -> Option<(NaiveDate, DateTime<Utc>)> {
    let at = DateTime::from_timestamp_micros(micros?)?;
    let text = at.format("%Y").to_string();
    (text.len() == 4).then(|| (at.with_timezone(&zone).date_naive(), at))
}

/// Counts everything.
pub fn recount(shop: &Shop, meaning: &Meaning, boundary: Option<NaiveDate>) -> Recount {
    let mut found = Recount::default();
    let zone = meaning.tz();
    let mut buyers: BTreeSet<(NaiveDate, i64)> = BTreeSet::new();
    let mut undated = 0;
    for (id, order) in &shop.orders {
        let Some((day, at)) = day_of(order.at, zone) else {
            undated += 1;
            continue;
        };
        let class = meaning.class(order.status);
        let money = order
            .cents
            .and_then(|cents| converted(shop, meaning, *id, day, cents));
        let method = meaning.payment_method(order.method);
        let mut totals = Totals::default();
        let mut add = |name, dimension: &str, value| {
            let figure = Figure {
                day: Some(day),
                name,
                dimension: dimension.to_owned(),
            };
            *found.figures.entry(figure).or_default() += value;
        };
        match class {
            OrderClass::Recognised | OrderClass::Reversed => {
                let cents = money.unwrap_or(0);
                totals.revenue_cents = cents;
                totals.orders = 1;
                totals.reversed = i64::from(class == OrderClass::Reversed);
                add("payment.paid", method, 1);
                add("payment.revenue_cents", method, cents);
            }
            OrderClass::Open => {
                totals.open = 1;
                add("payment.open", method, 1);
            }
            OrderClass::Failed => {
                totals.failed = 1;
                add("payment.failed", method, 1);
            }
            OrderClass::Cancelled => totals.cancelled = 1,
            OrderClass::Unmapped => totals.unmapped = 1,
        }
        for (name, value) in [
            ("revenue_cents", totals.revenue_cents),
            ("orders", totals.orders),
            ("open", totals.open),
            ("failed", totals.failed),
            ("cancelled", totals.cancelled),
            ("reversed", totals.reversed),
            ("unmapped", totals.unmapped),
        ] {
            add(name, "", value);
        }
        found.moments.push((at, totals));
        if totals.orders == 0 {
            continue;
        }
        if let Some(buyer) = order.buyer
            && buyers.insert((day, buyer))
        {
            add("buyers", "", 1);
        }
        if let Some(cents) = money {
            found.amounts.entry(day).or_default().push(cents);
        }
        for sale in sales(shop, *id, order, money.unwrap_or(0), day) {
            add("category.revenue_cents", &sale.category, sale.cents);
            add("category.units", &sale.category, sale.units);
            add("category.lines", &sale.category, 1);
            if let Some(product) = sale.product {
                add("product.revenue_cents", &product.to_string(), sale.cents);
                add("product.units", &product.to_string(), sale.units);
                add("product.lines", &product.to_string(), 1);
            }
            if sale.category == "unattributed" {
                add("orders_without_lines", "", 1);
            }
            found.sales.push(sale);
        }
    }
    let mut sessions: BTreeSet<(NaiveDate, &str, String)> = BTreeSet::new();
    for event in shop.events.values() {
        let Some((day, _)) = day_of(event.at, zone) else {
            undated += 1;
            continue;
        };
        let mut add = |name| {
            let figure = Figure {
                day: Some(day),
                name,
                dimension: event.kind.to_owned(),
            };
            *found.figures.entry(figure).or_default() += 1;
        };
        add("behaviour.events");
        if let Some(session) = &event.session
            && sessions.insert((day, event.kind, format!("session {session}")))
        {
            add("behaviour.sessions");
        }
        let actor = match (event.buyer, event.store) {
            (Some(buyer), _) => Some(format!("b{buyer}")),
            (None, Some(store)) => Some(format!("c{store}")),
            (None, None) => None,
        };
        if let Some(actor) = actor
            && sessions.insert((day, event.kind, format!("actor {actor}")))
        {
            add("behaviour.actors");
        }
    }
    let mut plain = |name, dimension: &str, value: usize| {
        let figure = Figure {
            day: None,
            name,
            dimension: dimension.to_owned(),
        };
        found.figures.insert(figure, value as i64);
    };
    // Rows of sealed days are not counted, nor are lines of orders of sealed days.
    let is_live = |at: Option<i64>| match day_of(at, zone) {
        Some((day, _)) => boundary.is_none_or(|boundary| day >= boundary),
        None => true,
    };
    let is_live_line = |order: Option<i64>| {
        let order = order.and_then(|order| shop.orders.get(&order));
        order.is_none_or(|order| is_live(order.at))
    };
    plain("undated", "", undated);
    plain(
        "rows",
        "transaction",
        shop.orders.values().filter(|row| is_live(row.at)).count(),
    );
    plain(
        "rows",
        "transactiondetail",
        shop.lines.values().filter(|row| is_live_line(row.order)).count(),
    );
    plain("rows", "product", shop.products.len());
    plain(
        "rows",
        "userbehavior",
        shop.events.values().filter(|row| is_live(row.at)).count(),
    );
    plain("rows", "stock", shop.stock.len());
    plain(
        "rows",
        "shipment",
        shop.shipments.values().filter(|row| is_live(row.due)).count(),
    );
    for table in Table::ALL {
        let rows = shop.small.iter().filter(|((of, _), _)| *of == table);
        let count = rows.filter(|(_, row)| is_live(moment_of(row))).count();
        if count > 0 {
            plain("rows", table.name(), count);
        }
    }
    found.figures.retain(|figure, value| {
        let is_live = figure
            .day
            .is_none_or(|day| boundary.is_none_or(|boundary| day >= boundary));
        *value != 0 && is_live
    });
    found
}

/// The moment of a movement or a contact.
fn moment_of(row: &SmallRow) -> Option<i64> {
    let at = row.get("movement_date").or_else(|| row.get("interaction_date"));
    match at {
        Some(Value::Timestamp(Moment::Micros(at))) => Some(*at),
        _ => None,
    }
}

/// The order's total over its lines: floor shares, then the missing cents to the largest remainders.
fn sales(shop: &Shop, id: i64, order: &OrderRow, total: i64, day: NaiveDate) -> Vec<Sale> {
    let lines: Vec<_> = shop
        .lines
        .values()
        .filter(|line| line.order == Some(id))
        .collect();
    let sale = |category: String, product, cents, units| Sale {
        day,
        category,
        product,
        cents,
        units,
        buyer: order.buyer,
        store: order.store,
    };
    if lines.is_empty() {
        return vec![sale("unattributed".into(), None, total, 0)];
    }
    let mut weights: Vec<i128> = lines
        .iter()
        .map(|line| i128::from(line.quantity.unwrap_or(0) * line.price.unwrap_or(0)).max(0))
        .collect();
    if weights.iter().all(|weight| *weight == 0) {
        weights.iter_mut().for_each(|weight| *weight = 1);
    }
    let all: i128 = weights.iter().sum();
    let size = i128::from(total.abs());
    let mut shares: Vec<i128> = weights.iter().map(|weight| size * weight / all).collect();
    while shares.iter().sum::<i128>() < size {
        // The line with the largest remainder that has not got its cent yet; the first of equals.
        let next = (0..lines.len())
            .filter(|index| shares[*index] == size * weights[*index] / all)
            .max_by_key(|index| (size * weights[*index] % all, usize::MAX - index))
            .unwrap();
        shares[next] += 1;
    }
    lines
        .iter()
        .zip(shares)
        .map(|(line, share)| {
            let category = line
                .product
                .and_then(|product| shop.products.get(&product))
                .and_then(|product| product.category)
                .map(|category| category.trim_matches(' '))
                .filter(|category| !category.is_empty())
                .unwrap_or("unclassified");
            let cents = if total < 0 { -share } else { share } as i64;
            sale(
                category.to_owned(),
                line.product,
                cents,
                line.quantity.unwrap_or(0),
            )
        })
        .collect()
}
