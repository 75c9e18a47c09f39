//! How long to wait before the next attempt: half a second, doubling up to thirty, with jitter. It never gives up: a
//! database that restarts takes longer than any small number of attempts.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// A small source of numbers for jitter; nothing depends on its quality.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Seeded by the clock and the process.
    pub(super) fn from_clock() -> Self {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Self::new(u64::from(now.subsec_nanos()) ^ (u64::from(std::process::id()) << 32))
    }

    /// A number below `end`.
    pub(super) const fn below(&mut self, end: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % if end == 0 { 1 } else { end as u64 }) as u32
    }
}

/// Attempts since the last answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// An answer came.
    pub(super) const fn reset(&mut self) {
        self.attempts = 0;
    }

    /// Number of the next attempt and the wait before it: up to a fifth longer or shorter than the doubling says.
    pub(super) fn next(&mut self, dice: &mut Dice) -> (u32, Duration) {
        let doubled = FIRST * 2_u32.pow(self.attempts.min(6));
        self.attempts = self.attempts.saturating_add(1);
        (self.attempts, doubled.min(LONGEST) * (80 + dice.below(41)) / 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_thirty_seconds_and_starts_over() {
        let (mut backoff, mut dice) = (Backoff::default(), Dice::new(1));
        for (attempt, expected) in [
            (1, 0.5),
            (2, 1.0),
            (3, 2.0),
            (4, 4.0),
            (5, 8.0),
            (6, 16.0),
            (7, 30.0),
            (8, 30.0),
        ] {
            let (number, wait) = backoff.next(&mut dice);
            assert_eq!(number, attempt);
            let share = wait.as_secs_f64() / expected;
            assert!((0.79..=1.21).contains(&share), "attempt {attempt}: {wait:?}");
        }
        backoff.reset();
        assert_eq!(backoff.next(&mut dice).0, 1);
    }
}
