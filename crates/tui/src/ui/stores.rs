//! Stores to choose from: the platform first, then those whose name holds what was typed.

use ratatui::layout::Rect;

use super::find::{head, more};
use super::frame::View;
use super::hit::Hit;
use super::pen::Pen;
use super::widgets::grid::{select, window};
use crate::app::HelpPage;
use crate::theme::Role;

/// Draws the page.
pub(super) fn stores(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, page: &HelpPage) {
    let texts = view.texts;
    let inner = head(view, pen, area, texts.stores_title, page);
    let theme = &view.look.theme;
    let (text, muted, strong) = (
        theme.style(Role::Text),
        theme.style(Role::Muted),
        theme.style(Role::Strong),
    );
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
        pen.note(Rect::new(list.x, y, list.width, 1), Hit::Line(index));
        if index == page.selected {
            select(pen, Rect::new(list.x, y, list.width, 1), y);
        }
    }
    more(view, pen, list, hidden);
}
