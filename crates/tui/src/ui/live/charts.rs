//! Revenue by minute and by hour, against the same weekday of last week.

use instashop_core::view::TrendPoint;
use ratatui::layout::Rect;

use super::super::chart;
use super::super::frame::{Head, View};
use super::super::layout::Panel;
use super::super::pen::Pen;
use crate::courses;
use crate::format::hour_minute;
use crate::reading::Source;
use crate::snapshot::StoreName;
use crate::snapshot::today::weekday;

/// Minutes and hours change places in this panel where there is room for one chart only.
pub(in super::super) fn minutes(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    if view.app.display(Panel::Minutes) == 1 && view.app.displays_of(Panel::Minutes) == 2 {
        hours(view, pen, area, Panel::Minutes);
        return;
    }
    let today = view.data.today(view.now, view.look.zone);
    let from_warehouse = today.is_some_and(|today| today.source == Source::Warehouse);
    let condition = if from_warehouse {
        crate::snapshot::Condition::Live
    } else {
        view.data.live_condition(view.now)
    };
    let day = today.map(|today| today.day);
    let has_base = day.is_some_and(|day| crate::snapshot::today::honest_base(&view.data.base, day).is_some());
    let legend = match day {
        Some(day) if has_base && !condition.is_outdated() => {
            format!(
                "— {}  ┄ {}",
                view.texts.today,
                view.texts.last_weekday(weekday(day))
            )
        }
        Some(_) if !condition.is_outdated() => format!("— {}", view.texts.no_base),
        _ => String::new(),
    };
    let title = if area.width < 60 {
        view.texts.revenue_per_minute_short
    } else {
        view.texts.revenue_per_minute
    };
    let head = Head {
        panel: Panel::Minutes,
        title,
        marks: if from_warehouse { "◆" } else { "●" },
        notes: vec![(legend, None)],
        condition,
        store: StoreName::Redis,
    };
    let (Some(inner), Some(today)) = (view.frame(pen, area, head), today) else {
        return;
    };
    if today.minutes.is_empty() {
        View::nothing(pen, inner, view.texts.no_orders);
        return;
    }
    if today
        .minutes
        .iter()
        .all(|minute| minute.totals == instashop_core::view::Totals::default())
    {
        empty(view, pen, inner, today.minutes, today.hours);
        return;
    }
    if let Some(course) = courses::of(view.app, Panel::Minutes) {
        chart::course(view, pen, inner, Panel::Minutes, &course);
    }
}

/// No orders in the last hour: says so, and when the last one was.
fn empty(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, minutes: &[TrendPoint], hours: &[TrendPoint]) {
    let zone = view.look.zone;
    let from = minutes
        .first()
        .map_or_else(String::new, |minute| hour_minute(minute.start, zone));
    let to = hour_minute(view.now, zone);
    View::nothing(pen, area, &format!("{} {from}–{to}", view.texts.no_orders_in));
    let last = hours.iter().rev().find(|hour| hour.totals.orders > 0);
    if let Some(hour) = last.filter(|_| area.height > 1) {
        let below = Rect {
            y: area.y + 1,
            height: area.height - 1,
            ..area
        };
        let words = format!("{} {}", view.texts.last_orders_at, hour_minute(hour.start, zone));
        View::nothing(pen, below, &words);
    }
}

/// Revenue by hour of today.
pub(in super::super) fn hours(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, panel: Panel) {
    let today = view.data.today(view.now, view.look.zone);
    let live = view.data.live_condition(view.now);
    let condition = match &today {
        Some(today) if today.current => crate::snapshot::Condition::Live,
        _ => live,
    };
    let base = today
        .as_ref()
        .and_then(|today| view.data.base_hours(today.day, view.look.zone));
    let mut legend = format!("█ {}  ▒ {}", view.texts.today, view.texts.so_far);
    if let Some((today, _)) = today.as_ref().zip(base) {
        legend = format!("{legend}  · {}", view.texts.last_weekday(weekday(today.day)));
    }
    let marks = match today.as_ref().map(|today| today.source) {
        Some(Source::Warehouse) => "◆",
        _ if base.is_some() => "●◆",
        _ => "●",
    };
    let title = if area.width < 54 {
        view.texts.revenue_by_hour_short
    } else {
        view.texts.revenue_by_hour
    };
    let head = Head {
        panel,
        title,
        marks,
        notes: vec![(legend, None)],
        condition,
        store: StoreName::Redis,
    };
    if let (Some(inner), Some(course)) = (view.frame(pen, area, head), courses::of(view.app, panel)) {
        chart::course(view, pen, inner, panel, &course);
    }
}
