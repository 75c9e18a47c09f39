//! Revenue, net revenue, orders and average order of the range.

use ratatui::layout::Rect;

use super::super::frame::View;
use super::super::hit::Hit;
use super::super::layout::Panel;
use super::super::live::tiles::face;
use super::super::pen::{Pen, Piece};
use super::super::widgets::tile::{Face, tile};
use crate::metrics::Metric;
use crate::text::width;
use crate::theme::Role;

/// Draws the figures of the range: tiles where there is room, else one line.
pub(in super::super) fn figures(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let condition = view.data.sales_condition(view.app.days(), view.now);
    let focused = view.app.focused() == Some(Panel::Figures) && view.app.overlay.is_none();
    let faces = Metric::SALES_TILES.iter().enumerate();
    let faces =
        faces.map(|(index, metric)| face(view, *metric, condition, focused && view.app.tile() == index));
    if area.height >= 4 {
        let line = pen.look.theme.ink(Role::Line);
        let roomy = area.height >= 8;
        let (top, rows) = if roomy {
            (area.y + 1, 6)
        } else {
            (area.y, area.height)
        };
        for (index, face) in faces.enumerate() {
            let (from, to) = (index as u16 * area.width / 4, (index as u16 + 1) * area.width / 4);
            let place = Rect::new(area.x + from + 1, top, (to - from).saturating_sub(2), rows);
            pen.note(place, Hit::Figure(Panel::Figures, index));
            tile(pen, place, &face);
            if index < 3 {
                for y in top..(top + rows).min(area.bottom()) {
                    pen.put(area.x + to - 1, y, '│', line);
                }
            }
        }
        return;
    }
    line(view, pen, area, &faces.collect::<Vec<_>>());
}

/// The figures in one line, or more where it is narrow; the last changes are left out before a figure is.
fn line(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, faces: &[Face]) {
    let theme = &view.look.theme;
    let (muted, accent) = (theme.style(Role::Muted), theme.style(Role::Accent));
    let pieces = |face: &Face, changed: bool| -> Vec<Piece<'static>> {
        let value = theme.style(if face.dim { Role::Muted } else { Role::Strong });
        let delta = match face.delta.and_then(|delta| delta.good) {
            Some(true) => theme.style(Role::Good),
            Some(false) => theme.style(Role::Bad),
            None => muted,
        };
        let label = if face.selected { accent } else { muted };
        let mut pieces: Vec<Piece<'static>> = vec![
            (format!("{} ", face.label).into(), label),
            (face.value.clone().into(), value),
        ];
        if changed && !face.delta_text.is_empty() {
            pieces.push((format!(" {}", face.delta_text).into(), delta));
        }
        pieces
    };
    let wide = |pieces: &[Piece<'_>]| pieces.iter().map(|(text, _)| width(text)).sum::<usize>() as u16;
    let lines = area.height.max(1);
    let room = area.width.saturating_sub(1);
    let total = |gap: u16, changed: usize| -> u16 {
        let sum: u16 = faces
            .iter()
            .enumerate()
            .map(|(index, face)| wide(&pieces(face, index < changed)) + gap)
            .sum();
        sum.saturating_sub(gap)
    };
    let forms = [(3, 4), (2, 4), (2, 3), (2, 2), (2, 1), (1, 0)];
    let form = forms
        .into_iter()
        .find(|(gap, changed)| total(*gap, *changed) <= room);
    let (gap, changed) = if lines > 1 { (3, 4) } else { form.unwrap_or((1, 0)) };
    let (mut x, mut y) = (area.x + 1, area.y);
    for (index, face) in faces.iter().enumerate() {
        let pieces = pieces(face, index < changed);
        if x > area.x + 1 && x + wide(&pieces) > area.right() {
            (x, y) = (area.x + 1, y + 1);
        }
        if y < area.bottom() {
            let used = pen.pieces(x, y, area.right().saturating_sub(x), &pieces);
            pen.note(Rect::new(x, y, used, 1), Hit::Figure(Panel::Figures, index));
            x += used + gap;
        }
    }
}
