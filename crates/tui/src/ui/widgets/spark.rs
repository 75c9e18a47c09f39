//! A small trend in one row: the newest value at the right, gaps stay gaps.

use ratatui::style::Style;

use crate::ui::pen::Pen;

/// How a value of the trend looks at a cell.
fn height(value: f64, low: f64, high: f64) -> usize {
    if high <= low {
        return 1;
    }
    1 + ((value - low) / (high - low) * 7.0).round().clamp(0.0, 7.0) as usize
}

/// Brings the values to one per column by the mean of what falls into each; fewer values than columns are spread.
fn resample(values: &[Option<f64>], columns: usize) -> Vec<Option<f64>> {
    let count = values.len();
    (0..columns)
        .map(|column| {
            let from = column * count / columns;
            let to = ((column + 1) * count / columns).max(from + 1).min(count);
            let known: Vec<f64> = values[from.min(count)..to]
                .iter()
                .flatten()
                .copied()
                .filter(|value| value.is_finite())
                .collect();
            (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
        })
        .collect()
}

/// Draws the trend into `columns`. It is scaled from its own smallest to its own largest value, because it shows the
/// course and not the size; a single value stands at the bottom.
pub fn spark(pen: &mut Pen<'_>, x: u16, y: u16, columns: u16, values: &[Option<f64>], style: Style) {
    if values.is_empty() {
        return;
    }
    let points = resample(values, usize::from(columns));
    let known = || points.iter().flatten().copied();
    let low = known().fold(f64::INFINITY, f64::min);
    let high = known().fold(f64::NEG_INFINITY, f64::max);
    let glyphs = pen.look.glyphs;
    for (at, point) in points.iter().enumerate() {
        if let Some(value) = point {
            pen.put(
                x.saturating_add(at as u16),
                y,
                glyphs.rising(height(*value, low, high)),
                style,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resampling_keeps_the_ends_and_the_gaps() {
        let values = [Some(1.0), Some(2.0), None, Some(4.0)];
        assert_eq!(resample(&values, 4), values);
        assert_eq!(resample(&values, 2), [Some(1.5), Some(4.0)]);
        assert_eq!(resample(&values, 8)[7], Some(4.0));
        assert_eq!(resample(&values, 8)[4..6], [None, None]);
        assert_eq!(resample(&values, 0), []);
    }

    #[test]
    fn heights() {
        assert_eq!(height(412.0, 412.0, 419.0), 1);
        assert_eq!(height(419.0, 412.0, 419.0), 8);
        assert_eq!(height(5.0, 5.0, 5.0), 1);
    }
}
