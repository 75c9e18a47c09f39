//! Categories and products of today. With the rows `other`, `unclassified` and `unattributed` the categories add up to
//! revenue exactly.

use instashop_core::view::{CategorySales, ProductSales};
use ratatui::layout::Rect;

use super::super::frame::{Head, View};
use super::super::layout::Panel;
use super::super::pen::Pen;
use super::super::widgets::bars::bar;
use super::super::widgets::grid::{Column, Grid, window};
use crate::app::Order;
use crate::metrics::Metric;
use crate::reading::{Value, delta};
use crate::snapshot::sales::{HOLES, ranked};
use crate::snapshot::today::{Today, honest_base};
use crate::snapshot::{Condition, StoreName};
use crate::theme::Role;

/// Condition of a panel that the warehouse can fill as well.
fn condition(view: &View<'_>, today: Option<&Today<'_>>) -> Condition {
    match today {
        Some(today) if today.current => Condition::Live,
        _ => view.data.live_condition(view.now),
    }
}

/// A note for a panel that is sorted in another way than by revenue.
pub(in super::super) fn order_note(view: &View<'_>, order: Order, names: &[&str]) -> Option<String> {
    (order != Order::default()).then(|| {
        let arrow = if order.reversed { "↑" } else { "↓" };
        let name = names.get(order.column).copied().unwrap_or("");
        format!("{}: {name} {arrow}", view.texts.sorted_by)
    })
}

/// The last line: what is not in the rows above.
pub(in super::super) fn remainder(
    view: &View<'_>,
    pen: &mut Pen<'_>,
    area: Rect,
    y: u16,
    all: &[CategorySales],
    other_cents: i64,
) {
    let marks = view.look.marks();
    let hole = |name: &str| -> i64 {
        all.iter()
            .filter(|row| row.category == name)
            .map(|row| row.revenue_cents)
            .sum()
    };
    let gap = if area.width < 45 { " · " } else { "   " };
    let words = [
        (view.texts.other, other_cents),
        (view.texts.unclassified, hole(HOLES[0])),
        (view.texts.unattributed, hole(HOLES[1])),
    ];
    let style = pen.style(Role::Muted);
    let mut x = area.x;
    for (index, (name, cents)) in words.into_iter().enumerate() {
        let gap = if index == 0 { "" } else { gap };
        let piece = format!("{gap}{name} {}", marks.list_money(cents));
        let wide = crate::text::width(&piece) as u16;
        // The third is left out where it does not fit and is nothing anyway.
        if index > 0 && x + wide > area.right() && cents == 0 {
            continue;
        }
        x += pen.text(x, y, area.right().saturating_sub(x), &piece, style);
    }
}

/// Draws the categories of today.
pub(in super::super) fn categories(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let today = view.data.today(view.now, view.look.zone);
    let order = view.app.order(Panel::Categories);
    let bars = view.app.display(Panel::Categories) == 0;
    let base = today
        .as_ref()
        .filter(|today| today.current)
        .and_then(|today| honest_base(&view.data.base, today.day));
    let wide = area.width >= 44;
    let mut notes: Vec<(String, Option<Role>)> = Vec::new();
    let names = [view.texts.col_revenue, view.texts.col_units, view.texts.col_name];
    notes.extend(order_note(view, order, &names).map(|note| (note, None)));
    if wide {
        let share = if base.is_some() {
            view.texts.share_and_delta
        } else {
            view.texts.share
        };
        notes.push((share.into(), None));
    }
    let head = Head {
        panel: Panel::Categories,
        title: view.texts.categories_today,
        marks: today.as_ref().map_or("●", |today| today.source.mark()),
        notes,
        condition: condition(view, today.as_ref()),
        store: StoreName::Redis,
    };
    let (Some(inner), Some(today)) = (view.frame(pen, area, head), today) else {
        return;
    };
    if today.categories.is_empty() {
        View::nothing(pen, inner, view.texts.no_orders);
        return;
    }
    let rows = ranked(today.categories, "", order);
    let total: i64 = today.categories.iter().map(|row| row.revenue_cents).sum();
    let most = rows.iter().map(|row| row.revenue_cents).max().unwrap_or(0);
    let columns = [
        Column::left("", 11),
        Column::left("", 5).grow(1),
        Column::right("", 6),
        Column::right("", 4).optional(2),
        Column::left("", 8).optional(3),
    ];
    let count = if wide { 4 + usize::from(base.is_some()) } else { 3 };
    let grid = Grid::fit(&columns[..count], inner.x, inner.width);
    let (shown, _) = window(
        rows.len(),
        inner.height.saturating_sub(1),
        view.app.scrolled(Panel::Categories),
    );
    let mut other = total;
    let marks = view.look.marks();
    for (y, row) in (inner.y..).zip(&rows[shown]) {
        other -= row.revenue_cents;
        let (text, strong, muted) = (
            pen.style(Role::Text),
            pen.style(Role::Strong),
            pen.style(Role::Muted),
        );
        grid.cell(pen, 0, y, &row.category, text);
        if let Some((x, wide)) = grid.place(1) {
            if bars {
                bar(pen, x, y, wide, row.revenue_cents, most, Role::Accent);
            } else {
                let units = format!("{} u", marks.list_count(row.units));
                pen.right(x, y, wide, &units, muted);
            }
        }
        grid.cell(pen, 2, y, &marks.list_money(row.revenue_cents), strong);
        grid.cell(pen, 3, y, &marks.percent(row.revenue_cents, total, 0), muted);
        if let Some(base) = base {
            let then = base.categories.iter().find(|then| then.category == row.category);
            let then = then.map_or(0, |then| then.revenue_cents);
            change(view, pen, &grid, 4, y, row.revenue_cents, then);
        }
    }
    let holes: i64 = today
        .categories
        .iter()
        .filter(|row| HOLES.contains(&row.category.as_str()))
        .map(|row| row.revenue_cents)
        .sum();
    remainder(
        view,
        pen,
        inner,
        inner.bottom() - 1,
        today.categories,
        other - holes,
    );
}

/// A change of money in a narrow cell.
pub(in super::super) fn change(
    view: &View<'_>,
    pen: &mut Pen<'_>,
    grid: &Grid,
    column: usize,
    y: u16,
    now: i64,
    then: i64,
) {
    let moved = delta(
        Some(Value::Money(now)),
        Some(Value::Money(then)),
        Metric::SalesByCategory.higher(),
        view.look.dead_band_per_mille,
    );
    let role = match moved.good {
        Some(true) => Role::Good,
        Some(false) => Role::Bad,
        None => Role::Muted,
    };
    let style = pen.style(role);
    let text = moved.text(view.look.marks(), view.texts.new, "");
    grid.cell(pen, column, y, text.trim(), style);
}

/// Draws the best products of today.
pub(in super::super) fn products(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let today = view.data.today(view.now, view.look.zone);
    let order = view.app.order(Panel::Products);
    let mut notes: Vec<(String, Option<Role>)> = Vec::new();
    let names = [view.texts.col_revenue, view.texts.col_units, view.texts.col_name];
    notes.extend(order_note(view, order, &names).map(|note| (note, None)));
    if area.width >= 44 {
        notes.push((view.texts.units_and_revenue.into(), None));
    }
    let head = Head {
        panel: Panel::Products,
        title: view.texts.top_products_today,
        marks: today.as_ref().map_or("●", |today| today.source.mark()),
        notes,
        condition: condition(view, today.as_ref()),
        store: StoreName::Redis,
    };
    let (Some(inner), Some(today)) = (view.frame(pen, area, head), today) else {
        return;
    };
    if today.products.is_empty() {
        View::nothing(pen, inner, view.texts.no_orders);
        return;
    }
    let mut rows: Vec<&ProductSales> = today.products.iter().collect();
    match order.column {
        1 => rows.sort_by(|a, b| {
            b.units
                .cmp(&a.units)
                .then_with(|| a.product_id.cmp(&b.product_id))
        }),
        2 => rows.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.product_id.cmp(&b.product_id))),
        _ => {}
    }
    if order.reversed {
        rows.reverse();
    }
    let most = rows.iter().map(|row| row.revenue_cents).max().unwrap_or(0);
    let (shown, _) = window(rows.len(), inner.height, view.app.scrolled(Panel::Products));
    let rank = if shown.end > 9 { 2 } else { 1 };
    let wide = inner.width >= 44;
    let columns = [
        Column::right("", rank),
        Column::left("", 14).grow(if wide { 2 } else { 1 }),
        Column::right("", 6),
        Column::right("", 6),
        Column::left("", 6).grow(1).optional(1),
    ];
    let grid = Grid::fit(&columns[..if wide { 5 } else { 4 }], inner.x, inner.width);
    let marks = view.look.marks();
    let from = shown.start;
    for ((y, row), place) in (inner.y..).zip(&rows[shown]).zip(from + 1..) {
        let (text, strong, muted) = (
            pen.style(Role::Text),
            pen.style(Role::Strong),
            pen.style(Role::Muted),
        );
        let name = if row.name.is_empty() {
            format!("#{}", row.product_id)
        } else {
            row.name.clone()
        };
        grid.cell(pen, 0, y, &place.to_string(), muted);
        grid.cell(pen, 1, y, &name, text);
        grid.cell(pen, 2, y, &format!("{}u", marks.list_count(row.units)), muted);
        grid.cell(pen, 3, y, &marks.list_money(row.revenue_cents), strong);
        if let Some((x, wide)) = grid.place(4) {
            bar(pen, x, y, wide, row.revenue_cents, most, Role::S3);
        }
    }
}
