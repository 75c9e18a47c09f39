//! When the daily run is due: after the end of a business day, in the reporting zone (docs: the daily batch of the Tiendi
//! document, "cron 00:00").

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::contribution::Calendar;

/// Days that are made up for at most; further back the marts are right anyway, and nobody waits for the summaries.
const MOST: usize = 400;

/// Business days whose run is due, oldest first: every complete day after the last one that was run, or yesterday alone
/// when none ever was. A day is complete when the next one is `after_midnight` old, by the clock of the zone.
pub fn due_days(
    calendar: Calendar,
    now: DateTime<Utc>,
    after_midnight: TimeDelta,
    last_done: Option<NaiveDate>,
) -> Vec<NaiveDate> {
    let Some(latest) = calendar.day(now - after_midnight).pred_opt() else {
        return Vec::new();
    };
    let first = match last_done {
        None => Some(latest),
        Some(done) => done.succ_opt(),
    };
    let days = first.into_iter().flat_map(|day| day.iter_days());
    let mut days: Vec<NaiveDate> = days.take_while(|day| *day <= latest).collect();
    if days.len() > MOST {
        days.drain(..days.len() - MOST);
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_is_due_once_the_next_has_begun_in_the_zone() {
        // zone, now, last run, days due
        type Case = (
            &'static str,
            &'static str,
            Option<&'static str>,
            &'static [&'static str],
        );
        let cases: [Case; 10] = [
            ("UTC", "2026-03-10T00:04:59Z", Some("2026-03-08"), &[]),
            ("UTC", "2026-03-10T00:05:00Z", Some("2026-03-08"), &["2026-03-09"]),
            ("UTC", "2026-03-10T12:00:00Z", Some("2026-03-09"), &[]),
            // Never run: yesterday alone.
            ("UTC", "2026-03-10T12:00:00Z", None, &["2026-03-09"]),
            // Three hours behind UTC: the day ends at three in the morning.
            (
                "America/Argentina/Buenos_Aires",
                "2026-03-10T03:04:00Z",
                Some("2026-03-08"),
                &[],
            ),
            (
                "America/Argentina/Buenos_Aires",
                "2026-03-10T03:05:00Z",
                Some("2026-03-08"),
                &["2026-03-09"],
            ),
            // After days of silence each is made up for.
            (
                "UTC",
                "2026-03-10T12:00:00Z",
                Some("2026-03-06"),
                &["2026-03-07", "2026-03-08", "2026-03-09"],
            ),
            // The clocks of Madrid go forward on 29 March 2026 (23 hours) and back on 25 October (25 hours).
            ("Europe/Madrid", "2026-03-29T22:04:00Z", Some("2026-03-28"), &[]),
            (
                "Europe/Madrid",
                "2026-03-29T22:05:00Z",
                Some("2026-03-28"),
                &["2026-03-29"],
            ),
            (
                "Europe/Madrid",
                "2026-10-25T23:05:00Z",
                Some("2026-10-24"),
                &["2026-10-25"],
            ),
        ];
        for (zone, now, last, expected) in cases {
            let calendar = Calendar::new(zone.parse().unwrap());
            let due = due_days(
                calendar,
                now.parse().unwrap(),
                TimeDelta::minutes(5),
                last.map(day),
            );
            let expected: Vec<NaiveDate> = expected.iter().map(|text| day(text)).collect();
            assert_eq!(due, expected, "{zone} {now}");
        }
    }

    #[test]
    fn a_run_in_the_future_or_far_back_does_no_harm() {
        let calendar = Calendar::new("UTC".parse().unwrap());
        let now = "2026-03-10T12:00:00Z".parse().unwrap();
        assert!(due_days(calendar, now, TimeDelta::zero(), Some(day("2030-01-01"))).is_empty());
        let many = due_days(calendar, now, TimeDelta::zero(), Some(day("1999-01-01")));
        assert_eq!(
            (many.len(), many.last().copied()),
            (MOST, Some(day("2026-03-09")))
        );
    }
}
