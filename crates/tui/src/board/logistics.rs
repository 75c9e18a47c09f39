//! Logistics: what is late now?

use chrono::Datelike;
use instashop_core::view::LogisticsView;

use super::{Context, Piece, shares};
use crate::reading::{Higher, Measure, SMALL_SAMPLE, Value};
use crate::sheet::{Cell, Col, Content, Course, Figure, Form, Line, Row, Sheet, Table, Unit};
use crate::theme::Role;

/// Share of deliveries that should be on time, in per cent: late ones under 4 % (docs: kpis 5.1).
const TARGET: i64 = 96;

pub(super) fn sheet(of: &Context<'_>, view: &LogisticsView, piece: Piece) -> Sheet {
    // Shipments are of the platform, see the query.
    if of.app.ask().store.is_some() && piece != Piece::LogFigures {
        return of.platform_only(piece);
    }
    match piece {
        Piece::LogFigures => of.sheet(piece, vec![], Content::Figures(figures(of, view))),
        Piece::LogMethods => methods(of, view),
        Piece::LogDays => days(of, view),
        Piece::LogTransit => transit(of, view),
        Piece::LogOverdue => overdue(of, view),
        Piece::LogHistogram => histogram(of, view),
        _ => calendar(of, view),
    }
}

fn figures(of: &Context<'_>, view: &LogisticsView) -> Vec<Figure> {
    let whole = instashop_core::view::Pair {
        now: view.on_time.now + view.late.now,
        before: view.on_time.before + view.late.before,
    };
    let hours = |index: usize| {
        let value =
            |hours: Option<[i64; 2]>| hours.map(|hours| Value::Measure(hours[index] * 100, Measure::Hours));
        (
            value(view.hours_tenths[0]),
            value(view.hours_tenths[1]).and_then(|base| of.base(base)),
        )
    };
    let ((p50, p50_before), (p90, p90_before)) = (hours(0), hours(1));
    let trend = shares(view.days.iter().map(|day| (day.on_time, day.on_time + day.late)));
    vec![
        of.ratio(
            "on_time_rate",
            of.say("ON TIME", "A TIEMPO"),
            view.on_time,
            whole,
            Higher::Good,
        )
        .trend(trend),
        Figure::new(
            "shipments",
            of.say("OVERDUE", "ATRASADOS"),
            Some(Value::Count(view.overdue)),
            Higher::Bad,
        )
        .note(of.say("now", "ahora")),
        Figure::new(
            "shipments",
            of.say("IN TRANSIT", "EN CAMINO"),
            Some(Value::Count(view.transit)),
            Higher::Neutral,
        )
        .note(format!(
            "{} {}",
            of.marks().list_count(view.pending),
            of.say("wait", "esperan")
        )),
        Figure::new(
            "transit_time",
            of.say("TRANSIT P50", "CAMINO P50"),
            p50,
            Higher::Bad,
        )
        .against(p50_before),
        Figure::new(
            "transit_time",
            of.say("TRANSIT P90", "CAMINO P90"),
            p90,
            Higher::Bad,
        )
        .against(p90_before),
    ]
}

fn methods(of: &Context<'_>, view: &LogisticsView) -> Sheet {
    let columns = vec![
        Col::left("method", of.say("METHOD", "MÉTODO"), 11).grow(1),
        Col::right("pending", of.say("PENDING", "ESPERAN"), 8).optional(2),
        Col::right("transit", of.say("TRANSIT", "CAMINO"), 8).optional(1),
        Col::right("delivered", of.say("DELIVERED", "ENTREGADO"), 9),
        Col::right("late", of.say("LATE", "TARDE"), 7),
        Col::right("overdue", of.say("OVERDUE", "ATRASADO"), 8),
        Col::right("unknown", of.say("UNKNOWN", "DESCON."), 8).optional(3),
        Col::right("on_time", of.say("ON TIME", "A TIEMPO"), 8),
        Col::drawn("", 8).grow(2).optional(4),
    ];
    let rows = view.methods.iter().map(|row| {
        let judged = row.on_time + row.late + row.overdue;
        let bad = judged >= SMALL_SAMPLE && row.on_time * 100 < judged * (TARGET - 6);
        Row::new(vec![
            Cell::text(of.spoken(&row.method)),
            Cell::Count(row.pending),
            Cell::Count(row.transit),
            Cell::Count(row.delivered),
            Cell::Count(row.late),
            Cell::Count(row.overdue),
            Cell::Count(row.unknown),
            Cell::Share(row.on_time, judged, 1).alarm_if(bad),
            Cell::Bar(row.on_time, judged, super::role_if(bad)),
        ])
    });
    let table = Table::new(columns, rows.collect(), of.say("nothing due", "nada previsto")).list(&[
        (3, false),
        (7, true),
        (5, false),
        (0, true),
    ]);
    let note = format!("{} {}", of.say("due in", "previstos en"), of.range());
    of.table(Piece::LogMethods, vec![note], table)
}

fn days(of: &Context<'_>, view: &LogisticsView) -> Sheet {
    let points = shares(view.days.iter().map(|day| (day.on_time, day.on_time + day.late)));
    if points.iter().all(Option::is_none) {
        let words = of.say("nothing due in the range", "nada previsto en el período");
        return of.sheet(Piece::LogDays, vec![], Content::Nothing(words.to_owned()));
    }
    let lowest = points.iter().flatten().copied().fold(1.0, f64::min);
    let target = TARGET as f64 / 100.0;
    let name = format!("{} {TARGET}%", of.say("target", "meta"));
    let course = Course {
        buckets: of.day_buckets(view.days.iter().map(|day| day.day)),
        lines: vec![
            Line::dotted(name.clone(), vec![Some(target); points.len()], Role::Warn),
            Line::solid(of.say("on time", "a tiempo"), points, Role::Accent),
        ],
        unit: Unit::Percent,
        form: Form::Curve(((lowest * 10.0).floor() / 10.0).min(0.9)),
        labels: (0..view.days.len())
            .step_by(if view.days.len() > 45 { 28 } else { 7 })
            .collect(),
        open: None,
    };
    of.sheet(Piece::LogDays, vec![format!("┄ {name}")], Content::Course(course))
}

fn transit(of: &Context<'_>, view: &LogisticsView) -> Sheet {
    let most = view
        .methods
        .iter()
        .filter_map(|row| row.hours_tenths)
        .map(|hours| hours[2])
        .max()
        .unwrap_or(0);
    let mut rows: Vec<_> = view
        .methods
        .iter()
        .filter_map(|row| Some((row, row.hours_tenths?)))
        .collect();
    rows.sort_by_key(|(row, hours)| (hours[1], row.method.clone()));
    let rows = rows.into_iter().map(|(row, [fast, median, slow])| {
        let hours = |tenths: i64| Cell::Measure(tenths * 100, Measure::Hours);
        Row::new(vec![
            Cell::text(of.spoken(&row.method)),
            Cell::Bar(median, most, Role::Accent),
            hours(fast),
            hours(median),
            hours(slow),
        ])
    });
    let columns = vec![
        Col::left("method", "", 10).grow(1),
        Col::drawn("", 6).grow(2),
        Col::right("p10", "P10", 8).optional(1),
        Col::right("p50", "P50", 8),
        Col::right("p90", "P90", 8),
    ];
    of.table(
        Piece::LogTransit,
        vec![],
        Table::new(
            columns,
            rows.collect(),
            of.say("nothing delivered", "nada entregado"),
        ),
    )
}

fn overdue(of: &Context<'_>, view: &LogisticsView) -> Sheet {
    let today = of.board.read_at.with_timezone(&of.look.zone).date_naive();
    let columns = vec![
        Col::right("shipment", of.say("SHIPMENT", "ENVÍO"), 9),
        Col::left("method", of.say("METHOD", "MÉTODO"), 12).grow(1),
        Col::left("status", of.say("STATUS", "ESTADO"), 12).grow(1),
        Col::left("due", of.say("DUE", "PREVISTO"), 8),
        Col::right("days_late", of.say("LATE", "TARDE"), 8),
        Col::right("on_the_way", of.say("ON THE WAY", "EN CAMINO"), 10).optional(1),
    ];
    let rows = view.list.iter().map(|row| {
        let days = (today - row.due).num_days();
        Row::new(vec![
            Cell::Id(row.shipment_id),
            Cell::text(of.spoken(&row.method)),
            Cell::muted(of.spoken(&row.status)),
            Cell::Day(row.due),
            Cell::Measure(days * 1000, Measure::Days),
            Cell::or_dash(row.shipped_at, Cell::Ago),
        ])
    });
    let note = of.marks().count(view.overdue);
    let table = Table::new(
        columns,
        rows.collect(),
        of.say("nothing is overdue", "nada está atrasado"),
    )
    .list(&[(4, false), (1, true), (0, true)]);
    of.table(Piece::LogOverdue, vec![note], table)
}

fn histogram(of: &Context<'_>, view: &LogisticsView) -> Sheet {
    let most = view.histogram.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let all: i64 = view.histogram.iter().map(|(_, count)| *count).sum();
    let mut from = 0;
    let rows = view.histogram.iter().map(|(limit, count)| {
        let name = match limit {
            Some(limit) => format!("{from}–{limit} h"),
            None => format!("{} {from} h", of.say("over", "más de")),
        };
        from = limit.unwrap_or(from);
        Row::new(vec![
            Cell::text(name),
            Cell::Bar(*count, most, Role::Accent),
            Cell::Count(*count),
            Cell::Share(*count, all, 0),
        ])
    });
    let columns = vec![
        Col::left("hours", "", 12),
        Col::drawn("", 6).grow(1),
        Col::right("shipments", "", 7),
        Col::right("share", "", 5),
    ];
    of.table(
        Piece::LogHistogram,
        vec![of.range()],
        Table::new(columns, rows.collect(), ""),
    )
}

fn calendar(of: &Context<'_>, view: &LogisticsView) -> Sheet {
    let texts = of.look.texts();
    let mut columns = vec![Col::left("week", of.say("WEEK OF", "SEMANA DEL"), 10)];
    columns.extend(
        texts
            .weekdays
            .iter()
            .map(|day| Col::right("share", day, 6).grow(1)),
    );
    let mut rows: Vec<Row> = Vec::new();
    let mut week: Option<chrono::NaiveDate> = None;
    for day in &view.days {
        let back = u64::from(day.day.weekday().num_days_from_monday());
        let monday = day
            .day
            .checked_sub_days(chrono::Days::new(back))
            .unwrap_or(day.day);
        if week != Some(monday) {
            week = Some(monday);
            let mut cells = vec![Cell::text(of.day(monday))];
            cells.resize(8, Cell::Blank);
            rows.push(Row::new(cells));
        }
        let judged = day.on_time + day.late;
        let cell = if judged == 0 {
            Cell::Dash
        } else {
            // The map shows what is late: dark is bad.
            let late = day.late * 100 / judged;
            Cell::Heat(late.max(1), 20, of.marks().percent(day.on_time, judged, 0))
        };
        if let Some(slot) = rows
            .last_mut()
            .and_then(|row| row.cells.get_mut(1 + back as usize))
        {
            *slot = cell;
        }
    }
    let table = Table::new(columns, rows, of.say("nothing due", "nada previsto"));
    of.table(
        Piece::LogCalendar,
        vec![of.say("bright: late", "vivo: tarde").to_owned()],
        table,
    )
}
