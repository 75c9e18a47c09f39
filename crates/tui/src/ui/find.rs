//! A page that lists what holds what was typed: its head, and what the list leaves out.

use ratatui::layout::Rect;

use super::frame::View;
use super::pen::{Pen, Piece};
use super::widgets::rule::{Rule, rule};
use crate::app::HelpPage;
use crate::theme::Role;

/// Draws title and line of entry; gives the area of the page.
pub(super) fn head(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, title: &str, page: &HelpPage) -> Rect {
    let (texts, theme) = (view.texts, &view.look.theme);
    let head = Rule {
        title,
        notes: vec![(texts.help_note.into(), None)],
        focused: true,
        ..Rule::default()
    };
    let inner = rule(pen, area, &head);
    let find: [Piece<'_>; 3] = [
        (texts.help_find.into(), theme.style(Role::Muted)),
        (format!(" {}", page.find).into(), theme.style(Role::Strong)),
        ("_".into(), theme.style(Role::Accent)),
    ];
    pen.pieces(inner.x + 1, inner.y, inner.width / 2, &find);
    inner
}

/// Says how many lines are below the list.
pub(super) fn more(view: &View<'_>, pen: &mut Pen<'_>, list: Rect, hidden: usize) {
    if hidden > 0 && list.height > 0 {
        let more = format!("+{hidden} ↓");
        let muted = view.look.theme.style(Role::Muted);
        pen.right(list.x, list.bottom() - 1, list.width, &more, muted);
    }
}
