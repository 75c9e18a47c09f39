//! The last changes that moved a live state, newest first.

use instashop_core::view::TapeEntry;
use ratatui::layout::Rect;

use super::super::frame::{Head, View};
use super::super::layout::Panel;
use super::super::pen::Pen;
use super::super::widgets::grid::{Column, Grid, window};
use super::mix::spoken;
use crate::format::{clock, coarse};
use crate::snapshot::{Condition, StoreName};
use crate::theme::Role;

/// Draws the tape.
pub(in super::super) fn tape(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let live = view.data.live.get();
    let condition = view.data.live_condition(view.now);
    let mut notes = Vec::new();
    if let Some(live) = live.filter(|_| !condition.is_outdated()) {
        notes.push((
            format!("{} ev/s", view.look.marks().rate(live.events_per_1000s)),
            None,
        ));
        notes.push((view.texts.space_freezes.to_owned(), None));
    } else if let (Condition::Stale(_), Some(down)) = (condition, &view.data.redis.down) {
        notes.push((
            format!("{} {}", view.texts.stopped, clock(down.since, view.look.zone)),
            Some(Role::Warn),
        ));
    }
    let head = Head {
        panel: Panel::Tape,
        title: view.texts.event_tape,
        marks: "●",
        notes,
        condition,
        store: StoreName::Redis,
    };
    let (Some(inner), Some(live)) = (view.frame(pen, area, head), live) else {
        return;
    };
    if live.tape.is_empty() {
        View::nothing(pen, inner, view.texts.no_changes);
        return;
    }
    let texts = view.texts;
    let narrow = inner.width < 62;
    let columns: Vec<Column<'_>> = if narrow {
        vec![
            Column::left(texts.col_time, 8),
            Column::left(texts.col_what, 6),
            Column::left(texts.col_op, 1).optional(2),
            Column::left(texts.col_key, 7),
            Column::right(texts.col_amount, 9),
            Column::left(texts.col_state, 7).grow(1),
            Column::right(texts.col_age, 4).optional(1),
        ]
    } else {
        vec![
            Column::left(texts.col_time, 8),
            Column::left(texts.col_what, 6),
            Column::left(texts.col_op, 2),
            Column::left(texts.col_key, 9),
            Column::right(texts.col_amount, 10),
            Column::left(texts.col_by, 10).grow(1),
            Column::left(texts.col_state, 9).grow(1),
            Column::right(texts.col_age, 5),
            Column::right(texts.col_store, 6).optional(1),
        ]
    };
    let grid = Grid::fit(&columns, inner.x, inner.width);
    let headed = inner.height >= 8;
    if headed {
        grid.head(pen, inner.y, &columns);
    }
    let rows = inner.height - u16::from(headed);
    let (shown, _) = window(live.tape.len(), rows, view.app.scrolled(Panel::Tape));
    for (y, entry) in (inner.y + u16::from(headed)..).zip(&live.tape[shown]) {
        row(view, pen, &grid, y, entry, narrow);
    }
}

/// Colour of a change: failures and refunds are news, the rest is life.
fn role(entry: &TapeEntry) -> Role {
    match entry.what.as_str() {
        "fail" => Role::Bad,
        "refund" => Role::Warn,
        "stock" | "ship" => Role::Muted,
        _ => Role::Text,
    }
}

fn row(view: &View<'_>, pen: &mut Pen<'_>, grid: &Grid, y: u16, entry: &TapeEntry, narrow: bool) {
    let (text, muted, strong) = (
        pen.style(Role::Text),
        pen.style(Role::Muted),
        pen.style(Role::Strong),
    );
    let event = pen.style(role(entry));
    let key = if narrow {
        entry.key.to_string()
    } else {
        view.look.marks().count(entry.key)
    };
    let age = coarse((view.now - entry.at).num_seconds());
    let (by, state) = (spoken(&entry.by), spoken((view.texts.status_word)(&entry.state)));
    let dash = |words: String| if words.is_empty() { "—".to_owned() } else { words };
    // A stock level stands where an order has its amount.
    let (amount, state) = match (entry.amount_cents, entry.what.as_str()) {
        (Some(cents), _) => (view.look.amount(cents), state),
        (None, "stock") => (state, String::new()),
        (None, _) => ("—".into(), state),
    };
    let amount_style = if entry.amount_cents.is_some_and(|cents| cents < 0) {
        event
    } else {
        strong
    };
    grid.cell(pen, 0, y, &clock(entry.at, view.look.zone), muted);
    grid.cell(pen, 1, y, (view.texts.tape_word)(&entry.what), event);
    grid.cell(pen, 2, y, &entry.op, muted);
    grid.cell(pen, 3, y, &key, text);
    grid.cell(pen, 4, y, &amount, amount_style);
    if narrow {
        let what = if matches!(entry.what.as_str(), "order" | "ship") {
            state
        } else {
            by
        };
        grid.cell(pen, 5, y, &dash(what), event);
        grid.cell(pen, 6, y, &age, muted);
    } else {
        grid.cell(pen, 5, y, &dash(by), text);
        grid.cell(pen, 6, y, &dash(state), event);
        grid.cell(pen, 7, y, &age, muted);
        let store = entry
            .store_id
            .map_or_else(|| "—".into(), |store| store.to_string());
        grid.cell(pen, 8, y, &store, muted);
    }
}
