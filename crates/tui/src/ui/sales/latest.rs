//! The latest orders.

use chrono::Datelike;
use ratatui::layout::Rect;

use super::super::frame::View;
use super::super::hit::Hit;
use super::super::layout::{Class, Panel, width_class};
use super::super::live::mix::spoken;
use super::super::pen::Pen;
use super::super::widgets::grid::{Column, Grid, select, window};
use super::{find_note, head};
use crate::format::clock;
use crate::theme::Role;

/// Colour of an order class.
pub(in super::super) fn class_role(class: &str) -> Role {
    match class {
        "recognised" => Role::Good,
        "failed" | "unmapped" => Role::Bad,
        "reversed" => Role::Warn,
        "open" => Role::Info,
        _ => Role::Muted,
    }
}

/// Draws the latest orders.
pub(in super::super) fn latest(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let texts = view.texts;
    let sales = view.data.sales.get();
    let as_of = sales.and_then(|sales| sales.as_of);
    let mut notes: Vec<_> = find_note(view, Panel::Latest).into_iter().collect();
    notes.extend(as_of.map(|at| (format!("{} {}", texts.as_of, clock(at, view.look.zone)), None)));
    let head = head(view, Panel::Latest, texts.latest_orders, notes);
    let (Some(inner), Some(sales)) = (view.frame(pen, area, head), sales) else {
        return;
    };
    let orders = crate::snapshot::sales::latest(sales, view.app.filter(Panel::Latest));
    if orders.is_empty() {
        View::nothing(pen, inner, texts.no_orders);
        return;
    }
    let wide = width_class(area.width) >= Class::Medium;
    let columns = [
        Column::left(texts.col_time, 8),
        Column::left(texts.col_order, 7),
        Column::left(texts.col_store, 10).grow(3),
        Column::right(texts.col_amount, 10),
        Column::left(texts.col_state, 10).grow(1),
        Column::left(texts.col_method, 13).grow(1).optional(1),
        Column::right(texts.col_lines, 5).optional(2),
    ];
    let count = if wide { 7 } else { 5 };
    let grid = Grid::fit(&columns[..count], inner.x, inner.width);
    let headed = inner.height >= 8;
    if headed {
        grid.head(pen, inner.y, &columns[..count]);
    }
    let top = inner.y + u16::from(headed);
    let today = view.now.with_timezone(&view.look.zone).date_naive();
    let scrolled = view.app.scrolled(Panel::Latest).min(orders.len() - 1);
    let (shown, _) = window(orders.len(), inner.bottom().saturating_sub(top), scrolled);
    let focused = view.app.focused() == Some(Panel::Latest);
    for (y, index) in (top..).zip(shown) {
        let order = orders[index];
        let (text, strong, muted) = (
            pen.style(Role::Text),
            pen.style(Role::Strong),
            pen.style(Role::Muted),
        );
        let class = pen.style(class_role(&order.class));
        let local = order.ordered_at.with_timezone(&view.look.zone).date_naive();
        let when = if local.num_days_from_ce() == today.num_days_from_ce() {
            clock(order.ordered_at, view.look.zone)
        } else {
            texts.day_month(local)
        };
        grid.cell(pen, 0, y, &when, muted);
        grid.cell(pen, 1, y, &order.order_id.to_string(), text);
        grid.cell(pen, 2, y, &order.store, text);
        grid.cell(pen, 3, y, &view.look.amount(order.amount_cents), strong);
        grid.cell(pen, 4, y, (texts.class_word)(&order.class), class);
        grid.cell(pen, 5, y, &spoken(&order.method), muted);
        grid.cell(pen, 6, y, &order.lines.to_string(), muted);
        pen.note(
            Rect::new(inner.x, y, inner.width, 1),
            Hit::Row(Panel::Latest, index),
        );
        if focused && index == scrolled {
            let x = inner.x.saturating_sub(1);
            select(pen, Rect::new(x, y, inner.width + (inner.x - x), 1), y);
        }
    }
}
