//! Bytes and frames a second that go to the terminal (design: terminal dashboard, section 9).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Seconds that are looked back on.
const SPAN: Duration = Duration::from_secs(10);

/// What went to the terminal in the last seconds, and in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Bytes a second, over the last ten seconds.
    pub bytes_per_second: u64,
    /// Frames a second in tenths, over the last ten seconds.
    pub frames_per_10s: u64,
    /// Longest a frame took to be written, of the last ten seconds.
    pub slowest_write_us: u64,
    /// Bytes since the start.
    pub bytes: u64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Meter {
    started: Instant,
    /// When, and how many bytes.
    writes: VecDeque<(Instant, usize)>,
    /// When, and how long it took to be written.
    frames: VecDeque<(Instant, Duration)>,
    bytes: u64,
}

impl Meter {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            started: now,
            writes: VecDeque::new(),
            frames: VecDeque::new(),
            bytes: 0,
        }
    }

    pub(super) fn bytes(&mut self, bytes: usize, now: Instant) {
        self.bytes += bytes as u64;
        self.writes.push_back((now, bytes));
        self.forget(now);
    }

    pub(super) fn frame(&mut self, started: Instant, now: Instant) {
        self.frames
            .push_back((now, now.saturating_duration_since(started)));
        self.forget(now);
    }

    fn forget(&mut self, now: Instant) {
        let old = |at: Instant| now.saturating_duration_since(at) >= SPAN;
        while self.writes.front().is_some_and(|(at, _)| old(*at)) {
            self.writes.pop_front();
        }
        while self.frames.front().is_some_and(|(at, _)| old(*at)) {
            self.frames.pop_front();
        }
    }

    pub(super) fn traffic(&mut self, now: Instant) -> Traffic {
        self.forget(now);
        // A session younger than the span has had less time to write.
        let span = now
            .saturating_duration_since(self.started)
            .clamp(Duration::from_secs(1), SPAN);
        let written: usize = self.writes.iter().map(|(_, bytes)| bytes).sum();
        let slowest = self
            .frames
            .iter()
            .map(|(_, took)| *took)
            .max()
            .unwrap_or_default();
        let per = |count: usize, tenths: f64| (count as f64 * tenths / span.as_secs_f64()).round() as u64;
        Traffic {
            bytes_per_second: per(written, 1.0),
            frames_per_10s: per(self.frames.len(), 10.0),
            slowest_write_us: slowest.as_micros() as u64,
            bytes: self.bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ten_seconds_count() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut meter = Meter::new(start);
        meter.bytes(4000, at(0));
        meter.frame(at(0), at(30));
        let first = meter.traffic(at(500));
        assert_eq!(first.bytes_per_second, 4000, "less than a second counts as one");
        assert_eq!(first.slowest_write_us, 30_000);
        for second in 1..=20 {
            meter.bytes(100, at(second * 1000));
            meter.frame(at(second * 1000), at(second * 1000 + 1));
        }
        let later = meter.traffic(at(20_500));
        assert_eq!(
            later,
            Traffic {
                bytes_per_second: 100,
                frames_per_10s: 10,
                slowest_write_us: 1000,
                bytes: 6000
            }
        );
        assert_eq!(meter.traffic(at(60_000)).bytes_per_second, 0);
    }
}
