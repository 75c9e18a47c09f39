//! Categories of the range.

use ratatui::layout::Rect;

use super::super::frame::View;
use super::super::hit::Hit;
use super::super::layout::Panel;
use super::super::live::lists::{change, order_note, remainder};
use super::super::pen::Pen;
use super::super::widgets::bars::bar;
use super::super::widgets::grid::{Column, Grid, select, window};
use super::{find_note, head};
use crate::format::divide;
use crate::snapshot::sales::{HOLES, Span, ranked};
use crate::theme::Role;

/// Draws the categories of the range.
pub(in super::super) fn ranking(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let texts = view.texts;
    let order = view.app.order(Panel::Ranking);
    let names = [
        texts.col_revenue,
        texts.col_units,
        texts.col_name,
        texts.col_orders,
    ];
    let sales = view.data.sales.get();
    let sorted = order_note(view, order, &names);
    let sorted = sorted.unwrap_or_else(|| format!("{}: {} ↓", texts.sorted_by, texts.col_revenue));
    let mut notes: Vec<_> = find_note(view, Panel::Ranking).into_iter().collect();
    notes.push((sorted, None));
    let (Some(inner), Some(sales)) = (
        view.frame(pen, area, head(view, Panel::Ranking, texts.categories, notes)),
        sales,
    ) else {
        return;
    };
    if sales.categories.is_empty() {
        View::nothing(pen, inner, texts.no_orders);
        return;
    }
    let span = Span::of(sales, view.app.days());
    let compared = span.before.is_some();
    let columns = [
        Column::left(texts.col_category, 12),
        Column::left("", 6).grow(1),
        Column::right(texts.col_share, 5).optional(2),
        Column::right(texts.col_revenue, 8),
        Column::right(texts.col_units, 7),
        Column::right(texts.col_orders, 7).optional(3),
        Column::right(texts.col_aov, 7).optional(4),
        Column::left("Δ", 8).optional(1),
    ];
    let grid = Grid::fit(
        &columns[..if compared { 8 } else { 7 }],
        inner.x + u16::from(inner.x > 1),
        inner.width,
    );
    grid.head(pen, inner.y, &columns[..if compared { 8 } else { 7 }]);
    let rows = ranked(&sales.categories, view.app.filter(Panel::Ranking), order);
    let total: i64 = sales.categories.iter().map(|row| row.revenue_cents).sum();
    let most = rows.iter().map(|row| row.revenue_cents).max().unwrap_or(0);
    let marks = view.look.marks();
    let scrolled = view.app.scrolled(Panel::Ranking);
    let (shown, _) = window(rows.len(), inner.height.saturating_sub(2), scrolled);
    let focused = view.app.focused() == Some(Panel::Ranking);
    let listed = shown.len() as u16;
    let mut other = total;
    for (y, (index, row)) in (inner.y + 1..).zip(shown.clone().zip(&rows[shown])) {
        other -= row.revenue_cents;
        let (text, strong, muted) = (
            pen.style(Role::Text),
            pen.style(Role::Strong),
            pen.style(Role::Muted),
        );
        grid.cell(pen, 0, y, &row.category, text);
        if let Some((x, wide)) = grid.place(1) {
            bar(pen, x, y, wide, row.revenue_cents, most, Role::Accent);
        }
        grid.cell(pen, 2, y, &marks.percent(row.revenue_cents, total, 0), muted);
        grid.cell(pen, 3, y, &marks.list_money(row.revenue_cents), strong);
        grid.cell(pen, 4, y, &marks.list_count(row.units), text);
        let orders = row
            .orders
            .map_or_else(|| "—".into(), |orders| marks.list_count(orders));
        grid.cell(pen, 5, y, &orders, text);
        let mean = row.orders.filter(|orders| *orders > 0);
        let mean = mean.map(|orders| divide(i128::from(row.revenue_cents), i128::from(orders)) as i64);
        grid.cell(
            pen,
            6,
            y,
            &mean.map_or_else(|| "—".into(), |mean| marks.cents(mean)),
            muted,
        );
        if compared {
            let then = sales
                .previous_categories
                .iter()
                .find(|then| then.category == row.category);
            change(
                view,
                pen,
                &grid,
                7,
                y,
                row.revenue_cents,
                then.map_or(0, |then| then.revenue_cents),
            );
        }
        pen.note(
            Rect::new(inner.x, y, inner.width, 1),
            Hit::Row(Panel::Ranking, index),
        );
        if focused && index == scrolled.min(rows.len().saturating_sub(1)) {
            let x = inner.x.saturating_sub(1);
            select(pen, Rect::new(x, y, inner.width + (inner.x - x), 1), y);
        }
    }
    let holes: i64 = sales
        .categories
        .iter()
        .filter(|row| HOLES.contains(&row.category.as_str()))
        .map(|row| row.revenue_cents)
        .sum();
    if inner.height >= 3 {
        remainder(
            view,
            pen,
            inner,
            (inner.y + 1 + listed).min(inner.bottom() - 1),
            &sales.categories,
            other - holes,
        );
    }
}
