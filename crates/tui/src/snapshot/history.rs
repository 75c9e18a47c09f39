//! Lag and latency of the last minutes, kept from polls: the stores hold only the present of both.

use std::collections::VecDeque;

use chrono::{DateTime, TimeDelta, Utc};
use instashop_core::view::FlowHealth;

use super::pipeline;

/// How far back it goes.
pub const SPAN: TimeDelta = TimeDelta::minutes(15);

/// Width of one point.
pub const STEP: TimeDelta = TimeDelta::seconds(10);

/// One poll of one flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// When.
    pub at: DateTime<Utc>,
    /// Messages between checkpoints and ends; `None` when no end is known.
    pub lag: Option<i64>,
    /// Commit to sink, milliseconds: the slowest worker of those heard lately.
    pub p50_ms: Option<u64>,
    /// See `p50_ms`.
    pub p95_ms: Option<u64>,
    /// See `p50_ms`.
    pub p99_ms: Option<u64>,
}

/// Which figure of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// Messages behind.
    Lag,
    /// Half of the events were faster.
    P50,
    /// 95 of 100 were faster.
    P95,
    /// 99 of 100 were faster.
    P99,
}

/// Samples of both flows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    live: VecDeque<Sample>,
    warehouse: VecDeque<Sample>,
}

/// Messages a flow is behind, over all its partitions; `None` when no partition knows its end.
pub fn lag(flow: &FlowHealth) -> Option<i64> {
    pipeline::held(flow)
        .filter_map(instashop_core::view::PartitionHealth::lag)
        .reduce(|sum, lag| sum + lag)
}

impl Sample {
    /// What a flow says at a moment.
    pub fn of(flow: &FlowHealth, at: DateTime<Utc>) -> Self {
        let slowest = |figure: fn(&instashop_core::view::WorkerHealth) -> Option<u64>| {
            let heard = flow
                .workers
                .iter()
                .filter(|worker| pipeline::is_heard(worker, at));
            heard.filter_map(figure).max()
        };
        Self {
            at,
            lag: lag(flow),
            p50_ms: slowest(|worker| worker.latency_p50_ms),
            p95_ms: slowest(|worker| worker.latency_p95_ms),
            p99_ms: slowest(|worker| worker.latency_p99_ms),
        }
    }

    fn figure(&self, figure: Figure) -> Option<f64> {
        match figure {
            Figure::Lag => self.lag.map(|lag| lag as f64),
            Figure::P50 => self.p50_ms.map(|ms| ms as f64),
            Figure::P95 => self.p95_ms.map(|ms| ms as f64),
            Figure::P99 => self.p99_ms.map(|ms| ms as f64),
        }
    }
}

fn add(samples: &mut VecDeque<Sample>, sample: Sample) {
    while samples
        .front()
        .is_some_and(|oldest| sample.at - oldest.at > SPAN + STEP)
    {
        samples.pop_front();
    }
    // A clock that was set back would leave samples from the future; and a poll rhythm of 100 ms must not fill memory.
    while samples.back().is_some_and(|newest| newest.at > sample.at) || samples.len() >= 4096 {
        samples.pop_back();
    }
    samples.push_back(sample);
}

impl History {
    /// Adds a poll of the live flow.
    pub fn add_live(&mut self, flow: &FlowHealth, at: DateTime<Utc>) {
        add(&mut self.live, Sample::of(flow, at));
    }

    /// Adds a poll of the warehouse flow.
    pub fn add_warehouse(&mut self, flow: &FlowHealth, at: DateTime<Utc>) {
        add(&mut self.warehouse, Sample::of(flow, at));
    }

    /// The last value of each step of the span up to `now`; a step without a poll repeats the one before for as long as
    /// polls may be apart, then it is a gap.
    fn points(samples: &VecDeque<Sample>, figure: Figure, now: DateTime<Utc>) -> Vec<Option<f64>> {
        let steps = (SPAN.num_seconds() / STEP.num_seconds()) as usize;
        let mut points = vec![None; steps];
        for sample in samples {
            let back = (now - sample.at).num_milliseconds().max(0) / STEP.num_milliseconds();
            if let Some(slot) = (steps - 1).checked_sub(back as usize) {
                points[slot] = sample.figure(figure);
            }
        }
        for slot in (1..steps).rev() {
            if points[slot].is_none() {
                points[slot] = points[slot - 1];
            }
        }
        points
    }

    /// Course of a figure of the live flow.
    pub fn live(&self, figure: Figure, now: DateTime<Utc>) -> Vec<Option<f64>> {
        Self::points(&self.live, figure, now)
    }

    /// Course of a figure of the warehouse flow.
    pub fn warehouse(&self, figure: Figure, now: DateTime<Utc>) -> Vec<Option<f64>> {
        Self::points(&self.warehouse, figure, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use instashop_core::view::{PartitionHealth, WorkerHealth};

    fn flow(lag: i64, seen_at: DateTime<Utc>) -> FlowHealth {
        FlowHealth {
            workers: vec![WorkerHealth {
                seen_at,
                partitions: vec![
                    PartitionHealth {
                        end: Some(lag),
                        ..PartitionHealth::default()
                    },
                    PartitionHealth::default(),
                ],
                latency_p50_ms: Some(7),
                ..WorkerHealth::default()
            }],
            ..FlowHealth::default()
        }
    }

    #[test]
    fn last_value_per_step_and_gaps() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::hours(1);
        let ago = |seconds| now - TimeDelta::seconds(seconds);
        let mut history = History::default();
        for (seconds, lag) in [(2000, 99), (300, 5), (12, 7), (11, 8), (1, 9)] {
            history.add_live(&flow(lag, ago(seconds)), ago(seconds));
        }
        let points = history.live(Figure::Lag, now);
        assert_eq!(points.len(), 90);
        assert_eq!(points[89], Some(9.0));
        assert_eq!(points[88], Some(8.0), "last of its step");
        assert_eq!(points[59], Some(5.0));
        assert_eq!(points[70], None, "a long silence is a gap");
        assert_eq!(
            points.iter().flatten().filter(|value| **value > 90.0).count(),
            0,
            "too old"
        );
        assert_eq!(history.live(Figure::P50, now)[89], Some(7.0));
        assert_eq!(history.warehouse(Figure::Lag, now), vec![None; 90]);
        assert_eq!(lag(&FlowHealth::default()), None, "unknown is not zero");
    }

    /// After a restart the worker that was replaced stays listed for two minutes, with the latencies of its last minute.
    #[test]
    fn a_worker_that_fell_silent_is_in_no_latency_and_its_partitions_count_once() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::hours(1);
        let mut both = flow(3, now);
        let mut gone = flow(90, now - TimeDelta::seconds(16));
        gone.workers[0].latency_p50_ms = Some(3135);
        both.workers.append(&mut gone.workers);
        let sample = Sample::of(&both, now);
        assert_eq!((sample.p50_ms, sample.lag), (Some(7), Some(3)));
    }
}
