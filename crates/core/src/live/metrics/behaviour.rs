//! Metrics of visits, searches and what people do right now.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::{LiveTotals, Rows, rounded, store};
use crate::contribution::{Bucket, Cell, DayMeasure, Doing, Scope};
use crate::visits::VisitOutcome;

/// A visitor is here for so long after an event, microseconds (KPI visitors_now).
const HERE: i64 = 5 * 60_000_000;
/// A cart, checkout or purchase is news for so long, microseconds (KPI live_carts).
const CARTS: i64 = 10 * 60_000_000;
/// Visits below which a store has no conversion (D20).
const MIN_VISITS: i64 = 100;

/// Visits of a day.
#[derive(Debug, Default, Clone)]
struct Visits {
    steps: [i64; 6],
    outcomes: BTreeMap<VisitOutcome, i64>,
    in_progress: i64,
    page_views: i64,
    micros: i128,
    carts: i64,
    checkouts: i64,
    begun: i64,
}

impl Visits {
    fn outcome(&self, outcome: VisitOutcome) -> i64 {
        self.outcomes.get(&outcome).copied().unwrap_or(0)
    }
}

pub(super) fn rows(totals: &LiveTotals, rows: &mut Rows) {
    visits(totals, rows);
    events(totals, rows);
    now(totals, rows);
}

fn visits(totals: &LiveTotals, rows: &mut Rows) {
    let mut days: BTreeMap<(Scope, NaiveDate), Visits> = BTreeMap::new();
    let mut visitors: BTreeMap<(Scope, NaiveDate), i64> = BTreeMap::new();
    for (cell, value) in &totals.cells {
        let (scope, day, measure) = match cell {
            Cell::Day { scope, day, measure } => (*scope, *day, *measure),
            Cell::Visitor { scope, day, .. } => {
                *visitors.entry((*scope, *day)).or_default() += 1;
                continue;
            }
            _ => continue,
        };
        let of = days.entry((scope, day)).or_default();
        match measure {
            DayMeasure::Step(step) => {
                if let Some(visits) = of.steps.get_mut(usize::from(step)) {
                    *visits = *value;
                }
            }
            DayMeasure::Outcome(outcome) => {
                of.outcomes.insert(outcome, *value);
            }
            DayMeasure::PageViews => of.page_views = *value,
            DayMeasure::VisitSeconds => of.micros += i128::from(*value) * 1_000_000,
            DayMeasure::VisitMicros => of.micros += i128::from(*value),
            DayMeasure::CartVisits => of.carts = *value,
            DayMeasure::CheckoutVisits => of.checkouts = *value,
            DayMeasure::BegunVisits => of.begun = *value,
            _ => {}
        }
    }
    for ((scope, day), actors) in visitors {
        rows.count("visitors", format!("{day}/{}", store(scope)), actors);
    }
    // A visit without an order is in progress while the gap after its last event lasts: it has no outcome yet.
    let ended_before = rows.now.timestamp_micros() - rows.gap;
    let mut open_carts: BTreeMap<(Scope, NaiveDate), i64> = BTreeMap::new();
    for cell in totals.cells.keys() {
        let Cell::OpenVisit {
            end,
            start,
            store,
            outcome,
            has_cart,
            ..
        } = cell
        else {
            continue;
        };
        let Some([Bucket::Day(day), ..]) = rows.calendar.buckets(*start) else {
            continue;
        };
        if *end < ended_before {
            continue;
        }
        for scope in [Scope::Platform, Scope::Store(*store)] {
            let of = days.entry((scope, day)).or_default();
            of.in_progress += 1;
            *of.outcomes.entry(*outcome).or_default() -= 1;
            of.micros -= i128::from(end - start);
            *open_carts.entry((scope, day)).or_default() += i64::from(*has_cart);
        }
    }
    let mut funnels: BTreeMap<i64, [i64; 2]> = BTreeMap::new();
    for ((scope, day), of) in days {
        let key = || format!("{day}/{}", store(scope));
        let visits = of.steps[0];
        let conversions = of.outcome(VisitOutcome::Conversion);
        rows.count("visits", key(), visits);
        rows.ratio(
            "conversion_rate",
            key(),
            Decimal::from(conversions),
            Decimal::from(visits),
        );
        let Scope::Store(id) = scope else { continue };
        let ended = visits - of.in_progress;
        rows.count("page_views", key(), of.page_views);
        for outcome in VisitOutcome::ALL {
            rows.count(
                "outcomes",
                format!("{}/{}", key(), outcome.name()),
                of.outcome(outcome),
            );
        }
        rows.count("outcomes", format!("{}/in_progress", key()), of.in_progress);
        for (step, visits) in of.steps.iter().enumerate() {
            rows.count("funnel", format!("{}/{step}", key()), *visits);
        }
        let bounced = of.outcome(VisitOutcome::Bounce);
        rows.ratio("bounce_rate", key(), Decimal::from(bounced), Decimal::from(ended));
        let seconds = Decimal::from_i128_with_scale(of.micros, 6);
        if let Some(mean) = seconds.checked_div(Decimal::from(ended)) {
            rows.found.push(("avg_time", key(), rounded(mean, 6)));
        }
        let abandoned = of.outcome(VisitOutcome::CartAbandonment);
        let carts = of.carts - open_carts.get(&(scope, day)).copied().unwrap_or(0);
        rows.ratio(
            "cart_abandonment",
            key(),
            Decimal::from(abandoned),
            Decimal::from(carts),
        );
        if of.begun > 0 {
            let (done, begun) = (Decimal::from(conversions), Decimal::from(of.checkouts));
            rows.ratio("checkout_completion", key(), done, begun);
        }
        let (added, viewed) = (Decimal::from(of.steps[3]), Decimal::from(of.steps[2]));
        rows.ratio("add_to_cart_rate", key(), added, viewed);
        if rows.is_within(day, 0, 30) {
            let sums = funnels.entry(id).or_default();
            sums[0] += visits;
            sums[1] += of.steps[5];
        }
    }
    for (id, [visits, bought]) in funnels {
        if visits >= MIN_VISITS {
            rows.ratio(
                "store_funnel",
                id.to_string(),
                Decimal::from(bought),
                Decimal::from(visits),
            );
        }
    }
}

fn events(totals: &LiveTotals, rows: &mut Rows) {
    let mut ratios: BTreeMap<(i64, NaiveDate), [i64; 2]> = BTreeMap::new();
    for (cell, value) in &totals.cells {
        match cell {
            Cell::Events {
                scope,
                bucket: Bucket::Day(day),
                kind,
            } => {
                rows.count(
                    "events_by_type",
                    format!("{day}/{}/{kind}", store(*scope)),
                    *value,
                );
                let Scope::Store(id) = scope else { continue };
                match kind.as_str() {
                    "purchase" => ratios.entry((*id, *day)).or_default()[0] = *value,
                    "product_view" => ratios.entry((*id, *day)).or_default()[1] = *value,
                    _ => {}
                }
            }
            Cell::Search {
                scope: Scope::Store(id),
                day,
                term,
                in_vain: false,
            } => {
                let term = if term.is_empty() {
                    String::new()
                } else {
                    format!("/{term}")
                };
                rows.count("search", format!("{day}/{id}{term}"), *value);
            }
            Cell::Seen { day, product } => rows.count("product_views", format!("{day}/{product}"), *value),
            _ => {}
        }
    }
    for ((id, day), [purchases, views]) in ratios {
        let (above, below) = (Decimal::from(purchases), Decimal::from(views));
        rows.ratio("events_ratio", format!("{day}/{id}"), above, below);
    }
}

fn now(totals: &LiveTotals, rows: &mut Rows) {
    let now = rows.now.timestamp_micros();
    let mut here: BTreeMap<i64, BTreeSet<&str>> = BTreeMap::new();
    let mut doing: BTreeMap<(i64, &str), BTreeSet<(i64, &str)>> = BTreeMap::new();
    for cell in totals.cells.keys() {
        let Cell::Now {
            doing: what,
            at,
            store,
            actor,
            ..
        } = cell
        else {
            continue;
        };
        let name = match what {
            Doing::Visiting => {
                if *at <= now && *at > now - HERE {
                    here.entry(0).or_default().insert(actor);
                    here.entry(*store).or_default().insert(actor);
                }
                continue;
            }
            Doing::Shopping => "carts",
            Doing::CheckingOut => "checkouts",
            Doing::Purchasing => "purchases",
        };
        if *at <= now && *at > now - CARTS {
            doing.entry((0, name)).or_default().insert((*store, actor));
            doing.entry((*store, name)).or_default().insert((*store, actor));
        }
    }
    for (store, actors) in here {
        rows.count("visitors_now", store.to_string(), actors.len() as i64);
    }
    for ((store, name), visits) in doing {
        rows.count("live_carts", format!("{store}/{name}"), visits.len() as i64);
    }
}
