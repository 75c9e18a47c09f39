//! The metrics on the screen, with the ids of docs/kpis: how each is read from the snapshot and which way is good.

use chrono::{DateTime, Utc};
use instashop_core::view::{Totals, TrendPoint, Visits};

use crate::look::Look;
use crate::reading::{Base, Higher, Reading, Source, Value};
use crate::snapshot::Snapshot;
use crate::snapshot::sales::Span;
use crate::snapshot::today::weekday;

/// A metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// Revenue of today.
    RevenueToday,
    /// Orders of today.
    Orders,
    /// Average order of today.
    Aov,
    /// Distinct buyers of today.
    BuyersToday,
    /// Visitors of the last five minutes.
    VisitorsNow,
    /// Share of today's visits with an order.
    Conversion,
    /// Paid share of attempts of today.
    PaymentSuccess,
    /// Revenue over time.
    SalesTrend,
    /// Payment outcomes by method.
    PaymentMix,
    /// Behaviour by event type.
    EventsByType,
    /// Sales by category.
    SalesByCategory,
    /// Best products.
    TopProducts,
    /// Revenue of the range.
    RevenueRange,
    /// Revenue less reversals of the range.
    NetRevenue,
    /// Orders of the range.
    OrdersRange,
    /// Average order of the range.
    AovRange,
    /// Orders by hour and weekday.
    TemporalPattern,
    /// Changes applied a second.
    Throughput,
    /// Messages behind.
    Lag,
    /// Commit to sink.
    Latency,
    /// Difference of source, warehouse and Redis.
    Drift,
    /// Rows that broke a rule.
    DataQuality,
}

impl Metric {
    /// All metrics.
    pub const ALL: [Self; 22] = [
        Self::RevenueToday,
        Self::Orders,
        Self::Aov,
        Self::BuyersToday,
        Self::VisitorsNow,
        Self::Conversion,
        Self::PaymentSuccess,
        Self::SalesTrend,
        Self::PaymentMix,
        Self::EventsByType,
        Self::SalesByCategory,
        Self::TopProducts,
        Self::RevenueRange,
        Self::NetRevenue,
        Self::OrdersRange,
        Self::AovRange,
        Self::TemporalPattern,
        Self::Throughput,
        Self::Lag,
        Self::Latency,
        Self::Drift,
        Self::DataQuality,
    ];

    /// The big numbers of Live.
    pub const LIVE_TILES: [Self; 6] = [
        Self::RevenueToday,
        Self::Orders,
        Self::Aov,
        Self::VisitorsNow,
        Self::Conversion,
        Self::PaymentSuccess,
    ];

    /// What Live says without a tile of its own.
    pub const LIVE_BESIDE: [Self; 1] = [Self::BuyersToday];

    /// The figures of Sales.
    pub const SALES_TILES: [Self; 4] = [
        Self::RevenueRange,
        Self::NetRevenue,
        Self::OrdersRange,
        Self::AovRange,
    ];

    /// Id in docs/kpis and in JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Self::RevenueToday => "revenue_today",
            Self::Orders => "orders",
            Self::Aov => "aov",
            Self::BuyersToday => "buyers_today",
            Self::VisitorsNow => "visitors_now",
            Self::Conversion => "conversion_rate",
            Self::PaymentSuccess => "payment_success",
            Self::SalesTrend => "sales_trend",
            Self::PaymentMix => "payment_mix",
            Self::EventsByType => "events_by_type",
            Self::SalesByCategory => "sales_by_category",
            Self::TopProducts => "top_products",
            Self::RevenueRange => "revenue_range",
            Self::NetRevenue => "net_revenue",
            Self::OrdersRange => "orders_range",
            Self::AovRange => "aov_range",
            Self::TemporalPattern => "temporal_pattern",
            Self::Throughput => "throughput",
            Self::Lag => "lag",
            Self::Latency => "e2e_latency",
            Self::Drift => "drift",
            Self::DataQuality => "data_quality",
        }
    }

    /// Which way is good news.
    pub const fn higher(self) -> Higher {
        match self {
            Self::Lag | Self::Latency | Self::Drift | Self::DataQuality => Higher::Bad,
            Self::PaymentMix | Self::EventsByType | Self::TemporalPattern => Higher::Neutral,
            _ => Higher::Good,
        }
    }

    /// True for amounts of money: the sign of the currency goes with them.
    pub const fn is_money(self) -> bool {
        matches!(
            self,
            Self::RevenueToday
                | Self::Aov
                | Self::SalesTrend
                | Self::RevenueRange
                | Self::NetRevenue
                | Self::AovRange
        )
    }

    /// The metric as it stands in a set of sums.
    const fn of(self, sums: &Sums) -> Option<Value> {
        let totals = &sums.totals;
        Some(match self {
            Self::RevenueToday | Self::RevenueRange | Self::NetRevenue => Value::Money(totals.revenue_cents),
            Self::Orders | Self::OrdersRange => Value::Count(totals.orders),
            Self::Aov | Self::AovRange => Value::Mean(totals.revenue_cents, totals.orders),
            Self::PaymentSuccess => Value::Share(totals.orders, totals.orders + totals.failed),
            Self::BuyersToday => Value::Count(sums.buyers),
            Self::Conversion => Value::Share(sums.visits.converted, sums.visits.begun),
            _ => return None,
        })
    }

    /// One point of the metric's course; `None` where it cannot be told from sums of a bucket.
    fn point(self, bucket: &Totals) -> Option<f64> {
        if matches!(self, Self::BuyersToday | Self::Conversion) {
            return None;
        }
        match self.of(&Sums::of(bucket))? {
            Value::Money(cents) => Some(cents as f64),
            Value::Count(count) | Value::Measure(count, _) => Some(count as f64),
            Value::Mean(part, whole) | Value::Share(part, whole) => {
                (whole != 0).then(|| part as f64 / whole as f64)
            }
        }
    }

    /// The metric now.
    pub fn reading(self, snapshot: &Snapshot, look: &Look, now: DateTime<Utc>) -> Reading {
        if Self::SALES_TILES.contains(&self) {
            self.of_range(snapshot, look)
        } else if self == Self::VisitorsNow {
            Self::visitors_now(snapshot, look, now)
        } else {
            self.of_today(snapshot, look, now)
        }
    }

    fn of_today(self, snapshot: &Snapshot, look: &Look, now: DateTime<Utc>) -> Reading {
        let Some(today) = snapshot.today(now, look.zone) else {
            return Reading {
                value: None,
                base: None,
                source: Source::Live,
                as_of: None,
                arrived: None,
                trend: vec![],
            };
        };
        let same_clock = snapshot.same_clock(&today, look.zone).filter(|_| today.current);
        let base = same_clock.and_then(|base| {
            Some(Base {
                value: self.of(&Sums {
                    totals: base.totals,
                    buyers: base.buyers,
                    visits: base.visits,
                })?,
                label: look.texts().same_clock(weekday(base.day), base.cut, look.zone),
            })
        });
        let point = |hour: &TrendPoint| self.point(&hour.totals);
        let trend: Vec<Option<f64>> = today.hours.iter().map(point).collect();
        Reading {
            value: self.of(&Sums {
                totals: today.totals,
                buyers: today.buyers,
                visits: today.visits,
            }),
            base,
            source: today.source,
            as_of: Some(today.as_of),
            arrived: Some(today.arrived),
            trend: if trend.iter().all(Option::is_none) {
                vec![]
            } else {
                trend
            },
        }
    }

    /// Visitors of this moment: Redis alone counts them, so nothing answers in its place.
    fn visitors_now(snapshot: &Snapshot, look: &Look, now: DateTime<Utc>) -> Reading {
        let live = snapshot.live.get();
        let doing = snapshot.doing();
        let today = snapshot.today(now, look.zone).filter(|today| today.current);
        let base = today.and_then(|today| {
            let cut = snapshot.same_clock(&today, look.zone)?.cut;
            Some(Base {
                value: Value::Count(snapshot.doing_base(today.day)?.visitors),
                label: look.texts().same_clock(weekday(today.day), cut, look.zone),
            })
        });
        let course = doing.map_or(&[][..], |doing| &doing.course);
        Reading {
            value: doing.map(|doing| Value::Count(doing.visitors)),
            base,
            source: Source::Live,
            as_of: live.map(|live| live.as_of.unwrap_or(live.read_at)),
            arrived: snapshot.live.arrived,
            trend: course.iter().map(|actors| Some(*actors as f64)).collect(),
        }
    }

    fn of_range(self, snapshot: &Snapshot, look: &Look) -> Reading {
        let sales = snapshot.sales.get();
        let span = sales.map(|view| Span::of(view, snapshot.sales_days));
        let net = self == Self::NetRevenue;
        let totals = |totals: &Totals, reversals: i64| Totals {
            revenue_cents: totals.revenue_cents + if net { reversals } else { 0 },
            ..*totals
        };
        Reading {
            value: span
                .as_ref()
                .and_then(|span| self.of(&Sums::of(&totals(&span.totals, span.reversals)))),
            base: span.as_ref().and_then(|span| {
                let (before, reversals) = span.before?;
                Some(Base {
                    value: self.of(&Sums::of(&totals(&before, reversals)))?,
                    label: look.texts().previous_days(snapshot.sales_days),
                })
            }),
            source: Source::Warehouse,
            as_of: sales.and_then(|view| view.as_of),
            arrived: snapshot.sales.arrived,
            trend: span.map_or_else(Vec::new, |span| {
                span.days.iter().map(|(_, totals)| self.point(totals)).collect()
            }),
        }
    }
}

/// Sums of a day that metrics are made from.
struct Sums {
    totals: Totals,
    buyers: i64,
    visits: Visits,
}

impl Sums {
    /// Of money and orders alone.
    fn of(totals: &Totals) -> Self {
        Self {
            totals: *totals,
            buyers: 0,
            visits: Visits::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_distinct() {
        let mut ids: Vec<&str> = Metric::ALL.iter().map(|metric| metric.id()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), Metric::ALL.len());
    }

    #[test]
    fn pending_orders_are_on_neither_side_of_success() {
        let totals = Totals {
            orders: 90,
            failed: 10,
            open: 500,
            ..Totals::default()
        };
        assert_eq!(
            Metric::PaymentSuccess.of(&Sums::of(&totals)),
            Some(Value::Share(90, 100))
        );
    }
}
