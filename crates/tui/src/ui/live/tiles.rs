//! The big numbers of a tab.

use ratatui::layout::Rect;

use super::super::frame::View;
use super::super::hit::Hit;
use super::super::layout::Panel;
use super::super::pen::Pen;
use super::super::widgets::tile::{Face, tile};
use crate::format::seconds;
use crate::metrics::Metric;
use crate::reading::{Move, SMALL_SAMPLE, Source, Value, delta};
use crate::snapshot::{Condition, StoreName};
use crate::theme::Role;

/// What a tile says about a metric.
pub(in super::super) fn face(view: &View<'_>, metric: Metric, condition: Condition, selected: bool) -> Face {
    let (texts, marks) = (view.texts, view.look.marks());
    let reading = metric.reading(view.data, view.look, view.now);
    let words = (texts.metric)(metric);
    // The warehouse answers for Redis with its own mark and age; it is current, so it is not dimmed.
    let instead = reading.source == Source::Warehouse && !Metric::SALES_TILES.contains(&metric);
    let outdated = condition.is_outdated() && !instead;
    let unknown = if view.data.past { "—" } else { "···" };
    let (number, letter) = reading
        .value
        .map_or_else(|| (unknown.to_owned(), ""), |value| value.tile(marks));
    let sign = if metric.is_money() && number != "—" {
        view.look.sign()
    } else {
        String::new()
    };
    let sample = reading
        .value
        .and_then(Value::sample)
        .filter(|sample| (1..SMALL_SAMPLE).contains(sample));
    let change = delta(
        reading.value,
        reading.base.as_ref().map(|base| base.value),
        metric.higher(),
        view.look.dead_band_per_mille,
    );
    let compared = reading.value.is_some() && !outdated && sample.is_none();
    let was = match (&reading.base, sample) {
        (_, Some(sample)) => format!("n={sample}"),
        (Some(base), None) if compared => format!("{} {}", texts.was, base.value.short(marks)),
        _ => String::new(),
    };
    let note = if let (true, Some(arrived), false) = (instead, reading.arrived, view.data.past) {
        format!("◆ {}", seconds((view.now - arrived).num_seconds()))
    } else {
        let words = view.state_words(condition, StoreName::Redis).filter(|_| outdated);
        words.map_or_else(String::new, |(words, _)| words)
    };
    let unit = [sign.trim(), letter]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let value = if reading.value.is_some() {
        format!("{sign}{number}{letter}")
    } else {
        number.clone()
    };
    let below = match reading.value {
        Some(Value::Share(part, whole)) if metric == Metric::Conversion => {
            format!("{}/{}", marks.list_count(part), marks.list_count(whole))
        }
        _ => String::new(),
    };
    Face {
        label: words.label.to_owned(),
        unit,
        value,
        digits: number,
        delta: compared.then_some(change),
        delta_text: if compared {
            change.text(marks, texts.new, texts.no_base)
        } else {
            String::new()
        },
        was: if change.moved == Move::NoBase && sample.is_none() {
            String::new()
        } else {
            was
        },
        note,
        trend: reading.trend,
        instead: below,
        dim: outdated || sample.is_some(),
        bold: view.app.just_changed(metric),
        selected,
    }
}

/// How many tiles stand beside each other, and rows of each.
const fn raster(area: Rect) -> (u16, u16) {
    match (area.width, area.height) {
        (0..80, _) => (3, area.height / 2),
        (100..160, 8..) => (3, 4),
        (160.., 8..) => (6, 6),
        _ => (6, area.height),
    }
}

/// Draws the six big numbers of Live.
pub(in super::super) fn tiles(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let condition = view.data.live_condition(view.now);
    let (across, rows) = raster(area);
    let top = if area.width >= 160 && area.height >= 8 {
        area.y + 1
    } else {
        area.y
    };
    let focused = view.app.focused() == Some(Panel::Tiles) && view.app.overlay.is_none();
    let line = pen.look.theme.ink(Role::Line);
    for index in 0..6_u16 {
        let (column, row) = (index % across, index / across);
        let (from, to) = if area.width >= 100 {
            (column * area.width / across, (column + 1) * area.width / across)
        } else {
            let pitch = (area.width - 1) / across;
            (column * pitch, (column + 1) * pitch)
        };
        let place = Rect::new(
            area.x + from + 1,
            top + row * rows,
            (to - from).saturating_sub(2),
            rows,
        );
        let place = if area.width >= 100 {
            place
        } else {
            Rect {
                width: to - from,
                ..place
            }
        };
        if area.width >= 100 && column + 1 < across {
            for y in place.top()..place.bottom().min(area.bottom()) {
                pen.put(area.x + to - 1, y, '│', line);
            }
        }
        if let Some(metric) = Metric::LIVE_TILES.get(usize::from(index)) {
            let selected = focused && view.app.tile() == usize::from(index);
            pen.note(place, Hit::Figure(Panel::Tiles, usize::from(index)));
            tile(pen, place, &face(view, *metric, condition, selected));
        }
    }
}
