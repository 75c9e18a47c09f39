//! Vertical bars over time in eighths of a row, with a dotted base and the open bucket hatched.

use ratatui::layout::Rect;

use super::axis::Axis;
use super::curve::{Cursor, Places, feet, frame, upright};
use crate::theme::Role;
use crate::ui::pen::Pen;

/// One bar.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bar {
    /// Value; `None` draws nothing (not known yet).
    pub value: Option<f64>,
    /// Value to compare with, drawn as dots.
    pub base: Option<f64>,
    /// True while the bucket is still open.
    pub open: bool,
}

/// A chart of bars.
pub struct Columns<'t> {
    /// The bars, oldest first. When there are more than columns the oldest are left out.
    pub bars: &'t [Bar],
    /// Labels of the time axis: index of the bar, text.
    pub labels: &'t [(usize, String)],
    /// Text of a value on the axis.
    pub unit: &'t dyn Fn(f64) -> String,
    /// True for bars that stand apart, with room for the dots of the base beside them.
    pub apart: bool,
    /// The bar under the cursor.
    pub cursor: Option<Cursor>,
}

/// Eighths of a row that a share of the height takes; something above zero shows.
fn eighths(share: f64, rows: u16) -> usize {
    let exact = share * f64::from(rows) * 8.0;
    if share > 0.0 {
        (exact.round() as usize).max(1)
    } else {
        0
    }
}

/// Draws a chart.
pub fn columns(pen: &mut Pen<'_>, area: Rect, chart: &Columns<'_>) -> Option<Places> {
    let values = chart.bars.iter().flat_map(|bar| [bar.value, bar.base]).flatten();
    let max = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
    let axis = Axis::new(max * 1.02, usize::from(area.height / 3 + 1).clamp(3, 6));
    let plot = frame(pen, area, &axis, chart.unit)?;
    let (width, rows) = (usize::from(plot.area.width), plot.area.height);
    let hidden = chart.bars.len().saturating_sub(width);
    let bars = &chart.bars[hidden..];
    if bars.is_empty() {
        return None;
    }
    let slot = width / bars.len();
    // Wide bars that stand apart may differ in their gaps; narrow ones and those that touch would look uneven.
    let start = |index: usize| {
        let spare = width - slot * bars.len();
        let at = match (chart.apart, slot) {
            (true, 3..) => index * width / bars.len(),
            (true, _) => index * slot,
            (false, _) => index * slot + spare,
        };
        plot.area.x + at as u16
    };
    let wide = match (chart.apart, slot) {
        (true, 0..=2) => 1,
        (true, 3) => 2,
        (true, slot) => slot - 2,
        (false, 0..=2) => slot,
        (false, slot) => slot - 1,
    } as u16;
    let (accent, muted, prev) = (pen.ink(Role::Accent), pen.ink(Role::Muted), pen.ink(Role::Prev));
    let glyphs = pen.look.glyphs;
    let cursor = chart.cursor.as_ref().and_then(|cursor| {
        let index = cursor
            .at
            .checked_sub(hidden)
            .filter(|index| *index < bars.len())?;
        Some((start(index) + wide / 2, cursor.label.as_str()))
    });
    if let Some((x, _)) = cursor {
        upright(pen, plot, x);
    }
    for (index, bar) in bars.iter().enumerate() {
        let x = start(index);
        let height = bar.value.map_or(0, |value| eighths(axis.share(value), rows));
        if bar.open {
            let full = height.div_ceil(8) as u16;
            for row in 0..full.min(rows) {
                pen.repeat(x, plot.area.bottom() - 1 - row, wide, '▒', muted);
            }
        } else {
            for row in 0..rows {
                let filled = height.saturating_sub(usize::from(row) * 8).min(8);
                if filled > 0 {
                    pen.repeat(
                        x,
                        plot.area.bottom() - 1 - row,
                        wide,
                        glyphs.rising(filled),
                        accent,
                    );
                }
            }
        }
        if let Some(base) = bar.base.filter(|base| base.is_finite()) {
            let row = axis.row(base, rows);
            let top = rows.saturating_sub(height.div_ceil(8) as u16);
            let y = plot.area.y + row;
            if chart.apart && (slot <= 2 || row >= top) {
                if slot > 1 {
                    pen.put(x + wide, y, '·', prev);
                }
            } else if row < top {
                pen.repeat(x, y, wide, '·', prev);
            }
        }
    }
    let labels = chart.labels.iter().filter_map(|(index, label)| {
        let index = index.checked_sub(hidden)?;
        (index < bars.len()).then(|| (start(index) + wide / 2, label.clone()))
    });
    let labels: Vec<(u16, String)> = labels.collect();
    feet(pen, plot, labels.into_iter(), cursor);
    let bar_at = |x: u16| {
        (0..bars.len())
            .rev()
            .find(|index| start(*index) <= plot.area.x + x)
    };
    let buckets = (0..plot.area.width).map(|x| hidden + bar_at(x).unwrap_or(0));
    Some(Places {
        area: plot.area,
        buckets: buckets.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::eighths;

    #[test]
    fn heights() {
        assert_eq!(eighths(0.0, 10), 0);
        assert_eq!(eighths(0.000_1, 10), 1, "something above zero shows");
        assert_eq!(eighths(0.5, 10), 40);
        assert_eq!(eighths(1.0, 10), 80);
    }
}
