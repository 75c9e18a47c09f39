//! The board in sentences, for screen readers and for a glance in a log: one thing a line, no drawing at all.

use crate::app::{App, Tab};
use crate::board::{self, Piece};
use crate::metrics::Metric;
use crate::reading::{Delta, Value, delta};
use crate::sheet::{Cell, Content, Figure, Table};
use crate::snapshot::pipeline::{Pipeline, Share};
use crate::snapshot::{Condition, Drift, StoreName};
use crate::text::clean;
use crate::ui::layout::Panel;

/// Rows of a table that are read out.
const ROWS: usize = 10;

/// Arrows and marks in words; what draws is left out.
fn spoken(app: &App, text: &str) -> String {
    use crate::lang::Language;
    let (up, down, to) = match app.look.language {
        Language::English => ("up", "down", "to"),
        Language::Spanish => ("sube", "baja", "a"),
    };
    let text = clean(text)
        .replace('▲', up)
        .replace('▼', down)
        .replace(['→', '›'], to)
        .replace(['·', '┄'], ",");
    text.chars().filter(|c| !is_drawing(*c)).collect()
}

/// Characters that a screen reader would name one by one.
fn is_drawing(c: char) -> bool {
    matches!(c, '\u{2500}'..='\u{25ff}' | '\u{2800}'..='\u{28ff}' | '↑' | '↓')
}

/// The visible tab.
pub(super) fn plain(app: &App) -> String {
    let (data, now) = app.shown();
    let (texts, marks) = (app.look.texts(), app.look.marks());
    let mut out: Vec<String> = Vec::new();
    let scope = app.store_name().filter(|_| board::topic(app.tab).is_some());
    out.push(format!(
        "InstaShop, {}, {}.",
        texts.tab(app.tab),
        scope.unwrap_or_else(|| texts.all_stores.to_owned())
    ));
    let age = |store: StoreName, name: &str| match (&data.link(store).down, data.link(store).answered) {
        (Some(down), _) => format!("{name}: {}.", spoken(app, &down.failure.text)),
        (None, Some(at)) => format!("{name}: {}.", marks.age(now - at)),
        (None, None) => format!("{name}: {}.", texts.loading),
    };
    out.push(age(StoreName::Redis, texts.redis));
    out.push(age(StoreName::Warehouse, texts.warehouse_short));
    out.push(match data.drift(now) {
        Drift::Unknown => format!("{}: {}.", texts.drift, texts.not_proven),
        Drift::Proven(_) => format!("{}: 0, {}.", texts.drift, texts.proven),
        Drift::Broken(proof) => format!("{}: {}, {}.", texts.drift, marks.count(proof.drift), texts.broken),
    });
    match app.tab {
        Tab::Live => {
            own(app, &Metric::LIVE_TILES, &mut out);
            own(app, &Metric::LIVE_BESIDE, &mut out);
            doing(app, &mut out);
        }
        Tab::Sales => own(app, &Metric::SALES_TILES, &mut out),
        Tab::System => system(app, &mut out),
        tab => {
            for piece in Piece::ALL.iter().copied().filter(|piece| piece.tab() == tab) {
                panel(app, piece, &mut out);
            }
        }
    }
    out.push(String::new());
    out.join("\n")
}

/// True while something the tab reads out has not been answered for the first time.
pub(super) fn awaits(app: &App) -> bool {
    let (data, now) = app.shown();
    let (live, warehouse) = (data.redis.answered, data.warehouse.answered);
    let down = |store: StoreName| data.link(store).down.is_some();
    if (live.is_none() && !down(StoreName::Redis)) || (warehouse.is_none() && !down(StoreName::Warehouse)) {
        return true;
    }
    let waits = |condition: Condition| matches!(condition, Condition::Loading(_));
    match app.tab {
        Tab::Live => waits(data.live_condition(now)),
        Tab::Sales => data.sales.get().is_none() && !down(StoreName::Warehouse),
        Tab::System => waits(data.live_system_condition(now)),
        tab => {
            !down(StoreName::Warehouse)
                && app.failed_part().is_none()
                && Piece::ALL
                    .iter()
                    .any(|piece| piece.tab() == tab && board::sheet(app, *piece).is_none())
        }
    }
}

/// `Revenue: $48,210, up 6.2%, was $45,402.`
fn sentence(
    app: &App,
    name: &str,
    value: Option<Value>,
    base: Option<Value>,
    change: Delta,
    note: &str,
) -> String {
    let (texts, marks) = (app.look.texts(), app.look.marks());
    let full = |value: Value| {
        let sign = if value.is_money() {
            app.look.sign()
        } else {
            String::new()
        };
        format!("{sign}{}", value.full(marks))
    };
    let mut words = vec![value.map_or_else(|| texts.no_data.to_owned(), full)];
    if let Some(base) = base {
        words.push(
            change
                .text(marks, texts.new, texts.no_base)
                .replace('=', texts.unchanged),
        );
        words.push(format!("{} {}", texts.was, full(base)));
    }
    if !note.is_empty() {
        words.push(note.to_owned());
    }
    spoken(app, &format!("{name}: {}.", words.join(", ")))
}

fn own(app: &App, metrics: &[Metric], out: &mut Vec<String>) {
    let (data, now) = app.shown();
    for metric in metrics {
        let reading = metric.reading(data, &app.look, now);
        let base = reading.base.as_ref().map(|base| base.value);
        let change = delta(reading.value, base, metric.higher(), app.look.dead_band_per_mille);
        let name = (app.look.texts().metric)(*metric).name;
        let label = reading.base.map_or_else(String::new, |base| base.label);
        out.push(sentence(app, name, reading.value, base, change, &label));
    }
}

/// What visitors do right now, in a sentence.
fn doing(app: &App, out: &mut Vec<String>) {
    let texts = app.look.texts();
    let Some(now) = app.shown().0.doing() else { return };
    let values = [now.browsing, now.carts, now.checkouts, now.purchases];
    let words: Vec<String> = texts
        .doing
        .iter()
        .zip(values)
        .map(|(name, value)| format!("{name} {}", app.look.marks().count(value)))
        .collect();
    out.push(format!("{}: {}.", texts.doing_now, words.join(", ")));
}

fn system(app: &App, out: &mut Vec<String>) {
    let (data, now) = app.shown();
    let texts = app.look.texts();
    let pipeline = Pipeline::of(data, now);
    let share = |share: Option<Share>| match share {
        Some(share) => format!("{} / {} {}", share.up, share.known, texts.up),
        None => texts.unknown.to_owned(),
    };
    for (name, words) in [
        (texts.box_sources, share(pipeline.sources)),
        ("Debezium", share(pipeline.connectors)),
        ("Kafka", share(pipeline.brokers)),
        (texts.redis, share(pipeline.live.map(|flow| flow.workers))),
        (
            texts.box_warehouse,
            share(pipeline.warehouse.map(|flow| flow.workers)),
        ),
    ] {
        out.push(format!("{name}: {words}."));
    }
    if let Some(sealed) = data.live_system.get().and_then(|system| system.sealed) {
        let words = texts.sealed(&sealed);
        out.push(format!("{}: {words}.", texts.redis));
    }
}

fn panel(app: &App, piece: Piece, out: &mut Vec<String>) {
    let Some(sheet) = board::sheet(app, piece) else {
        out.push(format!(
            "{}: {}.",
            board::title(&app.look, piece),
            app.look.texts().loading
        ));
        return;
    };
    match &sheet.content {
        Content::Figures(figures) => {
            for figure in figures {
                out.push(figure_sentence(app, figure));
            }
        }
        // A map of shades is nothing to read out.
        Content::Table(table) if table.columns.iter().any(|column| column.name == "hour") => {}
        Content::Table(table) => {
            out.push(spoken(app, &format!("{}.", sheet.title)));
            rows(app, piece, table, out);
        }
        Content::Stack(parts) => {
            let parts: Vec<String> = parts
                .iter()
                .map(|part| format!("{} {}", part.name, part.value))
                .collect();
            out.push(spoken(app, &format!("{}: {}.", sheet.title, parts.join(", "))));
        }
        Content::Nothing(words) => out.push(spoken(app, &format!("{}: {words}.", sheet.title))),
        // A course says most by where it ends.
        Content::Course(course) => {
            let last = course.lines.iter().filter_map(|line| {
                let value = line.points.iter().flatten().next_back()?;
                Some(format!("{} {}", line.name, course.unit.full(&app.look, *value)))
            });
            out.push(spoken(
                app,
                &format!("{}: {}.", sheet.title, last.collect::<Vec<_>>().join(", ")),
            ));
        }
    }
}

fn figure_sentence(app: &App, figure: &Figure) -> String {
    let change = delta(
        figure.value,
        figure.base,
        figure.higher,
        app.look.dead_band_per_mille,
    );
    sentence(app, figure.label, figure.value, figure.base, change, &figure.note)
}

fn rows(app: &App, piece: Piece, table: &Table, out: &mut Vec<String>) {
    let panel = Panel::Of(piece);
    let (_, now) = app.shown();
    let rows = table.arranged(app.order(panel), app.filter(panel));
    if rows.is_empty() {
        out.push(format!("  {}.", spoken(app, table.empty)));
    }
    for row in rows.iter().take(ROWS) {
        let fields = table.columns.iter().zip(&row.cells).filter(|(column, cell)| {
            column.exported && !matches!(cell, Cell::Blank | Cell::Bar(..) | Cell::Trend(_))
        });
        let fields: Vec<String> = fields
            .filter_map(|(column, cell)| {
                let text = match cell {
                    Cell::Change(..) => cell
                        .written(&app.look, now)
                        .0
                        .replace('=', app.look.texts().unchanged),
                    cell => cell.written(&app.look, now).0,
                };
                let text = text.trim().to_owned();
                // The words of a change say that it is one.
                let title = column.title.replace('Δ', "").to_lowercase();
                match (title.is_empty(), text.is_empty()) {
                    (_, true) => None,
                    (true, false) => Some(text),
                    (false, false) => Some(format!("{title} {text}")),
                }
            })
            .collect();
        out.push(format!("  {}.", spoken(app, &fields.join(", "))));
    }
    if rows.len() > ROWS {
        out.push(format!("  + {}.", rows.len() - ROWS));
    }
}

#[cfg(test)]
mod tests {
    use super::is_drawing;

    #[test]
    fn what_draws() {
        for c in ['─', '█', '⠿', '▲', '●', '┤'] {
            assert!(is_drawing(c), "{c}");
        }
        for c in ['a', 'ñ', '$', '%', '—', '×'] {
            assert!(!is_drawing(c), "{c}");
        }
    }
}
