//! The line above a panel: title, marks, note. A box would cost two rows and two columns, a rule costs one row.

use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::text;
use crate::theme::Role;
use crate::ui::pen::{Pen, Piece};

/// What a rule says.
#[derive(Debug, Clone, Default)]
pub struct Rule<'t> {
    /// Title.
    pub title: &'t str,
    /// Source marks behind the title: `●`, `◆`, both or none.
    pub marks: &'t str,
    /// Notes at the right, the most important first; one that does not fit is left out.
    pub notes: Vec<(String, Option<Role>)>,
    /// True when the panel has the focus.
    pub focused: bool,
    /// True while the board is frozen.
    pub frozen: bool,
}

/// Draws the rule into the first row of an area and gives what is left for the content.
pub fn rule(pen: &mut Pen<'_>, area: Rect, rule: &Rule<'_>) -> Rect {
    let line = pen.look.theme.ink(if rule.focused || rule.frozen {
        Role::Accent
    } else {
        Role::Line
    });
    let muted = pen.look.theme.style(Role::Muted);
    let title = pen
        .look
        .theme
        .style(if rule.focused { Role::Accent } else { Role::Text });
    let title = title.add_modifier(Modifier::BOLD);
    pen.repeat(area.x, area.y, area.width, '─', line);
    let end = area.right().saturating_sub(1);
    let mut x = area.x.saturating_add(1);
    let room = |x: u16| end.saturating_sub(x);
    x += pen.text(x, area.y, room(x).min(1), " ", muted);
    x += pen.text(x, area.y, room(x), rule.title, title);
    if !rule.marks.is_empty() && usize::from(room(x)) > text::width(rule.marks) {
        x += pen.text(x, area.y, 1, " ", muted);
        for mark in rule.marks.chars() {
            let role = match mark {
                '●' => Role::Good,
                '◆' => Role::Info,
                _ => Role::Muted,
            };
            let style = pen.look.theme.style(role);
            x += pen.text(x, area.y, room(x), &mark.to_string(), style);
        }
    }
    x += pen.text(x, area.y, room(x), " ", muted);
    // Notes that fit, right to left of importance, are joined and set against the right end.
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    let mut used = 2;
    for (note, role) in &rule.notes {
        let wide = text::width(&text::clean(note)) + if pieces.is_empty() { 0 } else { 3 };
        if note.is_empty() || used + wide + 1 > usize::from(room(x)) {
            continue;
        }
        if !pieces.is_empty() {
            pieces.push((" · ".into(), muted));
        }
        let style = role.map_or(muted, |role| pen.look.theme.style(role));
        pieces.push((note.as_str().into(), style));
        used += wide;
    }
    if !pieces.is_empty() {
        let start = end.saturating_sub(used as u16);
        pen.text(start, area.y, 1, " ", muted);
        let wide = pen.pieces(start + 1, area.y, end.saturating_sub(start + 1), &pieces);
        pen.text(start + 1 + wide, area.y, 1, " ", muted);
    }
    Rect {
        y: area.y.saturating_add(1).min(area.bottom()),
        height: area.height.saturating_sub(1),
        ..area
    }
}
