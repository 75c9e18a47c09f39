//! Contribution of the timelines of actors at stores: visits, the funnel, and who is here right now (docs: kpis 1.3).

use super::{Add, Bucket, Calendar, Cell, DayMeasure, Doing, Scope};
use crate::live::{StretchKey, Timelines};
use crate::visits::{Stop, StopKind, Visit, VisitOutcome};

/// Contribution of a state of timelines. A visit ends after `gap` microseconds without a stop; it belongs to the business
/// day it began on, and to the stretch it ends in.
pub fn of_timelines(timelines: &Timelines, calendar: Calendar, gap: i64, add: &mut Add<'_>) {
    for stretch in &timelines.0 {
        let mut visits: Vec<Visit> = stretch.visits(gap).collect();
        if stretch.goes_on {
            visits.pop();
        }
        for visit in visits.iter().filter(|visit| visit.is_visit()) {
            of_visit(&stretch.key, visit, calendar, add);
        }
        for stop in &stretch.stops {
            of_stop(&stretch.key, stop, calendar, add);
        }
    }
}

fn of_visit(key: &StretchKey, visit: &Visit, calendar: Calendar, add: &mut Add<'_>) {
    let Some([Bucket::Day(day), ..]) = calendar.buckets(visit.start) else {
        return;
    };
    let outcome = visit.outcome();
    let micros = visit.micros();
    for scope in [Scope::Platform, Scope::Store(key.store)] {
        let actor = key.actor.clone();
        add(Cell::Visitor { scope, day, actor }, 1);
        let mut sum = |measure, value: i64| {
            if value != 0 {
                add(Cell::Day { scope, day, measure }, value);
            }
        };
        for step in 0..=visit.reached {
            sum(DayMeasure::Step(step), 1);
        }
        sum(DayMeasure::Outcome(outcome), 1);
        sum(DayMeasure::PageViews, visit.views);
        sum(DayMeasure::VisitSeconds, micros.div_euclid(1_000_000));
        sum(DayMeasure::VisitMicros, micros.rem_euclid(1_000_000));
        sum(DayMeasure::CartVisits, i64::from(visit.adds > 0));
        sum(
            DayMeasure::CheckoutVisits,
            i64::from(visit.checkouts > 0 || visit.purchases > 0),
        );
        sum(DayMeasure::BegunVisits, i64::from(visit.checkouts > 0));
    }
    if outcome != VisitOutcome::Conversion {
        add(
            Cell::OpenVisit {
                end: visit.end,
                start: visit.start,
                store: key.store,
                actor: key.actor.clone(),
                outcome,
                has_cart: visit.adds > 0,
            },
            1,
        );
    }
}

fn of_stop(key: &StretchKey, stop: &Stop, calendar: Calendar, add: &mut Add<'_>) {
    // Views belong to the day of the view, which may be the one after the visit began.
    if let (StopKind::ProductView, Some(product)) = (stop.kind, stop.product)
        && let Some([Bucket::Day(day), ..]) = calendar.buckets(stop.at)
    {
        add(Cell::Seen { day, product }, 1);
    }
    let mut now = |doing| {
        add(
            Cell::Now {
                doing,
                at: stop.at,
                store: key.store,
                actor: key.actor.clone(),
                is_order: stop.is_order,
                id: stop.id,
            },
            1,
        );
    };
    now(Doing::Visiting);
    match stop.kind {
        StopKind::AddToCart | StopKind::RemoveFromCart => now(Doing::Shopping),
        StopKind::BeginCheckout => now(Doing::CheckingOut),
        StopKind::Order => now(Doing::Purchasing),
        _ => {}
    }
}
