//! One metric in full: definition, formula with the figures of now, base, source, ages. And one failure in full.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::frame::View;
use super::pen::Pen;
use super::widgets::rule::{Rule, rule};
use crate::format::{clock, seconds};
use crate::metrics::Metric;
use crate::reading::{Higher, Reading, SMALL_SAMPLE, Source, Value, delta};
use crate::snapshot::{Drift, StoreName};
use crate::text;
use crate::theme::Role;

/// Width of the column of labels.
const LABELS: u16 = 11;

/// The value with its formula: `48,210.00 ÷ 1,204 = 40.04`.
fn formula(view: &View<'_>, metric: Metric, value: Value) -> String {
    let marks = view.look.marks();
    let sign = if metric.is_money() {
        view.look.sign()
    } else {
        String::new()
    };
    match value {
        Value::Mean(sum, number) => {
            format!(
                "{sign}{} ÷ {} = {sign}{}",
                marks.cents(sum),
                marks.count(number),
                value.full(marks)
            )
        }
        Value::Share(part, whole) => {
            format!(
                "{} ÷ {} = {}",
                marks.count(part),
                marks.count(whole),
                value.full(marks)
            )
        }
        Value::Money(_) | Value::Count(_) | Value::Measure(..) => format!("{sign}{}", value.full(marks)),
    }
}

fn compared(view: &View<'_>, metric: Metric, reading: &Reading) -> String {
    let Some(base) = &reading.base else {
        return view.texts.no_honest_base.into();
    };
    let moved = delta(
        reading.value,
        Some(base.value),
        metric.higher(),
        view.look.dead_band_per_mille,
    );
    let moved = moved.text(view.look.marks(), view.texts.new, view.texts.no_base);
    format!("{}: {} → {moved}", base.label, formula(view, metric, base.value))
}

/// Draws the page of a metric.
pub(super) fn explain(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, metric: Metric) {
    let texts = view.texts;
    let marks = view.look.marks();
    let words = (texts.metric)(metric);
    let reading = metric.reading(view.data, view.look, view.now);
    let has_reading = Metric::LIVE_TILES.contains(&metric) || Metric::SALES_TILES.contains(&metric);
    let value = reading.value.map_or_else(String::new, |value| {
        let (number, letter) = value.tile(marks);
        let sign = if metric.is_money() {
            view.look.sign()
        } else {
            String::new()
        };
        format!(" {sign}{number}{letter}")
    });
    let title = format!("{}: {}{value}", texts.explain, words.name);
    let head = Rule {
        title: &title,
        notes: vec![(texts.esc_closes.into(), None), (metric.id().into(), None)],
        focused: true,
        ..Rule::default()
    };
    let inner = rule(pen, area, &head);
    let mut rows: Vec<(&str, String)> = vec![(texts.row_what, words.what.into())];
    if let Some(value) = reading.value {
        rows.push((texts.row_formula, formula(view, metric, value)));
    }
    rows.push((texts.row_window, words.window.into()));
    if has_reading {
        rows.push((texts.row_compare, compared(view, metric, &reading)));
    }
    let good = match metric.higher() {
        Higher::Good => texts.good_up,
        Higher::Bad => texts.good_down,
        Higher::Neutral => texts.good_neither,
    };
    rows.push((texts.row_good, good.into()));
    if let Some(sample) = reading.value.and_then(Value::sample) {
        rows.push((
            texts.row_small,
            format!("{} {SMALL_SAMPLE}; {}", texts.small_below, marks.count(sample)),
        ));
    }
    let store = match (has_reading, reading.source) {
        (true, Source::Live) => format!("● {}", texts.source_live),
        (true, Source::Warehouse) => format!("◆ {}", texts.source_warehouse),
        (false, _) => words.source.into(),
    };
    let as_of = reading.as_of.filter(|_| has_reading);
    let as_of = as_of.map_or_else(String::new, |at| {
        format!(", {} {}", texts.as_of, clock(at, view.look.zone))
    });
    rows.push((texts.row_source, format!("{store}{as_of}")));
    if has_reading {
        rows.push((texts.row_check, check(view)));
    }
    rows.push((texts.row_path, words.path.into()));
    if let (Some(as_of), Some(arrived), true) = (reading.as_of, reading.arrived, has_reading) {
        let ages = format!(
            "{} {} · {} {}",
            texts.age_event,
            marks.age(view.now - as_of),
            texts.age_arrival,
            marks.age(view.now - arrived)
        );
        rows.push((texts.row_ages, ages));
    }
    rows.push((texts.row_edge, words.edge.into()));
    page(pen, inner, view.look.theme.style(Role::Text), &rows);
}

/// Draws the page of a metric of the catalogue: its definition there, and the figure of the focused panel.
pub(super) fn catalogued(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, id: &str) {
    use crate::board;
    use crate::lang::Language;
    use crate::sheet::Content;
    use crate::ui::layout::Panel;
    use instashop_core::catalogue::{self, Better, Text, Trust};

    let texts = view.texts;
    let Some(metric) = catalogue::Metric::by_id(id) else {
        return;
    };
    let say = |text: Text| match view.look.language {
        Language::English => text.en,
        Language::Spanish => text.es,
    };
    let marks = view.look.marks();
    let piece = match view.app.focused() {
        Some(Panel::Of(piece)) => Some(piece),
        _ => None,
    };
    let figure = piece.and_then(|piece| match board::sheet(view.app, piece)?.content {
        Content::Figures(figures) => figures
            .get(view.app.tile().min(figures.len().saturating_sub(1)))
            .cloned(),
        _ => None,
    });
    let value = figure.as_ref().and_then(|figure| figure.value);
    let sign = |value: Value| {
        if value.is_money() {
            view.look.sign()
        } else {
            String::new()
        }
    };
    let shown = value.map_or_else(String::new, |value| {
        format!(" {}{}", sign(value), value.short(marks))
    });
    let title = format!("{}: {}{shown}", texts.explain, say(metric.name));
    let head = Rule {
        title: &title,
        notes: vec![(texts.esc_closes.into(), None), (id.into(), None)],
        focused: true,
        ..Rule::default()
    };
    let inner = rule(pen, area, &head);
    let formula = match view.look.language {
        Language::English => metric.formula.en(),
        Language::Spanish => metric.formula.es(),
    };
    let full = |value: Value| match value {
        Value::Share(part, whole) => {
            format!(
                "{} ÷ {} = {}",
                marks.count(part),
                marks.count(whole),
                value.full(marks)
            )
        }
        value => format!("{}{}", sign(value), value.full(marks)),
    };
    let mut rows: Vec<(&str, String)> = vec![(texts.row_what, say(metric.what).to_owned())];
    rows.push((
        texts.row_formula,
        value.map_or_else(|| formula.clone(), |value| format!("{formula}: {}", full(value))),
    ));
    let ask = view.app.ask();
    let board = piece
        .and_then(|piece| board::topic(piece.tab()))
        .and_then(|topic| view.data.boards.get(&topic))
        .and_then(|board| board.part.get().map(|view| (view, board.part.arrived)));
    if let Some((board, _)) = board {
        let (first, last) = (
            texts.day_month(board.window.first),
            texts.day_month(board.window.last),
        );
        let range = board::range_words(view.look, ask.range);
        rows.push((texts.row_window, format!("{range}: {first} – {last}")));
    }
    if let Some(figure) = &figure {
        let compared = match (figure.base, board) {
            (Some(base), Some((board, _))) => {
                let moved = delta(
                    figure.value,
                    Some(base),
                    figure.higher,
                    view.look.dead_band_per_mille,
                );
                let moved = moved.text(marks, texts.new, texts.no_base);
                let words = board::base_words(view.look, board, ask.range, ask.basis, true);
                format!("{words}: {} → {moved}", full(base))
            }
            _ => texts.no_honest_base.into(),
        };
        rows.push((texts.row_compare, compared));
    }
    let good = match metric.better {
        Better::Higher => texts.good_up,
        Better::Lower => texts.good_down,
        Better::Neither => texts.good_neither,
    };
    rows.push((texts.row_good, good.into()));
    rows.push((texts.row_unit, say(metric.unit.name()).to_owned()));
    if let Some(sample) = value.and_then(Value::sample) {
        rows.push((
            texts.row_small,
            format!("{} {SMALL_SAMPLE}; {}", texts.small_below, marks.count(sample)),
        ));
    }
    let trust = match metric.trust {
        Trust::Exact => "",
        _ => " ~",
    };
    let is_live = figure
        .as_ref()
        .map_or(piece.is_none(), |figure| figure.source == Source::Live);
    if is_live {
        rows.push((texts.row_source, format!("●{trust} {}", texts.source_live)));
    } else if let Some((board, arrived)) = board {
        let as_of = board.as_of.map_or_else(String::new, |at| {
            format!(", {} {}", texts.as_of, clock(at, view.look.zone))
        });
        rows.push((
            texts.row_source,
            format!("◆{trust} {}{as_of}", texts.source_warehouse),
        ));
        if let (Some(as_of), Some(arrived)) = (board.as_of, arrived) {
            let ages = format!(
                "{} {} · {} {}",
                texts.age_event,
                marks.age(view.now - as_of),
                texts.age_arrival,
                marks.age(view.now - arrived)
            );
            rows.push((texts.row_ages, ages));
        }
    }
    rows.push((texts.row_check, check(view)));
    for (index, note) in metric.notes.iter().enumerate() {
        rows.push((
            if index == 0 { texts.row_edge } else { "" },
            say(*note).to_owned(),
        ));
    }
    page(pen, inner, view.look.theme.style(Role::Text), &rows);
}

/// What proves the number: the last comparison of source, warehouse and Redis.
fn check(view: &View<'_>) -> String {
    match view.data.drift(view.now) {
        Drift::Unknown => view.texts.not_proven.into(),
        Drift::Proven(proof) => {
            let at = clock(proof.at, view.look.zone);
            format!(
                "{}, {} {at}",
                view.texts.reconciled(proof.lines.len()),
                view.texts.proven
            )
        }
        Drift::Broken(proof) => format!("{} {} !", view.texts.broken, view.look.marks().count(proof.drift)),
    }
}

/// Labels at the left, wrapped sentences at the right.
fn page(pen: &mut Pen<'_>, area: Rect, style: Style, rows: &[(&str, String)]) {
    let muted = pen.look.theme.style(Role::Muted);
    let wide = area.width.saturating_sub(LABELS + 3);
    let lines: Vec<Vec<String>> = rows
        .iter()
        .map(|(_, words)| text::wrap(words, usize::from(wide)))
        .collect();
    let total: usize = lines.iter().map(Vec::len).sum();
    let mut y = area.y + u16::from(total < usize::from(area.height));
    for ((label, _), lines) in rows.iter().zip(lines) {
        if y >= area.bottom() {
            return;
        }
        pen.text(area.x + 1, y, LABELS, label, muted);
        for line in lines {
            if y >= area.bottom() {
                return;
            }
            pen.text(area.x + 1 + LABELS, y, wide, &line, style);
            y += 1;
        }
    }
}

/// Draws why a store does not answer, with all causes.
pub(super) fn failure(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, store: StoreName) {
    let texts = view.texts;
    let name = view.store_name(store);
    let title = format!("{name}: {}", texts.does_not_answer);
    let head = Rule {
        title: &title,
        notes: vec![(texts.esc_closes.into(), None)],
        focused: true,
        ..Rule::default()
    };
    let inner = rule(pen, area, &head);
    if let (None, Some(failed), StoreName::Warehouse) =
        (&view.app.snapshot.warehouse.down, view.app.failed_part(), store)
    {
        let since = clock(failed.since, view.look.zone);
        let age = seconds((view.app.now - failed.since).num_seconds());
        let failure = &failed.failure;
        let mut rows = vec![(texts.row_failure, failure.text.clone())];
        rows.extend(
            failure
                .advice
                .iter()
                .map(|advice| (texts.row_advice, advice.clone())),
        );
        rows.push((texts.since, format!("{since} ({age})")));
        rows.push(("", texts.other_tabs_answer.to_owned()));
        causes(&mut rows, texts.row_causes, &failure.chain);
        page(pen, inner, view.look.theme.style(Role::Text), &rows);
        return;
    }
    // The present, also while the board is frozen: a countdown that stands still would lie.
    let Some(down) = &view.app.snapshot.link(store).down else {
        View::nothing(pen, inner, texts.answers_again);
        return;
    };
    let now = view.app.now;
    let mut rows: Vec<(&str, String)> = vec![(texts.row_failure, down.failure.text.clone())];
    rows.extend(
        down.failure
            .advice
            .iter()
            .map(|advice| (texts.row_advice, advice.clone())),
    );
    let since = clock(down.since, view.look.zone);
    rows.push((
        texts.since,
        format!("{since} ({})", seconds((now - down.since).num_seconds())),
    ));
    let left = seconds((down.retry_at - now).num_seconds());
    rows.push((
        texts.row_next,
        format!("{} {} {} {left}", texts.retry, down.attempt, texts.retry_in),
    ));
    causes(&mut rows, texts.row_causes, &down.failure.chain);
    page(pen, inner, view.look.theme.style(Role::Text), &rows);
}

fn causes<'t>(rows: &mut Vec<(&'t str, String)>, label: &'t str, chain: &[String]) {
    for (index, cause) in chain.iter().enumerate() {
        rows.push((if index == 0 { label } else { "" }, cause.clone()));
    }
}
