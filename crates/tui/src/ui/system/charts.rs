//! Lag and latency of the last minutes.

use ratatui::layout::Rect;

use super::super::chart;
use super::super::frame::{Head, View};
use super::super::layout::Panel;
use super::super::pen::Pen;
use crate::courses;
use crate::snapshot::history::Figure;
use crate::snapshot::{Condition, StoreName};

fn draw(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, panel: Panel) {
    match courses::of(view.app, panel) {
        Some(course) => chart::course(view, pen, area, panel, &course),
        None => View::nothing(pen, area, view.texts.no_samples),
    }
}

/// Draws the messages both flows are behind.
pub(in super::super) fn lag(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let marks = view.look.marks();
    let live = view.data.history.live(Figure::Lag, view.now);
    let warehouse = view.data.history.warehouse(Figure::Lag, view.now);
    let now = |points: &[Option<f64>]| {
        points
            .last()
            .copied()
            .flatten()
            .map_or_else(|| "—".into(), |lag| marks.short(lag.round() as i64))
    };
    let condition = match (
        view.data.live_system_condition(view.now),
        view.data.warehouse_system_condition(view.now),
    ) {
        (_, Condition::Live | Condition::Late(_)) => Condition::Live,
        (live, _) => live,
    };
    let narrow = format!("— {}  ┄ {}", now(&live), now(&warehouse));
    let legend = format!(
        "— {} {}  ┄ {} {}",
        view.texts.redis,
        now(&live),
        view.texts.warehouse_short,
        now(&warehouse)
    );
    let head = Head {
        panel: Panel::Lag,
        title: if area.width < 45 {
            view.texts.consumer_lag_short
        } else {
            view.texts.consumer_lag
        },
        marks: "●◆",
        notes: vec![(if area.width < 45 { narrow } else { legend }, None)],
        condition,
        store: StoreName::Redis,
    };
    let Some(inner) = view.frame(pen, area, head) else {
        return;
    };
    draw(view, pen, inner, Panel::Lag);
}

/// Draws commit-to-sink latency: half and 95 of 100. Both sinks share one panel where there is room for one only.
pub(in super::super) fn latency(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, panel: Panel) {
    let switched =
        panel == Panel::Latency && view.app.display(panel) == 1 && view.app.displays_of(panel) == 2;
    let warehouse = panel == Panel::WarehouseLatency || switched;
    let history = &view.data.history;
    let course = |figure| {
        if warehouse {
            history.warehouse(figure, view.now)
        } else {
            history.live(figure, view.now)
        }
    };
    let (half, most, all) = (course(Figure::P50), course(Figure::P95), course(Figure::P99));
    let marks = view.look.marks();
    let now = |points: &[Option<f64>]| {
        points
            .last()
            .copied()
            .flatten()
            .map_or_else(|| "—".into(), |ms| marks.millis(ms.round() as u64))
    };
    let narrow = format!("— {}  ┄ {}", now(&half), now(&most));
    let legend = format!("— p50 {}  ┄ p95 {}", now(&half), now(&most));
    let texts = view.texts;
    let head = Head {
        panel,
        title: match (warehouse, area.width < 45) {
            (false, false) => texts.latency_to_redis,
            (true, false) => texts.latency_to_warehouse,
            (false, true) => texts.latency_to_redis_short,
            (true, true) => texts.latency_to_warehouse_short,
        },
        marks: if warehouse { "◆" } else { "●" },
        notes: if area.width < 45 {
            vec![(narrow, None)]
        } else {
            vec![(legend, None), (format!("p99 {}", now(&all)), None)]
        },
        condition: if warehouse {
            view.data.warehouse_system_condition(view.now)
        } else {
            view.data.live_system_condition(view.now)
        },
        store: if warehouse {
            StoreName::Warehouse
        } else {
            StoreName::Redis
        },
    };
    let Some(inner) = view.frame(pen, area, head) else {
        return;
    };
    draw(view, pen, inner, panel);
}
