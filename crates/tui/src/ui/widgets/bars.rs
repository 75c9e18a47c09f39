//! Horizontal bars in eighths of a column.

use crate::theme::Role;
use crate::ui::pen::Pen;

/// Draws a bar for `part` of `whole` in at most `columns`. Something above zero always shows; anything else shows
/// nothing.
pub fn bar(pen: &mut Pen<'_>, x: u16, y: u16, columns: u16, part: i64, whole: i64, role: Role) {
    if part <= 0 || whole <= 0 || columns == 0 {
        return;
    }
    let eighths = i128::from(part.min(whole)) * i128::from(columns) * 8 / i128::from(whole);
    let eighths = (eighths as u32).max(1);
    let style = pen.ink(role);
    let full = (eighths / 8) as u16;
    let glyphs = pen.look.glyphs;
    pen.repeat(x, y, full, glyphs.growing(8), style);
    let rest = (eighths % 8) as usize;
    if rest > 0 {
        pen.put(x.saturating_add(full), y, glyphs.growing(rest), style);
    }
}
