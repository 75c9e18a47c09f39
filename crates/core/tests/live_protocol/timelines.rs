//! The recount of visits: events and orders of one actor at one store, cut where nothing happened, told the plain way.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use chrono_tz::Tz;
use instashop_core::config::{Meaning, OrderClass};
use instashop_core::contribution::{Cell, DayMeasure, Doing, Scope};
use instashop_core::visits::VisitOutcome;

use crate::cells::no_store;
use crate::oracle::day_of;
use crate::shop::Shop;

/// Something on a timeline: an event, or an order.
struct Step {
    actor: String,
    store: i64,
    at: DateTime<Utc>,
    order: bool,
    id: i64,
    kind: &'static str,
    product: Option<i64>,
}

/// Counts visits, searches, and what somebody just did.
pub fn visits(shop: &Shop, meaning: &Meaning, zone: Tz, add: &mut impl FnMut(Cell, i64)) {
    let mut steps = Vec::new();
    for (id, event) in &shop.events {
        let Some((day, at)) = day_of(event.at, zone) else {
            continue;
        };
        let actor = match (event.buyer, event.store) {
            (Some(buyer), _) => format!("b{buyer}"),
            (None, Some(store)) => format!("c{store}"),
            (None, None) => continue,
        };
        let store = no_store(event.store);
        if event.kind == "search" {
            for scope in [Scope::Platform, Scope::Store(store)] {
                let term = event
                    .term
                    .map(|term| term.trim().to_lowercase())
                    .unwrap_or_default();
                for in_vain in [false, true] {
                    if !in_vain || event.results == Some(0) {
                        let term = term.clone();
                        add(
                            Cell::Search {
                                scope,
                                day,
                                term,
                                in_vain,
                            },
                            1,
                        );
                    }
                }
            }
        }
        let product = event.product;
        steps.push(Step {
            actor,
            store,
            at,
            order: false,
            id: *id,
            kind: event.kind,
            product,
        });
    }
    for (id, order) in &shop.orders {
        let Some((_, at)) = day_of(order.at, zone) else {
            continue;
        };
        let class = meaning.class(order.status);
        let placed = matches!(
            class,
            OrderClass::Recognised | OrderClass::Reversed | OrderClass::Open
        );
        if let (true, Some(buyer)) = (placed, order.buyer) {
            let (actor, store) = (format!("b{buyer}"), no_store(Some(order.store)));
            steps.push(Step {
                actor,
                store,
                at,
                order: true,
                id: *id,
                kind: "order",
                product: None,
            });
        }
    }
    for step in &steps {
        let mut now = |doing| {
            let (at, actor) = (step.at.timestamp_micros(), step.actor.clone());
            add(
                Cell::Now {
                    doing,
                    at,
                    store: step.store,
                    actor,
                    is_order: step.order,
                    id: step.id,
                },
                1,
            );
        };
        now(Doing::Visiting);
        match step.kind {
            "add_to_cart" | "remove_from_cart" => now(Doing::Shopping),
            "begin_checkout" => now(Doing::CheckingOut),
            "order" => now(Doing::Purchasing),
            _ => {}
        }
    }
    let gap = Duration::minutes(i64::from(meaning.session_gap_minutes));
    let mut timelines: BTreeMap<(String, i64), Vec<&Step>> = BTreeMap::new();
    for step in &steps {
        timelines
            .entry((step.actor.clone(), step.store))
            .or_default()
            .push(step);
    }
    for ((actor, store), mut timeline) in timelines {
        timeline.sort_by_key(|step| (step.at, step.order, step.id));
        // A visit begins where nothing lies in the gap before.
        let begins = |index: usize| {
            timeline[..index]
                .iter()
                .all(|before| timeline[index].at - before.at > gap)
        };
        let starts: Vec<usize> = (0..timeline.len()).filter(|index| begins(*index)).collect();
        for (number, start) in starts.iter().enumerate() {
            let end = starts.get(number + 1).copied().unwrap_or(timeline.len());
            let visit = &timeline[*start..end];
            if visit.iter().all(|step| step.order) {
                continue;
            }
            let day = visit[0].at.with_timezone(&zone).date_naive();
            visit_of(visit, &actor, store, day, zone, add);
        }
    }
}

fn visit_of(
    visit: &[&Step],
    actor: &str,
    store: i64,
    day: NaiveDate,
    zone: Tz,
    add: &mut impl FnMut(Cell, i64),
) {
    let count = |kinds: &[&str]| visit.iter().filter(|step| kinds.contains(&step.kind)).count() as i64;
    let (views, adds) = (count(&["page_view", "product_view"]), count(&["add_to_cart"]));
    let (checkouts, bought) = (count(&["begin_checkout"]), count(&["order"]));
    let lasted = visit[visit.len() - 1].at - visit[0].at;
    let outcome = if bought > 0 {
        VisitOutcome::Conversion
    } else if adds > count(&["remove_from_cart"]) {
        VisitOutcome::CartAbandonment
    } else if lasted < Duration::seconds(10) && views < 2 && adds == 0 && checkouts == 0 {
        VisitOutcome::Bounce
    } else {
        VisitOutcome::Browse
    };
    // The funnel: every way to pick one step of each kind in the order of time; the longest counts.
    let mut latest = Some(visit[0].at);
    let mut reached = 0;
    for kinds in [
        &["page_view", "product_view", "search"][..],
        &["product_view"],
        &["add_to_cart"],
        &["begin_checkout", "order"],
        &["order"],
    ] {
        let after = latest.unwrap();
        latest = visit
            .iter()
            .filter(|step| step.at >= after && kinds.contains(&step.kind))
            .map(|step| step.at)
            .min();
        if latest.is_none() {
            break;
        }
        reached += 1;
    }
    let micros = lasted.num_microseconds().unwrap();
    for scope in [Scope::Platform, Scope::Store(store)] {
        let actor = actor.to_owned();
        add(Cell::Visitor { scope, day, actor }, 1);
        let mut sum = |measure, value| add(Cell::Day { scope, day, measure }, value);
        (0..=reached).for_each(|step| sum(DayMeasure::Step(step), 1));
        sum(DayMeasure::Outcome(outcome), 1);
        sum(DayMeasure::PageViews, views);
        sum(DayMeasure::VisitSeconds, micros / 1_000_000);
        sum(DayMeasure::VisitMicros, micros % 1_000_000);
        sum(DayMeasure::CartVisits, i64::from(adds > 0));
        sum(DayMeasure::CheckoutVisits, i64::from(checkouts + bought > 0));
        sum(DayMeasure::BegunVisits, i64::from(checkouts > 0));
    }
    if outcome != VisitOutcome::Conversion {
        let (start, end) = (
            visit[0].at.timestamp_micros(),
            visit[visit.len() - 1].at.timestamp_micros(),
        );
        let (actor, has_cart) = (actor.to_owned(), adds > 0);
        add(
            Cell::OpenVisit {
                end,
                start,
                store,
                actor,
                outcome,
                has_cart,
            },
            1,
        );
    }
    for step in visit.iter().filter(|step| step.kind == "product_view") {
        let day = step.at.with_timezone(&zone).date_naive();
        if let Some(product) = step.product {
            add(Cell::Seen { day, product }, 1);
        }
    }
}
