//! Waiting longer after each failure, up to a limit, and never in step with others.

use std::hash::{BuildHasher as _, Hasher as _};
use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(5);

/// Counts failures in a row.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The next wait: 50 ms, doubling to 5 s, each times a random 0.5 to 1.0.
    pub(crate) fn next(&mut self) -> Duration {
        let longest = FIRST
            .saturating_mul(2_u32.saturating_pow(self.failures))
            .min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        longest / 2 + jitter(longest / 2)
    }

    /// True when the last attempt failed.
    pub(crate) const fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// An attempt went well.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

/// A random time up to the limit. Nothing depends on its quality: two processes must only not move in step.
pub(crate) fn jitter(limit: Duration) -> Duration {
    let random = std::collections::hash_map::RandomState::new()
        .build_hasher()
        .finish();
    limit.mul_f64((random % 1000) as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_five_seconds_and_begin_again() {
        let mut backoff = Backoff::default();
        let first = backoff.next();
        assert!(
            first >= Duration::from_millis(25) && first <= Duration::from_millis(50),
            "{first:?}"
        );
        for _ in 0..40 {
            assert!(backoff.next() <= LONGEST);
        }
        assert!(backoff.next() >= LONGEST / 2);
        backoff.reset();
        assert!(backoff.next() <= FIRST);
    }
}
