//! The board for programs: a contract with a `schema` number, not a dump of internal structures. Fields may be added;
//! those that exist do not change their meaning. Money is decimal text, never a float.

use chrono::{DateTime, Utc};
use instashop_core::money::decimal_text;
use instashop_core::view::{DoingNow, Range, RegionSales};
use serde_json::{Map, Value, json};

use super::{Status, boards};
use crate::app::{App, Tab};
use crate::metrics::Metric;
use crate::reading::{self, Move, Source};
use crate::snapshot::pipeline::{Pipeline, Share};
use crate::snapshot::{Condition, Drift, Snapshot, StoreName, history};
use crate::text::clean;

const SCHEMA: u32 = 1;

/// The document of the visible tab.
pub(super) fn document(app: &App) -> Value {
    let (data, now) = app.shown();
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| {
        out.insert(key.into(), value);
    };
    put("schema", SCHEMA.into());
    put("tab", app.tab.name().into());
    put("at", stamp(app, now));
    put("range", range(app).into());
    let store = app.ask().store.filter(|_| crate::board::topic(app.tab).is_some());
    put(
        "scope",
        store.map_or_else(|| "all".into(), |id| format!("store {id}").into()),
    );
    put("demo", app.demo.into());
    if app.shown().0.past {
        put("as_of", stamp(app, now));
    }
    put("status", Status::of(app).word().into());
    put(
        "sources",
        json!({"redis": source(app, StoreName::Redis), "dwh": source(app, StoreName::Warehouse)}),
    );
    put("drift", drift(app));
    if let Some(failed) = app.failed_part() {
        put("error", clean(&failed.failure.text).into());
    }
    match app.tab {
        Tab::Live => {
            let all: Vec<Metric> = Metric::LIVE_TILES
                .into_iter()
                .chain(Metric::LIVE_BESIDE)
                .collect();
            put("metrics", metrics(app, &all));
            put("doing_now", data.doing().map_or(Value::Null, doing));
            put("last_paid", last_paid(app));
            if let Some(today) = data.today(now, app.look.zone) {
                put("orders_by_class", classes(&today.totals));
                put("categories", today.categories.iter().map(category).collect());
                put("products", today.products.iter().map(product).collect());
                put("payments", today.payments.iter().map(payment).collect());
            }
        }
        Tab::Sales => {
            put("metrics", metrics(app, &Metric::SALES_TILES));
            if let Some(sales) = data.sales.get() {
                put("days", sales.days.iter().map(day).collect());
                put("categories", sales.categories.iter().map(category).collect());
                put("regions", sales.regions.iter().map(region).collect());
            }
        }
        Tab::Alerts => {
            put("alerts", boards::alerts(data, now));
            put("panels", boards::panels(app));
        }
        Tab::System => {
            put("pipeline", pipeline(app, data, now));
            if let Some(proof) = data
                .warehouse_system
                .get()
                .and_then(|system| system.proof.as_ref())
            {
                put("proof", proof.lines.iter().map(proof_line).collect());
            }
        }
        _ => put("panels", boards::panels(app)),
    }
    Value::Object(out)
}

/// A time in the reporting zone, to the second.
fn stamp(app: &App, at: DateTime<Utc>) -> Value {
    at.with_timezone(&app.look.zone)
        .to_rfc3339_opts(chrono::SecondsFormat::Secs, false)
        .into()
}

fn range(app: &App) -> String {
    match app.tab {
        Tab::Live => "today".into(),
        Tab::Sales => format!("{}d", app.days()),
        Tab::System => "15m".into(),
        Tab::Inventory | Tab::Alerts => "now".into(),
        Tab::Stores => "30d".into(),
        _ => match app.ask().range {
            Range::Today => "today".into(),
            Range::Yesterday => "yesterday".into(),
            Range::Days(days) => format!("{days}d"),
        },
    }
}

/// Word of a state.
const fn word(condition: Condition) -> &'static str {
    match condition {
        Condition::Loading(_) => "loading",
        Condition::Unreachable => "disconnected",
        Condition::Live => "live",
        Condition::Lagging(..) => "lagging",
        Condition::Late(_) => "late",
        Condition::Stale(_) => "stale",
        Condition::Missing(_) => "missing",
        Condition::Rebuilding(_) => "rebuilding",
        Condition::Failed(..) => "failed",
        Condition::NotKept => "past",
    }
}

fn source(app: &App, store: StoreName) -> Value {
    let (data, now) = app.pipeline();
    let link = data.link(store);
    let condition = match store {
        StoreName::Redis => data.live_condition(now),
        StoreName::Warehouse => data.warehouse_system_condition(now),
    };
    let mut out = Map::new();
    let state = if link.down.is_some() {
        "disconnected"
    } else {
        word(condition)
    };
    out.insert("state".into(), state.into());
    out.insert("age_ms".into(), age(link.answered, now));
    if let Some(down) = &link.down {
        out.insert("error".into(), clean(&down.failure.text).into());
    }
    if let Condition::Lagging(_, behind) = condition {
        out.insert("behind_ms".into(), behind.num_milliseconds().into());
    }
    Value::Object(out)
}

fn age(at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Value {
    at.map_or(Value::Null, |at| (now - at).num_milliseconds().max(0).into())
}

fn drift(app: &App) -> Value {
    let (data, now) = app.pipeline();
    match data.drift(now) {
        Drift::Unknown => json!({"state": "unknown"}),
        Drift::Proven(proof) => json!({"state": "proven", "rows": 0, "proven_at": stamp(app, proof.at)}),
        Drift::Broken(proof) => {
            json!({"state": "broken", "rows": proof.drift, "checked_at": stamp(app, proof.at)})
        }
    }
}

fn region(row: &RegionSales) -> Value {
    json!({"region": clean(&row.region), "revenue": decimal_text(row.revenue_cents), "orders": row.orders,
           "revenue_before": decimal_text(row.before_cents)})
}

/// Counts of the last 10 minutes; visitors are those of the last 5.
fn doing(doing: &DoingNow) -> Value {
    json!({"visitors": doing.visitors, "browsing": doing.browsing, "carts": doing.carts,
           "checkouts": doing.checkouts, "purchases": doing.purchases})
}

/// The minute each method was last paid with, of those of the last hour.
fn last_paid(app: &App) -> Value {
    let live = app.shown().0.live.get();
    let paid = live.map_or(&[][..], |live| &live.last_paid);
    paid.iter()
        .map(|paid| json!({"method": clean(&paid.method), "minute": stamp(app, paid.minute)}))
        .collect()
}

fn metrics(app: &App, metrics: &[Metric]) -> Value {
    metrics.iter().map(|metric| metric_value(app, *metric)).collect()
}

fn metric_value(app: &App, metric: Metric) -> Value {
    let (data, now) = app.shown();
    let reading = metric.reading(data, &app.look, now);
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| {
        out.insert(key.into(), value);
    };
    put("id", metric.id().into());
    put("value", reading.value.map_or(Value::Null, reading::Value::json));
    let unit = match reading.value {
        _ if metric.is_money() => app.look.currency.clone(),
        Some(reading::Value::Share(..)) => "ratio".into(),
        _ => "count".into(),
    };
    put("unit", unit.into());
    if let Some(sample) = reading.value.and_then(reading::Value::sample) {
        put("sample", sample.into());
    }
    let source = match reading.source {
        Source::Live => "live",
        Source::Warehouse => "warehouse",
    };
    put("source", source.into());
    put("age_ms", age(reading.arrived, now));
    put("as_of", reading.as_of.map_or(Value::Null, |at| stamp(app, at)));
    if let Some(base) = &reading.base {
        put("base", json!({"label": base.label, "value": base.value.json()}));
    }
    let base = reading.base.as_ref().map(|base| base.value);
    let delta = reading::delta(reading.value, base, metric.higher(), app.look.dead_band_per_mille);
    let change = match delta.moved {
        Move::NoBase => None,
        Move::Same => Some(json!({"relative": 0.0})),
        Move::New => Some(json!({"new": true})),
        Move::Relative(tenths) => Some(json!({"relative": tenths as f64 / 1000.0})),
        Move::Points(tenths) => Some(json!({"points": tenths as f64 / 10.0})),
    };
    if let Some(Value::Object(mut change)) = change {
        change.insert("good".into(), delta.good.map_or(Value::Null, Value::from));
        put("delta", Value::Object(change));
    }
    Value::Object(out)
}

fn classes(totals: &instashop_core::view::Totals) -> Value {
    json!({
        "sales": totals.orders,
        "pending": totals.open,
        "failed": totals.failed,
        "cancelled": totals.cancelled,
        "reversed": totals.reversed,
        "unmapped": totals.unmapped,
    })
}

fn category(row: &instashop_core::view::CategorySales) -> Value {
    json!({
        "category": clean(&row.category),
        "revenue": decimal_text(row.revenue_cents),
        "units": row.units,
        "orders": row.orders,
    })
}

fn product(row: &instashop_core::view::ProductSales) -> Value {
    json!({
        "product_id": row.product_id,
        "name": clean(&row.name),
        "revenue": decimal_text(row.revenue_cents),
        "units": row.units,
    })
}

fn payment(row: &instashop_core::view::PaymentMethod) -> Value {
    json!({
        "method": clean(&row.method),
        "paid": row.paid,
        "failed": row.failed,
        "pending": row.open,
        "revenue": decimal_text(row.revenue_cents),
    })
}

fn day((day, totals): &(chrono::NaiveDate, instashop_core::view::Totals)) -> Value {
    json!({"day": day.to_string(), "revenue": decimal_text(totals.revenue_cents), "orders": totals.orders})
}

fn proof_line(line: &instashop_core::view::TableDrift) -> Value {
    json!({
        "name": clean(&line.name),
        "source": line.source,
        "warehouse": line.warehouse,
        "redis": (!line.live.is_empty()).then_some(&line.live),
        "drift": line.drift,
    })
}

fn pipeline(app: &App, data: &Snapshot, now: DateTime<Utc>) -> Value {
    let pipeline = Pipeline::of(data, now);
    let share = |share: Option<Share>| {
        share.map_or(Value::Null, |share| json!({"up": share.up, "known": share.known}))
    };
    let live = data.live_system.get().map(|system| &system.flow);
    let warehouse = data.warehouse_system.get().map(|system| &system.flow);
    let flow = |flow: Option<&instashop_core::view::FlowHealth>, workers: Option<Share>| {
        let sample = flow.map(|flow| history::Sample::of(flow, now));
        json!({
            "workers": share(workers),
            "lag": sample.and_then(|sample| sample.lag),
            "p50_ms": sample.and_then(|sample| sample.p50_ms),
            "p95_ms": sample.and_then(|sample| sample.p95_ms),
            "p99_ms": sample.and_then(|sample| sample.p99_ms),
        })
    };
    json!({
        "sources": share(pipeline.sources),
        "connectors": share(pipeline.connectors),
        "brokers": share(pipeline.brokers),
        "live": flow(live, pipeline.live.map(|flow| flow.workers)),
        "warehouse": flow(warehouse, pipeline.warehouse.map(|flow| flow.workers)),
        "dead_letters": warehouse.and_then(|flow| flow.dead_letters),
        "unmapped_today": data.live_system.get().map(|system| system.unmapped_today),
        "sealed": data.live_system.get().and_then(|system| system.sealed).map(|sealed| json!({
            "before": sealed.boundary, "has_left": sealed.has_left, "late": sealed.late,
            "written_at": sealed.written_at.map(|at| stamp(app, at)),
        })),
        "heartbeat_at": pipeline.heartbeat.map_or(Value::Null, |at| stamp(app, at)),
    })
}
