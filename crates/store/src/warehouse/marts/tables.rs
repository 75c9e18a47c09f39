//! The facts and marts, and the statements that keep them.

use super::daily::Step;

/// A table of facts: what is recomputed together, and what tells two rows apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fact {
    pub(super) name: &'static str,
    /// Column that a refresh asks for; every window of the view is cut by it.
    pub(super) touched: &'static str,
    /// Condition under which `v` (fresh) and `f` (stored) are the same row.
    same: &'static str,
    /// What is given back of a row that was removed or added.
    returning: &'static str,
}

pub(super) const ORDERS: Fact = Fact {
    name: "order_facts",
    touched: "buyer_key",
    same: "v.order_id = f.order_id",
    returning: "order_id, actor, order_day, reversal_day, store_id",
};

pub(super) const LINES: Fact = Fact {
    name: "order_line_facts",
    touched: "order_id",
    same: "v.order_id = f.order_id AND coalesce(v.line_id, 0) = coalesce(f.line_id, 0)",
    returning: "order_day, store_id, product_id",
};

pub(super) const VISIT_EVENTS: Fact = Fact {
    name: "visit_event_facts",
    touched: "actor",
    same: "v.src = f.src AND v.id = f.id",
    returning: "day, product_id",
};

pub(super) const VISITS: Fact = Fact {
    name: "visit_facts",
    touched: "actor",
    same: "v.visit = f.visit",
    returning: "day, store_id",
};

pub(super) const SHIPMENTS: Fact = Fact {
    name: "shipment_facts",
    touched: "shipment_id",
    same: "v.shipment_id = f.shipment_id",
    returning: "due_day, shipping_method",
};

impl Fact {
    /// Each after those it is computed from.
    pub(super) const ALL: [Self; 5] = [ORDERS, LINES, VISIT_EVENTS, VISITS, SHIPMENTS];

    /// Removes what is not so any more; `$1` is the array of touched keys.
    pub(super) fn remove(&self) -> String {
        let Self {
            name,
            touched,
            same,
            returning,
        } = self;
        let returning = qualified(returning);
        format!(
            "WITH fresh AS MATERIALIZED (SELECT * FROM marts.{name}_v v WHERE v.{touched} = ANY($1))
             DELETE FROM marts.{name} f WHERE f.{touched} = ANY($1) AND NOT EXISTS (
               SELECT 1 FROM fresh v WHERE {same} AND ROW(v.*) IS NOT DISTINCT FROM ROW(f.*))
             RETURNING {returning}"
        )
    }

    /// Adds what is not there yet; after [`Self::remove`] with the same keys.
    pub(super) fn add(&self) -> String {
        let Self {
            name,
            touched,
            same,
            returning,
        } = self;
        let returning = qualified(returning);
        format!(
            "INSERT INTO marts.{name} AS f SELECT v.* FROM marts.{name}_v v WHERE v.{touched} = ANY($1) AND NOT EXISTS (
               SELECT 1 FROM marts.{name} f WHERE f.{touched} = ANY($1) AND {same})
             RETURNING {returning}"
        )
    }
}

fn qualified(columns: &str) -> String {
    let columns: Vec<String> = columns.split(", ").map(|column| format!("f.{column}")).collect();
    columns.join(", ")
}

/// A mart that is kept by key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mart {
    pub(super) name: &'static str,
    /// Condition on the columns of the key, with `$1` and perhaps `$2`.
    key: &'static str,
}

pub(super) const DAILY_METRICS: Mart = by_day_and_store("daily_metrics");
pub(super) const SALES_BY_CATEGORY: Mart = by_day_and_store("sales_by_category");
pub(super) const SALES_BY_REGION: Mart = by_day_and_store("sales_by_region");
pub(super) const PAYMENT_METHODS: Mart = by_day_and_store("payment_methods");
pub(super) const FUNNEL: Mart = by_day_and_store("funnel");
pub(super) const SESSION_OUTCOME: Mart = by_day_and_store("session_outcome");
pub(super) const PRODUCT_METRICS: Mart = Mart {
    name: "product_metrics",
    key: "day = $1 AND product_id = $2",
};
pub(super) const INVENTORY_HEALTH: Mart = Mart {
    name: "inventory_health",
    key: "stock_id = $1",
};
pub(super) const SHIPMENT_PERFORMANCE: Mart = Mart {
    name: "shipment_performance",
    key: "due_day = $1 AND shipping_method = $2",
};

const fn by_day_and_store(name: &'static str) -> Mart {
    Mart {
        name,
        key: "day = $1 AND store_id = $2",
    }
}

impl Mart {
    /// Kept by key.
    pub(super) const BY_KEY: [Self; 9] = [
        DAILY_METRICS,
        PRODUCT_METRICS,
        SALES_BY_CATEGORY,
        SALES_BY_REGION,
        PAYMENT_METHODS,
        FUNNEL,
        SESSION_OUTCOME,
        INVENTORY_HEALTH,
        SHIPMENT_PERFORMANCE,
    ];

    /// Removes the rows of a key.
    pub(super) fn remove(&self) -> String {
        format!("DELETE FROM marts.{} WHERE {}", self.name, self.key)
    }

    /// Adds the rows of a key.
    pub(super) fn add(&self) -> String {
        let Self { name, key } = self;
        format!("INSERT INTO marts.{name} SELECT * FROM marts.{name}_v WHERE {key}")
    }
}

/// Marts that are computed as a whole, each after those it reads. Stock health is here too: its means move with the clock.
pub(super) const AS_A_WHOLE: [&str; 7] = [
    "inventory_health",
    "cohort_retention",
    "buyer_clv",
    "rfm",
    "store_scorecard",
    "mrr_movements",
    "product_pairs",
];

/// Removes every row.
pub(super) fn remove_all(name: &str) -> String {
    format!("DELETE FROM marts.{name}")
}

/// Adds every row.
pub(super) fn add_all(name: &str) -> String {
    format!("INSERT INTO marts.{name} SELECT * FROM marts.{name}_v")
}

/// A table whose rows of one business day the daily run computes anew.
#[derive(Debug, Clone, Copy)]
pub(super) struct DayTable {
    pub(super) name: &'static str,
    pub(super) step: Step,
    /// The key besides the day.
    key: &'static [&'static str],
    /// True when the refresher keeps it too, so that a difference is one it overlooked.
    pub(super) is_kept: bool,
}

/// The tables, in the order of the steps.
pub(super) const DAY_TABLES: [DayTable; 11] = [
    day_table("data_quality", Step::Clean, &["issue"], false),
    day_table("daily_metrics", Step::DailyMetrics, &["store_id"], true),
    day_table(
        "sales_by_category",
        Step::DailyMetrics,
        &["store_id", "category"],
        true,
    ),
    day_table(
        "sales_by_region",
        Step::DailyMetrics,
        &["store_id", "region"],
        true,
    ),
    day_table(
        "payment_methods",
        Step::DailyMetrics,
        &["store_id", "payment_method"],
        true,
    ),
    day_table("product_metrics", Step::ProductMetrics, &["product_id"], true),
    day_table("funnel", Step::Conversion, &["store_id", "step"], true),
    day_table(
        "session_outcome",
        Step::Conversion,
        &["store_id", "outcome"],
        true,
    ),
    day_table("kpi_daily", Step::Snapshot, &["metric"], false),
    day_table("store_summaries", Step::Summaries, &["store_id"], false),
    day_table("anomalies", Step::Anomalies, &["store_id", "metric"], false),
];

const fn day_table(name: &'static str, step: Step, key: &'static [&'static str], is_kept: bool) -> DayTable {
    DayTable {
        name,
        step,
        key,
        is_kept,
    }
}

impl DayTable {
    fn same(&self) -> String {
        let equal: Vec<String> = self
            .key
            .iter()
            .map(|column| format!("v.{column} = f.{column}"))
            .collect();
        equal.join(" AND ")
    }

    /// Removes what is not so any more; `$1` is the day.
    pub(super) fn remove(&self) -> String {
        let (name, same) = (self.name, self.same());
        format!(
            "WITH fresh AS MATERIALIZED (SELECT * FROM marts.{name}_v v WHERE v.day = $1)
             DELETE FROM marts.{name} f WHERE f.day = $1 AND NOT EXISTS (
               SELECT 1 FROM fresh v WHERE {same} AND ROW(v.*) IS NOT DISTINCT FROM ROW(f.*))"
        )
    }

    /// Adds what is not there yet; after [`Self::remove`].
    pub(super) fn add(&self) -> String {
        let (name, same) = (self.name, self.same());
        format!(
            "INSERT INTO marts.{name} SELECT v.* FROM marts.{name}_v v WHERE v.day = $1 AND NOT EXISTS (
               SELECT 1 FROM marts.{name} f WHERE f.day = $1 AND {same})"
        )
    }

    /// How many rows the day has.
    pub(super) fn count(&self) -> String {
        format!("SELECT count(*) FROM marts.{} WHERE day = $1", self.name)
    }
}
