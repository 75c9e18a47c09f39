//! Data quality: counts of rows that broke a rule, and whether every record read is accounted for.

use instashop_core::view::WorkerHealth;
use ratatui::layout::Rect;

use super::super::frame::{Head, View};
use super::super::layout::Panel;
use super::super::pen::Pen;
use crate::format::seconds;
use crate::snapshot::{Condition, StoreName};
use crate::text;
use crate::theme::Role;

/// One count: name, value, whether something above zero is bad.
struct Item {
    name: &'static str,
    value: Option<i64>,
    bad: bool,
}

fn sum(workers: &[&WorkerHealth], count: fn(&WorkerHealth) -> u64) -> Option<i64> {
    let sum: u64 = workers.iter().map(|worker| count(worker)).sum();
    (!workers.is_empty()).then(|| i64::try_from(sum).unwrap_or(i64::MAX))
}

/// What stands beside the title: days that have left Redis, what goes to the terminal, what the counts are.
fn notes(view: &View<'_>) -> Vec<(String, Option<Role>)> {
    let (texts, marks) = (view.texts, view.look.marks());
    let mut notes = Vec::new();
    if let Some(sealed) = view.data.live_system.get().and_then(|live| live.sealed) {
        let role = (!sealed.is_settled()).then_some(Role::Warn);
        notes.push((texts.sealed(&sealed), role));
    }
    if let Some(traffic) = view.app.traffic {
        let frames = marks.rate(i64::try_from(traffic.frames_per_10s * 100).unwrap_or(i64::MAX));
        let bytes = marks.kilobytes(traffic.bytes_per_second);
        let slowest = marks.micros(traffic.slowest_write_us);
        let words = format!("{} {bytes}/s, {frames} fps, {slowest}", texts.screen);
        notes.push((words, None));
    }
    notes.push((texts.quality_note.into(), None));
    notes
}

/// Draws the counts.
pub(in super::super) fn quality(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let texts = view.texts;
    let live = view.data.live_system.get();
    let warehouse = view.data.warehouse_system.get();
    let condition = match (
        view.data.live_system_condition(view.now),
        view.data.warehouse_system_condition(view.now),
    ) {
        (_, Condition::Live | Condition::Late(_)) => Condition::Live,
        (live, _) => live,
    };
    let head = Head {
        panel: Panel::Quality,
        title: texts.data_quality,
        marks: "●◆",
        notes: notes(view),
        condition,
        store: StoreName::Redis,
    };
    let Some(inner) = view.frame(pen, area, head) else {
        return;
    };
    let flows = [
        live.map(|live| &live.flow),
        warehouse.map(|warehouse| &warehouse.flow),
    ];
    let workers: Vec<&WorkerHealth> = flows
        .into_iter()
        .flatten()
        .flat_map(|flow| &flow.workers)
        .collect();
    let item = |name, value, bad| Item { name, value, bad };
    let items = [
        item(texts.quality_unmapped, live.map(|live| live.unmapped_today), true),
        item(
            texts.quality_no_lines,
            live.map(|live| live.orders_without_lines),
            true,
        ),
        item(
            texts.quality_dead_letters,
            warehouse.and_then(|warehouse| warehouse.flow.dead_letters),
            true,
        ),
        item(
            texts.quality_rejected,
            sum(&workers, |worker| worker.rejected),
            true,
        ),
        item(
            texts.quality_conflicts,
            sum(&workers, |worker| worker.conflicts),
            false,
        ),
        item(
            texts.quality_duplicates,
            sum(&workers, |worker| worker.older),
            false,
        ),
        item(
            texts.quality_unchanged,
            sum(&workers, |worker| worker.unchanged),
            false,
        ),
        item(
            texts.quality_heartbeats,
            sum(&workers, |worker| worker.not_a_row),
            false,
        ),
    ];
    let marks = view.look.marks();
    let across = (inner.width / 20).clamp(1, 8);
    let wide = inner.width / across;
    let rows = inner.height.saturating_sub(1).max(1);
    for (index, item) in items.iter().enumerate().take(usize::from(across * rows)) {
        let (x, y) = (
            inner.x + index as u16 % across * wide,
            inner.y + index as u16 / across,
        );
        let alarm = item.bad && item.value.is_some_and(|value| value > 0);
        let value = item
            .value
            .map_or_else(|| "—".into(), |value| marks.list_count(value));
        let value = if alarm { format!("{value} !") } else { value };
        let room = wide.saturating_sub(2);
        let taken = text::width(&value) as u16;
        let (muted, style) = (
            pen.style(Role::Muted),
            pen.style(if alarm { Role::Bad } else { Role::Text }),
        );
        pen.text(x, y, room.saturating_sub(taken + 1), item.name, muted);
        pen.right(x, y, room, &value, style);
    }
    let below = inner.y + (items.len() as u16).div_ceil(across).min(rows);
    if below < inner.bottom() {
        totals(view, pen, Rect::new(inner.x, below, inner.width, 1), &workers);
    }
}

/// The line of conservation: what was read is applied, unchanged, older, rejected or not a row.
fn totals(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, workers: &[&WorkerHealth]) {
    let (texts, marks) = (view.texts, view.look.marks());
    if workers.is_empty() {
        return;
    }
    let read: u64 = workers.iter().map(|worker| worker.records).sum();
    let accounted: u64 = workers
        .iter()
        .map(|worker| worker.applied + worker.unchanged + worker.older + worker.rejected + worker.not_a_row)
        .sum();
    let count = |value: u64| marks.count(i64::try_from(value).unwrap_or(i64::MAX));
    let (words, role) = if read == accounted {
        (
            format!("{} {} = {}", texts.records_read, count(read), texts.all_accounted),
            Role::Good,
        )
    } else {
        let missing = i64::try_from(read).unwrap_or(i64::MAX) - i64::try_from(accounted).unwrap_or(i64::MAX);
        (
            format!(
                "{} {}, {} {} !",
                texts.records_read,
                count(read),
                texts.unaccounted,
                marks.count(missing)
            ),
            Role::Bad,
        )
    };
    let style = pen.style(role);
    let muted = pen.style(Role::Muted);
    let used = pen.text(area.x, area.y, area.width, &words, style);
    let started = workers.iter().map(|worker| worker.started_at).min();
    if let Some(started) = started {
        let up = format!("{} {}", texts.uptime, seconds((view.now - started).num_seconds()));
        let room = area.width.saturating_sub(used + 3);
        if usize::from(room) >= text::width(&up) {
            pen.right(area.x + used + 3, area.y, room, &up, muted);
        }
    }
}
