//! One big number: value, change, what it was, a small trend.

use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::{digits, spark};
use crate::reading::{Delta, Move};
use crate::text;
use crate::theme::Role;
use crate::ui::pen::Pen;

/// What a tile says, in words that are ready.
#[derive(Debug, Clone, PartialEq)]
pub struct Face {
    /// Label in capitals.
    pub label: String,
    /// Unit behind the label when the number is in big digits: `$`, `$ M`.
    pub unit: String,
    /// The number with its sign: `$48,210`.
    pub value: String,
    /// The number without sign and letter: `48,210`.
    pub digits: String,
    /// The change, when there may be one.
    pub delta: Option<Delta>,
    /// The change in words.
    pub delta_text: String,
    /// `was 45.4k`, or what else is to be said: `◆ 12s`, `n=24`.
    pub was: String,
    /// `stale 2m14s` and the like, said by the tile itself because it differs from the header.
    pub note: String,
    /// Course over the same range.
    pub trend: Vec<Option<f64>>,
    /// Said instead of a course.
    pub instead: String,
    /// True for values that must not pass for the present, or for a small sample.
    pub dim: bool,
    /// True while it just changed.
    pub bold: bool,
    /// True when it is selected in a focused panel.
    pub selected: bool,
}

/// Narrowest tile with big digits.
const BIG: u16 = 26;

fn delta_role(face: &Face) -> Role {
    match face.delta {
        Some(Delta { good: Some(true), .. }) => Role::Good,
        Some(Delta {
            good: Some(false), ..
        }) => Role::Bad,
        Some(Delta {
            moved: Move::Same | Move::NoBase,
            ..
        })
        | None => Role::Muted,
        Some(_) => Role::Info,
    }
}

/// Draws a tile into any area; rows that do not fit are left out from the bottom.
pub fn tile(pen: &mut Pen<'_>, area: Rect, face: &Face) {
    let mut pen = pen.within(area);
    let pen = &mut pen;
    let big = area.width >= BIG && area.height >= 4;
    let marker = pen.look.theme.style(Role::Accent).add_modifier(Modifier::BOLD);
    let label_style = if face.selected {
        marker
    } else {
        pen.look.theme.style(Role::Muted)
    };
    let x = area.x;
    let mut used = pen.text(x, area.y, area.width, &face.label, label_style);
    if big && !face.unit.is_empty() {
        used += 2 + pen.text(
            x + used + 2,
            area.y,
            area.width.saturating_sub(used + 2),
            &face.unit,
            label_style,
        );
    }
    if big && !face.note.is_empty() {
        let warn = pen.look.theme.style(Role::Warn);
        let room = area.width.saturating_sub(used + 2);
        if usize::from(room) >= text::width(&face.note) {
            pen.right(x + used + 1, area.y, room, &face.note, warn);
        }
    }
    let was_dim = pen.dim;
    pen.dim |= face.dim;
    let mut value_style = pen.style(if face.bold { Role::Accent } else { Role::Strong });
    if !pen.dim {
        value_style = value_style.add_modifier(Modifier::BOLD);
    }
    let delta_style = pen.style(delta_role(face));
    let trend_style = pen.ink(Role::Accent);
    pen.dim = was_dim;
    let muted = pen.look.theme.style(Role::Muted);
    let below = |pen: &mut Pen<'_>, x: u16, y: u16, width: u16| {
        if face.trend.is_empty() {
            pen.text(x, y, width, &face.instead, muted);
        } else {
            spark::spark(pen, x, y, width, &face.trend, trend_style);
        }
    };
    if !big {
        let was = if face.note.is_empty() {
            &face.was
        } else {
            &face.note
        };
        let room = area.width.saturating_sub(1);
        let used = pen.text(x, area.y + 1, room, &face.value, value_style);
        if area.height == 2 {
            let rest = room.saturating_sub(used + 1);
            pen.text(x + used + 1, area.y + 1, rest, &face.delta_text, delta_style);
            return;
        }
        pen.text(x, area.y + 2, room, &face.delta_text, delta_style);
        let is_state = face.dim && !face.note.is_empty();
        let style = if is_state {
            pen.look.theme.style(Role::Warn)
        } else {
            muted
        };
        pen.text(x, area.y + 3, room, was, style);
        below(pen, x, area.y + 4, room);
        return;
    }
    let drawn = digits::digits(pen, x, area.y + 1, area.width, &face.digits, value_style);
    if !drawn {
        pen.text(x, area.y + 2, area.width, &face.value, value_style);
    }
    if area.height >= 6 {
        let used = pen.text(x, area.y + 4, area.width, &face.delta_text, delta_style);
        pen.text(
            x + used + 3,
            area.y + 4,
            area.width.saturating_sub(used + 3),
            &face.was,
            muted,
        );
        below(pen, x, area.y + 5, area.width);
        return;
    }
    let taken = if drawn {
        digits::columns(&face.digits).unwrap_or(0)
    } else {
        text::width(&face.value) as u16
    };
    let start = taken.max(23) + 2;
    let room = area.width.saturating_sub(start);
    if room >= 6 {
        let x = x + start;
        pen.text(x, area.y + 1, room, &face.delta_text, delta_style);
        pen.text(x, area.y + 2, room, &face.was, muted);
        below(pen, x, area.y + 3, room);
    }
}
