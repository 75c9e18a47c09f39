//! Revenue by day.

use instashop_core::view::Totals;
use ratatui::layout::Rect;

use super::super::chart;
use super::super::frame::View;
use super::super::layout::Panel;
use super::super::pen::Pen;
use super::head;
use crate::courses;
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
    let mut head = head(view, Panel::Trend, title, notes);
    if courses::today_of_redis(view.app).is_some() {
        head.marks = "●◆";
    }
    let (Some(inner), Some(span)) = (view.frame(pen, area, head), span) else {
        return;
    };
    if span.days.is_empty() {
        View::nothing(pen, inner, view.texts.no_orders);
        return;
    }
    let Some(mut course) = courses::of(view.app, Panel::Trend) else {
        return;
    };
    if area.width < 100 {
        // The dots need air.
        course.lines.retain(|line| !line.dotted);
    }
    chart::course(view, pen, inner, Panel::Trend, &course);
}
