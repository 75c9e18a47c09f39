//! Contributions of orders, and of the days their buyers bought on.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};

use super::{
    Add, Bucket, Calendar, Cell, DayMeasure, Measure, PaymentMeasure, ProductKey, ProductMeasure, Scope,
    store_id,
};
use crate::config::{Meaning, OrderClass};
use crate::order::{Header, Order};
use crate::table::Table;

/// Complete days before a day in which a sale makes a buyer active on it (KPI active_buyers).
const ACTIVE_DAYS: u64 = 30;

/// Contribution of an order: headline sums in four grains, payments and products by day, for the platform and its store.
///
/// An order without a date (NULL, an infinity, a year that has not four digits) belongs to no day; it is counted in
/// [`Cell::Undated`] and as a row, and nowhere else. Lines without a live header are counted as rows.
pub fn of_order(order: &Order, calendar: Calendar, meaning: &Meaning, add: &mut Add<'_>) {
    let header = order.live_header();
    let buckets = header
        .and_then(|header| header.at)
        .and_then(|at| calendar.buckets(at));
    let day = match buckets {
        Some([Bucket::Day(day), ..]) => Some(day),
        _ => None,
    };
    let lines = order.lines.len() as i64;
    for (table, rows) in [
        (Table::Transaction, i64::from(header.is_some())),
        (Table::TransactionDetail, lines),
    ] {
        add(Cell::Rows { table, day }, rows);
    }
    let Some(header) = header else { return };
    let Some(buckets) = buckets else {
        add(Cell::Undated, 1);
        return;
    };
    let [Bucket::Day(day), _, Bucket::Minute(minute), _] = buckets else {
        return;
    };
    // In the reporting currency; without a rate it adds nothing, and is counted.
    let amount = order.amount().unwrap_or(0);
    let returned_on = returned_on(header, day, calendar);
    for scope in Scope::both(header.store) {
        for bucket in buckets {
            let mut total = |measure, value| {
                add(
                    Cell::Total {
                        scope,
                        bucket,
                        measure,
                    },
                    value,
                );
            };
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
        let method = &header.method;
        let mut payment = |measure, value| {
            add(
                Cell::Payment {
                    scope,
                    day,
                    measure,
                    method: method.clone(),
                },
                value,
            );
        };
        match header.class {
            OrderClass::Recognised | OrderClass::Reversed => {
                payment(PaymentMeasure::Paid, 1);
                payment(PaymentMeasure::Revenue, amount);
                add(
                    Cell::Paid {
                        scope,
                        minute,
                        method: method.clone(),
                    },
                    1,
                );
            }
            OrderClass::Failed => payment(PaymentMeasure::Failed, 1),
            OrderClass::Open => payment(PaymentMeasure::Open, 1),
            OrderClass::Cancelled | OrderClass::Unmapped => {}
        }
        if header.class.is_sale() {
            of_sale(order, header, amount, scope, day, add);
        }
        if let Some(day) = returned_on {
            add(
                Cell::Day {
                    scope,
                    day,
                    measure: DayMeasure::Returns,
                },
                amount,
            );
        }
    }
    if !header.class.is_sale() {
        return;
    }
    let store = store_id(header.store);
    add(Cell::Seller { day, store }, 1);
    if order.amount().is_none() {
        return;
    }
    // Whatever plan the store has when it is read.
    let tiers = meaning.commission_tiers();
    for tier in tiers.into_iter().map(Some).chain([None]) {
        let cents = meaning.commission_cents(Some(store), tier, day, amount);
        let mut earn = |day, returned| {
            add(
                Cell::Commission {
                    day,
                    store,
                    tier: tier.map(str::to_owned),
                    returned,
                },
                cents,
            );
        };
        earn(day, false);
        if let Some(day) = returned_on {
            earn(day, true);
        }
    }
}

/// The day a sale was taken back: of the change that was seen, else its own.
fn returned_on(header: &Header, day: NaiveDate, calendar: Calendar) -> Option<NaiveDate> {
    let seen = header.reversed_at.and_then(|at| calendar.buckets(at));
    (header.class == OrderClass::Reversed).then_some(match seen {
        Some([Bucket::Day(day), ..]) => day,
        _ => day,
    })
}

fn of_sale(order: &Order, header: &Header, amount: i64, scope: Scope, day: NaiveDate, add: &mut Add<'_>) {
    let mut sum = |measure, value| add(Cell::Day { scope, day, measure }, value);
    sum(DayMeasure::Gross, order.gross().unwrap_or(0));
    sum(DayMeasure::Units, order.units());
    if let Some(cents) = order.amount() {
        add(Cell::Amount { scope, day, cents }, 1);
    }
    let mut product = |product, revenue, units| {
        for (measure, value) in [
            (ProductMeasure::Revenue, revenue),
            (ProductMeasure::Units, units),
            (ProductMeasure::Lines, 1),
        ] {
            add(
                Cell::Product {
                    scope,
                    day,
                    product,
                    measure,
                },
                value,
            );
        }
        if let (Scope::Platform, Some(buyer)) = (scope, header.buyer) {
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
            line.units(),
        );
    }
}

/// Contribution of the days with sales of a shopper, on the platform or at a store: on which days they count as a buyer, as a
/// new one, as one who came back and as an active one (KPIs unique_buyers_today, new_buyers, returning_buyers,
/// active_buyers).
pub fn of_shopper(scope: Scope, days: &BTreeMap<NaiveDate, u32>, add: &mut Add<'_>) {
    let mut active_until: Option<NaiveDate> = None;
    for (number, (day, sales)) in days.iter().enumerate() {
        let mut count = |measure| {
            add(
                Cell::Day {
                    scope,
                    day: *day,
                    measure,
                },
                1,
            );
        };
        count(DayMeasure::Buyers);
        if number == 0 {
            count(DayMeasure::NewBuyers);
        }
        // A second order on the same day counts as coming back.
        if number > 0 || *sales > 1 {
            count(DayMeasure::ReturningBuyers);
        }
        // Active on the 30 days that have this one among the 30 before them; overlapping stretches are one.
        let (Some(from), Some(until)) = (
            day.checked_add_days(Days::new(1)),
            day.checked_add_days(Days::new(ACTIVE_DAYS + 1)),
        ) else {
            continue;
        };
        match active_until {
            Some(end) if from <= end => {}
            before => {
                if let Some(end) = before {
                    add(Cell::Active { scope, day: end }, -1);
                }
                add(Cell::Active { scope, day: from }, 1);
            }
        }
        active_until = Some(until);
    }
    if let Some(end) = active_until {
        add(Cell::Active { scope, day: end }, -1);
    }
}
