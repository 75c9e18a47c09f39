//! Big numbers of a tab over the marts.

use ratatui::layout::Rect;

use super::super::frame::View;
use super::super::hit::Hit;
use super::super::layout::Panel;
use super::super::pen::Pen;
use super::super::widgets::tile::{Face, tile};
use crate::board::Piece;
use crate::reading::{Move, SMALL_SAMPLE, Source, Value, delta};
use crate::sheet::Figure;
use crate::snapshot::{Condition, StoreName};
use crate::theme::Role;

/// What a tile says about a figure.
pub(in super::super) fn face(view: &View<'_>, figure: &Figure, condition: Condition, selected: bool) -> Face {
    let (texts, marks) = (view.texts, view.look.marks());
    let live = figure.source == Source::Live;
    // What Redis says now is current, however old the warehouse's answer is.
    let outdated = condition.is_outdated() && !live;
    let (number, letter) = figure
        .value
        .map_or_else(|| ("—".to_owned(), ""), |value| value.tile(marks));
    let sign = match figure.value {
        Some(value) if value.is_money() && number != "—" => view.look.sign(),
        _ => String::new(),
    };
    let sample = figure
        .value
        .and_then(Value::sample)
        .filter(|sample| (1..SMALL_SAMPLE).contains(sample));
    let change = delta(
        figure.value,
        figure.base,
        figure.higher,
        view.look.dead_band_per_mille,
    );
    let compared = figure.value.is_some() && figure.base.is_some() && !outdated && sample.is_none();
    let was = match (figure.base, sample) {
        (_, Some(sample)) => format!("n={sample}"),
        (Some(base), None) if compared && change.moved != Move::NoBase => {
            format!("{} {}", texts.was, base.short(marks))
        }
        _ => String::new(),
    };
    let words = view
        .state_words(condition, StoreName::Warehouse)
        .filter(|_| outdated);
    let unit: Vec<&str> = [sign.trim(), letter]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    Face {
        label: if live {
            format!("{} {}", figure.label, Source::Live.mark())
        } else {
            figure.label.to_owned()
        },
        unit: unit.join(" "),
        value: format!("{sign}{number}{letter}"),
        digits: number,
        delta: compared.then_some(change),
        delta_text: if compared {
            change.text(marks, texts.new, texts.no_base)
        } else {
            figure.note.clone()
        },
        was,
        note: words.map_or_else(String::new, |(words, _)| words),
        trend: figure.trend.clone(),
        instead: String::new(),
        dim: outdated || sample.is_some(),
        bold: false,
        selected,
    }
}

/// Draws figures beside each other; where it is narrow in two rows.
pub(super) fn figures(
    view: &View<'_>,
    pen: &mut Pen<'_>,
    area: Rect,
    figures: &[Figure],
    condition: Condition,
    piece: Piece,
) {
    if figures.is_empty() {
        return;
    }
    let focused = view.app.focused() == Some(Panel::Of(piece)) && view.app.overlay.is_none();
    let faces: Vec<Face> = figures
        .iter()
        .enumerate()
        .map(|(index, figure)| face(view, figure, condition, focused && view.app.tile() == index))
        .collect();
    let count = faces.len() as u16;
    let across = if area.width < 70 && count > 3 {
        count.div_ceil(2)
    } else {
        count
    };
    let lines = count.div_ceil(across);
    let rows = (area.height / lines).max(1);
    let line = pen.look.theme.ink(Role::Line);
    let roomy = rows >= 5;
    for (index, face) in faces.iter().enumerate() {
        let (column, row) = (index as u16 % across, index as u16 / across);
        let (from, to) = (column * area.width / across, (column + 1) * area.width / across);
        let place = Rect::new(
            area.x + from + 1,
            area.y + row * rows,
            (to - from).saturating_sub(2),
            rows.min(6),
        )
        .intersection(area);
        pen.note(place, Hit::Figure(Panel::Of(piece), index));
        if rows == 1 {
            let value = format!("{} {}", face.label, face.value);
            let style = pen.style(if face.dim { Role::Muted } else { Role::Strong });
            pen.text(place.x, place.y, place.width, &value, style);
            continue;
        }
        tile(pen, place, face);
        if roomy && column + 1 < across {
            for y in place.top()..place.bottom() {
                pen.put(area.x + to - 1, y, '│', line);
            }
        }
    }
}
