//! Stores to choose from: the platform first, then those whose name holds what was typed.

use ratatui::layout::Rect;

use super::frame::View;
use super::pen::{Pen, Piece};
use super::widgets::grid::{select, window};
use super::widgets::rule::{Rule, rule};
use crate::app::HelpPage;
use crate::theme::Role;

/// Draws the page.
pub(super) fn stores(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, page: &HelpPage) {
    let texts = view.texts;
    let head = Rule {
        title: texts.stores_title,
        notes: vec![(texts.help_note.into(), None)],
        focused: true,
        ..Rule::default()
    };
    let inner = rule(pen, area, &head);
    let theme = &view.look.theme;
    let (text, muted, strong) = (
        theme.style(Role::Text),
        theme.style(Role::Muted),
        theme.style(Role::Strong),
    );
    let find: [Piece<'_>; 3] = [
        (texts.help_find.into(), muted),
        (format!(" {}", page.find).into(), strong),
        ("_".into(), theme.style(Role::Accent)),
    ];
    pen.pieces(inner.x + 1, inner.y, inner.width / 2, &find);
    let found = view.app.stores_found(page);
    let list = Rect::new(
        inner.x + 1,
        inner.y + 2,
        inner.width.saturating_sub(2),
        inner.height.saturating_sub(2),
    );
    let offset = page.selected.saturating_sub(usize::from(list.height / 2));
    let (shown, hidden) = window(found.len(), list.height, offset);
    for (y, (index, store)) in (list.y..).zip(shown.clone().zip(&found[shown])) {
        match store {
            None => {
                pen.text(
                    list.x + 10,
                    y,
                    list.width.saturating_sub(10),
                    texts.all_stores,
                    strong,
                );
            }
            Some((id, name)) => {
                pen.right(list.x + 2, y, 7, &id.to_string(), muted);
                pen.text(list.x + 10, y, list.width.saturating_sub(10), name, text);
            }
        }
        if index == page.selected {
            select(pen, Rect::new(list.x, y, list.width, 1), y);
        }
    }
    if hidden > 0 && list.height > 0 {
        let more = format!("+{hidden} ↓");
        pen.right(list.x, list.bottom() - 1, list.width, &more, muted);
    }
}
