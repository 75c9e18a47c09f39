//! The panels over the marts for programs: the same sheets as on the screen, as JSON and as CSV, and as files.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

use super::Format;
use crate::app::App;
use crate::board::{self, Piece};
use crate::reading::{self, delta};
use crate::sheet::{Cell, Content, Figure, Sheet, Table};
use crate::snapshot::Snapshot;
use crate::ui::layout::Panel;

/// The panels of the visible tab, also those that the size of the screen leaves out.
pub(super) fn panels(app: &App) -> Value {
    pieces(app)
        .filter_map(|piece| board::sheet(app, piece).map(|sheet| panel(app, piece, &sheet)))
        .collect()
}

fn pieces(app: &App) -> impl Iterator<Item = Piece> {
    let tab = app.tab;
    Piece::ALL.iter().copied().filter(move |piece| piece.tab() == tab)
}

fn panel(app: &App, piece: Piece, sheet: &Sheet) -> Value {
    let (data, now) = app.shown();
    let board = board::topic(piece.tab()).and_then(|topic| data.boards.get(&topic));
    let part = board.map(|board| &board.part);
    let as_of = part.and_then(|part| part.get()).and_then(|board| board.as_of);
    let mut out = Map::new();
    out.insert("id".into(), piece.name().into());
    out.insert("metric".into(), piece.kpi().into());
    let is_live = sheet.marks == reading::Source::Live.mark();
    let source = if is_live { "live" } else { "warehouse" };
    out.insert("source".into(), source.into());
    out.insert("as_of".into(), as_of.map_or(Value::Null, stamp));
    let arrived = part.and_then(|part| part.arrived);
    let age = arrived.map_or(Value::Null, |at| (now - at).num_milliseconds().max(0).into());
    out.insert("age_ms".into(), age);
    match &sheet.content {
        Content::Figures(figures) => {
            let figures = figures.iter().map(|figure| value(app, figure)).collect();
            out.insert("figures".into(), figures);
        }
        Content::Table(table) => {
            out.insert("rows".into(), rows(app, piece, table));
        }
        Content::Course(course) => {
            let series = course
                .lines
                .iter()
                .map(|line| json!({"name": line.name, "points": line.points}));
            let buckets = course.buckets.iter().map(|bucket| bucket.label.as_str());
            out.insert("buckets".into(), buckets.collect());
            out.insert("series".into(), series.collect());
        }
        Content::Stack(parts) => {
            let parts = parts
                .iter()
                .map(|part| json!({"name": part.name, "value": part.value}));
            out.insert("parts".into(), parts.collect());
        }
        Content::Nothing(words) => {
            out.insert("nothing".into(), words.clone().into());
        }
    }
    Value::Object(out)
}

fn stamp(at: DateTime<Utc>) -> Value {
    at.to_rfc3339_opts(SecondsFormat::Secs, true).into()
}

fn value(app: &App, figure: &Figure) -> Value {
    let mut out = Map::new();
    out.insert("id".into(), figure.kpi.into());
    out.insert(
        "value".into(),
        figure.value.map_or(Value::Null, reading::Value::json),
    );
    if let Some(sample) = figure.value.and_then(reading::Value::sample) {
        out.insert("sample".into(), sample.into());
    }
    if figure.source == reading::Source::Live {
        out.insert("source".into(), "live".into());
    }
    if let Some(base) = figure.base {
        let change = delta(
            figure.value,
            Some(base),
            figure.higher,
            app.look.dead_band_per_mille,
        );
        out.insert("base".into(), base.json());
        out.insert("good".into(), change.good.map_or(Value::Null, Value::from));
    }
    if !figure.note.is_empty() {
        out.insert("note".into(), figure.note.clone().into());
    }
    Value::Object(out)
}

/// Columns that mean something to a program: bars and maps without a name do not.
fn columns(table: &Table) -> Vec<(usize, String)> {
    let mut names: Vec<(usize, String)> = Vec::new();
    for (index, column) in table
        .columns
        .iter()
        .enumerate()
        .filter(|(_, column)| column.exported)
    {
        let same = names
            .iter()
            .filter(|(_, name)| name.split('_').next() == Some(column.name))
            .count();
        let name = if same == 0 {
            column.name.to_owned()
        } else {
            format!("{}_{same}", column.name)
        };
        names.push((index, name));
    }
    names
}

fn rows(app: &App, piece: Piece, table: &Table) -> Value {
    let panel = Panel::Of(piece);
    let names = columns(table);
    let rows = table.arranged(app.order(panel), app.filter(panel));
    let row = |row: &&crate::sheet::Row| -> Value {
        let fields = names.iter().map(|(index, name)| {
            (
                name.clone(),
                row.cells.get(*index).map_or(Value::Null, Cell::json),
            )
        });
        Value::Object(fields.collect())
    };
    rows.iter().map(row).collect()
}

/// What the rules of alerts find, for programs.
pub(super) fn alerts(data: &Snapshot, now: DateTime<Utc>) -> Value {
    let evaluation = data.alerts(now);
    let findings = evaluation.findings.iter().map(|finding| {
        json!({
            "rule": finding.rule.name(),
            "state": format!("{:?}", finding.state).to_lowercase(),
            "severity": format!("{:?}", finding.severity).to_lowercase(),
            "scope": crate::text::clean(&finding.scope),
            "count": finding.count,
            "since": finding.since.map_or(Value::Null, stamp),
        })
    });
    let held = evaluation
        .held
        .iter()
        .map(|(rule, why)| json!({"rule": rule.name(), "why": format!("{why:?}").to_lowercase()}));
    json!({"findings": findings.collect::<Vec<_>>(), "not_judged": held.collect::<Vec<_>>()})
}

/// A field of CSV. One that a spreadsheet would take for a formula is kept from it by a quote.
fn field(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let formula = matches!(value, Value::String(_))
        && text.starts_with(['=', '+', '-', '@', '\t'])
        && text.parse::<f64>().is_err();
    let text = if formula { format!("'{text}") } else { text };
    if text.contains([',', '"', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// The tables of the visible tab as CSV: each after a line with its name, an empty line between them.
pub fn csv(app: &App) -> String {
    let tables = pieces(app).filter_map(|piece| match board::sheet(app, piece)?.content {
        Content::Table(table) => {
            let panel = Panel::Of(piece);
            let names = columns(&table);
            let mut out = format!("# {}\n", piece.name());
            let head: Vec<String> = names.iter().map(|(_, name)| name.clone()).collect();
            out.push_str(&head.join(","));
            out.push('\n');
            for row in table.arranged(app.order(panel), app.filter(panel)) {
                let fields: Vec<String> = names
                    .iter()
                    .map(|(index, _)| {
                        row.cells
                            .get(*index)
                            .map_or_else(String::new, |cell| field(&cell.json()))
                    })
                    .collect();
                out.push_str(&fields.join(","));
                out.push('\n');
            }
            Some(out)
        }
        Content::Figures(figures) => {
            let mut out = format!("# {}\nid,value,base\n", piece.name());
            for figure in figures {
                let json = |value: Option<reading::Value>| value.map_or(Value::Null, reading::Value::json);
                let fields = [
                    figure.kpi.to_owned(),
                    field(&json(figure.value)),
                    field(&json(figure.base)),
                ];
                out.push_str(&fields.join(","));
                out.push('\n');
            }
            Some(out)
        }
        _ => None,
    });
    tables.collect::<Vec<_>>().join("\n")
}

/// Folder of the program's own files: `$XDG_STATE_HOME/instashop`, else `~/.local/state/instashop`.
pub fn state_folder() -> Option<PathBuf> {
    let variable = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let base = variable("XDG_STATE_HOME").or_else(|| Some(variable("HOME")?.join(".local/state")));
    base.map(|base| base.join("instashop"))
}

/// Writes the visible tab to files that only their owner may read, in one form or in all, and gives their common beginning.
pub fn export(app: &App, folder: &Path, only: Option<Format>) -> io::Result<PathBuf> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let at = app.now.with_timezone(&app.look.zone).format("%Y%m%d-%H%M%S");
    let stem = folder.join(format!("instashop-{}-{at}", app.tab.name()));
    let mut forms = vec![
        ("json", Format::Json),
        ("txt", Format::Text),
        ("svg", Format::Svg),
    ];
    if board::topic(app.tab).is_some() {
        forms.push(("csv", Format::Csv));
    }
    forms.retain(|(_, format)| only.is_none_or(|only| only == *format));
    for (extension, format) in forms {
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(stem.with_extension(extension))?;
        file.write_all(super::output(app, &[app.tab], format).as_bytes())?;
    }
    Ok(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_csv() {
        for (value, expected) in [
            (json!("plain"), "plain"),
            (json!("a,b"), "\"a,b\""),
            (json!("say \"hi\""), "\"say \"\"hi\"\"\""),
            (json!("=1+1"), "'=1+1"),
            (json!("-5.00"), "-5.00"),
            (json!(-3), "-3"),
            (json!(null), ""),
        ] {
            assert_eq!(field(&value), expected, "{value}");
        }
    }
}
