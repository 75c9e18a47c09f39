//! Help, made from the table of keys: what works here first, what does not is dimmed.

use ratatui::layout::Rect;

use super::find::{head, more};
use super::frame::View;
use super::hit::Hit;
use super::pen::Pen;
use super::widgets::grid::{select, window};
use crate::app::HelpPage;
use crate::keys::BINDINGS;
use crate::theme::Role;

/// Width of the column of keys.
const KEYS: u16 = 15;

/// Draws the page.
pub(super) fn help(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, page: &HelpPage) {
    let texts = view.texts;
    let inner = head(view, pen, area, texts.help_title, page);
    let found = page.found(view.app);
    let here = view.app.here();
    let theme = &view.look.theme;
    let (text, muted, strong) = (
        theme.style(Role::Text),
        theme.style(Role::Muted),
        theme.style(Role::Strong),
    );
    let count = format!(
        "{} {} · {} {}",
        found.len(),
        texts.actions,
        texts.tab_word,
        texts.tab(view.app.tab)
    );
    pen.right(inner.x, inner.y, inner.width.saturating_sub(1), &count, muted);
    let wide = if inner.width >= 78 {
        inner.width.saturating_sub(30)
    } else {
        inner.width
    };
    let list = Rect::new(
        inner.x + 1,
        inner.y + 2,
        wide.saturating_sub(2),
        inner.height.saturating_sub(2),
    );
    // The selected line stays in the middle of a list that is longer than the page.
    let offset = page.selected.saturating_sub(usize::from(list.height / 2));
    let (shown, hidden) = window(found.len(), list.height, offset);
    for (y, (index, action)) in (list.y..).zip(shown.clone().zip(&found[shown])) {
        let works = view.app.works_in(&here, *action);
        let keys = BINDINGS
            .iter()
            .find(|binding| binding.action == *action)
            .map_or(&[][..], |binding| binding.keys);
        let (key, words) = if works { (strong, text) } else { (muted, muted) };
        pen.text(list.x + 2, y, KEYS, &keys.join("  "), key);
        let words_at = list.x + 3 + KEYS;
        let room = list.right().saturating_sub(words_at);
        let used = pen.text(words_at, y, room, (texts.action)(*action), words);
        if !works {
            pen.text(
                words_at + used + 1,
                y,
                room.saturating_sub(used + 1),
                texts.not_here,
                muted,
            );
        }
        pen.note(Rect::new(list.x, y, list.width, 1), Hit::Line(index));
        if index == page.selected {
            select(pen, Rect::new(list.x, y, list.width, 1), y);
        }
    }
    more(view, pen, list, hidden);
    if wide < inner.width {
        marks(
            view,
            pen,
            Rect::new(inner.x + wide, inner.y + 2, 29, inner.height.saturating_sub(2)),
        );
    }
}

/// What the marks mean, and one line of each glyph set: no program can ask a terminal what its font has.
fn marks(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let texts = view.texts;
    let theme = &view.look.theme;
    let (text, muted) = (theme.style(Role::Text), theme.style(Role::Muted));
    let rows = [
        ("●", texts.mark_live),
        ("◆", texts.mark_warehouse),
        ("!", texts.mark_bad),
        ("▒", texts.mark_open),
        ("···", texts.mark_unknown),
        ("—", texts.mark_none),
        ("=", texts.mark_same),
        ("n=24", texts.mark_small),
    ];
    let mut pen = pen.within(area);
    pen.text(area.x, area.y, area.width, texts.marks_title, muted);
    for (y, (mark, words)) in (area.y + 1..area.bottom()).zip(rows) {
        pen.text(area.x + 1, y, 4, mark, text);
        pen.text(area.x + 6, y, area.width.saturating_sub(6), words, muted);
    }
    let y = area.y + rows.len() as u16 + 2;
    pen.text(area.x, y, area.width, texts.glyph_test, muted);
    pen.text(area.x + 1, y + 1, area.width, "▁▂▃▄▅▆▇█ ▏▎▍▌▋▊▉ ░▒▓ ▲▼ ┌┬┐", text);
    pen.text(area.x + 1, y + 2, area.width, "⡀⡄⡆⡇⣇⣧⣷⣿ _.-=*# ^v +-+", text);
    pen.text(area.x, y + 3, area.width, texts.glyph_switch, muted);
}
