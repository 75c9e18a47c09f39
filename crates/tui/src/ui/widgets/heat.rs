//! Cells of a heat map: five steps from few to many.

use crate::theme::Role;
use crate::ui::pen::Pen;

/// Step 0 to 4 of a value among values up to `max`: nothing is 0, anything is at least 1.
pub fn step(value: i64, max: i64) -> usize {
    if value <= 0 || max <= 0 {
        return 0;
    }
    let share = i128::from(value.min(max)) * 4 / i128::from(max);
    // The largest value alone would be step 4 by division; rounding up gives each step a quarter.
    let exact = i128::from(value.min(max)) * 4 % i128::from(max) == 0;
    (share as usize + usize::from(!exact)).clamp(1, 4)
}

/// Draws one cell of `columns` columns.
pub fn cell(pen: &mut Pen<'_>, x: u16, y: u16, columns: u16, value: i64, max: i64) {
    let step = step(value, max);
    let style = pen.ink(if pen.dim { Role::Muted } else { Role::Accent });
    let symbol = if step == 0 {
        '·'
    } else {
        pen.look.glyphs.shade(step)
    };
    let style = if step == 0 { pen.ink(Role::Line) } else { style };
    pen.repeat(x, y, columns, symbol, style);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps() {
        for (value, max, expected) in [
            (0, 100, 0),
            (1, 100, 1),
            (25, 100, 1),
            (26, 100, 2),
            (50, 100, 2),
            (75, 100, 3),
            (76, 100, 4),
            (100, 100, 4),
            (200, 100, 4),
            (5, 0, 0),
            (-5, 10, 0),
            (i64::MAX, i64::MAX, 4),
        ] {
            assert_eq!(step(value, max), expected, "{value} of {max}");
        }
    }
}
