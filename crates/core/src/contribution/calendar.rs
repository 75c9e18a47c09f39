//! Time buckets: days and hours in the reporting zone, minutes and half minutes in UTC (docs: kpis 0.4).

use chrono::{DateTime, Datelike, Days, Duration, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

/// Days that hour buckets are kept after the end of their day.
pub const HOUR_LIFE_DAYS: i64 = 35;
/// Hours that minute buckets are kept after the end of their hour.
pub const MINUTE_LIFE_HOURS: i64 = 48;
/// Hours that half-minute buckets are kept after the end of their hour.
pub const HALF_MINUTE_LIFE_HOURS: i64 = 2;
/// Days that members behind distinct counts by category, and amounts behind extremes, are kept after their day.
const RECENT_LIFE_DAYS: i64 = 1;

/// A bucket of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket {
    /// Business day in the reporting zone; kept without end.
    Day(NaiveDate),
    /// The n-th hour since the local midnight of a business day; 23, 24 or 25 of them, so that each is one hour long.
    Hour(NaiveDate, u8),
    /// Minutes since the epoch, UTC.
    Minute(i64),
    /// Half minutes since the epoch, UTC.
    HalfMinute(i64),
}

/// The calendar of the reporting zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calendar {
    zone: Tz,
}

impl Calendar {
    /// A calendar for a zone.
    pub const fn new(zone: Tz) -> Self {
        Self { zone }
    }

    /// Business day of a moment.
    pub fn day(self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.zone).date_naive()
    }

    /// First moment of a business day. Where midnight does not exist (a clock set forward at midnight) it is the first
    /// quarter of an hour that does.
    pub fn start(self, day: NaiveDate) -> DateTime<Utc> {
        let midnight = day.and_time(NaiveTime::MIN);
        (0..16)
            .find_map(|quarter| {
                self.zone
                    .from_local_datetime(&(midnight + Duration::minutes(15 * quarter)))
                    .earliest()
            })
            .map_or_else(|| midnight.and_utc(), |local| local.with_timezone(&Utc))
    }

    /// End of a business day: the start of the next one.
    pub fn end(self, day: NaiveDate) -> DateTime<Utc> {
        self.start(day.checked_add_days(Days::new(1)).unwrap_or(day))
    }

    /// Start of a bucket.
    pub fn start_of(self, bucket: Bucket) -> DateTime<Utc> {
        match bucket {
            Bucket::Day(day) => self.start(day),
            Bucket::Hour(day, hour) => self.start(day) + Duration::hours(i64::from(hour)),
            Bucket::Minute(minute) => moment(minute * 60),
            Bucket::HalfMinute(half) => moment(half * 30),
        }
    }

    /// Day, hour, minute and half minute of a moment in microseconds since the epoch; `None` outside the years 1 to
    /// 9999, which no shop means.
    pub fn buckets(self, micros: i64) -> Option<[Bucket; 4]> {
        let at = DateTime::from_timestamp_micros(micros)?;
        let day = self.day(at);
        if !(1..=9999).contains(&day.year()) || !(1..=9999).contains(&at.year()) {
            return None;
        }
        let hour = (at - self.start(day)).num_hours().clamp(0, 25) as u8;
        let seconds = micros.div_euclid(1_000_000);
        Some([
            Bucket::Day(day),
            Bucket::Hour(day, hour),
            Bucket::Minute(seconds.div_euclid(60)),
            Bucket::HalfMinute(seconds.div_euclid(30)),
        ])
    }

    /// When a bucket may be forgotten; `None` for days. Buckets are stored several to a key, so the life counts from
    /// the end of the day or of the UTC hour that holds the bucket.
    pub fn end_of_life(self, bucket: Bucket) -> Option<DateTime<Utc>> {
        match bucket {
            Bucket::Day(_) => None,
            Bucket::Hour(day, _) => Some(self.end(day) + Duration::days(HOUR_LIFE_DAYS)),
            Bucket::Minute(minute) => {
                Some(end_of_hour(minute.div_euclid(60)) + Duration::hours(MINUTE_LIFE_HOURS))
            }
            Bucket::HalfMinute(half) => {
                Some(end_of_hour(half.div_euclid(120)) + Duration::hours(HALF_MINUTE_LIFE_HOURS))
            }
        }
    }

    /// When what is kept for recent days only may be forgotten.
    pub fn end_of_recent(self, day: NaiveDate) -> DateTime<Utc> {
        self.end(day) + Duration::days(RECENT_LIFE_DAYS)
    }

    /// The oldest day that is still recent at `now`.
    pub fn oldest_recent(self, now: DateTime<Utc>) -> NaiveDate {
        let mut day = self.day(now);
        while let Some(before) = day.checked_sub_days(Days::new(1)) {
            if self.end_of_recent(before) <= now {
                break;
            }
            day = before;
        }
        day
    }
}

fn moment(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::UNIX_EPOCH)
}

fn end_of_hour(hour: i64) -> DateTime<Utc> {
    moment((hour + 1) * 3600)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_moment_falls_into_the_day_and_hour_of_the_zone() {
        let cases = [
            (
                "America/Argentina/Buenos_Aires",
                "2026-08-21T02:59:59Z",
                "2026-08-20",
                23,
            ),
            (
                "America/Argentina/Buenos_Aires",
                "2026-08-21T03:00:00Z",
                "2026-08-21",
                0,
            ),
            ("UTC", "2026-08-21T23:59:59Z", "2026-08-21", 23),
            // clock back at 3:00: the hour from 2 to 3 comes twice and counts as two hours
            ("Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25", 2),
            ("Europe/Berlin", "2026-10-25T01:30:00Z", "2026-10-25", 3),
            ("Europe/Berlin", "2026-10-25T22:30:00Z", "2026-10-25", 24),
            // clock forward at midnight: the day begins at 1:00
            ("America/Santiago", "2026-09-06T04:00:00Z", "2026-09-06", 0),
            ("Asia/Kolkata", "2026-08-21T18:30:00Z", "2026-08-22", 0),
        ];
        for (zone, at, expected_day, expected_hour) in cases {
            let calendar = Calendar::new(zone.parse().unwrap());
            let buckets = calendar.buckets(utc(at).timestamp_micros()).unwrap();
            assert_eq!(buckets[0], Bucket::Day(day(expected_day)), "{zone} {at}");
            assert_eq!(
                buckets[1],
                Bucket::Hour(day(expected_day), expected_hour),
                "{zone} {at}"
            );
            for bucket in buckets {
                assert!(calendar.start_of(bucket) <= utc(at), "{zone} {at} {bucket:?}");
            }
        }
    }

    #[test]
    fn absurd_dates_have_no_bucket() {
        let calendar = Calendar::new(chrono_tz::UTC);
        for at in ["-0001-01-01T00:00:00Z", "+12026-08-21T00:00:00Z"] {
            assert_eq!(calendar.buckets(utc(at).timestamp_micros()), None, "{at}");
        }
        assert_eq!(calendar.buckets(i64::MAX), None);
        assert!(
            calendar
                .buckets(utc("1969-12-31T23:59:59Z").timestamp_micros())
                .is_some()
        );
    }

    #[test]
    fn recent_days_are_today_and_yesterday() {
        let calendar = Calendar::new(chrono_tz::UTC);
        assert_eq!(
            calendar.oldest_recent(utc("2026-08-21T00:00:00Z")),
            day("2026-08-20")
        );
        assert_eq!(
            calendar.oldest_recent(utc("2026-08-21T23:59:59Z")),
            day("2026-08-20")
        );
        assert_eq!(
            calendar.end_of_recent(day("2026-08-20")),
            utc("2026-08-22T00:00:00Z")
        );
        assert_eq!(
            calendar.end_of_life(Bucket::Minute(0)),
            Some(utc("1970-01-03T01:00:00Z"))
        );
    }
}
