//! How long changes take from their commit at the source to the sink, over the last minute: a histogram with
//! logarithmic buckets, exact below 32 ms and within 3 % above.

use chrono::{DateTime, Utc};

/// Values below this many milliseconds have a bucket of their own.
const EXACT: u64 = 32;
/// Buckets for each doubling above [`EXACT`].
const STEPS: u64 = 32;
/// The last bucket begins near 2^31 ms (24 days); everything longer lies in it.
const BUCKETS: usize = (EXACT + (31 - 5) * STEPS) as usize;
/// The last minute is kept in slices of ten seconds.
const SLICES: usize = 6;
/// Length of a slice in seconds.
const SLICE_S: i64 = 10;

/// Counts of durations in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Histogram {
    counts: Vec<u32>,
    total: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: vec![0; BUCKETS],
            total: 0,
        }
    }
}

/// Bucket of a duration.
fn bucket(ms: u64) -> usize {
    if ms < EXACT {
        return ms as usize;
    }
    let octave = u64::from(ms.ilog2()) - 5;
    let step = (ms >> octave) - EXACT;
    ((EXACT + octave * STEPS + step) as usize).min(BUCKETS - 1)
}

/// Longest duration that falls into a bucket: a quantile never looks better than it was.
fn upper(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < EXACT {
        return bucket;
    }
    let octave = (bucket - EXACT) / STEPS;
    let step = (bucket - EXACT) % STEPS;
    ((EXACT + step + 1) << octave) - 1
}

/// Latencies of the last minute.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LastMinute {
    /// Slices by number modulo [`SLICES`], each with the slice it counts.
    slices: [(i64, Histogram); SLICES],
}

/// Median, 95th and 99th percentile in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantiles {
    /// Half of the changes took at most this long.
    pub p50: u64,
    /// 95 of 100 took at most this long.
    pub p95: u64,
    /// 99 of 100 took at most this long.
    pub p99: u64,
}

impl LastMinute {
    /// Counts one change that took `ms` milliseconds and arrived at `now`.
    pub fn record(&mut self, ms: u64, now: DateTime<Utc>) {
        let number = now.timestamp().div_euclid(SLICE_S);
        let slot = &mut self.slices[number.rem_euclid(SLICES as i64) as usize];
        if slot.0 != number {
            *slot = (number, Histogram::default());
        }
        slot.1.counts[bucket(ms)] += 1;
        slot.1.total += 1;
    }

    /// The quantiles of what arrived in the last minute; `None` when nothing did.
    pub fn quantiles(&self, now: DateTime<Utc>) -> Option<Quantiles> {
        let newest = now.timestamp().div_euclid(SLICE_S);
        let recent: Vec<&Histogram> = self
            .slices
            .iter()
            .filter(|(number, _)| (0..SLICES as i64).contains(&(newest - number)))
            .map(|(_, histogram)| histogram)
            .collect();
        let total: u64 = recent.iter().map(|histogram| histogram.total).sum();
        if total == 0 {
            return None;
        }
        let at = |per_cent: u64| {
            let rank = (total * per_cent).div_ceil(100).max(1);
            let mut seen = 0;
            for index in 0..BUCKETS {
                seen += recent
                    .iter()
                    .map(|histogram| u64::from(histogram.counts[index]))
                    .sum::<u64>();
                if seen >= rank {
                    return upper(index);
                }
            }
            upper(BUCKETS - 1)
        };
        Some(Quantiles {
            p50: at(50),
            p95: at(95),
            p99: at(99),
        })
    }
}

/// Events per second over the last ten seconds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rate {
    /// Seconds by number modulo their count, each with the second it counts.
    seconds: [(i64, u64); 11],
}

impl Rate {
    /// Counts `events` that happened at `now`.
    pub fn add(&mut self, events: u64, now: DateTime<Utc>) {
        let second = now.timestamp();
        let slot = &mut self.seconds[second.rem_euclid(11) as usize];
        if slot.0 != second {
            *slot = (second, 0);
        }
        slot.1 += events;
    }

    /// Events per thousand seconds, over the last ten whole seconds.
    pub fn per_1000s(&self, now: DateTime<Utc>) -> i64 {
        let newest = now.timestamp();
        let sum: u64 = self
            .seconds
            .iter()
            .filter(|(second, _)| (1..=10).contains(&(newest - second)))
            .map(|(_, events)| events)
            .sum();
        i64::try_from(sum.saturating_mul(100)).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn quantiles_of_a_known_minute() {
        let mut minute = LastMinute::default();
        assert_eq!(minute.quantiles(at(100)), None);
        for ms in 1..=100 {
            minute.record(ms, at(100));
        }
        let quantiles = minute.quantiles(at(110)).unwrap();
        assert!((50..=51).contains(&quantiles.p50), "{quantiles:?}");
        assert!((95..=98).contains(&quantiles.p95), "{quantiles:?}");
        assert!((99..=101).contains(&quantiles.p99), "{quantiles:?}");
    }

    #[test]
    fn what_is_older_than_a_minute_is_forgotten() {
        let mut minute = LastMinute::default();
        minute.record(5, at(100));
        assert!(minute.quantiles(at(149)).is_some());
        assert_eq!(minute.quantiles(at(161)), None);
        minute.record(7, at(160));
        assert_eq!(minute.quantiles(at(161)).unwrap().p99, 7);
    }

    #[test]
    fn rate_counts_whole_seconds() {
        let mut rate = Rate::default();
        for second in 100..110 {
            rate.add(50, at(second));
        }
        rate.add(999, at(110));
        assert_eq!(rate.per_1000s(at(110)), 50_000);
        assert_eq!(rate.per_1000s(at(200)), 0);
    }

    proptest! {
        #[test]
        fn a_bucket_is_never_below_its_value_and_at_most_a_32nd_above(ms in 0_u64..2_000_000_000) {
            let shown = upper(bucket(ms));
            prop_assert!(shown >= ms);
            prop_assert!(shown <= ms + ms / 32 + 1);
        }
    }
}
