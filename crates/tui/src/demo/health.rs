//! The pipeline of the generated shop: workers, sources, lag and latency that breathe with the clock.

use chrono::{DateTime, TimeDelta, Utc};
use instashop_core::table::{SourceDb, Table};
use instashop_core::view::{
    ConnectorHealth, DriftProof, FlowHealth, LiveSystem, MartsHealth, PartitionHealth, SealedDays,
    SourceHealth, TableDrift, WarehouseSystem, WorkerHealth,
};

use super::Shop;
use super::shop::hash;
use crate::format::ENGLISH;

/// A smooth number between 0 and 1000 that turns over in `period` seconds, with some noise.
fn wave(seed: u64, now: DateTime<Utc>, period: i64, salt: u64) -> i64 {
    let phase = (hash(seed, salt, 5) % 1000) as i64;
    let at = (now.timestamp() * 1000 / period + phase) % 1000;
    let triangle = if at < 500 { at * 2 } else { (1000 - at) * 2 };
    // A smooth step instead of corners.
    let smooth = triangle * triangle * (3000 - 2 * triangle) / 1_000_000;
    let noise = (hash(seed, now.timestamp() as u64 / 10, salt) % 160) as i64 - 80;
    (smooth + noise).clamp(0, 1000)
}

/// Changes a second, in thousandths.
pub(super) fn rate(seed: u64, now: DateTime<Utc>) -> i64 {
    9_000 + wave(seed, now, 240, 1) * 6
}

fn millis(value: i64) -> Option<u64> {
    u64::try_from(value).ok()
}

impl Shop {
    fn sources(now: DateTime<Utc>) -> Vec<SourceHealth> {
        SourceDb::ALL
            .into_iter()
            .enumerate()
            .map(|(index, source)| SourceHealth {
                source: source.name().into(),
                seen_at: now - TimeDelta::milliseconds(1200 + index as i64 * 150),
                up: true,
                error: String::new(),
                connector: ConnectorHealth {
                    state: "RUNNING".into(),
                    tasks: vec!["RUNNING".into()],
                    failure: String::new(),
                },
                slot_active: Some(true),
                slot_lag_bytes: Some(40_000 + index as i64 * 61_000 + now.timestamp() % 7 * 9_000),
                heartbeat_at: Some(now - TimeDelta::milliseconds(900 + index as i64 * 700)),
            })
            .collect()
    }

    fn partitions(seed: u64, now: DateTime<Utc>, salt: u64, lag: i64) -> Vec<PartitionHealth> {
        let mut left = lag;
        let mut parts = Vec::new();
        for (number, table) in Table::ALL.into_iter().enumerate() {
            for partition in 0..table.default_partitions() {
                let chance = hash(seed, number as u64 * 10 + partition as u64, salt);
                let behind = if chance.is_multiple_of(5) {
                    left.min(1 + (chance >> 9) as i64 % 3)
                } else {
                    0
                };
                left -= behind;
                let checkpoint = 20_000 + (chance % 90_000) as i64 + now.timestamp() % 100_000;
                parts.push(PartitionHealth {
                    topic: format!("{}.public.{}", table.source().name(), table.name()),
                    partition,
                    checkpoint,
                    end: Some(checkpoint + behind),
                    as_of: Some(now - TimeDelta::milliseconds(300 + (chance % 9_000) as i64)),
                });
            }
        }
        if let Some(busy) = parts.iter_mut().find(|part| part.topic.ends_with(".transaction")) {
            busy.end = Some(busy.checkpoint + left.max(0));
            busy.as_of = Some(now - TimeDelta::milliseconds(300));
        }
        parts
    }

    fn worker(&self, now: DateTime<Utc>, name: &str, salt: u64, lag: i64, latency: [i64; 3]) -> WorkerHealth {
        let started = now - TimeDelta::seconds(86_400 * 12 + 3_600 * salt as i64);
        let (unchanged, older, not_a_row) = (2_118 + salt, 14 * salt, 51_203);
        let applied = 1_204_000 + (now.timestamp() as u64 % 1_000_000);
        WorkerHealth {
            new_columns: Vec::new(),
            worker: name.into(),
            started_at: started,
            seen_at: now - TimeDelta::milliseconds(420),
            state: "running".into(),
            rate_per_1000s: rate(self.seed, now),
            records: applied + unchanged + older + not_a_row,
            applied,
            unchanged,
            older,
            rejected: 0,
            not_a_row,
            conflicts: 3 * salt,
            latency_p50_ms: millis(latency[0]),
            latency_p95_ms: millis(latency[1]),
            latency_p99_ms: millis(latency[2]),
            partitions: Self::partitions(self.seed, now, salt, lag),
        }
    }

    /// Health of the live flow.
    pub fn live_system(&mut self, now: DateTime<Utc>) -> LiveSystem {
        let seed = self.seed;
        let lag = wave(seed, now, 420, 11) * 38 / 1000;
        let p50 = 120 + wave(seed, now, 700, 12) * 90 / 1000;
        let p95 = p50 + 160 + wave(seed, now, 500, 13) * 420 / 1000;
        LiveSystem {
            ping_us: 420 + (wave(seed, now, 90, 14) / 3) as u64,
            memory_bytes: Some(41_200_000 + now.timestamp() as u64 % 900_000),
            flow: FlowHealth {
                workers: vec![self.worker(now, "shop-1/live/4211", 1, lag, [p50, p95, p95 * 2])],
                sources: Self::sources(now),
                brokers_up: Some((3, 3)),
                dead_letters: None,
            },
            unmapped_today: 0,
            orders_without_lines: 2,
            sealed: Some(SealedDays {
                boundary: self.today(now) - TimeDelta::days(40),
                has_left: true,
                late: 0,
                written_at: Some(now - TimeDelta::hours(3)),
            }),
        }
    }

    /// Health of the warehouse flow, with the last proof.
    pub fn warehouse_system(&mut self, now: DateTime<Utc>) -> WarehouseSystem {
        let seed = self.seed;
        let lag = wave(seed, now, 300, 21) * 61 / 1000;
        let p50 = 380 + wave(seed, now, 800, 22) * 260 / 1000;
        let p95 = p50 + 300 + wave(seed, now, 600, 23) * 700 / 1000;
        let at = DateTime::from_timestamp(now.timestamp() / 60 * 60 - 12, 0).unwrap_or(now);
        WarehouseSystem {
            ping_us: 1_900 + wave(seed, now, 90, 24) as u64,
            flow: FlowHealth {
                workers: vec![self.worker(now, "shop-1/warehouse/4212", 2, lag, [p50, p95, p95 * 2])],
                sources: Self::sources(now - TimeDelta::seconds(3)),
                brokers_up: Some((3, 3)),
                dead_letters: Some(1),
            },
            proof: Some(self.proof(at)),
            marts: Some(MartsHealth {
                refreshed_at: now - TimeDelta::milliseconds(wave(seed, now, 900, 25)),
                as_of: Some(now - TimeDelta::seconds(1)),
                whole_at: Some(at),
                complete: true,
                waiting: 0,
                last_run: None,
            }),
        }
    }

    fn proof(&mut self, at: DateTime<Utc>) -> DriftProof {
        let seed = self.seed;
        let mut lines: Vec<TableDrift> = Table::ALL
            .into_iter()
            .enumerate()
            .map(|(index, table)| {
                let scale = if table.default_partitions() > 1 {
                    900_000
                } else {
                    9_000
                };
                let rows = ENGLISH.count(1_000 + (hash(seed, index as u64, 31) % scale) as i64);
                let live = matches!(
                    table,
                    Table::Transaction | Table::TransactionDetail | Table::Product | Table::Stock
                );
                TableDrift {
                    name: table.name().into(),
                    source: rows.clone(),
                    warehouse: rows.clone(),
                    live: if live { rows } else { String::new() },
                    drift: 0,
                }
            })
            .collect();
        let today = self.today(at);
        let revenue = ENGLISH.cents(self.book(today.pred_opt().unwrap_or(today)).totals.revenue_cents);
        for name in ["revenue by day", "revenue by category", "orders by class"] {
            lines.push(TableDrift {
                name: name.into(),
                source: revenue.clone(),
                warehouse: revenue.clone(),
                live: revenue.clone(),
                drift: 0,
            });
        }
        DriftProof { at, drift: 0, lines }
    }
}
