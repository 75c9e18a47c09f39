//! Charts of sheets.

use ratatui::layout::Rect;

use super::super::frame::View;
use super::super::pen::Pen;
use super::super::widgets::columns::{Bar, Columns, columns};
use super::super::widgets::curve::{Curve, Series, curve};
use crate::sheet::{BarData, CurveData, Share, Unit};
use crate::text::width;
use crate::theme::Role;

/// How values of an axis are written.
fn unit<'v>(view: &'v View<'_>, unit: Unit) -> Box<dyn Fn(f64) -> String + 'v> {
    let marks = view.look.marks();
    match unit {
        Unit::Money => Box::new(move |value| view.look.short_amount(value.round() as i64)),
        Unit::Count => Box::new(move |value| marks.list_count(value.round() as i64)),
        Unit::Percent => Box::new(move |value| marks.percent((value * 1000.0).round() as i64, 1000, 0)),
    }
}

/// Draws curves.
pub(super) fn curves(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, data: &CurveData) {
    let series = data.series.iter().map(|(_, points, role, dotted)| Series {
        points,
        role: *role,
        dotted: *dotted,
    });
    let labels: Vec<(usize, String)> = data
        .labels
        .iter()
        .filter_map(|index| Some((*index, data.buckets.get(*index)?.clone())))
        .collect();
    let unit = unit(view, data.unit);
    let chart = Curve {
        series: series.collect(),
        labels: &labels,
        unit: &*unit,
        open: None,
        floor: data.floor,
    };
    curve(pen, area, &chart);
}

/// Draws bars.
pub(super) fn bars(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, data: &BarData) {
    let bars: Vec<Bar> = data
        .bars
        .iter()
        .map(|(_, value, base, open)| Bar {
            value: *value,
            base: *base,
            open: *open,
        })
        .collect();
    let labels: Vec<(usize, String)> = data
        .labels
        .iter()
        .filter_map(|index| Some((*index, data.bars.get(*index)?.0.clone())))
        .collect();
    let unit = unit(view, data.unit);
    let chart = Columns {
        bars: &bars,
        labels: &labels,
        unit: &*unit,
        apart: false,
    };
    columns(pen, area, &chart);
}

/// Draws one bar of parts, and where there is room what each is. A part that is not nothing takes at least a column.
pub(super) fn stack(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, parts: &[Share]) {
    let all: i64 = parts.iter().map(|part| part.value.max(0)).sum();
    if all == 0 {
        View::nothing(pen, area, "—");
        return;
    }
    let some = parts.iter().filter(|part| part.value > 0).count() as i64;
    let room = i64::from(area.width).saturating_sub(some).max(0);
    let mut x = area.x;
    for part in parts.iter().filter(|part| part.value > 0) {
        let wide = 1 + (i128::from(part.value) * i128::from(room) / i128::from(all)) as u16;
        let style = pen.ink(part.role);
        let symbol = if part.step == 0 {
            '?'
        } else {
            pen.look.glyphs.shade(part.step)
        };
        pen.repeat(x, area.y, wide.min(area.right().saturating_sub(x)), symbol, style);
        x += wide;
    }
    if area.height < 2 {
        return;
    }
    let mut x = area.x;
    for part in parts {
        let symbol = if part.step == 0 {
            '?'
        } else {
            pen.look.glyphs.shade(part.step)
        };
        let words = format!("{} {}", part.name, view.look.marks().count(part.value));
        if usize::from(area.right().saturating_sub(x)) < width(&words) + 2 {
            break;
        }
        let (ink, text) = (pen.ink(part.role), pen.style(Role::Text));
        pen.put(x, area.y + 1, symbol, ink);
        x +=
            2 + pen.text(
                x + 2,
                area.y + 1,
                area.right().saturating_sub(x + 2),
                &words,
                text,
            ) + 3;
    }
}
