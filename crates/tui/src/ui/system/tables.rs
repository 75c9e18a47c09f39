//! Tables of the System tab: the proof, partitions, connectors, workers.

use instashop_core::view::{FlowHealth, PartitionHealth, WorkerHealth};
use ratatui::layout::Rect;

use super::super::frame::{Head, View};
use super::super::layout::Panel;
use super::super::pen::Pen;
use super::super::widgets::bars::bar;
use super::super::widgets::grid::{Column, Grid, window};
use crate::format::{clock, seconds};
use crate::reading::Source;
use crate::snapshot::pipeline::{held, is_up, runs, sources};
use crate::snapshot::{Condition, Drift, Snapshot, StoreName};
use crate::theme::Role;

/// Draws the last proof that source, warehouse and Redis are equal.
pub(in super::super) fn proof(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let (texts, marks) = (view.texts, view.look.marks());
    let proof = view
        .data
        .warehouse_system
        .get()
        .and_then(|system| system.proof.as_ref());
    let mut notes = Vec::new();
    match view.data.drift(view.now) {
        Drift::Proven(proof) => {
            notes.push((
                format!("{} {}", texts.proven, clock(proof.at, view.look.zone)),
                Some(Role::Good),
            ));
        }
        Drift::Broken(proof) => {
            let words = format!("{} {} !", texts.broken, marks.count(proof.drift));
            notes.push((words, Some(Role::Bad)));
            notes.push((
                format!("{} {}", texts.checked, clock(proof.at, view.look.zone)),
                None,
            ));
        }
        Drift::Unknown => {}
    }
    if let Some(proof) = proof {
        notes.push((texts.reconciled(proof.lines.len()), None));
    }
    let head = Head {
        panel: Panel::Proof,
        title: if area.width < 70 {
            texts.reconciliation_short
        } else {
            texts.reconciliation
        },
        marks: "◆",
        notes,
        condition: view.data.warehouse_system_condition(view.now),
        store: StoreName::Warehouse,
    };
    let Some(inner) = view.frame(pen, area, head) else {
        return;
    };
    let Some(proof) = proof else {
        View::nothing(pen, inner, texts.not_proven);
        return;
    };
    let columns = [
        Column::left(texts.col_table, 17).grow(1),
        Column::right(texts.col_source, 13),
        Column::right(texts.col_warehouse, 13),
        Column::right("REDIS", 13).optional(1),
        Column::right(texts.col_drift, 6),
        Column::left(texts.col_state, 9),
    ];
    let grid = Grid::fit(&columns, inner.x, inner.width);
    grid.head(pen, inner.y, &columns);
    // What is broken stands first, wherever it is in the list.
    let mut lines: Vec<_> = proof.lines.iter().collect();
    lines.sort_by_key(|line| line.drift == 0);
    let (shown, _) = window(
        lines.len(),
        inner.height.saturating_sub(1),
        view.app.scrolled(Panel::Proof),
    );
    for (y, line) in (inner.y + 1..).zip(&lines[shown]) {
        let equal = line.drift == 0;
        let (text, strong, muted) = (
            pen.style(Role::Text),
            pen.style(Role::Strong),
            pen.style(Role::Muted),
        );
        let state = pen.style(if equal { Role::Good } else { Role::Bad });
        let dash = |words: &str| {
            if words.is_empty() {
                "—".to_owned()
            } else {
                words.to_owned()
            }
        };
        grid.cell(pen, 0, y, &line.name, text);
        grid.cell(pen, 1, y, &dash(&line.source), text);
        grid.cell(pen, 2, y, &dash(&line.warehouse), text);
        grid.cell(pen, 3, y, &dash(&line.live), muted);
        grid.cell(
            pen,
            4,
            y,
            &marks.count(line.drift),
            if equal { strong } else { state },
        );
        let words = if equal {
            texts.proven.to_owned()
        } else {
            format!("{} !", texts.broken)
        };
        grid.cell(pen, 5, y, &words, state);
    }
}

/// Partitions of both flows with the flow they belong to, the furthest behind first. Of two workers that name the same
/// partition, one is gone: who spoke last has it.
pub(in super::super) fn partition_rows(data: &Snapshot) -> Vec<(Source, &PartitionHealth)> {
    let mut rows: Vec<(Source, &PartitionHealth)> = flows(data)
        .flat_map(|(source, flow)| held(flow).map(move |part| (source, part)))
        .collect();
    rows.sort_by(|(_, a), (_, b)| {
        let lag = b.lag().cmp(&a.lag());
        lag.then_with(|| a.topic.cmp(&b.topic))
            .then_with(|| a.partition.cmp(&b.partition))
    });
    rows
}

/// Both flows, as far as their stores answer.
fn flows(data: &Snapshot) -> impl Iterator<Item = (Source, &FlowHealth)> {
    let live = data.live_system.get().map(|system| (Source::Live, &system.flow));
    let warehouse = data
        .warehouse_system
        .get()
        .map(|system| (Source::Warehouse, &system.flow));
    live.into_iter().chain(warehouse)
}

/// The last part of a topic: the table. Heartbeats of a connector are called so.
fn table_of(topic: &str) -> &str {
    topic
        .strip_prefix("__debezium-")
        .unwrap_or_else(|| topic.rsplit('.').next().unwrap_or(topic))
}

/// Draws the lag of each partition.
pub(in super::super) fn partitions(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let (texts, marks) = (view.texts, view.look.marks());
    let order = view.app.order(Panel::Partitions);
    let mut rows = partition_rows(view.data);
    if order.column == 1 {
        rows.sort_by(|(_, a), (_, b)| {
            (table_of(&a.topic), a.partition).cmp(&(table_of(&b.topic), b.partition))
        });
    }
    if order.reversed {
        rows.reverse();
    }
    let behind = rows
        .iter()
        .filter(|(_, part)| part.lag().is_some_and(|lag| lag > 0))
        .count();
    let head = Head {
        panel: Panel::Partitions,
        title: texts.partitions,
        marks: "●◆",
        notes: vec![(format!("{behind} {} {}", texts.of_behind, rows.len()), None)],
        condition: Condition::Live,
        store: StoreName::Redis,
    };
    let Some(inner) = view.frame(pen, area, head) else {
        return;
    };
    if rows.is_empty() {
        View::nothing(pen, inner, texts.no_partitions);
        return;
    }
    let columns = [
        Column::left("", 1),
        Column::left(texts.col_table, 17).grow(1),
        Column::right("P", 2),
        Column::right(texts.col_offset, 11).optional(2),
        Column::right(texts.col_lag, 6),
        Column::left("", 6).grow(1).optional(3),
        Column::right(texts.col_age, 6).optional(1),
    ];
    let grid = Grid::fit(&columns, inner.x, inner.width);
    grid.head(pen, inner.y, &columns);
    let most = rows
        .iter()
        .filter_map(|(_, part)| part.lag())
        .max()
        .unwrap_or(0)
        .max(1);
    let (shown, _) = window(
        rows.len(),
        inner.height.saturating_sub(1),
        view.app.scrolled(Panel::Partitions),
    );
    for (y, (source, part)) in (inner.y + 1..).zip(&rows[shown]) {
        let (text, strong, muted) = (
            pen.style(Role::Text),
            pen.style(Role::Strong),
            pen.style(Role::Muted),
        );
        let lag = part.lag();
        grid.cell(pen, 0, y, source.mark(), muted);
        grid.cell(pen, 1, y, table_of(&part.topic), text);
        grid.cell(pen, 2, y, &part.partition.to_string(), muted);
        grid.cell(pen, 3, y, &marks.count(part.checkpoint), muted);
        grid.cell(
            pen,
            4,
            y,
            &lag.map_or_else(|| "—".into(), |lag| marks.list_count(lag)),
            strong,
        );
        if let (Some((x, wide)), Some(lag)) = (grid.place(5), lag) {
            bar(pen, x, y, wide, lag, most, Role::S3);
        }
        let age = part
            .as_of
            .map_or_else(|| "—".into(), |at| seconds((view.now - at).num_seconds()));
        grid.cell(pen, 6, y, &age, muted);
    }
}

/// Draws each source with its connector and slot.
pub(in super::super) fn connectors(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let (texts, marks) = (view.texts, view.look.marks());
    let head = Head {
        panel: Panel::Connectors,
        title: texts.connectors,
        marks: "●◆",
        notes: vec![],
        condition: Condition::Live,
        store: StoreName::Redis,
    };
    let Some(inner) = view.frame(pen, area, head) else {
        return;
    };
    let rows = sources(view.data);
    if rows.is_empty() {
        View::nothing(pen, inner, texts.no_probe);
        return;
    }
    let columns = [
        Column::left(texts.col_source, 13),
        Column::left(texts.col_state, 6),
        Column::left(texts.col_connector, 9),
        Column::left(texts.col_tasks, 8).grow(1),
        Column::right(texts.col_slot, 9),
        Column::right(texts.col_heartbeat, 10),
    ];
    let grid = Grid::fit(&columns, inner.x, inner.width);
    grid.head(pen, inner.y, &columns);
    let (shown, _) = window(
        rows.len(),
        inner.height.saturating_sub(1),
        view.app.scrolled(Panel::Connectors),
    );
    for (y, source) in (inner.y + 1..).zip(&rows[shown]) {
        let (text, muted) = (pen.style(Role::Text), pen.style(Role::Muted));
        let verdict = |well: bool| if well { Role::Good } else { Role::Bad };
        let (up, run) = (pen.style(verdict(source.up)), pen.style(verdict(runs(source))));
        grid.cell(pen, 0, y, &source.source, text);
        grid.cell(pen, 1, y, if source.up { texts.up } else { texts.down }, up);
        let connector = if source.connector.state.is_empty() {
            texts.unknown
        } else {
            &source.connector.state
        };
        grid.cell(pen, 2, y, &connector.to_lowercase(), run);
        let tasks = if source.connector.failure.is_empty() && source.error.is_empty() {
            source.connector.tasks.join(" ").to_lowercase()
        } else {
            format!("{}{}", source.error, source.connector.failure)
        };
        grid.cell(
            pen,
            3,
            y,
            &tasks,
            if source.connector.failure.is_empty() {
                muted
            } else {
                run
            },
        );
        let slot = source
            .slot_lag_bytes
            .map_or_else(|| "—".into(), |bytes| marks.bytes(bytes));
        grid.cell(pen, 4, y, &slot, muted);
        let beat = source
            .heartbeat_at
            .map_or_else(|| texts.off.into(), |at| marks.age(view.now - at));
        grid.cell(pen, 5, y, &beat, muted);
    }
}

/// Draws each worker process.
pub(in super::super) fn workers(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let (texts, marks) = (view.texts, view.look.marks());
    let head = Head {
        panel: Panel::Workers,
        title: texts.workers,
        marks: "●◆",
        notes: vec![],
        condition: Condition::Live,
        store: StoreName::Redis,
    };
    let Some(inner) = view.frame(pen, area, head) else {
        return;
    };
    let rows: Vec<(Source, &WorkerHealth)> = flows(view.data)
        .flat_map(|(source, flow)| flow.workers.iter().map(move |worker| (source, worker)))
        .collect();
    if rows.is_empty() {
        View::nothing(pen, inner, texts.no_worker);
        return;
    }
    let columns = [
        Column::left("", 1),
        Column::left(texts.col_worker, 18).grow(1),
        Column::left(texts.col_state, 12).grow(1),
        Column::right("EV/S", 6),
        Column::right(texts.col_records, 11),
        Column::right("P95", 7),
        Column::right(texts.col_seen, 6),
    ];
    let grid = Grid::fit(&columns, inner.x, inner.width);
    grid.head(pen, inner.y, &columns);
    let (shown, _) = window(
        rows.len(),
        inner.height.saturating_sub(1),
        view.app.scrolled(Panel::Workers),
    );
    for (y, (source, worker)) in (inner.y + 1..).zip(&rows[shown]) {
        let (text, muted) = (pen.style(Role::Text), pen.style(Role::Muted));
        let state = pen.style(if is_up(worker, view.now) {
            Role::Good
        } else {
            Role::Bad
        });
        grid.cell(pen, 0, y, source.mark(), muted);
        grid.cell(pen, 1, y, &worker.worker, text);
        grid.cell(pen, 2, y, &worker.state, state);
        grid.cell(pen, 3, y, &marks.rate(worker.rate_per_1000s), text);
        grid.cell(
            pen,
            4,
            y,
            &marks.count(i64::try_from(worker.records).unwrap_or(i64::MAX)),
            muted,
        );
        let p95 = worker
            .latency_p95_ms
            .map_or_else(|| "—".into(), |ms| marks.millis(ms));
        grid.cell(pen, 5, y, &p95, muted);
        grid.cell(
            pen,
            6,
            y,
            &seconds((view.now - worker.seen_at).num_seconds()),
            muted,
        );
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn a_partition_is_shown_once_as_the_worker_that_spoke_last_says() {
        let worker = |second: i64, checkpoint| WorkerHealth {
            seen_at: DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(second),
            partitions: vec![PartitionHealth {
                topic: "transaction".into(),
                partition: 2,
                checkpoint,
                end: None,
                as_of: None,
            }],
            ..WorkerHealth::default()
        };
        for workers in [
            vec![worker(1, 10), worker(2, 20)],
            vec![worker(2, 20), worker(1, 10)],
        ] {
            let flow = FlowHealth {
                workers,
                ..FlowHealth::default()
            };
            let shown: Vec<i64> = held(&flow).map(|part| part.checkpoint).collect();
            assert_eq!(shown, [20]);
        }
    }

    #[test]
    fn a_heartbeat_is_not_called_a_table() {
        for (topic, shown) in [
            ("transaction", "transaction"),
            ("crm.public.segment", "segment"),
            ("__debezium-heartbeat.crm", "heartbeat.crm"),
        ] {
            assert_eq!(table_of(topic), shown);
        }
    }
}
