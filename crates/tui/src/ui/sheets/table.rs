//! Tables of sheets.

use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::super::frame::View;
use super::super::hit::Hit;
use super::super::layout::Panel;
use super::super::pen::Pen;
use super::super::widgets::grid::{Column, Grid, select, window};
use super::super::widgets::rule::{Rule, rule};
use super::super::widgets::{bars, heat, spark};
use crate::board::{self, Piece};
use crate::sheet::{Cell, Content, Row, Sheet, Table};
use crate::text::{width, wrap};
use crate::theme::Role;

/// Most spare columns that a growing column takes.
const MOST_SPARE: u16 = 28;

/// Notes of a panel: filter, order and place in the list before its own.
pub(super) fn notes(view: &View<'_>, piece: Piece, sheet: &Sheet, area: Rect) -> Vec<(String, Option<Role>)> {
    let mut notes = Vec::new();
    if let Content::Table(table) = &sheet.content {
        let panel = Panel::Of(piece);
        let find = view.app.filter(panel);
        let typing = matches!(&view.app.overlay, Some(crate::app::Overlay::Filter(open)) if *open == panel);
        if typing || !find.is_empty() {
            notes.push((
                format!("/{find}{}", if typing { "_" } else { "" }),
                Some(Role::Accent),
            ));
        }
        if table.selects && !table.sorts.is_empty() {
            let order = view.app.order(panel);
            if let Some((column, ascending)) = table.sorts.get(order.column) {
                let arrow = if *ascending == order.reversed {
                    "↓"
                } else {
                    "↑"
                };
                let title = table.columns.get(*column).map_or("", |column| column.title);
                if !title.is_empty() {
                    let title = title.to_lowercase();
                    notes.push((format!("{}: {title} {arrow}", view.texts.sorted_by), None));
                }
            }
            let shown = table.arranged(order, find).len();
            if shown > 1 {
                let at = view.app.scrolled(panel).min(shown - 1) + 1;
                notes.push((format!("{at}/{}", view.look.marks().count(shown as i64)), None));
            }
        }
    }
    // What does not fit is counted, so that nothing is cut off silently.
    if let Content::Table(table) = &sheet.content
        && !table.selects
    {
        let inner = area.height.saturating_sub(1);
        let headed = u16::from(table.is_headed() && inner >= 2);
        let foot = u16::from(!table.foot.is_empty() && inner >= 3 + headed);
        let hidden = table
            .rows
            .len()
            .saturating_sub(usize::from(inner.saturating_sub(headed + foot)));
        if hidden > 0 {
            notes.push((format!("+{hidden} ↓"), None));
        }
    }
    notes.extend(sheet.notes.iter().cloned());
    notes
}

/// Draws a table.
pub(super) fn table(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, table: &Table, piece: Piece) {
    let panel = Panel::Of(piece);
    let rows = table.arranged(view.app.order(panel), view.app.filter(panel));
    if rows.is_empty() {
        let words = if table.rows.is_empty() {
            table.empty
        } else {
            view.texts.nothing_found
        };
        super::View::nothing(pen, area, words);
        return;
    }
    let edge = if table.marked {
        3
    } else {
        u16::from(table.selects && area.x > 0)
    };
    let columns: Vec<Column<'_>> = table
        .columns
        .iter()
        .map(|column| Column {
            title: column.title,
            width: column.width,
            grow: column.grow,
            right: column.right,
            optional: column.optional,
        })
        .collect();
    // Spare room is used up to a measure: a name and its number must not stand a screen apart.
    let natural = table.columns.iter().fold(0_u16, |sum, column| {
        let spare = if column.grow == 0 {
            0
        } else {
            MOST_SPARE.max(column.width)
        };
        sum.saturating_add(column.width + spare + 1)
    });
    let grid = Grid::fit(
        &columns,
        area.x + edge,
        area.width.saturating_sub(edge).min(natural),
    );
    let headed = table.is_headed() && area.height >= 2;
    if headed {
        grid.head(pen, area.y, &columns);
    }
    let foot = u16::from(!table.foot.is_empty() && area.height >= 3 + u16::from(headed));
    let top = area.y + u16::from(headed);
    let room = area.bottom().saturating_sub(top + foot);
    let scrolled = view.app.scrolled(panel).min(rows.len() - 1);
    let (shown, _) = window(rows.len(), room, scrolled);
    let focused = view.app.focused() == Some(panel);
    let mut last = top;
    for (y, index) in (top..).zip(shown.clone()) {
        row(view, pen, &grid, table, rows[index], y, area.x);
        if table.selects {
            pen.note(Rect::new(area.x, y, area.width, 1), Hit::Row(panel, index));
        }
        if focused && table.selects && index == scrolled {
            let x = area.x.saturating_sub(1);
            select(pen, Rect::new(x, y, area.width + (area.x - x), 1), y);
        }
        last = y + 1;
    }
    if foot == 1 {
        let mut x = area.x;
        for (text, role) in &table.foot {
            let style = pen.style(*role);
            x += pen.text(
                x,
                last.min(area.bottom() - 1),
                area.right().saturating_sub(x),
                text,
                style,
            ) + 2;
        }
    }
}

fn row(view: &View<'_>, pen: &mut Pen<'_>, grid: &Grid, table: &Table, row: &Row, y: u16, left: u16) {
    if table.marked && !row.mark.is_empty() {
        let style = pen.style(if row.mark == "!!" { Role::Bad } else { Role::Warn });
        pen.text(left, y, 2, row.mark, style);
    }
    for (index, cell) in row.cells.iter().enumerate().take(table.columns.len()) {
        let Some((x, wide)) = grid.place(index) else {
            continue;
        };
        match cell {
            Cell::Bar(part, whole, role) => bars::bar(pen, x, y, wide, *part, *whole, *role),
            Cell::Trend(points) => {
                let style = pen.ink(Role::Accent);
                spark::spark(pen, x, y, wide, points, style);
            }
            Cell::Heat(value, most, text) if text.is_empty() => heat::cell(pen, x, y, wide, *value, *most),
            Cell::Heat(value, most, text) => {
                // The darker the step the louder the number; a bar of the step stands before it where there is room.
                let step = heat::step(*value, *most);
                let role = [Role::Muted, Role::Muted, Role::Text, Role::Info, Role::Accent][step];
                let style = pen.style(role);
                let style = if step == 4 {
                    style.add_modifier(Modifier::BOLD)
                } else {
                    style
                };
                grid.cell(pen, index, y, text, style);
                if usize::from(wide) > width(text) + 1 && step > 0 {
                    let ink = pen.ink(role);
                    let shade = pen.look.glyphs.shade(step);
                    let at = if table.columns[index].right {
                        x + wide - width(text) as u16 - 2
                    } else {
                        x + wide - 1
                    };
                    pen.put(at, y, shade, ink);
                }
            }
            cell => {
                let (text, role) = cell.written(view.look, view.now);
                let style = pen.style(role);
                grid.cell(pen, index, y, &text, style);
            }
        }
    }
}

/// Draws every value of the selected row of a panel, one below the other, with its full title.
pub(in super::super) fn values(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, piece: Piece) {
    let title = board::title(view.look, piece);
    let head = Rule {
        title,
        marks: "◆",
        notes: vec![(view.texts.esc_closes.into(), None)],
        focused: true,
        ..Rule::default()
    };
    let inner = rule(pen, area, &head);
    let at = view.app.scrolled(Panel::Of(piece));
    let lines = board::with_table(view.app, piece, |table, rows| {
        let row = rows.get(at.min(rows.len().saturating_sub(1)))?;
        let lines = table
            .columns
            .iter()
            .zip(&row.cells)
            .filter(|(column, _)| column.exported);
        Some(
            lines
                .map(|(column, cell)| {
                    let label = if column.title.is_empty() {
                        column.name
                    } else {
                        column.title
                    };
                    let full = match cell {
                        Cell::Money(cents) => view.look.amount(*cents),
                        Cell::Count(count) => view.look.marks().count(*count),
                        Cell::Share(part, whole, _) => {
                            let marks = view.look.marks();
                            let sums = format!("{} ÷ {}", marks.count(*part), marks.count(*whole));
                            format!("{} = {}", sums, marks.percent(*part, *whole, 2))
                        }
                        Cell::Ago(at) => format!(
                            "{} {}",
                            view.texts
                                .day_month(at.with_timezone(&view.look.zone).date_naive()),
                            crate::format::clock(*at, view.look.zone)
                        ),
                        cell => cell.written(view.look, view.now).0,
                    };
                    (label.to_owned(), full)
                })
                .collect::<Vec<_>>(),
        )
    });
    let muted = pen.look.theme.style(Role::Muted);
    let text = pen.look.theme.style(Role::Text);
    let mut y = inner.y + 1;
    for (label, value) in lines.flatten().unwrap_or_default() {
        for (index, line) in wrap(&value, usize::from(inner.width.saturating_sub(20)))
            .iter()
            .enumerate()
        {
            if y >= inner.bottom() {
                return;
            }
            if index == 0 {
                pen.text(inner.x + 1, y, 16, &label, muted);
            }
            pen.text(inner.x + 18, y, inner.width.saturating_sub(19), line, text);
            y += 1;
        }
    }
}
