//! The command prompt in the last row, and above it what would go on from what was typed.

use ratatui::layout::Rect;

use super::frame::View;
use super::hit::Hit;
use super::pen::{Pen, Piece};
use super::widgets::grid::{select, window};
use crate::app::Line;
use crate::keys::{self, Action};
use crate::text;
use crate::theme::Role;

/// Completions that are listed at once.
const LISTED: u16 = 8;

/// Draws the prompt over the foot of the screen.
pub(super) fn prompt(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, line: &Line) {
    let theme = &view.look.theme;
    let (text, muted, strong, accent) = (
        theme.style(Role::Text),
        theme.style(Role::Muted),
        theme.style(Role::Strong),
        theme.style(Role::Accent),
    );
    let foot = Rect::new(area.x, area.bottom().saturating_sub(1), area.width, 1);
    let completions = view.app.completions(&line.text);
    let rows = LISTED.min(completions.len() as u16).min(foot.y.saturating_sub(2));
    let list = Rect::new(area.x, foot.y - rows, area.width, rows);
    pen.clear(Rect::new(area.x, list.y, area.width, rows + 1));
    let offset = line.selected.unwrap_or(0).saturating_sub(usize::from(rows / 2));
    let (shown, _) = window(completions.len(), rows, offset);
    let wide = completions
        .iter()
        .map(|completion| text::width(completion))
        .max()
        .unwrap_or(0) as u16;
    let wide = wide.clamp(14, area.width / 2);
    for (y, (index, completion)) in (list.y..).zip(shown.clone().zip(&completions[shown])) {
        let key = Action::by_name(completion).map_or("", keys::key_of);
        pen.right(area.x + 2, y, 9, key, muted);
        pen.text(area.x + 13, y, wide, completion, strong);
        let words = view.app.completion_words(completion);
        let at = area.x + 15 + wide;
        pen.text(at, y, area.right().saturating_sub(at), &words, text);
        pen.note(Rect::new(area.x, y, area.width, 1), Hit::Line(index));
        if line.selected == Some(index) {
            select(pen, Rect::new(area.x + 1, y, area.width.saturating_sub(1), 1), y);
        }
    }
    // The end of a line that is longer than the row is what is being typed.
    let room = usize::from(area.width).saturating_sub(4);
    let skip = line.text.chars().count().saturating_sub(room);
    let tail: String = line.text.chars().skip(skip).collect();
    let pieces: [Piece<'_>; 3] = [(":".into(), accent), (tail.into(), strong), ("_".into(), accent)];
    pen.pieces(foot.x + 1, foot.y, foot.width.saturating_sub(1), &pieces);
}
