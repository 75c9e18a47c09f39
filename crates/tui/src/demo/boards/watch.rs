//! What the rules of alerts would look at in the generated shop: a method that has just gone down, a few rows of stock at
//! their end, everything else as usual.

use chrono::{DateTime, TimeDelta, Utc};
use instashop_core::view::{AlertFacts, DueFact, MethodFact, StockFact, StockState};

use super::super::Shop;
use super::super::shop::METHODS;

impl Shop {
    pub(super) fn facts(&mut self, now: DateTime<Utc>) -> AlertFacts {
        let stock = self.inventory(now).rows;
        let near = stock.iter().filter(|row| {
            row.state <= StockState::Critical || row.days_milli.is_some_and(|milli| milli < 10_000)
        });
        let methods = METHODS.iter().map(|(name, weight)| {
            let usual = *weight as i64 * 10;
            let down = *name == "wallet";
            MethodFact {
                method: (*name).into(),
                hour: if down {
                    (usual / 4, usual / 8 + 12)
                } else {
                    (usual, usual / 25)
                },
                five: if down { (0, 12) } else { (usual / 12, usual / 300) },
                day: (usual * 24, usual),
                week: (usual * 168, usual * 7),
                in_a_row: if down { 12 } else { 0 },
                failing_since: down.then(|| now - TimeDelta::minutes(12)),
                last_paid_at: Some(now - TimeDelta::seconds(if down { 960 } else { 4 })),
            }
        });
        let due = |method: &str, on_time, late| DueFact {
            method: method.into(),
            on_time,
            late,
        };
        AlertFacts {
            stock: near
                .map(|row| StockFact {
                    stock_id: row.stock_id,
                    product: row.product.clone(),
                    place: row.place.clone(),
                    available: row.available.unwrap_or(0),
                    reorder: row.reorder,
                    active: true,
                    per_day_milli: row.per_day_milli,
                    days_milli: row.days_milli,
                })
                .collect(),
            methods: methods.collect(),
            last_order_at: Some(now - TimeDelta::seconds(3)),
            expected: vec![1, 0, 1, 2],
            hours: vec![510_000, 498_000],
            hours_before: vec![
                vec![500_000, 490_000],
                vec![488_000, 470_000],
                vec![512_000, 501_000],
                vec![495_000, 480_000],
            ],
            conversion: (0..28).map(|day| (38_000, 1_170 + day % 5 * 9)).collect(),
            due: vec![
                due("standard", 7_000, 510),
                due("express", 3_100, 160),
                due("economy", 900, 130),
            ],
            odd: vec![],
            quality: vec![("orders_without_lines".into(), 2), ("unmapped_status".into(), 0)],
            orders: 14_000,
        }
    }
}
