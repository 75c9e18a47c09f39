//! The pipeline as boxes, each with its own probe, and the same in three rows for the Live tab.

use chrono::{DateTime, Utc};
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::super::frame::{Head, View};
use super::super::layout::Panel;
use super::super::pen::{Pen, Piece};
use crate::snapshot::pipeline::{FlowState, Pipeline, Share};
use crate::snapshot::{Condition, Drift, StoreName};
use crate::text;
use crate::theme::Role;

/// One box: title, whether it is well, what it says. Without a probe it is unknown, not up.
struct Station {
    title: String,
    well: Option<bool>,
    lines: Vec<String>,
}

fn share(share: Share) -> String {
    format!("{}/{}", share.up, share.known)
}

fn ago(view: &View<'_>, at: DateTime<Utc>) -> String {
    view.look.marks().age(view.now - at)
}

fn stations(view: &View<'_>, pipeline: &Pipeline) -> [Station; 6] {
    let (texts, marks) = (view.texts, view.look.marks());
    let lag = |lag: Option<i64>| lag.map(|lag| format!("{} {}", texts.lag, marks.short(lag)));
    let flows: Vec<&FlowState> = [&pipeline.live, &pipeline.warehouse]
        .into_iter()
        .flatten()
        .collect();
    let workers = flows.iter().fold(Share { up: 0, known: 0 }, |sum, flow| Share {
        up: sum.up + flow.workers.up,
        known: sum.known + flow.workers.known,
    });
    let rate: i64 = flows.iter().map(|flow| flow.rate_per_1000s).sum();
    let lags: Option<i64> = flows.iter().filter_map(|flow| flow.lag).reduce(|a, b| a + b);
    let oldest = flows.iter().filter_map(|flow| flow.as_of).min();
    let lines = |lines: [Option<String>; 3]| lines.into_iter().flatten().collect::<Vec<_>>();
    let redis = view.data.live_system.get().filter(|_| pipeline.live.is_some());
    let warehouse = view
        .data
        .warehouse_system
        .get()
        .filter(|_| pipeline.warehouse.is_some());
    [
        Station {
            title: texts.box_sources.into(),
            well: pipeline.sources.map(Share::is_whole),
            lines: lines([
                pipeline
                    .sources
                    .map(|sources| format!("{} {}", share(sources), texts.up)),
                pipeline
                    .slots
                    .map(|slots| format!("{} {}", texts.slots, share(slots))),
                pipeline
                    .asked
                    .map(|asked| format!("{} {}", texts.asked, ago(view, asked))),
            ]),
        },
        Station {
            title: "Debezium".into(),
            well: pipeline.connectors.map(Share::is_whole),
            lines: lines([
                pipeline
                    .connectors
                    .map(|connectors| format!("{} {}", share(connectors), texts.run)),
                pipeline
                    .slot_bytes
                    .map(|bytes| format!("{} {}", texts.slot, marks.bytes(bytes).replace(' ', ""))),
                pipeline
                    .heartbeat
                    .map(|at| format!("{} {}", texts.beat, ago(view, at))),
            ]),
        },
        Station {
            title: "Kafka".into(),
            well: pipeline.brokers.map(Share::is_whole),
            lines: lines([
                pipeline
                    .brokers
                    .map(|brokers| format!("{} {}", share(brokers), texts.brokers)),
                Some(format!("{} ev/s", marks.rate(rate))).filter(|_| pipeline.brokers.is_some()),
                lag(lags).filter(|_| pipeline.brokers.is_some()),
            ]),
        },
        Station {
            title: texts.box_workers.into(),
            well: (!flows.is_empty()).then_some(workers.is_whole()),
            lines: lines([
                Some(format!("{} {}", share(workers), texts.up)).filter(|_| !flows.is_empty()),
                lag(lags),
                oldest.map(|at| format!("{} {}", texts.age, ago(view, at))),
            ]),
        },
        Station {
            title: "Redis".into(),
            well: redis.map(|_| view.data.redis.down.is_none()),
            lines: lines([
                redis.map(|redis| format!("PING {}", marks.micros(redis.ping_us).replace(' ', ""))),
                redis.and_then(|redis| {
                    let bytes = i64::try_from(redis.memory_bytes?).unwrap_or(i64::MAX);
                    Some(format!(
                        "{} {}",
                        texts.memory,
                        marks.bytes(bytes).replace(' ', "")
                    ))
                }),
                view.data
                    .redis
                    .answered
                    .filter(|_| redis.is_some())
                    .map(|at| format!("{} {}", texts.age, ago(view, at))),
            ]),
        },
        Station {
            title: texts.box_warehouse.into(),
            well: warehouse.map(|_| view.data.warehouse.down.is_none()),
            lines: lines([
                warehouse
                    .map(|warehouse| format!("PING {}", marks.micros(warehouse.ping_us).replace(' ', ""))),
                pipeline
                    .warehouse
                    .map(|flow| format!("{} ev/s", marks.rate(flow.rate_per_1000s))),
                pipeline
                    .warehouse
                    .and_then(|flow| flow.as_of)
                    .map(|at| format!("{} {}", texts.age, ago(view, at))),
            ]),
        },
    ]
}

/// Word and role of a probe.
const fn verdict(view: &View<'_>, well: Option<bool>) -> (&'static str, Role) {
    match well {
        Some(true) => (view.texts.ok, Role::Good),
        Some(false) => ("!", Role::Bad),
        None => (view.texts.unknown, Role::Muted),
    }
}

fn station(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, station: &Station) {
    let line = pen.look.theme.ink(if station.well == Some(false) {
        Role::Bad
    } else {
        Role::Line
    });
    let (muted, text) = (pen.style(Role::Muted), pen.style(Role::Text));
    let (right, bottom) = (area.right().saturating_sub(1), area.bottom().saturating_sub(1));
    pen.repeat(area.x, area.y, area.width, '─', line);
    pen.repeat(area.x, bottom, area.width, '─', line);
    for y in area.y..=bottom {
        pen.put(area.x, y, '│', line);
        pen.put(right, y, '│', line);
    }
    for (x, y, corner) in [
        (area.x, area.y, '┌'),
        (right, area.y, '┐'),
        (area.x, bottom, '└'),
        (right, bottom, '┘'),
    ] {
        pen.put(x, y, corner, line);
    }
    let title = format!(" {} ", station.title);
    let room = area.width.saturating_sub(2);
    pen.text(
        area.x + 1,
        area.y,
        room,
        &title,
        text.add_modifier(Modifier::BOLD),
    );
    let (word, role) = verdict(view, station.well);
    let style = pen.style(role).add_modifier(Modifier::BOLD);
    pen.right(area.x + 1, area.y + 1, room, word, style);
    let left = room.saturating_sub(text::width(word) as u16 + 1);
    // In a narrow box the name of the probe gives way to its answer.
    let first = station.lines.first().map(|line| {
        line.strip_prefix("PING ")
            .filter(|_| text::width(line) > usize::from(left))
            .unwrap_or(line)
    });
    for (index, words) in station
        .lines
        .iter()
        .take(usize::from(area.height.saturating_sub(2)))
        .enumerate()
    {
        let words = if index == 0 { first.unwrap_or(words) } else { words };
        let columns = if index == 0 { left } else { room };
        let style = if index == 0 { text } else { muted };
        pen.text(area.x + 1, area.y + 1 + index as u16, columns, words, style);
    }
}

/// Draws the diagram.
pub(in super::super) fn flow(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let head = Head {
        panel: Panel::Flow,
        title: view.texts.flow,
        marks: "●◆",
        notes: vec![(view.texts.flow_note.into(), None)],
        condition: Condition::Live,
        store: StoreName::Redis,
    };
    let Some(inner) = view.frame(pen, area, head) else {
        return;
    };
    let pipeline = Pipeline::of(view.data, view.now);
    let stations = stations(view, &pipeline);
    if inner.width < 78 || inner.height < 6 {
        list(view, pen, inner, &stations);
        return;
    }
    let line = pen.look.theme.ink(Role::Muted);
    let arrow = |pen: &mut Pen<'_>, x: u16, y: u16, wide: u16| {
        pen.repeat(x, y, wide.saturating_sub(1), '─', line);
        pen.put(x + wide - 1, y, '▶', line);
    };
    let both = inner.width >= 116;
    let count: u16 = if both { 6 } else { 5 };
    // Four arrows of four columns with a blank before the box, the branch one wider; a gap of two between the sinks.
    let gaps = 4 * 4 + 1 + if both { 2 } else { 0 };
    let wide = ((inner.width - gaps - u16::from(!both)) / count).min(30);
    let middle = inner.y + 2;
    let mut x = inner.x;
    for (index, one) in stations.iter().enumerate().take(usize::from(count)) {
        let extra = if index == 4 && !both {
            2_u16.min(inner.right().saturating_sub(x + wide))
        } else {
            0
        };
        station(view, pen, Rect::new(x, inner.y, wide + extra, 5), one);
        let end = x + wide;
        match index {
            0..=2 => arrow(pen, end, middle, 3),
            3 => {
                arrow(pen, end, middle, 4);
                pen.put(end + 1, middle, '┬', line);
                let last = inner.y + 5;
                for y in middle + 1..last {
                    pen.put(end + 1, y, '│', line);
                }
                pen.put(end + 1, last, '└', line);
                if both {
                    // Under the box of Redis to the one of the warehouse.
                    let target = end + 5 + wide + 2 + wide / 2;
                    pen.repeat(end + 2, last, target.saturating_sub(end + 2), '─', line);
                    pen.put(target, last, '▲', line);
                } else {
                    branch(view, pen, inner, end + 1, last, &stations[5]);
                }
            }
            _ => {}
        }
        x = end
            + match index {
                3 => 5,
                4 => 2,
                _ => 4,
            };
    }
}

/// The warehouse in one line, where there is no room for its box.
fn branch(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, x: u16, y: u16, station: &Station) {
    let (word, role) = verdict(view, station.well);
    let (muted, style) = (
        pen.style(Role::Muted),
        pen.style(role).add_modifier(Modifier::BOLD),
    );
    pen.put(x + 1, y, '▶', muted);
    let pieces: [Piece<'_>; 3] = [
        (station.title.as_str().into(), pen.style(Role::Text)),
        (" ".into(), muted),
        (word.into(), style),
    ];
    pen.pieces(x + 3, y, area.right().saturating_sub(x + 3), &pieces);
    let words = format!("{}  ", station.lines.join("  "));
    let room = x.saturating_sub(area.x + 1);
    pen.right(area.x, y, room, words.trim_end(), muted);
}

/// The stations as lines, in a narrow window.
fn list(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, stations: &[Station; 6]) {
    for (y, station) in (area.y..area.bottom()).zip(stations) {
        let (word, role) = verdict(view, station.well);
        let style = pen.style(role).add_modifier(Modifier::BOLD);
        let (text, muted) = (pen.style(Role::Text), pen.style(Role::Muted));
        pen.text(area.x, y, 10, &station.title, text);
        pen.text(area.x + 11, y, 7, word, style);
        pen.text(
            area.x + 19,
            y,
            area.width.saturating_sub(19),
            &station.lines.join("  "),
            muted,
        );
    }
}

/// Draws the pipeline in three rows.
pub(in super::super) fn pipeline(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let head = Head {
        panel: Panel::Pipeline,
        title: view.texts.pipeline,
        marks: "●◆",
        notes: vec![(view.texts.flow_note_short.into(), None)],
        condition: Condition::Live,
        store: StoreName::Redis,
    };
    let Some(inner) = view.frame(pen, area, head) else {
        return;
    };
    let (texts, marks) = (view.texts, view.look.marks());
    let pipeline = Pipeline::of(view.data, view.now);
    let stations = stations(view, &pipeline);
    let (text, muted, line) = (
        pen.style(Role::Text),
        pen.style(Role::Muted),
        pen.ink(Role::Muted),
    );
    let mut x = inner.x;
    for (index, station) in stations.iter().take(4).enumerate() {
        let (word, role) = verdict(view, station.well);
        let first = station.lines.first().map_or("", String::as_str);
        let style = pen.style(role).add_modifier(Modifier::BOLD);
        let pieces: [Piece<'_>; 4] = [
            (format!("{} ", station.title).into(), text),
            (format!("{first} ").into(), muted),
            (word.into(), style),
            (if index < 3 { " ──▶ " } else { " ─┬▶ " }.into(), line),
        ];
        x += pen.pieces(x, inner.y, inner.right().saturating_sub(x), &pieces);
    }
    for (row, station) in stations[4..].iter().enumerate() {
        let (word, role) = verdict(view, station.well);
        let style = pen.style(role).add_modifier(Modifier::BOLD);
        let y = inner.y + row as u16;
        if row == 1 {
            pen.text(x.saturating_sub(3), y, 3, "└▶ ", line);
        }
        let title = if row == 1 {
            view.texts.warehouse_short
        } else {
            &station.title
        };
        let pieces: [Piece<'_>; 2] = [(format!("{title} ").into(), text), (word.into(), style)];
        pen.pieces(x, y, inner.right().saturating_sub(x), &pieces);
    }
    let p95 = |flow: Option<FlowState>| {
        flow.and_then(|flow| flow.p95_ms)
            .map_or_else(|| "—".into(), |ms| marks.millis(ms))
    };
    let latency = format!(
        "p95 {} {}   {} {}",
        texts.to_redis,
        p95(pipeline.live),
        texts.to_warehouse,
        p95(pipeline.warehouse)
    );
    pen.text(
        inner.x,
        inner.y + 1,
        x.saturating_sub(inner.x + 4),
        &latency,
        muted,
    );
    let (words, role) = match view.data.drift(view.now) {
        Drift::Unknown => (texts.not_proven.to_owned(), Role::Muted),
        Drift::Proven(proof) => {
            let at = crate::format::clock(proof.at, view.look.zone);
            (
                format!("{} {} {at}", texts.reconciled(proof.lines.len()), texts.proven),
                Role::Good,
            )
        }
        Drift::Broken(proof) => (
            format!("{} {}", texts.broken, marks.count(proof.drift)),
            Role::Bad,
        ),
    };
    let style = pen.style(role);
    pen.text(inner.x, inner.y + 2, inner.width, &words, style);
}
