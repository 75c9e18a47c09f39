//! Payment outcomes by method, and behaviour by event type.

use instashop_core::view::PaymentMethod;
use ratatui::layout::Rect;

use super::super::frame::{Head, View};
use super::super::layout::Panel;
use super::super::pen::Pen;
use super::super::widgets::bars::bar;
use super::super::widgets::grid::{Column, Grid, window};
use super::doing::{last_paid, methods_down};
use crate::reading::{SMALL_SAMPLE, Source};
use crate::snapshot::{Condition, StoreName};
use crate::text;
use crate::theme::Role;

/// A name of a source with blanks instead of underscores.
pub(in super::super) fn spoken(name: &str) -> String {
    text::clean(name).replace('_', " ")
}

/// Success below the mean by more than this many per mille of the attempts is marked.
const WEAK_PER_MILLE: i64 = 50;

struct Outcome<'p> {
    method: &'p PaymentMethod,
    attempts: i64,
    weak: bool,
    small: bool,
    is_down: bool,
}

fn outcomes<'p>(payments: &'p [PaymentMethod], down: &[String]) -> Vec<Outcome<'p>> {
    let (paid, failed) = payments.iter().fold((0, 0), |(paid, failed), method| {
        (paid + method.paid, failed + method.failed)
    });
    let mean = 1000 * paid / (paid + failed).max(1);
    let mut rows: Vec<Outcome<'p>> = payments
        .iter()
        .map(|method| {
            let attempts = method.paid + method.failed;
            let success = 1000 * method.paid / attempts.max(1);
            Outcome {
                method,
                attempts,
                weak: attempts >= SMALL_SAMPLE && success + WEAK_PER_MILLE < mean,
                small: attempts < SMALL_SAMPLE,
                is_down: down.contains(&method.method),
            }
        })
        .collect();
    rows.sort_by(|a, b| {
        b.attempts
            .cmp(&a.attempts)
            .then_with(|| a.method.method.cmp(&b.method.method))
    });
    rows
}

/// Draws payment outcomes: success by method, or the share of revenue.
pub(in super::super) fn payments(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let today = view.data.today(view.now, view.look.zone);
    let by_revenue = view.app.display(Panel::Payments) == 1;
    let condition = match &today {
        Some(today) if today.current => Condition::Live,
        _ => view.data.live_condition(view.now),
    };
    let head = Head {
        panel: Panel::Payments,
        title: view.texts.payments_today,
        marks: today.as_ref().map_or("●", |today| today.source.mark()),
        notes: notes(view, by_revenue),
        condition,
        store: StoreName::Redis,
    };
    let (Some(inner), Some(today)) = (view.frame(pen, area, head), today) else {
        return;
    };
    let rows = outcomes(today.payments, &methods_down(view));
    if rows.is_empty() {
        View::nothing(pen, inner, view.texts.no_attempts);
        return;
    }
    let revenue: i64 = today.payments.iter().map(|method| method.revenue_cents).sum();
    let across = if rows.len() > usize::from(inner.height) && inner.width >= 44 {
        2
    } else {
        1
    };
    let wide = inner.width / across;
    let room = inner.height * across;
    let (shown, _) = window(rows.len(), room, view.app.scrolled(Panel::Payments));
    for (index, row) in rows[shown].iter().enumerate() {
        let column = index as u16 / inner.height.max(1);
        let y = inner.y + index as u16 % inner.height.max(1);
        let place = Rect::new(
            inner.x + column * wide,
            y,
            wide - u16::from(across > 1 && column == 0),
            1,
        );
        payment(view, pen, place, row, by_revenue.then_some(revenue));
    }
}

/// What the bars say, and the orders of today that are in no revenue, so that nobody wonders where they are. A status that
/// no map knows comes first.
fn notes(view: &View<'_>, by_revenue: bool) -> Vec<(String, Option<Role>)> {
    let texts = view.texts;
    let mut notes = Vec::new();
    let totals = view
        .data
        .today(view.now, view.look.zone)
        .map(|today| today.totals);
    let count = |name: &str, orders: i64| format!("{name} {}", view.look.marks().list_count(orders));
    if let Some(totals) = totals.filter(|totals| totals.unmapped > 0) {
        let words = format!("{} !", count(texts.class_unmapped, totals.unmapped));
        notes.push((words, Some(Role::Bad)));
    }
    let what = if by_revenue {
        texts.share_of_revenue
    } else {
        texts.success_note
    };
    notes.push((what.into(), None));
    if let Some(totals) = totals {
        let classes = [
            (texts.class_open, totals.open),
            (texts.class_cancelled, totals.cancelled),
            (texts.class_reversed, totals.reversed),
        ];
        notes.extend(classes.map(|(name, orders)| (count(name, orders), None)));
    }
    notes
}

fn payment(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, row: &Outcome<'_>, revenue: Option<i64>) {
    let marks = view.look.marks();
    let columns = [
        Column::left("", if area.width >= 44 { 13 } else { 11 }),
        Column::left("", 4).grow(1),
        Column::right("", 6),
        Column::left("", 1),
        Column::right("", 13).optional(2),
        Column::right("", 6).optional(1),
    ];
    let grid = Grid::fit(&columns, area.x, area.width);
    let (name, value) = (
        pen.style(Role::Text),
        pen.style(if row.small { Role::Muted } else { Role::Strong }),
    );
    let (muted, bad) = (pen.style(Role::Muted), pen.style(Role::Bad));
    grid.cell(pen, 0, area.y, &spoken(&row.method.method), name);
    let (part, whole, shown) = match revenue {
        Some(revenue) => {
            let shown = marks.percent(row.method.revenue_cents, revenue, 1);
            (row.method.revenue_cents, revenue, shown)
        }
        None => (
            row.method.paid,
            row.attempts,
            marks.percent(row.method.paid, row.attempts, 1),
        ),
    };
    if let Some((x, wide)) = grid.place(1) {
        bar(
            pen,
            x,
            area.y,
            wide,
            part,
            whole,
            if row.weak { Role::Bad } else { Role::Accent },
        );
    }
    grid.cell(pen, 2, area.y, &shown, if row.weak { bad } else { value });
    if row.weak {
        grid.cell(pen, 3, area.y, "!", bad);
    }
    let count = match revenue {
        Some(_) => marks.list_money(row.method.revenue_cents),
        None if row.small => format!("n={}", row.attempts),
        None => format!(
            "{}/{}",
            marks.list_count(row.method.paid),
            marks.list_count(row.attempts)
        ),
    };
    grid.cell(pen, 4, area.y, &count, muted);
    if row.method.paid > 0
        && let Some((_, words)) = last_paid(view, &row.method.method)
    {
        let is_down = row.is_down;
        let words = if is_down { format!("{words}!") } else { words };
        grid.cell(pen, 5, area.y, &words, if is_down { bad } else { muted });
    }
}

/// Draws behaviour of today: events by type.
pub(in super::super) fn behaviour(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let events = view.data.behaviour();
    let wide = area.width >= 44;
    let head = Head {
        panel: Panel::Behaviour,
        title: view.texts.behaviour_today,
        marks: Source::Live.mark(),
        notes: vec![(
            if wide {
                view.texts.events_and_sessions
            } else {
                view.texts.events
            }
            .into(),
            None,
        )],
        condition: view.data.live_condition(view.now),
        store: StoreName::Redis,
    };
    let Some(inner) = view.frame(pen, area, head) else {
        return;
    };
    if events.is_empty() {
        View::nothing(pen, inner, view.texts.no_events);
        return;
    }
    let columns = [
        Column::left("", if wide { 14 } else { 12 }),
        Column::left("", 4).grow(1),
        Column::right("", 6),
        Column::right("", 6).optional(1),
    ];
    let grid = Grid::fit(&columns[..if wide { 4 } else { 3 }], inner.x, inner.width);
    let most = events.iter().map(|row| row.events).max().unwrap_or(0);
    let (shown, _) = window(events.len(), inner.height, view.app.scrolled(Panel::Behaviour));
    let marks = view.look.marks();
    for (y, row) in (inner.y..).zip(&events[shown]) {
        let (name, strong, muted) = (
            pen.style(Role::Text),
            pen.style(Role::Strong),
            pen.style(Role::Muted),
        );
        grid.cell(pen, 0, y, &spoken(&row.event_type), name);
        if let Some((x, wide)) = grid.place(1) {
            bar(pen, x, y, wide, row.events, most, Role::S2);
        }
        grid.cell(pen, 2, y, &marks.list_count(row.events), strong);
        grid.cell(pen, 3, y, &marks.list_count(row.sessions), muted);
    }
}
