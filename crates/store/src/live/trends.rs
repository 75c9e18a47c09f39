//! Buckets of the last minutes, read from the hashes of their hours.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use instashop_core::view::{LastPaid, Totals, TrendPoint};

use super::fields::{self, Numbers};

/// The hours that hold a range of buckets, `per_hour` of them in each.
pub(super) fn hours_of(first: i64, last: i64, per_hour: i64) -> Vec<DateTime<Utc>> {
    (first.div_euclid(per_hour)..=last.div_euclid(per_hour))
        .filter_map(|hour| DateTime::from_timestamp(hour * 3600, 0))
        .collect()
}

/// The last minute of a range in which each method was paid with.
pub(super) fn last_paid(
    first: i64,
    last: i64,
    hours: &[DateTime<Utc>],
    minutes: &[Numbers],
) -> Vec<LastPaid> {
    let mut found: BTreeMap<&str, i64> = BTreeMap::new();
    for (hour, hash) in hours.iter().zip(minutes) {
        for (slot, method) in fields::paid(hash) {
            let minute = hour.timestamp().div_euclid(60) + slot;
            if (first..=last).contains(&minute) {
                let latest = found.entry(method).or_insert(minute);
                *latest = minute.max(*latest);
            }
        }
    }
    found
        .into_iter()
        .filter_map(|(method, minute)| {
            Some(LastPaid {
                method: method.to_owned(),
                minute: DateTime::from_timestamp(minute * 60, 0)?,
            })
        })
        .collect()
}

/// Points of a range of buckets, zeros included.
pub(super) fn trend(
    first: i64,
    last: i64,
    per_hour: i64,
    hours: &[DateTime<Utc>],
    slots: &[BTreeMap<u32, Totals>],
) -> Vec<TrendPoint> {
    let seconds = 3600 / per_hour;
    (first..=last)
        .filter_map(|bucket| {
            let start = DateTime::from_timestamp(bucket * seconds, 0)?;
            let hour = bucket.div_euclid(per_hour) * 3600;
            let of_hour = hours.iter().position(|at| at.timestamp() == hour)?;
            let slot = bucket.rem_euclid(per_hour) as u32;
            Some(TrendPoint {
                start,
                totals: slots.get(of_hour)?.get(&slot).copied().unwrap_or_default(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trend_spans_hours_and_fills_zeros() {
        let now = "2026-08-21T10:02:40Z".parse::<DateTime<Utc>>().unwrap();
        let minute = now.timestamp() / 60;
        let hours = hours_of(minute - 3, minute, 60);
        assert_eq!(hours.len(), 2);
        let one = Totals {
            orders: 1,
            ..Totals::default()
        };
        let slots = [BTreeMap::from([(59, one)]), BTreeMap::from([(2, one)])];
        let points: Vec<_> = trend(minute - 3, minute, 60, &hours, &slots)
            .into_iter()
            .map(|point| (point.start.format("%H:%M").to_string(), point.totals.orders))
            .collect();
        let expected = [("09:59", 1), ("10:00", 0), ("10:01", 0), ("10:02", 1)];
        assert_eq!(points, expected.map(|(at, orders)| (at.to_owned(), orders)));
    }
}
