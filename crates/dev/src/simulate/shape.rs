//! When people buy: the shape of a day, of a week, and the growth over months, in the reporting zone.

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use serde::Serialize;

/// Relative demand by weekday, Monday first; the mean is 1.
const WEEKDAY: [f64; 7] = [0.92, 0.88, 0.94, 0.98, 1.12, 1.24, 0.92];

/// Relative demand by hour of the day; the mean is 1.
const HOUR: [f64; 24] = [
    0.62, 0.30, 0.16, 0.10, 0.08, 0.10, 0.22, 0.48, 0.78, 1.05, 1.28, 1.42, 1.50, 1.42, 1.26, 1.20, 1.24,
    1.36, 1.54, 1.72, 1.92, 1.94, 1.38, 0.93,
];

/// Growth of the platform a day.
const GROWTH: f64 = 0.0028;

/// The curve of demand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    zone: Tz,
    curve: Curve,
    middle: DateTime<Utc>,
}

/// Whether demand has a shape at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curve {
    /// Days and weeks have their shape, the platform grows.
    Natural,
    /// Every hour is like every other: the negative control (docs: kpis 6).
    Flat,
}

/// The shape as the truth file states it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ShapeTruth {
    zone: String,
    weekday_monday_first: [f64; 7],
    hour: [f64; 24],
    growth_per_day: f64,
}

impl Shape {
    /// The shape for a span of time; demand is 1 on average over the span.
    pub(crate) fn over(zone: Tz, curve: Curve, start: DateTime<Utc>, end: DateTime<Utc>) -> Self {
        Self {
            zone,
            curve,
            middle: start + (end - start) / 2,
        }
    }

    /// Relative demand at an instant from the hour and the weekday.
    pub(crate) fn season(&self, at: DateTime<Utc>) -> f64 {
        if self.curve == Curve::Flat {
            return 1.0;
        }
        let local = at.with_timezone(&self.zone);
        WEEKDAY[local.weekday().num_days_from_monday() as usize] * HOUR[local.hour() as usize]
    }

    /// Relative demand at an instant from growth; `extra` is added to the growth a day of the platform.
    pub(crate) fn trend(&self, at: DateTime<Utc>, extra: f64) -> f64 {
        if self.curve == Curve::Flat {
            return 1.0;
        }
        let days = (at - self.middle).num_minutes() as f64 / 1440.0;
        ((GROWTH + extra) * days).exp()
    }

    /// True when nothing is planted.
    pub(crate) fn is_flat(&self) -> bool {
        self.curve == Curve::Flat
    }

    /// The zone in which days are cut.
    pub(crate) const fn zone(&self) -> Tz {
        self.zone
    }

    /// What to write into the truth file.
    pub(crate) fn truth(&self) -> ShapeTruth {
        let flat = self.is_flat();
        ShapeTruth {
            zone: self.zone.name().to_owned(),
            weekday_monday_first: if flat { [1.0; 7] } else { WEEKDAY },
            hour: if flat { [1.0; 24] } else { HOUR },
            growth_per_day: if flat { 0.0 } else { GROWTH },
        }
    }
}

/// The start of the local day that holds an instant.
pub(crate) fn day_start(at: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    let local = at.with_timezone(&zone);
    let into_day = TimeDelta::seconds(i64::from(local.num_seconds_from_midnight()))
        + TimeDelta::nanoseconds(i64::from(local.nanosecond()));
    at - into_day
}

/// The instant at an hour of the local day that lies `days` after the day of `at`.
pub(crate) fn local_hour(at: DateTime<Utc>, days: i64, hour: i64, zone: Tz) -> DateTime<Utc> {
    day_start(at, zone) + TimeDelta::days(days) + TimeDelta::hours(hour)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn factors_average_to_one() {
        assert!((WEEKDAY.iter().sum::<f64>() / 7.0 - 1.0).abs() < 0.005);
        assert!(
            (HOUR.iter().sum::<f64>() / 24.0 - 1.0).abs() < 0.005,
            "{}",
            HOUR.iter().sum::<f64>() / 24.0
        );
    }

    #[test]
    fn evenings_in_buenos_aires_are_busier_than_nights() {
        let zone = chrono_tz::America::Argentina::Buenos_Aires;
        let shape = Shape::over(
            zone,
            Curve::Natural,
            at("2025-06-01T00:00:00Z"),
            at("2025-09-01T00:00:00Z"),
        );
        let evening = shape.season(at("2025-07-02T00:30:00Z")); // 21:30 local, a Tuesday
        let night = shape.season(at("2025-07-02T07:30:00Z")); // 04:30 local
        assert!(evening > 10.0 * night);
        assert!(
            shape.trend(at("2025-09-01T00:00:00Z"), 0.0) > 1.1 * shape.trend(at("2025-06-01T00:00:00Z"), 0.0)
        );
    }

    #[test]
    fn flat_is_flat() {
        let shape = Shape::over(
            chrono_tz::UTC,
            Curve::Flat,
            at("2025-06-01T00:00:00Z"),
            at("2025-09-01T00:00:00Z"),
        );
        for hour in 0..500 {
            let when = at("2025-06-01T00:00:00Z") + TimeDelta::hours(hour);
            assert!((shape.season(when) * shape.trend(when, 0.01) - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn days_begin_at_local_midnight() {
        let zone = chrono_tz::America::Argentina::Buenos_Aires;
        assert_eq!(
            day_start(at("2025-07-02T02:59:59.5Z"), zone),
            at("2025-07-01T03:00:00Z")
        );
        assert_eq!(
            local_hour(at("2025-07-02T12:00:00Z"), 1, 20, zone),
            at("2025-07-03T23:00:00Z")
        );
    }
}
