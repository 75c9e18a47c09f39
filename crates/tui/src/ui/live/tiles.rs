//! The big numbers of a tab, and the orders that are not in them.

use ratatui::layout::Rect;

use super::super::frame::View;
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
    let instead = reading.source == Source::Warehouse && Metric::LIVE_TILES.contains(&metric);
    let outdated = condition.is_outdated() && !instead;
    let (number, letter) = reading
        .value
        .map_or_else(|| ("···".to_owned(), ""), |value| value.tile(marks));
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
    let note = if let (true, Some(arrived)) = (instead, reading.arrived) {
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
    let per_buyer = match (metric, view.data.today(view.now, view.look.zone)) {
        (Metric::BuyersToday, Some(today)) if today.buyers > 0 => {
            let each = Value::Mean(today.totals.orders * 100, today.buyers).full(marks);
            format!("{each} {}", texts.a_buyer)
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
        instead: per_buyer,
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

/// Draws the big numbers of Live: five metrics, and in the sixth place the orders outside them.
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
        match Metric::LIVE_TILES.get(usize::from(index)) {
            Some(metric) => {
                let selected = focused && view.app.tile() == usize::from(index);
                tile(pen, place, &face(view, *metric, condition, selected));
            }
            None => others(view, pen, place),
        }
    }
}

/// Orders of today that are in no revenue, so that nobody wonders where they are.
fn others(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let mut pen = pen.within(area);
    let pen = &mut pen;
    let muted = pen.look.theme.style(Role::Muted);
    pen.text(area.x, area.y, area.width, view.texts.also_today, muted);
    let Some(today) = view.data.today(view.now, view.look.zone) else {
        pen.text(area.x, area.y + 1, area.width, "···", muted);
        return;
    };
    pen.dim = !today.current;
    let totals = today.totals;
    let mut items = vec![
        (view.texts.class_open, totals.open),
        (view.texts.class_failed, totals.failed),
        (view.texts.class_cancelled, totals.cancelled),
        (view.texts.class_reversed, totals.reversed),
        (view.texts.class_unmapped, totals.unmapped),
    ];
    let rows = usize::from(area.height.saturating_sub(1)).max(1);
    // A status that no map knows must be seen even where there is room for four rows only.
    if totals.unmapped == 0 {
        items.pop();
    } else {
        items.rotate_right(1);
    }
    let across = if area.width >= 34 && items.len() > rows {
        2
    } else {
        1
    };
    let wide = area.width / across;
    for (index, (name, count)) in items.iter().take(rows * usize::from(across)).enumerate() {
        let x = area.x + (index / rows) as u16 * wide;
        let y = area.y + 1 + (index % rows) as u16;
        let alarm = *name == view.texts.class_unmapped;
        let style = pen.style(if alarm { Role::Bad } else { Role::Text });
        let value = view.look.marks().count(*count);
        let value = if alarm { format!("{value} !") } else { value };
        let room = wide.saturating_sub(1).min(22);
        let number = crate::text::width(&value) as u16;
        pen.text(x, y, room.saturating_sub(number + 1), name, muted);
        pen.right(x, y, room, &value, style);
    }
}
