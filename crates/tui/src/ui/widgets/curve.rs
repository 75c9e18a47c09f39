//! Curves over time in braille: two by four points in a cell, gaps where data is missing, a dotted base.

use ratatui::layout::Rect;

use super::axis::Axis;
use crate::glyphs::Glyphs;
use crate::text;
use crate::theme::Role;
use crate::ui::pen::Pen;

/// One curve.
#[derive(Debug, Clone)]
pub struct Series<'t> {
    /// One value per bucket, oldest first; `None` is a gap.
    pub points: &'t [Option<f64>],
    /// Colour.
    pub role: Role,
    /// True for a comparison: drawn in every second column, so that it is told apart without colour.
    pub dotted: bool,
}

/// A chart of curves with the same buckets.
pub struct Curve<'t> {
    /// The curves; where two share a cell the later wins.
    pub series: Vec<Series<'t>>,
    /// Labels of the time axis: index of the bucket, text.
    pub labels: &'t [(usize, String)],
    /// Text of a value on the axis.
    pub unit: &'t dyn Fn(f64) -> String,
    /// Value of the bucket that is still open, drawn hatched at the right edge.
    pub open: Option<f64>,
    /// Where the axis begins; zero for anything but a share.
    pub floor: f64,
    /// The bucket under the cursor.
    pub cursor: Option<Cursor>,
}

/// A bucket that is pointed at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Its index.
    pub at: usize,
    /// Its time in words, written under it.
    pub label: String,
}

/// Which bucket each column of a plot shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The cells of the plot.
    pub area: Rect,
    /// Index of the bucket, a column each; one beyond the last stands for no bucket.
    pub buckets: Vec<usize>,
}

/// Where the parts of a chart are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plot {
    /// The cells of the plot itself.
    pub(super) area: Rect,
    /// Row of the time labels, if there is room for one.
    pub(super) foot: Option<u16>,
}

/// Draws the vertical axis and gives the plot.
pub(super) fn frame(
    pen: &mut Pen<'_>,
    area: Rect,
    axis: &Axis,
    unit: &dyn Fn(f64) -> String,
) -> Option<Plot> {
    let rows = if area.height >= 3 {
        area.height - 1
    } else {
        area.height
    };
    let names: Vec<String> = axis.ticks.iter().map(|tick| unit(*tick)).collect();
    let wide = names
        .iter()
        .map(|name| text::width(name))
        .max()
        .unwrap_or(0)
        .max(4) as u16;
    if rows == 0 || area.width < wide + 4 {
        return None;
    }
    let line = pen.look.theme.ink(Role::Line);
    let muted = pen.look.theme.style(Role::Muted);
    let x = area.x + wide;
    for row in 0..rows {
        pen.put(x, area.y + row, '│', line);
    }
    let mut taken: Option<(u16, &String)> = None;
    for (tick, name) in axis.ticks.iter().zip(&names) {
        let row = axis.row(*tick, rows);
        // One label to a row, and none that says the same as the one below it.
        if taken.is_some_and(|(used, said)| used == row || said == name) {
            continue;
        }
        taken = Some((row, name));
        pen.right(area.x, area.y + row, wide, name, muted);
        pen.put(x, area.y + row, '┤', line);
    }
    Some(Plot {
        area: Rect::new(x + 1, area.y, area.width - wide - 1, rows),
        foot: (area.height >= 3).then_some(area.y + rows),
    })
}

/// Writes time labels under columns, the last one first; one that would touch another is left out. The cursor's own label
/// goes before all.
pub(super) fn feet(
    pen: &mut Pen<'_>,
    plot: Plot,
    labels: impl DoubleEndedIterator<Item = (u16, String)>,
    cursor: Option<(u16, &str)>,
) {
    let Some(y) = plot.foot else { return };
    let muted = pen.look.theme.style(Role::Muted);
    let start = |x: u16, wide: u16| {
        let last = plot.area.right().saturating_sub(wide);
        x.saturating_sub(wide / 2)
            .clamp(plot.area.x, last.max(plot.area.x))
    };
    let taken = cursor.map(|(x, label)| {
        let wide = (text::width(label) as u16).min(plot.area.width);
        let from = start(x, wide);
        let accent = pen.look.theme.style(Role::Accent);
        pen.text(from, y, wide, label, accent);
        from..from + wide
    });
    let mut free = plot.area.right();
    for (index, (x, label)) in labels.rev().enumerate() {
        let wide = text::width(&label) as u16;
        let from = start(x, wide);
        let hidden = taken
            .as_ref()
            .is_some_and(|taken| from <= taken.end && taken.start <= from + wide);
        if wide <= plot.area.width && !hidden && (index == 0 || from + wide < free) {
            pen.text(from, y, wide, &label, muted);
            free = from;
        }
    }
}

/// Draws the line of the cursor, under what is drawn later.
pub(super) fn upright(pen: &mut Pen<'_>, plot: Plot, x: u16) {
    let accent = pen.look.theme.ink(Role::Accent);
    for y in plot.area.y..plot.area.bottom() {
        pen.put(x, y, '│', accent);
    }
}

/// Lowest and highest value per point column; `None` is a gap.
fn reduce(points: &[Option<f64>], columns: usize) -> Vec<Option<(f64, f64)>> {
    let count = points.len();
    let known = |index: usize| {
        points
            .get(index)
            .copied()
            .flatten()
            .filter(|value| value.is_finite())
    };
    let mut out = vec![None; columns];
    if columns == 0 || count == 0 {
        return out;
    }
    let place = |index: usize| {
        if count < 2 {
            columns - 1
        } else {
            index * (columns - 1) / (count - 1)
        }
    };
    if count <= columns && count > 1 {
        for (column, slot) in out.iter_mut().enumerate() {
            let exact = column as f64 * (count - 1) as f64 / (columns - 1).max(1) as f64;
            let index = exact.floor() as usize;
            let share = exact - index as f64;
            let value = match (known(index), known(index + 1)) {
                (Some(a), Some(b)) => Some(a + (b - a) * share),
                (Some(a), _) if share < 1e-9 => Some(a),
                _ => None,
            };
            *slot = value.map(|value| (value, value));
        }
    }
    // Points that fell between columns: an isolated value must not vanish, and a spike keeps its height.
    for index in 0..count {
        if let Some(value) = known(index) {
            let slot = &mut out[place(index)];
            *slot = Some(slot.map_or((value, value), |(low, high)| (low.min(value), high.max(value))));
        }
    }
    out
}

/// Bits of a braille cell by column and row of its points.
const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// Braille cells of one curve, row by row.
fn cells(points: &[Option<f64>], axis: &Axis, columns: usize, rows: usize) -> Vec<u8> {
    let mut bits = vec![0_u8; columns * rows];
    let last = (rows * 4).saturating_sub(1);
    let height = |value: f64| (last as f64 * (1.0 - axis.share(value))).round() as usize;
    let mut previous: Option<(usize, usize)> = None;
    for (column, range) in reduce(points, columns * 2).into_iter().enumerate() {
        let Some((low, high)) = range else {
            previous = None;
            continue;
        };
        let (top, bottom) = (height(high), height(low));
        // Join with the column before, so that a steep curve has no holes.
        let (from, to) = match previous {
            Some((_, above)) if above + 1 < top => (above + 1, bottom),
            Some((below, _)) if below > bottom + 1 => (top, below - 1),
            _ => (top, bottom),
        };
        for point in from..=to.min(last) {
            bits[point / 4 * columns + column / 2] |= BITS[column % 2][point % 4];
        }
        previous = Some((top, bottom));
    }
    bits
}

/// Draws a chart.
pub fn curve(pen: &mut Pen<'_>, area: Rect, chart: &Curve<'_>) -> Option<Places> {
    let values = chart
        .series
        .iter()
        .flat_map(|series| series.points.iter().flatten())
        .chain(&chart.open);
    let max = values
        .copied()
        .filter(|value| value.is_finite())
        .fold(0.0, f64::max);
    let most = usize::from(area.height / 3 + 1).clamp(3, 6);
    let axis = if chart.floor > 0.0 && max > chart.floor {
        Axis::above(chart.floor, max, most)
    } else {
        Axis::new(max * 1.02, most)
    };
    let plot = frame(pen, area, &axis, chart.unit)?;
    let rows = usize::from(plot.area.height);
    let columns = usize::from(plot.area.width).saturating_sub(usize::from(chart.open.is_some()));
    let ascii = pen.look.glyphs == Glyphs::Ascii;
    let count = chart
        .series
        .iter()
        .map(|series| series.points.len())
        .max()
        .unwrap_or(0);
    let column = |index: usize| {
        let at = if count < 2 {
            0
        } else {
            index.min(count - 1) * columns.saturating_sub(1) / (count - 1)
        };
        plot.area.x + at as u16
    };
    let cursor = chart.cursor.as_ref().map(|cursor| {
        let x = if cursor.at >= count && chart.open.is_some() {
            plot.area.right().saturating_sub(1)
        } else {
            column(cursor.at)
        };
        (x, cursor.label.as_str())
    });
    if let Some((x, _)) = cursor {
        upright(pen, plot, x);
    }
    for series in &chart.series {
        let style = pen.ink(series.role);
        let bits = cells(series.points, &axis, columns, rows);
        for (index, pattern) in bits.into_iter().enumerate() {
            let (column, row) = (index % columns.max(1), index / columns.max(1));
            if pattern == 0 || (series.dotted && column % 2 == 1) {
                continue;
            }
            let symbol = match (ascii, series.dotted) {
                (true, true) => '.',
                (true, false) => '*',
                _ => char::from_u32(0x2800 + u32::from(pattern)).unwrap_or(' '),
            };
            pen.put(
                plot.area.x + column as u16,
                plot.area.y + row as u16,
                symbol,
                style,
            );
        }
    }
    if let Some(open) = chart.open.filter(|value| *value > 0.0) {
        let style = pen.ink(Role::Muted);
        for row in axis.row(open, plot.area.height)..plot.area.height {
            pen.put(plot.area.right() - 1, plot.area.y + row, '▒', style);
        }
    }
    feet(
        pen,
        plot,
        chart
            .labels
            .iter()
            .map(|(index, label)| (column(*index), label.clone())),
        cursor,
    );
    let nearest = |at: usize| {
        if at >= columns {
            count
        } else {
            let whole = columns.saturating_sub(1).max(1);
            (at * count.saturating_sub(1) + whole / 2) / whole
        }
    };
    Some(Places {
        area: plot.area,
        buckets: (0..usize::from(plot.area.width)).map(nearest).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reducing_keeps_spikes_and_gaps() {
        let points: Vec<Option<f64>> = (0..100)
            .map(|at| Some(if at == 50 { 9.0 } else { 1.0 }))
            .collect();
        let reduced = reduce(&points, 10);
        assert!(
            reduced.iter().flatten().any(|(_, high)| *high > 8.9),
            "the spike stays"
        );
        let gap = [Some(1.0), None, None, Some(2.0)];
        let reduced = reduce(&gap, 4);
        assert_eq!(reduced, [Some((1.0, 1.0)), None, None, Some((2.0, 2.0))]);
        assert!(
            reduce(&[None, Some(1.0), None], 8).iter().flatten().count() > 0,
            "an isolated point stays"
        );
        assert_eq!(reduce(&[Some(f64::NAN)], 2), [None, None]);
        assert_eq!(
            reduce(&[Some(3.0)], 2)[1],
            Some((3.0, 3.0)),
            "the newest point touches the right edge"
        );
    }

    #[test]
    fn a_rising_line_has_no_holes() {
        let points: Vec<Option<f64>> = (0..4).map(|at| Some(f64::from(at) * 10.0)).collect();
        let axis = Axis::new(30.0, 3);
        let (columns, rows) = (4, 4);
        let bits = cells(&points, &axis, columns, rows);
        for column in 0..columns {
            assert!(
                (0..rows).any(|row| bits[row * columns + column] != 0),
                "column {column} is empty"
            );
        }
        assert_eq!(bits[3 * columns] & 0x40, 0x40, "starts at the bottom left");
        assert_eq!(bits[columns - 1] & 0x08, 0x08, "ends at the top right");
    }
}
