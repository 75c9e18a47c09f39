//! Revenue by minute and by hour, against the same weekday of last week.

use chrono::{TimeDelta, Timelike};
use instashop_core::view::TrendPoint;
use ratatui::layout::Rect;

use super::super::frame::{Head, View};
use super::super::layout::Panel;
use super::super::pen::Pen;
use super::super::widgets::columns::{Bar, Columns, columns};
use super::super::widgets::curve::{Curve, Series, curve};
use crate::format::hour_minute;
use crate::reading::Source;
use crate::snapshot::StoreName;
use crate::snapshot::today::weekday;
use crate::theme::Role;

/// Text of cents on an axis.
pub(in super::super) fn money_axis<'l>(view: &View<'l>) -> impl Fn(f64) -> String + 'l {
    let look = view.look;
    move |cents| {
        let cents = cents.round() as i64;
        if cents == 0 {
            "0".into()
        } else {
            look.short_amount(cents)
        }
    }
}

/// Minutes and hours change places in this panel where there is room for one chart only.
pub(in super::super) fn minutes(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    if view.app.display(Panel::Minutes) == 1 && view.app.displays_of(Panel::Minutes) == 2 {
        hours(view, pen, area, Panel::Minutes);
        return;
    }
    let condition = view.data.live_condition(view.now);
    let live = view.data.live.get();
    let day = live.map(|live| live.day);
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
        marks: "●",
        notes: vec![(legend, None)],
        condition,
        store: StoreName::Redis,
    };
    let (Some(inner), Some(live)) = (view.frame(pen, area, head), live) else {
        return;
    };
    let Some(newest) = live.minutes.last() else {
        View::nothing(pen, inner, view.texts.no_orders);
        return;
    };
    if live
        .minutes
        .iter()
        .all(|minute| minute.totals == instashop_core::view::Totals::default())
    {
        empty(view, pen, inner, &live.minutes, &live.hours);
        return;
    }
    // The time axis ends now, not at the last answer: what was not asked is a gap.
    let late = (view.now - newest.start).num_minutes().clamp(0, 60) as usize;
    let mut points: Vec<Option<f64>> = live
        .minutes
        .iter()
        .map(|minute| Some(minute.totals.revenue_cents as f64))
        .collect();
    let open = if late == 0 { points.pop().flatten() } else { None };
    points.extend(std::iter::repeat_n(None, late.saturating_sub(1)));
    let count = live.minutes.len().saturating_sub(1);
    let points = points.split_off(points.len().saturating_sub(count));
    let last = newest.start + TimeDelta::minutes(late as i64);
    let start_of = |index: usize| last - TimeDelta::minutes((points.len() - index) as i64);
    let base: Vec<Option<f64>> = (0..points.len())
        .map(|index| {
            let totals = view.data.base_minute(start_of(index), live.day, view.look.zone)?;
            Some(totals.revenue_cents as f64)
        })
        .collect();
    let step = if inner.width < 40 { 20 } else { 15 };
    let mut labels: Vec<(usize, String)> = (0..points.len())
        .rev()
        .step_by(step)
        .map(|index| (index, hour_minute(start_of(index + 1), view.look.zone)))
        .collect();
    labels.reverse();
    let mut series = Vec::new();
    if !condition.is_outdated() || has_base {
        series.push(Series {
            points: &base,
            role: Role::Prev,
            dotted: true,
        });
    }
    series.push(Series {
        points: &points,
        role: Role::Accent,
        dotted: false,
    });
    let chart = Curve {
        series,
        labels: &labels,
        unit: &money_axis(view),
        open: open.or(Some(0.0)),
        floor: 0.0,
    };
    curve(pen, inner, &chart);
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
    let (Some(inner), Some(today)) = (view.frame(pen, area, head), today) else {
        return;
    };
    let running = today.hours.last().map(|hour| hour.start);
    let mut bars = [Bar::default(); 24];
    for hour in today.hours {
        let local = hour.start.with_timezone(&view.look.zone);
        if local.date_naive() == today.day {
            let bar = &mut bars[local.hour() as usize];
            // A day on which clocks are set back has the same hour twice.
            bar.value = Some(bar.value.unwrap_or(0.0) + hour.totals.revenue_cents as f64);
            bar.open = Some(hour.start) == running;
        }
    }
    if let Some(base) = base {
        for (bar, totals) in bars.iter_mut().zip(base) {
            bar.base = Some(totals.revenue_cents as f64);
        }
    }
    let labels: Vec<(usize, String)> = (0..24)
        .step_by(3)
        .map(|hour| (hour, format!("{hour:02}")))
        .collect();
    let chart = Columns {
        bars: &bars,
        labels: &labels,
        unit: &money_axis(view),
        apart: true,
    };
    columns(pen, inner, &chart);
}
