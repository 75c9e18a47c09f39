//! Regions of the range: where the goods go.

use instashop_core::view::RegionSales;
use ratatui::layout::Rect;

use super::super::frame::View;
use super::super::layout::Panel;
use super::super::live::lists::change;
use super::super::pen::Pen;
use super::super::widgets::bars::bar;
use super::super::widgets::grid::{Column, Grid, window};
use super::{find_note, head};
use crate::snapshot::sales::Span;
use crate::text::clean;
use crate::theme::Role;

/// The region of an address that names none; it is in no share that is known.
const UNKNOWN: &str = "unknown";

/// Draws the regions, the unknown one last.
pub(in super::super) fn regions(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let marks = view.look.marks();
    let sales = view.data.sales.get();
    let all = sales.map_or(&[][..], |sales| &sales.regions);
    let orders: i64 = all.iter().map(|row| row.orders).sum();
    let nowhere = all.iter().filter(|row| row.region == UNKNOWN);
    let nowhere: i64 = nowhere.map(|row| row.orders).sum();
    let mut notes: Vec<_> = find_note(view, Panel::Regions).into_iter().collect();
    if orders > 0 {
        let known = marks.percent(orders - nowhere, orders, 0);
        notes.push((format!("{} {known}", view.texts.known), None));
    }
    let head = head(view, Panel::Regions, view.texts.regions, notes);
    let (Some(inner), Some(sales)) = (view.frame(pen, area, head), sales) else {
        return;
    };
    let total: i64 = all.iter().map(|row| row.revenue_cents).sum();
    if total == 0 {
        View::nothing(pen, inner, view.texts.no_orders);
        return;
    }
    let compared = Span::of(sales, view.app.days()).before.is_some();
    let find = view.app.filter(Panel::Regions).to_lowercase();
    let (unknown, rows): (Vec<_>, Vec<_>) = all
        .iter()
        .filter(|row| clean(&row.region).to_lowercase().contains(&find))
        .partition(|row| row.region == UNKNOWN);
    let columns = [
        Column::left("", 12),
        Column::left("", 4).grow(1),
        Column::right("", 4),
        Column::right("", 7).optional(2),
        Column::left("", 8).optional(1),
    ];
    let count = if compared { 5 } else { 4 };
    let grid = Grid::fit(&columns[..count], inner.x, inner.width);
    let most = all.iter().map(|row| row.revenue_cents).max().unwrap_or(0);
    // Those that do not fit are gathered before the unknown one, which is always said.
    let room = usize::from(inner.height).saturating_sub(unknown.len());
    let listed = if rows.len() > room {
        room.saturating_sub(1)
    } else {
        room
    };
    let (shown, _) = window(rows.len(), listed as u16, view.app.scrolled(Panel::Regions));
    let (muted, strong) = (pen.style(Role::Muted), pen.style(Role::Strong));
    let text = pen.style(Role::Text);
    let line = |pen: &mut Pen<'_>, y: u16, row: &RegionSales| {
        let is_unknown = row.region == UNKNOWN;
        let (name, style, role) = if is_unknown {
            (view.texts.unknown, muted, Role::Muted)
        } else {
            (row.region.as_str(), text, Role::Accent)
        };
        grid.cell(pen, 0, y, name, style);
        if let Some((x, wide)) = grid.place(1) {
            bar(pen, x, y, wide, row.revenue_cents, most, role);
        }
        grid.cell(pen, 2, y, &marks.percent(row.revenue_cents, total, 0), strong);
        grid.cell(pen, 3, y, &marks.list_money(row.revenue_cents), muted);
        if compared {
            change(view, pen, &grid, 4, y, row.revenue_cents, row.before_cents);
        }
    };
    let mut y = inner.y;
    let left = rows.len() - shown.len();
    let mut other: i64 = rows.iter().map(|row| row.revenue_cents).sum();
    for row in &rows[shown] {
        other -= row.revenue_cents;
        line(pen, y, row);
        y += 1;
    }
    if left > 0 {
        grid.cell(pen, 0, y, &format!("{} {left}", view.texts.other), muted);
        grid.cell(pen, 2, y, &marks.percent(other, total, 0), muted);
        grid.cell(pen, 3, y, &marks.list_money(other), muted);
        y += 1;
    }
    for row in unknown {
        line(pen, y, row);
    }
}
