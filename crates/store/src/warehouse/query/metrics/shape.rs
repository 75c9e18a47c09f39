//! The columns of the semantic views, besides the value that bears the id of the metric.

/// Whose values the rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stores {
    /// Of the platform; there is no store.
    None,
    /// Of each store, and of the platform in rows with store 0.
    AndPlatform,
    /// Of each store; the platform is all of them.
    Each,
    /// Of things that belong to a store: the key tells them apart.
    OfKey,
}

/// How several rows become one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Merge {
    /// As the additivity of the metric says.
    Value,
    /// By the sums above and below the line.
    Ratio(&'static str, &'static str),
    /// As the part of a key in the sum over all keys.
    Share(&'static str),
    /// Not: the parts of the ratio are not there, or it is a word.
    Never,
}

/// A semantic view.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) day: Option<&'static str>,
    pub(super) stores: Stores,
    pub(super) keys: &'static [&'static str],
    pub(super) merge: Merge,
    /// True when the value is a word.
    is_word: bool,
}

const fn of_now(stores: Stores, keys: &'static [&'static str]) -> Shape {
    Shape {
        day: None,
        stores,
        keys,
        merge: Merge::Value,
        is_word: false,
    }
}

const fn daily(stores: Stores, keys: &'static [&'static str]) -> Shape {
    Shape {
        day: Some("day"),
        ..of_now(stores, keys)
    }
}

impl Shape {
    const fn merged(self, merge: Merge) -> Self {
        Self { merge, ..self }
    }

    const fn word(self) -> Self {
        Self {
            is_word: true,
            ..self.merged(Merge::Never)
        }
    }

    const fn due(self) -> Self {
        Self {
            day: Some("due_day"),
            ..self
        }
    }

    /// The rows asked for: day, keys, value as number, value as word, part, whole. `$1`, `$2`: first and last day; `$3`:
    /// store or NULL; `$4`: most rows.
    pub(super) fn sql(&self, id: &str) -> String {
        let day = self
            .day
            .map_or_else(|| "NULL::date".to_owned(), |day| format!("v.{day}"));
        let keys: Vec<String> = self.keys.iter().map(|key| format!("v.{key}::text")).collect();
        let (number, word) = if self.is_word {
            ("NULL::numeric".to_owned(), format!("v.{id}::text"))
        } else {
            // A quotient may have more digits than a decimal of this program.
            (format!("round(v.{id}::numeric, 12)"), "NULL::text".to_owned())
        };
        let (part, whole) = match self.merge {
            Merge::Ratio(part, whole) => (format!("({part})::numeric"), format!("({whole})::numeric")),
            Merge::Share(part) => (format!("({part})::numeric"), "NULL::numeric".to_owned()),
            Merge::Value | Merge::Never => ("NULL::numeric".to_owned(), "NULL::numeric".to_owned()),
        };
        let dated = self.day.map_or_else(
            || "$1::date IS NULL AND $2::date IS NULL".to_owned(),
            |day| format!("v.{day} BETWEEN $1::date AND $2::date"),
        );
        let of_store = match self.stores {
            Stores::None => "$3::bigint IS NULL",
            Stores::AndPlatform => "v.store_id = coalesce($3::bigint, 0)",
            Stores::Each | Stores::OfKey => "($3::bigint IS NULL OR v.store_id = $3::bigint)",
        };
        let keys = keys.join(", ");
        format!(
            "SELECT {day}, ARRAY[{keys}]::text[], {number}, {word}, {part}, {whole}
             FROM semantic.kpi_{id} v WHERE {dated} AND {of_store} ORDER BY 1, 2 LIMIT $4"
        )
    }
}

/// The shape of a metric's view; `None` when the warehouse has none.
pub(super) fn of(id: &str) -> Option<&'static Shape> {
    SHAPES
        .iter()
        .find(|(name, _)| *name == id)
        .map(|(_, shape)| shape)
}

use Merge::{Never, Ratio, Share};
use Stores::{AndPlatform, Each, None as Nobody, OfKey};

/// Every view of the layer, in the order of the catalogue.
pub(super) static SHAPES: &[(&str, Shape)] = &[
    ("revenue_total", of_now(AndPlatform, &[])),
    ("revenue_today", of_now(AndPlatform, &[])),
    ("revenue_30d", of_now(AndPlatform, &[])),
    ("net_revenue", daily(AndPlatform, &[])),
    ("gross_sales", daily(AndPlatform, &[])),
    ("discounts", daily(AndPlatform, &[])),
    ("aov", daily(AndPlatform, &[]).merged(Ratio("revenue", "orders"))),
    ("orders", daily(AndPlatform, &[])),
    ("attempts", daily(AndPlatform, &[])),
    ("pending", daily(AndPlatform, &[])),
    ("failed", daily(AndPlatform, &[])),
    ("max_order", daily(AndPlatform, &[])),
    ("min_order", daily(AndPlatform, &[])),
    ("growth_rate", of_now(AndPlatform, &[]).merged(Never)),
    ("gmv", daily(AndPlatform, &[])),
    ("commission", daily(AndPlatform, &[])),
    ("sales_by_category", daily(Each, &["category"])),
    (
        "payment_mix",
        daily(Each, &["payment_method"]).merged(Share("paid")),
    ),
    (
        "payment_success",
        daily(Each, &["payment_method"]).merged(Ratio("paid", "paid + failed")),
    ),
    ("revenue_at_risk", daily(Each, &["payment_method"])),
    ("gmv_concentration", of_now(Nobody, &[]).merged(Never)),
    ("sales_trend", daily(AndPlatform, &[])),
    (
        "temporal_pattern",
        of_now(Each, &["weekday", "hour"]).merged(Never),
    ),
    ("sales_by_region", daily(Each, &["region"])),
    ("top_products", of_now(OfKey, &["product_id"])),
    ("product_performance", daily(OfKey, &["product_id"])),
    ("product_views", daily(OfKey, &["product_id"])),
    ("product_conversion", daily(OfKey, &["product_id"]).merged(Never)),
    ("stock_vs_sold", of_now(OfKey, &["product_id"]).merged(Never)),
    ("top_stores", of_now(OfKey, &["store_id"])),
    ("top_buyers", of_now(Nobody, &["buyer_id"])),
    ("active_stores", of_now(Nobody, &[])),
    ("active_buyers", of_now(AndPlatform, &[])),
    ("unique_buyers_today", of_now(AndPlatform, &[])),
    ("totals", of_now(Nobody, &["what"])),
    ("new_buyers", daily(AndPlatform, &[])),
    ("returning_buyers", daily(AndPlatform, &[])),
    ("retention_rate", of_now(Nobody, &["month"]).merged(Never)),
    (
        "cohorts",
        of_now(Nobody, &["cohort_month", "month_index"]).merged(Never),
    ),
    ("ltv_store", of_now(Nobody, &[]).merged(Never)),
    ("plan_mix", of_now(Nobody, &["tier"])),
    ("mrr", of_now(Nobody, &[])),
    ("mrr_movements", of_now(Nobody, &["month", "movement"])),
    ("churn_stores", of_now(Nobody, &["month"]).merged(Never)),
    (
        "churn_buyers",
        of_now(Nobody, &[]).merged(Ratio("inactive", "buyers")),
    ),
    ("new_stores", daily(Nobody, &[])),
    ("new_users", daily(Nobody, &[])),
    ("events_by_type", daily(Each, &["event_type"])),
    ("total_events", of_now(Nobody, &[])),
    ("visits", daily(AndPlatform, &[])),
    ("visitors", daily(AndPlatform, &[])),
    ("page_views", daily(Each, &[])),
    ("bounce_rate", daily(Each, &[]).merged(Ratio("bounced", "ended"))),
    ("avg_time", daily(Each, &[]).merged(Ratio("seconds", "ended"))),
    ("outcomes", daily(Each, &["outcome"]).merged(Share("visits"))),
    (
        "conversion_rate",
        daily(AndPlatform, &[]).merged(Ratio("visits_converted", "visits")),
    ),
    (
        "events_ratio",
        daily(Each, &[]).merged(Ratio("purchases", "views")),
    ),
    ("funnel", daily(Each, &["step", "name"])),
    (
        "add_to_cart_rate",
        daily(Each, &[]).merged(Ratio("added", "viewed")),
    ),
    (
        "cart_abandonment",
        daily(Each, &[]).merged(Ratio("abandoned", "with_cart")),
    ),
    (
        "checkout_completion",
        // A store and day without any checkout event would be complete by construction.
        daily(Each, &[]).merged(Ratio(
            "CASE WHEN checkout_completion IS NOT NULL THEN completed END",
            "CASE WHEN checkout_completion IS NOT NULL THEN begun END",
        )),
    ),
    ("search", daily(Each, &["term"])),
    ("store_funnel", of_now(OfKey, &["store_id"]).merged(Never)),
    ("journey", of_now(Nobody, &["path"])),
    ("stock_status", of_now(Each, &["status"])),
    ("critical_products", of_now(Each, &[])),
    ("turnover", of_now(OfKey, &["stock_id"]).merged(Never)),
    ("days_of_stock", of_now(OfKey, &["stock_id"]).merged(Never)),
    ("dead_stock", of_now(Each, &[])),
    ("movements", daily(Each, &["reason"])),
    ("shrinkage_check", of_now(OfKey, &["product_id"])),
    ("warehouses", of_now(Each, &["warehouse_location"])),
    ("abc", of_now(OfKey, &["product_id"]).word()),
    (
        "demand_forecast",
        of_now(OfKey, &["product_id", "category", "days"]).merged(Never),
    ),
    ("shipments", daily(Nobody, &["shipping_method", "status"]).due()),
    (
        "on_time_rate",
        daily(Nobody, &["shipping_method"])
            .due()
            .merged(Ratio("on_time", "on_time + late + overdue")),
    ),
    (
        "transit_time",
        daily(Nobody, &["shipping_method"]).due().merged(Never),
    ),
    ("clv_historic", of_now(Nobody, &["buyer_id"]).merged(Never)),
    ("clv_12m", of_now(Nobody, &["buyer_id"])),
    ("segments_crm", of_now(Nobody, &["segment_id", "segment_name"])),
    ("rfm", of_now(Nobody, &["segment"])),
    ("buyer_profile", of_now(Nobody, &["buyer_id"])),
    (
        "crm_interactions",
        daily(Each, &["interaction_type", "channel", "status"]),
    ),
    ("throughput", of_now(Nobody, &["source_table"])),
    ("e2e_latency", of_now(Nobody, &["worker"])),
    ("lag", of_now(Nobody, &["worker", "topic", "partition"])),
    ("service_state", of_now(Nobody, &["kind", "name"]).word()),
    ("data_quality", daily(Nobody, &["issue"])),
    ("drift", of_now(Nobody, &["at"])),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use instashop_core::catalogue::{Additivity, Kept, Metric};

    use super::*;

    #[test]
    fn every_metric_of_the_warehouse_has_a_shape_that_fits_its_rules() {
        let named: BTreeSet<&str> = SHAPES.iter().map(|(id, _)| *id).collect();
        assert_eq!(named.len(), SHAPES.len(), "one is listed twice");
        let wanted: BTreeSet<&str> = Metric::all()
            .filter(|metric| metric.kept != Kept::Live)
            .map(|metric| metric.id)
            .collect();
        assert_eq!(named, wanted);
        for (id, shape) in SHAPES {
            let metric = Metric::by_id(id).unwrap();
            let is_ratio = metric.formula.is_ratio();
            match shape.merge {
                Merge::Ratio(..) | Merge::Share(_) => assert!(is_ratio, "{id} is no ratio"),
                Merge::Value => assert!(!is_ratio, "{id} is a ratio without its parts"),
                Merge::Never => {}
            }
            if shape.merge == Merge::Never && (shape.day.is_some() || shape.stores == Stores::Each) {
                assert_eq!(metric.adds, Additivity::Never, "{id} could be added up");
            }
        }
    }
}
