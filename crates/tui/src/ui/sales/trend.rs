//! Revenue by day.

use chrono::NaiveDate;
use instashop_core::view::Totals;
use ratatui::layout::Rect;

use super::super::frame::View;
use super::super::layout::Panel;
use super::super::live::charts::money_axis;
use super::super::pen::Pen;
use super::super::widgets::columns::{Bar, Columns, columns};
use super::head;
use crate::reading::Source;
use crate::snapshot::sales::Span;

/// Draws revenue (or orders) by day, with today hatched and the period before as dots.
pub(in super::super) fn trend(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let by_orders = view.app.display(Panel::Trend) == 1;
    let days = view.app.days();
    let sales = view.data.sales.get();
    let span = sales.map(|sales| Span::of(sales, days));
    let value = |totals: &Totals| {
        if by_orders {
            totals.orders
        } else {
            totals.revenue_cents
        }
    };
    let mut notes = Vec::new();
    if let Some(span) = &span {
        let best = span
            .days
            .iter()
            .max_by_key(|(_, totals)| value(totals))
            .filter(|(_, totals)| value(totals) > 0);
        notes.push((
            format!("{} · ▒ {}", view.texts.full_days(days), view.texts.today_so_far),
            None,
        ));
        if let Some((day, totals)) = best {
            let amount = if by_orders {
                view.look.marks().count(totals.orders)
            } else {
                view.look.short_amount(totals.revenue_cents)
            };
            notes.push((
                format!("{} {} {amount}", view.texts.best, view.texts.day_month(*day)),
                None,
            ));
        }
        if span.before.is_some() && area.width >= 100 {
            notes.push((format!("··· {}", view.texts.previous_days(days)), None));
        }
    }
    let title = if by_orders {
        view.texts.orders_by_day
    } else {
        view.texts.revenue_by_day
    };
    // Redis has the running day a second after it happened, the warehouse a minute.
    let live = view
        .data
        .today(view.now, view.look.zone)
        .filter(|today| today.current && today.source == Source::Live)
        .filter(|today| sales.is_some_and(|sales| sales.today == today.day));
    let mut head = head(view, Panel::Trend, title, notes);
    if live.is_some() {
        head.marks = "●◆";
    }
    let (Some(inner), Some(sales), Some(span)) = (view.frame(pen, area, head), sales, span) else {
        return;
    };
    if span.days.is_empty() {
        View::nothing(pen, inner, view.texts.no_orders);
        return;
    }
    let dots = span.before.is_some() && area.width >= 100;
    // The period before is laid under the range day by day, both ending at their last day.
    let shift = span.days.len() as i64 - span.days_before.len() as i64;
    let before = |index: usize| -> Option<f64> {
        let index = usize::try_from(index as i64 - shift).ok()?;
        span.days_before
            .get(index)
            .filter(|_| dots)
            .map(|(_, totals)| value(totals) as f64)
    };
    let mut bars: Vec<Bar> = span
        .days
        .iter()
        .enumerate()
        .map(|(index, (_, totals))| Bar {
            value: Some(value(totals) as f64),
            base: before(index),
            open: false,
        })
        .collect();
    bars.push(Bar {
        value: Some(value(&live.map_or(span.today, |live| live.totals)) as f64),
        base: None,
        open: true,
    });
    let step = if days > 30 {
        14
    } else if days < 8 {
        1
    } else {
        7
    };
    let dates: Vec<NaiveDate> = span
        .days
        .iter()
        .map(|(day, _)| *day)
        .chain([sales.today])
        .collect();
    let mut labels: Vec<(usize, String)> = (0..dates.len())
        .rev()
        .step_by(step)
        .map(|index| (index, view.texts.day_month(dates[index])))
        .collect();
    labels.reverse();
    let money = money_axis(view);
    let marks = view.look.marks();
    let count = move |value: f64| marks.list_count(value.round() as i64);
    let unit: &dyn Fn(f64) -> String = if by_orders { &count } else { &money };
    let chart = Columns {
        bars: &bars,
        labels: &labels,
        unit,
        apart: false,
    };
    columns(pen, inner, &chart);
}
