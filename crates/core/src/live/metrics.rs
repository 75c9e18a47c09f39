//! The totals of the live store as metrics of the catalogue: the same keys and values as the semantic views of the
//! warehouse give, for `instashop verify --kpis`.

mod behaviour;
mod sales;
mod stock;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::rows::Listing;
use super::timeline::Cut;
use crate::config::Meaning;
use crate::contribution::{Calendar, Cell, Scope};

/// Every total by day or without a bucket, and what readers join them with.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LiveTotals {
    /// First day that is live: earlier ones are left out. `None` when no day is sealed.
    pub boundary: Option<NaiveDate>,
    /// The totals; none is zero. Of visits that may go on and of what somebody just did, those of about the last day.
    pub cells: BTreeMap<Cell, i64>,
    /// Cents and units by category.
    pub categories: BTreeMap<(Scope, NaiveDate, String), (i64, i64)>,
    /// Products with their stock rows.
    pub listings: BTreeMap<i64, Listing>,
    /// Tiers of the stores' plans, deleted stores included.
    pub tiers: BTreeMap<i64, String>,
    /// Segments that exist.
    pub segments: BTreeSet<i64>,
}

/// One value of a metric: its id, its key as `verify --kpis` writes it (day, store, .. with a slash between; 0 is the
/// platform), and its value.
pub type MetricRow = (&'static str, String, Decimal);

/// Metrics that Redis holds, each with the keys it holds as a regular expression. `<recent>` stands for today and
/// yesterday.
const HELD: [(&str, &str); 58] = [
    ("revenue_total", "^"),
    ("revenue_today", "^"),
    ("revenue_30d", "^"),
    ("growth_rate", "^"),
    ("gross_sales", "^"),
    ("discounts", "^"),
    ("orders", "^"),
    ("attempts", "^"),
    ("pending", "^"),
    ("failed", "^"),
    ("gmv", "^"),
    ("commission", "^"),
    ("aov", "^"),
    ("max_order", "^<recent>/"),
    ("min_order", "^<recent>/"),
    ("sales_trend", "/0$"),
    ("sales_by_category", "(?<!/orders)$"),
    ("payment_mix", "^"),
    ("payment_success", "(?<!/recovered)$"),
    ("last_paid_age", "^"),
    ("product_performance", "/revenue$"),
    ("product_views", "^"),
    ("stock_vs_sold", "^"),
    ("top_products", "^"),
    ("active_stores", "^"),
    ("active_buyers", "^[^/]*$"),
    ("unique_buyers_today", "^"),
    ("new_buyers", "^"),
    ("returning_buyers", "^"),
    ("totals", "^"),
    ("plan_mix", "^"),
    ("mrr", "^"),
    ("segments_crm", "^"),
    ("crm_interactions", "^"),
    ("events_by_type", "^"),
    ("visits", "^"),
    ("visitors", "^"),
    ("visitors_now", "^"),
    ("live_carts", "^"),
    ("page_views", "^"),
    ("bounce_rate", "^"),
    ("avg_time", "(?<!/median)$"),
    ("outcomes", "^"),
    ("conversion_rate", "^"),
    ("events_ratio", "/[0-9]+$"),
    ("funnel", "^"),
    ("add_to_cart_rate", "^"),
    ("cart_abandonment", "^"),
    ("checkout_completion", "^"),
    ("search", "^"),
    ("store_funnel", "^"),
    ("stock_status", "^-?[0-9]+/"),
    ("critical_products", "^-?[0-9]+$"),
    ("days_of_stock", "^"),
    ("movements", "^"),
    ("warehouses", "/-?[0-9]+(/value)?$"),
    ("shipments", "^"),
    ("data_quality", "/(unmapped_status|sale_without_lines)$"),
];

/// What is held of metrics that are no sum of days, or of more days than are live, once there is a boundary: nothing, or these
/// keys.
const HELD_OF_LIVE_DAYS: [(&str, Option<&str>); 4] = [
    ("revenue_total", None),
    ("growth_rate", None),
    ("commission", Some("/earned$")),
    (
        "totals",
        Some("^(stores|buyers|products|stock rows|carriers|segments|segment members)$"),
    ),
];

/// Which keys of which metrics Redis holds on a business day, as (metric, regular expression of PostgreSQL). Of keys that
/// begin with a day, those before the boundary are not held.
pub fn held(today: NaiveDate, boundary: Option<NaiveDate>) -> Vec<(&'static str, String)> {
    let yesterday = today.checked_sub_days(Days::new(1)).unwrap_or(today);
    let recent = format!("({today}|{yesterday})");
    let keys = |metric: &str, keys: &'static str| {
        let live = HELD_OF_LIVE_DAYS.iter().find(|(of, _)| *of == metric);
        match live.filter(|_| boundary.is_some()) {
            Some((_, keys)) => *keys,
            None => Some(keys),
        }
    };
    HELD.iter()
        .filter_map(|(metric, all)| Some((*metric, keys(metric, all)?.replace("<recent>", &recent))))
        .collect()
}

/// The metrics as they are at `now`. Values that are zero and ratios without a denominator are left out.
pub fn metrics(totals: &LiveTotals, now: DateTime<Utc>, meaning: &Meaning) -> Vec<MetricRow> {
    let calendar = Calendar::new(meaning.tz());
    let mut rows = Rows {
        found: Vec::new(),
        now,
        today: calendar.day(now),
        gap: Cut::of(meaning).gap,
        calendar,
    };
    sales::rows(totals, meaning, &mut rows);
    behaviour::rows(totals, &mut rows);
    stock::rows(totals, meaning, &mut rows);
    rows.found.retain(|(_, _, value)| !value.is_zero());
    rows.found
}

/// The rows while they are gathered, and the moment they are of.
struct Rows {
    found: Vec<MetricRow>,
    now: DateTime<Utc>,
    today: NaiveDate,
    /// Microseconds after which a visit is over.
    gap: i64,
    calendar: Calendar,
}

impl Rows {
    fn count(&mut self, metric: &'static str, key: String, value: i64) {
        self.found.push((metric, key, Decimal::from(value)));
    }

    fn cents(&mut self, metric: &'static str, key: String, cents: i64) {
        self.found.push((metric, key, Decimal::new(cents, 2)));
    }

    /// A ratio with nine places, a half away from zero, as the comparison rounds; nothing without a denominator.
    fn ratio(&mut self, metric: &'static str, key: String, above: Decimal, below: Decimal) {
        if let Some(ratio) = above.checked_div(below) {
            self.found.push((metric, key, rounded(ratio, 9)));
        }
    }

    /// True for the complete days before today, `days` of them, after leaving out `skipped`.
    fn is_within(&self, day: NaiveDate, skipped: u64, days: u64) -> bool {
        let before = |count| {
            self.today
                .checked_sub_days(Days::new(count))
                .unwrap_or(NaiveDate::MIN)
        };
        day < before(skipped) && day >= before(skipped + days)
    }
}

fn rounded(value: Decimal, places: u32) -> Decimal {
    value.round_dp_with_strategy(places, rust_decimal::RoundingStrategy::MidpointAwayFromZero)
}

/// The store of a scope as keys name it: 0 is the platform.
fn store(scope: Scope) -> i64 {
    scope.store().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Kept, Metric};

    /// Two days of a platform with one store, seen at noon of the second.
    #[test]
    fn totals_become_the_keys_and_values_of_the_semantic_views() {
        use crate::contribution::{Bucket, DayMeasure, Measure, PaymentMeasure};
        use crate::visits::VisitOutcome;
        let [before, today]: [NaiveDate; 2] = ["2026-03-09", "2026-03-10"].map(|day| day.parse().unwrap());
        let now: DateTime<Utc> = "2026-03-10T12:00:00Z".parse().unwrap();
        let meaning = Meaning {
            zone: "UTC".into(),
            ..Meaning::default()
        };
        let mut totals = LiveTotals::default();
        for scope in [Scope::Platform, Scope::Store(3)] {
            for (day, measure, value) in [
                (before, Measure::Revenue, 1000),
                (before, Measure::Orders, 3),
                (before, Measure::Failed, 1),
                (today, Measure::Revenue, 250),
                (today, Measure::Orders, 1),
            ] {
                let bucket = Bucket::Day(day);
                totals.cells.insert(
                    Cell::Total {
                        scope,
                        bucket,
                        measure,
                    },
                    value,
                );
            }
            for (measure, value) in [
                (DayMeasure::Buyers, 1),
                (DayMeasure::Step(0), 4),
                (DayMeasure::Outcome(VisitOutcome::Conversion), 1),
                (DayMeasure::Outcome(VisitOutcome::Bounce), 2),
                (DayMeasure::Outcome(VisitOutcome::Browse), 1),
                (DayMeasure::VisitSeconds, 90),
            ] {
                let day = today;
                totals.cells.insert(Cell::Day { scope, day, measure }, value);
            }
            for (measure, value) in [(PaymentMeasure::Paid, 3), (PaymentMeasure::Failed, 1)] {
                let (day, method) = (before, "paypal".to_owned());
                totals.cells.insert(
                    Cell::Payment {
                        scope,
                        day,
                        measure,
                        method,
                    },
                    value,
                );
            }
            totals
                .categories
                .insert((scope, before, "Toys".into()), (1000, 4));
        }
        // The visit that browses still goes on.
        totals.cells.insert(
            Cell::OpenVisit {
                end: now.timestamp_micros() - 60_000_000,
                start: now.timestamp_micros() - 90_000_000,
                store: 3,
                actor: "b1".into(),
                outcome: VisitOutcome::Browse,
                has_cart: false,
            },
            1,
        );
        let mut found: Vec<String> = metrics(&totals, now, &meaning)
            .iter()
            .map(|(metric, key, value)| format!("{metric} {key} {}", value.normalize()))
            .collect();
        found.sort();
        insta::assert_snapshot!(found.join("\n"));
    }

    /// Kept by the live flow, and compared with nothing: dated by the moment a change was seen, which no source keeps.
    const DATED_BY_CHANGES: [&str; 4] = ["net_revenue", "on_time_rate", "new_stores", "new_users"];
    /// Measured by the pipeline and its probes, not by the totals.
    const MEASURED: [&str; 11] = [
        "total_events",
        "throughput",
        "e2e_latency",
        "lag",
        "service_state",
        "drift",
        "uptime",
        "api_latency",
        "error_rate",
        "slow_queries",
        "capacity",
    ];

    #[test]
    fn with_a_boundary_what_needs_all_days_is_not_held() {
        let today: NaiveDate = "2026-03-10".parse().unwrap();
        let all = held(today, None);
        let live = held(today, Some("2026-02-03".parse().unwrap()));
        let of = |held: &[(&str, String)], metric| {
            let found = held.iter().find(|(of, _)| *of == metric);
            found.map(|(_, keys)| keys.clone())
        };
        assert_eq!(all.len(), HELD.len());
        assert_eq!(live.len(), HELD.len() - 2);
        assert_eq!(of(&live, "revenue_total"), None);
        assert_eq!(of(&live, "commission").as_deref(), Some("/earned$"));
        assert_eq!(
            of(&live, "max_order").as_deref(),
            Some("^(2026-03-10|2026-03-09)/")
        );
        assert_eq!(of(&live, "orders"), of(&all, "orders"));
        for (metric, _) in HELD_OF_LIVE_DAYS {
            assert!(of(&all, metric).is_some(), "{metric}");
        }
    }

    #[test]
    fn catalogue_and_live_store_name_the_same_metrics() {
        let live = |metric: &&Metric| metric.kept != Kept::Warehouse && !MEASURED.contains(&metric.id);
        let catalogue: BTreeSet<&str> = Metric::all().filter(live).map(|metric| metric.id).collect();
        let held = HELD.iter().map(|(metric, _)| *metric).chain(DATED_BY_CHANGES);
        assert_eq!(held.collect::<BTreeSet<_>>(), catalogue);
    }
}
