//! One bar of parts.

use ratatui::layout::Rect;

use super::super::frame::View;
use super::super::pen::Pen;
use crate::sheet::Share;
use crate::text::width;
use crate::theme::Role;

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
