//! The sums of today of the platform or of one store that the figures of the tabs are made from.

use chrono::NaiveDate;
use instashop_core::contribution::{Bucket, Calendar, Cell, DayMeasure, Measure, Scope};
use instashop_core::view::{FUNNEL_STEPS, LiveFigures, Totals};
use instashop_core::visits::VisitOutcome;
use redis::Pipeline;

use super::answers::Answers;
use super::keys::{Keys, Place};
use crate::StoreError;

/// Headline sums, in the order in which they are asked for.
const HEADLINE: [Measure; 7] = [
    Measure::Revenue,
    Measure::Orders,
    Measure::Open,
    Measure::Failed,
    Measure::Cancelled,
    Measure::Reversed,
    Measure::Unmapped,
];
/// Sums by day beside them; the steps of the funnel follow.
const SUMS: [DayMeasure; 5] = [
    DayMeasure::Buyers,
    DayMeasure::Units,
    DayMeasure::NewBuyers,
    DayMeasure::ReturningBuyers,
    DayMeasure::Outcome(VisitOutcome::Conversion),
];

/// What is asked for one scope: hashes with the fields wanted of each, in the order of [`HEADLINE`] and [`SUMS`].
pub(super) struct Figures {
    store: Option<i64>,
    hashes: Vec<(String, Vec<String>)>,
}

impl Figures {
    /// The sums of a day.
    pub(super) fn new(keys: &Keys, scope: Scope, day: NaiveDate, calendar: Calendar) -> Self {
        let bucket = Bucket::Day(day);
        let headline = HEADLINE.map(|measure| Cell::Total {
            scope,
            bucket,
            measure,
        });
        let steps = (0..FUNNEL_STEPS as u8).map(DayMeasure::Step);
        let by_day = SUMS.into_iter().chain(steps);
        let by_day = by_day.map(|measure| Cell::Day { scope, day, measure });
        let mut hashes: Vec<(String, Vec<String>)> = Vec::new();
        for cell in headline.into_iter().chain(by_day) {
            let Place::Sum { key, field, .. } = keys.place(&cell, calendar) else {
                continue;
            };
            match hashes.last_mut().filter(|(last, _)| *last == key) {
                Some((_, fields)) => fields.push(field),
                None => hashes.push((key, vec![field])),
            }
        }
        Self {
            store: scope.store(),
            hashes,
        }
    }

    /// Asks for them.
    pub(super) fn ask(&self, pipeline: &mut Pipeline) {
        for (key, fields) in &self.hashes {
            pipeline.cmd("HMGET").arg(key).arg(fields);
        }
    }

    /// Takes the answers.
    pub(super) fn take(self, answers: &mut Answers) -> Result<LiveFigures, StoreError> {
        let mut sums = Vec::new();
        for _ in &self.hashes {
            sums.extend(answers.take::<Vec<Option<i64>>>()?);
        }
        let sum = |place: usize| sums.get(place).copied().flatten().unwrap_or(0);
        let by_day = |place: usize| sum(HEADLINE.len() + place);
        Ok(LiveFigures {
            store: self.store,
            totals: Totals {
                revenue_cents: sum(0),
                orders: sum(1),
                open: sum(2),
                failed: sum(3),
                cancelled: sum(4),
                reversed: sum(5),
                unmapped: sum(6),
            },
            buyers: by_day(0),
            units: by_day(1),
            new_buyers: by_day(2),
            returning_buyers: by_day(3),
            converted: by_day(4),
            funnel: std::array::from_fn(|step| by_day(SUMS.len() + step)),
            mrr_cents: None,
        })
    }
}
