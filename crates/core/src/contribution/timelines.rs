//! Contribution of the timelines of actors at stores: visits, the funnel, and who is here right now (docs: kpis 1.3).

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::{Add, Bucket, Calendar, Cell, DayMeasure, Doing, Scope, Sight};
use crate::live::{Timeline, Timelines};
use crate::visits::{StopKind, Visit, VisitOutcome, visits};

/// Contribution of a state of timelines. A visit ends after `gap` microseconds without a stop; it belongs to the business
/// day it began on.
pub fn of_timelines(timelines: &Timelines, calendar: Calendar, gap: i64, add: &mut Add<'_>) {
    for timeline in &timelines.0 {
        let mut days = BTreeSet::new();
        for visit in visits(&timeline.stops, gap) {
            let Some([Bucket::Day(day), ..]) = calendar.buckets(visit.start()) else {
                continue;
            };
            if days.insert(day) {
                add(
                    Cell::Visitor {
                        day,
                        actor: timeline.actor.clone(),
                    },
                    1,
                );
                add(
                    Cell::Day {
                        scope: Scope::Store(timeline.store),
                        day,
                        measure: DayMeasure::Visitors,
                    },
                    1,
                );
            }
            of_visit(timeline, &visit, day, calendar, add);
        }
        for stop in &timeline.stops {
            let mut now = |doing| {
                add(
                    Cell::Now {
                        doing,
                        at: stop.at,
                        store: timeline.store,
                        actor: timeline.actor.clone(),
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
    }
}

fn of_visit(timeline: &Timeline, visit: &Visit<'_>, day: NaiveDate, calendar: Calendar, add: &mut Add<'_>) {
    let outcome = visit.outcome();
    let micros = visit.micros();
    for scope in [Scope::Platform, Scope::Store(timeline.store)] {
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
                end: visit.end(),
                start: visit.start(),
                store: timeline.store,
                actor: timeline.actor.clone(),
                outcome,
                has_cart: visit.adds > 0,
            },
            1,
        );
    }
    // Products belong to the day they were looked at, which may be the one after the visit began.
    let mut seen = BTreeSet::new();
    for stop in visit
        .stops
        .iter()
        .filter(|stop| stop.kind == StopKind::ProductView)
    {
        let (Some(product), Some([Bucket::Day(day), ..])) = (stop.product, calendar.buckets(stop.at)) else {
            continue;
        };
        let mut count = |sight| add(Cell::Seen { day, product, sight }, 1);
        count(Sight::Views);
        if seen.insert((day, product)) {
            count(Sight::Visits);
        }
    }
}
