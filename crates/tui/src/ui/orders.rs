//! The orders behind a number, and the lines of one.

use instashop_core::view::{OrderList, OrdersOf};
use ratatui::layout::Rect;

use super::frame::View;
use super::hit::Hit;
use super::live::mix::spoken;
use super::pen::Pen;
use super::sales::latest::class_role;
use super::widgets::grid::{Column, Grid, select, window};
use super::widgets::rule::{Rule, rule};
use crate::format::clock;
use crate::theme::Role;

/// Draws the page; `at` is the selected order.
pub(super) fn orders(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, of: &OrdersOf, at: usize) {
    let texts = view.texts;
    let what = match of {
        OrdersOf::Method(name) | OrdersOf::Category(name) => spoken(name),
        OrdersOf::Product(id) | OrdersOf::Buyer(id) | OrdersOf::Order(id) => format!("#{id}"),
    };
    let title = format!("{}: {what}", texts.orders_title);
    let found = view
        .data
        .orders
        .as_ref()
        .filter(|part| part.of == *of && part.ask == view.app.orders_ask());
    let list = found.and_then(|part| part.part.get());
    let count = list.map_or_else(String::new, |list| {
        let most = if list.orders.len() == 300 { "+" } else { "" };
        format!("{}{most} · ◆", list.orders.len())
    });
    let head = Rule {
        title: &title,
        notes: vec![(texts.esc_closes.into(), None), (count, None)],
        focused: true,
        ..Rule::default()
    };
    let inner = rule(pen, area, &head);
    let inner = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let Some(list) = list else {
        View::nothing(pen, inner, "···");
        return;
    };
    if list.orders.is_empty() {
        View::nothing(pen, inner, texts.no_orders);
        return;
    }
    match of {
        OrdersOf::Order(_) => lines(view, pen, inner, list),
        _ => rows(view, pen, inner, list, at),
    }
}

fn rows(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, list: &OrderList, at: usize) {
    let texts = view.texts;
    let columns = [
        Column::left(texts.col_time, 15),
        Column::right(texts.col_order, 9),
        Column::left(texts.col_store, 12).grow(1),
        Column::right(texts.col_amount, 11),
        Column::left(texts.col_state, 10),
        Column::left(texts.col_method, 13).optional(1),
        Column::right(texts.col_lines, 5).optional(2),
    ];
    let grid = Grid::fit(&columns, area.x + 1, area.width.saturating_sub(1).min(110));
    grid.head(pen, area.y, &columns);
    let at = at.min(list.orders.len() - 1);
    let (shown, _) = window(list.orders.len(), area.height.saturating_sub(1), at);
    for (y, index) in (area.y + 1..).zip(shown) {
        let order = &list.orders[index];
        let (text, strong, muted) = (
            pen.style(Role::Text),
            pen.style(Role::Strong),
            pen.style(Role::Muted),
        );
        let class = pen.style(class_role(&order.class));
        let day = texts.day_month(order.ordered_at.with_timezone(&view.look.zone).date_naive());
        let when = format!("{day} {}", clock(order.ordered_at, view.look.zone));
        grid.cell(pen, 0, y, &when, muted);
        grid.cell(pen, 1, y, &order.order_id.to_string(), text);
        grid.cell(pen, 2, y, &order.store, text);
        grid.cell(pen, 3, y, &view.look.amount(order.amount_cents), strong);
        grid.cell(pen, 4, y, (texts.class_word)(&order.class), class);
        grid.cell(pen, 5, y, &spoken(&order.method), muted);
        grid.cell(pen, 6, y, &order.lines.to_string(), muted);
        pen.note(Rect::new(area.x, y, area.width, 1), Hit::Line(index));
        if index == at {
            select(pen, Rect::new(area.x, y, area.width, 1), y);
        }
    }
}

fn lines(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, list: &OrderList) {
    let texts = view.texts;
    rows(view, pen, Rect { height: 2, ..area }, list, 0);
    let columns = [
        Column::left(texts.col_product, 20).grow(1),
        Column::left(texts.col_category, 14),
        Column::right(texts.col_units, 7),
        Column::right(texts.col_revenue, 12),
    ];
    let grid = Grid::fit(&columns, area.x + 1, area.width.saturating_sub(1).min(110));
    let top = area.y + 3;
    if top >= area.bottom() {
        return;
    }
    grid.head(pen, top, &columns);
    for (y, line) in (top + 1..area.bottom()).zip(&list.lines) {
        let (text, strong, muted) = (
            pen.style(Role::Text),
            pen.style(Role::Strong),
            pen.style(Role::Muted),
        );
        grid.cell(pen, 0, y, &line.product, text);
        grid.cell(pen, 1, y, &line.category, muted);
        grid.cell(pen, 2, y, &view.look.marks().count(line.units), text);
        let amount = line
            .cents
            .map_or_else(|| "—".to_owned(), |cents| view.look.amount(cents));
        grid.cell(pen, 3, y, &amount, strong);
    }
}
